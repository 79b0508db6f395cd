//! Policies of an account: its own, and the presets that every account has.

use std::collections::HashMap;

use serde_json::json;

use super::{
    Error, Kind, MOST_AT_ONCE, MOST_POLICIES, Tags, check_description, check_name, hold, own_hand,
};
use crate::{
    audit::Act,
    cloud::objects::{self, record},
    id::{SpaceId, Uin},
    policy::{Document, Preset, catalogue},
    store::{self as database, Json, Read, Timestamp, Write, like, sql, text_enum},
};

const POLICY: &str = "SELECT id, name, description, document, managed_by, tags, created_at,
    updated_at FROM cloud_policies WHERE account_uin = ";

/// A policy that the account has for itself.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct CustomPolicy {
    /// Its number.
    pub id: i64,
    /// Its name, unique in the account.
    pub name: String,
    /// A remark.
    pub description: String,
    /// What it says.
    pub document: String,
    /// The space whose deployer keeps it.
    pub managed_by: Option<SpaceId>,
    /// Its tags.
    pub tags: Json<Tags>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A policy that can be attached in an account.
#[derive(Clone, Debug)]
pub enum FoundPolicy {
    /// One that every account has.
    Preset(&'static Preset),
    /// One of the account's own.
    Custom(CustomPolicy),
}

impl FoundPolicy {
    /// Its number.
    pub fn id(&self) -> i64 {
        match self {
            Self::Preset(preset) => preset.id,
            Self::Custom(policy) => policy.id,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Preset(preset) => &preset.name,
            Self::Custom(policy) => &policy.name,
        }
    }
}

/// The policy of this number.
pub async fn policy(tx: &mut Read, account: Uin, id: i64) -> Result<Option<FoundPolicy>, Error> {
    if let Some(preset) = catalogue::by_id(id) {
        return Ok(Some(FoundPolicy::Preset(preset)));
    }
    let mut query = sql(POLICY);
    query.push_bind(account).push(" AND id = ").push_bind(id);
    Ok(query.fetch_optional(tx).await?.map(FoundPolicy::Custom))
}

/// The policy of this name.
pub async fn policy_named(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Option<FoundPolicy>, Error> {
    if let Some(preset) = catalogue::by_name(name) {
        return Ok(Some(FoundPolicy::Preset(preset)));
    }
    let mut query = sql(POLICY);
    query.push_bind(account).push(" AND name = ").push_bind(name);
    Ok(query.fetch_optional(tx).await?.map(FoundPolicy::Custom))
}

/// Reads a document as CAM takes it: nothing in it may be beyond what evaluation decides.
pub fn lint(document: &str) -> Result<(), Error> {
    let read = Document::parse(document)?;
    match read.unknown_operators().into_iter().next() {
        Some(place) => Err(Error::UnknownOperator(place)),
        None => Ok(()),
    }
}

/// Makes a policy and says its number.
pub async fn create_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    description: &str,
    document: &str,
    tags: &Tags,
) -> Result<i64, Error> {
    check_name(Kind::Policy, name)?;
    check_description(description)?;
    lint(document)?;
    hold(tx, account).await?;
    if policy_named(tx, account, name).await?.is_some() {
        return Err(Error::NameTaken(Kind::Policy));
    }
    let count = sql("SELECT COUNT(*) FROM cloud_policies WHERE account_uin = $1")
        .bind(account)
        .fetch_number(tx)
        .await?;
    if count >= MOST_POLICIES {
        return Err(Error::TooMany(Kind::Policy));
    }
    let hand = own_hand(account);
    let id = objects::create_policy(tx, act, hand, name, description, document).await?;
    if !tags.is_empty() {
        sql("UPDATE cloud_policies SET tags = $1 WHERE id = $2")
            .bind(&json!(tags))
            .bind(id)
            .execute(tx)
            .await?;
    }
    Ok(id)
}

/// What is to be different about a policy.
#[derive(Clone, Copy, Debug, Default)]
pub struct PolicyChange<'a> {
    /// Another name.
    pub name: Option<&'a str>,
    /// Another remark.
    pub description: Option<&'a str>,
    /// Another document.
    pub document: Option<&'a str>,
}

async fn changeable(tx: &mut Read, account: Uin, id: i64) -> Result<CustomPolicy, Error> {
    match policy(tx, account, id).await?.ok_or(Error::NotFound(Kind::Policy))? {
        FoundPolicy::Preset(_) => Err(Error::Preset),
        FoundPolicy::Custom(found) if found.managed_by.is_some() => {
            Err(Error::Locked(Kind::Policy))
        }
        FoundPolicy::Custom(found) => Ok(found),
    }
}

