//! Runs the tasks.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{drift, names, sync};
use crate::{
    audit::{Act, Actor},
    cam,
    clock::Clock,
    cloud::{self, Clouds},
    id::{ConfigurationId, Ids, Principal, SpaceId, Uin, UserSyncId},
    permission::{self, AssignmentState, Content, RemovalStrategy, Triple},
    saml::{certificate::Certificate, sp_metadata::IdentityProvider},
    space::{self, KeyPurpose},
    store::{self, Db, Write},
    task::{End, Handler, Kind, Outcome, Task},
};

/// Makes the accounts be as they should.
pub struct Reconciler {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
    clouds: Arc<dyn Clouds>,
    public_url: String,
}

impl std::fmt::Debug for Reconciler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reconciler")
    }
}

/// Why an attempt did not come to its end.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// CAM did not do something.
    #[error(transparent)]
    Cam(#[from] cam::Error),
    /// Something that no further attempt changes.
    #[error("{0}")]
    Permanent(String),
    /// Our own database.
    #[error("the database failed")]
    Store(#[from] store::Error),
}

impl Trouble {
    fn outcome(self) -> Outcome {
        match self {
            Self::Cam(error) if error.is_transient() => Outcome::Retry(error.to_string()),
            Self::Cam(error) => Outcome::Failed(error.to_string()),
            Self::Permanent(reason) => Outcome::Failed(reason),
            Self::Store(error) => {
                tracing::error!(?error, "a task cannot read or write the database");
                Outcome::Retry("the database failed".to_owned())
            }
        }
    }
}

pub(super) type Attempt<T> = Result<T, Trouble>;

/// What a task found out that its end has to write down.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Note {
    /// What was deployed.
    deployed: Option<Content>,
    /// Which version of the configuration that is.
    version: Option<i64>,
    /// Whether the deployment is gone from the account.
    undeployed: bool,
}

impl Note {
    fn deployed(&mut self, (content, version): (Content, Option<i64>)) {
        self.deployed = Some(content);
        self.version = version;
    }

    fn to_json(&self) -> Value {
        json!({
            "deployed": self.deployed,
            "version": self.version,
            "undeployed": self.undeployed,
        })
    }

    fn from_json(value: &Value) -> Self {
        Self {
            deployed: serde_json::from_value(value["deployed"].clone()).ok().flatten(),
            version: value["version"].as_i64(),
            undeployed: value["undeployed"] == json!(true),
        }
    }
}

impl Reconciler {
    /// A reconciler for the accounts of `clouds`; `public_url` is where our own doors are.
    pub fn new(
        db: Db,
        clock: Clock,
        ids: Ids,
        clouds: Arc<dyn Clouds>,
        public_url: impl Into<String>,
    ) -> Self {
        Self { db, clock, ids, clouds, public_url: public_url.into() }
    }

    pub(super) fn act(&self, task: &Task) -> Act {
        let now = self.clock.now();
        let request = task.id.to_string();
        Act::new(Actor::system("deployer"), request, None, now, self.ids.clone())
    }

    pub(super) fn enter(&self, task: &Task) -> Box<dyn cam::Cam> {
        self.clouds.enter(&self.act(task), task.space, task.account)
    }

    pub(super) fn sign_in_url(&self) -> String {
        cloud::sign_in_url(&self.public_url)
    }

    pub(super) fn idp_entity_id(&self, space: SpaceId) -> String {
        names::idp_entity_id(&self.public_url, space)
    }

    /// The certificates of the keys that may sign towards the accounts.
    pub(super) async fn idp_certificates(&self, space: SpaceId) -> Attempt<Vec<Certificate>> {
        let purpose = KeyPurpose::IdentityProvider;
        let pairs = self
            .db
            .read(async |tx| -> store::Result<_> { space::key_pairs(tx, space, purpose).await })
            .await?;
        let unreadable = |_| Trouble::Permanent("a key of the space cannot be read".to_owned());
        pairs
            .iter()
            .map(|pair| Certificate::from_pem(&pair.certificate))
            .collect::<Result<_, _>>()
            .map_err(unreadable)
    }

    /// What the accounts are told of our identity provider: its entity id and its keys.
    pub(super) async fn idp_metadata(&self, space: SpaceId) -> Attempt<String> {
        let certificates = self.idp_certificates(space).await?;
        let entity_id = self.idp_entity_id(space);
        IdentityProvider { entity_id: &entity_id, sso_url: &entity_id, certificates: &certificates }
            .metadata()
            .map_err(|_| Trouble::Permanent("the public URL cannot be written as XML".to_owned()))
    }

