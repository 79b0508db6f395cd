//! Permission configurations, what is assigned with them, and where they are deployed.
//!
//! * [`Configuration`]: a template of policies and a session duration. It grants nothing by
//!   itself (CON-08).
//! * [`Assignment`]: an identity has a configuration on an account. It counts once it is active.
//! * [`Deployment`]: a configuration made real in one account. It is outdated exactly when what
//!   was deployed is not what the configuration says now (DPL-04, DPL-08): policies with their
//!   documents, and session duration; nothing else.
//!
//! What happens in the accounts is `provisioning`'s; here are the rows and the rules.

mod applied;
mod assigning;
mod assignments;
mod configurations;
mod deployments;
mod difference;
mod editing;
mod identities;
mod rules;
mod temporary;
mod undeployment;

pub use applied::{Applied, ApplyState, applied};
pub use assigning::{create_assignments, unknown_of};
pub use assignments::{
    AssignmentFilter, activate, assigned_configurations, assignment, assignments,
    assignments_of_principal, forget_removed, mark_removing, remaining,
};
pub use configurations::{
    ConfigurationFilter, add_policies, configuration, configuration_names, configurations,
    create_configuration, policies, policies_of, session_durations,
};
pub use deployments::{
    DeploymentFilter, begin_deployment, begin_deployments, begin_removal, begin_removal_if_unused,
    begin_removals, deployment, deployments, deployments_left, end_removal, record_deployed,
    record_failed,
};
pub use difference::{Difference, edited};
pub use editing::{
    ConfigurationBlockers, ConfigurationChange, ConfigurationPolicyName, delete_configuration,
    redeploy_everywhere, remove_policy, update_configuration, update_custom_policy,
};
pub use identities::{AccountIdentity, account_identities};
pub use rules::{Content, ContentPolicy, check_name, check_relay_state, content};
pub use temporary::{create_temporary_assignments, due_assignments, is_due};
pub use undeployment::{Undeployment, UndeploymentStage, undeployment};

use serde_json::Value;

use crate::{
    id::{
        AssignmentId, ConfigurationId, DeploymentId, GroupId, Principal, PrincipalKind, SpaceId,
        TaskId, Uin, UserId,
    },
    organization::AccountKind,
    policy::document,
    store::{self as database, Timestamp, text_enum},
};

/// The most assignments in one call (MAA-08).
pub const MOST_ASSIGNMENTS_PER_CALL: usize = 50;
/// The most policies in one call, and the most preset policies of a configuration (PC-04).
pub const MOST_POLICIES: usize = 20;

/// What an installation allows.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Configurations per space.
    pub configurations: i64,
    /// Assignments per space.
    pub assignments: i64,
    /// Assignments of one call; never more than [`MOST_ASSIGNMENTS_PER_CALL`].
    pub per_call: usize,
    /// Custom policies per configuration; 0 where they are switched off (PC-03).
    pub custom_policies: usize,
    /// Origins that a landing page may have, without a slash at the end (PC-06).
    pub landing_origins: Vec<String>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            configurations: 10_000,
            assignments: 10_000_000,
            per_call: MOST_ASSIGNMENTS_PER_CALL,
            custom_policies: 0,
            landing_origins: vec!["https://cloud.tencent.com".to_owned()],
        }
    }
}

/// A permission configuration.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Configuration {
    /// Its id.
    pub id: ConfigurationId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// Its name, unique in the space whatever the case; never changes (PC-14).
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How long a role session lasts, in seconds (PC-05).
    pub session_duration: i64,
    /// Where a role session lands; empty for the account's front page.
    pub relay_state: String,
    /// Whether people get temporary credentials for the command line with it (PRT-11).
    pub command_line: bool,
    /// Grows by one with each change of what a deployment puts into an account (PC-16).
    pub version: i64,
    /// When how long a session lasts was changed last, if it ever was.
    pub session_duration_updated_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// A configuration to be.
#[derive(Clone, Debug, Default)]
pub struct NewConfiguration {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// How long a role session lasts, in seconds; one hour if not said.
    pub session_duration: Option<i64>,
    /// Where a role session lands; may be empty.
    pub relay_state: String,
}

text_enum! {
    /// Which kind of policy.
    pub enum PolicyKind {
        /// One of the presets that every account has.
        Preset = "preset",
        /// One written for this configuration.
        Custom = "custom",
    }
}

/// A policy of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ConfigurationPolicy {
    /// Which configuration.
    pub configuration_id: ConfigurationId,
    /// Preset or custom.
    pub kind: PolicyKind,
    /// Its name.
    pub name: String,
    /// The preset's number; 0 for a custom one.
    pub policy_id: i64,
    /// The custom one's document.
    pub document: Option<String>,
    /// When it was added.
    pub added_at: Timestamp,
}

