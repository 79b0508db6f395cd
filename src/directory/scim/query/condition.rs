//! Conditions on rows, as the database reads them.

use crate::{
    directory::scim::resource::ResourceKind,
    scim::{filter::Operator, schema::Location},
    store::{Sql, Timestamp},
};

/// A column of text in which the database compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    UserName,
    UserDisplayName,
    FirstName,
    LastName,
    GroupName,
    ExternalId,
}

impl Column {
    /// The column of an attribute, or of one of its parts; none when it has none.
    pub fn of(kind: ResourceKind, location: &Location<'_>, leaf: &str) -> Option<Self> {
        Some(match (kind, &*location.attribute.name, leaf) {
            (_, "externalId", _) => Self::ExternalId,
            (ResourceKind::User, "userName", _) => Self::UserName,
            (ResourceKind::User, "displayName", _) => Self::UserDisplayName,
            (ResourceKind::User, "name", "givenName") => Self::FirstName,
            (ResourceKind::User, "name", "familyName") => Self::LastName,
            (ResourceKind::Group, "displayName", _) => Self::GroupName,
            _ => return None,
        })
    }

    /// What is compared, folded as the attribute's letter case demands. Both databases fold ASCII
    /// letters only: SQLite always, PostgreSQL by collation "C".
    fn expression(self) -> &'static str {
        match self {
            Self::UserName => "r.user_name_key",
            Self::UserDisplayName => "LOWER(r.display_name)",
            Self::FirstName => "LOWER(r.first_name)",
            Self::LastName => "LOWER(r.last_name)",
            Self::GroupName => "r.name_key",
            Self::ExternalId => "r.external_id",
        }
    }

    /// Whether its texts are folded.
    pub fn folded(self) -> bool {
        self != Self::ExternalId
    }

    /// Whether every resource has it. Where not, a column cannot tell a missing value from an
    /// empty one, or holds null.
    pub fn always_there(self) -> bool {
        matches!(self, Self::UserName | Self::GroupName)
    }
}

/// A condition on a row, exactly what a part of a filter says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    /// Nothing can satisfy it: an id that is nobody's.
    Never,
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Not(Box<Condition>),
    Id(i64),
    /// A comparison of a column with text.
    Text(Column, Operator, String),
    /// One of several texts.
    OneOf(Column, Vec<String>),
    /// The column has a value that is not empty.
    Present(Column),
    Active(bool),
    Created(Operator, Timestamp),
    Modified(Operator, Timestamp),
    Email {
        address: String,
        kind: Option<String>,
    },
    /// A value of an attribute of a registered extension, folded as it is indexed.
    Extended {
        attribute: String,
        value: String,
    },
    Member {
        user: Option<i64>,
        value: String,
    },
    InGroup(i64),
}

/// The least text that is greater than every text beginning with `start`; none when there is none.
fn after_all_with(start: &str) -> Option<String> {
    let mut characters: Vec<char> = start.chars().collect();
    while let Some(last) = characters.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            other => char::from_u32(u32::from(other) + 1),
        };
        if let Some(next) = next {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

fn symbol(operator: Operator) -> &'static str {
    match operator {
        Operator::Ne => " <> ",
        Operator::Gt => " > ",
        Operator::Ge => " >= ",
        Operator::Lt => " < ",
        Operator::Le => " <= ",
        Operator::Eq | Operator::Co | Operator::Sw | Operator::Ew => " = ",
    }
}

