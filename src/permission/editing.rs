//! Changing configurations and deleting them. Neither reaches an account by itself (CON-12): what
//! is deployed becomes outdated, and an administrator redeploys it.

use serde_json::json;

use super::{
    Configuration, Error, Limits, PolicyKind,
    configurations::{configuration, lint, lock, names, policies, record, set_content},
    rules::{check_description, check_relay_state, check_session_duration, content},
};
use crate::{
    audit::Act,
    id::{ConfigurationId, SpaceId, TaskId, Uin},
    permission::begin_deployments,
    store::{Read, Write, sql},
};

/// What of a configuration is to be different (PC-14); what is none stays. The name never changes.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationChange {
    /// What it is for.
    pub description: Option<String>,
    /// How long a role session lasts, in seconds.
    pub session_duration: Option<i64>,
    /// Where a role session lands.
    pub relay_state: Option<String>,
    /// Whether people get temporary credentials for the command line with it (PRT-11). What was
    /// given out before counts until it ends.
    pub command_line: Option<bool>,
}

/// Changes a configuration. Where the session duration changes, its deployments are outdated: it is
/// a part of the role.
pub async fn update_configuration(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    change: &ConfigurationChange,
    limits: &Limits,
) -> Result<Configuration, Error> {
    lock(tx, space, id).await?;
    let old = configuration(tx, space, id).await?.ok_or(Error::ConfigurationNotFound)?;
    let new = Configuration {
        description: change.description.clone().unwrap_or_else(|| old.description.clone()),
        session_duration: match change.session_duration {
            Some(seconds) => check_session_duration(Some(seconds))?,
            None => old.session_duration,
        },
        relay_state: change.relay_state.clone().unwrap_or_else(|| old.relay_state.clone()),
        command_line: change.command_line.unwrap_or(old.command_line),
        ..old.clone()
    };
    check_description(&new.description)?;
    check_relay_state(&new.relay_state, &limits.landing_origins)?;
    let existing = policies(tx, id).await?;
    sql("UPDATE permission_configurations
         SET version = version + CASE WHEN content = $4 THEN 0 ELSE 1 END,
             session_duration_updated_at =
                 CASE WHEN session_duration = $2 THEN session_duration_updated_at ELSE $5 END,
             description = $1, session_duration = $2, relay_state = $3, content = $4,
             updated_at = $5, command_line = $6
         WHERE id = $7")
    .bind(&new.description)
    .bind(new.session_duration)
    .bind(&new.relay_state)
    .bind(content(new.session_duration, &existing).to_text())
    .bind(act.now)
    .bind(new.command_line)
    .bind(id)
    .execute(tx)
    .await?;
    let state = |it: &Configuration| {
        json!({
            "description": it.description,
            "session_duration": it.session_duration,
            "relay_state": it.relay_state,
            "command_line": it.command_line,
        })
    };
    record(tx, act, space, id, "configuration.update", state(&old), state(&new)).await?;
    configuration(tx, space, id).await?.ok_or(Error::ConfigurationNotFound)
}

/// Deploys a configuration again on every account that has it; says the tasks.
pub async fn redeploy_everywhere(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
) -> Result<Vec<TaskId>, Error> {
    let accounts: Vec<(Uin,)> = sql("SELECT account_uin FROM deployments
         WHERE space_id = $1 AND configuration_id = $2 AND state <> 'removing'
         ORDER BY account_uin")
    .bind(space)
    .bind(id)
    .fetch_all(tx)
    .await?;
    if accounts.is_empty() {
        return Ok(Vec::new());
    }
    let places: Vec<_> = accounts.into_iter().map(|(account,)| (id, account)).collect();
    begin_deployments(tx, act, space, &places).await
}

/// Takes a policy out of a configuration (PC-12): a preset by its number, one of its own by name.
pub async fn remove_policy(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    policy: &ConfigurationPolicyName,
) -> Result<(), Error> {
    let duration = lock(tx, space, id).await?;
    let mut existing = policies(tx, id).await?;
    let before = json!({ "policies": names(&existing) });
    let at = existing
        .iter()
        .position(|it| match policy {
            ConfigurationPolicyName::Preset(number) => {
                it.kind == PolicyKind::Preset && it.policy_id == *number
            }
            ConfigurationPolicyName::Custom(name) => {
                it.kind == PolicyKind::Custom && it.name == *name
            }
        })
        .ok_or(Error::PolicyNotBound)?;
    let gone = existing.remove(at);
    sql("DELETE FROM configuration_policies
         WHERE configuration_id = $1 AND kind = $2 AND name = $3")
    .bind(id)
    .bind(gone.kind)
    .bind(&gone.name)
    .execute(tx)
    .await?;
    set_content(tx, act, id, duration, &existing).await?;
    let after = json!({ "policies": names(&existing) });
    record(tx, act, space, id, "configuration.remove_policy", before, after).await?;
    Ok(())
}

/// Gives a custom policy another document (PC-04). Where that says something else, the deployments
/// are outdated; in other words it may say the same.
pub async fn update_custom_policy(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    (name, document): (&str, &str),
    limits: &Limits,
) -> Result<(), Error> {
    let duration = lock(tx, space, id).await?;
    if limits.custom_policies == 0 {
        return Err(Error::TooManyCustomPolicies(0));
    }
    let mut existing = policies(tx, id).await?;
    let found = existing.iter_mut().find(|it| it.kind == PolicyKind::Custom && it.name == name);
    let Some(policy) = found else {
        let is_preset = existing.iter().any(|it| it.name == name);
        return Err(if is_preset {
            Error::PolicyIsPreset(name.to_owned())
        } else {
            Error::PolicyNotBound
        });
    };
    let new = Some(lint(name, document)?);
    if policy.document == new {
        return Ok(());
    }
    let old = std::mem::replace(&mut policy.document, new.clone());
    sql("UPDATE configuration_policies SET document = $1
         WHERE configuration_id = $2 AND kind = $3 AND name = $4")
    .bind(new.as_deref())
    .bind(id)
    .bind(PolicyKind::Custom)
    .bind(name)
    .execute(tx)
    .await?;
    set_content(tx, act, id, duration, &existing).await?;
    let state = |document: Option<String>| json!({ "policy": name, "document": document });
    let (before, after) = (state(old), state(new));
    record(tx, act, space, id, "configuration.update_policy", before, after).await?;
    Ok(())
}

/// One policy of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigurationPolicyName {
    /// A preset, by its number.
    Preset(i64),
    /// One of its own, by its name.
    Custom(String),
}

/// What a configuration still has that keeps it from being deleted (PC-10).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConfigurationBlockers {
    /// Its policies.
    pub policies: i64,
    /// The accounts where it is deployed, or is just being deployed or taken away.
    pub deployments: i64,
    /// The assignments of it.
    pub assignments: i64,
}

impl std::fmt::Display for ConfigurationBlockers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all = [
            (self.deployments, "deployment", "deployments"),
            (self.assignments, "assignment", "assignments"),
            (self.policies, "policy", "policies"),
        ];
        let mut separator = "";
        for (count, one, many) in all {
            if count > 0 {
                write!(f, "{separator}{count} {}", if count == 1 { one } else { many })?;
                separator = ", ";
            }
        }
        Ok(())
    }
}

