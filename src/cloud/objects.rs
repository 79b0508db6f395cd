//! The objects of an account's CAM in the database, and who may change them.

use serde_json::{Value, json};

use super::Error;
use crate::{
    audit::{self, Act, Change, Scope},
    cam::{self, Policy, Role, RoleSpec, SamlProvider, User},
    id::{OrganizationId, RoleId, SpaceId, Uin, new_uin},
    store::{self as database, Read, Write, like, sql},
};

/// Whose hand an object is in: `deployer` is the space that acts, none for somebody in the account
/// itself. What a space's deployer made only that deployer may change, root included (DPL-02);
/// what it did not make it may not change (DPL-16).
fn check_hand(
    deployer: Option<SpaceId>,
    managed_by: Option<SpaceId>,
    kind: &'static str,
    name: &str,
) -> Result<(), cam::Error> {
    match (deployer, managed_by) {
        (ours, theirs) if ours == theirs => Ok(()),
        (Some(_), _) => Err(cam::Error::NameClash { kind, name: name.to_owned() }),
        (None, _) => {
            Err(cam::Error::Denied(format!("{kind} {name} is managed by Identity Center")))
        }
    }
}

/// The account as the acting hand sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hand {
    /// The account.
    pub account: Uin,
    /// The space whose deployer acts; none for somebody in the account itself.
    pub deployer: Option<SpaceId>,
}

/// The organisation whose log an account's changes belong to.
pub(super) async fn scope_of(tx: &mut Read, account: Uin) -> Result<Scope, Error> {
    let found: Option<(OrganizationId,)> =
        sql("SELECT organization_id FROM accounts WHERE uin = $1")
            .bind(account)
            .fetch_optional(tx)
            .await?;
    found.map(|(id,)| Scope::Organization(id)).ok_or(Error::AccountNotFound)
}

/// Writes the record of a change to an object.
async fn record(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    action: &'static str,
    kind: &'static str,
    name: &str,
    [before, after]: [Value; 2],
) -> Result<(), Error> {
    let scope = match hand.deployer {
        Some(space) => Scope::Space(space),
        None => scope_of(tx, hand.account).await?,
    };
    let object_id = format!("{}/{name}", hand.account);
    let change = Change { scope, action, object_kind: kind, object_id: &object_id, before, after };
    Ok(audit::record(tx, act, change).await?)
}

fn not_found(kind: &'static str, name: &str) -> Error {
    cam::Error::NotFound { kind, name: name.to_owned() }.into()
}

const PROVIDER: &str = "SAML provider";
const ROLE: &str = "role";
const POLICY: &str = "policy";
const USER: &str = "CAM user";

#[derive(sqlx::FromRow)]
pub(super) struct ProviderRow {
    pub name: String,
    pub description: String,
    pub metadata: String,
    pub managed_by: Option<SpaceId>,
}

