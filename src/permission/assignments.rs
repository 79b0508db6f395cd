//! Assignments in the database.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Assignment, AssignmentState, RemovalStrategy, Triple, task_subject, triple_json};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, TaskId, Uin, UserId},
    organization::AccountKind,
    store::{self as database, Page, PageRequest, Read, Write, like, sql},
    task::{self, Kind, NewTask},
};

/// An assignment with its names; the space comes next.
pub(super) const ASSIGNMENT: &str = "SELECT a.id, a.space_id, a.principal_kind, a.principal_id,
        COALESCE(u.user_name, g.name, '') AS principal_name, a.account_uin,
        acc.name AS account_name, acc.kind AS account_kind, a.configuration_id,
        c.name AS configuration_name, a.state, a.created_at, a.updated_at
    FROM assignments a
    JOIN accounts acc ON acc.uin = a.account_uin
    JOIN permission_configurations c ON c.id = a.configuration_id
    LEFT JOIN users u ON a.principal_kind = 'user' AND u.id = a.principal_id
    LEFT JOIN groups g ON a.principal_kind = 'group' AND g.id = a.principal_id
    WHERE a.space_id = ";

/// Which assignments to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AssignmentFilter {
    /// Of this identity.
    pub principal: Option<Principal>,
    /// Of identities of this kind.
    pub principal_kind: Option<PrincipalKind>,
    /// Of this user, and of the groups that the user is in (USR-09).
    pub reaching: Option<UserId>,
    /// On this account.
    pub account: Option<Uin>,
    /// On accounts of this kind.
    pub account_kind: Option<AccountKind>,
    /// With this configuration.
    pub configuration: Option<ConfigurationId>,
    /// Part of the configuration's name; ASCII case does not matter.
    pub search: Option<String>,
    /// In one of these states; all when empty.
    pub states: Vec<AssignmentState>,
}

