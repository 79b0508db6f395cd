//! The door of the embedded cloud: the accounts' sign-in, and the account console.

mod assume;
mod console;
mod principal;
mod response;
mod sign_in;

use super::{Caller, Routes, pages::door};
use crate::{app::App, store::Door};

pub(in crate::web) use assume::{Lasting, NoCredentials, Wanted, assume_role};
pub use principal::CloudVisitor;
pub(in crate::web) use sign_in::check_standing;

/// Where the door stands: over http its cookie goes nowhere else.
const PATH: &str = "/cloud";

/// The routes of the door. The portal's form comes from another door and from the same origin. A
/// response proves who its owner is, and not that whoever brings it is its owner: another site that
/// has one of its own could have a visitor's browser post it, who would then work in a stranger's
/// account. So other sites are refused here as everywhere.
pub fn routes(app: &App) -> Routes {
    let routes = Routes::new()
        .post("/cloud/login/saml", Caller::Anyone, sign_in::post)
        .get("/cloud/login", Caller::Anyone, console::login)
        .get("/cloud", Caller::CloudPrincipal, console::show)
        .post("/cloud/credentials", Caller::CloudPrincipal, console::credentials)
        .post("/cloud/sign-out", Caller::Anyone, console::sign_out);
    door(app, Door::Cloud, PATH, routes)
}
