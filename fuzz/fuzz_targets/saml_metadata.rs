//! Metadata: it is refused, or it has what a sign-in needs, and nothing that a browser must not be
//! sent to.

#![no_main]

use identity_center_fuzz::{saml::metadata::IdpMetadata, service_provider::now};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|document: &[u8]| {
    let Ok(metadata) = IdpMetadata::parse(document, now()) else { return };
    assert!(!metadata.entity_id.is_empty() && !metadata.certificates.is_empty());
    assert!(!metadata.single_sign_on.is_empty());
    for endpoint in metadata.single_sign_on.iter().chain(&metadata.single_logout) {
        assert!(endpoint.location.starts_with("http"), "{}", endpoint.location);
    }
    assert!(metadata.valid_until.is_none_or(|end| end > now()));
});
