//! The table of tasks.

use std::collections::HashMap;

use jiff::SignedDuration;
use serde_json::json;

use super::{End, Error, Filter, Kind, LEASE, MOST_TOGETHER, NewTask, Row, State, Task};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{Principal, SpaceId, TaskId, Uin},
    store::{self, Kind as Database, Page, PageRequest, Read, Timestamp, Write, sql},
};

/// Enqueues a task with the change that causes it. The record of that change is the task's, too.
pub async fn enqueue(tx: &mut Write, act: &Act, task: &NewTask) -> store::Result<TaskId> {
    let id = insert(tx, act, task, State::Ready, None, Begun::by(act)).await?;
    tx.wake_tasks();
    Ok(id)
}

/// How many tasks are written in one statement.
const AT_ONCE: usize = 500;

/// With what a task was begun.
struct Begun<'a> {
    request_id: &'a str,
    retry_of: Option<TaskId>,
}

impl<'a> Begun<'a> {
    fn by(act: &'a Act) -> Self {
        Self { request_id: &act.request_id, retry_of: None }
    }
}

/// Enqueues tasks with the change that causes them, in one statement; those that come with a
/// reason have failed already.
pub async fn enqueue_all(
    tx: &mut Write,
    act: &Act,
    tasks: &[(NewTask, Option<&str>)],
) -> store::Result<Vec<TaskId>> {
    let rows: Vec<_> = tasks
        .iter()
        .map(|(task, reason)| {
            let state = if reason.is_some() { State::Failed } else { State::Ready };
            Insert { task, state, reason: *reason, begun: Begun::by(act) }
        })
        .collect();
    let mut ids = Vec::with_capacity(rows.len());
    for rows in rows.chunks(AT_ONCE) {
        ids.extend(insert_all(tx, act, rows).await?);
    }
    if rows.iter().any(|row| !row.state.is_final()) {
        tx.wake_tasks();
    }
    Ok(ids)
}

async fn insert(
    tx: &mut Write,
    act: &Act,
    task: &NewTask,
    state: State,
    reason: Option<&str>,
    begun: Begun<'_>,
) -> store::Result<TaskId> {
    let ids = insert_all(tx, act, &[Insert { task, state, reason, begun }]).await?;
    Ok(ids[0])
}

struct Insert<'a> {
    task: &'a NewTask,
    state: State,
    reason: Option<&'a str>,
    begun: Begun<'a>,
}

async fn insert_all(tx: &mut Write, act: &Act, rows: &[Insert<'_>]) -> store::Result<Vec<TaskId>> {
    let mut query = sql("INSERT INTO tasks (id, space_id, kind, subject, payload, account_uin,
             configuration_id, principal_kind, principal_id, state, attempt, run_at, reason,
             retry_of, created_at, finished_at, request_id) VALUES ");
    let mut ids = Vec::with_capacity(rows.len());
    for Insert { task, state, reason, begun } in rows {
        let id: TaskId = act.new_id();
        query.push(if ids.is_empty() { "(" } else { ", (" }).push_bind(id);
        query.push(", ").push_bind(task.space);
        query.push(", ").push_bind(task.kind);
        query.push(", ").push_bind(&task.subject);
        query.push(", ").push_bind(&task.payload);
        query.push(", ").push_bind(task.account);
        query.push(", ").push_bind(task.configuration);
        query.push(", ").push_bind(task.principal.map(Principal::kind));
        query.push(", ").push_bind(task.principal.map(Principal::number));
        query.push(", ").push_bind(*state);
        query.push(", 0, ").push_bind(act.now);
        query.push(", ").push_bind(*reason);
        query.push(", ").push_bind(begun.retry_of);
        query.push(", ").push_bind(act.now);
        query.push(", ").push_bind(state.is_final().then_some(act.now));
        query.push(", ").push_bind(begun.request_id).push(")");
        ids.push(id);
    }
    if !ids.is_empty() {
        query.execute(tx).await?;
    }
    Ok(ids)
}

const COLUMNS: &str = "SELECT id, space_id, kind, subject, payload, account_uin, configuration_id,
    principal_kind, principal_id, state, attempt, started_at, reason, retry_of, created_at,
    finished_at, request_id FROM tasks";

/// The task of a space with this id.
pub async fn get(tx: &mut Read, space: SpaceId, id: TaskId) -> store::Result<Option<Task>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE id = ").push_bind(id);
    query.push(" AND space_id = ").push_bind(space);
    Ok(query.fetch_optional::<Row>(tx).await?.map(Task::from))
}

