//! Assigning: a whole call in as many statements as a single assignment takes.

use std::collections::BTreeSet;

use serde_json::json;

use super::{
    Error, Item, Limits, MOST_ASSIGNMENTS_PER_CALL, Triple, Unknown, assignments::new_task,
    deployments::expect_deployments, triple_json,
};
use crate::{
    audit::{self, Act, Made, Scope},
    id::{AssignmentId, ConfigurationId, GroupId, Principal, PrincipalKind, SpaceId, Uin, UserId},
    store::{self as database, Read, Timestamp, ToValue, Write, sql},
    task::{self, Kind},
};

/// Assigns (MAA-05…08): each new triple gets an assignment and a task of its own; one that is
/// there already gets a task that has failed. The whole call is refused, and nothing started, when
/// it has too many items, names what is not there, or has nothing new.
pub async fn create_assignments(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    limits: &Limits,
) -> Result<Vec<Item>, Error> {
    create(tx, act, space, triples, Until(None), limits).await
}

/// When an assignment ends by itself; none is for good.
#[derive(Clone, Copy)]
pub(super) struct Until(pub Option<Timestamp>);

pub(super) async fn create(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    until: Until,
    limits: &Limits,
) -> Result<Vec<Item>, Error> {
    let (limit, count) = (limits.per_call.min(MOST_ASSIGNMENTS_PER_CALL), triples.len());
    if count == 0 || count > limit {
        return Err(Error::AssignmentCountInvalid { limit, count });
    }
    let principals: Vec<Principal> = triples.iter().map(|triple| triple.principal).collect();
    let accounts: Vec<Uin> = triples.iter().map(|triple| triple.account).collect();
    let configurations: Vec<ConfigurationId> =
        triples.iter().map(|triple| triple.configuration).collect();
    // Whom they name stays until this is written (USR-15).
    crate::space::hold_access(tx, space).await?;
    let unknown = unknown_of(tx, space, &principals, &accounts, &configurations).await?;
    if !unknown.is_empty() {
        return Err(Error::Unknown(unknown));
    }
    let mut new = insert(tx, act, space, triples, until).await?;
    if new.is_empty() {
        return Err(Error::AssignmentsExist);
    }
    let total = sql("SELECT COUNT(*) FROM assignments WHERE space_id = $1")
        .bind(space)
        .fetch_number(tx)
        .await?;
    if total > limits.assignments {
        return Err(Error::TooManyAssignments(limits.assignments));
    }
    let places: BTreeSet<_> =
        new.iter().map(|triple| (triple.configuration, triple.account)).collect();
    expect_deployments(tx, act, space, places).await?;
    // Of one that the call names twice the first is new.
    let is_new: Vec<bool> = triples.iter().map(|triple| new.remove(triple)).collect();
    let tasks: Vec<_> = triples
        .iter()
        .zip(&is_new)
        .map(|(triple, is_new)| {
            let task = new_task(space, triple, Kind::CreateAssignment, json!({}));
            (task, (!is_new).then_some("the assignment exists already"))
        })
        .collect();
    let tasks = task::enqueue_all(tx, act, &tasks).await?;
    let items: Vec<Item> = triples
        .iter()
        .zip(is_new)
        .zip(tasks)
        .map(|((triple, is_new), task)| Item { triple: *triple, task, duplicate: !is_new })
        .collect();
    record(tx, act, space, &items, until).await?;
    Ok(items)
}

