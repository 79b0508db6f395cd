//! Certificates of the identity provider that were removed.
//!
//! A key is often removed because somebody else has it. The identity provider may go on publishing
//! its certificate for long, and a source that is taken without asking ([`super::Source`]) would
//! bring it back with the next look: so what was removed comes back only with a person's word.

use super::Error;
use crate::{
    audit::Act,
    id::SpaceId,
    saml::metadata::IdpMetadata,
    store::{self as database, Read, Timestamp, Write, sql},
};

/// A certificate that was removed, and nobody has brought back since.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct RemovedCertificate {
    /// SHA-256, lower-case hexadecimal.
    pub fingerprint: String,
    /// Who removed it, by their name at that time; of what a source withdrew, we did.
    pub removed_by: String,
    /// When.
    pub removed_at: Timestamp,
}

/// Remembers that these were removed, by a person or by the source that published them: a source
/// withdraws a key that was stolen too, and whoever stole it may hold what is published for a while.
pub(super) async fn remember(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    fingerprints: &[String],
) -> Result<(), database::Error> {
    for fingerprint in fingerprints {
        sql("INSERT INTO removed_certificates (space_id, fingerprint, removed_by, removed_at)
             VALUES ($1, $2, $3, $4) ON CONFLICT (space_id, fingerprint) DO UPDATE SET
                 removed_by = excluded.removed_by, removed_at = excluded.removed_at")
        .bind(space)
        .bind(fingerprint)
        .bind(&act.actor.name)
        .bind(act.now)
        .execute(tx)
        .await?;
    }
    Ok(())
}

/// It is configured again.
pub(super) async fn forget(
    tx: &mut Write,
    space: SpaceId,
    fingerprint: &str,
) -> Result<(), database::Error> {
    sql("DELETE FROM removed_certificates WHERE space_id = $1 AND fingerprint = $2")
        .bind(space)
        .bind(fingerprint)
        .execute(tx)
        .await?;
    Ok(())
}

/// Which certificates of a document were removed here before.
pub async fn removed_before(
    tx: &mut Read,
    space: SpaceId,
    document: &IdpMetadata,
) -> Result<Vec<RemovedCertificate>, Error> {
    if document.certificates.is_empty() {
        return Ok(Vec::new());
    }
    let published = document.certificates.iter().map(|it| it.facts().fingerprint.as_str());
    let mut query = sql("SELECT fingerprint, removed_by, removed_at FROM removed_certificates
         WHERE space_id = ");
    query.push_bind(space).push(" AND fingerprint IN (").push_list(published).push(")");
    query.push(" ORDER BY fingerprint");
    Ok(query.fetch_all(tx).await?)
}
