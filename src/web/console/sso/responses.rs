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
        frame::{Frame, ListQuery, Section, Wrong, done},
    },
    HERE,
};
use crate::{
    app::App,
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
    wrong: Option<Wrong>,
}

/// What the form sends.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::web::console) struct ResponsesForm {
    #[serde(default)]
    identity_attribute: String,
    #[serde(default)]
    allow_unsolicited: bool,
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
    entered: Option<ResponseSettings>,
    wrong: Option<Wrong>,
) -> Result<ResponsesPage, PageError> {
    let space = who.space()?.id;
    let provider = app.db.read(async |tx| sso::identity_provider(tx, space).await).await?;
    let provider = provider.ok_or_else(|| Problem::not_found(t!("sso-no-provider-yet")))?;
    let settings = entered.unwrap_or(provider.responses);
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
        .write(async |tx| sso::set_responses(tx, &administrator.act, space, &settings).await)
        .await;
    match saved {
        Ok(()) => Ok(done(HERE, "settings-saved")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = look(&app, &administrator, None, Some(settings), Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
