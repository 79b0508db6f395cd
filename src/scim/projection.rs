//! `attributes` and `excludedAttributes` (RFC 7644 §3.4.2.5 and §3.9).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::path::AttributePath;
use super::schema::{Attribute, COMMON, Location, Resolved, ResourceType, Returned, Schema, find};

/// Which parts of a document an answer holds. Names nobody knows are ignored.
#[derive(Debug, Clone, Default)]
pub enum Projection<'t> {
    /// Everything that is stored. Never chosen where some attribute is returned on request only.
    #[default]
    Whole,
    /// What is always returned, and these.
    Only(Vec<Resolved<'t>>),
    /// Everything but these, unless they are always returned.
    Without(Vec<Resolved<'t>>),
}

impl<'t> Projection<'t> {
    /// Reads the two parameters: names separated by commas. When both are given, `attributes`
    /// wins.
    pub fn parse(kind: &'t ResourceType, attributes: Option<&str>, excluded: Option<&str>) -> Self {
        let given = |list: Option<&str>| {
            list.filter(|list| list.split(',').any(|name| !name.trim().is_empty()))
                .map(|list| resolve(kind, list))
        };
        match (given(attributes), given(excluded)) {
            (Some(names), _) => Self::Only(names),
            (None, Some(names)) => Self::Without(names),
            (None, None) if kind.has_on_request() => Self::Without(Vec::new()),
            (None, None) => Self::Whole,
        }
    }

    /// Whether any of the core attribute called `name` can be part of the answer. What is not
    /// wanted need not be read from the database.
    pub fn wants(&self, name: &str) -> bool {
        let core = self.listed().iter().any(|entry| matches!(entry, Resolved::Core));
        match self {
            Self::Whole => true,
            Self::Only(_) if core => true,
            Self::Without(_) if core => false,
            Self::Only(listed) => locations(listed)
                .any(|location| location.extension.is_none() && location.attribute.name == name),
            Self::Without(listed) => !locations(listed).any(|location| {
                location.extension.is_none()
                    && location.attribute.name == name
                    && location.sub_attribute.is_none()
            }),
        }
    }

    /// Whether parts of the values of the core attribute called `name` are cut away.
    pub fn cuts(&self, name: &str) -> bool {
        let parts = |listed: &[Resolved<'_>], is_part: bool| {
            locations(listed).any(|location| {
                location.extension.is_none()
                    && location.attribute.name == name
                    && location.sub_attribute.is_some() == is_part
            })
        };
        match self {
            Self::Whole => false,
            Self::Only(listed) if listed.iter().any(|entry| matches!(entry, Resolved::Core)) => {
                false
            }
            Self::Only(listed) => parts(listed, true) && !parts(listed, false),
            Self::Without(listed) => parts(listed, true),
        }
    }

    /// Cuts a complete document.
    pub fn apply(&self, kind: &ResourceType, document: Map<String, Value>) -> Map<String, Value> {
        if matches!(self, Self::Whole) {
            return document;
        }
        let mut cut = Map::with_capacity(document.len());
        for (name, value) in document {
            let kept = match kind.extension(&name) {
                Some(schema) => self.cut_extension(schema, value),
                None => self.cut_attribute(kind, None, &name, value),
            };
            if let Some(value) = kept {
                cut.insert(name, value);
            }
        }
        cut
    }

    fn listed(&self) -> &[Resolved<'t>] {
        match self {
            Self::Whole => &[],
            Self::Only(listed) | Self::Without(listed) => listed,
        }
    }

    fn cut_extension(&self, schema: &Schema, value: Value) -> Option<Value> {
        let whole = self
            .listed()
            .iter()
            .any(|entry| matches!(entry, Resolved::Extension(listed) if listed.id == schema.id));
        if whole {
            return matches!(self, Self::Only(_)).then_some(value);
        }
        let Value::Object(object) = value else { return None };
        let mut cut = Map::new();
        for (name, value) in object {
            if let Some(value) = self.cut_named(Some(schema), &schema.attributes, &name, value) {
                cut.insert(name, value);
            }
        }
        (!cut.is_empty()).then_some(Value::Object(cut))
    }

    fn cut_attribute(
        &self,
        kind: &ResourceType,
        extension: Option<&Schema>,
        name: &str,
        value: Value,
    ) -> Option<Value> {
        if find(&COMMON, name).is_some() {
            return self.cut_named(extension, &COMMON, name, value);
        }
        self.cut_named(extension, &kind.schema.attributes, name, value)
    }

    fn cut_named(
        &self,
        extension: Option<&Schema>,
        attributes: &[Attribute],
        name: &str,
        value: Value,
    ) -> Option<Value> {
        let attribute = find(attributes, name)?;
        if attribute.returned == Returned::Always {
            return Some(value);
        }
        let core = extension.is_none() && find(&COMMON, name).is_none();
        let mut whole = core && self.listed().iter().any(|entry| matches!(entry, Resolved::Core));
        let mut parts: Vec<&str> = Vec::new();
        for location in locations(self.listed()) {
            let same = location.attribute.name == attribute.name
                && location.extension.map(|schema| &schema.id)
                    == extension.map(|schema| &schema.id);
            match location.sub_attribute {
                None if same => whole = true,
                Some(sub_attribute) if same => parts.push(&sub_attribute.name),
                _ => {}
            }
        }
        let keep = matches!(self, Self::Only(_));
        if whole || parts.is_empty() {
            let wanted = whole == keep && (keep || attribute.returned != Returned::Request);
            return wanted.then(|| without_on_request(attribute, value)).flatten();
        }
        cut_parts(attribute, value, &parts, keep)
    }
}

/// Leaves out the sub-attributes that are returned only when they are named themselves.
fn without_on_request(attribute: &Attribute, value: Value) -> Option<Value> {
    let on_request = |attribute: &&Attribute| attribute.returned == Returned::Request;
    if !attribute.sub_attributes.iter().any(|attribute| on_request(&attribute)) {
        return Some(value);
    }
    cut_parts(attribute, value, &[], false)
}

/// Keeps, or leaves out, the named sub-attributes of a value or of each value of a list. Those
/// that are returned on request are kept only by name.
fn cut_parts(attribute: &Attribute, value: Value, parts: &[&str], keep: bool) -> Option<Value> {
    match value {
        Value::Object(mut object) => {
            object.retain(|name, _| {
                let sub_attribute = find(&attribute.sub_attributes, name);
                match sub_attribute.map(|sub_attribute| sub_attribute.returned) {
                    Some(Returned::Always) => true,
                    Some(Returned::Request) if !keep => false,
                    _ => parts.contains(&name.as_str()) == keep,
                }
            });
            (!object.is_empty()).then_some(Value::Object(object))
        }
        Value::Array(list) => {
            let cut: Vec<Value> = list
                .into_iter()
                .filter_map(|element| cut_parts(attribute, element, parts, keep))
                .collect();
            (!cut.is_empty()).then_some(Value::Array(cut))
        }
        other => (!keep).then_some(other),
    }
}

/// What the names mean, each attribute once however often it is named: every document of a list
/// is held against all of them.
fn resolve<'t>(kind: &'t ResourceType, list: &str) -> Vec<Resolved<'t>> {
    let mut known = HashSet::new();
    list.split(',')
        .filter_map(|name| AttributePath::from_token(name.trim()))
        .filter_map(|path| kind.resolve(&path))
        .filter(|resolved| known.insert(identity(resolved)))
        .collect()
}

