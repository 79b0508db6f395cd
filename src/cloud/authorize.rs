//! What a principal may do: its policies, evaluated.

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

#[derive(sqlx::FromRow)]
struct Row {
    policy_id: i64,
    name: Option<String>,
    document: Option<String>,
}

/// The policies that a principal has, by number. A root has no policies: it may do everything, and
/// the preset that says so stands in.
pub async fn policies(
    tx: &mut Read,
    principal: &CamPrincipal,
) -> Result<Vec<AttachedPolicy>, Error> {
    let query = match principal {
        CamPrincipal::User(user) if user.is_root => {
            return Ok(catalogue::by_name(EVERYTHING).map(preset).into_iter().collect());
        }
        CamPrincipal::User(user) => sql("SELECT a.policy_id, p.name, p.document
             FROM cloud_user_policies a
             LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
             WHERE a.user_uin = $1 ORDER BY a.policy_id")
        .bind(user.uin),
        CamPrincipal::Role(session) => sql("SELECT a.policy_id, p.name, p.document
             FROM cloud_role_policies a
             LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
             WHERE a.role_id = $1 ORDER BY a.policy_id")
        .bind(session.role_id),
    };
    let rows: Vec<Row> = query.bind(principal.account()).fetch_all(tx).await?;
    let mut attached = Vec::with_capacity(rows.len());
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
    let shut_out = match principal {
        CamPrincipal::User(user) => user.blocked,
        CamPrincipal::Role(session) => !session.is_live(now),
    };
    let policies = if shut_out { Vec::new() } else { policies(tx, principal).await? };
    let request = Request { action, resource, account: principal.account().0, context };
    let documents = policies.iter().map(|policy| (policy.name.as_str(), &policy.document));
    Ok(policy::evaluate(documents, &request))
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
