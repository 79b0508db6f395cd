//! Tasks: steps towards an account, run by a worker outside any transaction.
//!
//! A task is enqueued with the change that causes it ([`enqueue`]), claimed by a [`Worker`] under
//! a lease, run by a [`Handler`], and finished in one transaction with whatever the handler writes
//! about its end. The finish is fenced: a worker that lost its lease writes nothing.
//!
//! * Tasks with the same subject run one after the other in the order they were enqueued; others
//!   run side by side (TSK-04). One account has a share of a worker's places and never all of them,
//!   and one attempt has an end: an account that does not answer delays only itself.
//! * A permanent failure ends a task at once, with a reason. A transient one is tried again with
//!   growing pauses for [`PATIENCE`], then ends with the last reason (TSK-01, TSK-03).
//! * A worker that dies leaves its tasks to the next one when their lease ends; a handler must
//!   therefore be able to start again from anywhere.
//! * The payload names things, it does not describe them.

mod store;
mod worker;

pub use store::{enqueue, enqueue_all, get, get_all, list, of_request, oldest_open, retry};
pub use worker::Worker;

use async_trait::async_trait;
use jiff::SignedDuration;
use serde_json::Value;

use crate::{
    audit::Act,
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, TaskId, Uin},
    store::{Error as StoreError, Json, Timestamp, Write, text_enum},
};

/// How long transient failures of one task are met with another attempt, in all.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(4);

/// How long a worker owns a task without saying that it is still alive.
pub const LEASE: SignedDuration = SignedDuration::from_secs(15);

/// A task that was begun this often and never ended brings its worker down: it is given up.
pub const MOST_ATTEMPTS: i64 = 50;
/// How many of the tasks that were begun together are told of at once; no act of a person begins
/// more.
pub const MOST_TOGETHER: i64 = 2000;

text_enum! {
    /// What a task does; the names are the public API's (TSK-01).
    pub enum Kind {
        /// Deploys a configuration to an account, or redeploys it.
        ProvisionConfiguration = "ProvisionRoleConfiguration",
        /// Takes a configuration off an account.
        DeprovisionConfiguration = "DeprovisionRoleConfiguration",
        /// Makes an assignment real.
        CreateAssignment = "CreateRoleAssignment",
        /// Takes an assignment away.
        DeleteAssignment = "DeleteRoleAssignment",
        /// Makes the CAM users of a user sync.
        StartUserSync = "StartProvisioning",
        /// Ends a user sync.
        DeleteUserSync = "DeleteProvisioning",
        /// Gives an account our metadata anew. The public API does not know it.
        RefreshProvider = "RefreshSAMLProvider",
        /// Looks at an account for drift. The public API does not know it.
        DetectDrift = "DetectDrift",
    }
}

text_enum! {
    /// How far a task is.
    pub enum State {
        /// Waits for a worker, or for its next attempt.
        Ready = "ready",
        /// A worker has it.
        Running = "running",
        /// Ended well.
        Success = "success",
        /// Ended badly; there is a reason.
        Failed = "failed",
    }
}

impl State {
    /// Whether nothing more will happen to it.
    pub fn is_final(self) -> bool {
        match self {
            Self::Ready | Self::Running => false,
            Self::Success | Self::Failed => true,
        }
    }
}

/// A task to be.
#[derive(Clone, Debug)]
pub struct NewTask {
    /// The space it belongs to.
    pub space: SpaceId,
    /// What it does.
    pub kind: Kind,
    /// Tasks with the same subject run one at a time, in order.
    pub subject: String,
    /// The account it goes to.
    pub account: Uin,
    /// The configuration it is about.
    pub configuration: Option<ConfigurationId>,
    /// The identity it is about.
    pub principal: Option<Principal>,
    /// What else the handler must know; keys, not data.
    pub payload: Value,
}

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The space it belongs to.
    pub space: SpaceId,
    /// What it does.
    pub kind: Kind,
    /// Tasks with the same subject run one at a time, in order.
    pub subject: String,
    /// The account it goes to.
    pub account: Uin,
    /// The configuration it is about.
    pub configuration: Option<ConfigurationId>,
    /// The identity it is about.
    pub principal: Option<Principal>,
    /// What else the handler must know.
    pub payload: Value,
    /// How far it is.
    pub state: State,
    /// How often it was begun.
    pub attempt: i64,
    /// When the attempts began that count towards [`PATIENCE`].
    pub started_at: Option<Timestamp>,
    /// Why it failed, or, before its end, why the last attempt did.
    pub reason: Option<String>,
    /// The failed task that it repeats.
    pub retry_of: Option<TaskId>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// The request that began it, together with others; empty for tasks of older versions.
    pub request_id: String,
}

/// Which tasks to list; what is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// About this identity.
    pub principal: Option<Principal>,
    /// About identities of this kind.
    pub principal_kind: Option<PrincipalKind>,
    /// Towards this account.
    pub account: Option<Uin>,
    /// Not towards this account.
    pub other_than_account: Option<Uin>,
    /// About this configuration.
    pub configuration: Option<ConfigurationId>,
    /// In one of these states; all when empty.
    pub states: Vec<State>,
    /// Of one of these kinds; all when empty.
    pub kinds: Vec<Kind>,
}

/// How an attempt went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done; what [`Handler::conclude`] has to know is with it.
    Done(Value),
    /// It cannot be done, for this reason.
    Failed(String),
    /// It could not be done just now, for this reason.
    Retry(String),
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Well, with what the handler had to say.
    Success(Value),
    /// Badly, for this reason; never empty.
    Failed(String),
}

/// What runs tasks.
#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// Makes one attempt. May be stopped at any await and begun again later.
    async fn run(&self, task: &Task) -> Outcome;

    /// Writes what the end of the task means, in the transaction that ends it.
    async fn conclude(
        &self,
        tx: &mut Write,
        act: &Act,
        task: &Task,
        end: &End,
    ) -> Result<(), StoreError>;
}

/// What can go wrong when somebody asks for tasks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The space has no such task.
    #[error("there is no such task")]
    NotFound,
    /// Only a failed task can be tried again by hand.
    #[error("only a failed task can be tried again")]
    NotFailed,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The row of a task.
#[derive(sqlx::FromRow)]
struct Row {
    id: TaskId,
    space_id: SpaceId,
    kind: Kind,
    subject: String,
    payload: Json<Value>,
    account_uin: Uin,
    configuration_id: Option<ConfigurationId>,
    principal_kind: Option<PrincipalKind>,
    principal_id: Option<i64>,
    state: State,
    attempt: i64,
    started_at: Option<Timestamp>,
    reason: Option<String>,
    retry_of: Option<TaskId>,
    created_at: Timestamp,
    finished_at: Option<Timestamp>,
    request_id: String,
}

impl From<Row> for Task {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            space: row.space_id,
            kind: row.kind,
            subject: row.subject,
            account: row.account_uin,
            configuration: row.configuration_id,
            principal: row
                .principal_kind
                .zip(row.principal_id)
                .map(|(kind, number)| Principal::new(kind, number)),
            payload: row.payload.0,
            state: row.state,
            attempt: row.attempt,
            started_at: row.started_at,
            reason: row.reason,
            retry_of: row.retry_of,
            created_at: row.created_at,
            finished_at: row.finished_at,
            request_id: row.request_id,
        }
    }
}
