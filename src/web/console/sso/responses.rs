//! What is asked of the answers of the identity provider: the form of it.

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
use crate::{
    app::App,
    space,
    sso::{self, ResponseSettings},
    web::{
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

#[derive(Template)]
#[template(path = "console/sso_responses.html")]
struct ResponsesPage {
    frame: Frame,
    allow_unsolicited: bool,
    attribute: Field,
    mark: String,
    wrong: Option<Wrong>,
}

fn version(settings: &ResponseSettings) -> Version {
    let attribute = settings.identity_attribute.as_deref().unwrap_or_default();
    Version(vec![
        Entry::text("identity_attribute", key!("sso-attribute"), attribute),
        Entry::tick("allow_unsolicited", key!("sso-unsolicited"), settings.allow_unsolicited),
    ])
}

/// What the form sends.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::web::console) struct ResponsesForm {
    #[serde(default)]
    identity_attribute: String,
    #[serde(default)]
    allow_unsolicited: bool,
    #[serde(default)]
    mark: String,
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
    entered: Option<(ResponseSettings, String)>,
    wrong: Option<Wrong>,
) -> Result<ResponsesPage, PageError> {
    let space = who.space()?.id;
    let provider = app.db.read(async |tx| sso::identity_provider(tx, space).await).await?;
    let provider = provider.ok_or_else(|| Problem::not_found(t!("sso-no-provider-yet")))?;
    let (settings, mark) = entered.unwrap_or_else(|| {
        let mark = version(&provider.responses).mark();
        (provider.responses, mark)
    });
    let attribute = Field::text("identity_attribute", key!("sso-attribute"))
        .optional()
        .longest(256)
        .hint(key!("sso-attribute-hint"))
        .value(settings.identity_attribute.unwrap_or_default())
        .error(Wrong::at(wrong.as_ref(), "identity_attribute"));
    Ok(ResponsesPage {
        frame: Frame::new(who, Section::SingleSignOn, said),
        allow_unsolicited: settings.allow_unsolicited,
        attribute,
        mark,
        wrong,
    })
}

pub(in crate::web::console) async fn save(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<ResponsesForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let attribute = form.identity_attribute.trim();
    let settings = ResponseSettings {
        identity_attribute: (!attribute.is_empty()).then(|| attribute.to_owned()),
        allow_unsolicited: form.allow_unsolicited,
    };
    let saved = app
        .db
        .write(async |tx| -> Result<(), Unsaved<sso::Error>> {
            space::lock(tx, space).await?;
            if let Some(now) = sso::identity_provider(tx, space).await? {
                unchanged(&form.mark, version(&now.responses))?;
            }
            let act = &administrator.act;
            sso::set_responses(tx, act, space, &settings).await.map_err(Unsaved::Room)
        })
        .await;
    match saved {
        Ok(()) => Ok(done(HERE, "settings-saved")),
        Err(Unsaved::Meanwhile(now)) => {
            let frame = Frame::new(&administrator, Section::SingleSignOn, None);
            let place = place(key!("sso-responses-title"), "responses");
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
