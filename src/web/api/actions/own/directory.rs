//! Users and groups by hand, where the public API falls short: several users at once (USR-02,
//! USR-03), and handing somebody over to the directory (SCIM-17).

use serde_json::{Map, Value, json};

use crate::{
    directory::{self, OnRefusal, Principal},
    web::api::{
        actions::{
            ZONE_ID, action,
            user::{info, new_user},
        },
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
        shape::{PRINCIPAL, STATUS, id},
    },
};

/// One of the users to make.
const NEW_USER: &[Field] = &[
    Field::text("UserName").required(),
    Field::text("FirstName"),
    Field::text("LastName"),
    Field::text("DisplayName"),
    Field::text("Description"),
    Field::text("Email"),
    Field::text("UserStatus").rule(STATUS),
];

const PRINCIPAL_ID: Field = Field::text("PrincipalId").required();
const PRINCIPAL_TYPE: Field = Field::text("PrincipalType").required().rule(PRINCIPAL);

pub const ACTIONS: &[Action] = &[
    action(
        "CreateUsers",
        &[ZONE_ID, Field::objects("Users", NEW_USER).required(), Field::boolean("AllOrNothing")],
        |call| Box::pin(create(call)),
    ),
    action("DescribeAdoption", &[ZONE_ID, PRINCIPAL_ID, PRINCIPAL_TYPE], |call| {
        Box::pin(adoption(call))
    }),
    action(
        "AdoptPrincipal",
        &[ZONE_ID, PRINCIPAL_ID, PRINCIPAL_TYPE, Field::text("AdoptionDigest").required()],
        |call| Box::pin(adopt(call)),
    ),
];

/// Every row has an outcome, in the order of the rows; with `AllOrNothing` one refusal refuses the
/// call.
async fn create(call: &Call) -> Answer {
    let new: Vec<_> = call.parameters.objects("Users").iter().map(new_user).collect();
    let on_refusal = if call.parameters.is_true("AllOrNothing") {
        OnRefusal::MakeNone
    } else {
        OnRefusal::MakeTheOthers
    };
    let limit = call.app.settings.limits.users;
    let outcomes = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(directory::create_users(tx, &call.act, space, &new, limit, on_refusal).await?)
        })
        .await?;
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let results = new.iter().zip(outcomes).map(|(new, outcome)| match outcome {
        Ok(user) => json!({
            "UserName": user.user_name,
            "UserInfo": info(&user, false),
            "ErrorCode": "",
            "ErrorMessage": "",
        }),
        Err(error) => {
            let (code, message) = Refusal::from(error).code_and_message();
            json!({
                "UserName": new.user_name,
                "UserInfo": Value::Null,
                "ErrorCode": code,
                "ErrorMessage": message,
            })
        }
    });
    Ok(object([("CreatedCount", json!(made)), ("Results", results.collect())]))
}

/// The user or group that a call is about.
fn principal(call: &Call) -> Result<Principal, Refusal> {
    let (text, field) = (call.parameters.text("PrincipalId"), "PrincipalId");
    Ok(match call.parameters.text("PrincipalType") {
        "Group" => Principal::Group(id(text, "InvalidParameter.GroupNotExist", field)?),
        _ => Principal::User(id(text, "ResourceNotFound.UserNotExist", field)?),
    })
}

fn shown(adoption: &directory::Adoption) -> Map<String, Value> {
    object([
        ("UserIds", json!(adoption.users)),
        ("GroupIds", json!(adoption.groups)),
        ("AdoptionDigest", json!(adoption.digest())),
    ])
}

/// Who would be handed over to the directory together.
async fn adoption(call: &Call) -> Answer {
    let principal = principal(call)?;
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(directory::adoption(tx, space, principal).await?)
        })
        .await?;
    Ok(shown(&found))
}

/// Hands over exactly those who were shown.
async fn adopt(call: &Call) -> Answer {
    let principal = principal(call)?;
    let seen = call.parameters.text("AdoptionDigest");
    let handed_over = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(directory::adopt(tx, &call.act, &space, principal, seen).await?)
        })
        .await?;
    Ok(shown(&handed_over))
}
