//! The negative matrix: named forgeries and mistakes, each of which must be refused, and by a check
//! that is there for it. Everything is signed with the key in `certs-dev`, as an identity provider
//! would, or an attacker who holds something that it signed.
//!
//! `docs/SECURITY.md` lists the classes with the checks that stop them; `documented` holds that list
//! against the cases. What keeps state (replay, browsers, login CSRF, two processes) is in the tests
//! of the room above.

mod addressing;
mod algorithms;
mod documented;
mod encryption;
mod seeds;
mod signing;
mod text;
mod wrapping;

use std::collections::HashSet;
use std::sync::OnceLock;

use openssl::pkey::{PKey, Private};

use super::house::{
    self, ACS, IDP, SP, assertion_of, judge_as, now, sign_element, strip_signatures, unsigned,
};
use super::parcel::ours;
use super::shared::keys;
use crate::saml::cause::Cause;
use crate::saml::certificate::{Certificate, SigningKey};
use crate::saml::response::Expected;
use crate::saml::trace::Check;

/// What refuses a message first: the check, and in some classes how exactly it was broken.
#[derive(Clone, Copy)]
struct By {
    check: Check,
    cause: Option<Cause>,
}

impl From<Check> for By {
    fn from(check: Check) -> Self {
        Self { check, cause: None }
    }
}

impl From<(Check, Cause)> for By {
    fn from((check, cause): (Check, Cause)) -> Self {
        Self { check, cause: Some(cause) }
    }
}

/// A message that must be refused.
struct Case {
    name: String,
    message: Vec<u8>,
    by: By,
}

impl Case {
    fn new(name: impl Into<String>, message: impl Into<Vec<u8>>, by: impl Into<By>) -> Self {
        Self { name: name.into(), message: message.into(), by: by.into() }
    }
}

/// A class of attacks or mistakes.
struct Class {
    name: &'static str,
    cases: fn() -> Vec<Case>,
}

/// The classes that one message is enough for, named as in `docs/SECURITY.md`.
const CLASSES: [Class; 13] = [
    Class { name: "Wrapping", cases: wrapping::cases },
    Class { name: "Signature stripping", cases: signing::stripping },
    Class { name: "Signature substitution", cases: signing::substitution },
    Class { name: "References and IDs", cases: signing::references },
    Class { name: "Transforms and algorithms", cases: algorithms::cases },
    Class { name: "Parser differentials", cases: text::differentials },
    Class { name: "Encodings", cases: text::encodings },
    Class { name: "Names", cases: text::names },
    Class { name: "Addresses", cases: addressing::addresses },
    Class { name: "Times", cases: addressing::times },
    Class { name: "Status and counts", cases: addressing::counts },
    Class { name: "Subject confirmation and conditions", cases: addressing::confirmation },
    Class { name: "Encryption tricks", cases: encryption::cases },
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

/// The identity provider's other key, so that algorithms of that kind are refused for themselves.
fn elliptic() -> &'static PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    KEY.get_or_init(|| keys::elliptic().unwrap())
}

/// The first one's in the form that signs anything.
fn private() -> &'static PKey<Private> {
    static KEY: OnceLock<PKey<Private>> = OnceLock::new();
    let pem = || key().private_key_pem().unwrap();
    KEY.get_or_init(|| PKey::private_key_from_pem(pem().as_bytes()).unwrap())
}

fn expected() -> Expected<'static> {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    let both = || vec![key().certificate().clone(), keys::certificate(elliptic()).unwrap()];
    let certificates = ALL.get_or_init(both);
    Expected { certificates, decryption_keys: ours(), ..house::expected() }
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
fn changed(name: &str, from: &str, to: &str, by: impl Into<By>) -> Vec<Case> {
    let message = unsigned();
    assert!(message.contains(from), "{name}: nothing to change: {from}");
    resigned(name, &message.replace(from, to), by)
}

/// A message signed in every way.
fn resigned(name: &str, message: &str, by: impl Into<By>) -> Vec<Case> {
    let by = by.into();
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
                Err(it)
                    if it.check == case.by.check && case.by.cause.is_none_or(|c| c == it.cause) => {
                }
                Err(refusal) => wrong.push(format!(
                    "{name}: refused by {} as {:?} ({}), not by {} as {:?}",
                    refusal.check, refusal.cause, refusal.received, case.by.check, case.by.cause
                )),
            }
            assert!(names.insert(name.clone()), "{name} twice");
            count += 1;
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(count >= 150, "{count} cases");
}
