//! Who is in an account: the extractor, and how somebody comes to be in one.

use axum::{
    extract::{FromRef, FromRequestParts, Query},
    http::request::Parts,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use tower_sessions::{Expiry, Session};

use crate::{
    app::App,
    audit::{Act, Actor, ActorKind},
    cloud::{self, CamPrincipal, RoleSession},
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

/// The key under which a session holds the role sessions that are open in other windows.
const BESIDE: &str = "beside";
/// The most roles that are open side by side in one browser.
const MOST_BESIDE: usize = 8;

/// Which of the roles that are open side by side a window is about; the one entered last where an
/// address does not say.
#[derive(Deserialize)]
struct Window {
    #[serde(rename = "as")]
    role_session: Option<RoleSessionId>,
}

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
        let beside = Self::same_person(app, session, principal).await?;
        // Whatever else the browser brought along counts no longer.
        session.flush().await?;
        let ids: Vec<i64> = beside.iter().map(|role| role.id.0).collect();
        session.insert(BESIDE, ids).await?;
        session.insert(SUBJECT, subject).await?;
        session.insert(KIND, kind).await?;
        session.insert(ENDS_AT, ends_at.as_second()).await?;
        // As a span, not as a moment: the cookie is dated by the machine's clock, not by ours.
        let last = beside.iter().map(|role| role.expires_at).fold(ends_at, Ord::max);
        let span = time::Duration::seconds(last.seconds_since(now));
        session.set_expiry(Some(Expiry::OnInactivity(span)));
        Ok(())
    }

    /// The live roles that the browser is in already, of the very person whom `principal` is: they
    /// stay open beside it (PRT-07). Those of anybody else who used this browser do not.
    async fn same_person(
        app: &App,
        session: &Session,
        principal: &CamPrincipal,
    ) -> Result<Vec<RoleSession>, Fault> {
        let CamPrincipal::Role(new) = principal else { return Ok(Vec::new()) };
        let mut open = session.get::<Vec<i64>>(BESIDE).await?.unwrap_or_default();
        if session.get::<String>(KIND).await?.as_deref() == Some(ROLE) {
            open.extend(session.get::<i64>(SUBJECT).await?);
        }
        let newest = open.into_iter().rev().take(MOST_BESIDE - 1).map(RoleSessionId);
        let found = app
            .db
            .read(async |tx| -> Result<_, Fault> {
                let mut found = Vec::new();
                for id in newest {
                    found.extend(cloud::role_session(tx, id).await?);
                }
                Ok(found)
            })
            .await?;
        let now = app.clock.now();
        let stays = |role: &RoleSession| {
            role.is_live(now)
                && !new.provider_name.is_empty()
                && (&role.provider_name, &role.name_id) == (&new.provider_name, &new.name_id)
        };
        Ok(found.into_iter().rev().filter(stays).collect())
    }

    /// Ends what this window is about: the browser's session, unless another role is open beside it.
    pub async fn leave(&self, session: &Session) -> Result<(), Fault> {
        let mut beside = session.get::<Vec<i64>>(BESIDE).await?.unwrap_or_default();
        let CamPrincipal::Role(role) = &self.principal else {
            session.flush().await?;
            return Ok(());
        };
        if session.get::<i64>(SUBJECT).await? == Some(role.id.0) {
            session.remove_value(SUBJECT).await?;
        } else {
            beside.retain(|id| *id != role.id.0);
        }
        if beside.is_empty() && session.get::<i64>(SUBJECT).await?.is_none() {
            session.flush().await?;
        } else {
            session.insert(BESIDE, beside).await?;
        }
        Ok(())
    }

    /// The role of a window beside the one entered last, if it counts.
    async fn beside(
        app: &App,
        session: &Session,
        id: RoleSessionId,
    ) -> Result<Option<CamPrincipal>, Fault> {
        let open = session.get::<Vec<i64>>(BESIDE).await?.unwrap_or_default();
        if !open.contains(&id.0) {
            return Ok(None);
        }
        let found = app.db.read(async |tx| cloud::role_session(tx, id).await).await?;
        let now = app.clock.now();
        Ok(found.filter(|role| role.is_live(now)).map(CamPrincipal::Role))
    }

    async fn find(
        app: &App,
        info: &RequestInfo,
        session: &Session,
        window: Window,
    ) -> Result<Option<Self>, Fault> {
        let here = Self::of_last(app, session).await?;
        let principal = match window.role_session {
            None => here,
            Some(id) => match here {
                Some(CamPrincipal::Role(role)) if role.id == id => Some(CamPrincipal::Role(role)),
                _ => Self::beside(app, session, id).await?,
            },
        };
        Ok(principal.map(|principal| {
            let act = info.act(app, actor(&principal));
            Self { act, principal }
        }))
    }

    /// Who was let in last, if they may be here still.
    async fn of_last(app: &App, session: &Session) -> Result<Option<CamPrincipal>, Fault> {
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
        Ok(principal)
    }
}

/// Where the account console is for somebody: of a role the address says which, so that several can
/// be open side by side.
pub(super) fn console_of(principal: &CamPrincipal) -> String {
    match principal {
        CamPrincipal::Role(role) => format!("/cloud?as={}", role.id),
        CamPrincipal::User(_) | CamPrincipal::Federated(_) => "/cloud".to_owned(),
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
        let window =
            Query::<Window>::try_from_uri(&parts.uri).map_err(IntoResponse::into_response)?;
        match Self::find(&app, &info, &session, window.0).await {
            Ok(Some(visitor)) => Ok(visitor),
            Ok(None) => Err(Redirect::to("/cloud/login").into_response()),
            Err(fault) => Err(fault.into_response()),
        }
    }
}
