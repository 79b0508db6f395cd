//! One change of one resource, whether it comes alone or in bulk.

use serde_json::{Map, Value};

use super::answer::Refusal;
use crate::{
    directory::scim::{self as directory, NewUser, Push, ResourceKind, Show, Written},
    id::{GroupId, Principal, UserId},
    provisioning,
    recorder::Subject,
    store::Write,
};

/// A change.
#[derive(Debug)]
pub enum Operation {
    /// Makes a resource; its id may have been given out beforehand.
    Create(Option<i64>, Map<String, Value>),
    /// Replaces the one with this id.
    Replace(String, Map<String, Value>),
    /// Changes parts of the one with this id.
    Patch(String, Map<String, Value>, Show),
    /// Deletes the one with this id.
    Delete(String),
}

/// Does it, with everything that follows for access (SCIM-18, SCIM-19), in one transaction.
pub async fn perform(
    tx: &mut Write,
    push: &Push<'_>,
    kind: ResourceKind,
    operation: Operation,
) -> Result<Written, Refusal> {
    let (act, space) = (push.act, push.space.id);
    let written = match (kind, operation) {
        (ResourceKind::User, Operation::Create(id, body)) => {
            directory::create_user(tx, NewUser { push, id, body: &body }).await
        }
        (ResourceKind::Group, Operation::Create(id, body)) => {
            directory::create_group(tx, push, id, &body).await
        }
        (ResourceKind::User, Operation::Replace(id, body)) => {
            directory::replace_user(tx, push, &id, &body).await
        }
        (ResourceKind::Group, Operation::Replace(id, body)) => {
            directory::replace_group(tx, push, &id, &body).await
        }
        (ResourceKind::User, Operation::Patch(id, body, _)) => {
            directory::patch_user(tx, push, &id, body).await
        }
        (ResourceKind::Group, Operation::Patch(id, body, show)) => {
            directory::patch_group(tx, push, &id, body, show).await
        }
        (_, Operation::Delete(id)) => {
            let written = match kind {
                ResourceKind::User => directory::delete_user(tx, push, &id).await,
                ResourceKind::Group => directory::delete_group(tx, push, &id).await,
            }?;
            // What it held confers nothing from now on, and tasks take it away.
            let gone = match kind {
                ResourceKind::User => Principal::User(UserId(written.id)),
                ResourceKind::Group => Principal::Group(GroupId(written.id)),
            };
            provisioning::identity_deleted(tx, act, space, gone).await?;
            return Ok(written);
        }
    }?;
    if let Some(principal) = written.access {
        provisioning::access_changed(tx, act, space, &[principal]).await?;
    }
    Ok(written)
}

/// Whom a change was about, for the recorder.
pub fn subject(written: &Written) -> Subject {
    Subject { id: Some(written.id), name: Some(written.name.to_ascii_lowercase()) }
}
