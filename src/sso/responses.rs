//! What is asked of the answers of the identity provider, beyond what SAML asks.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, identity_provider, ticket::forget_tickets};
use crate::{
    audit::{self, Act, Change, Scope},
    id::SpaceId,
    store::{Write, sql},
};

/// Longest name of an attribute (bytes).
const LONGEST_ATTRIBUTE: usize = 256;

/// What is decided of the answers in a space. The defaults are the strict ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ResponseSettings {
    /// The attribute whose one value is the user name, in place of the name identifier; for
    /// identity providers whose name identifiers are transient.
    pub identity_attribute: Option<String>,
    /// Whether answers are taken that nobody asked for: sign-in that begins at the identity
    /// provider (SSO-14). It leads to the portal's home only, and the person is asked.
    pub allow_unsolicited: bool,
}

impl ResponseSettings {
    fn check(&self) -> Result<(), Error> {
        let Some(name) = &self.identity_attribute else { return Ok(()) };
        let fine = !name.is_empty()
            && name.len() <= LONGEST_ATTRIBUTE
            && name.trim() == name
            && !name.chars().any(char::is_control);
        if fine { Ok(()) } else { Err(Error::IdentityAttribute) }
    }
}

/// Decides what is asked of answers from now on; of those under way too.
pub async fn set_responses(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    settings: &ResponseSettings,
) -> Result<(), Error> {
    settings.check()?;
    let provider = identity_provider(tx, space).await?.ok_or(Error::NotConfigured)?;
    sql("UPDATE identity_providers SET responses = $1, updated_at = $2 WHERE space_id = $3")
        .bind(&text_of(settings))
        .bind(act.now)
        .bind(space)
        .execute(tx)
        .await?;
    // Who has not come for their session yet was let through by what counts no more.
    forget_tickets(tx, space).await?;
    let change = Change {
        scope: Scope::Space(space),
        action: "identity_provider.set_responses",
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before: json!(provider.responses),
        after: json!(settings),
    };
    Ok(audit::record(tx, act, change).await?)
}

/// Flags and texts: writing them as JSON does not fail, and if it did the strict defaults would
/// stand.
pub(super) fn text_of(settings: &ResponseSettings) -> Value {
    serde_json::to_value(settings).unwrap_or_else(|_| json!({}))
}
