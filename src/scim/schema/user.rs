//! The core User of RFC 7643 §4.1, every attribute of it.

use std::borrow::Cow;

use super::{Attribute, Kind, Mutability, PRIMARY, Returned, Schema, Uniqueness, plural};

/// `urn:ietf:params:scim:schemas:core:2.0:User`.
pub static USER: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:core:2.0:User"),
    name: Cow::Borrowed("User"),
    description: Cow::Borrowed("User Account"),
    attributes: Cow::Borrowed(&ATTRIBUTES),
};

static ATTRIBUTES: [Attribute; 21] = [
    Attribute::string(
        "userName",
        "The name the identity provider sends at sign-in, unique among users in any letter case; 1 to 256 characters.",
    )
    .required()
    .unique(Uniqueness::Server),
    Attribute::complex("name", "The parts of the user's name.", &NAME),
    Attribute::string("displayName", "The name to show people."),
    Attribute::string("nickName", "What the user is called."),
    Attribute::reference("profileUrl", "A page about the user.", &["external"]),
    Attribute::string("title", "The user's title, such as Vice President."),
    Attribute::string("userType", "The relation to the organisation, such as Contractor."),
    Attribute::string("preferredLanguage", "The languages the user prefers, as Accept-Language."),
    Attribute::string("locale", "For currency, dates and numbers, such as en-US."),
    Attribute::string("timezone", "An IANA time zone name, such as Asia/Shanghai."),
    Attribute::new("active", Kind::Boolean, "Whether the user may sign in; true when absent."),
    Attribute::string("password", "Accepted and forgotten: nobody signs in here by password.")
        .exact()
        .mutability(Mutability::WriteOnly)
        .returned(Returned::Never),
    Attribute::complex("emails", "E-mail addresses.", &EMAILS).many(),
    Attribute::complex("phoneNumbers", "Phone numbers.", &PHONE_NUMBERS).many(),
    Attribute::complex("ims", "Instant messaging addresses.", &IMS).many(),
    Attribute::complex("photos", "URLs of photos.", &PHOTOS).many(),
    Attribute::complex("addresses", "Postal addresses.", &ADDRESSES).many(),
    Attribute::complex("groups", "The groups the user is a member of.", &GROUPS)
        .many()
        .mutability(Mutability::ReadOnly),
    Attribute::complex("entitlements", "Kept as sent; confers nothing here.", &ENTITLEMENTS).many(),
    Attribute::complex("roles", "Kept as sent; confers nothing here.", &ROLES).many(),
    Attribute::complex("x509Certificates", "Certificates of the user.", &CERTIFICATES).many(),
];

static NAME: [Attribute; 6] = [
    Attribute::string("formatted", "The whole name, to show people."),
    Attribute::string("familyName", "The family name."),
    Attribute::string("givenName", "The given name."),
    Attribute::string("middleName", "The middle names."),
    Attribute::string("honorificPrefix", "Titles before the name."),
    Attribute::string("honorificSuffix", "Suffixes after the name."),
];

static EMAILS: [Attribute; 4] =
    plural(Attribute::string("value", "An e-mail address."), &["work", "home", "other"]);

static PHONE_NUMBERS: [Attribute; 4] = plural(
    Attribute::string("value", "A phone number."),
    &["work", "home", "mobile", "fax", "pager", "other"],
);

static IMS: [Attribute; 4] = plural(
    Attribute::string("value", "An address."),
    &["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"],
);

static PHOTOS: [Attribute; 4] = plural(
    Attribute::reference("value", "The URL of a photo.", &["external"]),
    &["photo", "thumbnail"],
);

static ADDRESSES: [Attribute; 8] = [
    Attribute::string("formatted", "The whole address, to print on a label."),
    Attribute::string("streetAddress", "Street, house number, box."),
    Attribute::string("locality", "City."),
    Attribute::string("region", "State or region."),
    Attribute::string("postalCode", "Postal code."),
    Attribute::string("country", "Country, as an ISO 3166-1 alpha-2 code."),
    Attribute::string("type", "What kind of address this is.").suggest(&["work", "home", "other"]),
    PRIMARY,
];

static GROUPS: [Attribute; 4] = [
    Attribute::string("value", "The id of the group.").exact().mutability(Mutability::ReadOnly),
    Attribute::reference("$ref", "The URL of the group.", &["Group"])
        .mutability(Mutability::ReadOnly),
    Attribute::string("display", "The name of the group.").mutability(Mutability::ReadOnly),
    Attribute::string("type", "How the user is a member.")
        .suggest(&["direct"])
        .mutability(Mutability::ReadOnly),
];

static ENTITLEMENTS: [Attribute; 4] = plural(Attribute::string("value", "An entitlement."), &[]);

static ROLES: [Attribute; 4] = plural(Attribute::string("value", "A role."), &[]);

static CERTIFICATES: [Attribute; 4] =
    plural(Attribute::new("value", Kind::Binary, "A certificate, DER in base64."), &[]);
