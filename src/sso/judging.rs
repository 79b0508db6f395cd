//! The verdict on a response: what it rests on is read, held against it, and claimed.

use serde_json::json;

use super::{
    Error, IdentityProvider, ProviderError,
    attempts::{self, NewAttempt, Outcome},
    identity_provider,
    logout::{self, NewIdpSession},
    rules::return_path,
    sign_in::{PendingRequest, record, remember, remembering, take},
    ticket::{self, NewTicket},
};
use crate::{
    audit::Act,
    directory, event,
    id::{AttemptId, SpaceId, UserId},
    saml::{
        cause::Cause,
        response::{self, VerifiedAssertion},
        trace::{Check, Trace},
    },
    space::Space,
    store::{self as database, Read, Sql, Timestamp, Write, sql},
};

/// What came of a response.
#[derive(Clone)]
pub enum Judged {
    /// It is good. The browser that began may come for its session with this ticket.
    Accepted {
        /// The ticket; a secret.
        ticket: String,
        /// What the browser that brought the response is to carry, where no browser began: another
        /// secret, without which the ticket is worth nothing.
        brought: Option<String>,
    },
    /// It is refused at this check. The person is told no more than the kind of refusal.
    Refused(Check),
}

impl std::fmt::Debug for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted { .. } => f.debug_struct("Accepted").finish_non_exhaustive(),
            Self::Refused(check) => f.debug_tuple("Refused").field(check).finish(),
        }
    }
}

/// What a response was held against, read before it was judged.
#[derive(Clone, Copy, Debug)]
pub struct Against<'a> {
    /// The space it came to.
    pub space: &'a Space,
    /// The configuration of that space.
    pub provider: &'a IdentityProvider,
    /// The request that it claims to answer, if there is one.
    pub request: Option<&'a PendingRequest>,
    /// What came along with it.
    pub relay_state: Option<&'a str>,
}

impl Against<'_> {
    /// Who has to have issued the assertion.
    fn issuer(&self) -> &str {
        self.request.map_or(&self.provider.entity_id, |request| &request.entity_id)
    }
}

/// Takes a judged response: uses up its request, writes the ledger, finds the user, makes the
/// ticket. Commits either way: a refusal is recorded too.
///
/// What it rests on is read first and claimed in the end, so it is for
/// [`Db::write_claiming_delayed`](database::Db::write_claiming_delayed).
pub async fn judge(
    tx: &mut Write,
    act: &Act,
    against: Against<'_>,
    outcome: &response::Outcome,
) -> Result<Judged, Error> {
    let space = against.space;
    let mut trace = outcome.trace.clone();
    let verified = match &outcome.result {
        Ok(verified) => verified,
        Err(refusal) => {
            if let Some(proof) = &outcome.refused_proof {
                return refuse_proof(tx, act, against, proof, &trace, refusal.check).await;
            }
            return refuse(tx, act, space, None, &trace, refusal.check).await;
        }
    };
    let name_id = Some(verified.identity.as_str());
    let present = present(tx, against, verified, act.now).await?;
    let (user, origin) = match accept(tx, act, against, verified, &present, &mut trace).await? {
        Ok(accepted) => accepted,
        Err(check) => {
            if verified.in_response_to.is_some() {
                take(tx, space.id, against.request, act.now).await?;
            }
            return refuse(tx, act, space, name_id, &trace, check).await;
        }
    };
    present.claim(tx, against, origin.request, verified, user, act.now).await?;
    if let Some(request) = origin.request {
        // An assertion answers one request by its signed word, and that request is used up now: no
        // other response can be here at this moment with the same assertion.
        remembering(space.id, &request.entity_id, verified).later(tx).await?;
    }
    let attempt = NewAttempt {
        space: space.id,
        outcome: Outcome::Accepted,
        user: Some(user),
        name_id,
        checks: &trace,
    };
    let attempt = attempts::insert(tx, act, attempt).await?;
    let binding_hash = origin.request.map(|request| request.binding_hash.as_slice());
    let expires_at = act.now.plus_seconds(ticket::seconds(binding_hash.is_some()));
    let session =
        NewIdpSession { space: space.id, user, issuer: &origin.entity_id, verified, expires_at };
    let session = logout::remember_session(tx, act, &session).await?;
    let ticket = NewTicket {
        space: space.id,
        user,
        attempt,
        return_to: &origin.return_to,
        binding_hash,
        session_ends_at: verified.session_not_on_or_after.map(Timestamp::from),
        expires_at,
        idp_session: session,
    };
    let (ticket, brought) = ticket::insert(tx, &ticket).await?;
    Ok(Judged::Accepted { ticket, brought })
}

