//! Events: who else follows the directory, and how the deliveries go.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{
    Administrator,
    conflict::{Entry, Place, Unsaved, Version, conflict, unchanged},
    frame::{Frame, ListQuery, Pager, Section, Wrong, done},
    words::{self, Badge},
};
use crate::{
    app::App,
    event::{self, Access, Delivery, Endpoint, Kind, MAX_ENDPOINTS, State as DeliveryState, Wish},
    id::{EndpointId, EventId},
    space,
    store::Timestamp,
    web::{
        Fault,
        messages::Message,
        page::{Field, Page},
        pages::PageError,
    },
};

const HERE: &str = "/console/settings/events";

/// The tabs: what the address says, and the words.
static STATES: [(&str, Message); 4] = [
    ("", key!("all")),
    ("waiting", key!("state-waiting")),
    ("delivered", key!("delivery-delivered")),
    ("given_up", key!("delivery-given-up")),
];

#[derive(Template)]
#[template(path = "console/events.html")]
struct EventsPage {
    frame: Frame,
    endpoints: Vec<Endpoint>,
    may_add: bool,
    form: Settings,
    secret: Option<Secret>,
    wrong: Option<Wrong>,
}

#[derive(Template)]
#[template(path = "console/event_endpoint.html")]
struct EndpointPage {
    frame: Frame,
    endpoint: Endpoint,
    form: Settings,
    since: Field,
    states: &'static [(&'static str, Message)],
    state: String,
    deliveries: Vec<DeliveryRow>,
    pager: Pager,
    secret: Option<Secret>,
    wrong: Option<Wrong>,
}

/// A secret that is shown this once, and where to go on.
struct Secret {
    text: SecretString,
    onward: String,
}

struct DeliveryRow {
    event: EventId,
    kind: Message,
    subject: Option<(String, String)>,
    at: Timestamp,
    badge: Badge,
    delivery: Delivery,
}

/// The fields of an endpoint.
struct Settings {
    url: Field,
    kinds: Vec<(Kind, Message, bool)>,
    full_content: bool,
    mark: String,
}

/// What can be changed of an endpoint, as somebody has it.
fn version(wish: &Wish) -> Version {
    let mut entries = vec![Entry::text("url", key!("events-url"), &*wish.url)];
    for kind in Kind::CHOICE {
        let entry = Entry::one_of("kinds", words::event_kind(kind), kind.as_str());
        entries.push(entry.ticked(wish.kinds.contains(&kind)));
    }
    entries.push(Entry::tick("full_content", key!("events-full-content"), wish.full_content));
    Version(entries)
}

impl From<&Endpoint> for Wish {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            url: endpoint.url.clone(),
            kinds: endpoint.kinds.0.clone(),
            full_content: endpoint.full_content,
        }
    }
}

impl Settings {
    fn new(wish: &Wish, wrong: Option<&Wrong>) -> Self {
        let url = Field::text("url", key!("events-url"))
            .longest(2048)
            .hint(key!("events-url-hint"))
            .value(&wish.url)
            .error(Wrong::at(wrong, "url"));
        let kinds = Kind::CHOICE
            .into_iter()
            .map(|kind| (kind, words::event_kind(kind), wish.kinds.contains(&kind)));
        let mark = version(wish).mark();
        Self { url, kinds: kinds.collect(), full_content: wish.full_content, mark }
    }
}

/// The form of an endpoint.
#[derive(Deserialize)]
pub(super) struct EndpointForm {
    #[serde(default)]
    url: String,
    #[serde(default)]
    kinds: Vec<Kind>,
    #[serde(default)]
    full_content: bool,
    #[serde(default)]
    mark: String,
}

