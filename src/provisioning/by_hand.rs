//! Accounts in another cloud: what has to be there is written down for somebody to make it.
//!
//! Nothing of ours reaches into such an account, so a deployment there is as good as an
//! administrator's word. The word is about one thing in one shape: when the configuration or our key
//! changes, it has to be given anew, and nobody is told "deployed" of what nobody has made.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Error, names,
    reconciler::{Attempt, Reconciler, Trouble},
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{ConfigurationId, ManualStepId, SpaceId, TaskId, Uin},
    organization::{self, OtherCloud, OtherCloudAccount},
    permission::{self, Content, DeploymentState, PolicyKind},
    saml::{
        certificate::{Certificate, fingerprint},
        target::Target,
    },
    secret::{hex, sha256},
    store::{self, Json, Read, Timestamp, Write, sql, text_enum},
    task::{self, Task},
};

text_enum! {
    /// What somebody makes by hand.
    pub enum ManualObject {
        /// The SAML provider of a space.
        SamlProvider = "SAMLProvider",
        /// The role of a configuration.
        Role = "Role",
    }
}

/// Something to be made, changed or taken away by hand in an account of another cloud.
#[derive(Clone, Debug, PartialEq, sqlx::FromRow)]
pub struct ManualStep {
    /// Its id.
    pub id: ManualStepId,
    /// The space that wants it.
    pub space_id: SpaceId,
    /// The account.
    pub account_uin: Uin,
    /// What it is.
    pub object_kind: ManualObject,
    /// Its name.
    pub name: String,
    /// The configuration, of a role.
    pub configuration_id: Option<ConfigurationId>,
    /// What is to be there; none where it is to go.
    pub wanted: Option<Json<Shape>>,
    /// What somebody has said is there; none where nothing is.
    pub made: Option<Json<Shape>>,
    /// When it was wanted first.
    pub created_at: Timestamp,
    /// When something of it changed last.
    pub updated_at: Timestamp,
}

impl ManualStep {
    /// Whether nothing is left to be done.
    pub fn is_done(&self) -> bool {
        self.wanted == self.made
    }

    /// Names what is wanted, so that whoever says "I have made it" means just that.
    pub fn fingerprint(&self) -> String {
        let wanted = self.wanted.as_ref().map(|wanted| wanted.0.to_text());
        hex(&sha256(wanted.unwrap_or_default().as_bytes()))
    }
}

/// What is to be there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Shape {
    /// A SAML provider with our metadata.
    SamlProvider {
        /// Our entity id; also where the metadata is.
        entity_id: String,
        /// The fingerprints of the certificates in it (SHA-256).
        certificates: Vec<String>,
    },
    /// A role.
    Role {
        /// How long a session of it lasts at most, in seconds.
        session_duration: i64,
        /// Who may assume it, as a policy document of that cloud.
        trust_policy: String,
        /// What it may, by the names of the policies.
        policies: Vec<PolicyToMake>,
    },
}

/// A policy of a role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyToMake {
    /// Its name.
    pub name: String,
    /// The document of a custom one.
    pub document: Option<String>,
}

impl Shape {
    fn to_text(&self) -> String {
        json!(self).to_string()
    }
}

/// How the cloud of an account takes our word.
pub fn target(account: &OtherCloudAccount) -> Target<'_> {
    match account.cloud {
        OtherCloud::TencentChina => Target::TencentChina,
        OtherCloud::TencentInternational => Target::TencentInternational,
        OtherCloud::Aws => Target::Aws { region: account.region.as_deref() },
        OtherCloud::AlibabaChina => Target::AlibabaChina,
        OtherCloud::AlibabaInternational => Target::AlibabaInternational,
    }
}

