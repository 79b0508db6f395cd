//! The doors: HTTP and nothing else.
//!
//! Each door translates: it takes a request apart, opens a transaction, lets the rooms decide and
//! writes the answer. [`routes()`] lists every route with the caller that may use it.

#[macro_use]
pub mod messages;

mod api;
pub mod assets;
mod callers;
pub mod cloud;
mod command_line;
mod compression;
pub mod connection;
pub mod console;
pub mod cookies;
pub mod demo;
mod entrance;
mod face;
mod fault;
mod health;
pub mod listener;
mod metrics;
pub mod page;
pub mod pages;
pub mod portal;
mod reference;
mod request;
mod routes;
pub mod saml;
pub mod scim;
mod told;

pub use api::{Described as DescribedAction, described as described_actions};
use axum::{Router, extract::DefaultBodyLimit, middleware};
pub use callers::{Anyone, PortalUser, SESSION_ENDS_AT, ScimClient, info};
pub use command_line::{CommandLine, PortalReader};
pub use face::Face;
pub use fault::{Fault, log_cause};
pub use request::RequestInfo;
pub use routes::{Caller, Route, Routes};

use crate::app::App;

/// The longest body of a page's form, and of whatever has no limit of its own (bytes). What announces
/// more at a page is refused before it has come.
const BODY_LIMIT: usize = 1024 * 1024;

/// All routes of all doors.
pub fn routes(app: &App) -> Routes {
    let demo = if app.demo.is_some() { demo::routes() } else { Routes::new() };
    Routes::new()
        .merge(api::routes())
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(assets::routes())
        .merge(messages::routes())
        .merge(reference::routes())
        .merge(saml::routes(app))
        .merge(scim::routes(app))
        .merge(cloud::routes(app))
        .merge(demo)
        .merge(console::routes(app))
        .merge(portal::routes(app))
}

/// The whole server.
pub fn router(app: App) -> Router {
    routes(&app)
        .into_router()
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(middleware::from_fn(messages::prefer))
        .layer(middleware::from_fn(compression::mark))
        .layer(compression::layer())
        .layer(middleware::from_fn_with_state(app.clone(), request::identify))
        .with_state(app)
}
