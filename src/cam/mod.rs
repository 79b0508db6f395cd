//! What we need of an account's CAM: SAML providers, roles, policies and users of one account.
//!
//! [`Cam`] is one account as the deployer sees it. The embedded cloud implements it; a client of a
//! remote cloud will, too. Every function may be repeated: a caller that lost an answer asks
//! again. [`Error`] says whether another attempt can help.

use async_trait::async_trait;

use crate::id::Uin;

/// A SAML provider of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SamlProvider {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// The identity provider's metadata, XML.
    pub metadata: String,
    /// Whether this deployer made it.
    pub ours: bool,
}

/// A role of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Who may assume it, as a policy document.
    pub trust_policy: String,
    /// How long a session of it lasts, in seconds.
    pub session_duration: i64,
    /// Whether this deployer made it.
    pub ours: bool,
}

/// What a role is to be.
#[derive(Clone, Copy, Debug)]
pub struct RoleSpec<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it is.
    pub description: &'a str,
    /// Who may assume it, as a policy document.
    pub trust_policy: &'a str,
    /// How long a session of it lasts, in seconds.
    pub session_duration: i64,
}

/// A custom policy of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Its number in the account.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its document.
    pub document: String,
    /// Whether this deployer made it.
    pub ours: bool,
}

/// A CAM user of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Its number.
    pub uin: Uin,
    /// Its name.
    pub name: String,
    /// Whether this deployer made it or took it over.
    pub ours: bool,
    /// Whether it is the account's root.
    pub is_root: bool,
    /// Whether it is shut out.
    pub blocked: bool,
    /// Whether it has access keys.
    pub has_access_keys: bool,
}

/// Why CAM did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The deployer may not.
    #[error("CAM refused: {0}")]
    Denied(String),
    /// Something that we did not make has this name (DPL-16).
    #[error("{kind} {name} exists already and is not managed by Identity Center")]
    NameClash {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It is not there.
    #[error("{kind} {name} does not exist")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// A limit of the account.
    #[error("a limit of the account is reached: {0}")]
    Limit(String),
    /// CAM cannot read what it was given.
    #[error("CAM cannot accept {0}")]
    Invalid(String),
    /// CAM could not be asked, or failed; it may work later.
    #[error("CAM is not available: {0}")]
    Unavailable(String),
}

impl Error {
    /// Whether another attempt may work without anybody changing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable(_) => true,
            Self::Denied(_)
            | Self::NameClash { .. }
            | Self::NotFound { .. }
            | Self::Limit(_)
            | Self::Invalid(_) => false,
        }
    }
}

/// The result of asking CAM.
pub type Result<T> = std::result::Result<T, Error>;

/// One account's CAM, as the deployer.
#[async_trait]
pub trait Cam: Send + Sync {
    /// The SAML provider of this name.
    async fn saml_provider(&self, name: &str) -> Result<Option<SamlProvider>>;
    /// Makes a SAML provider; a [`Error::NameClash`] if there is one that is not ours, and nothing
    /// changes if there is one that is.
    async fn create_saml_provider(
        &self,
        name: &str,
        description: &str,
        metadata: &str,
    ) -> Result<()>;
    /// Gives a SAML provider of ours other metadata.
    async fn update_saml_provider(&self, name: &str, metadata: &str) -> Result<()>;
    /// Deletes a SAML provider of ours, if it is there.
    async fn delete_saml_provider(&self, name: &str) -> Result<()>;

    /// The role of this name.
    async fn role(&self, name: &str) -> Result<Option<Role>>;
    /// Makes a role; a [`Error::NameClash`] if there is one that is not ours, and nothing changes
    /// if there is one that is.
    async fn create_role(&self, role: &RoleSpec<'_>) -> Result<()>;
    /// Makes a role of ours be like this.
    async fn update_role(&self, role: &RoleSpec<'_>) -> Result<()>;
    /// Deletes a role of ours with its bindings, if it is there.
    async fn delete_role(&self, name: &str) -> Result<()>;
    /// The numbers of the policies that a role has.
    async fn role_policies(&self, role: &str) -> Result<Vec<i64>>;
    /// Gives a role of ours a policy; nothing changes if it has it.
    async fn attach_role_policy(&self, role: &str, policy: i64) -> Result<()>;
    /// Takes a policy from a role of ours; nothing changes if it has it not.
    async fn detach_role_policy(&self, role: &str, policy: i64) -> Result<()>;

    /// The custom policies whose names begin so.
    async fn policies(&self, prefix: &str) -> Result<Vec<Policy>>;
    /// Makes a custom policy and says its number; a [`Error::NameClash`] if there is one that is
    /// not ours.
    async fn create_policy(&self, name: &str, description: &str, document: &str) -> Result<i64>;
    /// Gives a custom policy of ours another document.
    async fn update_policy(&self, id: i64, document: &str) -> Result<()>;
    /// Deletes a custom policy of ours, if it is there.
    async fn delete_policy(&self, id: i64) -> Result<()>;

    /// The CAM user of this name.
    async fn user(&self, name: &str) -> Result<Option<User>>;
    /// All CAM users of the account.
    async fn users(&self) -> Result<Vec<User>>;
    /// Makes a CAM user that has no policy; a [`Error::NameClash`] if there is one that is not
    /// ours, and nothing changes if there is one that is.
    async fn create_user(&self, name: &str, remark: &str) -> Result<()>;
    /// Makes a CAM user ours that somebody else made (US-06); never the root.
    async fn take_over_user(&self, name: &str) -> Result<()>;
    /// Lets a CAM user of ours go: it stays, and is like any other.
    async fn release_user(&self, name: &str) -> Result<()>;
    /// Shuts a CAM user of ours out, or lets it in (US-15).
    async fn set_user_blocked(&self, name: &str, blocked: bool) -> Result<()>;
    /// Deletes a CAM user of ours, if it is there.
    async fn delete_user(&self, name: &str) -> Result<()>;
}
