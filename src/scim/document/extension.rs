//! What binds the values of extensions: what they require, and what may not change.

use serde_json::{Map, Value};

use crate::scim::error::{Error, ErrorKind};
use crate::scim::schema::index::MAX_INDEXED;
use crate::scim::schema::{Attribute, Mutability, ResourceType, Uniqueness};

/// What a document means that does not name an immutable value it had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Omission {
    /// PUT: the value stays, because nothing was said about it.
    Silence,
    /// PATCH: it was taken away, which is not allowed.
    Removal,
}

/// What holds of a document that takes the place of `old` (RFC 7644 §3.5.1 and §3.5.2): immutable
/// attributes of extensions keep the values they have. Of a list of complex values this binds the
/// list, not the parts of its values.
pub fn settle(
    kind: &ResourceType,
    old: &Map<String, Value>,
    new: &mut Map<String, Value>,
    omission: Omission,
) -> Result<(), Error> {
    for extension in kind.extensions.iter() {
        let Some(before) = old.get(&*extension.id).and_then(Value::as_object) else { continue };
        for attribute in extension.attributes.iter() {
            let Some(value) = before.get(&*attribute.name) else { continue };
            let place = format!("{}:{}", extension.id, attribute.name);
            if attribute.mutability == Mutability::Immutable {
                keep(new, &[&extension.id, &attribute.name], value, &place, omission)?;
                continue;
            }
            let Value::Object(parts) = value else { continue };
            for part in attribute.sub_attributes.iter() {
                if part.mutability == Mutability::Immutable
                    && let Some(value) = parts.get(&*part.name)
                {
                    let place = format!("{place}.{}", part.name);
                    let path = [&*extension.id, &*attribute.name, &*part.name];
                    keep(new, &path, value, &place, omission)?;
                }
            }
        }
    }
    check_extensions(kind, new)
}

/// Sees to it that `object` has `value` at the path.
fn keep(
    object: &mut Map<String, Value>,
    path: &[&str],
    value: &Value,
    place: &str,
    omission: Omission,
) -> Result<(), Error> {
    let refused = || {
        let detail = format!("{place} is immutable and has another value");
        Err(Error::new(ErrorKind::Mutability, detail))
    };
    let Some((name, rest)) = path.split_first() else { return Ok(()) };
    match object.get_mut(*name) {
        Some(Value::Object(inner)) if !rest.is_empty() => keep(inner, rest, value, place, omission),
        Some(found) if rest.is_empty() && found == value => Ok(()),
        Some(_) => refused(),
        None if omission == Omission::Removal => refused(),
        None => {
            let nested = rest.iter().rev().fold(value.clone(), |inner, name| {
                Value::Object(Map::from_iter([((*name).to_owned(), inner)]))
            });
            object.insert((*name).to_owned(), nested);
            Ok(())
        }
    }
}

/// Extensions that are present have what they require (RFC 7643 §6: an extension that is not
/// required may be absent as a whole), and unique values are short enough to be compared.
pub(super) fn check_extensions(
    kind: &ResourceType,
    attributes: &Map<String, Value>,
) -> Result<(), Error> {
    for extension in kind.extensions.iter() {
        let Some(Value::Object(object)) = attributes.get(&*extension.id) else { continue };
        check_object(&extension.attributes, object, &extension.id, ':')?;
    }
    Ok(())
}

fn check_object(
    attributes: &[Attribute],
    object: &Map<String, Value>,
    place: &str,
    separator: char,
) -> Result<(), Error> {
    for attribute in attributes {
        let place = || format!("{place}{separator}{}", attribute.name);
        let value = object.get(&*attribute.name);
        if attribute.required && value.is_none() {
            let detail = format!("{} is required", place());
            return Err(Error::new(ErrorKind::InvalidValue, detail));
        }
        let list = match value {
            Some(Value::Array(list)) => list.as_slice(),
            other => other.map(std::slice::from_ref).unwrap_or_default(),
        };
        for element in list {
            match element {
                Value::Object(inner) => {
                    check_object(&attribute.sub_attributes, inner, &place(), '.')?;
                }
                Value::String(text)
                    if attribute.uniqueness != Uniqueness::None && text.len() > MAX_INDEXED =>
                {
                    let detail =
                        format!("{} is unique and so at most {MAX_INDEXED} bytes long", place());
                    return Err(Error::new(ErrorKind::InvalidValue, detail));
                }
                _ => {}
            }
        }
    }
    Ok(())
}
