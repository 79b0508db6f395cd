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

use super::{
    command_line, encoded,
    frame::{Frame, Tab, reachable},
    home_of,
    listing::{LONGEST_SEARCH, Listing, Tile, Ways, at_hand},
    words,
};
use crate::{
    access::{self, Origin, ReachState, ReachableAccount, shortcuts},
    app::App,
    sso,
    web::{
        Anyone, Fault, PortalReader, PortalUser, entrance::Entrance, messages::Message, page::Page,
        pages::PageError,
    },
};

#[derive(Template)]
#[template(path = "portal/login.html")]
struct LoginPage {
    space: String,
    start: String,
    ready: bool,
}

#[derive(Deserialize)]
pub(super) struct LoginQuery {
    return_to: Option<String>,
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
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "portal/home.html")]
struct HomePage<'a> {
    frame: Frame,
    search: &'a str,
    listing: Listing<'a>,
    favourites: Vec<Tile<'a>>,
    recent: Vec<Tile<'a>>,
    done: Option<Message>,
}

impl HomePage<'_> {
    /// Whether there is nothing at all to enter this way (PRT-05).
    fn is_empty(&self) -> bool {
        let count = if self.users_tab() { self.frame.users } else { self.frame.roles };
        count == 0
    }

    fn users_tab(&self) -> bool {
        self.frame.on(Tab::Users)
    }

    fn search_label(&self) -> Message {
        if self.users_tab() { key!("portal-search-users") } else { key!("portal-search-roles") }
    }

    /// Where access is asked for.
    fn requests(&self) -> String {
        format!("{}/requests", self.frame.home)
    }

    /// The address of another page of the same list.
    fn at_page(&self, page: usize) -> String {
        let tab = if self.users_tab() { "users" } else { "roles" };
        let search = match self.search {
            "" => String::new(),
            text => format!("&search={}", encoded(text)),
        };
        format!("{}?tab={tab}{search}&page={page}", self.frame.home)
    }
}

#[derive(Deserialize)]
#[serde(default)]
pub(super) struct HomeQuery {
    tab: String,
    search: String,
    page: usize,
    done: String,
}

impl Default for HomeQuery {
    fn default() -> Self {
        Self { tab: String::new(), search: String::new(), page: 1, done: String::new() }
    }
}

/// The home: everything one reaches, as roles or as CAM users (PRT-03, PRT-04).
pub(super) async fn show(
    State(app): State<App>,
    caller: PortalUser,
    Query(query): Query<HomeQuery>,
) -> Result<Response, PageError> {
    let (space, user) = (caller.space.id, caller.user.id);
    let (accounts, shortcuts) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let accounts = access::reachable(tx, space, user).await?;
            Ok((accounts, shortcuts::shortcuts(tx, user).await?))
        })
        .await?;
    let (tab, ways) = match query.tab.as_str() {
        "users" => (Tab::Users, Ways::Users),
        _ => (Tab::Roles, Ways::Roles),
    };
    let search: String = query.search.trim().chars().take(LONGEST_SEARCH).collect();
    let listing = Listing::new(&accounts, &shortcuts, ways, &search, query.page);
    let at_hand = if ways == Ways::Roles && search.is_empty() && listing.page == 1 {
        at_hand(&accounts, &shortcuts)
    } else {
        (Vec::new(), Vec::new())
    };
    let page = HomePage {
        frame: Frame::new(&caller, tab, &accounts),
        search: &search,
        listing,
        favourites: at_hand.0,
        recent: at_hand.1,
        done: match query.done.as_str() {
            "kept" => Some(key!("portal-done-kept")),
            "dropped" => Some(key!("portal-done-dropped")),
            _ => None,
        },
    };
    Ok(Page::new(page).into_response())
}

/// Where an entitlement comes from, in words (PRT-09).
pub(crate) fn origins(origins: &[Origin]) -> String {
    let words: Vec<String> = origins
        .iter()
        .map(|origin| match origin {
            Origin::Direct => t!("portal-origin-direct"),
            Origin::Group { name, .. } => t!("portal-origin-group", group = name),
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
