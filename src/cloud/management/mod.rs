//! What the people of an account do with its access management themselves, through the public API.
//!
//! Whether the caller may is decided before ([`super::authorize()`]); what is decided here holds for
//! everybody, root included: what Identity Center made is locked (DPL-02), and so is what came with
//! the account. Every change leaves a record in the audit log.

mod keys;
mod linked;
mod policies;
mod providers;
mod roles;
mod tags;
mod users;

pub use keys::{
    AccessKey, access_keys, create_access_key, delete_access_key, key_owner, set_access_key_enabled,
};
pub use linked::{
    Deletion, create_service_linked_role, delete_service_linked_role, deletion, failed_deletions,
};
pub use policies::{
    CustomPolicy, Entity, EntityFilter, EntityKind, FoundPolicy, ListedPolicy, PolicyChange,
    PolicyFilter, create_policy, delete_policies, entities, lint, list_policies, policy,
    policy_named, update_policy,
};
pub use providers::{
    Provider, ProviderChange, create_provider, delete_provider, provider, providers,
    update_provider,
};
pub use roles::{
    Attached, NewRole, Role, RoleChange, Which, attach_role_policy, attached_to_role, create_role,
    delete_role, detach_role_policy, role, roles, set_boundary, tag_role, untag_role, update_role,
};
pub use tags::{Tags, check as check_tags};
pub use users::{
    NewUser, UserChange, UserDetail, attach_user_policy, attached_to_user, create_user,
    delete_user, detach_user_policy, new_password, update_user, user_by_uin, user_detail,
    user_details, users_by_uin,
};

use super::objects::Hand;
use crate::{
    id::Uin,
    policy::document,
    saml::metadata::MetadataError,
    store::{self as database, Write, sql},
};

/// Most custom policies of an account, those of Identity Center included.
pub const MOST_POLICIES: i64 = 1_500;
/// Most roles that an account may have when somebody in it makes one more.
pub const MOST_ROLES: i64 = 1_000;
/// Most CAM users that an account may have when somebody in it makes one more.
pub const MOST_USERS: i64 = 1_000;
/// Most SAML providers that an account may have when somebody in it makes one more.
pub const MOST_PROVIDERS: i64 = 100;
/// Most policies on one role or one CAM user.
pub const MOST_ATTACHED: i64 = 200;
/// Most access keys of one CAM user.
pub const MOST_KEYS: i64 = 2;
/// Most policies that one call deletes.
pub const MOST_AT_ONCE: usize = 20;
/// Longest description or remark, in characters.
pub const LONGEST_DESCRIPTION: usize = 1_000;
/// Longest metadata of a SAML provider, in bytes.
pub const LONGEST_METADATA: usize = 256 * 1024;
/// Longest session of a role, in seconds (API.md §4.2).
pub const LONGEST_SESSION: i64 = 43_200;

/// What the names of the roles and policies that Identity Center makes in an account begin with.
pub const RESERVED_ROLES: &str = "TencentCloudSSO-";
/// What the names of the SAML providers that Identity Center makes in an account begin with.
pub const RESERVED_PROVIDERS: &str = "TencentReservedSSO-";

/// What kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A role.
    Role,
    /// A policy.
    Policy,
    /// A SAML provider.
    Provider,
    /// A CAM user.
    User,
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Role => "role",
            Self::Policy => "policy",
            Self::Provider => "SAML provider",
            Self::User => "CAM user",
        })
    }
}

