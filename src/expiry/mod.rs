//! What ends by itself, and who is told before (SSO-19): the certificates and the metadata of the
//! identity provider, the keys of a space, and SCIM tokens.
//!
//! Pages and metrics read the ends as they are ([`ends`]). [`warn`], called from time to time,
//! leaves a record and tells an event once for each threshold that an end has come near to.

use serde_json::{Value, json};

use crate::{
    audit::{self, Act, Change, Scope},
    credential, event,
    id::SpaceId,
    saml::{certificate::Certificate, metadata::IdpMetadata},
    space::{self, KeyPurpose},
    sso,
    store::{self as database, Read, Timestamp, Write, sql, text_enum},
};

/// Days before an end at which it is warned of.
pub const THRESHOLDS: [i64; 4] = [60, 30, 7, 1];
const DAY: i64 = 86_400;
/// Seconds after which it is forgotten that there was a warning.
const KEPT: i64 = 400 * DAY;

text_enum! {
    /// What ends.
    pub enum Kind {
        /// A certificate of the company's identity provider.
        IdpCertificate = "idp_certificate",
        /// The metadata that it was configured with.
        IdpMetadata = "idp_metadata",
        /// A key that signs towards it.
        ServiceProviderKey = "service_provider_key",
        /// A key that signs towards the accounts.
        IdentityProviderKey = "identity_provider_key",
        /// A key that assertions are encrypted for.
        EncryptionKey = "encryption_key",
        /// A SCIM token.
        ScimToken = "scim_token",
    }
}

/// An end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// What ends.
    pub kind: Kind,
    /// Which one: its id.
    pub object: String,
    /// When.
    pub at: Timestamp,
}

impl End {
    /// Seconds that are left; negative when it is past.
    pub fn seconds_left(&self, now: Timestamp) -> i64 {
        self.at.seconds_since(now)
    }

    /// Whole days that are left; negative when it is past.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        self.seconds_left(now).div_euclid(DAY)
    }

    /// The smallest threshold that it has come to, if it has not passed.
    pub fn threshold(&self, now: Timestamp) -> Option<i64> {
        let left = self.seconds_left(now);
        THRESHOLDS.into_iter().filter(|days| left > 0 && left <= days * DAY).min()
    }

    /// Whether people should know: it is past, or a threshold has come.
    pub fn is_near(&self, now: Timestamp) -> bool {
        self.seconds_left(now) <= 0 || self.threshold(now).is_some()
    }
}

/// Everything of a space that ends, the first end first. What is turned off is left out.
pub async fn ends(tx: &mut Read, space: SpaceId) -> Result<Vec<End>, sso::Error> {
    let mut found = Vec::new();
    if let Some(provider) = sso::identity_provider(tx, space).await? {
        for stored in &provider.certificates {
            let at = Certificate::from_pem(&stored.certificate)?.facts().not_after.into();
            found.push(End { kind: Kind::IdpCertificate, object: stored.id.to_string(), at });
        }
        found.extend(provider.metadata.as_deref().and_then(|document| {
            let at = valid_until(document, &provider.entity_id)?;
            Some(End { kind: Kind::IdpMetadata, object: space.to_string(), at })
        }));
    }
    for (purpose, kind) in [
        (KeyPurpose::ServiceProvider, Kind::ServiceProviderKey),
        (KeyPurpose::IdentityProvider, Kind::IdentityProviderKey),
        (KeyPurpose::Encryption, Kind::EncryptionKey),
    ] {
        for pair in space::key_pairs(tx, space, purpose).await? {
            found.push(End { kind, object: pair.id.to_string(), at: pair.not_after });
        }
    }
    for token in credential::list(tx, space).await?.into_iter().filter(|token| token.enabled) {
        let object = token.id.to_string();
        found.push(End { kind: Kind::ScimToken, object, at: token.expires_at });
    }
    found.sort_by_key(|end| end.at);
    Ok(found)
}

/// Until when metadata says that it holds, be that past or not.
fn valid_until(document: &str, entity_id: &str) -> Option<Timestamp> {
    // Most metadata does not say, and reading it costs.
    if !document.contains("validUntil") {
        return None;
    }
    let ever = jiff::Timestamp::MIN;
    let read = IdpMetadata::choose(document.as_bytes(), Some(entity_id), ever).ok()?;
    read.valid_until.map(Timestamp::from)
}

/// Leaves a record and tells an event for each end of a space that has come to a threshold and was
/// not warned of there; says how many.
pub async fn warn(tx: &mut Write, act: &Act, space: SpaceId) -> Result<usize, sso::Error> {
    sql("DELETE FROM expiry_warnings WHERE space_id = $1 AND warned_at < $2")
        .bind(space)
        .bind(act.now.plus_seconds(-KEPT))
        .execute(tx)
        .await?;
    let mut warned = 0;
    for end in ends(tx, space).await? {
        let Some(days) = end.threshold(act.now) else { continue };
        let first = sql("INSERT INTO expiry_warnings (space_id, kind, object, days, warned_at)
                         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
        .bind(space)
        .bind(end.kind)
        .bind(&end.object)
        .bind(days)
        .bind(act.now)
        .execute(tx)
        .await?;
        if first > 0 {
            tell(tx, act, space, &end, days).await?;
            warned += 1;
        }
    }
    Ok(warned)
}

async fn tell(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    end: &End,
    days: i64,
) -> Result<(), database::Error> {
    let at = end.at.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let what = json!({ "kind": end.kind, "object": end.object, "ends_at": at, "days": days });
    let change = Change {
        scope: Scope::Space(space),
        action: "expiry.warn",
        object_kind: end.kind.as_str(),
        object_id: &end.object,
        before: Value::Null,
        after: what.clone(),
    };
    audit::record(tx, act, change).await?;
    event::announce_expiry(tx, act, space, what).await
}
