//! Assignments, and where configurations are deployed.

use serde_json::{Value, json};

use super::{
    ZONE_ID, action,
    configuration::{configuration_id, limits},
    task,
};
use crate::{
    directory::Principal,
    id::{ConfigurationId, SpaceId, TaskId, Uin},
    organization::{self, AccountKind},
    permission::{
        self, Assignment, AssignmentFilter, Deployment, DeploymentFilter, DeploymentStatus,
        RemovalStrategy, Triple,
    },
    provisioning,
    store::{Page, Read},
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Parameters, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, PRINCIPAL, TARGET, id, page, page_request, principal, target,
            time,
        },
    },
};

/// One assignment, or what could become one.
pub const ITEM: &[Field] = &[
    Field::text("PrincipalId").required(),
    Field::text("PrincipalType").required().rule(PRINCIPAL),
    Field::integer("TargetUin").required(),
    Field::text("TargetType").required().rule(TARGET),
    Field::text("RoleConfigurationId").required(),
];

pub const ACTIONS: &[Action] = &[
    action(
        "CreateRoleAssignment",
        &[ZONE_ID, Field::objects("RoleAssignmentInfo", ITEM).required()],
        |call| Box::pin(create(call)),
    ),
    action(
        "ListRoleAssignments",
        &[
            ZONE_ID,
            Field::text("RoleConfigurationId"),
            MAX_RESULTS,
            NEXT_TOKEN,
            Field::text("TargetType").rule(TARGET),
            Field::integer("TargetUin"),
            Field::text("PrincipalType").rule(PRINCIPAL),
            Field::text("PrincipalId"),
            Field::text("Filter"),
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "DeleteRoleAssignment",
        &[
            ZONE_ID,
            Field::text("RoleConfigurationId").required(),
            Field::text("TargetType").required().rule(TARGET),
            Field::integer("TargetUin").required(),
            Field::text("PrincipalType").required().rule(PRINCIPAL),
            Field::text("PrincipalId").required(),
            Field::text("DeprovisionStrategy")
                .rule(Rule::OneOf(&["DeprovisionForLastRoleAssignmentOnAccount", "None"])),
        ],
        |call| Box::pin(delete(call)),
    ),
    action(
        "ListRoleConfigurationProvisionings",
        &[
            ZONE_ID,
            Field::text("RoleConfigurationId"),
            MAX_RESULTS,
            NEXT_TOKEN,
            Field::text("TargetType").rule(TARGET),
            Field::integer("TargetUin"),
            Field::text("DeploymentStatus").rule(Rule::OneOf(&[
                "Deployed",
                "DeployedRequired",
                "DeployFailed",
            ])),
            Field::text("Filter"),
        ],
        |call| Box::pin(list_deployments(call)),
    ),
    action("ProvisionRoleConfiguration", DEPLOYMENT, |call| Box::pin(provision(call))),
    action("DismantleRoleConfiguration", DEPLOYMENT, |call| Box::pin(dismantle(call))),
];

/// One configuration on one account.
const DEPLOYMENT: &[Field] = &[
    ZONE_ID,
    Field::text("RoleConfigurationId").required(),
    Field::text("TargetType").required().rule(TARGET),
    Field::integer("TargetUin").required(),
];

/// The identity that `PrincipalType` and `PrincipalId` name; none when no id is given.
pub fn principal_of(parameters: &Parameters) -> Result<Option<Principal>, Refusal> {
    let Some(text) = parameters.optional_text("PrincipalId") else { return Ok(None) };
    let user = || id(text, "ResourceNotFound.UserNotExist", "PrincipalId").map(Principal::User);
    let group = || id(text, "InvalidParameter.GroupNotExist", "PrincipalId").map(Principal::Group);
    match parameters.optional_text("PrincipalType") {
        Some("Group") => group(),
        Some(_) => user(),
        None => user().or_else(|_| group()),
    }
    .map(Some)
}

/// The kind of account that `TargetType` names.
pub fn account_kind(parameters: &Parameters) -> Option<AccountKind> {
    match parameters.optional_text("TargetType") {
        Some("ManagerUin") => Some(AccountKind::Management),
        Some(_) => Some(AccountKind::Member),
        None => None,
    }
}

fn optional_configuration(call: &Call) -> Result<Option<ConfigurationId>, Refusal> {
    match call.parameters.optional_text("RoleConfigurationId") {
        None => Ok(None),
        Some(_) => configuration_id(call).map(Some),
    }
}

/// What an [`ITEM`] names.
pub fn triple(parameters: &Parameters) -> Result<Triple, Refusal> {
    // The table requires the id, so there is a principal.
    let principal = principal_of(parameters)?.ok_or_else(|| {
        Refusal::new("InvalidParameter.ParamError", "The parameter `PrincipalId` is empty.")
    })?;
    Ok(Triple {
        principal,
        account: Uin(parameters.integer("TargetUin").unwrap_or_default()),
        configuration: id(
            parameters.text("RoleConfigurationId"),
            "InvalidParameter.RoleConfigurationNotExist",
            "RoleConfigurationId",
        )?,
    })
}

/// `TargetType` must say what the account is: whoever means a member does not mean us.
pub async fn check_target(
    call: &Call,
    tx: &mut Read,
    parameters: &Parameters,
    account: Uin,
) -> Result<(), Refusal> {
    check_targets(call, tx, &[(parameters, account)]).await
}

/// Each `TargetType` must say what its account is.
pub async fn check_targets(
    call: &Call,
    tx: &mut Read,
    targets: &[(&Parameters, Uin)],
) -> Result<(), Refusal> {
    let uins = targets.iter().map(|(_, account)| *account);
    let found = organization::accounts_of(tx, call.caller.organization.id, uins).await?;
    for (parameters, account) in targets {
        let found = found.iter().find(|found| found.uin == *account);
        let wanted = account_kind(parameters);
        if found.is_none_or(|found| wanted.is_some_and(|kind| kind != found.kind)) {
            return Err(Refusal::new(
                "FailedOperation.OrganizationMemberNotExist",
                format!("The organization has no account {account} of this `TargetType`."),
            ));
        }
    }
    Ok(())
}

/// What [`ITEM`]s name, each with the account that its `TargetType` says it is.
pub async fn triples(
    call: &Call,
    tx: &mut Read,
    items: &[Parameters],
) -> Result<Vec<Triple>, Refusal> {
    let triples = items.iter().map(triple).collect::<Result<Vec<_>, _>>()?;
    let targets: Vec<_> =
        items.iter().zip(&triples).map(|(item, triple)| (item, triple.account)).collect();
    check_targets(call, tx, &targets).await?;
    Ok(triples)
}

async fn create(call: &Call) -> Answer {
    let items = call.parameters.objects("RoleAssignmentInfo");
    let limits = limits(call);
    if items.len() > limits.per_call {
        return Err(Refusal::new(
            "LimitExceeded.CreateRoleAssignmentLimitExceeded",
            format!(
                "The parameter `RoleAssignmentInfo` has at most {} entries, and this one has {}.",
                limits.per_call,
                items.len()
            ),
        ));
    }
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let triples = triples(call, tx, &items).await?;
            let made =
                permission::create_assignments(tx, &call.act, space, &triples, &limits).await?;
            let tasks: Vec<TaskId> = made.iter().map(|item| item.task).collect();
            task::infos(call, tx, space, &tasks).await
        })
        .await?;
    Ok(object([("Tasks", json!(tasks))]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = AssignmentFilter {
        principal: principal_of(parameters)?,
        principal_kind: super::principal_kind(parameters),
        reaching: None,
        account: parameters.integer("TargetUin").map(Uin),
        account_kind: account_kind(parameters),
        configuration: optional_configuration(call)?,
        search: parameters.optional_text("Filter").map(str::to_owned),
        // What a task has not made real yet, or is taking away, is not an assignment.
        states: vec![permission::AssignmentState::Active],
    };
    let found: Page<Assignment> = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(permission::assignments(tx, space, &filter, wanted).await?)
        })
        .await?;
    Ok(page("RoleAssignments", found, wanted.limit, |assignment| {
        json!({
            "RoleConfigurationId": assignment.configuration_id,
            "RoleConfigurationName": assignment.configuration_name,
            "TargetUin": assignment.account_uin.0,
            "TargetType": target(assignment.account_kind),
            "PrincipalId": assignment.principal().to_string(),
            "PrincipalType": principal(assignment.principal_kind),
            "PrincipalName": assignment.principal_name,
            "CreateTime": time(assignment.created_at),
            "UpdateTime": time(assignment.updated_at),
            "TargetName": assignment.account_name,
        })
    }))
}