impl Condition {
    /// How many comparisons it is made of.
    pub fn size(&self) -> usize {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().map(Self::size).sum(),
            Self::OneOf(_, values) => values.len(),
            Self::Not(inner) => inner.size(),
            _ => 1,
        }
    }

    /// Appends the condition about the row `r`. It is true or false and never null, so that it
    /// can be negated.
    pub fn push(&self, query: &mut Sql) {
        match self {
            Self::Never => {
                query.push("1 = 0");
            }
            Self::All(parts) => push_joined(parts, " AND ", query),
            Self::Any(parts) => push_joined(parts, " OR ", query),
            Self::Not(inner) => {
                query.push("NOT (");
                inner.push(query);
                query.push(")");
            }
            Self::Id(id) => {
                query.push("r.id = ").push_bind(*id);
            }
            Self::Text(column, operator, text) => push_text(*column, *operator, text, query),
            Self::OneOf(column, values) => {
                query.push("COALESCE(").push(column.expression()).push(" IN (");
                query.push_list(values).push("), 1 = 0)");
            }
            Self::Present(column) => {
                query.push("COALESCE(").push(column.expression()).push(", '') <> ''");
            }
            Self::Active(active) => {
                query.push("r.active = ").push_bind(*active);
            }
            Self::Created(operator, at) => {
                query.push("r.created_at").push(symbol(*operator)).push_bind(*at);
            }
            Self::Modified(operator, at) => {
                query.push("r.updated_at").push(symbol(*operator)).push_bind(*at);
            }
            Self::Email { address, kind } => {
                query.push("r.id IN (SELECT e.user_id FROM user_emails e WHERE e.space_id = ");
                query.push("r.space_id AND e.address_key = ").push_bind(address);
                if let Some(kind) = kind {
                    query.push(" AND e.kind_key = ").push_bind(kind);
                }
                query.push(")");
            }
            Self::Extended { attribute, value } => {
                query.push("r.id IN (SELECT v.resource_id FROM scim_attribute_values v ");
                query.push("WHERE v.space_id = r.space_id AND v.attribute = ").push_bind(attribute);
                query.push(" AND v.value_key = ").push_bind(value).push(")");
            }
            Self::Member { user, value } => {
                query.push("(EXISTS (SELECT 1 FROM dangling_group_members d");
                query.push(" WHERE d.group_id = r.id AND d.value = ").push_bind(value).push(")");
                if let Some(user) = user {
                    query.push(" OR EXISTS (SELECT 1 FROM group_members m");
                    query.push(" WHERE m.group_id = r.id AND m.user_id = ").push_bind(*user);
                    query.push(")");
                }
                query.push(")");
            }
            Self::InGroup(group) => {
                query.push("EXISTS (SELECT 1 FROM group_members m");
                query.push(" JOIN groups g ON g.id = m.group_id");
                query.push(" WHERE m.user_id = r.id AND g.deleted_at IS NULL");
                query.push(" AND g.source = 'scim' AND g.id = ").push_bind(*group).push(")");
            }
        }
    }
}

fn push_joined(parts: &[Condition], joint: &'static str, query: &mut Sql) {
    query.push("(");
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            query.push(joint);
        }
        part.push(query);
    }
    query.push(")");
}

/// A bare comparison where the index can answer it, because it stands alone; null counts as
/// false, except that whatever is missing differs from every text.
fn push_text(column: Column, operator: Operator, text: &str, query: &mut Sql) {
    let expression = column.expression();
    let nullable = column == Column::ExternalId;
    match operator {
        Operator::Ne if nullable => {
            query.push("(r.external_id IS NULL OR r.external_id <> ").push_bind(text).push(")");
        }
        Operator::Eq if nullable => {
            query.push("(r.external_id IS NOT NULL AND r.external_id = ");
            query.push_bind(text).push(")");
        }
        Operator::Co | Operator::Ew => {
            let text = text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
            let pattern =
                if operator == Operator::Co { format!("%{text}%") } else { format!("%{text}") };
            query.push(expression).push(" LIKE ").push_bind(pattern).push(r" ESCAPE '\'");
        }
        Operator::Sw => {
            query.push("(");
            if nullable {
                query.push("r.external_id IS NOT NULL AND ");
            }
            query.push(expression).push(" >= ").push_bind(text);
            if let Some(end) = after_all_with(text) {
                query.push(" AND ").push(expression).push(" < ").push_bind(end);
            }
            query.push(")");
        }
        Operator::Eq | Operator::Ne | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
            query.push("(");
            if nullable {
                query.push("r.external_id IS NOT NULL AND ");
            }
            query.push(expression).push(symbol(operator)).push_bind(text).push(")");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_after_all_with_a_beginning() {
        assert_eq!(after_all_with("ab").as_deref(), Some("ac"));
        assert_eq!(after_all_with("a\u{10ffff}").as_deref(), Some("b"));
        assert_eq!(after_all_with("\u{d7ff}").as_deref(), Some("\u{e000}"));
        assert_eq!(after_all_with("\u{10ffff}"), None);
    }
}
