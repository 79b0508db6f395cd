//! The door of the embedded cloud: the accounts' sign-in, and the account console.

mod console;
mod principal;
mod sign_in;

use super::{
    Caller, Routes,
    pages::{door, open_door, session_layer},
};
use crate::{app::App, store::Door};

pub use principal::CloudVisitor;

/// Where the door stands: its cookie goes nowhere else.
const PATH: &str = "/cloud";

/// The routes of the door. The portal's form comes from another door, and in other installations
/// from another site, so the sign-in stays outside the protection against forged requests: a SAML
/// response protects itself.
pub fn routes(app: &App) -> Routes {
    let sign_in = Routes::new().post("/cloud/login/saml", Caller::Anyone, sign_in::post);
    let sign_in = open_door(sign_in.layer(session_layer(app, Door::Cloud, PATH)));
    let console = Routes::new()
        .get("/cloud/login", Caller::Anyone, console::login)
        .get("/cloud", Caller::CloudPrincipal, console::show)
        .post("/cloud/credentials", Caller::CloudPrincipal, console::credentials)
        .post("/cloud/sign-out", Caller::Anyone, console::sign_out);
    sign_in.merge(door(app, Door::Cloud, PATH, console))
}
