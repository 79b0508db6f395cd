//! SCIM tokens: what a directory shows when it pushes.
//!
//! A token is 256 random bits behind a printed prefix. It is shown once, when it is made; of it
//! only the SHA-256 is kept (SCIM-07). A space has at most two, so that one can be rotated while
//! the other works (SCIM-06).

mod gate;
mod store;

pub use gate::{Closed, Gate, Opened, Rates, open};
pub use store::{create, delete, list, set_enabled};

use crate::{
    id::{CredentialId, SpaceId},
    secret,
    store::{self as database, Timestamp},
};

/// What every token begins with, so that people and secret scanners know one when they see it.
pub const TOKEN_PREFIX: &str = "icscim_";
/// How many tokens a space may have (SCIM-06).
pub const MAX_TOKENS: i64 = 2;
/// The least number of seconds a token may live (SCIM-09).
pub const MIN_LIFETIME: i64 = 3_600;
/// The greatest number of seconds a token may live: 99 years (SCIM-09).
pub const MAX_LIFETIME: i64 = 3_122_064_000;
/// How many seconds a token lives if nobody says: a year (SCIM-09).
pub const DEFAULT_LIFETIME: i64 = 31_536_000;

/// A token, as far as it can be told after its making.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Credential {
    /// Its id.
    pub id: CredentialId,
    /// The space it opens.
    pub space_id: SpaceId,
    /// Whether it opens it now.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}

/// Why something about a token could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The space has as many tokens as it may have.
    #[error("a space has at most {MAX_TOKENS} SCIM tokens")]
    TooMany,
    /// The lifetime is out of range.
    #[error("a SCIM token lives {MIN_LIFETIME} to {MAX_LIFETIME} seconds")]
    Lifetime,
    /// There is no such token in the space.
    #[error("there is no such SCIM token")]
    NotFound,
    /// The token could not be made.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
