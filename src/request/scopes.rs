//! Who may ask for what.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Error, MOST_SCOPES_PER_CALL, Scope};
use crate::{
    audit::{self, Act, Change, Scope as Log},
    directory::{fold, push_identities_of},
    id::{ConfigurationId, Principal, RequestScopeId, SpaceId, Uin, UserId},
    permission::{Triple, unknown_of},
    space,
    store::{self as database, Page, PageRequest, Read, Write, like, sql},
};

/// Lets identities ask. What they may ask for already stays; all or none.
pub async fn create_scopes(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triples: &[Triple],
) -> Result<(), Error> {
    if triples.is_empty() || triples.len() > MOST_SCOPES_PER_CALL {
        return Err(Error::ScopeCountInvalid);
    }
    // Whom they name stays until this is written.
    space::hold_access(tx, space).await?;
    let principals: Vec<Principal> = triples.iter().map(|it| it.principal).collect();
    let accounts: Vec<Uin> = triples.iter().map(|it| it.account).collect();
    let configurations: Vec<ConfigurationId> = triples.iter().map(|it| it.configuration).collect();
    let unknown = unknown_of(tx, space, &principals, &accounts, &configurations).await?;
    if !unknown.is_empty() {
        return Err(crate::permission::Error::Unknown(unknown).into());
    }
    let mut query = sql("INSERT INTO access_request_scopes
             (id, space_id, principal_kind, principal_id, account_uin, configuration_id, created_at,
              updated_at) VALUES ");
    // One statement must not come to the same row twice.
    let distinct: BTreeMap<&Triple, RequestScopeId> =
        triples.iter().map(|triple| (triple, act.new_id())).collect();
    for (index, (triple, id)) in distinct.iter().enumerate() {
        query.push(if index == 0 { "(" } else { ", (" }).push_bind(*id);
        query.push(", ").push_bind(space);
        query.push(", ").push_bind(triple.principal.kind());
        query.push(", ").push_bind(triple.principal.number());
        query.push(", ").push_bind(triple.account);
        query.push(", ").push_bind(triple.configuration);
        query.push(", ").push_bind(act.now).push(", ").push_bind(act.now).push(")");
    }
    query.push(
        " ON CONFLICT (principal_kind, principal_id, account_uin, configuration_id)
         DO UPDATE SET updated_at = excluded.updated_at RETURNING id",
    );
    let there: Vec<(RequestScopeId,)> = query.fetch_all(tx).await?;
    // What was there already has kept its id.
    for (triple, _) in distinct.iter().filter(|(_, id)| there.contains(&(**id,))) {
        record(tx, act, space, triple, ("request_scope.create", true)).await?;
    }
    Ok(())
}

/// Lets an identity ask no more for these configurations on an account; all or none. What is pending
/// can then not be approved any more.
pub async fn delete_scopes(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    principal: Principal,
    account: Uin,
    configurations: &[ConfigurationId],
) -> Result<(), Error> {
    if configurations.is_empty() || configurations.len() > MOST_SCOPES_PER_CALL {
        return Err(Error::ScopeCountInvalid);
    }
    let mut query = sql("DELETE FROM access_request_scopes WHERE space_id = ");
    query.push_bind(space).push(" AND principal_kind = ").push_bind(principal.kind());
    query.push(" AND principal_id = ").push_bind(principal.number());
    query.push(" AND account_uin = ").push_bind(account).push(" AND configuration_id IN ");
    query.push_numbers(configurations.iter().map(|id| id.0).collect::<Vec<i64>>());
    query.push(" RETURNING configuration_id");
    let gone: Vec<(ConfigurationId,)> = query.fetch_all(tx).await?;
    if gone.len() != configurations.len() {
        return Err(Error::ScopeNotFound);
    }
    for (configuration,) in gone {
        let triple = Triple { principal, account, configuration };
        record(tx, act, space, &triple, ("request_scope.delete", false)).await?;
    }
    Ok(())
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    triple: &Triple,
    (action, is_there): (&'static str, bool),
) -> Result<(), database::Error> {
    let Triple { principal, account, configuration } = triple;
    let state = json!({
        "principal": principal.to_string(),
        "account": account,
        "configuration": configuration,
    });
    let change = Change {
        scope: Log::Space(space),
        action,
        object_kind: "request_scope",
        object_id: &format!("{account}/{configuration}/{principal}"),
        before: if is_there { Value::Null } else { state.clone() },
        after: if is_there { state } else { Value::Null },
    };
    audit::record(tx, act, change).await
}

const SCOPES: &str = " FROM access_request_scopes s
    JOIN accounts acc ON acc.uin = s.account_uin
    JOIN permission_configurations c ON c.id = s.configuration_id
    LEFT JOIN users u
      ON s.principal_kind = 'user' AND u.id = s.principal_id AND u.deleted_at IS NULL
    LEFT JOIN groups g
      ON s.principal_kind = 'group' AND g.id = s.principal_id AND g.deleted_at IS NULL
    WHERE COALESCE(u.id, g.id) IS NOT NULL AND s.space_id = ";

/// Which scopes to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct ScopeFilter {
    /// Of this identity.
    pub principal: Option<Principal>,
    /// On this account.
    pub account: Option<Uin>,
    /// Part of the configuration's name; ASCII case does not matter.
    pub search: Option<String>,
}

/// The scopes of a space in the order of their making, a page of them.
pub async fn scopes(
    tx: &mut Read,
    space: SpaceId,
    filter: &ScopeFilter,
    page: PageRequest,
) -> Result<Page<Scope>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push(SCOPES).push_bind(space);
        if let Some(principal) = filter.principal {
            query.push(" AND s.principal_kind = ").push_bind(principal.kind());
            query.push(" AND s.principal_id = ").push_bind(principal.number());
        }
        if let Some(account) = filter.account {
            query.push(" AND s.account_uin = ").push_bind(account);
        }
        if let Some(search) = &filter.search {
            query.push(" AND c.name_key LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
        }
    };
    let mut count = sql("SELECT COUNT(*)");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql("SELECT s.id, s.principal_kind, s.principal_id,
            COALESCE(u.user_name, g.name, '') AS principal_name, s.account_uin,
            acc.name AS account_name, acc.kind AS account_kind, s.configuration_id,
            c.name AS configuration_name, s.created_at, s.updated_at");
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND s.id > ").push_bind(after);
    }
    query.push(" ORDER BY s.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row: &Scope| row.id.0))
}

/// What a user may ask for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Askable {
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// The configuration.
    pub configuration_id: ConfigurationId,
    /// The configuration's name.
    pub configuration_name: String,
    /// What it is for.
    pub description: String,
}

/// Everything that a user may ask for, themselves or through a group, by account and configuration.
pub async fn askable(
    tx: &mut Read,
    space: SpaceId,
    user: UserId,
) -> Result<Vec<Askable>, database::Error> {
    let mut query = sql("SELECT DISTINCT s.account_uin, acc.name AS account_name,
            s.configuration_id, c.name AS configuration_name, c.description
        FROM ");
    push_identities_of(&mut query, user);
    query.push(
        " p
        JOIN access_request_scopes s ON s.principal_kind = p.kind AND s.principal_id = p.id
        JOIN accounts acc ON acc.uin = s.account_uin
        JOIN permission_configurations c ON c.id = s.configuration_id
        WHERE s.space_id = ",
    );
    query.push_bind(space);
    query.push(" ORDER BY account_name, s.account_uin, configuration_name");
    query.fetch_all(tx).await
}
