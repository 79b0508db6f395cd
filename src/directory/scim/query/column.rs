//! What the database can sort by, and where a page begins in that order.

use serde_json::{Map, Value};

use super::{Error, Position, ResourceKind};
use crate::{
    directory::fold,
    scim::{self, ErrorKind, order::Order},
    store::{Sql, ToValue},
};

/// A column that the database can sort by. All of them are folded where letter case does not
/// count, and none is ever missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) by: By,
    pub(super) descending: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// In the order of their making: ids grow with time.
    Made,
    Modified,
    UserName,
    GroupName,
}

impl Column {
    /// The column an order means; none when it is none of them.
    pub(super) fn of(order: Option<&Order<'_>>, kind: ResourceKind) -> Option<Self> {
        let Some(order) = order else { return Some(Self { by: By::Made, descending: false }) };
        let (location, leaf) = order.target();
        if location.extension.is_some() {
            return None;
        }
        let by = match (kind, &*location.attribute.name, &*leaf.name) {
            (_, "id", _) => By::Made,
            (_, "meta", "lastModified") => By::Modified,
            (ResourceKind::User, "userName", _) => By::UserName,
            (ResourceKind::Group, "displayName", _) => By::GroupName,
            _ => return None,
        };
        Some(Self { by, descending: order.is_descending() })
    }

    /// Whether it is the order of their making.
    pub(super) fn is_made(self) -> bool {
        self.by == By::Made && !self.descending
    }

    pub(super) fn name(self) -> &'static str {
        match self.by {
            By::Made => "r.id",
            By::Modified => "r.updated_at",
            By::UserName => "r.user_name_key",
            By::GroupName => "r.name_key",
        }
    }

    /// Appends ` ORDER BY …`; those that are equal stand in the order of their making.
    pub(super) fn push_order(self, query: &mut Sql) {
        query.push(" ORDER BY ").push(self.name());
        query.push(if self.descending { " DESC" } else { "" });
        if self.by != By::Made {
            query.push(if self.descending { ", r.id DESC" } else { ", r.id" });
        }
    }

    /// Appends ` AND …` for what comes after a position.
    pub(super) fn push_after(self, position: &Position, query: &mut Sql) -> Result<(), Error> {
        let further = if self.descending { " < " } else { " > " };
        match (self.by, position) {
            (By::Made, Position::Id(id)) => {
                query.push(" AND r.id").push(further).push_bind(*id);
            }
            (By::Modified, Position::Time(at, id)) => {
                self.push_pair(*at, *id, query);
            }
            (By::UserName | By::GroupName, Position::Text(name, id)) => {
                self.push_pair(name.as_str(), *id, query);
            }
            _ => return Err(foreign_cursor()),
        }
        Ok(())
    }

    fn push_pair<T: ToValue>(self, key: T, id: i64, query: &mut Sql) {
        let further = if self.descending { " < " } else { " > " };
        query.push(" AND (").push(self.name()).push(", r.id)").push(further);
        query.push("(").push_bind(key).push(", ").push_bind(id).push(")");
    }

    /// The name that it sorts by.
    pub(super) fn name_of(self, document: &Map<String, Value>) -> String {
        let name = if self.by == By::UserName { "userName" } else { "displayName" };
        fold(document.get(name).and_then(Value::as_str).unwrap_or_default())
    }
}

/// A position that belongs to another list.
pub(super) fn foreign_cursor() -> Error {
    let detail = "This cursor belongs to another query: begin with an empty one";
    scim::Error::new(ErrorKind::InvalidCursor, detail).into()
}
