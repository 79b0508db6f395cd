//! What we say about ourselves: as a service provider towards the company's
//! identity provider, and as an identity provider towards cloud accounts.

use super::certificate::{Certificate, SigningKey, fingerprint};
use super::encryption::{AES_128_GCM, AES_256_GCM, RSA_OAEP};
use super::namespace::{METADATA, PROTOCOL, SIGNATURE};
use super::signature::{self, SignatureError};
use super::writer::{UnwritableText, XmlWriter};
use super::{binding, name_id_format};

/// Why metadata could not be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// A value XML cannot carry.
    #[error(transparent)]
    Unwritable(#[from] UnwritableText),
    /// Signing failed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

/// A service provider to describe.
#[derive(Debug, Clone, Copy)]
pub struct ServiceProvider<'a> {
    /// Its entity id.
    pub entity_id: &'a str,
    /// Where responses are posted to.
    pub acs_url: &'a str,
    /// Where logout messages go, by either binding.
    pub slo_url: &'a str,
    /// Its signing certificates; several during a rotation.
    pub certificates: &'a [Certificate],
    /// What assertions may be encrypted for: none does not want them encrypted, several stand
    /// there during a rotation, the one to use first.
    pub encryption: &'a [Certificate],
    /// Whether it signs its requests.
    pub signs_requests: bool,
}

impl ServiceProvider<'_> {
    /// Writes the metadata (CON-15: a service provider and nothing else).
    pub fn metadata(&self) -> Result<String, UnwritableText> {
        self.write(None).map(|written| written.0)
    }

    /// The same, signed as a whole with one of its keys.
    pub fn signed_metadata(&self, key: &SigningKey) -> Result<String, SigningError> {
        signed(|id| self.write(id), key)
    }

    fn write(&self, id: Option<&str>) -> Result<(String, usize), UnwritableText> {
        let (mut xml, head) = descriptor(self.entity_id, id);
        xml.open(
            "md:SPSSODescriptor",
            &[
                ("AuthnRequestsSigned", if self.signs_requests { "true" } else { "false" }),
                ("WantAssertionsSigned", "true"),
                ("protocolSupportEnumeration", PROTOCOL),
            ],
        );
        keys(&mut xml, "signing", self.certificates);
        keys(&mut xml, "encryption", self.encryption);
        for binding in [binding::REDIRECT, binding::POST] {
            let service = [("Binding", binding), ("Location", self.slo_url)];
            xml.leaf("md:SingleLogoutService", &service, "");
        }
        for format in
            [name_id_format::UNSPECIFIED, name_id_format::EMAIL, name_id_format::PERSISTENT]
        {
            xml.leaf("md:NameIDFormat", &[], format);
        }
        xml.open(
            "md:AssertionConsumerService",
            &[
                ("Binding", binding::POST),
                ("Location", self.acs_url),
                ("index", "0"),
                ("isDefault", "true"),
            ],
        );
        Ok((xml.finish()?, head))
    }
}

/// An identity provider to describe.
#[derive(Debug, Clone, Copy)]
pub struct IdentityProvider<'a> {
    /// Its entity id.
    pub entity_id: &'a str,
    /// Where people are redirected to.
    pub sso_url: &'a str,
    /// Its signing certificates; several during a rotation.
    pub certificates: &'a [Certificate],
}

impl IdentityProvider<'_> {
    /// Writes the metadata.
    pub fn metadata(&self) -> Result<String, UnwritableText> {
        self.write(None).map(|written| written.0)
    }

    /// The same, signed as a whole with one of its keys.
    pub fn signed_metadata(&self, key: &SigningKey) -> Result<String, SigningError> {
        signed(|id| self.write(id), key)
    }

    fn write(&self, id: Option<&str>) -> Result<(String, usize), UnwritableText> {
        let (mut xml, head) = descriptor(self.entity_id, id);
        xml.open(
            "md:IDPSSODescriptor",
            &[("WantAuthnRequestsSigned", "false"), ("protocolSupportEnumeration", PROTOCOL)],
        );
        keys(&mut xml, "signing", self.certificates);
        for format in [name_id_format::UNSPECIFIED, name_id_format::PERSISTENT] {
            xml.leaf("md:NameIDFormat", &[], format);
        }
        xml.open(
            "md:SingleSignOnService",
            &[("Binding", binding::REDIRECT), ("Location", self.sso_url)],
        );
        Ok((xml.finish()?, head))
    }
}

/// Begins a description; says where the root's start tag ends.
fn descriptor(entity_id: &str, id: Option<&str>) -> (XmlWriter, usize) {
    let mut xml = XmlWriter::new();
    let mut attributes = vec![("xmlns:md", METADATA)];
    attributes.extend(id.map(|id| ("ID", id)));
    attributes.push(("entityID", entity_id));
    xml.open("md:EntityDescriptor", &attributes);
    let head = xml.position();
    (xml, head)
}

/// Signs a description. Its id follows from its content, so that what did not change is signed to
/// the same document.
fn signed(
    write: impl Fn(Option<&str>) -> Result<(String, usize), UnwritableText>,
    key: &SigningKey,
) -> Result<String, SigningError> {
    let id = format!("_{}", fingerprint(write(None)?.0.as_bytes()));
    let (xml, head) = write(Some(&id))?;
    let (head, tail) = xml.split_at(head);
    Ok(signature::sign(head, tail, &id, key)?)
}

fn keys(xml: &mut XmlWriter, used_for: &str, certificates: &[Certificate]) {
    for certificate in certificates {
        xml.open("md:KeyDescriptor", &[("use", used_for)])
            .open("ds:KeyInfo", &[("xmlns:ds", SIGNATURE)])
            .open("ds:X509Data", &[])
            .leaf("ds:X509Certificate", &[], &certificate.base64())
            .close()
            .close();
        if used_for == "encryption" {
            for algorithm in [AES_256_GCM, AES_128_GCM, RSA_OAEP] {
                xml.leaf("md:EncryptionMethod", &[("Algorithm", algorithm)], "");
            }
        }
        xml.close();
    }
}
