//! Answers of this door: SCIM bodies with SCIM's media type.

use axum::{
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    directory::scim::{self as directory, Resource, ResourceKind},
    permission, provisioning,
    scim::{Error, ErrorKind},
    store,
    web::{Fault, log_cause},
};

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A refusal as this door tells it.
#[derive(Debug)]
pub struct Refusal(Error);

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

/// The cause of a failure of ours goes into the log; the client can quote the request's id.
fn internal(cause: &(dyn std::error::Error + 'static)) -> Refusal {
    log_cause(cause);
    Error::new(ErrorKind::Internal, "The server failed; its log says why, under x-request-id")
        .into()
}

impl From<store::Error> for Refusal {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Busy => {
                Error::new(ErrorKind::Unavailable, "The database is busy; try again").into()
            }
            store::Error::Conflict(_)
            | store::Error::NestedWrite
            | store::Error::Lost
            | store::Error::Corrupt { .. }
            | store::Error::Migrate(_)
            | store::Error::UnknownScheme
            | store::Error::Database(_) => internal(&error),
        }
    }
}

impl From<directory::Error> for Refusal {
    fn from(error: directory::Error) -> Self {
        let name = |kind: ResourceKind| match kind {
            ResourceKind::User => "userName",
            ResourceKind::Group => "displayName",
        };
        let (error, detail) = match error {
            directory::Error::Refused(error) => return Self(error),
            directory::Error::Store(error) => return error.into(),
            directory::Error::NotFound(kind) => {
                (ErrorKind::NotFound, format!("There is no {kind} with this id"))
            }
            directory::Error::NameTaken(kind) => {
                (ErrorKind::Uniqueness, format!("Another {kind} has this {}", name(kind)))
            }
            directory::Error::NameHeldByHand(kind) => (
                ErrorKind::Uniqueness,
                format!(
                    "A {kind} made by hand has this {}. Nothing was changed: an administrator may \
                     hand it over to the directory with the action \"adopt\", or rename one of them",
                    name(kind)
                ),
            ),
            directory::Error::TooMany(kind, limit) => {
                (ErrorKind::Forbidden, format!("This space has its limit of {limit} {kind}s"))
            }
        };
        Self(Error::new(error, detail))
    }
}

impl From<provisioning::Error> for Refusal {
    fn from(error: provisioning::Error) -> Self {
        match error {
            provisioning::Error::Store(error)
            | provisioning::Error::Permission(permission::Error::Store(error)) => error.into(),
            // Nothing of this is a directory's doing.
            provisioning::Error::Permission(_)
            | provisioning::Error::UserSyncCountInvalid
            | provisioning::Error::Unknown(_)
            | provisioning::Error::UserSyncsExist
            | provisioning::Error::UserSyncNotFound
            | provisioning::Error::DescriptionInvalid => internal(&error),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Store(error) => error.into(),
            other => internal(&other),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.0.kind.status(), &self.0.body());
        if self.0.kind == ErrorKind::Unauthorized {
            let challenge = HeaderValue::from_static(r#"Bearer realm="scim""#);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// A body with its status.
pub fn json(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body.to_string()).into_response();
    response.headers_mut().insert(CONTENT_TYPE, SCIM_JSON);
    response
}

/// One resource with its URL.
pub fn resource(status: u16, resource: Resource) -> Response {
    let location = HeaderValue::from_str(&resource.location);
    let mut response = json(status, &Value::Object(resource.document));
    if let Ok(location) = location {
        response.headers_mut().insert(LOCATION, location);
    }
    response
}

/// RFC 7644 §3.8: SCIM's own media type, unless the client takes only plain JSON (OneLogin).
pub async fn negotiate(request: Request, next: Next) -> Response {
    let plain = wants_plain_json(request.headers());
    let mut response = next.run(request).await;
    if plain && response.headers().get(CONTENT_TYPE) == Some(&SCIM_JSON) {
        response.headers_mut().insert(CONTENT_TYPE, JSON);
    }
    response
}

fn wants_plain_json(headers: &HeaderMap) -> bool {
    let accepts = |media_type: &str| {
        headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains(media_type))
    };
    accepts("application/json")
        && !["application/scim+json", "application/*", "*/*"].into_iter().any(accepts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_for_those_who_take_nothing_else() {
        let plain = |accept: &'static str| {
            wants_plain_json(&HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]))
        };
        assert!(plain("application/json"));
        assert!(plain("text/html, Application/JSON;q=0.9"));
        for scim in ["*/*", "application/scim+json", "application/json, application/scim+json", ""]
        {
            assert!(!plain(scim), "{scim}");
        }
        assert!(!wants_plain_json(&HeaderMap::new()));
    }
}