/// What has to be known of the present moment before a response counts.
#[derive(sqlx::FromRow)]
struct Present {
    /// Whether sign-in is on still, by the very configuration that the response was judged by.
    stands: bool,
    /// Whether the request that it answers waits for it still.
    pending: bool,
    /// How often the identity provider has ended sessions of this space.
    logouts: Option<i64>,
    /// Whether it has ended one of this person.
    was_ended: bool,
    /// Whether the assertion is in the replay ledger.
    seen: bool,
    /// The user that the assertion names, if there is one.
    user_id: Option<UserId>,
    /// Whether that user may sign in.
    user_enabled: Option<bool>,
}

/// Reads what there is to know of this moment.
async fn present(
    tx: &mut Write,
    against: Against<'_>,
    verified: &VerifiedAssertion,
    now: Timestamp,
) -> Result<Present, database::Error> {
    let Against { space, provider, request, .. } = against;
    let mut query = sql("SELECT ");
    push_stands(&mut query, provider);
    query.push(" AS stands, EXISTS (SELECT 1 FROM login_requests r WHERE r.id = ");
    query.push_bind(request.map(|request| request.id.as_str()));
    query.push(" AND r.space_id = ").push_bind(space.id);
    query.push(" AND r.expires_at > ").push_bind(now).push(") AS pending, ");
    query.push("(SELECT p.logouts FROM identity_providers p WHERE p.space_id = ");
    query.push_bind(space.id).push(") AS logouts, ");
    query.push("EXISTS (SELECT 1 FROM received_logouts l WHERE l.space_id = ").push_bind(space.id);
    query.push(" AND l.name_id = ").push_bind(&verified.name_id).push(") AS was_ended, ");
    push_seen(&mut query, space.id, against.issuer(), verified);
    query.push(" AS seen");
    for (column, name) in [("u.id", "user_id"), ("u.active AND NOT u.blocked", "user_enabled")] {
        query.push(", (SELECT ").push(column).push(" FROM users u WHERE u.deleted_at IS NULL");
        query.push(" AND u.space_id = ").push_bind(space.id);
        query.push(" AND u.user_name_key = ").push_bind(directory::fold(&verified.identity));
        query.push(") AS ").push(name);
    }
    query.peek().fetch_one(tx).await
}

impl Present {
    /// Uses the request up, or without one holds the configuration, if all is still as it was read
    /// and the answer good. Whoever changes the configuration, or has sessions ended at the identity
    /// provider, waits for this, or this for them.
    async fn claim(
        &self,
        tx: &mut Write,
        against: Against<'_>,
        request: Option<&PendingRequest>,
        verified: &VerifiedAssertion,
        user: UserId,
        now: Timestamp,
    ) -> Result<(), database::Error> {
        let Against { space, provider, .. } = against;
        let space = space.id;
        let mut query = if let Some(request) = request {
            let mut query = sql("DELETE FROM login_requests WHERE id = ");
            query.push_bind(&request.id).push(" AND expires_at > ").push_bind(now);
            query.push(" AND NOT ");
            push_seen(&mut query, space, &request.entity_id, verified);
            query.push(" AND space_id = (SELECT p.space_id FROM identity_providers p");
            query.push(" WHERE p.space_id = ").push_bind(space);
            query.push(" AND p.updated_at = ").push_bind(provider.updated_at);
            query.push(" AND p.logouts = ").push_bind(self.logouts);
            query.push(tx.for_share()).push(")");
            query
        } else {
            let mut query = sql("UPDATE identity_providers SET updated_at = updated_at");
            query.push(" WHERE updated_at = ").push_bind(provider.updated_at);
            query.push(" AND logouts = ").push_bind(self.logouts);
            query
        };
        query.push(" AND space_id = ").push_bind(space).push(" AND ");
        push_stands(&mut query, provider);
        query.push(" AND EXISTS (SELECT 1 FROM users u WHERE u.id = ").push_bind(user);
        query.push(" AND u.space_id = ").push_bind(space);
        query.push(" AND u.user_name_key = ").push_bind(directory::fold(&verified.identity));
        query.push(" AND u.deleted_at IS NULL AND u.active AND NOT u.blocked)");
        query.claim(tx).await
    }
}

