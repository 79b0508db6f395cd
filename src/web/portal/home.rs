//! The page before the sign-in, the home behind it, and both as JSON.

use askama::Template;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::Uri,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{command_line, encoded, home_of};
use crate::{
    access::{self, Origin, ReachState, ReachableAccount},
    app::App,
    sso,
    store::Timestamp,
    web::{
        Anyone, Fault, PortalReader, PortalUser, entrance::Entrance, page::Page, pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "portal/login.html")]
struct LoginPage {
    space: String,
    start: String,
    ready: bool,
    signed_out: bool,
}

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    return_to: Option<String>,
    signed_out: Option<String>,
    /// `tccli` for a command line that wants to act as somebody, with a word of its own.
    #[serde(rename = "loginType")]
    login_type: Option<String>,
    #[serde(default)]
    state: String,
}

/// The user login URL (PRT-02): one button, which is a link because a form may not be redirected
/// to another origin.
pub(super) async fn login(
    State(app): State<App>,
    caller: Anyone,
    Path(name): Path<String>,
    uri: Uri,
    Query(query): Query<LoginQuery>,
) -> Result<Response, PageError> {
    let (space, provider) = app
        .db
        .read(async |tx| -> Result<_, PageError> {
            let space = Entrance::find(tx, &name, caller.act.address).await?.space(&uri)?;
            let provider = sso::identity_provider(tx, space.id).await?;
            Ok((space, provider))
        })
        .await?;
    let home = home_of(&space.name);
    if query.login_type.as_deref() == Some("tccli") {
        return command_line::lead(&space.name, &query.state);
    }
    let onward = query.return_to.map(|to| format!("?return_to={}", encoded(&to)));
    let page = LoginPage {
        start: format!("{home}/login/start{}", onward.unwrap_or_default()),
        ready: space.sso_enabled && provider.is_some_and(|provider| provider.is_complete()),
        space: space.name,
        signed_out: query.signed_out.is_some(),
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "portal/home.html")]
struct HomePage {
    space: String,
    home: String,
    user_name: String,
    shown_name: String,
    ends_at: Timestamp,
    users_tab: bool,
    accounts: Vec<ReachableAccount>,
}

impl HomePage {
    fn is_empty(&self) -> bool {
        self.accounts.iter().all(|account| {
            if self.users_tab { account.users.is_empty() } else { account.roles.is_empty() }
        })
    }
}

#[derive(Deserialize)]
pub(super) struct HomeQuery {
    #[serde(default)]
    tab: String,
}

/// The home: everything one reaches, as roles or as CAM users (PRT-03, PRT-04).
pub(super) async fn show(
    State(app): State<App>,
    caller: PortalUser,
    Query(query): Query<HomeQuery>,
) -> Result<Response, PageError> {
    let accounts = reachable(&app, &caller).await?;
    let page = HomePage {
        home: home_of(&caller.space.name),
        shown_name: caller.user.shown_name().to_owned(),
        space: caller.space.name,
        user_name: caller.user.user_name,
        ends_at: caller.session_ends_at,
        users_tab: query.tab == "users",
        accounts,
    };
    Ok(Page::new(page).into_response())
}

async fn reachable(app: &App, caller: &PortalUser) -> Result<Vec<ReachableAccount>, Fault> {
    let (space, user) = (caller.space.id, caller.user.id);
    Ok(app.db.read(async |tx| access::reachable(tx, space, user).await).await?)
}

/// Where an entitlement comes from, in words (PRT-09).
pub(crate) fn origins(origins: &[Origin]) -> String {
    let words: Vec<String> = origins
        .iter()
        .map(|origin| match origin {
            Origin::Direct => "Given to you".to_owned(),
            Origin::Group { name, .. } => format!("Through the group {name}"),
        })
        .collect();
    words.join(", ")
}

/// Who am I.
pub(super) async fn session(PortalReader(caller): PortalReader) -> Json<Value> {
    Json(json!({
        "user_name": caller.user.user_name,
        "display_name": caller.user.shown_name(),
        "expires_at": caller.session_ends_at,
    }))
}

/// What I reach.
pub(super) async fn accounts(
    State(app): State<App>,
    PortalReader(caller): PortalReader,
) -> Result<Json<Value>, PageError> {
    let accounts = reachable(&app, &caller).await?;
    let accounts: Vec<Value> = accounts.iter().map(account_json).collect();
    Ok(Json(json!({ "accounts": accounts })))
}

fn account_json(account: &ReachableAccount) -> Value {
    let roles: Vec<Value> = account
        .roles
        .iter()
        .map(|role| json!({ "id": role.id, "name": role.name, "state": role.state }))
        .collect();
    let users: Vec<Value> = account
        .users
        .iter()
        .map(|user| json!({ "name": user.name, "state": user.state }))
        .collect();
    json!({ "uin": account.uin, "name": account.name, "roles": roles, "users": users })
}