/// A policy to be added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewPolicy {
    /// The preset of this name.
    Preset(String),
    /// The preset with this number.
    PresetId(i64),
    /// A policy of one's own.
    Custom {
        /// Its name.
        name: String,
        /// Its document.
        document: String,
    },
}

text_enum! {
    /// How far an assignment is.
    pub enum AssignmentState {
        /// Its task has not ended yet; confers nothing.
        Pending = "pending",
        /// It counts.
        Active = "active",
        /// Its task failed; confers nothing.
        Failed = "failed",
        /// On its way out; confers nothing any more.
        Removing = "removing",
    }
}

/// An identity has a configuration on an account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Assignment {
    /// Its id.
    pub id: AssignmentId,
    /// The space it is in.
    pub space_id: SpaceId,
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
    /// How far it is.
    pub state: AssignmentState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Assignment {
    /// Whom it is for.
    pub fn principal(&self) -> Principal {
        Principal::new(self.principal_kind, self.principal_id)
    }
}

/// What an assignment is about: an identity, an account and a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Triple {
    /// Whom it is for.
    pub principal: Principal,
    /// The account.
    pub account: Uin,
    /// The configuration.
    pub configuration: ConfigurationId,
}

/// The id of the assignment in the audit.
impl std::fmt::Display for Triple {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.account, self.configuration, self.principal)
    }
}

/// What became of one item of a batch (MAA-06).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// What was asked for.
    pub triple: Triple,
    /// The task that does it, or that has failed already because the assignment was there.
    pub task: TaskId,
    /// Whether it was there already.
    pub duplicate: bool,
}

text_enum! {
    /// What happens to the role when an assignment goes (DPL-12).
    #[derive(Default)]
    pub enum RemovalStrategy {
        /// The role stays in the account.
        #[default]
        Keep = "None",
        /// With the last assignment of the configuration on the account, the role goes too.
        DeprovisionForLast = "DeprovisionForLastRoleAssignmentOnAccount",
    }
}

text_enum! {
    /// How far a deployment is, as the table has it.
    pub enum DeploymentState {
        /// A task is at it.
        InProgress = "in_progress",
        /// Done.
        Deployed = "deployed",
        /// The last task about it failed.
        Failed = "failed",
        /// A task is taking it away.
        Removing = "removing",
    }
}

text_enum! {
    /// How a deployment stands (DPL-05).
    pub enum DeploymentStatus {
        /// A task is at it.
        InProgress = "in_progress",
        /// What the configuration says is what the account has.
        Deployed = "deployed",
        /// The configuration has changed since.
        Outdated = "outdated",
        /// The last attempt failed.
        Failed = "failed",
    }
}

/// A configuration made real in one account.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Deployment {
    /// Its id.
    pub id: DeploymentId,
    /// The space it is in.
    pub space_id: SpaceId,
    /// The configuration.
    pub configuration_id: ConfigurationId,
    /// The configuration's name.
    pub configuration_name: String,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// What the account is to its organisation.
    pub account_kind: AccountKind,
    /// How far it is.
    pub state: DeploymentState,
    /// What was deployed last; none until the first success.
    pub deployed_content: Option<String>,
    /// Whether that is not what the configuration says now.
    pub is_outdated: bool,
    /// Which version of the configuration was deployed last, if it was noted (PC-16).
    pub deployed_version: Option<i64>,
    /// Which version the configuration has now.
    pub current_version: i64,
    /// Whether it is wanted gone: a task takes it away, or has failed to.
    pub is_leaving: bool,
    /// Why the last attempt failed.
    pub reason: Option<String>,
    /// When it was begun first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl Deployment {
    /// How it stands.
    pub fn status(&self) -> DeploymentStatus {
        match self.state {
            DeploymentState::InProgress | DeploymentState::Removing => DeploymentStatus::InProgress,
            DeploymentState::Failed => DeploymentStatus::Failed,
            DeploymentState::Deployed if self.is_outdated => DeploymentStatus::Outdated,
            DeploymentState::Deployed => DeploymentStatus::Deployed,
        }
    }
}

/// What a batch names that the space does not have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown {
    /// Accounts that are not the organisation's.
    pub accounts: Vec<Uin>,
    /// Configurations that are not there.
    pub configurations: Vec<ConfigurationId>,
    /// Users who are not there.
    pub users: Vec<UserId>,
    /// Groups that are not there.
    pub groups: Vec<GroupId>,
}

impl Unknown {
    /// Whether everything is known.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty()
            && self.configurations.is_empty()
            && self.users.is_empty()
            && self.groups.is_empty()
    }
}

