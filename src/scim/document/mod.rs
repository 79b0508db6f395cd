//! Bodies of POST and PUT become documents: the client's attributes in canonical spelling,
//! values byte for byte, what only we may write left out.

mod extension;
mod members;
#[cfg(test)]
mod tests;
mod value;

use serde_json::{Map, Value, json};

pub use extension::{Omission, settle};
pub(super) use members::{member_id, read_members};
pub(super) use value::{is_primary, read_single, read_value};

use super::error::{Error, ErrorKind};
use super::schema::{Attribute, Mutability, ResourceType, Returned};
use super::version::Version;
use extension::check_extensions;
use value::read_object;

/// Longest `userName`, `displayName` of a group, and `value` of a member, in characters.
pub const MAX_NAME: usize = 256;
/// Longest `externalId`, in characters.
pub const MAX_EXTERNAL_ID: usize = 512;
/// Most values of one multi-valued attribute, `members` aside.
pub const MAX_VALUES: usize = 1000;

/// A body that passed validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// The document: without `schemas`, `id`, `meta`, `password`, `groups` and `members`.
    pub attributes: Map<String, Value>,
    /// The ids in `members` of a group, each once, known to us or not; none when the body does
    /// not name the attribute.
    pub members: Option<Vec<String>>,
}

/// Reads the body of a POST or PUT (RFC 7644 §3.3 and §3.5.1).
///
/// Unknown attributes and schemas are ignored, and so are read-only ones; attribute names may be
/// in any letter case, but none may appear twice.
pub fn read(kind: &ResourceType, body: &Map<String, Value>) -> Result<Incoming, Error> {
    let mut attributes = Map::new();
    let mut members = None;
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in body {
        if let Some(extension) = kind.extension(name) {
            note(&mut seen, &extension.id)?;
            match value {
                Value::Null => {}
                Value::Object(object) => {
                    let inner = read_object(&extension.attributes, object, &extension.id)?;
                    if !inner.is_empty() {
                        attributes.insert(extension.id.to_string(), Value::Object(inner));
                    }
                }
                _ => return Err(wrong_type(&extension.id, "an object")),
            }
            continue;
        }
        let Some(attribute) = kind.attribute(name) else { continue };
        note(&mut seen, &attribute.name)?;
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        if is_members(kind, attribute) {
            members = read_members(value)?;
            continue;
        }
        if let Some(value) = read_value(attribute, value, &attribute.name)? {
            // A password is checked for its type and forgotten.
            if attribute.returned != Returned::Never {
                attributes.insert(attribute.name.to_string(), value);
            }
        }
    }
    complete(kind, &mut attributes);
    finish(kind, &attributes)?;
    check_extensions(kind, &attributes)?;
    Ok(Incoming { attributes, members })
}

fn note<'a>(seen: &mut Vec<&'a str>, name: &'a str) -> Result<(), Error> {
    if seen.contains(&name) {
        let detail = format!("The attribute {name} appears twice, in different letter case");
        return Err(Error::new(ErrorKind::InvalidSyntax, detail));
    }
    seen.push(name);
    Ok(())
}

/// Whether this is the attribute whose values are never part of a document.
pub(super) fn is_members(kind: &ResourceType, attribute: &Attribute) -> bool {
    kind.is_group() && attribute.name == "members"
}

/// What holds of every document, however it came to be: required attributes are there, names
/// are within their limits.
pub(super) fn finish(kind: &ResourceType, attributes: &Map<String, Value>) -> Result<(), Error> {
    for attribute in kind.schema.attributes.iter().filter(|attribute| attribute.required) {
        let Some(Value::String(name)) = attributes.get(&*attribute.name) else {
            let detail = format!("{} is required", attribute.name);
            return Err(Error::new(ErrorKind::InvalidValue, detail));
        };
        check_name(&attribute.name, name)?;
    }
    if let Some(Value::String(label)) = attributes.get("externalId") {
        check_length("externalId", label, MAX_EXTERNAL_ID)?;
    }
    Ok(())
}
/// Gives a document what it means without saying so: a user is active unless it says otherwise
/// (SCIM.md §2.10(17), OneLogin). Bodies of POST and PUT get it at once; a PATCH may remove
/// `active` afterwards, and filters go on seeing it as true.
pub fn complete(kind: &ResourceType, attributes: &mut Map<String, Value>) {
    if kind.is_user() {
        attributes.entry("active").or_insert(Value::Bool(true));
    }
}

/// DESIGN.md §8: 1 to 256 characters, no controls, no marks that reorder what people read.
fn check_name(place: &str, name: &str) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::new(ErrorKind::InvalidValue, format!("{place} must not be empty")));
    }
    check_length(place, name, MAX_NAME)?;
    if name.chars().any(|character| character.is_control() || is_bidi_mark(character)) {
        let detail = format!("{place} must not hold control characters or bidirectional marks");
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    Ok(())
}

fn check_length(place: &str, text: &str, most: usize) -> Result<(), Error> {
    if text.chars().count() > most {
        let detail = format!("{place} must be at most {most} characters long");
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    Ok(())
}

const fn is_bidi_mark(character: char) -> bool {
    matches!(character,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn wrong_type(place: &str, expected: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("{place} must be {expected}"))
}

/// What we add to a stored document when it is shown.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The resource's id.
    pub id: String,
    /// RFC 3339.
    pub created: String,
    /// RFC 3339.
    pub last_modified: String,
    /// The absolute URL of the resource.
    pub location: String,
    /// The number of its version; shown as an entity tag.
    pub version: i64,
}

/// The complete document: `schemas` and `id` first, `meta` last; `computed` is `groups` of a
/// user or `members` of a group, left out when empty.
pub fn render(
    kind: &ResourceType,
    attributes: Map<String, Value>,
    frame: &Frame,
    computed: Vec<Value>,
) -> Map<String, Value> {
    let extensions =
        kind.extensions.iter().map(|schema| &*schema.id).filter(|id| attributes.contains_key(*id));
    let schemas: Vec<&str> = std::iter::once(&*kind.schema.id).chain(extensions).collect();
    let mut document = Map::with_capacity(attributes.len() + 4);
    document.insert("schemas".to_owned(), schemas.into());
    document.insert("id".to_owned(), frame.id.as_str().into());
    document.extend(attributes);
    if !computed.is_empty() {
        let name = if kind.is_group() { "members" } else { "groups" };
        document.insert(name.to_owned(), Value::Array(computed));
    }
    document.insert("meta".to_owned(), meta(kind, frame));
    document
}

/// The `meta` of a resource (RFC 7643 §3.1).
pub fn meta(kind: &ResourceType, frame: &Frame) -> Value {
    json!({
        "resourceType": kind.name,
        "created": frame.created,
        "lastModified": frame.last_modified,
        "location": frame.location,
        "version": Version(frame.version).to_string(),
    })
}
