//! Bodies of POST and PUT become documents: the client's attributes in canonical spelling,
//! values byte for byte, what only we may write left out.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::error::{Error, ErrorKind};
use super::schema::{Attribute, Kind, Mutability, ResourceType, Returned, find};
use super::version::Version;

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

/// Reads the value of an attribute; none when it is unassigned (RFC 7643 §2.5: null, `[]`).
pub(super) fn read_value(
    attribute: &Attribute,
    value: &Value,
    place: &str,
) -> Result<Option<Value>, Error> {
    if !attribute.multi_valued {
        return read_single(attribute, value, place);
    }
    let Value::Array(list) = value else {
        // SCIM.md §2.10(18): a multi-valued attribute sent as a single object.
        let single = read_single(attribute, value, place)?;
        return Ok(single.map(|single| Value::Array(vec![single])));
    };
    if list.len() > MAX_VALUES {
        let detail = format!("{place} has more than {MAX_VALUES} values");
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    let mut read = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        read.extend(read_single(attribute, element, &format!("{place}[{index}]"))?);
    }
    if read.iter().filter(|element| is_primary(element)).count() > 1 {
        let detail = format!("{place}: only one value can be primary");
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    Ok((!read.is_empty()).then_some(Value::Array(read)))
}

/// Whether this value of a list is the preferred one.
pub(super) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Reads one value, list or not.
pub(super) fn read_single(
    attribute: &Attribute,
    value: &Value,
    place: &str,
) -> Result<Option<Value>, Error> {
    let read = match (attribute.kind, value) {
        (_, Value::Null) => return Ok(None),
        (Kind::Complex, Value::Object(object)) => {
            let read = read_object(&attribute.sub_attributes, object, place)?;
            if read.is_empty() {
                return Ok(None);
            }
            Value::Object(read)
        }
        // Entra ID sends a manager as a plain id, and the empty string to clear it.
        (Kind::Complex, Value::String(text)) if attribute.sub_attribute("value").is_some() => {
            if text.is_empty() {
                return Ok(None);
            }
            json!({ "value": text })
        }
        (Kind::Complex, _) => return Err(wrong_type(place, "an object")),
        (Kind::Boolean, Value::Bool(_))
        | (Kind::String | Kind::Reference | Kind::DateTime, Value::String(_)) => value.clone(),
        // Entra ID and Workday send booleans as strings, in any letter case.
        (Kind::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("true") => true.into(),
        (Kind::Boolean, Value::String(text)) if text.eq_ignore_ascii_case("false") => false.into(),
        (Kind::Boolean, _) => return Err(wrong_type(place, "true or false")),
        (Kind::Integer, Value::Number(number)) if number.is_i64() => value.clone(),
        (Kind::Integer, Value::Number(_)) => {
            return Err(wrong_type(place, "a whole number that fits 64 bits, without a fraction"));
        }
        (Kind::Integer, _) => return Err(wrong_type(place, "a whole number")),
        (Kind::Decimal, Value::Number(_)) => value.clone(),
        (Kind::Decimal, _) => return Err(wrong_type(place, "a number")),
        (Kind::Binary, Value::String(text)) if is_base64(text) => value.clone(),
        (Kind::Binary, _) => return Err(wrong_type(place, "base64 text")),
        (Kind::String | Kind::Reference | Kind::DateTime, _) => {
            return Err(wrong_type(place, "a string"));
        }
    };
    Ok(Some(read))
}

/// RFC 7643 §2.3.6: base64 in either alphabet; the text itself is kept as sent.
fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    })
}

/// Reads the members of an object that `attributes` know.
pub(super) fn read_object(
    attributes: &[Attribute],
    object: &Map<String, Value>,
    place: &str,
) -> Result<Map<String, Value>, Error> {
    let mut read = Map::new();
    let mut seen = Vec::new();
    for (name, value) in object {
        let Some(attribute) = find(attributes, name) else { continue };
        note(&mut seen, &attribute.name)?;
        if attribute.mutability == Mutability::ReadOnly {
            continue;
        }
        let place = format!("{place}.{}", attribute.name);
        if let Some(value) = read_value(attribute, value, &place)?
            && attribute.returned != Returned::Never
        {
            read.insert(attribute.name.to_string(), value);
        }
    }
    Ok(read)
}

