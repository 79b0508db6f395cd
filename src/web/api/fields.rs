//! What an action's parameters are, and how a request's are checked against it.
//!
//! Every parameter is declared in the table of actions: its type, whether it is required, and the
//! rule that the API reference gives for it. Handlers only see what passed, through
//! [`Parameters`], whose accessors therefore cannot fail.

use serde_json::{Map, Value};

use super::refusal::Refusal;
use crate::tc3::CommonCode;

/// A parameter of an action, or a field of one.
#[derive(Debug)]
pub struct Field {
    /// The name on the wire.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether a request without it is refused.
    pub required: bool,
    /// What values it may have.
    pub rule: Rule,
    /// The code for a value that breaks the rule.
    pub violation: &'static str,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A string.
    Text,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit integer that is not negative.
    Unsigned,
    /// A boolean.
    Boolean,
    /// A list of strings.
    TextList,
    /// A list of integers.
    IntegerList,
    /// An object with these fields.
    Object(&'static [Field]),
    /// A list of objects with these fields.
    ObjectList(&'static [Field]),
}

/// What values a parameter may have.
#[derive(Debug, Clone, Copy)]
pub enum Rule {
    /// Whatever its type allows; the room behind the action decides.
    Any,
    /// One of these words, or a list of them. An empty string counts as absent where the parameter is optional.
    OneOf(&'static [&'static str]),
    /// A number in this range, both ends included.
    Within(i64, i64),
    /// At most so many characters.
    Characters(usize),
    /// At most so many entries.
    Entries(usize),
}

impl Field {
    const fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, required: false, rule: Rule::Any, violation: PARAM_ERROR }
    }

    /// An optional string.
    pub const fn text(name: &'static str) -> Self {
        Self::new(name, Kind::Text)
    }

    /// An optional integer.
    pub const fn integer(name: &'static str) -> Self {
        Self::new(name, Kind::Integer)
    }

    /// An optional integer that is not negative.
    pub const fn unsigned(name: &'static str) -> Self {
        Self::new(name, Kind::Unsigned)
    }

    /// An optional boolean.
    pub const fn boolean(name: &'static str) -> Self {
        Self::new(name, Kind::Boolean)
    }

    /// An optional list of strings.
    pub const fn texts(name: &'static str) -> Self {
        Self::new(name, Kind::TextList)
    }

    /// An optional list of integers.
    pub const fn integers(name: &'static str) -> Self {
        Self::new(name, Kind::IntegerList)
    }

    /// An optional object.
    pub const fn object(name: &'static str, fields: &'static [Field]) -> Self {
        Self::new(name, Kind::Object(fields))
    }

    /// An optional list of objects.
    pub const fn objects(name: &'static str, fields: &'static [Field]) -> Self {
        Self::new(name, Kind::ObjectList(fields))
    }

    /// The same, required.
    pub const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// The same, with a rule.
    pub const fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// The same, with another code for a broken rule.
    pub const fn refused_as(mut self, code: &'static str) -> Self {
        self.violation = code;
        self
    }
}

/// The code for a broken rule unless the reference names another.
pub const PARAM_ERROR: &str = "InvalidParameter.ParamError";

/// How a request carries its parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A JSON body, with JSON's own types.
    Body,
    /// A query, in which everything is text.
    Query,
}

/// Parameters that were checked against the fields of their action.
#[derive(Debug, Clone, Default)]
pub struct Parameters(Map<String, Value>);

impl Parameters {
    /// Checks `given` against `fields`: unknown names first, then missing ones, then types and
    /// rules. `null` counts as absent.
    pub fn check(
        fields: &[Field],
        given: Map<String, Value>,
        origin: Origin,
    ) -> Result<Self, Refusal> {
        check_object(fields, given, origin, "").map(Self)
    }

    /// A string; empty when absent.
    pub fn text(&self, name: &str) -> &str {
        self.optional_text(name).unwrap_or_default()
    }

    /// A string, if it was given and is not empty.
    pub fn optional_text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// A string, if it was given; an empty one clears what is there.
    pub fn given_text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// An integer, if it was given.
    pub fn integer(&self, name: &str) -> Option<i64> {
        self.0.get(name).and_then(Value::as_i64)
    }