/// Who may assume our roles there, as that cloud writes it.
fn trust_policy(account: &OtherCloudAccount, provider: &str) -> String {
    let number = account.shown_number();
    let target = target(account);
    let sign_in = target.acs_url();
    let document = match account.cloud {
        OtherCloud::TencentChina | OtherCloud::TencentInternational => {
            return names::trust_policy(Uin(account.number), provider, &sign_in);
        }
        OtherCloud::Aws => json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {
                    "Federated": format!("arn:aws:iam::{number}:saml-provider/{provider}"),
                },
                "Action": "sts:AssumeRoleWithSAML",
                "Condition": { "StringEquals": { "SAML:aud": sign_in } },
            }],
        }),
        OtherCloud::AlibabaChina | OtherCloud::AlibabaInternational => json!({
            "Version": "1",
            "Statement": [{
                "Effect": "Allow",
                "Principal": { "Federated": [format!("acs:ram::{number}:saml-provider/{provider}")] },
                "Action": "sts:AssumeRole",
                "Condition": { "StringEquals": { "saml:recipient": sign_in } },
            }],
        }),
    };
    // People copy it from a page.
    format!("{document:#}")
}

/// What a role is to be there.
fn role(account: &OtherCloudAccount, provider: &str, content: &Content) -> Shape {
    let policies = content.policies.iter().map(|policy| PolicyToMake {
        name: policy.name.clone(),
        document: match policy.kind {
            PolicyKind::Preset => None,
            PolicyKind::Custom => policy.document.clone(),
        },
    });
    Shape::Role {
        session_duration: content.session_duration,
        trust_policy: trust_policy(account, provider),
        policies: policies.collect(),
    }
}

/// A thing in an account, by its name.
struct Thing<'a> {
    kind: ManualObject,
    name: &'a str,
    configuration: Option<ConfigurationId>,
}

const COLUMNS: &str =
    "SELECT id, space_id, account_uin, object_kind, name, configuration_id, wanted,
                              made, created_at, updated_at
                       FROM manual_steps WHERE space_id = ";

/// The steps of a space on an account, done or not, in the order in which they were wanted.
pub async fn manual_steps(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
) -> Result<Vec<ManualStep>, store::Error> {
    let mut query = sql(COLUMNS);
    query.push_bind(space).push(" AND account_uin = ").push_bind(account).push(" ORDER BY id");
    query.fetch_all(tx).await
}

async fn step(
    tx: &mut Read,
    task: &Task,
    thing: &Thing<'_>,
) -> Result<Option<ManualStep>, store::Error> {
    let mut query = sql(COLUMNS);
    query.push_bind(task.space).push(" AND account_uin = ").push_bind(task.account);
    query.push(" AND object_kind = ").push_bind(thing.kind);
    query.push(" AND name = ").push_bind(thing.name);
    query.fetch_optional(tx).await
}

