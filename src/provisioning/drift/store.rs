//! What is expected in an account, what was found not to be so, and when it is looked at.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{Drift, Finding, ObjectKind};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{ConfigurationId, DriftId, SpaceId, TaskId, Uin},
    permission::{Content, task_subject},
    store::{self as database, Page, PageRequest, Read, Timestamp, Write, sql},
    task::{self, Kind, NewTask},
};

/// How many findings one look writes down: the space waits for it. The next look goes on.
const MOST_NOTED: usize = 1000;

/// A role as it was recorded when it was deployed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ExpectedRole {
    pub configuration: ConfigurationId,
    pub name: String,
    pub content: Content,
    /// When its deployment was changed last: another one by the time that a look ends, and the look
    /// counts for nothing.
    changed_at: Timestamp,
}

/// A CAM user as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct ExpectedUser {
    pub cam_user_name: String,
    pub enabled: bool,
}

/// What should be in an account, as far as no task is at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub roles: Vec<ExpectedRole>,
    /// Whether our SAML provider should be there.
    pub provider: bool,
    pub users: Vec<ExpectedUser>,
    /// Whether nothing is done to CAM users at this moment.
    users_rest: bool,
    provider_rests: bool,
}

/// What should be in an account. What a task is at is left for the next time.
pub(super) async fn expected(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
) -> Result<Expected, database::Error> {
    let mut query = sql("SELECT DISTINCT subject FROM tasks
         WHERE state IN ('ready', 'running') AND kind <> ");
    query.push_bind(Kind::DetectDrift).push(" AND account_uin = ").push_bind(account);
    let busy: Vec<(String,)> = query.fetch_all(tx).await?;
    let rests = |subject: &str| !busy.iter().any(|(it,)| it == subject);
    let rows: Vec<(ConfigurationId, String, String, Timestamp)> =
        sql("SELECT d.configuration_id, c.name, d.deployed_content, d.updated_at
         FROM deployments d JOIN permission_configurations c ON c.id = d.configuration_id
         WHERE d.space_id = $1 AND d.account_uin = $2 AND d.deployed_content IS NOT NULL
           AND d.state IN ('deployed', 'failed') AND NOT d.is_leaving
         ORDER BY d.configuration_id")
        .bind(space)
        .bind(account)
        .fetch_all(tx)
        .await?;
    let roles: Vec<ExpectedRole> = rows
        .into_iter()
        .filter(|(id, ..)| rests(&task_subject(account, *id)))
        .filter_map(|(configuration, name, content, changed_at)| {
            let content = Content::from_text(&content)?;
            Some(ExpectedRole { configuration, name, content, changed_at })
        })
        .collect();
    let mut query = sql("SELECT y.cam_user_name, (u.active = ");
    query.push_bind(true).push(" AND u.blocked = ").push_bind(false);
    query.push(
        ") AS enabled FROM synced_users y JOIN users u ON u.id = y.user_id
         WHERE y.state = 'active' AND u.deleted_at IS NULL AND (EXISTS (
               SELECT 1 FROM user_syncs s
               WHERE s.account_uin = y.account_uin AND s.state = 'active'
                 AND s.principal_kind = 'user' AND s.principal_id = u.id)
             OR EXISTS (
               SELECT 1 FROM group_members m
               JOIN user_syncs s ON s.principal_kind = 'group' AND s.principal_id = m.group_id
               WHERE m.user_id = u.id AND s.account_uin = y.account_uin AND s.state = 'active'))
           AND u.space_id = ",
    );
    query.push_bind(space).push(" AND y.account_uin = ").push_bind(account);
    query.push(" ORDER BY y.cam_user_name");
    let users: Vec<ExpectedUser> = query.fetch_all(tx).await?;
    let users_rest = rests(&format!("{account}/users"));
    // Every task on an account may be at the provider.
    let provider_rests = busy.is_empty();
    Ok(Expected {
        provider: provider_rests && !(roles.is_empty() && users.is_empty()),
        roles,
        users: if users_rest { users } else { Vec::new() },
        users_rest,
        provider_rests,
    })
}

const FINDING: &str = "SELECT f.id, f.space_id, f.account_uin, acc.name AS account_name,
        f.configuration_id, f.object_kind, f.object_name, f.nature, f.recorded, f.found,
        f.found_at, f.ignored_until
    FROM drift_findings f JOIN accounts acc ON acc.uin = f.account_uin WHERE f.space_id = ";

/// Writes down what a look at an account found, as far as what was expected is still so.
pub(super) async fn write_down(
    tx: &mut Write,
    act: &Act,
    (space, account): (SpaceId, Uin),
    before: &Expected,
    found: &[Drift],
) -> Result<(), database::Error> {
    // Looks and answers come one after the other.
    crate::space::lock(tx, space).await?;
    let now = expected(tx, space, account).await?;
    let roles_that_rest: BTreeSet<ConfigurationId> = before
        .roles
        .iter()
        .filter(|role| now.roles.contains(role))
        .map(|role| role.configuration)
        .collect();
    let users_rest = before.users_rest && now.users_rest && before.users == now.users;
    let provider_rests =
        before.provider_rests && now.provider_rests && before.provider == now.provider;
    let looked = |configuration: Option<ConfigurationId>, kind: ObjectKind| match configuration {
        Some(id) => roles_that_rest.contains(&id),
        None if kind == ObjectKind::CamUser => users_rest,
        None => provider_rests,
    };
    let deployed: Vec<(ConfigurationId,)> = sql("SELECT configuration_id FROM deployments
             WHERE space_id = $1 AND account_uin = $2")
    .bind(space)
    .bind(account)
    .fetch_all(tx)
    .await?;
    let mut query = sql(FINDING);
    query.push_bind(space).push(" AND f.account_uin = ").push_bind(account);
    let old: Vec<Finding> = query.fetch_all(tx).await?;
    let deployed: BTreeSet<ConfigurationId> = deployed.into_iter().map(|(id,)| id).collect();
    let still: BTreeSet<(&str, &str)> =
        found.iter().map(|drift| (drift.kind.as_str(), drift.name.as_str())).collect();
    for finding in &old {
        let id = finding.configuration_id;
        let is_orphan = id.is_some_and(|id| !deployed.contains(&id));
        let is_found =
            still.contains(&(finding.object_kind.as_str(), finding.object_name.as_str()));
        if is_orphan || (!is_found && looked(id, finding.object_kind)) {
            forget(tx, act, finding).await?;
        }
    }
    let known: BTreeMap<(&str, &str), &Finding> =
        old.iter().map(|it| ((it.object_kind.as_str(), it.object_name.as_str()), it)).collect();
    let is_known = |drift: &Drift| {
        known.get(&(drift.kind.as_str(), drift.name.as_str())).is_some_and(|it| {
            it.nature == drift.nature
                && it.recorded.0 == drift.recorded
                && it.found.0 == drift.found
        })
    };
    let new =
        found.iter().filter(|drift| looked(drift.configuration, drift.kind) && !is_known(drift));
    for drift in new.take(MOST_NOTED) {
        note(tx, act, (space, account), drift).await?;
    }
    Ok(())
}

async fn note(
    tx: &mut Write,
    act: &Act,
    (space, account): (SpaceId, Uin),
    drift: &Drift,
) -> Result<(), database::Error> {
    // Another finding of the same thing is another one: nobody adopts what they have not seen.
    let id: DriftId = act.new_id();
    sql("INSERT INTO drift_findings (id, space_id, account_uin, configuration_id, object_kind,
             object_name, nature, recorded, found, found_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         ON CONFLICT (account_uin, object_kind, object_name) DO UPDATE SET
             id = excluded.id, configuration_id = excluded.configuration_id, nature = excluded.nature,
             recorded = excluded.recorded, found = excluded.found,
             found_at = excluded.found_at, ignored_until = NULL")
    .bind(id)
    .bind(space)
    .bind(account)
    .bind(drift.configuration)
    .bind(drift.kind)
    .bind(&drift.name)
    .bind(drift.nature)
    .bind(&drift.recorded)
    .bind(&drift.found)
    .bind(act.now)
    .execute(tx)
    .await?;
    let after = json!({
        "account": account,
        "object": format!("{} {}", drift.kind, drift.name),
        "nature": drift.nature,
        "recorded": drift.recorded,
        "found": drift.found,
    });
    record(tx, act, space, id, "drift.found", Value::Null, after).await
}

async fn forget(tx: &mut Write, act: &Act, finding: &Finding) -> Result<(), database::Error> {
    sql("DELETE FROM drift_findings WHERE id = $1").bind(finding.id).execute(tx).await?;
    let before = json!({
        "account": finding.account_uin,
        "object": format!("{} {}", finding.object_kind, finding.object_name),
        "nature": finding.nature,
    });
    record(tx, act, finding.space_id, finding.id, "drift.gone", before, Value::Null).await
}

pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: DriftId,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "drift",
        object_id: &id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}

/// What was deployed just now is as recorded.
pub(in crate::provisioning) async fn forget_configuration(
    tx: &mut Write,
    account: Uin,
    configuration: ConfigurationId,
) -> Result<(), database::Error> {
    sql("DELETE FROM drift_findings WHERE account_uin = $1 AND configuration_id = $2")
        .bind(account)
        .bind(configuration)
        .execute(tx)
        .await?;
    forget_provider(tx, account).await
}

/// The provider was put right just now.
pub(in crate::provisioning) async fn forget_provider(
    tx: &mut Write,
    account: Uin,
) -> Result<(), database::Error> {
    sql("DELETE FROM drift_findings WHERE account_uin = $1 AND object_kind = $2")
        .bind(account)
        .bind(ObjectKind::SamlProvider)
        .execute(tx)
        .await?;
    Ok(())
}

/// The CAM users of a user sync, and the provider, were put right just now. Those of other syncs
/// are found again if they are not.
pub(in crate::provisioning) async fn forget_users(
    tx: &mut Write,
    account: Uin,
) -> Result<(), database::Error> {
    sql("DELETE FROM drift_findings WHERE account_uin = $1 AND object_kind = $2")
        .bind(account)
        .bind(ObjectKind::CamUser)
        .execute(tx)
        .await?;
    forget_provider(tx, account).await
}

/// Which findings to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this account.
    pub account: Option<Uin>,
    /// Of this configuration.
    pub configuration: Option<ConfigurationId>,
    /// Only what is not ignored at this moment; everything if none.
    pub heard_at: Option<Timestamp>,
}

/// The findings of a space in the order in which they were first made, a page of them.
pub async fn findings(
    tx: &mut Read,
    space: SpaceId,
    filter: &Filter,
    page: PageRequest,
) -> Result<Page<Finding>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push_bind(space);
        if let Some(account) = filter.account {
            query.push(" AND f.account_uin = ").push_bind(account);
        }
        if let Some(configuration) = filter.configuration {
            query.push(" AND f.configuration_id = ").push_bind(configuration);
        }
        if let Some(now) = filter.heard_at {
            query.push(" AND (f.ignored_until IS NULL OR f.ignored_until <= ");
            query.push_bind(now).push(")");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM drift_findings f WHERE f.space_id = ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(FINDING);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND f.id > ").push_bind(after);
    }
    query.push(" ORDER BY f.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows: Vec<Finding> = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row| row.id.0))
}

/// The findings of a space with these ids.
pub(super) async fn by_ids(
    tx: &mut Read,
    space: SpaceId,
    ids: &[DriftId],
) -> Result<Vec<Finding>, database::Error> {
    let mut query = sql(FINDING);
    query.push_bind(space).push(" AND f.id IN ");
    query.push_numbers(ids.iter().map(|id| id.0).collect::<Vec<i64>>()).push(" ORDER BY f.id");
    query.fetch_all(tx).await
}

/// Has an account looked at, or every account of a space in which it has anything. One that waits
/// to be looked at already is not named again.
pub async fn detect(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    account: Option<Uin>,
) -> Result<Vec<TaskId>, database::Error> {
    let mut query = sql("SELECT found.account_uin FROM (
             SELECT account_uin FROM deployments WHERE space_id = ");
    query.push_bind(space).push(" UNION SELECT account_uin FROM user_syncs WHERE space_id = ");
    query.push_bind(space).push(
        ") found WHERE NOT EXISTS (
             SELECT 1 FROM tasks t WHERE t.state = 'ready' AND t.account_uin = found.account_uin
               AND t.kind = ",
    );
    query.push_bind(Kind::DetectDrift).push(")");
    if let Some(account) = account {
        query.push(" AND found.account_uin = ").push_bind(account);
    }
    query.push(" ORDER BY found.account_uin");
    let accounts: Vec<(Uin,)> = query.fetch_all(tx).await?;
    let mut tasks = Vec::with_capacity(accounts.len());
    for (account,) in accounts {
        let task = NewTask {
            space,
            kind: Kind::DetectDrift,
            subject: format!("{account}/drift"),
            account,
            configuration: None,
            principal: None,
            payload: json!({}),
        };
        tasks.push(task::enqueue(tx, act, &task).await?);
    }
    if !tasks.is_empty() {
        let change = Change {
            scope: Scope::Space(space),
            action: "drift.look",
            object_kind: "space",
            object_id: &space.to_string(),
            before: Value::Null,
            after: json!({ "accounts": tasks.len() }),
        };
        audit::record(tx, act, change).await?;
    }
    Ok(tasks)
}

/// How many accounts of a space wait to be looked at, or are.
pub async fn checking(tx: &mut Read, space: SpaceId) -> Result<i64, database::Error> {
    sql("SELECT COUNT(*) FROM tasks
         WHERE state IN ('ready', 'running') AND space_id = $1 AND kind = $2")
    .bind(space)
    .bind(Kind::DetectDrift)
    .fetch_number(tx)
    .await
}

/// Has the accounts of a space looked at when that is due, `interval` seconds after the last time.
/// Called from time to time by every replica: one of them does it, and the tasks are in the
/// database with the next date, so that none is lost and none comes twice.
pub async fn schedule(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    interval: i64,
) -> Result<Vec<TaskId>, database::Error> {
    let next = act.now.plus_seconds(interval);
    sql("INSERT INTO drift_checks (space_id, due_at) VALUES ($1, $2)
         ON CONFLICT (space_id) DO UPDATE SET due_at = excluded.due_at
         WHERE drift_checks.due_at > excluded.due_at")
    .bind(space)
    .bind(next)
    .execute(tx)
    .await?;
    let ours = sql("UPDATE drift_checks SET due_at = $1 WHERE space_id = $2 AND due_at <= $3")
        .bind(next)
        .bind(space)
        .bind(act.now)
        .execute(tx)
        .await?;
    if ours == 0 { Ok(Vec::new()) } else { detect(tx, act, space, None).await }
}
