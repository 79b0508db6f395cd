//! RFC 7643: what a resource may hold, as tables that everything else reads.

mod discovery;
mod enterprise;
mod group;
mod user;

use super::path::AttributePath;

pub use discovery::{
    Limits, resource_type, resource_types, schema, schemas, service_provider_config,
};
pub use enterprise::ENTERPRISE_USER;
pub use group::GROUP;
pub use user::USER;

/// The type of an attribute (RFC 7643 §2.3), those that our schemas use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// RFC 3339 time.
    DateTime,
    /// Base64 text.
    Binary,
    /// A URI.
    Reference,
    /// An object of sub-attributes.
    Complex,
}

/// Who may write an attribute (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutability {
    /// Only we.
    ReadOnly,
    /// The client, whenever it likes.
    ReadWrite,
    /// The client, when the value comes into being.
    Immutable,
    /// The client, and nobody ever reads it.
    WriteOnly,
}

/// When an attribute is part of an answer (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// Even when it is excluded.
    Always,
    /// Never.
    Never,
    /// Unless the request says otherwise.
    Default,
}

/// How far a value is unique (RFC 7643 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// Not at all.
    None,
    /// Among the resources of its type in the space.
    Server,
    /// Everywhere.
    Global,
}

/// One attribute or sub-attribute and its characteristics (RFC 7643 §7).
#[derive(Debug)]
pub struct Attribute {
    /// Its name as documents spell it.
    pub name: &'static str,
    /// What `/Schemas` says about it.
    pub description: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// Whether a resource without it is refused.
    pub required: bool,
    /// Whether comparisons tell letter case apart.
    pub case_exact: bool,
    /// Who may write it.
    pub mutability: Mutability,
    /// When it is returned.
    pub returned: Returned,
    /// How far it is unique.
    pub uniqueness: Uniqueness,
    /// Suggested values; others are accepted too.
    pub canonical_values: &'static [&'static str],
    /// What a reference may point at.
    pub reference_types: &'static [&'static str],
    /// Sub-attributes of a complex attribute.
    pub sub_attributes: &'static [Attribute],
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name,
            description,
            kind,
            multi_valued: false,
            required: false,
            // RFC 7643 §2.3.6 and §2.3.7: base64 is case exact, and so is what identifies.
            case_exact: matches!(kind, Kind::Binary | Kind::DateTime),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: &[],
            reference_types: &[],
            sub_attributes: &[],
        }
    }

    const fn string(name: &'static str, description: &'static str) -> Self {
        Self::new(name, Kind::String, description)
    }

    const fn complex(
        name: &'static str,
        description: &'static str,
        sub_attributes: &'static [Self],
    ) -> Self {
        Self { sub_attributes, ..Self::new(name, Kind::Complex, description) }
    }

    const fn reference(
        name: &'static str,
        description: &'static str,
        reference_types: &'static [&'static str],
    ) -> Self {
        Self { reference_types, case_exact: true, ..Self::new(name, Kind::Reference, description) }
    }

    const fn many(self) -> Self {
        Self { multi_valued: true, ..self }
    }

    const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    const fn exact(self) -> Self {
        Self { case_exact: true, ..self }
    }

    const fn mutability(self, mutability: Mutability) -> Self {
        Self { mutability, ..self }
    }

    const fn returned(self, returned: Returned) -> Self {
        Self { returned, ..self }
    }

    const fn unique(self, uniqueness: Uniqueness) -> Self {
        Self { uniqueness, ..self }
    }

    const fn suggest(self, canonical_values: &'static [&'static str]) -> Self {
        Self { canonical_values, ..self }
    }

    /// The sub-attribute called `name`, in any letter case.
    pub fn sub_attribute(&self, name: &str) -> Option<&'static Self> {
        find(self.sub_attributes, name)
    }
}

/// The sub-attributes that most lists have (RFC 7643 §2.4).
const fn plural(value: Attribute, types: &'static [&'static str]) -> [Attribute; 4] {
    [
        value,
        Attribute::string("display", "A name to show people."),
        Attribute::string("type", "What kind of value this is.").suggest(types),
        PRIMARY,
    ]
}

const PRIMARY: Attribute = Attribute::new(
    "primary",
    Kind::Boolean,
    "Whether this is the preferred value; true at most once in the list.",
);

/// The attribute called `name` in `attributes`, in any letter case (RFC 7643 §2.1).
pub fn find(attributes: &'static [Attribute], name: &str) -> Option<&'static Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A set of attributes with a name (RFC 7643 §7).
#[derive(Debug)]
pub struct Schema {
    /// Its URN.
    pub id: &'static str,
    /// Its short name.
    pub name: &'static str,
    /// What `/Schemas` says about it.
    pub description: &'static str,
    /// Its attributes, without the common ones.
    pub attributes: &'static [Attribute],
}

/// A kind of resource: where it lives and which schemas it has (RFC 7643 §6).
#[derive(Debug)]
pub struct ResourceType {
    /// `User` or `Group`; also its id.
    pub name: &'static str,
    /// Its endpoint below the base URL, with the leading slash.
    pub endpoint: &'static str,
    /// What `/ResourceTypes` says about it.
    pub description: &'static str,
    /// The schema every resource of this type has.
    pub schema: &'static Schema,
    /// The schemas it may have besides.
    pub extensions: &'static [&'static Schema],
}

