//! Accounts in other clouds: where they are, and what somebody has to make there by hand.

use serde_json::{Value, json};

use crate::{
    id::{ManualStepId, Uin},
    organization::{self, OtherCloud, OtherCloudAccount},
    provisioning::{self, ManualStep, Shape},
    store::Json,
    web::api::{
        actions::{ZONE_ID, action},
        authenticate::authorize_as,
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{id, time},
    },
};

const NOT_FOUND: &str = "ResourceNotFound.ManualStepNotExist";
/// The word for an account of the cloud behind us.
const BEHIND_US: &str = "Default";

pub const ACTIONS: &[Action] = &[
    action("DescribeAccountCloud", &[Field::integer("TargetUin").required()], |call| {
        Box::pin(describe(call))
    }),
    action(
        "UpdateAccountCloud",
        &[
            Field::integer("TargetUin").required(),
            Field::text("Cloud").required().rule(Rule::OneOf(&[
                BEHIND_US,
                "AWS",
                "AlibabaChina",
                "AlibabaInternational",
                "TencentChina",
                "TencentInternational",
            ])),
            Field::integer("Number"),
            Field::text("Region"),
        ],
        |call| Box::pin(update(call)),
    ),
    action("ListManualSteps", &[ZONE_ID, Field::integer("TargetUin").required()], |call| {
        Box::pin(list(call))
    }),
    action(
        "ConfirmManualStep",
        &[ZONE_ID, Field::text("ManualStepId").required(), Field::text("Fingerprint").required()],
        |call| Box::pin(confirm(call)),
    ),
];

fn uin(call: &Call) -> Uin {
    Uin(call.parameters.integer("TargetUin").unwrap_or_default())
}

fn cloud(found: Option<&OtherCloudAccount>) -> Vec<(&'static str, Value)> {
    let region = found.and_then(|found| found.region.as_deref());
    vec![
        ("Cloud", found.map_or(json!(BEHIND_US), |found| json!(found.cloud))),
        ("Number", json!(found.map_or(0, |found| found.number))),
        ("Region", json!(region.unwrap_or_default())),
    ]
}

async fn describe(call: &Call) -> Answer {
    let (uin, organization) = (uin(call), call.caller.organization.id);
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let account = organization::account(tx, organization, uin).await?;
            account.ok_or(organization::Error::AccountNotFound)?;
            Ok(organization::other_cloud(tx, uin).await?)
        })
        .await?;
    Ok(cloud(found.as_ref()).into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

async fn update(call: &Call) -> Answer {
    let (uin, organization) = (uin(call), call.caller.organization.id);
    let parameters = &call.parameters;
    let wanted = parameters.text("Cloud").parse::<OtherCloud>().ok().map(|cloud| {
        let number = parameters.integer("Number").unwrap_or_default();
        let region = parameters.optional_text("Region").map(str::to_owned);
        OtherCloudAccount { cloud, number, region }
    });
    let (db, act) = (&call.app.db, &call.act);
    let set = async |tx: &mut crate::store::Write| {
        organization::set_other_cloud(tx, act, organization, uin, wanted.as_ref()).await
    };
    db.write(set).await?;
    Ok(object([]))
}

fn shape(shape: Option<&Json<Shape>>) -> Value {
    match shape.map(|shape| &shape.0) {
        None => Value::Null,
        Some(Shape::SamlProvider { entity_id, certificates }) => {
            json!({ "EntityId": entity_id, "MetadataURL": entity_id, "Certificates": certificates })
        }
        Some(Shape::Role { session_duration, trust_policy, policies }) => {
            let policies: Vec<Value> = policies
                .iter()
                .map(|policy| {
                    json!({
                        "PolicyName": policy.name,
                        "PolicyDocument": policy.document.as_deref().unwrap_or_default(),
                    })
                })
                .collect();
            json!({
                "SessionDuration": session_duration,
                "TrustPolicyDocument": trust_policy,
                "Policies": policies,
            })
        }
    }
}

fn info(step: &ManualStep) -> Value {
    json!({
        "ManualStepId": step.id,
        "TargetUin": step.account_uin.0,
        "ObjectType": step.object_kind,
        "Name": step.name,
        "IsDone": step.is_done(),
        "Wanted": shape(step.wanted.as_ref()),
        "Made": shape(step.made.as_ref()),
        "Fingerprint": step.fingerprint(),
        "UpdateTime": time(step.updated_at),
    })
}

async fn list(call: &Call) -> Answer {
    let uin = uin(call);
    let steps = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(provisioning::manual_steps(tx, space, uin).await?)
        })
        .await?;
    let steps: Vec<Value> = steps.iter().map(info).collect();
    Ok(object([("ManualSteps", json!(steps))]))
}

/// Takes the caller's word, and tells which tasks go on.
async fn confirm(call: &Call) -> Answer {
    let step: ManualStepId = id(call.parameters.text("ManualStepId"), NOT_FOUND, "ManualStepId")?;
    let fingerprint = call.parameters.text("Fingerprint");
    // It deploys, or takes off.
    let needed = ["ProvisionRoleConfiguration", "DismantleRoleConfiguration"];
    authorize_as(&call.app, &call.act, &call.caller, "organization", &needed).await?;
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let act = &call.act;
            Ok(provisioning::confirm_manual_step(tx, act, space, step, fingerprint).await?)
        })
        .await?;
    Ok(object([("TaskIds", json!(tasks))]))
}
