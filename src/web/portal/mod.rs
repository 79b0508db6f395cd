//! The portal: the users' door. How one signs in is in [`super::saml`]; here is what one sees
//! before and after, and the way from here into an account.

mod command_line;
mod frame;
mod home;
mod launch;
mod listing;
mod requests;
mod role;
mod sessions;
mod sign_out;
mod snippets;
mod word;
mod words;

pub(crate) use command_line::role_word;
pub(crate) use home::origins;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
pub(crate) use requests::span;
pub(crate) use word::Unsaid;

use super::{Caller, Routes, pages};
use crate::{app::App, store::Door};

/// The routes of the portal, but for those of the sign-in itself.
pub(super) fn routes(app: &App) -> Routes {
    use Caller::{Anyone, PortalUser as User};
    let routes = Routes::new()
        .get("/portal/{space}", User, home::show)
        .get("/portal/{space}/login", Anyone, home::login)
        .post("/portal/{space}/sign-out", User, sign_out::sign_out)
        .get("/portal/{space}/signed-out", Anyone, sign_out::signed_out)
        .get("/portal/{space}/requests", User, requests::show)
        .post("/portal/{space}/requests", User, requests::ask)
        .post("/portal/{space}/requests/{id}/withdraw", User, requests::withdraw)
        .get("/portal/{space}/sessions", User, sessions::show)
        .post("/portal/{space}/sessions/end", User, sessions::end_others)
        .post("/portal/{space}/sessions/{id}/end", User, sessions::end)
        .get("/portal/{space}/command-line", User, command_line::ask)
        .post("/portal/{space}/command-line", User, command_line::allow)
        .post("/portal/{space}/command-line/decline", User, command_line::decline)
        .get("/portal/{space}/api/session", User, home::session)
        .get("/portal/{space}/api/accounts", User, home::accounts)
        .get("/portal/{space}/accounts/{uin}/roles/{role}", User, role::show)
        .post("/portal/{space}/accounts/{uin}/roles/{role}/login", User, launch::role)
        .post("/portal/{space}/accounts/{uin}/roles/{role}/favourite", User, role::star)
        .post("/portal/{space}/accounts/{uin}/roles/{role}/credentials", User, role::credentials)
        .post("/portal/{space}/accounts/{uin}/users/{name}/login", User, launch::user);
    pages::door(app, Door::Portal, pages::PORTAL, routes)
}

/// A part of a path.
pub(crate) fn encoded(part: &str) -> String {
    utf8_percent_encode(part, NON_ALPHANUMERIC).to_string()
}

/// The home of a space's portal. A space's name needs no encoding: letters, digits and hyphens.
fn home_of(space: &str) -> String {
    format!("/portal/{space}")
}
