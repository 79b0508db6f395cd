//! `/ServiceProviderConfig`, `/ResourceTypes` and `/Schemas` (RFC 7644 §4).

use axum::{
    extract::{Path, Request, State, rejection::PathRejection},
    response::Response,
};
use serde_json::Value;

use super::{
    answer::{Refusal, json},
    body, bulk,
    client::Stranger,
    cursor,
    resources::base,
};
use crate::{
    app::App,
    scim::{
        Error, ErrorKind,
        list::{DEFAULT_COUNT, MAX_COUNT, response},
        schema::{self, BulkLimits, Limits, PageLimits},
    },
    web::ScimClient,
};

/// RFC 7644 §4: a filter on discovery is forbidden, other parameters mean nothing there.
fn refuse_filter(request: &Request) -> Result<(), Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let filtered = url::form_urlencoded::parse(query.as_bytes())
        .any(|(name, _)| name.eq_ignore_ascii_case("filter"));
    if filtered {
        let detail = "Discovery documents cannot be filtered";
        return Err(Error::new(ErrorKind::Forbidden, detail).into());
    }
    Ok(())
}

fn whole(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

fn all(documents: &[Value]) -> Response {
    let total = u64::try_from(documents.len()).unwrap_or(u64::MAX);
    json(200, &response(total, 1, documents))
}

fn one(document: Option<Value>, what: &str) -> Result<Response, Refusal> {
    let missing = || Error::new(ErrorKind::NotFound, format!("There is no such {what}"));
    Ok(json(200, &document.ok_or_else(missing)?))
}

/// Open to anyone, as in the original (SCIM-10).
pub async fn service_provider_config(
    State(app): State<App>,
    _: Stranger,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_filter(&request)?;
    let limits = Limits {
        max_results: MAX_COUNT,
        bulk: Some(BulkLimits {
            max_operations: whole(bulk::MAX_OPERATIONS),
            max_payload_size: whole(body::GROUP_LIMIT),
        }),
        sort: true,
        etag: true,
        pagination: Some(PageLimits {
            default_page_size: DEFAULT_COUNT,
            max_page_size: MAX_COUNT,
            cursor_timeout: Some(cursor::TIMEOUT),
        }),
    };
    Ok(json(200, &schema::service_provider_config(&base(&app), &limits)))
}

pub async fn resource_types(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_filter(&request)?;
    Ok(all(&client.opened.types.describe(&base(&app))))
}

pub async fn resource_type(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_filter(&request)?;
    one(id.ok().and_then(|id| client.opened.types.describe_one(&base(&app), &id)), "resource type")
}

pub async fn schemas(
    State(app): State<App>,
    client: ScimClient,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_filter(&request)?;
    Ok(all(&client.opened.types.describe_schemas(&base(&app))))
}

pub async fn schema(
    State(app): State<App>,
    client: ScimClient,
    id: Result<Path<String>, PathRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    refuse_filter(&request)?;
    one(id.ok().and_then(|id| client.opened.types.describe_schema(&base(&app), &id)), "schema")
}
