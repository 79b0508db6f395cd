//! Which part of a filter the database can decide.
//!
//! A term becomes a condition only when the two say exactly the same; everything else is left to
//! the evaluation of documents. A property test holds them against each other
//! (`tests/it/scim/filters.rs`).

use super::condition::{Column, Condition};
use crate::{
    directory::{
        fold,
        scim::{create::MAX_INDEXED_ADDRESS, extended, resource::ResourceKind},
    },
    id::GroupId,
    scim::{
        evaluate::{leaf_of, locate},
        filter::{Filter, Literal, Operator},
        path::AttributePath,
        schema::ResourceTypes,
    },
    store::{Sql, Timestamp},
};

/// Conditions that one statement may have; a filter with more is evaluated here.
const MAX_CONDITIONS: usize = 200;

/// What the database can decide of a filter.
pub(super) struct Plan {
    /// All of these hold for every match.
    pub conditions: Vec<Condition>,
    /// Whether they are the whole filter.
    pub exact: bool,
}

impl Plan {
    /// No filter at all.
    pub fn everything() -> Self {
        Self { conditions: Vec::new(), exact: true }
    }

    pub fn of(filter: &Filter<'_>, kind: ResourceKind, types: &ResourceTypes) -> Self {
        let terms = match filter {
            Filter::And(parts) => parts.as_slice(),
            single => std::slice::from_ref(single),
        };
        let compiler = Compiler { kind, types };
        let mut conditions = Vec::new();
        let mut size = 0;
        for term in terms {
            let Some(condition) = compiler.condition(term) else { continue };
            size += condition.size();
            if size > MAX_CONDITIONS {
                break;
            }
            conditions.push(condition);
        }
        let exact = conditions.len() == terms.len();
        Self { conditions, exact }
    }

    /// Appends ` AND …` about the row `r` for each condition.
    pub fn push(&self, query: &mut Sql) {
        for condition in &self.conditions {
            query.push(" AND ");
            condition.push(query);
        }
    }
}

struct Compiler<'t> {
    kind: ResourceKind,
    types: &'t ResourceTypes,
}

