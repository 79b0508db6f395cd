//! What a principal may do: its policies, evaluated.
//!
//! A principal's own policies grant. Others only narrow: what temporary credentials were made with,
//! and the boundary of a role. Each of those must allow, too.

use serde_json::json;

use super::{CamPrincipal, CamUser, Error, objects::scope_of};
use crate::{
    audit::{self, Act, Change},
    id::Uin,
    policy::{self, Context, Decision, Document, Request, catalogue},
    store::{Read, Timestamp, Write, sql},
};

/// The preset that stands for what a root may do.
const EVERYTHING: &str = "AdministratorAccess";

/// A policy that somebody has.
#[derive(Clone, Debug, PartialEq)]
pub struct AttachedPolicy {
    /// Its number.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Whether it is a preset.
    pub is_preset: bool,
    /// What it says.
    pub document: Document,
}

/// A policy that is attached, as it is kept: of a preset only its number.
#[derive(sqlx::FromRow)]
pub(super) struct PolicyRow {
    pub policy_id: i64,
    pub name: Option<String>,
    pub document: Option<String>,
}

/// The policies that a principal has, by number. A root has no policies: it may do everything, and
/// the preset that says so stands in.
pub async fn policies(
    tx: &mut Read,
    principal: &CamPrincipal,
) -> Result<Vec<AttachedPolicy>, Error> {
    let user = match principal {
        CamPrincipal::User(user) => Some(user),
        CamPrincipal::Federated(federated) => Some(&federated.user),
        CamPrincipal::Role(_) => None,
    };
    if user.is_some_and(|user| user.is_root) {
        return Ok(catalogue::by_name(EVERYTHING).map(preset).into_iter().collect());
    }
    let query = match principal {
        CamPrincipal::User(user) | CamPrincipal::Federated(super::FederatedUser { user, .. }) => {
            sql("SELECT a.policy_id, p.name, p.document
             FROM cloud_user_policies a
             LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
             WHERE a.user_uin = $1 ORDER BY a.policy_id")
            .bind(user.uin)
        }
        CamPrincipal::Role(session) => sql("SELECT a.policy_id, p.name, p.document
             FROM cloud_role_policies a
             LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
             WHERE a.role_id = $1 ORDER BY a.policy_id")
        .bind(session.role_id),
    };
    let rows: Vec<PolicyRow> = query.bind(principal.account()).fetch_all(tx).await?;
    attached(rows)
}

/// What attached policies say.
pub(super) fn attached(
    rows: impl IntoIterator<Item = PolicyRow>,
) -> Result<Vec<AttachedPolicy>, Error> {
    let mut attached = Vec::new();
    for row in rows {
        if let Some(found) = catalogue::by_id(row.policy_id) {
            attached.push(preset(found));
        } else if let Some((name, document)) = row.name.zip(row.document) {
            let document = Document::parse(&document).map_err(|_| Error::PolicyNotFound)?;
            attached.push(AttachedPolicy { id: row.policy_id, name, is_preset: false, document });
        } else {
            // A policy that cannot be read might deny: nothing is decided without it.
            return Err(Error::PolicyNotFound);
        }
    }
    Ok(attached)
}

/// The policies beyond which a principal's own do not reach.
async fn limits(tx: &mut Read, principal: &CamPrincipal) -> Result<Vec<AttachedPolicy>, Error> {
    let (session_policy, boundary) = match principal {
        CamPrincipal::User(_) => (None, None),
        CamPrincipal::Federated(federated) => (Some(&federated.policy), None),
        CamPrincipal::Role(session) => {
            (session.session_policy.as_ref(), session.boundary_policy_id)
        }
    };
    let mut limits = Vec::new();
    if let Some(text) = session_policy {
        let document = Document::parse(text).map_err(|_| Error::PolicyNotFound)?;
        let name = "session policy".to_owned();
        limits.push(AttachedPolicy { id: 0, name, is_preset: false, document });
    }
    if let Some(id) = boundary {
        limits.push(boundary_policy(tx, principal.account(), id).await?);
    }
    Ok(limits)
}

async fn boundary_policy(tx: &mut Read, account: Uin, id: i64) -> Result<AttachedPolicy, Error> {
    if let Some(found) = catalogue::by_id(id) {
        return Ok(preset(found));
    }
    let found: Option<(String, String)> =
        sql("SELECT name, document FROM cloud_policies WHERE account_uin = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .fetch_optional(tx)
            .await?;
    let (name, document) = found.ok_or(Error::PolicyNotFound)?;
    let document = Document::parse(&document).map_err(|_| Error::PolicyNotFound)?;
    Ok(AttachedPolicy { id, name, is_preset: false, document })
}

/// What is known of a request of somebody, for conditions: where it comes from, the moment in UTC,
/// and the tags of a role and of its session as `key&value`.
pub fn context(act: &Act, principal: &CamPrincipal) -> Context {
    let mut context = Context::new().with("qcs:current_time", act.now.to_jiff().to_string());
    if let Some(address) = act.address {
        context = context.with("qcs:ip", address.to_string());
    }
    if let CamPrincipal::Role(session) = principal {
        // A tag of the session stands for the role's of the same key.
        let inherited =
            session.role_tags.0.iter().filter(|(key, _)| !session.tags.0.contains_key(*key));
        for (key, value) in session.tags.0.iter().chain(inherited) {
            context = context.with("qcs:principal_tag", format!("{key}&{value}"));
        }
    }
    context
}

fn preset(preset: &catalogue::Preset) -> AttachedPolicy {
    AttachedPolicy {
        id: preset.id,
        name: preset.name.clone(),
        is_preset: true,
        document: preset.document.clone(),
    }
}

/// Whether a principal may do `action` to `resource`, and which statement decides. Somebody who is
/// shut out, or whose session has ended, may do nothing.
pub async fn authorize(
    tx: &mut Read,
    principal: &CamPrincipal,
    action: &str,
    resource: &str,
    context: &Context,
    now: Timestamp,
) -> Result<Decision, Error> {
    Ok(Authority::of(tx, principal, now).await?.decide(action, resource, context))
}

/// What a principal may do at a moment, for several questions.
#[derive(Clone, Debug)]
pub struct Authority {
    account: Uin,
    policies: Vec<AttachedPolicy>,
    limits: Vec<AttachedPolicy>,
}

impl Authority {
    /// The policies of a principal, and what narrows them. Somebody who is shut out, or whose
    /// session has ended, has none.
    pub async fn of(
        tx: &mut Read,
        principal: &CamPrincipal,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let account = principal.account();
        let shut_out = match principal {
            CamPrincipal::User(user) => user.blocked,
            CamPrincipal::Role(session) => !session.is_live(now),
            CamPrincipal::Federated(federated) => !federated.is_live(now),
        };
        if shut_out {
            return Ok(Self { account, policies: Vec::new(), limits: Vec::new() });
        }
        let policies = policies(tx, principal).await?;
        Ok(Self { account, policies, limits: limits(tx, principal).await? })
    }

    /// What these policies of a CAM user in an account grant; nothing narrows them.
    pub(super) fn granting(account: Uin, policies: Vec<AttachedPolicy>) -> Self {
        Self { account, policies, limits: Vec::new() }
    }

    /// Whether the preset policy of this name is one of them.
    pub fn has_preset(&self, name: &str) -> bool {
        self.policies.iter().any(|policy| policy.is_preset && policy.name == name)
    }

    /// Whether it may do `action` to `resource`, and which statement decides.
    pub fn decide(&self, action: &str, resource: &str, context: &Context) -> Decision {
        let request = Request { action, resource, account: self.account.0, context };
        let documents = self.policies.iter().map(|policy| (policy.name.as_str(), &policy.document));
        let decision = policy::evaluate(documents, &request);
        if !decision.allowed {
            return decision;
        }
        let narrowed = self
            .limits
            .iter()
            .map(|limit| policy::evaluate([(limit.name.as_str(), &limit.document)], &request));
        narrowed.into_iter().find(|narrowed| !narrowed.allowed).unwrap_or(decision)
    }
}

/// The name of a policy that can be attached in an account.
pub(super) async fn policy_name(tx: &mut Read, account: Uin, id: i64) -> Result<String, Error> {
    if let Some(preset) = catalogue::by_id(id) {
        return Ok(preset.name.clone());
    }
    let found: Option<(String,)> =
        sql("SELECT name FROM cloud_policies WHERE account_uin = $1 AND id = $2")
            .bind(account)
            .bind(id)
            .fetch_optional(tx)
            .await?;
    found.map(|(name,)| name).ok_or(Error::PolicyNotFound)
}

/// Gives a CAM user a policy of its account; nothing changes if it has it.
pub async fn attach_user_policy(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    policy: i64,
) -> Result<(), Error> {
    let name = policy_name(tx, user.account_uin, policy).await?;
    let made = sql("INSERT INTO cloud_user_policies (user_uin, policy_id, attached_at)
         VALUES ($1, $2, $3) ON CONFLICT (user_uin, policy_id) DO NOTHING")
    .bind(user.uin)
    .bind(policy)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Ok(());
    }
    let change = Change {
        scope: scope_of(tx, user.account_uin).await?,
        action: "cam_user.attach_policy",
        object_kind: "cam_user",
        object_id: &user.uin.to_string(),
        before: json!(null),
        after: json!({ "policy": name }),
    };
    Ok(audit::record(tx, act, change).await?)
}
