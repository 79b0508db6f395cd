//! Metadata: ours is readable, and what is unusable is refused by name.

use super::house::*;
use crate::saml::binding;
use crate::saml::certificate::{Certificate, CertificateError};
use crate::saml::metadata::{IdpMetadata, MetadataError, Warning};
use crate::saml::signature::{self, SignatureError};
use crate::saml::sp_metadata::{IdentityProvider, ServiceProvider};
use crate::saml::xml;

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
        slo_url: "https://sp.example.com/saml/slo/z-1",
        certificates: certificates(),
        encryption: &[],
        signs_requests: false,
    }
    .metadata()
    .unwrap()
}

#[test]
fn con_15_our_service_provider_metadata_says_what_it_must() {
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
    assert_eq!(read("<feed/>").unwrap_err(), MetadataError::NotMetadata("feed".into()));
    for page in
        ["<html/>", " \r\n<HTML lang='en'><br>", "<!DOCTYPE html><p>Sign in", "\u{feff}<html>"]
    {
        assert_eq!(read(page).unwrap_err(), MetadataError::WebPage, "{page}");
    }
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
    assert_eq!(read(&twice).unwrap_err(), MetadataError::DoubledIdentityProvider);
    let entity = "<md:EntityDescriptor ";
    let until = |end: &str| format!("{entity}validUntil=\"{end}\" ");
    assert_eq!(refused(entity, &until("2026-11-22T10:00:00Z")), MetadataError::Expired(now()));
    assert!(read(&ours().replace(entity, &until("2026-11-22T10:00:01Z"))).is_ok());
    assert_eq!(refused(entity, &until("tomorrow")), MetadataError::ValidUntil);
    // Whichever element says it: the role's own word, or that of a collection around it.
    let role = "<md:IDPSSODescriptor ";
    let ended = format!("{role}validUntil=\"2026-11-22T09:59:59Z\" ");
    assert!(matches!(refused(role, &ended), MetadataError::Expired(_)));
    let outer = |end: &str| {
        format!(
            "<md:EntitiesDescriptor validUntil=\"{end}\" \
             xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\"><md:EntitiesDescriptor>{}\
             </md:EntitiesDescriptor></md:EntitiesDescriptor>",
            ours()
        )
    };
    assert!(matches!(read(&outer("2026-11-22T09:00:00Z")).unwrap_err(), MetadataError::Expired(_)));
    assert!(read(&outer("2026-11-23T09:00:00Z")).is_ok());
}

#[test]
fn of_several_identity_providers_one_is_chosen() {
    let one = ours();
    let two = one.replace(IDP, "https://two.example.com/");
    let collect = |inner: &str| {
        format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{inner}\
             </md:EntitiesDescriptor>"
        )
    };
    let both = collect(&format!("{one}{}{two}", sp()));
    let choose = |document: &str, id: &str| {
        IdpMetadata::choose(document.as_bytes(), Some(id), now()).map(|read| read.entity_id)
    };
    assert_eq!(read(&both).unwrap_err(), MetadataError::SeveralIdentityProviders);
    assert_eq!(IdpMetadata::choice(both.as_bytes()).unwrap(), [IDP, "https://two.example.com/"]);
    for id in [IDP, "https://two.example.com/"] {
        assert_eq!(choose(&both, id).unwrap(), id);
    }
    // A service provider is none of them, nor is a name that is nearly the same.
    for id in [SP, "https://two.example.com", ""] {
        assert_eq!(choose(&both, id).unwrap_err(), MetadataError::NotAmongThem, "{id}");
    }
    // The choice also says what is expected where there is none.
    assert_eq!(choose(&one, IDP).unwrap(), IDP);
    assert_eq!(choose(&one, SP).unwrap_err(), MetadataError::NotAmongThem);
    let twice = collect(&format!("{one}{one}"));
    assert_eq!(read(&twice).unwrap_err(), MetadataError::DoubledIdentityProvider);
    assert_eq!(choose(&twice, IDP).unwrap_err(), MetadataError::DoubledIdentityProvider);
    // What is wrong with the others does not matter.
    let other_is_broken = both.replace(
        "https://two.example.com/\"",
        "https://two.example.com/\" validUntil=\"2020-01-01T00:00:00Z\"",
    );
    assert_eq!(choose(&other_is_broken, IDP).unwrap(), IDP);
    assert!(choose(&other_is_broken, "https://two.example.com/").is_err());
}

