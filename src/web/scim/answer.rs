//! Answers of this door: SCIM bodies with SCIM's media type.

use axum::{
    body::Body,
    extract::Request,
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{ACCEPT, CONTENT_TYPE, ETAG, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::{
    directory::scim::{self as directory, Resource},
    permission, provisioning,
    scim::{Error, ErrorKind, version::Version},
    space, store,
    web::{Fault, log_cause},
};

const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// Seconds after which a directory that the brake holds may ask again.
const BRAKED: u64 = 300;

/// A refusal as this door tells it.
#[derive(Clone, Debug)]
pub struct Refusal {
    error: Error,
    /// Whole seconds after which the same request may come again.
    retry_after: Option<u64>,
    braked: bool,
}

/// What a refusal told the client, for the recorder.
#[derive(Clone, Debug)]
pub struct Told {
    /// The keyword.
    pub scim_type: Option<&'static str>,
    /// The sentence.
    pub detail: String,
}

impl Refusal {
    /// That a token came too often (SCIM-22).
    pub fn too_often(seconds: u64) -> Self {
        let detail = format!("Too many requests with this token; come again in {seconds} s");
        Self::come_again(&detail, seconds)
    }

    /// That too many requests without a good token came from one address (SCIM-22).
    pub fn too_many_strangers(seconds: u64) -> Self {
        let detail = format!(
            "Too many requests without a good token from this address; come again in {seconds} s"
        );
        Self::come_again(&detail, seconds)
    }

    /// That a request may come again after some seconds.
    pub fn come_again(detail: &str, seconds: u64) -> Self {
        let error = Error::new(ErrorKind::TooManyRequests, detail);
        Self { error, retry_after: Some(seconds), braked: false }
    }

    /// The refusal as the protocol has it.
    pub fn error(&self) -> &Error {
        &self.error
    }

    /// Whether the mass-change brake held the request.
    pub fn is_braked(&self) -> bool {
        self.braked
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self { error, retry_after: None, braked: false }
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
            // It was free when it was looked for.
            store::Error::Conflict(_) => {
                let detail = "Another request took this name, or a value that has to be unique, at \
                              the same moment";
                Error::new(ErrorKind::Uniqueness, detail).into()
            }
            store::Error::Nul => {
                Error::new(ErrorKind::InvalidValue, "Text cannot have the character U+0000").into()
            }
            store::Error::NestedWrite
            | store::Error::Lost
            | store::Error::Overtaken
            | store::Error::Corrupt { .. }
            | store::Error::Migrate(_)
            | store::Error::UnknownScheme
            | store::Error::Database(_) => internal(&error),
        }
    }
}

impl From<directory::Error> for Refusal {
    fn from(error: directory::Error) -> Self {
        let (kind, detail) = match error {
            directory::Error::Refused(error) => return error.into(),
            directory::Error::Store(error) => return error.into(),
            directory::Error::Corrupt(_) => return internal(&error),
            directory::Error::Braked { going, window } => {
                let detail = format!(
                    "The mass-change brake holds: with this one {going} users would be disabled or \
                     deleted within {} minutes. An administrator can let them go under Settings, \
                     SCIM; until then this request changes nothing",
                    (window + 59) / 60
                );
                let error = Error::new(ErrorKind::TooManyRequests, detail);
                return Self { error, retry_after: Some(BRAKED), braked: true };
            }
            directory::Error::NotFound(kind) => {
                (ErrorKind::NotFound, format!("There is no {kind} with this id"))
            }
            directory::Error::NameTaken(kind) => (
                ErrorKind::Uniqueness,
                format!("Another {kind} has this {}", kind.name_attribute()),
            ),
            directory::Error::NameHeldByHand(kind) => (
                ErrorKind::Uniqueness,
                format!(
                    "A {kind} made by hand has this {}. Nothing was changed: an administrator may \
                     hand it over to the directory with the action \"adopt\", or rename one of them",
                    kind.name_attribute()
                ),
            ),
            directory::Error::ValueTaken(attribute) => {
                (ErrorKind::Uniqueness, format!("Another resource has this value of {attribute}"))
            }
            directory::Error::TooMany { kind, limit, count } => (
                ErrorKind::Forbidden,
                format!("A space has at most {limit} {kind}s, and this one has {count}"),
            ),
            directory::Error::TooManyMembers { limit, count } => (
                ErrorKind::Forbidden,
                format!("A group has at most {limit} members, and this one would have {count}"),
            ),
            directory::Error::TooManyMemberships { user, limit, count } => (
                ErrorKind::Forbidden,
                format!("A user is in at most {limit} groups, and {user} would be in {count}"),
            ),
        };
        Error::new(kind, detail).into()
    }
}

impl From<provisioning::Error> for Refusal {
    fn from(error: provisioning::Error) -> Self {
        match error {
            provisioning::Error::Store(error)
            | provisioning::Error::Space(space::Error::Store(error))
            | provisioning::Error::Permission(permission::Error::Store(error)) => error.into(),
            // Nothing of this is a directory's doing.
            provisioning::Error::Permission(_)
            | provisioning::Error::Space(_)
            | provisioning::Error::KeyNotKnown(_)
            | provisioning::Error::UserSyncCountInvalid { .. }
            | provisioning::Error::Unknown(_)
            | provisioning::Error::UserSyncsExist
            | provisioning::Error::UserSyncNotFound
            | provisioning::Error::ConflictPolicyStays
            | provisioning::Error::ManualStepNotFound
            | provisioning::Error::ManualStepChanged
            | provisioning::Error::Task(_)
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
        let mut response = json(self.error.kind.status(), &self.error.body());
        let headers = response.headers_mut();
        if self.error.kind == ErrorKind::Unauthorized {
            let challenge = HeaderValue::from_static(r#"Bearer realm="scim""#);
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        let told = Told { scim_type: self.error.kind.scim_type(), detail: self.error.detail };
        response.extensions_mut().insert(told);
        response
    }
}

/// A body with its status.
pub fn json(status: u16, body: &Value) -> Response {
    text(status, body.to_string())
}

/// A body that is text already.
pub fn text(status: u16, body: impl Into<Body>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, SCIM_JSON);
    response
}

/// A body in pieces, sent one after the other: a short one at once, of a long one never more than
/// a piece is in memory.
pub fn pieces(status: u16, pieces: impl Iterator<Item = String> + Send + 'static) -> Response {
    let mut pieces = pieces.peekable();
    let first = pieces.next().unwrap_or_default();
    if pieces.peek().is_none() {
        return text(status, first);
    }
    let all = std::iter::once(first).chain(pieces).map(Ok::<_, std::convert::Infallible>);
    text(status, Body::from_stream(futures_util::stream::iter(all)))
}

/// One resource with its URL and version.
pub fn resource(status: u16, resource: Resource) -> Response {
    let (location, version) = (resource.location.clone(), resource.version);
    with_place(pieces(status, resource.into_pieces()), &location, version)
}

/// An answer that says where the resource is, and which version.
pub fn with_place(mut response: Response, location: &str, version: i64) -> Response {
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(location) {
        headers.insert(LOCATION, location);
    }
    if let Ok(version) = HeaderValue::from_str(&Version(version).to_string()) {
        headers.insert(ETAG, version);
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
