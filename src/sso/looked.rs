//! Reading what is proposed, before a transaction begins.
//!
//! A collection of a federation takes long to read, and its signature longer. Whoever writes waits
//! for nothing of that: what a write needs of a document is found out here, on a thread of its own.

use super::{Content, Error, IdentityProvider, Source, provider::is_for_development};
use crate::{
    saml::{
        certificate::Certificate,
        metadata::{IdpMetadata, MetadataError},
    },
    secret::{hex, sha256},
    store::Timestamp,
};

/// A content, and what reading it found out.
#[derive(Debug)]
pub struct Looked {
    pub(super) content: Content,
    /// What the metadata says; none where one of several is to be chosen first, or there is none.
    metadata: Result<Option<IdpMetadata>, Error>,
    /// Tells one content from another by what it says: a document that was only signed anew, or
    /// holds for longer, is the same.
    pub(super) fingerprint: String,
}

impl Looked {
    /// Reads a content as it counts at this time. Why it cannot be used comes up when it is.
    pub async fn at(content: Content, now: Timestamp) -> Result<Self, Error> {
        aside(move || {
            let metadata = match &content {
                Content::ByHand { .. } => Ok(None),
                Content::Metadata { document, entity_id } => {
                    let chosen = entity_id.as_deref();
                    found(IdpMetadata::choose(document.as_bytes(), chosen, now.to_jiff()))
                }
            };
            Self::new(content, metadata)
        })
        .await
    }

    /// Reads a document as the source that it was fetched from demands.
    pub(super) async fn fetched(
        document: Vec<u8>,
        source: Source,
        now: Timestamp,
    ) -> Result<Self, Error> {
        aside(move || {
            let metadata = demanded(&document, &source, now);
            let document = String::from_utf8_lossy(&document).into_owned();
            Self::new(Content::Metadata { document, entity_id: source.entity_id }, metadata)
        })
        .await
    }

    fn new(content: Content, metadata: Result<Option<IdpMetadata>, Error>) -> Self {
        let said = match &metadata {
            Ok(Some(read)) => format!("{:?}", IdpMetadata { valid_until: None, ..read.clone() }),
            Ok(None) | Err(_) => content.to_value().to_string(),
        };
        let fingerprint = hex(&sha256(said.as_bytes()));
        Self { content, metadata, fingerprint }
    }

    /// Whether it could be configured, or chosen from.
    pub(super) fn is_sound(&self) -> bool {
        self.metadata.is_ok()
    }

    /// Whether one of several is to be chosen first.
    pub fn is_several(&self) -> bool {
        matches!((&self.content, &self.metadata), (Content::Metadata { .. }, Ok(None)))
    }

    /// The content.
    pub fn into_content(self) -> Content {
        self.content
    }

    /// The failure of reading, if it failed, and what the metadata says.
    pub(super) fn metadata(&self) -> Result<Option<&IdpMetadata>, &Error> {
        self.metadata.as_ref().map(Option::as_ref)
    }

    /// What a configuration made of it would say; none where one of several is to be chosen first.
    pub fn description(
        self,
        current: Option<&IdentityProvider>,
    ) -> Result<Option<IdpMetadata>, Error> {
        match self.content {
            Content::Metadata { .. } => self.metadata,
            Content::ByHand { entity_id, login_url, certificate } => {
                super::proposals::described(&entity_id, &login_url, certificate.as_deref(), current)
                    .map(Some)
            }
        }
    }

    /// The content, and what its metadata says.
    pub(super) fn into_parts(self) -> Result<(Content, Option<IdpMetadata>), Error> {
        Ok((self.content, self.metadata?))
    }
}

fn found(read: Result<IdpMetadata, MetadataError>) -> Result<Option<IdpMetadata>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(MetadataError::SeveralIdentityProviders) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn demanded(
    document: &[u8],
    source: &Source,
    now: Timestamp,
) -> Result<Option<IdpMetadata>, Error> {
    let (chosen, pins) = (source.entity_id.as_deref(), source.pins()?);
    let read = found(if pins.is_empty() {
        IdpMetadata::choose(document, chosen, now.to_jiff())
    } else {
        IdpMetadata::signed(document, chosen, &pins, now.to_jiff())
    })?;
    let ours = |it: &Certificate| is_for_development(&it.facts().fingerprint);
    if read.as_ref().is_some_and(|read| read.certificates.iter().any(ours)) {
        return Err(Error::DevelopmentKey);
    }
    Ok(read)
}

/// Does what takes long where it keeps nobody waiting.
pub(super) async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Error::Interrupted)
}