/// Users.
pub static USER_TYPE: ResourceType = ResourceType {
    name: "User",
    endpoint: "/Users",
    description: "User Account",
    schema: &USER,
    extensions: &[&ENTERPRISE_USER],
};

/// Groups.
pub static GROUP_TYPE: ResourceType = ResourceType {
    name: "Group",
    endpoint: "/Groups",
    description: "Group",
    schema: &GROUP,
    extensions: &[],
};

/// Every resource type, in the order `/ResourceTypes` lists them.
pub static RESOURCE_TYPES: [&ResourceType; 2] = [&USER_TYPE, &GROUP_TYPE];

/// The attributes that every resource has (RFC 7643 §3.1); `/Schemas` does not list them.
pub static COMMON: [Attribute; 4] = [
    Attribute::reference("schemas", "The schemas of this resource.", &["uri"])
        .many()
        .mutability(Mutability::ReadOnly)
        .returned(Returned::Always),
    Attribute::string("id", "Our identifier of this resource.")
        .exact()
        .mutability(Mutability::ReadOnly)
        .returned(Returned::Always)
        .unique(Uniqueness::Global),
    Attribute::string("externalId", "The client's label of this resource.").exact(),
    Attribute::complex("meta", "When and where this resource came to be.", &META)
        .mutability(Mutability::ReadOnly),
];

static META: [Attribute; 4] = [
    Attribute::string("resourceType", "The type of this resource.")
        .exact()
        .mutability(Mutability::ReadOnly),
    Attribute::new("created", Kind::DateTime, "When it was created.")
        .mutability(Mutability::ReadOnly),
    Attribute::new("lastModified", Kind::DateTime, "When it last changed.")
        .mutability(Mutability::ReadOnly),
    Attribute::reference("location", "Where it can be read.", &["uri"])
        .mutability(Mutability::ReadOnly),
];

/// What an attribute path means for a resource type.
#[derive(Debug, Clone, Copy)]
pub enum Resolved {
    /// The whole of an extension.
    Extension(&'static Schema),
    /// An attribute, or a sub-attribute of it.
    Attribute(Location),
}

/// Where a value lives in a document.
#[derive(Debug, Clone, Copy)]
pub struct Location {
    /// The extension whose object holds it; none for core and common attributes.
    pub extension: Option<&'static Schema>,
    /// The attribute.
    pub attribute: &'static Attribute,
    /// The sub-attribute that is meant, when one is.
    pub sub_attribute: Option<&'static Attribute>,
}

impl ResourceType {
    /// Finds what `path` names: attribute names and URNs in any letter case.
    ///
    /// Entra ID names enterprise attributes without their URN (`manager`), so a bare name that
    /// the core does not have is looked for in the extensions.
    pub fn resolve(&self, path: &AttributePath<'_>) -> Option<Resolved> {
        let (extension, attribute) = match path.urn {
            None => {
                let core = find(&COMMON, path.name)
                    .or_else(|| find(self.schema.attributes, path.name))
                    .map(|attribute| (None, attribute));
                core.or_else(|| {
                    self.extensions.iter().find_map(|extension| {
                        find(extension.attributes, path.name)
                            .map(|attribute| (Some(*extension), attribute))
                    })
                })?
            }
            Some(urn) if urn.eq_ignore_ascii_case(self.schema.id) => {
                let attribute =
                    find(self.schema.attributes, path.name).or_else(|| find(&COMMON, path.name))?;
                (None, attribute)
            }
            Some(urn) => {
                let Some(extension) =
                    self.extensions.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn))
                else {
                    // `urn:…:enterprise:2.0:User` alone: its last part was taken for a name.
                    return self
                        .extensions
                        .iter()
                        .find(|schema| path.sub.is_none() && path.spells(schema.id))
                        .map(|schema| Resolved::Extension(schema));
                };
                (Some(*extension), find(extension.attributes, path.name)?)
            }
        };
        let sub_attribute = match path.sub {
            None => None,
            Some(name) => Some(attribute.sub_attribute(name)?),
        };
        Some(Resolved::Attribute(Location { extension, attribute, sub_attribute }))
    }

    /// The extension with this URN, in any letter case.
    pub fn extension(&self, urn: &str) -> Option<&'static Schema> {
        self.extensions.iter().find(|schema| schema.id.eq_ignore_ascii_case(urn)).copied()
    }
}