/// Writes the assignments, and tells which of them count as new. One that failed, or that is on
/// its way out, is taken up again. One that is there and ends is given its later end, and goes on
/// counting meanwhile.
async fn insert(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    Until(ends_at): Until,
) -> Result<BTreeSet<Triple>, database::Error> {
    let mut query = sql("INSERT INTO assignments
             (id, space_id, principal_kind, principal_id, account_uin, configuration_id, state,
              created_at, updated_at, ends_at) VALUES ");
    // One statement must not come to the same row twice.
    let distinct: BTreeSet<&Triple> = triples.iter().collect();
    for (index, triple) in distinct.into_iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" });
        query.push_bind(act.new_id::<AssignmentId>()).push(", ").push_bind(space);
        query.push(", ").push_bind(triple.principal.kind());
        query.push(", ").push_bind(triple.principal.number());
        query.push(", ").push_bind(triple.account);
        query.push(", ").push_bind(triple.configuration);
        query.push(", 'pending', ").push_bind(act.now);
        query.push(", ").push_bind(act.now);
        query.push(", ").push_bind(ends_at).push(")");
    }
    query.push(
        " ON CONFLICT (account_uin, configuration_id, principal_kind, principal_id)
         DO UPDATE SET state = CASE WHEN assignments.state IN ('failed', 'removing') THEN 'pending'
                                    ELSE assignments.state END,
                       created_at = CASE WHEN assignments.state IN ('failed', 'removing')
                                         THEN excluded.created_at
                                         ELSE assignments.created_at END,
                       updated_at = excluded.updated_at,
                       ends_at = excluded.ends_at
         WHERE assignments.state IN ('failed', 'removing')
            OR assignments.ends_at IS NOT NULL
               AND (excluded.ends_at IS NULL OR excluded.ends_at > assignments.ends_at)
         RETURNING principal_kind, principal_id, account_uin, configuration_id",
    );
    let made: Vec<(PrincipalKind, i64, Uin, ConfigurationId)> = query.fetch_all(tx).await?;
    let triple = |(kind, principal, account, configuration)| Triple {
        principal: Principal::new(kind, principal),
        account,
        configuration,
    };
    Ok(made.into_iter().map(triple).collect())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    items: &[Item],
    Until(ends_at): Until,
) -> Result<(), database::Error> {
    let states: Vec<(String, String)> = items
        .iter()
        .filter(|item| !item.duplicate)
        .map(|item| {
            let mut after = triple_json(&item.triple);
            after["task"] = json!(item.task);
            if let Some(ends_at) = ends_at {
                after["ends_at"] = json!(ends_at);
            }
            (item.triple.to_string(), after.to_string())
        })
        .collect();
    let made = states.iter().map(|(object_id, state)| Made { act, object_id, state });
    let what = (Scope::Space(space), "assignment.create", "assignment");
    audit::log_made(tx, what, made).await.map(drop)
}

/// What of all this the space does not have.
pub async fn unknown_of(
    tx: &mut Read,
    space: SpaceId,
    principals: &[Principal],
    accounts: &[Uin],
    configurations: &[ConfigurationId],
) -> Result<Unknown, database::Error> {
    let mut users: Vec<UserId> = Vec::new();
    let mut groups: Vec<GroupId> = Vec::new();
    for principal in principals {
        match principal {
            Principal::User(id) => users.push(*id),
            Principal::Group(id) => groups.push(*id),
        }
    }
    Ok(Unknown {
        accounts: missing(
            tx,
            "SELECT a.uin FROM accounts a JOIN spaces s ON s.organization_id = a.organization_id
             WHERE s.id = $1 AND a.uin IN (",
            space,
            accounts.to_vec(),
        )
        .await?,
        configurations: missing(
            tx,
            "SELECT id FROM permission_configurations WHERE space_id = $1 AND id IN (",
            space,
            configurations.to_vec(),
        )
        .await?,
        users: missing(
            tx,
            "SELECT id FROM users WHERE deleted_at IS NULL AND space_id = $1 AND id IN (",
            space,
            users,
        )
        .await?,
        groups: missing(
            tx,
            "SELECT id FROM groups WHERE deleted_at IS NULL AND space_id = $1 AND id IN (",
            space,
            groups,
        )
        .await?,
    })
}

async fn missing<T: ToValue + From<i64> + Copy + Ord>(
    tx: &mut Read,
    query: &'static str,
    space: SpaceId,
    mut wanted: Vec<T>,
) -> Result<Vec<T>, database::Error> {
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Ok(wanted);
    }
    let mut query = sql(query).bind(space);
    query.push_list(wanted.iter().copied()).push(")");
    let found: Vec<(i64,)> = query.fetch_all(tx).await?;
    wanted.retain(|wanted| !found.iter().any(|(found,)| T::from(*found) == *wanted));
    Ok(wanted)
}
