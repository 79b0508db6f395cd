//! Users, groups and memberships.
//!
//! Each user and group has a source: made by hand, or pushed by a directory over SCIM. Hand-made
//! ones are narrow in their names (USR-04, GRP-01) and unknown to SCIM; pushed ones are kept as
//! they were sent and locked here while SCIM is on (SCIM-03). A group and its members have the
//! same source (GRP-08).

mod adopt;
mod announce;
mod by_hand;
mod counts;
mod groups;
mod rules;
pub mod scim;
mod several;
mod users;

pub use adopt::{Adoption, MAX_ADOPTED, adopt, adoption};
pub use by_hand::{
    ChangedByHand, GroupChange, Held, UserChange, changed_by_hand_since, delete_group, delete_user,
    hold_still, update_group, update_user,
};
pub use groups::{
    GroupFilter, Member, Membership, add_member, create_group, group, groups, groups_of,
    member_since, members, members_like, memberships_among, push_identities_of, remove_member,
};
pub use rules::{check_group_name, check_user_name, fold};
pub use several::{MOST_USERS_PER_CALL, OnRefusal, Refused, create_users};
pub use users::{NewUser, UserFilter, create_user, set_user_enabled, user, user_by_name, users};

pub use counts::fold_counts;

pub use crate::id::{Principal, PrincipalKind};
use crate::{
    id::{GroupId, SpaceId, UserId},
    store::{self as database, Timestamp, text_enum},
};

text_enum! {
    /// Where a user or group comes from.
    pub enum Source {
        /// Made by an administrator.
        Manual = "manual",
        /// Pushed by a directory.
        Scim = "scim",
    }
}

/// How many of everything a space may have, and how many of them go together (GRP-15).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Users of a space.
    pub users: i64,
    /// Groups of a space.
    pub groups: i64,
    /// Users in one group.
    pub members: i64,
    /// Groups that one user is in.
    pub memberships: i64,
}

impl Limits {
    /// Whether members of a group have to be counted: they cannot be more than the space has.
    fn counts_members(&self) -> bool {
        self.members < self.users
    }

    /// Whether the groups of a user have to be counted.
    fn counts_memberships(&self) -> bool {
        self.memberships < self.groups
    }
}

/// A user. Texts that are not set are empty.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// Where it comes from.
    pub source: Source,
    /// The name it signs in under, as spelled first.
    pub user_name: String,
    /// Given name.
    pub first_name: String,
    /// Family name.
    pub last_name: String,
    /// The name shown to people.
    pub display_name: String,
    /// E-mail address.
    pub email: String,
    /// Remarks.
    pub description: String,
    /// What the directory says.
    pub active: bool,
    /// Whether an administrator has shut it out here (USR-21).
    pub blocked: bool,
    /// The directory's own label for it; never interpreted (SCIM-16).
    pub external_id: Option<String>,
    /// Grows by one with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl User {
    /// Whether it may sign in: the directory says so and no administrator says otherwise.
    pub fn enabled(&self) -> bool {
        self.active && !self.blocked
    }

    /// The name to show: the display name if there is one.
    pub fn shown_name(&self) -> &str {
        if self.display_name.is_empty() { &self.user_name } else { &self.display_name }
    }
}

/// A group.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Group {
    /// Its id.
    pub id: GroupId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// Where it comes from.
    pub source: Source,
    /// Its name.
    pub name: String,
    /// Remarks.
    pub description: String,
    /// The directory's own label for it.
    pub external_id: Option<String>,
    /// Grows by one with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// How many users are in it.
    pub member_count: i64,
}

