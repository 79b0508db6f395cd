//! Deployments in the database.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    Content, Deployment, DeploymentState, DeploymentStatus, Error, remaining, task_subject,
    unknown_of,
};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{ConfigurationId, DeploymentId, SpaceId, TaskId, Uin},
    organization::AccountKind,
    store::{self as database, Page, PageRequest, Read, Write, like, sql},
    task::{self, Kind, NewTask},
};

/// How many deployments are changed in one statement.
const AT_ONCE: usize = 500;

const DEPLOYMENT: &str = "SELECT d.id, d.space_id, d.configuration_id,
        c.name AS configuration_name, d.account_uin, acc.name AS account_name,
        acc.kind AS account_kind, d.state, d.deployed_content,
        (d.deployed_content IS NOT NULL AND d.deployed_content <> c.content) AS is_outdated,
        d.deployed_version, c.version AS current_version, d.is_leaving,
        d.reason, d.created_at, d.updated_at
    FROM deployments d
    JOIN permission_configurations c ON c.id = d.configuration_id
    JOIN accounts acc ON acc.uin = d.account_uin
    WHERE d.space_id = ";

/// Which deployments to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct DeploymentFilter {
    /// Of this configuration.
    pub configuration: Option<ConfigurationId>,
    /// On this account.
    pub account: Option<Uin>,
    /// Of these configurations; all when empty.
    pub configurations: Vec<ConfigurationId>,
    /// On these accounts; all when empty.
    pub accounts: Vec<Uin>,
    /// On accounts of this kind.
    pub account_kind: Option<AccountKind>,
    /// That stand like this.
    pub status: Option<DeploymentStatus>,
    /// Part of the configuration's name; ASCII case does not matter.
    pub search: Option<String>,
}

/// The deployments of a space in the order of their making, a page of them (PC-09).
pub async fn deployments(
    tx: &mut Read,
    space: SpaceId,
    filter: &DeploymentFilter,
    page: PageRequest,
) -> Result<Page<Deployment>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push_bind(space);
        if let Some(configuration) = filter.configuration {
            query.push(" AND d.configuration_id = ").push_bind(configuration);
        }
        if let Some(account) = filter.account {
            query.push(" AND d.account_uin = ").push_bind(account);
        }
        if !filter.configurations.is_empty() {
            let numbers: Vec<i64> = filter.configurations.iter().map(|id| id.0).collect();
            query.push(" AND d.configuration_id IN ").push_numbers(numbers);
        }
        if !filter.accounts.is_empty() {
            let numbers: Vec<i64> = filter.accounts.iter().map(|uin| uin.0).collect();
            query.push(" AND d.account_uin IN ").push_numbers(numbers);
        }
        if let Some(kind) = filter.account_kind {
            query.push(" AND acc.kind = ").push_bind(kind);
        }
        if let Some(search) = &filter.search {
            query.push(" AND c.name_key LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
        }
        query.push(match filter.status {
            None => "",
            Some(DeploymentStatus::InProgress) => " AND d.state IN ('in_progress', 'removing')",
            Some(DeploymentStatus::Failed) => " AND d.state = 'failed'",
            Some(DeploymentStatus::Deployed) => {
                " AND d.state = 'deployed' AND d.deployed_content = c.content"
            }
            Some(DeploymentStatus::Outdated) => {
                " AND d.state = 'deployed' AND d.deployed_content <> c.content"
            }
        });
    };
    let mut count = sql("SELECT COUNT(*) FROM deployments d
        JOIN accounts acc ON acc.uin = d.account_uin
        JOIN permission_configurations c ON c.id = d.configuration_id WHERE d.space_id = ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(DEPLOYMENT);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND d.id > ").push_bind(after);
    }
    query.push(" ORDER BY d.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row: &Deployment| row.id.0))
}

