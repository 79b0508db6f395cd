//! Assignments in the database.

use serde_json::{Value, json};

use super::{
    Assignment, AssignmentState, Error, Item, Limits, MOST_ASSIGNMENTS_PER_CALL, RemovalStrategy,
    Triple, Unknown, deployments::expect_deployment, task_subject, triple_json,
};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{
        AssignmentId, ConfigurationId, GroupId, Principal, PrincipalKind, SpaceId, TaskId, Uin,
        UserId,
    },
    organization::AccountKind,
    store::{self as database, Page, PageRequest, Read, Timestamp, ToValue, Write, like, sql},
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
    if triples.is_empty() || triples.len() > MOST_ASSIGNMENTS_PER_CALL {
        return Err(Error::AssignmentCountInvalid);
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
    let mut items = Vec::with_capacity(triples.len());
    for triple in triples {
        items.push(create_one(tx, act, space, triple, until).await?);
    }
    if items.iter().all(|item| item.duplicate) {
        return Err(Error::AssignmentsExist);
    }
    let total = sql("SELECT COUNT(*) FROM assignments WHERE space_id = $1")
        .bind(space)
        .fetch_number(tx)
        .await?;
    if total > limits.assignments {
        return Err(Error::TooManyAssignments(limits.assignments));
    }
    Ok(items)
}

async fn create_one(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    Until(ends_at): Until,
) -> Result<Item, Error> {
    let id: AssignmentId = act.new_id();
    // One that failed, or that is on its way out, is taken up again. One that is there and ends is
    // given its later end, and goes on counting meanwhile.
    let made = sql("INSERT INTO assignments
             (id, space_id, principal_kind, principal_id, account_uin, configuration_id, state,
              created_at, updated_at, ends_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, $8)
         ON CONFLICT (account_uin, configuration_id, principal_kind, principal_id)
         DO UPDATE SET state = CASE WHEN assignments.state IN ('failed', 'removing') THEN 'pending'
                                    ELSE assignments.state END,
                       created_at = CASE WHEN assignments.state IN ('failed', 'removing')
                                         THEN excluded.created_at
                                         ELSE assignments.created_at END,
                       updated_at = excluded.updated_at,
                       ends_at = excluded.ends_at
         WHERE assignments.state IN ('failed', 'removing')
            OR assignments.ends_at IS NOT NULL
               AND (excluded.ends_at IS NULL OR excluded.ends_at > assignments.ends_at)")
    .bind(id)
    .bind(space)
    .bind(triple.principal.kind())
    .bind(triple.principal.number())
    .bind(triple.account)
    .bind(triple.configuration)
    .bind(act.now)
    .bind(ends_at)
    .execute(tx)
    .await?;
    let task = new_task(space, triple, Kind::CreateAssignment, json!({}));
    if made == 0 {
        let reason = "the assignment exists already";
        let task = task::enqueue_failed(tx, act, &task, reason).await?;
        return Ok(Item { triple: *triple, task, duplicate: true });
    }
    expect_deployment(tx, act, space, triple.configuration, triple.account).await?;
    let task = task::enqueue(tx, act, &task).await?;
    let mut after = with(triple_json(triple), "task", json!(task));
    if let Some(ends_at) = ends_at {
        after = with(after, "ends_at", json!(ends_at));
    }
    record(tx, act, space, triple, "assignment.create", json!(null), after).await?;
    Ok(Item { triple: *triple, task, duplicate: false })
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

/// Which assignments to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AssignmentFilter {
    /// Of this identity.
    pub principal: Option<Principal>,
    /// Of identities of this kind.
    pub principal_kind: Option<PrincipalKind>,
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

/// Starts to take an assignment away: from now on it confers nothing. Callers end the sessions it
/// has opened in the same transaction (`provisioning::remove_assignment` does both).
pub async fn mark_removing(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    strategy: RemovalStrategy,
) -> Result<TaskId, Error> {
    mark_removing_if_there(tx, act, space, triple, strategy).await?.ok_or(Error::AssignmentNotFound)
}

/// The same, where it may be gone or on its way out already.
pub async fn mark_removing_if_there(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    strategy: RemovalStrategy,
) -> Result<Option<TaskId>, database::Error> {
    let marked = sql("UPDATE assignments SET state = 'removing', updated_at = $1
         WHERE space_id = $2 AND account_uin = $3 AND configuration_id = $4
           AND principal_kind = $5 AND principal_id = $6 AND state <> 'removing'")
    .bind(act.now)
    .bind(space)
    .bind(triple.account)
    .bind(triple.configuration)
    .bind(triple.principal.kind())
    .bind(triple.principal.number())
    .execute(tx)
    .await?;
    if marked == 0 {
        return Ok(None);
    }
    let payload = json!({ "strategy": strategy });
    let task = new_task(space, triple, Kind::DeleteAssignment, payload);
    let task = task::enqueue(tx, act, &task).await?;
    let before = with(triple_json(triple), "strategy", json!(strategy));
    record(tx, act, space, triple, "assignment.remove", before, json!({ "task": task })).await?;
    Ok(Some(task))
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

fn new_task(space: SpaceId, triple: &Triple, kind: Kind, payload: Value) -> NewTask {
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
    let id = format!("{}/{}/{}", triple.account, triple.configuration, triple.principal);
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
