//! The door for directories: SCIM 2.0 at `/scim/v2` (RFC 7644).
//!
//! A request is taken apart here and answered here; what it means is the engine's (`scim`), what
//! it does the directory's (`directory::scim`). Every refusal has a SCIM body.

mod answer;
mod body;
mod bulk;
mod client;
mod cursor;
mod discovery;
mod later;
mod perform;
mod rehearsal;
mod resources;
mod together;
mod trace;

use axum::{
    Extension,
    extract::{Request, State},
    http::{Extensions, Uri},
    middleware,
    response::{IntoResponse, Response},
};
use tower::ServiceExt;

use super::{Caller, RequestInfo, Routes, ScimClient};
use crate::{
    app::App,
    directory::scim::ResourceKind::{Group, User},
    scim::{Error, ErrorKind},
};
use answer::Refusal;
pub use client::Rehearsal;
pub use later::run_until;
pub use rehearsal::{RehearsalError, Rehearsed, rehearse};
use together::Together;
pub use trace::Trace;

/// Where this door is.
const BASE: &str = "/scim/v2";

pub(super) fn routes(app: &App) -> Routes {
    every(app)
}

fn every(app: &App) -> Routes {
    let scim = Caller::ScimClient;
    Routes::new()
        .get("/scim/v2/ServiceProviderConfig", Caller::Anyone, discovery::service_provider_config)
        .get("/scim/v2/ResourceTypes", scim, discovery::resource_types)
        .get("/scim/v2/ResourceTypes/{id}", scim, discovery::resource_type)
        .get("/scim/v2/Schemas", scim, discovery::schemas)
        .get("/scim/v2/Schemas/{id}", scim, discovery::schema)
        .get("/scim/v2/Users", scim, |app, client, request| {
            resources::list(app, client, request, &[User])
        })
        .post("/scim/v2/Users", scim, |app, together, client, request| {
            resources::create(app, together, client, request, User)
        })
        .post("/scim/v2/Users/.search", scim, |app, client, request| {
            resources::search(app, client, request, &[User])
        })
        .get("/scim/v2/Users/{id}", scim, |app, client, id, request| {
            resources::read(app, client, id, request, User)
        })
        .put("/scim/v2/Users/{id}", scim, |app, client, id, request| {
            resources::replace(app, client, id, request, User)
        })
        .patch("/scim/v2/Users/{id}", scim, |app, client, id, request| {
            resources::patch(app, client, id, request, User)
        })
        .delete("/scim/v2/Users/{id}", scim, |app, client, id, request| {
            resources::delete(app, client, id, request, User)
        })
        .get("/scim/v2/Groups", scim, |app, client, request| {
            resources::list(app, client, request, &[Group])
        })
        .post("/scim/v2/Groups", scim, |app, together, client, request| {
            resources::create(app, together, client, request, Group)
        })
        .post("/scim/v2/Groups/.search", scim, |app, client, request| {
            resources::search(app, client, request, &[Group])
        })
        .get("/scim/v2/Groups/{id}", scim, |app, client, id, request| {
            resources::read(app, client, id, request, Group)
        })
        .put("/scim/v2/Groups/{id}", scim, |app, client, id, request| {
            resources::replace(app, client, id, request, Group)
        })
        .patch("/scim/v2/Groups/{id}", scim, |app, client, id, request| {
            resources::patch(app, client, id, request, Group)
        })
        .delete("/scim/v2/Groups/{id}", scim, |app, client, id, request| {
            resources::delete(app, client, id, request, Group)
        })
        .get("/scim/v2", scim, |app, client, request| {
            resources::list(app, client, request, &[User, Group])
        })
        .post("/scim/v2/.search", scim, |app, client, request| {
            resources::search(app, client, request, &[User, Group])
        })
        .post("/scim/v2/Bulk", scim, bulk::bulk)
        .get("/scim/v2/Bulk/{id}", scim, bulk::later)
        .get("/scim/v2/{*rest}", scim, elsewhere)
        .post("/scim/v2/{*rest}", scim, elsewhere)
        .put("/scim/v2/{*rest}", scim, elsewhere)
        .patch("/scim/v2/{*rest}", scim, elsewhere)
        .delete("/scim/v2/{*rest}", scim, elsewhere)
        .with(|router| router.method_not_allowed_fallback(method_not_allowed))
        .layer(middleware::from_fn_with_state(app.clone(), trace::record))
        .layer(middleware::from_fn(answer::negotiate))
        .layer(Extension(Together::default()))
}

async fn method_not_allowed(request: Request) -> Refusal {
    let detail = format!("{} is not allowed here", request.method());
    Error::new(ErrorKind::MethodNotAllowed, detail).into()
}

/// What no other route took: a known path with a slash behind it (several clients), a part of
/// the protocol that we do not offer, or nothing at all.
async fn elsewhere(State(app): State<App>, mut request: Request) -> Response {
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() < path.len() {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        let Ok(uri) = format!("{trimmed}{query}").parse::<Uri>() else {
            return not_found().into_response();
        };
        *request.uri_mut() = uri;
        // The parameters of the path that brought it here are none of the next route's.
        let known = request.extensions_mut().remove::<RequestInfo>();
        let rehearsal = request.extensions_mut().remove::<Rehearsal>();
        *request.extensions_mut() = Extensions::new();
        if let Some(info) = known {
            request.extensions_mut().insert(info);
        }
        if let Some(rehearsal) = rehearsal {
            request.extensions_mut().insert(rehearsal);
        }
        return match every(&app).into_router().with_state(app).oneshot(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
    }
    let endpoint =
        trimmed.strip_prefix(BASE).unwrap_or_default().trim_start_matches('/').to_owned();
    // A token belongs to a directory and to no user, so it has no "me" (RFC 7644 §3.11).
    let offered = endpoint.split('/').next() != Some("Me");
    let (mut parts, _) = request.into_parts();
    match ScimClient::enter(&app, &mut parts).await {
        Err(refusal) => refusal.into_response(),
        Ok(_) if offered => not_found().into_response(),
        Ok(_) => {
            let detail = format!("/{endpoint} is not offered; see /ServiceProviderConfig");
            Refusal::from(Error::new(ErrorKind::NotImplemented, detail)).into_response()
        }
    }
}

fn not_found() -> Refusal {
    Error::new(ErrorKind::NotFound, "There is no such endpoint").into()
}
