//! The body of a POST or PUT: what is accepted reads back unchanged.

#![no_main]

use identity_center_fuzz::{
    scim::{document, json, list::Query, projection::Projection, schema::registered},
    types,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(body) = json::parse_object(body) else { return };
    for kind in types().iter() {
        let Ok(read) = document::read(kind, &body) else { continue };
        let again = document::read(kind, &read.attributes).expect("what was accepted");
        assert_eq!(again.attributes, read.attributes);
        let mut settled = read.attributes.clone();
        document::settle(kind, &read.attributes, &mut settled, document::Omission::Silence)
            .expect("it takes its own place");
        assert_eq!(settled, read.attributes);
        let frame = document::Frame {
            id: "u-000000000001".to_owned(),
            created: "2026-01-01T00:00:00Z".to_owned(),
            last_modified: "2026-01-01T00:00:00Z".to_owned(),
            location: "http://x/Users/u-000000000001".to_owned(),
            version: 1,
        };
        let whole = document::render(kind, read.attributes, &frame, Vec::new());
        let shown = Projection::parse(kind, None, None).apply(kind, whole);
        assert!(shown.contains_key("id") && shown.contains_key("schemas"));
    }
    let _ = registered::read(&body);
    let _ = Query::from_search_request(&body);
});
