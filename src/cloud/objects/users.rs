//! CAM users of an account.

use std::collections::BTreeSet;

use serde_json::json;

use super::{Hand, USER, not_found, record};
use crate::{
    audit::{self, Act, Change, Scope},
    cam::{self, User},
    cloud::{Error, revocations},
    id::{SpaceId, Uin, new_uin},
    store::{self as database, Read, Write, sql},
};

/// All CAM users of the account.
pub(in crate::cloud) async fn cam_users(
    tx: &mut Read,
    hand: Hand,
) -> Result<Vec<User>, database::Error> {
    let rows: Vec<(Uin, String, Option<SpaceId>, bool, bool, bool)> =
        sql("SELECT uin, name, managed_by, is_root, blocked, EXISTS (
                 SELECT 1 FROM cloud_access_keys k WHERE k.user_uin = cloud_users.uin)
             FROM cloud_users WHERE account_uin = $1")
        .bind(hand.account)
        .fetch_all(tx)
        .await?;
    let user = |(uin, name, managed_by, is_root, blocked, has_access_keys)| User {
        uin,
        name,
        ours: hand.deployer.is_some() && managed_by == hand.deployer,
        is_root,
        blocked,
        has_access_keys,
    };
    Ok(rows.into_iter().map(user).collect())
}

/// The CAM user of this name, whatever the case.
pub(in crate::cloud) async fn cam_user(
    tx: &mut Read,
    hand: Hand,
    name: &str,
) -> Result<Option<User>, database::Error> {
    let mut query = sql(crate::cloud::users::USER);
    query.push("account_uin = ").push_bind(hand.account);
    query.push(" AND name_key = ").push_bind(name.to_ascii_lowercase());
    let Some(user) = query.fetch_optional::<crate::cloud::CamUser>(tx).await? else {
        return Ok(None);
    };
    let has_access_keys = sql("SELECT 1 FROM cloud_access_keys WHERE user_uin = $1 LIMIT 1")
        .bind(user.uin)
        .exists(tx)
        .await?;
    Ok(Some(User {
        uin: user.uin,
        name: user.name,
        ours: hand.deployer.is_some() && user.managed_by == hand.deployer,
        is_root: user.is_root,
        blocked: user.blocked,
        has_access_keys,
    }))
}

fn clash(name: &str) -> Error {
    cam::Error::NameClash { kind: USER, name: name.to_owned() }.into()
}

async fn own_user(tx: &mut Read, hand: Hand, name: &str) -> Result<Option<User>, Error> {
    let found = cam_user(tx, hand, name).await?;
    if found.as_ref().is_some_and(|user| !user.ours) {
        return Err(clash(name));
    }
    Ok(found)
}

pub(in crate::cloud) async fn create_cam_user(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    remark: &str,
) -> Result<(), Error> {
    let uin = new_uin()?;
    let made = sql("INSERT INTO cloud_users
             (uin, account_uin, name, name_key, is_root, failed_logins, managed_by, blocked,
              remark, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, 0, $6, $5, $7, $8, $8)
         ON CONFLICT (account_uin, name_key) DO NOTHING")
    .bind(uin)
    .bind(hand.account)
    .bind(name)
    .bind(name.to_ascii_lowercase())
    .bind(false)
    .bind(hand.deployer)
    .bind(remark)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        own_user(tx, hand, name).await?;
        return Ok(());
    }
    let states = [json!(null), json!({ "uin": uin })];
    record(tx, act, hand, "cam_user.create", "cam_user", name, states).await
}

