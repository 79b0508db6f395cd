//! Roles of an account.

use serde_json::{Value, json};

use super::{
    PAGE, ROLE_ID, ROLE_NAME, RP, SWITCH, TAGS, THE_ROLE, account, tag_list, tags, window,
};
use crate::{
    cloud::{
        RoleKind,
        management::{self, Deletion, Error, Kind, NewRole, Role, RoleChange, Which},
    },
    store::Read,
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
        shape::time,
        subject::{Subject, which_role},
    },
};

pub const ACTIONS: &[Action] = &[
    action_on(
        "CreateRole",
        Subject::NewRole("RoleName"),
        &[
            Field::text("RoleName").required(),
            Field::text("PolicyDocument").required(),
            Field::text("Description"),
            Field::unsigned("ConsoleLogin").rule(SWITCH),
            Field::unsigned("SessionDuration"),
            TAGS,
        ],
        |call| Box::pin(create(call)),
    ),
    action_on("GetRole", THE_ROLE, &[ROLE_ID, ROLE_NAME], |call| Box::pin(get(call))),
    action_on(
        "DescribeRoleList",
        Subject::Everything,
        &[PAGE.required(), RP.required(), TAGS],
        |call| Box::pin(list(call)),
    ),
    action_on("DeleteRole", THE_ROLE, &[ROLE_ID, ROLE_NAME], |call| Box::pin(delete(call))),
    action_on(
        "UpdateAssumeRolePolicy",
        THE_ROLE,
        &[Field::text("PolicyDocument").required(), ROLE_ID, ROLE_NAME],
        |call| {
            Box::pin(update(call, RoleChange::TrustPolicy(call.parameters.text("PolicyDocument"))))
        },
    ),
    action_on(
        "UpdateRoleDescription",
        THE_ROLE,
        &[Field::text("Description").required(), ROLE_ID, ROLE_NAME],
        |call| Box::pin(update(call, RoleChange::Description(call.parameters.text("Description")))),
    ),
    action_on(
        "UpdateRoleConsoleLogin",
        THE_ROLE,
        &[
            Field::integer("ConsoleLogin").required().rule(SWITCH),
            Field::integer("RoleId"),
            ROLE_NAME,
        ],
        |call| {
            let may = call.parameters.integer("ConsoleLogin") == Some(1);
            Box::pin(update(call, RoleChange::ConsoleLogin(may)))
        },
    ),
    action_on(
        "UpdateRoleSessionDuration",
        THE_ROLE,
        &[Field::unsigned("SessionDuration").required(), ROLE_NAME, Field::unsigned("RoleId")],
        |call| {
            let seconds = call.parameters.integer("SessionDuration").unwrap_or_default();
            Box::pin(update(call, RoleChange::SessionDuration(seconds)))
        },
    ),
    action_on(
        "PutRolePermissionsBoundary",
        THE_ROLE,
        &[Field::integer("PolicyId").required(), ROLE_ID, ROLE_NAME],
        |call| Box::pin(put_boundary(call)),
    ),
    action_on("TagRole", THE_ROLE, &[TAGS.required(), ROLE_NAME, ROLE_ID], |call| {
        Box::pin(tag(call))
    }),
    action_on(
        "UntagRole",
        THE_ROLE,
        &[Field::texts("TagKeys").required(), ROLE_NAME, ROLE_ID],
        |call| Box::pin(untag(call)),
    ),
];

/// The role that a call names.
pub fn which(call: &Call) -> Which<'_> {
    which_role(&call.parameters, "RoleId", "RoleName")
}

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let tags = tags(parameters)?;
    let new = NewRole {
        name: parameters.text("RoleName"),
        trust_policy: parameters.text("PolicyDocument"),
        description: parameters.text("Description"),
        console_login: parameters.integer("ConsoleLogin") == Some(1),
        session_duration: parameters.integer("SessionDuration").unwrap_or_default(),
        tags: &tags,
    };
    let role = call
        .app
        .db
        .write(async |tx| management::create_role(tx, &call.act, account(call), new).await)
        .await?;
    Ok(object([("RoleId", json!(role.id.0.to_string()))]))
}

