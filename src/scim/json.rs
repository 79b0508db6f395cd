//! Strict reading of JSON bodies: what two readers could understand differently is refused.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::error::{Error, ErrorKind};

/// Deepest nesting of a body. SCIM needs five levels; the parser's own bound is 128.
const MAX_DEPTH: usize = 32;

/// Reads one JSON value and nothing after it.
///
/// Refused besides malformed JSON: an object that names a member twice (readers disagree on
/// which one counts), NUL in any string (PostgreSQL cannot store it) and nesting deeper than
/// 32 levels.
pub fn parse(body: &[u8]) -> Result<Value, Error> {
    let mut reader = serde_json::Deserializer::from_slice(body);
    Strict { depth: 0 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| Error::new(ErrorKind::InvalidSyntax, format!("The body: {error}")))
}

/// [`parse`], for the bodies that must be objects: all of them.
pub fn parse_object(body: &[u8]) -> Result<Map<String, Value>, Error> {
    match parse(body)? {
        Value::Object(object) => Ok(object),
        _ => Err(Error::new(ErrorKind::InvalidSyntax, "The body must be a JSON object")),
    }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: usize,
}

impl Strict {
    fn deeper<E: serde::de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

fn without_nul<E: serde::de::Error>(text: &str) -> Result<(), E> {
    if text.contains('\0') {
        return Err(E::custom("a string holds the character U+0000"));
    }
    Ok(())
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E: serde::de::Error>(self, value: &str) -> Result<Value, E> {
        without_nul(value)?;
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, value: String) -> Result<Value, E> {
        without_nul(&value)?;
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut elements = Vec::new();
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        // Most objects are members of a group, one name each, and there may be a hundred thousand.
        let mut object = Map::with_capacity(1);
        while let Some(name) = access.next_key::<String>()? {
            without_nul(&name)?;
            let value = access.next_value_seed(inner)?;
            if object.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the member {name:?} appears twice")));
            }
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> String {
        let error = parse(body.as_bytes()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::InvalidSyntax);
        error.detail
    }

    #[test]
    fn ordinary_json_is_read_unchanged() {
        let text = r#"{"a":[1,-2,1.5,true,null,"é\"\\"],"b":{}}"#;
        assert_eq!(parse(text.as_bytes()).unwrap(), serde_json::from_str::<Value>(text).unwrap());
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert!(refusal(r#"{"active":true,"active":false}"#).contains("appears twice"));
        assert!(refusal(r#"{"a":"x\u0000"}"#).contains("U+0000"));
        assert!(refusal(r#"{"a\u0000":1}"#).contains("U+0000"));
        assert!(refusal(r#"{"a":1} x"#).contains("trailing"));
        assert!(refusal("").contains("EOF"));
        assert!(parse(b"{\"a\":\"\xff\"}").is_err());
        assert!(parse(b"{\"a\":1e999}").is_err());
    }

    #[test]
    fn ten_thousand_levels_are_refused_and_do_not_overflow() {
        let deep = "[".repeat(10_000) + &"]".repeat(10_000);
        assert!(parse(deep.as_bytes()).is_err());
        let allowed = "[".repeat(MAX_DEPTH) + &"]".repeat(MAX_DEPTH);
        assert!(parse(allowed.as_bytes()).is_ok());
        assert!(refusal(&format!("[{allowed}]")).contains("deeper"));
    }
}
