//! Who is signed in at the portal, and ending that (SES-03).

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::{
    Administrator, MOST_AT_ONCE,
    frame::{Frame, ListQuery, Pager, Search, Section, Wrong, done},
    refused,
};
use crate::{
    app::App,
    id::{IdpSessionId, UserId},
    sso::{self, PortalSession, SessionFilter, Sessions},
    store as database,
    web::{page::Page, pages::PageError},
};

#[derive(Template)]
#[template(path = "console/sessions.html")]
struct SessionList {
    frame: Frame,
    rows: Vec<PortalSession>,
    search: Search,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = SessionFilter { user: None, search: query.wanted() };
    let now = administrator.act.now;
    let page = app
        .db
        .read(async |tx| sso::portal_sessions_like(tx, space, &filter, now, query.page()).await)
        .await?;
    let pager = query.pager("/console/sessions", &page);
    let frame = Frame::new(&administrator, Section::Sessions, query.done.as_deref());
    let search = Search::new(key!("sessions-search"), &query);
    Ok(Page::new(SessionList { frame, rows: page.rows, search, pager }).into_response())
}

/// Sessions that were ticked, or all of a user.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct EndForm {
    session: Vec<IdpSessionId>,
    user: Option<UserId>,
}

pub(super) async fn end(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<EndForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let which: Vec<Sessions> = match form.user {
        Some(user) => vec![Sessions::Of(user)],
        None => form.session.into_iter().map(Sessions::One).collect(),
    };
    if which.is_empty() || which.len() > MOST_AT_ONCE {
        return Err(refused(&Wrong::whole(t!("tick-some", most = MOST_AT_ONCE))));
    }
    app.db
        .write(async |tx| -> Result<(), database::Error> {
            for one in &which {
                sso::end_portal_sessions(tx, &administrator.act, space, *one).await?;
            }
            Ok(())
        })
        .await?;
    Ok(match form.user {
        Some(user) => done(&format!("/console/users/{user}?tab=security"), "sessions-ended"),
        None => done("/console/sessions", "sessions-ended"),
    })
}
