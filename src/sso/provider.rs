//! The identity provider people sign in at, as it is configured (SSO-06…12).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::{Value, json};

use super::{
    Error, RequestSettings, ResponseSettings, removed, requests::text_of, ticket::forget_tickets,
};
use crate::{
    audit::{self, Act, ActorKind, Change, Scope},
    id::{CertificateId, SpaceId},
    saml::{
        certificate::{Certificate, CertificateError},
        metadata::{IdpMetadata, MetadataError, location},
    },
    sso::SingleLogout,
    store::{self as database, Json, Read, Timestamp, Write, sql},
};

/// Longest entity id (SAML core §1.3.2).
const LONGEST_ENTITY_ID: usize = 1024;

/// The certificate in `certs-dev`, whose private key everybody has.
const DEVELOPMENT_FINGERPRINT: &str =
    "644e441e3e115d1f6070b7dd0f8558b9200fb58f8b559fe52e205e3d93531cf9";

/// The identity provider of a space.
#[derive(Clone, Debug)]
pub struct IdentityProvider {
    /// The space.
    pub space_id: SpaceId,
    /// Its entity id.
    pub entity_id: String,
    /// Where it takes sign-in requests by redirect; empty when it does not.
    pub login_url: String,
    /// Where it takes sign-in requests that are posted; empty when it does not.
    pub post_url: String,
    /// How requests to it are made.
    pub requests: RequestSettings,
    /// Where it takes logout messages; nowhere, unless metadata said so.
    pub single_logout: SingleLogout,
    /// What is asked of its answers.
    pub responses: ResponseSettings,
    /// The metadata it was configured with, if it was.
    pub metadata: Option<String>,
    /// Its certificates; empty only while it is being configured by hand.
    pub certificates: Vec<IdpCertificate>,
    /// When it was configured first.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

impl IdentityProvider {
    /// Whether all is there that a sign-in needs (SSO-03).
    pub fn is_complete(&self) -> bool {
        let addressed = !(self.login_url.is_empty() && self.post_url.is_empty());
        !self.entity_id.is_empty() && addressed && !self.certificates.is_empty()
    }

    /// The keys that may sign its messages (SSO-16): these and no others. The development key,
    /// which everybody has, is one of them in the demo only.
    pub fn keys(&self, read: &ReadCertificates, is_demo: bool) -> Result<Vec<Certificate>, Error> {
        self.certificates
            .iter()
            .filter(|c| is_demo || c.fingerprint != DEVELOPMENT_FINGERPRINT)
            .map(|c| Ok(read.certificate(&c.certificate)?))
            .collect()
    }
}

/// Certificates that were read before, by their text: OpenSSL takes longer to read a key than to
/// verify with it.
#[derive(Debug, Default)]
pub struct ReadCertificates(Mutex<HashMap<String, Certificate>>);

impl ReadCertificates {
    /// At most so many are kept; then it begins anew.
    const MOST: usize = 1_000;

    fn certificate(&self, pem: &str) -> Result<Certificate, CertificateError> {
        // Whoever panicked while holding it left a map that is whole.
        let known = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(certificate) = known().get(pem) {
            return Ok(certificate.clone());
        }
        let certificate = Certificate::from_pem(pem)?;
        let mut known = known();
        if known.len() >= Self::MOST {
            known.clear();
        }
        known.insert(pem.to_owned(), certificate.clone());
        Ok(certificate)
    }
}

/// A certificate of an identity provider.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct IdpCertificate {
    /// Its id.
    pub id: CertificateId,
    /// PEM.
    pub certificate: String,
    /// SHA-256, lower-case hexadecimal.
    pub fingerprint: String,
    /// When it was added.
    pub created_at: Timestamp,
}

#[derive(sqlx::FromRow)]
struct ProviderRow {
    entity_id: String,
    login_url: String,
    post_url: String,
    requests: Json<RequestSettings>,
    single_logout: Json<SingleLogout>,
    responses: Json<ResponseSettings>,
    metadata: Option<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
    certificate_id: Option<CertificateId>,
    certificate: Option<String>,
    fingerprint: Option<String>,
    certificate_created_at: Option<Timestamp>,
}

impl ProviderRow {
    fn certificate(&self) -> Option<IdpCertificate> {
        Some(IdpCertificate {
            id: self.certificate_id?,
            certificate: self.certificate.clone()?,
            fingerprint: self.fingerprint.clone()?,
            created_at: self.certificate_created_at?,
        })
    }
}