/// Changes a policy of the account's own; it counts from the next call on.
pub async fn update_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    id: i64,
    change: PolicyChange<'_>,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let found = changeable(tx, account, id).await?;
    let name = change.name.unwrap_or(&found.name);
    let description = change.description.unwrap_or(&found.description);
    let document = change.document.unwrap_or(&found.document);
    if name != found.name {
        check_name(Kind::Policy, name)?;
        if policy_named(tx, account, name).await?.is_some() {
            return Err(Error::NameTaken(Kind::Policy));
        }
    }
    check_description(description)?;
    if change.document.is_some() {
        lint(document)?;
    }
    let state = |name: &str, description: &str, document: &str| json!({ "name": name, "description": description, "document": document });
    let states = [
        state(&found.name, &found.description, &found.document),
        state(name, description, document),
    ];
    if states[0] == states[1] {
        return Ok(());
    }
    sql("UPDATE cloud_policies SET name = $1, description = $2, document = $3, updated_at = $4
         WHERE id = $5")
    .bind(name)
    .bind(description)
    .bind(document)
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    record(tx, act, own_hand(account), "policy.update", "policy", &found.name, states).await?;
    Ok(())
}

/// Deletes policies of the account's own, with their attachments: all, or none.
pub async fn delete_policies(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    ids: &[i64],
) -> Result<(), Error> {
    if ids.len() > MOST_AT_ONCE {
        return Err(Error::TooManyAtOnce);
    }
    hold(tx, account).await?;
    for id in ids {
        changeable(tx, account, *id).await?;
        let is_boundary = sql("SELECT 1 FROM cloud_roles
             WHERE account_uin = $1 AND boundary_policy_id = $2 LIMIT 1")
        .bind(account)
        .bind(*id)
        .exists(tx)
        .await?;
        if is_boundary {
            return Err(Error::IsBoundary);
        }
        objects::delete_policy(tx, act, own_hand(account), *id).await?;
    }
    Ok(())
}

/// Which policies are wanted.
#[derive(Clone, Copy, Debug)]
pub struct PolicyFilter<'a> {
    /// The presets among them.
    pub presets: bool,
    /// The account's own among them.
    pub custom: bool,
    /// Only those with this in name or description, whatever the case.
    pub keyword: &'a str,
}

/// A policy in a list.
#[derive(Clone, Debug)]
pub struct ListedPolicy {
    /// Which.
    pub policy: FoundPolicy,
    /// How many roles and CAM users have it.
    pub attached: i64,
    /// Of how many roles it is the boundary.
    pub boundaries: i64,
}

