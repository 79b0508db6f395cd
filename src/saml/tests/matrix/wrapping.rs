//! Signature wrapping in all positions: what is signed is somewhere, and what the attacker likes is
//! somewhere else.

use super::*;
use crate::saml::tests::house::{signature_of, strip_signatures};

/// Wherever a second element may stand: the shape, the number, the ID, or the broken signature.
const SHAPE: &[Check] =
    &[Check::Structure, Check::AssertionCount, Check::UniqueIds, Check::Signature, Check::Xml];

/// Every place between two tags, except around the whole: its number and where it is.
fn places(message: &str) -> impl Iterator<Item = (String, usize)> + '_ {
    let tags: Vec<usize> = message.match_indices('<').map(|(at, _)| at).collect();
    tags.into_iter().skip(1).enumerate().map(|(number, at)| {
        let tag: String =
            message[at..].chars().take_while(|c| !" >".contains(*c)).skip(1).collect();
        (format!("{number}, before {tag}"), at)
    })
}

fn inserted(into: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &into[..at], &into[at..])
}

/// What the attacker would like to be read.
fn evil(id: &str) -> String {
    assertion_of(&unsigned()).replace(">alice<", ">root<").replace("\"_assertion\"", id)
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for what in EVERY {
        let message = sign(&unsigned(), what);
        for (place, at) in places(&message) {
            for (id, kind) in [("\"_evil\"", "its own ID"), ("\"_assertion\"", "the same ID")] {
                let name = format!("an assertion with {kind} at {place}, signed: {what:?}");
                cases.push(Case::new(name, inserted(&message, at, &evil(id)), SHAPE));
            }
        }
    }
    cases.extend(moved_assertions());
    cases.extend(moved_responses());
    cases
}

/// The signed assertion somewhere inside of an evil one that stands where it stood, with its
/// signature at either.
fn moved_assertions() -> Vec<Case> {
    let message = sign(&unsigned(), Signed::Assertion);
    let original = assertion_of(&message);
    let signature = signature_of(&original);
    let bare = strip_signatures(&original);
    let plain = evil("\"_evil\"");
    let end = plain.find("</saml:Issuer>").unwrap() + "</saml:Issuer>".len();
    let carrying = inserted(&plain, end, &signature);
    let mut cases = Vec::new();
    for (kind, around, inside) in [
        ("keeps its signature", &plain, &original),
        ("lends its signature", &carrying, &bare),
        ("shares its signature", &carrying, &original),
    ] {
        for (place, at) in places(around) {
            let wrapped = message.replace(&original, &inserted(around, at, inside));
            let name = format!("the signed assertion, which {kind}, in the evil one at {place}");
            cases.push(Case::new(name, wrapped, SHAPE));
        }
    }
    cases
}

/// The signed response somewhere inside of an evil one.
fn moved_responses() -> Vec<Case> {
    let original = sign(&unsigned(), Signed::Response);
    let signature = signature_of(&original);
    let bare = strip_signatures(&original);
    let plain = unsigned().replace(">alice<", ">root<").replace("\"_response\"", "\"_evil\"");
    let end = plain.find("</saml:Issuer>").unwrap() + "</saml:Issuer>".len();
    let carrying = inserted(&plain, end, &signature);
    let mut cases = Vec::new();
    for (kind, around, inside) in
        [("keeps its signature", &plain, &original), ("lends its signature", &carrying, &bare)]
    {
        for (place, at) in places(around) {
            let name = format!("the signed response, which {kind}, in the evil one at {place}");
            cases.push(Case::new(name, inserted(around, at, inside), SHAPE));
        }
    }
    cases
}
