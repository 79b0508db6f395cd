//! A PATCH body: it is refused and nothing changes, or the outcome is a document that validation
//! leaves as it is.

#![no_main]

use identity_center_fuzz::{
    scim::{document, json, patch::Patch, schema::index},
    types, user,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    let Ok(body) = json::parse_object(body) else { return };
    let Ok(patch) = Patch::parse(body) else { return };
    let kind = &types().user;
    let before = user();
    if let Ok(patched) = patch.apply(kind, &before) {
        assert_eq!(patched.changed, patched.attributes != before);
        assert!(patched.members.is_empty());
        let mut complete = patched.attributes.clone();
        document::complete(kind, &mut complete);
        let read = document::read(kind, &patched.attributes).expect("a valid document");
        assert_eq!(read.attributes, complete);
        let _ = index::indexed_values(kind, &complete);
    }
    let group = serde_json::Map::from_iter([("displayName".to_owned(), "G".into())]);
    let _ = patch.apply(&types().group, &group);
});
