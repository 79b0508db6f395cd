//! What the API has, for those who go over all of it.

use serde_json::{Map, Value, json};

use super::{
    call::Access,
    fields::{Field, Kind, Rule},
    table::TABLE,
};

/// An action as a caller sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct Described {
    /// Its service, as in the credential scope.
    pub service: &'static str,
    /// The version of that.
    pub version: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Whether it is for administrators of the management account alone.
    pub for_administrators: bool,
    /// Whether it is about a space.
    pub about_space: bool,
    /// The least that a request must say: every required parameter, with a value that its type and
    /// its rule let through. It names nothing that is there.
    pub least: Value,
}

/// Every action that may be called with a signature.
pub fn described() -> Vec<Described> {
    TABLE
        .iter()
        .flat_map(|part| {
            part.actions().map(|action| Described {
                service: part.service,
                version: part.version,
                name: action.name,
                for_administrators: action.access == Access::Administrator,
                about_space: action.is_about_space(),
                least: Value::Object(least(action.fields)),
            })
        })
        .collect()
}

fn least(fields: &[Field]) -> Map<String, Value> {
    let required = fields.iter().filter(|field| field.required);
    required.map(|field| (field.name.to_owned(), value(field))).collect()
}

fn value(field: &Field) -> Value {
    match field.kind {
        Kind::Text => match field.rule {
            Rule::OneOf(words) => json!(words.first().copied().unwrap_or_default()),
            Rule::Any | Rule::Within(..) | Rule::Characters(_) | Rule::Entries(_) => json!("x"),
        },
        Kind::Integer | Kind::Unsigned => match field.rule {
            Rule::Within(least, _) => json!(least),
            Rule::Any | Rule::OneOf(_) | Rule::Characters(_) | Rule::Entries(_) => json!(1),
        },
        Kind::Boolean => json!(true),
        Kind::TextList => match field.rule {
            Rule::OneOf(words) => json!([words.first().copied().unwrap_or_default()]),
            Rule::Any | Rule::Within(..) | Rule::Characters(_) | Rule::Entries(_) => json!(["x"]),
        },
        Kind::IntegerList => json!([1]),
        Kind::Object(fields) => Value::Object(least(fields)),
        Kind::ObjectList(fields) => json!([least(fields)]),
    }
}
