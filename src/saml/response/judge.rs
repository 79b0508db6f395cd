//! The list an auditor reads from top to bottom: every rule of SSO-15 and
//! SSO-16, each a named check.
//!
//! Checks that can be made are all made, so that an administrator sees
//! everything that is wrong at once; a single failure refuses the sign-in.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};

use super::causes;
use super::proof::{SignedBy, agreement, decryption, signatures};
use super::{Expected, MAXIMUM_AGE, MAXIMUM_NAME_ID, MAXIMUM_SKEW, SUCCESS, VerifiedAssertion};
use crate::saml::cause::Cause;
use crate::saml::instant;
use crate::saml::name_id_format::TRANSIENT;
use crate::saml::shape::ShapeError;
use crate::saml::signature;
use crate::saml::statement::{self, Assertion, NameId, Response};
use crate::saml::trace::{Check, Trace};
use crate::saml::xml::{Document, Element, trim};

/// How often the second opinion has disagreed in this process.
static DISAGREEMENTS: AtomicU64 = AtomicU64::new(0);

/// How often this process has refused a response because the second opinion disagreed: at whichever
/// door it came.
pub fn disagreements() -> u64 {
    DISAGREEMENTS.load(Ordering::Relaxed)
}

/// How much longer than it can be accepted an assertion is remembered.
const SPARE: SignedDuration = SignedDuration::from_mins(5);
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
    let root = document.root();
    let response = structure(trace, root, statement::response(root), causes::of_message)?;
    let unique = unique_ids([document]);
    trace.require(Check::UniqueIds, unique, Cause::DuplicateIds, "every ID once", "");
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
        trace.skip(Check::Decryption, "", "not encrypted");
        None
    };
    let only = opened.as_ref().map_or(only, Document::root);
    let assertion = structure(trace, only, statement::assertion(only), causes::of_shape)?;
    trace.pass(Check::Structure, "Web Browser SSO", "Web Browser SSO");
    let versions = [response.version, assertion.version];
    let holds = versions == ["2.0"; 2];
    trace.require(Check::Version, holds, Cause::OlderSaml, "2.0", versions.join(", "));
    trace.require(
        Check::AssertionIssuer,
        assertion.issuer == expected.idp_entity_id,
        Cause::OtherIssuer,
        expected.idp_entity_id,
        assertion.issuer,
    );
    let signed_by = signatures(trace, expected, around, &assertion);
    issue_instants(trace, clock, &response, &assertion);
    let confirmed_until = confirmation(trace, expected, clock, &response, &assertion);
    let valid_until = conditions(trace, expected, clock, &assertion);
    let session = authentication(trace, expected, clock, &assertion);
    let identity = identity(trace, expected, &assertion);

    // Only what the strict core accepts is shown to anybody else's parser.
    let signed_by = signed_by?;
    if expected.used == Some(assertion.id) && trace.first_failure().is_none() {
        let wanted = "an assertion not seen before";
        trace.fail(Check::Replay, Cause::Replayed, wanted, assertion.id);
    }
    if trace.first_failure().is_none() {
        if expected.second_opinion {
            let agreed = agreement(document, opened.as_ref(), &assertion, &signed_by);
            if agreed.is_err() {
                DISAGREEMENTS.fetch_add(1, Ordering::Relaxed);
            }
            let received = agreed.as_ref().map_or_else(ToString::to_string, |()| String::new());
            let cause = Cause::Disagreement;
            trace.require(Check::SecondOpinion, agreed.is_ok(), cause, "agreement", received);
        } else {
            trace.skip(Check::SecondOpinion, "", "switched off");
        }
    }
    Some(verified(
        &response,
        &assertion,
        &signed_by,
        Proved {
            confirmed_until: confirmed_until?,
            valid_until,
            session: session?,
            identity: identity?,
        },
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

fn structure<'d, T>(
    trace: &mut Trace,
    element: Element<'d>,
    read: Result<T, ShapeError>,
    cause: fn(&ShapeError, Element<'d>) -> Cause,
) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            let (cause, received) = (cause(&error, element), error.to_string());
            trace.fail(Check::Structure, cause, "Web Browser SSO", received);
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
        .map(|attribute| attribute.value)
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
            trace.skip(Check::Destination, expected.acs_url, "absent");
        }
        None => trace.fail(Check::Destination, Cause::NoDestination, expected.acs_url, "absent"),
        Some(received) => {
            let (holds, cause) = (received == expected.acs_url, Cause::OtherDestination);
            trace.require(Check::Destination, holds, cause, expected.acs_url, received);
        }
    }
}

