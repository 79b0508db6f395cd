//! What became of a sign-in, for an administrator to act on: the cause and its remedy, where the
//! identity provider keeps the setting, and every check (SSO-17).

use axum::{
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use crate::saml::{
    cause::Cause,
    difference::difference,
    product::Product,
    trace::{Check, Entry, Trace, Verdict},
};

/// A trace as a page shows it.
pub(super) struct Report {
    pub diagnosis: Option<Diagnosis>,
    pub checks: Vec<CheckRow>,
}

/// Why it was refused.
pub(super) struct Diagnosis {
    pub check: &'static str,
    pub what: &'static str,
    pub remedy: &'static str,
    pub wanted: String,
    pub received: String,
    pub difference: Option<&'static str>,
    /// Where the identity provider keeps it: first the one that this probably is.
    pub places: Vec<Place>,
    /// How many more checks failed.
    pub others: usize,
}

pub(super) struct Place {
    pub product: &'static str,
    pub field: &'static str,
    pub likely: bool,
}

pub(super) struct CheckRow {
    pub name: &'static str,
    pub meaning: &'static str,
    pub class: &'static str,
    pub icon: &'static str,
    pub verdict: &'static str,
    pub what: Option<&'static str>,
    pub wanted: String,
    pub received: String,
}

impl From<&Entry> for CheckRow {
    fn from(entry: &Entry) -> Self {
        let (class, icon, verdict) = match entry.verdict {
            Verdict::Passed => ("good", "check", "passed"),
            Verdict::Failed => ("bad", "cross", "failed"),
            Verdict::NotApplicable => ("quiet", "minus", "not applicable"),
        };
        Self {
            name: entry.check.name(),
            meaning: meaning(entry.check),
            class,
            icon,
            verdict,
            what: entry.cause.map(Cause::what),
            wanted: entry.wanted.clone(),
            received: entry.received.clone(),
        }
    }
}

impl Report {
    /// The report of a trace; `entity_id` gives away which product the identity provider is.
    pub fn new(trace: &Trace, entity_id: &str) -> Self {
        Self {
            diagnosis: Diagnosis::of(trace, entity_id),
            checks: trace.entries().iter().map(CheckRow::from).collect(),
        }
    }
}

impl Diagnosis {
    fn of(trace: &Trace, entity_id: &str) -> Option<Self> {
        let entry = trace.first_failure()?;
        let failed = trace.entries().iter().filter(|it| it.verdict == Verdict::Failed).count();
        let likely = Product::of_entity_id(entity_id);
        let mut places: Vec<Place> = entry
            .cause
            .and_then(Cause::setting)
            .map(|setting| {
                let place = |product: Product| Place {
                    product: product.name(),
                    field: setting.place(product),
                    likely: likely == Some(product),
                };
                Product::ALL.map(place).into()
            })
            .unwrap_or_default();
        places.sort_by_key(|place| !place.likely);
        Some(Self {
            check: entry.check.name(),
            what: entry.cause.map_or("A check failed.", Cause::what),
            remedy: entry.cause.map_or("", Cause::remedy),
            difference: difference(&entry.wanted, &entry.received),
            wanted: entry.wanted.clone(),
            received: entry.received.clone(),
            places,
            others: failed - 1,
        })
    }
}

/// What a check asks, in a few words.
fn meaning(check: Check) -> &'static str {
    match check {
        Check::Encoding => "The form field is base64",
        Check::Xml => "The message is plain, well-formed XML",
        Check::Structure => "The message is built like a sign-in response",
        Check::Version => "It is SAML 2.0",
        Check::UniqueIds => "No ID occurs twice",
        Check::Destination => "It was sent to this address",
        Check::ResponseIssuer => "The response comes from the configured identity provider",
        Check::Status => "The identity provider says that sign-in succeeded",
        Check::AssertionCount => "There is exactly one assertion",
        Check::Decryption => "The assertion opens with a key of ours",
        Check::AssertionIssuer => "The assertion comes from the configured identity provider",
        Check::Signature => "A configured certificate signed it, and nothing was changed",
        Check::IssueInstant => "It was made just now",
        Check::SubjectConfirmation => "The bearer is confirmed",
        Check::Recipient => "The confirmation is for this address",
        Check::InResponseTo => "It answers the request that began here",
        Check::ConfirmationExpiry => "The confirmation has not expired",
        Check::Conditions => "Every condition is understood",
        Check::NotBefore => "It is valid already",
        Check::NotOnOrAfter => "It is valid still",
        Check::Audience => "It is meant for us",
        Check::AuthnStatement => "It says when the person authenticated",
        Check::AuthnContext => "The person authenticated in a demanded way",
        Check::ForceAuthn => "The person authenticated anew, if that is demanded",
        Check::SessionNotOnOrAfter => "The session at the identity provider goes on",
        Check::NameId => "The name identifier is a name",
        Check::NameIdFormat => "The name identifier stays the same",
        Check::IdentityAttribute => "The attribute that is the user name is there",
        Check::SecondOpinion => "A second implementation agrees",
        Check::RelayState => "What we sent along came back",
        Check::Replay => "It was not used before",
        Check::UserExists => "The directory has this user",
        Check::UserEnabled => "The user is enabled",
        Check::BrowserBinding => "It is the browser that began",
    }
}

/// A support bundle, as a file.
pub(super) fn download(name: &str, bundle: &Value) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json".to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"sign-in-{name}.json\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    (headers, format!("{bundle:#}\n")).into_response()
}
