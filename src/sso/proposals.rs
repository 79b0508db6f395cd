//! What is proposed for the identity provider, to be looked at before it counts (SSO-09).
//!
//! An upload, values by hand, or metadata that was fetched become a proposal first. A proposal
//! never changes, so what is approved under an id is what was shown under it; and it is approved
//! against the configuration that it was compared with, or not at all.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ByHand, Error, IdentityProvider, ProviderError, identity_provider,
    provider::{check_entity_id, check_not_for_development, set_by_chosen, state},
    set_by_hand,
};
use crate::{
    audit::Act,
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
    /// What a document proposes. Whether it is one is found out by [`propose`].
    pub fn metadata(document: &[u8]) -> Result<Self, Error> {
        let entity_id = None;
        // In another encoding it is no metadata either, and the reader says which.
        if str::from_utf8(document).is_err() {
            IdpMetadata::choice(document)?;
        }
        Ok(Self::Metadata { document: String::from_utf8_lossy(document).into_owned(), entity_id })
    }

    /// What a configuration made of it would say.
    pub fn description(
        &self,
        current: Option<&IdentityProvider>,
        now: Timestamp,
    ) -> Result<IdpMetadata, Error> {
        match self {
            Self::Metadata { document, entity_id } => {
                let chosen = entity_id.as_deref();
                Ok(IdpMetadata::choose(document.as_bytes(), chosen, now.to_jiff())?)
            }
            Self::ByHand { entity_id, login_url, certificate } => {
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
                        && current.entity_id == *entity_id
                        && current.login_url == *login_url
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
                    entity_id: entity_id.clone(),
                    single_sign_on,
                    single_logout: single_logout.unwrap_or_default(),
                    certificates,
                    name_id_formats: Vec::new(),
                    want_authn_requests_signed: false,
                    valid_until: None,
                })
            }
        }
    }

    /// The entity ids to choose from; one or none where there is nothing to choose.
    pub fn choice(&self) -> Result<Vec<String>, Error> {
        match self {
            Self::Metadata { document, entity_id: None } => {
                Ok(IdpMetadata::choice(document.as_bytes())?)
            }
            Self::Metadata { entity_id: Some(_), .. } | Self::ByHand { .. } => Ok(Vec::new()),
        }
    }

    fn to_value(&self) -> Value {
        // Texts and nothing else: writing them does not fail.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Whether it could be configured at this time, or chosen from.
    pub(super) fn is_sound(&self, now: Timestamp) -> bool {
        matches!(
            self.description(None, now),
            Ok(_) | Err(Error::Metadata(MetadataError::SeveralIdentityProviders))
        )
    }

    /// Tells one content from another by what it says: a document that was only signed anew, or
    /// holds for longer, is the same.
    pub(super) fn fingerprint(&self, now: Timestamp) -> String {
        let text = match self.description(None, now) {
            Ok(read) => format!("{:?}", IdpMetadata { valid_until: None, ..read }),
            Err(_) => self.to_value().to_string(),
        };
        hex(&sha256(text.as_bytes()))
    }
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
    content: &Content,
) -> Result<ProposalId, Error> {
    let current = identity_provider(tx, space).await?;
    match content.description(current.as_ref(), act.now) {
        Ok(description) => {
            for certificate in &description.certificates {
                check_not_for_development(act, &certificate.facts().fingerprint)?;
            }
        }
        Err(Error::Metadata(MetadataError::SeveralIdentityProviders)) => {}
        Err(error) => return Err(error),
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
    .bind(&content.to_value())
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
    Ok(id)
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
/// which takes the place of the other.
pub async fn choose(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
    entity_id: &str,
) -> Result<ProposalId, Error> {
    let found = proposal(tx, space, id).await?.ok_or(ProviderError::ProposalNotFound)?;
    let Content::Metadata { document, .. } = found.content.0 else {
        return Err(ProviderError::ProposalNotFound.into());
    };
    let content = Content::Metadata { document, entity_id: Some(entity_id.to_owned()) };
    let chosen = propose(tx, act, space, found.origin, &content).await?;
    forget(tx, space, id).await?;
    if found.origin == Origin::Source {
        // The next time it is fetched, that one is meant.
        sql("UPDATE identity_provider_sources SET entity_id = $1 WHERE space_id = $2")
            .bind(entity_id)
            .bind(space)
            .execute(tx)
            .await?;
    }
    Ok(chosen)
}

/// Configures what is proposed, exactly. `compared` is the [`standing`] of the configuration that
/// it was compared with: if that has changed meanwhile, nothing is done.
pub async fn approve(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
    compared: &str,
) -> Result<IdentityProvider, Error> {
    space::lock(tx, space).await?;
    let found = proposal(tx, space, id).await?.ok_or(ProviderError::ProposalNotFound)?;
    let current = identity_provider(tx, space).await?;
    if standing(current.as_ref()) != compared {
        return Err(ProviderError::ChangedMeanwhile.into());
    }
    let provider = apply(tx, act, space, &found.content.0).await?;
    forget(tx, space, id).await?;
    Ok(provider)
}

/// Configures a content.
pub(super) async fn apply(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    content: &Content,
) -> Result<IdentityProvider, Error> {
    match content {
        Content::Metadata { document, entity_id } => {
            set_by_chosen(tx, act, space, document.as_bytes(), entity_id.as_deref()).await
        }
        Content::ByHand { entity_id, login_url, certificate } => {
            let certificate = certificate.as_deref().map(Certificate::from_pem).transpose()?;
            let new = ByHand {
                entity_id: Some(entity_id.clone()),
                login_url: Some(login_url.clone()),
                certificate,
            };
            set_by_hand(tx, act, space, &new).await
        }
    }
}

/// Forgets a proposal. What was fetched is not proposed again while it stays the same.
pub async fn discard(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: ProposalId,
) -> Result<(), Error> {
    let found = proposal(tx, space, id).await?.ok_or(ProviderError::ProposalNotFound)?;
    forget(tx, space, id).await?;
    if found.origin == Origin::Source {
        sql("UPDATE identity_provider_sources SET dismissed = $1 WHERE space_id = $2")
            .bind(found.content.0.fingerprint(act.now))
            .bind(space)
            .execute(tx)
            .await?;
    }
    Ok(())
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
