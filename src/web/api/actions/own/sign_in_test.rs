//! Test sign-ins (SSO-17): the whole way with a configuration that affects nobody, and the report.

use serde_json::{Value, json};

use super::proposal::{certificate, proposal_id, proposed};
use crate::{
    id::SignInTestId,
    saml::{
        certificate::Certificate,
        trace::{Entry, Verdict},
    },
    sso::{self, BundleSubject, Draft, Looked, ProvedAssertion, SignInTest, TestResult},
    web::{
        api::{
            actions::{ZONE_ID, action},
            call::{Action, Answer, Call, object},
            fields::Field,
            refusal::Refusal,
            shape::{MAX_RESULTS, NEXT_TOKEN, id, page, page_request, time},
        },
        saml::send::{Sent, written},
    },
};

const NOT_FOUND: &str = "ResourceNotFound.SignInTestNotExist";
const TEST_ID: Field = Field::text("SignInTestId").required();

pub const ACTIONS: &[Action] = &[
    action("CreateSignInTest", &[ZONE_ID, Field::text("ProposalId")], |call| {
        Box::pin(create(call))
    }),
    action("StartSignInTest", &[ZONE_ID, TEST_ID], |call| Box::pin(start(call))),
    action("ListSignInTests", &[ZONE_ID, NEXT_TOKEN, MAX_RESULTS], |call| Box::pin(list(call))),
    action("DescribeSignInTest", &[ZONE_ID, TEST_ID], |call| Box::pin(describe(call))),
    action("DescribeSignInTestBundle", &[ZONE_ID, TEST_ID], |call| Box::pin(bundle(call))),
];

fn test_id(call: &Call) -> Result<SignInTestId, Refusal> {
    id(call.parameters.text("SignInTestId"), NOT_FOUND, "SignInTestId")
}

/// What was refused, with the parameter that it is about.
fn refused(error: sso::Error) -> Refusal {
    let is_gone = matches!(error, sso::Error::TestNotFound);
    let refusal = Refusal::from(error);
    if is_gone { refusal.naming("SignInTestId") } else { refusal }
}

/// A test of what is proposed, or of what people sign in with.
async fn create(call: &Call) -> Answer {
    let draft = match call.parameters.optional_text("ProposalId") {
        None => Draft::Present,
        Some(text) => {
            let id = proposal_id(text)?;
            let (_, proposal) = proposed(call, id).await?;
            Draft::Proposed(id, Looked::at(proposal.content().clone(), call.act.now).await?)
        }
    };
    let id = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::new_test(tx, &call.act, space, draft).await?)
        })
        .await?;
    Ok(object([("SignInTestId", json!(id))]))
}

/// What a browser is to do: go to `Url`, or post to it what is told beside it.
async fn start(call: &Call) -> Answer {
    let id = test_id(call)?;
    let (space, begun) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let begun = sso::begin_test(tx, &call.act, space, id).await.map_err(refused)?;
            Ok((space, begun))
        })
        .await?;
    let relay_state = begun.relay_state.clone();
    let (method, url, message, relay_state) =
        match written(&call.app, space, begun, call.act.now).await? {
            Sent::Redirect(url) => ("GET", url, String::new(), String::new()),
            Sent::Post { action, message } => ("POST", action, message, relay_state),
        };
    Ok(object([
        ("Method", json!(method)),
        ("Url", json!(url)),
        ("SAMLRequest", json!(message)),
        ("RelayState", json!(relay_state)),
    ]))
}

fn outcome(result: Option<&TestResult>) -> &'static str {
    match result {
        None => "Waiting",
        Some(result) if result.passed => "Passed",
        Some(_) => "Refused",
    }
}

/// What a list tells of a test.
fn info(test: &SignInTest) -> Value {
    json!({
        "SignInTestId": test.id,
        "CreatedBy": test.administrator,
        "CreateTime": time(test.created_at),
        "ProposalId": test.proposal_id.map(|it| it.to_string()).unwrap_or_default(),
        "EntityId": test.provider.entity_id,
        "Outcome": outcome(test.result.as_ref()),
        "AnswerTime": test.result.as_ref().map(|it| time(it.at)).unwrap_or_default(),
    })
}

async fn list(call: &Call) -> Answer {
    let wanted = page_request(&call.parameters)?;
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::tests(tx, space, wanted).await?)
        })
        .await?;
    Ok(page("SignInTests", found, wanted.limit, |test| info(&test)))
}

pub(super) fn check(entry: &Entry) -> Value {
    let verdict = match entry.verdict {
        Verdict::Passed => "Passed",
        Verdict::Failed => "Failed",
        Verdict::NotApplicable => "NotApplicable",
    };
    json!({
        "Check": entry.check.name(),
        "Verdict": verdict,
        "Cause": entry.cause.map(crate::saml::cause::Cause::name).unwrap_or_default(),
        "Wanted": entry.wanted,
        "Received": entry.received,
    })
}

fn assertion(proved: &ProvedAssertion) -> Value {
    let attributes = proved.attributes.iter();
    let attributes = attributes.map(|(name, values)| json!({ "Name": name, "Values": values }));
    json!({
        "Identity": proved.identity,
        "NameId": proved.name_id,
        "NameIdFormat": proved.name_id_format.as_deref().unwrap_or_default(),
        "SessionIndex": proved.session_index.as_deref().unwrap_or_default(),
        "Attributes": attributes.collect::<Vec<_>>(),
    })
}

fn report(result: &TestResult) -> Value {
    json!({
        "Checks": result.checks.entries().iter().map(check).collect::<Vec<_>>(),
        "CausedBy": result.request_id,
        "UserId": result.user_id.map(|it| it.to_string()).unwrap_or_default(),
        "Assertion": result.assertion.as_ref().map(assertion),
        "Message": result.message,
    })
}

/// The test that a call names, and whether what it is about waits for its approval still.
async fn found(call: &Call) -> Result<(SignInTest, bool), Refusal> {
    let id = test_id(call)?;
    call.app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let test = sso::test(tx, space, id).await?;
            let test = test.ok_or_else(|| refused(sso::Error::TestNotFound))?;
            let waits = match test.proposal_id {
                Some(id) => sso::proposal(tx, space, id).await?.is_some(),
                None => false,
            };
            Ok((test, waits))
        })
        .await
}

async fn describe(call: &Call) -> Answer {
    let (test, waits) = found(call).await?;
    let certificates = test.provider.certificates.iter();
    let certificates = certificates.filter_map(|it| Certificate::from_pem(&it.certificate).ok());
    Ok(object([
        ("SignInTest", info(&test)),
        ("LoginUrl", json!(test.provider.way().address())),
        ("Certificates", certificates.map(|it| certificate(&it)).collect()),
        ("IsProposalWaiting", json!(waits)),
        ("Report", test.result.as_ref().map_or(Value::Null, report)),
    ]))
}

/// What may be handed to others to ask why a sign-in failed: names are masked in it.
async fn bundle(call: &Call) -> Answer {
    let (test, _) = found(call).await?;
    let name = test.id.to_string();
    let subject = BundleSubject::of_test(&test, &name).ok_or_else(|| {
        Refusal::new("FailedOperation.SignInTestNotAnswered", "No answer has come to this test.")
    })?;
    let bundle = sso::bundle(&call.app.settings, &test.provider, subject);
    Ok(object([("Bundle", json!(bundle.to_string()))]))
}
