//! A CAM policy document, read strictly: what we would have to guess is an error that names its
//! place.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::SerializeMap,
};

use super::{
    condition::Condition,
    pattern::{ActionPattern, ResourcePattern},
};

/// Longest document we read, in bytes; CAM's own limit is 6,144 characters.
pub const MAX_LENGTH: usize = 6144;

/// What a statement does to the requests it covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Grants, unless something denies.
    Allow,
    /// Refuses, whatever else allows.
    Deny,
}

/// A policy: its statements in the order written. The version is always `2.0`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// The actions it speaks of; never empty.
    pub actions: Vec<ActionPattern>,
    /// The resources it speaks of; never empty.
    pub resources: Vec<ResourcePattern>,
    /// All of them must hold; empty means always.
    pub conditions: Vec<Condition>,
}

/// Why a document is refused, and where: `statement[1].effect: must be allow or deny`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{problem}", if path.is_empty() { String::new() } else { format!("{path}: ") })]
pub struct Error {
    /// The field, as a path from the top; empty for the document itself.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

/// What can be wrong with a field of a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is not JSON.
    #[error("not valid JSON at line {line}, column {column}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// Over [`MAX_LENGTH`].
    #[error("longer than {MAX_LENGTH} bytes")]
    TooLong,
    /// Another JSON type belongs here.
    #[error("must be {0}")]
    WrongType(&'static str),
    /// A required field is absent.
    #[error("is missing")]
    Missing,
    /// A field that policies do not have.
    #[error("is not a field of a policy")]
    UnknownField,
    /// The same field twice, perhaps in another case.
    #[error("appears twice")]
    Twice,
    /// A list or object without entries.
    #[error("must not be empty")]
    Empty,
    /// Only `2.0` exists.
    #[error("must be \"2.0\"")]
    BadVersion,
    /// Neither allow nor deny.
    #[error("must be allow or deny")]
    BadEffect,
    /// Not `*` or `service:Action`.
    #[error("must be \"*\" or of the form service:Action")]
    BadAction,
    /// Not `*` or six segments.
    #[error("must be \"*\" or of the form qcs:project:service:region:account:resource")]
    BadResource,
    /// Nobody whom a role could trust.
    #[error(
        "must be of the form qcs::cam::uin/ACCOUNT:root, qcs::cam::uin/ACCOUNT:uin/USER, \
         qcs::cam::uin/ACCOUNT:saml-provider/NAME, or a service's name"
    )]
    BadPrincipal,
    /// An empty or very long key in a condition.
    #[error("is not the name of a fact")]
    BadConditionKey,
    /// The operator cannot read this value.
    #[error("holds a value that this operator cannot compare")]
    BadConditionValue,
}

impl Document {
    /// Reads and lints a document.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self { statements: statements(text, statement)? })
    }

    /// A document made of these statements.
    pub fn new(statements: Vec<Statement>) -> Self {
        Self { statements }
    }

    /// The statements in the order written.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Places of operators that evaluation cannot decide, for a warning next to the editor: such
    /// a statement never grants and always refuses.
    pub fn unknown_operators(&self) -> Vec<String> {
        unknown_operators(self.statements.iter().map(|statement| statement.conditions.as_slice()))
    }

    /// The document as canonical JSON: equal documents give equal text.
    pub fn to_json(&self) -> String {
        serde_json::json!({ "version": "2.0", "statement": self.statements }).to_string()
    }
}

pub(super) fn at(path: impl Into<String>, problem: Problem) -> Error {
    Error { path: path.into(), problem }
}

pub(super) fn unknown_operators<'a>(
    statements: impl Iterator<Item = &'a [Condition]>,
) -> Vec<String> {
    let mut places = Vec::new();
    for (index, conditions) in statements.enumerate() {
        for condition in conditions.iter().filter(|one| !one.is_known()) {
            places.push(format!("statement[{index}].condition.{}", condition.operator()));
        }
    }
    places
}

