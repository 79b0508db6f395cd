//! How far what configurations say is in the accounts: two queries for a page of them.

use std::collections::HashMap;

use super::{Content, DeploymentState};
use crate::{
    id::{ConfigurationId, Uin},
    store::{self as database, Read, sql},
};

/// At most so many accounts are named where something failed.
const MOST_FAILED: i64 = 1_000;

/// How far a configuration is in all accounts that have it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ApplyState {
    /// No account has it, or some have what it said before, and nobody is at it.
    #[default]
    Unknown,
    /// A task is at it somewhere.
    Applying,
    /// It failed somewhere.
    Failed,
    /// Every account has what it says.
    Applied,
}

/// See [`ApplyState`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// How far it is.
    pub state: ApplyState,
    /// How many seconds a session lasts in accounts that have it; none has it if this is none.
    pub session_duration: Option<i64>,
    /// The accounts where it failed, with their names.
    pub failed: Vec<(Uin, String)>,
}

#[derive(sqlx::FromRow)]
struct Group {
    configuration_id: ConfigurationId,
    state: DeploymentState,
    is_current: bool,
    content: Option<String>,
}

/// How far these configurations are; those that no account has are not there.
pub async fn applied(
    tx: &mut Read,
    configurations: &[ConfigurationId],
) -> Result<HashMap<ConfigurationId, Applied>, database::Error> {
    let mut all: HashMap<ConfigurationId, Applied> = HashMap::new();
    if configurations.is_empty() {
        return Ok(all);
    }
    let mut query =
        sql("SELECT g.configuration_id, g.state, g.is_current, MIN(g.content) AS content
         FROM (SELECT d.configuration_id, d.state, d.deployed_content AS content,
                   (d.deployed_content IS NOT NULL AND d.deployed_content = c.content) AS is_current
               FROM deployments d JOIN permission_configurations c ON c.id = d.configuration_id
               WHERE d.configuration_id IN (");
    query.push_list(configurations.iter().copied());
    query.push(")) g GROUP BY g.configuration_id, g.state, g.is_current");
    let groups: Vec<Group> = query.fetch_all(tx).await?;
    for group in &groups {
        let applied = all.entry(group.configuration_id).or_insert_with(|| Applied {
            state: ApplyState::Applied,
            session_duration: None,
            failed: Vec::new(),
        });
        applied.state = worse(applied.state, state(group));
        let content = group.content.as_deref().and_then(Content::from_text);
        let seconds = content.map(|content| content.session_duration);
        // What most recently counts: the present content before an older one.
        if applied.session_duration.is_none() || (group.is_current && seconds.is_some()) {
            applied.session_duration = seconds;
        }
    }
    if groups.iter().any(|group| group.state == DeploymentState::Failed) {
        let mut query = sql("SELECT d.configuration_id, d.account_uin, a.name
             FROM deployments d JOIN accounts a ON a.uin = d.account_uin
             WHERE d.state = 'failed' AND d.configuration_id IN (");
        query.push_list(configurations.iter().copied());
        query.push(") ORDER BY d.id LIMIT ").push_bind(MOST_FAILED);
        let failed: Vec<(ConfigurationId, Uin, String)> = query.fetch_all(tx).await?;
        for (configuration, account, name) in failed {
            all.entry(configuration).or_default().failed.push((account, name));
        }
    }
    Ok(all)
}

fn state(group: &Group) -> ApplyState {
    match group.state {
        DeploymentState::InProgress | DeploymentState::Removing => ApplyState::Applying,
        DeploymentState::Failed => ApplyState::Failed,
        DeploymentState::Deployed if group.is_current => ApplyState::Applied,
        DeploymentState::Deployed => ApplyState::Unknown,
    }
}

/// What is under way comes before what failed, and either before what is merely old.
fn worse(one: ApplyState, other: ApplyState) -> ApplyState {
    let rank = |state| match state {
        ApplyState::Applying => 3,
        ApplyState::Failed => 2,
        ApplyState::Unknown => 1,
        ApplyState::Applied => 0,
    };
    if rank(one) >= rank(other) { one } else { other }
}
