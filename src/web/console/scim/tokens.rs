//! The tokens of a space.

use axum::{
    Form,
    extract::{Path, State},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{HERE, look};
use crate::{
    app::App,
    credential::{self, Credential},
    id::CredentialId,
    store::Timestamp,
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Wrong, done},
        },
        page::Page,
        pages::{PageError, Problem},
    },
};

const DAY: i64 = 86_400;
/// Days before its end from which a token is warned of (SSO-19).
const SOON: i64 = 60;
/// Days before its end from which that is urgent.
const URGENT: i64 = 7;

/// A token in the list.
pub(super) struct TokenRow {
    pub credential: Credential,
    days_left: i64,
}

impl TokenRow {
    pub fn new(credential: Credential, now: Timestamp) -> Self {
        let left = credential.expires_at.seconds_since(now);
        // A token that expires today has one day left, one that has expired has none.
        Self { credential, days_left: (left + DAY - 1).div_euclid(DAY) }
    }

    pub fn expired(&self) -> bool {
        self.days_left <= 0
    }

    /// How long it lives still, in words.
    pub fn left(&self) -> String {
        match self.days_left {
            ..=0 => t!("expired"),
            1 => t!("less-than-a-day"),
            days => t!("days-left", days = days),
        }
    }

    /// Whether somebody should be warned: it is in use and ends soon, or has ended.
    pub fn ends_soon(&self) -> bool {
        self.credential.enabled && self.days_left <= SOON
    }

    /// Whether there is hardly time left.
    pub fn is_urgent(&self) -> bool {
        self.ends_soon() && self.days_left <= URGENT
    }
}

/// A token that is shown this once.
pub(super) struct Fresh {
    pub id: CredentialId,
    pub text: SecretString,
}

#[derive(Deserialize)]
pub(super) struct TokenForm {
    days: i64,
}

/// Makes a token. The answer is the page itself and no redirect: the token is shown this once, and
/// stands in no address and no session.
pub(super) async fn create(
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
        Ok((credential, text)) => {
            page.token = Some(Fresh { id: credential.id, text });
            Ok(Page::new(page).into_response())
        }
        Err(error) => {
            page.wrong = Some(Wrong::of(error.into())?);
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[derive(Deserialize)]
pub(super) struct DownloadForm {
    token: SecretString,
}

/// The token that the page just showed, as a CSV file (SCIM-07). Of a token only a hash is kept, so
/// the page sends it along, and only the token with this id is sent back.
pub(super) async fn download(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
    Form(form): Form<DownloadForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let token = form.token.expose_secret();
    let failed = |_| Fault::Internal("a token cannot be looked up");
    let opened = app.gate.find(&app.db, token).await.map_err(failed)?;
    let Some(opened) =
        opened.filter(|opened| opened.credential.id == id && opened.credential.space_id == space)
    else {
        return Err(Problem::not_found(t!("scim-no-such-token")).into());
    };
    let expires = crate::web::page::machine_time(&opened.credential.expires_at);
    let base = app.settings.url("/scim/v2");
    // A URL may hold a comma but no quote; ids, tokens and times hold neither.
    let csv =
        format!("base_url,token_id,token,expires_at\r\n\"{base}\",{id},{token},{expires}\r\n");
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.csv\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    Ok((headers, csv).into_response())
}

pub(super) async fn enable(
    state: State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
) -> Result<Response, PageError> {
    set_enabled(state, administrator, id, true, "token-enabled").await
}

pub(super) async fn disable(
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

pub(super) async fn delete(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<CredentialId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| credential::delete(tx, &administrator.act, space, id).await).await?;
    Ok(done(HERE, "token-deleted"))
}
