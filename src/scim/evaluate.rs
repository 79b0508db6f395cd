//! Filters against documents in memory. This is the meaning of a filter; what the database
//! evaluates instead must agree with it.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::error::{Error, ErrorKind};
use super::filter::{Filter, Literal, Operator};
use super::path::AttributePath;
use super::schema::{Attribute, Kind, Location, Resolved, ResourceType, Returned};

/// Refuses comparisons that no value can satisfy or that make no sense for the attribute's
/// type (RFC 7644 §3.4.2.2: ordering booleans is `invalidFilter`). Attributes we do not know
/// have no value and are not refused.
pub fn check(filter: &Filter<'_>, kind: &ResourceType) -> Result<(), Error> {
    let mut first = Ok(());
    filter.visit(&mut |outer, term| {
        if first.is_ok() {
            first = check_term(outer, term, kind);
        }
    });
    first
}

fn check_term(
    outer: Option<&AttributePath<'_>>,
    term: &Filter<'_>,
    kind: &ResourceType,
) -> Result<(), Error> {
    let Filter::Compare(path, operator, literal) = term else { return Ok(()) };
    let leaf = match outer {
        None => locate(kind, path).and_then(|location| leaf_of(&location)),
        Some(outer) => match locate(kind, outer) {
            Some(location) => location.attribute.sub_attribute(path.name),
            None => return Ok(()),
        },
    };
    let Some(leaf) = leaf else {
        if outer.is_none() && locate(kind, path).is_some() {
            return Err(refuse(path, "is complex: compare one of its sub-attributes"));
        }
        return Ok(());
    };
    let equality = matches!(operator, Operator::Eq | Operator::Ne);
    if *literal == Literal::Null {
        return if equality { Ok(()) } else { Err(refuse(path, "can only be eq or ne null")) };
    }
    match leaf.kind {
        Kind::Boolean if !equality => Err(refuse(path, "is a boolean: only eq, ne and pr apply")),
        Kind::Boolean if literal.boolean().is_none() => {
            Err(refuse(path, "is a boolean: compare it with true or false"))
        }
        Kind::Binary if !equality => Err(refuse(path, "is binary: only eq, ne and pr apply")),
        Kind::Integer | Kind::Decimal if is_part(*operator) => {
            Err(refuse(path, "is a number: co, sw and ew do not apply"))
        }
        Kind::Integer | Kind::Decimal if number_of(literal).is_none() => {
            Err(refuse(path, "is a number: compare it with a number"))
        }
        Kind::DateTime
            if is_ordering(*operator) && literal.text().and_then(parse_time).is_none() =>
        {
            Err(refuse(path, "is a time: compare it with an RFC 3339 time"))
        }
        _ => Ok(()),
    }
}

fn refuse(path: &AttributePath<'_>, what: &str) -> Error {
    Error::new(ErrorKind::InvalidFilter, format!("{} {what}", path.name))
}

fn is_ordering(operator: Operator) -> bool {
    matches!(operator, Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le)
}

/// The attribute a path names; none when unknown, or never readable (`password`).
pub fn locate<'t>(kind: &'t ResourceType, path: &AttributePath<'_>) -> Option<Location<'t>> {
    match kind.resolve(path)? {
        Resolved::Core | Resolved::Extension(_) => None,
        Resolved::Attribute(location) => {
            (location.attribute.returned != Returned::Never).then_some(location)
        }
    }
}

/// What is compared: the attribute itself, or for a complex one its `value` (Entra ID asks
/// `manager eq "…"` and `members eq "…"`).
pub fn leaf_of<'t>(location: &Location<'t>) -> Option<&'t Attribute> {
    match location.sub_attribute {
        Some(sub_attribute) => Some(sub_attribute),
        None if location.attribute.kind == Kind::Complex => {
            location.attribute.sub_attribute("value")
        }
        None => Some(location.attribute),
    }
}