#[test]
fn encodings() {
    let plain = ours();
    assert!(!plain.starts_with("<?xml"));
    for fine in [
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{plain}"),
        format!("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>{plain}\n"),
        format!("\u{feff}{plain}"),
    ] {
        assert_eq!(read(&fine).unwrap().entity_id, IDP);
    }
    let text = format!("<?xml version=\"1.0\" encoding=\"UTF-16\"?>{plain}");
    assert!(matches!(read(&text).unwrap_err(), MetadataError::Xml(_)));
    for (mark, big) in [(true, true), (true, false), (false, true), (false, false)] {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        let bytes: Vec<u8> = units
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect();
        let refused = IdpMetadata::parse(&bytes, now()).unwrap_err();
        assert_eq!(refused, MetadataError::Utf16, "{mark} {big}");
    }
}

#[test]
fn metadata_signed_by_a_pinned_key_is_told_from_any_other() {
    let provider = IdentityProvider {
        entity_id: IDP,
        sso_url: "https://idp.example.com/sso",
        certificates: &[key().certificate().clone()],
    };
    let signed = provider.signed_metadata(key()).unwrap();
    let check = |text: &str, pin: &Certificate| {
        IdpMetadata::signed(text.as_bytes(), None, std::slice::from_ref(pin), now())
    };
    let pin = key().certificate();
    assert_eq!(check(&signed, pin).unwrap(), read(&provider.metadata().unwrap()).unwrap());
    assert_eq!(signed, provider.signed_metadata(key()).unwrap());
    let refused = |text: &str, pin: &Certificate| match check(text, pin).unwrap_err() {
        MetadataError::Signature(error) => error,
        other => panic!("{other}"),
    };
    let other = attacker().certificate();
    assert!(matches!(refused(&signed, other), SignatureError::UnknownKey { .. }));
    assert!(matches!(
        IdpMetadata::signed(signed.as_bytes(), None, &[], now()).unwrap_err(),
        MetadataError::Signature(SignatureError::NoCertificate)
    ));
    assert_eq!(refused(&provider.metadata().unwrap(), pin), SignatureError::Unsigned);
    let changed = signed.replace("https://idp.example.com/sso", "https://evil.example.com/sso");
    assert_eq!(refused(&changed, pin), SignatureError::Digest);
    // SHA-1 is no proof, whoever made it.
    let weak = signed.replace(
        "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    );
    assert!(matches!(refused(&weak, pin), SignatureError::Algorithm(_)));
    // A signed entity does not vouch for a collection around it.
    let wrapped = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{signed}\
         </md:EntitiesDescriptor>"
    );
    assert_eq!(refused(&wrapped, pin), SignatureError::Unsigned);
    // Nor does a signature that was moved to the front of another document.
    let signature = signature_of(&signed);
    let evil = ours();
    let moved = evil.replacen("><md:IDPSSO", &format!(">{signature}<md:IDPSSO"), 1);
    assert!(matches!(check(&moved, pin).unwrap_err(), MetadataError::Signature(_)));
    // Signing leaves the service provider's document what it was, too.
    let service = ServiceProvider {
        entity_id: SP,
        acs_url: ACS,
        slo_url: "https://sp.example.com/saml/slo/z-1",
        certificates: certificates(),
        encryption: certificates(),
        signs_requests: true,
    };
    let signed = service.signed_metadata(key()).unwrap();
    let tree = xml::parse(signed.as_bytes(), xml::Profile::Metadata).unwrap();
    assert!(signature::verify_root(tree.root(), certificates()).is_ok());
    let canonical = crate::saml::c14n::exclusive(tree.root(), &[], None);
    assert_eq!(String::from_utf8(canonical).unwrap(), signed, "it is canonical as written");
}