/// Why something about users and groups could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A user name breaks USR-04.
    #[error("a user name has 1 to 64 letters, digits and the symbols + = , . @ - _")]
    UserNameInvalid,
    /// Another user of the space has this name.
    #[error("another user of the space has this name")]
    UserNameTaken,
    /// A field is longer than allowed (USR-07) or holds a control character.
    #[error("{field} has at most {longest} characters and no control characters")]
    FieldInvalid {
        /// Which field.
        field: &'static str,
        /// How many characters it may have.
        longest: usize,
    },
    /// An e-mail address without a name, an @ or a domain.
    #[error("email is not an e-mail address")]
    EmailInvalid,
    /// Another manual user of the space has this e-mail address.
    #[error("another user of the space has this e-mail address")]
    EmailTaken,
    /// There is no such user in the space.
    #[error("there is no such user")]
    UserNotFound,
    /// The space has as many users as it may have.
    #[error("a space has at most {limit} users, and this one has {count}")]
    TooManyUsers {
        /// How many it may have.
        limit: i64,
        /// How many it has.
        count: i64,
    },
    /// No user to make, or more than are made at once (USR-02).
    #[error("one call makes 1 to {MOST_USERS_PER_CALL} users, and this one names {0}")]
    UserCountInvalid(usize),
    /// Some of the users cannot be made, and it was to be all or none of them (USR-03).
    #[error("nothing was made: {}", several::sentences(.0))]
    NothingMade(Vec<Refused>),
    /// A group's name breaks GRP-01.
    #[error("a group's name has 1 to 128 letters, digits and hyphens")]
    GroupNameInvalid,
    /// Another group of the space has this name.
    #[error("another group of the space has this name")]
    GroupNameTaken,
    /// There is no such group in the space.
    #[error("there is no such group")]
    GroupNotFound,
    /// The space has as many groups as it may have.
    #[error("a space has at most {limit} groups, and this one has {count}")]
    TooManyGroups {
        /// How many it may have.
        limit: i64,
        /// How many it has.
        count: i64,
    },
    /// The group has as many members as it may have (GRP-15).
    #[error("a group has at most {limit} members, and this one has {count}")]
    TooManyMembers {
        /// How many it may have.
        limit: i64,
        /// How many it has.
        count: i64,
    },
    /// The user is in as many groups as it may be in (GRP-15).
    #[error("a user is in at most {limit} groups, and {user} is in {count}")]
    TooManyMemberships {
        /// Who.
        user: UserId,
        /// In how many it may be.
        limit: i64,
        /// In how many it is.
        count: i64,
    },
    /// The user is in the group already.
    #[error("the user is in the group already")]
    AlreadyMember,
    /// The user is not in the group.
    #[error("the user is not in the group")]
    NotMember,
    /// One of the two is manual, the other comes from SCIM (GRP-08).
    #[error("a group and its members have the same source")]
    SourcesDiffer,
    /// The group comes from SCIM, and SCIM is on (GRP-07).
    #[error("the group is managed by SCIM")]
    GroupManagedByScim,
    /// The user comes from SCIM, and SCIM is on (USR-11, USR-12).
    #[error("the user is managed by SCIM")]
    UserManagedByScim,
    /// It is not deleted while it is in use (USR-14, GRP-09).
    #[error("first {0}")]
    InUse(Blockers),
    /// SCIM has it already.
    #[error("it is managed by SCIM already")]
    AdoptedAlready,
    /// Too many share a group with it.
    #[error("more than {MAX_ADOPTED} users and groups hang together: take some members out first")]
    TooManyToAdopt,
    /// Not those who were shown.
    #[error("memberships have changed meanwhile: look again at who is handed over")]
    AdoptionChanged,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

/// What keeps a user or group from being deleted by hand: all of it, not only the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blockers {
    /// Groups that the user is in.
    pub groups: i64,
    /// Users that are in the group.
    pub members: i64,
    /// What it holds.
    pub held: Held,
}

impl Blockers {
    fn check(self) -> Result<(), Error> {
        if self == Self::default() { Ok(()) } else { Err(Error::InUse(self)) }
    }
}

/// What to do about them.
impl std::fmt::Display for Blockers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let steps = [
            ("take it out of its groups", self.groups),
            ("take out its members", self.members),
            ("remove its permissions", self.held.assignments),
            ("end its CAM user syncs", self.held.user_syncs),
        ];
        let steps = steps.iter().filter(|(_, count)| *count > 0);
        let steps: Vec<String> = steps.map(|(what, count)| format!("{what} ({count})")).collect();
        f.write_str(&steps.join(", "))
    }
}
