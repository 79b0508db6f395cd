//! Who calls: a handler that takes one of these cannot be reached by anybody else.

use std::sync::Arc;

use axum::{
    extract::{FromRef, FromRequestParts, Path},
    http::{Method, StatusCode, request::Parts, uri::PathAndQuery},
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::Session;

use super::{
    Fault, RequestInfo,
    cookies::SpaceOfPath,
    entrance::{Entrance, closed, moved_to},
    portal::encoded,
    scim::Trace,
};
use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    credential::Opened,
    directory::{self, User},
    id::{IdpSessionId, UserId},
    space::Space,
    sso,
    store::{IDP_SESSION, SUBJECT, Timestamp},
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
    /// The session's public name: the session at the identity provider that it came from.
    pub came_from: IdpSessionId,
}

/// What a portal session holds besides its subject.
pub const SESSION_ENDS_AT: &str = "ends_at";

impl PortalUser {
    /// The user of this session in this space, if there is one who may be here now, from where
    /// they are.
    async fn find(
        app: &App,
        info: &RequestInfo,
        session: &Session,
        space_name: &str,
        known: Option<&SpaceOfPath>,
    ) -> Result<Result<Self, Shut>, Fault> {
        let user_id = session.get::<i64>(SUBJECT).await?;
        let ends_at = session.get::<i64>(SESSION_ENDS_AT).await?;
        let (entrance, user) = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let entrance = match known {
                    Some(SpaceOfPath(space)) => Entrance::to((**space).clone(), info.address),
                    None => Entrance::find(tx, space_name, info.address).await?,
                };
                let user = match (&entrance, user_id) {
                    (Entrance::Open(space), Some(id)) => {
                        directory::user(tx, space.id, UserId(id)).await?
                    }
                    _ => None,
                };
                Ok((entrance, user))
            })
            .await?;
        let space = match entrance {
            Entrance::Open(space) => *space,
            Entrance::Closed => return Ok(Err(Shut::OutsideNetworks)),
            Entrance::Moved(name) => return Ok(Err(Shut::Moved(name))),
            Entrance::Nothing => return Ok(Err(Shut::NotSignedIn)),
        };
        let came_from = session.get::<i64>(IDP_SESSION).await?.map(IdpSessionId);
        let (Some(user), Some(ends_at), Some(came_from)) = (user, ends_at, came_from) else {
            return Ok(Err(Shut::NotSignedIn));
        };
        let ends_at = Timestamp::from_second(ends_at);
        Ok(Self::now(app, info, space, user, (came_from, ends_at)).ok_or(Shut::NotSignedIn))
    }

    /// The user, if they may be here now. What they do hangs together under the public name of
    /// their portal session (CON-04).
    pub(super) fn now(
        app: &App,
        info: &RequestInfo,
        space: Space,
        user: User,
        (came_from, session_ends_at): (IdpSessionId, Timestamp),
    ) -> Option<Self> {
        if !user.enabled() || session_ends_at <= app.clock.now() {
            return None;
        }
        let actor =
            Actor { kind: ActorKind::User, id: user.id.to_string(), name: user.user_name.clone() };
        let act = info.act(app, actor).within(came_from);
        Some(Self { act, space, user, session_ends_at, came_from })
    }
}

/// Why somebody is not let into a portal.
pub(super) enum Shut {
    /// Nobody is signed in, or not any more.
    NotSignedIn,
    /// Their address is outside the networks that the portal is open to (SET-10).
    OutsideNetworks,
    /// The space has another name now (ACT-06).
    Moved(String),
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
        let known = parts.extensions.get::<SpaceOfPath>();
        match Self::find(&app, &info, &session, &name, known).await {
            Ok(Ok(user)) => Ok(user),
            Ok(Err(shut)) => Err(refuse_portal(parts, &name, shut)),
            Err(fault) => Err(fault.into_response()),
        }
    }
}

/// The name of the space in the path.
pub(super) async fn space_name<S: Send + Sync>(
    parts: &mut Parts,
    state: &S,
) -> Result<String, Response> {
    let Path(mut names) =
        Path::<std::collections::HashMap<String, String>>::from_request_parts(parts, state)
            .await
            .map_err(IntoResponse::into_response)?;
    Ok(names.remove("space").unwrap_or_default())
}

pub(super) fn refuse_portal(parts: &Parts, space: &str, shut: Shut) -> Response {
    let wants_json = parts.uri.path().contains("/api/");
    let say = |status, word| (status, axum::Json(serde_json::json!({ "error": word })));
    match shut {
        Shut::Moved(name) => {
            return Redirect::temporary(&moved_to(&parts.uri, &name)).into_response();
        }
        Shut::OutsideNetworks if wants_json => {
            return say(StatusCode::FORBIDDEN, "address_not_allowed").into_response();
        }
        Shut::OutsideNetworks => return closed().into_response(),
        Shut::NotSignedIn if wants_json => {
            return say(StatusCode::UNAUTHORIZED, "not_signed_in").into_response();
        }
        Shut::NotSignedIn => {}
    }
    // The name came out of our own path; encode it all the same.
    let login = format!("/portal/{}/login", encoded(space));
    // Whoever wanted to look at something comes back to it.
    let wanted = parts.uri.path_and_query().map(PathAndQuery::as_str).unwrap_or_default();
    let back = sso::return_path(space, Some(wanted));
    let deeper = back.strip_prefix("/portal/").is_some_and(|rest| rest.contains('/'));
    if parts.method == Method::GET && deeper {
        return Redirect::to(&format!("{login}?return_to={}", encoded(&back))).into_response();
    }
    Redirect::to(&login).into_response()
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
