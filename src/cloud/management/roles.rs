//! Roles of an account: who may assume them, what they may do, and how far at most.

use serde_json::{Value, json};

use super::{
    Error, Kind, LONGEST_SESSION, MOST_ATTACHED, MOST_ROLES, Tags, check_description, check_name,
    hold, own_hand,
    policies::{FoundPolicy, policy},
    tags::check_count,
};
use crate::{
    audit::Act,
    cloud::{
        RoleKind,
        objects::{self, record},
    },
    id::{RoleId, SpaceId, Uin},
    policy::{
        catalogue,
        trust::{TrustPolicy, Trusted},
    },
    store::{Json, Read, Timestamp, Write, sql},
};

const ROLE: &str = "SELECT id, account_uin, name, description, kind, trust_policy,
    session_duration, console_login, managed_by, tags, boundary_policy_id, created_at, updated_at
    FROM cloud_roles WHERE account_uin = ";
/// How long a session of a role lasts at most that nobody gave a duration, in seconds.
const SESSION_DURATION: i64 = 7_200;

/// A role.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Role {
    /// Its number.
    pub id: RoleId,
    /// The account.
    pub account_uin: Uin,
    /// Its name, unique in the account.
    pub name: String,
    /// A remark.
    pub description: String,
    /// Who made it.
    pub kind: RoleKind,
    /// Who may assume it.
    pub trust_policy: String,
    /// How long a session lasts at most, in seconds.
    pub session_duration: i64,
    /// Whether it lets people into the console.
    pub console_login: bool,
    /// The space whose deployer keeps it.
    pub managed_by: Option<SpaceId>,
    /// Its tags.
    pub tags: Json<Tags>,
    /// The policy beyond which its own do not reach.
    pub boundary_policy_id: Option<i64>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

impl Role {
    /// Its resource name, with which policies speak of it.
    pub fn arn(&self) -> String {
        let part = match self.kind {
            RoleKind::User | RoleKind::System => "roleName",
            RoleKind::ServiceLinked => "roleName/tencentcloudServiceRoleName",
        };
        format!("qcs::cam::uin/{}:{part}/{}", self.account_uin, self.name)
    }

    /// What holds for everybody in the account, root included (DPL-02, ACT-07, MEM-12).
    fn check_changeable(&self) -> Result<(), Error> {
        match (self.managed_by, self.kind) {
            (Some(_), _) => Err(Error::Locked(Kind::Role)),
            (None, RoleKind::System | RoleKind::ServiceLinked) => Err(Error::BuiltIn),
            (None, RoleKind::User) => Ok(()),
        }
    }
}

/// Which role: by its number, by its name, or by both.
#[derive(Clone, Copy, Debug, Default)]
pub struct Which<'a> {
    /// Its number.
    pub id: Option<i64>,
    /// Its name.
    pub name: Option<&'a str>,
}

/// The role; none if there is none, or if number and name belong to different ones.
pub async fn role(tx: &mut Read, account: Uin, which: Which<'_>) -> Result<Option<Role>, Error> {
    let mut query = sql(ROLE);
    query.push_bind(account);
    match (which.id, which.name) {
        (None, None) => return Err(Error::Unnamed(Kind::Role)),
        (Some(id), None) => {
            query.push(" AND id = ").push_bind(id);
        }
        (None, Some(name)) => {
            query.push(" AND name = ").push_bind(name);
        }
        (Some(id), Some(name)) => {
            query.push(" AND id = ").push_bind(id).push(" AND name = ").push_bind(name);
        }
    }
    Ok(query.fetch_optional(tx).await?)
}

async fn the_role(tx: &mut Read, account: Uin, which: Which<'_>) -> Result<Role, Error> {
    role(tx, account, which).await?.ok_or(Error::NotFound(Kind::Role))
}

async fn changeable(tx: &mut Read, account: Uin, which: Which<'_>) -> Result<Role, Error> {
    let found = the_role(tx, account, which).await?;
    found.check_changeable()?;
    Ok(found)
}

/// The roles of an account by age: how many, and `limit` of them from `offset`. With `tags`, only
/// those that have all of them.
pub async fn roles(
    tx: &mut Read,
    account: Uin,
    tags: &Tags,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Role>), Error> {
    let mut query = sql(ROLE);
    query.push_bind(account).push(" ORDER BY id");
    if tags.is_empty() {
        query.push(" LIMIT ").push_bind(limit).push(" OFFSET ").push_bind(offset);
        let total = count(tx, account).await?;
        return Ok((total, query.fetch_all(tx).await?));
    }
    // Tags are looked at here: an account has some hundred roles, and few ask so.
    let mut found: Vec<Role> = query.fetch_all(tx).await?;
    found.retain(|role| tags.iter().all(|(key, value)| role.tags.0.get(key) == Some(value)));
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let [offset, limit] = [offset, limit].map(|it| usize::try_from(it).unwrap_or(usize::MAX));
    Ok((total, found.into_iter().skip(offset).take(limit).collect()))
}

