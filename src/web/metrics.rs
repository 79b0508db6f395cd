//! Numbers for a monitor, in Prometheus' text format: how long everything lasts (SSO-19), how long
//! it takes to end access (SES-04), and for how long tasks wait.

use std::fmt::Write as _;

use axum::{
    extract::State,
    http::{
        HeaderMap, StatusCode,
        header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
    },
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;

use super::{Caller, Fault, Routes};
use crate::{app::App, expiry, saml, secret::constant_time_eq, space, task};

pub(super) fn routes() -> Routes {
    Routes::new().get("/metrics", Caller::Monitor, show)
}

/// Whoever has the token of the settings; nobody while there is none.
fn is_monitor(app: &App, headers: &HeaderMap) -> bool {
    let Some(token) = &app.settings.metrics.token else { return false };
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer "));
    shown.is_some_and(|it| constant_time_eq(it.as_bytes(), token.expose_secret().as_bytes()))
}

async fn show(State(app): State<App>, headers: HeaderMap) -> Result<Response, Fault> {
    if !is_monitor(&app, &headers) {
        let challenge = [(WWW_AUTHENTICATE, "Bearer")];
        return Ok((StatusCode::UNAUTHORIZED, challenge, "no access\n").into_response());
    }
    let now = app.clock.now();
    let mut text = String::from(
        "# HELP identity_center_expiry_seconds Seconds until a certificate, key or token ends; \
         negative once it has.\n# TYPE identity_center_expiry_seconds gauge\n",
    );
    for space in app.db.read(async |tx| space::spaces(tx).await).await? {
        for end in expiry::ends(&app.db, space.id).await? {
            let (kind, object, left) = (end.kind, &end.object, end.seconds_left(now));
            // Ids and words of ours: nothing in them has to be escaped.
            let _ = writeln!(
                text,
                "identity_center_expiry_seconds{{space=\"{}\",kind=\"{kind}\",object=\"{object}\"}} \
                 {left}",
                space.id
            );
        }
    }
    text.push_str(
        "# HELP identity_center_ending_seconds How long it took this process to end somebody's \
         access, from the decision until every replica refuses.\n\
         # TYPE identity_center_ending_seconds histogram\n",
    );
    app.db.endings().write(&mut text, "identity_center_ending_seconds");
    text.push_str(
        "# HELP identity_center_task_waiting_seconds For how long the oldest task that has not \
         ended has been there, by kind.\n# TYPE identity_center_task_waiting_seconds gauge\n",
    );
    for (kind, since) in app.db.read(async |tx| task::oldest_open(tx).await).await? {
        let waiting = now.seconds_since(since);
        let _ = writeln!(text, "identity_center_task_waiting_seconds{{kind=\"{kind}\"}} {waiting}");
    }
    let _ = writeln!(
        text,
        "# HELP identity_center_disagreements_total Responses that this process refused because the \
         second opinion disagreed: look at them at once.\n\
         # TYPE identity_center_disagreements_total counter\n\
         identity_center_disagreements_total {}",
        saml::response::disagreements()
    );
    let kind = [(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")];
    Ok((kind, text).into_response())
}
