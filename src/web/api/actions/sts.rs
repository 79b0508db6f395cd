//! STS: who am I?

use serde_json::json;

use crate::web::api::call::{Access, Action, Answer, Call, object};

pub const ACTIONS: &[Action] = &[Action {
    name: "GetCallerIdentity",
    access: Access::AnyCredential,
    fields: &[],
    run: |call| Box::pin(get_caller_identity(call)),
}];

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
