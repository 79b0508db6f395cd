//! Extension schemas that a space registers: the JSON of RFC 7643 §7, read and validated.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{
    Attribute, COMMON, ENTERPRISE_USER, GROUP, Kind, Mutability, Returned, Schema, USER,
    Uniqueness, Words, find,
};
use crate::scim::error::{Error, ErrorKind};

/// Most schemas that a space may register.
pub const MAX_SCHEMAS: usize = 20;
/// Most attributes of a schema, and most sub-attributes of an attribute.
pub const MAX_ATTRIBUTES: usize = 100;
/// Longest URN, in bytes.
pub const MAX_URN: usize = 256;
/// Longest name of a schema or attribute, in characters.
const MAX_NAME: usize = 64;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 1000;
/// Most canonical values or reference types of an attribute.
const MAX_WORDS: usize = 100;
/// Longest of them, in characters.
const MAX_WORD: usize = 256;

/// Reads a schema document. What it says besides (`meta`, `schemas`) is ignored; a refusal names
/// the field.
///
/// The URN must begin with `urn:`, consist of letters, digits and `:._-`, and be none of RFC 7643;
/// that no other schema of the space has it is for the caller to see to, in any letter case.
/// Passwords and the like can be accepted and forgotten (`returned` is `never`), and nothing but
/// such an attribute is `writeOnly`.
pub fn read(document: &Map<String, Value>) -> Result<Schema, Error> {
    let id = text(document, "id", MAX_URN)?.unwrap_or_default();
    check_urn(id)?;
    let name = text(document, "name", MAX_NAME)?.unwrap_or_default();
    let description = text(document, "description", MAX_DESCRIPTION)?.unwrap_or_default();
    let attributes = attributes(document, "attributes", "", Nesting::Outer)?;
    if attributes.is_empty() {
        return Err(refuse("attributes", "must list at least one attribute"));
    }
    Ok(Schema {
        id: Cow::Owned(id.to_owned()),
        // Nothing needs the name; people do.
        name: Cow::Owned(if name.is_empty() { id } else { name }.to_owned()),
        description: Cow::Owned(description.to_owned()),
        attributes: Cow::Owned(attributes),
    })
}

fn refuse(place: &str, what: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("{place} {what}"))
}

fn check_urn(id: &str) -> Result<(), Error> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'.' | b'_' | b'-');
    let parts: Vec<&str> = id.split(':').collect();
    let is_urn = parts.len() >= 3
        && parts.first().is_some_and(|scheme| scheme.eq_ignore_ascii_case("urn"))
        && parts.iter().all(|part| !part.is_empty())
        && id.bytes().all(allowed);
    if !is_urn {
        let what = "must be a URN such as urn:example:params:scim:schemas:extension:hr:2.0:User, \
                    of letters, digits and :._-";
        return Err(refuse("id", what));
    }
    // Whatever stands in the registry of RFC 7643 §10 means something else than the space thinks.
    let taken = [&USER, &GROUP, &ENTERPRISE_USER].iter().any(|schema| {
        schema.id.eq_ignore_ascii_case(id) || is_within(id, &schema.id) || is_within(&schema.id, id)
    });
    let core = "urn:ietf:params:scim:schemas:core:";
    let messages = "urn:ietf:params:scim:api:";
    let starts = |prefix: &str| {
        id.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if taken || starts(core) || starts(messages) {
        return Err(refuse("id", "is one of the standard's: choose a URN of your own"));
    }
    Ok(())
}

/// Whether a URN stands below another one: then an attribute path could mean either.
fn is_within(inner: &str, outer: &str) -> bool {
    inner.get(..outer.len()).is_some_and(|start| start.eq_ignore_ascii_case(outer))
        && inner.as_bytes().get(outer.len()) == Some(&b':')
}