    async fn attempt(&self, task: &Task) -> Attempt<Note> {
        let mut note = Note::default();
        match task.kind {
            Kind::ProvisionConfiguration => {
                note.deployed(self.deploy(task, configuration_of(task)?).await?);
            }
            Kind::DeprovisionConfiguration => {
                let configuration = configuration_of(task)?;
                let left = self
                    .db
                    .read(async |tx| permission::remaining(tx, task.account, configuration).await)
                    .await?;
                if left > 0 {
                    let reason = "there are assignments of the configuration on the account";
                    return Err(Trouble::Permanent(reason.to_owned()));
                }
                self.undeploy(task, configuration).await?;
                note.undeployed = true;
            }
            Kind::CreateAssignment => {
                let configuration = configuration_of(task)?;
                if self.is_first_use(task.space, configuration, task.account).await? {
                    note.deployed(self.deploy(task, configuration).await?);
                }
            }
            Kind::DeleteAssignment => {
                let configuration = configuration_of(task)?;
                let last = json!(RemovalStrategy::DeprovisionForLast);
                let act = self.act(task);
                let goes = task.payload["strategy"] == last
                    && self
                        .db
                        .write(async |tx| {
                            let account = task.account;
                            permission::begin_removal_if_unused(tx, &act, configuration, account)
                                .await
                        })
                        .await?;
                if goes {
                    self.undeploy(task, configuration).await?;
                    note.undeployed = true;
                }
            }
            Kind::StartUserSync => sync::start(self, task, sync_of(task)?).await?,
            Kind::DeleteUserSync => sync::end(self, task, sync_of(task)?).await?,
            Kind::RefreshProvider => self.refresh_provider(task).await?,
            Kind::DetectDrift => self.detect(task).await?,
        }
        Ok(note)
    }

    /// Whether the configuration was never deployed to the account. A later assignment adds no
    /// role and propagates no change (DPL-01, DPL-03).
    async fn is_first_use(
        &self,
        space: SpaceId,
        configuration: ConfigurationId,
        account: Uin,
    ) -> Attempt<bool> {
        let found = self
            .db
            .read(async |tx| permission::deployment(tx, space, configuration, account).await)
            .await?;
        Ok(found.is_none_or(|deployment| deployment.deployed_content.is_none()))
    }
}

fn configuration_of(task: &Task) -> Attempt<ConfigurationId> {
    task.configuration
        .ok_or_else(|| Trouble::Permanent("the task names no configuration".to_owned()))
}

fn sync_of(task: &Task) -> Attempt<UserSyncId> {
    task.payload["user_sync"]
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or_else(|| Trouble::Permanent("the task names no user sync".to_owned()))
}

fn triple_of(task: &Task) -> Option<Triple> {
    let principal: Principal = task.principal?;
    Some(Triple { principal, account: task.account, configuration: task.configuration? })
}

#[async_trait]
impl Handler for Reconciler {
    async fn run(&self, task: &Task) -> Outcome {
        match self.attempt(task).await {
            Ok(note) => Outcome::Done(note.to_json()),
            Err(trouble) => trouble.outcome(),
        }
    }

    async fn conclude(
        &self,
        tx: &mut Write,
        act: &Act,
        task: &Task,
        end: &End,
    ) -> store::Result<()> {
        match task.kind {
            Kind::StartUserSync | Kind::DeleteUserSync => {
                if task.kind == Kind::StartUserSync && matches!(end, End::Success(_)) {
                    drift::forget_users(tx, task.account).await?;
                }
                return sync::conclude(tx, act, task, end).await;
            }
            Kind::ProvisionConfiguration
            | Kind::DeprovisionConfiguration
            | Kind::CreateAssignment
            | Kind::DeleteAssignment => {}
            Kind::RefreshProvider => {
                return match end {
                    End::Success(_) => drift::forget_provider(tx, task.account).await,
                    End::Failed(_) => Ok(()),
                };
            }
            Kind::DetectDrift => return Ok(()),
        }
        let Some(configuration) = task.configuration else { return Ok(()) };
        let account = task.account;
        let is_creation = task.kind == Kind::CreateAssignment;
        match end {
            End::Success(note) => {
                let note = Note::from_json(note);
                if let Some(content) = &note.deployed {
                    let deployed = (content, note.version);
                    permission::record_deployed(tx, act, configuration, account, deployed).await?;
                    drift::forget_configuration(tx, account, configuration).await?;
                }
                if note.undeployed {
                    permission::end_removal(tx, configuration, account).await?;
                    drift::forget_configuration(tx, account, configuration).await?;
                }
                if let Some(triple) = triple_of(task).filter(|_| is_creation) {
                    permission::activate(tx, act, &triple, AssignmentState::Active).await?;
                }
            }
            End::Failed(reason) => {
                // An assignment counts no more from the moment it was to go; what failed then can
                // only be the account's side of it.
                permission::record_failed(tx, act, configuration, account, reason).await?;
                if let Some(triple) = triple_of(task).filter(|_| is_creation) {
                    permission::activate(tx, act, &triple, AssignmentState::Failed).await?;
                }
            }
        }
        if let Some(triple) = triple_of(task).filter(|_| task.kind == Kind::DeleteAssignment) {
            permission::forget_removed(tx, &triple).await?;
        }
        Ok(())
    }
}