/// A certificate of this key, signed by itself with this digest, from and until so many days from
/// the present.
fn certificate_of(
    key: &openssl::pkey::PKey<openssl::pkey::Private>,
    digest: openssl::hash::MessageDigest,
    days: [i64; 2],
) -> String {
    let mut builder = openssl::x509::X509::builder().unwrap();
    builder.set_pubkey(key).unwrap();
    let [from, until] = days
        .map(|days| openssl::asn1::Asn1Time::from_unix(now().as_second() + days * 86_400).unwrap());
    builder.set_not_before(&from).unwrap();
    builder.set_not_after(&until).unwrap();
    builder.sign(key, digest).unwrap();
    crate::saml::encoding::encode(&builder.build().to_der().unwrap())
}

#[test]
fn curves() {
    use openssl::{
        ec::{EcGroup, EcKey},
        hash::MessageDigest,
        nid::Nid,
        pkey::PKey,
    };
    for (curve, usable) in [
        (Nid::X9_62_PRIME256V1, true),
        (Nid::SECP384R1, true),
        (Nid::SECP521R1, true),
        (Nid::SECP256K1, false),
        (Nid::SECP224R1, false),
        (Nid::BRAINPOOL_P256R1, false),
    ] {
        let group = EcGroup::from_curve_name(curve).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let certificate = certificate_of(&key, MessageDigest::sha256(), [-1, 1]);
        let metadata = ours().replace(&attacker().certificate().base64(), &certificate);
        let expected =
            MetadataError::Certificate { number: 2, problem: CertificateError::UnsupportedKey };
        match read(&metadata) {
            Ok(read) => assert!(usable && read.certificates.len() == 2, "{curve:?}"),
            Err(error) => assert!(!usable && error == expected, "{curve:?}: {error}"),
        }
    }
    let edwards = PKey::generate_ed25519().unwrap();
    let certificate = certificate_of(&edwards, MessageDigest::null(), [-1, 1]);
    let problem = CertificateError::UnsupportedKey;
    assert_eq!(
        refused(&key().certificate().base64(), &certificate),
        MetadataError::Certificate { number: 1, problem }
    );
}

#[test]
fn what_is_not_refused_is_warned_of() {
    use openssl::{
        ec::{EcGroup, EcKey},
        hash::MessageDigest,
        nid::Nid,
        pkey::PKey,
    };
    let warnings = |text: &str| read(text).unwrap().warnings(now());
    assert_eq!(warnings(&ours()), []);
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    for (digest, days, expected) in [
        (MessageDigest::sha256(), [-9, 0], vec![Warning::Expired { number: 2 }]),
        (MessageDigest::sha256(), [-9, 29], vec![Warning::ExpiresSoon { number: 2, days: 29 }]),
        (MessageDigest::sha256(), [-9, 30], vec![]),
        (MessageDigest::sha256(), [1, 90], vec![Warning::NotYetValid { number: 2 }]),
        (
            MessageDigest::sha1(),
            [0, 90],
            vec![Warning::OutdatedSignature { number: 2, algorithm: "ecdsa-with-SHA1".into() }],
        ),
    ] {
        let certificate = certificate_of(&key, digest, days);
        let text = ours().replace(&attacker().certificate().base64(), &certificate);
        assert_eq!(warnings(&text), expected);
    }
    let plain = ours().replace("https://idp.example.com/sso", "http://idp.example.com/sso");
    assert_eq!(warnings(&plain), [Warning::Plain("http://idp.example.com/sso".into())]);
    let transient =
        ours().replace("SAML:1.1:nameid-format:unspecified", "SAML:2.0:nameid-format:transient");
    assert_eq!(warnings(&transient), [], "a persistent name is on offer too");
    let transient = transient.replace(":persistent", ":transient");
    assert_eq!(warnings(&transient), [Warning::TransientNames]);
    let entity = "<md:EntityDescriptor ";
    let until = |end: &str| ours().replace(entity, &format!("{entity}validUntil=\"{end}\" "));
    assert_eq!(warnings(&until("2026-12-22T10:00:00Z")), []);
    let end = "2026-12-22T09:59:59Z";
    assert_eq!(warnings(&until(end)), [Warning::EndsSoon(end.parse().unwrap())]);
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
