//! The three answers to drift: repair it, adopt it, ignore it for a while.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Error, Finding, Nature, ObjectKind,
    store::{by_ids, record},
};
use crate::{
    audit::Act,
    id::{ConfigurationId, DriftId, Principal, SpaceId, TaskId, Uin, UserId},
    permission::{self, Content, ContentPolicy, DeploymentState, PolicyKind, task_subject},
    policy::catalogue,
    provisioning::{names, user_syncs::look_again},
    store::{Read, Timestamp, Write, sql},
    task::{self, Kind, NewTask},
};

/// The most findings in one call.
pub const MOST_ANSWERED: usize = 50;
/// Seconds for which drift may be ignored at most.
const LONGEST_IGNORED: i64 = 366 * 86_400;

/// What to do about drift.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// A task makes the account be as recorded.
    Repair,
    /// What is there is recorded. What the configuration says stays: the deployment may be
    /// outdated then.
    Adopt,
    /// Nobody wants to hear of it until then, unless it changes.
    Ignore(Timestamp),
}

/// Answers findings, all of them or none; says the tasks that repair.
pub async fn resolve(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    ids: &[DriftId],
    answer: Answer,
) -> Result<Vec<TaskId>, Error> {
    let wanted: BTreeSet<DriftId> = ids.iter().copied().collect();
    if wanted.is_empty() || wanted.len() > MOST_ANSWERED {
        return Err(Error::CountInvalid);
    }
    crate::space::lock(tx, space).await?;
    let findings = by_ids(tx, space, ids).await?;
    if findings.len() != wanted.len() {
        return Err(Error::NotFound);
    }
    match answer {
        Answer::Repair => repair(tx, act, space, &findings).await,
        Answer::Adopt => {
            for finding in &findings {
                adopt(tx, act, finding).await?;
            }
            Ok(Vec::new())
        }
        Answer::Ignore(until) => {
            let longest = act.now.plus_seconds(LONGEST_IGNORED);
            if until <= act.now || until > longest {
                return Err(Error::MomentInvalid);
            }
            for finding in &findings {
                ignore(tx, act, finding, until).await?;
            }
            Ok(Vec::new())
        }
    }
}

async fn ignore(
    tx: &mut Write,
    act: &Act,
    finding: &Finding,
    until: Timestamp,
) -> Result<(), Error> {
    sql("UPDATE drift_findings SET ignored_until = $1 WHERE id = $2")
        .bind(until)
        .bind(finding.id)
        .execute(tx)
        .await?;
    let before = json!({ "ignored_until": finding.ignored_until.map(|it| it.to_string()) });
    let after = json!({ "ignored_until": until.to_string(), "object": finding.object_name });
    Ok(record(tx, act, finding.space_id, finding.id, "drift.ignore", before, after).await?)
}

/// One task for each role, provider and CAM user, however much of it is not as recorded.
async fn repair(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    findings: &[Finding],
) -> Result<Vec<TaskId>, Error> {
    let last = newest_task(tx).await?;
    let (mut places, mut providers) = (BTreeSet::new(), BTreeSet::new());
    let mut people: BTreeSet<Principal> = BTreeSet::new();
    for finding in findings {
        let account = finding.account_uin;
        match (finding.configuration_id, finding.object_kind) {
            (Some(configuration), _) => {
                places.insert((account, configuration));
            }
            (None, ObjectKind::CamUser) => {
                let user = user_of(tx, account, &finding.object_name).await?;
                people.insert(Principal::User(user.ok_or(Error::NotFound)?));
            }
            (
                None,
                ObjectKind::Role
                | ObjectKind::PolicyBinding
                | ObjectKind::Policy
                | ObjectKind::SamlProvider,
            ) => {
                providers.insert(account);
            }
        }
    }
    for (account, configuration) in places {
        let found = permission::deployment(tx, space, configuration, account).await?;
        found.filter(|it| !it.is_leaving).ok_or(permission::Error::DeploymentNotFound)?;
        let task = NewTask {
            space,
            kind: Kind::ProvisionConfiguration,
            subject: task_subject(account, configuration),
            account,
            configuration: Some(configuration),
            principal: None,
            // What was recorded, not what the configuration says by now (CON-12).
            payload: json!({ "content": "recorded" }),
        };
        task::enqueue(tx, act, &task).await?;
    }
    for account in providers {
        let task = NewTask {
            space,
            kind: Kind::RefreshProvider,
            subject: format!("{account}/provider"),
            account,
            configuration: None,
            principal: None,
            payload: json!({}),
        };
        task::enqueue(tx, act, &task).await?;
    }
    let people: Vec<Principal> = people.into_iter().collect();
    look_again(tx, act, space, &people).await?;
    let tasks = tasks_since(tx, space, last).await?;
    for finding in findings {
        let before = json!({ "object": finding.object_name, "nature": finding.nature });
        let after = json!({ "tasks": tasks });
        record(tx, act, space, finding.id, "drift.repair", before, after).await?;
    }
    Ok(tasks)
}