/// Whether two URNs cannot be told apart in an attribute path: they are equal in any letter case,
/// or one stands below the other.
pub fn clash(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || is_within(one, other) || is_within(other, one)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nesting {
    Outer,
    Inner,
}

fn attributes(
    object: &Map<String, Value>,
    field: &str,
    place: &str,
    nesting: Nesting,
) -> Result<Vec<Attribute>, Error> {
    let place = format!("{place}{field}");
    let list = match object.get(field) {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(refuse(&place, "must be a list")),
    };
    if list.len() > MAX_ATTRIBUTES {
        return Err(refuse(&place, &format!("must list at most {MAX_ATTRIBUTES}")));
    }
    let mut read: Vec<Attribute> = Vec::with_capacity(list.len());
    for (index, element) in list.iter().enumerate() {
        let place = format!("{place}[{index}]");
        let Value::Object(element) = element else {
            return Err(refuse(&place, "must be an object"));
        };
        let attribute = attribute(element, &format!("{place}."), nesting)?;
        if find(&read, &attribute.name).is_some() {
            return Err(refuse(&format!("{place}.name"), "is that of another attribute"));
        }
        read.push(attribute);
    }
    Ok(read)
}

fn attribute(
    object: &Map<String, Value>,
    place: &str,
    nesting: Nesting,
) -> Result<Attribute, Error> {
    let at = |field: &str| format!("{place}{field}");
    let within = |error: Error| Error { detail: format!("{place}{}", error.detail), ..error };
    let name = text(object, "name", MAX_NAME).map_err(within)?.unwrap_or_default();
    check_name(name, nesting).map_err(|what| refuse(&at("name"), what))?;
    let kind = word(object, "type", &KINDS, Kind::String).map_err(within)?;
    if kind == Kind::Complex && nesting == Nesting::Inner {
        return Err(refuse(&at("type"), "cannot be complex inside a complex attribute"));
    }
    let description =
        text(object, "description", MAX_DESCRIPTION).map_err(within)?.unwrap_or_default();
    let flag = |field: &str| flag(object, field).map_err(within);
    let read = Attribute {
        name: Cow::Owned(name.to_owned()),
        description: Cow::Owned(description.to_owned()),
        kind,
        multi_valued: flag("multiValued")?.unwrap_or(false),
        required: flag("required")?.unwrap_or(false),
        // RFC 7643 §2.3: what identifies and what is encoded is always exact.
        case_exact: matches!(kind, Kind::Binary | Kind::Reference | Kind::DateTime)
            || flag("caseExact")?.unwrap_or(false),
        mutability: word(object, "mutability", &MUTABILITIES, Mutability::ReadWrite)
            .map_err(within)?,
        returned: word(object, "returned", &RETURNED, Returned::Default).map_err(within)?,
        uniqueness: word(object, "uniqueness", &UNIQUENESSES, Uniqueness::None).map_err(within)?,
        canonical_values: words(object, "canonicalValues").map_err(within)?,
        reference_types: words(object, "referenceTypes").map_err(within)?,
        sub_attributes: Cow::Owned(attributes(object, "subAttributes", place, Nesting::Inner)?),
    };
    check_sense(&read).map_err(|(field, what)| refuse(&at(field), what))?;
    Ok(read)
}

/// RFC 7643 §2.1, and nothing that paths and documents of ours mean something else by.
fn check_name(name: &str, nesting: Nesting) -> Result<(), &'static str> {
    let mut bytes = name.bytes();
    let starts = bytes.next().is_some_and(|first| first.is_ascii_alphabetic());
    let reference = nesting == Nesting::Inner && name == "$ref";
    let grammar =
        bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'-' | b'_'));
    if !(reference || starts && grammar) {
        return Err("must begin with a letter and hold only letters, digits and $-_");
    }
    if nesting == Nesting::Outer && find(&COMMON, name).is_some() {
        return Err("is that of an attribute every resource has");
    }
    Ok(())
}

/// Characteristics that contradict each other.
fn check_sense(attribute: &Attribute) -> Result<(), (&'static str, &'static str)> {
    let complex = attribute.kind == Kind::Complex;
    if complex && attribute.sub_attributes.is_empty() {
        return Err(("subAttributes", "must list at least one, as the type is complex"));
    }
    if !complex && !attribute.sub_attributes.is_empty() {
        return Err(("subAttributes", "is for the type complex only"));
    }
    if attribute.mutability == Mutability::ReadOnly {
        return Err(("mutability", "readOnly is of no use: nobody could give it a value"));
    }
    if (attribute.mutability == Mutability::WriteOnly) != (attribute.returned == Returned::Never) {
        return Err(("mutability", "is writeOnly exactly when returned is never"));
    }
    if attribute.returned == Returned::Never && attribute.required {
        return Err(("required", "is not for what is never returned: it is not kept"));
    }
    if attribute.uniqueness == Uniqueness::None {
        return Ok(());
    }
    if complex || matches!(attribute.kind, Kind::Boolean | Kind::Binary) {
        return Err(("uniqueness", "is for strings, references, times and numbers"));
    }
    if attribute.returned == Returned::Never {
        return Err(("uniqueness", "is not for what is never returned: it is not kept"));
    }
    Ok(())
}