pub(in crate::cloud) async fn take_over_cam_user(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let found = cam_user(tx, hand, name).await?.ok_or_else(|| not_found(USER, name))?;
    if found.ours {
        return Ok(());
    }
    let taken = sql("UPDATE cloud_users SET managed_by = $1, updated_at = $2
         WHERE uin = $3 AND managed_by IS NULL AND is_root = $4")
    .bind(hand.deployer)
    .bind(act.now)
    .bind(found.uin)
    .bind(false)
    .execute(tx)
    .await?;
    if taken == 0 {
        return Err(clash(name));
    }
    // What it brings along stays with it, and is named here (US-06).
    let keys: Vec<(String,)> =
        sql("SELECT secret_id FROM cloud_access_keys WHERE user_uin = $1 ORDER BY secret_id")
            .bind(found.uin)
            .fetch_all(tx)
            .await?;
    let policies: Vec<(i64,)> =
        sql("SELECT policy_id FROM cloud_user_policies WHERE user_uin = $1 ORDER BY policy_id")
            .bind(found.uin)
            .fetch_all(tx)
            .await?;
    let keys: Vec<String> = keys.into_iter().map(|(id,)| id).collect();
    let policies: Vec<i64> = policies.into_iter().map(|(id,)| id).collect();
    let states = [
        json!({ "managed": false }),
        json!({ "managed": true, "uin": found.uin, "access_keys": keys, "policies": policies }),
    ];
    record(tx, act, hand, "cam_user.take_over", "cam_user", name, states).await
}

pub(in crate::cloud) async fn release_cam_user(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = cam_user(tx, hand, name).await?.filter(|user| user.ours) else {
        return Ok(());
    };
    sql("UPDATE cloud_users SET managed_by = NULL, updated_at = $1 WHERE uin = $2")
        .bind(act.now)
        .bind(found.uin)
        .execute(tx)
        .await?;
    let states = [json!({ "managed": true }), json!({ "managed": false })];
    record(tx, act, hand, "cam_user.release", "cam_user", name, states).await
}

pub(in crate::cloud) async fn set_cam_user_blocked(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    blocked: bool,
) -> Result<(), Error> {
    let found = own_user(tx, hand, name).await?.ok_or_else(|| not_found(USER, name))?;
    if found.blocked == blocked {
        return Ok(());
    }
    sql("UPDATE cloud_users SET blocked = $1, updated_at = $2 WHERE uin = $3")
        .bind(blocked)
        .bind(act.now)
        .bind(found.uin)
        .execute(tx)
        .await?;
    if blocked {
        revocations::end_of_users(tx, act, &[found.uin]).await?;
    }
    let states = [json!({ "blocked": found.blocked }), json!({ "blocked": blocked })];
    record(tx, act, hand, "cam_user.set_blocked", "cam_user", name, states).await
}

/// How many CAM users are shut out in one statement.
const AT_ONCE: usize = 500;

/// Shuts CAM users of a deployer out of their accounts, at once (US-15): those of these accounts and
/// names that are its own. What of them is open ends.
pub async fn shut_out(
    tx: &mut Write,
    act: &Act,
    deployer: SpaceId,
    users: &[(Uin, String)],
) -> Result<(), database::Error> {
    for users in users.chunks(AT_ONCE) {
        let names: BTreeSet<&str> = users.iter().map(|(_, name)| name.as_str()).collect();
        let mut query = sql("SELECT uin, account_uin, name FROM cloud_users WHERE account_uin IN ");
        query.push_numbers(users.iter().map(|(account, _)| account.0).collect::<Vec<i64>>());
        query.push(" AND name IN (").push_list(names).push(")");
        query.push(" AND managed_by = ").push_bind(deployer);
        query.push(" AND blocked = ").push_bind(false);
        let mut found: Vec<(Uin, Uin, String)> = query.fetch_all(tx).await?;
        found.retain(|(_, account, name)| {
            users.iter().any(|(theirs, of)| theirs == account && of == name)
        });
        if found.is_empty() {
            continue;
        }
        let uins: Vec<Uin> = found.iter().map(|(uin, ..)| *uin).collect();
        let mut update = sql("UPDATE cloud_users SET blocked = ");
        update.push_bind(true).push(", updated_at = ").push_bind(act.now).push(" WHERE uin IN ");
        update.push_numbers(uins.iter().map(|uin| uin.0).collect::<Vec<i64>>());
        update.execute(tx).await?;
        revocations::end_of_users(tx, act, &uins).await?;
        for (_, account, name) in &found {
            let change = Change {
                scope: Scope::Space(deployer),
                action: "cam_user.set_blocked",
                object_kind: "cam_user",
                object_id: &format!("{account}/{name}"),
                before: json!({ "blocked": false }),
                after: json!({ "blocked": true }),
            };
            audit::record(tx, act, change).await?;
        }
    }
    Ok(())
}

pub(in crate::cloud) async fn delete_cam_user(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = own_user(tx, hand, name).await? else { return Ok(()) };
    revocations::end_of_users(tx, act, &[found.uin]).await?;
    sql("DELETE FROM cloud_users WHERE uin = $1 AND is_root = $2")
        .bind(found.uin)
        .bind(false)
        .execute(tx)
        .await?;
    let states = [json!({ "uin": found.uin }), json!(null)];
    record(tx, act, hand, "cam_user.delete", "cam_user", name, states).await
}
