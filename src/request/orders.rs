//! Requests, from the question to the decision.

use serde_json::{Value, json};

use super::{
    Error, LAPSE_SECONDS, MOST_A_DAY, MOST_PENDING, NewRequest, Progress, Request, RequestItem,
    rules::{check, check_opinion},
    scopes::{Askable, askable},
};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::{self, User, fold},
    id::{ConfigurationId, Principal, RequestId, SpaceId, TaskId, Uin, UserId},
    permission::{self, Limits, Triple},
    provisioning::{self, names::cam_user},
    space,
    store::{self as database, Page, PageRequest, Read, Timestamp, Write, like, sql},
};

/// Asks. Only for what scopes let the user ask for, and once at a time.
pub async fn ask(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    user: &User,
    new: &NewRequest,
) -> Result<RequestId, Error> {
    check(new)?;
    let account = new.account.ok_or(Error::ConfigurationsInvalid)?;
    // Of two requests at once the second one sees the first.
    space::lock(tx, space).await?;
    let askable = askable(tx, space, user.id).await?;
    let asked = in_scope(&askable, account, &new.configurations)?;
    let mut pending = sql("SELECT i.configuration_id FROM access_requests r
         JOIN access_request_items i ON i.request_id = r.id
         WHERE r.state = 'pending' AND r.user_id = ");
    pending.push_bind(user.id).push(" AND r.account_uin = ").push_bind(account);
    pending.push(" AND i.configuration_id IN (");
    pending.push_list(new.configurations.iter().copied()).push(")");
    if pending.exists(tx).await? {
        return Err(Error::Exists);
    }
    let count = sql("SELECT COUNT(*) FROM access_requests
                     WHERE state = 'pending' AND user_id = $1")
    .bind(user.id)
    .fetch_number(tx)
    .await?;
    if count >= MOST_PENDING {
        return Err(Error::TooMany);
    }
    let today = sql("SELECT COUNT(*) FROM access_requests WHERE user_id = $1 AND created_at > $2")
        .bind(user.id)
        .bind(act.now.plus_seconds(-86_400))
        .fetch_number(tx)
        .await?;
    if today >= MOST_A_DAY {
        return Err(Error::TooOften);
    }
    let id: RequestId = act.new_id();
    sql("INSERT INTO access_requests (id, space_id, user_id, user_name, account_uin, reason,
                                      seconds, state, opinion, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', '', $8, $8)")
    .bind(id)
    .bind(space)
    .bind(user.id)
    .bind(&user.user_name)
    .bind(account)
    .bind(new.reason.trim())
    .bind(new.seconds)
    .bind(act.now)
    .execute(tx)
    .await?;
    for it in &asked {
        sql("INSERT INTO access_request_items (request_id, configuration_id, configuration_name)
             VALUES ($1, $2, $3)")
        .bind(id)
        .bind(it.configuration_id)
        .bind(&it.configuration_name)
        .execute(tx)
        .await?;
    }
    let after = json!({
        "user": user.id,
        "account": account,
        "configurations": new.configurations,
        "seconds": new.seconds,
        "reason": new.reason.trim(),
    });
    record(tx, act, (space, id), "request.ask", Value::Null, after).await?;
    Ok(id)
}

/// Those of a user's scopes that are meant; all of them must be there.
fn in_scope<'a>(
    askable: &'a [Askable],
    account: Uin,
    configurations: &[ConfigurationId],
) -> Result<Vec<&'a Askable>, Error> {
    let find = |wanted: &ConfigurationId| {
        askable.iter().find(|it| it.account_uin == account && it.configuration_id == *wanted)
    };
    configurations.iter().map(find).collect::<Option<_>>().ok_or(Error::ScopeNotFound)
}

/// Takes back a request of one's own that nobody has decided.
pub async fn withdraw(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    user: UserId,
    id: RequestId,
) -> Result<(), Error> {
    let row = held(tx, space, id).await?;
    if row.user_id != user {
        return Err(Error::NotFound);
    }
    row.expect_pending()?;
    let settled = Settled { state: "withdrawn", decided_by: None, opinion: "", ends_at: None };
    settle(tx, act, id, &settled).await?;
    let before = json!({ "state": "pending" });
    record(tx, act, (space, id), "request.withdraw", before, json!({ "state": "withdrawn" }))
        .await?;
    Ok(())
}

/// Who decides, and what they say about it.
#[derive(Clone, Copy, Debug)]
pub struct Verdict<'a> {
    /// The account of who decides.
    pub account: Uin,
    /// Their name in it.
    pub cam_user: &'a str,
    /// What they say; may be empty.
    pub opinion: &'a str,
}

/// Approves a request: assigns what was asked for, as by hand, until the time is over that was asked
/// for. It must still be in scope, the user there and let in, and who approves somebody else: a CAM
/// user that is the user's own does not count as one.
pub async fn approve(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: RequestId,
    verdict: Verdict<'_>,
    limits: &Limits,
) -> Result<Vec<TaskId>, Error> {
    check_opinion(verdict.opinion)?;
    let row = held(tx, space, id).await?;
    row.expect_pending()?;
    let own = provisioning::directory_user_of(tx, verdict.account, verdict.cam_user).await?;
    if own == Some(row.user_id) {
        return Err(Error::Own);
    }
    // Whom it names stays until this is written.
    space::hold_access(tx, space).await?;
    let user = directory::user(tx, space, row.user_id).await?;
    let user = user.filter(User::enabled).ok_or(Error::UserGone)?;
    // A CAM user that a sync has left behind has the name that it gave, and counts as the user's.
    let suffix = space::space(tx, space).await?.map(|space| space.user_sync_suffix);
    if suffix.is_some_and(|it| cam_user(&user.user_name, &it) == verdict.cam_user) {
        return Err(Error::Own);
    }
    let items = items_of(tx, &[id]).await?;
    let wanted: Vec<ConfigurationId> = items.iter().map(|(_, it)| it.configuration_id).collect();
    let askable = askable(tx, space, row.user_id).await?;
    in_scope(&askable, row.account_uin, &wanted)?;
    let principal = Principal::User(row.user_id);
    let account = row.account_uin;
    let triples: Vec<Triple> = wanted
        .into_iter()
        .map(|configuration| Triple { principal, account, configuration })
        .collect();
    let ends_at = act.now.plus_seconds(row.seconds);
    let made =
        permission::create_temporary_assignments(tx, act, space, &triples, ends_at, limits).await?;
    let tasks: Vec<TaskId> = made.iter().map(|item| item.task).collect();
    let settled = Settled {
        state: "approved",
        decided_by: Some(&act.actor.name),
        opinion: verdict.opinion,
        ends_at: Some(ends_at),
    };
    settle(tx, act, id, &settled).await?;
    let after = json!({
        "state": "approved",
        "user": row.user_id,
        "ends_at": ends_at,
        "opinion": verdict.opinion,
        "tasks": tasks,
    });
    record(tx, act, (space, id), "request.approve", json!({ "state": "pending" }), after).await?;
    Ok(tasks)
}

/// Rejects a request.
pub async fn reject(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: RequestId,
    opinion: &str,
) -> Result<(), Error> {
    check_opinion(opinion)?;
    let row = held(tx, space, id).await?;
    row.expect_pending()?;
    let decided_by = Some(act.actor.name.as_str());
    let settled = Settled { state: "rejected", decided_by, opinion, ends_at: None };
    settle(tx, act, id, &settled).await?;
    let after = json!({ "state": "rejected", "user": row.user_id, "opinion": opinion });
    record(tx, act, (space, id), "request.reject", json!({ "state": "pending" }), after).await?;
    Ok(())
}

/// Rejects the requests that nobody has decided in time, at most `most`; says how many.
pub async fn lapse(tx: &mut Write, act: &Act, most: i64) -> Result<usize, Error> {
    let mut query = sql("SELECT id, space_id FROM access_requests WHERE state = 'pending'
                         AND created_at <= ");
    query.push_bind(act.now.plus_seconds(-LAPSE_SECONDS));
    query.push(" ORDER BY id LIMIT ").push_bind(most).push(tx.skip_locked());
    let old: Vec<(RequestId, SpaceId)> = query.fetch_all(tx).await?;
    for (id, space) in &old {
        let opinion = "Nobody has decided within 30 days.";
        let settled = Settled { state: "rejected", decided_by: None, opinion, ends_at: None };
        settle(tx, act, *id, &settled).await?;
        let after = json!({ "state": "rejected", "opinion": opinion });
        record(tx, act, (*space, *id), "request.lapse", json!({ "state": "pending" }), after)
            .await?;
    }
    Ok(old.len())
}

/// A request that is about to be decided; nobody else decides it meanwhile.
#[derive(sqlx::FromRow)]
struct Held {
    user_id: UserId,
    account_uin: Uin,
    seconds: i64,
    state: String,
}

impl Held {
    fn expect_pending(&self) -> Result<(), Error> {
        if self.state == "pending" { Ok(()) } else { Err(Error::NotPending) }
    }
}

async fn held(tx: &mut Write, space: SpaceId, id: RequestId) -> Result<Held, Error> {
    let mut query = sql("SELECT user_id, account_uin, seconds, state FROM access_requests
                         WHERE space_id = ");
    query.push_bind(space).push(" AND id = ").push_bind(id).push(tx.for_update());
    query.fetch_optional(tx).await?.ok_or(Error::NotFound)
}

/// What became of a request.
struct Settled<'a> {
    state: &'static str,
    decided_by: Option<&'a str>,
    opinion: &'a str,
    ends_at: Option<Timestamp>,
}

async fn settle(
    tx: &mut Write,
    act: &Act,
    id: RequestId,
    settled: &Settled<'_>,
) -> Result<(), database::Error> {
    sql("UPDATE access_requests SET state = $1, decided_by = $2, opinion = $3, decided_at = $4,
                                    ends_at = $5, updated_at = $4 WHERE id = $6")
    .bind(settled.state)
    .bind(settled.decided_by)
    .bind(settled.opinion)
    .bind(act.now)
    .bind(settled.ends_at)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    (space, id): (SpaceId, RequestId),
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "request",
        object_id: &id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}

#[derive(sqlx::FromRow)]
struct Row {
    id: RequestId,
    space_id: SpaceId,
    user_id: UserId,
    user_name: String,
    account_uin: Uin,
    account_name: String,
    reason: String,
    seconds: i64,
    progress: Progress,
    opinion: String,
    decided_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    created_at: Timestamp,
}

/// Which requests to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    /// Part of the user's name, whose ASCII case does not matter, or the user's id.
    pub search: Option<String>,
    /// So far.
    pub progress: Option<Progress>,
}

/// How far a request is: approved ones are as far as their assignments are, until their end.
fn push_progress(query: &mut database::Sql, now: Timestamp) {
    query.push("CASE WHEN r.state <> 'approved' THEN r.state WHEN r.ends_at <= ").push_bind(now);
    query.push(" THEN 'done'");
    for (state, progress) in [("'failed'", "'failed'"), ("'pending'", "'deploying'")] {
        query.push(
            " WHEN EXISTS (SELECT 1 FROM assignments a
                 JOIN access_request_items i ON i.configuration_id = a.configuration_id
                 WHERE i.request_id = r.id AND a.account_uin = r.account_uin
                   AND a.principal_kind = 'user' AND a.principal_id = r.user_id AND a.state = ",
        );
        query.push(state).push(") THEN ").push(progress);
    }
    query.push(" ELSE 'done' END");
}

/// The requests of a space in the order of their making, a page of them. Those that were withdrawn
/// are only their users' business.
pub async fn requests(
    tx: &mut Read,
    space: SpaceId,
    filter: &RequestFilter,
    now: Timestamp,
    page: PageRequest,
) -> Result<Page<Request>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push(" WHERE r.state <> 'withdrawn' AND r.space_id = ").push_bind(space);
        if let Some(search) = &filter.search {
            query.push(" AND (LOWER(r.user_name) LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
            if let Ok(user) = search.parse::<UserId>() {
                query.push(" OR r.user_id = ").push_bind(user);
            }
            query.push(")");
        }
        if let Some(progress) = filter.progress {
            query.push(" AND ");
            push_progress(query, now);
            query.push(" = ").push_bind(progress);
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM access_requests r");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = select(now);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND r.id > ").push_bind(after);
    }
    query.push(" ORDER BY r.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    let rows = with_items(tx, rows).await?;
    Ok(Page::of(rows, total, page.limit, |row: &Request| row.id.0))
}

/// The latest requests of a user, at most `most`, latest first.
pub async fn requests_of(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Request>, database::Error> {
    let mut query = select(now);
    query.push(" WHERE r.space_id = ").push_bind(space);
    query.push(" AND r.user_id = ").push_bind(user);
    query.push(" ORDER BY r.id DESC LIMIT ").push_bind(most);
    let rows = query.fetch_all(tx).await?;
    with_items(tx, rows).await
}

/// The request of a space with this id.
pub async fn request(
    tx: &mut Read,
    space: SpaceId,
    id: RequestId,
    now: Timestamp,
) -> Result<Option<Request>, database::Error> {
    let mut query = select(now);
    query.push(" WHERE r.space_id = ").push_bind(space).push(" AND r.id = ").push_bind(id);
    let rows = query.fetch_all(tx).await?;
    Ok(with_items(tx, rows).await?.into_iter().next())
}

fn select(now: Timestamp) -> database::Sql {
    let mut query = sql("SELECT r.id, r.space_id, r.user_id, r.user_name, r.account_uin,
        acc.name AS account_name, r.reason, r.seconds, r.opinion, r.decided_at, r.ends_at,
        r.created_at, ");
    push_progress(&mut query, now);
    query.push(" AS progress FROM access_requests r JOIN accounts acc ON acc.uin = r.account_uin");
    query
}

async fn with_items(tx: &mut Read, rows: Vec<Row>) -> Result<Vec<Request>, database::Error> {
    let ids: Vec<RequestId> = rows.iter().map(|row| row.id).collect();
    let mut items = items_of(tx, &ids).await?;
    let whole = |row: Row| {
        let own: Vec<RequestItem> =
            items.extract_if(.., |(id, _)| *id == row.id).map(|(_, item)| item).collect();
        Request {
            id: row.id,
            space_id: row.space_id,
            user_id: row.user_id,
            user_name: row.user_name,
            account_uin: row.account_uin,
            account_name: row.account_name,
            items: own,
            reason: row.reason,
            seconds: row.seconds,
            progress: row.progress,
            opinion: row.opinion,
            decided_at: row.decided_at,
            ends_at: row.ends_at,
            created_at: row.created_at,
        }
    };
    Ok(rows.into_iter().map(whole).collect())
}

/// What several requests are for, in one question.
async fn items_of(
    tx: &mut Read,
    ids: &[RequestId],
) -> Result<Vec<(RequestId, RequestItem)>, database::Error> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT i.request_id, i.configuration_id, i.configuration_name,
             COALESCE(c.description, '') AS description
         FROM access_request_items i
         LEFT JOIN permission_configurations c ON c.id = i.configuration_id
         WHERE i.request_id IN (");
    query.push_list(ids.iter().copied());
    query.push(") ORDER BY i.request_id, i.configuration_name");
    let rows: Vec<(RequestId, ConfigurationId, String, String)> = query.fetch_all(tx).await?;
    let item = |(id, configuration_id, configuration_name, description)| {
        (id, RequestItem { configuration_id, configuration_name, description })
    };
    Ok(rows.into_iter().map(item).collect())
}