impl Compiler<'_> {
    fn condition(&self, term: &Filter<'_>) -> Option<Condition> {
        match term {
            Filter::And(parts) => self.parts(parts).map(Condition::All),
            Filter::Or(parts) => self.parts(parts).map(|parts| Condition::Any(together(parts))),
            Filter::Not(inner) => self.condition(inner).map(|inner| Condition::Not(inner.into())),
            Filter::Present(path) => {
                let location = locate(self.kind.of(self.types), path)?;
                if location.extension.is_some() {
                    return None;
                }
                match &*location.attribute.name {
                    // These are always there: the second conditions never fail.
                    "id" | "active" => Some(Condition::Not(Condition::Never.into())),
                    _ => {
                        let leaf = leaf_of(&location)?;
                        // `name pr` is more than one of its parts.
                        let whole = location.sub_attribute.is_none()
                            && location.attribute.sub_attributes.len() > 1;
                        let column = Column::of(self.kind, &location, &leaf.name)?;
                        (!whole).then_some(Condition::Present(column))
                    }
                }
            }
            Filter::Compare(path, operator, literal) => self.comparison(path, *operator, literal),
            Filter::Value(path, inner) => self.value_path(path, inner),
        }
    }

    fn parts(&self, parts: &[Filter<'_>]) -> Option<Vec<Condition>> {
        if parts.len() > MAX_CONDITIONS {
            return None;
        }
        parts.iter().map(|part| self.condition(part)).collect()
    }

    fn comparison(
        &self,
        path: &AttributePath<'_>,
        operator: Operator,
        literal: &Literal<'_>,
    ) -> Option<Condition> {
        let location = locate(self.kind.of(self.types), path)?;
        if let Some(extension) = location.extension {
            if operator != Operator::Eq {
                return None;
            }
            let (attribute, value) = extended::indexed_as(extension, &location, literal)?;
            return Some(Condition::Extended { attribute, value });
        }
        let attribute = &*location.attribute.name;
        if attribute == "active" {
            let wanted = literal.boolean()?;
            return match operator {
                Operator::Eq => Some(Condition::Active(wanted)),
                Operator::Ne => Some(Condition::Active(!wanted)),
                _ => None,
            };
        }
        let leaf = &*leaf_of(&location)?.name;
        // In a column, an attribute that is not set looks like an empty one.
        let text = literal.text().filter(|text| !text.is_empty())?;
        if attribute == "meta" {
            let at = whole_microseconds(text)?;
            if matches!(operator, Operator::Co | Operator::Sw | Operator::Ew) {
                return None;
            }
            return match leaf {
                "created" => Some(Condition::Created(operator, at)),
                "lastModified" => Some(Condition::Modified(operator, at)),
                _ => None,
            };
        }
        if let Some(column) = Column::of(self.kind, &location, leaf) {
            return text_condition(column, operator, text);
        }
        if operator != Operator::Eq {
            return None;
        }
        match (self.kind, attribute, leaf) {
            (_, "id", _) => Some(self.kind.parse(text).map_or(Condition::Never, Condition::Id)),
            (ResourceKind::User, "emails", "value") => email(text, None),
            (ResourceKind::User, "groups", "value") => Some(
                text.parse().map_or(Condition::Never, |GroupId(group)| Condition::InGroup(group)),
            ),
            (ResourceKind::Group, "members", "value") => Some(member(text)),
            _ => None,
        }
    }

    fn value_path(&self, path: &AttributePath<'_>, inner: &Filter<'_>) -> Option<Condition> {
        let location = locate(self.kind.of(self.types), path)?;
        if location.extension.is_some() {
            return None;
        }
        let mut parts = match inner {
            Filter::And(parts) => parts.iter().map(inner_equality).collect(),
            single => vec![inner_equality(single)],
        }
        .into_iter()
        .collect::<Option<Vec<_>>>()?;
        parts.sort_unstable_by_key(|(name, _)| name.to_ascii_lowercase());
        let is = |name: &str, wanted: &str| name.eq_ignore_ascii_case(wanted);
        match (self.kind, &*location.attribute.name, parts.as_slice()) {
            (ResourceKind::User, "emails", [(name, address)]) if is(name, "value") => {
                email(address, None)
            }
            (ResourceKind::User, "emails", [(first, kind), (second, address)])
                if is(first, "type") && is(second, "value") =>
            {
                email(address, Some(kind))
            }
            (ResourceKind::Group, "members", [(name, value)]) if is(name, "value") => {
                Some(member(value))
            }
            _ => None,
        }
    }
}

/// Equalities of one column, joined by `or`, are one condition that the index answers.
fn together(parts: Vec<Condition>) -> Vec<Condition> {
    let column = match parts.first() {
        Some(Condition::Text(column, Operator::Eq, _)) => *column,
        _ => return parts,
    };
    let values: Option<Vec<String>> = parts
        .iter()
        .map(|part| match part {
            Condition::Text(other, Operator::Eq, value) if *other == column => Some(value.clone()),
            _ => None,
        })
        .collect();
    values.map_or(parts, |values| vec![Condition::OneOf(column, values)])
}

fn text_condition(column: Column, operator: Operator, text: &str) -> Option<Condition> {
    let possible = match operator {
        Operator::Eq | Operator::Ne | Operator::Sw | Operator::Gt | Operator::Ge => true,
        // A pattern folds letter case on SQLite.
        Operator::Co | Operator::Ew => column.folded(),
        // An empty value is less than every text, a missing one is not.
        Operator::Lt | Operator::Le => column.always_there(),
    };
    let text = if column.folded() { fold(text) } else { text.to_owned() };
    possible.then_some(Condition::Text(column, operator, text))
}

fn email(address: &str, kind: Option<&str>) -> Option<Condition> {
    (address.chars().count() <= MAX_INDEXED_ADDRESS)
        .then(|| Condition::Email { address: fold(address), kind: kind.map(fold) })
}

