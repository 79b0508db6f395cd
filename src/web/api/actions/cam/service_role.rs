//! Roles that belong to a product.

use serde_json::json;

use super::{ROLE_NAME, TAGS, account, tags};
use crate::{
    cloud::{SERVICE_LINKED_ROLE, management},
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        subject::Subject,
    },
};

pub const ACTIONS: &[Action] = &[
    action_on(
        "CreateServiceLinkedRole",
        Subject::Everything,
        &[
            Field::texts("QCSServiceName").required().rule(Rule::Entries(1)),
            Field::text("CustomSuffix").rule(Rule::Characters(64)),
            Field::text("Description"),
            TAGS,
        ],
        |call| Box::pin(create(call)),
    ),
    action_on(
        "DeleteServiceLinkedRole",
        Subject::Role { id: "RoleId", name: "RoleName" },
        &[ROLE_NAME.required()],
        |call| Box::pin(delete(call)),
    ),
    action_on(
        "GetServiceLinkedRoleDeletionStatus",
        Subject::Everything,
        &[Field::text("DeletionTaskId").required()],
        |call| Box::pin(status(call)),
    ),
];

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let tags = tags(parameters)?;
    let services = parameters.texts("QCSServiceName");
    let service = services.first().copied().unwrap_or_default();
    let role = call
        .app
        .db
        .write(async |tx| {
            management::create_service_linked_role(
                tx,
                &call.act,
                account(call),
                service,
                parameters.optional_text("CustomSuffix"),
                parameters.text("Description"),
                &tags,
            )
            .await
        })
        .await?;
    Ok(object([("RoleId", json!(role.id.0.to_string()))]))
}

async fn delete(call: &Call) -> Answer {
    let name = call.parameters.text("RoleName");
    let deletion = call
        .app
        .db
        .write(async |tx| {
            management::delete_service_linked_role(tx, &call.act, account(call), name).await
        })
        .await?;
    Ok(object([("DeletionTaskId", json!(deletion.id.to_string()))]))
}

async fn status(call: &Call) -> Answer {
    let id = call.parameters.text("DeletionTaskId").parse().map_err(|_| {
        Refusal::new(
            "InvalidParameter.DeletionTaskNotExist",
            "The parameter `DeletionTaskId` names no deletion.",
        )
    })?;
    let found =
        call.app.db.read(async |tx| management::deletion(tx, account(call), id).await).await?;
    let status = if found.reason.is_empty() { "SUCCEEDED" } else { "FAILED" };
    let of_identity_center = found.role_name.starts_with(SERVICE_LINKED_ROLE);
    let service = if of_identity_center { "cic.cloud.tencent.com" } else { "" };
    Ok(object([
        ("Status", json!(status)),
        ("Reason", json!(found.reason)),
        ("ServiceType", json!(service)),
        ("ServiceName", json!("Identity Center")),
    ]))
}