/// Whether the document satisfies the filter. The document is complete and in canonical
/// spelling: `id`, `meta`, `groups` or `members` included where the filter asks for them.
pub fn matches(filter: &Filter<'_>, kind: &ResourceType, document: &Map<String, Value>) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| matches(part, kind, document)),
        Filter::Or(parts) => parts.iter().any(|part| matches(part, kind, document)),
        Filter::Not(inner) => !matches(inner, kind, document),
        Filter::Present(path) => {
            match kind.resolve(path) {
                Some(Resolved::Core) => return true,
                Some(Resolved::Extension(schema)) => {
                    return document.get(&*schema.id).is_some_and(is_present);
                }
                Some(Resolved::Attribute(_)) | None => {}
            }
            locate(kind, path).is_some_and(|location| {
                elements(document, &location).any(|element| {
                    sub_value(element, location.sub_attribute).is_some_and(is_present)
                })
            })
        }
        Filter::Compare(path, operator, literal) => {
            let Some(location) = locate(kind, path) else {
                return compare_absent(*operator, literal);
            };
            let Some(leaf) = leaf_of(&location) else { return false };
            let sub_attribute = (location.attribute.kind == Kind::Complex).then_some(leaf);
            compare_any(
                elements(document, &location)
                    .filter_map(|element| sub_value(element, sub_attribute)),
                leaf,
                *operator,
                literal,
            )
        }
        Filter::Value(path, inner) => locate(kind, path).is_some_and(|location| {
            elements(document, &location)
                .any(|element| element_matches(inner, location.attribute, element))
        }),
    }
}

/// Whether one value of a multi-valued attribute satisfies the filter of its brackets.
pub fn element_matches(filter: &Filter<'_>, attribute: &Attribute, element: &Value) -> bool {
    match filter {
        Filter::And(parts) => parts.iter().all(|part| element_matches(part, attribute, element)),
        Filter::Or(parts) => parts.iter().any(|part| element_matches(part, attribute, element)),
        Filter::Not(inner) => !element_matches(inner, attribute, element),
        Filter::Present(path) => {
            inner_value(attribute, path, element).is_some_and(|(_, value)| is_present(value))
        }
        Filter::Compare(path, operator, literal) => match inner_value(attribute, path, element) {
            Some((leaf, value)) => compare_any(std::iter::once(value), leaf, *operator, literal),
            None => compare_absent(*operator, literal),
        },
        // The parser never nests brackets.
        Filter::Value(..) => false,
    }
}

/// The value a path inside brackets names. A list of plain values has only `value`.
fn inner_value<'d>(
    attribute: &'d Attribute,
    path: &AttributePath<'_>,
    element: &'d Value,
) -> Option<(&'d Attribute, &'d Value)> {
    if attribute.kind != Kind::Complex {
        return path.name.eq_ignore_ascii_case("value").then_some((attribute, element));
    }
    let leaf = attribute.sub_attribute(path.name)?;
    Some((leaf, element.get(&*leaf.name)?))
}

/// The values at a location, lists taken apart, sub-attributes not yet applied.
pub(super) fn elements<'d>(
    document: &'d Map<String, Value>,
    location: &Location<'_>,
) -> impl Iterator<Item = &'d Value> + use<'d> {
    let container = match location.extension {
        None => Some(document),
        Some(schema) => document.get(&*schema.id).and_then(Value::as_object),
    };
    let value = container.and_then(|container| container.get(&*location.attribute.name));
    let (list, single) = match value {
        Some(Value::Array(list)) => (list.as_slice(), None),
        other => (&[][..], other),
    };
    list.iter().chain(single)
}

pub(super) fn sub_value<'d>(
    element: &'d Value,
    sub_attribute: Option<&Attribute>,
) -> Option<&'d Value> {
    match sub_attribute {
        None => Some(element),
        Some(sub_attribute) => element.get(&*sub_attribute.name),
    }
}

