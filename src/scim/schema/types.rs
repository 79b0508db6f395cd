//! Which resources a space knows, and where a value lives in their documents.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use super::{Attribute, COMMON, ENTERPRISE_USER, GROUP, Returned, Schema, USER, find};
use crate::scim::path::AttributePath;

/// A schema that a resource may have besides its own.
#[derive(Debug, Clone)]
pub enum Extension {
    /// One of RFC 7643.
    Standard(&'static Schema),
    /// One that a space has registered.
    Registered(Arc<Schema>),
}

impl Deref for Extension {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        match self {
            Self::Standard(schema) => schema,
            Self::Registered(schema) => schema,
        }
    }
}

/// A kind of resource: where it lives and which schemas it has (RFC 7643 §6).
#[derive(Debug, Clone)]
pub struct ResourceType {
    /// `User` or `Group`; also its id.
    pub name: &'static str,
    /// Its endpoint below the base URL, with the leading slash.
    pub endpoint: &'static str,
    /// What `/ResourceTypes` says about it.
    pub description: &'static str,
    /// The schema every resource of this type has.
    pub schema: &'static Schema,
    /// The schemas it may have besides; none of them is required (RFC 7643 §6).
    pub extensions: Cow<'static, [Extension]>,
    /// Whether some attribute is part of an answer only when it is asked for by name.
    has_on_request: bool,
}

static USER_EXTENSIONS: [Extension; 1] = [Extension::Standard(&ENTERPRISE_USER)];

const fn user_type() -> ResourceType {
    ResourceType {
        name: "User",
        endpoint: "/Users",
        description: "User Account",
        schema: &USER,
        extensions: Cow::Borrowed(&USER_EXTENSIONS),
        has_on_request: false,
    }
}

const fn group_type() -> ResourceType {
    ResourceType {
        name: "Group",
        endpoint: "/Groups",
        description: "Group",
        schema: &GROUP,
        extensions: Cow::Borrowed(&[]),
        has_on_request: false,
    }
}

/// Users without registered extensions.
pub static USER_TYPE: ResourceType = user_type();

/// Groups without registered extensions.
pub static GROUP_TYPE: ResourceType = group_type();

static STANDARD: ResourceTypes = ResourceTypes { user: user_type(), group: group_type() };

/// The resource types of a space: those of RFC 7643 §4, with the extensions it has registered.
#[derive(Debug, Clone)]
pub struct ResourceTypes {
    /// Users.
    pub user: ResourceType,
    /// Groups.
    pub group: ResourceType,
}

impl ResourceTypes {
    /// Those of a space that has registered nothing.
    pub fn standard() -> &'static Self {
        &STANDARD
    }

    /// The standard ones and these extensions, which [`Schema`]s read by
    /// [`registered`](super::registered) are.
    pub fn with_extensions(user: Vec<Arc<Schema>>, group: Vec<Arc<Schema>>) -> Self {
        Self { user: user_type().extended(user), group: group_type().extended(group) }
    }

    /// Whether the space has registered extensions of its own.
    pub fn has_registered(&self) -> bool {
        self.iter()
            .any(|types| types.extensions.iter().any(|one| matches!(one, Extension::Registered(_))))
    }

    /// Each of them, in the order `/ResourceTypes` lists them.
    pub fn iter(&self) -> impl Iterator<Item = &ResourceType> {
        [&self.user, &self.group].into_iter()
    }
}

/// What an attribute path means for a resource type.
#[derive(Debug, Clone, Copy)]
pub enum Resolved<'t> {
    /// All of the core schema.
    Core,
    /// The whole of an extension.
    Extension(&'t Schema),
    /// An attribute, or a sub-attribute of it.
    Attribute(Location<'t>),
}

/// Where a value lives in a document.
#[derive(Debug, Clone, Copy)]
pub struct Location<'t> {
    /// The extension whose object holds it; none for core and common attributes.
    pub extension: Option<&'t Schema>,
    /// The attribute.
    pub attribute: &'t Attribute,
    /// The sub-attribute that is meant, when one is.
    pub sub_attribute: Option<&'t Attribute>,
}

impl ResourceType {
    fn extended(mut self, schemas: Vec<Arc<Schema>>) -> Self {
        self.has_on_request =
            schemas.iter().flat_map(|schema| schema.attributes.iter()).any(|attribute| {
                std::iter::once(attribute)
                    .chain(attribute.sub_attributes.iter())
                    .any(|attribute| attribute.returned == Returned::Request)
            });
        self.extensions.to_mut().extend(schemas.into_iter().map(Extension::Registered));
        self
    }

