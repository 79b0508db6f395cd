//! A sign-in, from the request to the session.

use serde_json::json;

use super::{
    Error, IdentityProvider,
    attempts::{self, NewAttempt, Outcome},
    identity_provider,
    logout::{self, NewIdpSession},
    rules::return_path,
};
use crate::{
    audit::{self, Act, Actor, ActorKind, Change, Scope},
    directory::{self, User},
    id::{AttemptId, IdpSessionId, SpaceId, UserId},
    saml::{
        response::{self, VerifiedAssertion},
        trace::{Check, Trace, Verdict},
    },
    secret::{constant_time_eq, hex, random, random_token, sha256},
    space::{self, KeyPair, KeyPurpose, Space},
    store::{self as database, Read, Timestamp, Write, sql},
};

/// How many seconds a person has at the identity provider.
const REQUEST_SECONDS: i64 = 600;
/// How many seconds a browser has to come for its session.
pub const TICKET_SECONDS: i64 = 60;

/// A request that was begun.
#[derive(Clone)]
pub struct Begun {
    /// Its id: 160 random bits.
    pub request_id: String,
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
    let request_id = format!("_{}", hex(&random::<20>()?));
    sql("INSERT INTO login_requests
             (id, space_id, entity_id, return_to, binding_hash, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)")
    .bind(&request_id)
    .bind(space.id)
    .bind(&provider.entity_id)
    .bind(return_path(&space.name, return_to))
    .bind(sha256(binding.as_bytes()))
    .bind(act.now)
    .bind(act.now.plus_seconds(REQUEST_SECONDS))
    .execute(tx)
    .await?;
    let key = if provider.requests.sign {
        Some(space::key_pair(tx, space.id, KeyPurpose::ServiceProvider).await?)
    } else {
        None
    };
    Ok(Begun { request_id, provider, key })
}

/// A request that waits for its response.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct PendingRequest {
    /// Its id.
    pub id: String,
    /// The identity provider it went to.
    pub entity_id: String,
    /// When it was made.
    pub created_at: Timestamp,
    return_to: String,
    binding_hash: Vec<u8>,
}

