//! Which policies roles and CAM users have.

use serde_json::{Value, json};

use super::{PAGE, ROLE_ID, ROLE_NAME, RP, THE_ROLE, account, cut, policy::kind, role::which};
use crate::{
    cloud::management::{self, Attached, Error, Kind},
    store::Read,
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::time,
        subject::{Subject, which_role},
    },
};

const POLICY_ID: Field = Field::unsigned("PolicyId");

pub const ACTIONS: &[Action] = &[
    action_on(
        "AttachRolePolicy",
        Subject::Role { id: "AttachRoleId", name: "AttachRoleName" },
        &[
            POLICY_ID,
            Field::text("AttachRoleId"),
            Field::text("AttachRoleName"),
            Field::text("PolicyName"),
        ],
        |call| Box::pin(attach_role(call)),
    ),
    action_on(
        "DetachRolePolicy",
        Subject::Role { id: "DetachRoleId", name: "DetachRoleName" },
        &[
            POLICY_ID,
            Field::text("DetachRoleId"),
            Field::text("DetachRoleName"),
            Field::text("PolicyName"),
        ],
        |call| Box::pin(detach_role(call)),
    ),
    action_on(
        "ListAttachedRolePolicies",
        THE_ROLE,
        &[
            PAGE.required(),
            RP.required(),
            ROLE_ID,
            ROLE_NAME,
            Field::text("PolicyType").rule(Rule::OneOf(&["User", "QCS"])),
            Field::text("Keyword").rule(Rule::Characters(128)),
        ],
        |call| Box::pin(list_of_role(call)),
    ),
    action_on(
        "AttachUserPolicy",
        Subject::User("AttachUin"),
        &[POLICY_ID.required(), Field::unsigned("AttachUin").required()],
        |call| Box::pin(attach_user(call)),
    ),
    action_on(
        "DetachUserPolicy",
        Subject::User("DetachUin"),
        &[POLICY_ID.required(), Field::unsigned("DetachUin").required()],
        |call| Box::pin(detach_user(call)),
    ),
    action_on(
        "ListAttachedUserPolicies",
        Subject::User("TargetUin"),
        &[Field::unsigned("TargetUin").required(), PAGE, RP],
        |call| Box::pin(list_of_user(call)),
    ),
];

/// The policy that a call names: by number, by name, or by both.
async fn policy_id(tx: &mut Read, call: &Call) -> Result<i64, Refusal> {
    let (id, name) =
        (call.parameters.integer("PolicyId"), call.parameters.optional_text("PolicyName"));
    let Some(name) = name else {
        return Ok(id.ok_or(Error::Unnamed(Kind::Policy))?);
    };
    let found = management::policy_named(tx, account(call), name).await?;
    let found = found.map(|policy| policy.id()).filter(|found| id.is_none_or(|id| id == *found));
    found.ok_or_else(|| {
        Refusal::new(
            "InvalidParameter.PolicyNameError",
            "The parameter `PolicyName` names no policy of the account, or not the one of \
             `PolicyId`.",
        )
    })
}

async fn attach_role(call: &Call) -> Answer {
    let which = which_role(&call.parameters, "AttachRoleId", "AttachRoleName");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let policy = policy_id(tx, call).await?;
            let account = account(call);
            Ok(management::attach_role_policy(tx, &call.act, account, which, policy).await?)
        })
        .await?;
    Ok(object([]))
}

async fn detach_role(call: &Call) -> Answer {
    let which = which_role(&call.parameters, "DetachRoleId", "DetachRoleName");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let policy = policy_id(tx, call).await?;
            let account = account(call);
            Ok(management::detach_role_policy(tx, &call.act, account, which, policy).await?)
        })
        .await?;
    Ok(object([]))
}

async fn list_of_role(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let mut attached = call
        .app
        .db
        .read(async |tx| management::attached_to_role(tx, account(call), which(call)).await)
        .await?;
    if let Some(kind) = parameters.optional_text("PolicyType") {
        attached.retain(|policy| policy.is_preset == (kind == "QCS"));
    }
    let keyword = parameters.text("Keyword").to_ascii_lowercase();
    attached.retain(|policy| policy.name.to_ascii_lowercase().contains(&keyword));
    let total = attached.len();
    let list: Vec<Value> = cut(parameters, attached)
        .iter()
        .map(|policy| {
            json!({
                "PolicyId": policy.id,
                "PolicyName": policy.name,
                "AddTime": time(policy.attached_at),
                "PolicyType": policy_type(policy),
                "CreateMode": 2,
                "Deactived": 0,
                "DeactivedDetail": [],
                "Description": policy.description,
            })
        })
        .collect();
    Ok(object([("List", json!(list)), ("TotalNum", json!(total))]))
}

fn policy_type(policy: &Attached) -> &'static str {
    if policy.is_preset { "QCS" } else { "User" }
}

async fn attach_user(call: &Call) -> Answer {
    let (policy, user) = pair(call, "AttachUin");
    call.app
        .db
        .write(async |tx| {
            management::attach_user_policy(tx, &call.act, account(call), user, policy).await
        })
        .await?;
    Ok(object([]))
}

async fn detach_user(call: &Call) -> Answer {
    let (policy, user) = pair(call, "DetachUin");
    call.app
        .db
        .write(async |tx| {
            management::detach_user_policy(tx, &call.act, account(call), user, policy).await
        })
        .await?;
    Ok(object([]))
}

fn pair(call: &Call, user: &str) -> (i64, i64) {
    let number = |name| call.parameters.integer(name).unwrap_or_default();
    (number("PolicyId"), number(user))
}

async fn list_of_user(call: &Call) -> Answer {
    let user = call.parameters.integer("TargetUin").unwrap_or_default();
    let attached = call
        .app
        .db
        .read(async |tx| management::attached_to_user(tx, account(call), user).await)
        .await?;
    let total = attached.len();
    let owner = account(call).to_string();
    let list: Vec<Value> = cut(&call.parameters, attached)
        .iter()
        .map(|policy| {
            json!({
                "PolicyId": policy.id,
                "PolicyName": policy.name,
                "AddTime": time(policy.attached_at),
                "CreateMode": kind(policy.is_preset),
                "PolicyType": policy_type(policy),
                "Remark": policy.description,
                "OperateOwnerUin": owner,
                "OperateUin": owner,
                "OperateUinType": 0,
                "Deactived": 0,
                "DeactivedDetail": [],
            })
        })
        .collect();
    Ok(object([("TotalNum", json!(total)), ("List", json!(list))]))
}
