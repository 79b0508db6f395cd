//! Stored resources and how they are shown.

use std::{collections::HashMap, fmt};

use serde_json::{Map, Value, json};

use super::{Error, members};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::{Source, announce},
    id::{GroupId, Principal, SpaceId, UserId},
    scim::{
        document::{self, Frame},
        projection::Projection,
        schema::{GROUP_TYPE, ResourceType, USER_TYPE},
    },
    store::{self as database, Json, Read, Sql, Timestamp, Write, sql},
};

/// A user or a group, as a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "user",
            Self::Group => "group",
        })
    }
}

impl ResourceKind {
    /// What the protocol knows about it.
    pub fn resource_type(self) -> &'static ResourceType {
        match self {
            Self::User => &USER_TYPE,
            Self::Group => &GROUP_TYPE,
        }
    }

    /// Its id as text.
    pub(super) fn show(self, id: i64) -> String {
        match self {
            Self::User => UserId(id).to_string(),
            Self::Group => GroupId(id).to_string(),
        }
    }

    /// The id a text stands for; none when it can be nobody's.
    pub(super) fn parse(self, id: &str) -> Option<i64> {
        match self {
            Self::User => id.parse().ok().map(|UserId(id)| id),
            Self::Group => id.parse().ok().map(|GroupId(id)| id),
        }
    }

    /// Selects stored resources of a space; further conditions name the row `r`.
    pub(super) fn select(self, space: SpaceId) -> Sql {
        narrow(
            match self {
                Self::User => {
                    "SELECT r.id, r.version, r.document, r.created_at, r.updated_at FROM users r WHERE "
                }
                Self::Group => {
                    "SELECT r.id, r.version, r.document, r.created_at, r.updated_at FROM groups r WHERE "
                }
            },
            space,
        )
    }

    /// Counts them.
    pub(super) fn count(self, space: SpaceId) -> Sql {
        narrow(
            match self {
                Self::User => "SELECT COUNT(*) FROM users r WHERE ",
                Self::Group => "SELECT COUNT(*) FROM groups r WHERE ",
            },
            space,
        )
    }

    /// Refuses one more than the space may have; those made by hand count too.
    pub(super) async fn check_limit(
        self,
        tx: &mut Read,
        space: SpaceId,
        limit: i64,
    ) -> Result<(), Error> {
        let query = sql(match self {
            Self::User => "SELECT COUNT(*) FROM users WHERE space_id = $1 AND deleted_at IS NULL",
            Self::Group => "SELECT COUNT(*) FROM groups WHERE space_id = $1 AND deleted_at IS NULL",
        });
        let count = query.bind(space).fetch_number(tx).await?;
        if count >= limit { Err(Error::TooMany(self, limit)) } else { Ok(()) }
    }

    /// Refuses a name that somebody else has.
    pub(super) async fn check_name(
        self,
        tx: &mut Read,
        space: SpaceId,
        name_key: &str,
    ) -> Result<(), Error> {
        let query = sql(match self {
            Self::User => {
                "SELECT source FROM users
                 WHERE space_id = $1 AND user_name_key = $2 AND deleted_at IS NULL"
            }
            Self::Group => {
                "SELECT source FROM groups
                 WHERE space_id = $1 AND name_key = $2 AND deleted_at IS NULL"
            }
        });
        let holder: Option<(Source,)> = query.bind(space).bind(name_key).fetch_optional(tx).await?;
        match holder {
            None => Ok(()),
            Some((Source::Scim,)) => Err(Error::NameTaken(self)),
            Some((Source::Manual,)) => Err(Error::NameHeldByHand(self)),
        }
    }
}

/// Whatever else is asked, only what SCIM made in this space and did not delete is found.
fn narrow(text: &'static str, space: SpaceId) -> Sql {
    let mut query = sql(text);
    query.push("r.space_id = ").push_bind(space).push(" AND r.source = ");
    query.push_bind(Source::Scim).push(" AND r.deleted_at IS NULL");
    query
}

/// A stored resource.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stored {
    pub(super) id: i64,
    pub(super) version: i64,
    pub(super) document: Json<Map<String, Value>>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

/// A resource as the client sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// Its absolute URL.
    pub location: String,
    /// The document, cut to what was asked for.
    pub document: Map<String, Value>,
}

/// What a change of a resource came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The resource as it is now; none when it is too large to be shown with every change.
    pub resource: Option<Resource>,
    /// Whose access may be another one now: a user that was renamed, disabled or enabled, a group
    /// whose members changed. Whoever calls sees to it in the same transaction.
    pub access: Option<Principal>,
}

/// How resources are shown.
#[derive(Clone, Debug)]
pub struct View<'a> {
    /// The SCIM base URL, absolute, without a trailing slash.
    pub base: &'a str,
    /// Which parts are wanted.
    pub projection: Projection<'a>,
}

