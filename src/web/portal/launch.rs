//! From the portal into an account: our signed word, carried there by the browser.

use axum::{
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};

use super::{
    home_of,
    word::{self, Carrier, Said, Unsaid},
};
use crate::{
    access::{self, ReachState},
    app::App,
    id::{ConfigurationId, Uin},
    web::{
        PortalUser,
        pages::{PageError, Problem},
        saml::post::{Message, SamlPost},
    },
};

/// Enters an account as a role.
pub(super) async fn role(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, account, configuration)): Path<(String, Uin, ConfigurationId)>,
) -> Result<Response, PageError> {
    let role = (account, configuration);
    match word::for_role(&app, &caller, role, Carrier::Browser).await {
        Ok((said, _)) => carry(&said),
        Err(unsaid) => Err(no_entry(&caller, unsaid)),
    }
}

/// Enters an account as a CAM user of it.
pub(super) async fn user(
    State(app): State<App>,
    caller: PortalUser,
    Path((_, account, name)): Path<(String, Uin, String)>,
) -> Result<Response, PageError> {
    match word::for_user(&app, &caller, account, &name).await {
        Ok(said) => carry(&said),
        Err(unsaid) => Err(no_entry(&caller, unsaid)),
    }
}

/// The page that carries our word: a form that sends itself.
fn carry(said: &Said) -> Result<Response, PageError> {
    let post = SamlPost {
        action: &said.acs_url,
        message: Message::Response(&said.response),
        relay_state: said.relay_state.as_deref(),
        destination: &said.account_name,
    };
    Ok(post.page()?)
}

/// One sentence that does not tell what is there and what is not.
pub(super) fn no_entry(caller: &PortalUser, unsaid: Unsaid) -> PageError {
    let home = home_of(&caller.space.name);
    let problem = match unsaid {
        Unsaid::NoEntry(access::Error::NoAccess) => Problem {
            code: "NoAccess",
            title: key!("portal-no-access"),
            ..Problem::not_found(t!("portal-no-access-about"))
        },
        Unsaid::NoEntry(access::Error::NotReady(ReachState::Failed)) => {
            Problem::refused("AccessFailed", t!("portal-role-failed"))
        }
        Unsaid::NoEntry(access::Error::NotReady(ReachState::Pending | ReachState::Deployed)) => {
            Problem::refused("AccessNotReady", t!("portal-access-pending"))
        }
        Unsaid::SwitchedOff => Problem {
            status: StatusCode::FORBIDDEN,
            code: "CommandLineOff",
            title: key!("portal-line-off"),
            ..Problem::refused("CommandLineOff", t!("portal-no-credentials"))
        },
        Unsaid::OtherCloud => Problem::refused("OtherCloud", t!("portal-other-cloud")),
        Unsaid::NoEntry(access::Error::Store(error)) => return error.into(),
        Unsaid::Fault(fault) => return fault.into(),
    };
    problem.onward(home, key!("portal-back")).into()
}