/// Why something about configurations or assignments could not be done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name breaks PC-02.
    #[error("a configuration's name has 1 to 128 letters, digits and hyphens")]
    NameInvalid,
    /// Another configuration of the space has this name, perhaps in another case.
    #[error("another configuration of the space has this name")]
    NameTaken,
    /// A description is too long (PC-02).
    #[error("a description has at most 1024 characters and no control characters")]
    DescriptionInvalid,
    /// A session duration is out of range (PC-05).
    #[error("a session lasts 900 to 43200 seconds")]
    SessionDurationInvalid,
    /// A landing page is neither a path nor of an allowed origin (PC-06).
    #[error("a landing page is a path of the cloud or of an allowed origin")]
    RelayStateInvalid,
    /// The space has as many configurations as it may have.
    #[error("a space has at most {0} configurations")]
    TooManyConfigurations(i64),
    /// There is no such configuration in the space.
    #[error("there is no such configuration")]
    ConfigurationNotFound,
    /// No policy, or more than a call may have.
    #[error("a call adds 1 to 20 policies")]
    PolicyCountInvalid,
    /// A custom policy's name is empty, too long, or has other characters.
    #[error("a custom policy's name has 1 to 32 letters, digits and + = , . @ - _")]
    PolicyNameInvalid,
    /// There is no preset policy like this.
    #[error("there is no preset policy {0}")]
    PolicyNotFound(String),
    /// The configuration has no such policy.
    #[error("the configuration has no such policy")]
    PolicyNotBound,
    /// The configuration cannot be deleted yet (PC-10).
    #[error("the configuration still has {0}")]
    ConfigurationInUse(ConfigurationBlockers),
    /// The configuration has the policy already.
    #[error("the configuration has the policy {0} already")]
    PolicyTaken(String),
    /// A configuration may not have so many preset policies.
    #[error("a configuration has at most {MOST_POLICIES} preset policies")]
    TooManyPresets,
    /// A configuration may not have so many custom policies; none where they are switched off.
    #[error("a configuration has at most {0} custom policies")]
    TooManyCustomPolicies(usize),
    /// A custom policy has no document.
    #[error("a custom policy needs a document")]
    DocumentEmpty,
    /// A custom policy's document is over 4096 characters.
    #[error("a custom policy has at most 4096 characters")]
    DocumentTooLong,
    /// A custom policy's document is not sound.
    #[error("the custom policy {name} is not sound: line {line}: {cause}")]
    DocumentInvalid {
        /// The policy's name.
        name: String,
        /// The line of what is wrong, from 1.
        line: usize,
        /// What is wrong, and at which field.
        #[source]
        cause: document::Error,
    },
    /// A custom policy compares by operators that nobody knows: it would never grant anything.
    #[error("the custom policy {name} is not sound: line {line}: {place}: is no operator")]
    OperatorUnknown {
        /// The policy's name.
        name: String,
        /// The line of the operator, from 1.
        line: usize,
        /// The operator's place.
        place: String,
    },
    /// The policy is a preset, whose document nobody changes.
    #[error("the policy {0} is a preset")]
    PolicyIsPreset(String),
    /// No item, or more than a call may have (MAA-08).
    #[error("a call has 1 to {limit} assignments, and this one has {count}")]
    AssignmentCountInvalid {
        /// How many it may have.
        limit: usize,
        /// How many it has.
        count: usize,
    },
    /// The batch names what is not there; nothing was started.
    #[error("the batch names what the space does not have")]
    Unknown(Unknown),
    /// Every item of the batch is there already; nothing was started.
    #[error("every assignment of the batch is there already")]
    AssignmentsExist,
    /// The space has as many assignments as it may have.
    #[error("a space has at most {0} assignments")]
    TooManyAssignments(i64),
    /// There is no such assignment.
    #[error("there is no such assignment")]
    AssignmentNotFound,
    /// The configuration is not deployed on the account.
    #[error("the configuration is not deployed on the account")]
    DeploymentNotFound,
    /// A task is at the deployment.
    #[error("a task is at the deployment already")]
    DeploymentBusy,
    /// There are assignments of the configuration on the account (DPL-13).
    #[error("there are assignments of the configuration on the account")]
    DeploymentInUse,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

/// The subject of tasks about one configuration on one account: they run in order (TSK-04).
pub fn task_subject(account: Uin, configuration: ConfigurationId) -> String {
    format!("{account}/{configuration}")
}

fn triple_json(triple: &Triple) -> Value {
    serde_json::json!({
        "principal": triple.principal.to_string(),
        "account": triple.account,
        "configuration": triple.configuration,
    })
}
