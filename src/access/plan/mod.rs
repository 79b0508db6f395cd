//! Plans: what an act would do, before it is done.
//!
//! [`State::read`] reads all that an [`Operation`] depends on, with a fixed number of queries;
//! [`plan`] says, without a database, what would come of it: the objects that are made, changed
//! and removed per account, the tasks, who gains and who loses what, and what stands in the way.
//! [`apply`] makes the plan anew inside the transaction that acts, refuses if it is another one
//! than was agreed to, and acts through the functions that the public API uses.
//!
//! A plan speaks of the moment when its tasks have ended, and takes the accounts to be as they are
//! known here. What keeps a task from ending well, a name that is taken, is among its conflicts,
//! and then nobody gains what that task would have given.

mod act;
mod make;
mod places;
mod state;
mod subject;
mod syncs;

pub use act::{Applied, apply};
pub use make::plan;
pub use state::{State, account_kinds};

use serde_json::{Value, json};

use crate::{
    directory,
    id::{ConfigurationId, GroupId, Principal, Uin, UserId, UserSyncId},
    permission::{
        self, ConfigurationChange, ConfigurationPolicyName, NewPolicy, RemovalStrategy, Triple,
        Unknown,
    },
    provisioning::{self, NewUserSync},
    secret::{hex, sha256},
    store::{self as database, text_enum},
    task,
};

/// The most items of an operation: assignments, deployments, user syncs.
pub const MOST_ITEMS: usize = 50;
/// The most deployments that one edit may deploy again.
pub const MOST_REDEPLOYED: usize = 500;
/// The most assignments that are taken away together with, or before, what they are of.
pub const MOST_CLEARED: usize = 1000;
/// The most people, memberships and assignments that a plan is made from, each.
pub const MOST_ROWS: usize = 100_000;

/// A configuration on an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The account.
    pub account: Uin,
    /// The configuration.
    pub configuration: ConfigurationId,
}

impl From<&Triple> for Place {
    fn from(triple: &Triple) -> Self {
        Self { account: triple.account, configuration: triple.configuration }
    }
}

/// What of a configuration is to be different.
#[derive(Clone, Debug, Default)]
pub struct Edit {
    /// Its description, duration and landing page.
    pub change: ConfigurationChange,
    /// Policies that come.
    pub added: Vec<NewPolicy>,
    /// Policies that go; they go first.
    pub removed: Vec<ConfigurationPolicyName>,
    /// Whether it is deployed again wherever it is.
    pub redeploy: bool,
}

/// An act that a plan can be made of.
#[derive(Clone, Debug)]
pub enum Operation {
    /// Assignments are made.
    Assign(Vec<Triple>),
    /// Assignments are taken away.
    Unassign {
        /// Which.
        triples: Vec<Triple>,
        /// What becomes of roles that nobody has any more.
        strategy: RemovalStrategy,
    },
    /// Configurations are deployed.
    Deploy(Vec<Place>),
    /// Configurations that are deployed are deployed again.
    Redeploy(Vec<Place>),
    /// Configurations are taken off accounts (DPL-09).
    Undeploy {
        /// Which.
        places: Vec<Place>,
        /// Whether their assignments are taken away first; otherwise there may be none.
        remove_assignments: bool,
    },
    /// Every assignment of configurations on accounts is taken away: the first step of taking them
    /// off, by itself. The roles stay.
    Clear(Vec<Place>),
    /// User syncs are made.
    Sync(Vec<NewUserSync>),
    /// User syncs are ended.
    Unsync(Vec<UserSyncId>),
    /// A user is deleted.
    DeleteUser(UserId),
    /// A group is deleted.
    DeleteGroup(GroupId),
    /// A configuration is deleted.
    DeleteConfiguration(ConfigurationId),
    /// A configuration is changed.
    Edit(ConfigurationId, Box<Edit>),
}

