//! The requests of sign-ins under way, and what is remembered of their answers.

use serde_json::json;

use super::{Error, IdentityProvider, identity_provider, rules::return_path};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{AttemptId, SignInTestId, SpaceId},
    saml::{
        cause::Cause,
        response::{Received, VerifiedAssertion},
        trace::{Check, Trace},
    },
    secret::{constant_time_eq, hex, random, random_token, sha256},
    space::{self, KeyPair, KeyPurpose, Space},
    store::{self as database, Read, Sql, Timestamp, Write, sql},
};

/// How many seconds a person has at the identity provider.
const REQUEST_SECONDS: i64 = 600;

/// A request that was begun.
#[derive(Clone)]
pub struct Begun {
    /// Its id: 160 random bits.
    pub request_id: String,
    /// What the identity provider is to return with its answer: 192 random bits that say nothing.
    pub relay_state: String,
    /// The identity provider to ask.
    pub provider: IdentityProvider,
    /// The key to sign the request with, if it is to be signed.
    pub key: Option<KeyPair>,
}

/// Begins a sign-in: remembers a fresh request for the browser that carries `binding`.
pub async fn begin(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    binding: &str,
    return_to: Option<&str>,
) -> Result<Begun, Error> {
    if !space.sso_enabled {
        return Err(Error::SwitchedOff);
    }
    let provider = identity_provider(tx, space.id)
        .await?
        .filter(IdentityProvider::is_complete)
        .ok_or(Error::NotConfigured)?;
    let request = NewRequest {
        provider,
        binding_hash: sha256(binding.as_bytes()),
        return_to: return_path(&space.name, return_to),
        test: None,
    };
    ask(tx, act, space.id, request).await
}

/// A request to be made.
pub(super) struct NewRequest {
    pub provider: IdentityProvider,
    pub binding_hash: [u8; 32],
    pub return_to: String,
    /// The test it belongs to; none in real life.
    pub test: Option<SignInTestId>,
}

/// Remembers a fresh request.
pub(super) async fn ask(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    new: NewRequest,
) -> Result<Begun, Error> {
    let NewRequest { provider, binding_hash, return_to, test } = new;
    let request_id = format!("_{}", hex(&random::<20>()?));
    let relay_state = random_token::<24>()?;
    sql(
        "INSERT INTO login_requests (id, space_id, entity_id, return_to, binding_hash, relay_state,
                                     test_id, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(&request_id)
    .bind(space)
    .bind(&provider.entity_id)
    .bind(return_to)
    .bind(binding_hash)
    .bind(&relay_state)
    .bind(test)
    .bind(act.now)
    .bind(act.now.plus_seconds(REQUEST_SECONDS))
    .execute(tx)
    .await?;
    let key = if provider.requests.sign {
        Some(space::key_pair(tx, space, KeyPurpose::ServiceProvider).await?)
    } else {
        None
    };
    Ok(Begun { request_id, relay_state, provider, key })
}

/// A request that waits for its response.
#[derive(Clone, sqlx::FromRow)]
pub struct PendingRequest {
    /// Its id.
    pub id: String,
    /// The identity provider it went to.
    pub entity_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The test it belongs to; none in real life.
    pub test_id: Option<SignInTestId>,
    pub(super) return_to: String,
    pub(super) binding_hash: Vec<u8>,
    relay_state: String,
}

impl std::fmt::Debug for PendingRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("PendingRequest");
        shown.field("entity_id", &self.entity_id).field("created_at", &self.created_at);
        shown.field("test_id", &self.test_id).finish_non_exhaustive()
    }
}

impl PendingRequest {
    /// Holds what came back against what was sent. An identity provider that drops it does no
    /// harm: the request is known by its id all the same.
    pub(super) fn check_relay_state(&self, trace: &mut Trace, received: Option<&str>) -> bool {
        let wanted = "what was sent along";
        let Some(received) = received.filter(|received| !received.is_empty()) else {
            trace.skip(Check::RelayState, wanted, "absent");
            return true;
        };
        let holds = constant_time_eq(received.as_bytes(), self.relay_state.as_bytes());
        let received = if holds { wanted } else { "something else" };
        trace.require(Check::RelayState, holds, Cause::OtherRelayState, wanted, received)
    }
}

