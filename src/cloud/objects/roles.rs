//! Roles of an account, and the policies on them.

use serde_json::{Value, json};

use super::{Hand, ROLE, check_hand, not_found, record};
use crate::{
    audit::Act,
    cam::{Role, RoleSpec},
    cloud::{Error, authorize},
    id::{RoleId, SpaceId, Uin},
    store::{self as database, Read, Write, sql},
};

#[derive(sqlx::FromRow)]
pub(in crate::cloud) struct RoleRow {
    pub id: RoleId,
    pub name: String,
    pub description: String,
    pub trust_policy: String,
    pub session_duration: i64,
    pub console_login: bool,
    pub managed_by: Option<SpaceId>,
}

/// The role of this name.
pub(in crate::cloud) async fn role(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Option<RoleRow>, database::Error> {
    sql("SELECT id, name, description, trust_policy, session_duration, console_login, managed_by
         FROM cloud_roles WHERE account_uin = $1 AND name = $2")
    .bind(account)
    .bind(name)
    .fetch_optional(tx)
    .await
}

impl RoleRow {
    pub(in crate::cloud) fn seen_by(self, deployer: Option<SpaceId>) -> Role {
        Role {
            name: self.name,
            description: self.description,
            trust_policy: self.trust_policy,
            session_duration: self.session_duration,
            ours: self.managed_by == deployer,
        }
    }

    fn state(&self) -> Value {
        json!({
            "description": self.description,
            "trust_policy": self.trust_policy,
            "session_duration": self.session_duration,
        })
    }
}

fn spec_state(spec: &RoleSpec<'_>) -> Value {
    json!({
        "description": spec.description,
        "trust_policy": spec.trust_policy,
        "session_duration": spec.session_duration,
    })
}

/// The role, if the hand may change it.
async fn own_role(tx: &mut Read, hand: Hand, name: &str) -> Result<RoleRow, Error> {
    let found = role(tx, hand.account, name).await?.ok_or_else(|| not_found(ROLE, name))?;
    check_hand(hand.deployer, found.managed_by, ROLE, name)?;
    Ok(found)
}

pub(in crate::cloud) async fn create_role(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    spec: &RoleSpec<'_>,
) -> Result<(), Error> {
    let made = sql("INSERT INTO cloud_roles
             (id, account_uin, name, description, kind, trust_policy, session_duration,
              console_login, managed_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, 'user', $5, $6, $7, $8, $9, $9)
         ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(act.new_id::<RoleId>())
    .bind(hand.account)
    .bind(spec.name)
    .bind(spec.description)
    .bind(spec.trust_policy)
    .bind(spec.session_duration)
    .bind(true)
    .bind(hand.deployer)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        own_role(tx, hand, spec.name).await?;
        return Ok(());
    }
    let states = [json!(null), spec_state(spec)];
    record(tx, act, hand, "role.create", ROLE, spec.name, states).await
}

pub(in crate::cloud) async fn update_role(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    spec: &RoleSpec<'_>,
) -> Result<(), Error> {
    let found = own_role(tx, hand, spec.name).await?;
    let states = [found.state(), spec_state(spec)];
    if states[0] == states[1] {
        return Ok(());
    }
    sql("UPDATE cloud_roles SET description = $1, trust_policy = $2, session_duration = $3,
                                updated_at = $4
         WHERE id = $5")
    .bind(spec.description)
    .bind(spec.trust_policy)
    .bind(spec.session_duration)
    .bind(act.now)
    .bind(found.id)
    .execute(tx)
    .await?;
    record(tx, act, hand, "role.update", ROLE, spec.name, states).await
}

pub(in crate::cloud) async fn delete_role(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = role(tx, hand.account, name).await? else { return Ok(()) };
    check_hand(hand.deployer, found.managed_by, ROLE, name)?;
    // Its bindings and its sessions go with it.
    sql("DELETE FROM cloud_roles WHERE id = $1").bind(found.id).execute(tx).await?;
    record(tx, act, hand, "role.delete", ROLE, name, [found.state(), json!(null)]).await
}

/// The numbers of the policies that a role has.
pub(in crate::cloud) async fn role_policies(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Vec<i64>, Error> {
    let found = role(tx, account, name).await?.ok_or_else(|| not_found(ROLE, name))?;
    let rows: Vec<(i64,)> =
        sql("SELECT policy_id FROM cloud_role_policies WHERE role_id = $1 ORDER BY policy_id")
            .bind(found.id)
            .fetch_all(tx)
            .await?;
    Ok(rows.into_iter().map(|(id,)| id).collect())
}

pub(in crate::cloud) async fn attach_role_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    policy: i64,
) -> Result<(), Error> {
    let role = own_role(tx, hand, name).await?;
    authorize::policy_name(tx, hand.account, policy).await?;
    let made = sql("INSERT INTO cloud_role_policies (role_id, policy_id, attached_at)
         VALUES ($1, $2, $3) ON CONFLICT (role_id, policy_id) DO NOTHING")
    .bind(role.id)
    .bind(policy)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Ok(());
    }
    let states = [json!(null), json!({ "policy": policy })];
    record(tx, act, hand, "role.attach_policy", ROLE, name, states).await
}

pub(in crate::cloud) async fn detach_role_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    policy: i64,
) -> Result<(), Error> {
    let role = own_role(tx, hand, name).await?;
    let gone = sql("DELETE FROM cloud_role_policies WHERE role_id = $1 AND policy_id = $2")
        .bind(role.id)
        .bind(policy)
        .execute(tx)
        .await?;
    if gone == 0 {
        return Ok(());
    }
    let states = [json!({ "policy": policy }), json!(null)];
    record(tx, act, hand, "role.detach_policy", ROLE, name, states).await
}
/// The space whose deployer keeps the role of this name; none where it is the account's own.
pub async fn managed_by(
    tx: &mut Read,
    account: Uin,
    role_name: &str,
) -> Result<Option<SpaceId>, database::Error> {
    Ok(role(tx, account, role_name).await?.and_then(|role| role.managed_by))
}
