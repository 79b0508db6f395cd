//! What the fuzz targets begin with: real messages, and how others are made of them. With
//! `IDENTITY_CENTER_WRITE_SEEDS` set they are written anew.

use std::path::PathBuf;

use super::*;
use crate::saml::tests::shared::edits::{EDITED, ELLIPTIC, ENCRYPTED, Hands, LISTED};

fn seed(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name)
}

/// Writes the seed, if seeds are to be written.
fn write(name: &str, wanted: &[u8]) {
    if std::env::var_os("IDENTITY_CENTER_WRITE_SEEDS").is_some() {
        let file = seed(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, wanted).unwrap();
    }
}

/// How messages are made that the fuzzer changes before they are signed: by kind of key, what is
/// signed, encryption and lists of prefixes; and one with an edit, white space before the name.
fn made() -> Vec<(&'static str, Vec<u8>)> {
    let name = unsigned().find(">alice<").unwrap() + 1;
    let [low, high] = u16::try_from(name).unwrap().to_le_bytes();
    vec![
        ("saml_response/made-assertion", vec![0]),
        ("saml_response/made-response", vec![1]),
        ("saml_response/made-both-keys", vec![3]),
        ("saml_response/made-ecdsa", vec![2 | ELLIPTIC]),
        ("saml_response/made-encrypted", vec![2 | ENCRYPTED]),
        ("saml_response/made-prefixes", vec![2 | LISTED]),
        ("saml_response/made-of-everything", vec![3 | ELLIPTIC | ENCRYPTED | LISTED]),
        ("saml_response/made-edited", vec![2, low, high, 0, 1, b'\n']),
    ]
}

#[test]
fn the_seeds_that_are_made_get_past_the_signature() {
    let keys = [key().clone().into()];
    let expected = Expected { decryption_keys: &keys, ..expected() };
    let hands =
        Hands { rsa: private(), elliptic: elliptic(), recipient: key().certificate().key() };
    let accepted = |name: &str, message: &[u8]| {
        let encoded = crate::saml::encoding::encode(message);
        let outcome = crate::saml::response::verify(&encoded, &expected);
        assert_eq!(outcome.result.map(|it| it.identity).as_deref(), Ok("alice"), "{name}");
    };
    for (name, input) in made() {
        assert!(input[0] < EDITED);
        write(name, &input);
        assert_eq!(std::fs::read(seed(name)).unwrap_or_default(), input, "{name}");
        let made = hands.make(&unsigned(), &input).unwrap();
        assert_eq!(made.inside.is_some(), input[0] & ENCRYPTED != 0, "{name}");
        accepted(name, made.message.as_bytes());
    }
    // Some are other bytes each time they are made.
    for (name, input) in [
        ("saml_response/ecdsa.xml", [2 | ELLIPTIC]),
        ("saml_response/encrypted.xml", [ENCRYPTED]),
        ("saml_response/encrypted-in-signed.xml", [2 | ENCRYPTED]),
        ("saml_response/prefixes.xml", [2 | LISTED]),
    ] {
        write(name, hands.make(&unsigned(), &input).unwrap().message.as_bytes());
        accepted(name, &std::fs::read(seed(name)).unwrap_or_default());
    }
}

