//! Users that SCIM makes: one, or many in a few statements.
//!
//! What can refuse a user is looked up for all of them at once, and decided before anything is
//! written: a user that is refused has changed nothing, and the others go on.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::{
    Error, extended,
    resource::{Push, ResourceKind, Stored, Written, text},
    users::{Columns, emails},
};
use crate::{
    audit::{self, Made, Scope},
    directory::{Source, announce, fold},
    id::{AuditId, Principal, PrincipalKind, SpaceId, UserId},
    scim::document,
    store::{self as database, Read, Sql, Write, portion, sql},
};

const KIND: ResourceKind = ResourceKind::User;
/// Longer addresses are kept in the document and not searched by index.
pub(super) const MAX_INDEXED_ADDRESS: usize = 512;
/// Users that are made in one statement, at most.
pub const MOST_USERS: usize = 64;

/// A user that is to be made.
#[derive(Debug)]
pub struct NewUser<'b> {
    /// The request that makes it. Users that are made together are of one space.
    pub push: &'b Push<'b>,
    /// The id it is to have, if it was given out beforehand; a fresh one else (SCIM-16).
    pub id: Option<i64>,
    /// The body.
    pub body: &'b Map<String, Value>,
}

/// What a body says, or why it says nothing.
type ReadBody = Result<Map<String, Value>, Error>;

/// One that nothing speaks against.
struct Accepted<'b> {
    push: &'b Push<'b>,
    id: i64,
    attributes: Map<String, Value>,
    document: String,
}

/// Makes a user (RFC 7644 §3.3).
pub async fn create_user(tx: &mut Write, new: NewUser<'_>) -> Result<Written, Error> {
    let mut made = create_users(tx, vec![new], 1).await?;
    made.pop().unwrap_or(Err(Error::NotFound(KIND)))
}

/// Makes users in their order; stops after so many refusals, and then says nothing of the rest. A
/// name that is held by hand is never taken over (SCIM-17).
///
/// An error is one of the database: then nothing that was done here may stay. It is
/// [`database::Error::Conflict`] when somebody else took a name or a unique value just now.
pub async fn create_users(
    tx: &mut Write,
    new: Vec<NewUser<'_>>,
    most_refusals: usize,
) -> Result<Vec<Result<Written, Error>>, Error> {
    let Some(space) = new.first().map(|one| one.push.space.id) else { return Ok(Vec::new()) };
    let read: Vec<(NewUser<'_>, ReadBody)> = new
        .into_iter()
        .map(|one| {
            let read = document::read(&one.push.view.types.user, one.body);
            (one, read.map(|read| read.attributes).map_err(Error::from))
        })
        .collect();
    let names = read.iter().filter_map(|(_, read)| read.as_ref().ok());
    let names = names.map(|user| fold(text(user, "userName"))).collect();
    let mut standing = Standing::of(tx, space, names).await?;
    let mut outcomes: Vec<Result<usize, Error>> = Vec::with_capacity(read.len());
    let mut accepted = Vec::with_capacity(read.len());
    let mut refusals = 0;
    for (NewUser { push, id, .. }, attributes) in read {
        let taken = attributes.and_then(|attributes| {
            standing.take(push, &attributes)?;
            let id = id.unwrap_or_else(|| push.act.new_id::<UserId>().0);
            let document = Value::Object(attributes);
            let text = document.to_string();
            let Value::Object(attributes) = document else { return Err(Error::Corrupt(id)) };
            accepted.push(Accepted { push, id, attributes, document: text });
            Ok(accepted.len() - 1)
        });
        refusals += usize::from(taken.is_err());
        outcomes.push(taken);
        if refusals >= most_refusals {
            break;
        }
    }
    let mut audit_ids = Vec::with_capacity(accepted.len());
    let mut rest = accepted.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(portion(rest.len(), MOST_USERS));
        insert(tx, some).await?;
        let lists = some.iter().map(|user| (user.id, &user.attributes));
        index_emails(tx, space, lists).await?;
        for user in some {
            extended::index(tx, user.push, KIND, user.id, &user.attributes).await?;
        }
        audit_ids.extend(log(tx, space, some, standing.is_heard).await?);
        rest = others;
    }
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Err(refusal) => Ok(Err(refusal)),
            Ok(at) => {
                let user = accepted.get_mut(at).ok_or(Error::NotFound(KIND))?;
                Ok(Ok(written(user, audit_ids.get(at).copied())?))
            }
        })
        .collect()
}

/// What is there already.
struct Standing {
    total: i64,
    /// Whether somebody listens to events.
    is_heard: bool,
    /// Who has a name, of those that were asked for.
    holders: HashMap<String, Source>,
}

