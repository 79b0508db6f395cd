//! Who changed what: one record with every change, in the same transaction (SET-08).
//!
//! An [`Act`] is what somebody is doing: who, from where, under which request, at what time. Each
//! function that changes something takes one and calls [`record`]; what is not recorded did not
//! happen, because both are one transaction.

pub mod unproved;

use std::net::IpAddr;

use serde_json::Value;

use crate::{
    id::{AuditId, Ids, OrganizationId, SpaceId},
    store::{self, Page, PageRequest, Read, Sql, Timestamp, Write, sql, text_enum},
};

text_enum! {
    /// What kind of somebody acts.
    pub enum ActorKind {
        /// A CAM principal of a management account, at the console or with an API key.
        Administrator = "administrator",
        /// A directory, with a SCIM token.
        ScimClient = "scim_client",
        /// A user of the portal.
        User = "user",
        /// Somebody in an account of the embedded cloud.
        CloudPrincipal = "cloud_principal",
        /// Somebody who has not signed in.
        Anyone = "anyone",
        /// The worker, or a command on the server's own command line.
        System = "system",
    }
}

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// What kind of somebody.
    pub kind: ActorKind,
    /// Their id, as text.
    pub id: String,
    /// Their name at that time.
    pub name: String,
}

impl Actor {
    /// The program itself; `name` says which part of it.
    pub fn system(name: &str) -> Self {
        Self { kind: ActorKind::System, id: name.to_owned(), name: name.to_owned() }
    }

    /// Somebody unknown.
    pub fn anyone() -> Self {
        Self { kind: ActorKind::Anyone, id: String::new(), name: String::new() }
    }
}

/// One act of somebody.
#[derive(Clone, Debug)]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// The request it is part of.
    pub request_id: String,
    /// Where the request came from.
    pub address: Option<IpAddr>,
    /// When.
    pub now: Timestamp,
    /// What joins it to acts under other requests; see [`Act::within`].
    pub correlation_id: Option<String>,
    ids: Ids,
}

impl Act {
    /// An act under a request, or under a task of the worker.
    pub fn new(
        actor: Actor,
        request_id: String,
        address: Option<IpAddr>,
        now: Timestamp,
        ids: Ids,
    ) -> Self {
        Self { actor, request_id, address, now, correlation_id: None, ids }
    }

    /// A fresh id for something that this act makes.
    pub fn new_id<T: From<i64>>(&self) -> T {
        self.ids.next(self.now)
    }

    /// The same act, now that it is known who acts.
    #[must_use]
    pub fn by(&self, actor: Actor) -> Self {
        Self { actor, ..self.clone() }
    }

    /// The same act, as a part of something that goes over several requests: a portal session,
    /// from the sign-in that opened it to the accounts that are entered from it (CON-04).
    #[must_use]
    pub fn within(&self, whole: impl std::fmt::Display) -> Self {
        Self { correlation_id: Some(whole.to_string()), ..self.clone() }
    }
}

/// Whose log a record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The whole installation.
    Installation,
    /// One organisation.
    Organization(OrganizationId),
    /// One space; the log of its organisation shows it too.
    Space(SpaceId),
}

/// One change.
#[derive(Clone, Debug)]
pub struct Change<'a> {
    /// Whose log it belongs to.
    pub scope: Scope,
    /// What was done, as `noun.verb`: "user.create".
    pub action: &'static str,
    /// What it was done to: "user", …
    pub object_kind: &'static str,
    /// The id of what it was done to.
    pub object_id: &'a str,
    /// What was there before; null where there was nothing.
    pub before: Value,
    /// What is there now; null where nothing is.
    pub after: Value,
}

/// A record of the log.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Record {
    /// Its id; later records have greater ones.
    pub id: AuditId,
    /// When it happened.
    pub at: Timestamp,
    /// What kind of somebody did it.
    pub actor_kind: ActorKind,
    /// Who did it.
    pub actor_id: String,
    /// Their name at that time.
    pub actor_name: String,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub object_kind: String,
    /// To which one.
    pub object_id: String,
    /// What was there before, as JSON.
    pub state_before: Option<String>,
    /// What was there afterwards, as JSON.
    pub state_after: Option<String>,
    /// The request or task that did it.
    pub request_id: String,
    /// Where the request came from.
    pub address: Option<String>,
    /// What joins it to records of other requests: the public name of a portal session.
    pub correlation_id: Option<String>,
}

