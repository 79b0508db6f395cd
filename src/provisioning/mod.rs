//! What should be in the accounts, made so.
//!
//! * [`Reconciler`] runs the tasks: it reads what should be, asks the account's CAM what is, and
//!   makes it so. It can be stopped and begun again anywhere.
//! * [`names`] knows how things are called in an account.
//! * [`prepare_idp_key`] and its like: a change of the key that signs towards the accounts.
//! * [`drift`]: what is in the accounts, against what was recorded.
//! * [`manual_steps`]: what somebody has to make by hand in accounts of other clouds.
//! * [`create_user_syncs`] and its like: identities with a CAM user in an account.
//! * [`remove_assignment`], [`access_changed`], [`identity_deleted`]: what has to happen in the
//!   same transaction when somebody loses access; [`delete_user`], [`delete_group`]: by hand.

mod access_ends;
mod by_hand;
mod deletion;
mod deploy;
pub mod drift;
mod key_change;
pub mod names;
mod reconciler;
mod sync;
mod user_sync_batch;
mod user_sync_change;
mod user_syncs;

pub use access_ends::{
    access_changed, end_opened, identity_deleted, remove_assignment, remove_assignments,
};
pub use by_hand::{
    ManualObject, ManualStep, PolicyToMake, Shape, confirm_manual_step, manual_steps, target,
};
pub use deletion::{blockers, delete_group, delete_user, held};
pub use key_change::{
    Asked, accounts_that_trust, accounts_without, prepare_idp_key, remove_idp_key, use_idp_key,
};
pub use reconciler::Reconciler;
pub use user_sync_batch::create_user_syncs;
pub use user_sync_change::{UserSyncChange, update_user_sync};
pub use user_syncs::{
    DeletionStrategy, DuplicationStrategy, MOST_SYNCS_PER_CALL, NewUserSync, UserSync,
    UserSyncFilter, UserSyncItem, cam_user_names, delete_user_sync, delete_user_syncs,
    directory_user_of, user_sync, user_syncs, user_syncs_between, user_syncs_of,
};

use crate::{
    permission::{self, Unknown},
    space, store as database, task,
};

/// Why something about user syncs could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No item, or more than a call may have.
    #[error("a call has 1 to {limit} user syncs, and this one has {count}")]
    UserSyncCountInvalid {
        /// How many a call may have.
        limit: usize,
        /// How many this one has.
        count: usize,
    },
    /// The batch names what is not there; nothing was started.
    #[error("the batch names what the space does not have")]
    Unknown(Unknown),
    /// Every item of the batch is there already; nothing was started.
    #[error("every user sync of the batch is there already")]
    UserSyncsExist,
    /// There is no such user sync.
    #[error("there is no such user sync")]
    UserSyncNotFound,
    /// The conflict policy of a user sync stays (US-12).
    #[error("the conflict policy of a user sync cannot be changed")]
    ConflictPolicyStays,
    /// A description is too long.
    #[error("a description has at most 1024 characters")]
    DescriptionInvalid,
    /// Accounts that do not have the key yet would let nobody in.
    #[error(
        "{0} accounts do not know this key yet: wait for the tasks that tell them, or see why they failed"
    )]
    KeyNotKnown(usize),
    /// There is no such step.
    #[error("there is no such step to be done by hand")]
    ManualStepNotFound,
    /// Something else is wanted by now than what was seen.
    #[error("what is to be made has changed meanwhile: look at it again")]
    ManualStepChanged,
    /// Something about a task.
    #[error(transparent)]
    Task(#[from] task::Error),
    /// Something about the keys of the space.
    #[error(transparent)]
    Space(#[from] space::Error),
    /// Something about assignments.
    #[error(transparent)]
    Permission(#[from] permission::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