    /// Whether it was given and is true.
    pub fn is_true(&self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Whether it was given, be it empty.
    pub fn is_given(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A list of strings; empty when absent.
    pub fn texts(&self, name: &str) -> Vec<&str> {
        self.list(name).iter().filter_map(Value::as_str).collect()
    }

    /// A list of integers; empty when absent.
    pub fn integers(&self, name: &str) -> Vec<i64> {
        self.list(name).iter().filter_map(Value::as_i64).collect()
    }

    /// An object; an empty one when absent.
    pub fn object(&self, name: &str) -> Parameters {
        Parameters(self.0.get(name).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// The names of what was given.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A list of objects; empty when absent.
    pub fn objects(&self, name: &str) -> Vec<Parameters> {
        let objects = self.list(name).iter().filter_map(Value::as_object);
        objects.map(|object| Parameters(object.clone())).collect()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.0.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }
}

fn check_object(
    fields: &[Field],
    given: Map<String, Value>,
    origin: Origin,
    path: &str,
) -> Result<Map<String, Value>, Refusal> {
    let path_of =
        |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    if let Some(name) = given.keys().find(|name| fields.iter().all(|field| field.name != **name)) {
        let name: String = path_of(name).chars().take(100).collect();
        return Err(Refusal::common(
            CommonCode::UnknownParameter,
            format!("The parameter `{name}` is not recognized."),
        ));
    }
    let absent = |field: &Field| given.get(field.name).is_none_or(Value::is_null);
    if let Some(field) = fields.iter().find(|field| field.required && absent(field)) {
        return Err(Refusal::common(
            CommonCode::MissingParameter,
            format!("The request is missing the required parameter `{}`.", path_of(field.name)),
        ));
    }
    let mut checked = Map::new();
    for (name, value) in given {
        let Some(field) = fields.iter().find(|field| field.name == name) else { continue };
        if !value.is_null() {
            let value = check_value(field, value, origin, &path_of(field.name))?;
            checked.insert(name, value);
        }
    }
    Ok(checked)
}

fn check_value(field: &Field, value: Value, origin: Origin, path: &str) -> Result<Value, Refusal> {
    let value = match field.kind {
        Kind::Text => scalar(Scalar::Text, &value, origin, path)?,
        Kind::Integer => scalar(Scalar::Integer, &value, origin, path)?,
        Kind::Unsigned => scalar(Scalar::Unsigned, &value, origin, path)?,
        Kind::Boolean => scalar(Scalar::Boolean, &value, origin, path)?,
        Kind::TextList => {
            list(value, path, |item, path| scalar(Scalar::Text, &item, origin, path))?
        }
        Kind::IntegerList => {
            list(value, path, |item, path| scalar(Scalar::Integer, &item, origin, path))?
        }
        Kind::Object(fields) => match value {
            Value::Object(object) => {
                check_object(fields, object, origin, path).map(Value::Object)?
            }
            _ => return Err(wrong_type(path, "an object")),
        },
        Kind::ObjectList(fields) => list(value, path, |item, path| match item {
            Value::Object(object) => check_object(fields, object, origin, path).map(Value::Object),
            _ => Err(wrong_type(path, "an object")),
        })?,
    };
    match broken_rule(field, &value) {
        None => Ok(value),
        Some(must) => {
            Err(Refusal::new(field.violation, format!("The parameter `{path}` must {must}.")))
        }
    }
}

/// What a value should have been, if it breaks its field's rule.
fn broken_rule(field: &Field, value: &Value) -> Option<String> {
    let (holds, must) = match (field.rule, value) {
        (Rule::OneOf(words), Value::String(word)) => {
            let absent = word.is_empty() && !field.required;
            let holds = absent || words.contains(&word.as_str());
            (holds, format!("be one of {}", words.join(", ")))
        }
        (Rule::OneOf(words), Value::Array(items)) => {
            let known = |item: &Value| item.as_str().is_some_and(|word| words.contains(&word));
            (items.iter().all(known), format!("have entries of {} only", words.join(", ")))
        }
        (Rule::Within(least, most), Value::Number(number)) => {
            let holds = number.as_i64().is_some_and(|number| (least..=most).contains(&number));
            (holds, format!("be between {least} and {most}"))
        }
        (Rule::Characters(most), Value::String(text)) => {
            (text.chars().count() <= most, format!("have at most {most} characters"))
        }
        (Rule::Entries(most), Value::Array(items)) => {
            (items.len() <= most, format!("have at most {most} entries"))
        }
        _ => return None,
    };
    (!holds).then_some(must)
}

#[derive(Clone, Copy)]
enum Scalar {
    Text,
    Integer,
    Unsigned,
    Boolean,
}

fn scalar(wanted: Scalar, value: &Value, origin: Origin, path: &str) -> Result<Value, Refusal> {
    // In a query a number or a boolean is text that reads as one.
    let in_query = if origin == Origin::Query { value.as_str() } else { None };
    let integer = || {
        let read = in_query.and_then(|text| text.parse::<i64>().ok());
        value.as_i64().or(read)
    };
    let (read, name) = match wanted {
        Scalar::Text => (value.as_str().map(Value::from), "a string"),
        Scalar::Integer => (integer().map(Value::from), "a 64-bit integer"),
        Scalar::Unsigned => {
            (integer().filter(|number| *number >= 0).map(Value::from), "an integer of at least 0")
        }
        Scalar::Boolean => {
            let read = in_query.and_then(|text| text.parse::<bool>().ok());
            (value.as_bool().or(read).map(Value::from), "a boolean")
        }
    };
    let read = read.ok_or_else(|| wrong_type(path, name))?;
    // NUL is refused here because PostgreSQL cannot keep it.
    if read.as_str().is_some_and(|text| text.contains('\0')) {
        return Err(wrong_type(path, "a string without NUL"));
    }
    Ok(read)
}

fn list(
    value: Value,
    path: &str,
    one: impl Fn(Value, &str) -> Result<Value, Refusal>,
) -> Result<Value, Refusal> {
    let Value::Array(items) = value else { return Err(wrong_type(path, "a list")) };
    let items = items.into_iter().enumerate();
    let checked: Result<Vec<Value>, Refusal> =
        items.map(|(index, item)| one(item, &format!("{path}.{index}"))).collect();
    checked.map(Value::Array)
}

fn wrong_type(path: &str, wanted: &str) -> Refusal {
    Refusal::common(
        CommonCode::InvalidParameter,
        format!("The parameter `{path}` must be {wanted}."),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const INNER: &[Field] = &[Field::text("Type").required(), Field::integer("Uin")];
    const FIELDS: &[Field] = &[
        Field::text("Name").required().rule(Rule::Characters(3)),
        Field::text("Status")
            .rule(Rule::OneOf(&["On", "Off"]))
            .refused_as("InvalidParameter.Status"),
        Field::integer("Max").rule(Rule::Within(1, 100)),
        Field::unsigned("Offset"),
        Field::boolean("Flag"),
        Field::texts("Names").rule(Rule::Entries(2)),
        Field::texts("Words").rule(Rule::OneOf(&["On", "Off"])),
        Field::objects("Infos", INNER),
    ];

    fn check(given: Value, origin: Origin) -> Result<Parameters, (String, String)> {
        let Value::Object(given) = given else { panic!("an object") };
        Parameters::check(FIELDS, given, origin).map_err(|refusal| refusal.code_and_message())
    }

    #[test]
    fn what_passes_can_be_read() {
        let body = json!({
            "Name": "äöü", "Status": "On", "Max": 100, "Flag": false, "Names": ["a"],
            "Infos": [{"Type": "x", "Uin": 7}, {"Type": "y", "Uin": null}], "Offset": null,
        });
        let query = json!({
            "Name": "äöü", "Status": "On", "Max": "100", "Flag": "false", "Names": ["a"],
            "Infos": [{"Type": "x", "Uin": "7"}, {"Type": "y"}],
        });
        for (given, origin) in [(body, Origin::Body), (query, Origin::Query)] {
            let parameters = check(given, origin).unwrap();
            assert_eq!(parameters.text("Name"), "äöü");
            assert_eq!(parameters.integer("Max"), Some(100));
            assert_eq!(parameters.integer("Offset"), None);
            assert_eq!(parameters.0.get("Flag"), Some(&Value::Bool(false)));
            assert_eq!(parameters.texts("Names"), ["a"]);
            let infos = parameters.objects("Infos");
            assert_eq!((infos[0].text("Type"), infos[0].integer("Uin")), ("x", Some(7)));
            assert_eq!(infos[1].integer("Uin"), None);
        }
    }

    #[test]
    fn what_does_not_pass_is_named() {
        for (given, code, word) in [
            (json!({"Name": "a", "name": "a"}), "UnknownParameter", "`name`"),
            (json!({"Extra": 1}), "UnknownParameter", "`Extra`"),
            (json!({}), "MissingParameter", "`Name`"),
            (json!({"Name": null}), "MissingParameter", "`Name`"),
            (json!({"Name": 1}), "InvalidParameter", "`Name`"),
            (json!({"Name": "a\0"}), "InvalidParameter", "`Name`"),
            (json!({"Name": "abcd"}), PARAM_ERROR, "`Name`"),
            (json!({"Name": "a", "Status": "on"}), "InvalidParameter.Status", "`Status`"),
            (json!({"Name": "a", "Max": "1"}), "InvalidParameter", "`Max`"),
            (json!({"Name": "a", "Max": 1.5}), "InvalidParameter", "`Max`"),
            (json!({"Name": "a", "Max": 0}), PARAM_ERROR, "`Max`"),
            (json!({"Name": "a", "Max": 101}), PARAM_ERROR, "`Max`"),
            (json!({"Name": "a", "Offset": -1}), "InvalidParameter", "`Offset`"),
            (json!({"Name": "a", "Flag": "true"}), "InvalidParameter", "`Flag`"),
            (json!({"Name": "a", "Words": ["On", "Of"]}), PARAM_ERROR, "`Words`"),
            (json!({"Name": "a", "Names": "x"}), "InvalidParameter", "`Names`"),
            (json!({"Name": "a", "Names": ["x", 1]}), "InvalidParameter", "`Names.1`"),
            (json!({"Name": "a", "Names": ["x", "y", "z"]}), PARAM_ERROR, "`Names`"),
            (json!({"Name": "a", "Infos": [1]}), "InvalidParameter", "`Infos.0`"),
            (json!({"Name": "a", "Infos": [{}]}), "MissingParameter", "`Infos.0.Type`"),
            (
                json!({"Name": "a", "Infos": [{"Type": "x", "Y": 1}]}),
                "UnknownParameter",
                "`Infos.0.Y`",
            ),
        ] {
            let (found, message) = check(given.clone(), Origin::Body).unwrap_err();
            assert_eq!(found, code, "{given}");
            assert!(message.contains(word), "{given}: {message}");
        }
        let (code, _) = check(json!({"Name": "a", "Max": "x"}), Origin::Query).unwrap_err();
        assert_eq!(code, "InvalidParameter");
    }
}
