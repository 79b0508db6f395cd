//! What came to the doors: attempts to sign in, logouts that were refused, and what directories sent.

use serde_json::{Value, json};

use super::sign_in_test::check;
use crate::{
    audit::unproved::Counted,
    id::{AttemptId, GroupId, PrincipalKind, ScimRequestId, UserId},
    recorder::{self, Recorded, Search},
    saml::cause::Cause,
    sso::{self, Attempt, AttemptSearch, BundleSubject, Outcome},
    web::api::{
        actions::{ZONE_ID, action},
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR, Rule},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, page, page_request, principal, time},
    },
};

const ATTEMPT_ID: Field = Field::text("SignInAttemptId").required();

pub const ACTIONS: &[Action] = &[
    action(
        "ListSignInAttempts",
        &[
            ZONE_ID,
            Field::text("Keyword"),
            Field::text("Outcome").rule(Rule::OneOf(&["Accepted", "SignedIn", "Refused"])),
            Field::text("Cause"),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(attempts(call)),
    ),
    action("DescribeSignInAttempt", &[ZONE_ID, ATTEMPT_ID], |call| Box::pin(attempt(call))),
    action("DescribeSignInAttemptBundle", &[ZONE_ID, ATTEMPT_ID], |call| Box::pin(bundle(call))),
    action("ListRefusedLogouts", &[ZONE_ID], |call| Box::pin(logouts(call))),
    action(
        "ListSCIMRequests",
        &[
            ZONE_ID,
            Field::text("PrincipalType").rule(Rule::OneOf(&["User", "Group"])),
            Field::text("PrincipalId"),
            Field::text("PrincipalName"),
            Field::text("Outcome").rule(Rule::OneOf(&["Done", "Refused"])),
            Field::text("Method").rule(Rule::OneOf(&["GET", "POST", "PUT", "PATCH", "DELETE"])),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(requests(call)),
    ),
    action("DescribeSCIMRequest", &[ZONE_ID, Field::text("SCIMRequestId").required()], |call| {
        Box::pin(request(call))
    }),
];

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "Accepted",
        Outcome::SignedIn => "SignedIn",
        Outcome::Refused => "Refused",
    }
}

/// What a list tells of an attempt. The name is one that a verified response gave, or empty.
fn attempt_info(attempt: &Attempt) -> Value {
    let cause = attempt.checks().first_failure().and_then(|entry| entry.cause);
    json!({
        "SignInAttemptId": attempt.id,
        "Time": time(attempt.at),
        "Outcome": outcome(attempt.outcome),
        "Cause": cause.map(Cause::name).unwrap_or_default(),
        "UserId": attempt.user_id.map(|it| it.to_string()).unwrap_or_default(),
        "NameId": attempt.name_id.as_deref().unwrap_or_default(),
        "CausedBy": attempt.request_id,
        "Address": attempt.address.as_deref().unwrap_or_default(),
    })
}

async fn attempts(call: &Call) -> Answer {
    let (parameters, wanted) = (&call.parameters, page_request(&call.parameters)?);
    let cause = match parameters.optional_text("Cause") {
        None => None,
        Some(name) => Some(serde_json::from_value::<Cause>(name.into()).map_err(|_| {
            Refusal::new(PARAM_ERROR, "The parameter `Cause` is no cause that a report names.")
        })?),
    };
    let search = AttemptSearch {
        text: parameters.optional_text("Keyword").map(str::to_owned),
        outcome: match parameters.text("Outcome") {
            "Accepted" => Some(Outcome::Accepted),
            "SignedIn" => Some(Outcome::SignedIn),
            "Refused" => Some(Outcome::Refused),
            _ => None,
        },
        cause,
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::attempts(tx, space, &search, wanted).await?)
        })
        .await?;
    Ok(page("SignInAttempts", found, wanted.limit, |one| attempt_info(&one)))
}

/// The attempt that a call names, and the identity provider of today.
async fn found(call: &Call) -> Result<(Attempt, Option<sso::IdentityProvider>), Refusal> {
    const NOT_FOUND: &str = "ResourceNotFound.SignInAttemptNotExist";
    let id: AttemptId = id(call.parameters.text("SignInAttemptId"), NOT_FOUND, "SignInAttemptId")?;
    call.app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let attempt = sso::attempt_of(tx, space, id).await?.ok_or_else(|| {
                Refusal::new(NOT_FOUND, "The parameter `SignInAttemptId` names nothing.")
            })?;
            Ok((attempt, sso::identity_provider(tx, space).await?))
        })
        .await
}

async fn attempt(call: &Call) -> Answer {
    let (attempt, _) = found(call).await?;
    let checks: Vec<Value> = attempt.checks().entries().iter().map(check).collect();
    Ok(object([("SignInAttempt", attempt_info(&attempt)), ("Checks", json!(checks))]))
}

