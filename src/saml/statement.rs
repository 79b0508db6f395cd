//! The structure of a response: which elements may stand where. Reading only;
//! whether any of it is true is judged in [`super::response`].

use jiff::Timestamp;

use super::instant;
use super::namespace::{ASSERTION, PROTOCOL, SIGNATURE};
use super::shape::{
    Children, Foreign, ShapeError, bad_value, check_attributes, label, leaf, required, trimmed_leaf,
};
use super::xml::{Element, is_ncname, trim};

/// A response, read and not yet believed.
#[derive(Debug)]
pub struct Response<'d> {
    /// The element itself.
    pub element: Element<'d>,
    /// Its `Version`.
    pub version: &'d str,
    /// When it was made.
    pub issue_instant: Timestamp,
    /// Where it was sent.
    pub destination: Option<&'d str>,
    /// The request it answers.
    pub in_response_to: Option<&'d str>,
    /// Who sent it.
    pub issuer: Option<&'d str>,
    /// Its own signature.
    pub signature: Option<Element<'d>>,
    /// How it went.
    pub status: Status<'d>,
    /// The assertions, unread.
    pub assertions: Vec<Element<'d>>,
    /// The encrypted assertions, unread.
    pub encrypted: Vec<Element<'d>>,
}

/// How the identity provider says it went.
#[derive(Debug)]
pub struct Status<'d> {
    /// The codes from the top down; the first decides.
    pub codes: Vec<&'d str>,
    /// A text for people.
    pub message: Option<&'d str>,
}

/// An assertion, read and not yet believed.
#[derive(Debug)]
pub struct Assertion<'d> {
    /// The element itself.
    pub element: Element<'d>,
    /// Its `ID`.
    pub id: &'d str,
    /// Its `Version`.
    pub version: &'d str,
    /// When it was made.
    pub issue_instant: Timestamp,
    /// Who makes it.
    pub issuer: &'d str,
    /// Its own signature.
    pub signature: Option<Element<'d>>,
    /// Whom it is about, if a name identifier says so (SAML core §2.4.1 lets a confirmation stand
    /// alone).
    pub name_id: Option<NameId<'d>>,
    /// How its bearer is confirmed.
    pub confirmations: Vec<Confirmation<'d>>,
    /// Under which conditions it holds.
    pub conditions: Option<Element<'d>>,
    /// When and how the person authenticated.
    pub authentications: Vec<Authentication<'d>>,
    /// What else is said about the person.
    pub attributes: Vec<Attribute>,
}

/// A name identifier as written.
#[derive(Debug, Clone, Copy)]
pub struct NameId<'d> {
    /// The text, XML white space trimmed.
    pub value: &'d str,
    /// Its format.
    pub format: Option<&'d str>,
    /// Who gave the name.
    pub name_qualifier: Option<&'d str>,
    /// For whom the name was given.
    pub sp_name_qualifier: Option<&'d str>,
}

/// A subject confirmation.
#[derive(Debug)]
pub struct Confirmation<'d> {
    /// Its method.
    pub method: &'d str,
    /// Who may receive it.
    pub recipient: Option<&'d str>,
    /// The request it answers.
    pub in_response_to: Option<&'d str>,
    /// From when it holds; bearer confirmations must not say.
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    pub not_on_or_after: Option<Timestamp>,
}

/// An authentication statement.
#[derive(Debug)]
pub struct Authentication<'d> {
    /// When the person authenticated.
    pub instant: Timestamp,
    /// The session at the identity provider.
    pub session_index: Option<&'d str>,
    /// When that session ends.
    pub session_not_on_or_after: Option<Timestamp>,
    /// How the person authenticated (`AuthnContextClassRef`).
    pub context: Option<&'d str>,
}

/// One attribute with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// Its values, in order.
    pub values: Vec<String>,
}

/// The conditions of an assertion.
#[derive(Debug)]
pub struct Conditions<'d> {
    /// From when it holds.
    pub not_before: Option<Timestamp>,
    /// Until when it holds.
    pub not_on_or_after: Option<Timestamp>,
    /// Per restriction the audiences it names. All restrictions must match.
    pub audiences: Vec<Vec<&'d str>>,
}

pub(super) fn instant_of(
    element: Element<'_>,
    name: &'static str,
) -> Result<Option<Timestamp>, ShapeError> {
    element
        .attribute(name)
        .map(|text| instant::parse(text).ok_or_else(|| bad_value(element, name)))
        .transpose()
}

pub(super) fn required_instant(
    element: Element<'_>,
    name: &'static str,
) -> Result<Timestamp, ShapeError> {
    required(element, name)?;
    instant_of(element, name)?.ok_or_else(|| bad_value(element, name))
}

pub(super) fn id_of(element: Element<'_>) -> Result<&str, ShapeError> {
    let id = required(element, "ID")?;
    if is_ncname(id) && id.len() <= 256 { Ok(id) } else { Err(bad_value(element, "ID")) }
}

pub(super) fn issuer(element: Element<'_>) -> Result<&str, ShapeError> {
    if element.attribute("Format").is_some_and(|f| f != super::name_id_format::ENTITY) {
        return Err(bad_value(element, "Format"));
    }
    trimmed_leaf(element, &["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"])
}

