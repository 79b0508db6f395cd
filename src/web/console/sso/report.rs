//! What became of a sign-in, for an administrator to act on: the cause and its remedy, where the
//! identity provider keeps the setting, and every check (SSO-17).

use axum::{
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::causes;
use crate::saml::{
    cause::Cause,
    difference::{Difference, difference},
    product::{Advice, Product, Setting},
    trace::{Check, Entry, Trace, Verdict},
};
use crate::web::messages::Message;

/// A trace as a page shows it.
pub(super) struct Report {
    pub diagnosis: Option<Diagnosis>,
    pub checks: Vec<CheckRow>,
}

/// Why it was refused.
pub(super) struct Diagnosis {
    pub check: &'static str,
    pub what: Message,
    pub remedy: Option<Message>,
    pub wanted: String,
    pub received: String,
    pub difference: Option<Message>,
    /// Where the identity provider keeps it: first the one that this probably is.
    pub places: Vec<Place>,
    /// How many more checks failed.
    pub others: usize,
}

pub(super) struct Place {
    pub product: &'static str,
    /// The ways to it, in the product's own words.
    pub ways: &'static [&'static str],
    pub advice: Option<Message>,
    pub likely: bool,
}

pub(super) struct CheckRow {
    pub name: &'static str,
    pub meaning: Message,
    pub class: &'static str,
    pub icon: &'static str,
    pub verdict: Message,
    pub what: Option<Message>,
    pub wanted: String,
    pub received: String,
}

impl From<&Entry> for CheckRow {
    fn from(entry: &Entry) -> Self {
        let (class, icon, verdict) = match entry.verdict {
            Verdict::Passed => ("good", "check", key!("verdict-passed")),
            Verdict::Failed => ("bad", "cross", key!("verdict-failed")),
            Verdict::NotApplicable => ("quiet", "minus", key!("verdict-not-applicable")),
        };
        Self {
            name: entry.check.name(),
            meaning: meaning(entry.check),
            class,
            icon,
            verdict,
            what: entry.cause.map(causes::what),
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
            .map(|setting| Product::ALL.map(|product| Place::of(setting, product, likely)).into())
            .unwrap_or_default();
        places.sort_by_key(|place| !place.likely);
        Some(Self {
            check: entry.check.name(),
            what: entry.cause.map_or(key!("sso-check-failed"), causes::what),
            remedy: entry.cause.map(causes::remedy),
            difference: difference(&entry.wanted, &entry.received).map(apart),
            wanted: entry.wanted.clone(),
            received: entry.received.clone(),
            places,
            others: failed - 1,
        })
    }
}

impl Place {
    fn of(setting: Setting, product: Product, likely: Option<Product>) -> Self {
        let place = setting.place(product);
        Self {
            product: product.name(),
            ways: place.ways,
            advice: place.advice.map(advice),
            likely: likely == Some(product),
        }
    }
}

fn advice(advice: Advice) -> Message {
    match advice {
        Advice::OnlyThisVersion => key!("advice-only-this-version"),
        Advice::AlwaysSent => key!("advice-always-sent"),
        Advice::AlwaysExclusive => key!("advice-always-exclusive"),
        Advice::AlwaysSha256 => key!("advice-always-sha-256"),
        Advice::AlwaysFiveMinutes => key!("advice-always-five-minutes"),
        Advice::CompareOurClock => key!("advice-compare-our-clock"),
        Advice::ClockOfItsHost => key!("advice-clock-of-its-host"),
        Advice::CertificateInUse => key!("advice-certificate-in-use"),
        Advice::LeaveEmpty => key!("advice-leave-empty"),
        Advice::RemoveOurEncryptionKey => key!("advice-remove-our-encryption-key"),
        Advice::DemandNoContext => key!("advice-demand-no-context"),
        Advice::DemandNothingAnew => key!("advice-demand-nothing-anew"),
        Advice::GiveOurAddress => key!("advice-give-our-address"),
        Advice::HideAndLink => key!("advice-hide-and-link"),
        Advice::HonourTheDemand => key!("advice-honour-the-demand"),
    }
}

/// In what alone two values differ.
fn apart(difference: Difference) -> Message {
    match difference {
        Difference::WhiteSpace => key!("differ-white-space"),
        Difference::Slash => key!("differ-slash"),
        Difference::LetterCase => key!("differ-letter-case"),
        Difference::Scheme => key!("differ-scheme"),
        Difference::Host => key!("differ-host"),
        Difference::Port => key!("differ-port"),
        Difference::Path => key!("differ-path"),
        Difference::Query => key!("differ-query"),
    }
}

/// What a check asks, in a few words.
fn meaning(check: Check) -> Message {
    match check {
        Check::Encoding => key!("check-encoding"),
        Check::Xml => key!("check-xml"),
        Check::Structure => key!("check-structure"),
        Check::Version => key!("check-version"),
        Check::UniqueIds => key!("check-unique-ids"),
        Check::Destination => key!("check-destination"),
        Check::ResponseIssuer => key!("check-response-issuer"),
        Check::Status => key!("check-status"),
        Check::AssertionCount => key!("check-assertion-count"),
        Check::Decryption => key!("check-decryption"),
        Check::AssertionIssuer => key!("check-assertion-issuer"),
        Check::Signature => key!("check-signature"),
        Check::IssueInstant => key!("check-issue-instant"),
        Check::SubjectConfirmation => key!("check-subject-confirmation"),
        Check::Recipient => key!("check-recipient"),
        Check::InResponseTo => key!("check-in-response-to"),
        Check::ConfirmationExpiry => key!("check-confirmation-expiry"),
        Check::Conditions => key!("check-conditions"),
        Check::NotBefore => key!("check-not-before"),
        Check::NotOnOrAfter => key!("check-not-on-or-after"),
        Check::Audience => key!("check-audience"),
        Check::AuthnStatement => key!("check-authn-statement"),
        Check::AuthnContext => key!("check-authn-context"),
        Check::ForceAuthn => key!("check-force-authn"),
        Check::SessionNotOnOrAfter => key!("check-session-ends"),
        Check::NameId => key!("check-name-id"),
        Check::NameIdFormat => key!("check-name-id-format"),
        Check::IdentityAttribute => key!("check-identity-attribute"),
        Check::SecondOpinion => key!("check-second-opinion"),
        Check::RelayState => key!("check-relay-state"),
        Check::Replay => key!("check-replay"),
        Check::UserExists => key!("check-user-exists"),
        Check::UserEnabled => key!("check-user-enabled"),
        Check::BrowserBinding => key!("check-browser-binding"),
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

#[cfg(test)]
mod tests;
