//! SCIM: the switch and the tokens.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{ZONE_ID, action};
use crate::{
    credential::{self, Credential, MAX_LIFETIME, MIN_LIFETIME},
    id::CredentialId,
    space,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{STATUS, id, status, time},
    },
};

const CREDENTIAL_ID: Field = Field::text("CredentialId").required();
const TYPE: &str = "BearerToken";

pub const ACTIONS: &[Action] = &[
    action(
        "CreateSCIMCredential",
        &[
            ZONE_ID,
            Field::unsigned("ExpireDuration").rule(Rule::Within(MIN_LIFETIME, MAX_LIFETIME)),
        ],
        |call| Box::pin(create(call)),
    ),
    action("ListSCIMCredentials", &[ZONE_ID, Field::text("CredentialId")], |call| {
        Box::pin(list(call))
    }),
    action(
        "UpdateSCIMCredentialStatus",
        &[
            ZONE_ID,
            CREDENTIAL_ID,
            Field::text("NewStatus")
                .required()
                .rule(STATUS)
                .refused_as("InvalidParameter.UserScimCredentialStatusError"),
        ],
        |call| Box::pin(update_status(call)),
    ),
    action("DeleteSCIMCredential", &[ZONE_ID, CREDENTIAL_ID], |call| Box::pin(delete(call))),
    action("GetSCIMSynchronizationStatus", &[ZONE_ID], |call| Box::pin(get_switch(call))),
    action(
        "UpdateSCIMSynchronizationStatus",
        &[
            ZONE_ID,
            Field::text("SCIMSynchronizationStatus")
                .required()
                .rule(STATUS)
                .refused_as("InvalidParameter.ScimSyncStatusError"),
        ],
        |call| Box::pin(update_switch(call)),
    ),
];

fn credential_id(call: &Call) -> Result<CredentialId, Refusal> {
    let text = call.parameters.text("CredentialId");
    id(text, "InvalidParameter.ScimCredentialNotFound", "CredentialId")
}

async fn create(call: &Call) -> Answer {
    let lifetime = call.parameters.integer("ExpireDuration");
    let (made, token) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(credential::create(tx, &call.act, space.id, lifetime).await?)
        })
        .await?;
    Ok(object([
        ("ZoneId", json!(made.space_id)),
        ("CredentialId", json!(made.id)),
        ("CredentialType", json!(TYPE)),
        ("CreateTime", json!(time(made.created_at))),
        ("ExpireTime", json!(time(made.expires_at))),
        ("CredentialStatus", json!(status(made.enabled))),
        ("CredentialSecret", json!(token.expose_secret())),
    ]))
}

async fn list(call: &Call) -> Answer {
    let wanted = call.parameters.optional_text("CredentialId");
    let mut found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(credential::list(tx, space.id).await?)
        })
        .await?;
    if let Some(wanted) = wanted {
        found.retain(|credential| credential.id.to_string() == wanted);
    }
    let info = |credential: &Credential| -> Value {
        json!({
            "ZoneId": credential.space_id,
            "Status": status(credential.enabled),
            "CredentialId": credential.id,
            "CredentialType": TYPE,
            "CreateTime": time(credential.created_at),
            "ExpireTime": time(credential.expires_at),
        })
    };
    let credentials: Vec<Value> = found.iter().map(info).collect();
    Ok(object([("TotalCounts", json!(credentials.len())), ("SCIMCredentials", json!(credentials))]))
}

/// A status that the credential has already is fine: Terraform begins by stating what is.
async fn update_status(call: &Call) -> Answer {
    let enabled = call.parameters.text("NewStatus") == "Enabled";
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let credential = credential_id(call)?;
            Ok(credential::set_enabled(tx, &call.act, space, credential, enabled).await?)
        })
        .await?;
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(credential::delete(tx, &call.act, space, credential_id(call)?).await?)
        })
        .await?;
    Ok(object([]))
}

async fn get_switch(call: &Call) -> Answer {
    let space = call.app.db.read(async |tx| call.space(tx).await).await?;
    Ok(object([("SCIMSynchronizationStatus", json!(status(space.scim_enabled)))]))
}

async fn update_switch(call: &Call) -> Answer {
    let enabled = call.parameters.text("SCIMSynchronizationStatus") == "Enabled";
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(space::set_scim_enabled(tx, &call.act, &space, enabled).await?)
        })
        .await?;
    Ok(object([]))
}
