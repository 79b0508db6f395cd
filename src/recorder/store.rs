//! Recorded requests in the database.

use serde_json::json;

use super::{Entry, Failures, MAX_TEXT, Outcome, Recorded};
use crate::{
    id::{AuditId, PrincipalKind, ScimRequestId, SpaceId, first_of},
    store::{self as database, Page, PageRequest, Read, Timestamp, Write, portion, sql},
};

/// Rows in one statement, at most.
const CHUNK: usize = 64;
/// Rows that one sweep forgets at a time.
const SWEPT: i64 = 5000;

const RECORDED: &str = "SELECT id, at, credential_id, method, path, query, client, body,
        body_length, status, scim_type, detail, subject_kind, subject_id, subject_name, audit_ids,
        failures, conditions, request_id, address, duration FROM scim_requests WHERE ";

/// What is looked for. Everything that is given has to hold; of an id and a name one is enough,
/// because a refusal knows its subject by only one of the two.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Users or groups.
    pub kind: Option<PrincipalKind>,
    /// The one with this id.
    pub id: Option<i64>,
    /// Those with this name, in any letter case.
    pub name: Option<String>,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// With this method.
    pub method: Option<String>,
}

/// Records requests.
pub async fn insert(tx: &mut Write, entries: &[Entry]) -> database::Result<()> {
    let mut rest = entries;
    while !rest.is_empty() {
        let (chunk, others) = rest.split_at(portion(rest.len(), CHUNK));
        rest = others;
        let mut query = sql("INSERT INTO scim_requests (id, space_id, at, credential_id, method,
             path, query, client, body, body_length, status, scim_type, detail, subject_kind,
             subject_id, subject_name, audit_ids, failures, conditions, request_id, address,
             duration, size) VALUES ")
        .keep();
        for (index, entry) in chunk.iter().enumerate() {
            let text = |text: &str| text.chars().take(MAX_TEXT).collect::<String>();
            let (path, detail) = (text(&entry.path), entry.detail.as_deref().map(text));
            let (asked, client) =
                (entry.query.as_deref().map(text), entry.client.as_deref().map(text));
            let audit_ids = listed(&entry.audit_ids);
            let failures = entry.failures.as_ref().map(|failures| json!(failures).to_string());
            let conditions =
                (!entry.conditions.is_empty()).then(|| json!(entry.conditions).to_string());
            let sizes = [&entry.body, &detail, &asked, &client, &audit_ids, &failures, &conditions];
            let size = 200
                + path.len()
                + sizes.iter().map(|part| part.as_ref().map_or(0, String::len)).sum::<usize>();
            query.push(if index > 0 { ", (" } else { "(" }).push_bind(entry.id);
            query.push(", ").push_bind(entry.space);
            query.push(", ").push_bind(entry.at);
            query.push(", ").push_bind(entry.credential);
            query.push(", ").push_bind(&entry.method);
            query.push(", ").push_bind(path);
            query.push(", ").push_bind(asked);
            query.push(", ").push_bind(client);
            query.push(", ").push_bind(entry.body.clone());
            query.push(", ").push_bind(entry.body_length);
            query.push(", ").push_bind(entry.status);
            query.push(", ").push_bind(entry.scim_type);
            query.push(", ").push_bind(detail);
            query.push(", ").push_bind(entry.kind);
            query.push(", ").push_bind(entry.subject.id);
            query.push(", ").push_bind(entry.subject.name.clone());
            query.push(", ").push_bind(audit_ids);
            query.push(", ").push_bind(failures);
            query.push(", ").push_bind(conditions);
            query.push(", ").push_bind(&entry.request_id);
            query.push(", ").push_bind(entry.address.clone());
            query.push(", ").push_bind(entry.duration);
            query.push(", ").push_bind(i64::try_from(size).unwrap_or(i64::MAX)).push(")");
        }
        if chunk.len() == entries.len() {
            query.later(tx).await?;
        } else {
            query.execute(tx).await?;
        }
    }
    Ok(())
}

fn listed(audit_ids: &[AuditId]) -> Option<String> {
    let ids: Vec<String> = audit_ids.iter().map(|id| id.0.to_string()).collect();
    (!ids.is_empty()).then(|| format!("[{}]", ids.join(",")))
}

