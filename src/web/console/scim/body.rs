//! A recorded body as it is shown: indented, with the operation that was refused marked.

use serde_json::Value;

/// A body in three parts; the second is what a refusal is about.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    pub before: String,
    pub marked: Option<String>,
    pub after: String,
}

impl Shown {
    fn plain(text: String) -> Self {
        Self { before: text, ..Self::default() }
    }
}

/// Which operation a detail names: `Operations[n]`, counted from 0.
pub(super) fn operation_of(detail: &str) -> Option<usize> {
    let (_, rest) = detail.split_once("Operations[")?;
    rest.split_once(']')?.0.parse().ok()
}

/// The body, indented where it is JSON. `unique` is text that stands nowhere in it.
pub(super) fn show(body: &str, operation: Option<usize>, unique: &str) -> Shown {
    let Ok(mut value) = serde_json::from_str::<Value>(body) else {
        return Shown::plain(body.to_owned());
    };
    let refused = operation.and_then(|index| {
        let object = value.as_object_mut()?;
        let (_, list) =
            object.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case("operations"))?;
        let place = list.as_array_mut()?.get_mut(index)?;
        Some(std::mem::replace(place, Value::String(unique.to_owned())))
    });
    let text = indented(&value);
    let Some(refused) = refused else { return Shown::plain(text) };
    let Some((before, after)) = text.split_once(&Value::String(unique.to_owned()).to_string())
    else {
        return Shown::plain(text);
    };
    // It stands in a list in an object.
    let marked = indented(&refused).replace('\n', "\n    ");
    Shown { before: before.to_owned(), marked: Some(marked), after: after.to_owned() }
}

/// Text with its JSON indented; text that is none as it is.
pub(super) fn pretty(text: &str) -> String {
    serde_json::from_str::<Value>(text).map_or_else(|_| text.to_owned(), |value| indented(&value))
}

fn indented(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_refused_operation_is_marked_and_nothing_is_lost() {
        let body = r#"{"schemas":["s"],"operations":[{"op":"add"},{"op":"frob","value":[1]}]}"#;
        let shown = show(body, operation_of("Operations[1]: op must be add"), "sr-7");
        let marked = shown.marked.unwrap();
        assert!(marked.contains("frob") && !shown.before.contains("frob"), "{marked}");
        let whole: Value =
            serde_json::from_str(&format!("{}{marked}{}", shown.before, shown.after)).unwrap();
        assert_eq!(whole, serde_json::from_str::<Value>(body).unwrap());
    }

    #[test]
    fn what_cannot_be_marked_is_shown_as_it_is() {
        assert_eq!(show("{", Some(0), "x").before, "{");
        assert_eq!(show(r#"{"Operations":7}"#, Some(0), "x").marked, None);
        assert_eq!(show(r#"{"Operations":[]}"#, Some(3), "x").marked, None);
        assert_eq!(show("[1]", Some(3), "x").before, "[\n  1\n]");
        assert_eq!(operation_of("userName is required"), None);
        assert_eq!(operation_of("Operations[99999999999999999999]"), None);
    }
}