async fn delete(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let strategy = match parameters.optional_text("DeprovisionStrategy") {
        Some("DeprovisionForLastRoleAssignmentOnAccount") => RemovalStrategy::DeprovisionForLast,
        _ => RemovalStrategy::Keep,
    };
    let task = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let triple = triple(parameters)
                .map_err(|_| Refusal::from(permission::Error::AssignmentNotFound))?;
            let task =
                provisioning::remove_assignment(tx, &call.act, space, &triple, strategy).await?;
            task::info(call, tx, space, task).await
        })
        .await?;
    Ok(object([("Task", task)]))
}

/// The API's three words for how a deployment stands. One that a task is at is as good as not
/// deployed yet, so it is one that needs deploying.
fn deployment_status(status: DeploymentStatus) -> &'static str {
    match status {
        DeploymentStatus::Deployed => "Deployed",
        DeploymentStatus::Outdated | DeploymentStatus::InProgress => "DeployedRequired",
        DeploymentStatus::Failed => "DeployFailed",
    }
}

async fn list_deployments(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = DeploymentFilter {
        configuration: optional_configuration(call)?,
        account: parameters.integer("TargetUin").map(Uin),
        account_kind: account_kind(parameters),
        status: match parameters.optional_text("DeploymentStatus") {
            Some("Deployed") => Some(DeploymentStatus::Deployed),
            Some("DeployFailed") => Some(DeploymentStatus::Failed),
            Some(_) => Some(DeploymentStatus::Outdated),
            None => None,
        },
        search: parameters.optional_text("Filter").map(str::to_owned),
        ..DeploymentFilter::default()
    };
    let found: Page<Deployment> = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(permission::deployments(tx, space, &filter, wanted).await?)
        })
        .await?;
    Ok(page("RoleConfigurationProvisionings", found, wanted.limit, |deployment| {
        json!({
            "DeploymentStatus": deployment_status(deployment.status()),
            "RoleConfigurationId": deployment.configuration_id,
            "RoleConfigurationName": deployment.configuration_name,
            "TargetUin": deployment.account_uin.0,
            "TargetName": deployment.account_name,
            "CreateTime": time(deployment.created_at),
            "UpdateTime": time(deployment.updated_at),
            "TargetType": target(deployment.account_kind),
        })
    }))
}