async fn newest_task(tx: &mut Read) -> Result<i64, Error> {
    Ok(sql("SELECT COALESCE(MAX(id), 0) FROM tasks").fetch_number(tx).await?)
}

async fn tasks_since(tx: &mut Read, space: SpaceId, last: i64) -> Result<Vec<TaskId>, Error> {
    let rows: Vec<(TaskId,)> = sql("SELECT id FROM tasks WHERE space_id = $1 AND id > $2
         ORDER BY id")
    .bind(space)
    .bind(last)
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

async fn user_of(tx: &mut Read, account: Uin, name: &str) -> Result<Option<UserId>, Error> {
    let found: Option<(UserId,)> = sql("SELECT user_id FROM synced_users
         WHERE account_uin = $1 AND cam_user_name = $2")
    .bind(account)
    .bind(name)
    .fetch_optional(tx)
    .await?;
    Ok(found.map(|(id,)| id))
}

/// Makes what is there what is recorded.
async fn adopt(tx: &mut Write, act: &Act, finding: &Finding) -> Result<(), Error> {
    let not_adoptable =
        || Error::NotAdoptable(format!("{} {}", finding.object_kind, finding.object_name));
    let configuration = finding.configuration_id.ok_or_else(not_adoptable)?;
    let account = finding.account_uin;
    let busy = sql("SELECT 1 FROM tasks WHERE state IN ('ready', 'running') AND subject = $1")
        .bind(task_subject(account, configuration))
        .exists(tx)
        .await?;
    if busy {
        return Err(Error::Busy(finding.object_name.clone()));
    }
    let found = permission::deployment(tx, finding.space_id, configuration, account).await?;
    let found = found.filter(|it| it.state == DeploymentState::Deployed);
    let found = found.ok_or(permission::Error::DeploymentNotFound)?;
    let mut content =
        found.deployed_content.as_deref().and_then(Content::from_text).ok_or(Error::NotFound)?;
    let before = content.to_text();
    adopted(&mut content, finding, &found.configuration_name).ok_or_else(not_adoptable)?;
    content.policies.sort();
    record_content(tx, act, account, configuration, &content).await?;
    sql("DELETE FROM drift_findings WHERE id = $1").bind(finding.id).execute(tx).await?;
    let (before, after) = (json!({ "content": before }), json!({ "content": content.to_text() }));
    Ok(record(tx, act, finding.space_id, finding.id, "drift.adopt", before, after).await?)
}

async fn record_content(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    configuration: ConfigurationId,
    content: &Content,
) -> Result<(), Error> {
    // It is no version of the configuration that is there.
    sql("UPDATE deployments SET deployed_content = $1, deployed_version = NULL, updated_at = $2
         WHERE account_uin = $3 AND configuration_id = $4")
    .bind(content.to_text())
    .bind(act.now)
    .bind(account)
    .bind(configuration)
    .execute(tx)
    .await?;
    Ok(())
}

/// The content as it would be recorded; none where what was found is nothing that a configuration
/// could have deployed.
fn adopted(content: &mut Content, finding: &Finding, configuration: &str) -> Option<()> {
    let (recorded, found) = (&finding.recorded.0, &finding.found.0);
    match (finding.object_kind, finding.nature) {
        (ObjectKind::Role, Nature::Changed) => {
            let fields = recorded.as_object()?;
            if fields.keys().any(|field| field != "session_duration") {
                return None;
            }
            content.session_duration = found["session_duration"].as_i64()?;
        }
        (ObjectKind::PolicyBinding | ObjectKind::Policy, Nature::Missing) => {
            let kind: PolicyKind = recorded["kind"].as_str()?.parse().ok()?;
            let name = recorded["name"].as_str()?;
            content.policies.retain(|it| (it.kind, it.name.as_str()) != (kind, name));
        }
        (ObjectKind::PolicyBinding, Nature::Extra) => {
            let preset = catalogue::by_id(found["policy_id"].as_i64()?)?;
            content.policies.push(ContentPolicy {
                kind: PolicyKind::Preset,
                name: preset.name.clone(),
                id: preset.id,
                document: None,
            });
        }
        (ObjectKind::Policy, Nature::Changed) => {
            if found["managed"] != Value::Bool(true) {
                return None;
            }
            let name = &finding.object_name;
            let is_it = |it: &&mut ContentPolicy| {
                it.kind == PolicyKind::Custom && names::policy(configuration, &it.name) == *name
            };
            let policy = content.policies.iter_mut().find(is_it)?;
            policy.document = Some(found["document"].as_str()?.to_owned());
        }
        (ObjectKind::Role, Nature::Missing | Nature::Extra)
        | (ObjectKind::Policy, Nature::Extra)
        | (ObjectKind::PolicyBinding, Nature::Changed)
        | (ObjectKind::SamlProvider | ObjectKind::CamUser, _) => return None,
    }
    Some(())
}