/// Writes down what came of a request that was recorded before it was done.
pub async fn amend(
    tx: &mut Write,
    space: SpaceId,
    id: ScimRequestId,
    audit_ids: &[AuditId],
    failures: Option<&Failures>,
) -> database::Result<()> {
    let (audit_ids, failures) =
        (listed(audit_ids), failures.map(|failures| json!(failures).to_string()));
    let size = [&audit_ids, &failures].map(|part| part.as_ref().map_or(0, String::len));
    sql("UPDATE scim_requests SET audit_ids = $1, failures = $2, size = size + $3
         WHERE space_id = $4 AND id = $5")
    .bind(audit_ids)
    .bind(failures)
    .bind(i64::try_from(size.iter().sum::<usize>()).unwrap_or(i64::MAX))
    .bind(space)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// The recorded request with this id.
pub async fn find(
    tx: &mut Read,
    space: SpaceId,
    id: ScimRequestId,
) -> database::Result<Option<Recorded>> {
    let mut query = sql(RECORDED);
    query.push("id = ").push_bind(id).push(" AND space_id = ").push_bind(space);
    query.fetch_optional(tx).await
}

/// The requests that fit, latest first. The total is that of the page: counting all that fit would
/// mean looking at every one.
pub async fn search(
    tx: &mut Read,
    space: SpaceId,
    wanted: &Search,
    page: PageRequest,
) -> database::Result<Page<Recorded>> {
    let mut query = sql(RECORDED);
    query.push("space_id = ").push_bind(space);
    if let Some(kind) = wanted.kind {
        query.push(" AND subject_kind = ").push_bind(kind);
    }
    let name = wanted.name.as_ref().map(|name| name.to_ascii_lowercase());
    match (wanted.id, name) {
        (Some(id), Some(name)) => {
            query.push(" AND (subject_id = ").push_bind(id);
            query.push(" OR subject_name = ").push_bind(name).push(")")
        }
        (Some(id), None) => query.push(" AND subject_id = ").push_bind(id),
        (None, Some(name)) => query.push(" AND subject_name = ").push_bind(name),
        (None, None) => &mut query,
    };
    if let Some(method) = &wanted.method {
        query.push(" AND method = ").push_bind(method);
    }
    match wanted.outcome {
        // As the index of refusals has it.
        Some(Outcome::Refused) => query.push(" AND (status >= 400 OR failures IS NOT NULL)"),
        Some(Outcome::Done) => query.push(" AND status < 400 AND failures IS NULL"),
        None => &mut query,
    };
    if let Some(after) = page.after {
        query.push(" AND id < ").push_bind(after);
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    let total = i64::try_from(rows.len()).unwrap_or(i64::MAX);
    Ok(Page::of(rows, total, page.limit, |one: &Recorded| one.id.0))
}

/// The latest request of a space that was done, or that was refused.
pub async fn latest(
    tx: &mut Read,
    space: SpaceId,
    outcome: Outcome,
) -> database::Result<Option<Recorded>> {
    let wanted = Search { outcome: Some(outcome), ..Search::default() };
    Ok(search(tx, space, &wanted, PageRequest::first(1)).await?.rows.pop())
}

/// How many requests there were in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// All of them.
    pub requests: i64,
    /// Those that were refused, in whole or in part.
    pub refused: i64,
}

/// How many requests of a space there were from each of these moments to the next. Both numbers
/// are counted by an index; the list must be bounded by the caller.
pub async fn activity(
    tx: &mut Read,
    space: SpaceId,
    moments: &[Timestamp],
) -> database::Result<Vec<Activity>> {
    let mut query = sql("");
    for (place, (since, until)) in moments.iter().zip(moments.iter().skip(1)).enumerate() {
        query.push(if place > 0 { " UNION ALL SELECT " } else { "SELECT " });
        query.push_bind(i64::try_from(place).unwrap_or(i64::MAX)).push(" AS place, ");
        let mut count = |more: &'static str, end: &'static str| {
            query.push("(SELECT COUNT(*) FROM scim_requests WHERE space_id = ").push_bind(space);
            query.push(" AND id >= ").push_bind(first_of(*since));
            query.push(" AND id < ").push_bind(first_of(*until)).push(more).push(end);
        };
        count("", ") AS requests, ");
        count(" AND (status >= 400 OR failures IS NOT NULL)", ") AS refused");
    }
    if moments.len() < 2 {
        return Ok(Vec::new());
    }
    query.push(" ORDER BY place");
    let rows: Vec<(i64, i64, i64)> = query.fetch_all(tx).await?;
    Ok(rows.into_iter().map(|(_, requests, refused)| Activity { requests, refused }).collect())
}

/// Forgets requests that are older than `before`, and the oldest ones until the rest takes at
/// most `most` bytes; a bounded number of them. Tells how many went.
pub async fn forget_old(
    tx: &mut Write,
    space: SpaceId,
    before: Timestamp,
    most: i64,
) -> database::Result<u64> {
    let kept: i64 =
        sql("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM scim_requests WHERE space_id = $1")
            .bind(space)
            .fetch_number(tx)
            .await?;
    let mut query = sql("SELECT id, at, size FROM scim_requests WHERE space_id = ");
    query.push_bind(space).push(" ORDER BY id LIMIT ").push_bind(SWEPT);
    let oldest: Vec<(i64, Timestamp, i64)> = query.fetch_all(tx).await?;
    let mut left = kept;
    let mut last = None;
    for (id, at, size) in oldest {
        if at >= before && left <= most {
            break;
        }
        left -= size;
        last = Some(id);
    }
    let Some(last) = last else { return Ok(0) };
    sql("DELETE FROM scim_requests WHERE space_id = $1 AND id <= $2")
        .bind(space)
        .bind(last)
        .execute(tx)
        .await
}
