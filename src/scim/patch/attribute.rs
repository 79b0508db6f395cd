//! One operation on one attribute of a document.

use serde_json::{Map, Value};

use super::Action;
use crate::scim::document::{self, MAX_VALUES, is_primary};
use crate::scim::error::{Error, ErrorKind};
use crate::scim::evaluate::{element_matches, holds_anything};
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::schema::{Attribute, Kind, Location, Mutability};

type Object = Map<String, Value>;

/// Applies an operation to the attribute at `location`, which lives in `container`.
pub(super) fn apply(
    container: &mut Object,
    action: Action,
    location: &Location<'_>,
    filter: Option<&Filter<'_>>,
    value: Option<&Value>,
) -> Result<(), Error> {
    let attribute = location.attribute;
    if !attribute.multi_valued {
        if filter.is_some() {
            let detail = format!("{} has a single value: no brackets", attribute.name);
            return Err(Error::new(ErrorKind::InvalidPath, detail));
        }
        return match location.sub_attribute {
            None => single(container, action, attribute, value),
            Some(sub_attribute) => part(container, action, attribute, sub_attribute, value),
        };
    }
    let mut list = match container.get_mut(&*attribute.name).map(Value::take) {
        Some(Value::Array(list)) => list,
        Some(Value::Null) | None => Vec::new(),
        Some(single) => vec![single],
    };
    let target = List { attribute, sub_attribute: location.sub_attribute };
    let touched = match (filter, action) {
        (None, Action::Remove) => target.remove_listed(&mut list, value),
        (Some(filter), Action::Remove) => target.remove_matching(&mut list, filter),
        (None, Action::Add | Action::Replace) => target.set(&mut list, action, value),
        (Some(filter), Action::Add | Action::Replace) => {
            target.set_matching(&mut list, action, filter, value)
        }
    }?;
    demote(attribute, &mut list, &touched)?;
    list.retain(holds_anything);
    if list.len() > MAX_VALUES {
        let detail = format!("{} would have more than {MAX_VALUES} values", attribute.name);
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    put(container, attribute, (!list.is_empty()).then_some(Value::Array(list)));
    Ok(())
}

/// Sets an attribute, or takes it away, without moving the others.
fn put(container: &mut Object, attribute: &Attribute, value: Option<Value>) {
    match value {
        Some(value) => {
            container.insert(attribute.name.to_string(), value);
        }
        None => {
            container.shift_remove(&*attribute.name);
        }
    }
}

fn read(attribute: &Attribute, value: Option<&Value>) -> Result<Option<Value>, Error> {
    document::read_value(attribute, value.unwrap_or(&Value::Null), &attribute.name)
}

/// A single-valued attribute as a whole. Sub-attributes that are not named stay as they are
/// (RFC 7644 §3.5.2.3); those that are null go.
fn single(
    container: &mut Object,
    action: Action,
    attribute: &Attribute,
    value: Option<&Value>,
) -> Result<(), Error> {
    if action == Action::Remove {
        put(container, attribute, None);
        return Ok(());
    }
    if let (Kind::Complex, Some(Value::Object(object))) = (attribute.kind, value) {
        for (name, value) in object {
            if let Some(sub_attribute) = attribute.sub_attribute(name)
                && sub_attribute.mutability != Mutability::ReadOnly
            {
                part(container, action, attribute, sub_attribute, Some(value))?;
            }
        }
        return Ok(());
    }
    let value = read(attribute, value)?;
    put(container, attribute, value);
    Ok(())
}

/// A sub-attribute of a single-valued attribute.
fn part(
    container: &mut Object,
    action: Action,
    attribute: &Attribute,
    sub_attribute: &Attribute,
    value: Option<&Value>,
) -> Result<(), Error> {
    let value = if action == Action::Remove { None } else { read(sub_attribute, value)? };
    let mut object = match container.get_mut(&*attribute.name).map(Value::take) {
        Some(Value::Object(object)) => object,
        _ => Object::new(),
    };
    put(&mut object, sub_attribute, value);
    put(container, attribute, (!object.is_empty()).then_some(Value::Object(object)));
    Ok(())
}

/// A multi-valued attribute, or a sub-attribute of its values. The methods answer which
/// elements were written.
struct List<'t> {
    attribute: &'t Attribute,
    sub_attribute: Option<&'t Attribute>,
}

