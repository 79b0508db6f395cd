//! A second opinion by other people's code: samael on libxml2 and xmlsec1.
//!
//! What is dangerous in it happens before a signature is known to be good
//! (fetching references, recovering from broken XML, costly transforms), so it
//! sees only messages that the strict core has accepted, written anew from our
//! tree, with only the certificates that verified and a list of algorithms.

use std::sync::{Mutex, PoisonError};

use samael::crypto::{
    AllowedSignatureAlgorithm, CertificateDer, Crypto, CryptoError, CryptoProvider as _, ReduceMode,
};
use samael::schema::Subject;
use serde::Deserialize;

use super::certificate::Certificate;

/// What the strict core found, to be agreed with.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The whole message in canonical form.
    pub message: &'a [u8],
    /// The certificates that verified, one per signature.
    pub certificates: &'a [Certificate],
    /// The bytes digested for the outermost signature.
    pub canonical: &'a [u8],
    /// Whether those bytes are the response; otherwise they are the assertion.
    pub response_signed: bool,
    /// The id of the assertion that was read.
    pub assertion_id: &'a str,
    /// The name that was read.
    pub name_id: &'a str,
}

/// How the second opinion differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// It finds no valid signature.
    #[error("the second implementation does not accept the signature")]
    Signature,
    /// It digested other bytes.
    #[error("the second implementation verified other content")]
    Content,
    /// It cannot read the message.
    #[error("the second implementation cannot read the signed content")]
    Unreadable,
    /// It finds another assertion.
    #[error("the second implementation finds another assertion")]
    AssertionId,
    /// It finds another name.
    #[error("the second implementation finds another name identifier")]
    NameId,
}

/// xmlsec keeps global state and its threads were never proven.
pub(super) static NATIVE: Mutex<()> = Mutex::new(());

const ALGORITHMS: [AllowedSignatureAlgorithm; 6] = [
    AllowedSignatureAlgorithm::RsaSha256,
    AllowedSignatureAlgorithm::RsaSha384,
    AllowedSignatureAlgorithm::RsaSha512,
    AllowedSignatureAlgorithm::EcdsaSha256,
    AllowedSignatureAlgorithm::EcdsaSha384,
    AllowedSignatureAlgorithm::EcdsaSha512,
];

/// Asks. Takes a fraction of a millisecond of native code.
pub fn ask(claim: &Claim<'_>) -> Result<(), Disagreement> {
    ask_signature(claim.message, claim.certificates, claim.canonical)?;
    ask_content(claim.canonical, claim.response_signed, claim.assertion_id, claim.name_id)
}

/// Asks whether the message is signed by these certificates over exactly the bytes in `canonical`,
/// whatever it holds. Alone for responses whose assertion is encrypted.
pub fn ask_signature(
    message: &[u8],
    certificates: &[Certificate],
    canonical: &[u8],
) -> Result<(), Disagreement> {
    let message = str::from_utf8(message).map_err(|_| Disagreement::Unreadable)?;
    let mut distinct: Vec<CertificateDer> = Vec::new();
    for certificate in certificates {
        let certificate = CertificateDer::from(certificate.der().to_vec());
        if !distinct.contains(&certificate) {
            distinct.push(certificate);
        }
    }
    let signed = reduce(message, &distinct).map_err(|_| Disagreement::Signature)?;
    if signed.as_bytes() == canonical { Ok(()) } else { Err(Disagreement::Content) }
}

/// Asks whether the first signature in the message is made by this certificate, where another made
/// one inside of it: samael tries each certificate at each signature, and xmlsec takes a key of
/// another kind for a failure. What was digested needs no comparison, for both found the digest
/// that the signature states.
pub fn ask_outermost(message: &[u8], certificate: &Certificate) -> Result<(), Disagreement> {
    let certificate = CertificateDer::from(certificate.der().to_vec());
    let _held = NATIVE.lock().unwrap_or_else(PoisonError::into_inner);
    Crypto::verify_signed_xml(message, &certificate, Some("ID"))
        .map_err(|_| Disagreement::Signature)
}

/// Asks whether a response, or an assertion, is read alike.
pub fn ask_content(
    canonical: &[u8],
    is_response: bool,
    assertion_id: &str,
    name_id: &str,
) -> Result<(), Disagreement> {
    let text = str::from_utf8(canonical).map_err(|_| Disagreement::Unreadable)?;
    let (their_id, their_name) = read(text, is_response).ok_or(Disagreement::Unreadable)?;
    if their_id != assertion_id {
        return Err(Disagreement::AssertionId);
    }
    if super::xml::trim(&their_name) != name_id {
        return Err(Disagreement::NameId);
    }
    Ok(())
}

fn reduce(message: &str, certificates: &[CertificateDer]) -> Result<String, CryptoError> {
    // The lock guards no data of ours, so a poisoned one is as good as any.
    let _held = NATIVE.lock().unwrap_or_else(PoisonError::into_inner);
    Crypto::reduce_xml_to_signed_with_allowed_algorithms(
        message,
        certificates,
        ReduceMode::PreDigest,
        Some(&ALGORITHMS),
    )
}

/// As much of an assertion as the two have to agree on, in samael's types.
///
/// Its type of a whole assertion cannot read what SimpleSAMLphp and Shibboleth
/// put into attributes, and would refuse honest people.
#[derive(Deserialize)]
struct Assertion {
    #[serde(rename = "@ID")]
    id: String,
    #[serde(rename = "Subject")]
    subject: Subject,
}

#[derive(Deserialize)]
struct Response {
    #[serde(rename = "Assertion")]
    assertion: Assertion,
}

/// Assertion id and name, found by local names in what xmlsec digested.
fn read(signed: &str, is_response: bool) -> Option<(String, String)> {
    let assertion = if is_response {
        quick_xml::de::from_str::<Response>(signed).ok()?.assertion
    } else {
        quick_xml::de::from_str::<Assertion>(signed).ok()?
    };
    let name = assertion.subject.name_id.map(|name| name.value);
    Some((assertion.id, name.unwrap_or_default()))
}