/// Deletes a configuration that has no policies and is nowhere deployed or assigned (PC-10);
/// otherwise says all that it still has.
pub async fn delete_configuration(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
) -> Result<(), Error> {
    // Whoever assigns or deploys it refers to this row, and waits.
    lock(tx, space, id).await?;
    let old = configuration(tx, space, id).await?.ok_or(Error::ConfigurationNotFound)?;
    let blockers = blockers(tx, id).await?;
    if blockers != ConfigurationBlockers::default() {
        return Err(Error::ConfigurationInUse(blockers));
    }
    sql("DELETE FROM permission_configurations WHERE id = $1").bind(id).execute(tx).await?;
    let before = json!({
        "name": old.name,
        "description": old.description,
        "session_duration": old.session_duration,
        "relay_state": old.relay_state,
    });
    record(tx, act, space, id, "configuration.delete", before, json!(null)).await?;
    Ok(())
}

async fn blockers(tx: &mut Read, id: ConfigurationId) -> Result<ConfigurationBlockers, Error> {
    let (policies, deployments, assignments) = sql("SELECT
             (SELECT COUNT(*) FROM configuration_policies WHERE configuration_id = $1),
             (SELECT COUNT(*) FROM deployments WHERE configuration_id = $1),
             (SELECT COUNT(*) FROM assignments WHERE configuration_id = $1)")
    .bind(id)
    .fetch_one::<(i64, i64, i64)>(tx)
    .await?;
    Ok(ConfigurationBlockers { policies, deployments, assignments })
}
