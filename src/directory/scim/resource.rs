//! Kinds of resources, the rows they are stored in, and what a request to change them brings.

use std::fmt;

use serde_json::{Map, Value};

use super::{Error, extended, show::View};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::{Limits, Source, announce},
    id::{AuditId, GroupId, Principal, PrincipalKind, SpaceId, UserId},
    scim::{
        schema::{ResourceType, ResourceTypes},
        version::Precondition,
    },
    space::{ScimSettings, Space},
    store::{self as database, Read, Sql, Timestamp, Write, sql},
};

/// A user or a group, as a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ResourceKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.principal().as_str())
    }
}

impl ResourceKind {
    /// What the protocol knows about it, in a space that has these types.
    pub fn of(self, types: &ResourceTypes) -> &ResourceType {
        match self {
            Self::User => &types.user,
            Self::Group => &types.group,
        }
    }

    /// The kind of identity it is for the rest of the house.
    pub fn principal(self) -> PrincipalKind {
        match self {
            Self::User => PrincipalKind::User,
            Self::Group => PrincipalKind::Group,
        }
    }

    /// The attribute that is its name.
    pub fn name_attribute(self) -> &'static str {
        match self {
            Self::User => "userName",
            Self::Group => "displayName",
        }
    }

    /// Its id as text.
    pub fn show(self, id: i64) -> String {
        match self {
            Self::User => UserId(id).to_string(),
            Self::Group => GroupId(id).to_string(),
        }
    }

    /// The id a text stands for; none when it can be nobody's.
    pub fn parse(self, id: &str) -> Option<i64> {
        match self {
            Self::User => id.parse().ok().map(|UserId(id)| id),
            Self::Group => id.parse().ok().map(|GroupId(id)| id),
        }
    }

    /// Selects stored resources of a space; further conditions name the row `r`. The source is
    /// part of the text and no parameter, so that the index of what SCIM made can be used.
    pub(super) fn select(self, space: SpaceId) -> Sql {
        let mut query = sql(match self {
            Self::User => {
                "SELECT r.id, r.version, r.document, r.created_at, r.updated_at FROM users r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
            Self::Group => {
                "SELECT r.id, r.version, r.document, r.created_at, r.updated_at FROM groups r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
        });
        query.push_bind(space);
        query
    }

    /// Selects only their ids.
    pub(super) fn select_ids(self, space: SpaceId) -> Sql {
        let mut query = sql(match self {
            Self::User => {
                "SELECT r.id FROM users r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
            Self::Group => {
                "SELECT r.id FROM groups r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
        });
        query.push_bind(space);
        query
    }

    /// Counts them one by one.
    pub(super) fn count(self, space: SpaceId) -> Sql {
        let mut query = sql(match self {
            Self::User => {
                "SELECT COUNT(*) FROM users r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
            Self::Group => {
                "SELECT COUNT(*) FROM groups r
                 WHERE r.source = 'scim' AND r.deleted_at IS NULL AND r.space_id = "
            }
        });
        query.push_bind(space);
        query
    }

    /// How many of them there are, from one source or from all, without counting them.
    pub(super) async fn total(
        self,
        tx: &mut Read,
        space: SpaceId,
        source: Option<Source>,
    ) -> database::Result<i64> {
        let mut query = sql("");
        self.push_total(space, source, &mut query);
        query.fetch_number(tx).await
    }

    /// Appends the statement that finds [`Self::total`].
    pub(super) fn push_total(self, space: SpaceId, source: Option<Source>, query: &mut Sql) {
        query.push(
            "SELECT CAST(COALESCE(SUM(total), 0) AS BIGINT) FROM directory_counts WHERE space_id = ",
        );
        query.push_bind(space).push(" AND kind = ").push_bind(self.principal());
        if let Some(source) = source {
            query.push(" AND source = ").push_bind(source);
        }
    }

    /// How many of them SCIM made, and how many have ever left: both without counting.
    pub(super) async fn counted(
        self,
        tx: &mut Read,
        space: SpaceId,
    ) -> database::Result<(i64, i64)> {
        let mut query = sql("SELECT
                 CAST(COALESCE(SUM(CASE WHEN source = 'scim' THEN total ELSE 0 END), 0) AS BIGINT),
                 CAST(COALESCE(SUM(removed), 0) AS BIGINT)
             FROM directory_counts WHERE space_id = ");
        query.push_bind(space).push(" AND kind = ").push_bind(self.principal());
        query.fetch_one(tx).await
    }

    /// Refuses one more than the space may have; those made by hand count too.
    pub(super) async fn check_limit(
        self,
        tx: &mut Read,
        space: SpaceId,
        limit: i64,
    ) -> Result<(), Error> {
        let total = self.total(tx, space, None).await?;
        if total >= limit {
            Err(Error::TooMany { kind: self, limit, count: total })
        } else {
            Ok(())
        }
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
                 WHERE space_id = $1 AND name_key = $2 AND deleted_at IS NULL ORDER BY source"
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

/// One request of a directory to change something.
#[derive(Clone, Debug)]
pub struct Push<'a> {
    /// Who does it, and when.
    pub act: &'a Act,
    /// Where.
    pub space: &'a Space,
    /// How many of everything the space may have.
    pub limits: Limits,
    /// How the outcome is shown.
    pub view: View<'a>,
    /// What the request says about the version it wants to change.
    pub precondition: Option<&'a Precondition>,
}

impl Push<'_> {
    /// What the space decided.
    pub(super) fn settings(&self) -> &ScimSettings {
        &self.space.scim_settings.0
    }
}

/// A stored resource.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Stored {
    pub(super) id: i64,
    pub(super) version: i64,
    /// The document, as JSON.
    pub(super) document: String,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
}

impl Stored {
    /// The document.
    pub(super) fn attributes(&self) -> Result<Map<String, Value>, Error> {
        serde_json::from_str(&self.document).map_err(|_| Error::Corrupt(self.id))
    }
}

/// What a request came to.
#[derive(Debug)]
pub struct Written {
    /// Users or groups.
    pub kind: ResourceKind,
    /// Which one.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its version now.
    pub version: i64,
    /// Where it is.
    pub location: String,
    /// The resource as it is now; none when it is gone, or too large to be shown with every
    /// change.
    pub resource: Option<super::show::Resource>,
    /// Whose access may be another one now: a user that was renamed, disabled or enabled, a group
    /// whose members changed. Whoever calls sees to it in the same transaction.
    pub access: Option<Principal>,
    /// The record of the change; none when nothing changed.
    pub audit_id: Option<AuditId>,
}

/// The stored resource with this id; nobody else changes it before this transaction ends. What the request says about
/// its version is checked here, so that it holds until then.
pub(super) async fn locked(
    tx: &mut Write,
    push: &Push<'_>,
    kind: ResourceKind,
    id: &str,
) -> Result<Stored, Error> {
    let id = kind.parse(id).ok_or(Error::NotFound(kind))?;
    let mut query = kind.select(push.space.id);
    query.push(" AND r.id = ").push_bind(id).push(tx.for_update());
    let row: Stored = query.fetch_optional(tx).await?.ok_or(Error::NotFound(kind))?;
    if let Some(precondition) = push.precondition {
        precondition.check(row.version)?;
    }
    Ok(row)
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
    push: &Push<'_>,
    (kind, id): (ResourceKind, i64),
    action: &'static str,
    (before, after): (Value, Value),
) -> Result<AuditId, database::Error> {
    let subject = Principal::new(kind.principal(), id);
    announce::change(tx, push.act, push.space.id, subject, &before, &after).await?;
    log(tx, push, (kind, id), action, (before, after)).await
}

/// How a resource was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    /// All of it was replaced.
    Put,
    /// Parts of it were changed.
    Patch,
}

/// Writes the audit record of a change by either verb, and tells those who listen. `whole` is the
/// document as it is now.
pub(super) async fn record_change(
    tx: &mut Write,
    push: &Push<'_>,
    (kind, id): (ResourceKind, i64),
    action: &'static str,
    (before, after): (Value, Value),
    (verb, whole): (Verb, &Map<String, Value>),
) -> Result<AuditId, database::Error> {
    if verb == Verb::Patch {
        return record(tx, push, (kind, id), action, (before, after)).await;
    }
    let (act, space) = (push.act, push.space.id);
    let subject = Principal::new(kind.principal(), id);
    announce::replacement(tx, act, space, subject, (&before, &after), whole).await?;
    log(tx, push, (kind, id), action, (before, after)).await
}

async fn log(
    tx: &mut Write,
    push: &Push<'_>,
    (kind, id): (ResourceKind, i64),
    action: &'static str,
    (before, after): (Value, Value),
) -> Result<AuditId, database::Error> {
    let change = Change {
        scope: Scope::Space(push.space.id),
        action,
        object_kind: kind.principal().as_str(),
        object_id: &kind.show(id),
        before,
        after,
    };
    audit::log(tx, push.act, change).await
}

/// Marks a resource as deleted: nobody finds it any more, and its name is free. `before` is what it
/// was, for the record.
pub(super) async fn bury(
    tx: &mut Write,
    push: &Push<'_>,
    kind: ResourceKind,
    row: &Stored,
    before: Map<String, Value>,
) -> Result<Written, Error> {
    let (statement, action) = match kind {
        ResourceKind::User => (
            "UPDATE users SET deleted_at = $1, updated_at = $1, version = version + 1
             WHERE id = $2",
            "user.delete",
        ),
        ResourceKind::Group => (
            "UPDATE groups SET deleted_at = $1, updated_at = $1, version = version + 1
             WHERE id = $2",
            "group.delete",
        ),
    };
    sql(statement).bind(push.act.now).bind(row.id).execute(tx).await?;
    extended::forget(tx, push, row.id).await?;
    let name = text(&before, kind.name_attribute()).to_owned();
    let states = (Value::Object(before), Value::Null);
    let audit_id = record(tx, push, (kind, row.id), action, states).await?;
    Ok(Written {
        kind,
        id: row.id,
        name,
        version: row.version + 1,
        location: push.view.location(kind, row.id),
        resource: None,
        access: Some(Principal::new(kind.principal(), row.id)),
        audit_id: Some(audit_id),
    })
}

/// Another resource may have taken the name, or the value of a unique attribute, since it was
/// looked for.
pub(super) fn name_conflict(kind: ResourceKind) -> impl FnOnce(database::Error) -> Error {
    move |error| match error {
        database::Error::Conflict(_) => Error::NameTaken(kind),
        other => Error::Store(other),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_difference_names_what_changed_and_nothing_else() {
        let [old, new] = [json!({ "a": 1, "b": 2 }), json!({ "a": 1, "b": 3, "c": 4 })];
        let (was, is) = difference(old.as_object().unwrap(), new.as_object().unwrap());
        assert_eq!((json!(was), json!(is)), (json!({ "b": 2 }), json!({ "b": 3, "c": 4 })));
    }
}
