//! What a request changed, field by field, out of its audit records.

use serde_json::{Map, Value};

use crate::{
    audit::Record,
    id::{GroupId, Principal, UserId},
    web::console::words,
};

/// Changes that one page shows.
const MOST: usize = 200;

/// What a request changed.
#[derive(Default)]
pub(super) struct Effects {
    pub changes: Vec<Change>,
    /// Changes that are not shown.
    pub more: usize,
}

/// One change of one object.
pub(super) struct Change {
    pub action: String,
    pub object: String,
    /// The page of the object, if it has one.
    pub href: Option<String>,
    pub fields: Vec<FieldChange>,
}

/// One field, before and after.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct FieldChange {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Effects {
    pub fn of(records: &[Record]) -> Self {
        Self {
            changes: records.iter().take(MOST).map(change).collect(),
            more: records.len().saturating_sub(MOST),
        }
    }
}

fn change(record: &Record) -> Change {
    let principal = match record.object_kind.as_str() {
        "user" => record.object_id.parse::<UserId>().ok().map(Principal::User),
        "group" => record.object_id.parse::<GroupId>().ok().map(Principal::Group),
        _ => None,
    };
    Change {
        action: record.action.clone(),
        object: record.object_id.clone(),
        href: principal.filter(|_| record.state_after.is_some()).map(words::principal_href),
        fields: fields(record.state_before.as_deref(), record.state_after.as_deref()),
    }
}

/// The fields in which two states differ.
fn fields(before: Option<&str>, after: Option<&str>) -> Vec<FieldChange> {
    let (was, is) = (object(before), object(after));
    let mut names: Vec<&String> = was.keys().collect();
    names.extend(is.keys().filter(|name| !was.contains_key(*name)));
    names
        .into_iter()
        .filter(|name| was.get(*name) != is.get(*name))
        .map(|name| FieldChange {
            name: name.clone(),
            before: was.get(name).map(text),
            after: is.get(name).map(text),
        })
        .collect()
}

fn object(state: Option<&str>) -> Map<String, Value> {
    match state.and_then(|state| serde_json::from_str(state).ok()) {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let told = fields(Some(r#"{"a":1,"b":"x"}"#), Some(r#"{"a":1,"b":"y","c":[2]}"#));
        let field = |name: &str, before: Option<&str>, after: Option<&str>| FieldChange {
            name: name.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(told, [field("b", Some("x"), Some("y")), field("c", None, Some("[2]"))]);
        assert_eq!(fields(None, None), []);
        assert_eq!(fields(Some(r#"{"a":null}"#), None), [field("a", Some("null"), None)]);
    }
}
