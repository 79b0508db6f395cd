//! The list an auditor reads from top to bottom: every rule of SSO-15 and
//! SSO-16, each a named check.
//!
//! Checks that can be made are all made, so that an administrator sees
//! everything that is wrong at once; a single failure refuses the sign-in.

use jiff::{SignedDuration, Timestamp};

use super::proof::{SignedBy, agreement, decryption, signatures};
use super::{Expected, MAXIMUM_AGE, MAXIMUM_NAME_ID, MAXIMUM_SKEW, SUCCESS, VerifiedAssertion};
use crate::saml::instant;
use crate::saml::name_id_format::TRANSIENT;
use crate::saml::shape::ShapeError;
use crate::saml::signature;
use crate::saml::statement::{self, Assertion, Response};
use crate::saml::trace::{Check, Trace, Verdict};
use crate::saml::xml::{Document, Element};

const BEARER: &str = "urn:oasis:names:tc:SAML:2.0:cm:bearer";

/// The checks, in order. Returns what the message says once all of it could be
/// read; the caller lets it count only when the trace holds no failure.
pub(super) fn judge(
    document: &Document,
    expected: &Expected<'_>,
    trace: &mut Trace,
) -> Option<VerifiedAssertion> {
    let skew = expected.skew.clamp(SignedDuration::ZERO, MAXIMUM_SKEW);
    let clock = Clock { now: expected.now, skew };

    // What is read below is read from here, and only from here.
    let response = structure(trace, statement::response(document.root()))?;
    trace.require(Check::UniqueIds, unique_ids([document]), "every ID once", "");
    destination(trace, expected, &response);
    response_issuer(trace, expected, &response);
    status(trace, &response);
    let (only, is_encrypted) = the_assertion(trace, &response)?;
    let around = response
        .signature
        .map(|signature| signature::verify(signature, response.element, expected.certificates));
    let around = around.transpose();
    let opened = if is_encrypted {
        Some(decryption(trace, expected, document, only, around.as_ref())?)
    } else {
        trace.record(Check::Decryption, Verdict::NotApplicable, "", "not encrypted");
        None
    };
    let only = opened.as_ref().map_or(only, Document::root);
    let assertion = structure(trace, statement::assertion(only))?;
    trace.record(Check::Structure, Verdict::Passed, "Web Browser SSO", "Web Browser SSO");
    let versions = [response.version, assertion.version];
    trace.require(Check::Version, versions == ["2.0"; 2], "2.0", versions.join(", "));
    trace.require(
        Check::AssertionIssuer,
        assertion.issuer == expected.idp_entity_id,
        expected.idp_entity_id,
        assertion.issuer,
    );
    let signed_by = signatures(trace, expected, around, &assertion);
    issue_instants(trace, clock, &response, &assertion);
    let confirmed_until = confirmation(trace, expected, clock, &response, &assertion);
    let valid_until = conditions(trace, expected, clock, &assertion);
    let session = authentication(trace, expected, clock, &assertion);
    name_id(trace, &assertion);

    // Only what the strict core accepts is shown to anybody else's parser.
    let signed_by = signed_by?;
    if trace.first_failure().is_none() {
        if expected.second_opinion {
            let agreed = agreement(document, opened.as_ref(), &assertion, &signed_by);
            let received = agreed.as_ref().map_or_else(ToString::to_string, |()| String::new());
            trace.require(Check::SecondOpinion, agreed.is_ok(), "agreement", received);
        } else {
            trace.record(Check::SecondOpinion, Verdict::NotApplicable, "", "switched off");
        }
    }
    Some(verified(
        clock,
        &response,
        &assertion,
        &signed_by,
        confirmed_until?,
        valid_until,
        session?,
    ))
}

/// The present, and how far clocks may differ.
#[derive(Clone, Copy)]
pub(in crate::saml) struct Clock {
    now: Timestamp,
    skew: SignedDuration,
}

impl Clock {
    /// The skew is cut to what it may be.
    pub(in crate::saml) fn new(now: Timestamp, skew: SignedDuration) -> Self {
        Self { now, skew: skew.clamp(SignedDuration::ZERO, MAXIMUM_SKEW) }
    }

    /// Whether a message of this instant was made just now.
    pub(in crate::saml) fn is_fresh(self, issued: Timestamp) -> bool {
        self.has_come(issued) && self.now.duration_since(issued) <= MAXIMUM_AGE + self.skew
    }

