//! Who vouches for what is read: the signatures, what was encrypted, the second opinion.

use super::Expected;
use super::causes;
use super::judge::unique_ids;
use crate::saml::cause::Cause;
use crate::saml::certificate::Certificate;
use crate::saml::second_opinion::Disagreement;
use crate::saml::signature::{self, SignatureError, Verified};
use crate::saml::statement::Assertion;
use crate::saml::trace::{Check, Trace};
use crate::saml::xml::{Document, Element};
use crate::saml::{c14n, encryption, second_opinion};

/// Opens an encrypted assertion, unless the message is refused already: nobody gets our private
/// key to work with a message that is no good, and what a signature covers is not touched before
/// the signature held.
pub(super) fn decryption(
    trace: &mut Trace,
    expected: &Expected<'_>,
    document: &Document,
    element: Element<'_>,
    around: Result<&Option<Verified<'_>>, &SignatureError>,
) -> Option<Document> {
    let wanted = "an assertion that a key of ours opens";
    let around = match around {
        Ok(around) => around,
        Err(error) => {
            trace.fail(Check::Signature, causes::of_signature(error), SIGNED, error.to_string());
            return None;
        }
    };
    if trace.first_failure().is_some() {
        let received = "not tried: the message is refused already";
        trace.skip(Check::Decryption, wanted, received);
        return None;
    }
    match encryption::open(element, expected.decryption_keys, around.is_some()) {
        Err(error) => {
            let cause = causes::of_encryption(&error);
            trace.fail(Check::Decryption, cause, wanted, error.to_string());
            None
        }
        Ok(opened) => {
            trace.pass(Check::Decryption, wanted, opened.method);
            if !unique_ids([document, &opened.document]) {
                let received = "an ID of the message again in the encrypted assertion";
                trace.fail(Check::UniqueIds, Cause::DuplicateIds, "every ID once", received);
            }
            Some(opened.document)
        }
    }
}

const SIGNED: &str = "signed by a configured certificate";

/// Who signed what is read: the response, the assertion, or both.
pub(super) struct SignedBy<'c> {
    around: Option<Verified<'c>>,
    inside: Option<Verified<'c>>,
}

impl SignedBy<'_> {
    pub(super) fn all(&self) -> impl Iterator<Item = &Verified<'_>> {
        self.around.iter().chain(&self.inside)
    }
}

/// At least one of the two elements is signed, and every signature holds. The
/// response's covers the assertion: as its child in the same tree, or encrypted.
pub(super) fn signatures<'c>(
    trace: &mut Trace,
    expected: &Expected<'c>,
    around: Result<Option<Verified<'c>>, SignatureError>,
    assertion: &Assertion<'_>,
) -> Option<SignedBy<'c>> {
    // A message that is refused already costs no second verification.
    let both = around.and_then(|around| {
        let inside = assertion.signature.map(|signature| {
            signature::verify(signature, assertion.element, expected.certificates)
        });
        Ok((around, inside.transpose()?))
    });
    match both {
        Err(error) => {
            trace.fail(Check::Signature, causes::of_signature(&error), SIGNED, error.to_string());
            None
        }
        Ok((around, inside)) => {
            let signed_by = SignedBy { around, inside };
            let Some(outermost) = signed_by.all().next() else {
                trace.fail(Check::Signature, Cause::NotSigned, SIGNED, "not signed");
                return None;
            };
            let received = format!("sha256 {}", outermost.certificate.facts().fingerprint);
            trace.pass(Check::Signature, SIGNED, received);
            Some(signed_by)
        }
    }
}

/// Asks the second implementation. It decrypts nothing: of an encrypted assertion it gets what
/// came out, as a message of its own, and of the response around it the signature.
pub(super) fn agreement(
    document: &Document,
    opened: Option<&Document>,
    assertion: &Assertion<'_>,
    signed_by: &SignedBy<'_>,
) -> Result<(), Disagreement> {
    let name = assertion.name_id.map_or("", |name| name.value);
    let claim = |message: &[u8], signatures: &[&Verified<'_>], response_signed| {
        let outermost = signatures.first().ok_or(Disagreement::Signature)?;
        let certificates: Vec<Certificate> =
            signatures.iter().map(|it| it.certificate.clone()).collect();
        second_opinion::ask(&second_opinion::Claim {
            message,
            certificates: &certificates,
            canonical: &outermost.canonical,
            response_signed,
            assertion_id: assertion.id,
            name_id: name,
        })
    };
    let whole = c14n::whole(document);
    let Some(opened) = opened else {
        if let SignedBy { around: Some(around), inside: Some(inside) } = signed_by
            && around.certificate != inside.certificate
        {
            second_opinion::ask_outermost(&whole, around.certificate)?;
            let alone = c14n::alone(assertion.element);
            let by = [inside.certificate.clone()];
            second_opinion::ask_signature(&alone, &by, &inside.canonical)?;
            let id = assertion.id;
            return second_opinion::ask_content(&around.canonical, true, id, name);
        }
        let all: Vec<&Verified<'_>> = signed_by.all().collect();
        return claim(&whole, &all, signed_by.around.is_some());
    };
    if let Some(around) = &signed_by.around {
        let certificates = [around.certificate.clone()];
        second_opinion::ask_signature(&whole, &certificates, &around.canonical)?;
    }
    if let Some(inside) = &signed_by.inside {
        return claim(&c14n::whole(opened), &[inside], false);
    }
    let canonical = c14n::exclusive(opened.root(), &[], None);
    second_opinion::ask_content(&canonical, false, assertion.id, name)
}
