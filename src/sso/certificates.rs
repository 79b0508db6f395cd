//! The identity provider's certificates, one by one (SSO-11): a new one is added before its key is
//! used and the old one removed afterwards, so that a change of keys keeps nobody out.

use serde_json::Value;

use super::{
    Error, IdentityProvider, ProviderError, identity_provider,
    provider::{check_not_for_development, insert_certificate, state},
    removed,
    ticket::forget_tickets,
};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{CertificateId, SpaceId},
    saml::{certificate::Certificate, metadata::MAXIMUM_CERTIFICATES},
    space,
    store::{Write, sql},
};

/// Adds a certificate: messages signed with its key count from now on, beside those of the others.
pub async fn add_certificate(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    certificate: &Certificate,
) -> Result<CertificateId, Error> {
    check_not_for_development(act, &certificate.facts().fingerprint)?;
    space::lock(tx, space).await?;
    let before = identity_provider(tx, space).await?.ok_or(Error::NotConfigured)?;
    let fingerprint = &certificate.facts().fingerprint;
    if before.certificates.iter().any(|one| one.fingerprint == *fingerprint) {
        return Err(ProviderError::CertificateKnown.into());
    }
    if before.certificates.len() >= MAXIMUM_CERTIFICATES {
        return Err(ProviderError::TooManyCertificates.into());
    }
    let id = insert_certificate(tx, act, space, certificate).await?;
    let id = id.ok_or(ProviderError::CertificateKnown)?;
    record(tx, act, space, "identity_provider.certificate_add", &before).await?;
    Ok(id)
}

/// Removes a certificate: what its key signs is refused from now on. One always stays.
pub async fn remove_certificate(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    id: CertificateId,
) -> Result<(), Error> {
    space::lock(tx, space).await?;
    let before = identity_provider(tx, space).await?.ok_or(ProviderError::CertificateNotFound)?;
    let Some(removed) = before.certificates.iter().find(|one| one.id == id) else {
        return Err(ProviderError::CertificateNotFound.into());
    };
    if before.certificates.len() < 2 {
        return Err(ProviderError::LastCertificate.into());
    }
    sql("DELETE FROM identity_provider_certificates WHERE id = $1 AND space_id = $2")
        .bind(id)
        .bind(space)
        .execute(tx)
        .await?;
    removed::remember(tx, act, space, std::slice::from_ref(&removed.fingerprint)).await?;
    // What is judged by it at this moment, and who has only a ticket so far, begins again.
    sql("UPDATE identity_providers SET updated_at = $1 WHERE space_id = $2")
        .bind(act.now)
        .bind(space)
        .execute(tx)
        .await?;
    forget_tickets(tx, space).await?;
    record(tx, act, space, "identity_provider.certificate_remove", &before).await
}

/// Forgets the identity provider, where its metadata is fetched from and what was proposed for it.
/// Not while sign-in is on (SSO-10).
pub async fn clear(tx: &mut Write, act: &Act, space: SpaceId) -> Result<(), Error> {
    space::lock(tx, space).await?;
    let before = identity_provider(tx, space).await?.ok_or(Error::NotConfigured)?;
    if space::space(tx, space).await?.is_some_and(|space| space.sso_enabled) {
        return Err(ProviderError::StillOn.into());
    }
    for table in [
        "DELETE FROM identity_provider_sources WHERE space_id = $1",
        "DELETE FROM identity_provider_proposals WHERE space_id = $1",
        "DELETE FROM identity_provider_certificates WHERE space_id = $1",
        "DELETE FROM identity_providers WHERE space_id = $1",
    ] {
        sql(table).bind(space).execute(tx).await?;
    }
    // What was trusted once is not trusted again without a person's word, whatever is set up next.
    let certificates: Vec<String> =
        before.certificates.iter().map(|one| one.fingerprint.clone()).collect();
    removed::remember(tx, act, space, &certificates).await?;
    record(tx, act, space, "identity_provider.clear", &before).await
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    before: &IdentityProvider,
) -> Result<(), Error> {
    let after = identity_provider(tx, space).await?;
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before: state(before),
        after: after.as_ref().map_or(Value::Null, state),
    };
    Ok(audit::record(tx, act, change).await?)
}
