//! Whether the server lives, and whether it can do its work.

use axum::{extract::State, http::StatusCode};

use super::{Caller, Routes, fault::log_cause};
use crate::app::App;

pub(super) fn routes() -> Routes {
    Routes::new().get("/livez", Caller::Anyone, async || "ok\n").get(
        "/readyz",
        Caller::Anyone,
        readiness,
    )
}

/// Ready when the database answers and has the schema this program needs.
async fn readiness(State(app): State<App>) -> (StatusCode, &'static str) {
    match app.db.pending_migrations().await {
        Ok(0) => (StatusCode::OK, "ready\n"),
        Ok(_) => (StatusCode::SERVICE_UNAVAILABLE, "the schema is not up to date\n"),
        Err(error) => {
            log_cause(&error);
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
        }
    }
}
