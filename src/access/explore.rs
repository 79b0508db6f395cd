//! Who can reach what, and why, seen from anywhere: from a user, a group, an account or a
//! configuration. A row for each way somebody reaches something; two queries, however many there
//! are.

use super::{Origin, ReachState};
use crate::{
    id::{ConfigurationId, GroupId, SpaceId, Uin, UserId},
    permission::AssignmentState,
    store::{self as database, Read, Sql, Timestamp, sql},
};

/// From where to look; what is none does not narrow.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Viewpoint {
    /// What this user reaches.
    pub user: Option<UserId>,
    /// What is reached through this group.
    pub group: Option<GroupId>,
    /// Who reaches this account.
    pub account: Option<Uin>,
    /// Who reaches anything with this configuration.
    pub configuration: Option<ConfigurationId>,
}

/// A place among the ways: an assignment or a user sync, and a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WayMark {
    /// The assignment's or user sync's number.
    pub by: i64,
    /// The user's number.
    pub user: i64,
}

/// What is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reached {
    /// The role of a configuration.
    Role {
        /// The configuration.
        id: ConfigurationId,
        /// Its name.
        name: String,
    },
    /// A CAM user.
    CamUser(String),
}

/// One way in which somebody reaches something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub user_name: String,
    /// The account.
    pub account: Uin,
    /// Its name.
    pub account_name: String,
    /// What of it.
    pub reached: Reached,
    /// Why.
    pub origin: Origin,
    /// How far it is.
    pub state: ReachState,
}

/// Some of the ways, how many there are in all, and where to go on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// The ways, by what gives them and then by user.
    pub rows: Vec<Way>,
    /// How many there are in all.
    pub total: i64,
    /// Where the next ones begin, if there are more.
    pub next: Option<WayMark>,
}

#[derive(sqlx::FromRow)]
struct Row {
    given_by: i64,
    user_id: UserId,
    user_name: String,
    account_uin: Uin,
    account_name: String,
    configuration_id: Option<ConfigurationId>,
    reached_name: String,
    group_id: Option<GroupId>,
    group_name: Option<String>,
    state: AssignmentState,
    is_there: bool,
}

impl From<Row> for Way {
    fn from(row: Row) -> Self {
        let origin = match (row.group_id, row.group_name) {
            (Some(id), Some(name)) => Origin::Group { id, name },
            _ => Origin::Direct,
        };
        let state = match row.state {
            AssignmentState::Active if row.is_there => ReachState::Deployed,
            AssignmentState::Pending => ReachState::Pending,
            AssignmentState::Active | AssignmentState::Failed | AssignmentState::Removing => {
                ReachState::Failed
            }
        };
        Self {
            user: row.user_id,
            user_name: row.user_name,
            account: row.account_uin,
            account_name: row.account_name,
            reached: match row.configuration_id {
                Some(id) => Reached::Role { id, name: row.reached_name },
                None => Reached::CamUser(row.reached_name),
            },
            origin,
            state,
        }
    }
}

/// How people come to an assignment or a user sync: themselves, or through a group.
#[derive(Clone, Copy)]
enum Through {
    Themselves,
    Group,
}

