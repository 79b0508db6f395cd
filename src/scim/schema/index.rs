//! What of a document is to be found quickly, or is unique: the values of registered extensions.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{Attribute, Extension, Kind, ResourceType, Returned, Uniqueness};
use crate::scim::filter::Literal;

/// Longest value that is indexed, in bytes. Longer ones are found by looking at the documents, and
/// are refused where they must be unique.
pub const MAX_INDEXED: usize = 512;

/// A value of a registered attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedValue {
    /// The URN, a colon and the path of the attribute, in lower case.
    pub attribute: String,
    /// The path as documents spell it, for refusals.
    pub path: String,
    /// The value: in lower case where letter case does not count, numbers in one spelling.
    pub value_key: String,
    /// Whether no other resource may have it.
    pub unique: bool,
}

/// The values of registered extensions in a document, in the order of the schemas, each once.
pub fn indexed_values(kind: &ResourceType, document: &Map<String, Value>) -> Vec<IndexedValue> {
    let mut found = Found::default();
    for extension in kind.extensions.iter() {
        let Extension::Registered(schema) = extension else { continue };
        let Some(object) = document.get(&*schema.id).and_then(Value::as_object) else { continue };
        for attribute in schema.attributes.iter() {
            let Some(value) = object.get(&*attribute.name) else { continue };
            let path = format!("{}:{}", schema.id, attribute.name);
            if attribute.kind != Kind::Complex {
                collect(attribute, &path, value, &mut found);
                continue;
            }
            for element in elements(value) {
                for sub_attribute in attribute.sub_attributes.iter() {
                    if let Some(value) = element.get(&*sub_attribute.name) {
                        let path = format!("{path}.{}", sub_attribute.name);
                        collect(sub_attribute, &path, value, &mut found);
                    }
                }
            }
        }
    }
    found.values
}

#[derive(Default)]
struct Found {
    values: Vec<IndexedValue>,
    /// Attributes and keys that are listed already.
    known: HashSet<(String, String)>,
}

fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    list.iter()
}

fn collect(attribute: &Attribute, path: &str, value: &Value, found: &mut Found) {
    if !is_indexed(attribute) {
        return;
    }
    let name = path.to_ascii_lowercase();
    for element in elements(value) {
        let Some(value_key) = key_of(attribute, element) else { continue };
        let unique = attribute.uniqueness != Uniqueness::None;
        if value_key.len() > MAX_INDEXED && !unique {
            continue;
        }
        if found.known.insert((name.clone(), value_key.clone())) {
            found.values.push(IndexedValue {
                attribute: name.clone(),
                path: path.to_owned(),
                value_key,
                unique,
            });
        }
    }
}

/// Whether values of the attribute are indexed at all.
fn is_indexed(attribute: &Attribute) -> bool {
    attribute.returned != Returned::Never
        && matches!(attribute.kind, Kind::String | Kind::Reference | Kind::Integer)
        || attribute.uniqueness != Uniqueness::None
}

fn key_of(attribute: &Attribute, value: &Value) -> Option<String> {
    match value {
        // The empty string is what clients send for no value; it is not worth finding, and many
        // resources may have it.
        Value::String(text) if text.is_empty() => None,
        Value::String(text) if attribute.case_exact => Some(text.clone()),
        Value::String(text) => Some(text.to_ascii_lowercase()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The key that `attribute eq literal` looks for, where the index answers such a comparison
/// exactly: for the attribute that holds the value itself, not for a whole complex one.
pub fn equality_key(attribute: &Attribute, literal: &Literal<'_>) -> Option<String> {
    let key = match attribute.kind {
        Kind::String | Kind::Reference => {
            key_of(attribute, &Value::String(literal.text()?.to_owned()))?
        }
        Kind::Integer => literal.text()?.parse::<i64>().ok()?.to_string(),
        _ => return None,
    };
    (attribute.returned != Returned::Never && key.len() <= MAX_INDEXED).then_some(key)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::scim::schema::{ResourceTypes, registered};

    fn types() -> ResourceTypes {
        let schema = json!({ "id": "urn:Acme:HR:User", "attributes": [
            { "name": "badge", "uniqueness": "server" },
            { "name": "Serial", "caseExact": true },
            { "name": "floor", "type": "integer", "multiValued": true },
            { "name": "since", "type": "dateTime" },
            { "name": "pin", "mutability": "writeOnly", "returned": "never" },
            { "name": "car", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "plate", "uniqueness": "global", "caseExact": true },
                { "name": "electric", "type": "boolean" }] },
        ] });
        let schema = registered::read(schema.as_object().unwrap()).unwrap();
        ResourceTypes::with_extensions(vec![Arc::new(schema)], Vec::new())
    }

    #[test]
    fn values_are_listed_as_they_are_looked_for() {
        let types = types();
        let document = json!({
            "userName": "a",
            "urn:Acme:HR:User": {
                "badge": "Ab-É", "Serial": "Xy", "floor": [3, -1, 3], "since": "2026-01-01T00:00:00Z",
                "car": [{ "plate": "K-1", "electric": true }, { "plate": "" }, { "plate": "k-1" }],
            },
        });
        let found: Vec<(String, String, bool)> =
            indexed_values(&types.user, document.as_object().unwrap())
                .into_iter()
                .map(|value| (value.attribute, value.value_key, value.unique))
                .collect();
        let expected = [
            ("urn:acme:hr:user:badge", "ab-É", true),
            ("urn:acme:hr:user:serial", "Xy", false),
            ("urn:acme:hr:user:floor", "3", false),
            ("urn:acme:hr:user:floor", "-1", false),
            ("urn:acme:hr:user:car.plate", "K-1", true),
            ("urn:acme:hr:user:car.plate", "k-1", true),
        ];
        let expected: Vec<(String, String, bool)> = expected
            .iter()
            .map(|(name, key, unique)| ((*name).into(), (*key).into(), *unique))
            .collect();
        assert_eq!(found, expected);
        assert!(indexed_values(&types.group, document.as_object().unwrap()).is_empty());
    }

    #[test]
    fn a_comparison_finds_what_was_listed() {
        let types = types();
        let extension = types.user.extension("urn:acme:hr:user").unwrap();
        let find = |name: &str, literal: Literal<'_>| {
            equality_key(super::super::find(&extension.attributes, name).unwrap(), &literal)
        };
        assert_eq!(find("badge", Literal::Text("AB".into())).as_deref(), Some("ab"));
        assert_eq!(find("serial", Literal::Bare("Xy")).as_deref(), Some("Xy"));
        assert_eq!(find("floor", Literal::Bare("-1")).as_deref(), Some("-1"));
        assert_eq!(find("floor", Literal::Bare("1.0")), None);
        assert_eq!(find("badge", Literal::Null), None);
        assert_eq!(find("pin", Literal::Bare("1")), None);
        assert_eq!(find("since", Literal::Text("2026-01-01T00:00:00Z".into())), None);
        assert_eq!(find("serial", Literal::Text("x".repeat(MAX_INDEXED + 1).into())), None);
    }
}