    /// After this a message of that instant is refused for its age, however long it claims to
    /// hold.
    pub(in crate::saml) fn stale_after(self, issued: Timestamp) -> Timestamp {
        issued.checked_add(MAXIMUM_AGE + self.skew).unwrap_or(Timestamp::MAX)
    }

    /// Whether the instant has come, give or take the skew.
    pub(in crate::saml) fn has_come(self, not_before: Timestamp) -> bool {
        not_before.duration_since(self.now) <= self.skew
    }

    /// Whether the instant has not passed, give or take the skew.
    pub(in crate::saml) fn is_before(self, not_on_or_after: Timestamp) -> bool {
        self.now.duration_since(not_on_or_after) < self.skew
    }

    pub(in crate::saml) fn tolerance(self) -> String {
        format!("{} ± {} s", instant::format(self.now), self.skew.as_secs())
    }
}

fn structure<T>(trace: &mut Trace, read: Result<T, ShapeError>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            let received = error.to_string();
            trace.record(Check::Structure, Verdict::Failed, "Web Browser SSO", received);
            None
        }
    }
}

/// Attributes that libraries take for identifiers: any spelling of "id".
pub(in crate::saml) fn unique_ids<const N: usize>(documents: [&Document; N]) -> bool {
    let mut ids: Vec<&str> = documents
        .into_iter()
        .flat_map(Document::elements)
        .flat_map(Element::attributes)
        .filter(|attribute| attribute.name.local.eq_ignore_ascii_case("id"))
        .map(|attribute| attribute.value.as_str())
        .collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    ids.len() == count
}

/// Required when the response is signed (SAML bindings §3.5.5.2), exact whenever present.
fn destination(trace: &mut Trace, expected: &Expected<'_>, response: &Response<'_>) {
    match response.destination {
        None if response.signature.is_none() => {
            trace.record(Check::Destination, Verdict::NotApplicable, expected.acs_url, "absent");
        }
        received => {
            let holds = received == Some(expected.acs_url);
            let received = received.unwrap_or("absent");
            trace.require(Check::Destination, holds, expected.acs_url, received);
        }
    }
}

/// Required when the response is signed (SAML profiles §4.1.4.2), exact whenever present.
fn response_issuer(trace: &mut Trace, expected: &Expected<'_>, response: &Response<'_>) {
    let wanted = expected.idp_entity_id;
    match response.issuer {
        None if response.signature.is_none() => {
            trace.record(Check::ResponseIssuer, Verdict::NotApplicable, wanted, "absent");
        }
        received => {
            let holds = received == Some(wanted);
            trace.require(Check::ResponseIssuer, holds, wanted, received.unwrap_or("absent"));
        }
    }
}

fn status(trace: &mut Trace, response: &Response<'_>) {
    let codes = &response.status.codes;
    let mut received = codes.join(" / ");
    if let Some(message) = response.status.message {
        received.push_str(": ");
        received.push_str(message);
    }
    trace.require(Check::Status, codes.first() == Some(&SUCCESS), SUCCESS, received);
}

/// The one assertion, and whether it is encrypted.
fn the_assertion<'d>(trace: &mut Trace, response: &Response<'d>) -> Option<(Element<'d>, bool)> {
    let (plain, encrypted) = (response.assertions.as_slice(), response.encrypted.as_slice());
    let received = format!("{} assertions, {} encrypted", plain.len(), encrypted.len());
    let only = match (plain, encrypted) {
        ([only], []) => Some((*only, false)),
        ([], [only]) => Some((*only, true)),
        _ => None,
    };
    trace.require(Check::AssertionCount, only.is_some(), "exactly one assertion", received);
    only
}

fn issue_instants(
    trace: &mut Trace,
    clock: Clock,
    response: &Response<'_>,
    assertion: &Assertion<'_>,
) {
    let instants = [response.issue_instant, assertion.issue_instant];
    let holds = instants.into_iter().all(|issued| {
        clock.has_come(issued) && clock.now.duration_since(issued) <= MAXIMUM_AGE + clock.skew
    });
    let received = instants.map(instant::format).join(", ");
    let wanted = format!("{}, at most {} s old", clock.tolerance(), MAXIMUM_AGE.as_secs());
    trace.require(Check::IssueInstant, holds, wanted, received);
}

