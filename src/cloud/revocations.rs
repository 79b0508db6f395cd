//! What is ended before its time, and what is not believed any more (SES-04).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::sessions::{Vouched, folded};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{OrganizationId, RoleSessionId, Uin},
    store::{self as database, Door, Read, Timestamp, Write, sql},
};

/// How many entries are revoked in one statement.
const AT_ONCE: usize = 500;

/// Somebody's way into a role by the word of a SAML provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The account.
    pub account: Uin,
    /// For whom the provider vouches.
    pub name_id: String,
    /// The role's name.
    pub role: String,
}

/// Ends what a SAML provider's word has opened (SES-04): role sessions and their temporary
/// credentials count no longer, and what the provider said before this moment is not believed any
/// more. However many entries there are, it takes as many statements as for one.
pub async fn revoke(
    tx: &mut Write,
    act: &Act,
    provider: &str,
    entries: &BTreeSet<Entry>,
) -> Result<(), database::Error> {
    let entries: Vec<&Entry> = entries.iter().collect();
    for entries in entries.chunks(AT_ONCE) {
        mark(tx, act, provider, entries).await?;
        let mut ended = end(tx, act, provider, entries).await?;
        let accounts: BTreeSet<i64> = entries.iter().map(|entry| entry.account.0).collect();
        let mut query = sql("SELECT uin, organization_id FROM accounts WHERE uin IN ");
        query.push_numbers(accounts.into_iter().collect::<Vec<i64>>());
        let organizations: Vec<(Uin, OrganizationId)> = query.fetch_all(tx).await?;
        let organizations: BTreeMap<Uin, OrganizationId> = organizations.into_iter().collect();
        for &entry in entries {
            let Some(organization) = organizations.get(&entry.account) else {
                // The account has no organisation any more, so there is nobody to tell.
                tracing::error!(account = %entry.account, "a role session is not recorded as revoked");
                continue;
            };
            let change = Change {
                scope: Scope::Organization(*organization),
                action: "role_session.revoke",
                object_kind: "role",
                object_id: &format!("{}/{}", entry.account, entry.role),
                before: json!({
                    "name_id": entry.name_id,
                    "provider": provider,
                    "sessions": ended.remove(entry).unwrap_or(0),
                }),
                after: json!({ "issued_before": act.now }),
            };
            audit::record(tx, act, change).await?;
        }
    }
    Ok(())
}

/// From now on nothing is believed that was said before.
async fn mark(
    tx: &mut Write,
    act: &Act,
    provider: &str,
    entries: &[&Entry],
) -> Result<(), database::Error> {
    // However a name is written it is one person's.
    let marks: BTreeSet<_> =
        entries.iter().map(|it| (it.account, folded(&it.name_id), it.role.as_str())).collect();
    let mut query = sql("INSERT INTO cloud_revocations
             (account_uin, provider_name, name_id, role_name, issued_before) VALUES ");
    for (index, (account, name_id, role)) in marks.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" }).push_bind(*account);
        query.push(", ").push_bind(provider).push(", ").push_bind(name_id);
        query.push(", ").push_bind(*role).push(", ").push_bind(act.now).push(")");
    }
    query.push(
        " ON CONFLICT (account_uin, provider_name, name_id, role_name)
          DO UPDATE SET issued_before = excluded.issued_before
          WHERE cloud_revocations.issued_before < excluded.issued_before",
    );
    query.execute(tx).await?;
    Ok(())
}

/// Ends the role sessions of these entries; says how many each had.
async fn end(
    tx: &mut Write,
    act: &Act,
    provider: &str,
    entries: &[&Entry],
) -> Result<BTreeMap<Entry, u64>, database::Error> {
    let mut query = sql("SELECT s.id, s.account_uin, s.name_id, r.name FROM cloud_role_sessions s
         JOIN cloud_roles r ON r.id = s.role_id WHERE s.revoked_at IS NULL AND s.provider_name = ");
    query.push_bind(provider).push(" AND s.expires_at > ").push_bind(act.now);
    query.push(" AND (s.account_uin, s.name_id, r.name) IN (VALUES ");
    for (index, entry) in entries.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" }).push_bind(entry.account);
        query.push(", ").push_bind(&entry.name_id);
        query.push(", ").push_bind(&entry.role).push(")");
    }
    query.push(")");
    let live: Vec<(RoleSessionId, Uin, String, String)> = query.fetch_all(tx).await?;
    let ids = || live.iter().map(|(id, ..)| id.0).collect::<Vec<i64>>();
    let mut update = sql("UPDATE cloud_role_sessions SET revoked_at = ");
    update.push_bind(act.now).push(" WHERE id IN ").push_numbers(ids());
    update.execute(tx).await?;
    let mut doors = sql("DELETE FROM sessions WHERE door = ");
    doors.push_bind(Door::Cloud).push(" AND subject IN ").push_numbers(ids());
    doors.execute(tx).await?;
    let mut ended = BTreeMap::new();
    for (_, account, name_id, role) in live {
        *ended.entry(Entry { account, name_id, role }).or_insert(0) += 1;
    }
    Ok(ended)
}

