//! An account of the embedded cloud as the deployer sees it.

use async_trait::async_trait;

use super::{
    Error,
    objects::{self, Hand},
};
use crate::{
    audit::Act,
    cam::{self, Cam, Policy, Role, RoleSpec, SamlProvider, User},
    clock::Clock,
    id::{SpaceId, Uin},
    store::Db,
};

/// Where accounts are entered by a space's deployer.
pub trait Clouds: Send + Sync {
    /// The CAM of an account. What is done there is recorded as part of `act`.
    fn enter(&self, act: &Act, space: SpaceId, account: Uin) -> Box<dyn Cam>;
}

/// The cloud that is part of this program.
#[derive(Clone, Debug)]
pub struct EmbeddedCloud {
    db: Db,
    clock: Clock,
}

impl EmbeddedCloud {
    /// The accounts of this database.
    pub fn new(db: Db, clock: Clock) -> Self {
        Self { db, clock }
    }
}

impl Clouds for EmbeddedCloud {
    fn enter(&self, act: &Act, space: SpaceId, account: Uin) -> Box<dyn Cam> {
        let hand = Hand { account, deployer: Some(space) };
        Box::new(Entered { cloud: self.clone(), act: act.clone(), hand })
    }
}

/// One account, entered by one deployer.
struct Entered {
    cloud: EmbeddedCloud,
    act: Act,
    hand: Hand,
}

impl Entered {
    fn act(&self) -> Act {
        let mut act = self.act.clone();
        act.now = self.cloud.clock.now();
        act
    }
}

fn to_cam(error: Error) -> cam::Error {
    match error {
        Error::Cam(error) => error,
        Error::PolicyNotFound => {
            cam::Error::NotFound { kind: "policy", name: "to be attached".to_owned() }
        }
        Error::AccountNotFound => {
            cam::Error::NotFound { kind: "account", name: "entered".to_owned() }
        }
        other => {
            tracing::error!(error = ?other, "the embedded cloud failed");
            cam::Error::Unavailable("the database failed".to_owned())
        }
    }
}

/// Runs one function of `objects` in a transaction of its own.
macro_rules! write {
    ($self:ident, $function:ident $(, $argument:expr)*) => {{
        let act = $self.act();
        $self
            .cloud
            .db
            .write(async |tx| objects::$function(tx, &act, $self.hand $(, $argument)*).await)
            .await
            .map_err(to_cam)
    }};
}

#[async_trait]
impl Cam for Entered {
    async fn saml_provider(&self, name: &str) -> cam::Result<Option<SamlProvider>> {
        let Hand { account, deployer } = self.hand;
        let read = self.cloud.db.read(async |tx| -> Result<_, Error> {
            Ok(objects::provider(tx, account, name).await?)
        });
        Ok(read.await.map_err(to_cam)?.map(|row| row.seen_by(deployer)))
    }

    async fn create_saml_provider(
        &self,
        name: &str,
        description: &str,
        metadata: &str,
    ) -> cam::Result<()> {
        write!(self, create_provider, name, description, metadata)
    }

    async fn update_saml_provider(&self, name: &str, metadata: &str) -> cam::Result<()> {
        write!(self, update_provider, name, metadata)
    }

    async fn delete_saml_provider(&self, name: &str) -> cam::Result<()> {
        write!(self, delete_provider, name)
    }

    async fn role(&self, name: &str) -> cam::Result<Option<Role>> {
        let Hand { account, deployer } = self.hand;
        let read = self
            .cloud
            .db
            .read(async |tx| -> Result<_, Error> { Ok(objects::role(tx, account, name).await?) });
        Ok(read.await.map_err(to_cam)?.map(|row| row.seen_by(deployer)))
    }

    async fn create_role(&self, role: &RoleSpec<'_>) -> cam::Result<()> {
        write!(self, create_role, role)
    }

    async fn update_role(&self, role: &RoleSpec<'_>) -> cam::Result<()> {
        write!(self, update_role, role)
    }

    async fn delete_role(&self, name: &str) -> cam::Result<()> {
        write!(self, delete_role, name)
    }

    async fn role_policies(&self, role: &str) -> cam::Result<Vec<i64>> {
        let account = self.hand.account;
        let read = self.cloud.db.read(async |tx| objects::role_policies(tx, account, role).await);
        read.await.map_err(to_cam)
    }

    async fn attach_role_policy(&self, role: &str, policy: i64) -> cam::Result<()> {
        write!(self, attach_role_policy, role, policy)
    }

    async fn detach_role_policy(&self, role: &str, policy: i64) -> cam::Result<()> {
        write!(self, detach_role_policy, role, policy)
    }

    async fn policies(&self, prefix: &str) -> cam::Result<Vec<Policy>> {
        let read = self.cloud.db.read(async |tx| -> Result<_, Error> {
            Ok(objects::custom_policies(tx, self.hand, prefix).await?)
        });
        read.await.map_err(to_cam)
    }

    async fn create_policy(
        &self,
        name: &str,
        description: &str,
        document: &str,
    ) -> cam::Result<i64> {
        write!(self, create_policy, name, description, document)
    }

    async fn update_policy(&self, id: i64, document: &str) -> cam::Result<()> {
        write!(self, update_policy, id, document)
    }

    async fn delete_policy(&self, id: i64) -> cam::Result<()> {
        write!(self, delete_policy, id)
    }

    async fn user(&self, name: &str) -> cam::Result<Option<User>> {
        let read = self.cloud.db.read(async |tx| -> Result<_, Error> {
            Ok(objects::cam_user(tx, self.hand, name).await?)
        });
        read.await.map_err(to_cam)
    }

    async fn users(&self) -> cam::Result<Vec<User>> {
        let read = self
            .cloud
            .db
            .read(async |tx| -> Result<_, Error> { Ok(objects::cam_users(tx, self.hand).await?) });
        read.await.map_err(to_cam)
    }

    async fn create_user(&self, name: &str, remark: &str) -> cam::Result<()> {
        write!(self, create_cam_user, name, remark)
    }

    async fn take_over_user(&self, name: &str) -> cam::Result<()> {
        write!(self, take_over_cam_user, name)
    }

    async fn release_user(&self, name: &str) -> cam::Result<()> {
        write!(self, release_cam_user, name)
    }

    async fn set_user_blocked(&self, name: &str, blocked: bool) -> cam::Result<()> {
        write!(self, set_cam_user_blocked, name, blocked)
    }

    async fn delete_user(&self, name: &str) -> cam::Result<()> {
        write!(self, delete_cam_user, name)
    }
}
