//! Access keys of CAM users.

use serde_json::{Value, json};

use super::account;
use crate::{
    cloud::{
        self, CamUser,
        management::{self, Error, Kind},
    },
    store::Read,
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::time,
        subject::Subject,
    },
};

const TARGET: Field = Field::unsigned("TargetUin");
const OWNER: Subject = Subject::User("TargetUin");
const ID: Field = Field::text("AccessKeyId").required();

pub const ACTIONS: &[Action] = &[
    action_on("CreateAccessKey", OWNER, &[TARGET, Field::text("Description")], |call| {
        Box::pin(create(call))
    }),
    action_on("ListAccessKeys", OWNER, &[TARGET], |call| Box::pin(list(call))),
    action_on(
        "UpdateAccessKey",
        OWNER,
        &[ID, Field::text("Status").required().rule(Rule::OneOf(&["Active", "Inactive"])), TARGET],
        |call| Box::pin(update(call)),
    ),
    action_on("DeleteAccessKey", OWNER, &[ID, TARGET], |call| Box::pin(delete(call))),
];

/// Whose keys a call is about.
async fn owner(tx: &mut Read, call: &Call) -> Result<CamUser, Refusal> {
    let target = call.parameters.integer("TargetUin");
    match management::key_owner(tx, &call.caller.principal, target).await {
        // The reference has a word of its own here.
        Err(Error::NotFound(Kind::User)) => Err(Refusal::new(
            "InvalidParameter.UserNotExist",
            format!("The parameter `TargetUin` names nobody in the account {}.", account(call)),
        )),
        other => Ok(other?),
    }
}

fn status(enabled: bool) -> &'static str {
    if enabled { "Active" } else { "Inactive" }
}

async fn create(call: &Call) -> Answer {
    let key = cloud::new_access_key(&call.app.sealer)?;
    let description = call.parameters.text("Description");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let user = owner(tx, call).await?;
            let act = &call.act;
            Ok(management::create_access_key(tx, act, &user, &key, description).await?)
        })
        .await?;
    let made = json!({
        "AccessKeyId": key.secret_id,
        "SecretAccessKey": *key.secret_key,
        "Status": status(true),
        "CreateTime": time(call.act.now),
        "Description": description,
    });
    Ok(object([("AccessKey", made)]))
}

async fn list(call: &Call) -> Answer {
    let keys = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let user = owner(tx, call).await?;
            Ok(management::access_keys(tx, &user).await?)
        })
        .await?;
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "AccessKeyId": key.secret_id,
                "Status": status(key.enabled),
                "CreateTime": time(key.created_at),
                "Description": key.description,
            })
        })
        .collect();
    Ok(object([("AccessKeys", json!(keys))]))
}

async fn update(call: &Call) -> Answer {
    let enabled = call.parameters.text("Status") == "Active";
    let id = call.parameters.text("AccessKeyId");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let user = owner(tx, call).await?;
            Ok(management::set_access_key_enabled(tx, &call.act, &user, id, enabled).await?)
        })
        .await?;
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    let id = call.parameters.text("AccessKeyId");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let user = owner(tx, call).await?;
            Ok(management::delete_access_key(tx, &call.act, &user, id).await?)
        })
        .await?;
    Ok(object([]))
}
