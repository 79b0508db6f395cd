//! Custom policies of an account.

use serde_json::json;

use super::{Hand, POLICY, check_hand, not_found, record};
use crate::{
    audit::Act,
    cam::{self, Policy},
    cloud::Error,
    id::SpaceId,
    store::{self as database, Read, Write, like, sql},
};

#[derive(sqlx::FromRow)]
struct PolicyRow {
    id: i64,
    name: String,
    document: String,
    managed_by: Option<SpaceId>,
}

/// The custom policies of an account whose names begin so.
pub(in crate::cloud) async fn custom_policies(
    tx: &mut Read,
    hand: Hand,
    prefix: &str,
) -> Result<Vec<Policy>, database::Error> {
    let rows: Vec<PolicyRow> = sql(r"SELECT id, name, document, managed_by FROM cloud_policies
              WHERE account_uin = $1 AND name LIKE $2 ESCAPE '\' ORDER BY name")
    .bind(hand.account)
    .bind(like(prefix).trim_start_matches('%'))
    .fetch_all(tx)
    .await?;
    // LIKE folds case on one of the databases.
    Ok(rows
        .into_iter()
        .filter(|row| row.name.starts_with(prefix))
        .map(|row| Policy {
            id: row.id,
            name: row.name,
            document: row.document,
            ours: row.managed_by == hand.deployer,
        })
        .collect())
}

pub(in crate::cloud) async fn create_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    description: &str,
    document: &str,
) -> Result<i64, Error> {
    let id: i64 = act.new_id();
    let made = sql("INSERT INTO cloud_policies
             (id, account_uin, name, description, document, managed_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(id)
    .bind(hand.account)
    .bind(name)
    .bind(description)
    .bind(document)
    .bind(hand.deployer)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        let found = custom_policies(tx, hand, name).await?;
        let found = found.into_iter().find(|policy| policy.name == name);
        let found = found.ok_or_else(|| not_found(POLICY, name))?;
        if !found.ours {
            return Err(cam::Error::NameClash { kind: POLICY, name: name.to_owned() }.into());
        }
        return Ok(found.id);
    }
    let states = [json!(null), json!({ "document": document })];
    record(tx, act, hand, "policy.create", POLICY, name, states).await?;
    Ok(id)
}

async fn own_policy(tx: &mut Read, hand: Hand, id: i64) -> Result<Option<PolicyRow>, Error> {
    let found: Option<PolicyRow> = sql("SELECT id, name, document, managed_by FROM cloud_policies
             WHERE account_uin = $1 AND id = $2")
    .bind(hand.account)
    .bind(id)
    .fetch_optional(tx)
    .await?;
    if let Some(found) = &found {
        check_hand(hand.deployer, found.managed_by, POLICY, &found.name)?;
    }
    Ok(found)
}

pub(in crate::cloud) async fn update_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    id: i64,
    document: &str,
) -> Result<(), Error> {
    let found = own_policy(tx, hand, id).await?;
    let found = found.ok_or_else(|| not_found(POLICY, &id.to_string()))?;
    if found.document == document {
        return Ok(());
    }
    sql("UPDATE cloud_policies SET document = $1, updated_at = $2 WHERE id = $3")
        .bind(document)
        .bind(act.now)
        .bind(id)
        .execute(tx)
        .await?;
    let states = [json!({ "document": found.document }), json!({ "document": document })];
    record(tx, act, hand, "policy.update", POLICY, &found.name, states).await
}

pub(in crate::cloud) async fn delete_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    id: i64,
) -> Result<(), Error> {
    let Some(found) = own_policy(tx, hand, id).await? else { return Ok(()) };
    for query in [
        "DELETE FROM cloud_role_policies WHERE policy_id = $1",
        "DELETE FROM cloud_user_policies WHERE policy_id = $1",
        "DELETE FROM cloud_policies WHERE id = $1",
    ] {
        sql(query).bind(id).execute(tx).await?;
    }
    let states = [json!({ "document": found.document }), json!(null)];
    record(tx, act, hand, "policy.delete", POLICY, &found.name, states).await
}
