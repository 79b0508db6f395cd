//! The directory as a directory service sees it over SCIM.
//!
//! Only what SCIM made is visible here: manual users and groups are neither found nor listed nor
//! changed (DESIGN §8). A resource is its document as the client sent it, in the `document`
//! column; the other columns shadow what is searched. Members of groups are rows of their own.
//!
//! Each writing function is one change of one resource with its audit record. It takes the
//! request's body as it came, because whether the resource is there matters before what is wrong
//! with the body.

pub mod asynchronous;
mod brake;
mod create;
mod extended;
mod groups;
mod members;
mod query;
mod resource;
mod schemas;
mod show;
mod users;

pub use brake::{BrakeState, brake_state, note_held};
pub(in crate::directory) use create::index_emails;
pub use create::{MOST_USERS, NewUser, create_user, create_users};
pub use extended::types;
pub use groups::{Show, create_group, delete_group, patch_group, replace_group};
pub use query::{
    Arrangement, At, BOTH, Listed, Position, Signposts, Sort, Wanted, arrange, fits_a_glance, list,
    list_together,
};
pub use resource::{Push, ResourceKind, Written};
pub use schemas::{Registered, register, registered, unregister};
pub use show::{Resource, View, find};
pub use users::{delete_user, patch_user, replace_user};

use crate::{id::UserId, scim, store as database};

/// Why a SCIM request could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The protocol says no.
    #[error(transparent)]
    Refused(#[from] scim::Error),
    /// There is no such resource that SCIM made.
    #[error("there is no {0} with this id")]
    NotFound(ResourceKind),
    /// Another user or group that SCIM made has this name.
    #[error("another {0} has this name")]
    NameTaken(ResourceKind),
    /// A user or group made by hand has this name (SCIM-17).
    #[error("a {0} made by hand has this name")]
    NameHeldByHand(ResourceKind),
    /// The space has as many as it may have.
    #[error("a space has at most {limit} {kind}s, and this one has {count}")]
    TooMany {
        /// Of what.
        kind: ResourceKind,
        /// How many it may have.
        limit: i64,
        /// How many it has.
        count: i64,
    },
    /// A group would have more members than it may have (GRP-15).
    #[error("a group has at most {limit} members, and this one would have {count}")]
    TooManyMembers {
        /// How many it may have.
        limit: i64,
        /// How many it would have.
        count: i64,
    },
    /// A user would be in more groups than it may be in (GRP-15).
    #[error("a user is in at most {limit} groups, and {user} would be in {count}")]
    TooManyMemberships {
        /// Who.
        user: UserId,
        /// In how many it may be.
        limit: i64,
        /// In how many it would be.
        count: i64,
    },
    /// The mass-change brake holds (SCIM-21).
    #[error("the mass-change brake holds: {going} users within {window} seconds")]
    Braked {
        /// Users that would be gone.
        going: i64,
        /// Seconds that were looked back.
        window: i64,
    },
    /// Another resource has this value of an attribute that is unique.
    #[error("another resource has this value of {0}")]
    ValueTaken(String),
    /// A stored document cannot be read.
    #[error("the document of resource {0} cannot be read")]
    Corrupt(i64),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
