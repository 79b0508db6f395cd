//! Who has something on an account, a row for each identity (MAA-11).

use super::{Assignment, assignments::ASSIGNMENT};
use crate::{
    directory::fold,
    id::{Principal, PrincipalKind, SpaceId, Uin},
    store::{self as database, Page, PageRequest, Read, like, sql},
};

/// An identity that has something on an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountIdentity {
    /// Who.
    pub principal: Principal,
    /// Its name.
    pub name: String,
    /// What it has there, by its making; at least one.
    pub assignments: Vec<Assignment>,
}

#[derive(sqlx::FromRow)]
struct Row {
    principal_kind: PrincipalKind,
    principal_id: i64,
    first: i64,
}

/// The identities that have something on an account, in the order of their first assignment, a
/// page of them, each with all it has there: two queries, however many there are. `search` keeps
/// those who have a configuration whose name contains it; ASCII case does not matter.
pub async fn account_identities(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
    search: Option<&str>,
    page: PageRequest,
) -> Result<Page<AccountIdentity>, database::Error> {
    const FROM: &str = " FROM assignments a
        JOIN permission_configurations c ON c.id = a.configuration_id";
    let narrow = |query: &mut database::Sql| {
        query.push(" WHERE a.space_id = ").push_bind(space);
        query.push(" AND a.account_uin = ").push_bind(account);
        if let Some(search) = search {
            query.push(" AND c.name_key LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM (SELECT DISTINCT a.principal_kind, a.principal_id");
    count.push(FROM);
    narrow(&mut count);
    count.push(") AS found");
    let total = count.fetch_number(tx).await?;
    let mut query = sql("SELECT a.principal_kind, a.principal_id, MIN(a.id) AS first");
    query.push(FROM);
    narrow(&mut query);
    query.push(" GROUP BY a.principal_kind, a.principal_id");
    if let Some(after) = page.after {
        query.push(" HAVING MIN(a.id) > ").push_bind(after);
    }
    query.push(" ORDER BY MIN(a.id) LIMIT ").push_bind(page.limit + 1);
    let rows: Vec<Row> = query.fetch_all(tx).await?;
    let found = Page::of(rows, total, page.limit, |row: &Row| row.first);
    let mut assignments = sql(ASSIGNMENT);
    assignments.push_bind(space).push(" AND a.account_uin = ").push_bind(account);
    let numbers: Vec<i64> = found.rows.iter().map(|row| row.principal_id).collect();
    assignments.push(" AND a.principal_id IN ").push_numbers(numbers).push(" ORDER BY a.id");
    let all: Vec<Assignment> = assignments.fetch_all(tx).await?;
    Ok(found.map(|row| {
        let principal = Principal::new(row.principal_kind, row.principal_id);
        let own: Vec<Assignment> =
            all.iter().filter(|it| it.principal() == principal).cloned().collect();
        let name = own.first().map(|it| it.principal_name.clone()).unwrap_or_default();
        AccountIdentity { principal, name, assignments: own }
    }))
}