impl Operation {
    /// What a hash says of it, so that the hash of one act does not let another one through.
    fn canonical(&self) -> Value {
        let triple = |it: &Triple| json!([it.principal.to_string(), it.account, it.configuration]);
        let triples = |all: &[Triple]| all.iter().map(triple).collect::<Value>();
        let place = |it: &Place| json!([it.account, it.configuration]);
        let places = |all: &[Place]| all.iter().map(place).collect::<Value>();
        match self {
            Self::Assign(all) => json!(["assign", triples(all)]),
            Self::Unassign { triples: all, strategy } => {
                json!(["unassign", triples(all), strategy])
            }
            Self::Deploy(all) => json!(["deploy", places(all)]),
            Self::Redeploy(all) => json!(["redeploy", places(all)]),
            Self::Undeploy { places: all, remove_assignments } => {
                json!(["undeploy", places(all), remove_assignments])
            }
            Self::Clear(all) => json!(["clear", places(all)]),
            Self::Sync(all) => {
                let sync = |it: &NewUserSync| {
                    json!([
                        it.principal.to_string(),
                        it.account,
                        it.description,
                        it.duplication,
                        it.deletion
                    ])
                };
                json!(["sync", all.iter().map(sync).collect::<Value>()])
            }
            Self::Unsync(all) => json!(["unsync", all]),
            Self::DeleteUser(id) => json!(["delete", id]),
            Self::DeleteGroup(id) => json!(["delete", id]),
            Self::DeleteConfiguration(id) => json!(["delete", id]),
            Self::Edit(id, edit) => {
                let Edit { change, added, removed, redeploy } = &**edit;
                let added = added.iter().map(|it| match it {
                    NewPolicy::Preset(name) => json!([name]),
                    NewPolicy::PresetId(id) => json!(id),
                    NewPolicy::Custom { name, document } => json!([name, document]),
                });
                let removed = removed.iter().map(|it| match it {
                    ConfigurationPolicyName::Preset(id) => json!(id),
                    ConfigurationPolicyName::Custom(name) => json!(name),
                });
                json!([
                    "edit",
                    id,
                    change.description,
                    change.session_duration,
                    change.relay_state,
                    added.collect::<Value>(),
                    removed.collect::<Value>(),
                    redeploy
                ])
            }
        }
    }
}

text_enum! {
    /// What becomes of an object.
    pub enum Change {
        /// It is made.
        Create = "Create",
        /// It becomes different.
        Update = "Update",
        /// It goes.
        Remove = "Remove",
        /// It becomes ours: somebody else made it (US-06).
        TakeOver = "TakeOver",
        /// It stays, and is ours no more (US-07).
        Release = "Release",
    }
}

text_enum! {
    /// What kind of object.
    pub enum ObjectKind {
        /// A role of an account.
        Role = "Role",
        /// A policy that a role has.
        PolicyBinding = "PolicyBinding",
        /// A custom policy of an account.
        Policy = "Policy",
        /// The SAML provider by which an account trusts us.
        SamlProvider = "SAMLProvider",
        /// A CAM user of an account.
        CamUser = "CamUser",
        /// An assignment.
        Assignment = "RoleAssignment",
        /// A user sync.
        UserSync = "UserSyncProvisioning",
        /// A deployment that becomes outdated, or is it no more.
        Deployment = "RoleConfigurationProvisioning",
        /// A configuration.
        Configuration = "RoleConfiguration",
        /// A user.
        User = "User",
        /// A group.
        Group = "Group",
    }
}

/// An object that is made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectChange {
    /// The account that it is in, or is about.
    pub account: Option<Uin>,
    /// What kind of object.
    pub kind: ObjectKind,
    /// What it is called: an account's object by its name, a binding as `role: policy`, an
    /// assignment as `identity: configuration`.
    pub name: String,
    /// What becomes of it.
    pub change: Change,
    /// What else there is to say.
    pub detail: String,
}

/// A task that is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PlannedTask {
    /// What it does.
    pub kind: task::Kind,
    /// The account it goes to.
    pub account: Uin,
    /// The configuration it is about.
    pub configuration: Option<ConfigurationId>,
    /// The identity it is about.
    pub principal: Option<Principal>,
    /// Whether it has failed from the start: what it is about is there already (MAA-06).
    pub fails: bool,
}

