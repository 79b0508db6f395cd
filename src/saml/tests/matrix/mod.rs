//! The negative matrix: named forgeries and mistakes, each of which must be refused, and by a check
//! that is there for it. Everything is signed with the key in `certs-dev`, as an identity provider
//! would, or an attacker who holds something that it signed.
//!
//! `docs/SECURITY.md` lists the classes with the checks that stop them; a test here holds the list
//! against the classes. What keeps state (replay, browsers, login CSRF, two processes) is in the
//! tests of the room above.

mod addressing;
mod signing;
mod text;
mod wrapping;

use std::collections::HashSet;
use std::sync::OnceLock;

use super::house::{
    self, ACS, IDP, SP, assertion_of, judge_as, now, sign_element, strip_signatures, unsigned,
};
use crate::saml::certificate::{Certificate, SigningKey};
use crate::saml::response::Expected;
use crate::saml::trace::Check;

/// A message that must be refused.
struct Case {
    name: String,
    message: Vec<u8>,
    /// The checks that may refuse it first.
    by: &'static [Check],
}

impl Case {
    fn new(name: impl Into<String>, message: impl Into<Vec<u8>>, by: &'static [Check]) -> Self {
        Self { name: name.into(), message: message.into(), by }
    }
}

/// A class of attacks or mistakes.
struct Class {
    name: &'static str,
    cases: fn() -> Vec<Case>,
}

/// All classes, named as in `docs/SECURITY.md`.
const CLASSES: [Class; 12] = [
    Class { name: "Wrapping", cases: wrapping::cases },
    Class { name: "Signature stripping", cases: signing::stripping },
    Class { name: "Signature substitution", cases: signing::substitution },
    Class { name: "References and IDs", cases: signing::references },
    Class { name: "Transforms and algorithms", cases: signing::algorithms },
    Class { name: "Parser differentials", cases: text::differentials },
    Class { name: "Encodings", cases: text::encodings },
    Class { name: "Names", cases: text::names },
    Class { name: "Addresses", cases: addressing::addresses },
    Class { name: "Times", cases: addressing::times },
    Class { name: "Status and counts", cases: addressing::counts },
    Class { name: "Subject confirmation and conditions", cases: addressing::confirmation },
];

/// The key that the identity provider of the matrix signs with.
fn key() -> &'static SigningKey {
    static KEY: OnceLock<SigningKey> = OnceLock::new();
    KEY.get_or_init(|| {
        SigningKey::from_pem(
            include_str!("../../../../certs-dev/identity-provider.key"),
            include_str!("../../../../certs-dev/identity-provider.crt"),
        )
        .unwrap()
    })
}

fn certificates() -> &'static [Certificate] {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    ALL.get_or_init(|| vec![key().certificate().clone()])
}

fn expected() -> Expected<'static> {
    Expected { certificates: certificates(), ..house::expected() }
}

/// What is signed in a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signed {
    Assertion,
    Response,
    Both,
}

const EVERY: [Signed; 3] = [Signed::Assertion, Signed::Response, Signed::Both];

/// Signs an unsigned message.
fn sign(message: &str, what: Signed) -> String {
    let assertion = |message: &str| {
        let plain = assertion_of(message);
        message.replace(&plain, &sign_element(&plain, "_assertion", key()))
    };
    match what {
        Signed::Assertion => assertion(message),
        Signed::Response => sign_element(message, "_response", key()),
        Signed::Both => sign_element(&assertion(message), "_response", key()),
    }
}

/// The honest message changed in one place, and then signed in every way.
fn changed(name: &str, from: &str, to: &str, by: &'static [Check]) -> Vec<Case> {
    let message = unsigned();
    assert!(message.contains(from), "{name}: nothing to change: {from}");
    resigned(name, &message.replace(from, to), by)
}

/// A message signed in every way.
fn resigned(name: &str, message: &str, by: &'static [Check]) -> Vec<Case> {
    let case = |what| Case::new(format!("{name}, signed: {what:?}"), sign(message, what), by);
    EVERY.map(case).into()
}

#[test]
fn what_is_honest_is_accepted_however_it_is_signed() {
    for what in EVERY {
        let outcome = judge_as(&sign(&unsigned(), what), &expected());
        assert_eq!(outcome.result.unwrap().identity, "alice", "{what:?}");
    }
}

#[test]
fn sso_15_every_case_of_the_matrix_is_refused_by_its_check() {
    let (mut names, mut wrong) = (HashSet::new(), Vec::new());
    let mut count = 0;
    for class in &CLASSES {
        let cases = (class.cases)();
        assert!(cases.len() >= 5, "{}: {}", class.name, cases.len());
        for case in cases {
            let name = format!("{}: {}", class.name, case.name);
            let encoded = crate::saml::encoding::encode(&case.message);
            let outcome = crate::saml::response::verify(&encoded, &expected());
            match outcome.result {
                Ok(accepted) => wrong.push(format!("{name}: accepted as {}", accepted.identity)),
                Err(refusal) if case.by.contains(&refusal.check) => {}
                Err(refusal) => wrong.push(format!(
                    "{name}: refused by {} ({}), not by {:?}",
                    refusal.check, refusal.received, case.by
                )),
            }
            assert!(names.insert(name.clone()), "{name} twice");
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 150, "{count} cases");
}

#[test]
fn every_class_of_the_matrix_is_documented() {
    let page = include_str!("../../../../docs/SECURITY.md");
    for class in &CLASSES {
        assert!(page.contains(&format!("| {} |", class.name)), "{}", class.name);
    }
}

/// What the fuzz targets begin with. With `IDENTITY_CENTER_WRITE_SEEDS` set they are written anew.
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
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, wanted) in seeds {
        let file = corpus.join(name);
        if std::env::var_os("IDENTITY_CENTER_WRITE_SEEDS").is_some() {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, &wanted).unwrap();
        }
        assert_eq!(std::fs::read(&file).unwrap_or_default(), wanted, "{name}");
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
