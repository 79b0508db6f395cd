//! What ends, all of it in one place (SET-09): certificates, keys, tokens, and the certificate that
//! this server shows.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, Section},
    words::{self, Ending},
};
use crate::{
    app::App,
    expiry::{self, End},
    id::SpaceId,
    web::{Fault, page::Page, pages::PageError},
};

#[derive(Template)]
#[template(path = "console/expiring.html")]
struct Expiring {
    frame: Frame,
    rows: Vec<Row>,
}

struct Row {
    ending: Ending,
    object: String,
    badge: words::Badge,
}

/// Everything of a space that ends, and the server's own certificate; the first end first.
pub(in crate::web) async fn ends(app: &App, space: SpaceId) -> Result<Vec<End>, Fault> {
    let mut ends = expiry::ends(&app.db, space).await?;
    if let Some(path) = &app.settings.tls.certificate {
        match tokio::fs::read(path).await {
            Ok(pem) => ends.extend(expiry::of_tls(&pem)),
            // The server runs with what it read when it started.
            Err(error) => tracing::warn!(%error, "the TLS certificate cannot be read"),
        }
    }
    ends.sort_by_key(|end| end.at);
    Ok(ends)
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let now = administrator.act.now;
    let rows = ends(&app, space)
        .await?
        .into_iter()
        .map(|end| Row {
            badge: match (end.seconds_left(now), end.is_near(now)) {
                (..=0, _) => ("badge-bad", key!("expiring-over")),
                (_, true) => ("badge-warn", key!("expiring-soon")),
                (_, false) => ("badge-good", key!("expiring-later")),
            },
            object: end.object.clone(),
            ending: Ending::of(&end, now),
        })
        .collect();
    let frame = Frame::new(&administrator, Section::Expiring, None);
    Ok(Page::new(Expiring { frame, rows }).into_response())
}