async fn count(tx: &mut Read, account: Uin) -> Result<i64, Error> {
    let query = sql("SELECT COUNT(*) FROM cloud_roles WHERE account_uin = $1").bind(account);
    Ok(query.fetch_number(tx).await?)
}

/// Reads a trust policy as CAM takes it.
fn lint_trust(account: Uin, document: &str) -> Result<(), Error> {
    let read = TrustPolicy::parse(document)?;
    if let Some(place) = read.unknown_operators().into_iter().next() {
        return Err(Error::UnknownOperator(place));
    }
    let foreign = read.principals().any(|trusted| match trusted {
        Trusted::Provider { account: other, .. } => *other != account.0,
        Trusted::Account(_) | Trusted::User { .. } | Trusted::Service(_) => false,
    });
    if foreign { Err(Error::ForeignProvider) } else { Ok(()) }
}

fn check_duration(seconds: i64) -> Result<i64, Error> {
    match seconds {
        0 => Ok(SESSION_DURATION),
        1..=LONGEST_SESSION => Ok(seconds),
        _ => Err(Error::SessionDuration),
    }
}

/// What a new role is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewRole<'a> {
    /// Its name.
    pub name: &'a str,
    /// Who may assume it.
    pub trust_policy: &'a str,
    /// A remark.
    pub description: &'a str,
    /// Whether it lets people into the console.
    pub console_login: bool,
    /// How long a session lasts at most, in seconds; 0 for the usual.
    pub session_duration: i64,
    /// Its tags.
    pub tags: &'a Tags,
}

/// Makes a role without any policy.
pub async fn create_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    new: NewRole<'_>,
) -> Result<Role, Error> {
    check_name(Kind::Role, new.name)?;
    check_description(new.description)?;
    lint_trust(account, new.trust_policy)?;
    let session_duration = check_duration(new.session_duration)?;
    insert(tx, act, account, RoleKind::User, NewRole { session_duration, ..new }).await
}

pub(super) async fn insert(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    kind: RoleKind,
    new: NewRole<'_>,
) -> Result<Role, Error> {
    hold(tx, account).await?;
    if count(tx, account).await? >= MOST_ROLES {
        return Err(Error::TooMany(Kind::Role));
    }
    let made = sql("INSERT INTO cloud_roles
             (id, account_uin, name, description, kind, trust_policy, session_duration,
              console_login, tags, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)
         ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(act.new_id::<RoleId>())
    .bind(account)
    .bind(new.name)
    .bind(new.description)
    .bind(kind)
    .bind(new.trust_policy)
    .bind(new.session_duration)
    .bind(new.console_login)
    .bind(&json!(new.tags))
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Err(Error::NameTaken(Kind::Role));
    }
    let role = the_role(tx, account, Which { id: None, name: Some(new.name) }).await?;
    let states = [json!(null), state(&role)];
    record(tx, act, own_hand(account), "role.create", "role", new.name, states).await?;
    Ok(role)
}

fn state(role: &Role) -> Value {
    json!({
        "kind": role.kind,
        "description": role.description,
        "trust_policy": role.trust_policy,
        "session_duration": role.session_duration,
        "console_login": role.console_login,
        "tags": role.tags.0,
        "boundary_policy": role.boundary_policy_id,
    })
}

/// What is to be different about a role.
#[derive(Clone, Copy, Debug)]
pub enum RoleChange<'a> {
    /// Its remark.
    Description(&'a str),
    /// Who may assume it.
    TrustPolicy(&'a str),
    /// Whether it lets people into the console.
    ConsoleLogin(bool),
    /// How long a session lasts at most, in seconds; 0 for the usual.
    SessionDuration(i64),
}

/// Changes a role of the account's own.
pub async fn update_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    change: RoleChange<'_>,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let before = changeable(tx, account, which).await?;
    let mut after = before.clone();
    match change {
        RoleChange::Description(text) => {
            check_description(text)?;
            text.clone_into(&mut after.description);
        }
        RoleChange::TrustPolicy(document) => {
            lint_trust(account, document)?;
            document.clone_into(&mut after.trust_policy);
        }
        RoleChange::ConsoleLogin(console_login) => after.console_login = console_login,
        RoleChange::SessionDuration(seconds) => after.session_duration = check_duration(seconds)?,
    }
    keep(tx, act, &before, &after).await
}

