//! SAML 2.0 as a protocol: what we accept and what we emit.
