//! Roles that belong to a product: only it assumes them, and nobody changes them.

use serde_json::json;

use super::{
    Error, Kind, LONGEST_DESCRIPTION, Tags, check_name, hold, own_hand,
    roles::{NewRole, Role, Which, insert, role},
};
use crate::{
    audit::Act,
    cloud::{
        RoleKind, SERVICE_LINKED_ROLE,
        objects::{self, record, scope_of},
    },
    id::Uin,
    organization, space,
    store::{Read, Write, sql},
};

/// The one product with a linked role, and the policy that its role has.
const IDENTITY_CENTER: &str = "cic.cloud.tencent.com";
const POLICY: &str = "QcloudOrganizationFullAccess";
const SESSION_DURATION: i64 = 7_200;

/// Makes the role of a product. With a suffix it is one more of them, named after it.
pub async fn create_service_linked_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    service: &str,
    suffix: Option<&str>,
    description: &str,
    tags: &Tags,
) -> Result<Role, Error> {
    if service != IDENTITY_CENTER {
        return Err(Error::UnknownService);
    }
    if description.chars().count() > LONGEST_DESCRIPTION {
        return Err(Error::DescriptionTooLong);
    }
    let name = match suffix {
        Some(suffix) => format!("{SERVICE_LINKED_ROLE}_{suffix}"),
        None => SERVICE_LINKED_ROLE.to_owned(),
    };
    check_name(Kind::Role, &name)?;
    let trust = json!({
        "version": "2.0",
        "statement": [{
            "action": "name/sts:AssumeRole",
            "effect": "allow",
            "principal": { "service": [service] },
        }],
    })
    .to_string();
    let new = NewRole {
        name: &name,
        trust_policy: &trust,
        description,
        console_login: false,
        session_duration: SESSION_DURATION,
        tags,
    };
    let made = insert(tx, act, account, RoleKind::ServiceLinked, new).await?;
    let policy = crate::policy::catalogue::by_name(POLICY).ok_or(Error::NotFound(Kind::Policy))?;
    objects::attach_role_policy(tx, act, own_hand(account), &name, policy.id).await?;
    Ok(made)
}

/// What became of the wish to delete a product's role.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Deletion {
    /// Its number.
    pub id: i64,
    /// The role's name.
    pub role_name: String,
    /// Why the role stays; empty where it is gone.
    pub reason: String,
}

/// Deletes a product's role, unless the product is in use; either way the wish is remembered.
pub async fn delete_service_linked_role(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
) -> Result<Deletion, Error> {
    hold(tx, account).await?;
    let found = role(tx, account, Which { id: None, name: Some(name) }).await?;
    let found = found
        .filter(|role| role.kind == RoleKind::ServiceLinked)
        .ok_or(Error::NotFound(Kind::Role))?;
    let reason = if is_in_use(tx, account).await? {
        "Identity Center is open and needs the role."
    } else {
        objects::delete_role(tx, act, own_hand(account), &found.name).await?;
        ""
    };
    let id: i64 = act.new_id();
    sql("INSERT INTO cloud_role_deletions (id, account_uin, role_name, reason, created_at)
         VALUES ($1, $2, $3, $4, $5)")
    .bind(id)
    .bind(account)
    .bind(name)
    .bind(reason)
    .bind(act.now)
    .execute(tx)
    .await?;
    let states = [json!(null), json!({ "deletion": id, "kept_because": reason })];
    record(tx, act, own_hand(account), "role.ask_deletion", "role", name, states).await?;
    Ok(Deletion { id, role_name: name.to_owned(), reason: reason.to_owned() })
}

/// Whether Identity Center is open for the organisation that this account manages.
async fn is_in_use(tx: &mut Write, account: Uin) -> Result<bool, Error> {
    scope_of(tx, account).await?;
    let Some((organization, found)) = organization::of_account(tx, account).await? else {
        return Ok(false);
    };
    let space = space::of_organization(tx, organization.id).await?;
    Ok(found.is_management() && space.is_some())
}

const DELETION: &str =
    "SELECT id, role_name, reason FROM cloud_role_deletions WHERE account_uin = ";

/// What became of a deletion.
pub async fn deletion(tx: &mut Read, account: Uin, id: i64) -> Result<Deletion, Error> {
    let mut query = sql(DELETION);
    query.push_bind(account).push(" AND id = ").push_bind(id);
    query.fetch_optional(tx).await?.ok_or(Error::DeletionNotFound)
}

/// The deletions of an account that came to nothing, the latest last; some dozen at most are told.
pub async fn failed_deletions(tx: &mut Read, account: Uin) -> Result<Vec<Deletion>, Error> {
    let mut query = sql(DELETION);
    query.push_bind(account).push(" AND reason <> '' ORDER BY id DESC LIMIT 50");
    let mut found: Vec<Deletion> = query.fetch_all(tx).await?;
    found.reverse();
    Ok(found)
}