/// The deployment of a configuration on an account.
pub async fn deployment(
    tx: &mut Read,
    space: SpaceId,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<Option<Deployment>, database::Error> {
    let mut query = sql(DEPLOYMENT);
    query.push_bind(space);
    query.push(" AND d.configuration_id = ").push_bind(configuration);
    query.push(" AND d.account_uin = ").push_bind(account);
    query.fetch_optional(tx).await
}

/// How many deployments a space has on an account that are there to stay.
pub async fn deployments_left(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
) -> Result<i64, database::Error> {
    sql("SELECT COUNT(*) FROM deployments
         WHERE space_id = $1 AND account_uin = $2 AND state <> 'removing'")
    .bind(space)
    .bind(account)
    .fetch_number(tx)
    .await
}

/// Has a deployment stand there that a task will make real. One that is being taken away, or that
/// could not be, is wanted again: how much of it is left is not known, so it starts from nothing.
pub(super) async fn expect_deployments(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    places: impl IntoIterator<Item = (ConfigurationId, Uin)>,
) -> Result<(), database::Error> {
    let mut query = sql("INSERT INTO deployments
             (id, space_id, configuration_id, account_uin, state, created_at, updated_at) VALUES ");
    for (index, (configuration, account)) in places.into_iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.push_bind(act.new_id::<DeploymentId>()).push(", ").push_bind(space);
        query.push(", ").push_bind(configuration);
        query.push(", ").push_bind(account);
        query.push(", 'in_progress', ").push_bind(act.now);
        query.push(", ").push_bind(act.now).push(")");
    }
    query.push(
        " ON CONFLICT (account_uin, configuration_id)
         DO UPDATE SET state = 'in_progress', updated_at = excluded.updated_at,
                       deployed_content = NULL, deployed_version = NULL, is_leaving = ",
    );
    query.push_bind(false).push(" WHERE deployments.is_leaving");
    query.execute(tx).await?;
    Ok(())
}

/// A configuration on an account.
type Place = (ConfigurationId, Uin);

/// Deploys a configuration to an account, or deploys it again (DPL-06, DPL-07).
pub async fn begin_deployment(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<TaskId, Error> {
    let tasks = begin_deployments(tx, act, space, &[(configuration, account)]).await?;
    tasks.into_iter().next().ok_or(Error::DeploymentNotFound)
}

/// Deploys configurations to accounts, or deploys them again; says the tasks in the order given.
pub async fn begin_deployments(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    places: &[Place],
) -> Result<Vec<TaskId>, Error> {
    let accounts: Vec<Uin> = places.iter().map(|(_, account)| *account).collect();
    let configurations: Vec<ConfigurationId> = places.iter().map(|(id, _)| *id).collect();
    let unknown = unknown_of(tx, space, &[], &accounts, &configurations).await?;
    if !unknown.is_empty() {
        return Err(Error::Unknown(unknown));
    }
    let distinct: BTreeSet<Place> = places.iter().copied().collect();
    let distinct: Vec<Place> = distinct.into_iter().collect();
    for places in distinct.chunks(AT_ONCE) {
        expect_deployments(tx, act, space, places.iter().copied()).await?;
        let mut query = sql("UPDATE deployments SET state = 'in_progress', updated_at = ");
        query.push_bind(act.now).push(" WHERE ");
        push_places(&mut query, places);
        query.execute(tx).await?;
    }
    enqueue(tx, act, space, places, Kind::ProvisionConfiguration, "deployment.begin").await
}

/// Narrows to deployments; the list must not be empty, and its length must be bounded.
fn push_places(query: &mut database::Sql, places: &[Place]) {
    query.push("(configuration_id, account_uin) IN (VALUES ");
    for (index, (configuration, account)) in places.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" }).push_bind(*configuration);
        query.push(", ").push_bind(*account).push(")");
    }
    query.push(")");
}

/// Takes a configuration off an account that has no assignment of it any more (DPL-11, DPL-13).
pub async fn begin_removal(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<TaskId, Error> {
    let tasks = begin_removals(tx, act, space, &[(configuration, account)]).await?;
    tasks.into_iter().next().ok_or(Error::DeploymentNotFound)
}

/// Takes configurations off accounts that have no assignment of them any more; says the tasks in the
/// order given.
pub async fn begin_removals(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    places: &[Place],
) -> Result<Vec<TaskId>, Error> {
    let mut standing = BTreeMap::new();
    for places in places.chunks(AT_ONCE) {
        let mut query = sql("SELECT d.configuration_id, d.account_uin, d.state, EXISTS (
                 SELECT 1 FROM assignments a WHERE a.account_uin = d.account_uin
                   AND a.configuration_id = d.configuration_id AND a.state IN ('pending', 'active')) AS used
             FROM deployments d WHERE d.space_id = ");
        query.push_bind(space).push(" AND ");
        push_places(&mut query, places);
        let rows: Vec<(ConfigurationId, Uin, DeploymentState, bool)> = query.fetch_all(tx).await?;
        standing.extend(
            rows.into_iter().map(|(id, account, state, used)| ((id, account), (state, used))),
        );
    }
    for place in places {
        // One that is named twice is on its way out by the second time.
        match standing.insert(*place, (DeploymentState::Removing, false)) {
            None => return Err(Error::DeploymentNotFound),
            Some((DeploymentState::Removing, _)) => return Err(Error::DeploymentBusy),
            Some((_, true)) => return Err(Error::DeploymentInUse),
            Some((_, false)) => {}
        }
    }
    for places in places.chunks(AT_ONCE) {
        mark_deployments_removing(tx, act, places).await?;
    }
    enqueue(tx, act, space, places, Kind::DeprovisionConfiguration, "deployment.remove").await
}

async fn mark_deployments_removing(
    tx: &mut Write,
    act: &Act,
    places: &[Place],
) -> Result<(), database::Error> {
    let mut query = sql("UPDATE deployments SET state = 'removing', is_leaving = ");
    query.push_bind(true).push(", updated_at = ").push_bind(act.now).push(" WHERE ");
    push_places(&mut query, places);
    query.execute(tx).await?;
    Ok(())
}

/// Marks a deployment as going, in the task that takes the last assignment of it away (DPL-12);
/// says whether it goes: not when an assignment is there to stay.
pub async fn begin_removal_if_unused(
    tx: &mut Write,
    act: &Act,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<bool, database::Error> {
    if remaining(tx, account, configuration).await? > 0 {
        return Ok(false);
    }
    mark_deployments_removing(tx, act, &[(configuration, account)]).await?;
    Ok(true)
}

async fn enqueue(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    places: &[Place],
    kind: Kind,
    action: &'static str,
) -> Result<Vec<TaskId>, Error> {
    let new: Vec<_> = places
        .iter()
        .map(|(configuration, account)| NewTask {
            space,
            kind,
            subject: task_subject(*account, *configuration),
            account: *account,
            configuration: Some(*configuration),
            principal: None,
            payload: json!({}),
        })
        .map(|task| (task, None))
        .collect();
    let tasks = task::enqueue_all(tx, act, &new).await?;
    for ((new, _), task) in new.iter().zip(&tasks) {
        let change = Change {
            scope: Scope::Space(space),
            action,
            object_kind: "deployment",
            object_id: &new.subject,
            before: json!(null),
            after: json!({ "task": task }),
        };
        audit::record(tx, act, change).await?;
    }
    Ok(tasks)
}

/// Notes what was deployed. A deployment that is to go by now stays on its way out.
pub async fn record_deployed(
    tx: &mut Write,
    act: &Act,
    configuration: ConfigurationId,
    account: Uin,
    (content, version): (&Content, Option<i64>),
) -> Result<(), database::Error> {
    sql("UPDATE deployments SET deployed_content = $1, updated_at = $2, reason = NULL,
             deployed_version = $5,
             state = CASE WHEN state = 'removing' THEN state ELSE 'deployed' END
         WHERE account_uin = $3 AND configuration_id = $4")
    .bind(content.to_text())
    .bind(act.now)
    .bind(account)
    .bind(configuration)
    .bind(version)
    .execute(tx)
    .await?;
    Ok(())
}

/// Notes why the last task about a deployment failed.
pub async fn record_failed(
    tx: &mut Write,
    act: &Act,
    configuration: ConfigurationId,
    account: Uin,
    reason: &str,
) -> Result<(), database::Error> {
    sql("UPDATE deployments SET state = 'failed', reason = $1, updated_at = $2
         WHERE account_uin = $3 AND configuration_id = $4")
    .bind(reason)
    .bind(act.now)
    .bind(account)
    .bind(configuration)
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets a deployment that is gone from its account; one that is wanted again meanwhile starts
/// from nothing.
pub async fn end_removal(
    tx: &mut Write,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<(), database::Error> {
    sql("DELETE FROM deployments
         WHERE account_uin = $1 AND configuration_id = $2 AND state = 'removing'")
    .bind(account)
    .bind(configuration)
    .execute(tx)
    .await?;
    sql("UPDATE deployments SET deployed_content = NULL, deployed_version = NULL
         WHERE account_uin = $1 AND configuration_id = $2")
    .bind(account)
    .bind(configuration)
    .execute(tx)
    .await?;
    Ok(())
}
