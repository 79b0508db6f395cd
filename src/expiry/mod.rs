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
    saml::{
        certificate::{Certificate, CertificateError},
        metadata::IdpMetadata,
    },
    space::{self, KeyPurpose},
    sso,
    store::{self as database, Db, Read, Timestamp, Write, sql, text_enum},
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
        /// The certificate that this server shows.
        TlsCertificate = "tls_certificate",
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

/// What a space has that ends, as it is kept: not read any further yet.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    /// Certificates of the identity provider: id and PEM.
    certificates: Vec<(String, String)>,
    /// Its metadata that says until when it holds, and its entity id.
    metadata: Option<(String, String)>,
    /// What says its end by itself.
    ends: Vec<End>,
}

impl Held {
    async fn read(tx: &mut Read, space: SpaceId) -> Result<Self, sso::Error> {
        let provider = sso::identity_provider(tx, space).await?;
        let mut held = Self { certificates: Vec::new(), metadata: None, ends: Vec::new() };
        if let Some(provider) = provider {
            let certificates = provider.certificates.into_iter();
            held.certificates =
                certificates.map(|it| (it.id.to_string(), it.certificate)).collect();
            // Most metadata does not say, and reading it costs.
            let document = provider.metadata.filter(|document| document.contains("validUntil"));
            held.metadata = document.map(|document| (document, provider.entity_id));
        }
        for (purpose, kind) in [
            (KeyPurpose::ServiceProvider, Kind::ServiceProviderKey),
            (KeyPurpose::IdentityProvider, Kind::IdentityProviderKey),
            (KeyPurpose::Encryption, Kind::EncryptionKey),
        ] {
            for pair in space::key_pairs(tx, space, purpose).await? {
                held.ends.push(End { kind, object: pair.id.to_string(), at: pair.not_after });
            }
        }
        for token in credential::list(tx, space).await?.into_iter().filter(|it| it.enabled) {
            let object = token.id.to_string();
            held.ends.push(End { kind: Kind::ScimToken, object, at: token.expires_at });
        }
        Ok(held)
    }

    /// Reads certificates and metadata, which takes long where they are: never inside a
    /// transaction, and on a thread that serves nobody.
    fn ends(&self, space: SpaceId) -> Result<Vec<End>, CertificateError> {
        let mut found = self.ends.clone();
        for (id, pem) in &self.certificates {
            let at = Certificate::from_pem(pem)?.facts().not_after.into();
            found.push(End { kind: Kind::IdpCertificate, object: id.clone(), at });
        }
        found.extend(self.metadata.as_ref().and_then(|(document, entity_id)| {
            // Be that past or not.
            let ever = jiff::Timestamp::MIN;
            let read = IdpMetadata::choose(document.as_bytes(), Some(entity_id), ever).ok()?;
            let at = read.valid_until.map(Timestamp::from)?;
            Some(End { kind: Kind::IdpMetadata, object: space.to_string(), at })
        }));
        found.sort_by_key(|end| end.at);
        Ok(found)
    }
}

async fn look(db: &Db, space: SpaceId) -> Result<(Held, Vec<End>), sso::Error> {
    let held = db.read(async |tx| Held::read(tx, space).await).await?;
    let looked = tokio::task::spawn_blocking(move || held.ends(space).map(|ends| (held, ends)));
    Ok(looked.await.map_err(|_| sso::Error::Interrupted)??)
}

/// Everything of a space that ends, the first end first. What is turned off is left out.
pub async fn ends(db: &Db, space: SpaceId) -> Result<Vec<End>, sso::Error> {
    Ok(look(db, space).await?.1)
}

/// When the certificate that this server shows ends: the first one of a PEM file. Nothing where the
/// file holds none.
pub fn of_tls(file: &[u8]) -> Option<End> {
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let end = file.windows(END.len()).position(|window| window == END)?;
    let certificate = Certificate::from_file(file.get(..end + END.len())?).ok()?;
    let at = certificate.facts().not_after.into();
    let object = certificate.facts().fingerprint.clone();
    Some(End { kind: Kind::TlsCertificate, object, at })
}

/// Leaves a record and tells an event for each end of a space that has come to a threshold and was
/// not warned of there; says how many. Where what ends changes meanwhile, that is the next time.
pub async fn warn(db: &Db, act: &Act, space: SpaceId) -> Result<usize, sso::Error> {
    let (held, mut ends) = look(db, space).await?;
    ends.retain(|end| end.threshold(act.now).is_some());
    db.write(async |tx| {
        sql("DELETE FROM expiry_warnings WHERE space_id = $1 AND warned_at < $2")
            .bind(space)
            .bind(act.now.plus_seconds(-KEPT))
            .execute(tx)
            .await?;
        if ends.is_empty() || Held::read(tx, space).await? != held {
            return Ok(0);
        }
        warn_of(tx, act, space, &ends).await
    })
    .await
}

async fn warn_of(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    ends: &[End],
) -> Result<usize, sso::Error> {
    let mut warned = 0;
    for end in ends {
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
            tell(tx, act, space, end, days).await?;
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
