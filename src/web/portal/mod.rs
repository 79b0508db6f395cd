//! The portal: the users' door. How one signs in is in [`super::saml`]; here is what one sees
//! before and after, and the way from here into an account.

mod command_line;
mod home;
mod launch;
mod sign_out;

pub(crate) use command_line::{Unsaid, role_word};
pub(crate) use home::origins;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

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
        .get("/portal/{space}/command-line", User, command_line::ask)
        .post("/portal/{space}/command-line", User, command_line::allow)
        .post("/portal/{space}/command-line/decline", User, command_line::decline)
        .get("/portal/{space}/api/session", User, home::session)
        .get("/portal/{space}/api/accounts", User, home::accounts)
        .post("/portal/{space}/accounts/{uin}/roles/{role}/login", User, launch::role)
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
