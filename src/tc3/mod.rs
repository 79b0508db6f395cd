//! TC3-HMAC-SHA256 and the envelope of the signed JSON API: both ends of it, without HTTP, clock
//! or database.
//!
//! * [`Authorization`] is the parsed header; [`Signed::check_time`] and [`Signed::verify`] are
//!   the two things a server asks of it;
//! * [`sign`] makes the header, for our own calls to a cloud;
//! * [`envelope`] is the shape of every reply, [`CommonCode`] the error codes every service has;
//! * [`query`] reads the flattened parameters of a signed `GET`.

mod authorization;
mod code;
pub mod envelope;
pub mod query;
mod reads;
mod signature;

#[cfg(test)]
mod tests;

pub use authorization::{Authorization, Signed};
pub use code::CommonCode;
pub use reads::Reads;
pub use signature::{ALGORITHM, Parts, TOLERANCE_SECONDS, sign};

/// Why a request's signature is not accepted. Texts never hold what was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A header the signature needs is absent.
    #[error("the header {0} is missing")]
    MissingHeader(&'static str),
    /// The header `Authorization` is not of the documented form.
    #[error("the header Authorization is malformed: {0}")]
    MalformedAuthorization(&'static str),
    /// `X-TC-Timestamp` is not a number of seconds.
    #[error("the header X-TC-Timestamp is not a UNIX time in seconds")]
    MalformedTimestamp,
    /// The timestamp is too far from now.
    #[error("the signature has expired: X-TC-Timestamp is more than 300 seconds away from now")]
    Expired,
    /// The date of the credential scope is not the date of the timestamp.
    #[error("the date in Credential is not the UTC date of X-TC-Timestamp")]
    DateMismatch,
    /// A signed header is absent, or was sent more than once.
    #[error("a header named in SignedHeaders is missing or repeated")]
    UnusableSignedHeader,
    /// The signature is not the one we computed.
    #[error("the signature does not match")]
    Mismatch,
    /// The cryptographic library failed.
    #[error("the signature could not be computed")]
    Crypto,
}