/// Writes down that a thing is to be there, in this shape; says whether somebody has said so.
async fn want(
    tx: &mut Write,
    act: &Act,
    task: &Task,
    thing: &Thing<'_>,
    shape: &Shape,
) -> Result<bool, store::Error> {
    let found = step(tx, task, thing).await?;
    if let Some(found) = &found
        && found.wanted.as_ref().is_some_and(|wanted| wanted.0 == *shape)
    {
        return Ok(found.is_done());
    }
    sql("INSERT INTO manual_steps (id, space_id, account_uin, object_kind, name, configuration_id,
                                   wanted, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (account_uin, space_id, object_kind, name)
         DO UPDATE SET wanted = excluded.wanted, updated_at = excluded.updated_at")
    .bind(act.new_id::<ManualStepId>())
    .bind(task.space)
    .bind(task.account)
    .bind(thing.kind)
    .bind(thing.name)
    .bind(thing.configuration)
    .bind(shape.to_text())
    .bind(act.now)
    .execute(tx)
    .await?;
    Ok(found.and_then(|found| found.made).is_some_and(|made| made.0 == *shape))
}

/// Writes down that a thing is to go; says whether it is gone. What was never made is.
async fn want_gone(
    tx: &mut Write,
    act: &Act,
    task: &Task,
    thing: &Thing<'_>,
) -> Result<bool, store::Error> {
    let Some(found) = step(tx, task, thing).await? else { return Ok(true) };
    let query = if found.made.is_none() {
        sql("DELETE FROM manual_steps WHERE id = $1").bind(found.id)
    } else {
        sql("UPDATE manual_steps SET wanted = NULL, updated_at = $1 WHERE id = $2")
            .bind(act.now)
            .bind(found.id)
    };
    query.execute(tx).await?;
    Ok(found.made.is_none())
}

/// Whether somebody has said that an account of another cloud knows this key of ours.
pub(super) async fn is_told(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
    certificate: &Certificate,
) -> Result<bool, store::Error> {
    let fingerprint = fingerprint(certificate.der());
    let steps = manual_steps(tx, space, account).await?;
    Ok(steps.iter().filter_map(|step| step.made.as_ref()).any(|made| match &made.0 {
        Shape::SamlProvider { certificates, .. } => certificates.contains(&fingerprint),
        Shape::Role { .. } => false,
    }))
}

/// That somebody has to do something, as a task says it.
fn waits(things: &[String]) -> Trouble {
    Trouble::Permanent(format!(
        "the account is in another cloud: somebody has to {} there by hand and say so on the \
         account's page",
        things.join(" and ")
    ))
}

impl Reconciler {
    /// Where the account of a task is, if it is in another cloud.
    pub(super) async fn other_cloud(&self, task: &Task) -> Attempt<Option<OtherCloudAccount>> {
        Ok(self.db.read(async |tx| organization::other_cloud(tx, task.account).await).await?)
    }

    /// Deploys by asking for it: good once somebody has said that all of it is there.
    pub(super) async fn deploy_by_hand(
        &self,
        task: &Task,
        account: &OtherCloudAccount,
        configuration: ConfigurationId,
        (name, content): (&str, &Content),
    ) -> Attempt<()> {
        let mut missing = self.provider_by_hand(task).await?;
        let (provider, name) = (names::saml_provider(task.space), names::role(name));
        let shape = role(account, &provider, content);
        let kind = ManualObject::Role;
        let thing = Thing { kind, name: &name, configuration: Some(configuration) };
        let act = self.act(task);
        if !self.db.write(async |tx| want(tx, &act, task, &thing, &shape).await).await? {
            missing.push(format!("make the role {name}"));
        }
        if missing.is_empty() { Ok(()) } else { Err(waits(&missing)) }
    }

    /// What is missing of the SAML provider.
    async fn provider_by_hand(&self, task: &Task) -> Attempt<Vec<String>> {
        let certificates = self.idp_certificates(task.space).await?;
        let name = names::saml_provider(task.space);
        let thing = Thing { kind: ManualObject::SamlProvider, name: &name, configuration: None };
        let shape = Shape::SamlProvider {
            entity_id: self.idp_entity_id(task.space),
            certificates: certificates.iter().map(|one| fingerprint(one.der())).collect(),
        };
        let act = self.act(task);
        let made = self.db.write(async |tx| want(tx, &act, task, &thing, &shape).await).await?;
        Ok(if made {
            Vec::new()
        } else {
            vec![format!("give the SAML provider {name} our metadata")]
        })
    }

    /// Has an account know our keys: good once somebody has said so.
    pub(super) async fn refresh_provider_by_hand(&self, task: &Task) -> Attempt<()> {
        let missing = self.provider_by_hand(task).await?;
        if missing.is_empty() { Ok(()) } else { Err(waits(&missing)) }
    }

    /// Takes a configuration off by asking for it, and the SAML provider with the last one.
    pub(super) async fn undeploy_by_hand(&self, task: &Task, name: &str) -> Attempt<()> {
        let name = names::role(name);
        let thing = Thing { kind: ManualObject::Role, name: &name, configuration: None };
        let act = self.act(task);
        if !self.db.write(async |tx| want_gone(tx, &act, task, &thing).await).await? {
            return Err(waits(&[format!("delete the role {name}")]));
        }
        if self.is_needed(task).await? {
            return Ok(());
        }
        // Nobody waits for this one: a provider that no role trusts lets nobody in.
        let name = names::saml_provider(task.space);
        let thing = Thing { kind: ManualObject::SamlProvider, name: &name, configuration: None };
        self.db.write(async |tx| want_gone(tx, &act, task, &thing).await).await?;
        Ok(())
    }
}

/// Takes an administrator's word that a step is done, and starts what waited for it; says which tasks
/// those are. `fingerprint` is that of the step as they saw it.
pub async fn confirm_manual_step(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ManualStepId,
    fingerprint: &str,
) -> Result<Vec<TaskId>, Error> {
    let mut query = sql(COLUMNS);
    query.push_bind(space).push(" AND id = ").push_bind(id);
    let found: Option<ManualStep> = query.fetch_optional(tx).await?;
    let found = found.ok_or(Error::ManualStepNotFound)?;
    if found.fingerprint() != fingerprint {
        return Err(Error::ManualStepChanged);
    }
    if found.is_done() {
        return Ok(Vec::new());
    }
    let wanted = found.wanted.as_ref().map(|wanted| wanted.0.to_text());
    match &wanted {
        None => sql("DELETE FROM manual_steps WHERE id = $1").bind(id).execute(tx).await?,
        Some(wanted) => {
            sql("UPDATE manual_steps SET made = $1, updated_at = $2 WHERE id = $3")
                .bind(wanted)
                .bind(act.now)
                .bind(id)
                .execute(tx)
                .await?
        }
    };
    let change = Change {
        scope: Scope::Space(space),
        action: "manual_step.confirm",
        object_kind: "account",
        object_id: &found.account_uin.to_string(),
        before: json!({ "object": found.object_kind, "name": found.name, "made": state(found.made.as_ref()) }),
        after: json!({ "object": found.object_kind, "name": found.name, "made": state(found.wanted.as_ref()) }),
    };
    audit::record(tx, act, change).await?;
    go_on(tx, act, &found).await
}

fn state(shape: Option<&Json<Shape>>) -> Value {
    json!(shape.map(|shape| &shape.0))
}

/// Starts what waited for a step: what is to be there once all of it is, or what was to go.
async fn go_on(tx: &mut Write, act: &Act, done: &ManualStep) -> Result<Vec<TaskId>, Error> {
    if done.wanted.is_none() {
        return Ok(removal(tx, act, done).await?.into_iter().collect());
    }
    let (space, account) = (done.space_id, done.account_uin);
    let steps = manual_steps(tx, space, account).await?;
    if steps.iter().any(|step| step.object_kind == ManualObject::SamlProvider && !step.is_done()) {
        return Ok(Vec::new());
    }
    let mut tasks = Vec::new();
    let roles = steps.iter().filter(|step| step.is_done() && step.wanted.is_some());
    for configuration in roles.filter_map(|step| step.configuration_id) {
        let waiting = waiting_assignments(tx, space, account, configuration).await?;
        for task in &waiting {
            tasks.push(task::retry(tx, act, space, *task).await?);
        }
        let found = permission::deployment(tx, space, configuration, account).await?;
        let stands = found.is_some_and(|found| found.state == DeploymentState::Failed);
        if waiting.is_empty() && stands {
            let begun = permission::begin_deployment(tx, act, space, configuration, account);
            tasks.push(begun.await?);
        }
    }
    Ok(tasks)
}

/// The task that ends what waited for a role to go.
async fn removal(tx: &mut Write, act: &Act, done: &ManualStep) -> Result<Option<TaskId>, Error> {
    let Some(configuration) = done.configuration_id else { return Ok(None) };
    let (space, account) = (done.space_id, done.account_uin);
    if permission::remaining(tx, account, configuration).await? > 0 {
        return Ok(None);
    }
    match permission::deployment(tx, space, configuration, account).await? {
        Some(found) if found.state == DeploymentState::Failed => {
            Ok(Some(permission::begin_removal(tx, act, space, configuration, account).await?))
        }
        Some(_) | None => Ok(None),
    }
}

/// For each failed assignment of a configuration on an account, the task that failed last.
async fn waiting_assignments(
    tx: &mut Read,
    space: SpaceId,
    account: Uin,
    configuration: ConfigurationId,
) -> Result<Vec<TaskId>, store::Error> {
    let found: Vec<(TaskId,)> = sql("SELECT MAX(t.id) FROM assignments a
         JOIN tasks t ON t.account_uin = a.account_uin AND t.configuration_id = a.configuration_id
          AND t.principal_kind = a.principal_kind AND t.principal_id = a.principal_id
         WHERE a.space_id = $1 AND a.account_uin = $2 AND a.configuration_id = $3
           AND a.state = 'failed' AND t.space_id = $1 AND t.kind = $4 AND t.state = 'failed'
         GROUP BY a.principal_kind, a.principal_id")
    .bind(space)
    .bind(account)
    .bind(configuration)
    .bind(task::Kind::CreateAssignment)
    .fetch_all(tx)
    .await?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}
