//! Organisations, departments and accounts in the database.

use serde_json::json;

use super::{
    Account, AccountKind, Department, Error, Organization,
    rules::{
        MAX_LEVELS, check_department_name, check_member_name, check_organization_name, check_remark,
    },
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{DepartmentId, OrganizationId, Uin, new_node_id, new_uin},
    store::{self as database, Page, PageRequest, Read, Write, like, sql},
};

const ACCOUNT: &str = "SELECT a.uin, a.organization_id, a.department_id, d.node_id,
            d.name AS department_name, a.kind, a.name, a.remark, a.created_at, a.updated_at
     FROM accounts a JOIN departments d ON d.id = a.department_id WHERE ";
const DEPARTMENT: &str = "SELECT d.id, d.node_id, d.parent_id, p.node_id AS parent_node_id, d.name,
            d.remark, d.depth, d.created_at, d.updated_at
     FROM departments d LEFT JOIN departments p ON p.id = d.parent_id WHERE ";

/// Makes an organisation with its root department and its management account. Each call adds
/// one; a taken name changes nothing.
pub async fn create(
    tx: &mut Write,
    act: &Act,
    name: &str,
) -> Result<(Organization, Account), Error> {
    check_organization_name(name)?;
    let key = name.to_ascii_lowercase();
    if sql("SELECT 1 FROM organizations WHERE name_key = $1").bind(&key).exists(tx).await? {
        return Err(Error::NameTaken);
    }
    let id: OrganizationId = act.new_id();
    let made = sql("INSERT INTO organizations (id, name, name_key, created_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(name)
    .bind(key)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Err(Error::NameTaken);
    }
    let root: DepartmentId = act.new_id();
    insert_department(tx, act, root, id, None, "Root", "", 0).await?;
    let uin = insert_account(tx, act, id, root, AccountKind::Management, name_of(name), "").await?;
    let change = Change {
        scope: Scope::Organization(id),
        action: "organization.create",
        object_kind: "organization",
        object_id: &id.to_string(),
        before: json!(null),
        after: json!({ "name": name, "management_uin": uin }),
    };
    audit::record(tx, act, change).await?;
    let account = account(tx, id, uin).await?.ok_or(Error::AccountNotFound)?;
    Ok((Organization { id, name: name.to_owned(), created_at: act.now }, account))
}

/// The management account is called like the organisation, as far as an account's name goes.
fn name_of(organization: &str) -> &str {
    let end = organization.char_indices().nth(25).map_or(organization.len(), |(at, _)| at);
    organization[..end].trim_end()
}

/// The organisation with this id.
pub async fn organization(
    tx: &mut Read,
    id: OrganizationId,
) -> Result<Option<Organization>, database::Error> {
    sql("SELECT id, name, created_at FROM organizations WHERE id = $1")
        .bind(id)
        .fetch_optional(tx)
        .await
}

/// The account with this number in whichever organisation, together with that organisation.
pub async fn of_account(
    tx: &mut Read,
    uin: Uin,
) -> Result<Option<(Organization, Account)>, database::Error> {
    let mut query = sql(ACCOUNT);
    query.push("a.uin = ").push_bind(uin);
    let Some(account) = query.fetch_optional::<Account>(tx).await? else { return Ok(None) };
    let organization = organization(tx, account.organization_id).await?;
    Ok(organization.map(|organization| (organization, account)))
}

/// The departments of an organisation, parents before their children.
pub async fn departments(
    tx: &mut Read,
    organization: OrganizationId,
) -> Result<Vec<Department>, database::Error> {
    let mut query = sql(DEPARTMENT);
    query.push("d.organization_id = ").push_bind(organization).push(" ORDER BY d.depth, d.id");
    query.fetch_all(tx).await
}

/// The department with this number of the public API.
pub async fn department(
    tx: &mut Read,
    organization: OrganizationId,
    node_id: i64,
) -> Result<Option<Department>, database::Error> {
    let mut query = sql(DEPARTMENT);
    query.push("d.organization_id = ").push_bind(organization);
    query.push(" AND d.node_id = ").push_bind(node_id);
    query.fetch_optional(tx).await
}

/// Makes a department below another one (DEP-02).
pub async fn create_department(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    parent_node_id: i64,
    name: &str,
    remark: &str,
) -> Result<Department, Error> {
    check_department_name(name)?;
    check_remark(remark)?;
    let parent =
        department(tx, organization, parent_node_id).await?.ok_or(Error::DepartmentNotFound)?;
    if parent.depth + 1 >= MAX_LEVELS {
        return Err(Error::TooDeep(MAX_LEVELS));
    }
    let id: DepartmentId = act.new_id();
    let made = insert_department(
        tx,
        act,
        id,
        organization,
        Some(parent.id),
        name,
        remark,
        parent.depth + 1,
    )
    .await?;
    if !made {
        return Err(Error::DepartmentNameTaken);
    }
    let change = Change {
        scope: Scope::Organization(organization),
        action: "department.create",
        object_kind: "department",
        object_id: &id.to_string(),
        before: json!(null),
        after: json!({ "name": name, "parent": parent.name, "remark": remark }),
    };
    audit::record(tx, act, change).await?;
    let mut query = sql(DEPARTMENT);
    query.push("d.id = ").push_bind(id);
    Ok(query.fetch_one(tx).await?)
}

