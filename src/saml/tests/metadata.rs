//! Metadata: ours is readable, and what is unusable is refused by name.

use super::house::*;
use crate::saml::binding;
use crate::saml::certificate::CertificateError;
use crate::saml::metadata::{IdpMetadata, MetadataError};
use crate::saml::sp_metadata::{IdentityProvider, ServiceProvider};

fn ours() -> String {
    let all = [key().certificate().clone(), attacker().certificate().clone()];
    IdentityProvider { entity_id: IDP, sso_url: "https://idp.example.com/sso", certificates: &all }
        .metadata()
        .unwrap()
}

fn read(text: &str) -> Result<IdpMetadata, MetadataError> {
    IdpMetadata::parse(text.as_bytes(), now())
}

fn refused(from: &str, to: &str) -> MetadataError {
    let metadata = ours();
    assert!(metadata.contains(from), "nothing to change: {from}");
    read(&metadata.replace(from, to)).unwrap_err()
}

#[test]
fn our_own_metadata_is_read_whole() {
    let read = read(&ours()).unwrap();
    assert_eq!(read.entity_id, IDP);
    assert_eq!(read.redirect_location(), Some("https://idp.example.com/sso"));
    assert_eq!(read.certificates.len(), 2);
    assert_eq!(read.name_id_formats.len(), 2);
    assert!(!read.want_authn_requests_signed);
    assert_eq!(read.valid_until, None);
    let by_hand =
        IdpMetadata::by_hand(IDP, "https://idp.example.com/sso", key().certificate().clone());
    assert_eq!(by_hand.unwrap().single_sign_on, read.single_sign_on);
}

#[test]
fn what_federations_write_is_read() {
    let inner = ours();
    let logout = format!(
        "<md:SingleLogoutService Binding=\"{}\" Location=\"https://idp.example.com/slo\"/>\
         <md:SingleLogoutService Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:SOAP\" \
         Location=\"https://idp.example.com/soap\"/><md:NameIDFormat>",
        binding::POST
    );
    let rich = inner
        .replacen("<md:NameIDFormat>", &logout, 1)
        .replace("WantAuthnRequestsSigned=\"false\"", "WantAuthnRequestsSigned=\"true\"")
        .replace(
            "<md:IDPSSODescriptor ",
            "<md:Extensions><x:Any xmlns:x=\"urn:x\">text</x:Any></md:Extensions>\
             <!-- ours --><md:IDPSSODescriptor ",
        );
    let collection = format!(
        "<?xml version=\"1.0\"?><!-- made by hand -->\
         <md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         validUntil=\"2026-11-23T10:00:00Z\">{rich}{}</md:EntitiesDescriptor>",
        sp()
    );
    let read = read(&collection).unwrap();
    assert!(read.want_authn_requests_signed);
    assert_eq!(read.single_logout.len(), 1);
    assert_eq!(read.valid_until, "2026-11-23T10:00:00Z".parse().ok());
}

fn sp() -> String {
    ServiceProvider {
        entity_id: SP,
        acs_url: ACS,
        certificates: certificates(),
        encryption: &[],
        signs_requests: false,
    }
    .metadata()
    .unwrap()
}

#[test]
fn our_service_provider_metadata_says_what_it_must() {
    let metadata = sp();
    assert!(metadata.contains(
        "<md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\""
    ));
    assert!(metadata.contains(&format!("Location=\"{ACS}\"")));
    assert!(metadata.contains(&key().certificate().base64()));
    assert!(!metadata.contains("IDPSSODescriptor"));
    // The second implementation reads it too.
    let theirs: samael::metadata::EntityDescriptor = metadata.parse().unwrap();
    assert_eq!(theirs.entity_id.as_deref(), Some(SP));
    assert!(theirs.idp_sso_descriptors.is_none());
}

#[test]
fn what_is_unusable_is_refused_by_name() {
    assert_eq!(read(&sp()).unwrap_err(), MetadataError::ServiceProvider);
    assert_eq!(read("<html/>").unwrap_err(), MetadataError::NotMetadata("html".into()));
    assert!(matches!(read("Not found").unwrap_err(), MetadataError::Xml(_)));
    assert!(matches!(read("<!DOCTYPE a><a/>").unwrap_err(), MetadataError::Xml(_)));
    assert_eq!(
        refused("SAML:2.0:protocol", "SAML:1.1:protocol"),
        MetadataError::NoIdentityProvider
    );
    assert_eq!(refused(&format!("entityID=\"{IDP}\""), "entityID=\" \""), MetadataError::EntityId);
    assert_eq!(
        refused("use=\"signing\"", "use=\"encryption\""),
        MetadataError::NoSigningCertificate
    );
    assert_eq!(refused("HTTP-Redirect", "HTTP-Artifact"), MetadataError::NoSingleSignOn);
    for address in
        ["javascript:alert(1)", "data:text/html,x", "/sso", "https://u:p@idp.example.com/", ""]
    {
        let error = refused("https://idp.example.com/sso", address);
        assert_eq!(error, MetadataError::Endpoint(address.into()));
    }
    let two = ours();
    let twice = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{two}{two}\
         </md:EntitiesDescriptor>"
    );
    assert_eq!(read(&twice).unwrap_err(), MetadataError::SeveralIdentityProviders);
    let entity = "<md:EntityDescriptor ";
    let until = |end: &str| format!("{entity}validUntil=\"{end}\" ");
    assert_eq!(refused(entity, &until("2026-11-22T10:00:00Z")), MetadataError::Expired(now()));
    assert!(read(&ours().replace(entity, &until("2026-11-22T10:00:01Z"))).is_ok());
    assert_eq!(refused(entity, &until("tomorrow")), MetadataError::ValidUntil);
}

#[test]
fn certificates_are_usable_and_not_too_many() {
    let weak = openssl::pkey::PKey::from_rsa(openssl::rsa::Rsa::generate(1024).unwrap()).unwrap();
    let mut builder = openssl::x509::X509::builder().unwrap();
    builder.set_pubkey(&weak).unwrap();
    let epoch = openssl::asn1::Asn1Time::from_unix(0).unwrap();
    builder.set_not_before(&epoch).unwrap();
    builder.set_not_after(&epoch).unwrap();
    builder.sign(&weak, openssl::hash::MessageDigest::sha256()).unwrap();
    let weak = crate::saml::encoding::encode(&builder.build().to_der().unwrap());
    let problem = CertificateError::WeakKey { bits: 1024 };
    assert_eq!(
        refused(&attacker().certificate().base64(), &weak),
        MetadataError::Certificate { number: 2, problem }
    );
    let problem = CertificateError::Malformed;
    assert_eq!(
        refused(&key().certificate().base64(), "AAAA"),
        MetadataError::Certificate { number: 1, problem }
    );
    // The same certificate twice is one.
    let same = ours().replace(&attacker().certificate().base64(), &key().certificate().base64());
    assert_eq!(read(&same).unwrap().certificates.len(), 1);
    assert!(read(&ours().replace(" use=\"signing\"", "")).is_ok());
}