/// What may be handed to others to ask why a sign-in failed: names are masked in it.
async fn bundle(call: &Call) -> Answer {
    let (attempt, provider) = found(call).await?;
    let provider = provider.ok_or_else(|| {
        Refusal::new(
            "ResourceNotFound.SAMLIdentityProviderNotFound",
            "There is no identity provider any more.",
        )
    })?;
    let name = attempt.id.to_string();
    let subject = BundleSubject::of_attempt(&attempt, &name);
    let bundle = sso::bundle(&call.app.settings, &provider, subject);
    Ok(object([("Bundle", json!(bundle.to_string()))]))
}

/// Logout messages that were refused at one check and proved nothing: how often, and the latest.
fn refused_logout(counted: &Counted) -> Value {
    let text = |name: &str| {
        let value = counted.detail().pointer("/failed/0").and_then(|first| first.get(name));
        value.and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    json!({
        "Check": counted.cause,
        "Wanted": text("wanted"),
        "Received": text("received"),
        "Times": counted.times,
        "LastTime": time(counted.last_at),
        "CausedBy": counted.request_id,
        "Address": counted.address.as_deref().unwrap_or_default(),
    })
}

async fn logouts(call: &Call) -> Answer {
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::refused_logouts(tx, space).await?)
        })
        .await?;
    let rows: Vec<Value> = found.iter().map(refused_logout).collect();
    Ok(object([("TotalCounts", json!(rows.len())), ("RefusedLogouts", json!(rows))]))
}

/// The number of whom a request was about, as the other actions have it.
fn subject_id(request: &Recorded) -> String {
    match (request.subject_kind, request.subject_id) {
        (Some(PrincipalKind::User), Some(id)) => UserId(id).to_string(),
        (Some(PrincipalKind::Group), Some(id)) => GroupId(id).to_string(),
        (None, _) | (_, None) => String::new(),
    }
}

/// What a list tells of a directory's request.
fn request_info(request: &Recorded) -> Value {
    let outcome = match request.outcome() {
        recorder::Outcome::Done => "Done",
        recorder::Outcome::Refused => "Refused",
    };
    json!({
        "SCIMRequestId": request.id,
        "Time": time(request.at),
        "CredentialId": request.credential_id,
        "Method": request.method,
        "Path": request.path,
        "Query": request.query.as_deref().unwrap_or_default(),
        "Outcome": outcome,
        "HttpStatus": request.status,
        "ScimType": request.scim_type.as_deref().unwrap_or_default(),
        "Detail": request.detail.as_deref().unwrap_or_default(),
        "PrincipalType": request.subject_kind.map(principal).unwrap_or_default(),
        "PrincipalId": subject_id(request),
        "PrincipalName": request.subject_name.as_deref().unwrap_or_default(),
        "CausedBy": request.request_id,
        "Address": request.address.as_deref().unwrap_or_default(),
    })
}

/// The latest first. How many there are in all is not told: counting them would mean looking at
/// every one.
async fn requests(call: &Call) -> Answer {
    let (parameters, wanted) = (&call.parameters, page_request(&call.parameters)?);
    let subject = match parameters.optional_text("PrincipalId") {
        None => None,
        Some(text) => {
            let user = text.parse::<UserId>().map(|id| id.0).ok();
            let number = user.or_else(|| text.parse::<GroupId>().map(|id| id.0).ok());
            let nothing =
                || Refusal::new(PARAM_ERROR, "The parameter `PrincipalId` names nothing.");
            Some(number.ok_or_else(nothing)?)
        }
    };
    let search = Search {
        kind: match parameters.text("PrincipalType") {
            "User" => Some(PrincipalKind::User),
            "Group" => Some(PrincipalKind::Group),
            _ => None,
        },
        id: subject,
        name: parameters.optional_text("PrincipalName").map(str::to_owned),
        outcome: match parameters.text("Outcome") {
            "Done" => Some(recorder::Outcome::Done),
            "Refused" => Some(recorder::Outcome::Refused),
            _ => None,
        },
        method: parameters.optional_text("Method").map(str::to_owned),
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(recorder::search(tx, space, &search, wanted).await?)
        })
        .await?;
    let mut answer = page("SCIMRequests", found, wanted.limit, |one| request_info(&one));
    answer.remove("TotalCounts");
    Ok(answer)
}

/// One of them with its body, in which what is secret is redacted.
async fn request(call: &Call) -> Answer {
    const NOT_FOUND: &str = "ResourceNotFound.SCIMRequestNotExist";
    let id: ScimRequestId = id(call.parameters.text("SCIMRequestId"), NOT_FOUND, "SCIMRequestId")?;
    let request = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            recorder::find(tx, space, id).await?.ok_or_else(|| {
                Refusal::new(NOT_FOUND, "The parameter `SCIMRequestId` names nothing.")
            })
        })
        .await?;
    let audit_ids: Vec<String> = request.audit_ids().iter().map(ToString::to_string).collect();
    Ok(object([
        ("SCIMRequest", request_info(&request)),
        ("Client", json!(request.client.as_deref().unwrap_or_default())),
        ("Body", json!(request.body.as_deref().unwrap_or_default())),
        ("BodyLength", json!(request.body_length)),
        ("AuditRecordIds", json!(audit_ids)),
    ]))
}