/// Required when the response is signed (SAML profiles §4.1.4.2), exact whenever present.
fn response_issuer(trace: &mut Trace, expected: &Expected<'_>, response: &Response<'_>) {
    let wanted = expected.idp_entity_id;
    match response.issuer {
        None if response.signature.is_none() => {
            trace.skip(Check::ResponseIssuer, wanted, "absent");
        }
        None => trace.fail(Check::ResponseIssuer, Cause::NoIssuer, wanted, "absent"),
        Some(received) => {
            let (holds, cause) = (received == wanted, Cause::OtherIssuer);
            trace.require(Check::ResponseIssuer, holds, cause, wanted, received);
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
    let holds = codes.first() == Some(&SUCCESS);
    trace.require(Check::Status, holds, causes::of_status(codes), SUCCESS, received);
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
    let several = plain.len() + encrypted.len() > 1;
    let cause = if several { Cause::SeveralAssertions } else { Cause::NoAssertion };
    let holds = only.is_some();
    trace.require(Check::AssertionCount, holds, cause, "exactly one assertion", received);
    only
}

fn issue_instants(
    trace: &mut Trace,
    clock: Clock,
    response: &Response<'_>,
    assertion: &Assertion<'_>,
) {
    let instants = [response.issue_instant, assertion.issue_instant];
    let holds = instants.into_iter().all(|issued| clock.is_fresh(issued));
    let cause = causes::of_instants(clock.now, &instants);
    let received = instants.map(instant::format).join(", ");
    let wanted = format!("{}, at most {} s old", clock.tolerance(), MAXIMUM_AGE.as_secs());
    trace.require(Check::IssueInstant, holds, cause, wanted, received);
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
        trace.fail(Check::SubjectConfirmation, Cause::NotBearer, BEARER, received);
        return None;
    };
    let holds = only.method == BEARER && only.not_before.is_none();
    let received = match only.not_before {
        Some(_) => format!("{} with NotBefore", only.method),
        None => only.method.to_owned(),
    };
    trace.require(Check::SubjectConfirmation, holds, Cause::NotBearer, BEARER, received);
    trace.require(
        Check::Recipient,
        only.recipient == Some(expected.acs_url),
        Cause::OtherRecipient,
        expected.acs_url,
        only.recipient.unwrap_or("absent"),
    );
    let answers = [response.in_response_to, only.in_response_to];
    let (holds, wanted) = match expected.request_id {
        Some(id) => (answers == [Some(id); 2], id),
        None if expected.allow_unsolicited => (answers == [None; 2], "no request"),
        None => (false, "the id of a live request"),
    };
    let cause = if answers == [None; 2] { Cause::Unsolicited } else { Cause::OtherRequest };
    let received = answers.map(|answer| answer.unwrap_or("absent")).join(", ");
    trace.require(Check::InResponseTo, holds, cause, wanted, received);
    let ends = only.not_on_or_after;
    trace.require(
        Check::ConfirmationExpiry,
        ends.is_some_and(|ends| clock.is_before(ends)),
        if ends.is_some() { Cause::Expired } else { Cause::NoExpiry },
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
        trace.fail(Check::Conditions, Cause::NoConditions, wanted, "absent");
        return None;
    };
    let conditions = match statement::conditions(element) {
        Ok(conditions) => conditions,
        Err(error) => {
            trace.fail(Check::Conditions, Cause::UnknownCondition, wanted, error.to_string());
            return None;
        }
    };
    trace.pass(Check::Conditions, wanted, "known kinds");
    let has_come: fn(Clock, Timestamp) -> bool = Clock::has_come;
    let window = [
        (Check::NotBefore, conditions.not_before, has_come, Cause::NotYetValid),
        (Check::NotOnOrAfter, conditions.not_on_or_after, Clock::is_before, Cause::Expired),
    ];
    for (check, limit, holds, cause) in window {
        match limit {
            None => trace.skip(check, clock.tolerance(), "absent"),
            Some(limit) => {
                let received = instant::format(limit);
                trace.require(check, holds(clock, limit), cause, clock.tolerance(), received);
            }
        }
    }
    let ours = |audiences: &Vec<&str>| audiences.contains(&expected.sp_entity_id);
    let holds = !conditions.audiences.is_empty() && conditions.audiences.iter().all(ours);
    let received: Vec<String> =
        conditions.audiences.iter().map(|audiences| audiences.join(" or ")).collect();
    let received = if received.is_empty() { "absent".to_owned() } else { received.join(", and ") };
    let none = conditions.audiences.is_empty();
    let cause = if none { Cause::NoAudience } else { Cause::OtherAudience };
    trace.require(Check::Audience, holds, cause, expected.sp_entity_id, received);
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
    let none = statements.is_empty();
    let cause = if none { Cause::NoAuthnStatement } else { Cause::ClockAhead };
    trace.require(Check::AuthnStatement, holds, cause, wanted, received);
    manner(trace, expected, clock, assertion);
    let ends = statements.iter().filter_map(|statement| statement.session_not_on_or_after).min();
    match ends {
        None => {
            let wanted = clock.tolerance();
            trace.skip(Check::SessionNotOnOrAfter, wanted, "absent");
        }
        Some(ends) => {
            let received = instant::format(ends);
            let (holds, cause) = (clock.is_before(ends), Cause::SessionOver);
            trace.require(Check::SessionNotOnOrAfter, holds, cause, clock.tolerance(), received);
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
        trace.skip(Check::AuthnContext, "any", received);
    } else {
        let demanded = |context: &&str| expected.authn_contexts.iter().any(|it| it == context);
        let holds = !contexts.is_empty() && contexts.iter().all(demanded);
        let wanted = expected.authn_contexts.join(" or ");
        let (cause, received) = (Cause::OtherAuthnContext, contexts.join(", "));
        trace.require(Check::AuthnContext, holds, cause, wanted, received);
    }
    let latest = statements.iter().map(|statement| statement.instant).max();
    match expected.authenticated_since {
        None => trace.skip(Check::ForceAuthn, "", "not demanded"),
        Some(since) => {
            let holds = latest.is_some_and(|at| since.duration_since(at) <= clock.skew);
            let wanted = format!("since {} - {} s", instant::format(since), clock.skew.as_secs());
            let received = latest.map_or_else(|| "absent".to_owned(), instant::format);
            trace.require(Check::ForceAuthn, holds, Cause::OldAuthentication, wanted, received);
        }
    }
}

/// Whom the assertion names: by its name identifier, or by the attribute that is set for it. A
/// transient name identifier names nobody, so it is good only beside an attribute.
fn identity(
    trace: &mut Trace,
    expected: &Expected<'_>,
    assertion: &Assertion<'_>,
) -> Option<String> {
    let wanted = "1 to 512 characters without controls";
    match (assertion.name_id, expected.identity_attribute) {
        (Some(name), _) => {
            let empty = name.value.is_empty();
            let cause = if empty { Cause::EmptyNameId } else { Cause::UnreadableNameId };
            trace.require(Check::NameId, is_name(name.value), cause, wanted, name.value);
        }
        (None, Some(_)) => trace.skip(Check::NameId, wanted, "absent"),
        (None, None) => trace.fail(Check::NameId, Cause::NoNameId, wanted, "absent"),
    }
    let named = assertion.name_id;
    let format = named.and_then(|name| name.format).unwrap_or("absent");
    let Some(attribute) = expected.identity_attribute else {
        let name = named?;
        let holds = name.format != Some(TRANSIENT);
        trace.require(Check::NameIdFormat, holds, Cause::TransientNameId, "not transient", format);
        trace.skip(Check::IdentityAttribute, "", "the name identifier names the person");
        return Some(name.value.to_owned());
    };
    trace.skip(Check::NameIdFormat, "any", format);
    let named = assertion.attributes.iter().filter(|it| it.name == attribute);
    let values: Vec<&str> = named.flat_map(|it| &it.values).map(|it| trim(it)).collect();
    let wanted = format!("one value of {attribute}");
    match values.as_slice() {
        [] => {
            let names: Vec<&str> = assertion.attributes.iter().map(|it| &*it.name).collect();
            let received =
                if names.is_empty() { "no attributes".to_owned() } else { names.join(", ") };
            trace.fail(Check::IdentityAttribute, Cause::NoIdentityAttribute, wanted, received);
            None
        }
        [only] if is_name(only) => {
            trace.pass(Check::IdentityAttribute, wanted, *only);
            Some((*only).to_owned())
        }
        several => {
            let received = several.join(", ");
            let cause = Cause::UnreadableIdentityAttribute;
            trace.fail(Check::IdentityAttribute, cause, wanted, received);
            None
        }
    }
}

/// Whether a text can be read as one name.
fn is_name(text: &str) -> bool {
    (1..=MAXIMUM_NAME_ID).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// What the checks brought to light.
struct Proved {
    confirmed_until: Timestamp,
    valid_until: Option<Timestamp>,
    session: Session,
    identity: String,
}

fn verified(
    response: &Response<'_>,
    assertion: &Assertion<'_>,
    signed_by: &SignedBy<'_>,
    proved: Proved,
) -> VerifiedAssertion {
    let Proved { confirmed_until, valid_until, session, identity } = proved;
    let not_on_or_after = valid_until.map_or(confirmed_until, |it| it.min(confirmed_until));
    // Past this age the issue instant refuses it, however long it claims to hold.
    let stale = assertion.issue_instant.checked_add(MAXIMUM_AGE).unwrap_or(Timestamp::MAX);
    // Whatever skew is set, or will be, and however far the clocks of replicas are apart.
    let remember_until =
        not_on_or_after.min(stale).checked_add(MAXIMUM_SKEW + SPARE).unwrap_or(Timestamp::MAX);
    let fingerprint = signed_by.all().next().map(|it| it.certificate.facts().fingerprint.clone());
    let owned = |part: for<'n> fn(NameId<'n>) -> Option<&'n str>| {
        assertion.name_id.and_then(part).map(str::to_owned)
    };
    VerifiedAssertion {
        assertion_id: assertion.id.to_owned(),
        identity,
        name_id: assertion.name_id.map(|name| name.value.to_owned()).unwrap_or_default(),
        name_id_format: owned(|name| name.format),
        name_qualifier: owned(|name| name.name_qualifier),
        sp_name_qualifier: owned(|name| name.sp_name_qualifier),
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