/// Writes what is different about a role.
async fn keep(tx: &mut Write, act: &Act, before: &Role, after: &Role) -> Result<(), Error> {
    let states = [state(before), state(after)];
    if states[0] == states[1] {
        return Ok(());
    }
    sql("UPDATE cloud_roles SET description = $1, trust_policy = $2, session_duration = $3,
             console_login = $4, tags = $5, boundary_policy_id = $6, updated_at = $7
         WHERE id = $8")
    .bind(&after.description)
    .bind(&after.trust_policy)
    .bind(after.session_duration)
    .bind(after.console_login)
    .bind(&json!(after.tags.0))
    .bind(after.boundary_policy_id)
    .bind(act.now)
    .bind(before.id)
    .execute(tx)
    .await?;
    let hand = own_hand(before.account_uin);
    record(tx, act, hand, "role.update", "role", &before.name, states).await?;
    Ok(())
}

/// Deletes a role of the account's own, with its attachments and its sessions.
pub async fn delete_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let found = changeable(tx, account, which).await?;
    objects::delete_role(tx, act, own_hand(account), &found.name).await?;
    Ok(())
}

/// Gives a role tags; one of a key that it has replaces that.
pub async fn tag_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    tags: &Tags,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let before = changeable(tx, account, which).await?;
    let mut after = before.clone();
    after.tags.0.extend(tags.clone());
    check_count(&after.tags.0)?;
    keep(tx, act, &before, &after).await
}

/// Takes tags from a role; a key that it has not changes nothing.
pub async fn untag_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    keys: &[&str],
) -> Result<(), Error> {
    hold(tx, account).await?;
    let before = changeable(tx, account, which).await?;
    let mut after = before.clone();
    after.tags.0.retain(|key, _| !keys.contains(&key.as_str()));
    keep(tx, act, &before, &after).await
}

/// Gives a role a boundary: it may do nothing that this policy does not allow.
pub async fn set_boundary(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    policy_id: i64,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let before = changeable(tx, account, which).await?;
    if policy(tx, account, policy_id).await?.is_none() {
        return Err(Error::NotFound(Kind::Policy));
    }
    let mut after = before.clone();
    after.boundary_policy_id = Some(policy_id);
    keep(tx, act, &before, &after).await
}

/// Gives a role of the account's own a policy; nothing changes if it has it. A policy that Identity
/// Center keeps belongs to the roles that Identity Center keeps.
pub async fn attach_role_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    policy_id: i64,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let found = changeable(tx, account, which).await?;
    check_attachable(tx, account, policy_id).await?;
    let has = sql("SELECT COUNT(*) FROM cloud_role_policies
         WHERE role_id = $1 AND policy_id <> $2")
    .bind(found.id)
    .bind(policy_id)
    .fetch_number(tx)
    .await?;
    if has >= MOST_ATTACHED {
        return Err(Error::TooManyAttached);
    }
    objects::attach_role_policy(tx, act, own_hand(account), &found.name, policy_id).await?;
    Ok(())
}

pub(super) async fn check_attachable(
    tx: &mut Read,
    account: Uin,
    policy_id: i64,
) -> Result<(), Error> {
    match policy(tx, account, policy_id).await? {
        None => Err(Error::NotFound(Kind::Policy)),
        Some(FoundPolicy::Custom(found)) if found.managed_by.is_some() => {
            Err(Error::Locked(Kind::Policy))
        }
        Some(FoundPolicy::Custom(_) | FoundPolicy::Preset(_)) => Ok(()),
    }
}

/// Takes a policy from a role of the account's own; nothing changes if it has it not.
pub async fn detach_role_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    which: Which<'_>,
    policy_id: i64,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let found = changeable(tx, account, which).await?;
    if policy(tx, account, policy_id).await?.is_none() {
        return Err(Error::NotFound(Kind::Policy));
    }
    objects::detach_role_policy(tx, act, own_hand(account), &found.name, policy_id).await?;
    Ok(())
}

/// A policy that something has.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// A remark.
    pub description: String,
    /// Whether every account has it.
    pub is_preset: bool,
    /// Since when.
    pub attached_at: Timestamp,
}

/// A row of either table of attachments.
#[derive(sqlx::FromRow)]
pub(super) struct AttachedRow {
    policy_id: i64,
    attached_at: Timestamp,
    name: Option<String>,
    description: Option<String>,
}

impl From<AttachedRow> for Attached {
    fn from(row: AttachedRow) -> Self {
        let AttachedRow { policy_id: id, attached_at, name, description } = row;
        match catalogue::by_id(id) {
            Some(preset) => Self {
                id,
                name: preset.name.clone(),
                description: preset.description.clone(),
                is_preset: true,
                attached_at,
            },
            None => Self {
                id,
                name: name.unwrap_or_default(),
                description: description.unwrap_or_default(),
                is_preset: false,
                attached_at,
            },
        }
    }
}

/// The policies of a role, by number; at most [`MOST_ATTACHED`] and what Identity Center attached.
pub async fn attached_to_role(
    tx: &mut Read,
    account: Uin,
    which: Which<'_>,
) -> Result<Vec<Attached>, Error> {
    let found = the_role(tx, account, which).await?;
    let rows: Vec<AttachedRow> =
        sql("SELECT a.policy_id, a.attached_at, p.name, p.description FROM cloud_role_policies a
         LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
         WHERE a.role_id = $1 ORDER BY a.policy_id")
        .bind(found.id)
        .bind(account)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(Attached::from).collect())
}
