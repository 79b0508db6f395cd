//! RFC 7644 §3.12: what a client is told when a request is refused.

use serde_json::{Value, json};
use thiserror::Error;

/// The schema of an error body.
const SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// Why a request is refused: decides the HTTP status and the `scimType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The filter is malformed, or compares what cannot be compared.
    InvalidFilter,
    /// Answering would mean looking at more resources than a request may.
    TooMany,
    /// A value that must be unique is taken.
    Uniqueness,
    /// A read-only, immutable or required attribute would be changed or lost.
    Mutability,
    /// The body is not JSON, or not the message this endpoint takes.
    InvalidSyntax,
    /// The path of a PATCH operation is malformed or names nothing.
    InvalidPath,
    /// The path of a PATCH operation selects no value.
    NoTarget,
    /// A value is missing, of the wrong type or outside its limits.
    InvalidValue,
    /// The protocol version in the URL is none that we speak.
    InvalidVersion,
    /// The cursor is none of ours, or belongs to another query (RFC 9865 §2.1).
    InvalidCursor,
    /// The cursor was ours and is too old (RFC 9865 §2.1).
    ExpiredCursor,
    /// A page of this size cannot be walked by cursor (RFC 9865 §2.1).
    InvalidCount,
    /// Something that must not stand in a URL (RFC 7644 §7.5.2).
    Sensitive,
    /// No token, or one that is not (or no longer) good.
    Unauthorized,
    /// The token is good, the request is not allowed.
    Forbidden,
    /// No such resource or endpoint.
    NotFound,
    /// The endpoint exists, the method does not.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The request contradicts what is there, or another part of itself.
    Conflict,
    /// The resource has changed since the client read it (RFC 7644 §3.14).
    PreconditionFailed,
    /// The body is larger than this endpoint takes.
    PayloadTooLarge,
    /// The body is of a media type this endpoint does not take.
    UnsupportedMediaType,
    /// Slower, please.
    TooManyRequests,
    /// Part of the protocol that this service does not offer.
    NotImplemented,
    /// Our fault; the cause is in the log.
    Internal,
    /// The database is busy; the same request may be sent again.
    Unavailable,
}

impl ErrorKind {
    /// The HTTP status of this kind of refusal.
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidFilter
            | Self::TooMany
            | Self::Mutability
            | Self::InvalidSyntax
            | Self::InvalidPath
            | Self::NoTarget
            | Self::InvalidValue
            | Self::InvalidVersion
            | Self::InvalidCursor
            | Self::ExpiredCursor
            | Self::InvalidCount => 400,
            Self::Unauthorized => 401,
            Self::Forbidden | Self::Sensitive => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::RequestTimeout => 408,
            Self::Uniqueness | Self::Conflict => 409,
            Self::PreconditionFailed => 412,
            Self::PayloadTooLarge => 413,
            Self::UnsupportedMediaType => 415,
            Self::TooManyRequests => 429,
            Self::Internal => 500,
            Self::NotImplemented => 501,
            Self::Unavailable => 503,
        }
    }

    /// The `scimType` keyword of RFC 7644 table 9 and RFC 9865 §2.1, where there is one.
    pub const fn scim_type(self) -> Option<&'static str> {
        match self {
            Self::InvalidFilter => Some("invalidFilter"),
            Self::TooMany => Some("tooMany"),
            Self::Uniqueness => Some("uniqueness"),
            Self::Mutability => Some("mutability"),
            Self::InvalidSyntax => Some("invalidSyntax"),
            Self::InvalidPath => Some("invalidPath"),
            Self::NoTarget => Some("noTarget"),
            Self::InvalidValue => Some("invalidValue"),
            Self::InvalidVersion => Some("invalidVers"),
            Self::InvalidCursor => Some("invalidCursor"),
            Self::ExpiredCursor => Some("expiredCursor"),
            Self::InvalidCount => Some("invalidCount"),
            Self::Sensitive => Some("sensitive"),
            Self::Unauthorized
            | Self::Forbidden
            | Self::NotFound
            | Self::MethodNotAllowed
            | Self::RequestTimeout
            | Self::Conflict
            | Self::PreconditionFailed
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::TooManyRequests
            | Self::NotImplemented
            | Self::Internal
            | Self::Unavailable => None,
        }
    }
}

/// A refusal: its kind, and a sentence for the person who reads the client's log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Error {
    /// Decides status and `scimType`.
    pub kind: ErrorKind,
    /// Plain words: what is wrong, and where. Never holds a secret.
    pub detail: String,
}

impl Error {
    /// A refusal of `kind` explained by `detail`.
    pub fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// The same refusal, its `detail` preceded by the place where it happened.
    #[must_use]
    pub fn within(mut self, place: &str) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }

    /// The body: exactly `schemas`, `status`, `scimType` where there is one, and `detail`.
    /// Clients check that nothing else is in it.
    pub fn body(&self) -> Value {
        let mut body = json!({ "schemas": [SCHEMA], "status": self.kind.status().to_string() });
        if let Some(scim_type) = self.kind.scim_type() {
            body["scimType"] = scim_type.into();
        }
        body["detail"] = self.detail.as_str().into();
        body
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_holds_the_four_members_and_nothing_else() {
        let error = Error::new(ErrorKind::Uniqueness, "taken");
        assert_eq!(
            error.body().to_string(),
            r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"409","scimType":"uniqueness","detail":"taken"}"#
        );
    }

    #[test]
    fn a_kind_without_keyword_has_no_scim_type() {
        let body = Error::new(ErrorKind::NotFound, "no such user").body();
        assert!(body.get("scimType").is_none());
        assert_eq!(body["status"], "404");
    }
}
