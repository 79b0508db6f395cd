//! A request: as it stands in the query of a redirect, and as it is deflated there.

#![no_main]

use std::io::Write as _;

use flate2::{Compression, write::DeflateEncoder};
use identity_center_fuzz::saml::{encoding, request::AuthnRequest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    if let Ok(text) = std::str::from_utf8(message) {
        let _ = AuthnRequest::from_redirect(text);
    }
    let _ = AuthnRequest::from_redirect(&encoding::encode(message));
    let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
    deflated.write_all(message).expect("memory");
    let deflated = deflated.finish().expect("memory");
    if let Ok(request) = AuthnRequest::from_redirect(&encoding::encode(&deflated)) {
        assert!(!request.id.is_empty() && !request.issuer.is_empty());
    }
});