/// The identity provider of a space, if any is configured.
pub async fn identity_provider(
    tx: &mut Read,
    space: SpaceId,
) -> Result<Option<IdentityProvider>, database::Error> {
    // One statement, so that certificates never go with another configuration than their own. The
    // metadata may be long: it comes once.
    let rows: Vec<ProviderRow> =
        sql("SELECT p.entity_id, p.login_url, p.post_url, p.requests, p.responses,
                    p.single_logout, p.created_at, p.updated_at,
                    CASE WHEN c.id IS NULL OR NOT EXISTS (
                        SELECT 1 FROM identity_provider_certificates o
                        WHERE o.space_id = p.space_id AND o.id < c.id
                    ) THEN p.metadata END AS metadata,
                    c.id AS certificate_id, c.certificate, c.fingerprint,
                    c.created_at AS certificate_created_at
             FROM identity_providers p
             LEFT JOIN identity_provider_certificates c ON c.space_id = p.space_id
             WHERE p.space_id = $1 ORDER BY c.id")
        .bind(space)
        .fetch_all(tx)
        .await?;
    let certificates = rows.iter().filter_map(ProviderRow::certificate).collect();
    let Some(row) = rows.into_iter().next() else { return Ok(None) };
    Ok(Some(IdentityProvider {
        space_id: space,
        entity_id: row.entity_id,
        login_url: row.login_url,
        post_url: row.post_url,
        requests: row.requests.0,
        single_logout: row.single_logout.0,
        responses: row.responses.0,
        metadata: row.metadata,
        certificates,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }))
}

/// Configures the identity provider by its metadata (SSO-06, SSO-07), in place of whatever was
/// configured before. It is read within the transaction: for documents that are known to be small.
/// Others go by [`super::set_by_looked`].
pub async fn set_by_metadata(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    document: &[u8],
) -> Result<IdentityProvider, Error> {
    let metadata = IdpMetadata::parse(document, act.now.to_jiff())?;
    set_as_read(tx, act, space, &String::from_utf8_lossy(document), &metadata).await
}

/// The same, of a document that says this.
pub(super) async fn set_as_read(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    document: &str,
    metadata: &IdpMetadata,
) -> Result<IdentityProvider, Error> {
    let before = identity_provider(tx, space).await?;
    let post_url = metadata.post_location().unwrap_or_default();
    let mut requests = before.as_ref().map(|p| p.requests.clone()).unwrap_or_default();
    requests.by_post &= !post_url.is_empty();
    requests.sign |= metadata.want_authn_requests_signed;
    let new = New {
        entity_id: &metadata.entity_id,
        login_url: metadata.redirect_location().unwrap_or_default(),
        post_url,
        requests: &requests,
        single_logout: &SingleLogout::of(metadata),
        metadata: Some(document),
    };
    upsert(tx, act, space, &new).await?;
    replace_certificates(tx, act, space, &metadata.certificates).await?;
    finish(tx, act, space, before).await
}

/// What is set by hand; what is none stays as it is (SSO-06, SSO-08).
#[derive(Clone, Debug, Default)]
pub struct ByHand {
    /// The entity id.
    pub entity_id: Option<String>,
    /// Where it takes sign-in requests by redirect.
    pub login_url: Option<String>,
    /// Its certificate; replaces all it has (SSO-11).
    pub certificate: Option<Certificate>,
}

/// Configures the identity provider by hand, step by step if wanted. Until all three are there
/// nobody can sign in.
pub async fn set_by_hand(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &ByHand,
) -> Result<IdentityProvider, Error> {
    let before = identity_provider(tx, space).await?;
    let old = |field: fn(&IdentityProvider) -> &String| before.as_ref().map(field).cloned();
    let entity_id = new.entity_id.clone().or_else(|| old(|p| &p.entity_id)).unwrap_or_default();
    let login_url = new.login_url.clone().or_else(|| old(|p| &p.login_url)).unwrap_or_default();
    if let Some(entity_id) = &new.entity_id {
        check_entity_id(entity_id)?;
    }
    let login_url = if new.login_url.is_some() { location(&login_url)? } else { login_url };
    // Metadata says more than these three; what it said no longer stands once one of them differs.
    let metadata = before.as_ref().and_then(|p| p.metadata.clone()).filter(|_| {
        before.as_ref().is_some_and(|p| p.entity_id == entity_id && p.login_url == login_url)
            && new.certificate.is_none()
    });
    // An address set by hand is one for redirects.
    let post_url = if metadata.is_some() { old(|p| &p.post_url) } else { None };
    let post_url = post_url.unwrap_or_default();
    let mut requests = before.as_ref().map(|p| p.requests.clone()).unwrap_or_default();
    requests.by_post &= !post_url.is_empty();
    let single_logout = before.as_ref().filter(|_| metadata.is_some());
    let single_logout = single_logout.map(|p| p.single_logout.clone()).unwrap_or_default();
    let provider = New {
        entity_id: &entity_id,
        login_url: &login_url,
        post_url: &post_url,
        requests: &requests,
        single_logout: &single_logout,
        metadata: metadata.as_deref(),
    };
    upsert(tx, act, space, &provider).await?;
    if let Some(certificate) = &new.certificate {
        replace_certificates(tx, act, space, std::slice::from_ref(certificate)).await?;
    }
    finish(tx, act, space, before).await
}

/// Checks an entity id that somebody wrote by hand.
pub(super) fn check_entity_id(entity_id: &str) -> Result<(), Error> {
    let controls = entity_id.chars().any(|c| c.is_control() || c.is_whitespace());
    if entity_id.is_empty() || entity_id.len() > LONGEST_ENTITY_ID || controls {
        return Err(MetadataError::EntityId.into());
    }
    Ok(())
}

/// What is kept of an identity provider, besides its certificates.
struct New<'a> {
    entity_id: &'a str,
    login_url: &'a str,
    post_url: &'a str,
    requests: &'a RequestSettings,
    single_logout: &'a SingleLogout,
    metadata: Option<&'a str>,
}