/// Reads the outside of a response.
pub fn response(element: Element<'_>) -> Result<Response<'_>, ShapeError> {
    if !element.is(PROTOCOL, "Response") {
        return Err(ShapeError::MissingElement {
            parent: label(element),
            wanted: "Response".to_owned(),
        });
    }
    let mut parts = Children::of(
        element,
        &["ID", "Version", "IssueInstant", "Destination", "InResponseTo", "Consent"],
    )?;
    id_of(element)?;
    let from = parts.optional(ASSERTION, "Issuer").map(issuer).transpose()?;
    let signature = parts.optional(SIGNATURE, "Signature");
    let status = status(parts.required(PROTOCOL, "Status")?)?;
    let (mut assertions, mut encrypted) = (Vec::new(), Vec::new());
    while let Some(child) = parts.any() {
        if child.is(ASSERTION, "Assertion") {
            assertions.push(child);
        } else if child.is(ASSERTION, "EncryptedAssertion") {
            encrypted.push(child);
        } else {
            return Err(parts.unexpected(child));
        }
    }
    Ok(Response {
        element,
        version: required(element, "Version")?,
        issue_instant: required_instant(element, "IssueInstant")?,
        destination: element.attribute("Destination"),
        in_response_to: element.attribute("InResponseTo"),
        issuer: from,
        signature,
        status,
        assertions,
        encrypted,
    })
}

pub(super) fn status(element: Element<'_>) -> Result<Status<'_>, ShapeError> {
    let mut parts = Children::of(element, &[])?;
    let mut next = Some(parts.required(PROTOCOL, "StatusCode")?);
    let message = parts.optional(PROTOCOL, "StatusMessage").map(|it| leaf(it, &[])).transpose()?;
    // `StatusDetail` may hold anything; it explains failures and is not read.
    let detail = parts.optional(PROTOCOL, "StatusDetail");
    parts.end()?;
    let mut codes = Vec::new();
    while let Some(code) = next {
        let mut parts = Children::of(code, &["Value"])?;
        codes.push(required(code, "Value")?);
        next = parts.optional(PROTOCOL, "StatusCode");
        parts.end()?;
    }
    let success = codes.first() == Some(&super::response::SUCCESS);
    match detail {
        Some(detail) if success => Err(Children::of(element, &[])?.unexpected(detail)),
        _ => Ok(Status { codes, message }),
    }
}

/// Reads an assertion.
pub fn assertion(element: Element<'_>) -> Result<Assertion<'_>, ShapeError> {
    let mut parts = Children::of(element, &["ID", "Version", "IssueInstant"])?;
    let id = id_of(element)?;
    let from = issuer(parts.required(ASSERTION, "Issuer")?)?;
    let signature = parts.optional(SIGNATURE, "Signature");
    let (name_id, confirmations) = subject(parts.required(ASSERTION, "Subject")?)?;
    let conditions = parts.optional(ASSERTION, "Conditions");
    let (mut authentications, mut attributes) = (Vec::new(), Vec::new());
    while let Some(child) = parts.any() {
        if child.is(ASSERTION, "AuthnStatement") {
            authentications.push(authentication(child)?);
        } else if child.is(ASSERTION, "AttributeStatement") {
            let mut statement = Children::of(child, &[])?;
            for found in statement.many(ASSERTION, "Attribute") {
                attributes.push(attribute(found)?);
            }
            statement.end()?;
        } else {
            return Err(parts.unexpected(child));
        }
    }
    Ok(Assertion {
        element,
        id,
        version: required(element, "Version")?,
        issue_instant: required_instant(element, "IssueInstant")?,
        issuer: from,
        signature,
        name_id,
        confirmations,
        conditions,
        authentications,
        attributes,
    })
}

pub(super) fn name_id(element: Element<'_>) -> Result<NameId<'_>, ShapeError> {
    let known = ["Format", "NameQualifier", "SPNameQualifier", "SPProvidedID"];
    Ok(NameId {
        value: trimmed_leaf(element, &known)?,
        format: element.attribute("Format"),
        name_qualifier: element.attribute("NameQualifier"),
        sp_name_qualifier: element.attribute("SPNameQualifier"),
    })
}

type Subject<'d> = (Option<NameId<'d>>, Vec<Confirmation<'d>>);

fn subject(element: Element<'_>) -> Result<Subject<'_>, ShapeError> {
    let mut parts = Children::of(element, &[])?;
    let name = parts.optional(ASSERTION, "NameID").map(name_id).transpose()?;
    let found = parts.many(ASSERTION, "SubjectConfirmation");
    parts.end()?;
    Ok((name, found.into_iter().map(confirmation).collect::<Result<_, _>>()?))
}

fn confirmation(element: Element<'_>) -> Result<Confirmation<'_>, ShapeError> {
    let mut parts = Children::of(element, &["Method"])?;
    let method = required(element, "Method")?;
    let data = parts.optional(ASSERTION, "SubjectConfirmationData");
    parts.end()?;
    let mut confirmation = Confirmation {
        method,
        recipient: None,
        in_response_to: None,
        not_before: None,
        not_on_or_after: None,
    };
    if let Some(data) = data {
        let known = ["Recipient", "InResponseTo", "NotBefore", "NotOnOrAfter", "Address"];
        Children::with(data, &known, Foreign::Ignored)?.end()?;
        confirmation.recipient = data.attribute("Recipient");
        confirmation.in_response_to = data.attribute("InResponseTo");
        confirmation.not_before = instant_of(data, "NotBefore")?;
        confirmation.not_on_or_after = instant_of(data, "NotOnOrAfter")?;
    }
    Ok(confirmation)
}

fn authentication(element: Element<'_>) -> Result<Authentication<'_>, ShapeError> {
    let known = ["AuthnInstant", "SessionIndex", "SessionNotOnOrAfter"];
    let mut parts = Children::of(element, &known)?;
    if let Some(locality) = parts.optional(ASSERTION, "SubjectLocality") {
        Children::of(locality, &["Address", "DNSName"])?.end()?;
    }
    let context = parts.required(ASSERTION, "AuthnContext")?;
    parts.end()?;
    let mut parts = Children::of(context, &[])?;
    let context_class = parts.optional(ASSERTION, "AuthnContextClassRef");
    let context_class = context_class.map(|it| trimmed_leaf(it, &[])).transpose()?;
    let declaration = parts.optional(ASSERTION, "AuthnContextDeclRef");
    let declaration = declaration.map(|it| trimmed_leaf(it, &[])).transpose()?;
    // One of the two has to be there and to say something (SAML core §2.7.2.2).
    if context_class.or(declaration).is_none_or(str::is_empty) {
        return Err(bad_value(context, "AuthnContextClassRef"));
    }
    for authority in parts.many(ASSERTION, "AuthenticatingAuthority") {
        leaf(authority, &[])?;
    }
    parts.end()?;
    Ok(Authentication {
        instant: required_instant(element, "AuthnInstant")?,
        session_index: element.attribute("SessionIndex"),
        session_not_on_or_after: instant_of(element, "SessionNotOnOrAfter")?,
        context: context_class,
    })
}

fn attribute(element: Element<'_>) -> Result<Attribute, ShapeError> {
    let known = ["Name", "NameFormat", "FriendlyName"];
    let mut parts = Children::with(element, &known, Foreign::Ignored)?;
    let mut values = Vec::new();
    for value in parts.many(ASSERTION, "AttributeValue") {
        values.push(attribute_value(value)?.to_owned());
    }
    parts.end()?;
    Ok(Attribute {
        name: required(element, "Name")?.to_owned(),
        friendly_name: element.attribute("FriendlyName").map(str::to_owned),
        values,
    })
}

/// Text, or the name identifier that SimpleSAMLphp and Shibboleth put into
/// `eduPersonTargetedID`.
fn attribute_value(element: Element<'_>) -> Result<&str, ShapeError> {
    check_attributes(element, &[], Foreign::Refused)?;
    if let Some(text) = element.text() {
        return Ok(text);
    }
    let mut parts = Children::of(element, &[])?;
    let name = name_id(parts.required(ASSERTION, "NameID")?)?;
    parts.end()?;
    Ok(name.value)
}

/// Reads conditions. One we do not know makes the assertion invalid (SAML core
/// §2.5.1.1), so it is an error. `OneTimeUse` is kept by the replay ledger;
/// `ProxyRestriction` limits assertions made from this one, and we make none:
/// our own state what our directory says.
pub fn conditions(element: Element<'_>) -> Result<Conditions<'_>, ShapeError> {
    let mut parts = Children::of(element, &["NotBefore", "NotOnOrAfter"])?;
    let mut audiences = Vec::new();
    let (mut one_time_use, mut proxy_restriction) = (0, 0);
    while let Some(child) = parts.any() {
        let seen = if child.is(ASSERTION, "AudienceRestriction") {
            audiences.push(audience_list(child, &[])?);
            continue;
        } else if child.is(ASSERTION, "OneTimeUse") {
            Children::of(child, &[])?.end()?;
            &mut one_time_use
        } else if child.is(ASSERTION, "ProxyRestriction") {
            audience_list(child, &["Count"])?;
            &mut proxy_restriction
        } else {
            return Err(parts.unexpected(child));
        };
        *seen += 1;
        if *seen > 1 {
            return Err(parts.unexpected(child));
        }
    }
    Ok(Conditions {
        not_before: instant_of(element, "NotBefore")?,
        not_on_or_after: instant_of(element, "NotOnOrAfter")?,
        audiences,
    })
}

fn audience_list<'d>(
    element: Element<'d>,
    attributes: &[&str],
) -> Result<Vec<&'d str>, ShapeError> {
    let mut parts = Children::of(element, attributes)?;
    let audiences = parts
        .many(ASSERTION, "Audience")
        .into_iter()
        .map(|audience| leaf(audience, &[]).map(trim))
        .collect::<Result<_, _>>()?;
    parts.end()?;
    Ok(audiences)
}
