//! How far it is with taking a configuration off an account (DPL-09): first its assignments go, for
//! good, then the role. What is between is told as it is.

use super::{DeploymentState, deployments::deployment};
use crate::{
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, Uin},
    store::{self as database, Read, sql, text_enum},
};

/// How many identities are named; all are counted.
const MOST_NAMED: i64 = 100;

text_enum! {
    /// How far it is.
    pub enum UndeploymentStage {
        /// It is deployed, and there are assignments.
        Assigned = "Assigned",
        /// The assignments are gone; the role is still there.
        AssignmentsRemoved = "AssignmentsRemoved",
        /// A task is taking the role away.
        Undeploying = "Undeploying",
        /// The assignments are gone; taking the role away failed, and can be tried again.
        UndeployFailed = "UndeployFailed",
        /// Nothing of it is there.
        Undeployed = "Undeployed",
    }
}

/// How far it is with taking a configuration off an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undeployment {
    /// How far.
    pub stage: UndeploymentStage,
    /// How many users have it there themselves.
    pub users: i64,
    /// How many groups have it there.
    pub groups: i64,
    /// Some of them by name: users first, each kind by name.
    pub named: Vec<(Principal, String)>,
    /// How many assignments a task is taking away; they confer nothing any more.
    pub removing: i64,
    /// Why taking it off failed.
    pub reason: Option<String>,
}

/// How far it is with taking a configuration off an account.
pub async fn undeployment(
    tx: &mut Read,
    space: SpaceId,
    configuration: ConfigurationId,
    account: Uin,
) -> Result<Undeployment, database::Error> {
    let found = deployment(tx, space, configuration, account).await?;
    let counts: Vec<(PrincipalKind, bool, i64)> =
        sql("SELECT principal_kind, (state = 'removing') AS is_removing, COUNT(*)
             FROM assignments
             WHERE space_id = $1 AND configuration_id = $2 AND account_uin = $3
             GROUP BY principal_kind, (state = 'removing')")
        .bind(space)
        .bind(configuration)
        .bind(account)
        .fetch_all(tx)
        .await?;
    let count = |wanted: &dyn Fn(PrincipalKind, bool) -> bool| -> i64 {
        let wanted = counts.iter().filter(|(kind, is_removing, _)| wanted(*kind, *is_removing));
        wanted.map(|(_, _, count)| count).sum()
    };
    let users = count(&|kind, is_removing| kind == PrincipalKind::User && !is_removing);
    let groups = count(&|kind, is_removing| kind == PrincipalKind::Group && !is_removing);
    let removing = count(&|_, is_removing| is_removing);
    let stage = match &found {
        None => UndeploymentStage::Undeployed,
        Some(found) if found.state == DeploymentState::Removing => UndeploymentStage::Undeploying,
        Some(found) if found.is_leaving => UndeploymentStage::UndeployFailed,
        Some(_) if users + groups == 0 => UndeploymentStage::AssignmentsRemoved,
        Some(_) => UndeploymentStage::Assigned,
    };
    let named: Vec<(PrincipalKind, i64, String)> =
        sql("SELECT a.principal_kind, a.principal_id, COALESCE(u.user_name, g.name, '') AS name
             FROM assignments a
             LEFT JOIN users u ON a.principal_kind = 'user' AND u.id = a.principal_id
             LEFT JOIN groups g ON a.principal_kind = 'group' AND g.id = a.principal_id
             WHERE a.space_id = $1 AND a.configuration_id = $2 AND a.account_uin = $3
               AND a.state <> 'removing'
             ORDER BY a.principal_kind DESC, name LIMIT $4")
        .bind(space)
        .bind(configuration)
        .bind(account)
        .bind(MOST_NAMED)
        .fetch_all(tx)
        .await?;
    let named = named
        .into_iter()
        .map(|(kind, number, name)| (Principal::new(kind, number), name))
        .collect();
    let reason = found.filter(|it| it.is_leaving).and_then(|it| it.reason);
    Ok(Undeployment { stage, users, groups, named, removing, reason })
}