impl From<EndpointForm> for Wish {
    fn from(form: EndpointForm) -> Self {
        Self { url: form.url, kinds: form.kinds, full_content: form.full_content }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let wish = Wish { url: String::new(), kinds: Kind::CHOICE.to_vec(), full_content: false };
    let page = overview(&app, &administrator, query.done.as_deref(), &wish, None).await?;
    Ok(Page::new(page).into_response())
}

async fn overview(
    app: &App,
    who: &Administrator,
    done: Option<&str>,
    wish: &Wish,
    wrong: Option<Wrong>,
) -> Result<EventsPage, PageError> {
    let space = who.space()?.id;
    let endpoints = app.db.read(async |tx| event::endpoints(tx, space).await).await?;
    Ok(EventsPage {
        frame: Frame::new(who, Section::Events, done),
        may_add: endpoints.len() < MAX_ENDPOINTS,
        endpoints,
        form: Settings::new(wish, wrong.as_ref()),
        secret: None,
        wrong,
    })
}

/// Makes an endpoint. The answer is the page itself and no redirect: the secret is shown this
/// once, and stands in no address and no session.
pub(super) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<EndpointForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (wish, guard) = (Wish::from(form), app.event_guard());
    let access = Access { guard: &guard, sealer: &app.sealer };
    let made = app
        .db
        .write(async |tx| event::create(tx, &administrator.act, access, space, &wish).await)
        .await;
    match made {
        Ok((endpoint, text)) => {
            let mut page = overview(&app, &administrator, None, &wish, None).await?;
            let onward = format!("{HERE}/{}", endpoint.id);
            page.secret = Some(Secret { text, onward });
            page.form.url = page.form.url.value("");
            Ok(Page::new(page).into_response())
        }
        Err(error) => {
            let wrong = Some(Wrong::of(error.into())?);
            let page = overview(&app, &administrator, None, &wish, wrong).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let page = look(&app, &administrator, id, &query).await?;
    Ok(Page::new(page).into_response())
}

async fn look(
    app: &App,
    who: &Administrator,
    id: EndpointId,
    query: &ListQuery,
) -> Result<EndpointPage, PageError> {
    let space = who.space()?.id;
    let state = query.state.parse::<DeliveryState>().ok();
    let (endpoint, page) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let endpoint = event::endpoint(tx, space, id).await?;
            let page = event::deliveries(tx, id, state, query.page()).await?;
            Ok((endpoint, page))
        })
        .await?;
    let pager = query.pager(&format!("{HERE}/{id}"), &page);
    let deliveries = page.rows.into_iter().map(|delivery| DeliveryRow {
        event: delivery.event,
        kind: words::event_kind(delivery.kind),
        subject: delivery
            .subject()
            .map(|subject| (words::principal_href(subject), subject.to_string())),
        at: delivery.at,
        badge: words::delivery(delivery.state),
        delivery,
    });
    let wish = Wish::from(&endpoint);
    Ok(EndpointPage {
        frame: Frame::new(who, Section::Events, query.done.as_deref()),
        form: Settings::new(&wish, None),
        since: Field::text("since", key!("events-since"))
            .longest(32)
            .hint(key!("events-since-hint"))
            .value(crate::web::page::time(&who.act.now.plus_seconds(-86_400))),
        states: &STATES,
        state: query.state.clone(),
        deliveries: deliveries.collect(),
        pager,
        endpoint,
        secret: None,
        wrong: None,
    })
}

pub(super) async fn update(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
    Form(form): Form<EndpointForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let mark = form.mark.clone();
    let (wish, guard) = (Wish::from(form), app.event_guard());
    let changed = app
        .db
        .write(async |tx| -> Result<_, Unsaved<event::Error>> {
            space::lock(tx, space).await?;
            let now = event::endpoint(tx, space, id).await.map_err(Unsaved::Room)?;
            unchanged(&mark, version(&Wish::from(&now)))?;
            let act = &administrator.act;
            event::update(tx, act, &guard, space, id, &wish).await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(_) => Ok(done(&format!("{HERE}/{id}"), "endpoint-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            let here = format!("{HERE}/{id}");
            let place = Place {
                title: key!("settings"),
                back: here.clone(),
                back_label: t!("events-title"),
                edit: here.clone(),
                action: here,
            };
            let frame = Frame::new(&administrator, Section::Events, None);
            Ok(conflict(frame, place, &now, version(&wish)))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let mut page = look(&app, &administrator, id, &ListQuery::default()).await?;
            page.form = Settings { mark, ..Settings::new(&wish, Some(&wrong)) };
            page.wrong = Some(wrong);
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn enable(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, true, "endpoint-enabled").await
}

pub(super) async fn disable(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, false, "endpoint-disabled").await
}

async fn set_enabled(
    State(app): State<App>,
    administrator: Administrator,
    id: EndpointId,
    enabled: bool,
    code: &'static str,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| event::set_enabled(tx, &administrator.act, space, id, enabled).await)
        .await?;
    Ok(done(&format!("{HERE}/{id}"), code))
}

/// Like [`create`], the answer is the page with the secret.
pub(super) async fn rotate(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
) -> Result<Response, PageError> {
    let (space, sealer) = (administrator.space()?.id, &app.sealer);
    let text = app
        .db
        .write(async |tx| event::rotate_secret(tx, &administrator.act, sealer, space, id).await)
        .await?;
    let mut page = look(&app, &administrator, id, &ListQuery::default()).await?;
    page.secret = Some(Secret { text, onward: format!("{HERE}/{id}") });
    Ok(Page::new(page).into_response())
}

pub(super) async fn test(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| event::test(tx, &administrator.act, space, id).await).await?;
    Ok(done(&format!("{HERE}/{id}"), "test-sent"))
}

#[derive(Deserialize)]
pub(super) struct ReplayForm {
    since: String,
}

pub(super) async fn replay(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
    Form(form): Form<ReplayForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let Some(since) = time(&form.since) else {
        let mut page = look(&app, &administrator, id, &ListQuery::default()).await?;
        let reason = t!("events-no-time");
        page.since = page.since.value(form.since).error(Some(reason));
        page.wrong = Some(Wrong::whole(t!("events-nothing-sent")));
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    };
    app.db.write(async |tx| event::replay(tx, &administrator.act, space, id, since).await).await?;
    Ok(done(&format!("{HERE}/{id}?state=waiting"), "replayed"))
}

/// A time as people write it, in UTC unless it says otherwise.
fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    Some(civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().into())
}

pub(super) async fn redeliver(
    State(app): State<App>,
    administrator: Administrator,
    Path((id, event)): Path<(EndpointId, EventId)>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| event::redeliver(tx, &administrator.act, space, id, event).await)
        .await?;
    Ok(done(&format!("{HERE}/{id}"), "redelivered"))
}

pub(super) async fn delete(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<EndpointId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| event::delete(tx, &administrator.act, space, id).await).await?;
    Ok(done(HERE, "endpoint-deleted"))
}
