//! Bodies without secrets.

use serde_json::{Map, Value};

use super::MAX_BODY;

/// What stands in the place of a secret.
const HIDDEN: &str = "(not recorded)";

/// A body as it may be kept: passwords hidden, cut at [`MAX_BODY`]. A body that holds the word and
/// is no JSON is not kept at all, because nobody can tell what in it is secret.
pub fn redact(body: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(body).ok()?;
    let kept = cut(text);
    // With NUL it is no JSON, and nothing that a database keeps: one such body must not cost the
    // records that are written together with it.
    if kept.trim().is_empty() || kept.contains('\0') {
        return None;
    }
    if !may_hold_password(kept) {
        return Some(kept.to_owned());
    }
    let mut value: Value = serde_json::from_str(text).ok()?;
    hide(&mut value);
    Some(cut(&value.to_string()).to_owned())
}

/// Whether the word stands anywhere in the text, or could behind an escape.
fn may_hold_password(text: &str) -> bool {
    const WORD: &[u8] = b"password";
    // An escape could spell it, and a cut could have split the escape.
    text.contains('\\')
        || text.as_bytes().windows(WORD.len()).any(|window| window.eq_ignore_ascii_case(WORD))
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BODY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// Whether an attribute name or a path ends in the one attribute that is secret.
fn names_password(name: &str) -> bool {
    let last = name.rsplit([':', '.']).next().unwrap_or(name).trim();
    last.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("password"))
}

/// Hides every member called `password`, and the value of every PATCH operation whose path names
/// it. Nesting is bounded by the JSON parser.
fn hide(value: &mut Value) {
    match value {
        Value::Object(object) => {
            let on_password = text(object, "path").is_some_and(|path| names_password(&path));
            for (name, inner) in object.iter_mut() {
                let is_operand = on_password && name.eq_ignore_ascii_case("value");
                if is_operand || names_password(name) {
                    *inner = HIDDEN.into();
                } else {
                    hide(inner);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(hide),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text(object: &Map<String, Value>, wanted: &str) -> Option<String> {
    object
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .and_then(|(_, value)| value.as_str())
        .map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_hidden_however_they_are_sent() {
        for body in [
            r#"{"userName":"a","password":"geheim"}"#,
            r#"{"userName":"a","PassWord":"geheim"}"#,
            r#"{"userName":"a","pass\u0077ord":"geheim"}"#,
            r#"{"Operations":[{"op":"replace","path":"password","value":"geheim"}]}"#,
            r#"{"Operations":[{"op":"add","Path":"urn:ietf:params:scim:schemas:core:2.0:User:password","VALUE":"geheim"}]}"#,
            r#"{"Operations":[{"op":"replace","value":{"password":"geheim"}}]}"#,
            r#"{"Operations":[{"method":"POST","data":{"password":{"x":["geheim"]}}}]}"#,
            r#"{"urn:ietf:params:scim:schemas:core:2.0:User:password":"geheim"}"#,
        ] {
            let kept = redact(body.as_bytes()).unwrap();
            assert!(!kept.contains("geheim"), "{kept}");
            assert!(kept.contains(HIDDEN), "{kept}");
        }
    }

    #[test]
    fn everything_else_is_kept_as_it_came() {
        let body = "{ \"userName\" : \"a\",\n \"title\":\"1.0e5\" }";
        assert_eq!(redact(body.as_bytes()).as_deref(), Some(body));
        assert_eq!(redact(br#"{"password":"geheim""#), None);
        assert_eq!(redact(b"password=geheim"), None);
        assert_eq!(redact(b"hello").as_deref(), Some("hello"));
        assert_eq!(redact(b"\xff"), None);
        assert_eq!(redact(b""), None);
    }

    #[test]
    fn a_long_body_is_cut_between_characters() {
        let body = format!("[\"{}\"]", "é".repeat(MAX_BODY));
        let kept = redact(body.as_bytes()).unwrap();
        assert!(kept.len() <= MAX_BODY && kept.len() > MAX_BODY - 4);
    }
}