impl List<'_> {
    fn remove_listed(
        &self,
        list: &mut Vec<Value>,
        value: Option<&Value>,
    ) -> Result<Vec<usize>, Error> {
        match (self.sub_attribute, value) {
            (Some(sub_attribute), _) => {
                for element in list.iter_mut() {
                    set_part(element, sub_attribute, None);
                }
            }
            (None, None | Some(Value::Null)) => list.clear(),
            // Several clients: the values that are to go.
            (None, Some(_)) => {
                if let Some(Value::Array(listed)) = read(self.attribute, value)? {
                    list.retain(|element| !listed.iter().any(|listed| is_meant(listed, element)));
                }
            }
        }
        Ok(Vec::new())
    }

    /// Selecting nothing is no error: what was to go is gone.
    fn remove_matching(
        &self,
        list: &mut Vec<Value>,
        filter: &Filter<'_>,
    ) -> Result<Vec<usize>, Error> {
        check_brackets(filter, self.attribute)?;
        match self.sub_attribute {
            None => list.retain(|element| !element_matches(filter, self.attribute, element)),
            Some(sub_attribute) => {
                for element in list.iter_mut() {
                    if element_matches(filter, self.attribute, element) {
                        set_part(element, sub_attribute, None);
                    }
                }
            }
        }
        Ok(Vec::new())
    }

    fn set(
        &self,
        list: &mut Vec<Value>,
        action: Action,
        value: Option<&Value>,
    ) -> Result<Vec<usize>, Error> {
        if let Some(sub_attribute) = self.sub_attribute {
            let value = read(sub_attribute, value)?;
            if list.is_empty() && value.is_some() {
                list.push(Value::Object(Object::new()));
            }
            for element in list.iter_mut() {
                set_part(element, sub_attribute, value.clone());
            }
            return Ok((0..list.len()).collect());
        }
        let values = match read(self.attribute, value)? {
            Some(Value::Array(values)) => values,
            _ => Vec::new(),
        };
        if action == Action::Replace {
            *list = values;
            return Ok(Vec::new());
        }
        let mut touched = Vec::new();
        for value in values {
            // RFC 7644 §3.5.2.1: what is there already is not added again.
            if list.contains(&value) {
                continue;
            }
            // RFC 7643 §2.4: a type and value pair is there once.
            let same = list.iter_mut().enumerate().find(|(_, element)| is_same(element, &value));
            if let Some((index, element)) = same {
                merge(element, value);
                touched.push(index);
            } else {
                touched.push(list.len());
                list.push(value);
            }
        }
        Ok(touched)
    }

    fn set_matching(
        &self,
        list: &mut Vec<Value>,
        action: Action,
        filter: &Filter<'_>,
        value: Option<&Value>,
    ) -> Result<Vec<usize>, Error> {
        check_brackets(filter, self.attribute)?;
        let value = match self.sub_attribute {
            None => document::read_single(
                self.attribute,
                value.unwrap_or(&Value::Null),
                &self.attribute.name,
            )?,
            Some(sub_attribute) => read(sub_attribute, value)?,
        };
        let pinned = pinned(filter, self.attribute);
        let mut selected: Vec<usize> = (0..list.len())
            .filter(|index| {
                list.get(*index)
                    .is_some_and(|element| element_matches(filter, self.attribute, element))
            })
            .collect();
        let mut created = false;
        if selected.is_empty() {
            let creates = match action {
                Action::Add => pinned.is_some(),
                // Entra ID replaces emails[type eq "work"].value before there is one.
                Action::Replace => {
                    self.sub_attribute.is_some()
                        && pinned
                            .as_ref()
                            .is_some_and(|pinned| pinned.len() == 1 && pinned.contains_key("type"))
                }
                Action::Remove => false,
            };
            let Some(pinned) = pinned.clone().filter(|_| creates) else {
                let detail = "no value satisfies the filter in the brackets";
                return Err(Error::new(ErrorKind::NoTarget, detail));
            };
            if value.is_none() {
                return Ok(Vec::new());
            }
            created = true;
            selected.push(list.len());
            list.push(Value::Object(pinned));
        }
        for index in &selected {
            let Some(element) = list.get_mut(*index) else { continue };
            match (self.sub_attribute, value.clone(), action) {
                (Some(sub_attribute), value, _) => set_part(element, sub_attribute, value),
                (None, Some(value), Action::Replace) => {
                    // The value takes the place of the old one, and stays what the filter says.
                    *element = Value::Object(pinned.clone().unwrap_or_default());
                    merge(element, value);
                }
                (None, Some(value), _) => merge(element, value),
                (None, None, Action::Replace) => *element = Value::Null,
                (None, None, _) => {}
            }
            // A new value that the brackets would not select makes no sense, and would be made
            // again whenever the client repeats itself.
            if created && !element_matches(filter, self.attribute, element) {
                let detail = "the value contradicts the filter in the brackets";
                return Err(Error::new(ErrorKind::NoTarget, detail));
            }
        }
        Ok(selected)
    }
}

