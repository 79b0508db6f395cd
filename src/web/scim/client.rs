//! Who may come in: a token of a space where SCIM is on, not too often.

use std::sync::Arc;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header::AUTHORIZATION, request::Parts},
};

use super::{answer::Refusal, trace::Trace};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    credential::{Closed, Opened},
    scim::{Error, ErrorKind},
    web::{RequestInfo, ScimClient},
};

/// Somebody of the house who tries a request again: comes in without a token, and only with a
/// request that never came over a wire.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What they are doing.
    pub act: Act,
    /// The token that the request showed when it came.
    pub opened: Arc<Opened>,
}

impl ScimClient {
    /// The client of a request: 401 without a good token, 403 where SCIM is off (SCIM-02), 429
    /// when it comes too often (SCIM-22).
    pub(super) async fn enter(app: &App, parts: &mut Parts) -> Result<Self, Refusal> {
        let trace = parts.extensions.get::<Trace>().cloned().unwrap_or_default();
        if let Some(Rehearsal { act, opened }) = parts.extensions.get::<Rehearsal>().cloned() {
            trace.client(&opened);
            return Ok(Self { act, opened, trace });
        }
        let Some(info) = parts.extensions.get::<RequestInfo>() else {
            return Err(Error::new(ErrorKind::Internal, "The request came without its id").into());
        };
        let unknown = || {
            let detail = "Send a SCIM token of the space as Authorization: Bearer. The one that \
                          came, if any, is unknown, switched off or expired.";
            Error::new(ErrorKind::Unauthorized, detail)
        };
        let token = bearer(&parts.headers);
        let opened =
            app.gate.enter(&app.db, token, info.address).await.map_err(|closed| match closed {
                Closed::Stranger => unknown().into(),
                Closed::TooManyStrangers(seconds) => Refusal::too_many_strangers(seconds),
                Closed::Failed(error) => error.into(),
            })?;
        trace.client(&opened);
        if !opened.is_good(app.clock.now()) {
            app.gate.stranger(info.address).map_err(Refusal::too_many_strangers)?;
            return Err(unknown().into());
        }
        app.gate.count(opened.credential.id).map_err(Refusal::too_often)?;
        if !opened.space.scim_enabled {
            let detail = "SCIM is switched off in this space; an administrator can switch it on.";
            return Err(Error::new(ErrorKind::Forbidden, detail).into());
        }
        let actor = Actor {
            kind: ActorKind::ScimClient,
            id: opened.credential.id.to_string(),
            name: String::new(),
        };
        Ok(Self { act: info.act(app, actor), opened, trace })
    }
}

/// Somebody who asks for what is open to anyone, not too often (SCIM-22).
pub struct Stranger;

impl FromRequestParts<App> for Stranger {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let address = parts.extensions.get::<RequestInfo>().and_then(|info| info.address);
        app.gate.stranger(address).map_err(Refusal::too_many_strangers)?;
        Ok(Self)
    }
}

/// The token of a request, if it shows one.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

impl FromRequestParts<App> for ScimClient {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        Self::enter(app, parts).await
    }
}
