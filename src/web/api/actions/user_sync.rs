//! User syncs: directory identities that have a CAM user in an account.

use serde_json::{Value, json};

use super::{
    ZONE_ID, action,
    assignment::{account_kind, check_targets, principal_of},
    task,
};
use crate::{
    id::{SpaceId, TaskId, Uin, UserSyncId},
    permission::AssignmentState,
    provisioning::{
        self, DeletionStrategy, DuplicationStrategy, MOST_SYNCS_PER_CALL, NewUserSync, UserSync,
        UserSyncChange, UserSyncFilter,
    },
    store::Read,
    task::{Kind, Task},
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Parameters, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, PRINCIPAL, TARGET, id, page, page_request, principal, status,
            target, time,
        },
    },
};

const SYNC_ID: Field = Field::text("UserProvisioningId").required();
const TASK_NOT_FOUND: &str = "ResourceNotFound.UserProvisioningTaskNotFound";

const DUPLICATION: Rule = Rule::OneOf(&["KeepBoth", "TakeOver"]);
const DELETION: Rule = Rule::OneOf(&["Delete", "Keep"]);

pub const ITEM: &[Field] = &[
    Field::text("Description"),
    Field::text("PrincipalId").required(),
    Field::text("PrincipalType").required().rule(PRINCIPAL),
    Field::integer("TargetUin").required(),
    Field::text("DuplicationStrategy").rule(DUPLICATION),
    Field::text("DeletionStrategy").rule(DELETION),
    Field::text("TargetType").required().rule(TARGET),
];

pub const ACTIONS: &[Action] = &[
    action(
        "CreateUserSyncProvisioning",
        &[ZONE_ID, Field::objects("UserSyncProvisionings", ITEM).required()],
        |call| Box::pin(create(call)),
    ),
    action("GetUserSyncProvisioning", &[ZONE_ID, SYNC_ID], |call| Box::pin(get(call))),
    action(
        "ListUserSyncProvisionings",
        &[
            ZONE_ID,
            Field::text("PrincipalId"),
            NEXT_TOKEN,
            MAX_RESULTS,
            Field::text("PrincipalType").rule(PRINCIPAL),
            Field::integer("TargetUin"),
            Field::text("TargetType").rule(TARGET),
            Field::text("Filter"),
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "UpdateUserSyncProvisioning",
        &[
            ZONE_ID,
            SYNC_ID,
            Field::text("NewDescription"),
            // Spelled so in the reference.
            Field::text("NewDuplicationStateful").rule(DUPLICATION),
            Field::text("NewDeletionStrategy").rule(DELETION),
        ],
        |call| Box::pin(update(call)),
    ),
    action("DeleteUserSyncProvisioning", &[ZONE_ID, SYNC_ID], |call| Box::pin(delete(call))),
    action("GetProvisioningTaskStatus", &[ZONE_ID, Field::text("TaskId").required()], |call| {
        Box::pin(task_status(call))
    }),
];

fn sync_id(call: &Call) -> Result<UserSyncId, Refusal> {
    let text = call.parameters.text("UserProvisioningId");
    id(text, "ResourceNotFound.UserProvisioningNotFound", "UserProvisioningId")
}

pub fn new_sync(item: &Parameters) -> Result<NewUserSync, Refusal> {
    let principal = principal_of(item)?.ok_or_else(|| {
        Refusal::new("InvalidParameter.ParamError", "The parameter `PrincipalId` is empty.")
    })?;
    Ok(NewUserSync {
        principal,
        account: Uin(item.integer("TargetUin").unwrap_or_default()),
        description: item.text("Description").to_owned(),
        duplication: duplication(item, "DuplicationStrategy")
            .unwrap_or(DuplicationStrategy::KeepBoth),
        deletion: deletion(item, "DeletionStrategy").unwrap_or(DeletionStrategy::Keep),
    })
}

/// The words are ours too, and the table lets no other through.
fn duplication(parameters: &Parameters, name: &str) -> Option<DuplicationStrategy> {
    parameters.optional_text(name)?.parse().ok()
}

fn deletion(parameters: &Parameters, name: &str) -> Option<DeletionStrategy> {
    parameters.optional_text(name)?.parse().ok()
}

async fn create(call: &Call) -> Answer {
    let items = call.parameters.objects("UserSyncProvisionings");
    let limit = call.app.settings.limits.per_call.min(MOST_SYNCS_PER_CALL);
    if items.len() > limit {
        return Err(Refusal::new(
            "LimitExceeded.CreateUserSyncProvisioningLimitExceeded",
            format!(
                "The parameter `UserSyncProvisionings` has at most {limit} entries, and this one \
                 has {}.",
                items.len()
            ),
        ));
    }
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let new = items.iter().map(new_sync).collect::<Result<Vec<_>, _>>()?;
            let targets: Vec<_> =
                items.iter().zip(&new).map(|(item, sync)| (item, sync.account)).collect();
            check_targets(call, tx, &targets).await?;
            let made = provisioning::create_user_syncs(tx, &call.act, space, &new, limit).await?;
            let tasks: Vec<TaskId> = made.iter().map(|item| item.task).collect();
            let tasks = crate::task::get_all(tx, space, &tasks).await?;
            // A duplicate's task is about the sync that was there.
            let pairs: Vec<_> = new.iter().map(|sync| (sync.principal, sync.account)).collect();
            let syncs = provisioning::user_syncs_between(tx, space, &pairs).await?;
            Ok(tasks
                .iter()
                .zip(&syncs)
                .map(|(task, sync)| task_info(task, sync))
                .collect::<Vec<_>>())
        })
        .await?;
    Ok(object([("Tasks", json!(tasks))]))
}

