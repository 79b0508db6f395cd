//! References between operations: `bulkId:…` stands for the id that another operation's resource
//! will have (RFC 7644 §3.7.2).
//!
//! A reference is the id in a path, a string value that is nothing else, and a string in the
//! brackets of a PATCH path, `members[value eq "bulkId:…"]`.

use serde_json::{Map, Value};

use super::operation::{Method, Request};

const PREFIX: &str = "bulkId:";

/// Whether the id in a path is a reference.
pub(super) fn is_one(id: &str) -> bool {
    id.starts_with(PREFIX)
}

/// The names that the request refers to, some perhaps several times.
pub(super) fn names(request: &Request) -> Vec<String> {
    let mut names = Vec::new();
    let mut note = |name: &str| {
        names.push(name.to_owned());
        None
    };
    if let Some(id) = &request.id {
        replaced(id, &mut note);
    }
    // Nothing is replaced, so a look at the values is enough.
    visit_all(&request.data, request.method, &mut |text, is_path| {
        if is_path {
            replaced_in_path(text, &mut note);
        } else {
            replaced(text, &mut note);
        }
    });
    names
}

/// Puts ids where the references are. `id_of` answers for every name that [`names`] found.
pub(super) fn substitute(request: &mut Request, mut id_of: impl FnMut(&str) -> Option<String>) {
    if let Some(id) = &mut request.id
        && let Some(new) = replaced(id, &mut id_of)
    {
        *id = new;
    }
    let patches = request.method == Method::Patch;
    for (name, value) in &mut request.data {
        if patches && name.eq_ignore_ascii_case("Operations") {
            substitute_operations(value, &mut id_of);
        } else {
            substitute_value(value, &mut id_of);
        }
    }
}

fn substitute_operations(value: &mut Value, id_of: &mut impl FnMut(&str) -> Option<String>) {
    let operations = match value {
        Value::Array(list) => list.as_mut_slice(),
        single => std::slice::from_mut(single),
    };
    for operation in operations {
        let Value::Object(members) = operation else { continue };
        for (name, value) in members {
            match value {
                Value::String(path) if name.eq_ignore_ascii_case("path") => {
                    if let Some(new) = replaced_in_path(path, id_of) {
                        *path = new;
                    }
                }
                value => substitute_value(value, id_of),
            }
        }
    }
}

/// Bodies are at most 32 levels deep, so this recursion is bounded.
fn substitute_value(value: &mut Value, id_of: &mut impl FnMut(&str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = replaced(text, id_of) {
                *text = new;
            }
        }
        Value::Array(list) => {
            for element in list {
                substitute_value(element, id_of);
            }
        }
        Value::Object(object) => {
            for (_, value) in object {
                substitute_value(value, id_of);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Visits every string of a body that can hold a reference, and tells whether it is the path of a
/// PATCH operation.
fn visit_all(data: &Map<String, Value>, method: Method, visit: &mut impl FnMut(&str, bool)) {
    for (name, value) in data {
        if method == Method::Patch && name.eq_ignore_ascii_case("Operations") {
            let operations = match value {
                Value::Array(list) => list.as_slice(),
                single => std::slice::from_ref(single),
            };
            for (name, value) in operations.iter().filter_map(Value::as_object).flatten() {
                match value {
                    Value::String(path) if name.eq_ignore_ascii_case("path") => visit(path, true),
                    value => visit_value(value, visit),
                }
            }
        } else {
            visit_value(value, visit);
        }
    }
}

fn visit_value(value: &Value, visit: &mut impl FnMut(&str, bool)) {
    match value {
        Value::String(text) => visit(text, false),
        Value::Array(list) => list.iter().for_each(|element| visit_value(element, visit)),
        Value::Object(object) => object.values().for_each(|value| visit_value(value, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn replaced(text: &str, id_of: &mut impl FnMut(&str) -> Option<String>) -> Option<String> {
    id_of(text.strip_prefix(PREFIX)?)
}

/// Replaces the JSON strings of a path that are references.
fn replaced_in_path(path: &str, id_of: &mut impl FnMut(&str) -> Option<String>) -> Option<String> {
    if !path.contains(PREFIX) {
        return None;
    }
    let mut whole = String::with_capacity(path.len());
    let mut changed = false;
    let mut rest = path;
    while let Some(start) = rest.find('"') {
        let (before, quoted) = rest.split_at(start);
        whole.push_str(before);
        let Some(length) = quoted_length(quoted) else { break };
        let (string, after) = quoted.split_at(length);
        let id =
            serde_json::from_str::<String>(string).ok().and_then(|string| replaced(&string, id_of));
        match id {
            Some(id) => {
                whole.push_str(&Value::String(id).to_string());
                changed = true;
            }
            None => whole.push_str(string),
        }
        rest = after;
    }
    whole.push_str(rest);
    changed.then_some(whole)
}

/// The bytes of the JSON string at the start of the text; none when it does not end.
fn quoted_length(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (index, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(index + 1),
            _ => {}
        }
    }
    None
}
