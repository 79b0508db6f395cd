//! What administrators do about themselves: their API keys, their password, their sessions; and who
//! the others are.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::{
    cloud::{self, CamPrincipal, CamUser, management},
    web::api::{
        actions::action,
        call::{Access, Action, Answer, Call, Run, object},
        fields::{Field, PARAM_ERROR, Rule},
        refusal::Refusal,
        shape::{status, time},
    },
};

const KEY_ID: Field = Field::text("AccessKeyId").required();

pub const ACTIONS: &[Action] = &[
    action("ListAdministrators", &[], |call| Box::pin(administrators(call))),
    action("ListOwnAccessKeys", &[], |call| Box::pin(keys(call))),
    action("CreateOwnAccessKey", &[Field::text("Description")], |call| Box::pin(create_key(call))),
    action(
        "UpdateOwnAccessKey",
        &[KEY_ID, Field::text("Status").required().rule(Rule::OneOf(&["Active", "Inactive"]))],
        |call| Box::pin(update_key(call)),
    ),
    action("DeleteOwnAccessKey", &[KEY_ID], |call| Box::pin(delete_key(call))),
    oneself(
        "UpdateOwnPassword",
        &[Field::text("OldPassword").required(), Field::text("NewPassword").required()],
        |call| Box::pin(change_password(call)),
    ),
    oneself("ListOwnConsoleSessions", &[], |call| Box::pin(sessions(call))),
    oneself("EndOwnConsoleSessions", &[], |call| Box::pin(end_sessions(call))),
];

/// A row for everybody who has a key: it is about nobody but them.
const fn oneself(name: &'static str, fields: &'static [Field], run: Run) -> Action {
    Action { name, access: Access::AnyCredential, fields, run }
}

/// Whoever calls; temporary credentials are nobody's own.
fn own(call: &Call) -> Result<&CamUser, Refusal> {
    match &call.caller.principal {
        CamPrincipal::User(user) => Ok(user),
        CamPrincipal::Role(_) | CamPrincipal::Federated(_) => Err(Refusal::new(
            "FailedOperation",
            "Temporary credentials have no keys, password and sessions of their own.",
        )),
    }
}

async fn administrators(call: &Call) -> Answer {
    let account = call.caller.account.uin;
    let found = call.app.db.read(async |tx| cloud::administrators(tx, account).await).await?;
    let rows = found.iter().map(|one| {
        json!({
            "Uin": one.user.uin.0,
            "Name": one.user.name,
            "IsRoot": one.user.is_root,
            "MayChange": one.is_full(),
            "Status": status(!one.user.blocked),
            "Remark": one.user.remark,
            "AccessKeyCount": one.keys,
            "LastLoginTime": one.last_login_at.map(time).unwrap_or_default(),
            "LastLoginAddress": one.last_login_address.as_deref().unwrap_or_default(),
            "CreateTime": time(one.user.created_at),
        })
    });
    Ok(object([("TotalCounts", json!(found.len())), ("Administrators", rows.collect())]))
}

fn key_status(enabled: bool) -> &'static str {
    if enabled { "Active" } else { "Inactive" }
}

async fn keys(call: &Call) -> Answer {
    let user = own(call)?;
    let found = call.app.db.read(async |tx| management::access_keys(tx, user).await).await?;
    let keys: Vec<Value> = found
        .iter()
        .map(|key| {
            json!({
                "AccessKeyId": key.secret_id,
                "Status": key_status(key.enabled),
                "Description": key.description,
                "CreateTime": time(key.created_at),
            })
        })
        .collect();
    Ok(object([("AccessKeys", json!(keys))]))
}

/// The secret half is told here and never again.
async fn create_key(call: &Call) -> Answer {
    let user = own(call)?;
    let key = cloud::new_access_key(&call.app.sealer)?;
    let description = call.parameters.text("Description");
    call.app
        .db
        .write(async |tx| {
            management::create_access_key(tx, &call.act, user, &key, description).await
        })
        .await?;
    Ok(object([
        ("AccessKeyId", json!(key.secret_id)),
        ("SecretAccessKey", json!(*key.secret_key)),
        ("Status", json!(key_status(true))),
        ("CreateTime", json!(time(call.act.now))),
        ("Description", json!(description)),
    ]))
}

async fn update_key(call: &Call) -> Answer {
    let (user, id) = (own(call)?, call.parameters.text("AccessKeyId"));
    let enabled = call.parameters.text("Status") == "Active";
    call.app
        .db
        .write(async |tx| {
            management::set_access_key_enabled(tx, &call.act, user, id, enabled).await
        })
        .await?;
    Ok(object([]))
}

async fn delete_key(call: &Call) -> Answer {
    let (user, id) = (own(call)?, call.parameters.text("AccessKeyId"));
    call.app
        .db
        .write(async |tx| management::delete_access_key(tx, &call.act, user, id).await)
        .await?;
    Ok(object([]))
}

/// The old password is asked for, and guessing it is met with a pause as at the console.
async fn change_password(call: &Call) -> Answer {
    let user = own(call)?;
    let secret = |name: &str| Zeroizing::new(call.parameters.text(name).to_owned());
    let new = management::new_password(Some(&secret("NewPassword")))?;
    let changed =
        cloud::password::replace(&call.app.db, &call.act, user, secret("OldPassword"), new).await?;
    if changed {
        Ok(object([]))
    } else {
        Err(Refusal::new(PARAM_ERROR, "The parameter `OldPassword` is not the password."))
    }
}

async fn sessions(call: &Call) -> Answer {
    let (user, now) = (own(call)?.uin, call.act.now);
    let found = call.app.db.read(async |tx| cloud::console_sessions(tx, user, now).await).await?;
    let rows = found.iter().map(|one| {
        json!({
            "StartTime": time(one.created_at),
            "LastUseTime": time(one.last_used_at),
            "EndTime": time(one.expires_at),
        })
    });
    Ok(object([("TotalCounts", json!(found.len())), ("ConsoleSessions", rows.collect())]))
}

async fn end_sessions(call: &Call) -> Answer {
    let user = own(call)?;
    let ended = call
        .app
        .db
        .write(async |tx| cloud::end_console_sessions(tx, &call.act, user).await)
        .await?;
    Ok(object([("EndedCount", json!(ended))]))
}