/// Makes a member account in a department, or in the root if none is named (DEP-06, MEM-11).
pub async fn create_member(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    node_id: Option<i64>,
    name: &str,
    remark: &str,
) -> Result<Account, Error> {
    check_member_name(name)?;
    check_remark(remark)?;
    let department = match node_id {
        Some(node_id) => department(tx, organization, node_id).await?,
        None => departments(tx, organization).await?.into_iter().next(),
    }
    .ok_or(Error::DepartmentNotFound)?;
    let taken = sql("SELECT 1 FROM accounts WHERE organization_id = $1 AND name = $2")
        .bind(organization)
        .bind(name)
        .exists(tx)
        .await?;
    if taken {
        return Err(Error::MemberNameTaken);
    }
    let kind = AccountKind::Member;
    let uin = insert_account(tx, act, organization, department.id, kind, name, remark).await?;
    let change = Change {
        scope: Scope::Organization(organization),
        action: "account.create",
        object_kind: "account",
        object_id: &uin.to_string(),
        before: json!(null),
        after: json!({ "name": name, "department": department.name, "remark": remark }),
    };
    audit::record(tx, act, change).await?;
    account(tx, organization, uin).await?.ok_or(Error::AccountNotFound)
}

/// An account of an organisation.
pub async fn account(
    tx: &mut Read,
    organization: OrganizationId,
    uin: Uin,
) -> Result<Option<Account>, database::Error> {
    let mut query = sql(ACCOUNT);
    query.push("a.organization_id = ").push_bind(organization);
    query.push(" AND a.uin = ").push_bind(uin);
    query.fetch_optional(tx).await
}

/// The accounts of an organisation with these numbers.
pub async fn accounts_of(
    tx: &mut Read,
    organization: OrganizationId,
    uins: impl IntoIterator<Item = Uin>,
) -> Result<Vec<Account>, database::Error> {
    let mut query = sql(ACCOUNT);
    query.push("a.organization_id = ").push_bind(organization).push(" AND a.uin IN ");
    query.push_numbers(uins.into_iter().map(|uin| uin.0).collect::<Vec<i64>>());
    query.fetch_all(tx).await
}

/// Which accounts to list.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Part of the name, or the whole number.
    pub search: Option<String>,
    /// Only those right in this department.
    pub department: Option<DepartmentId>,
}

/// The accounts of an organisation by number, a page of them.
pub async fn accounts(
    tx: &mut Read,
    organization: OrganizationId,
    filter: &AccountFilter,
    page: PageRequest,
) -> Result<Page<Account>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push("a.organization_id = ").push_bind(organization);
        if let Some(department) = filter.department {
            query.push(" AND a.department_id = ").push_bind(department);
        }
        if let Some(search) = &filter.search {
            query.push(" AND (a.name LIKE ").push_bind(like(search)).push(r" ESCAPE '\'");
            query.push(" OR a.uin = ").push_bind(search.parse::<Uin>().ok()).push(")");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM accounts a WHERE ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(ACCOUNT);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND a.uin > ").push_bind(after);
    }
    query.push(" ORDER BY a.uin LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |account: &Account| account.uin.0))
}

/// Says whether the department was made; it is not when its name is taken.
#[expect(clippy::too_many_arguments, reason = "a row of a table")]
async fn insert_department(
    tx: &mut Write,
    act: &Act,
    id: DepartmentId,
    organization: OrganizationId,
    parent: Option<DepartmentId>,
    name: &str,
    remark: &str,
    depth: i64,
) -> Result<bool, Error> {
    let made = sql("INSERT INTO departments
             (id, organization_id, node_id, parent_id, name, remark, depth, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (parent_id, name) DO NOTHING")
    .bind(id)
    .bind(organization)
    .bind(new_node_id()?)
    .bind(parent)
    .bind(name)
    .bind(remark)
    .bind(depth)
    .bind(act.now)
    .execute(tx)
    .await?;
    Ok(made == 1)
}

async fn insert_account(
    tx: &mut Write,
    act: &Act,
    organization: OrganizationId,
    department: DepartmentId,
    kind: AccountKind,
    name: &str,
    remark: &str,
) -> Result<Uin, Error> {
    loop {
        let uin = new_uin()?;
        let made =
            sql("INSERT INTO accounts (uin, organization_id, department_id, kind, name, remark,
                                   created_at, updated_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $7) ON CONFLICT (uin) DO NOTHING")
            .bind(uin)
            .bind(organization)
            .bind(department)
            .bind(kind)
            .bind(name)
            .bind(remark)
            .bind(act.now)
            .execute(tx)
            .await;
        match made {
            Ok(0) => {}
            Ok(_) => return Ok(uin),
            Err(database::Error::Conflict(_)) => return Err(Error::MemberNameTaken),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whoever changes something of an organisation after having looked at it comes one after the other.
pub async fn lock(tx: &mut Write, organization: OrganizationId) -> Result<(), database::Error> {
    let mut query = sql("SELECT id FROM organizations WHERE id = ");
    query.push_bind(organization).push(tx.for_no_key_update());
    query.exists(tx).await?;
    Ok(())
}
