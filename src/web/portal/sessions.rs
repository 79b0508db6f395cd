//! Where one is signed in: the portal's sessions, each to be ended from here, and the sessions in
//! accounts that live on without them (PRT-12).

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    frame::{Frame, Tab},
    home_of,
    sign_out::open_sessions,
    words,
};
use crate::{
    access,
    app::App,
    cloud::OpenRoleSession,
    id::IdpSessionId,
    sso::{self, PortalSession, Sessions},
    store::{PageRequest, Write},
    web::{
        Fault, PortalUser,
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

/// The most sessions of one person that are shown; nobody signs in more often.
const SHOWN: i64 = 100;

#[derive(Template)]
#[template(path = "portal/sessions.html")]
struct SessionsPage {
    frame: Frame,
    sessions: Vec<PortalSession>,
    here: IdpSessionId,
    open: Vec<OpenRoleSession>,
    done: Option<Message>,
}

impl SessionsPage {
    fn is_here(&self, session: &PortalSession) -> bool {
        self.here == session.id
    }
}

#[derive(Deserialize)]
pub(super) struct SessionsQuery {
    #[serde(default)]
    done: String,
}

/// One's own sessions.
pub(super) async fn show(
    State(app): State<App>,
    caller: PortalUser,
    Query(query): Query<SessionsQuery>,
) -> Result<Response, PageError> {
    let (space, user, now) = (caller.space.id, caller.user.id, caller.act.now);
    let (accounts, sessions, open) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let accounts = access::reachable(tx, space, user).await?;
            let wanted = PageRequest::first(SHOWN);
            let sessions = sso::portal_sessions(tx, space, Some(user), now, wanted).await?;
            Ok((accounts, sessions.rows, open_sessions(tx, space, &caller.user, now).await?))
        })
        .await?;
    let page = SessionsPage {
        frame: Frame::new(&caller, Tab::Sessions, &accounts),
        sessions,
        here: caller.came_from,
        open,
        done: match query.done.as_str() {
            "ended" => Some(key!("portal-done-ended")),
            "others" => Some(key!("portal-done-others")),
            _ => None,
        },
    };
    Ok(Page::new(page).into_response())
}

/// Ends another session of one's own. The one in which this is asked ends by signing out.
pub(super) async fn end(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, id)): Path<(String, IdpSessionId)>,
) -> Result<Response, PageError> {
    let home = home_of(&caller.space.name);
    let ended = app
        .db
        .write(async |tx| {
            end_own(tx, &caller, |session| session.id == id && caller.came_from != id).await
        })
        .await?;
    if ended == 0 {
        let problem = Problem::not_found(t!("portal-no-session"));
        return Err(problem
            .onward(format!("{home}/sessions"), key!("portal-your-sessions"))
            .into());
    }
    Ok(Redirect::to(&format!("{home}/sessions?done=ended")).into_response())
}

/// Ends every session of one's own but the one in which this is asked.
pub(super) async fn end_others(
    State(app): State<App>,
    caller: PortalUser,
) -> Result<Response, PageError> {
    app.db
        .write(async |tx| end_own(tx, &caller, |session| caller.came_from != session.id).await)
        .await?;
    let home = home_of(&caller.space.name);
    Ok(Redirect::to(&format!("{home}/sessions?done=others")).into_response())
}

/// Ends those of the caller's sessions that are meant; says how many there were.
async fn end_own(
    tx: &mut Write,
    caller: &PortalUser,
    meant: impl Fn(&PortalSession) -> bool,
) -> Result<i64, Fault> {
    let (space, user, now) = (caller.space.id, caller.user.id, caller.act.now);
    let wanted = PageRequest::first(SHOWN);
    let own = sso::portal_sessions(tx, space, Some(user), now, wanted).await?;
    let mut ended = 0;
    for session in own.rows.iter().filter(|session| meant(session)) {
        let which = Sessions::One(session.id);
        ended += sso::end_portal_sessions(tx, &caller.act, space, which).await?;
    }
    Ok(ended)
}