/// The live request in this space that a message claims to answer, by its id or else by the value
/// that was sent along. It is not used up yet: whoever asks has proved nothing so far. And one
/// that is found by the value only is good to say what is wrong, because the id has to be right.
pub async fn pending_request(
    tx: &mut Read,
    space: SpaceId,
    id: Option<&str>,
    relay_state: Option<&str>,
    now: Timestamp,
) -> Result<Option<PendingRequest>, database::Error> {
    for (condition, value) in [("id = ", id), ("relay_state = ", relay_state)] {
        let Some(value) = value.filter(|value| !value.is_empty()) else { continue };
        let mut query =
            sql("SELECT id, entity_id, return_to, binding_hash, relay_state, test_id, created_at
             FROM login_requests WHERE ");
        query.push(condition).push_bind(value).push(" AND space_id = ").push_bind(space);
        query.push(" AND expires_at > ").push_bind(now);
        if let Some(found) = query.fetch_optional(tx).await? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// Uses a request up. Of two responses to one request only the first finds it.
pub(super) async fn take(
    tx: &mut Write,
    space: SpaceId,
    request: Option<&PendingRequest>,
    now: Timestamp,
) -> Result<Option<PendingRequest>, database::Error> {
    let Some(request) = request else { return Ok(None) };
    sql("DELETE FROM login_requests WHERE id = $1 AND space_id = $2 AND expires_at > $3
         RETURNING id, entity_id, return_to, binding_hash, relay_state, test_id, created_at")
    .bind(&request.id)
    .bind(space)
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Writes the assertion into the replay ledger; says whether it was new there.
pub(super) async fn remember(
    tx: &mut Write,
    space: SpaceId,
    issuer: &str,
    verified: &VerifiedAssertion,
) -> Result<bool, database::Error> {
    Ok(remembering(space, issuer, verified).execute(tx).await? == 1)
}

/// The id of the assertion that a message claims to hold, if the replay ledger has it.
pub async fn used(
    tx: &mut Read,
    space: SpaceId,
    received: &Received,
) -> Result<Option<String>, database::Error> {
    let Some((issuer, id)) = received.assertion_unverified() else { return Ok(None) };
    let mut query = sql("SELECT assertion_id FROM accepted_assertions WHERE space_id = ");
    query.push_bind(space).push(" AND issuer = ").push_bind(issuer);
    query.push(" AND assertion_id = ").push_bind(id);
    let found: Option<(String,)> = query.fetch_optional(tx).await?;
    Ok(found.map(|(id,)| id))
}

pub(super) fn remembering(space: SpaceId, issuer: &str, verified: &VerifiedAssertion) -> Sql {
    sql("INSERT INTO accepted_assertions (space_id, issuer, assertion_id, expires_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
    .bind(space)
    .bind(issuer)
    .bind(&verified.assertion_id)
    .bind(Timestamp::from(verified.remember_until))
}

pub(super) async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    id: AttemptId,
    after: serde_json::Value,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "sign_in_attempt",
        object_id: &id.to_string(),
        before: json!(null),
        after,
    };
    audit::record(tx, act, change).await
}

/// Forgets requests, tickets, sessions and ledger entries that have expired; they count for nothing by then.
pub async fn forget_expired(tx: &mut Write, now: Timestamp) -> Result<(), database::Error> {
    for forget in [
        "DELETE FROM login_requests WHERE expires_at <= $1",
        "DELETE FROM login_tickets WHERE expires_at <= $1",
        "DELETE FROM accepted_assertions WHERE expires_at <= $1",
        "DELETE FROM identity_provider_sessions WHERE expires_at <= $1",
        "DELETE FROM received_logouts WHERE expires_at <= $1",
        "DELETE FROM logout_requests WHERE expires_at <= $1",
    ] {
        sql(forget).bind(now).execute(tx).await?;
    }
    Ok(())
}
