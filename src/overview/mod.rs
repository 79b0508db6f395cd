//! A space at a glance: its numbers, and what wants somebody's attention.
//!
//! A handful of statements, whatever the size of the space; each number is counted by an index or
//! kept by a counter.

use crate::{
    id::{OrganizationId, SpaceId, first_of},
    recorder::{self, Activity, Outcome, Recorded},
    store::{self as database, Read, Timestamp, sql},
};

/// Days that the chart of what directories ask goes back.
pub const ACTIVITY_DAYS: i64 = 14;
/// Days for which a failed task that nobody tried again is told of.
const FAILED_DAYS: i64 = 7;
const DAY: i64 = 86_400;

/// The numbers of a space (ACT-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Statistics {
    /// Users, from every source.
    pub users: i64,
    /// Groups, from every source.
    pub groups: i64,
    /// Permission configurations.
    pub configurations: i64,
    /// User syncs, whatever their state.
    pub user_syncs: i64,
    /// Role syncs: configurations that are deployed somewhere, once for each account.
    pub role_syncs: i64,
    /// Assignments, whatever their state.
    pub assignments: i64,
    /// Accounts of the organisation.
    pub accounts: i64,
}

/// Counts a space, in one statement.
pub async fn statistics(
    tx: &mut Read,
    organization: OrganizationId,
    space: SpaceId,
) -> database::Result<Statistics> {
    sql("SELECT
            (SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM directory_counts
             WHERE space_id = $1 AND kind = 'user') AS users,
            (SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM directory_counts
             WHERE space_id = $1 AND kind = 'group') AS groups,
            (SELECT COUNT(*) FROM permission_configurations WHERE space_id = $1)
                AS configurations,
            (SELECT COUNT(*) FROM user_syncs WHERE space_id = $1) AS user_syncs,
            (SELECT COUNT(*) FROM deployments WHERE space_id = $1 AND state = 'deployed')
                AS role_syncs,
            (SELECT COUNT(*) FROM assignments WHERE space_id = $1) AS assignments,
            (SELECT COUNT(*) FROM accounts WHERE organization_id = $2) AS accounts")
    .bind(space)
    .bind(organization)
    .fetch_one(tx)
    .await
}

/// What wants attention, or does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, sqlx::FromRow)]
pub struct Attention {
    /// Deployments whose configuration says something else by now (DPL-08).
    pub outdated: i64,
    /// Deployments that failed.
    pub failed_deployments: i64,
    /// Tasks that failed in the last seven days and were not tried again.
    pub failed_tasks: i64,
    /// Tasks that wait or run.
    pub open_tasks: i64,
    /// Those of them that take away what somebody held whom a directory deleted (SCIM-18).
    pub open_deletions: i64,
}

/// Looks what wants attention, in one statement.
pub async fn attention(
    tx: &mut Read,
    space: SpaceId,
    now: Timestamp,
) -> database::Result<Attention> {
    let since = first_of(now.plus_seconds(-FAILED_DAYS * DAY));
    sql("SELECT
            (SELECT COUNT(*) FROM deployments d
             JOIN permission_configurations c ON c.id = d.configuration_id
             WHERE d.space_id = $1 AND d.state = 'deployed'
               AND d.deployed_content <> c.content) AS outdated,
            (SELECT COUNT(*) FROM deployments WHERE space_id = $1 AND state = 'failed')
                AS failed_deployments,
            (SELECT COUNT(*) FROM tasks t WHERE t.space_id = $1 AND t.state = 'failed'
               AND t.id >= $2
               AND NOT EXISTS (SELECT 1 FROM tasks r WHERE r.retry_of = t.id)) AS failed_tasks,
            (SELECT COUNT(*) FROM tasks WHERE space_id = $1 AND state = 'ready')
                + (SELECT COUNT(*) FROM tasks WHERE space_id = $1 AND state = 'running')
                AS open_tasks,
            (SELECT COUNT(*) FROM tasks t JOIN users u ON u.id = t.principal_id
             WHERE t.space_id = $1 AND t.state IN ('ready', 'running')
               AND t.principal_kind = 'user' AND u.deleted_at IS NOT NULL)
                + (SELECT COUNT(*) FROM tasks t JOIN groups g ON g.id = t.principal_id
                   WHERE t.space_id = $1 AND t.state IN ('ready', 'running')
                     AND t.principal_kind = 'group' AND g.deleted_at IS NOT NULL)
                AS open_deletions")
    .bind(space)
    .bind(since)
    .fetch_one(tx)
    .await
}

/// What directories have asked of late.
#[derive(Clone, Debug)]
pub struct Directories {
    /// The latest request that was done.
    pub success: Option<Recorded>,
    /// The latest request that was refused.
    pub refusal: Option<Recorded>,
    /// The requests of the last days, the oldest day first: when each day began, in UTC.
    pub days: Vec<(Timestamp, Activity)>,
}

impl Directories {
    /// Whether the latest request of all was refused.
    pub fn is_refused(&self) -> bool {
        match (&self.success, &self.refusal) {
            (Some(success), Some(refusal)) => refusal.id > success.id,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }
}

/// Looks what directories have asked, in three statements.
pub async fn directories(
    tx: &mut Read,
    space: SpaceId,
    now: Timestamp,
) -> database::Result<Directories> {
    let today = now.as_second().div_euclid(DAY) * DAY;
    let moments: Vec<Timestamp> = (1 - ACTIVITY_DAYS..=1)
        .map(|day| Timestamp::from_second(today.saturating_add(day * DAY)))
        .collect();
    let activity = recorder::activity(tx, space, &moments).await?;
    Ok(Directories {
        success: recorder::latest(tx, space, Outcome::Done).await?,
        refusal: recorder::latest(tx, space, Outcome::Refused).await?,
        days: moments.into_iter().zip(activity).collect(),
    })
}
