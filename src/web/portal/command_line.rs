//! A command line (`tccli sso login`) that wants to act as somebody, and what the person says to it.
//!
//! Whoever sends people to these pages wants their access, so nothing happens without a button, and
//! the page shows by what the person can tell their own command line from a stranger's.

use askama::Template;
use axum::{
    Form,
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::{
    home_of,
    word::{self, Carrier, Unsaid},
};
use crate::{
    app::App,
    id::{ConfigurationId, Uin},
    sso::{self, CommandLineAnswer},
    store::{Timestamp, session_hash},
    web::{
        CommandLine, Fault, PortalUser,
        page::Page,
        pages::{PageError, Problem},
        saml::send::see_other,
    },
};

/// From the user login URL, where command lines send people, to the question.
pub(super) fn lead(space: &str, state: &str) -> Result<Response, PageError> {
    check(state)?;
    Ok(see_other(&address(space, state))?)
}

fn address(space: &str, state: &str) -> String {
    format!("{}/command-line?state={state}", home_of(space))
}

fn check(state: &str) -> Result<(), PageError> {
    if sso::is_command_line_state(state) {
        return Ok(());
    }
    Err(Problem {
        status: StatusCode::BAD_REQUEST,
        code: "BadRequest",
        title: key!("problem-not-understood"),
        message: t!("portal-line-incomplete"),
        onward: None,
    }
    .into())
}

#[derive(Deserialize)]
pub(super) struct Asking {
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "portal/command_line.html")]
struct AskPage {
    space: String,
    home: String,
    user_name: String,
    state: String,
    /// The end of the word, which stands at the end of the address in the terminal.
    mark: String,
    ends_at: Timestamp,
}

/// Asks the person. Who is not signed in signs in first, and comes back.
pub(super) async fn ask(
    caller: PortalUser,
    Query(asking): Query<Asking>,
) -> Result<Response, PageError> {
    check(&asking.state)?;
    let at = asking.state.len().saturating_sub(6);
    let page = AskPage {
        home: home_of(&caller.space.name),
        space: caller.space.name,
        user_name: caller.user.user_name,
        mark: asking.state.get(at..).unwrap_or_default().to_owned(),
        state: asking.state,
        ends_at: caller.session_ends_at,
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "portal/command_line_answered.html")]
struct AnsweredPage {
    space: String,
    home: String,
    allowed: bool,
}

/// The person lets it.
pub(super) async fn allow(
    State(app): State<App>,
    caller: PortalUser,
    session: Session,
    Form(asking): Form<Asking>,
) -> Result<Response, PageError> {
    answer(&app, caller, &session, &asking, true).await
}

/// The person does not.
pub(super) async fn decline(
    State(app): State<App>,
    caller: PortalUser,
    session: Session,
    Form(asking): Form<Asking>,
) -> Result<Response, PageError> {
    answer(&app, caller, &session, &asking, false).await
}

async fn answer(
    app: &App,
    caller: PortalUser,
    session: &Session,
    asking: &Asking,
    allowed: bool,
) -> Result<Response, PageError> {
    check(&asking.state)?;
    let id = session.id().ok_or(Fault::Internal("a portal session without an id"))?;
    let said = CommandLineAnswer {
        state: &asking.state,
        session_hash: session_hash(id),
        space: caller.space.id,
        user: caller.user.id,
        idp_session: caller.came_from,
        session_ends_at: caller.session_ends_at,
        allowed,
    };
    let new =
        app.db.write(async |tx| sso::answer_command_line(tx, &caller.act, &said).await).await?;
    let home = home_of(&caller.space.name);
    if !new {
        let problem = Problem::refused("AnsweredAlready", t!("portal-line-answered"));
        return Err(problem.onward(home, key!("portal-back")).into());
    }
    let page = AnsweredPage { space: caller.space.name, home, allowed };
    Ok(Page::new(page).into_response())
}

/// Our word to an account of the embedded cloud, by which a command line enters it as a role: the
/// same that the portal sends there through the browser, with the same checks.
pub async fn role_word(
    app: &App,
    caller: &CommandLine,
    account: Uin,
    configuration: ConfigurationId,
) -> Result<String, Unsaid> {
    let role = (account, configuration);
    let (said, _) = word::for_role(app, &caller.user, role, Carrier::CommandLine).await?;
    Ok(said.response)
}
