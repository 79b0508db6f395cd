//! What we say about ourselves: as a service provider towards the company's
//! identity provider, and as an identity provider towards cloud accounts.

use super::certificate::Certificate;
use super::encryption::{AES_128_GCM, AES_256_GCM, RSA_OAEP};
use super::namespace::{METADATA, PROTOCOL, SIGNATURE};
use super::writer::{UnwritableText, XmlWriter};
use super::{binding, name_id_format};

/// A service provider to describe.
#[derive(Debug, Clone, Copy)]
pub struct ServiceProvider<'a> {
    /// Its entity id.
    pub entity_id: &'a str,
    /// Where responses are posted to.
    pub acs_url: &'a str,
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
        let mut xml = descriptor(self.entity_id);
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
        xml.finish()
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
        let mut xml = descriptor(self.entity_id);
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
        xml.finish()
    }
}

fn descriptor(entity_id: &str) -> XmlWriter {
    let mut xml = XmlWriter::new();
    xml.open("md:EntityDescriptor", &[("xmlns:md", METADATA), ("entityID", entity_id)]);
    xml
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