/// Appends whether sign-in is on, by this very configuration.
fn push_stands(query: &mut Sql, provider: &IdentityProvider) {
    query.push("EXISTS (SELECT 1 FROM spaces s JOIN identity_providers p ON p.space_id = s.id");
    query.push(" WHERE s.id = ").push_bind(provider.space_id);
    query.push(" AND s.sso_enabled = ").push_bind(true);
    query.push(" AND p.updated_at = ").push_bind(provider.updated_at).push(")");
}

/// Appends whether an assertion of that issuer is in the ledger.
fn push_seen(query: &mut Sql, space: SpaceId, issuer: &str, verified: &VerifiedAssertion) {
    query.push("EXISTS (SELECT 1 FROM accepted_assertions a WHERE a.space_id = ");
    query.push_bind(space).push(" AND a.issuer = ").push_bind(issuer);
    query.push(" AND a.assertion_id = ").push_bind(&verified.assertion_id).push(")");
}

/// Where a good response came from, and where it leads.
struct Origin<'a> {
    /// The request that it answers; none when sign-in began at the identity provider.
    request: Option<&'a PendingRequest>,
    entity_id: String,
    return_to: String,
}

/// Holds the response against what is known of this moment. What failed is in the trace.
async fn accept<'a>(
    tx: &mut Write,
    act: &Act,
    against: Against<'a>,
    verified: &VerifiedAssertion,
    present: &Present,
    trace: &mut Trace,
) -> Result<Result<(UserId, Origin<'a>), Check>, Error> {
    let space = against.space.id;
    let origin = match origin(tx, against, verified, present, trace).await? {
        Ok(origin) => origin,
        Err(check) => return Ok(Err(check)),
    };
    let fresh = match origin.request {
        Some(_) => !present.seen,
        // Nothing else can be used up: the ledger itself decides.
        None => remember(tx, space, &origin.entity_id, verified).await?,
    };
    let (wanted, cause) = ("an assertion not seen before", Cause::Replayed);
    if !trace.require(Check::Replay, fresh, cause, wanted, &verified.assertion_id) {
        return Ok(Err(Check::Replay));
    }
    if present.was_ended && logout::is_over(tx, space, &origin.entity_id, verified, act.now).await?
    {
        let wanted = "a session that the identity provider has not ended";
        let received = "ended by a logout request before this came";
        trace.fail(Check::SessionNotOnOrAfter, Cause::SessionOver, wanted, received);
        return Ok(Err(Check::SessionNotOnOrAfter));
    }
    let person = present.user_id.zip(present.user_enabled);
    Ok(check_person(trace, verified, person).map(|user| (user, origin)))
}

/// Where the response came from: the request that it answers, which waits for it still, or, where
/// it answers none, settings of this moment that allow that.
async fn origin<'a>(
    tx: &mut Write,
    against: Against<'a>,
    verified: &VerifiedAssertion,
    present: &Present,
    trace: &mut Trace,
) -> Result<Result<Origin<'a>, Check>, Error> {
    let Against { space, request, relay_state, .. } = against;
    if verified.in_response_to.is_none() {
        if !present.stands {
            return Err(ProviderError::ChangedMeanwhile.into());
        }
        let provider = identity_provider(tx, space.id).await?;
        let provider = provider.filter(|it| space.sso_enabled && it.responses.allow_unsolicited);
        trace.skip(Check::RelayState, "", "begun at the identity provider");
        let Some(provider) = provider else {
            let (wanted, cause) = ("the id of a live request", Cause::Unsolicited);
            trace.fail(Check::InResponseTo, cause, wanted, "absent");
            return Ok(Err(Check::InResponseTo));
        };
        let return_to = return_path(&space.name, None);
        return Ok(Ok(Origin { request: None, entity_id: provider.entity_id, return_to }));
    }
    let Some(request) = request.filter(|_| present.pending) else {
        let wanted = "a request that is answered once";
        trace.fail(Check::InResponseTo, Cause::OtherRequest, wanted, "answered before");
        return Ok(Err(Check::InResponseTo));
    };
    if !present.stands {
        return Err(ProviderError::ChangedMeanwhile.into());
    }
    if !request.check_relay_state(trace, relay_state) {
        return Ok(Err(Check::RelayState));
    }
    let (entity_id, return_to) = (request.entity_id.clone(), request.return_to.clone());
    Ok(Ok(Origin { request: Some(request), entity_id, return_to }))
}

