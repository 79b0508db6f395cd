//! Who can reach what.
//!
//! * [`reachable`]: everything a user reaches, for the portal: per account the roles, direct and
//!   through groups merged into one (PRT-09), and the CAM users.
//! * [`launch_role`], [`launch_user`]: whether one of them may be entered now (PRT-08).
//! * [`shortcuts`]: what a person keeps of that at hand: favourites and recent ones (PRT-10).
//! * [`plan`]: what an act would do, before it is done.
//! * [`Names`]: what accounts, configurations and identities are called, many at once.
//! * [`is_entitled`], [`has_cam_user`]: whether somebody who stands before an account with our word still has it.

mod disputes;
mod explore;
mod landing;
mod names;
pub mod plan;
pub mod shortcuts;
mod store;

pub use disputes::tell_dispute;
pub use explore::{Reached, Viewpoint, Way, WayMark, Ways, ways};
pub use landing::landing_page;
pub use names::{Names, Wanted as WantedNames};
pub use store::{
    has_cam_user, is_entitled, launch_role, launch_user, lets_command_lines, reachable,
    reachable_role,
};

use crate::{
    id::{ConfigurationId, GroupId, Uin},
    organization::{AccountKind, OtherCloudAccount},
    store::{self as database, text_enum},
};

text_enum! {
    /// How far something that a user can reach is.
    pub enum ReachState {
        /// It can be entered.
        Deployed = "deployed",
        /// It is on its way.
        Pending = "pending",
        /// It could not be made.
        Failed = "failed",
    }
}

/// Where an entitlement comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It is the user's own.
    Direct,
    /// It is a group's that the user is in.
    Group {
        /// The group.
        id: GroupId,
        /// Its name.
        name: String,
    },
}

/// A role that a user can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachableRole {
    /// The configuration.
    pub id: ConfigurationId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How far it is.
    pub state: ReachState,
    /// How long a session lasts, in seconds.
    pub session_duration: i64,
    /// Whether there are temporary credentials for the command line (PRT-11).
    pub command_line: bool,
    /// Where from; at least one.
    pub origins: Vec<Origin>,
}

/// A CAM user that a user can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachableUser {
    /// Its name in the account.
    pub name: String,
    /// How far it is.
    pub state: ReachState,
    /// Where from; at least one.
    pub origins: Vec<Origin>,
}

/// An account that a user can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReachableAccount {
    /// Its number.
    pub uin: Uin,
    /// Its name.
    pub name: String,
    /// What it is to its organisation.
    pub kind: AccountKind,
    /// The department it is in.
    pub department: String,
    /// The roles, by name.
    pub roles: Vec<ReachableRole>,
    /// The CAM users, by name.
    pub users: Vec<ReachableUser>,
}

/// What to say to an account so that it lets the user in as a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleLaunch {
    /// The account.
    pub account: Uin,
    /// The account's name.
    pub account_name: String,
    /// The SAML provider to name.
    pub provider: String,
    /// The role to name.
    pub role: String,
    /// The NameID: the user's true name.
    pub name_id: String,
    /// How long a session lasts, in seconds.
    pub session_duration: i64,
    /// After how many seconds the access ends by itself; none where it does not.
    pub seconds_left: Option<i64>,
    /// Where the session lands; may be empty.
    pub relay_state: String,
    /// Whether there are temporary credentials for the command line (PRT-11).
    pub command_line: bool,
    /// Where the account is, if it is in another cloud.
    pub other_cloud: Option<OtherCloudAccount>,
}

impl RoleLaunch {
    /// How long a session that begins now may last, in seconds: not beyond the access.
    pub fn session_seconds(&self) -> i64 {
        self.session_duration.min(self.seconds_left.unwrap_or(i64::MAX)).max(1)
    }

    /// Whether the same may be said still; the time that is left runs on meanwhile.
    pub fn is_like(&self, other: &Self) -> bool {
        self.seconds_left.is_some() == other.seconds_left.is_some()
            && Self { seconds_left: None, ..self.clone() }
                == Self { seconds_left: None, ..other.clone() }
    }
}

/// What to say to an account so that it lets the user in as a CAM user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserLaunch {
    /// The account.
    pub account: Uin,
    /// The account's name.
    pub account_name: String,
    /// The SAML provider to name.
    pub provider: String,
    /// The NameID: the CAM user's name.
    pub name_id: String,
}

/// Why nobody is let in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user has no access of this kind, or is shut out. Which of the two is not told apart.
    #[error("no access")]
    NoAccess,
    /// It is not ready yet, or could not be made.
    #[error("not ready: {0}")]
    NotReady(ReachState),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