/// Reads a document of either kind: its version, and each statement with `one`.
pub(super) fn statements<T>(
    text: &str,
    one: impl Fn(&Node, String) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    if text.len() > MAX_LENGTH {
        return Err(at("", Problem::TooLong));
    }
    let node: Node = serde_json::from_str(text)
        .map_err(|error| at("", Problem::NotJson { line: error.line(), column: error.column() }))?;
    let mut fields = Fields::of(&node, String::new())?;
    let version = fields.required("version")?;
    if version != (&Node::Text("2.0".to_owned())) {
        return Err(at("version", Problem::BadVersion));
    }
    let statements = match fields.required("statement")? {
        Node::List(items) if items.is_empty() => {
            return Err(at("statement", Problem::Empty));
        }
        Node::List(items) => items
            .iter()
            .enumerate()
            .map(|(index, item)| one(item, format!("statement[{index}]")))
            .collect::<Result<_, _>>()?,
        single @ Node::Object(_) => vec![one(single, "statement".to_owned())?],
        _ => return Err(at("statement", Problem::WrongType("a list of statements"))),
    };
    fields.nothing_left()?;
    Ok(statements)
}

pub(super) fn effect(fields: &mut Fields<'_>) -> Result<Effect, Error> {
    match fields.required("effect")? {
        Node::Text(text) if text.eq_ignore_ascii_case("allow") => Ok(Effect::Allow),
        Node::Text(text) if text.eq_ignore_ascii_case("deny") => Ok(Effect::Deny),
        _ => Err(at(fields.path_of("effect"), Problem::BadEffect)),
    }
}

fn statement(node: &Node, path: String) -> Result<Statement, Error> {
    let mut fields = Fields::of(node, path)?;
    let effect = effect(&mut fields)?;
    let actions = fields.entries("action", ActionPattern::parse)?;
    let resources = fields.entries("resource", ResourcePattern::parse)?;
    let conditions = conditions(&mut fields)?;
    fields.nothing_left()?;
    Ok(Statement { effect, actions, resources, conditions })
}

pub(super) fn conditions(fields: &mut Fields<'_>) -> Result<Vec<Condition>, Error> {
    let Some(block) = fields.optional("condition") else { return Ok(Vec::new()) };
    let operators = Fields::of(block, fields.path_of("condition"))?;
    let mut conditions = Vec::new();
    for (operator, block) in operators.all() {
        let keys = Fields::of(block, operators.path_of(operator))?;
        if keys.all().next().is_none() {
            return Err(at(keys.path, Problem::Empty));
        }
        for (key, values) in keys.all() {
            let place = keys.path_of(key);
            let values = scalars(values).ok_or_else(|| {
                at(&place, Problem::WrongType("a string, number or boolean, or a list of them"))
            })?;
            if values.is_empty() {
                return Err(at(place, Problem::Empty));
            }
            let condition =
                Condition::parse(operator, key, values).map_err(|problem| at(place, problem))?;
            conditions.push(condition);
        }
    }
    Ok(conditions)
}

fn scalars(node: &Node) -> Option<Vec<String>> {
    match node {
        Node::List(items) => items.iter().map(scalar).collect(),
        single => scalar(single).map(|value| vec![value]),
    }
}

fn scalar(node: &Node) -> Option<String> {
    match node {
        Node::Text(text) | Node::Scalar(text) => Some(text.clone()),
        Node::Null | Node::List(_) | Node::Object(_) => None,
    }
}

/// The fields of one object, taken one by one so that what is left over is known.
pub(super) struct Fields<'a> {
    path: String,
    entries: Vec<(&'a str, &'a Node, bool)>,
}