/// Brackets that name no sub-attribute of ours select by nothing; say so instead of guessing.
fn check_brackets(filter: &Filter<'_>, attribute: &Attribute) -> Result<(), Error> {
    let mut unknown = None;
    filter.visit(&mut |_, term| {
        if let Filter::Present(path) | Filter::Compare(path, ..) = term
            && attribute.sub_attribute(path.name).is_none()
            && !(attribute.kind != Kind::Complex && path.name.eq_ignore_ascii_case("value"))
        {
            unknown.get_or_insert_with(|| path.name.to_owned());
        }
    });
    match unknown {
        None => Ok(()),
        Some(name) => {
            let detail = format!("{name} is not a sub-attribute of {}", attribute.name);
            Err(Error::new(ErrorKind::InvalidPath, detail))
        }
    }
}

/// The sub-attributes a filter gives a value to, when it is `eq` terms joined by `and`: what an
/// element made for it must hold.
fn pinned(filter: &Filter<'_>, attribute: &Attribute) -> Option<Object> {
    let terms = match filter {
        Filter::And(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    let mut object = Object::new();
    for term in terms {
        let Filter::Compare(path, Operator::Eq, literal) = term else { return None };
        let sub_attribute = attribute.sub_attribute(path.name)?;
        let value = match (sub_attribute.kind, literal) {
            (_, Literal::Null) => return None,
            (Kind::Boolean, literal) => Value::Bool(literal.boolean()?),
            (Kind::Integer | Kind::Decimal, literal) => {
                Value::Number(literal.text()?.parse().ok()?)
            }
            (_, literal) => Value::String(literal.text()?.to_owned()),
        };
        object.insert(sub_attribute.name.to_string(), value);
    }
    Some(object)
}

fn set_part(element: &mut Value, sub_attribute: &Attribute, value: Option<Value>) {
    if let Value::Object(object) = element {
        put(object, sub_attribute, value);
    }
}

fn merge(element: &mut Value, value: Value) {
    match (element, value) {
        (Value::Object(object), Value::Object(new)) => object.extend(new),
        (element, value) => *element = value,
    }
}

/// Whether two elements have the same `value` and `type`.
fn is_same(element: &Value, other: &Value) -> bool {
    element.get("value").is_some_and(|value| Some(value) == other.get("value"))
        && element.get("type") == other.get("type")
}

/// Whether a listed value means this element: by `value`, and by `type` when it is given; by
/// everything that is given when there is no `value`.
fn is_meant(listed: &Value, element: &Value) -> bool {
    let Value::Object(object) = listed else { return listed == element };
    let by_value = object.contains_key("value");
    object
        .iter()
        .filter(|(name, _)| !by_value || matches!(name.as_str(), "value" | "type"))
        .all(|(name, value)| element.get(name) == Some(value))
}

/// RFC 7644 §3.5.2: a new primary value takes the place of the old one.
fn demote(attribute: &Attribute, list: &mut [Value], touched: &[usize]) -> Result<(), Error> {
    let mut chosen: Vec<usize> =
        touched.iter().copied().filter(|index| list.get(*index).is_some_and(is_primary)).collect();
    chosen.dedup();
    let Some((chosen, others)) = chosen.split_first() else { return Ok(()) };
    if !others.is_empty() {
        let detail = format!("{}: only one value can be primary", attribute.name);
        return Err(Error::new(ErrorKind::InvalidValue, detail));
    }
    for (index, element) in list.iter_mut().enumerate() {
        if index != *chosen
            && is_primary(element)
            && let Value::Object(object) = element
        {
            object.insert("primary".to_owned(), Value::Bool(false));
        }
    }
    Ok(())
}