#[test]
fn the_seeds_of_the_fuzz_targets_are_what_we_write() {
    use crate::saml::request::AuthnRequestToSend;
    use crate::saml::{encoding, sp_metadata};

    let request = AuthnRequestToSend {
        id: house::REQUEST,
        now: now(),
        issuer: SP,
        destination: "https://idp.example.com/sso",
        acs_url: ACS,
        force_authn: true,
        name_id_format: Some(crate::saml::name_id_format::EMAIL),
        authn_contexts: &["urn:mfa".to_owned()],
    };
    let request = encoding::decode(&request.post_message(None).unwrap()).unwrap();
    let metadata = sp_metadata::IdentityProvider {
        entity_id: IDP,
        sso_url: "https://idp.example.com/sso",
        certificates: certificates(),
    };
    let metadata = metadata.metadata().unwrap();
    let end = "</md:EntityDescriptor>";
    let several = format!(
        "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" \
         validUntil=\"2030-01-01T00:00:00Z\"><!-- all of them -->{metadata}</md:EntitiesDescriptor>"
    );
    assert!(metadata.ends_with(end));
    let mut seeds = vec![
        ("saml_request/request.xml", request),
        ("saml_metadata/one.xml", metadata.clone().into_bytes()),
        ("saml_metadata/several.xml", several.into_bytes()),
    ];
    for (name, what) in [
        ("saml_response/assertion.xml", Signed::Assertion),
        ("saml_response/response.xml", Signed::Response),
        ("saml_response/both.xml", Signed::Both),
    ] {
        seeds.push((name, sign(&unsigned(), what).into_bytes()));
    }
    seeds.extend(logout_seeds());
    for (name, wanted) in seeds {
        write(name, &wanted);
        assert_eq!(std::fs::read(seed(name)).unwrap_or_default(), wanted, "{name}");
    }
}

/// Logout messages as they come: both kinds, by both bindings, and one with an encrypted name that
/// no key opens.
fn logout_seeds() -> Vec<(&'static str, Vec<u8>)> {
    use crate::saml::encoding;
    use crate::saml::logout::{
        Answer, LogoutRequestToSend, LogoutResponseToSend, NameIdentifier, Sent, Way,
    };

    const SLO: &str = "https://sp.example.com/saml/slo/z-1";
    let name_id = NameIdentifier {
        value: "alice".to_owned(),
        format: Some(crate::saml::name_id_format::PERSISTENT.to_owned()),
        name_qualifier: Some(IDP.to_owned()),
        sp_name_qualifier: Some(SP.to_owned()),
    };
    let request = LogoutRequestToSend {
        id: "_logout1",
        now: now(),
        issuer: IDP,
        name_id: &name_id,
        session_index: Some("_session"),
    };
    let response = LogoutResponseToSend {
        id: "_answer1",
        now: now(),
        issuer: IDP,
        in_response_to: "_logout1",
        answer: Answer::Done,
        relay_state: None,
    };
    let as_it_comes = |sent: Sent| match sent {
        Sent::Redirect(address) => address.split_once('?').unwrap().1.as_bytes().to_vec(),
        Sent::Post { message, .. } => encoding::decode(&message).unwrap(),
    };
    let (by_form, by_redirect) = (Way::Post(SLO.to_owned()), Way::Redirect(SLO.to_owned()));
    let posted = as_it_comes(request.send(&by_form, key()).unwrap());
    let text = strip_signatures(&String::from_utf8(posted.clone()).unwrap());
    let (before, rest) = text.split_once("<saml:NameID").unwrap();
    let (_, after) = rest.split_once("</saml:NameID>").unwrap();
    let value = "<xenc:CipherData><xenc:CipherValue>AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
                 </xenc:CipherValue></xenc:CipherData>";
    let sealed = format!(
        "{before}<saml:EncryptedID xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">\
         <xenc:EncryptedData xmlns:xenc=\"http://www.w3.org/2001/04/xmlenc#\"><xenc:EncryptionMethod \
         Algorithm=\"{}\"></xenc:EncryptionMethod><ds:KeyInfo \
         xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><xenc:EncryptedKey><xenc:EncryptionMethod \
         Algorithm=\"{}\"></xenc:EncryptionMethod>{value}</xenc:EncryptedKey></ds:KeyInfo>{value}\
         </xenc:EncryptedData></saml:EncryptedID>{after}",
        crate::saml::encryption::AES_256_GCM,
        crate::saml::encryption::RSA_OAEP,
    );
    vec![
        ("saml_logout/request.xml", posted),
        ("saml_logout/request.query", as_it_comes(request.send(&by_redirect, key()).unwrap())),
        ("saml_logout/response.xml", as_it_comes(response.send(&by_form, key()).unwrap())),
        ("saml_logout/response.query", as_it_comes(response.send(&by_redirect, key()).unwrap())),
        ("saml_logout/encrypted.xml", sign_element(&sealed, "_logout1", key()).into_bytes()),
    ]
}
