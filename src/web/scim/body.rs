//! Bodies of requests: bounded, of a media type we know, strict JSON.

use std::time::Duration;

use axum::{body::to_bytes, extract::Request, http::header::CONTENT_TYPE};
use http_body_util::LengthLimitError;
use serde_json::{Map, Value};
use tokio::time::timeout;

use crate::{
    app::App,
    directory::scim::ResourceKind,
    scim::{Error, ErrorKind, json},
    web::ScimClient,
};

/// Largest body, in bytes (DESIGN §8).
pub const LIMIT: usize = 1024 * 1024;
/// Largest body about a group: members come by the hundred thousand.
pub const GROUP_LIMIT: usize = 16 * 1024 * 1024;

/// The largest body about a resource of this kind.
pub fn limit(kind: ResourceKind) -> usize {
    match kind {
        ResourceKind::User => LIMIT,
        ResourceKind::Group => GROUP_LIMIT,
    }
}

/// Reads the JSON object that a request carries. A body that is too large, or does not arrive in
/// time, is given up; what came of it is forgotten.
pub async fn object(
    app: &App,
    client: &ScimClient,
    request: Request,
    limit: usize,
) -> Result<Map<String, Value>, Error> {
    if let Some(media_type) = request.headers().get(CONTENT_TYPE) {
        let known = media_type.to_str().is_ok_and(is_json);
        if !known {
            let detail = "The body must be application/scim+json or application/json";
            return Err(Error::new(ErrorKind::UnsupportedMediaType, detail));
        }
    }
    let patience = Duration::from_secs(app.settings.scim.body_seconds);
    let arrived = timeout(patience, to_bytes(request.into_body(), limit)).await.map_err(|_| {
        let detail = format!("The body did not arrive within {} seconds", patience.as_secs());
        Error::new(ErrorKind::RequestTimeout, detail)
    })?;
    let bytes = arrived.map_err(|error| {
        if std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
        {
            let detail = format!("The body is larger than {limit} bytes");
            Error::new(ErrorKind::PayloadTooLarge, detail)
        } else {
            Error::new(ErrorKind::InvalidSyntax, "The body did not arrive whole")
        }
    })?;
    client.trace.body(&bytes);
    json::parse_object(&bytes)
}

/// Whether a media type is one of the two, whatever its parameters.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/scim+json")
        || essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_media_types_with_any_parameters() {
        assert!(is_json("application/scim+json; charset=utf-8"));
        assert!(is_json("Application/JSON"));
        assert!(!is_json("text/plain"));
        assert!(!is_json("application/jsonx"));
    }
}