/// RFC 7643 §2.5: null, an empty list and an empty object are no value.
pub fn is_present(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => list.iter().any(is_present),
        Value::Object(object) => object.values().any(is_present),
        // RFC 7644 table 3: `pr` wants a non-empty value.
        Value::String(text) => !text.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Whether a stored value is worth keeping: not null, not `[]`, not `{}`. Unlike for `pr`, the
/// empty string is, because a client that sent it expects it back.
pub(super) fn holds_anything(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Array(list) => !list.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::String(_) | Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What holds of an attribute without a value: it equals null and differs from all else.
fn compare_absent(operator: Operator, literal: &Literal<'_>) -> bool {
    match operator {
        Operator::Eq => *literal == Literal::Null,
        Operator::Ne => *literal != Literal::Null,
        _ => false,
    }
}

/// A comparison holds when it holds for one of the values.
fn compare_any<'d>(
    values: impl Iterator<Item = &'d Value>,
    leaf: &Attribute,
    operator: Operator,
    literal: &Literal<'_>,
) -> bool {
    let mut present = false;
    for value in values.filter(|value| !value.is_null()) {
        present = true;
        if compare(value, leaf, operator, literal) {
            return true;
        }
    }
    !present && compare_absent(operator, literal)
}

fn compare(value: &Value, leaf: &Attribute, operator: Operator, literal: &Literal<'_>) -> bool {
    let Some(text) = literal.text() else { return operator == Operator::Ne };
    match (leaf.kind, value) {
        (Kind::Boolean, Value::Bool(value)) => match operator {
            Operator::Eq => literal.boolean() == Some(*value),
            Operator::Ne => literal.boolean() == Some(!*value),
            _ => false,
        },
        (Kind::Integer | Kind::Decimal, Value::Number(value)) => number_of(literal)
            .map_or(operator == Operator::Ne, |literal| {
                holds(operator, compare_numbers(value, &literal))
            }),
        (Kind::DateTime, Value::String(value)) => match (parse_time(value), parse_time(text)) {
            (Some(value), Some(literal)) if !is_part(operator) => {
                holds(operator, value.cmp(&literal))
            }
            _ => compare_text(value, text, true, operator),
        },
        (_, Value::String(value)) => compare_text(value, text, leaf.case_exact, operator),
        _ => operator == Operator::Ne,
    }
}

/// The literal as a number; in quotes too, as some clients send every value.
fn number_of(literal: &Literal<'_>) -> Option<Number> {
    literal.text().filter(|text| !text.starts_with(char::is_whitespace))?.parse().ok()
}

/// Compares two numbers as doubles, and whole ones that no double tells apart exactly.
pub(super) fn compare_numbers(one: &Number, other: &Number) -> Ordering {
    // Adding zero takes the sign off a zero.
    let double = |number: &Number| number.as_f64().unwrap_or_default() + 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "beyond the range it saturates")]
    let whole = |number: &Number| number.as_i128().unwrap_or_else(|| double(number) as i128);
    double(one).total_cmp(&double(other)).then_with(|| whole(one).cmp(&whole(other)))
}

fn is_part(operator: Operator) -> bool {
    matches!(operator, Operator::Co | Operator::Sw | Operator::Ew)
}

fn compare_text(value: &str, literal: &str, case_exact: bool, operator: Operator) -> bool {
    if case_exact {
        return compare_exact(value, literal, operator);
    }
    // DESIGN.md §8: case folding is of ASCII letters, here as everywhere.
    compare_exact(&value.to_ascii_lowercase(), &literal.to_ascii_lowercase(), operator)
}

fn compare_exact(value: &str, literal: &str, operator: Operator) -> bool {
    match operator {
        Operator::Co => value.contains(literal),
        Operator::Sw => value.starts_with(literal),
        Operator::Ew => value.ends_with(literal),
        _ => holds(operator, value.cmp(literal)),
    }
}

fn holds(operator: Operator, ordering: Ordering) -> bool {
    match operator {
        Operator::Eq => ordering.is_eq(),
        Operator::Ne => ordering.is_ne(),
        Operator::Gt => ordering.is_gt(),
        Operator::Ge => ordering.is_ge(),
        Operator::Lt => ordering.is_lt(),
        Operator::Le => ordering.is_le(),
        Operator::Co | Operator::Sw | Operator::Ew => false,
    }
}

