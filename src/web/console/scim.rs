//! SCIM settings: the switch, the address, the tokens.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section, Wrong, done},
};
use crate::{
    app::App,
    credential::{self, Credential},
    directory::{self, ChangedByHand},
    id::CredentialId,
    space,
    web::{Fault, page::Page, pages::PageError},
};

const HERE: &str = "/console/settings/scim";
const DAY: i64 = 86_400;

#[derive(Template)]
#[template(path = "console/scim.html")]
struct Scim {
    frame: Frame,
    enabled: bool,
    /// What a directory may overwrite or make again once it is on (SCIM-05).
    changed: ChangedByHand,
    base_url: String,
    credentials: Vec<TokenRow>,
    token: Option<String>,
    wrong: Option<Wrong>,
}

struct TokenRow {
    credential: Credential,
    days_left: i64,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let page = look(&app, &administrator, query.done.as_deref()).await?;
    Ok(Page::new(page).into_response())
}

async fn look(app: &App, who: &Administrator, done: Option<&str>) -> Result<Scim, PageError> {
    let space = who.space()?;
    let since = space.scim_switched_off_at.filter(|_| !space.scim_enabled);
    let (credentials, changed) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let credentials = credential::list(tx, space.id).await?;
            let changed = match since {
                Some(since) => directory::changed_by_hand_since(tx, space.id, since).await?,
                None => ChangedByHand::default(),
            };
            Ok((credentials, changed))
        })
        .await?;
    let rows = credentials
        .into_iter()
        .map(|credential| {
            let left = credential.expires_at.seconds_since(who.act.now);
            // A token that expires today has one day left, one that has expired has none.
            TokenRow { credential, days_left: (left + DAY - 1).div_euclid(DAY) }
        })
        .collect();
    Ok(Scim {
        frame: Frame::new(who, Section::Scim, done),
        enabled: space.scim_enabled,
        changed,
        base_url: app.settings.url("/scim/v2"),
        credentials: rows,
        token: None,
        wrong: None,
    })
}

pub(super) async fn switch(
    State(app): State<App>,
    administrator: Administrator,
    Path(to): Path<String>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (enabled, code) = super::switch_to(&to)?;
    app.db
        .write(async |tx| space::set_scim_enabled(tx, &administrator.act, space, enabled).await)
        .await?;
    Ok(done(HERE, code))
}

#[derive(Deserialize)]
pub(super) struct TokenForm {
    days: i64,
}

/// Makes a token. The answer is the page itself and no redirect: the token is shown this once, and
/// stands in no address and no session.
pub(super) async fn create_token(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<TokenForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let lifetime = form.days.saturating_mul(DAY);
    let made = app
        .db
        .write(async |tx| credential::create(tx, &administrator.act, space, Some(lifetime)).await)
        .await;
    let mut page = look(&app, &administrator, None).await?;
    match made {
        Ok((_, token)) => {
            page.token = Some(token.expose_secret().to_owned());
            Ok(Page::new(page).into_response())
        }
        Err(error) => {
            page.wrong = Some(Wrong::of(error.into())?);
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

pub(super) async fn enable_token(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, true, "token-enabled").await
}

pub(super) async fn disable_token(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, false, "token-disabled").await
}

async fn set_enabled(
    State(app): State<App>,
    administrator: Administrator,
    id: CredentialId,
    enabled: bool,
    code: &'static str,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| credential::set_enabled(tx, &administrator.act, space, id, enabled).await)
        .await?;
    Ok(done(HERE, code))
}

pub(super) async fn delete_token(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| credential::delete(tx, &administrator.act, space, id).await).await?;
    Ok(done(HERE, "token-deleted"))
}
