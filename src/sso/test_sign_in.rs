//! Test sign-ins (SSO-17): the whole way with a configuration that affects nobody.
//!
//! A test holds a configuration of its own. A request that belongs to a test is made and answered
//! like any other, and its answer is judged by the test's configuration: each check leaves its
//! verdict, and there it ends: no ticket, no session. Nothing of it counts for a real sign-in, whose
//! requests belong to no test, and its assertion is used up.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Content, Error, IdentityProvider, IdpCertificate, Looked, PendingRequest, RequestSettings,
    ResponseSettings, SingleLogout,
    attempts::text_of,
    identity_provider,
    judging::{alarm, person},
    proposals::origin_of,
    provider, requests, responses,
    sign_in::{Begun, NewRequest, ask, remember, take},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{CertificateId, ProposalId, SignInTestId, SpaceId, UserId},
    saml::{
        cause::Cause,
        certificate::Certificate,
        metadata::MetadataError,
        response::{self, VerifiedAssertion},
        trace::{Check, Trace},
    },
    store::{self as database, Json, Page, PageRequest, Read, Timestamp, Write, sql, text_enum},
};

/// How many tests a space keeps; older ones go.
const MOST_TESTS: i64 = 50;
/// Longest message that a test keeps (bytes); more is cut.
const LONGEST_MESSAGE: usize = 256 * 1024;

/// The configuration to test.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one is made for a test and moved once")]
pub enum Draft {
    /// The one that people sign in with.
    Present,
    /// What is proposed under this id and not approved, as it was read.
    Proposed(ProposalId, Looked),
}

text_enum! {
    /// How a test ended.
    pub enum TestOutcome {
        /// Every check held: this person would be signed in.
        Passed = "passed",
        /// A check failed.
        Refused = "refused",
    }
}

/// A test sign-in.
#[derive(Clone, Debug)]
pub struct SignInTest {
    /// Its id.
    pub id: SignInTestId,
    /// Who tests.
    pub administrator: String,
    /// When it was set up.
    pub created_at: Timestamp,
    /// What was proposed; none where people sign in with it already. It may be gone by now.
    pub proposal_id: Option<ProposalId>,
    /// The configuration that is tested.
    pub provider: IdentityProvider,
    /// What came of the latest answer; none before one came.
    pub result: Option<TestResult>,
}

/// What came of an answer.
#[derive(Clone, Debug)]
pub struct TestResult {
    /// When.
    pub at: Timestamp,
    /// Whether this person would be signed in.
    pub passed: bool,
    /// Every check that was made, in order.
    pub checks: Trace,
    /// The number of the HTTP request that brought the answer.
    pub request_id: String,
    /// The user that it names, where there is one.
    pub user_id: Option<UserId>,
    /// What was proved; none when nothing was.
    pub assertion: Option<ProvedAssertion>,
    /// The message, as it came: anybody may have written it.
    pub message: String,
}

/// What a verified assertion says, for the administrator to choose from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProvedAssertion {
    /// Whom it names.
    pub identity: String,
    /// The name identifier.
    pub name_id: String,
    /// Its format.
    pub name_id_format: Option<String>,
    /// The session at the identity provider.
    pub session_index: Option<String>,
    /// What else is said of the person: names and values.
    pub attributes: Vec<(String, Vec<String>)>,
}

impl From<&VerifiedAssertion> for ProvedAssertion {
    fn from(verified: &VerifiedAssertion) -> Self {
        Self {
            identity: verified.identity.clone(),
            name_id: verified.name_id.clone(),
            name_id_format: verified.name_id_format.clone(),
            session_index: verified.session_index.clone(),
            attributes: verified
                .attributes
                .iter()
                .map(|attribute| (attribute.name.clone(), attribute.values.clone()))
                .collect(),
        }
    }
}

