//! The enterprise extension of User, RFC 7643 §4.3.

use std::borrow::Cow;

use super::{Attribute, Mutability, Schema};

/// `urn:ietf:params:scim:schemas:extension:enterprise:2.0:User`.
pub static ENTERPRISE_USER: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"),
    name: Cow::Borrowed("Enterprise User"),
    description: Cow::Borrowed("Enterprise User"),
    attributes: Cow::Borrowed(&ATTRIBUTES),
};

static ATTRIBUTES: [Attribute; 6] = [
    Attribute::string("employeeNumber", "The number the organisation gave the user."),
    Attribute::string("costCenter", "The name of a cost center."),
    Attribute::string("organization", "The name of an organisation."),
    Attribute::string("division", "The name of a division."),
    Attribute::string("department", "The name of a department."),
    Attribute::complex("manager", "The user's manager.", &MANAGER),
];

static MANAGER: [Attribute; 3] = [
    Attribute::string("value", "The id of the manager, as the client sent it.").exact(),
    Attribute::reference("$ref", "The URL of the manager, as the client sent it.", &["User"]),
    Attribute::string("displayName", "The manager's name.").mutability(Mutability::ReadOnly),
];
