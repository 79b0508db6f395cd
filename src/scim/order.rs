//! Sorting (RFC 7644 §3.4.2.3): what of a document decides its place in a list.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Map, Number, Value};

use super::document::is_primary;
use super::error::{Error, ErrorKind};
use super::evaluate::{compare_numbers, elements, leaf_of, locate, parse_time, sub_value};
use super::filter::Parser;
use super::schema::{Attribute, Kind, Location, ResourceType};

/// By what a list is sorted, and which way.
#[derive(Debug, Clone, Copy)]
pub struct Order<'t> {
    location: Location<'t>,
    leaf: &'t Attribute,
    descending: bool,
}

impl<'t> Order<'t> {
    /// Reads `sortBy`. None when resources of this kind have no such attribute, or nobody may
    /// read it: all of them lack the value, and it changes nothing.
    pub fn parse(
        kind: &'t ResourceType,
        path: &str,
        descending: bool,
    ) -> Result<Option<Self>, Error> {
        let path = path.trim();
        let attribute = Parser::new(path, ErrorKind::InvalidValue)
            .and_then(|mut parser| {
                let attribute = parser.attribute_path()?;
                parser.end().map(|()| attribute)
            })
            .map_err(|error| error.within("sortBy"))?;
        let Some(location) = locate(kind, &attribute) else { return Ok(None) };
        let Some(leaf) = leaf_of(&location) else {
            let detail = format!("sortBy: {path} is complex: sort by one of its sub-attributes");
            return Err(Error::new(ErrorKind::InvalidValue, detail));
        };
        Ok(Some(Self { location, leaf, descending }))
    }

    /// Where the value lives, and the attribute or sub-attribute that is compared.
    pub fn target(&self) -> (Location<'t>, &'t Attribute) {
        (self.location, self.leaf)
    }

    /// Whether the largest comes first.
    pub fn is_descending(&self) -> bool {
        self.descending
    }

    /// What decides the place of a complete document: of a list the primary value, or else the
    /// first.
    pub fn key(&self, document: &Map<String, Value>) -> Key {
        let complex = (self.location.attribute.kind == Kind::Complex).then_some(self.leaf);
        let mut values = elements(document, &self.location);
        let value = if self.location.attribute.multi_valued {
            let first = values.next();
            let primary = first.into_iter().chain(values).find(|element| is_primary(element));
            primary.or(first)
        } else {
            values.next()
        };
        value
            .and_then(|element| sub_value(element, complex))
            .map_or(Key::Missing, |value| Key::of(value, self.leaf))
    }

    /// Which of two comes first. Without a value: last when ascending, first when descending.
    /// Those that are equal keep the order the caller has them in.
    pub fn compare(&self, one: &Key, other: &Key) -> Ordering {
        let ascending = one.cmp(other);
        if self.descending { ascending.reverse() } else { ascending }
    }
}

/// What decides the place of a document. Keys are ordered ascending, the missing one last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// `false` before `true`.
    Boolean(bool),
    /// By size.
    Number(Number),
    /// The earlier one first.
    Time(Timestamp),
    /// By code points; folded where letter case does not count.
    Text(String),
    /// No value.
    Missing,
}