/// The policies of an account, presets first, then by age: how many there are, and `limit` of them
/// from `offset`.
pub async fn list_policies(
    tx: &mut Read,
    account: Uin,
    filter: PolicyFilter<'_>,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<ListedPolicy>), Error> {
    let presets: Vec<&'static Preset> =
        if filter.presets { catalogue::search(filter.keyword).collect() } else { Vec::new() };
    let preset_count = i64::try_from(presets.len()).unwrap_or(i64::MAX);
    let mut found: Vec<FoundPolicy> = presets
        .into_iter()
        .skip(usize::try_from(offset).unwrap_or(usize::MAX))
        .take(usize::try_from(limit).unwrap_or(0))
        .map(FoundPolicy::Preset)
        .collect();
    let mut total = preset_count;
    if filter.custom {
        let pattern = like(&filter.keyword.to_ascii_lowercase());
        total += sql(r"SELECT COUNT(*) FROM cloud_policies WHERE account_uin = $1
             AND (LOWER(name) LIKE $2 ESCAPE '\' OR LOWER(description) LIKE $2 ESCAPE '\')")
        .bind(account)
        .bind(&pattern)
        .fetch_number(tx)
        .await?;
        let rest = limit - i64::try_from(found.len()).unwrap_or(limit);
        if rest > 0 {
            let mut query = sql(POLICY);
            query.push_bind(account);
            query.push(r" AND (LOWER(name) LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR LOWER(description) LIKE ").push_bind(&pattern).push(r" ESCAPE '\')");
            query.push(" ORDER BY id LIMIT ").push_bind(rest);
            query.push(" OFFSET ").push_bind((offset - preset_count).max(0));
            let rows: Vec<CustomPolicy> = query.fetch_all(tx).await?;
            found.extend(rows.into_iter().map(FoundPolicy::Custom));
        }
    }
    let counts = counts(tx, account, &found).await?;
    let listed = found.into_iter().map(|policy| {
        let (attached, boundaries) = counts.get(&policy.id()).copied().unwrap_or_default();
        ListedPolicy { policy, attached, boundaries }
    });
    Ok((total, listed.collect()))
}

/// How often each policy is attached, and how often it is a boundary.
async fn counts(
    tx: &mut Read,
    account: Uin,
    policies: &[FoundPolicy],
) -> Result<HashMap<i64, (i64, i64)>, Error> {
    let mut counts: HashMap<i64, (i64, i64)> = HashMap::new();
    if policies.is_empty() {
        return Ok(counts);
    }
    let ids: Vec<i64> = policies.iter().map(FoundPolicy::id).collect();
    let mut query = sql("SELECT a.policy_id, COUNT(*) FROM (
             SELECT p.policy_id FROM cloud_role_policies p
             JOIN cloud_roles r ON r.id = p.role_id WHERE r.account_uin = ");
    query.push_bind(account);
    query.push(
        " UNION ALL SELECT p.policy_id FROM cloud_user_policies p
             JOIN cloud_users u ON u.uin = p.user_uin WHERE u.account_uin = ",
    );
    query.push_bind(account).push(") AS a WHERE a.policy_id IN ").push_numbers(ids.clone());
    query.push(" GROUP BY a.policy_id");
    for (id, count) in query.fetch_all::<(i64, i64)>(tx).await? {
        counts.entry(id).or_default().0 = count;
    }
    let mut query =
        sql("SELECT boundary_policy_id, COUNT(*) FROM cloud_roles WHERE account_uin = ");
    query.push_bind(account).push(" AND boundary_policy_id IN ").push_numbers(ids);
    query.push(" GROUP BY boundary_policy_id");
    for (id, count) in query.fetch_all::<(i64, i64)>(tx).await? {
        counts.entry(id).or_default().1 = count;
    }
    Ok(counts)
}

text_enum! {
    /// What has a policy.
    pub enum EntityKind {
        /// A CAM user.
        User = "user",
        /// A role.
        Role = "role",
    }
}

/// Which entities are wanted.
#[derive(Clone, Copy, Debug)]
pub struct EntityFilter {
    /// CAM users among them.
    pub users: bool,
    /// Roles among them.
    pub roles: bool,
}

/// A role or CAM user that has a policy.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Entity {
    /// Which kind.
    pub kind: EntityKind,
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Since when it has the policy.
    pub attached_at: Timestamp,
}

/// Who has a policy: how many, and `limit` of them from `offset`, CAM users first.
pub async fn entities(
    tx: &mut Read,
    account: Uin,
    policy_id: i64,
    filter: EntityFilter,
    offset: i64,
    limit: i64,
) -> Result<(i64, Vec<Entity>), Error> {
    if policy(tx, account, policy_id).await?.is_none() {
        return Err(Error::NotFound(Kind::Policy));
    }
    let begin = |text| -> database::Sql {
        let mut query = sql(text);
        query.push(" FROM (");
        let mut between = "";
        if filter.users {
            query.push(
                "SELECT 'user' AS kind, u.uin AS id, u.name, p.attached_at
                 FROM cloud_user_policies p JOIN cloud_users u ON u.uin = p.user_uin
                 WHERE u.account_uin = ",
            );
            query.push_bind(account).push(" AND p.policy_id = ").push_bind(policy_id);
            between = " UNION ALL ";
        }
        if filter.roles {
            query.push(between).push(
                "SELECT 'role' AS kind, r.id, r.name, p.attached_at
                 FROM cloud_role_policies p JOIN cloud_roles r ON r.id = p.role_id
                 WHERE r.account_uin = ",
            );
            query.push_bind(account).push(" AND p.policy_id = ").push_bind(policy_id);
        }
        query.push(") AS e");
        query
    };
    if !filter.users && !filter.roles {
        return Ok((0, Vec::new()));
    }
    let total = begin("SELECT COUNT(*)").fetch_number(tx).await?;
    let mut query = begin("SELECT kind, id, name, attached_at");
    query.push(" ORDER BY kind DESC, id LIMIT ").push_bind(limit);
    query.push(" OFFSET ").push_bind(offset);
    Ok((total, query.fetch_all(tx).await?))
}