    /// Whether some attribute is part of an answer only when it is asked for by name.
    pub(in crate::scim) fn has_on_request(&self) -> bool {
        self.has_on_request
    }

    /// Whether these are users.
    pub fn is_user(&self) -> bool {
        self.name == USER_TYPE.name
    }

    /// Whether these are groups.
    pub fn is_group(&self) -> bool {
        self.name == GROUP_TYPE.name
    }

    /// The core or common attribute called `name`, in any letter case.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        find(&COMMON, name).or_else(|| find(&self.schema.attributes, name))
    }

    /// Finds what `path` names: attribute names and URNs in any letter case.
    ///
    /// Entra ID names enterprise attributes without their URN (`manager`), so a bare name that
    /// the core does not have is looked for in the extensions.
    pub fn resolve<'t>(&'t self, path: &AttributePath<'_>) -> Option<Resolved<'t>> {
        let (extension, attribute) = match path.urn {
            None => self.attribute(path.name).map(|attribute| (None, attribute)).or_else(|| {
                self.extensions.iter().find_map(|extension| {
                    find(&extension.attributes, path.name)
                        .map(|attribute| (Some(&**extension), attribute))
                })
            })?,
            Some(urn) if urn.eq_ignore_ascii_case(&self.schema.id) => {
                (None, self.attribute(path.name)?)
            }
            Some(urn) => {
                let named = self.extension(urn).and_then(|extension| {
                    Some((Some(extension), find(&extension.attributes, path.name)?))
                });
                match named {
                    Some(named) => named,
                    // `urn:…:enterprise:2.0:User` alone: its last part was taken for a name.
                    None if path.spells(&self.schema.id) => return Some(Resolved::Core),
                    None => return self.extension_spelt(path).map(Resolved::Extension),
                }
            }
        };
        let sub_attribute = match path.sub {
            None => None,
            Some(name) => Some(attribute.sub_attribute(name)?),
        };
        Some(Resolved::Attribute(Location { extension, attribute, sub_attribute }))
    }

    fn extension_spelt(&self, path: &AttributePath<'_>) -> Option<&Schema> {
        self.extensions.iter().find(|schema| path.spells(&schema.id)).map(|schema| &**schema)
    }

    /// The extension with this URN, in any letter case.
    pub fn extension(&self, urn: &str) -> Option<&Schema> {
        self.extensions
            .iter()
            .find(|schema| schema.id.eq_ignore_ascii_case(urn))
            .map(|schema| &**schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scim::evaluate;
    use crate::scim::filter::Filter;
    use crate::scim::path::Path;
    use crate::scim::projection::Projection;
    use crate::scim::schema::Kind;

    fn schema_of(id: &'static str, attributes: Vec<Attribute>) -> Arc<Schema> {
        Arc::new(Schema {
            id: id.into(),
            name: "n".into(),
            description: "d".into(),
            attributes: attributes.into(),
        })
    }

    fn schema(id: &'static str, names: &[&'static str]) -> Arc<Schema> {
        let attributes = names.iter().map(|name| Attribute::new(name, Kind::String, ""));
        schema_of(id, attributes.collect())
    }

    #[test]
    fn numbers_are_read_compared_and_refused_by_name() {
        let types = ResourceTypes::with_extensions(
            vec![schema_of(
                "urn:acme:1.0:User",
                vec![
                    Attribute::new("floor", Kind::Integer, ""),
                    Attribute::new("ratio", Kind::Decimal, ""),
                ],
            )],
            Vec::new(),
        );
        let user = |values: &str| {
            let body = format!(r#"{{"userName":"a","urn:acme:1.0:User":{values}}}"#);
            let body = crate::scim::json::parse_object(body.as_bytes()).unwrap();
            crate::scim::document::read(&types.user, &body).map(|read| read.attributes)
        };
        let document = user(r#"{"floor":-7,"ratio":1.25}"#).unwrap();
        let holds = |text: &str| {
            let filter = Filter::parse(text).unwrap();
            evaluate::check(&filter, &types.user).unwrap();
            evaluate::matches(&filter, &types.user, &document)
        };
        for text in [
            "floor eq -7",
            "floor lt 0",
            "floor gt -10",
            r#"floor ge "-7""#,
            "ratio gt 1",
            "ratio eq 1.25e0",
            "ratio ne 1.26",
            "urn:acme:1.0:User:floor le -7 and floor pr",
        ] {
            assert!(holds(text), "{text}");
        }
        assert!(!holds("floor gt -7") && !holds("ratio eq 1.2"));
        for text in ["floor eq x", "floor co 7", "ratio gt \"\"", "floor gt true", "floor eq 1e999"]
        {
            let filter = Filter::parse(text).unwrap();
            assert!(evaluate::check(&filter, &types.user).is_err(), "{text}");
        }
        for (values, place) in [
            (r#"{"floor":1.0}"#, "floor"),
            (r#"{"floor":"1"}"#, "floor"),
            (r#"{"floor":9223372036854775808}"#, "floor"),
            (r#"{"floor":123456789012345678901234567890}"#, "floor"),
            (r#"{"ratio":true}"#, "ratio"),
        ] {
            let detail = user(values).unwrap_err().detail;
            assert!(detail.starts_with(&format!("urn:acme:1.0:User.{place} must be")), "{detail}");
        }
    }

    #[test]
    fn what_is_returned_on_request_is_named_or_not_shown() {
        let mut secret = Attribute::new("hint", Kind::String, "");
        secret.returned = Returned::Request;
        let mut inner = Attribute::new("box", Kind::Complex, "");
        let lid = Attribute::new("lid", Kind::String, "");
        inner.sub_attributes = vec![lid, secret.clone()].into();
        let types = ResourceTypes::with_extensions(
            vec![schema_of("urn:acme:1.0:User", vec![secret, inner])],
            Vec::new(),
        );
        let document = serde_json::json!({
            "id": "u", "urn:acme:1.0:User": { "hint": "h", "box": { "lid": "l", "hint": "i" } },
        });
        let shown = |attributes: Option<&str>, excluded: Option<&str>| {
            let projection = Projection::parse(&types.user, attributes, excluded);
            let cut = projection.apply(&types.user, document.as_object().unwrap().clone());
            cut.get("urn:acme:1.0:User").map(ToString::to_string).unwrap_or_default()
        };
        assert_eq!(shown(None, None), r#"{"box":{"lid":"l"}}"#);
        assert_eq!(shown(None, Some("box.lid")), "");
        assert_eq!(shown(Some("hint,box.hint"), None), r#"{"hint":"h","box":{"hint":"i"}}"#);
        assert_eq!(shown(Some("box"), None), r#"{"box":{"lid":"l"}}"#);
    }

    #[test]
    fn a_space_finds_its_own_extensions_and_the_standard_ones_do_not_change() {
        let types = ResourceTypes::with_extensions(
            vec![schema("urn:acme:1.0", &["badge"]), schema("urn:acme:1.0:badge", &["b"])],
            vec![schema("urn:acme:v1.group", &["cost"])],
        );
        let found = |kind: &ResourceType, text: &str| {
            let path = Path::parse(text).unwrap().attribute;
            kind.resolve(&path).map(|resolved| match resolved {
                Resolved::Core => "core".to_owned(),
                Resolved::Extension(schema) => schema.id.to_string(),
                Resolved::Attribute(location) => {
                    let urn = location.extension.map_or("", |schema| &schema.id);
                    format!("{urn}|{}", location.attribute.name)
                }
            })
        };
        for (text, expected) in [
            ("urn:acme:1.0:BADGE", Some("urn:acme:1.0|badge")),
            ("urn:acme:1.0:badge:b", Some("urn:acme:1.0:badge|b")),
            ("URN:ACME:1.0", Some("urn:acme:1.0")),
            ("badge", Some("urn:acme:1.0|badge")),
            ("userName", Some("|userName")),
            ("urn:ietf:params:scim:schemas:core:2.0:USER", Some("core")),
            ("urn:acme:2.0", None),
            ("urn:acme:v1.group", None),
        ] {
            assert_eq!(found(&types.user, text).as_deref(), expected, "{text}");
            if !matches!(expected, Some("|userName" | "core")) {
                assert_eq!(found(&USER_TYPE, text), None, "{text}");
            }
        }
        assert_eq!(found(&types.group, "urn:Acme:v1.group").as_deref(), Some("urn:acme:v1.group"));
        let cost = "urn:acme:v1.group:cost";
        assert_eq!(found(&types.group, cost).as_deref(), Some("urn:acme:v1.group|cost"));
        assert_eq!(USER_TYPE.extensions.len(), 1);
    }
}
