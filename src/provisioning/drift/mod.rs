//! Drift (DPL-15): what we manage in an account and what is really there, compared.
//!
//! A task looks at one account: roles, their policies and trust, the SAML provider, the CAM users
//! of user syncs. What is not as it was recorded is a [`Finding`], which stays until it is gone or
//! answered: repaired by a task, adopted as what is recorded, or ignored until a moment.
//! [`schedule`] has every account looked at from time to time, [`detect`] now.

mod look;
mod resolve;
mod store;

pub use resolve::{Answer, MOST_ANSWERED, resolve};
pub use store::{Filter, checking, detect, findings, schedule};
pub(super) use store::{forget_configuration, forget_provider, forget_users};

use serde_json::Value;

use crate::{
    id::{ConfigurationId, DriftId, SpaceId, Uin},
    permission,
    store::{self as database, Json, Timestamp, text_enum},
};

text_enum! {
    /// What kind of object is not as it should be.
    pub enum ObjectKind {
        /// A role.
        Role = "Role",
        /// A policy that a role has.
        PolicyBinding = "PolicyBinding",
        /// A custom policy of a configuration.
        Policy = "Policy",
        /// The SAML provider by which the account trusts us.
        SamlProvider = "SAMLProvider",
        /// The CAM user of a user sync.
        CamUser = "CamUser",
    }
}

text_enum! {
    /// In what way it is not.
    pub enum Nature {
        /// It is different.
        Changed = "Changed",
        /// It is not there.
        Missing = "Missing",
        /// It should not be there.
        Extra = "Extra",
    }
}

/// Something in an account that is not as it was recorded.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct Finding {
    /// Its id.
    pub id: DriftId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// The configuration it belongs to; none for what all of them share.
    pub configuration_id: Option<ConfigurationId>,
    /// What kind of object it is.
    pub object_kind: ObjectKind,
    /// What the object is called; a binding is `role: policy`.
    pub object_name: String,
    /// In what way it is not as recorded.
    pub nature: Nature,
    /// What was recorded, as far as it differs.
    pub recorded: Json<Value>,
    /// What was found, as far as it differs.
    pub found: Json<Value>,
    /// When it was found to be so.
    pub found_at: Timestamp,
    /// Until when nobody wants to hear of it.
    pub ignored_until: Option<Timestamp>,
}

/// What a look found, before it is written down.
#[derive(Clone, Debug, PartialEq)]
struct Drift {
    configuration: Option<ConfigurationId>,
    kind: ObjectKind,
    name: String,
    nature: Nature,
    recorded: Value,
    found: Value,
}

/// Why drift is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No id, or more than a call may have.
    #[error("a call answers 1 to {MOST_ANSWERED} findings")]
    CountInvalid,
    /// There is no such finding, or it is gone by now.
    #[error("there is no such drift, or it is gone")]
    NotFound,
    /// What is there cannot become what is recorded.
    #[error("{0} cannot be adopted: repair it, or ignore it")]
    NotAdoptable(String),
    /// A task is at what it is about.
    #[error("a task is at {0}")]
    Busy(String),
    /// A moment that is past, or too far.
    #[error("drift is ignored until a moment within a year")]
    MomentInvalid,
    /// The permission room refused.
    #[error(transparent)]
    Permission(#[from] permission::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