fn member(value: &str) -> Condition {
    Condition::Member { user: ResourceKind::User.parse(value), value: value.to_owned() }
}

/// A time, if the columns can hold it exactly.
fn whole_microseconds(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    (at.subsec_nanosecond() % 1000 == 0).then(|| at.into())
}

/// `name eq "text"` inside brackets; none for anything else.
fn inner_equality<'f>(term: &'f Filter<'_>) -> Option<(&'f str, &'f str)> {
    let Filter::Compare(AttributePath { urn: None, name, sub: None }, Operator::Eq, literal) = term
    else {
        return None;
    };
    literal.text().filter(|text| !text.is_empty()).map(|text| (*name, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(kind: ResourceKind, text: &str) -> (Vec<Condition>, bool) {
        let plan = Plan::of(&Filter::parse(text).unwrap(), kind, ResourceTypes::standard());
        (plan.conditions, plan.exact)
    }

    fn is(column: Column, text: &str) -> Condition {
        Condition::Text(column, Operator::Eq, text.to_owned())
    }

    #[test]
    fn what_clients_ask_is_answered_by_the_database() {
        let user = ResourceKind::User;
        assert_eq!(
            plan(user, r#"userName eq "Bob" and active eq "True""#),
            (vec![is(Column::UserName, "bob"), Condition::Active(true)], true)
        );
        let email = |kind: Option<&str>| {
            vec![Condition::Email { address: "b@x".into(), kind: kind.map(str::to_owned) }]
        };
        for text in [r#"emails.value eq "B@x""#, r#"emails eq "b@x""#, r#"emails[value eq "b@x"]"#]
        {
            assert_eq!(plan(user, text), (email(None), true), "{text}");
        }
        for text in [
            r#"emails[type eq "Work"].value eq "b@x""#,
            r#"emails[value eq "b@x" and type eq "work"]"#,
        ] {
            assert_eq!(plan(user, text), (email(Some("work")), true), "{text}");
        }
        assert_eq!(plan(user, r#"id eq "nobody""#), (vec![Condition::Never], true));
        let group = ResourceKind::Group;
        let member = Condition::Member { user: Some(1), value: "u-000000000001".into() };
        assert_eq!(
            plan(group, r#"id eq "g-000000000002" and members eq "u-000000000001""#),
            (vec![Condition::Id(2), member], true)
        );
        assert_eq!(
            plan(user, r#"userName eq "A" or userName eq "b""#),
            (
                vec![Condition::Any(vec![Condition::OneOf(
                    Column::UserName,
                    vec!["a".into(), "b".into()]
                )])],
                true
            )
        );
        for text in [
            r#"userName co "b""#,
            r#"not (userName sw "b")"#,
            r#"meta.lastModified ge "0001-01-01T00:00:00.0000000Z""#,
            r#"name.familyName ew "z" or externalId ne "x""#,
            "displayName pr",
        ] {
            assert!(plan(user, text).1, "{text}");
        }
    }

    #[test]
    fn the_rest_is_looked_at_row_by_row() {
        let user = ResourceKind::User;
        for text in [
            r#"userName eq """#,
            r#"displayName lt "b""#,
            r#"externalId co "b""#,
            r#"emails[type eq "work" and primary eq true]"#,
            r#"manager eq "x""#,
            r#"nickName eq "x""#,
            r#"meta.lastModified ge "2026-01-01T00:00:00.0000001Z""#,
            "name pr",
        ] {
            assert!(!plan(user, text).1, "{text}");
        }
        let (conditions, exact) = plan(user, r#"userName eq "a" and nickName eq "x""#);
        assert_eq!((conditions.len(), exact), (1, false));
        let many: Vec<String> =
            (0..300).map(|number| format!(r#"userName eq "{number}""#)).collect();
        assert_eq!(plan(user, &many.join(" or ")), (vec![], false));
    }
}