/// Sets up a test of this configuration.
pub async fn new_test(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    draft: Draft,
) -> Result<SignInTestId, Error> {
    let present = identity_provider(tx, space).await?;
    let (provider, proposal_id) = match draft {
        Draft::Present => {
            let present = present.filter(IdentityProvider::is_complete);
            (present.ok_or(Error::NotConfigured)?, None)
        }
        Draft::Proposed(id, looked) => {
            origin_of(tx, space, id).await?;
            (drafted(act, space, looked, present)?, Some(id))
        }
    };
    let id: SignInTestId = act.new_id();
    let certificates: Vec<&str> =
        provider.certificates.iter().map(|it| it.certificate.as_str()).collect();
    sql("INSERT INTO sign_in_tests (id, space_id, administrator, created_at, proposal_id, entity_id,
                                    login_url, post_url, requests, responses, metadata,
                                    certificates)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)")
    .bind(id)
    .bind(space)
    .bind(&act.actor.name)
    .bind(act.now)
    .bind(proposal_id)
    .bind(&provider.entity_id)
    .bind(&provider.login_url)
    .bind(&provider.post_url)
    .bind(&requests::text_of(&provider.requests))
    .bind(&responses::text_of(&provider.responses))
    .bind(provider.metadata.as_deref())
    .bind(&json!(certificates))
    .execute(tx)
    .await?;
    sql("DELETE FROM sign_in_tests WHERE space_id = $1 AND id NOT IN
             (SELECT id FROM sign_in_tests WHERE space_id = $1 ORDER BY id DESC LIMIT $2)")
    .bind(space)
    .bind(MOST_TESTS)
    .execute(tx)
    .await?;
    record(tx, act, space, "sign_in_test.create", id, provider::state(&provider)).await?;
    Ok(id)
}

/// The configuration as it would be, were it approved. How requests are made and what is asked of
/// answers is as at present.
fn drafted(
    act: &Act,
    space: SpaceId,
    looked: Looked,
    present: Option<IdentityProvider>,
) -> Result<IdentityProvider, Error> {
    let text = match &looked.content {
        Content::Metadata { document, .. } => Some(document.clone()),
        Content::ByHand { .. } => None,
    };
    let metadata = looked.description(present.as_ref())?;
    let metadata = metadata.ok_or(MetadataError::SeveralIdentityProviders)?;
    if metadata.certificates.is_empty() {
        return Err(MetadataError::NoSigningCertificate.into());
    }
    let (mut requests, responses) =
        present.map(|it| (it.requests, it.responses)).unwrap_or_default();
    let post_url = metadata.post_location().unwrap_or_default().to_owned();
    requests.by_post &= !post_url.is_empty();
    requests.sign |= metadata.want_authn_requests_signed;
    Ok(IdentityProvider {
        space_id: space,
        login_url: metadata.redirect_location().unwrap_or_default().to_owned(),
        certificates: metadata.certificates.iter().map(|it| certificate(it, act.now)).collect(),
        single_logout: SingleLogout::of(&metadata),
        entity_id: metadata.entity_id,
        post_url,
        requests,
        responses,
        metadata: text,
        created_at: act.now,
        updated_at: act.now,
    })
}

fn certificate(certificate: &Certificate, now: Timestamp) -> IdpCertificate {
    IdpCertificate {
        id: CertificateId(0),
        certificate: certificate.pem(),
        fingerprint: certificate.facts().fingerprint.clone(),
        created_at: now,
    }
}

#[derive(sqlx::FromRow)]
struct TestRow {
    id: SignInTestId,
    space_id: SpaceId,
    administrator: String,
    created_at: Timestamp,
    proposal_id: Option<ProposalId>,
    entity_id: String,
    login_url: String,
    post_url: String,
    requests: Json<RequestSettings>,
    responses: Json<ResponseSettings>,
    metadata: Option<String>,
    certificates: Json<Vec<String>>,
    outcome: Option<TestOutcome>,
    checks: Option<Json<Trace>>,
    answered_at: Option<Timestamp>,
    request_id: Option<String>,
    user_id: Option<UserId>,
    assertion: Option<Json<Option<ProvedAssertion>>>,
    message: Option<String>,
}

impl TestRow {
    /// A certificate that cannot be read any more signs nothing, so it is left out.
    fn into_test(self) -> SignInTest {
        let created_at = self.created_at;
        let certificates = self.certificates.0.iter().filter_map(|pem| {
            Certificate::from_pem(pem).ok().map(|found| certificate(&found, created_at))
        });
        let provider = IdentityProvider {
            space_id: self.space_id,
            entity_id: self.entity_id,
            login_url: self.login_url,
            post_url: self.post_url,
            requests: self.requests.0,
            responses: self.responses.0,
            // A test opens no session, so none is ended.
            single_logout: SingleLogout::default(),
            metadata: self.metadata,
            certificates: certificates.collect(),
            created_at,
            updated_at: created_at,
        };
        let result = self.outcome.zip(self.answered_at).map(|(outcome, at)| TestResult {
            at,
            passed: outcome == TestOutcome::Passed,
            checks: self.checks.map(|checks| checks.0).unwrap_or_default(),
            request_id: self.request_id.unwrap_or_default(),
            user_id: self.user_id,
            assertion: self.assertion.and_then(|assertion| assertion.0),
            message: self.message.unwrap_or_default(),
        });
        let (id, administrator, proposal_id) = (self.id, self.administrator, self.proposal_id);
        SignInTest { id, administrator, created_at, proposal_id, provider, result }
    }
}