/// Narrows to people who may come in at all, and to the viewpoint.
fn narrow(
    query: &mut Sql,
    (space, view): (SpaceId, &Viewpoint),
    (it, through): (&'static str, Through),
    now: Timestamp,
) {
    query.push(" AND u.deleted_at IS NULL AND u.active = ").push_bind(true);
    query.push(" AND u.blocked = ").push_bind(false);
    query.push(" AND ").push(it).push(".space_id = ").push_bind(space);
    if it == "a" {
        query.push(" AND (a.ends_at IS NULL OR a.ends_at > ").push_bind(now).push(")");
    }
    if let Some(user) = view.user {
        query.push(" AND u.id = ").push_bind(user);
    }
    if let Some(account) = view.account {
        query.push(" AND ").push(it).push(".account_uin = ").push_bind(account);
    }
    match (view.group, through) {
        (None, _) => {}
        (Some(group), Through::Group) => {
            query.push(" AND ").push(it).push(".principal_id = ").push_bind(group);
        }
        // Nobody comes through a group by themselves.
        (Some(_), Through::Themselves) => {
            query.push(" AND 1 = 0");
        }
    }
}

fn people(through: Through, it: &'static str) -> &'static str {
    match (through, it) {
        (Through::Themselves, "a") => {
            " JOIN users u ON a.principal_kind = 'user' AND u.id = a.principal_id"
        }
        (Through::Themselves, _) => {
            " JOIN users u ON s.principal_kind = 'user' AND u.id = s.principal_id"
        }
        (Through::Group, "a") => {
            " JOIN group_members m ON a.principal_kind = 'group' AND m.group_id = a.principal_id
              JOIN users u ON u.id = m.user_id
              JOIN groups g ON g.id = a.principal_id"
        }
        (Through::Group, _) => {
            " JOIN group_members m ON s.principal_kind = 'group' AND m.group_id = s.principal_id
              JOIN users u ON u.id = m.user_id
              JOIN groups g ON g.id = s.principal_id"
        }
    }
}

/// All ways, as a table of a statement.
fn all_ways(query: &mut Sql, space: SpaceId, view: &Viewpoint, now: Timestamp) {
    let mut is_first = true;
    for through in [Through::Themselves, Through::Group] {
        let group = match through {
            Through::Themselves => {
                "CAST(NULL AS BIGINT) AS group_id, CAST(NULL AS TEXT) AS group_name"
            }
            Through::Group => "g.id AS group_id, g.name AS group_name",
        };
        query.push(if is_first { " SELECT" } else { " UNION ALL SELECT" });
        is_first = false;
        query.push(
            " a.id AS given_by, u.id AS user_id, u.user_name, a.account_uin,
            acc.name AS account_name, a.configuration_id, c.name AS reached_name, ",
        );
        query.push(group);
        query.push(
            ", a.state, (d.deployed_content IS NOT NULL AND d.state <> 'removing') AS is_there
            FROM assignments a
            JOIN accounts acc ON acc.uin = a.account_uin
            JOIN permission_configurations c ON c.id = a.configuration_id
            LEFT JOIN deployments d
              ON d.account_uin = a.account_uin AND d.configuration_id = a.configuration_id",
        );
        query.push(people(through, "a"));
        query.push(" WHERE a.state <> 'removing'");
        narrow(query, (space, view), ("a", through), now);
        if let Some(configuration) = view.configuration {
            query.push(" AND a.configuration_id = ").push_bind(configuration);
            // No CAM user comes by a configuration.
            continue;
        }
        query.push(
            " UNION ALL SELECT s.id AS given_by, u.id AS user_id, u.user_name, s.account_uin,
            acc.name AS account_name, CAST(NULL AS BIGINT) AS configuration_id,
            y.cam_user_name AS reached_name, ",
        );
        query.push(group);
        query.push(
            ", y.state, (y.state = 'active') AS is_there
            FROM user_syncs s
            JOIN accounts acc ON acc.uin = s.account_uin",
        );
        query.push(people(through, "s"));
        query.push(
            " JOIN synced_users y ON y.user_id = u.id AND y.account_uin = s.account_uin
            WHERE s.state <> 'removing'",
        );
        narrow(query, (space, view), ("s", through), now);
    }
}

/// The ways in which somebody reaches something, as far as they are seen from there, `limit` of
/// them after a mark.
pub async fn ways(
    tx: &mut Read,
    space: SpaceId,
    view: &Viewpoint,
    now: Timestamp,
    (after, limit): (Option<WayMark>, usize),
) -> Result<Ways, database::Error> {
    let mut count = sql("SELECT COUNT(*) FROM (");
    all_ways(&mut count, space, view, now);
    count.push(") AS ways");
    let total = count.fetch_number(tx).await?;
    let mut query = sql("SELECT * FROM (");
    all_ways(&mut query, space, view, now);
    query.push(") AS ways");
    if let Some(WayMark { by, user }) = after {
        query.push(" WHERE given_by > ").push_bind(by);
        query
            .push(" OR (given_by = ")
            .push_bind(by)
            .push(" AND user_id > ")
            .push_bind(user)
            .push(")");
    }
    query.push(" ORDER BY given_by, user_id LIMIT ");
    query.push_bind(i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1));
    let mut rows: Vec<Row> = query.fetch_all(tx).await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().filter(|_| more);
    let next = last.map(|row| WayMark { by: row.given_by, user: row.user_id.0 });
    Ok(Ways { rows: rows.into_iter().map(Way::from).collect(), total, next })
}