/// Entra ID writes seven fractional digits and asks from year 1 on.
pub(super) fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{GROUP_TYPE, USER_TYPE};

    fn user() -> Map<String, Value> {
        let value = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": "u-000000000001",
            "userName": "Bjensen@example.com",
            "externalId": "Ext1",
            "active": true,
            "name": { "familyName": "Jensen" },
            "emails": [
                { "value": "b@work.example", "type": "work", "primary": true },
                { "value": "b@home.example", "type": "home" },
            ],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
                "employeeNumber": "7", "manager": { "value": "u-9" },
            },
            "meta": { "resourceType": "User", "lastModified": "2026-01-02T03:04:05.678Z" },
        });
        value.as_object().unwrap().clone()
    }

    fn holds_for_user(text: &str) -> bool {
        let filter = Filter::parse(text).unwrap();
        check(&filter, &USER_TYPE).unwrap();
        matches(&filter, &USER_TYPE, &user())
    }

    #[test]
    fn what_holds() {
        for text in [
            r#"userName eq "bjensen@EXAMPLE.com""#,
            r#"USERNAME sw "bJ""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName co "JEN""#,
            r#"externalId eq "Ext1""#,
            "active eq true",
            r#"active eq "True""#,
            "active ne False",
            r#"emails eq "b@work.example""#,
            r#"emails.value ew "home.EXAMPLE""#,
            r#"emails[type eq "work"].value eq "b@work.example""#,
            r#"emails[type eq "work" and primary eq true]"#,
            r#"emails.type eq "home" and emails.primary eq true"#,
            r#"manager eq "u-9""#,
            r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:employeeNumber eq "7""#,
            r#"meta.lastModified ge "0001-01-01T00:00:00.0000000Z""#,
            r#"meta.lastModified eq "2026-01-02T04:04:05.678+01:00""#,
            r#"meta.lastModified lt "2026-01-02T03:04:05.679Z""#,
            "nickName eq null",
            r#"nickName ne "x""#,
            "name pr",
            "not (nickName pr)",
            r#"name.familyName gt "jena""#,
            r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
            r#"unknown ne "x" and not (unknown pr)"#,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User pr",
        ] {
            assert!(holds_for_user(text), "{text}");
        }
    }

    #[test]
    fn what_does_not_hold() {
        for text in [
            r#"externalId eq "ext1""#,
            "active eq false",
            r#"emails[type eq "home" and primary eq true]"#,
            r#"emails[type eq "home"].value eq "b@work.example""#,
            r#"userName co "%""#,
            r#"userName sw "_jensen""#,
            r#"name.familyName eq "jense""#,
            r#"unknown eq "x""#,
            r#"unknown[a eq "x"]"#,
            "password pr",
            "userName eq null",
            r#"urn:nobody:User:userName eq "bjensen@example.com""#,
        ] {
            assert!(!holds_for_user(text), "{text}");
        }
    }

    #[test]
    fn senseless_comparisons_are_refused() {
        for text in [
            "active gt true",
            r#"active co "t""#,
            r#"active eq "yes""#,
            "emails[primary lt true]",
            r#"meta.created gt "yesterday""#,
            r#"name eq "x""#,
            "userName gt null",
            r#"x509Certificates.value co "A""#,
        ] {
            let filter = Filter::parse(text).unwrap();
            assert_eq!(
                check(&filter, &USER_TYPE).unwrap_err().kind,
                ErrorKind::InvalidFilter,
                "{text}"
            );
        }
    }

    #[test]
    fn members_compare_by_value() {
        let group = json!({ "id": "g-1", "members": [{ "value": "u-1" }, { "value": "u-2" }] });
        let filter = Filter::parse(r#"id eq "g-1" and members eq "u-2""#).unwrap();
        assert!(matches(&filter, &GROUP_TYPE, group.as_object().unwrap()));
    }
}
