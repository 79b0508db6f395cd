//! The overview: opening the space, and what a glance at it should tell.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    chart::Chart,
    expiring,
    frame::{Frame, ListQuery, Section, Wrong, done},
    scim::Standing,
    words::Ending,
};
use crate::{
    app::App,
    cloud,
    expiry::Kind,
    id::SpaceId,
    overview::{self, Attention, Directories, Statistics},
    space::{self, Space},
    store::Timestamp,
    web::{
        Fault,
        messages::Message,
        page::{Field, Page},
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "console/overview.html")]
struct Overview {
    frame: Frame,
    open: Option<OpenSpace>,
    name: Field,
    verdict: Option<Verdict>,
    wrong: Option<Wrong>,
}

/// A space that is open.
struct OpenSpace {
    id: SpaceId,
    name: String,
    login_url: String,
    scim_url: String,
    sso_enabled: bool,
    scim_enabled: bool,
    brake: Standing,
    endings: Vec<Ending>,
    /// Days until the first certificate of the identity provider ends; none where there is none.
    certificate_days: Option<i64>,
    attention: Attention,
    directories: Directories,
    chart: Chart,
    created_at: Timestamp,
    figures: [Figure; 6],
    steps: [Step; 5],
}

impl OpenSpace {
    fn has_steps(&self) -> bool {
        self.steps.iter().any(|step| !step.done)
    }
}

/// A number, and how many there may be.
struct Figure {
    label: Message,
    count: i64,
    limit: Option<i64>,
    href: &'static str,
}

struct Step {
    label: Message,
    href: &'static str,
    done: bool,
}

/// What the overview's address may say besides: a name that is to be looked at before it is taken.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Wanted {
    name: Option<String>,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let frame = Frame::new(&administrator, Section::Overview, query.done.as_deref());
    let open = match &administrator.space {
        Some(space) => Some(look(&app, &administrator, space).await?),
        None => None,
    };
    let verdict = match (&wanted.name, &open) {
        (Some(name), None) => Some(Verdict::of(&app, name).await?),
        (_, _) => None,
    };
    let name = name_field(wanted.name.as_deref().unwrap_or_default());
    Ok(Page::new(Overview { frame, open, name, verdict, wrong: None }).into_response())
}

/// Whether a space may be called so.
#[derive(Template)]
#[template(path = "console/space_name.html")]
struct Verdict {
    name: String,
    /// What speaks against the name.
    wrong: Option<String>,
}

impl Verdict {
    async fn of(app: &App, name: &str) -> Result<Self, PageError> {
        let name = name.trim().to_owned();
        let looked = app.db.read(async |tx| space::check_name_is_free(tx, &name).await).await;
        let wrong = match looked {
            Ok(()) => None,
            Err(error) => Some(Wrong::of(error.into())?.message),
        };
        Ok(Self { name, wrong })
    }
}

/// The verdict on its own, for whoever is typing.
pub(super) async fn name(
    State(app): State<App>,
    _: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let name = wanted.name.unwrap_or_default();
    Ok(Page::new(Verdict::of(&app, &name).await?).into_response())
}

async fn look(app: &App, who: &Administrator, space: &Space) -> Result<OpenSpace, Fault> {
    let now = who.act.now;
    let (counted, attention, directories, brake) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            Ok((
                overview::statistics(tx, who.organization.id, space.id).await?,
                overview::attention(tx, space.id, now).await?,
                overview::directories(tx, space.id, now).await?,
                Standing::of(tx, space, now).await?,
            ))
        })
        .await?;
    let ends = expiring::ends(app, space.id).await?;
    let certificates = ends.iter().filter(|end| end.kind == Kind::IdpCertificate);
    Ok(OpenSpace {
        id: space.id,
        name: space.name.clone(),
        login_url: app.settings.url(&format!("/portal/{}/login", space.name)),
        scim_url: app.settings.url("/scim/v2"),
        sso_enabled: space.sso_enabled,
        scim_enabled: space.scim_enabled,
        brake,
        certificate_days: certificates.map(|end| end.days_left(now)).min(),
        endings: Ending::near(ends, now),
        attention,
        chart: Chart::of(&directories.days),
        directories,
        created_at: space.created_at,
        figures: figures(app, &counted),
        steps: steps(space, &counted),
    })
}

fn figures(app: &App, counted: &Statistics) -> [Figure; 6] {
    let limits = app.settings.limits;
    let figure = |label, count, limit, href| Figure { label, count, limit, href };
    let configurations = "/console/configurations";
    [
        figure(key!("users-title"), counted.users, Some(limits.users), "/console/users"),
        figure(key!("groups-title"), counted.groups, Some(limits.groups), "/console/groups"),
        figure(
            key!("configurations-title"),
            counted.configurations,
            Some(limits.configurations),
            configurations,
        ),
        figure(key!("overview-accounts"), counted.accounts, None, "/console/authorization"),
        figure(key!("overview-role-syncs"), counted.role_syncs, None, configurations),
        figure(key!("overview-user-syncs"), counted.user_syncs, None, "/console/authorization"),
    ]
}

fn steps(space: &Space, counted: &Statistics) -> [Step; 5] {
    let step = |label, href, done| Step { label, href, done };
    [
        step(key!("step-sso"), "/console/settings/sso", space.sso_enabled),
        step(key!("step-scim"), "/console/settings/scim", space.scim_enabled),
        step(key!("step-users"), "/console/users", counted.users > 0),
        step(key!("step-configuration"), "/console/configurations", counted.configurations > 0),
        step(key!("step-assign"), "/console/authorization", counted.assignments > 0),
    ]
}

fn name_field(value: &str) -> Field {
    Field::text("name", key!("space-name")).longest(64).hint(key!("space-name-hint")).value(value)
}

#[derive(Deserialize)]
pub(super) struct OpenForm {
    name: String,
}

/// Opens the space (ACT-01…08). The keys are made before the transaction begins.
pub(super) async fn open(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<OpenForm>,
) -> Result<Response, PageError> {
    let who = &administrator;
    match activate(&app, who, form.name.trim()).await {
        Ok(_) => Ok(done("/console", "space-opened")),
        Err(fault) => {
            let wrong = Wrong::of(fault)?;
            let page = Overview {
                frame: Frame::new(who, Section::Overview, None),
                open: None,
                name: name_field(&form.name).error(Wrong::at(Some(&wrong), "name")),
                verdict: None,
                wrong: Some(wrong),
            };
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn activate(app: &App, who: &Administrator, name: &str) -> Result<Space, Fault> {
    space::check_name(name)?;
    let keys = cloud::space_keys(name.to_owned(), who.act.now).await?;
    let opened = app
        .db
        .write(async |tx| {
            cloud::activate(tx, &who.act, &app.sealer, &who.account, name, keys).await
        })
        .await?;
    Ok(opened)
}
