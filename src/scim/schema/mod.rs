//! RFC 7643: what a resource may hold, as tables that everything else reads.

mod discovery;
mod enterprise;
mod group;
pub mod index;
pub mod registered;
mod types;
mod user;

use std::borrow::Cow;
use std::mem::{forget, replace};

pub use discovery::{BulkLimits, Limits, PageLimits, service_provider_config};
pub use enterprise::ENTERPRISE_USER;
pub use group::GROUP;
pub use types::{
    Extension, GROUP_TYPE, Location, Resolved, ResourceType, ResourceTypes, USER_TYPE,
};
pub use user::USER;

/// The type of an attribute (RFC 7643 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number that fits 64 bits.
    Integer,
    /// A number; kept with the precision of a double.
    Decimal,
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
    /// Only when the request names it.
    Request,
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

/// A list of words: part of the program, or registered by a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Words {
    /// Part of the program.
    Fixed(&'static [&'static str]),
    /// Read from a registered schema.
    Registered(Vec<String>),
}

impl Words {
    /// Each of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (fixed, registered) = match self {
            Self::Fixed(words) => (*words, &[][..]),
            Self::Registered(words) => (&[][..], words.as_slice()),
        };
        fixed.iter().copied().chain(registered.iter().map(String::as_str))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
}

/// One attribute or sub-attribute and its characteristics (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    /// Its name as documents spell it.
    pub name: Cow<'static, str>,
    /// What `/Schemas` says about it.
    pub description: Cow<'static, str>,
    /// Its type.
    pub kind: Kind,
    /// Whether it is a list.
    pub multi_valued: bool,
    /// Whether a resource without it is refused. In an extension: a resource that has values of
    /// the extension. In a complex attribute: a value without it.
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
    pub canonical_values: Words,
    /// What a reference may point at.
    pub reference_types: Words,
    /// Sub-attributes of a complex attribute.
    pub sub_attributes: Cow<'static, [Attribute]>,
}

impl Attribute {
    const fn new(name: &'static str, kind: Kind, description: &'static str) -> Self {
        Self {
            name: Cow::Borrowed(name),
            description: Cow::Borrowed(description),
            kind,
            multi_valued: false,
            required: false,
            // RFC 7643 §2.3.6 and §2.3.7: base64 is case exact, and so is what identifies.
            case_exact: matches!(kind, Kind::Binary | Kind::DateTime),
            mutability: Mutability::ReadWrite,
            returned: Returned::Default,
            uniqueness: Uniqueness::None,
            canonical_values: Words::Fixed(&[]),
            reference_types: Words::Fixed(&[]),
            sub_attributes: Cow::Borrowed(&[]),
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
        let mut made = Self::new(name, Kind::Complex, description);
        // What is replaced here and below owns nothing; a constant function cannot drop it.
        forget(replace(&mut made.sub_attributes, Cow::Borrowed(sub_attributes)));
        made
    }

    const fn reference(
        name: &'static str,
        description: &'static str,
        reference_types: &'static [&'static str],
    ) -> Self {
        let mut made = Self::new(name, Kind::Reference, description);
        made.case_exact = true;
        forget(replace(&mut made.reference_types, Words::Fixed(reference_types)));
        made
    }

    const fn many(mut self) -> Self {
        self.multi_valued = true;
        self
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn exact(mut self) -> Self {
        self.case_exact = true;
        self
    }

    const fn mutability(mut self, mutability: Mutability) -> Self {
        self.mutability = mutability;
        self
    }

    const fn returned(mut self, returned: Returned) -> Self {
        self.returned = returned;
        self
    }

    const fn unique(mut self, uniqueness: Uniqueness) -> Self {
        self.uniqueness = uniqueness;
        self
    }

    const fn suggest(mut self, canonical_values: &'static [&'static str]) -> Self {
        forget(replace(&mut self.canonical_values, Words::Fixed(canonical_values)));
        self
    }

    /// The sub-attribute called `name`, in any letter case.
    pub fn sub_attribute(&self, name: &str) -> Option<&Self> {
        find(&self.sub_attributes, name)
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
pub fn find<'t>(attributes: &'t [Attribute], name: &str) -> Option<&'t Attribute> {
    attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
}

/// A set of attributes with a name (RFC 7643 §7).
#[derive(Debug, Clone, PartialEq)]
pub struct Schema {
    /// Its URN.
    pub id: Cow<'static, str>,
    /// Its short name.
    pub name: Cow<'static, str>,
    /// What `/Schemas` says about it.
    pub description: Cow<'static, str>,
    /// Its attributes, without the common ones.
    pub attributes: Cow<'static, [Attribute]>,
}

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

static META: [Attribute; 5] = [
    Attribute::string("resourceType", "The type of this resource.")
        .exact()
        .mutability(Mutability::ReadOnly),
    Attribute::new("created", Kind::DateTime, "When it was created.")
        .mutability(Mutability::ReadOnly),
    Attribute::new("lastModified", Kind::DateTime, "When it last changed.")
        .mutability(Mutability::ReadOnly),
    Attribute::reference("location", "Where it can be read.", &["uri"])
        .mutability(Mutability::ReadOnly),
    Attribute::string("version", "The version of this resource, as an entity tag.")
        .exact()
        .mutability(Mutability::ReadOnly),
];
