//! What is proposed for the identity provider, to be looked at before it counts (SSO-09).
//!
//! An upload, values by hand, or metadata that was fetched become a proposal first. A proposal
//! never changes, so what is approved under an id is what was shown under it; and it is approved
//! against the configuration that it was compared with, or not at all.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    ByHand, Error, IdentityProvider, Looked, ProviderError, identity_provider,
    looked::aside,
    provider::{check_entity_id, check_not_for_development, set_as_read, state},
    set_by_hand,
};
use crate::{
    audit::{self, Act, ActorKind, Change, Scope},
    id::{ProposalId, SpaceId},
    saml::{
        binding,
        certificate::Certificate,
        metadata::{Endpoint, IdpMetadata, MetadataError, location},
    },
    secret::{hex, sha256},
    space,
    store::{self as database, Json, Read, Timestamp, Write, sql, text_enum},
};

/// How many proposals of people a space keeps; older ones go.
const MOST_PROPOSALS: i64 = 20;
/// Seconds for which one of them is kept.
const LIFETIME: i64 = 86_400;

text_enum! {
    /// Where a proposal is from.
    pub enum Origin {
        /// Somebody gave metadata.
        Upload = "upload",
        /// Somebody gave values by hand.
        Hand = "by_hand",
        /// The server fetched it from where the identity provider publishes it.
        Source = "source",
    }
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// Metadata.
    Metadata {
        /// The document.
        document: String,
        /// Which identity provider of it, where it may describe several.
        entity_id: Option<String>,
    },
    /// Values by hand (SSO-06).
    ByHand {
        /// The entity id.
        entity_id: String,
        /// Where it takes sign-in requests by redirect.
        login_url: String,
        /// Its certificate as PEM; none leaves the present ones.
        certificate: Option<String>,
    },
}

impl Content {
    /// What a document proposes. Whether it is one is found out by [`Looked::at`].
    pub fn metadata(document: &[u8]) -> Result<Self, Error> {
        let entity_id = None;
        // In another encoding it is no metadata either, and the reader says which.
        if str::from_utf8(document).is_err() {
            IdpMetadata::choice(document)?;
        }
        Ok(Self::Metadata { document: String::from_utf8_lossy(document).into_owned(), entity_id })
    }

    /// The same document, of which this one is meant. By hand there is nothing to choose.
    #[must_use]
    pub fn choosing(self, chosen: &str) -> Self {
        match self {
            Self::Metadata { document, .. } => {
                Self::Metadata { document, entity_id: Some(chosen.to_owned()) }
            }
            Self::ByHand { .. } => self,
        }
    }

