//! Looks that the public API does not have: who reaches what and why, and who changed what.

use serde_json::{Value, json};

use crate::{
    access::{self, Origin, ReachState, ReachableAccount, Reached, Viewpoint, Way, WayMark},
    audit::{self, Filter, Record},
    directory,
    id::{Uin, UserId},
    store::{Page, PageRequest},
    web::api::{
        actions::{ZONE_ID, action},
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, moment, page, page_request, status, target, time},
    },
};

/// Rows of a page whose call does not say how many.
const DEFAULT_ROWS: i64 = 10;

pub const ACTIONS: &[Action] = &[
    action(
        "DescribeEffectiveAccess",
        &[
            ZONE_ID,
            Field::text("UserId").required(),
            Field::integer("TargetUin"),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(effective_access(call)),
    ),
    action(
        "ListEffectiveAccess",
        &[
            ZONE_ID,
            Field::text("UserId"),
            Field::text("GroupId"),
            Field::integer("TargetUin"),
            Field::text("RoleConfigurationId"),
            Field::text("NextToken"),
            MAX_RESULTS,
        ],
        |call| Box::pin(ways(call)),
    ),
    action(
        "ListAuditRecords",
        &[
            Field::text("ObjectType"),
            Field::text("ObjectId"),
            Field::text("Action"),
            Field::text("ActorId"),
            Field::text("CorrelationId"),
            Field::text("StartTime"),
            Field::text("EndTime"),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(audit_records(call)),
    ),
];

fn reach_state(state: ReachState) -> &'static str {
    match state {
        ReachState::Deployed => "Deployed",
        ReachState::Pending => "InProgress",
        ReachState::Failed => "Failed",
    }
}

fn reasons(origins: &[Origin]) -> Vec<Value> {
    let reason = |origin: &Origin| match origin {
        Origin::Direct => json!({ "Type": "Direct", "GroupId": "", "GroupName": "" }),
        Origin::Group { id, name } => {
            json!({ "Type": "Group", "GroupId": id, "GroupName": name })
        }
    };
    origins.iter().map(reason).collect()
}

/// What somebody reaches in one account, a row for each role and each CAM user.
fn rows(account: &ReachableAccount) -> Vec<Value> {
    let row = |kind: &str, state: ReachState, origins: &[Origin]| {
        json!({
            "TargetUin": account.uin.0,
            "TargetName": account.name,
            "TargetType": target(account.kind),
            "AccessType": kind,
            "RoleConfigurationId": "",
            "RoleConfigurationName": "",
            "CamUserName": "",
            "State": reach_state(state),
            "Reasons": reasons(origins),
        })
    };
    let roles = account.roles.iter().map(|role| {
        let mut row = row("Role", role.state, &role.origins);
        row["RoleConfigurationId"] = json!(role.id);
        row["RoleConfigurationName"] = json!(role.name);
        row
    });
    let users = account.users.iter().map(|user| {
        let mut row = row("CamUser", user.state, &user.origins);
        row["CamUserName"] = json!(user.name);
        row
    });
    roles.chain(users).collect()
}

/// Effective access with its reasons. Who is disabled reaches nothing.
async fn effective_access(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let user: UserId = id(parameters.text("UserId"), "ResourceNotFound.UserNotExist", "UserId")?;
    let account = parameters.integer("TargetUin").map(Uin);
    let (user, reached) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = directory::user(tx, space, user).await?;
            let found = found.ok_or(directory::Error::UserNotFound)?;
            Ok((found, access::reachable(tx, space, user).await?))
        })
        .await?;
    let narrowed = reached.iter().filter(|it| account.is_none_or(|account| account == it.uin));
    let found = page_of(narrowed.flat_map(rows).collect(), wanted);
    let mut answer = page("EffectiveAccess", found, wanted.limit, |row| row);
    answer.insert("UserId".to_owned(), json!(user.id));
    answer.insert("UserName".to_owned(), json!(user.user_name));
    answer.insert("Status".to_owned(), json!(status(user.enabled())));
    Ok(answer)
}

