//! What is deployed, what would be, and how far it is with taking it off.

use serde_json::{Value, json};

use crate::{
    id::Uin,
    permission::{self, Content, ContentPolicy, Difference, PolicyKind},
    web::api::{
        actions::{
            ZONE_ID, action,
            assignment::check_target,
            configuration::{CONFIGURATION_ID, configuration_id},
        },
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
        shape::{TARGET, principal},
    },
};

/// One configuration on one account.
const PLACE: &[Field] = &[
    ZONE_ID,
    CONFIGURATION_ID,
    Field::text("TargetType").required().rule(TARGET),
    Field::integer("TargetUin").required(),
];

pub const ACTIONS: &[Action] = &[
    action("DescribeDeploymentDifference", PLACE, |call| Box::pin(difference(call))),
    action("DescribeUndeployment", PLACE, |call| Box::pin(undeployment(call))),
];

fn account(call: &Call) -> Uin {
    Uin(call.parameters.integer("TargetUin").unwrap_or_default())
}

fn policies(all: &[ContentPolicy]) -> Vec<Value> {
    let shown = |policy: &ContentPolicy| {
        let kind = match policy.kind {
            PolicyKind::Preset => "System",
            PolicyKind::Custom => "Custom",
        };
        let document = policy.document.as_deref().unwrap_or_default();
        json!({
            "RolePolicyType": kind,
            "RolePolicyName": policy.name,
            "RolePolicyDocument": document,
        })
    };
    all.iter().map(shown).collect()
}

/// What a redeployment would change (PC-16, DPL-08): nothing exactly where it is not outdated.
async fn difference(call: &Call) -> Answer {
    let account = account(call);
    let (deployment, current) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            check_target(call, tx, &call.parameters, account).await?;
            let id = configuration_id(call)?;
            let found = permission::configuration(tx, space, id).await?;
            let found = found.ok_or(permission::Error::ConfigurationNotFound)?;
            let policies = permission::policies(tx, id).await?;
            let deployment = permission::deployment(tx, space, id, account).await?;
            let deployment = deployment.ok_or(permission::Error::DeploymentNotFound)?;
            Ok((deployment, permission::content(found.session_duration, &policies)))
        })
        .await?;
    let deployed = deployment.deployed_content.as_deref().and_then(Content::from_text);
    let difference = Difference::between(&deployed.unwrap_or_default(), &current);
    let (old, new) = difference.session_duration.unwrap_or_default();
    Ok(object([
        ("DeployedVersion", json!(deployment.deployed_version.unwrap_or_default())),
        ("CurrentVersion", json!(deployment.current_version)),
        ("IsOutdated", json!(deployment.is_outdated)),
        ("AddedPolicies", json!(policies(&difference.added))),
        ("RemovedPolicies", json!(policies(&difference.removed))),
        ("ChangedPolicies", json!(policies(&difference.changed))),
        ("IsSessionDurationChanged", json!(difference.session_duration.is_some())),
        ("DeployedSessionDuration", json!(old)),
        ("CurrentSessionDuration", json!(new)),
    ]))
}

/// How far it is with taking a configuration off an account (DPL-09).
async fn undeployment(call: &Call) -> Answer {
    let account = account(call);
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            check_target(call, tx, &call.parameters, account).await?;
            let id = configuration_id(call)?;
            if permission::configuration(tx, space, id).await?.is_none() {
                return Err(permission::Error::ConfigurationNotFound.into());
            }
            Ok(permission::undeployment(tx, space, id, account).await?)
        })
        .await?;
    let named = found.named.iter().map(|(who, name)| {
        json!({
            "PrincipalId": who.to_string(),
            "PrincipalType": principal(who.kind()),
            "PrincipalName": name,
        })
    });
    Ok(object([
        ("Stage", json!(found.stage)),
        ("UserCount", json!(found.users)),
        ("GroupCount", json!(found.groups)),
        ("Principals", named.collect()),
        ("RemovingCount", json!(found.removing)),
        ("FailureReason", json!(found.reason.unwrap_or_default())),
    ]))
}
