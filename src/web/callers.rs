//! Who calls: a handler that takes one of these cannot be reached by anybody else.

use std::sync::Arc;

use axum::{
    extract::{FromRef, FromRequestParts, Path},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::{Session, SessionStore, session::Id};

use super::{Fault, RequestInfo, scim::Trace};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    credential::Opened,
    directory::{self, User},
    id::{IdpSessionId, SpaceId, UserId},
    space::{self, Space},
    store::{Door, IDP_SESSION, SUBJECT, Sessions, Timestamp},
};

/// Somebody unknown.
#[derive(Clone, Debug)]
pub struct Anyone {
    /// What they are doing.
    pub act: Act,
}

impl<S> FromRequestParts<S> for Anyone
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        Ok(Self { act: info(parts)?.act(&app, Actor::anyone()) })
    }
}

/// A user signed in at the portal of the space that the path names.
#[derive(Clone, Debug)]
pub struct PortalUser {
    /// What they are doing.
    pub act: Act,
    /// The space.
    pub space: Space,
    /// The user; enabled at this very moment.
    pub user: User,
    /// When the session ends.
    pub session_ends_at: Timestamp,
}

/// What a portal session holds besides its subject.
pub const SESSION_ENDS_AT: &str = "ends_at";

impl PortalUser {
    /// The user of this session in this space, if there is one who may be here now.
    pub async fn find(
        app: &App,
        info: &RequestInfo,
        session: &Session,
        space_name: &str,
    ) -> Result<Option<Self>, Fault> {
        let Some(user_id) = session.get::<i64>(SUBJECT).await? else { return Ok(None) };
        let Some(ends_at) = session.get::<i64>(SESSION_ENDS_AT).await? else { return Ok(None) };
        let session_ends_at = Timestamp::from_second(ends_at);
        let found: Option<(Space, User)> = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let Some(space) = space::space_by_name(tx, space_name).await? else {
                    return Ok(None);
                };
                let user = directory::user(tx, space.id, UserId(user_id)).await?;
                Ok(user.map(|user| (space, user)))
            })
            .await?;
        let Some((space, user)) = found else { return Ok(None) };
        Ok(Self::now(app, info, space, user, session_ends_at))
    }

    /// The user, if they may be here now.
    fn now(
        app: &App,
        info: &RequestInfo,
        space: Space,
        user: User,
        session_ends_at: Timestamp,
    ) -> Option<Self> {
        if !user.enabled() || session_ends_at <= app.clock.now() {
            return None;
        }
        let actor =
            Actor { kind: ActorKind::User, id: user.id.to_string(), name: user.user_name.clone() };
        Some(Self { act: info.act(app, actor), space, user, session_ends_at })
    }
}

/// What the token of a command line begins with, so that people and secret scanners know one.
const COMMAND_LINE_PREFIX: &str = "iccli_";

/// What the session of a command line holds besides what a portal session does.
const SPACE: &str = "space";

/// A command line that a user of the portal lets act as them.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// The user; enabled at this very moment.
    pub user: PortalUser,
    /// The identity provider's session that it comes from.
    pub idp_session: IdpSessionId,
}

impl CommandLine {
    /// What the session of one holds.
    pub fn session(
        space: SpaceId,
        user: UserId,
        idp_session: IdpSessionId,
        ends_at: Timestamp,
    ) -> serde_json::Value {
        serde_json::json!({
            SUBJECT: user.0,
            IDP_SESSION: idp_session.0,
            SESSION_ENDS_AT: ends_at.as_second(),
            SPACE: space.0,
        })
    }

    /// The token for the session of this id.
    pub fn token(id: Id) -> String {
        format!("{COMMAND_LINE_PREFIX}{id}")
    }

