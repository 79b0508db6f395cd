//! PATCH (RFC 7644 §3.5.2): a list of operations, all of them or none.
//!
//! The document changes here; the members of a group do not live in its document, so what the
//! operations want of them comes out as a list of changes to a set.

mod attribute;
mod members;
#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use super::document::{self, Omission};
use super::error::{Error, ErrorKind};
use super::evaluate;
use super::filter::Filter;
use super::path::Path;
use super::schema::{Location, Mutability, Resolved, ResourceType, Returned, Schema};

/// Most operations in one request.
pub const MAX_OPERATIONS: usize = 10_000;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Adds values, sets single ones.
    Add,
    /// Replaces values.
    Replace,
    /// Removes values.
    Remove,
}

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// What it does.
    pub action: Action,
    /// Its target, not yet parsed; none for the whole resource.
    pub path: Option<String>,
    /// Its value; none when absent.
    pub value: Option<Value>,
}

/// The operations of a request, in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    operations: Vec<Operation>,
}

/// A change to the members of a group. Applied in order; adding who is there and removing who
/// is not are no errors.
#[derive(Debug, Clone, PartialEq)]
pub enum MemberChange<'a> {
    /// These join.
    Add(Vec<String>),
    /// These leave.
    Remove(Vec<String>),
    /// These, and only these, are members.
    Replace(Vec<String>),
    /// The members that satisfy the filter of the brackets leave; see [`member_matches`].
    RemoveMatching(Filter<'a>),
}

/// What a patch makes of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Patched<'a> {
    /// The new document.
    pub attributes: Map<String, Value>,
    /// Whether it differs from the old one.
    pub changed: bool,
    /// What is to happen to the members.
    pub members: Vec<MemberChange<'a>>,
}

/// Whether a member, as an element of `members`, satisfies a filter of brackets.
pub fn member_matches(filter: &Filter<'_>, member: &Value) -> bool {
    super::schema::find(&super::schema::GROUP.attributes, "members")
        .is_some_and(|members| evaluate::element_matches(filter, members, member))
}

impl Patch {
    /// Reads a PATCH body. `schemas` may be missing, operations may hold more than the RFC
    /// names (Entra ID: `name`), names and the operation count in any letter case.
    pub fn parse(body: Map<String, Value>) -> Result<Self, Error> {
        let mut operations = None;
        for (name, value) in body {
            if name.eq_ignore_ascii_case("Operations") {
                if operations.is_some() {
                    return Err(syntax("Operations appears twice"));
                }
                operations = Some(value);
            }
        }
        let list = match operations {
            Some(Value::Array(list)) => list,
            // A single operation without its list.
            Some(single @ Value::Object(_)) => vec![single],
            _ => return Err(syntax("Operations must be a list")),
        };
        if list.is_empty() {
            return Err(syntax("Operations is empty"));
        }
        if list.len() > MAX_OPERATIONS {
            return Err(syntax(&format!("More than {MAX_OPERATIONS} operations")));
        }
        let operations = list
            .into_iter()
            .enumerate()
            .map(|(index, operation)| {
                parse_operation(operation).map_err(|error| error.within(&place(index)))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { operations })
    }

    /// Applies the operations in order to `attributes`, which stays as it is. A refusal names
    /// the operation, counted from 0 (SCIM-15).
    pub fn apply(
        &self,
        kind: &ResourceType,
        attributes: &Map<String, Value>,
    ) -> Result<Patched<'_>, Error> {
        let mut state = State { kind, document: attributes.clone(), members: Vec::new() };
        for (index, operation) in self.operations.iter().enumerate() {
            state
                .apply(operation)
                .and_then(|()| document::finish(kind, &state.document))
                .map_err(|error| error.within(&place(index)))?;
        }
        document::settle(kind, attributes, &mut state.document, Omission::Removal)?;
        let changed = state.document != *attributes;
        Ok(Patched { attributes: state.document, changed, members: state.members })
    }
}

fn place(index: usize) -> String {
    format!("Operations[{index}]")
}