impl View<'_> {
    fn location(&self, kind: ResourceKind, id: i64) -> String {
        format!("{}{}/{}", self.base, kind.resource_type().endpoint, kind.show(id))
    }

    /// The groups of each user; none are read when none are wanted.
    async fn groups_of(
        &self,
        tx: &mut Read,
        users: &[i64],
    ) -> Result<HashMap<i64, Vec<Value>>, database::Error> {
        let mut found: HashMap<i64, Vec<Value>> = HashMap::new();
        if users.is_empty() {
            return Ok(found);
        }
        let mut query = sql("SELECT m.user_id, g.id, g.name
             FROM group_members m JOIN groups g ON g.id = m.group_id
             WHERE g.deleted_at IS NULL AND g.source = ");
        query.push_bind(Source::Scim).push(" AND m.user_id IN (");
        query.push_list(users.iter().copied()).push(") ORDER BY m.user_id, g.id");
        for (user, group, name) in query.fetch_all::<(i64, i64, String)>(tx).await? {
            found.entry(user).or_default().push(json!({
                "value": ResourceKind::Group.show(group),
                "$ref": self.location(ResourceKind::Group, group),
                "display": name,
                "type": "direct",
            }));
        }
        Ok(found)
    }

    /// One member of a group. A dangling one leads nowhere.
    pub(super) fn member(&self, member: &members::Member) -> Value {
        match member {
            members::Member::User(id) => json!({
                "value": ResourceKind::User.show(*id),
                "$ref": self.location(ResourceKind::User, *id),
                "type": "User",
            }),
            members::Member::Dangling(value) => json!({ "value": value, "type": "User" }),
        }
    }

    /// Complete documents, in the order of the rows. `relations` tells whether `groups` and
    /// `members` are part of them.
    pub(super) async fn complete(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        rows: Vec<Stored>,
        relations: bool,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let ids: Vec<i64> =
            if relations { rows.iter().map(|row| row.id).collect() } else { Vec::new() };
        let mut related = match kind {
            ResourceKind::User => self.groups_of(tx, &ids).await?,
            ResourceKind::Group => members::of_groups(tx, &ids)
                .await?
                .into_iter()
                .map(|(group, members)| {
                    (group, members.iter().map(|member| self.member(member)).collect())
                })
                .collect(),
        };
        let documents = rows.into_iter().map(|row| {
            let frame = Frame {
                id: kind.show(row.id),
                created: row.created_at.to_string(),
                last_modified: row.updated_at.to_string(),
                location: self.location(kind, row.id),
                version: row.version,
            };
            let computed = related.remove(&row.id).unwrap_or_default();
            document::render(kind.resource_type(), row.document.0, &frame, computed)
        });
        Ok(documents.collect())
    }

    /// Whether `groups` of a user or `members` of a group are wanted.
    pub(super) fn wants_relations(&self, kind: ResourceKind) -> bool {
        self.projection.wants(match kind {
            ResourceKind::User => "groups",
            ResourceKind::Group => "members",
        })
    }

    /// Cut documents, in the order of the rows.
    pub(super) async fn show(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        rows: Vec<Stored>,
    ) -> Result<Vec<Map<String, Value>>, Error> {
        let complete = self.complete(tx, kind, rows, self.wants_relations(kind)).await?;
        let cut =
            complete.into_iter().map(|whole| self.projection.apply(kind.resource_type(), whole));
        Ok(cut.collect())
    }

    /// One resource, cut.
    pub(super) async fn show_one(
        &self,
        tx: &mut Read,
        kind: ResourceKind,
        row: Stored,
    ) -> Result<Resource, Error> {
        let location = self.location(kind, row.id);
        let mut shown = self.show(tx, kind, vec![row]).await?;
        let document = shown.pop().ok_or(Error::NotFound(kind))?;
        Ok(Resource { location, document })
    }
}

/// The resource with this id.
pub async fn find(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    id: &str,
    view: &View<'_>,
) -> Result<Resource, Error> {
    let row = stored(tx, space, kind, id).await?;
    view.show_one(tx, kind, row).await
}

/// The stored resource with this id.
pub(super) async fn stored(
    tx: &mut Read,
    space: SpaceId,
    kind: ResourceKind,
    id: &str,
) -> Result<Stored, Error> {
    let id = kind.parse(id).ok_or(Error::NotFound(kind))?;
    let mut query = kind.select(space);
    query.push(" AND r.id = ").push_bind(id);
    query.fetch_optional(tx).await?.ok_or(Error::NotFound(kind))
}

/// The same, and nobody else changes it before this transaction ends.
pub(super) async fn locked(
    tx: &mut Write,
    space: SpaceId,
    kind: ResourceKind,
    id: &str,
) -> Result<Stored, Error> {
    let id = kind.parse(id).ok_or(Error::NotFound(kind))?;
    let mut query = kind.select(space);
    query.push(" AND r.id = ").push_bind(id).push(tx.for_update());
    query.fetch_optional(tx).await?.ok_or(Error::NotFound(kind))
}

/// The text of an attribute; empty when it is not set.
pub(super) fn text<'d>(attributes: &'d Map<String, Value>, name: &str) -> &'d str {
    attributes.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The attributes in which two documents differ: how they were, and how they are.
pub(super) fn difference(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
) -> (Map<String, Value>, Map<String, Value>) {
    let only = |these: &Map<String, Value>, others: &Map<String, Value>| -> Map<String, Value> {
        these
            .iter()
            .filter(|(name, value)| others.get(*name) != Some(value))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect()
    };
    (only(old, new), only(new, old))
}

/// Writes the audit record of a change, and tells those who listen.
pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    (kind, id): (ResourceKind, i64),
    action: &'static str,
    (before, after): (Value, Value),
) -> Result<(), database::Error> {
    let subject = match kind {
        ResourceKind::User => Principal::User(UserId(id)),
        ResourceKind::Group => Principal::Group(GroupId(id)),
    };
    announce::change(tx, act, space, subject, &before, &after).await?;
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: match kind {
            ResourceKind::User => "user",
            ResourceKind::Group => "group",
        },
        object_id: &kind.show(id),
        before,
        after,
    };
    audit::record(tx, act, change).await
}

/// A second resource may have taken the name since it was looked for.
pub(super) fn name_conflict(kind: ResourceKind) -> impl FnOnce(database::Error) -> Error {
    move |error| match error {
        database::Error::Conflict(_) => Error::NameTaken(kind),
        other => Error::Store(other),
    }
}
