//! The portal's sessions as administrators see them, and end them (SES-03).
//!
//! Each came from one session at the identity provider, whose id is its public name: the id in the
//! cookie is a secret. When the row of that one goes, the session and a ticket that nobody has come
//! for go with it.

use std::net::IpAddr;

use serde_json::{Value, json};

use crate::{
    audit::{self, Act, Change, Scope},
    directory::{self, fold},
    id::{IdpSessionId, SpaceId, UserId},
    provisioning,
    store::{self as database, Door, Json, Page, PageRequest, Read, Timestamp, Write, like, sql},
};

/// What a portal session's data calls the address that it was opened from.
pub const ADDRESS: &str = "address";
/// What a portal session's data calls the client that it was opened with.
pub const CLIENT: &str = "client";
/// The longest name of a client that is kept, in characters.
const LONGEST_CLIENT: usize = 256;

/// A session of the portal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortalSession {
    /// Its id: that of the identity provider's session that it came from.
    pub id: IdpSessionId,
    /// Whose it is.
    pub user: UserId,
    /// Their name.
    pub user_name: String,
    /// Where it was opened from, if that is known.
    pub address: Option<String>,
    /// What its browser calls itself, if it said.
    pub client: Option<String>,
    /// When it was opened.
    pub began_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub ends_at: Timestamp,
}

/// Ends the portal session of a browser that has signed in again, with the session at the identity
/// provider that it came from: what rests on that, such as a command line's, ends too.
pub async fn end_replaced(tx: &mut Write, session: [u8; 32]) -> Result<(), database::Error> {
    sql("DELETE FROM identity_provider_sessions WHERE id IN (
             SELECT idp_session_id FROM sessions WHERE id_hash = $1 AND door = $2)")
    .bind(session)
    .bind(Door::Portal)
    .execute(tx)
    .await?;
    sql("DELETE FROM sessions WHERE id_hash = $1").bind(session).execute(tx).await?;
    Ok(())
}

/// Where a session is opened from and with what, as its data has it.
pub fn origin(address: Option<IpAddr>, client: Option<&str>) -> [(&'static str, Value); 2] {
    let client = client.map(|it| it.chars().take(LONGEST_CLIENT).collect::<String>());
    [(ADDRESS, json!(address.map(|it| it.to_string()))), (CLIENT, json!(client))]
}

#[derive(sqlx::FromRow)]
struct Row {
    id: IdpSessionId,
    user_id: UserId,
    user_name: String,
    data: Json<Value>,
    created_at: Timestamp,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

impl From<Row> for PortalSession {
    fn from(row: Row) -> Self {
        let said = |name: &str| row.data.0.get(name).and_then(Value::as_str).map(str::to_owned);
        Self {
            address: said(ADDRESS),
            client: said(CLIENT),
            id: row.id,
            user: row.user_id,
            user_name: row.user_name,
            began_at: row.created_at,
            last_used_at: row.last_used_at,
            ends_at: row.expires_at,
        }
    }
}

const OPEN: &str = " FROM identity_provider_sessions i
     JOIN sessions s ON s.idp_session_id = i.id AND s.door = 'portal'
     JOIN users u ON u.id = i.user_id WHERE i.space_id = ";

/// The sessions of a space, or of one of its users, that have not ended; the latest first.
pub async fn portal_sessions(
    tx: &mut Read,
    space: SpaceId,
    user: Option<UserId>,
    now: Timestamp,
    page: PageRequest,
) -> Result<Page<PortalSession>, database::Error> {
    let filter = SessionFilter { user, search: None };
    portal_sessions_like(tx, space, &filter, now, page).await
}

/// Which sessions to list.
#[derive(Clone, Debug, Default)]
pub struct SessionFilter {
    /// Of this user.
    pub user: Option<UserId>,
    /// Part of the user's name; ASCII case does not matter.
    pub search: Option<String>,
}

/// The sessions of a space that a filter lets through and that have not ended; the latest first.
pub async fn portal_sessions_like(
    tx: &mut Read,
    space: SpaceId,
    filter: &SessionFilter,
    now: Timestamp,
    page: PageRequest,
) -> Result<Page<PortalSession>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push(OPEN).push_bind(space).push(" AND s.expires_at > ").push_bind(now);
        if let Some(user) = filter.user {
            query.push(" AND i.user_id = ").push_bind(user);
        }
        if let Some(search) = &filter.search {
            query.push(" AND u.user_name_key LIKE ").push_bind(like(&fold(search)));
            query.push(r" ESCAPE '\'");
        }
    };
    let mut count = sql("SELECT COUNT(*)");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql("SELECT i.id, i.user_id, u.user_name, s.data, s.created_at,
        s.last_used_at, s.expires_at");
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND i.id < ").push_bind(after);
    }
    query.push(" ORDER BY i.id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows: Vec<Row> = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row| row.id.0).map(PortalSession::from))
}

/// Which sessions to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// This one.
    One(IdpSessionId),
    /// All of a user.
    Of(UserId),
}

/// Ends sessions of a space, and whatever tickets for more of them are under way; says how many
/// sessions there were. They are refused at their next use, on every replica.
pub async fn end_portal_sessions(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    which: Sessions,
) -> Result<i64, database::Error> {
    let narrow = |query: &mut database::Sql, column: &'static str, user: &'static str| {
        match which {
            Sessions::One(id) => query.push(column).push_bind(id),
            Sessions::Of(id) => query.push(user).push_bind(id),
        };
    };
    let mut query = sql("SELECT i.id, i.user_id, u.user_name, s.data, s.created_at,
        s.last_used_at, s.expires_at");
    query.push(OPEN).push_bind(space).push(" AND s.expires_at > ").push_bind(act.now);
    narrow(&mut query, " AND i.id = ", " AND i.user_id = ");
    let ended: Vec<Row> = query.fetch_all(tx).await?;
    let mut gone = sql("DELETE FROM identity_provider_sessions WHERE space_id = ");
    gone.push_bind(space);
    narrow(&mut gone, " AND id = ", " AND user_id = ");
    gone.execute(tx).await?;
    let count = i64::try_from(ended.len()).unwrap_or(i64::MAX);
    // What was opened out of a session that counts no more counts no more either. Which of several
    // sessions it was opened out of nobody knows, so all of it ends.
    let mut whose: Vec<UserId> = ended.iter().map(|row| row.user_id).collect();
    if let Sessions::Of(user) = which {
        whose.push(user);
    }
    whose.sort_unstable();
    whose.dedup();
    for user in whose {
        if let Some(user) = directory::user(tx, space, user).await? {
            provisioning::end_opened(tx, act, space, &user).await?;
        }
    }
    for session in ended.into_iter().map(PortalSession::from) {
        let change = Change {
            scope: Scope::Space(space),
            action: "portal_session.end",
            object_kind: "portal_session",
            object_id: &session.id.to_string(),
            before: json!({
                "user": session.user,
                "user_name": session.user_name,
                "address": session.address,
                "client": session.client,
            }),
            after: Value::Null,
        };
        audit::record(tx, act, change).await?;
    }
    Ok(count)
}