    /// The entity ids to choose from; one or none where there is nothing to choose.
    pub async fn choice(self) -> Result<Vec<String>, Error> {
        match self {
            Self::Metadata { document, entity_id: None } => {
                Ok(aside(move || IdpMetadata::choice(document.as_bytes())).await??)
            }
            Self::Metadata { entity_id: Some(_), .. } | Self::ByHand { .. } => Ok(Vec::new()),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        // Texts and nothing else: writing them does not fail.
        serde_json::to_value(self).unwrap_or_default()
    }
}

/// What a configuration made of values by hand would say. Without a certificate the present ones
/// stay.
pub(super) fn described(
    entity_id: &str,
    login_url: &str,
    certificate: Option<&str>,
    current: Option<&IdentityProvider>,
) -> Result<IdpMetadata, Error> {
    check_entity_id(entity_id)?;
    let redirect = Endpoint {
        binding: binding::REDIRECT.to_owned(),
        location: location(login_url)?,
        response_location: None,
    };
    let mut single_sign_on = vec![redirect];
    // Set as it is, nothing that metadata said is forgotten.
    let kept = current.filter(|current| {
        current.metadata.is_some()
            && certificate.is_none()
            && current.entity_id == entity_id
            && current.login_url == login_url
    });
    let post = kept.map(|kept| kept.post_url.clone());
    single_sign_on.extend(post.filter(|it| !it.is_empty()).map(|location| Endpoint {
        binding: binding::POST.to_owned(),
        location,
        response_location: None,
    }));
    let single_logout = kept.map(|kept| kept.single_logout.endpoints());
    let certificates = match certificate {
        Some(pem) => vec![Certificate::from_pem(pem)?],
        None => current
            .map(|current| current.certificates.as_slice())
            .unwrap_or_default()
            .iter()
            .map(|one| Certificate::from_pem(&one.certificate))
            .collect::<Result<_, _>>()?,
    };
    Ok(IdpMetadata {
        entity_id: entity_id.to_owned(),
        single_sign_on,
        single_logout: single_logout.unwrap_or_default(),
        certificates,
        name_id_formats: Vec::new(),
        want_authn_requests_signed: false,
        valid_until: None,
    })
}

/// A proposal.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Where it is from.
    pub origin: Origin,
    content: Json<Content>,
    /// Who made it: their name at that time.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

impl Proposal {
    /// What is proposed.
    pub fn content(&self) -> &Content {
        &self.content.0
    }
}

/// Tells one configuration from another: what a proposal was compared with.
pub fn standing(current: Option<&IdentityProvider>) -> String {
    let text = current.map_or(Value::Null, state).to_string();
    hex(&sha256(text.as_bytes()))
}

const PROPOSAL: &str = "SELECT id, origin, content, created_by, created_at
    FROM identity_provider_proposals WHERE space_id = ";

/// The proposal of a space with this id.
pub async fn proposal(
    tx: &mut Read,
    space: SpaceId,
    id: ProposalId,
) -> Result<Option<Proposal>, database::Error> {
    let mut query = sql(PROPOSAL);
    query.push_bind(space).push(" AND id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// Where the proposal of a space with this id is from, if it is still there.
pub(super) async fn origin_of(
    tx: &mut Read,
    space: SpaceId,
    id: ProposalId,
) -> Result<Origin, Error> {
    let found: Option<(Origin,)> = sql("SELECT origin FROM identity_provider_proposals
         WHERE space_id = $1 AND id = $2")
    .bind(space)
    .bind(id)
    .fetch_optional(tx)
    .await?;
    Ok(found.ok_or(ProviderError::ProposalNotFound)?.0)
}

/// What was fetched last and waits for somebody's approval.
pub async fn fetched_proposal(
    tx: &mut Read,
    space: SpaceId,
) -> Result<Option<Proposal>, database::Error> {
    let mut query = sql(PROPOSAL);
    query.push_bind(space).push(" AND origin = ").push_bind(Origin::Source);
    query.push(" ORDER BY id DESC LIMIT 1");
    query.fetch_optional(tx).await
}

/// Keeps a proposal, which changes nothing yet. What could not be used is refused here; of what
/// describes several identity providers one is to be chosen.
pub async fn propose(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    origin: Origin,
    looked: Looked,
) -> Result<ProposalId, Error> {
    let current = identity_provider(tx, space).await?;
    let content = looked.content.to_value();
    if let Some(description) = looked.description(current.as_ref())? {
        for certificate in &description.certificates {
            check_not_for_development(act, &certificate.facts().fingerprint)?;
        }
    }
    if origin == Origin::Source {
        withdraw_fetched(tx, space).await?;
    }
    let id: ProposalId = act.new_id();
    sql("INSERT INTO identity_provider_proposals
             (id, space_id, origin, content, created_by, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(id)
    .bind(space)
    .bind(origin)
    .bind(&content)
    .bind(&act.actor.name)
    .bind(act.now)
    .execute(tx)
    .await?;
    sql("DELETE FROM identity_provider_proposals
         WHERE space_id = $1 AND origin <> $2 AND id NOT IN
             (SELECT id FROM identity_provider_proposals
              WHERE space_id = $1 AND origin <> $2 ORDER BY id DESC LIMIT $3)")
    .bind(space)
    .bind(Origin::Source)
    .bind(MOST_PROPOSALS)
    .execute(tx)
    .await?;
    // What was fetched is recorded by whoever fetched it, with where it is from.
    if act.actor.kind != ActorKind::System {
        let after = json!({ "proposal": id, "origin": origin });
        record(tx, act, space, "identity_provider.propose", (Value::Null, after)).await?;
    }
    Ok(id)
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    (before, after): (Value, Value),
) -> Result<(), Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before,
        after,
    };
    Ok(audit::record(tx, act, change).await?)
}

/// Forgets what was fetched and not approved.
pub(super) async fn withdraw_fetched(
    tx: &mut Write,
    space: SpaceId,
) -> Result<(), database::Error> {
    sql("DELETE FROM identity_provider_proposals WHERE space_id = $1 AND origin = $2")
        .bind(space)
        .bind(Origin::Source)
        .execute(tx)
        .await?;
    Ok(())
}

/// Chooses one identity provider of a proposal that describes several: a proposal of its own,
/// which takes the place of the other. `looked` is what [`Content::choosing`] makes of it.
pub async fn choose(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
    looked: Looked,
) -> Result<ProposalId, Error> {
    let origin = origin_of(tx, space, id).await?;
    let Content::Metadata { entity_id, .. } = &looked.content else {
        return Err(ProviderError::ProposalNotFound.into());
    };
    let entity_id = entity_id.clone();
    let chosen = propose(tx, act, space, origin, looked).await?;
    forget(tx, space, id).await?;
    if origin == Origin::Source {
        // The next time it is fetched, that one is meant.
        sql("UPDATE identity_provider_sources SET entity_id = $1 WHERE space_id = $2")
            .bind(entity_id)
            .bind(space)
            .execute(tx)
            .await?;
    }
    Ok(chosen)
}

/// Configures what is proposed, exactly. `looked` is its content, which never changes; `compared`
/// is the [`standing`] of the configuration that it was compared with: if that has changed
/// meanwhile, nothing is done.
pub async fn approve(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
    looked: Looked,
    compared: &str,
) -> Result<IdentityProvider, Error> {
    space::lock(tx, space).await?;
    origin_of(tx, space, id).await?;
    let current = identity_provider(tx, space).await?;
    if standing(current.as_ref()) != compared {
        return Err(ProviderError::ChangedMeanwhile.into());
    }
    let provider = set_by_looked(tx, act, space, looked).await?;
    forget(tx, space, id).await?;
    Ok(provider)
}

/// Configures a content (SSO-06, SSO-07), in place of whatever was configured before.
pub async fn set_by_looked(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    looked: Looked,
) -> Result<IdentityProvider, Error> {
    match looked.into_parts()? {
        (Content::Metadata { document, .. }, metadata) => {
            let metadata = metadata.ok_or(MetadataError::SeveralIdentityProviders)?;
            set_as_read(tx, act, space, &document, &metadata).await
        }
        (Content::ByHand { entity_id, login_url, certificate }, _) => {
            let certificate = certificate.as_deref().map(Certificate::from_pem).transpose()?;
            let new =
                ByHand { entity_id: Some(entity_id), login_url: Some(login_url), certificate };
            set_by_hand(tx, act, space, &new).await
        }
    }
}

/// Forgets a proposal, `looked` being its content. What was fetched is not proposed again while it
/// stays the same.
pub async fn discard(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
    looked: &Looked,
) -> Result<(), Error> {
    let origin = origin_of(tx, space, id).await?;
    forget(tx, space, id).await?;
    if origin == Origin::Source {
        sql("UPDATE identity_provider_sources SET dismissed = $1 WHERE space_id = $2")
            .bind(&looked.fingerprint)
            .bind(space)
            .execute(tx)
            .await?;
    }
    let before = json!({ "proposal": id, "origin": origin });
    record(tx, act, space, "identity_provider.discard_proposal", (before, Value::Null)).await
}

async fn forget(tx: &mut Write, space: SpaceId, id: ProposalId) -> Result<(), database::Error> {
    sql("DELETE FROM identity_provider_proposals WHERE id = $1 AND space_id = $2")
        .bind(id)
        .bind(space)
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets proposals of people that nobody approved in time.
pub async fn forget_proposals(tx: &mut Write, now: Timestamp) -> Result<(), database::Error> {
    sql("DELETE FROM identity_provider_proposals WHERE origin <> $1 AND created_at <= $2")
        .bind(Origin::Source)
        .bind(now.plus_seconds(-LIFETIME))
        .execute(tx)
        .await?;
    Ok(())
}