/// A page of rows that are all known; its token counts them.
pub fn page_of(rows: Vec<Value>, wanted: PageRequest) -> Page<Value> {
    let number = |count: i64| usize::try_from(count).unwrap_or(0);
    let (after, total) = (wanted.after.unwrap_or(0).max(0), rows.len());
    let rows: Vec<Value> =
        rows.into_iter().skip(number(after)).take(number(wanted.limit)).collect();
    let seen = number(after).saturating_add(rows.len());
    let count = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
    Page { rows, total: count(total), next: (seen < total).then(|| count(seen)) }
}

/// Who can reach what, and why, seen from anywhere: a row for each way.
async fn ways(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let limit = parameters.integer("MaxResults").unwrap_or(DEFAULT_ROWS);
    let limit = usize::try_from(limit).unwrap_or(1);
    let user = match parameters.optional_text("UserId") {
        None => None,
        Some(text) => Some(id(text, "ResourceNotFound.UserNotExist", "UserId")?),
    };
    let group = match parameters.optional_text("GroupId") {
        None => None,
        Some(text) => Some(id(text, "InvalidParameter.GroupNotExist", "GroupId")?),
    };
    let code = "InvalidParameter.RoleConfigurationNotExist";
    let configuration = match parameters.optional_text("RoleConfigurationId") {
        None => None,
        Some(text) => Some(id(text, code, "RoleConfigurationId")?),
    };
    let account = parameters.integer("TargetUin").map(Uin);
    let view = Viewpoint { user, group, account, configuration };
    let after = match parameters.optional_text("NextToken") {
        None => None,
        Some(token) => Some(mark(token)?),
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(access::ways(tx, space, &view, call.act.now, (after, limit)).await?)
        })
        .await?;
    let next = found.next.map(|mark| format!("{}-{}", mark.by, mark.user));
    Ok(object([
        ("EffectiveAccess", found.rows.iter().map(way).collect()),
        ("TotalCounts", json!(found.total)),
        ("IsTruncated", json!(next.is_some())),
        ("NextToken", json!(next.unwrap_or_default())),
        ("MaxResults", json!(limit)),
    ]))
}

fn mark(token: &str) -> Result<WayMark, Refusal> {
    let parsed = token
        .split_once('-')
        .and_then(|(by, user)| Some(WayMark { by: by.parse().ok()?, user: user.parse().ok()? }));
    parsed.ok_or_else(|| {
        Refusal::new(PARAM_ERROR, "The parameter `NextToken` is not one that was answered.")
    })
}

fn way(way: &Way) -> Value {
    let (kind, configuration, name, cam_user) = match &way.reached {
        Reached::Role { id, name } => ("Role", id.to_string(), name.as_str(), ""),
        Reached::CamUser(name) => ("CamUser", String::new(), "", name.as_str()),
    };
    json!({
        "UserId": way.user,
        "UserName": way.user_name,
        "TargetUin": way.account.0,
        "TargetName": way.account_name,
        "AccessType": kind,
        "RoleConfigurationId": configuration,
        "RoleConfigurationName": name,
        "CamUserName": cam_user,
        "State": reach_state(way.state),
        "Reasons": reasons(std::slice::from_ref(&way.origin)),
    })
}

fn record(record: &Record) -> Value {
    json!({
        "AuditRecordId": record.id,
        "Time": time(record.at),
        "ActorType": record.actor_kind,
        "ActorId": record.actor_id,
        "ActorName": record.actor_name,
        "Action": record.action,
        "ObjectType": record.object_kind,
        "ObjectId": record.object_id,
        "Before": record.state_before.as_deref().unwrap_or_default(),
        "After": record.state_after.as_deref().unwrap_or_default(),
        "CausedBy": record.request_id,
        "Address": record.address.as_deref().unwrap_or_default(),
        "CorrelationId": record.correlation_id.as_deref().unwrap_or_default(),
    })
}

async fn audit_records(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let text = |name| parameters.optional_text(name).map(str::to_owned);
    let filter = Filter {
        object_kind: text("ObjectType"),
        object_id: text("ObjectId"),
        action: text("Action"),
        actor_id: text("ActorId"),
        actor: None,
        correlation_id: text("CorrelationId"),
        since: moment(parameters, "StartTime")?,
        until: moment(parameters, "EndTime")?,
    };
    let organization = call.caller.organization.id;
    let find = call.app.db.read(async |tx| audit::find(tx, organization, &filter, wanted).await);
    Ok(page("AuditRecords", find.await?, wanted.limit, |found| record(&found)))
}
