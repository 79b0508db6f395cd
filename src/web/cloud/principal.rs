//! Who is in an account: the extractor, and how somebody comes to be in one.

use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use tower_sessions::{Expiry, Session};

use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    cloud::{self, CamPrincipal},
    id::{RoleSessionId, Uin},
    store::SUBJECT,
    web::{Fault, RequestInfo, info},
};

/// The key under which a session says what its subject is.
const KIND: &str = "kind";
const ROLE: &str = "role";
const USER: &str = "user";
/// The key under which a session says when it ends, in seconds since 1970.
const ENDS_AT: &str = "ends_at";

/// Somebody who is in an account at this very moment: a live role session, or a CAM user who is
/// not shut out.
#[derive(Clone, Debug)]
pub struct CloudVisitor {
    /// What they are doing.
    pub act: Act,
    /// Who.
    pub principal: CamPrincipal,
}

impl CloudVisitor {
    /// Gives the browser a fresh session for whoever has just been let in.
    pub async fn remember(
        app: &App,
        session: &Session,
        principal: &CamPrincipal,
    ) -> Result<(), Fault> {
        let now = app.clock.now();
        let (kind, subject, ends_at) = match principal {
            CamPrincipal::Role(role) => (ROLE, role.id.0, role.expires_at),
            CamPrincipal::Federated(_) => {
                return Err(Fault::Internal("a federated user has no way into the console"));
            }
            CamPrincipal::User(user) => {
                (USER, user.uin.0, now.plus_seconds(app.settings.sessions.console))
            }
        };
        // Whatever the browser brought along counts no longer.
        session.flush().await?;
        session.insert(SUBJECT, subject).await?;
        session.insert(KIND, kind).await?;
        session.insert(ENDS_AT, ends_at.as_second()).await?;
        // As a span, not as a moment: the cookie is dated by the machine's clock, not by ours.
        let span = time::Duration::seconds(ends_at.seconds_since(now));
        session.set_expiry(Some(Expiry::OnInactivity(span)));
        Ok(())
    }

    async fn find(app: &App, info: &RequestInfo, session: &Session) -> Result<Option<Self>, Fault> {
        let Some(subject) = session.get::<i64>(SUBJECT).await? else { return Ok(None) };
        let kind = session.get::<String>(KIND).await?;
        let now = app.clock.now();
        if session.get::<i64>(ENDS_AT).await?.is_none_or(|end| end <= now.as_second()) {
            return Ok(None);
        }
        let principal = match kind.as_deref() {
            Some(ROLE) => app
                .db
                .read(async |tx| cloud::role_session(tx, RoleSessionId(subject)).await)
                .await?
                .filter(|role| role.is_live(now))
                .map(CamPrincipal::Role),
            Some(USER) => app
                .db
                .read(async |tx| cloud::user(tx, Uin(subject)).await)
                .await?
                .filter(|user| !user.blocked && user.managed_by.is_some())
                .map(CamPrincipal::User),
            _ => None,
        };
        Ok(principal.map(|principal| {
            let act = info.act(app, actor(&principal));
            Self { act, principal }
        }))
    }
}

/// The principal as the audit log names it.
pub(super) fn actor(principal: &CamPrincipal) -> Actor {
    let id = principal.identity().arn;
    Actor { kind: ActorKind::CloudPrincipal, id, name: principal.name().to_owned() }
}

impl<S> FromRequestParts<S> for CloudVisitor
where
    S: Send + Sync,
    App: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let app = App::from_ref(state);
        let info = info(parts)?;
        let session =
            Session::from_request_parts(parts, state).await.map_err(IntoResponse::into_response)?;
        match Self::find(&app, &info, &session).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => Err(Redirect::to("/cloud/login").into_response()),
            Err(fault) => Err(fault.into_response()),
        }
    }
}