async fn upsert(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: &New<'_>,
) -> Result<(), database::Error> {
    sql("INSERT INTO identity_providers (space_id, entity_id, login_url, post_url, requests,
                                         single_logout, metadata, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         ON CONFLICT (space_id) DO UPDATE SET entity_id = excluded.entity_id,
             login_url = excluded.login_url, post_url = excluded.post_url,
             requests = excluded.requests, single_logout = excluded.single_logout,
             metadata = excluded.metadata, updated_at = excluded.updated_at")
    .bind(space)
    .bind(new.entity_id)
    .bind(new.login_url)
    .bind(new.post_url)
    .bind(&text_of(new.requests))
    .bind(&new.single_logout.text())
    .bind(new.metadata)
    .bind(act.now)
    .execute(tx)
    .await?;
    Ok(())
}

/// Certificates that stay keep their ids.
async fn replace_certificates(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    certificates: &[Certificate],
) -> Result<(), database::Error> {
    let mut gone = sql("DELETE FROM identity_provider_certificates WHERE space_id = ");
    gone.push_bind(space);
    if !certificates.is_empty() {
        gone.push(" AND fingerprint NOT IN (");
        gone.push_list(certificates.iter().map(|c| c.facts().fingerprint.as_str())).push(")");
    }
    gone.push(" RETURNING fingerprint");
    let gone: Vec<(String,)> = gone.fetch_all(tx).await?;
    let gone: Vec<String> = gone.into_iter().map(|(it,)| it).collect();
    removed::remember(tx, act, space, &gone).await?;
    for certificate in certificates {
        insert_certificate(tx, act, space, certificate).await?;
    }
    Ok(())
}

/// Adds a certificate; none if it is there already.
pub(super) async fn insert_certificate(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    certificate: &Certificate,
) -> Result<Option<CertificateId>, database::Error> {
    removed::forget(tx, space, &certificate.facts().fingerprint).await?;
    let id: CertificateId = act.new_id();
    let made = sql("INSERT INTO identity_provider_certificates
             (id, space_id, certificate, fingerprint, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(space)
    .bind(certificate.pem())
    .bind(&certificate.facts().fingerprint)
    .bind(act.now)
    .execute(tx)
    .await?;
    Ok((made > 0).then_some(id))
}

/// Whether this is the certificate whose key everybody has.
pub(super) fn is_for_development(fingerprint: &str) -> bool {
    fingerprint == DEVELOPMENT_FINGERPRINT
}

/// Refuses the certificate whose key everybody has. Only the program itself, when it is the demo,
/// sets it.
pub(super) fn check_not_for_development(act: &Act, fingerprint: &str) -> Result<(), Error> {
    let by_hand = act.actor.kind != ActorKind::System;
    if by_hand && is_for_development(fingerprint) {
        return Err(Error::DevelopmentKey);
    }
    Ok(())
}

async fn finish(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    before: Option<IdentityProvider>,
) -> Result<IdentityProvider, Error> {
    forget_tickets(tx, space).await?;
    let after = identity_provider(tx, space).await?.ok_or(Error::NotConfigured)?;
    for certificate in &after.certificates {
        check_not_for_development(act, &certificate.fingerprint)?;
    }
    let change = Change {
        scope: Scope::Space(space),
        action: "identity_provider.set",
        object_kind: "identity_provider",
        object_id: &space.to_string(),
        before: before.as_ref().map_or(Value::Null, state),
        after: state(&after),
    };
    audit::record(tx, act, change).await?;
    Ok(after)
}

/// What is on record of a configuration, and what tells whether it is still the same.
pub(super) fn state(provider: &IdentityProvider) -> Value {
    json!({
        "entity_id": provider.entity_id,
        "login_url": provider.login_url,
        "post_url": provider.post_url,
        "requests": provider.requests,
        "single_logout": provider.single_logout,
        "responses": provider.responses,
        "certificates":
            provider.certificates.iter().map(|c| c.fingerprint.as_str()).collect::<Vec<_>>(),
    })
}
