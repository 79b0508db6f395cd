//! Changing the tree of departments and the accounts in it. Nothing is assigned to a department
//! (MAA-14), so nobody gains or loses anything by what happens here.

use serde_json::json;

use super::{
    Account, Department, Error, account, department,
    rules::{check_department_name, check_member_name, check_remark},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{DepartmentId, OrganizationId, Uin},
    store::{self as database, Write, sql},
};

/// Departments that one call deletes, and accounts that one call moves, at most.
pub const MOST_AT_ONCE: usize = 50;

/// Changes the name or the remark of a department; none stays as it is.
pub async fn update_department(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    node_id: i64,
    name: Option<&str>,
    remark: Option<&str>,
) -> Result<Department, Error> {
    let old = department(tx, organization, node_id).await?.ok_or(Error::DepartmentNotFound)?;
    let (name, remark) = (name.unwrap_or(&old.name), remark.unwrap_or(&old.remark));
    if (name, remark) == (old.name.as_str(), old.remark.as_str()) {
        return Ok(old);
    }
    check_department_name(name)?;
    check_remark(remark)?;
    let taken = sql("SELECT 1 FROM departments WHERE parent_id = $1 AND name = $2 AND id <> $3")
        .bind(old.parent_id)
        .bind(name)
        .bind(old.id)
        .exists(tx)
        .await?;
    if taken {
        return Err(Error::DepartmentNameTaken);
    }
    let renamed =
        sql("UPDATE departments SET name = $1, remark = $2, updated_at = $3 WHERE id = $4")
            .bind(name)
            .bind(remark)
            .bind(act.now)
            .bind(old.id)
            .execute(tx)
            .await;
    match renamed {
        Err(database::Error::Conflict(_)) => return Err(Error::DepartmentNameTaken),
        other => other?,
    };
    let states = [(&*old.name, &*old.remark), (name, remark)]
        .map(|(name, remark)| json!({ "name": name, "remark": remark }));
    let id = old.id.to_string();
    record(tx, act, organization, "department.update", ("department", &id), states).await?;
    department(tx, organization, node_id).await?.ok_or(Error::DepartmentNotFound)
}

/// Deletes departments in which nothing is: all of these, or none. One that is in another of them
/// must come before it.
pub async fn delete_departments(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    node_ids: &[i64],
) -> Result<(), Error> {
    if node_ids.is_empty() || node_ids.len() > MOST_AT_ONCE {
        return Err(Error::CountInvalid { limit: MOST_AT_ONCE, count: node_ids.len() });
    }
    for node_id in node_ids {
        let old = department(tx, organization, *node_id).await?.ok_or(Error::DepartmentNotFound)?;
        if old.parent_id.is_none() {
            return Err(Error::RootStays);
        }
        let gone = sql("DELETE FROM departments WHERE id = $1
               AND NOT EXISTS (SELECT 1 FROM accounts a WHERE a.department_id = departments.id)
               AND NOT EXISTS (SELECT 1 FROM departments d WHERE d.parent_id = departments.id)")
        .bind(old.id)
        .execute(tx)
        .await;
        // Somebody may have come into it at this moment: then its key holds it.
        match gone {
            Ok(0) | Err(database::Error::Conflict(_)) => return Err(Error::DepartmentNotEmpty),
            other => other?,
        };
        let states = [json!({ "name": old.name, "remark": old.remark }), json!(null)];
        let id = old.id.to_string();
        record(tx, act, organization, "department.delete", ("department", &id), states).await?;
    }
    Ok(())
}

/// Moves member accounts into a department: all of these, or none. What they have and who reaches
/// them stays (MAA-14).
pub async fn move_accounts(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    accounts: &[Uin],
    node_id: i64,
) -> Result<(), Error> {
    if accounts.is_empty() || accounts.len() > MOST_AT_ONCE {
        return Err(Error::CountInvalid { limit: MOST_AT_ONCE, count: accounts.len() });
    }
    let to = department(tx, organization, node_id).await?.ok_or(Error::DepartmentNotFound)?;
    for uin in accounts {
        let old = account(tx, organization, *uin).await?.ok_or(Error::AccountNotFound)?;
        if old.is_management() {
            return Err(Error::ManagementAccountStaysAtTheRoot);
        }
        if old.department_id != to.id {
            move_one(tx, act, organization, &old, (to.id, &to.name)).await?;
        }
    }
    Ok(())
}

async fn move_one(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    account: &Account,
    (to, name): (DepartmentId, &str),
) -> Result<(), Error> {
    sql("UPDATE accounts SET department_id = $1, updated_at = $2 WHERE uin = $3")
        .bind(to)
        .bind(act.now)
        .bind(account.uin)
        .execute(tx)
        .await?;
    let states = [&*account.department_name, name].map(|name| json!({ "department": name }));
    let id = account.uin.to_string();
    Ok(record(tx, act, organization, "account.move", ("account", &id), states).await?)
}

/// Changes the name or the remark of an account; none stays as it is.
pub async fn update_account(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    uin: Uin,
    name: Option<&str>,
    remark: Option<&str>,
) -> Result<Account, Error> {
    let old = account(tx, organization, uin).await?.ok_or(Error::AccountNotFound)?;
    let (name, remark) = (name.unwrap_or(&old.name), remark.unwrap_or(&old.remark));
    if (name, remark) == (old.name.as_str(), old.remark.as_str()) {
        return Ok(old);
    }
    check_member_name(name)?;
    check_remark(remark)?;
    let taken =
        sql("SELECT 1 FROM accounts WHERE organization_id = $1 AND name = $2 AND uin <> $3")
            .bind(organization)
            .bind(name)
            .bind(uin)
            .exists(tx)
            .await?;
    if taken {
        return Err(Error::MemberNameTaken);
    }
    let renamed = sql("UPDATE accounts SET name = $1, remark = $2, updated_at = $3 WHERE uin = $4")
        .bind(name)
        .bind(remark)
        .bind(act.now)
        .bind(uin)
        .execute(tx)
        .await;
    match renamed {
        Err(database::Error::Conflict(_)) => return Err(Error::MemberNameTaken),
        other => other?,
    };
    let states = [(&*old.name, &*old.remark), (name, remark)]
        .map(|(name, remark)| json!({ "name": name, "remark": remark }));
    let id = uin.to_string();
    record(tx, act, organization, "account.update", ("account", &id), states).await?;
    account(tx, organization, uin).await?.ok_or(Error::AccountNotFound)
}

async fn record(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    action: &'static str,
    (object_kind, object_id): (&'static str, &str),
    [before, after]: [serde_json::Value; 2],
) -> Result<(), database::Error> {
    let scope = Scope::Organization(organization);
    audit::record(tx, act, Change { scope, action, object_kind, object_id, before, after }).await
}
