//! The core Group of RFC 7643 §4.2.

use std::borrow::Cow;

use super::{Attribute, Mutability, Schema, Uniqueness};

/// `urn:ietf:params:scim:schemas:core:2.0:Group`.
pub static GROUP: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:core:2.0:Group"),
    name: Cow::Borrowed("Group"),
    description: Cow::Borrowed("Group"),
    attributes: Cow::Borrowed(&ATTRIBUTES),
};

static ATTRIBUTES: [Attribute; 2] = [
    Attribute::string(
        "displayName",
        "The name of the group, unique among groups in any letter case; 1 to 256 characters.",
    )
    .required()
    .unique(Uniqueness::Server),
    Attribute::complex("members", "The users in the group.", &MEMBERS).many(),
];

static MEMBERS: [Attribute; 3] = [
    Attribute::string("value", "The id of the user.").exact().mutability(Mutability::Immutable),
    Attribute::reference("$ref", "The URL of the user.", &["User"])
        .mutability(Mutability::Immutable),
    Attribute::string("type", "What kind of member this is.")
        .suggest(&["User"])
        .mutability(Mutability::Immutable),
];