/// The bearer confirmation (SAML profiles §4.1.4.3). Returns when it ends.
fn confirmation(
    trace: &mut Trace,
    expected: &Expected<'_>,
    clock: Clock,
    response: &Response<'_>,
    assertion: &Assertion<'_>,
) -> Option<Timestamp> {
    let methods: Vec<&str> = assertion.confirmations.iter().map(|it| it.method).collect();
    let [only] = assertion.confirmations.as_slice() else {
        let received = format!("{} confirmations", methods.len());
        trace.record(Check::SubjectConfirmation, Verdict::Failed, BEARER, received);
        return None;
    };
    let holds = only.method == BEARER && only.not_before.is_none();
    let received = match only.not_before {
        Some(_) => format!("{} with NotBefore", only.method),
        None => only.method.to_owned(),
    };
    trace.require(Check::SubjectConfirmation, holds, BEARER, received);
    trace.require(
        Check::Recipient,
        only.recipient == Some(expected.acs_url),
        expected.acs_url,
        only.recipient.unwrap_or("absent"),
    );
    let answers = [response.in_response_to, only.in_response_to];
    let (holds, wanted) = match expected.request_id {
        Some(id) => (answers == [Some(id); 2], id),
        None if expected.allow_unsolicited => (answers == [None; 2], "no request"),
        None => (false, "the id of a live request"),
    };
    let received = answers.map(|answer| answer.unwrap_or("absent")).join(", ");
    trace.require(Check::InResponseTo, holds, wanted, received);
    let ends = only.not_on_or_after;
    trace.require(
        Check::ConfirmationExpiry,
        ends.is_some_and(|ends| clock.is_before(ends)),
        format!("after {}", clock.tolerance()),
        ends.map_or_else(|| "absent".to_owned(), instant::format),
    );
    ends
}

/// Conditions, each one understood. Returns when they end, if they say.
fn conditions(
    trace: &mut Trace,
    expected: &Expected<'_>,
    clock: Clock,
    assertion: &Assertion<'_>,
) -> Option<Timestamp> {
    let wanted = "conditions of known kinds";
    let Some(element) = assertion.conditions else {
        trace.record(Check::Conditions, Verdict::Failed, wanted, "absent");
        return None;
    };
    let conditions = match statement::conditions(element) {
        Ok(conditions) => conditions,
        Err(error) => {
            trace.record(Check::Conditions, Verdict::Failed, wanted, error.to_string());
            return None;
        }
    };
    trace.record(Check::Conditions, Verdict::Passed, wanted, "known kinds");
    let window = [
        (Check::NotBefore, conditions.not_before, Clock::has_come as fn(Clock, Timestamp) -> bool),
        (Check::NotOnOrAfter, conditions.not_on_or_after, Clock::is_before),
    ];
    for (check, limit, holds) in window {
        match limit {
            None => trace.record(check, Verdict::NotApplicable, clock.tolerance(), "absent"),
            Some(limit) => {
                let received = instant::format(limit);
                trace.require(check, holds(clock, limit), clock.tolerance(), received);
            }
        }
    }
    let ours = |audiences: &Vec<&str>| audiences.contains(&expected.sp_entity_id);
    let holds = !conditions.audiences.is_empty() && conditions.audiences.iter().all(ours);
    let received: Vec<String> =
        conditions.audiences.iter().map(|audiences| audiences.join(" or ")).collect();
    let received = if received.is_empty() { "absent".to_owned() } else { received.join(", and ") };
    trace.require(Check::Audience, holds, expected.sp_entity_id, received);
    conditions.not_on_or_after
}

/// The session at the identity provider.
struct Session {
    index: Option<String>,
    authenticated_at: Timestamp,
    ends: Option<Timestamp>,
}