/// Writes the record of a change, in the transaction of that change.
pub async fn record(tx: &mut Write, act: &Act, change: Change<'_>) -> store::Result<()> {
    log(tx, act, change).await.map(|_| ())
}

/// Like [`record`], and tells the record's id to whoever refers to it.
pub async fn log(tx: &mut Write, act: &Act, change: Change<'_>) -> store::Result<AuditId> {
    let state = |value: &Value| (!value.is_null()).then(|| value.to_string());
    let Change { scope, action, object_kind, object_id, before, after } = change;
    let (before, after) = (state(&before), state(&after));
    let mut query = sql(INSERT);
    let id = push_row(
        &mut query,
        act,
        &Entry { scope, action, object_kind, object_id, before, after: after.as_deref() },
    );
    query.later(tx).await?;
    Ok(id)
}

/// Something that was made.
#[derive(Clone, Copy, Debug)]
pub struct Made<'a> {
    /// Who made it.
    pub act: &'a Act,
    /// Its id.
    pub object_id: &'a str,
    /// What it is, as JSON.
    pub state: &'a str,
}

/// Records that several things of one kind were made, in one statement.
pub async fn log_made<'a>(
    tx: &mut Write,
    (scope, action, object_kind): (Scope, &'static str, &'static str),
    made: impl IntoIterator<Item = Made<'a>>,
) -> store::Result<Vec<AuditId>> {
    let mut query = sql(INSERT).keep();
    let mut ids = Vec::new();
    for Made { act, object_id, state } in made {
        if !ids.is_empty() {
            query.push(", ");
        }
        let after = Some(state);
        let entry = Entry { scope, action, object_kind, object_id, before: None, after };
        ids.push(push_row(&mut query, act, &entry));
    }
    if !ids.is_empty() {
        query.later(tx).await?;
    }
    Ok(ids)
}

const INSERT: &str = "INSERT INTO audit_records (id, organization_id, space_id, at, actor_kind,
     actor_id, actor_name, action, object_kind, object_id, state_before, state_after, request_id,
     address, correlation_id) VALUES ";

/// A change with its states as JSON.
struct Entry<'a> {
    scope: Scope,
    action: &'static str,
    object_kind: &'static str,
    object_id: &'a str,
    before: Option<String>,
    after: Option<&'a str>,
}

fn push_row(query: &mut Sql, act: &Act, entry: &Entry<'_>) -> AuditId {
    let id: AuditId = act.new_id();
    query.push("(").push_bind(id);
    match entry.scope {
        Scope::Installation => {
            query.push(", ").push_bind(None::<i64>).push(", ").push_bind(None::<i64>);
        }
        Scope::Organization(organization) => {
            query.push(", ").push_bind(organization).push(", ").push_bind(None::<i64>);
        }
        Scope::Space(space) => {
            query.push(", (SELECT organization_id FROM spaces WHERE id = ").push_bind(space);
            query.push("), ").push_bind(space);
        }
    }
    query.push(", ").push_bind(act.now);
    query.push(", ").push_bind(act.actor.kind);
    query.push(", ").push_bind(&act.actor.id);
    query.push(", ").push_bind(&act.actor.name);
    query.push(", ").push_bind(entry.action);
    query.push(", ").push_bind(entry.object_kind);
    query.push(", ").push_bind(entry.object_id);
    query.push(", ").push_bind(entry.before.as_deref());
    query.push(", ").push_bind(entry.after);
    query.push(", ").push_bind(&act.request_id);
    query.push(", ").push_bind(act.address.map(|address| address.to_string()));
    query.push(", ").push_bind(act.correlation_id.as_deref());
    query.push(")");
    id
}