impl Key {
    fn of(value: &Value, leaf: &Attribute) -> Self {
        match value {
            Value::Bool(value) => Self::Boolean(*value),
            Value::Number(number) => Self::Number(number.clone()),
            Value::String(text) if leaf.kind == Kind::DateTime => {
                parse_time(text).map_or_else(|| Self::Text(text.clone()), Self::Time)
            }
            Value::String(text) if leaf.case_exact => Self::Text(text.clone()),
            // DESIGN.md §8: case folding is of ASCII letters.
            Value::String(text) => Self::Text(text.to_ascii_lowercase()),
            Value::Array(list) => list.first().map_or(Self::Missing, |first| Self::of(first, leaf)),
            Value::Null | Value::Object(_) => Self::Missing,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Boolean(_) => 0,
            Self::Number(_) => 1,
            Self::Time(_) => 2,
            Self::Text(_) => 3,
            Self::Missing => 4,
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Boolean(one), Self::Boolean(other)) => one.cmp(other),
            (Self::Number(one), Self::Number(other)) => compare_numbers(one, other),
            (Self::Time(one), Self::Time(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::scim::schema::USER_TYPE;

    /// The names of the documents in the order of the path.
    fn sorted(path: &str, descending: bool, documents: &[Value]) -> String {
        let order = Order::parse(&USER_TYPE, path, descending).unwrap().unwrap();
        let mut keyed: Vec<(Key, &str)> = documents
            .iter()
            .map(|document| {
                (order.key(document.as_object().unwrap()), document["n"].as_str().unwrap())
            })
            .collect();
        keyed.sort_by(|(one, _), (other, _)| order.compare(one, other));
        keyed.into_iter().map(|(_, name)| name).collect()
    }

    #[test]
    fn letter_case_counts_where_the_attribute_says_so() {
        let documents = [
            json!({ "n": "1", "userName": "bob", "externalId": "bob" }),
            json!({ "n": "2", "userName": "Carl", "externalId": "Carl" }),
            json!({ "n": "3", "userName": "ALICE", "externalId": "ALICE" }),
        ];
        assert_eq!(sorted("userName", false, &documents), "312");
        assert_eq!(sorted("USERNAME", true, &documents), "213");
        assert_eq!(sorted("externalId", false, &documents), "321");
        let urn = "urn:ietf:params:scim:schemas:core:2.0:User:userName";
        assert_eq!(sorted(urn, false, &documents), "312");
    }

    #[test]
    fn who_has_no_value_is_last_or_first_and_equals_keep_their_order() {
        let documents = [
            json!({ "n": "1" }),
            json!({ "n": "2", "title": "b" }),
            json!({ "n": "3", "title": null }),
            json!({ "n": "4", "title": "a" }),
            json!({ "n": "5", "title": "B" }),
        ];
        assert_eq!(sorted("title", false, &documents), "42513");
        assert_eq!(sorted("title", true, &documents), "13254");
    }

    #[test]
    fn of_a_list_the_primary_value_counts_or_else_the_first() {
        let documents = [
            json!({ "n": "1", "emails": [{ "value": "z" }, { "value": "a", "primary": true }] }),
            json!({ "n": "2", "emails": [{ "value": "b" }, { "value": "0", "primary": false }] }),
            json!({ "n": "3", "emails": [{ "type": "work" }, { "value": "0" }] }),
            json!({ "n": "4", "emails": [{ "value": "C" }] }),
        ];
        assert_eq!(sorted("emails", false, &documents), "1243");
        assert_eq!(sorted("emails.value", false, &documents), "1243");
    }

    #[test]
    fn times_and_booleans_are_no_text() {
        let documents = [
            json!({ "n": "1", "active": true, "meta": { "created": "2026-01-01T00:00:00+02:00" } }),
            json!({ "n": "2", "active": false, "meta": { "created": "2025-12-31T23:00:00Z" } }),
            json!({ "n": "3", "meta": { "created": "0001-01-01T00:00:00.0000000Z" } }),
        ];
        assert_eq!(sorted("meta.created", false, &documents), "312");
        assert_eq!(sorted("active", false, &documents), "213");
        let manager = [
            json!({ "n": "1", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "manager": { "value": "u-2" } } }),
            json!({ "n": "2", "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "manager": { "value": "u-1" } } }),
        ];
        assert_eq!(sorted("manager", false, &manager), "21");
    }

    #[test]
    fn what_cannot_be_sorted_by() {
        for path in ["name", "", "a b", "emails[type eq \"x\"].value", "urn:"] {
            let refused = Order::parse(&USER_TYPE, path, false).unwrap_err();
            assert_eq!(refused.kind, ErrorKind::InvalidValue, "{path}");
            assert!(refused.detail.starts_with("sortBy"), "{path}: {}", refused.detail);
        }
        for path in ["password", "nothing", "emails.nothing", "urn:nobody:User:x"] {
            assert!(Order::parse(&USER_TYPE, path, false).unwrap().is_none(), "{path}");
        }
    }

    fn any_key() -> impl Strategy<Value = Key> {
        prop_oneof![
            any::<bool>().prop_map(Key::Boolean),
            any::<i64>().prop_map(|number| Key::Number(number.into())),
            any::<u64>().prop_map(|number| Key::Number(number.into())),
            (-1_i64..2).prop_map(|number| Key::Number((9_007_199_254_740_992 + number).into())),
            any::<f64>()
                .prop_filter_map("finite", |number| { Number::from_f64(number).map(Key::Number) }),
            Just(Key::Number(Number::from_f64(-0.0).unwrap())),
            Just(Key::Number(Number::from_f64(9_007_199_254_740_992.0).unwrap())),
            "[a-c]{0,2}".prop_map(Key::Text),
            Just(Key::Missing),
        ]
    }

    proptest! {
        /// A sort panics on an order that contradicts itself.
        #[test]
        fn keys_are_totally_ordered(one in any_key(), two in any_key(), three in any_key()) {
            prop_assert_eq!(one.cmp(&two), two.cmp(&one).reverse());
            if one <= two && two <= three {
                prop_assert!(one <= three);
            }
        }
    }
}