impl<'a> Fields<'a> {
    /// Refuses anything but an object, and any field written twice: which of the two counts must
    /// never be a parser's private choice.
    pub(super) fn of(node: &'a Node, path: String) -> Result<Self, Error> {
        let Node::Object(pairs) = node else {
            return Err(at(path, Problem::WrongType("an object")));
        };
        let mut fields = Self { path, entries: Vec::with_capacity(pairs.len()) };
        for (name, value) in pairs {
            if fields.entries.iter().any(|(seen, ..)| seen.eq_ignore_ascii_case(name)) {
                return Err(at(fields.path_of(name), Problem::Twice));
            }
            fields.entries.push((name, value, false));
        }
        Ok(fields)
    }

    pub(super) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    pub(super) fn optional(&mut self, name: &str) -> Option<&'a Node> {
        let entry = self.entries.iter_mut().find(|(seen, ..)| seen.eq_ignore_ascii_case(name))?;
        entry.2 = true;
        Some(entry.1)
    }

    pub(super) fn required(&mut self, name: &str) -> Result<&'a Node, Error> {
        self.optional(name).ok_or_else(|| at(self.path_of(name), Problem::Missing))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (&'a str, &'a Node)> {
        self.entries.iter().map(|(name, value, _)| (*name, *value))
    }

    /// A string, or a list of strings that is not empty.
    pub(super) fn entries<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Result<T, Problem>,
    ) -> Result<Vec<T>, Error> {
        let path = self.path_of(name);
        match self.required(name)? {
            Node::Text(text) => Ok(vec![parse(text).map_err(|problem| at(path, problem))?]),
            Node::List(items) if items.is_empty() => Err(at(path, Problem::Empty)),
            Node::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| {
                    let path = format!("{path}[{index}]");
                    match item {
                        Node::Text(text) => parse(text).map_err(|problem| at(path, problem)),
                        _ => Err(at(path, Problem::WrongType("a string"))),
                    }
                })
                .collect(),
            _ => Err(at(path, Problem::WrongType("a string or a list of strings"))),
        }
    }

    pub(super) fn nothing_left(&self) -> Result<(), Error> {
        match self.entries.iter().find(|(.., taken)| !taken) {
            Some((name, ..)) => Err(at(self.path_of(name), Problem::UnknownField)),
            None => Ok(()),
        }
    }
}

/// JSON that keeps every pair of an object, so that repeated keys can be seen and refused.
#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Text(String),
    /// A number or a boolean, as text.
    Scalar(String),
    List(Vec<Node>),
    Object(Vec<(String, Node)>),
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NodeVisitor;

        impl<'de> Visitor<'de> for NodeVisitor {
            type Value = Node;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("JSON")
            }

            fn visit_unit<E>(self) -> Result<Node, E> {
                Ok(Node::Null)
            }

            fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
                Ok(Node::Scalar(value.to_string()))
            }

            fn visit_str<E>(self, value: &str) -> Result<Node, E> {
                Ok(Node::Text(value.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
                let mut list = Vec::new();
                while let Some(item) = items.next_element()? {
                    list.push(item);
                }
                Ok(Node::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = entries.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Node::Object(pairs))
            }
        }

        deserializer.deserialize_any(NodeVisitor)
    }
}

impl Serialize for Statement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_map(None)?;
        fields.serialize_entry("effect", &self.effect)?;
        let actions: Vec<&str> = self.actions.iter().map(ActionPattern::as_str).collect();
        fields.serialize_entry("action", &actions)?;
        let resources: Vec<&str> = self.resources.iter().map(ResourcePattern::as_str).collect();
        fields.serialize_entry("resource", &resources)?;
        if !self.conditions.is_empty() {
            let mut blocks = serde_json::Map::new();
            for condition in &self.conditions {
                let block = blocks
                    .entry(condition.operator())
                    .or_insert_with(|| serde_json::Value::Object(serde_json::Map::new()));
                if let serde_json::Value::Object(keys) = block {
                    keys.insert(condition.key().to_owned(), condition.values().into());
                }
            }
            fields.serialize_entry("condition", &blocks)?;
        }
        fields.end()
    }
}
