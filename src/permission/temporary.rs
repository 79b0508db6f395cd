//! Assignments that end by themselves.

use super::{
    AssignmentState, Error, Item, Limits, Triple,
    assigning::{Until, create},
};
use crate::{
    audit::Act,
    id::{ConfigurationId, PrincipalKind, SpaceId, Uin},
    store::{self as database, Read, Timestamp, Write, sql},
};

/// Assigns until `ends_at`, otherwise as by hand. What is there for good stays for good and counts
/// as a duplicate; what ends sooner ends at `ends_at` now.
pub async fn create_temporary_assignments(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
    ends_at: Timestamp,
    limits: &Limits,
) -> Result<Vec<Item>, Error> {
    create(tx, act, space, triples, Until(Some(ends_at)), limits).await
}

/// The assignments whose end has come and that nobody takes away yet, with their spaces, the one
/// that ended first first.
pub async fn due_assignments(
    tx: &mut Read,
    now: Timestamp,
    most: i64,
) -> Result<Vec<(SpaceId, Triple)>, database::Error> {
    let rows: Vec<(SpaceId, PrincipalKind, i64, Uin, ConfigurationId)> =
        sql("SELECT space_id, principal_kind, principal_id, account_uin, configuration_id
             FROM assignments WHERE ends_at <= $1 AND state <> 'removing'
             ORDER BY ends_at, id LIMIT $2")
        .bind(now)
        .bind(most)
        .fetch_all(tx)
        .await?;
    let due = |(space, kind, number, account, configuration)| {
        let principal = crate::id::Principal::new(kind, number);
        (space, Triple { principal, account, configuration })
    };
    Ok(rows.into_iter().map(due).collect())
}

/// Whether the end of an assignment has come and nobody takes it away yet. Until this transaction
/// ends, nobody gives it another end.
pub async fn is_due(
    tx: &mut Write,
    triple: &Triple,
    now: Timestamp,
) -> Result<bool, database::Error> {
    let mut query = sql("SELECT id FROM assignments WHERE ends_at <= ");
    query.push_bind(now).push(" AND state <> ").push_bind(AssignmentState::Removing);
    query.push(" AND account_uin = ").push_bind(triple.account);
    query.push(" AND configuration_id = ").push_bind(triple.configuration);
    query.push(" AND principal_kind = ").push_bind(triple.principal.kind());
    query.push(" AND principal_id = ").push_bind(triple.principal.number());
    query.push(tx.for_update());
    query.exists(tx).await
}