const KINDS: [(&str, Kind); 8] = [
    ("string", Kind::String),
    ("boolean", Kind::Boolean),
    ("integer", Kind::Integer),
    ("decimal", Kind::Decimal),
    ("dateTime", Kind::DateTime),
    ("binary", Kind::Binary),
    ("reference", Kind::Reference),
    ("complex", Kind::Complex),
];

const MUTABILITIES: [(&str, Mutability); 4] = [
    ("readOnly", Mutability::ReadOnly),
    ("readWrite", Mutability::ReadWrite),
    ("immutable", Mutability::Immutable),
    ("writeOnly", Mutability::WriteOnly),
];

const RETURNED: [(&str, Returned); 4] = [
    ("always", Returned::Always),
    ("never", Returned::Never),
    ("default", Returned::Default),
    ("request", Returned::Request),
];

const UNIQUENESSES: [(&str, Uniqueness); 3] =
    [("none", Uniqueness::None), ("server", Uniqueness::Server), ("global", Uniqueness::Global)];

/// One of the words of a characteristic, in any letter case.
fn word<T: Copy>(
    object: &Map<String, Value>,
    field: &str,
    known: &[(&str, T)],
    default: T,
) -> Result<T, Error> {
    let Some(word) = text(object, field, MAX_WORD)? else { return Ok(default) };
    known
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(word))
        .map(|(_, meaning)| *meaning)
        .ok_or_else(|| {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            refuse(field, &format!("must be one of {}", names.join(", ")))
        })
}

fn flag(object: &Map<String, Value>, field: &str) -> Result<Option<bool>, Error> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        Some(_) => Err(refuse(field, "must be true or false")),
    }
}

fn text<'d>(
    object: &'d Map<String, Value>,
    field: &str,
    most: usize,
) -> Result<Option<&'d str>, Error> {
    match object.get(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.chars().count() > most => {
            Err(refuse(field, &format!("must be at most {most} characters long")))
        }
        Some(Value::String(text)) if text.chars().any(char::is_control) => {
            Err(refuse(field, "must not hold control characters"))
        }
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(refuse(field, "must be a string")),
    }
}

