//! What stands around the bodies: the query of a URL and the fields of preconditions.

#![no_main]

use identity_center_fuzz::scim::{
    list::{MAX_COUNT, Query},
    version::{Precondition, Version},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(query) = Query::from_url(text) {
        assert!(query.start_index >= 1 && query.count <= MAX_COUNT);
    }
    let precondition = Precondition::read([text], []);
    let _ = precondition.check(3);
    let tag = Version(3).to_string();
    assert!(
        Precondition::read([text, &tag], []).check(3).is_ok() || text.matches(',').count() > 90
    );
});
