//! The flight recorder: every request of a directory, what came of it and why (SCIM-20).
//!
//! What changes something is recorded in the transaction of the change; everything else goes
//! through a [`Recorder`], which writes many at once and loses none while the program runs.
//! Bodies are kept without passwords and up to a bound. Of what a request changed the recorder
//! keeps the ids of the audit records, which have the fields before and after.

mod buffer;
mod explain;
mod failures;
mod redact;
mod store;
mod why;

pub use buffer::Recorder;
pub use explain::{Explanation, explain, explain_failure};
pub use failures::{FailedOperation, Failures};
pub use redact::redact;
pub use store::{Activity, Search, activity, amend, find, forget_old, insert, latest, search};
pub use why::{By, Event, Evidence, Standing, Why, why};

use serde::{Deserialize, Serialize};

use crate::{
    id::{AuditId, CredentialId, PrincipalKind, ScimRequestId, SpaceId},
    store::{Json, Timestamp, text_enum},
};

/// Most bytes of a body that are kept; a request with a longer one cannot be replayed.
pub const MAX_BODY: usize = 256 * 1024;
/// Most characters that are kept of a path, a query and a client's name.
const MAX_TEXT: usize = 2048;

text_enum! {
    /// What came of a request.
    pub enum Outcome {
        /// It was done, or answered.
        Done = "done",
        /// It was refused, or an operation of it was.
        Refused = "refused",
    }
}

/// Whom a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Subject {
    /// Its id, where it has one.
    pub id: Option<i64>,
    /// Its name at that time, folded.
    pub name: Option<String>,
}

/// What a request demanded of the version of what it changes or reads, as it came (RFC 9110 §13).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// `If-Match`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_match: Option<String>,
    /// `If-None-Match`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_none_match: Option<String>,
}

impl Conditions {
    /// Whether it demanded nothing.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }
}

/// A request to be recorded.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The id it gets.
    pub id: ScimRequestId,
    /// Whose directory sent it.
    pub space: SpaceId,
    /// When it came.
    pub at: Timestamp,
    /// The token it showed.
    pub credential: CredentialId,
    /// The method.
    pub method: String,
    /// What it demanded of the version.
    pub conditions: Conditions,
    /// The path below the SCIM base URL.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// The body, redacted; none when there was none or it was no JSON.
    pub body: Option<String>,
    /// The length of the body as it came, in bytes.
    pub body_length: i64,
    /// The HTTP status it was answered with.
    pub status: i64,
    /// The `scimType` of a refusal.
    pub scim_type: Option<&'static str>,
    /// What the client was told about a refusal.
    pub detail: Option<String>,
    /// What of a bulk request failed.
    pub failures: Option<Failures>,
    /// Users or groups.
    pub kind: Option<PrincipalKind>,
    /// Which one.
    pub subject: Subject,
    /// The audit records of what it changed.
    pub audit_ids: Vec<AuditId>,
    /// The request's id.
    pub request_id: String,
    /// Where it came from.
    pub address: Option<String>,
    /// Microseconds until the answer was known.
    pub duration: i64,
}

/// A recorded request.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Recorded {
    /// Its id; later ones have greater ones.
    pub id: ScimRequestId,
    /// When it came.
    pub at: Timestamp,
    /// The token it showed.
    pub credential_id: CredentialId,
    /// The method.
    pub method: String,
    /// The path below the SCIM base URL.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// What the client calls itself.
    pub client: Option<String>,
    /// The body, redacted, up to [`MAX_BODY`].
    pub body: Option<String>,
    /// The length of the body as it came, in bytes.
    pub body_length: i64,
    /// The HTTP status.
    pub status: i64,
    /// The `scimType` of a refusal.
    pub scim_type: Option<String>,
    /// What the client was told about a refusal.
    pub detail: Option<String>,
    /// Users or groups.
    pub subject_kind: Option<PrincipalKind>,
    /// Which one.
    pub subject_id: Option<i64>,
    /// Its name at that time, folded.
    pub subject_name: Option<String>,
    audit_ids: Option<String>,
    failures: Option<Json<Failures>>,
    conditions: Option<Json<Conditions>>,
    /// The request's id.
    pub request_id: String,
    /// Where it came from.
    pub address: Option<String>,
    /// Microseconds until the answer was known.
    pub duration: i64,
}

impl Recorded {
    /// What came of it.
    pub fn outcome(&self) -> Outcome {
        let done = self.status < 400 && self.failures.is_none();
        if done { Outcome::Done } else { Outcome::Refused }
    }

    /// What of a bulk request failed although it was answered; none when nothing did.
    pub fn failures(&self) -> Option<&Failures> {
        self.failures.as_ref().map(|failures| &failures.0)
    }

    /// What it demanded of the version.
    pub fn conditions(&self) -> Conditions {
        self.conditions.as_ref().map(|conditions| conditions.0.clone()).unwrap_or_default()
    }

    /// The same request with another outcome.
    #[must_use]
    pub fn with_outcome(self, status: i64, failures: Option<Failures>) -> Self {
        Self { status, failures: failures.map(Json), ..self }
    }

    /// The audit records of what it changed.
    pub fn audit_ids(&self) -> Vec<AuditId> {
        self.audit_ids
            .as_deref()
            .and_then(|list| serde_json::from_str::<Vec<i64>>(list).ok())
            .unwrap_or_default()
            .into_iter()
            .map(AuditId)
            .collect()
    }

    /// Whether everything that is needed to try it again was kept.
    pub fn can_be_replayed(&self) -> bool {
        let kept = self.body.as_ref().map_or(0, String::len);
        self.body_length == 0 || (kept > 0 && kept <= MAX_BODY && self.body_is_whole())
    }

    /// Whether the body was kept to its end. Redaction changes its length, so a kept body that
    /// reads as JSON is whole.
    pub fn body_is_whole(&self) -> bool {
        self.body
            .as_deref()
            .is_none_or(|body| serde_json::from_str::<serde::de::IgnoredAny>(body).is_ok())
    }
}