    /// Whose token this is, if it is one that counts now.
    pub async fn find(app: &App, info: &RequestInfo, token: &str) -> Result<Option<Self>, Fault> {
        let id = token.strip_prefix(COMMAND_LINE_PREFIX).and_then(|id| id.parse::<Id>().ok());
        let Some(id) = id else { return Ok(None) };
        let sessions = Sessions::new(app.db.clone(), app.clock.clone(), Door::CommandLine);
        let found = sessions.load(&id).await.map_err(tower_sessions::session::Error::from)?;
        let Some(record) = found else { return Ok(None) };
        let number = |key: &str| record.data.get(key).and_then(serde_json::Value::as_i64);
        let held = (number(SPACE), number(SUBJECT), number(IDP_SESSION), number(SESSION_ENDS_AT));
        let (Some(space), Some(user), Some(idp_session), Some(ends_at)) = held else {
            return Ok(None);
        };
        let space = SpaceId(space);
        let found = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let Some(user) = directory::user(tx, space, UserId(user)).await? else {
                    return Ok(None);
                };
                Ok(space::space(tx, space).await?.map(|space| (space, user)))
            })
            .await?;
        let Some((space, user)) = found else { return Ok(None) };
        let ends_at = Timestamp::from_second(ends_at);
        let user = PortalUser::now(app, info, space, user, ends_at);
        Ok(user.map(|user| Self { user, idp_session: IdpSessionId(idp_session) }))
    }
}

/// A user signed in at the portal of the space that the path names, or their command line.
#[derive(Clone, Debug)]
pub struct PortalReader(pub PortalUser);

impl<S> FromRequestParts<S> for PortalReader
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let Some(header) = parts.headers.get(AUTHORIZATION).cloned() else {
            return Ok(Self(PortalUser::from_request_parts(parts, state).await?));
        };
        let name = space_name(parts, state).await?;
        // Who shows a token is nobody else, whatever cookie comes with it.
        let token = header.to_str().ok().and_then(|text| text.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let found = match token {
            Some((_, token)) => CommandLine::find(&app, &info(parts)?, token.trim()).await,
            None => Ok(None),
        };
        match found {
            Ok(Some(found)) if found.user.space.name == name => Ok(Self(found.user)),
            Ok(_) => Err(refuse_portal(parts, &name)),
            Err(fault) => Err(fault.into_response()),
        }
    }
}

/// The name of the space in the path.
async fn space_name<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Response> {
    let Path(mut names) =
        Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
    Ok(names.remove("space").unwrap_or_default())
}

/// Pages lead to the sign-in page; the JSON of the portal says 401.
impl<S> FromRequestParts<S> for PortalUser
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let info = info(parts)?;
        let name = space_name(parts, state).await?;
        let session =
            Session::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        match Self::find(&app, &info, &session, &name).await {
            Ok(Some(user)) => Ok(user),
            Ok(None) => Err(refuse_portal(parts, &name)),
            Err(fault) => Err(fault.into_response()),
        }
    }
}

fn refuse_portal(parts: &Parts, space: &str) -> Response {
    if parts.uri.path().contains("/api/") {
        let body = serde_json::json!({ "error": "not_signed_in" });
        return (StatusCode::UNAUTHORIZED, axum::Json(body)).into_response();
    }
    // The name came out of our own path; encode it all the same.
    let name = percent_encoding::utf8_percent_encode(space, percent_encoding::NON_ALPHANUMERIC);
    Redirect::to(&format!("/portal/{name}/login")).into_response()
}

/// A directory, with a SCIM token that opens a space. How it comes in is the door's business
/// (`web/scim/client.rs`).
#[derive(Clone, Debug)]
pub struct ScimClient {
    /// What it is doing.
    pub act: Act,
    /// Its token, and the space that opens.
    pub opened: Arc<Opened>,
    /// What is recorded about its request.
    pub trace: Trace,
}

impl ScimClient {
    /// The space its token opens.
    pub fn space(&self) -> &Space {
        &self.opened.space
    }
}

/// The request's id and address, which the middleware left.
#[expect(clippy::result_large_err, reason = "the error is the answer, as extractors have it")]
pub fn info(parts: &Parts) -> Result<RequestInfo, Response> {
    parts
        .extensions
        .get::<RequestInfo>()
        .cloned()
        .ok_or_else(|| Fault::Internal("a request came without its id").into_response())
}
