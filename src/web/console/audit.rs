//! The audit log.

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section},
};
use crate::{
    app::App,
    audit::{self, Record},
    web::{page::Page, pages::PageError},
};

#[derive(Template)]
#[template(path = "console/audit.html")]
struct AuditLog {
    frame: Frame,
    records: Vec<Record>,
    pager: Pager,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let organization = administrator.organization.id;
    let page = app.db.read(async |tx| audit::list(tx, organization, query.page()).await).await?;
    let pager = query.pager("/console/audit", &page);
    let frame = Frame::new(&administrator, Section::Audit, None);
    Ok(Page::new(AuditLog { frame, records: page.rows, pager }).into_response())
}
