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
static NATIVE: Mutex<()> = Mutex::new(());

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
    let message = str::from_utf8(claim.message).map_err(|_| Disagreement::Unreadable)?;
    let mut certificates: Vec<CertificateDer> = Vec::new();
    for certificate in claim.certificates {
        let certificate = CertificateDer::from(certificate.der().to_vec());
        if !certificates.contains(&certificate) {
            certificates.push(certificate);
        }
    }
    let signed = reduce(message, &certificates).map_err(|_| Disagreement::Signature)?;
    if signed.as_bytes() != claim.canonical {
        return Err(Disagreement::Content);
    }
    let (assertion_id, name_id) =
        read(&signed, claim.response_signed).ok_or(Disagreement::Unreadable)?;
    if assertion_id != claim.assertion_id {
        return Err(Disagreement::AssertionId);
    }
    if super::xml::trim(&name_id) != claim.name_id {
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
    Some((assertion.id, assertion.subject.name_id?.value))
}
