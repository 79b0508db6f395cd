//! Access requests: who may ask for what, what was asked for, and the decision. The reference calls
//! them permission applications.

use serde_json::{Value, json};

use super::{
    ZONE_ID, action,
    assignment::{ITEM, principal_of, triples},
    configuration, task,
};
use crate::{
    cloud::CamPrincipal,
    directory::Principal,
    id::{ConfigurationId, RequestId, Uin},
    request::{self, MOST_SCOPES_PER_CALL, Progress, Request, RequestFilter, ScopeFilter, Verdict},
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Parameters, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, PRINCIPAL, id, page, page_request, principal, target, time,
        },
    },
};

pub const ACTIONS: &[Action] = &[
    action(
        "CreateRoleConfigurationApplyScope",
        &[
            ZONE_ID,
            Field::objects("ApplyScopeInfo", ITEM)
                .required()
                .rule(Rule::Entries(MOST_SCOPES_PER_CALL)),
        ],
        |call| Box::pin(create_scopes(call)),
    ),
    action(
        "DeleteRoleConfigurationApplyScope",
        &[
            ZONE_ID,
            Field::texts("RoleConfigurationIds")
                .required()
                .rule(Rule::Entries(MOST_SCOPES_PER_CALL)),
            Field::integer("TargetUin").required(),
            Field::text("PrincipalId").required(),
            Field::text("PrincipalType").required().rule(PRINCIPAL),
        ],
        |call| Box::pin(delete_scopes(call)),
    ),
    action(
        "ListRoleConfigurationApplyScopes",
        &[
            ZONE_ID,
            Field::text("PrincipalId").required(),
            Field::text("PrincipalType").required().rule(PRINCIPAL),
            Field::integer("TargetUin"),
            Field::text("Filter"),
            MAX_RESULTS,
            NEXT_TOKEN,
        ],
        |call| Box::pin(list_scopes(call)),
    ),
    action(
        "ListPermissionApplyOrders",
        &[
            ZONE_ID,
            Field::text("SearchValue"),
            Field::integer("Status").rule(Rule::Within(1, 5)),
            MAX_RESULTS,
            NEXT_TOKEN,
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "AuditPermissionApplyOrder",
        &[
            ZONE_ID,
            Field::text("ApplyId").required(),
            Field::text("AuditResult").required().rule(Rule::OneOf(&["Approve", "Reject"])),
            Field::text("AuditOpinion"),
        ],
        |call| Box::pin(decide(call)),
    ),
];

/// The identity that the call is about; the table requires it.
fn principal_named(parameters: &Parameters) -> Result<Principal, Refusal> {
    principal_of(parameters)?.ok_or_else(|| {
        Refusal::new("InvalidParameter.ParamError", "The parameter `PrincipalId` is empty.")
    })
}

async fn create_scopes(call: &Call) -> Answer {
    let items = call.parameters.objects("ApplyScopeInfo");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let triples = triples(call, tx, &items).await?;
            Ok(request::create_scopes(tx, &call.act, space, &triples).await?)
        })
        .await?;
    // What was there already counts too.
    Ok(object([("SuccessCount", json!(items.len()))]))
}

async fn delete_scopes(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let account = Uin(parameters.integer("TargetUin").unwrap_or_default());
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let not_found = |_| Refusal::from(request::Error::ScopeNotFound);
            let principal = principal_named(parameters).map_err(not_found)?;
            let configurations: Vec<ConfigurationId> = parameters
                .texts("RoleConfigurationIds")
                .into_iter()
                .map(|text| text.parse().map_err(|_| request::Error::ScopeNotFound))
                .collect::<Result<_, _>>()?;
            let act = &call.act;
            request::delete_scopes(tx, act, space, principal, account, &configurations).await?;
            Ok(())
        })
        .await?;
    Ok(object([]))
}

async fn list_scopes(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = ScopeFilter {
        principal: Some(principal_named(parameters)?),
        account: parameters.integer("TargetUin").map(Uin),
        search: parameters.optional_text("Filter").map(str::to_owned),
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(request::scopes(tx, space, &filter, wanted).await?)
        })
        .await?;
    Ok(page("ApplyScopes", found, wanted.limit, |scope| {
        json!({
            "RoleConfigurationId": scope.configuration_id,
            "RoleConfigurationName": scope.configuration_name,
            "TargetUin": scope.account_uin.0,
            "TargetType": target(scope.account_kind),
            "PrincipalId": scope.principal().to_string(),
            "PrincipalType": principal(scope.principal_kind),
            "PrincipalName": scope.principal_name,
            "CreateTime": time(scope.created_at),
            "UpdateTime": time(scope.updated_at),
            "TargetName": scope.account_name,
        })
    }))
}

/// The API's number for how far a request is.
fn status(progress: Progress) -> i64 {
    match progress {
        Progress::Pending => 1,
        Progress::Deploying => 2,
        Progress::Done => 3,
        Progress::Failed => 4,
        // It knows no others; withdrawn ones are not listed.
        Progress::Rejected | Progress::Withdrawn => 5,
    }
}

fn progress(status: i64) -> Option<Progress> {
    let all = Progress::ALL.iter().copied();
    all.filter(|it| *it != Progress::Withdrawn).find(|it| self::status(*it) == status)
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter = RequestFilter {
        search: parameters.optional_text("SearchValue").map(str::to_owned),
        progress: parameters.integer("Status").and_then(progress),
    };
    let now = call.act.now;
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(request::requests(tx, space, &filter, now, wanted).await?)
        })
        .await?;
    Ok(page("ApplyOrders", found, wanted.limit, |request| info(&request)))
}

fn info(request: &Request) -> Value {
    let configurations: Vec<Value> = request
        .items
        .iter()
        .map(|item| {
            json!({
                "RoleConfigurationId": item.configuration_id,
                "RoleConfigurationName": item.configuration_name,
                "Description": item.description,
            })
        })
        .collect();
    json!({
        "ApplyId": request.id,
        "UserId": request.user_id,
        "UserName": request.user_name,
        "TargetUin": request.account_uin.0,
        "TargetName": request.account_name,
        "RoleConfigurations": configurations,
        "Status": status(request.progress),
        "CreateTime": time(request.created_at),
        "AuditOpinion": request.opinion,
        "AuditTime": request.decided_at.map(time).unwrap_or_default(),
    })
}

async fn decide(call: &Call) -> Answer {
    let parameters = &call.parameters;
    // Whoever acts in the name of a CAM user decides as that user.
    let cam_user = match &call.caller.principal {
        CamPrincipal::User(user) => &user.name,
        CamPrincipal::Federated(federated) => &federated.user.name,
        CamPrincipal::Role(session) => &session.role_name,
    };
    let opinion = parameters.text("AuditOpinion");
    let verdict = Verdict { account: call.caller.account.uin, cam_user, opinion };
    let approves = parameters.text("AuditResult") == "Approve";
    let (limits, act) = (configuration::limits(call), &call.act);
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let code = "ResourceNotFound.PermissionApplyOrderNotFound";
            let id: RequestId = id(parameters.text("ApplyId"), code, "ApplyId")?;
            if !approves {
                request::reject(tx, act, space, id, opinion).await?;
                return Ok(Vec::new());
            }
            let begun = request::approve(tx, act, space, id, verdict, &limits).await?;
            task::infos(call, tx, space, &begun).await
        })
        .await?;
    Ok(object([("Tasks", json!(tasks))]))
}