/// Reads the value of `members`: a list, one object or one id. Null is no list at all.
///
/// Of each entry only `value` counts: `$ref` and `type` follow from it, and `display` is no
/// attribute of ours (RFC 7643 §8.7.1).
pub(super) fn read_members(value: &Value) -> Result<Option<Vec<String>>, Error> {
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

fn read_member(element: &Value, index: usize) -> Result<&str, Error> {
    let value = match element {
        Value::Object(object) => {
            object.iter().find(|(name, _)| name.eq_ignore_ascii_case("value")).map(|(_, id)| id)
        }
        // Entra ID may send plain ids.
        Value::String(_) => Some(element),
        _ => None,
    };
    let place = format!("members[{index}].value");
    match value.and_then(Value::as_str) {
        Some(id) if !id.is_empty() => {
            check_length(&place, id, MAX_NAME)?;
            Ok(id)
        }
        _ => Err(wrong_type(&place, "the id of a user")),
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::json::parse_object;
    use crate::scim::schema::{GROUP_TYPE, USER_TYPE};

    fn user(body: &str) -> Result<Incoming, Error> {
        read(&USER_TYPE, &parse_object(body.as_bytes()).unwrap())
    }

    fn refused(body: &str) -> String {
        user(body).unwrap_err().detail
    }

    #[test]
    fn an_entra_user_keeps_what_is_ours_to_keep() {
        let read = user(
            r#"{"schemas":["x"],"externalId":"bob","USERNAME":"Bob@Contoso.com","active":"True",
                "id":"mine","meta":{"resourceType":"User"},"roles":[],"nickName":null,"title":"",
                "emails":{"primary":"TRUE","type":"work","value":"B@x","custom":1},
                "groups":[{"value":"g"}],"password":"secret","unknown":{"a":1},
                "urn:custom:User":{"a":1},
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                    {"employeeNumber":"1","manager":"u-1"}}"#,
        )
        .unwrap();
        assert_eq!(
            Value::Object(read.attributes),
            json!({
                "externalId": "bob", "userName": "Bob@Contoso.com", "active": true, "title": "",
                "emails": [{ "primary": true, "type": "work", "value": "B@x" }],
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                    { "employeeNumber": "1", "manager": { "value": "u-1" } },
            })
        );
        assert_eq!(read.members, None);
    }

    #[test]
    fn an_absent_active_is_true() {
        assert_eq!(user(r#"{"userName":"a"}"#).unwrap().attributes["active"], true);
        assert_eq!(user(r#"{"userName":"a","active":null}"#).unwrap().attributes["active"], true);
        assert_eq!(
            user(r#"{"userName":"a","active":"FALSE"}"#).unwrap().attributes["active"],
            false
        );
    }

    #[test]
    fn what_is_refused_says_where() {
        assert_eq!(refused("{}"), "userName is required");
        assert_eq!(refused(r#"{"userName":null}"#), "userName is required");
        assert!(refused(r#"{"userName":" "}"#).contains("empty"));
        assert!(refused(r#"{"userName":"a\nb"}"#).contains("control"));
        assert!(refused(r#"{"userName":"a\u202eb"}"#).contains("bidirectional"));
        assert!(refused(r#"{"userName":1}"#).contains("userName must be a string"));
        assert!(refused(r#"{"userName":"a","username":"b"}"#).contains("twice"));
        assert!(refused(r#"{"userName":"a","active":1}"#).contains("active must be"));
        assert!(refused(r#"{"userName":"a","name":"x"}"#).contains("name must be an object"));
        assert!(refused(r#"{"userName":"a","password":1}"#).contains("password must be"));
        assert!(
            refused(r#"{"userName":"a","emails":[{"value":"x"},{"value":7}]}"#)
                .contains("emails[1].value must be a string")
        );
        assert!(
            refused(r#"{"userName":"a","emails":[{"value":"x","primary":true},{"primary":true}]}"#)
                .contains("primary")
        );
        assert!(
            refused(r#"{"userName":"a","x509Certificates":[{"value":"é"}]}"#).contains("base64")
        );
    }

    #[test]
    fn names_at_their_limits() {
        let sized = |name: &str, extra: usize| {
            user(&format!(r#"{{"userName":"{name}","externalId":"{}"}}"#, "x".repeat(extra)))
        };
        assert!(sized(&"漢".repeat(256), 512).is_ok());
        assert!(sized(&"漢".repeat(257), 512).is_err());
        assert!(sized("a", 513).is_err());
        let emails = vec![r#"{"value":"x"}"#; MAX_VALUES + 1].join(",");
        assert!(refused(&format!(r#"{{"userName":"a","emails":[{emails}]}}"#)).contains("values"));
    }

    #[test]
    fn members_are_ids_each_once() {
        let members = |members: &str| {
            let body = format!(r#"{{"displayName":"G","members":{members}}}"#);
            read(&GROUP_TYPE, &parse_object(body.as_bytes()).unwrap()).map(|read| read.members)
        };
        let ids = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
        assert_eq!(members("null").unwrap(), None);
        assert_eq!(members("[]").unwrap(), ids(&[]));
        assert_eq!(
            members(r#"[{"Value":"a","$ref":null,"display":"A"},"b",{"value":"a"}]"#).unwrap(),
            ids(&["a", "b"])
        );
        assert_eq!(members(r#"{"value":"a"}"#).unwrap(), ids(&["a"]));
        for bad in ["[{}]", "[1]", r#"[{"value":""}]"#, r#"[{"value":null}]"#] {
            assert!(members(bad).unwrap_err().detail.contains("members[0].value"), "{bad}");
        }
    }
}
