//! Tasks: how far something asked for is.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    ZONE_ID, action,
    assignment::{account_kind, principal_of},
    configuration::configuration_id,
};
use crate::{
    id::{SpaceId, TaskId, Uin},
    organization::AccountKind,
    permission,
    store::Read,
    task::{self, Filter, Kind, State, Task},
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, PRINCIPAL, TARGET, id, page, page_request, principal, target,
        },
    },
};

const NOT_FOUND: &str = "ResourceNotFound.RoleConfigurationTaskNotFound";
/// What `ListTasks` and `GetTaskStatus` know; user syncs have actions of their own.
const KINDS: [Kind; 4] = [
    Kind::ProvisionConfiguration,
    Kind::DeprovisionConfiguration,
    Kind::CreateAssignment,
    Kind::DeleteAssignment,
];

pub const ACTIONS: &[Action] = &[
    action("GetTaskStatus", &[ZONE_ID, Field::text("TaskId").required()], |call| {
        Box::pin(get_status(call))
    }),
    action(
        "ListTasks",
        &[
            ZONE_ID,
            Field::text("PrincipalId"),
            NEXT_TOKEN,
            MAX_RESULTS,
            Field::text("PrincipalType").rule(PRINCIPAL),
            Field::integer("TargetUin"),
            Field::text("TargetType").rule(TARGET),
            Field::text("RoleConfigurationId"),
            Field::text("Status").rule(Rule::OneOf(&["InProgress", "Success", "Failed"])),
            Field::text("TaskType").rule(Rule::OneOf(&[
                "ProvisionRoleConfiguration",
                "DeprovisionRoleConfiguration",
                "CreateRoleAssignment",
                "DeleteRoleAssignment",
            ])),
        ],
        |call| Box::pin(list(call)),
    ),
];

/// The API's word for how far a task is.
pub fn state(state: State) -> &'static str {
    match state {
        State::Ready | State::Running => "InProgress",
        State::Success => "Success",
        State::Failed => "Failed",
    }
}

/// Why a task failed; the reason of an attempt that will be repeated is not told yet.
pub fn reason(task: &Task) -> &str {
    match task.state {
        State::Failed => task.reason.as_deref().unwrap_or_default(),
        State::Ready | State::Running | State::Success => "",
    }
}

/// A task as `TaskInfo`.
pub async fn info(
    call: &Call,
    tx: &mut Read,
    space: SpaceId,
    id: TaskId,
) -> Result<Value, Refusal> {
    let shown = infos(call, tx, space, &[id]).await?.pop();
    Ok(shown.ok_or(task::Error::NotFound)?)
}

/// Tasks of these ids as `TaskInfo`, in the order given.
pub async fn infos(
    call: &Call,
    tx: &mut Read,
    space: SpaceId,
    ids: &[TaskId],
) -> Result<Vec<Value>, Refusal> {
    let tasks = task::get_all(tx, space, ids).await?;
    shown(call, tx, space, &tasks).await
}

/// Tasks as `TaskInfo`, in the order given.
pub async fn shown(
    call: &Call,
    tx: &mut Read,
    space: SpaceId,
    tasks: &[Task],
) -> Result<Vec<Value>, Refusal> {
    let configurations: BTreeSet<_> = tasks.iter().filter_map(|task| task.configuration).collect();
    let names = permission::configuration_names(tx, space, configurations).await?;
    let info = |task: &Task| {
        // The caller is in the management account, so any other account is a member.
        let kind = if task.account == call.caller.account.uin {
            AccountKind::Management
        } else {
            AccountKind::Member
        };
        json!({
            "TaskId": task.id,
            "RoleConfigurationId": task.configuration.map(|id| id.to_string()).unwrap_or_default(),
            "RoleConfigurationName": task
                .configuration
                .and_then(|id| names.get(&id).cloned())
                .unwrap_or_default(),
            "TargetUin": task.account.0,
            "TargetType": target(kind),
            "PrincipalId": task.principal.map(|it| it.to_string()).unwrap_or_default(),
            "PrincipalType": task.principal.map(|it| principal(it.kind())).unwrap_or_default(),
            "TaskType": task.kind.as_str(),
            "Status": state(task.state),
            "FailureReason": reason(task),
        })
    };
    Ok(tasks.iter().map(info).collect())
}

async fn get_status(call: &Call) -> Answer {
    let task = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id: TaskId = id(call.parameters.text("TaskId"), NOT_FOUND, "TaskId")?;
            let task = task::get(tx, space, id).await?;
            let task = task.filter(|task| KINDS.contains(&task.kind));
            Ok(task.ok_or(task::Error::NotFound)?)
        })
        .await?;
    Ok(object([("TaskStatus", status(&task))]))
}

/// A task as `TaskStatus`.
pub fn status(task: &Task) -> Value {
    json!({
        "Status": state(task.state),
        "TaskId": task.id,
        "TaskType": task.kind.as_str(),
        "FailureReason": reason(task),
    })
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let configuration = match parameters.optional_text("RoleConfigurationId") {
        None => None,
        Some(_) => Some(configuration_id(call)?),
    };
    let kinds: Vec<Kind> = match parameters.optional_text("TaskType") {
        None => KINDS.to_vec(),
        Some(word) => KINDS.into_iter().filter(|kind| kind.as_str() == word).collect(),
    };
    let states = match parameters.optional_text("Status") {
        Some("InProgress") => vec![State::Ready, State::Running],
        Some("Success") => vec![State::Success],
        Some(_) => vec![State::Failed],
        None => Vec::new(),
    };
    // The one management account is the caller's.
    let management = call.caller.account.uin;
    let target = parameters.integer("TargetUin").map(Uin);
    let (account, other_than_account) = match account_kind(parameters) {
        Some(AccountKind::Management) if target.is_none() => (Some(management), None),
        Some(AccountKind::Management) => (target, target.filter(|target| *target != management)),
        Some(AccountKind::Member) => (target, Some(management)),
        None => (target, None),
    };
    let filter = Filter {
        principal: principal_of(parameters)?,
        principal_kind: super::principal_kind(parameters),
        account,
        other_than_account,
        configuration,
        states,
        kinds,
    };
    let (found, shown) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = task::list(tx, space, &filter, wanted).await?;
            let shown = shown(call, tx, space, &found.rows).await?;
            Ok((found, shown))
        })
        .await?;
    let mut shown = shown.into_iter();
    Ok(page("Tasks", found, wanted.limit, |_| shown.next().unwrap_or_default()))
}