const COLUMNS: &str = "SELECT id, space_id, administrator, created_at, proposal_id, entity_id,
    login_url, post_url, requests, responses, metadata, certificates, outcome, checks, answered_at,
    request_id, user_id, assertion, message FROM sign_in_tests WHERE space_id = ";

/// A test in a space.
pub async fn test(
    tx: &mut Read,
    space: SpaceId,
    id: SignInTestId,
) -> Result<Option<SignInTest>, database::Error> {
    let mut query = sql(COLUMNS);
    query.push_bind(space).push(" AND id = ").push_bind(id);
    let row: Option<TestRow> = query.fetch_optional(tx).await?;
    Ok(row.map(TestRow::into_test))
}

/// The tests in a space, latest first.
pub async fn tests(
    tx: &mut Read,
    space: SpaceId,
    page: PageRequest,
) -> Result<Page<SignInTest>, database::Error> {
    let total = sql("SELECT COUNT(*) FROM sign_in_tests WHERE space_id = $1")
        .bind(space)
        .fetch_number(tx)
        .await?;
    let mut query = sql(COLUMNS);
    query.push_bind(space).push(" AND id < ").push_bind(page.after.unwrap_or(i64::MAX));
    query.push(" ORDER BY id DESC").push_limit(page.limit.unsigned_abs() + 1);
    let rows: Vec<TestRow> = query.fetch_all(tx).await?;
    let rows = rows.into_iter().map(TestRow::into_test).collect();
    Ok(Page::of(rows, total, page.limit, |test: &SignInTest| test.id.0))
}

/// Makes a request that belongs to a test. It matters not whether sign-in is switched on.
pub async fn begin_test(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: SignInTestId,
) -> Result<Begun, Error> {
    let SignInTest { provider, .. } = test(tx, space, id).await?.ok_or(Error::TestNotFound)?;
    // What comes of it is read at the console; no browser gets anything for it.
    let request =
        NewRequest { provider, binding_hash: [0; 32], return_to: String::new(), test: Some(id) };
    ask(tx, act, space, request).await
}

/// Takes a judged answer to a request of a test: uses the request up and writes the report.
pub async fn judge_test(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    request: &PendingRequest,
    relay_state: Option<&str>,
    outcome: response::Outcome,
    mut message: String,
) -> Result<Option<SignInTestId>, Error> {
    let Some(request) = take(tx, space, Some(request), act.now).await? else { return Ok(None) };
    let Some(id) = request.test_id else { return Ok(None) };
    let response::Outcome { mut trace, result, refused_proof } = outcome;
    let mut user = None;
    if let Ok(verified) = &result {
        request.check_relay_state(&mut trace, relay_state);
        // So that nobody who reads the report can use the message in real life.
        let fresh = remember(tx, space, &request.entity_id, verified).await?;
        let (wanted, cause) = ("an assertion not seen before", Cause::Replayed);
        trace.require(Check::Replay, fresh, cause, wanted, &verified.assertion_id);
        user = person(tx, space, verified, &mut trace).await?.ok();
    }
    if let Some(proof) = &refused_proof
        && remember(tx, space, &request.entity_id, proof).await?
    {
        alarm(tx, act, space, &id.to_string(), &trace).await?;
    }
    let passed = result.is_ok() && trace.first_failure().is_none();
    let outcome = if passed { TestOutcome::Passed } else { TestOutcome::Refused };
    if message.len() > LONGEST_MESSAGE {
        message.truncate(message.floor_char_boundary(LONGEST_MESSAGE));
    }
    // PostgreSQL has no NUL in texts.
    let message = message.replace('\0', "\u{fffd}");
    let assertion = result.as_ref().ok().map(ProvedAssertion::from);
    sql("UPDATE sign_in_tests SET outcome = $1, checks = $2, answered_at = $3, request_id = $4,
                                  user_id = $5, assertion = $6, message = $7
         WHERE id = $8 AND space_id = $9")
    .bind(outcome)
    .bind(&text_of(&trace))
    .bind(act.now)
    .bind(&act.request_id)
    .bind(user)
    .bind(&json!(assertion))
    .bind(message)
    .bind(id)
    .bind(space)
    .execute(tx)
    .await?;
    let cause = trace.first_failure().and_then(|entry| entry.cause);
    let after = json!({ "outcome": outcome.as_str(), "cause": cause });
    record(tx, act, space, "sign_in_test.answer", id, after).await?;
    Ok(Some(id))
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    id: SignInTestId,
    after: Value,
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "sign_in_test",
        object_id: &id.to_string(),
        before: Value::Null,
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}