/// The tasks of a space with these ids, in the order of the ids given.
pub async fn get_all(tx: &mut Read, space: SpaceId, ids: &[TaskId]) -> store::Result<Vec<Task>> {
    let mut query = sql(COLUMNS);
    query.push(" WHERE id IN ");
    query.push_numbers(ids.iter().map(|id| id.0).collect::<Vec<i64>>());
    query.push(" AND space_id = ").push_bind(space);
    let mut tasks: Vec<Task> =
        query.fetch_all::<Row>(tx).await?.into_iter().map(Task::from).collect();
    tasks.sort_by_key(|task| ids.iter().position(|id| *id == task.id));
    Ok(tasks)
}

/// Since when the oldest task that has not ended has been there, for each kind that has one.
pub async fn oldest_open(tx: &mut Read) -> store::Result<Vec<(Kind, Timestamp)>> {
    sql("SELECT kind, MIN(created_at) FROM tasks WHERE state IN ('ready', 'running')
         GROUP BY kind ORDER BY kind")
    .fetch_all(tx)
    .await
}

/// The tasks of a space, latest first (TSK-02).
pub async fn list(
    tx: &mut Read,
    space: SpaceId,
    filter: &Filter,
    page: PageRequest,
) -> store::Result<Page<Task>> {
    let mut count = sql("SELECT COUNT(*) FROM tasks");
    narrow(&mut count, space, filter);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(COLUMNS);
    narrow(&mut query, space, filter);
    if let Some(after) = page.after {
        query.push(" AND id < ").push_bind(after);
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all::<Row>(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row| row.id.0).map(Task::from))
}

/// What was begun together by one request, in the order of its beginning: of a task that was tried
/// again only the last attempt by hand.
pub async fn of_request(
    tx: &mut Read,
    space: SpaceId,
    request_id: &str,
) -> store::Result<Vec<Task>> {
    if request_id.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql(COLUMNS);
    query.push(" WHERE request_id = ").push_bind(request_id);
    query.push(" AND space_id = ").push_bind(space);
    query.push(
        " AND NOT EXISTS (SELECT 1 FROM tasks again WHERE again.retry_of = tasks.id)
         ORDER BY COALESCE(retry_of, id), id LIMIT ",
    );
    query.push_bind(MOST_TOGETHER);
    Ok(query.fetch_all::<Row>(tx).await?.into_iter().map(Task::from).collect())
}

fn narrow(query: &mut store::Sql, space: SpaceId, filter: &Filter) {
    query.push(" WHERE space_id = ").push_bind(space);
    if let Some(principal) = filter.principal {
        query.push(" AND principal_kind = ").push_bind(principal.kind());
        query.push(" AND principal_id = ").push_bind(principal.number());
    }
    if let Some(kind) = filter.principal_kind {
        query.push(" AND principal_kind = ").push_bind(kind);
    }
    if let Some(account) = filter.account {
        query.push(" AND account_uin = ").push_bind(account);
    }
    if let Some(account) = filter.other_than_account {
        query.push(" AND account_uin <> ").push_bind(account);
    }
    if let Some(configuration) = filter.configuration {
        query.push(" AND configuration_id = ").push_bind(configuration);
    }
    if !filter.states.is_empty() {
        query.push(" AND state IN (").push_list(filter.states.iter().copied()).push(")");
    }
    if !filter.kinds.is_empty() {
        query.push(" AND kind IN (").push_list(filter.kinds.iter().copied()).push(")");
    }
}

/// Tries a failed task again: a new task, linked to the old (TSK-03).
pub async fn retry(tx: &mut Write, act: &Act, space: SpaceId, id: TaskId) -> Result<TaskId, Error> {
    let old = get(tx, space, id).await?.ok_or(Error::NotFound)?;
    if old.state != State::Failed {
        return Err(Error::NotFailed);
    }
    let task = NewTask {
        space,
        kind: old.kind,
        subject: old.subject,
        account: old.account,
        configuration: old.configuration,
        principal: old.principal,
        payload: old.payload,
    };
    // It stays with what it was begun with, so that who watches that sees how it ends.
    let request_id = if old.request_id.is_empty() { &act.request_id } else { &old.request_id };
    let begun = Begun { request_id, retry_of: Some(id) };
    let new = insert(tx, act, &task, State::Ready, None, begun).await?;
    let change = Change {
        scope: Scope::Space(space),
        action: "task.retry",
        object_kind: "task",
        object_id: &new.to_string(),
        before: json!({ "retry_of": id }),
        after: json!({ "kind": task.kind, "subject": task.subject }),
    };
    audit::record(tx, act, change).await?;
    tx.wake_tasks();
    Ok(new)
}

/// How many tasks a claim may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    /// In all.
    pub most: usize,
    /// Running towards one account, whoever runs them.
    pub per_account: usize,
}