/// Ends every role session that these CAM users have opened, and every federated one: they are shut
/// out, or go.
pub(super) async fn end_of_users(
    tx: &mut Write,
    act: &Act,
    users: &[Uin],
) -> Result<(), database::Error> {
    let users: Vec<i64> = users.iter().map(|user| user.0).collect();
    let mut roles = sql("UPDATE cloud_role_sessions SET revoked_at = ");
    roles.push_bind(act.now).push(" WHERE revoked_at IS NULL AND assumed_by IN ");
    roles.push_numbers(users.clone());
    roles.execute(tx).await?;
    let mut federated = sql("UPDATE cloud_federation_sessions SET revoked_at = ");
    federated.push_bind(act.now).push(" WHERE revoked_at IS NULL AND user_uin IN ");
    federated.push_numbers(users);
    federated.execute(tx).await?;
    Ok(())
}

/// The name under which a mark stands for every role, and for what is no role.
const EVERYTHING: &str = "";

/// Ends everything that a SAML provider's word about somebody has opened in these accounts: role
/// sessions and their temporary credentials count no longer, the sign-ins of a CAM user of that name
/// neither, and what the provider said before this moment is not believed any more (SES-04). Says
/// how many role sessions were ended.
pub async fn revoke_everything(
    tx: &mut Write,
    act: &Act,
    accounts: &[Uin],
    provider: &str,
    name_id: &str,
) -> Result<u64, database::Error> {
    let numbers = || accounts.iter().map(|account| account.0).collect::<Vec<i64>>();
    let mut mark = sql("INSERT INTO cloud_revocations
             (account_uin, provider_name, name_id, role_name, issued_before)
         SELECT n.value, ");
    mark.push_bind(provider).push(", ").push_bind(folded(name_id));
    mark.push(", ").push_bind(EVERYTHING);
    mark.push(", ").push_bind(act.now).push(" FROM ").push_numbers(numbers());
    mark.push(
        " AS n WHERE 1 = 1
         ON CONFLICT (account_uin, provider_name, name_id, role_name)
         DO UPDATE SET issued_before = excluded.issued_before
         WHERE cloud_revocations.issued_before < excluded.issued_before",
    );
    mark.execute(tx).await?;
    let mut live = sql("UPDATE cloud_role_sessions SET revoked_at = ");
    live.push_bind(act.now).push(" WHERE provider_name = ").push_bind(provider);
    // A name that is written otherwise since is the same person's.
    live.push(" AND LOWER(name_id) = ").push_bind(folded(name_id));
    live.push(" AND revoked_at IS NULL AND expires_at > ").push_bind(act.now);
    live.push(" AND account_uin IN ").push_numbers(numbers()).push(" RETURNING id");
    let live: Vec<(RoleSessionId,)> = live.fetch_all(tx).await?;
    let mut subjects: Vec<i64> = live.iter().map(|(id,)| id.0).collect();
    let mut users = sql("SELECT uin FROM cloud_users WHERE name = ");
    users.push_bind(name_id).push(" AND account_uin IN ").push_numbers(numbers());
    let users: Vec<(Uin,)> = users.fetch_all(tx).await?;
    subjects.extend(users.iter().map(|(uin,)| uin.0));
    let mut doors = sql("DELETE FROM sessions WHERE door = ");
    doors.push_bind(Door::Cloud).push(" AND subject IN ").push_numbers(subjects);
    doors.execute(tx).await?;
    Ok(live.len() as u64)
}

/// Whether the provider's word about somebody, given at `issued_at`, was revoked since. A word of
/// the very moment of the revocation is.
pub(super) async fn is_revoked(
    tx: &mut Read,
    vouched: Vouched<'_>,
    role: &str,
    issued_at: Timestamp,
) -> Result<bool, database::Error> {
    sql("SELECT 1 FROM cloud_revocations
         WHERE account_uin = $1 AND provider_name = $2 AND name_id IN ($3, $4)
           AND role_name IN ($5, '') AND issued_before >= $6")
    .bind(vouched.account)
    .bind(vouched.provider)
    .bind(vouched.name_id)
    .bind(folded(vouched.name_id))
    .bind(role)
    .bind(issued_at)
    .exists(tx)
    .await
}