/// What somebody reaches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The role of a configuration.
    Role(ConfigurationId),
    /// A CAM user, by its name.
    CamUser(String),
}

/// Somebody reaches something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reach {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub user_name: String,
    /// The account.
    pub account: Uin,
    /// What of it.
    pub what: What,
}

text_enum! {
    /// What stands in the way.
    pub enum ConflictKind {
        /// It is there already: this item does nothing (MAA-06).
        Exists = "AlreadyExists",
        /// It is not there: the whole operation is refused.
        NotFound = "NotFound",
        /// Something that we did not make has the name (DPL-16): this item fails.
        NameClash = "NameClash",
        /// Something still holds it: the whole operation is refused.
        InUse = "InUse",
        /// A task is at it: the whole operation is refused.
        Busy = "Busy",
        /// It has access keys: it is shut out and stays until somebody has decided about them.
        AccessKeys = "HasAccessKeys",
        /// The account is in another cloud: somebody has to do it by hand, and this item fails
        /// until they have said so.
        ByHand = "ByHand",
        /// A directory keeps it: the whole operation is refused (USR-12).
        Managed = "ManagedBySCIM",
    }
}

/// Something that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// On which account.
    pub account: Option<Uin>,
    /// What it is about, as in [`ObjectChange::name`].
    pub name: String,
    /// In words.
    pub detail: String,
}

/// What an operation would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The objects, by account, kind and name.
    pub objects: Vec<ObjectChange>,
    /// The tasks, in their order.
    pub tasks: Vec<PlannedTask>,
    /// Who gains what.
    pub gains: Vec<Reach>,
    /// Who loses what.
    pub losses: Vec<Reach>,
    /// What stands in the way.
    pub conflicts: Vec<Conflict>,
    /// Whether the whole operation would be refused.
    pub is_refused: bool,
    /// What the operation is, for the hash.
    operation: Value,
}

impl Plan {
    /// SHA-256 over its canonical form, in hexadecimal: equal for plans that do the same, and only
    /// for them.
    pub fn hash(&self) -> String {
        let reach = |it: &Reach| {
            let what = match &it.what {
                What::Role(id) => json!(["role", id]),
                What::CamUser(name) => json!(["user", name]),
            };
            json!([it.user, it.user_name, it.account, what])
        };
        let object =
            |it: &ObjectChange| json!([it.account, it.kind, it.name, it.change, it.detail]);
        let task = |it: &PlannedTask| {
            let principal = it.principal.map(|it| it.to_string());
            json!([it.kind, it.account, it.configuration, principal, it.fails])
        };
        let conflict = |it: &Conflict| json!([it.kind, it.account, it.name, it.detail]);
        let canonical = json!([
            self.operation,
            self.objects.iter().map(object).collect::<Value>(),
            self.tasks.iter().map(task).collect::<Value>(),
            self.gains.iter().map(reach).collect::<Value>(),
            self.losses.iter().map(reach).collect::<Value>(),
            self.conflicts.iter().map(conflict).collect::<Value>(),
            self.is_refused,
        ]);
        hex(&sha256(canonical.to_string().as_bytes()))
    }
}

/// Why there is no plan, or why it is not carried out.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No item, or more than an operation may have.
    #[error("an operation has 1 to {MOST_ITEMS} items")]
    CountInvalid,
    /// It names what is not there.
    #[error("the operation names what the space does not have")]
    Unknown(Unknown),
    /// It concerns too many.
    #[error("the operation concerns more than {0} people, assignments or deployments")]
    TooLarge(usize),
    /// Its plan says that it is refused.
    #[error("the plan says that this is refused: see its conflicts")]
    Refused,
    /// The plan is another one by now.
    #[error("the plan is not this one any more")]
    Stale(Box<Plan>),
    /// The directory refused.
    #[error(transparent)]
    Directory(#[from] directory::Error),
    /// The permission room refused.
    #[error(transparent)]
    Permission(#[from] permission::Error),
    /// The provisioning room refused.
    #[error(transparent)]
    Provisioning(#[from] provisioning::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}