/// Takes tasks for `worker`: of each subject only the first in line, and only when none of that
/// subject is running; of each account no more than may run towards one, so that an account that
/// does not answer leaves room for the others (TSK-04).
pub(super) async fn claim(
    tx: &mut Write,
    worker: &str,
    now: Timestamp,
    room: Room,
) -> store::Result<Vec<Task>> {
    if tx.kind() == Database::Postgres {
        // One claim at a time, so that two workers that see different tasks as the first of a
        // subject cannot both begin one. Held until this short transaction ends.
        sql("SELECT pg_advisory_xact_lock(7310034283826791001)").exists(tx).await?;
    }
    sql("UPDATE tasks SET state = 'ready', worker = NULL, lease_ends = NULL, started_at = NULL
         WHERE state = 'running' AND lease_ends < $1")
    .bind(now)
    .execute(tx)
    .await?;
    let ids = claimable(tx, now, room).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut update = sql("UPDATE tasks SET state = 'running', attempt = attempt + 1, worker = ");
    update.push_bind(worker);
    update.push(", lease_ends = ").push_bind(now.plus(LEASE));
    update.push(", started_at = COALESCE(started_at, ").push_bind(now);
    update.push(") WHERE id IN (").push_list(ids.iter().copied()).push(")");
    update.execute(tx).await?;
    let mut claimed = sql(COLUMNS);
    claimed.push(" WHERE id IN (").push_list(ids.iter().copied()).push(") ORDER BY id");
    Ok(claimed.fetch_all::<Row>(tx).await?.into_iter().map(Task::from).collect())
}

/// The tasks that may be begun now. Each further look leaves out an account that is full by then, so
/// there are never more looks than tasks to take.
async fn claimable(tx: &mut Write, now: Timestamp, room: Room) -> store::Result<Vec<TaskId>> {
    let running: Vec<(Uin, i64)> = sql("SELECT account_uin, COUNT(*) FROM tasks
         WHERE state = 'running' GROUP BY account_uin")
    .fetch_all(tx)
    .await?;
    let mut running: HashMap<Uin, usize> = running
        .into_iter()
        .map(|(account, count)| (account, usize::try_from(count).unwrap_or(usize::MAX)))
        .collect();
    let mut taken: Vec<TaskId> = Vec::new();
    while taken.len() < room.most {
        let left = room.most - taken.len();
        let full: Vec<i64> = running
            .iter()
            .filter(|(_, count)| **count >= room.per_account)
            .map(|(account, _)| account.0)
            .collect();
        let mut query =
            sql("SELECT t.id, t.account_uin FROM tasks t WHERE t.state = 'ready' AND t.run_at <= ");
        query.push_bind(now);
        if !full.is_empty() {
            query.push(" AND t.account_uin NOT IN (").push_list(full).push(")");
        }
        if !taken.is_empty() {
            query.push(" AND t.id NOT IN (").push_list(taken.iter().copied()).push(")");
        }
        query.push(
            " AND NOT EXISTS (SELECT 1 FROM tasks r
                              WHERE r.subject = t.subject AND r.state = 'running')
              AND NOT EXISTS (SELECT 1 FROM tasks e
                              WHERE e.subject = t.subject AND e.state = 'ready' AND e.id < t.id)
              ORDER BY t.run_at, t.id LIMIT ",
        );
        query.push_bind(i64::try_from(left).unwrap_or(1));
        query.push(tx.skip_locked());
        let found: Vec<(TaskId, Uin)> = query.fetch_all(tx).await?;
        let seen = found.len();
        for (id, account) in found {
            let count = running.entry(account).or_default();
            if *count < room.per_account {
                *count += 1;
                taken.push(id);
            }
        }
        if seen < left {
            break;
        }
    }
    Ok(taken)
}

/// Says that `worker` is still alive.
pub(super) async fn extend_leases(
    tx: &mut Write,
    worker: &str,
    now: Timestamp,
) -> store::Result<u64> {
    sql("UPDATE tasks SET lease_ends = $1 WHERE worker = $2 AND state = 'running'")
        .bind(now.plus(LEASE))
        .bind(worker)
        .execute(tx)
        .await
}

/// Gives back what `worker` has not finished. The interrupted attempts do not count.
pub(super) async fn hand_back(tx: &mut Write, worker: &str) -> store::Result<u64> {
    tx.wake_tasks();
    sql("UPDATE tasks SET state = 'ready', worker = NULL, lease_ends = NULL, started_at = NULL
         WHERE worker = $1 AND state = 'running'")
    .bind(worker)
    .execute(tx)
    .await
}

/// Ends a task, if `worker` still has this attempt of it; says whether it did.
pub(super) async fn finish(
    tx: &mut Write,
    act: &Act,
    worker: &str,
    task: &Task,
    end: &End,
) -> store::Result<bool> {
    let (state, reason) = match end {
        End::Success(_) => (State::Success, None),
        End::Failed(reason) => (State::Failed, Some(reason)),
    };
    let ours = sql("UPDATE tasks SET state = $1, reason = $2, finished_at = $3, worker = NULL,
                                     lease_ends = NULL
                    WHERE id = $4 AND worker = $5 AND attempt = $6 AND state = 'running'")
    .bind(state)
    .bind(reason)
    .bind(act.now)
    .bind(task.id)
    .bind(worker)
    .bind(task.attempt)
    .execute(tx)
    .await?
        > 0;
    if ours {
        let change = Change {
            scope: Scope::Space(task.space),
            action: finish_action(task.kind),
            object_kind: "task",
            object_id: &task.id.to_string(),
            before: json!({ "state": task.state, "attempt": task.attempt }),
            after: json!({ "state": state, "reason": reason, "account": task.account,
                           "configuration": task.configuration,
                           "principal": task.principal.map(|principal| principal.to_string()) }),
        };
        audit::record(tx, act, change).await?;
    }
    Ok(ours)
}

fn finish_action(kind: Kind) -> &'static str {
    match kind {
        Kind::ProvisionConfiguration => "configuration.deployed",
        Kind::DeprovisionConfiguration => "configuration.undeployed",
        Kind::CreateAssignment => "assignment.created",
        Kind::DeleteAssignment => "assignment.deleted",
        Kind::StartUserSync => "user_sync.started",
        Kind::DeleteUserSync => "user_sync.deleted",
        Kind::RefreshProvider => "saml_provider.refreshed",
        Kind::DetectDrift => "drift.looked",
    }
}

/// Puts a task back in line for another attempt after `pause`, if `worker` still has it.
pub(super) async fn postpone(
    tx: &mut Write,
    worker: &str,
    task: &Task,
    now: Timestamp,
    pause: SignedDuration,
    reason: &str,
) -> store::Result<bool> {
    Ok(sql("UPDATE tasks SET state = 'ready', run_at = $1, reason = $2, worker = NULL,
                             lease_ends = NULL
            WHERE id = $3 AND worker = $4 AND attempt = $5 AND state = 'running'")
    .bind(now.plus(pause))
    .bind(reason)
    .bind(task.id)
    .bind(worker)
    .bind(task.attempt)
    .execute(tx)
    .await?
        > 0)
}
