//! Values: of the type their attribute says, otherwise as they were sent.

use serde_json::{Map, Value, json};

use super::{MAX_VALUES, note, wrong_type};
use crate::scim::error::{Error, ErrorKind};
use crate::scim::evaluate::parse_time;
use crate::scim::schema::{Attribute, Kind, Mutability, Returned, find};

/// Reads the value of an attribute; none when it is unassigned (RFC 7643 §2.5: null, `[]`).
pub(in crate::scim) fn read_value(
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
pub(in crate::scim) fn is_primary(element: &Value) -> bool {
    element.get("primary") == Some(&Value::Bool(true))
}

/// Reads one value, list or not.
pub(in crate::scim) fn read_single(
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
        (Kind::Boolean, Value::Bool(_)) | (Kind::String | Kind::Reference, Value::String(_)) => {
            value.clone()
        }
        // OneLogin sends the empty string where it has no value. Not so for booleans: nobody is
        // enabled by saying nothing.
        (Kind::DateTime | Kind::Integer | Kind::Decimal, Value::String(text))
            if text.is_empty() =>
        {
            return Ok(None);
        }
        (Kind::DateTime, Value::String(text)) if is_time(text) => value.clone(),
        (Kind::DateTime, Value::String(_)) => {
            return Err(wrong_type(place, "a time such as 2026-01-31T12:00:00Z"));
        }
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

/// RFC 7643 §2.3.5: date and time; without an offset the time is known to its sender only.
fn is_time(text: &str) -> bool {
    parse_time(text).is_some()
        || text.contains('T') && text.parse::<jiff::civil::DateTime>().is_ok()
}

/// RFC 7643 §2.3.6: base64 in either alphabet; the text itself is kept as sent.
fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=')
    })
}

/// Reads the members of an object that `attributes` know.
pub(in crate::scim) fn read_object(
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
