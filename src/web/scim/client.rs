//! Who may come in: a token of a space where SCIM is on.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::answer::Refusal;
use crate::{
    app::App,
    scim::{Error, ErrorKind},
    web::{RequestInfo, ScimClient},
};

impl ScimClient {
    /// The client of a request: 401 without a good token, 403 where SCIM is off (SCIM-02).
    pub(super) async fn enter(app: &App, parts: &mut Parts) -> Result<Self, Refusal> {
        let Some(info) = parts.extensions.get::<RequestInfo>() else {
            return Err(Error::new(ErrorKind::Internal, "The request came without its id").into());
        };
        let Some(client) = Self::find(app, info, &parts.headers).await? else {
            let detail = "Send a SCIM token of the space as Authorization: Bearer. The one that \
                          came, if any, is unknown, switched off or expired.";
            return Err(Error::new(ErrorKind::Unauthorized, detail).into());
        };
        if !client.space.scim_enabled {
            let detail = "SCIM is switched off in this space; an administrator can switch it on.";
            return Err(Error::new(ErrorKind::Forbidden, detail).into());
        }
        Ok(client)
    }
}

impl FromRequestParts<App> for ScimClient {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Self::enter(app, parts).await
    }
}