/// Deploys a configuration, or deploys it again (DPL-06, DPL-07).
async fn provision(call: &Call) -> Answer {
    let target = Uin(call.parameters.integer("TargetUin").unwrap_or_default());
    let task = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            check_target(call, tx, &call.parameters, target).await?;
            let configuration = configuration_id(call)?;
            let task =
                permission::begin_deployment(tx, &call.act, space, configuration, target).await?;
            deployment_task(call, tx, space, task).await
        })
        .await?;
    Ok(object([("Task", task)]))
}

/// Takes a configuration off an account where nobody has it any more (DPL-10, DPL-13).
async fn dismantle(call: &Call) -> Answer {
    let target = Uin(call.parameters.integer("TargetUin").unwrap_or_default());
    let task = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            check_target(call, tx, &call.parameters, target).await?;
            let configuration = configuration_id(call)
                .map_err(|_| Refusal::from(permission::Error::DeploymentNotFound))?;
            let task =
                permission::begin_removal(tx, &call.act, space, configuration, target).await?;
            deployment_task(call, tx, space, task).await
        })
        .await?;
    Ok(object([("Task", task)]))
}

/// A task as `RoleProvisioningsTask`, which names nobody.
async fn deployment_task(
    call: &Call,
    tx: &mut Read,
    space: SpaceId,
    task: TaskId,
) -> Result<Value, Refusal> {
    let mut shown = task::info(call, tx, space, task).await?;
    if let Some(fields) = shown.as_object_mut() {
        for name in ["PrincipalId", "PrincipalType", "FailureReason"] {
            fields.remove(name);
        }
        let status = fields.remove("Status").unwrap_or_default();
        fields.insert("TaskStatus".to_owned(), status);
    }
    Ok(shown)
}