/// Why something was not done in an account's access management.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Identity Center made it (DPL-02).
    #[error("the {0} is managed by Identity Center; it can only be changed there")]
    Locked(Kind),
    /// It came with the account, or is a product's own.
    #[error("the role is the cloud's own and cannot be changed")]
    BuiltIn,
    /// A preset policy.
    #[error("a preset policy cannot be changed")]
    Preset,
    /// A name breaks the rule for its kind.
    #[error("the name of a {0} has {rule}", rule = name_rule(*.0))]
    NameInvalid(Kind),
    /// The name is one of those that Identity Center gives: whoever made it first would keep a
    /// deployment out (DPL-16), or be taken for one.
    #[error("names of a {0} that begin with {prefix} are Identity Center's", prefix = reserved(*.0).unwrap_or_default())]
    NameReserved(Kind),
    /// Another one of the account has this name.
    #[error("the account has a {0} of this name already")]
    NameTaken(Kind),
    /// It is not there.
    #[error("the account has no such {0}")]
    NotFound(Kind),
    /// Neither an id nor a name says which.
    #[error("an id or a name must say which {0}")]
    Unnamed(Kind),
    /// The account has as many as it may.
    #[error("the account may not have another {0}")]
    TooMany(Kind),
    /// A role or CAM user has [`MOST_ATTACHED`] policies.
    #[error("{MOST_ATTACHED} policies are attached already")]
    TooManyAttached,
    /// More than [`MOST_AT_ONCE`] policies in a call.
    #[error("at most {MOST_AT_ONCE} policies are deleted at once")]
    TooManyAtOnce,
    /// A description over [`LONGEST_DESCRIPTION`].
    #[error("a description has at most {LONGEST_DESCRIPTION} characters")]
    DescriptionTooLong,
    /// A policy document that is refused, and where.
    #[error("the policy document is refused: {0}")]
    Document(#[from] document::Error),
    /// A condition operator that CAM does not know.
    #[error("the policy document is refused: {0}: is not an operator")]
    UnknownOperator(String),
    /// A role of one account cannot trust another account's SAML provider.
    #[error("a role trusts SAML providers of its own account only")]
    ForeignProvider,
    /// The boundary of a role is not to be deleted.
    #[error("the policy is the boundary of a role")]
    IsBoundary,
    /// A session's length is out of range.
    #[error("a session of a role lasts at most {LONGEST_SESSION} seconds")]
    SessionDuration,
    /// A tag that cannot be.
    #[error(
        "the tag {0:?} is refused: a key has 1 to 127 characters, a value at most 255, without controls"
    )]
    TagInvalid(String),
    /// The same key twice.
    #[error("the tag {0:?} is there twice")]
    TagTwice(String),
    /// More tags than an object may have.
    #[error("an object has at most {} tags", tags::MOST)]
    TooManyTags,
    /// A password that is too easy.
    #[error("a password has 8 to 128 characters, with a small letter, a capital and a digit")]
    PasswordWeak,
    /// A phone number or mail address that cannot be one.
    #[error("the {0} is not one")]
    ContactInvalid(&'static str),
    /// The user has access keys, and nobody said that they may go, too.
    #[error("the CAM user has access keys")]
    HasKeys,
    /// There is no such key of this user.
    #[error("the CAM user has no such access key")]
    KeyNotFound,
    /// The user has [`MOST_KEYS`] keys.
    #[error("a CAM user has at most {MOST_KEYS} access keys")]
    TooManyKeys,
    /// The keys of a root are the root's alone.
    #[error("the access keys of a root are the root's own business")]
    RootsKeys,
    /// Metadata that is not an identity provider's.
    #[error("the metadata is refused: {0}")]
    Metadata(#[from] MetadataError),
    /// Metadata over [`LONGEST_METADATA`], or not text.
    #[error("the metadata must be UTF-8 text of at most {LONGEST_METADATA} bytes")]
    MetadataTooLong,
    /// No product of this name has roles of its own.
    #[error("no service of this name has a linked role")]
    UnknownService,
    /// Nobody asked for this deletion.
    #[error("there is no such deletion")]
    DeletionNotFound,
    /// The cloud failed.
    #[error(transparent)]
    Cloud(#[from] super::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

fn name_rule(kind: Kind) -> &'static str {
    match kind {
        Kind::Role | Kind::Policy | Kind::Provider => "1 to 128 letters, digits and + = , . @ _ -",
        Kind::User => "1 to 64 letters, digits and + = , . @ _ -",
    }
}

/// The hand of somebody in the account itself.
const fn own_hand(account: Uin) -> Hand {
    Hand { account, deployer: None }
}

/// What the names of a kind begin with that only Identity Center gives.
fn reserved(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Role | Kind::Policy => Some(RESERVED_ROLES),
        Kind::Provider => Some(RESERVED_PROVIDERS),
        Kind::User => None,
    }
}

/// Checks a name that somebody in the account gives. A role, a policy and a SAML provider are named
/// alike (API.md §4.1). In whatever case: nobody should take one of
/// these for one of ours.
fn check_name(kind: Kind, name: &str) -> Result<(), Error> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    let longest = if kind == Kind::User { 64 } else { 128 };
    if !(1..=longest).contains(&name.len()) || !name.bytes().all(letter) {
        return Err(Error::NameInvalid(kind));
    }
    let ours = |prefix: &str| {
        name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    if reserved(kind).is_some_and(ours) { Err(Error::NameReserved(kind)) } else { Ok(()) }
}

fn check_description(text: &str) -> Result<(), Error> {
    if text.chars().count() <= LONGEST_DESCRIPTION {
        Ok(())
    } else {
        Err(Error::DescriptionTooLong)
    }
}

/// Takes the account for the length of a transaction: whoever counts and then adds is alone.
async fn hold(tx: &mut Write, account: Uin) -> Result<(), Error> {
    let mut query = sql("SELECT uin FROM accounts WHERE uin = $1");
    // Not FOR UPDATE: rows that name the account may come meanwhile.
    query.push(tx.for_no_key_update());
    let held: Option<(Uin,)> = query.bind(account).fetch_optional(tx).await?;
    held.map(|_| ()).ok_or(Error::Cloud(super::Error::AccountNotFound))
}