/// The live request of this id in this space. It is not used up yet: whoever asks has proved
/// nothing so far.
pub async fn pending_request(
    tx: &mut Read,
    space: SpaceId,
    id: &str,
    now: Timestamp,
) -> Result<Option<PendingRequest>, database::Error> {
    sql("SELECT id, entity_id, return_to, binding_hash, created_at FROM login_requests
         WHERE id = $1 AND space_id = $2 AND expires_at > $3")
    .bind(id)
    .bind(space)
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// What came of a response.
#[derive(Clone, Debug)]
pub enum Judged {
    /// It is good. The browser that began may come for its session with this ticket.
    Accepted {
        /// The ticket; a secret.
        ticket: String,
    },
    /// It is refused at this check. The person is told no more than the kind of refusal.
    Refused(Check),
}

/// Takes a judged response: uses up its request, writes the ledger, finds the user, makes the
/// ticket. Commits either way: a refusal is recorded too.
pub async fn judge(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    request: Option<&PendingRequest>,
    outcome: response::Outcome,
) -> Result<Judged, Error> {
    let response::Outcome { mut trace, result } = outcome;
    let verified = match result {
        Ok(verified) => verified,
        Err(refusal) => return refuse(tx, act, space, None, &trace, refusal.check).await,
    };
    let name_id = Some(verified.name_id.as_str());
    let Some(request) = take(tx, space, request, act.now).await? else {
        let wanted = "a request that is answered once";
        trace.record(Check::InResponseTo, Verdict::Failed, wanted, "answered before");
        return refuse(tx, act, space, name_id, &trace, Check::InResponseTo).await;
    };
    let fresh = remember(tx, space, &request.entity_id, &verified).await?;
    if !trace.require(Check::Replay, fresh, "an assertion not seen before", &verified.assertion_id)
    {
        return refuse(tx, act, space, name_id, &trace, Check::Replay).await;
    }
    let over = logout::is_over(tx, space.id, &request.entity_id, &verified, act.now).await?;
    if over {
        let wanted = "a session that the identity provider has not ended";
        let received = "ended by a logout request before this came";
        trace.record(Check::SessionNotOnOrAfter, Verdict::Failed, wanted, received);
        return refuse(tx, act, space, name_id, &trace, Check::SessionNotOnOrAfter).await;
    }
    let user = directory::user_by_name(tx, space.id, &verified.name_id).await?;
    let wanted = "the name of a user";
    if !trace.require(Check::UserExists, user.is_some(), wanted, &verified.name_id) {
        return refuse(tx, act, space, name_id, &trace, Check::UserExists).await;
    }
    let enabled = user.as_ref().is_some_and(User::enabled);
    let received = if enabled { "enabled" } else { "disabled" };
    trace.require(Check::UserEnabled, enabled, "an enabled user", received);
    let Some(user) = user.filter(User::enabled) else {
        return refuse(tx, act, space, name_id, &trace, Check::UserEnabled).await;
    };
    let attempt = NewAttempt {
        space: space.id,
        outcome: Outcome::Accepted,
        user: Some(user.id),
        name_id,
        checks: &trace,
    };
    let attempt = attempts::insert(tx, act, attempt).await?;
    let expires_at = act.now.plus_seconds(TICKET_SECONDS);
    let session = NewIdpSession {
        space: space.id,
        user: user.id,
        issuer: &request.entity_id,
        verified: &verified,
        expires_at,
    };
    let session = logout::remember_session(tx, act, &session).await?;
    let ticket = random_token::<32>()?;
    sql("INSERT INTO login_tickets (ticket_hash, space_id, user_id, attempt_id, return_to,
                                    binding_hash, session_ends_at, expires_at, idp_session_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    .bind(sha256(ticket.as_bytes()))
    .bind(space.id)
    .bind(user.id)
    .bind(attempt)
    .bind(&request.return_to)
    .bind(request.binding_hash.as_slice())
    .bind(verified.session_not_on_or_after.map(Timestamp::from))
    .bind(expires_at)
    .bind(session)
    .execute(tx)
    .await?;
    Ok(Judged::Accepted { ticket })
}

async fn refuse(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    name_id: Option<&str>,
    trace: &Trace,
    check: Check,
) -> Result<Judged, Error> {
    let attempt = NewAttempt {
        space: space.id,
        outcome: Outcome::Refused,
        user: None,
        name_id,
        checks: trace,
    };
    let id = attempts::insert(tx, act, attempt).await?;
    let after = json!({ "check": check.name(), "name_id": name_id });
    record(tx, act, space.id, "sign_in.refuse", id, after).await?;
    Ok(Judged::Refused(check))
}

/// Uses a request up. Of two responses to one request only the first finds it.
async fn take(
    tx: &mut Write,
    space: &Space,
    request: Option<&PendingRequest>,
    now: Timestamp,
) -> Result<Option<PendingRequest>, database::Error> {
    let Some(request) = request else { return Ok(None) };
    sql("DELETE FROM login_requests WHERE id = $1 AND space_id = $2 AND expires_at > $3
         RETURNING id, entity_id, return_to, binding_hash, created_at")
    .bind(&request.id)
    .bind(space.id)
    .bind(now)
    .fetch_optional(tx)
    .await
}

/// Writes the assertion into the replay ledger; says whether it was new there.
async fn remember(
    tx: &mut Write,
    space: &Space,
    issuer: &str,
    verified: &VerifiedAssertion,
) -> Result<bool, database::Error> {
    let made = sql("INSERT INTO accepted_assertions (space_id, issuer, assertion_id, expires_at)
         VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING")
    .bind(space.id)
    .bind(issuer)
    .bind(&verified.assertion_id)
    .bind(Timestamp::from(verified.remember_until))
    .execute(tx)
    .await?;
    Ok(made == 1)
}

#[derive(sqlx::FromRow)]
struct TicketRow {
    space_id: SpaceId,
    user_id: UserId,
    attempt_id: AttemptId,
    return_to: String,
    binding_hash: Vec<u8>,
    session_ends_at: Option<Timestamp>,
    expires_at: Timestamp,
    idp_session_id: IdpSessionId,
}

/// A ticket that was good: whose session to open.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The space.
    pub space: Space,
    /// The user, enabled at this moment.
    pub user: User,
    /// Where to go.
    pub return_to: String,
    /// When the session ends: with the identity provider's, if that one's end is known.
    pub session_ends_at: Timestamp,
    /// The identity provider's session that it comes from.
    pub idp_session: IdpSessionId,
}

/// Takes a ticket from the browser that carries `binding`, for a session that lasts until `longest`
/// at most; none, with the attempt marked as
/// refused, when it is unknown, used, too old, of another space, or another browser's. The ticket
/// is used up in any case.
pub async fn redeem(
    tx: &mut Write,
    act: &Act,
    space_name: &str,
    ticket: &str,
    binding: Option<&str>,
    longest: Timestamp,
) -> Result<Option<Redeemed>, Error> {
    let row: Option<TicketRow> = sql("DELETE FROM login_tickets WHERE ticket_hash = $1
         RETURNING space_id, user_id, attempt_id, return_to, binding_hash, session_ends_at,
                   expires_at, idp_session_id")
    .bind(sha256(ticket.as_bytes()))
    .fetch_optional(tx)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let Some(attempt) = attempts::attempt(tx, row.attempt_id).await? else { return Ok(None) };
    let mut trace = attempt.checks().clone();
    let same = binding
        .is_some_and(|binding| constant_time_eq(&sha256(binding.as_bytes()), &row.binding_hash));
    let space = space::space(tx, row.space_id).await?;
    let user = directory::user(tx, row.space_id, row.user_id).await?;
    let found = space.zip(user).filter(|(space, user)| space.sso_enabled && user.enabled());
    let received = match (same, binding) {
        (false, Some(_)) => "another browser",
        (false, None) => "a browser without our cookie",
        (true, _) if row.expires_at <= act.now => "the same browser, too late",
        (true, _) => match &found {
            None => "the same browser, after sign-in or the user was switched off",
            Some((space, _)) if space.name != space_name => "the same browser, at another space",
            Some(_) => "the same browser",
        },
    };
    let holds = received == "the same browser";
    let wanted = "the browser that began, in time";
    trace.require(Check::BrowserBinding, holds, wanted, received);
    let Some((space, user)) = found.filter(|_| holds) else {
        attempts::finish(tx, attempt.id, Outcome::Refused, &trace).await?;
        let after = json!({ "check": Check::BrowserBinding.name(), "received": received });
        record(tx, act, row.space_id, "sign_in.refuse", attempt.id, after).await?;
        return Ok(None);
    };
    attempts::finish(tx, attempt.id, Outcome::SignedIn, &trace).await?;
    let actor =
        Actor { kind: ActorKind::User, id: user.id.to_string(), name: user.user_name.clone() };
    let after = json!({ "user_id": user.id, "user_name": user.user_name });
    record(tx, &act.by(actor), space.id, "sign_in.succeed", attempt.id, after).await?;
    let session_ends_at = row.session_ends_at.map_or(longest, |ends_at| ends_at.min(longest));
    let idp_session = row.idp_session_id;
    logout::keep_session(tx, idp_session, session_ends_at).await?;
    Ok(Some(Redeemed { space, user, return_to: row.return_to, session_ends_at, idp_session }))
}

async fn record(
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
