//! Configurations and their policies in the database.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{
    Configuration, ConfigurationPolicy, Error, Limits, MOST_POLICIES, NewConfiguration, NewPolicy,
    PolicyKind,
    rules::{
        check_description, check_name, check_policy_name, check_relay_state,
        check_session_duration, content,
    },
};
use crate::{
    audit::{self, Act, Change, Scope},
    directory::fold,
    id::{ConfigurationId, SpaceId},
    policy::{Document, catalogue, document::Problem, line_of},
    store::{self as database, Page, PageRequest, Read, Write, like, sql},
};

const CONFIGURATION: &str = "SELECT c.id, c.space_id, c.name, c.description, c.session_duration,
    c.relay_state, c.command_line, c.version, c.session_duration_updated_at, c.created_at, c.updated_at
    FROM permission_configurations c WHERE c.space_id = ";

/// Longest document of a custom policy, in characters (PC-04).
const LONGEST_DOCUMENT: usize = 4096;

/// Makes a configuration (PC-01…06).
pub async fn create_configuration(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &NewConfiguration,
    limits: &Limits,
) -> Result<Configuration, Error> {
    check_name(&new.name)?;
    check_description(&new.description)?;
    let session_duration = check_session_duration(new.session_duration)?;
    check_relay_state(&new.relay_state, &limits.landing_origins)?;
    let count = sql("SELECT COUNT(*) FROM permission_configurations WHERE space_id = $1")
        .bind(space)
        .fetch_number(tx)
        .await?;
    if count >= limits.configurations {
        return Err(Error::TooManyConfigurations(limits.configurations));
    }
    let id: ConfigurationId = act.new_id();
    let made = sql("INSERT INTO permission_configurations
             (id, space_id, name, name_key, description, session_duration, relay_state, content,
              created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
         ON CONFLICT (space_id, name_key) DO NOTHING")
    .bind(id)
    .bind(space)
    .bind(&new.name)
    .bind(fold(&new.name))
    .bind(&new.description)
    .bind(session_duration)
    .bind(&new.relay_state)
    .bind(content(session_duration, &[]).to_text())
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Err(Error::NameTaken);
    }
    let after = json!({
        "name": new.name,
        "description": new.description,
        "session_duration": session_duration,
        "relay_state": new.relay_state,
    });
    record(tx, act, space, id, "configuration.create", json!(null), after).await?;
    configuration(tx, space, id).await?.ok_or(Error::ConfigurationNotFound)
}

/// The configuration of a space with this id.
pub async fn configuration(
    tx: &mut Read,
    space: SpaceId,
    id: ConfigurationId,
) -> Result<Option<Configuration>, database::Error> {
    let mut query = sql(CONFIGURATION);
    query.push_bind(space).push(" AND c.id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// How long a session lasts with each of these configurations, in seconds.
pub async fn session_durations(
    tx: &mut Read,
    space: SpaceId,
    ids: &[ConfigurationId],
) -> Result<Vec<(ConfigurationId, i64)>, database::Error> {
    let numbers: Vec<i64> = ids.iter().map(|id| id.0).collect();
    let mut query = sql("SELECT id, session_duration FROM permission_configurations
         WHERE space_id = ");
    query.push_bind(space).push(" AND id IN ").push_numbers(numbers);
    query.fetch_all(tx).await
}

/// What the configurations of a space with these ids are called.
pub async fn configuration_names(
    tx: &mut Read,
    space: SpaceId,
    ids: impl IntoIterator<Item = ConfigurationId>,
) -> Result<BTreeMap<ConfigurationId, String>, database::Error> {
    let mut query = sql("SELECT id, name FROM permission_configurations WHERE id IN ");
    query.push_numbers(ids.into_iter().map(|id| id.0).collect::<Vec<i64>>());
    query.push(" AND space_id = ").push_bind(space);
    Ok(query.fetch_all::<(ConfigurationId, String)>(tx).await?.into_iter().collect())
}

/// Which configurations to list.
#[derive(Clone, Debug, Default)]
pub struct ConfigurationFilter {
    /// Part of the name or the description; ASCII case does not matter.
    pub search: Option<String>,
}

/// The configurations of a space in the order of their making, a page of them (PC-13).
pub async fn configurations(
    tx: &mut Read,
    space: SpaceId,
    filter: &ConfigurationFilter,
    page: PageRequest,
) -> Result<Page<Configuration>, database::Error> {
    let narrow = |query: &mut database::Sql| {
        query.push_bind(space);
        if let Some(search) = &filter.search {
            let pattern = like(&fold(search));
            query.push(" AND (c.name_key LIKE ").push_bind(&pattern).push(r" ESCAPE '\'");
            query.push(" OR LOWER(c.description) LIKE ").push_bind(&pattern);
            query.push(r" ESCAPE '\')");
        }
    };
    let mut count = sql("SELECT COUNT(*) FROM permission_configurations c WHERE c.space_id = ");
    narrow(&mut count);
    let total = count.fetch_number(tx).await?;
    let mut query = sql(CONFIGURATION);
    narrow(&mut query);
    if let Some(after) = page.after {
        query.push(" AND c.id > ").push_bind(after);
    }
    query.push(" ORDER BY c.id LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |row: &Configuration| row.id.0))
}

/// The policies of a configuration, by kind and name.
pub async fn policies(
    tx: &mut Read,
    configuration: ConfigurationId,
) -> Result<Vec<ConfigurationPolicy>, database::Error> {
    policies_of(tx, &[configuration]).await
}

/// The policies of several configurations at once, by configuration, kind and name.
pub async fn policies_of(
    tx: &mut Read,
    configurations: &[ConfigurationId],
) -> Result<Vec<ConfigurationPolicy>, database::Error> {
    if configurations.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = sql("SELECT configuration_id, kind, name, policy_id, document, added_at
         FROM configuration_policies WHERE configuration_id IN (");
    query.push_list(configurations.iter().copied());
    query.push(") ORDER BY configuration_id, kind, name");
    query.fetch_all(tx).await
}

/// Adds policies to a configuration, all or none (PC-03, PC-04, PC-12).
pub async fn add_policies(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    new: &[NewPolicy],
    limits: &Limits,
) -> Result<(), Error> {
    if new.is_empty() || new.len() > MOST_POLICIES {
        return Err(Error::PolicyCountInvalid);
    }
    let duration = lock(tx, space, id).await?;
    let mut existing = policies(tx, id).await?;
    let before = json!({ "policies": names(&existing) });
    for policy in new {
        let policy = resolve(policy, id, act)?;
        if existing.iter().any(|other| other.kind == policy.kind && other.name == policy.name) {
            return Err(Error::PolicyTaken(policy.name));
        }
        sql("INSERT INTO configuration_policies
                 (configuration_id, kind, name, policy_id, document, added_at)
             VALUES ($1, $2, $3, $4, $5, $6)")
        .bind(id)
        .bind(policy.kind)
        .bind(&policy.name)
        .bind(policy.policy_id)
        .bind(policy.document.as_deref())
        .bind(act.now)
        .execute(tx)
        .await?;
        existing.push(policy);
    }
    let count = |kind| existing.iter().filter(|policy| policy.kind == kind).count();
    if count(PolicyKind::Preset) > MOST_POLICIES {
        return Err(Error::TooManyPresets);
    }
    if count(PolicyKind::Custom) > limits.custom_policies {
        return Err(Error::TooManyCustomPolicies(limits.custom_policies));
    }
    set_content(tx, act, id, duration, &existing).await?;
    let after = json!({ "policies": names(&existing) });
    record(tx, act, space, id, "configuration.add_policies", before, after).await?;
    Ok(())
}

/// Says anew what of a configuration is deployed.
pub(super) async fn set_content(
    tx: &mut Write,
    act: &Act,
    id: ConfigurationId,
    duration: i64,
    policies: &[ConfigurationPolicy],
) -> Result<(), database::Error> {
    sql("UPDATE permission_configurations SET
             version = version + CASE WHEN content = $1 THEN 0 ELSE 1 END,
             content = $1, updated_at = $2 WHERE id = $3")
    .bind(content(duration, policies).to_text())
    .bind(act.now)
    .bind(id)
    .execute(tx)
    .await?;
    Ok(())
}

/// Locks a configuration against others that change it, and says how long its sessions last.
pub(super) async fn lock(
    tx: &mut Write,
    space: SpaceId,
    id: ConfigurationId,
) -> Result<i64, Error> {
    let mut query =
        sql("SELECT session_duration FROM permission_configurations WHERE space_id = $1
             AND id = $2");
    query.push(tx.for_update());
    let found: Option<(i64,)> = query.bind(space).bind(id).fetch_optional(tx).await?;
    found.map(|(duration,)| duration).ok_or(Error::ConfigurationNotFound)
}

pub(super) fn resolve(
    new: &NewPolicy,
    configuration: ConfigurationId,
    act: &Act,
) -> Result<ConfigurationPolicy, Error> {
    let preset = |preset: &catalogue::Preset| ConfigurationPolicy {
        configuration_id: configuration,
        kind: PolicyKind::Preset,
        name: preset.name.clone(),
        policy_id: preset.id,
        document: None,
        added_at: act.now,
    };
    match new {
        NewPolicy::Preset(name) => catalogue::by_name(name)
            .map(preset)
            .ok_or_else(|| Error::PolicyNotFound(name.chars().take(64).collect())),
        NewPolicy::PresetId(id) => {
            catalogue::by_id(*id).map(preset).ok_or_else(|| Error::PolicyNotFound(id.to_string()))
        }
        NewPolicy::Custom { name, document } => {
            check_policy_name(name)?;
            Ok(ConfigurationPolicy {
                configuration_id: configuration,
                kind: PolicyKind::Custom,
                name: name.clone(),
                policy_id: 0,
                document: Some(lint(name, document)?),
                added_at: act.now,
            })
        }
    }
}

/// A custom policy's document as it is kept, or what is wrong with it and where (PC-04). It is kept
/// as it came: Terraform compares what it reads with what it wrote.
pub(super) fn lint(name: &str, document: &str) -> Result<String, Error> {
    if document.trim().is_empty() {
        return Err(Error::DocumentEmpty);
    }
    if document.chars().count() > LONGEST_DOCUMENT {
        return Err(Error::DocumentTooLong);
    }
    let read = Document::parse(document).map_err(|cause| Error::DocumentInvalid {
        name: name.to_owned(),
        line: match cause.problem {
            Problem::NotJson { line, .. } => line,
            _ => line_of(document, &cause.path),
        },
        cause,
    })?;
    match read.unknown_operators().into_iter().next() {
        Some(place) => {
            let line = line_of(document, &place);
            Err(Error::OperatorUnknown { name: name.to_owned(), line, place })
        }
        None => Ok(document.to_owned()),
    }
}

pub(super) fn names(policies: &[ConfigurationPolicy]) -> Vec<&str> {
    policies.iter().map(|policy| policy.name.as_str()).collect()
}

pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ConfigurationId,
    action: &'static str,
    before: Value,
    after: Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "configuration",
        object_id: &id.to_string(),
        before,
        after,
    };
    audit::record(tx, act, change).await
}