fn syntax(detail: &str) -> Error {
    Error::new(ErrorKind::InvalidSyntax, detail)
}

fn parse_operation(operation: Value) -> Result<Operation, Error> {
    let Value::Object(object) = operation else { return Err(syntax("must be an object")) };
    let (mut action, mut path, mut operand) = (None, None, None);
    for (name, value) in object {
        let slot = match name.to_ascii_lowercase().as_str() {
            "op" => &mut action,
            "path" => &mut path,
            "value" => &mut operand,
            _ => continue,
        };
        if slot.is_some() {
            return Err(syntax(&format!("{name} appears twice")));
        }
        *slot = Some(value);
    }
    let action = match action {
        Some(Value::String(word)) if word.eq_ignore_ascii_case("add") => Action::Add,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("replace") => Action::Replace,
        Some(Value::String(word)) if word.eq_ignore_ascii_case("remove") => Action::Remove,
        _ => return Err(syntax("op must be add, replace or remove")),
    };
    let path = match path {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) if path.trim().is_empty() => None,
        Some(Value::String(path)) => Some(path),
        Some(_) => {
            return Err(Error::new(ErrorKind::InvalidPath, "path must be a string"));
        }
    };
    let value = match &path {
        Some(path) if members::are_at(path) => operand.map(members::slim),
        _ => operand,
    };
    Ok(Operation { action, path, value })
}

/// How strictly an attribute is taken: a path that was named must be one we can write, what
/// comes along in an object is taken as far as we can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Path,
    Object,
}

struct State<'a, 't> {
    kind: &'t ResourceType,
    document: Map<String, Value>,
    members: Vec<MemberChange<'a>>,
}