/// The SAML provider of this name.
pub(super) async fn provider(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Option<ProviderRow>, database::Error> {
    sql("SELECT name, description, metadata, managed_by FROM cloud_saml_providers
         WHERE account_uin = $1 AND name = $2")
    .bind(account)
    .bind(name)
    .fetch_optional(tx)
    .await
}

impl ProviderRow {
    pub(super) fn seen_by(self, deployer: Option<SpaceId>) -> SamlProvider {
        SamlProvider {
            name: self.name,
            description: self.description,
            metadata: self.metadata,
            ours: self.managed_by == deployer,
        }
    }
}

pub(super) async fn create_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    description: &str,
    metadata: &str,
) -> Result<(), Error> {
    let made = sql("INSERT INTO cloud_saml_providers
             (account_uin, name, description, metadata, managed_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(hand.account)
    .bind(name)
    .bind(description)
    .bind(metadata)
    .bind(hand.deployer)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        let found = provider(tx, hand.account, name).await?;
        let found = found.ok_or_else(|| not_found(PROVIDER, name))?;
        return Ok(check_hand(hand.deployer, found.managed_by, PROVIDER, name)?);
    }
    let states = [json!(null), json!({ "metadata": metadata })];
    record(tx, act, hand, "saml_provider.create", "saml_provider", name, states).await
}

pub(super) async fn update_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    metadata: &str,
) -> Result<(), Error> {
    let found = provider(tx, hand.account, name).await?;
    let found = found.ok_or_else(|| not_found(PROVIDER, name))?;
    check_hand(hand.deployer, found.managed_by, PROVIDER, name)?;
    if found.metadata == metadata {
        return Ok(());
    }
    sql("UPDATE cloud_saml_providers SET metadata = $1, updated_at = $2
         WHERE account_uin = $3 AND name = $4")
    .bind(metadata)
    .bind(act.now)
    .bind(hand.account)
    .bind(name)
    .execute(tx)
    .await?;
    let states = [json!({ "metadata": found.metadata }), json!({ "metadata": metadata })];
    record(tx, act, hand, "saml_provider.update", "saml_provider", name, states).await
}

pub(super) async fn delete_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = provider(tx, hand.account, name).await? else { return Ok(()) };
    check_hand(hand.deployer, found.managed_by, PROVIDER, name)?;
    sql("DELETE FROM cloud_saml_providers WHERE account_uin = $1 AND name = $2")
        .bind(hand.account)
        .bind(name)
        .execute(tx)
        .await?;
    let states = [json!({ "metadata": found.metadata }), json!(null)];
    record(tx, act, hand, "saml_provider.delete", "saml_provider", name, states).await
}

#[derive(sqlx::FromRow)]
pub(super) struct RoleRow {
    pub id: RoleId,
    pub name: String,
    pub description: String,
    pub trust_policy: String,
    pub session_duration: i64,
    pub console_login: bool,
    pub managed_by: Option<SpaceId>,
}

/// The role of this name.
pub(super) async fn role(
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
    pub(super) fn seen_by(self, deployer: Option<SpaceId>) -> Role {
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

pub(super) async fn create_role(
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

pub(super) async fn update_role(
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

pub(super) async fn delete_role(
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
pub(super) async fn role_policies(
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

pub(super) async fn attach_role_policy(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    policy: i64,
) -> Result<(), Error> {
    let role = own_role(tx, hand, name).await?;
    super::authorize::policy_name(tx, hand.account, policy).await?;
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

pub(super) async fn detach_role_policy(
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

#[derive(sqlx::FromRow)]
struct PolicyRow {
    id: i64,
    name: String,
    document: String,
    managed_by: Option<SpaceId>,
}

/// The custom policies of an account whose names begin so.
pub(super) async fn custom_policies(
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

pub(super) async fn create_policy(
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

pub(super) async fn update_policy(
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

pub(super) async fn delete_policy(
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

/// The CAM user of this name, whatever the case.
pub(super) async fn cam_user(
    tx: &mut Read,
    hand: Hand,
    name: &str,
) -> Result<Option<User>, database::Error> {
    let mut query = sql(super::users::USER);
    query.push("account_uin = ").push_bind(hand.account);
    query.push(" AND name_key = ").push_bind(name.to_ascii_lowercase());
    let Some(user) = query.fetch_optional::<super::CamUser>(tx).await? else { return Ok(None) };
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

pub(super) async fn create_cam_user(
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

pub(super) async fn take_over_cam_user(
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
    let states = [
        json!({ "managed": false }),
        json!({ "managed": true, "uin": found.uin,
                                                       "has_access_keys": found.has_access_keys }),
    ];
    record(tx, act, hand, "cam_user.take_over", "cam_user", name, states).await
}

pub(super) async fn release_cam_user(
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

pub(super) async fn set_cam_user_blocked(
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
    let states = [json!({ "blocked": found.blocked }), json!({ "blocked": blocked })];
    record(tx, act, hand, "cam_user.set_blocked", "cam_user", name, states).await
}

pub(super) async fn delete_cam_user(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = own_user(tx, hand, name).await? else { return Ok(()) };
    sql("DELETE FROM cloud_users WHERE uin = $1 AND is_root = $2")
        .bind(found.uin)
        .bind(false)
        .execute(tx)
        .await?;
    let states = [json!({ "uin": found.uin }), json!(null)];
    record(tx, act, hand, "cam_user.delete", "cam_user", name, states).await
}

/// The space whose deployer keeps the role of this name; none where it is the account's own.
pub async fn managed_by(
    tx: &mut Read,
    account: Uin,
    role_name: &str,
) -> Result<Option<SpaceId>, database::Error> {
    Ok(role(tx, account, role_name).await?.and_then(|role| role.managed_by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dpl_02_and_dpl_16_every_hand_changes_only_its_own() {
        let [one, other] = [SpaceId(1), SpaceId(2)];
        let check = |hand, managed| check_hand(hand, managed, ROLE, "r");
        assert!(check(Some(one), Some(one)).is_ok());
        assert!(check(None, None).is_ok());
        assert!(matches!(check(None, Some(one)), Err(cam::Error::Denied(_))));
        assert!(matches!(check(Some(one), None), Err(cam::Error::NameClash { .. })));
        assert!(matches!(check(Some(one), Some(other)), Err(cam::Error::NameClash { .. })));
    }
}