/// Tells apart what names can mean. Attributes that two schemas share stand at one place each in
/// memory, so the schema counts, too.
fn identity(resolved: &Resolved<'_>) -> [Option<usize>; 3] {
    let place = |schema: &Schema| std::ptr::from_ref(schema).addr();
    let attribute = |attribute: &Attribute| std::ptr::from_ref(attribute).addr();
    match resolved {
        Resolved::Core => [None; 3],
        Resolved::Extension(schema) => [Some(place(schema)), None, None],
        Resolved::Attribute(location) => [
            location.extension.map(place),
            Some(attribute(location.attribute)),
            location.sub_attribute.map(attribute),
        ],
    }
}

fn locations<'l, 't>(listed: &'l [Resolved<'t>]) -> impl Iterator<Item = &'l Location<'t>> {
    listed.iter().filter_map(|entry| match entry {
        Resolved::Attribute(location) => Some(location),
        Resolved::Core | Resolved::Extension(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::scim::schema::{GROUP_TYPE, USER_TYPE};

    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

    fn cut(attributes: Option<&str>, excluded: Option<&str>) -> Value {
        let document = json!({
            "schemas": ["s"], "id": "u-1", "userName": "a",
            "name": { "givenName": "G", "familyName": "F" },
            "emails": [{ "value": "x", "type": "work" }, { "type": "home" }],
            ENTERPRISE: { "department": "D", "costCenter": "C" },
            "meta": { "location": "l" },
        });
        let document = document.as_object().unwrap().clone();
        Value::Object(
            Projection::parse(&USER_TYPE, attributes, excluded).apply(&USER_TYPE, document),
        )
    }

    #[test]
    fn only_what_is_listed_and_what_is_always_there() {
        assert_eq!(
            cut(Some("USERNAME, name.familyname"), None),
            json!({ "schemas": ["s"], "id": "u-1", "userName": "a", "name": { "familyName": "F" } })
        );
        assert_eq!(
            cut(Some(&format!("emails.value,{ENTERPRISE}:department")), None),
            json!({ "schemas": ["s"], "id": "u-1", "emails": [{ "value": "x" }],
                ENTERPRISE: { "department": "D" } })
        );
        assert_eq!(cut(Some(ENTERPRISE), None)[ENTERPRISE]["costCenter"], "C");
        let core = "urn:ietf:params:scim:schemas:core:2.0:User";
        let names = |cut: Value| cut.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(cut(Some(core), None)), ["schemas", "id", "userName", "name", "emails"]);
        assert_eq!(names(cut(None, Some(core))), ["schemas", "id", ENTERPRISE, "meta"]);
        assert_eq!(cut(Some("nothing"), None), json!({ "schemas": ["s"], "id": "u-1" }));
    }

    #[test]
    fn excluding_never_takes_what_is_always_there() {
        let rest = cut(None, Some(&format!("id,schemas,meta,emails.type,{ENTERPRISE},name")));
        assert_eq!(
            rest,
            json!({ "schemas": ["s"], "id": "u-1", "userName": "a", "emails": [{ "value": "x" }] })
        );
    }

    #[test]
    fn a_name_counts_once_however_often_it_is_listed() {
        let many = "userName,USERNAME,name.givenName,".repeat(1000) + ENTERPRISE;
        let Projection::Only(listed) = Projection::parse(&USER_TYPE, Some(&many), None) else {
            panic!("only these")
        };
        assert_eq!(listed.len(), 3);
    }

    #[test]
    fn attributes_win_over_excluded_attributes() {
        assert!(cut(Some("userName"), Some("userName")).get("userName").is_some());
    }

    #[test]
    fn members_are_wanted_unless_the_request_says_otherwise() {
        let wants = |attributes, excluded| {
            Projection::parse(&GROUP_TYPE, attributes, excluded).wants("members")
        };
        assert!(wants(None, None));
        assert!(!wants(None, Some("Members")));
        assert!(!wants(Some("displayName"), None));
        assert!(wants(Some("members.value"), None));
        assert!(wants(None, Some("members.display")));
        let cuts = |attributes, excluded| {
            Projection::parse(&GROUP_TYPE, attributes, excluded).cuts("members")
        };
        assert!(cuts(Some("members.value"), None) && cuts(None, Some("members.type")));
        assert!(!cuts(Some("members"), None) && !cuts(Some("members.value,members"), None));
        assert!(!cuts(None, None) && !cuts(None, Some("displayName")));
    }
}
