//! The second implementation disagrees about each thing it is asked.

use super::house::*;
use crate::saml::certificate::Certificate;
use crate::saml::second_opinion::{Claim, Disagreement, ask, ask_outermost};
use crate::saml::trace::Check;
use crate::saml::xml::{self, Profile};
use crate::saml::{c14n, response};

struct Case {
    message: Vec<u8>,
    canonical: Vec<u8>,
    certificates: Vec<Certificate>,
}

fn case() -> Case {
    let message = issued().xml;
    let document = xml::parse(message.as_bytes(), Profile::Message).unwrap();
    let signature = document.root().elements().nth(1).unwrap();
    Case {
        canonical: c14n::exclusive(document.root(), &[], Some(signature.id())),
        message: message.into_bytes(),
        certificates: certificates().to_vec(),
    }
}

impl Case {
    fn claim(&self) -> Claim<'_> {
        Claim {
            message: &self.message,
            certificates: &self.certificates,
            canonical: &self.canonical,
            response_signed: true,
            assertion_id: "_assertion",
            name_id: "alice",
        }
    }
}

#[test]
fn it_agrees_with_the_truth_and_with_nothing_else() {
    let case = case();
    assert_eq!(ask(&case.claim()), Ok(()));
    let other = [attacker().certificate().clone()];
    let changed = String::from_utf8(case.message.clone()).unwrap().replace(">alice<", ">root<");
    for (claim, wanted) in [
        (Claim { certificates: &other, ..case.claim() }, Disagreement::Signature),
        (Claim { certificates: &[], ..case.claim() }, Disagreement::Signature),
        (Claim { message: changed.as_bytes(), ..case.claim() }, Disagreement::Signature),
        (Claim { canonical: b"<a></a>", ..case.claim() }, Disagreement::Content),
        (Claim { assertion_id: "_other", ..case.claim() }, Disagreement::AssertionId),
        (Claim { name_id: "root", ..case.claim() }, Disagreement::NameId),
        (Claim { name_id: "Alice", ..case.claim() }, Disagreement::NameId),
        (Claim { response_signed: false, ..case.claim() }, Disagreement::Unreadable),
        (Claim { message: b"\xff", ..case.claim() }, Disagreement::Unreadable),
    ] {
        assert_eq!(ask(&claim), Err(wanted));
    }
}

#[test]
fn where_two_keys_signed_the_outer_signature_is_asked_for_alone() {
    let case = case();
    let text = String::from_utf8(case.message.clone()).unwrap();
    let good = key().certificate();
    assert_eq!(ask_outermost(&case.message, good), Ok(()));
    let wrong = Err(Disagreement::Signature);
    assert_eq!(ask_outermost(&case.message, attacker().certificate()), wrong);
    for (from, to) in [(">alice<", ">root<"), ("ID=\"_response\"", "ID=\"_other\"")] {
        assert_eq!(ask_outermost(text.replace(from, to).as_bytes(), good), wrong);
    }
    assert_eq!(ask_outermost(strip_signatures(&text).as_bytes(), good), wrong);
}

#[test]
fn many_threads_may_ask_at_once() {
    let case = case();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..25 {
                    assert_eq!(ask(&case.claim()), Ok(()));
                }
            });
        }
    });
}

#[test]
fn a_setting_turns_it_off_and_the_trace_says_so() {
    let wanted = response::Expected { second_opinion: false, ..expected() };
    let outcome = judge_as(&issued().xml, &wanted);
    assert!(outcome.result.is_ok());
    let last = outcome.trace.entries().last().unwrap();
    assert_eq!((last.check, last.received.as_str()), (Check::SecondOpinion, "switched off"));
}
