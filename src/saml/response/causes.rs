//! From what went wrong to its [`Cause`]: what an administrator can act on.

use jiff::Timestamp;

use crate::saml::cause::Cause;
use crate::saml::encryption::EncryptionError;
use crate::saml::namespace::PROTOCOL;
use crate::saml::shape::ShapeError;
use crate::saml::signature::SignatureError;
use crate::saml::xml::{Element, XmlError, XmlProblem};

/// Prefix of the status codes that SAML defines.
const STATUS: &str = "urn:oasis:names:tc:SAML:2.0:status:";

pub(super) fn of_xml(error: &XmlError) -> Cause {
    match error.problem {
        XmlProblem::TooLarge
        | XmlProblem::TooDeep
        | XmlProblem::TooManyNodes
        | XmlProblem::TooManyAttributes
        | XmlProblem::TooManyNamespaces => Cause::TooLarge,
        XmlProblem::Encoding => Cause::NotUtf8,
        XmlProblem::DocumentType
        | XmlProblem::ProcessingInstruction
        | XmlProblem::Comment
        | XmlProblem::Cdata => Cause::ForbiddenXml,
        _ => Cause::NotXml,
    }
}

/// Why a message has not the shape of a response.
pub(super) fn of_message(error: &ShapeError, root: Element<'_>) -> Cause {
    if root.is(PROTOCOL, "Response") {
        of_shape(error, root)
    } else if root.name().namespace.starts_with("urn:oasis:names:tc:SAML:1.") {
        Cause::OlderSaml
    } else {
        Cause::NotAResponse
    }
}

/// Why an element that is what it should be has not its shape.
pub(super) fn of_shape(error: &ShapeError, element: Element<'_>) -> Cause {
    let about = |names: &[&str]| {
        let local = parent_of(error).rsplit(':').next().unwrap_or_default();
        names.contains(&local)
    };
    match error {
        // What is wrapped is wrong wherever it stands.
        ShapeError::UnexpectedElement { parent, found }
            if (found.ends_with(":Assertion") || found.ends_with(":Response"))
                && !parent.ends_with("Subject") =>
        {
            Cause::UnknownParts
        }
        _ if about(&["AttributeStatement", "Attribute", "AttributeValue"]) => {
            Cause::UnreadableAttributes
        }
        // A holder's key, or the one that vouches, stands there.
        _ if about(&["SubjectConfirmation", "SubjectConfirmationData"]) => Cause::NotBearer,
        ShapeError::UnexpectedElement { found, .. } if found.ends_with("EncryptedID") => {
            Cause::EncryptedNameId
        }
        ShapeError::UnexpectedElement { parent, .. }
        | ShapeError::MissingElement { parent, .. }
            if parent.ends_with("Subject") =>
        {
            Cause::NoNameId
        }
        ShapeError::MissingElement { wanted, .. } if wanted == "Subject" => Cause::NoNameId,
        ShapeError::UnexpectedElement { parent, .. } if parent.ends_with("Assertion") => {
            // A statement where the subject belongs.
            let named = element.elements().any(|it| it.name().local == "Subject");
            if named { Cause::UnknownParts } else { Cause::NoNameId }
        }
        ShapeError::UnexpectedElement { .. }
        | ShapeError::MissingElement { .. }
        | ShapeError::UnexpectedAttribute { .. }
        | ShapeError::MissingAttribute { .. }
        | ShapeError::UnexpectedText { .. }
        | ShapeError::TooMuch { .. }
        | ShapeError::BadValue { .. } => Cause::UnknownParts,
    }
}

/// The element in which or on which something is wrong.
fn parent_of(error: &ShapeError) -> &str {
    match error {
        ShapeError::UnexpectedElement { parent, .. }
        | ShapeError::MissingElement { parent, .. }
        | ShapeError::UnexpectedAttribute { parent, .. }
        | ShapeError::MissingAttribute { parent, .. }
        | ShapeError::UnexpectedText { parent }
        | ShapeError::TooMuch { parent }
        | ShapeError::BadValue { parent, .. } => parent,
    }
}

/// What the codes of a failed response mean (SAML core §3.2.2.2). The second code, where there is
/// one, is the precise one.
pub(super) fn of_status(codes: &[&str]) -> Cause {
    let code = |at: usize| codes.get(at).and_then(|code| code.strip_prefix(STATUS));
    match (code(0), code(1)) {
        (_, Some("AuthnFailed" | "NoPassive")) => Cause::AuthenticationFailed,
        (_, Some("NoAuthnContext")) => Cause::AuthnContextNotOffered,
        (_, Some("InvalidNameIDPolicy")) => Cause::NameIdFormatNotOffered,
        (_, Some("RequestDenied" | "UnknownPrincipal")) => Cause::PersonRefused,
        (Some("Requester" | "VersionMismatch"), _) | (_, Some("RequestUnsupported")) => {
            Cause::RequestRefused
        }
        _ => Cause::IdentityProviderFailed,
    }
}

pub(super) fn of_encryption(error: &EncryptionError) -> Cause {
    match error {
        EncryptionError::NotEnabled => Cause::EncryptionOff,
        EncryptionError::Algorithm(_)
        | EncryptionError::KeyAlgorithm(_)
        | EncryptionError::Digest(_) => Cause::EncryptionAlgorithm,
        EncryptionError::CbcNotSigned => Cause::EncryptionNotSigned,
        EncryptionError::Closed => Cause::EncryptedForAnother,
        EncryptionError::Shape(_)
        | EncryptionError::Recipients(_)
        | EncryptionError::Reference
        | EncryptionError::Base64
        | EncryptionError::Inside(_)
        | EncryptionError::Another { .. } => Cause::EncryptionForm,
    }
}

pub(super) fn of_signature(error: &SignatureError) -> Cause {
    match error {
        SignatureError::Algorithm(_) | SignatureError::DigestAlgorithm(_) => Cause::WeakAlgorithm,
        SignatureError::Canonicalization(_) => Cause::OtherCanonicalization,
        SignatureError::Digest => Cause::ContentChanged,
        SignatureError::NoCertificate => Cause::NoCertificate,
        SignatureError::KeyType => Cause::OtherKeyType,
        SignatureError::UnknownKey { .. } => Cause::OtherCertificate,
        SignatureError::Shape(_)
        | SignatureError::Misplaced
        | SignatureError::Reference(_)
        | SignatureError::Transforms
        | SignatureError::PrefixList
        | SignatureError::PrefixSearch
        | SignatureError::Base64
        | SignatureError::Unsigned
        | SignatureError::Certificate(_) => Cause::SignatureForm,
    }
}

/// Whose clock is wrong, when one of these instants is not of this moment.
pub(super) fn of_instants(now: Timestamp, instants: &[Timestamp]) -> Cause {
    if instants.iter().any(|it| *it > now) { Cause::ClockAhead } else { Cause::TooOld }
}
