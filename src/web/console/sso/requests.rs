//! How requests to the identity provider are made: the form of it.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    super::{
        Administrator,
        conflict::{Entry, Unsaved, Version, conflict, unchanged},
        frame::{Frame, ListQuery, Section, Wrong, done},
    },
    HERE, place,
};
use crate::web::messages::Message;
use crate::{
    app::App,
    space,
    sso::{self, NameIdPolicy, RequestSettings},
    web::{
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

#[derive(Template)]
#[template(path = "console/sso_requests.html")]
struct RequestsPage {
    frame: Frame,
    settings: RequestSettings,
    takes_posts: bool,
    takes_redirects: bool,
    name_ids: Vec<NameIdRow>,
    contexts: Field,
    mark: String,
    wrong: Option<Wrong>,
}

fn version(settings: &RequestSettings) -> Version {
    let name_id = settings.name_id;
    Version(vec![
        Entry::tick("sign", key!("sso-sign-requests"), settings.sign),
        Entry::tick("by_post", key!("sso-send-post"), settings.by_post),
        Entry::tick("force_authn", key!("sso-force"), settings.force_authn),
        Entry::choice("name_id", key!("sso-name-id"), name_id.as_str(), words(name_id).to_string()),
        Entry::text("authn_contexts", key!("sso-contexts"), settings.authn_contexts.join("\n")),
    ])
}

struct NameIdRow {
    value: &'static str,
    label: Message,
    on: bool,
}

fn words(policy: NameIdPolicy) -> Message {
    match policy {
        NameIdPolicy::Unspecified => key!("name-id-unspecified"),
        NameIdPolicy::Email => key!("name-id-email"),
        NameIdPolicy::Persistent => key!("name-id-persistent"),
        NameIdPolicy::Unsaid => key!("name-id-unsaid"),
    }
}

/// What the form sends.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::web::console) struct RequestsForm {
    #[serde(default)]
    sign: bool,
    #[serde(default)]
    by_post: bool,
    #[serde(default)]
    force_authn: bool,
    name_id: NameIdPolicy,
    #[serde(default)]
    authn_contexts: String,
    #[serde(default)]
    mark: String,
}

impl RequestsForm {
    fn settings(&self) -> RequestSettings {
        RequestSettings {
            sign: self.sign,
            by_post: self.by_post,
            force_authn: self.force_authn,
            name_id: self.name_id,
            authn_contexts: self.authn_contexts.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let page = look(&app, &administrator, query.done.as_deref(), None, None).await?;
    Ok(Page::new(page).into_response())
}

async fn look(
    app: &App,
    who: &Administrator,
    said: Option<&str>,
    entered: Option<(RequestSettings, String)>,
    wrong: Option<Wrong>,
) -> Result<RequestsPage, PageError> {
    let space = who.space()?.id;
    let provider = app.db.read(async |tx| sso::identity_provider(tx, space).await).await?;
    let provider = provider.ok_or_else(|| Problem::not_found(t!("sso-no-provider-yet")))?;
    let (settings, mark) =
        entered.unwrap_or_else(|| (provider.requests.clone(), version(&provider.requests).mark()));
    let name_ids = NameIdPolicy::ALL.iter().map(|policy| NameIdRow {
        value: policy.as_str(),
        label: words(*policy),
        on: settings.name_id == *policy,
    });
    let contexts = Field::long_text("authn_contexts", key!("sso-contexts"))
        .optional()
        .longest(6000)
        .hint(key!("sso-contexts-hint"))
        .value(settings.authn_contexts.join("\n"))
        .error(Wrong::at(wrong.as_ref(), "authn_contexts"));
    Ok(RequestsPage {
        frame: Frame::new(who, Section::SingleSignOn, said),
        takes_posts: !provider.post_url.is_empty(),
        takes_redirects: !provider.login_url.is_empty(),
        name_ids: name_ids.collect(),
        contexts,
        settings,
        mark,
        wrong,
    })
}

pub(in crate::web::console) async fn save(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<RequestsForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let settings = form.settings();
    let saved = app
        .db
        .write(async |tx| -> Result<(), Unsaved<sso::Error>> {
            space::lock(tx, space).await?;
            if let Some(now) = sso::identity_provider(tx, space).await? {
                unchanged(&form.mark, version(&now.requests))?;
            }
            let act = &administrator.act;
            sso::set_requests(tx, act, space, &settings).await.map_err(Unsaved::Room)
        })
        .await;
    match saved {
        Ok(()) => Ok(done(HERE, "settings-saved")),
        Err(Unsaved::Meanwhile(now)) => {
            let frame = Frame::new(&administrator, Section::SingleSignOn, None);
            let place = place(key!("sso-requests-title"), "requests");
            Ok(conflict(frame, place, &now, version(&settings)))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Wrong::of(error.into())?;
            let entered = Some((settings, form.mark));
            let page = look(&app, &administrator, None, entered, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
