//! A service provider at one moment, whose identity provider signs with the key in `certs-dev`.

use std::sync::OnceLock;

use jiff::Timestamp;

use crate::saml::{
    certificate::Certificate,
    response::{DEFAULT_SKEW, Expected},
};

/// The identity provider's entity id.
pub const IDP: &str = "https://idp.example.com/metadata";
/// Our entity id.
pub const SP: &str = "https://sp.example.com/saml/sp/z-1";
/// Where responses go.
pub const ACS: &str = "https://sp.example.com/saml/acs/z-1";
/// Where logout messages go.
pub const SLO: &str = "https://sp.example.com/saml/slo/z-1";
/// The request that is answered.
pub const REQUEST: &str = "_request1";

/// The keys of the identity provider.
pub fn certificates() -> &'static [Certificate] {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    ALL.get_or_init(|| {
        let pem = include_str!("../../certs-dev/identity-provider.crt");
        vec![Certificate::from_pem(pem).expect("the development certificate")]
    })
}

/// The moment.
pub fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

/// What a response has to match.
pub fn expected(second_opinion: bool) -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        certificates: certificates(),
        decryption_keys: &[],
        acs_url: ACS,
        sp_entity_id: SP,
        request_id: Some(REQUEST),
        authn_contexts: &[],
        authenticated_since: None,
        identity_attribute: None,
        allow_unsolicited: false,
        now: now(),
        skew: DEFAULT_SKEW,
        second_opinion,
    }
}
