//! A command line that acts as a user of the portal: by a token, not by a cookie.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::{header::AUTHORIZATION, request::Parts},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tower_sessions::{SessionStore, session::Id};

use super::{
    Fault, PortalUser, RequestInfo, SESSION_ENDS_AT,
    callers::{Shut, refuse_portal, space_name},
    info,
};
use crate::{
    app::App,
    directory,
    id::{IdpSessionId, SpaceId, UserId},
    space,
    store::{Door, IDP_SESSION, SUBJECT, Sessions, Timestamp},
};

/// What a token begins with, so that people and secret scanners know one.
const TOKEN_PREFIX: &str = "iccli_";

/// What its session holds besides what a portal session does.
const SPACE: &str = "space";

/// A command line that a user of the portal lets act as them.
#[derive(Clone, Debug)]
pub struct CommandLine {
    /// The user; enabled at this very moment.
    pub user: PortalUser,
}

impl CommandLine {
    /// What its session holds.
    pub fn session(
        space: SpaceId,
        user: UserId,
        idp_session: IdpSessionId,
        ends_at: Timestamp,
    ) -> Value {
        json!({
            SUBJECT: user.0,
            IDP_SESSION: idp_session.0,
            SESSION_ENDS_AT: ends_at.as_second(),
            SPACE: space.0,
        })
    }

    /// The token for the session of this id.
    pub fn token(id: Id) -> String {
        format!("{TOKEN_PREFIX}{id}")
    }

    /// Whose token this is, if it is one that counts now and from where it is shown (SET-10).
    pub async fn find(app: &App, info: &RequestInfo, token: &str) -> Result<Option<Self>, Fault> {
        let id = token.strip_prefix(TOKEN_PREFIX).and_then(|id| id.parse::<Id>().ok());
        let Some(id) = id else { return Ok(None) };
        let sessions = Sessions::new(app.db.clone(), app.clock.clone(), Door::CommandLine);
        let found = sessions.load(&id).await.map_err(tower_sessions::session::Error::from)?;
        let Some(record) = found else { return Ok(None) };
        let number = |key: &str| record.data.get(key).and_then(Value::as_i64);
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
        let open = found.filter(|(space, _)| space.sign_in_networks.0.admit(info.address));
        let Some((space, user)) = open else { return Ok(None) };
        let ends_at = Timestamp::from_second(ends_at);
        let came_from = IdpSessionId(idp_session);
        let user = PortalUser::now(app, info, space, user, (came_from, ends_at));
        Ok(user.map(|user| Self { user }))
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
            Ok(_) => Err(refuse_portal(parts, &name, Shut::NotSignedIn)),
            Err(fault) => Err(fault.into_response()),
        }
    }
}
