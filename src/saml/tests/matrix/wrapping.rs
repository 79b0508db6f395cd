//! Signature wrapping in all positions: what is signed is somewhere, and what the attacker likes is
//! somewhere else.
//!
//! Where an element is put says which check has to find it, and that rule is written down here once
//! for all places: nothing may be refused by luck.

use super::*;
use crate::saml::tests::house::signature_of;

const SHAPE: (Check, Cause) = (Check::Structure, Cause::UnknownParts);
const SUBJECT: (Check, Cause) = (Check::Structure, Cause::NoNameId);
/// Beside the text of a value.
const VALUE: (Check, Cause) = (Check::Structure, Cause::UnreadableAttributes);
const IDS: (Check, Cause) = (Check::UniqueIds, Cause::DuplicateIds);
const COUNT: (Check, Cause) = (Check::AssertionCount, Cause::SeveralAssertions);
const FORM: (Check, Cause) = (Check::Signature, Cause::SignatureForm);
const CHANGED: (Check, Cause) = (Check::Signature, Cause::ContentChanged);
const NOT_SIGNED: (Check, Cause) = (Check::Signature, Cause::NotSigned);

/// A place between two tags.
struct Place<'m> {
    name: String,
    at: usize,
    /// The elements around it, the root first.
    around: Vec<&'m str>,
    /// The tag behind it, an end tag with its slash.
    next: &'m str,
}

/// Every place between two tags, except around the whole.
fn places(message: &str) -> Vec<Place<'_>> {
    let mut around: Vec<&str> = Vec::new();
    let mut places = Vec::new();
    for (at, _) in message.match_indices('<') {
        let end = at + message[at..].find([' ', '>']).unwrap();
        let next = &message[at + 1..end];
        if !around.is_empty() {
            let name = format!("{}, before {next}", places.len());
            places.push(Place { name, at, around: around.clone(), next });
        }
        if next.starts_with('/') {
            around.pop();
        } else {
            around.push(next);
        }
    }
    places
}

fn inserted(into: &str, at: usize, what: &str) -> String {
    format!("{}{what}{}", &into[..at], &into[at..])
}

/// What the attacker would like to be read.
fn evil(id: &str) -> String {
    assertion_of(&unsigned()).replace(">alice<", ">root<").replace("\"_assertion\"", id)
}

/// What finds an element that stands at a place inside of an assertion, where `signature` finds what
/// is wrong inside the assertion's signature, and `behind` what only a signature can find: conditions
/// are read after it.
fn in_assertion(
    around: &[&str],
    signature: (Check, Cause),
    behind: (Check, Cause),
) -> (Check, Cause) {
    match around {
        [_, "ds:Signature", ..] => signature,
        [_, "saml:Conditions", ..] => behind,
        [_, "saml:Subject"] => SUBJECT,
        [.., "saml:AttributeValue"] => VALUE,
        _ => SHAPE,
    }
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for what in EVERY {
        let message = sign(&unsigned(), what);
        for place in places(&message) {
            let by = match place.around.as_slice() {
                ["samlp:Response"]
                    if ["saml:Assertion", "/samlp:Response"].contains(&place.next) =>
                {
                    COUNT
                }
                [_, "ds:Signature", ..] => FORM,
                [_, inside @ ..] if inside.first() == Some(&"saml:Assertion") => {
                    // The signature around it is looked at first.
                    let signature = if what == Signed::Both { CHANGED } else { FORM };
                    in_assertion(inside, signature, CHANGED)
                }
                _ => SHAPE,
            };
            // The response is read before IDs are compared, and its assertion after that.
            let outside = by == SHAPE && !place.around.contains(&"saml:Assertion");
            let same = if outside { by } else { IDS };
            for (id, kind, by) in
                [("\"_evil\"", "its own ID", by), ("\"_assertion\"", "the same ID", same)]
            {
                let name = format!("an assertion with {kind} at {}, signed: {what:?}", place.name);
                cases.push(Case::new(name, inserted(&message, place.at, &evil(id)), by));
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
    for (kind, around, inside, behind) in [
        ("keeps its signature", &plain, &original, NOT_SIGNED),
        ("lends its signature", &carrying, &bare, FORM),
        ("shares its signature", &carrying, &original, FORM),
    ] {
        for place in places(around) {
            let wrapped = message.replace(&original, &inserted(around, place.at, inside));
            let name =
                format!("the signed assertion, which {kind}, in the evil one at {}", place.name);
            cases.push(Case::new(name, wrapped, in_assertion(&place.around, FORM, behind)));
        }
    }
    cases
}

/// The signed response somewhere inside of an evil one, whose assertion has the same ID or another.
fn moved_responses() -> Vec<Case> {
    let original = sign(&unsigned(), Signed::Response);
    let signature = signature_of(&original);
    let bare = strip_signatures(&original);
    let mut cases = Vec::new();
    for (ids, assertion) in [("the same IDs", "\"_assertion\""), ("its own IDs", "\"_evil2\"")] {
        let plain = unsigned()
            .replace(">alice<", ">root<")
            .replace("\"_response\"", "\"_evil\"")
            .replace("\"_assertion\"", assertion);
        let end = plain.find("</saml:Issuer>").unwrap() + "</saml:Issuer>".len();
        let carrying = inserted(&plain, end, &signature);
        for (kind, around, inside, behind) in [
            ("keeps its signature", &plain, &original, NOT_SIGNED),
            ("lends its signature", &carrying, &bare, FORM),
        ] {
            for place in places(around) {
                let by = match place.around.as_slice() {
                    [_, "ds:Signature", ..] => FORM,
                    [_, inside @ ..] if inside.first() == Some(&"saml:Assertion") => {
                        in_assertion(inside, FORM, behind)
                    }
                    _ => SHAPE,
                };
                let read_first = place.around.len() == 1
                    || !["ds:Signature", "saml:Assertion"].contains(&place.around[1]);
                let by = if ids == "the same IDs" && !read_first { IDS } else { by };
                let name = format!(
                    "the signed response, which {kind}, in the evil one with {ids} at {}",
                    place.name
                );
                cases.push(Case::new(name, inserted(around, place.at, inside), by));
            }
        }
    }
    cases
}
