//! Ending sessions, here and at the identity provider (SAML profiles §4.4).
//!
//! Every portal session remembers the identity provider's session it came from
//! (`identity_provider_sessions`). Deleting that row ends the session, and a ticket on its way to
//! one, on every replica at once.

use serde_json::{Value, json};

use super::{Error, IdentityProvider, ProviderError, identity_provider};
use crate::{
    audit::{
        self, Act, Change, Scope,
        unproved::{self, Counted, Unproved, UnprovedDoor},
    },
    id::{IdpSessionId, SpaceId, UserId},
    saml::{
        logout::{
            Ending, LogoutCheck, LogoutTrace, NameIdentifier, Outcome, Verified, VerifiedRequest,
            VerifiedResponse, Way,
        },
        response::VerifiedAssertion,
    },
    secret::{constant_time_eq, hex, random, sha256},
    space::{self, KeyPair, KeyPurpose, Space},
    store::{
        self as database, Door, Json, Read, Sql, Timestamp, Write, end_sessions, sql, text_enum,
    },
};

/// How many seconds the identity provider has to answer, and the browser to ask what came of it.
const REQUEST_SECONDS: i64 = 600;

text_enum! {
    /// What came of a single logout that began here.
    pub enum LogoutState {
        /// The identity provider has not answered.
        Pending = "pending",
        /// It ended every session.
        Complete = "complete",
        /// It could not end every session.
        Partial = "partial",
        /// It refused or failed.
        Failed = "failed",
    }
}

impl From<Ending> for LogoutState {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Complete => Self::Complete,
            Ending::Partial => Self::Partial,
            Ending::Failed => Self::Failed,
        }
    }
}

/// The session at the identity provider that a good assertion tells of.
pub(super) struct NewIdpSession<'a> {
    pub space: SpaceId,
    pub user: UserId,
    pub issuer: &'a str,
    pub verified: &'a VerifiedAssertion,
    pub expires_at: Timestamp,
}