fn authentication(
    trace: &mut Trace,
    expected: &Expected<'_>,
    clock: Clock,
    assertion: &Assertion<'_>,
) -> Option<Session> {
    let statements = &assertion.authentications;
    let wanted = "an authentication in the past";
    let received: Vec<String> =
        statements.iter().map(|statement| instant::format(statement.instant)).collect();
    let holds = !statements.is_empty()
        && statements.iter().all(|statement| clock.has_come(statement.instant));
    let received = if received.is_empty() { "absent".to_owned() } else { received.join(", ") };
    trace.require(Check::AuthnStatement, holds, wanted, received);
    manner(trace, expected, clock, assertion);
    let ends = statements.iter().filter_map(|statement| statement.session_not_on_or_after).min();
    match ends {
        None => {
            let wanted = clock.tolerance();
            trace.record(Check::SessionNotOnOrAfter, Verdict::NotApplicable, wanted, "absent");
        }
        Some(ends) => {
            let received = instant::format(ends);
            let holds = clock.is_before(ends);
            trace.require(Check::SessionNotOnOrAfter, holds, clock.tolerance(), received);
        }
    }
    let index = statements.iter().find_map(|statement| statement.session_index);
    let authenticated_at = statements.iter().map(|statement| statement.instant).max()?;
    Some(Session { index: index.map(str::to_owned), authenticated_at, ends })
}

/// What the request demanded of the authentication, if it did (SAML core §3.3.2.2.1, §3.4.1). An
/// identity provider that ignores a demand still answers, so the answer is looked at.
fn manner(trace: &mut Trace, expected: &Expected<'_>, clock: Clock, assertion: &Assertion<'_>) {
    let statements = &assertion.authentications;
    let contexts: Vec<&str> =
        statements.iter().map(|statement| statement.context.unwrap_or("absent")).collect();
    if expected.authn_contexts.is_empty() {
        let received = contexts.join(", ");
        trace.record(Check::AuthnContext, Verdict::NotApplicable, "any", received);
    } else {
        let demanded = |context: &&str| expected.authn_contexts.iter().any(|it| it == context);
        let holds = !contexts.is_empty() && contexts.iter().all(demanded);
        let wanted = expected.authn_contexts.join(" or ");
        trace.require(Check::AuthnContext, holds, wanted, contexts.join(", "));
    }
    let latest = statements.iter().map(|statement| statement.instant).max();
    match expected.authenticated_since {
        None => trace.record(Check::ForceAuthn, Verdict::NotApplicable, "", "not demanded"),
        Some(since) => {
            let holds = latest.is_some_and(|at| since.duration_since(at) <= clock.skew);
            let wanted = format!("since {} - {} s", instant::format(since), clock.skew.as_secs());
            let received = latest.map_or_else(|| "absent".to_owned(), instant::format);
            trace.require(Check::ForceAuthn, holds, wanted, received);
        }
    }
}

fn name_id(trace: &mut Trace, assertion: &Assertion<'_>) {
    let name = assertion.name_id;
    let length = name.value.chars().count();
    let holds =
        (1..=MAXIMUM_NAME_ID).contains(&length) && !name.value.chars().any(char::is_control);
    trace.require(Check::NameId, holds, "1 to 512 characters without controls", name.value);
    let format = name.format.unwrap_or("absent");
    let holds = name.format != Some(TRANSIENT);
    trace.require(Check::NameIdFormat, holds, "not transient", format);
}

fn verified(
    clock: Clock,
    response: &Response<'_>,
    assertion: &Assertion<'_>,
    signed_by: &SignedBy<'_>,
    confirmed_until: Timestamp,
    valid_until: Option<Timestamp>,
    session: Session,
) -> VerifiedAssertion {
    let not_on_or_after = valid_until.map_or(confirmed_until, |it| it.min(confirmed_until));
    // Past this age the issue instant refuses it, however long it claims to hold.
    let stale = assertion.issue_instant.checked_add(MAXIMUM_AGE).unwrap_or(Timestamp::MAX);
    let remember_until =
        not_on_or_after.min(stale).checked_add(clock.skew).unwrap_or(Timestamp::MAX);
    let fingerprint = signed_by.all().next().map(|it| it.certificate.facts().fingerprint.clone());
    VerifiedAssertion {
        assertion_id: assertion.id.to_owned(),
        name_id: assertion.name_id.value.to_owned(),
        name_id_format: assertion.name_id.format.map(str::to_owned),
        name_qualifier: assertion.name_id.name_qualifier.map(str::to_owned),
        sp_name_qualifier: assertion.name_id.sp_name_qualifier.map(str::to_owned),
        session_index: session.index,
        issued_at: assertion.issue_instant,
        not_on_or_after,
        remember_until,
        session_not_on_or_after: session.ends,
        authenticated_at: session.authenticated_at,
        attributes: assertion.attributes.clone(),
        in_response_to: response.in_response_to.map(str::to_owned),
        certificate_fingerprint: fingerprint.unwrap_or_default(),
    }
}
