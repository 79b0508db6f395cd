//! The embedded cloud: accounts with a CAM of their own, for everyone without a remote one.
//!
//! * who there is: [`CamUser`]s (the root among them) with passwords and [access keys](Signer)
//! * what there is: roles, SAML providers and custom policies; what a space's deployer made is
//!   locked for everybody else in the account, root included (DPL-02)
//! * [`EmbeddedCloud`] shows an account to the deployer as a [`cam::Cam`]
//! * [`sign_in`] lets people in with a SAML response, as a role or as a synced CAM user
//! * [`management`] is what the people of an account do with all that, themselves
//! * [`sts`] makes temporary credentials: [`RoleSession`]s and [`FederatedUser`]s
//! * temporary credentials can be revoked (SES-04)
//! * [`authorize()`] evaluates a principal's policies

mod accounts;
mod administrators;
mod authorize;
mod embedded;
mod federation;
mod keys;
pub mod management;
mod objects;
mod office;
pub mod password;
mod refusals;
mod replay;
mod revocations;
mod sessions;
pub mod sign_in;
pub mod sts;
mod token;
mod users;

pub use accounts::{
    ACCESS_CONTROL_ROLE, RoleKind, SERVICE_LINKED_ROLE, activate, create_member, install,
    space_keys,
};
pub use administrators::{
    AdministratorRow, ConsoleSession, FULL_ACCESS, READ_ONLY_ACCESS, administrators,
    change_password, console_sessions, end_console_sessions,
};
pub use authorize::{AttachedPolicy, Authority, attach_user_policy, authorize, context, policies};
pub use embedded::{Clouds, EmbeddedCloud};
pub use federation::FederatedUser;
pub use keys::{NewAccessKey, Signer, create_access_key, new_access_key, signer};
pub use objects::{managed_by, shut_out};
pub use office::{Office, office};
pub use refusals::record_refusal;
pub use replay::is_fresh;
pub use revocations::{Entry, revoke, revoke_everything};
pub use sessions::{
    NewRoleSession, OpenRoleSession, RoleSession, Vouched, credentials, forget_expired,
    new_role_session, open_role_sessions, role_session,
};
pub use users::{
    Login, create_root, create_user, login, record_login, root, set_password, user, users,
};

use crate::{
    cam,
    id::{SpaceId, Uin},
    organization, secret, space,
    store::{self as database, Timestamp},
};

/// A CAM user of an account. The root has the account's own number.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct CamUser {
    /// Its number.
    pub uin: Uin,
    /// The account.
    pub account_uin: Uin,
    /// Its name, unique in the account whatever the case.
    pub name: String,
    /// Whether it is the root.
    pub is_root: bool,
    /// Whether it is shut out.
    pub blocked: bool,
    /// The space whose user sync keeps it.
    pub managed_by: Option<SpaceId>,
    /// A remark.
    pub remark: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Somebody in an account.
#[derive(Clone, Debug, PartialEq)]
pub enum CamPrincipal {
    /// A CAM user.
    User(CamUser),
    /// A role session.
    Role(RoleSession),
    /// Somebody for whom a CAM user had temporary credentials made.
    Federated(FederatedUser),
}

/// Who somebody is, as STS tells it (API.md §4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerIdentity {
    /// `CAMUser` or `CAMRole`; a federated user acts as its CAM user.
    pub kind: &'static str,
    /// The resource name.
    pub arn: String,
    /// The account.
    pub account: Uin,
    /// The CAM user's number, `role id:session name`, or `CAM user's number:federated name`.
    pub user_id: String,
    /// The CAM user's number, or the role's.
    pub principal_id: String,
}

impl CamPrincipal {
    /// The account that it is in.
    pub fn account(&self) -> Uin {
        match self {
            Self::User(user) => user.account_uin,
            Self::Role(session) => session.account_uin,
            Self::Federated(federated) => federated.user.account_uin,
        }
    }

    /// What to call it.
    pub fn name(&self) -> &str {
        match self {
            Self::User(user) => &user.name,
            Self::Role(session) => &session.session_name,
            Self::Federated(federated) => &federated.name,
        }
    }

    /// Who it is, as STS tells it.
    pub fn identity(&self) -> CallerIdentity {
        let account = self.account();
        match self {
            Self::User(user) => CallerIdentity {
                kind: "CAMUser",
                arn: format!("qcs::cam:{account}:uin/{}", user.uin),
                account,
                user_id: user.uin.to_string(),
                principal_id: user.uin.to_string(),
            },
            Self::Role(session) => CallerIdentity {
                kind: "CAMRole",
                arn: format!("qcs::sts:{account}:assumed-role/{}", session.role_id.0),
                account,
                user_id: format!("{}:{}", session.role_id.0, session.session_name),
                principal_id: session.role_id.0.to_string(),
            },
            Self::Federated(federated) => CallerIdentity {
                kind: "CAMUser",
                arn: format!(
                    "qcs::sts:{account}:federated-user/{}:{}",
                    federated.user.uin, federated.name
                ),
                account,
                user_id: format!("{}:{}", federated.user.uin, federated.name),
                principal_id: federated.user.uin.to_string(),
            },
        }
    }
}

/// The address where an account's sign-in takes SAML responses: recipient and audience both.
pub fn sign_in_url(public_url: &str) -> String {
    format!("{}/cloud/login/saml", public_url.trim_end_matches('/'))
}

/// Why the embedded cloud did not do something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// CAM said no.
    #[error(transparent)]
    Cam(#[from] cam::Error),
    /// The organisation room said no.
    #[error(transparent)]
    Organization(#[from] organization::Error),
    /// The space room said no.
    #[error(transparent)]
    Space(#[from] space::Error),
    /// A piece of work off the serving threads did not end.
    #[error("a piece of work did not end")]
    Interrupted,
    /// The account is not there.
    #[error("there is no such account")]
    AccountNotFound,
    /// The CAM user is not there.
    #[error("there is no such CAM user")]
    UserNotFound,
    /// Another CAM user of the account has this name.
    #[error("another CAM user of the account has this name")]
    UserNameTaken,
    /// A CAM user's name breaks CAM's rule.
    #[error("a CAM user's name has 1 to 64 letters, digits and + = , . @ - _")]
    UserNameInvalid,
    /// A preset policy or a custom policy of the account with this number is not there.
    #[error("there is no such policy")]
    PolicyNotFound,
    /// The session token does not go with the key.
    #[error("the session token is not valid")]
    TokenInvalid,
    /// The temporary credentials have ended.
    #[error("the temporary credentials have ended")]
    TokenExpired,
    /// A password could not be hashed.
    #[error("a password could not be hashed")]
    Password,
    /// A secret could not be made or opened.
    #[error(transparent)]
    Secret(#[from] secret::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
