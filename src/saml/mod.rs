//! SAML 2.0 as a protocol: what we accept and what we emit.
//!
//! An engine: no database, no HTTP server, no clock and no dice. Times and
//! identifiers are arguments. Everything a message says is read from one tree
//! ([`xml`]), and the signature is checked over nodes of that same tree
//! ([`signature`]), so what was verified is what is read.
//!
//! * in: [`response`] judges a `SAMLResponse`, check by check, and leaves a [`trace`] with the
//!   [`cause`] of each failure and where each [`product`] keeps the setting that it is about;
//!   [`encryption`] opens what is encrypted, before anything in it is judged;
//!   [`second_opinion`] asks an implementation by other people whether it agrees
//! * out: [`identity_provider`] signs responses, [`request`] asks an identity provider
//! * between the two sides: [`metadata`], [`certificate`]
//! * both ways: [`logout`], by a form or by [`redirect`]
//! * [`role`] knows how a role of a cloud account is named in an assertion, [`target`] how each
//!   cloud wants to hear it

pub mod c14n;
pub mod cause;
pub mod certificate;
pub mod difference;
pub mod encoding;
pub mod encryption;
pub mod identity_provider;
pub mod instant;
pub mod logout;
pub mod metadata;

pub mod product;
pub mod redirect;
pub mod request;
pub mod response;
pub mod role;
pub mod second_opinion;
pub mod shape;
pub mod signature;
pub mod sp_metadata;
pub mod statement;
pub mod target;
pub mod trace;
pub mod writer;
pub mod xml;

#[cfg(test)]
mod tests;

/// XML namespaces of the protocol.
pub mod namespace {
    /// SAML 2.0 assertions.
    pub const ASSERTION: &str = "urn:oasis:names:tc:SAML:2.0:assertion";
    /// SAML 2.0 protocol messages.
    pub const PROTOCOL: &str = "urn:oasis:names:tc:SAML:2.0:protocol";
    /// SAML 2.0 metadata.
    pub const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
    /// XML signatures.
    pub const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
    /// XML encryption.
    pub const ENCRYPTION: &str = "http://www.w3.org/2001/04/xmlenc#";
    /// What version 1.1 added to XML encryption.
    pub const ENCRYPTION_11: &str = "http://www.w3.org/2009/xmlenc11#";
    /// Exclusive canonicalisation; also the algorithm's identifier.
    pub const EXCLUSIVE_C14N: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
    /// XML Schema instances (`xsi:type`).
    pub const SCHEMA_INSTANCE: &str = "http://www.w3.org/2001/XMLSchema-instance";
}

/// How a message travels (SAML bindings).
pub mod binding {
    /// In the query of a redirect.
    pub const REDIRECT: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect";
    /// In a form the browser posts.
    pub const POST: &str = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST";
}

/// Name identifier formats (SAML core §8.3).
pub mod name_id_format {
    /// Nothing said about the meaning.
    pub const UNSPECIFIED: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified";
    /// An e-mail address.
    pub const EMAIL: &str = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress";
    /// A pseudonym that stays.
    pub const PERSISTENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent";
    /// A pseudonym that changes each time: no key to anything.
    pub const TRANSIENT: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient";
    /// The name of a SAML entity.
    pub const ENTITY: &str = "urn:oasis:names:tc:SAML:2.0:nameid-format:entity";
}