fn words(object: &Map<String, Value>, field: &str) -> Result<Words, Error> {
    let list = match object.get(field) {
        None | Some(Value::Null) => return Ok(Words::Fixed(&[])),
        Some(Value::Array(list)) if list.len() <= MAX_WORDS => list,
        Some(_) => return Err(refuse(field, &format!("must be a list of at most {MAX_WORDS}"))),
    };
    let words = list.iter().map(|word| match word {
        Value::String(word) if word.chars().count() <= MAX_WORD => Ok(word.clone()),
        _ => Err(refuse(field, &format!("must list strings of at most {MAX_WORD} characters"))),
    });
    Ok(Words::Registered(words.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::json::parse_object;

    const URN: &str = "urn:example:params:scim:schemas:extension:hr:2.0:User";

    fn refused(document: &Value) -> String {
        let error = read(document.as_object().unwrap()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidValue);
        error.detail
    }

    #[test]
    fn a_whole_schema() {
        let body = format!(
            r#"{{"schemas":["x"],"id":"{URN}","name":"HR","description":"d","meta":{{}},
            "attributes":[
                {{"name":"badge","type":"string","required":true,"caseExact":true,
                  "mutability":"immutable","uniqueness":"server"}},
                {{"name":"floor","type":"INTEGER","multiValued":true}},
                {{"name":"ratio","type":"decimal","returned":"request"}},
                {{"name":"pin","mutability":"writeOnly","returned":"never"}},
                {{"name":"car","type":"complex","multiValued":true,"subAttributes":[
                    {{"name":"plate","uniqueness":"global","canonicalValues":["A","B"]}},
                    {{"name":"$ref","type":"reference","referenceTypes":["external"]}}]}}
            ]}}"#
        );
        let schema = read(&parse_object(body.as_bytes()).unwrap()).unwrap();
        assert_eq!((schema.id.as_ref(), schema.name.as_ref()), (URN, "HR"));
        let [badge, floor, ratio, pin, car] = schema.attributes.as_ref() else { panic!("five") };
        assert!(badge.required && badge.case_exact && badge.mutability == Mutability::Immutable);
        assert_eq!(badge.uniqueness, Uniqueness::Server);
        assert!(floor.kind == Kind::Integer && floor.multi_valued && !floor.case_exact);
        assert!(ratio.kind == Kind::Decimal && ratio.returned == Returned::Request);
        assert!(pin.kind == Kind::String && pin.returned == Returned::Never);
        assert_eq!(car.sub_attributes.len(), 2);
        assert_eq!(car.sub_attributes[0].canonical_values.iter().collect::<Vec<_>>(), ["A", "B"]);
        assert!(car.sub_attributes[1].case_exact);
    }

    #[test]
    fn what_is_refused_names_the_field() {
        let with = |attribute: Value| json!({ "id": URN, "attributes": [attribute] });
        for (document, start) in [
            (json!({ "attributes": [{ "name": "a" }] }), "id must be a URN"),
            (json!({ "id": 1 }), "id must be a string"),
            (json!({ "id": "http://x", "attributes": [{ "name": "a" }] }), "id must be a URN"),
            (json!({ "id": "urn:a:b c", "attributes": [{ "name": "a" }] }), "id must be a URN"),
            (json!({ "id": "urn:a:", "attributes": [{ "name": "a" }] }), "id must be a URN"),
            (json!({ "id": "urn:a:é", "attributes": [{ "name": "a" }] }), "id must be a URN"),
            (json!({ "id": "urn:IETF:params:scim:schemas:core:2.0:user" }), "id is one of"),
            (json!({ "id": "urn:ietf:params:scim:schemas:core:2.0:Device" }), "id is one of"),
            (json!({ "id": format!("{}:more", ENTERPRISE_USER.id) }), "id is one of"),
            (json!({ "id": URN }), "attributes must list"),
            (json!({ "id": URN, "attributes": {} }), "attributes must be a list"),
            (json!({ "id": URN, "attributes": [1] }), "attributes[0] must be an object"),
            (with(json!({})), "attributes[0].name must begin"),
            (with(json!({ "name": "a.b" })), "attributes[0].name must begin"),
            (with(json!({ "name": "$ref" })), "attributes[0].name must begin"),
            (with(json!({ "name": "ID" })), "attributes[0].name is that of"),
            (with(json!({ "name": "x".repeat(65) })), "attributes[0].name must be at most"),
            (with(json!({ "name": "a", "type": "date" })), "attributes[0].type must be one of"),
            (with(json!({ "name": "a", "required": "yes" })), "attributes[0].required must be"),
            (with(json!({ "name": "a", "type": "complex" })), "attributes[0].subAttributes must"),
            (
                with(json!({ "name": "a", "subAttributes": [{ "name": "b" }] })),
                "attributes[0].subAttributes is for",
            ),
            (
                with(json!({ "name": "a", "type": "complex", "subAttributes": [
                    { "name": "b" }, { "name": "c", "type": "complex" }] })),
                "attributes[0].subAttributes[1].type cannot be complex",
            ),
            (with(json!({ "name": "a", "mutability": "readOnly" })), "attributes[0].mutability"),
            (with(json!({ "name": "a", "returned": "never" })), "attributes[0].mutability is"),
            (
                with(json!({ "name": "a", "type": "boolean", "uniqueness": "server" })),
                "attributes[0].uniqueness is for",
            ),
            (
                json!({ "id": URN, "attributes": [{ "name": "a" }, { "name": "A" }] }),
                "attributes[1].name is that of another",
            ),
            (
                json!({ "id": URN, "attributes": vec![json!({ "name": "a" }); 101] }),
                "attributes must list at most 100",
            ),
            (with(json!({ "name": "a", "canonicalValues": [1] })), "attributes[0].canonicalValues"),
        ] {
            let detail = refused(&document);
            assert!(detail.starts_with(start), "{detail}: {start}");
        }
    }

    #[test]
    fn urns_that_paths_cannot_tell_apart_clash() {
        assert!(clash("urn:a:b", "URN:A:B") && clash("urn:a:b", "urn:a:b:c"));
        assert!(!clash("urn:a:b", "urn:a:bc") && !clash("urn:a:b:x", "urn:a:b:y"));
    }
}