/// The assignments of a space in the order of their making, a page of them.
pub async fn assignments(
    tx: &mut Read,
    space: SpaceId,
    filter: &AssignmentFilter,
    page: PageRequest,
) -> Result<Page<Assignment>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push_bind(space);
        if let Some(principal) = filter.principal {
            query.push(" AND a.principal_kind = ").push_bind(principal.kind());
            query.push(" AND a.principal_id = ").push_bind(principal.number());
        }
        if let Some(kind) = filter.principal_kind {
            query.push(" AND a.principal_kind = ").push_bind(kind);
        }
        if let Some(user) = filter.reaching {
            query.push(" AND (a.principal_kind = 'user' AND a.principal_id = ").push_bind(user);
            query.push(" OR a.principal_kind = 'group' AND a.principal_id IN (");
            query.push("SELECT m.group_id FROM group_members m WHERE m.user_id = ");
            query.push_bind(user).push("))");
        }
        if let Some(account) = filter.account {
            query.push(" AND a.account_uin = ").push_bind(account);
        }
        if let Some(kind) = filter.account_kind {
            query.push(" AND acc.kind = ").push_bind(kind);
        }
        if let Some(configuration) = filter.configuration {
            query.push(" AND a.configuration_id = ").push_bind(configuration);
        }
        if let Some(search) = &filter.search {
            query.push(" AND c.name_key LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
        }
        if !filter.states.is_empty() {
            query.push(" AND a.state IN (").push_list(filter.states.iter().copied()).push(")");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM assignments a
        JOIN accounts acc ON acc.uin = a.account_uin
        JOIN permission_configurations c ON c.id = a.configuration_id WHERE a.space_id = ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(ASSIGNMENT);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND a.id > ").push_bind(after);
    }
    query.push(" ORDER BY a.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row: &Assignment| row.id.0))
}

/// The assignment of a triple.
pub async fn assignment(
    tx: &mut Read,
    space: SpaceId,
    triple: &Triple,
) -> Result<Option<Assignment>, database::Error> {
    let mut query = sql(ASSIGNMENT);
    query.push_bind(space);
    query.push(" AND a.account_uin = ").push_bind(triple.account);
    query.push(" AND a.configuration_id = ").push_bind(triple.configuration);
    query.push(" AND a.principal_kind = ").push_bind(triple.principal.kind());
    query.push(" AND a.principal_id = ").push_bind(triple.principal.number());
    query.fetch_optional(tx).await
}

/// Every assignment of an identity, whatever its state.
pub async fn assignments_of_principal(
    tx: &mut Read,
    space: SpaceId,
    principal: Principal,
) -> Result<Vec<Triple>, database::Error> {
    let rows: Vec<(Uin, ConfigurationId)> =
        sql("SELECT account_uin, configuration_id FROM assignments
             WHERE space_id = $1 AND principal_kind = $2 AND principal_id = $3 ORDER BY id")
        .bind(space)
        .bind(principal.kind())
        .bind(principal.number())
        .fetch_all(tx)
        .await?;
    let triple = |(account, configuration)| Triple { principal, account, configuration };
    Ok(rows.into_iter().map(triple).collect())
}

/// Which configurations somebody has on any of these accounts: `principal`, or anybody.
pub async fn assigned_configurations(
    tx: &mut Read,
    space: SpaceId,
    accounts: &[Uin],
    principal: Option<Principal>,
) -> Result<Vec<ConfigurationId>, database::Error> {
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT DISTINCT configuration_id FROM assignments
         WHERE state IN ('pending', 'active') AND space_id = ");
    query.push_bind(space).push(" AND account_uin IN (").push_list(accounts.iter().copied());
    query.push(")");
    if let Some(principal) = principal {
        query.push(" AND principal_kind = ").push_bind(principal.kind());
        query.push(" AND principal_id = ").push_bind(principal.number());
    }
    let rows: Vec<(ConfigurationId,)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

/// How many assignments are taken away in one statement.
const AT_ONCE: usize = 500;

/// Starts to take assignments away: from now on they confer nothing. Says the task of each in the
/// order given; none for one that is not there, or on its way out already. Callers end the sessions
/// that they have opened in the same transaction (`provisioning::remove_assignments` does both).
pub async fn mark_removing(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    strategy: RemovalStrategy,
) -> Result<Vec<Option<TaskId>>, database::Error> {
    let mut marked = BTreeSet::new();
    for triples in triples.chunks(AT_ONCE) {
        let mut query = sql("UPDATE assignments SET state = 'removing', updated_at = ");
        query.push_bind(act.now).push(" WHERE space_id = ").push_bind(space);
        query.push(
            " AND state <> 'removing'
              AND (account_uin, configuration_id, principal_kind, principal_id) IN (VALUES ",
        );
        for (index, triple) in triples.iter().enumerate() {
            query.push(if index == 0 { "(" } else { ", (" }).push_bind(triple.account);
            query.push(", ").push_bind(triple.configuration);
            query.push(", ").push_bind(triple.principal.kind());
            query.push(", ").push_bind(triple.principal.number()).push(")");
        }
        query.push(") RETURNING account_uin, configuration_id, principal_kind, principal_id");
        let rows: Vec<(Uin, ConfigurationId, PrincipalKind, i64)> = query.fetch_all(tx).await?;
        marked.extend(rows.into_iter().map(|(account, configuration, kind, number)| Triple {
            principal: Principal::new(kind, number),
            account,
            configuration,
        }));
    }
    // One that is named twice goes once.
    let goes: Vec<bool> = triples.iter().map(|triple| marked.remove(triple)).collect();
    let going = || triples.iter().zip(&goes).filter(|(_, goes)| **goes).map(|(triple, _)| triple);
    let payload = json!({ "strategy": strategy });
    let tasks: Vec<_> = going()
        .map(|triple| (new_task(space, triple, Kind::DeleteAssignment, payload.clone()), None))
        .collect();
    let tasks = task::enqueue_all(tx, act, &tasks).await?;
    for (triple, task) in going().zip(&tasks) {
        let before = with(triple_json(triple), "strategy", json!(strategy));
        let after = json!({ "task": task });
        record(tx, act, space, triple, "assignment.remove", before, after).await?;
    }
    let mut tasks = tasks.into_iter();
    Ok(goes.iter().map(|goes| if *goes { tasks.next() } else { None }).collect())
}

/// Sets the state of an assignment whose creation has ended, unless it is on its way out by now.
pub async fn activate(
    tx: &mut Write,
    act: &Act,
    triple: &Triple,
    state: AssignmentState,
) -> Result<(), database::Error> {
    sql("UPDATE assignments SET state = $1, updated_at = $2
         WHERE account_uin = $3 AND configuration_id = $4 AND principal_kind = $5
           AND principal_id = $6 AND state <> 'removing'")
    .bind(state)
    .bind(act.now)
    .bind(triple.account)
    .bind(triple.configuration)
    .bind(triple.principal.kind())
    .bind(triple.principal.number())
    .execute(tx)
    .await?;
    Ok(())
}

/// Forgets an assignment whose removal has ended, unless it was made anew meanwhile.
pub async fn forget_removed(tx: &mut Write, triple: &Triple) -> Result<(), database::Error> {
    sql("DELETE FROM assignments
         WHERE account_uin = $1 AND configuration_id = $2 AND principal_kind = $3
           AND principal_id = $4 AND state = 'removing'")
    .bind(triple.account)
    .bind(triple.configuration)
    .bind(triple.principal.kind())
    .bind(triple.principal.number())
    .execute(tx)
    .await?;
    Ok(())
}

/// How many assignments of a configuration on an account are there to stay.
pub async fn remaining(
    tx: &mut Read,
    account: Uin,
    configuration: ConfigurationId,
) -> Result<i64, database::Error> {
    sql("SELECT COUNT(*) FROM assignments
         WHERE account_uin = $1 AND configuration_id = $2 AND state IN ('pending', 'active')")
    .bind(account)
    .bind(configuration)
    .fetch_number(tx)
    .await
}

pub(super) fn new_task(space: SpaceId, triple: &Triple, kind: Kind, payload: Value) -> NewTask {
    NewTask {
        space,
        kind,
        subject: task_subject(triple.account, triple.configuration),
        account: triple.account,
        configuration: Some(triple.configuration),
        principal: Some(triple.principal),
        payload,
    }
}

fn with(mut value: Value, key: &str, more: Value) -> Value {
    if let Some(object) = value.as_object_mut() {
        object.insert(key.to_owned(), more);
    }
    value
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let id = triple.to_string();
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "assignment",
        object_id: &id,
        before,
        after,
    };
    audit::record(tx, act, change).await
}