fn info(role: &Role, deletions: &[Deletion]) -> Value {
    let kind = match role.kind {
        RoleKind::User => "user",
        RoleKind::System => "system",
        RoleKind::ServiceLinked => "service_linked",
    };
    let deletion = deletions.iter().rev().find(|deletion| deletion.role_name == role.name);
    json!({
        "RoleId": role.id.0.to_string(),
        "RoleName": role.name,
        "PolicyDocument": role.trust_policy,
        "Description": role.description,
        "AddTime": time(role.created_at),
        "UpdateTime": time(role.updated_at),
        "ConsoleLogin": i64::from(role.console_login),
        "RoleType": kind,
        "SessionDuration": role.session_duration,
        "DeletionTaskId": deletion.map_or_else(String::new, |deletion| deletion.id.to_string()),
        "Tags": tag_list(&role.tags.0),
        "RoleArn": role.arn(),
    })
}

/// The vain deletions of an account; only a product's role can have one.
async fn deletions(tx: &mut Read, call: &Call, roles: &[Role]) -> Result<Vec<Deletion>, Error> {
    if roles.iter().any(|role| role.kind == RoleKind::ServiceLinked) {
        management::failed_deletions(tx, account(call)).await
    } else {
        Ok(Vec::new())
    }
}

async fn get(call: &Call) -> Answer {
    let (role, deletions) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let role = management::role(tx, account(call), which(call)).await?;
            let role = role.ok_or(Error::NotFound(Kind::Role))?;
            let deletions = deletions(tx, call, std::slice::from_ref(&role)).await?;
            Ok((role, deletions))
        })
        .await?;
    Ok(object([("RoleInfo", info(&role, &deletions))]))
}

async fn list(call: &Call) -> Answer {
    let wanted = tags(&call.parameters)?;
    let (offset, limit) = window(&call.parameters);
    let (total, roles, deletions) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let (total, roles) =
                management::roles(tx, account(call), &wanted, offset, limit).await?;
            let deletions = deletions(tx, call, &roles).await?;
            Ok((total, roles, deletions))
        })
        .await?;
    let list: Vec<Value> = roles.iter().map(|role| info(role, &deletions)).collect();
    Ok(object([("List", json!(list)), ("TotalNum", json!(total))]))
}

async fn delete(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| management::delete_role(tx, &call.act, account(call), which(call)).await)
        .await?;
    Ok(object([]))
}

async fn update(call: &Call, change: RoleChange<'_>) -> Answer {
    call.app
        .db
        .write(async |tx| {
            management::update_role(tx, &call.act, account(call), which(call), change).await
        })
        .await?;
    Ok(object([]))
}

async fn put_boundary(call: &Call) -> Answer {
    let policy = call.parameters.integer("PolicyId").unwrap_or_default();
    let put = call
        .app
        .db
        .write(async |tx| {
            management::set_boundary(tx, &call.act, account(call), which(call), policy).await
        })
        .await;
    match put {
        // The reference has a word of its own for a product's role.
        Err(Error::BuiltIn) => Err(Refusal::new(
            "InvalidParameter.ServiceLinkedRoleCantUsePermissionBoundary",
            "The role is the cloud's own and cannot have a boundary.",
        )),
        other => {
            other?;
            Ok(object([]))
        }
    }
}

async fn tag(call: &Call) -> Answer {
    let tags = tags(&call.parameters)?;
    call.app
        .db
        .write(async |tx| {
            management::tag_role(tx, &call.act, account(call), which(call), &tags).await
        })
        .await?;
    Ok(object([]))
}

async fn untag(call: &Call) -> Answer {
    let keys = call.parameters.texts("TagKeys");
    call.app
        .db
        .write(async |tx| {
            management::untag_role(tx, &call.act, account(call), which(call), &keys).await
        })
        .await?;
    Ok(object([]))
}
