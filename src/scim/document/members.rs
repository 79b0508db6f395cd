//! The value of `members`, which is never part of a document.

use std::collections::HashSet;

use serde_json::Value;

use super::{MAX_NAME, check_length, wrong_type};
use crate::scim::error::Error;

/// Reads the value of `members`: a list, one object or one id. Null is no list at all.
///
/// Of each entry only `value` counts: `$ref` and `type` follow from it, and `display` is no
/// attribute of ours (RFC 7643 §8.7.1).
pub(in crate::scim) fn read_members(value: &Value) -> Result<Option<Vec<String>>, Error> {
    let list = match value {
        Value::Null => return Ok(None),
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut seen = HashSet::with_capacity(list.len());
    let mut members = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        let id = read_member(element, index)?;
        if seen.insert(id) {
            members.push(id.to_owned());
        }
    }
    Ok(Some(members))
}

/// The id of a member, if it has one: its `value`, or the member itself, because Entra ID may send
/// plain ids.
pub(in crate::scim) fn member_id(member: &Value) -> Option<&str> {
    match member {
        Value::Object(object) => object
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("value"))
            .and_then(|(_, id)| id.as_str()),
        Value::String(id) => Some(id),
        _ => None,
    }
}

fn read_member(element: &Value, index: usize) -> Result<&str, Error> {
    let place = || format!("members[{index}].value");
    match member_id(element) {
        Some(id) if !id.is_empty() => {
            // Written out only for the one in a hundred thousand that may be too long.
            if id.len() > MAX_NAME {
                check_length(&place(), id, MAX_NAME)?;
            }
            Ok(id)
        }
        _ => Err(wrong_type(&place(), "the id of a user")),
    }
}
