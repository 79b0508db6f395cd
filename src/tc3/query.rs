//! Parameters of a signed `GET`: nested lists and objects are flattened into names,
//! `RoleAssignmentInfo.0.TargetUin=100`.
//!
//! Every value is text here; the door that knows the action's fields reads it as what it is.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

/// Most parameters of one request.
const MAX_PARAMETERS: usize = 1000;
/// Deepest nesting: a list of objects in an object needs 4.
const MAX_DEPTH: usize = 8;

/// Why a query is not parameters. `name` is the parameter as decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More than 1,000 parameters.
    #[error("the query has more than {MAX_PARAMETERS} parameters")]
    TooMany,
    /// Not percent-encoded UTF-8.
    #[error("the query is not percent-encoded UTF-8")]
    NotText,
    /// Nested too deeply, or with an empty part.
    #[error("the parameter name {name} is malformed")]
    BadName {
        /// The parameter.
        name: String,
    },
    /// The same name twice, or once as a value and once as a group.
    #[error("the parameter {name} appears twice")]
    Twice {
        /// The parameter.
        name: String,
    },
    /// A list whose indexes are not 0, 1, 2, …
    #[error("the list {name} has a gap")]
    Gap {
        /// The list.
        name: String,
    },
}

enum Tree {
    Leaf(String),
    Branch(BTreeMap<String, Tree>),
}

/// The parameters, and beside them those that were set aside.
pub type Parameters = (Map<String, Value>, BTreeMap<&'static str, String>);

/// Reads a raw query into an object. Names in `aside` (`Action`, …) are taken out and returned
/// beside it.
pub fn parameters(query: &str, aside: &[&'static str]) -> Result<Parameters, Error> {
    let mut tree = BTreeMap::new();
    let mut set_aside = BTreeMap::new();
    for (count, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
        if count >= MAX_PARAMETERS {
            return Err(Error::TooMany);
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if let Some(known) = aside.iter().find(|known| **known == name) {
            if set_aside.insert(*known, value).is_some() {
                return Err(Error::Twice { name });
            }
            continue;
        }
        let path: Vec<&str> = name.split('.').collect();
        if path.len() > MAX_DEPTH || path.iter().any(|part| part.is_empty()) {
            return Err(Error::BadName { name });
        }
        if !insert(&mut tree, &path, value) {
            return Err(Error::Twice { name });
        }
    }
    let mut object = Map::new();
    for (name, node) in tree {
        let value = value_of(node, &name)?;
        object.insert(name, value);
    }
    Ok((object, set_aside))
}

fn decode(text: &str) -> Result<String, Error> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().map_err(|_| Error::NotText)?;
    Ok(decoded.into_owned())
}

/// False when the place is taken.
fn insert(branch: &mut BTreeMap<String, Tree>, path: &[&str], value: String) -> bool {
    match path {
        [] => false,
        [last] => {
            if branch.contains_key(*last) {
                return false;
            }
            branch.insert((*last).to_owned(), Tree::Leaf(value));
            true
        }
        [first, rest @ ..] => {
            let node =
                branch.entry((*first).to_owned()).or_insert_with(|| Tree::Branch(BTreeMap::new()));
            match node {
                Tree::Branch(inner) => insert(inner, rest, value),
                Tree::Leaf(_) => false,
            }
        }
    }
}

fn value_of(node: Tree, name: &str) -> Result<Value, Error> {
    let children = match node {
        Tree::Leaf(text) => return Ok(Value::String(text)),
        Tree::Branch(children) => children,
    };
    if !children.keys().all(|key| key.bytes().all(|byte| byte.is_ascii_digit())) {
        let mut object = Map::new();
        for (key, child) in children {
            let value = value_of(child, &format!("{name}.{key}"))?;
            object.insert(key, value);
        }
        return Ok(Value::Object(object));
    }
    let mut items = Vec::with_capacity(children.len());
    for (key, child) in children {
        // Keys sort as text, so the index is kept beside the value.
        let index: usize = key.parse().map_err(|_| Error::Gap { name: name.to_owned() })?;
        items.push((index, value_of(child, &format!("{name}.{key}"))?));
    }
    items.sort_by_key(|(index, _)| *index);
    if items.iter().enumerate().any(|(place, (index, _))| place != *index) {
        return Err(Error::Gap { name: name.to_owned() });
    }
    Ok(Value::Array(items.into_iter().map(|(_, value)| value).collect()))
}
