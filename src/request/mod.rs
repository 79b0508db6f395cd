//! Access requests: users ask for access for a while, and administrators decide.
//!
//! * [`Scope`]: an identity may ask for a configuration on an account. Nobody may ask for anything
//!   that no scope names.
//! * [`Request`]: a user asks for configurations on one account, says why and for how long. While it
//!   is pending it can be withdrawn. Who approves it assigns, by the same path as by hand, until the
//!   time asked for is over; who rejects it changes nothing. Nobody approves a request of their own.
//! * [`end_due`]: takes away what has come to its end, however it came to be.
//!
//! A request remembers names, so that it can be read when what it names is gone.

mod ending;
mod orders;
mod rules;
mod scopes;

pub use ending::{end_due, forget_orphans};
pub use orders::{
    RequestFilter, Verdict, approve, ask, lapse, reject, request, requests, requests_of, withdraw,
};
pub use rules::{LONGEST_SECONDS, LONGEST_TEXT, SHORTEST_SECONDS};
pub use scopes::{Askable, ScopeFilter, askable, create_scopes, delete_scopes, scopes};

use crate::{
    directory,
    id::{
        ConfigurationId, Principal, PrincipalKind, RequestId, RequestScopeId, SpaceId, Uin, UserId,
    },
    organization::AccountKind,
    permission,
    store::{self as database, Timestamp, text_enum},
};

/// The most scopes in one call.
pub const MOST_SCOPES_PER_CALL: usize = 50;
/// The most configurations of one request.
pub const MOST_CONFIGURATIONS: usize = 20;
/// The most pending requests of one user.
pub const MOST_PENDING: i64 = 20;
/// The most requests that one user makes in a day, withdrawn ones included.
pub const MOST_A_DAY: i64 = 100;
/// How many seconds a request waits for somebody to decide it.
pub const LAPSE_SECONDS: i64 = 30 * 86_400;

/// An identity may ask for a configuration on an account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Scope {
    /// Its id.
    pub id: RequestScopeId,
    /// User or group.
    pub principal_kind: PrincipalKind,
    principal_id: i64,
    /// The identity's name.
    pub principal_name: String,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// What the account is to its organisation.
    pub account_kind: AccountKind,
    /// The configuration.
    pub configuration_id: ConfigurationId,
    /// The configuration's name.
    pub configuration_name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was said the last time.
    pub updated_at: Timestamp,
}

impl Scope {
    /// Who may ask.
    pub fn principal(&self) -> Principal {
        Principal::new(self.principal_kind, self.principal_id)
    }
}

/// What a user asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewRequest {
    /// On which account.
    pub account: Option<Uin>,
    /// Which configurations; at least one.
    pub configurations: Vec<ConfigurationId>,
    /// Why.
    pub reason: String,
    /// For how many seconds, from the approval.
    pub seconds: i64,
}

text_enum! {
    /// How far a request is.
    pub enum Progress {
        /// Nobody has decided.
        Pending = "pending",
        /// Approved; tasks are at it.
        Deploying = "deploying",
        /// Approved, and there; or there until its end came.
        Done = "done",
        /// Approved, and a task failed.
        Failed = "failed",
        /// Rejected.
        Rejected = "rejected",
        /// Taken back by who asked.
        Withdrawn = "withdrawn",
    }
}

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// Who asks.
    pub user_id: UserId,
    /// Their name when they asked.
    pub user_name: String,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// What is asked for, by name.
    pub items: Vec<RequestItem>,
    /// Why.
    pub reason: String,
    /// For how many seconds.
    pub seconds: i64,
    /// How far it is.
    pub progress: Progress,
    /// What who decided said about it; may be empty.
    pub opinion: String,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// When what was granted ends, or has.
    pub ends_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A configuration that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RequestItem {
    /// The configuration.
    pub configuration_id: ConfigurationId,
    /// Its name when it was asked for.
    pub configuration_name: String,
    /// What it is for; empty when it is gone.
    pub description: String,
}

/// Why something about requests could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No scope, or more than a call may have.
    #[error("a call has 1 to {MOST_SCOPES_PER_CALL} scopes")]
    ScopeCountInvalid,
    /// Nobody lets this identity ask for that.
    #[error("there is no such scope: nothing lets this identity ask for that")]
    ScopeNotFound,
    /// No configuration, too many, or one of them twice.
    #[error("a request names 1 to {MOST_CONFIGURATIONS} configurations of an account, each once")]
    ConfigurationsInvalid,
    /// No reason, or one that is too long.
    #[error("the reason has 1 to {LONGEST_TEXT} characters and no control characters")]
    ReasonInvalid,
    /// Too short, or too long.
    #[error("access is asked for at least 15 minutes and at most 90 days")]
    DurationInvalid,
    /// What who decides says is too long.
    #[error("the opinion has at most {LONGEST_TEXT} characters and no control characters")]
    OpinionInvalid,
    /// The same is asked for already.
    #[error("a request of the same user for the same is pending already")]
    Exists,
    /// The user has as many pending requests as one may have.
    #[error("a user has at most {MOST_PENDING} pending requests")]
    TooMany,
    /// The user has asked as often as one may in a day.
    #[error("a user asks at most {MOST_A_DAY} times in 24 hours")]
    TooOften,
    /// There is no such request.
    #[error("there is no such request")]
    NotFound,
    /// It is decided, or was withdrawn.
    #[error("the request is not pending any more")]
    NotPending,
    /// Nobody approves their own.
    #[error("nobody approves a request of their own")]
    Own,
    /// The user who asked is gone or shut out.
    #[error("the user who asked is not there any more, or is disabled")]
    UserGone,
    /// It could not be assigned.
    #[error(transparent)]
    Permission(#[from] permission::Error),
    /// Something about users.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