/// Remembers it.
pub(super) async fn remember_session(
    tx: &mut Write,
    act: &Act,
    new: &NewIdpSession<'_>,
) -> Result<IdpSessionId, database::Error> {
    let id: IdpSessionId = act.new_id();
    let verified = new.verified;
    sql("INSERT INTO identity_provider_sessions
             (id, space_id, user_id, issuer, name_id, name_id_format, name_qualifier,
              sp_name_qualifier, session_index, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
    .bind(id)
    .bind(new.space)
    .bind(new.user)
    .bind(new.issuer)
    .bind(&verified.name_id)
    .bind(verified.name_id_format.as_deref())
    .bind(verified.name_qualifier.as_deref())
    .bind(verified.sp_name_qualifier.as_deref())
    .bind(verified.session_index.as_deref())
    .bind(act.now)
    .bind(new.expires_at)
    .later(tx)
    .await?;
    Ok(id)
}

/// Our session lasts until then, and this is remembered as long.
pub(super) async fn keep_session(
    tx: &mut Write,
    id: IdpSessionId,
    until: Timestamp,
) -> Result<(), database::Error> {
    sql("UPDATE identity_provider_sessions SET expires_at = $1 WHERE id = $2")
        .bind(until)
        .bind(id)
        .later(tx)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct ReceivedRow {
    session_indexes: Json<Vec<String>>,
    issued_at: Timestamp,
}

/// Whether the identity provider ended the session of an assertion before the assertion came (SAML
/// core §3.7.3.1). Both times are by its clock; times of authentication are often cut to the
/// second.
pub(super) async fn is_over(
    tx: &mut Read,
    space: SpaceId,
    issuer: &str,
    verified: &VerifiedAssertion,
    now: Timestamp,
) -> Result<bool, database::Error> {
    let logouts: Vec<ReceivedRow> = sql("SELECT session_indexes, issued_at FROM received_logouts
         WHERE space_id = $1 AND name_id = $2 AND issuer = $3 AND expires_at > $4")
    .bind(space)
    .bind(&verified.name_id)
    .bind(issuer)
    .bind(now)
    .fetch_all(tx)
    .await?;
    let authenticated_at = verified.authenticated_at.as_second();
    Ok(logouts.into_iter().any(|logout| {
        let indexes = logout.session_indexes.0;
        let named = indexes.is_empty()
            || verified.session_index.as_ref().is_some_and(|index| indexes.contains(index));
        named && authenticated_at < logout.issued_at.as_second()
    }))
}

#[derive(sqlx::FromRow)]
struct IdpSessionRow {
    issuer: String,
    name_id: String,
    name_id_format: Option<String>,
    name_qualifier: Option<String>,
    sp_name_qualifier: Option<String>,
    session_index: Option<String>,
}

/// A request to the identity provider to end its session, to be written and sent.
#[derive(Clone)]
pub struct AskingToEnd {
    /// Its id: 160 random bits.
    pub request_id: String,
    /// How and where it goes.
    pub way: Way,
    /// Whose session.
    pub name_id: NameIdentifier,
    /// Which one.
    pub session_index: Option<String>,
    /// What to sign with.
    pub key: KeyPair,
}

/// Signs a user out: ends every portal session of theirs (PRT-12). If the session they sign out in
/// came from the identity provider of today and that one takes logout requests, the browser that
/// carries `binding` is to ask it; what comes of that is [`logout_state`].
pub async fn sign_out(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    user: UserId,
    session: IdpSessionId,
    binding: &str,
) -> Result<Option<AskingToEnd>, Error> {
    let came_from: Option<IdpSessionRow> =
        sql("SELECT issuer, name_id, name_id_format, name_qualifier, sp_name_qualifier,
                    session_index
             FROM identity_provider_sessions WHERE id = $1 AND space_id = $2 AND user_id = $3")
        .bind(session)
        .bind(space.id)
        .bind(user)
        .fetch_optional(tx)
        .await?;
    let ended = end_sessions(tx, Door::Portal, user.0).await?;
    sql("DELETE FROM identity_provider_sessions WHERE user_id = $1").bind(user).execute(tx).await?;
    let provider = identity_provider(tx, space.id).await?;
    let asking = match came_from.zip(provider) {
        // Without a name there is nothing to ask by: a person whom an attribute named, in an
        // assertion without a name identifier.
        Some((row, provider)) if row.issuer == provider.entity_id && !row.name_id.is_empty() => {
            match provider.single_logout.way_for_requests() {
                Some(way) => Some(ask(tx, act, space, user, (row, way), binding).await?),
                None => None,
            }
        }
        Some(_) | None => None,
    };
    let after = json!({ "sessions": ended, "asks_identity_provider": asking.is_some() });
    record(tx, act, space.id, "portal.sign_out", Object::User(user), after).await?;
    Ok(asking)
}

async fn ask(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    user: UserId,
    (row, way): (IdpSessionRow, Way),
    binding: &str,
) -> Result<AskingToEnd, Error> {
    let request_id = format!("_{}", hex(&random::<20>()?));
    sql("INSERT INTO logout_requests
             (id, space_id, user_id, entity_id, binding_hash, state, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(&request_id)
    .bind(space.id)
    .bind(user)
    .bind(&row.issuer)
    .bind(sha256(binding.as_bytes()))
    .bind(LogoutState::Pending)
    .bind(act.now)
    .bind(act.now.plus_seconds(REQUEST_SECONDS))
    .execute(tx)
    .await?;
    let name_id = NameIdentifier {
        value: row.name_id,
        format: row.name_id_format,
        name_qualifier: row.name_qualifier,
        sp_name_qualifier: row.sp_name_qualifier,
    };
    let key = space::key_pair(tx, space.id, KeyPurpose::ServiceProvider).await?;
    Ok(AskingToEnd { request_id, way, name_id, session_index: row.session_index, key })
}

#[derive(sqlx::FromRow)]
struct StateRow {
    state: LogoutState,
    user_id: UserId,
    binding_hash: Vec<u8>,
}

/// What has come so far of a single logout, and whose it is, for the browser that began it and no
/// other.
pub async fn logout_state(
    tx: &mut Read,
    space: SpaceId,
    request_id: &str,
    binding: &str,
    now: Timestamp,
) -> Result<Option<(LogoutState, UserId)>, database::Error> {
    let row: Option<StateRow> = sql("SELECT state, user_id, binding_hash FROM logout_requests
         WHERE id = $1 AND space_id = $2 AND expires_at > $3")
    .bind(request_id)
    .bind(space)
    .bind(now)
    .fetch_optional(tx)
    .await?;
    let row = row.filter(|row| constant_time_eq(&sha256(binding.as_bytes()), &row.binding_hash));
    Ok(row.map(|row| (row.state, row.user_id)))
}

/// What a logout message did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// What the identity provider ended has ended here too; or nothing of it was here, which is
    /// told apart to nobody. The request of this id is to be answered.
    Obeyed {
        /// The identity provider's request.
        request_id: String,
    },
    /// The identity provider has said what came of a logout that began here.
    Finished {
        /// Our request.
        request_id: String,
    },
    /// The message counts for nothing.
    Refused {
        /// The check that it failed first.
        check: LogoutCheck,
        /// The request to answer, if its sender is proved.
        request_id: Option<String>,
    },
}

/// Takes a message that was judged by this configuration. Commits either way: a refusal is recorded
/// too, or counted ([`refused_logouts`]) where nobody knows who sent it.
///
/// It waits for sign-ins under way and they for it, so it is for
/// [`Db::write_claiming`](database::Db::write_claiming).
///
/// # Errors
/// [`ProviderError::ChangedMeanwhile`] when a request was judged by what is configured no more.
pub async fn heard(
    tx: &mut Write,
    act: &Act,
    provider: &IdentityProvider,
    outcome: &Outcome,
) -> Result<Heard, Error> {
    let Outcome { trace, result, is_proved, answerable } = outcome;
    let (mut trace, space) = (trace.clone(), provider.space_id);
    let refused = match result {
        Err(refusal) => refusal.check,
        Ok(Verified::Request(request)) => {
            if obey(tx, act, provider, request).await? {
                return Ok(Heard::Obeyed { request_id: request.id.clone() });
            }
            let wanted = "a request not seen before";
            trace.fail(LogoutCheck::Replay, wanted, &request.id);
            LogoutCheck::Replay
        }
        Ok(Verified::Response(response)) => {
            if finish(tx, act, space, &provider.entity_id, response).await? {
                return Ok(Heard::Finished { request_id: response.in_response_to.clone() });
            }
            let wanted = "a logout that began here and was not answered yet";
            let received = &response.in_response_to;
            trace.fail(LogoutCheck::InResponseTo, wanted, received);
            LogoutCheck::InResponseTo
        }
    };
    let reasons = reasons(&trace);
    if *is_proved && !may_be_anybodys(refused) {
        record(tx, act, space, "single_logout.refuse", Object::Space, reasons).await?;
    } else {
        let (door, cause) = (UnprovedDoor::SingleLogout, refused.name());
        let one = Unproved { door, owner: space.0, cause, detail: &reasons };
        unproved::count(tx, act, one).await?;
    }
    Ok(Heard::Refused { check: refused, request_id: answerable.clone() })
}

/// Whether a message that fails this check may come from anybody, however well it is signed: one that
/// was meant for somebody else, is old, or was obeyed already stands in histories and in the logs of
/// proxies. It is counted, like what proves nothing: nobody is to fill the audit log with it.
fn may_be_anybodys(check: LogoutCheck) -> bool {
    matches!(
        check,
        LogoutCheck::Destination
            | LogoutCheck::IssueInstant
            | LogoutCheck::NotOnOrAfter
            | LogoutCheck::Replay
    )
}

/// The logout messages of a space that were refused and proved nothing, by the check that refused
/// them, the latest first.
pub async fn refused_logouts(
    tx: &mut Read,
    space: SpaceId,
) -> Result<Vec<Counted>, database::Error> {
    unproved::counted(tx, UnprovedDoor::SingleLogout, space.0).await
}

/// Why a message was refused, for administrators: each failed check, and what to change.
fn reasons(trace: &LogoutTrace) -> Value {
    let failed = trace.failures().map(|entry| {
        json!({
            "check": entry.check.name(),
            "wanted": entry.wanted,
            "received": entry.received,
            "advice": entry.check.advice(),
        })
    });
    json!({ "failed": failed.collect::<Vec<_>>() })
}

/// Ends what a request names. False when the request was obeyed before.
async fn obey(
    tx: &mut Write,
    act: &Act,
    provider: &IdentityProvider,
    request: &VerifiedRequest,
) -> Result<bool, Error> {
    let (space, issuer) = (provider.space_id, provider.entity_id.as_str());
    // A message that was obeyed already changes nothing at all: nobody's sign-in waits for it.
    let fresh = sql("INSERT INTO received_logouts
             (space_id, issuer, message_id, name_id, session_indexes, issued_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING")
    .bind(space)
    .bind(issuer)
    .bind(&request.id)
    .bind(&request.name_id)
    .bind(&json!(request.session_indexes))
    .bind(Timestamp::from(request.issued_at))
    .bind(Timestamp::from(request.remember_until))
    .execute(tx)
    .await?;
    if fresh == 0 {
        return Ok(false);
    }
    // A sign-in at this very moment was claimed before this, and is found below; or it waits here,
    // finds that sessions were ended, and is judged again.
    let counted = sql("UPDATE identity_providers SET logouts = logouts + 1
         WHERE space_id = $1 AND updated_at = $2")
    .bind(space)
    .bind(provider.updated_at)
    .execute(tx)
    .await?;
    if counted == 0 {
        return Err(ProviderError::ChangedMeanwhile.into());
    }
    let named = |query: &mut Sql| {
        query.push(" space_id = ").push_bind(space);
        query.push(" AND issuer = ").push_bind(issuer);
        query.push(" AND name_id = ").push_bind(&request.name_id);
        if !request.session_indexes.is_empty() {
            query.push(" AND session_index IN (");
            query.push_list(request.session_indexes.iter().map(String::as_str)).push(")");
        }
    };
    let mut sessions = sql("DELETE FROM sessions WHERE idp_session_id IN
         (SELECT id FROM identity_provider_sessions WHERE");
    named(&mut sessions);
    sessions.push(")");
    let ended = sessions.execute(tx).await?;
    let mut gone = sql("DELETE FROM identity_provider_sessions WHERE");
    named(&mut gone);
    gone.push(" RETURNING user_id");
    let users: Vec<(UserId,)> = gone.fetch_all(tx).await?;
    let mut users: Vec<UserId> = users.into_iter().map(|(user,)| user).collect();
    users.sort_unstable();
    users.dedup();
    let after = json!({
        "name_id": request.name_id,
        "session_indexes": request.session_indexes,
        "users": users,
        "sessions": ended,
    });
    record(tx, act, space, "single_logout.obey", Object::Space, after).await?;
    Ok(true)
}

/// Writes down what came of a logout of ours. False when there is none to answer.
async fn finish(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    issuer: &str,
    response: &VerifiedResponse,
) -> Result<bool, Error> {
    let state = LogoutState::from(response.ending);
    let user: Option<(UserId,)> = sql("UPDATE logout_requests SET state = $1
         WHERE id = $2 AND space_id = $3 AND entity_id = $4 AND state = $5 AND expires_at > $6
         RETURNING user_id")
    .bind(state)
    .bind(&response.in_response_to)
    .bind(space)
    .bind(issuer)
    .bind(LogoutState::Pending)
    .bind(act.now)
    .fetch_optional(tx)
    .await?;
    let Some((user,)) = user else { return Ok(false) };
    let after = json!({ "outcome": state.to_string(), "status": response.codes });
    record(tx, act, space, "single_logout.finish", Object::User(user), after).await?;
    Ok(true)
}

/// What a record is about.
enum Object {
    Space,
    User(UserId),
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    action: &'static str,
    object: Object,
    after: Value,
) -> Result<(), database::Error> {
    let (object_kind, object_id) = match object {
        Object::Space => ("space", space.to_string()),
        Object::User(user) => ("user", user.to_string()),
    };
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind,
        object_id: &object_id,
        before: json!(null),
        after,
    };
    audit::record(tx, act, change).await
}
