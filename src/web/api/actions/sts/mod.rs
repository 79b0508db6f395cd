//! STS: who am I, and temporary credentials.

pub mod saml;

use serde_json::{Map, Value, json};

use crate::{
    cloud::{
        NewRoleSession,
        management::{self, Error},
        sts::{self, RoleArn, Wish},
    },
    web::api::{
        actions::action_on,
        call::{Access, Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR},
        refusal::Refusal,
        subject::Subject,
    },
};

/// How long federated credentials last that nobody gave a duration, in seconds.
const USUAL_FEDERATION: i64 = 1_800;
const TAG: &[Field] = &[Field::text("Key").required(), Field::text("Value").required()];

pub const ACTIONS: &[Action] = &[
    Action {
        name: "GetCallerIdentity",
        access: Access::AnyCredential,
        fields: &[],
        run: |call| Box::pin(get_caller_identity(call)),
    },
    action_on(
        "AssumeRole",
        Subject::RoleArn("RoleArn"),
        &[
            Field::text("RoleArn").required(),
            Field::text("RoleSessionName").required(),
            Field::unsigned("DurationSeconds"),
            Field::text("Policy"),
            Field::text("ExternalId"),
            Field::objects("Tags", TAG),
            Field::text("SourceIdentity"),
            Field::text("SerialNumber"),
            Field::text("TokenCode"),
        ],
        |call| Box::pin(assume_role(call)),
    ),
    action_on(
        "GetFederationToken",
        Subject::Everything,
        &[
            Field::text("Name").required(),
            Field::text("Policy").required(),
            Field::unsigned("DurationSeconds"),
        ],
        |call| Box::pin(get_federation_token(call)),
    ),
    action_on("QueryApiKey", Subject::User("TargetUin"), &[Field::unsigned("TargetUin")], |call| {
        Box::pin(query_api_key(call))
    }),
];

#[expect(clippy::unused_async, reason = "a row of the table")]
async fn get_caller_identity(call: &Call) -> Answer {
    let identity = call.caller.principal.identity();
    Ok(object([
        ("Arn", json!(identity.arn)),
        ("AccountId", json!(identity.account.to_string())),
        ("UserId", json!(identity.user_id)),
        ("PrincipalId", json!(identity.principal_id)),
        ("Type", json!(identity.kind)),
    ]))
}

/// Temporary credentials as they are told, once.
fn credentials(session: &NewRoleSession) -> Map<String, Value> {
    let [token, secret_key] = [&*session.token, &*session.secret_key];
    let ends = session.expires_at.to_jiff();
    object([
        (
            "Credentials",
            json!({
                "Token": token,
                "TmpSecretId": session.secret_id,
                "TmpSecretKey": secret_key,
            }),
        ),
        ("ExpiredTime", json!(ends.as_second())),
        ("Expiration", json!(ends.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())),
    ])
}

async fn assume_role(call: &Call) -> Answer {
    let parameters = &call.parameters;
    if ["SerialNumber", "TokenCode"].iter().any(|it| parameters.optional_text(it).is_some()) {
        return Err(Refusal::new(
            "FailedOperation.MFATypeNotSupported",
            "The parameters `SerialNumber` and `TokenCode` are not supported: nobody has a device.",
        ));
    }
    let role: RoleArn = parameters.text("RoleArn").parse()?;
    let given = parameters.objects("Tags");
    let pairs = given.iter().map(|tag| (tag.text("Key"), tag.text("Value")));
    let tags = management::check_tags(pairs).map_err(sts::Error::from)?;
    let wish = Wish {
        role: &role,
        session_name: parameters.text("RoleSessionName"),
        seconds: parameters.integer("DurationSeconds"),
        policy: parameters.optional_text("Policy"),
        external_id: parameters.optional_text("ExternalId"),
        tags: &tags,
        source_identity: parameters.optional_text("SourceIdentity"),
    };
    let (app, principal) = (&call.app, &call.caller.principal);
    let session = app
        .db
        .write(async |tx| sts::assume_role(tx, &call.act, &app.sealer, principal, wish).await)
        .await?;
    Ok(credentials(&session))
}

async fn get_federation_token(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let seconds = parameters.integer("DurationSeconds").unwrap_or(USUAL_FEDERATION);
    let [name, policy] = ["Name", "Policy"].map(|name| parameters.text(name));
    let (app, principal) = (&call.app, &call.caller.principal);
    let session = app
        .db
        .write(async |tx| {
            sts::federate(tx, &call.act, &app.sealer, principal, name, policy, seconds).await
        })
        .await?;
    Ok(credentials(&session))
}

/// The keys of a CAM user: 2 is one that signs, 3 one that is switched off.
async fn query_api_key(call: &Call) -> Answer {
    let keys = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let target = call.parameters.integer("TargetUin");
            let owner = management::key_owner(tx, &call.caller.principal, target).await;
            // CAM has a word for each of these, STS one for all.
            let user = owner.map_err(|error| match error {
                Error::NotFound(_) | Error::RootsKeys | Error::Unnamed(_) => Refusal::new(
                    PARAM_ERROR,
                    "The parameter `TargetUin` names nobody whose keys the caller may see.",
                ),
                other => other.into(),
            })?;
            Ok(management::access_keys(tx, &user).await?)
        })
        .await?;
    let keys: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "SecretId": key.secret_id,
                "CreateTime": key.created_at.as_second(),
                "Status": if key.enabled { 2 } else { 3 },
            })
        })
        .collect();
    Ok(object([("IdKeys", json!(keys))]))
}