/// The enabled user that an assertion names. What failed is in the trace.
pub(super) async fn person(
    tx: &mut Read,
    space: SpaceId,
    verified: &VerifiedAssertion,
    trace: &mut Trace,
) -> Result<Result<UserId, Check>, Error> {
    let user = directory::user_by_name(tx, space, &verified.identity).await?;
    Ok(check_person(trace, verified, user.map(|user| (user.id, user.enabled()))))
}

/// That there is such a user, who may sign in. What failed is in the trace.
fn check_person(
    trace: &mut Trace,
    verified: &VerifiedAssertion,
    person: Option<(UserId, bool)>,
) -> Result<UserId, Check> {
    let (wanted, cause) = ("the name of a user", Cause::UnknownUser);
    trace.require(Check::UserExists, person.is_some(), cause, wanted, &verified.identity);
    let Some((id, enabled)) = person else { return Err(Check::UserExists) };
    let received = if enabled { "enabled" } else { "disabled" };
    let (wanted, cause) = ("an enabled user", Cause::UserDisabled);
    if trace.require(Check::UserEnabled, enabled, cause, wanted, received) {
        Ok(id)
    } else {
        Err(Check::UserEnabled)
    }
}

/// Refuses what the strict core took and the ledger or the second opinion did not. Whoever has it may
/// bring it again, so request and assertion are used up like those of a good one, and what happened
/// is told once.
async fn refuse_proof(
    tx: &mut Write,
    act: &Act,
    against: Against<'_>,
    proof: &VerifiedAssertion,
    trace: &Trace,
    check: Check,
) -> Result<Judged, Error> {
    let space = against.space;
    if proof.in_response_to.is_some() {
        take(tx, space.id, against.request, act.now).await?;
    }
    if !remember(tx, space.id, against.issuer(), proof).await? {
        return refuse(tx, act, space, None, trace, check).await;
    }
    let attempt = leave(tx, act, space, Some(&proof.identity), trace, check).await?;
    alarm(tx, act, space.id, &attempt.to_string(), trace).await?;
    Ok(Judged::Refused(check))
}

async fn refuse(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    name_id: Option<&str>,
    trace: &Trace,
    check: Check,
) -> Result<Judged, Error> {
    leave(tx, act, space, name_id, trace, check).await?;
    Ok(Judged::Refused(check))
}

/// Leaves a refused attempt, and of what proved something a record.
async fn leave(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    name_id: Option<&str>,
    trace: &Trace,
    check: Check,
) -> Result<AttemptId, Error> {
    let attempt = NewAttempt {
        space: space.id,
        outcome: Outcome::Refused,
        user: None,
        name_id,
        checks: trace,
    };
    let id = attempts::insert(tx, act, attempt).await?;
    // Anybody can send what proves nothing: that leaves an attempt, which is forgotten in time, and
    // no line in the audit log, which is not.
    if name_id.is_some() {
        let after = json!({ "check": check.name(), "name_id": name_id });
        record(tx, act, space.id, "sign_in.refuse", id, after).await?;
    }
    Ok(id)
}

/// One implementation accepts a response and another does not: one of them is wrong, and somebody
/// may know it. Tells everybody who listens; `object` is where there is more to read.
pub(super) async fn alarm(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    object: &str,
    trace: &Trace,
) -> Result<(), database::Error> {
    tracing::error!(%space, object, "the second opinion disagrees over a response");
    let said = trace.first_failure().map_or("", |entry| entry.received.as_str());
    event::announce_disagreement(tx, act, space, object, said).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_in_debug_output() {
        let secret = "a secret".to_owned();
        let judged = Judged::Accepted { ticket: secret.clone(), brought: Some(secret.clone()) };
        let shown = format!("{judged:?}");
        assert!(!shown.contains(&secret), "{shown}");
    }
}