/// A task as `UserProvisioningsTask`.
fn task_info(task: &Task, sync: &UserSync) -> Value {
    json!({
        "TaskId": task.id,
        "TargetUin": sync.account_uin.0,
        "TargetType": target(sync.account_kind),
        "TaskType": task.kind.as_str(),
        "TaskStatus": task::state(task.state),
        "UserProvisioningId": sync.id,
        "PrincipalId": sync.principal().to_string(),
        "PrincipalType": principal(sync.principal_kind),
        "PrincipalName": sync.principal_name,
        "DuplicationStrategy": sync.duplication_strategy,
        "DeletionStrategy": sync.deletion_strategy,
    })
}

async fn find_task(tx: &mut Read, space: SpaceId, id: TaskId) -> Result<Task, Refusal> {
    let task = crate::task::get(tx, space, id).await?;
    let of_syncs = |task: &Task| matches!(task.kind, Kind::StartUserSync | Kind::DeleteUserSync);
    task.filter(of_syncs).ok_or_else(|| {
        Refusal::new(TASK_NOT_FOUND, "The parameter `TaskId` names no task of a user sync.")
    })
}

fn info(sync: &UserSync) -> Value {
    json!({
        "UserProvisioningId": sync.id,
        "Description": sync.description,
        "Status": status(sync.state == AssignmentState::Active),
        "PrincipalId": sync.principal().to_string(),
        "PrincipalName": sync.principal_name,
        "PrincipalType": principal(sync.principal_kind),
        "TargetUin": sync.account_uin.0,
        "TargetName": sync.account_name,
        "DuplicationStrategy": sync.duplication_strategy,
        "DeletionStrategy": sync.deletion_strategy,
        "CreateTime": time(sync.created_at),
        "UpdateTime": time(sync.updated_at),
        "TargetType": target(sync.account_kind),
    })
}

async fn get(call: &Call) -> Answer {
    let sync = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let sync = provisioning::user_sync(tx, space, sync_id(call)?).await?;
            Ok(sync.ok_or(provisioning::Error::UserSyncNotFound)?)
        })
        .await?;
    Ok(object([("UserProvisioning", info(&sync))]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = UserSyncFilter {
        principal: principal_of(parameters)?,
        principal_kind: super::principal_kind(parameters),
        reaching: None,
        account: parameters.integer("TargetUin").map(Uin),
        account_kind: account_kind(parameters),
        search: parameters.optional_text("Filter").map(str::to_owned),
        account_search: None,
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(provisioning::user_syncs(tx, space, &filter, wanted).await?)
        })
        .await?;
    Ok(page("UserProvisionings", found, wanted.limit, |sync| info(&sync)))
}

async fn update(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let change = UserSyncChange {
        description: parameters.given_text("NewDescription").map(str::to_owned),
        deletion: deletion(parameters, "NewDeletionStrategy"),
        duplication: duplication(parameters, "NewDuplicationStateful"),
    };
    let may = call.app.settings.administration.change_conflict_policies;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = sync_id(call)?;
            Ok(provisioning::update_user_sync(tx, &call.act, space, id, &change, may).await?)
        })
        .await?;
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    let task = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = sync_id(call)?;
            let sync = provisioning::user_sync(tx, space, id).await?;
            let sync = sync.ok_or(provisioning::Error::UserSyncNotFound)?;
            let task = provisioning::delete_user_sync(tx, &call.act, space, id).await?;
            Ok(task_info(&find_task(tx, space, task).await?, &sync))
        })
        .await?;
    // An object, where CreateUserSyncProvisioning has a list: so the reference has it.
    Ok(object([("Tasks", task)]))
}

async fn task_status(call: &Call) -> Answer {
    let task = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id: TaskId = id(call.parameters.text("TaskId"), TASK_NOT_FOUND, "TaskId")?;
            find_task(tx, space, id).await
        })
        .await?;
    Ok(object([("TaskStatus", task::status(&task))]))
}
