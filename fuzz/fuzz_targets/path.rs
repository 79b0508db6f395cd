//! The path of a PATCH operation, and the same text as an attribute to sort and to cut by.

#![no_main]

use identity_center_fuzz::{
    scim::{order::Order, path::Path, projection::Projection},
    types, user,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for kind in types().iter() {
        if let Ok(path) = Path::parse(text) {
            let _ = kind.resolve(&path.attribute);
        }
        if let Ok(Some(order)) = Order::parse(kind, text, false) {
            let (one, other) = (order.key(&user()), order.key(&serde_json::Map::new()));
            assert_eq!(order.compare(&one, &other), order.compare(&other, &one).reverse());
        }
        let only = Projection::parse(kind, Some(text), None).apply(kind, user());
        assert!(only.len() <= user().len());
        let _ = Projection::parse(kind, None, Some(text)).apply(kind, user());
    }
});
