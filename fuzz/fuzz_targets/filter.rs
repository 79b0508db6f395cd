//! A filter: it is read or refused, and what is read can be checked and evaluated.

#![no_main]

use identity_center_fuzz::{scim::evaluate, scim::filter::Filter, types, user};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Filter::parse(text) {
        Ok(filter) => {
            for kind in types().iter() {
                if evaluate::check(&filter, kind).is_ok() {
                    let document = user();
                    let holds = evaluate::matches(&filter, kind, &document);
                    let not = Filter::Not(Box::new(filter.clone()));
                    assert_ne!(holds, evaluate::matches(&not, kind, &document));
                }
            }
        }
        // A refusal says at which character, or that the text is too long.
        Err(error) => {
            assert!(error.detail.contains("character") || text.len() > 8 * 1024, "{}", error.detail)
        }
    }
});
