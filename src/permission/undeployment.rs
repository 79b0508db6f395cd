//! How far it is with taking a configuration off an account (DPL-09): first its assignments go, for
//! good, then the role. What is between is told as it is.

use super::{DeploymentState, deployments::deployment};
use crate::{
    id::{ConfigurationId, Principal, PrincipalKind, SpaceId, Uin},
    store::{self as database, Read, sql, text_enum},
};

/// How many identities are named; all are counted.
const MOST_NAMED: usize = 100;

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
    pub users: usize,
    /// How many groups have it there.
    pub groups: usize,
    /// Some of them by name: users first, each kind by name.
    pub named: Vec<(Principal, String)>,
    /// How many assignments a task is taking away; they confer nothing any more.
    pub removing: usize,
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
    let mut rows: Vec<(PrincipalKind, i64, String, bool)> =
        sql("SELECT a.principal_kind, a.principal_id, COALESCE(u.user_name, g.name, ''),
             (a.state = 'removing') AS is_removing
         FROM assignments a
         LEFT JOIN users u ON a.principal_kind = 'user' AND u.id = a.principal_id
         LEFT JOIN groups g ON a.principal_kind = 'group' AND g.id = a.principal_id
         WHERE a.space_id = $1 AND a.configuration_id = $2 AND a.account_uin = $3")
        .bind(space)
        .bind(configuration)
        .bind(account)
        .fetch_all(tx)
        .await?;
    let all = rows.len();
    rows.retain(|(_, _, _, is_removing)| !is_removing);
    let removing = all - rows.len();
    let count = |kind| rows.iter().filter(|row| row.0 == kind).count();
    let (users, groups) = (count(PrincipalKind::User), count(PrincipalKind::Group));
    let stage = match &found {
        None => UndeploymentStage::Undeployed,
        Some(found) if found.state == DeploymentState::Removing => UndeploymentStage::Undeploying,
        Some(found) if found.is_leaving => UndeploymentStage::UndeployFailed,
        Some(_) if rows.is_empty() => UndeploymentStage::AssignmentsRemoved,
        Some(_) => UndeploymentStage::Assigned,
    };
    let mut named: Vec<(Principal, String)> = rows
        .into_iter()
        .map(|(kind, number, name, _)| (Principal::new(kind, number), name))
        .collect();
    named.sort_by(|(one, a), (other, b)| (one.kind(), a).cmp(&(other.kind(), b)));
    named.truncate(MOST_NAMED);
    let reason = found.filter(|it| it.is_leaving).and_then(|it| it.reason);
    Ok(Undeployment { stage, users, groups, named, removing, reason })
}