/// The records with these ids, oldest first; those of other spaces are left out.
pub async fn of_space(
    tx: &mut Read,
    space: SpaceId,
    ids: &[AuditId],
) -> store::Result<Vec<Record>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql(RECORD);
    query.push("space_id = ").push_bind(space).push(" AND id IN (");
    query.push_list(ids.iter().copied()).push(") ORDER BY id");
    query.fetch_all(tx).await
}

/// The latest records of one object of a space, latest first, at most `most` of them.
pub async fn of_object(
    tx: &mut Read,
    space: SpaceId,
    kind: &str,
    id: &str,
    most: i64,
) -> store::Result<Vec<Record>> {
    let mut query = sql(RECORD);
    query.push("space_id = ").push_bind(space);
    query.push(" AND object_kind = ").push_bind(kind).push(" AND object_id = ").push_bind(id);
    query.push(" ORDER BY id DESC LIMIT ").push_bind(most);
    query.fetch_all(tx).await
}

const RECORD: &str = "SELECT id, at, actor_kind, actor_id, actor_name, action, object_kind,
                             object_id, state_before, state_after, request_id, address,
                             correlation_id
                      FROM audit_records WHERE ";

/// The users and groups that the directories of a space deleted, latest first (SCIM-18).
pub async fn deletions_by_directories(
    tx: &mut Read,
    space: SpaceId,
    page: PageRequest,
) -> store::Result<Page<Record>> {
    // As its index has it.
    const DELETED: &str =
        "actor_kind = 'scim_client' AND action IN ('user.delete', 'group.delete') AND space_id = ";
    let mut query = sql("SELECT COUNT(*) FROM audit_records WHERE ");
    query.push(DELETED).push_bind(space);
    let total = query.fetch_number(tx).await?;
    let mut query = sql(RECORD);
    query.push(DELETED).push_bind(space);
    if let Some(after) = page.after {
        query.push(" AND id < ").push_bind(after);
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |record: &Record| record.id.0))
}

/// Which records to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of one kind of thing.
    pub object_kind: Option<String>,
    /// Of the thing with this id.
    pub object_id: Option<String>,
    /// Of this action.
    pub action: Option<String>,
    /// Of what somebody with this id did.
    pub actor_id: Option<String>,
    /// Of what somebody with this id, or this name at that time, did.
    pub actor: Option<String>,
    /// Of what hangs together under this id, such as a portal session's public name.
    pub correlation_id: Option<String>,
    /// Not earlier than this.
    pub since: Option<Timestamp>,
    /// Earlier than this.
    pub until: Option<Timestamp>,
}

impl Filter {
    fn narrow(&self, query: &mut Sql, organization: OrganizationId) {
        query.push("organization_id = ").push_bind(organization);
        for (column, value) in [
            (" AND object_kind = ", &self.object_kind),
            (" AND object_id = ", &self.object_id),
            (" AND action = ", &self.action),
            (" AND actor_id = ", &self.actor_id),
            (" AND correlation_id = ", &self.correlation_id),
        ] {
            if let Some(value) = value {
                query.push(column).push_bind(value);
            }
        }
        if let Some(actor) = &self.actor {
            query.push(" AND (actor_id = ").push_bind(actor);
            query.push(" OR actor_name = ").push_bind(actor).push(")");
        }
        if let Some(since) = self.since {
            query.push(" AND at >= ").push_bind(since);
        }
        if let Some(until) = self.until {
            query.push(" AND at < ").push_bind(until);
        }
    }
}

/// The records of an organisation, latest first.
pub async fn list(
    tx: &mut Read,
    organization: OrganizationId,
    page: PageRequest,
) -> store::Result<Page<Record>> {
    find(tx, organization, &Filter::default(), page).await
}

/// The records of an organisation that a filter lets through, latest first.
pub async fn find(
    tx: &mut Read,
    organization: OrganizationId,
    filter: &Filter,
    page: PageRequest,
) -> store::Result<Page<Record>> {
    let mut count = sql("SELECT COUNT(*) FROM audit_records WHERE ");
    filter.narrow(&mut count, organization);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(RECORD);
    filter.narrow(&mut query, organization);
    if let Some(after) = page.after {
        query.push(" AND id < ").push_bind(after);
    }
    query.push(" ORDER BY id DESC LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |record: &Record| record.id.0))
}
