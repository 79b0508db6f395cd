//! A service provider at one moment, whose identity provider signs with the key in `certs-dev` and
//! with an elliptic one, and encrypts for the key in `certs-dev`, which is ours too.

use std::sync::OnceLock;

use jiff::Timestamp;
use openssl::pkey::{PKey, Private};

use crate::{
    saml::{
        certificate::{Certificate, SigningKey},
        encryption::DecryptionKey,
        response::{DEFAULT_SKEW, Expected},
    },
    shared::{edits::Hands, keys},
};

const KEY: &str = include_str!("../../certs-dev/identity-provider.key");
const CERTIFICATE: &str = include_str!("../../certs-dev/identity-provider.crt");

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

fn private() -> &'static [PKey<Private>; 2] {
    static BOTH: OnceLock<[PKey<Private>; 2]> = OnceLock::new();
    BOTH.get_or_init(|| {
        let rsa = PKey::private_key_from_pem(KEY.as_bytes()).expect("the development key");
        [rsa, keys::elliptic().expect("a key")]
    })
}

/// The keys of the identity provider.
pub fn certificates() -> &'static [Certificate] {
    static ALL: OnceLock<Vec<Certificate>> = OnceLock::new();
    ALL.get_or_init(|| {
        let rsa = Certificate::from_pem(CERTIFICATE).expect("the development certificate");
        let elliptic = keys::certificate(&private()[1]).expect("a certificate");
        vec![rsa, elliptic]
    })
}

/// Our keys that assertions are encrypted for.
pub fn decryption_keys() -> &'static [DecryptionKey] {
    static ALL: OnceLock<Vec<DecryptionKey>> = OnceLock::new();
    ALL.get_or_init(|| {
        let key = SigningKey::from_pem(KEY, CERTIFICATE).expect("the development key");
        vec![key.into()]
    })
}

/// What makes messages that are signed and encrypted.
pub fn hands() -> Hands<'static> {
    let [rsa, elliptic] = private();
    Hands { rsa, elliptic, recipient: certificates()[0].key() }
}

/// A good message.
pub const GOOD: &str = include_str!("../corpus/saml_response/both.xml");

/// The moment.
pub fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a time")
}

/// What a response has to match.
pub fn expected(second_opinion: bool) -> Expected<'static> {
    Expected {
        idp_entity_id: IDP,
        certificates: certificates(),
        decryption_keys: decryption_keys(),
        acs_url: ACS,
        sp_entity_id: SP,
        request_id: Some(REQUEST),
        authn_contexts: &[],
        authenticated_since: None,
        identity_attribute: None,
        used: None,
        allow_unsolicited: false,
        now: now(),
        skew: DEFAULT_SKEW,
        second_opinion,
    }
}