impl<'a> State<'a, '_> {
    fn apply(&mut self, operation: &'a Operation) -> Result<(), Error> {
        let Some(text) = &operation.path else { return self.apply_to_whole(operation) };
        let path = Path::parse(text)?;
        let target = self.kind.resolve(&path.attribute).ok_or_else(|| {
            let detail = format!("{text} is not an attribute of a {}", self.kind.name);
            Error::new(ErrorKind::InvalidPath, detail)
        })?;
        let value = operation.value.as_ref();
        if operation.action != Action::Remove && value.is_none() {
            return Err(Error::new(ErrorKind::InvalidValue, "value is missing"));
        }
        self.apply_to(operation.action, target, path.filter, value, Origin::Path)
            .map_err(|error| error.within(text))
    }

    /// An operation without path: its value is an object whose names are attributes, and for
    /// Entra ID also whole paths (`name.givenName`, `emails[type eq "work"].value`).
    fn apply_to_whole(&mut self, operation: &'a Operation) -> Result<(), Error> {
        if operation.action == Action::Remove {
            return Err(Error::new(ErrorKind::NoTarget, "remove needs a path"));
        }
        let Some(Value::Object(object)) = &operation.value else {
            let detail = "value must be an object when there is no path";
            return Err(Error::new(ErrorKind::InvalidValue, detail));
        };
        self.apply_object(operation.action, object)
    }

    fn apply_object(
        &mut self,
        action: Action,
        object: &'a Map<String, Value>,
    ) -> Result<(), Error> {
        for (name, value) in object {
            // What cannot be understood is an attribute that we do not know.
            let Ok(path) = Path::parse(name) else { continue };
            let Some(target) = self.kind.resolve(&path.attribute) else { continue };
            // The core schema inside itself would have no end.
            if matches!(target, Resolved::Core) {
                continue;
            }
            self.apply_to(action, target, path.filter, Some(value), Origin::Object)
                .map_err(|error| error.within(name))?;
        }
        Ok(())
    }

    fn apply_to(
        &mut self,
        action: Action,
        target: Resolved<'_>,
        filter: Option<Filter<'a>>,
        value: Option<&'a Value>,
        origin: Origin,
    ) -> Result<(), Error> {
        let location = match target {
            Resolved::Core => {
                return match (action, value) {
                    (Action::Add | Action::Replace, Some(Value::Object(object))) => {
                        self.apply_object(action, object)
                    }
                    (Action::Remove, _) => {
                        Err(Error::new(ErrorKind::NoTarget, "names no single attribute"))
                    }
                    _ => Err(Error::new(ErrorKind::InvalidValue, "value must be an object")),
                };
            }
            Resolved::Extension(schema) => {
                if filter.is_some() {
                    return Err(Error::new(ErrorKind::InvalidPath, "A schema has no values"));
                }
                return self.apply_to_extension(action, schema, value);
            }
            Resolved::Attribute(location) => location,
        };
        if !may_write(&location, origin)? {
            return Ok(());
        }
        if document::is_members(self.kind, location.attribute) {
            let change = members::change(action, &location, filter, value)?;
            self.members.extend(change);
            return Ok(());
        }
        let leaf = location.sub_attribute.unwrap_or(location.attribute);
        if leaf.returned == Returned::Never || location.attribute.returned == Returned::Never {
            // A password: its type is checked, then it is forgotten.
            if let Some(value) = value {
                document::read_value(leaf, value, &leaf.name)?;
            }
            return Ok(());
        }
        if location.attribute.required && location.sub_attribute.is_none() {
            let cleared = action == Action::Remove || value.is_none_or(Value::is_null);
            if cleared {
                let detail = "is required and cannot be removed";
                return Err(Error::new(ErrorKind::Mutability, detail));
            }
        }
        let Some(schema) = location.extension else {
            return attribute::apply(&mut self.document, action, &location, filter.as_ref(), value);
        };
        let mut object = match self.document.get_mut(&*schema.id).map(Value::take) {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        let outcome = attribute::apply(&mut object, action, &location, filter.as_ref(), value);
        // An extension without values is no extension.
        if object.is_empty() {
            self.document.shift_remove(&*schema.id);
        } else {
            self.document.insert(schema.id.to_string(), Value::Object(object));
        }
        outcome
    }

    fn apply_to_extension(
        &mut self,
        action: Action,
        schema: &Schema,
        value: Option<&'a Value>,
    ) -> Result<(), Error> {
        match (action, value) {
            (Action::Remove, _) | (Action::Replace, None | Some(Value::Null)) => {
                self.document.shift_remove(&*schema.id);
                Ok(())
            }
            (Action::Add, None | Some(Value::Null)) => Ok(()),
            (Action::Add | Action::Replace, Some(Value::Object(object))) => {
                for (name, value) in object {
                    let Ok(path) = Path::parse(name) else { continue };
                    let Some(attribute) =
                        super::schema::find(&schema.attributes, path.attribute.name)
                    else {
                        continue;
                    };
                    let sub_attribute = match path.attribute.sub {
                        None => None,
                        Some(sub) => match attribute.sub_attribute(sub) {
                            Some(sub_attribute) => Some(sub_attribute),
                            None => continue,
                        },
                    };
                    let location = Location { extension: Some(schema), attribute, sub_attribute };
                    let target = Resolved::Attribute(location);
                    self.apply_to(action, target, path.filter, Some(value), Origin::Object)
                        .map_err(|error| error.within(name))?;
                }
                Ok(())
            }
            (Action::Add | Action::Replace, Some(_)) => {
                Err(Error::new(ErrorKind::InvalidValue, "must be an object"))
            }
        }
    }
}

/// Whether the location can be written; what came along in an object and cannot be is
/// skipped (Okta sends `id`, everyone sends `schemas`).
fn may_write(location: &Location<'_>, origin: Origin) -> Result<bool, Error> {
    let read_only = location.attribute.mutability == Mutability::ReadOnly
        || location
            .sub_attribute
            .is_some_and(|sub_attribute| sub_attribute.mutability == Mutability::ReadOnly);
    if !read_only {
        return Ok(true);
    }
    // `schemas` follows the extensions that hold values; writing it changes nothing.
    if origin == Origin::Object || location.attribute.name == "schemas" {
        return Ok(false);
    }
    Err(Error::new(ErrorKind::Mutability, "is read-only"))
}
