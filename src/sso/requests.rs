//! How people are sent to the identity provider: what the administrator decides of a request.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Error, IdentityProvider, identity_provider, ticket::forget_tickets};
use crate::{
    audit::{self, Act, Change, Scope},
    id::SpaceId,
    saml::name_id_format,
    store::{Write, sql, text_enum},
};

/// Most ways to authenticate that a request may name.
const MOST_CONTEXTS: usize = 10;
/// Longest name of one (bytes).
const LONGEST_CONTEXT: usize = 512;

text_enum! {
    /// The name identifier that a request asks for.
    pub enum NameIdPolicy {
        /// One of no particular meaning, which is what nearly every identity provider sends.
        Unspecified = "unspecified",
        /// An e-mail address.
        Email = "email",
        /// A pseudonym that stays.
        Persistent = "persistent",
        /// None: the request does not say, and the identity provider decides.
        Unsaid = "unsaid",
    }
}

impl NameIdPolicy {
    /// The format's identifier, if one is asked for.
    pub fn format(self) -> Option<&'static str> {
        match self {
            Self::Unspecified => Some(name_id_format::UNSPECIFIED),
            Self::Email => Some(name_id_format::EMAIL),
            Self::Persistent => Some(name_id_format::PERSISTENT),
            Self::Unsaid => None,
        }
    }
}

/// What is decided of the requests of a space. The defaults suit nearly every identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestSettings {
    /// Requests are signed with the space's key (SSO-21).
    pub sign: bool,
    /// Requests are posted; else they go by redirect.
    pub by_post: bool,
    /// People authenticate anew each time, and the response must say that they did.
    pub force_authn: bool,
    /// The name identifier to ask for.
    pub name_id: NameIdPolicy,
    /// The ways to authenticate (`AuthnContextClassRef`) of which the response must name one; none
    /// leaves it to the identity provider.
    pub authn_contexts: Vec<String>,
}

impl Default for RequestSettings {
    fn default() -> Self {
        Self {
            sign: false,
            by_post: false,
            force_authn: false,
            name_id: NameIdPolicy::Unspecified,
            authn_contexts: Vec::new(),
        }
    }
}

impl RequestSettings {
    fn check(&self) -> Result<(), Error> {
        let fine = |context: &String| {
            let absolute = context.split_once(':').is_some_and(|(scheme, rest)| {
                scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && !rest.is_empty()
            });
            absolute
                && context.len() <= LONGEST_CONTEXT
                && context.bytes().all(|byte| byte.is_ascii_graphic())
        };
        if self.authn_contexts.len() > MOST_CONTEXTS || !self.authn_contexts.iter().all(fine) {
            return Err(Error::AuthnContexts);
        }
        Ok(())
    }
}

/// The way a request takes, and where to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// In the query of a redirect to this address.
    Redirect(&'a str),
    /// In a form that the browser posts to this address.
    Post(&'a str),
}

impl<'a> Way<'a> {
    /// Where to.
    pub fn address(self) -> &'a str {
        match self {
            Self::Redirect(address) | Self::Post(address) => address,
        }
    }
}

impl IdentityProvider {
    /// How and where requests go. What takes no redirects gets posts whatever is decided.
    pub fn way(&self) -> Way<'_> {
        let post = self.requests.by_post || self.login_url.is_empty();
        if post && !self.post_url.is_empty() {
            Way::Post(&self.post_url)
        } else {
            Way::Redirect(&self.login_url)
        }
    }

    /// Whether requests are posted to it.
    pub fn is_posted(&self) -> bool {
        matches!(self.way(), Way::Post(_))
    }
}

/// Decides how requests are made from now on. Those under way are judged by it too.
pub async fn set_requests(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    settings: &RequestSettings,
) -> Result<(), Error> {
    settings.check()?;
    let provider = identity_provider(tx, space).await?.ok_or(Error::NotConfigured)?;
    if settings.by_post && provider.post_url.is_empty() {
        return Err(Error::NoPost);
    }
    sql("UPDATE identity_providers SET requests = $1, updated_at = $2 WHERE space_id = $3")
        .bind(&text_of(settings))
        .bind(act.now)
        .bind(space)
        .execute(tx)
        .await?;
    // Who has not come for their session yet was let through by what counts no more.
    forget_tickets(tx, space).await?;
    let change = Change {
        scope: Scope::Space(space),
        action: "identity_provider.set_requests",
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before: json!(provider.requests),
        after: json!(settings),
    };
    Ok(audit::record(tx, act, change).await?)
}

/// Flags and texts: writing them as JSON does not fail, and if it did the defaults would stand.
pub(super) fn text_of(settings: &RequestSettings) -> Value {
    serde_json::to_value(settings).unwrap_or_else(|_| json!({}))
}