impl Standing {
    async fn of(tx: &mut Read, space: SpaceId, names: Vec<String>) -> Result<Self, Error> {
        let mut query = sql("SELECT '' AS name, CAST(NULL AS TEXT) AS source,
                    (SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM directory_counts
                     WHERE space_id = ")
        .peek();
        query.push_bind(space).push(" AND kind = ").push_bind(PrincipalKind::User);
        query.push(") AS total, (SELECT COUNT(*) FROM event_endpoints WHERE space_id = ");
        query.push_bind(space).push(") AS endpoints");
        if !names.is_empty() {
            query.push(" UNION ALL SELECT user_name_key, source, 0, 0 FROM users WHERE ");
            query.push("deleted_at IS NULL AND space_id = ").push_bind(space);
            query.push(" AND user_name_key IN (").push_list(names).push(")");
        }
        let mut standing = Self { total: 0, is_heard: false, holders: HashMap::new() };
        for (name, source, total, endpoints) in
            query.fetch_all::<(String, Option<Source>, i64, i64)>(tx).await?
        {
            if let Some(source) = source {
                standing.holders.insert(name, source);
            } else {
                // The one row that is about the space.
                (standing.total, standing.is_heard) = (total, endpoints > 0);
            }
        }
        Ok(standing)
    }

    /// Gives a user its place, or says what speaks against it.
    fn take(&mut self, push: &Push<'_>, attributes: &Map<String, Value>) -> Result<(), Error> {
        if self.total >= push.limits.users {
            return Err(Error::TooMany { kind: KIND, limit: push.limits.users, count: self.total });
        }
        let name = fold(text(attributes, "userName"));
        match self.holders.get(&name) {
            Some(Source::Scim) => return Err(Error::NameTaken(KIND)),
            Some(Source::Manual) => return Err(Error::NameHeldByHand(KIND)),
            None => {}
        }
        self.holders.insert(name, Source::Scim);
        self.total += 1;
        Ok(())
    }
}

async fn insert(tx: &mut Write, users: &[Accepted<'_>]) -> Result<(), database::Error> {
    let mut query = sql("INSERT INTO users
             (id, space_id, source, user_name, user_name_key, first_name, last_name, display_name,
              email, email_key, description, active, blocked, external_id, document, version,
              created_at, updated_at) VALUES ")
    .keep();
    for (at, user) in users.iter().enumerate() {
        let columns = Columns::of(&user.attributes);
        query.push(if at > 0 { ", (" } else { "(" }).push_bind(user.id);
        query.push(", ").push_bind(user.push.space.id);
        query.push(", ").push_bind(Source::Scim);
        query.push(", ").push_bind(columns.user_name);
        query.push(", ").push_bind(fold(columns.user_name));
        query.push(", ").push_bind(columns.first_name);
        query.push(", ").push_bind(columns.last_name);
        query.push(", ").push_bind(columns.display_name);
        query.push(", ").push_bind(columns.email);
        query.push(", ").push_bind(fold(columns.email));
        query.push(", '', ").push_bind(columns.active);
        query.push(", ").push_bind(false);
        query.push(", ").push_bind(columns.external_id);
        query.push(", ").push_bind(user.document.as_str());
        query.push(", 1, ").push_bind(user.push.act.now);
        query.push(", ").push_bind(user.push.act.now).push(")");
    }
    query.later(tx).await
}

/// Makes the addresses of users findable.
pub(in crate::directory) async fn index_emails<'a>(
    tx: &mut Write,
    space: SpaceId,
    users: impl IntoIterator<Item = (i64, &'a Map<String, Value>)>,
) -> Result<(), database::Error> {
    let head =
        "INSERT INTO user_emails (user_id, position, space_id, address_key, kind_key) VALUES ";
    let mut rows = Vec::new();
    for (user, attributes) in users {
        for (position, email) in (0_i64..).zip(emails(attributes)) {
            let part = |name: &str| email.get(name).and_then(Value::as_str).map(fold);
            let Some(address) = part("value") else { continue };
            if address.chars().count() <= MAX_INDEXED_ADDRESS {
                rows.push((user, position, address, part("type").unwrap_or_default()));
            }
        }
    }
    let mut rest = rows.as_slice();
    while !rest.is_empty() {
        let (some, others) = rest.split_at(portion(rest.len(), MOST_USERS));
        let mut query: Sql = sql(head).keep();
        for (at, (user, position, address, kind)) in some.iter().enumerate() {
            query.push(if at > 0 { ", (" } else { "(" }).push_bind(*user);
            query.push(", ").push_bind(*position).push(", ").push_bind(space);
            query.push(", ").push_bind(address).push(", ").push_bind(kind).push(")");
        }
        query.later(tx).await?;
        rest = others;
    }
    Ok(())
}

/// Writes the audit records, and tells those who listen.
async fn log(
    tx: &mut Write,
    space: SpaceId,
    users: &[Accepted<'_>],
    is_heard: bool,
) -> Result<Vec<AuditId>, database::Error> {
    for user in users.iter().filter(|_| is_heard) {
        let subject = Principal::User(UserId(user.id));
        let after = Value::Object(user.attributes.clone());
        announce::change(tx, user.push.act, space, subject, &Value::Null, &after).await?;
    }
    let ids: Vec<String> = users.iter().map(|user| KIND.show(user.id)).collect();
    let made = users.iter().zip(&ids).map(|(user, id)| Made {
        act: user.push.act,
        object_id: id,
        state: &user.document,
    });
    let what = (Scope::Space(space), "user.create", KIND.principal().as_str());
    audit::log_made(tx, what, made).await
}

fn written(user: &mut Accepted<'_>, audit_id: Option<AuditId>) -> Result<Written, Error> {
    let push = user.push;
    let now = push.act.now;
    let name = text(&user.attributes, "userName").to_owned();
    let document = std::mem::take(&mut user.document);
    let row = Stored { id: user.id, version: 1, document, created_at: now, updated_at: now };
    Ok(Written {
        kind: KIND,
        id: user.id,
        name,
        version: 1,
        location: push.view.location(KIND, user.id),
        resource: Some(push.view.show_new(KIND, &row)?),
        access: None,
        audit_id,
    })
}
