//! Tickets: what the assertion consumer service gives to a browser, and takes back for a session.

use serde_json::json;

use super::{
    Error,
    attempts::{self, Outcome},
    logout,
    sign_in::record,
};
use crate::{
    audit::{Act, Actor, ActorKind},
    directory::{self, User},
    id::{AttemptId, IdpSessionId, SpaceId, UserId},
    saml::{
        cause::Cause,
        trace::{Check, Trace},
    },
    secret::{constant_time_eq, random_token, sha256},
    space::Networks,
    store::{self as database, Json, Read, Sql, Timestamp, Write, sql},
};

/// How many seconds a browser has to come for its session.
pub const TICKET_SECONDS: i64 = 60;
/// How many seconds a person has to say yes to a sign-in that began at the identity provider.
const QUESTION_SECONDS: i64 = 300;

/// How many seconds a ticket is good for: one that is `bound` to a browser, or one that somebody
/// has to say yes to.
pub(super) fn seconds(bound: bool) -> i64 {
    if bound { TICKET_SECONDS } else { QUESTION_SECONDS }
}

/// A ticket to be made.
pub(super) struct NewTicket<'a> {
    pub space: SpaceId,
    pub user: UserId,
    pub attempt: AttemptId,
    pub return_to: &'a str,
    /// The browser that began; none when sign-in began at the identity provider.
    pub binding_hash: Option<&'a [u8]>,
    pub session_ends_at: Option<Timestamp>,
    pub expires_at: Timestamp,
    pub idp_session: IdpSessionId,
}

/// Makes a ticket; a secret, of which a hash is kept. Where no browser began, a second one for the
/// browser that brought the response: who has only the ticket has nothing.
pub(super) async fn insert(
    tx: &mut Write,
    new: &NewTicket<'_>,
) -> Result<(String, Option<String>), Error> {
    let ticket = random_token::<32>()?;
    let brought = match new.binding_hash {
        Some(_) => None,
        None => Some(random_token::<32>()?),
    };
    let brought_hash = brought.as_ref().map(|it| sha256(it.as_bytes()));
    let binding_hash = new.binding_hash.or(brought_hash.as_ref().map(<[u8; 32]>::as_slice));
    sql("INSERT INTO login_tickets (ticket_hash, space_id, user_id, attempt_id, return_to,
                                    binding_hash, unsolicited, session_ends_at, expires_at,
                                    idp_session_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
    .bind(sha256(ticket.as_bytes()))
    .bind(new.space)
    .bind(new.user)
    .bind(new.attempt)
    .bind(new.return_to)
    .bind(binding_hash.unwrap_or_default())
    .bind(new.binding_hash.is_none())
    .bind(new.session_ends_at)
    .bind(new.expires_at)
    .bind(new.idp_session)
    .later(tx)
    .await?;
    Ok((ticket, brought))
}

/// Forgets the tickets that nobody has come for: what they rest on has changed.
pub(super) async fn forget_tickets(tx: &mut Write, space: SpaceId) -> Result<(), database::Error> {
    sql("DELETE FROM login_tickets WHERE space_id = $1").bind(space).execute(tx).await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct TicketRow {
    space_id: SpaceId,
    user_id: UserId,
    attempt_id: AttemptId,
    return_to: String,
    binding_hash: Vec<u8>,
    unsolicited: bool,
    session_ends_at: Option<Timestamp>,
    expires_at: Timestamp,
    idp_session_id: IdpSessionId,
    /// When its space was changed last.
    space_updated_at: Option<Timestamp>,
    /// The checks of its attempt, unless that was forgotten.
    checks: Option<Json<Trace>>,
    /// The name of its space, if sign-in is on there.
    space_name: Option<String>,
    /// From where one may come to its portal.
    networks: Option<Json<Networks>>,
    /// The user's name, if the user may sign in at this moment.
    user_name: Option<String>,
}

fn carries(carried: Option<&str>, hash: &[u8]) -> bool {
    carried.is_some_and(|it| constant_time_eq(&sha256(it.as_bytes()), hash))
}

/// Whom a ticket would sign in, where sign-in began at the identity provider and the person is to
/// be asked first; nothing for any other ticket, and in a browser that did not bring the response.
/// The ticket is not used up.
async fn question(
    tx: &mut Read,
    space_name: &str,
    ticket: &str,
    brought: Option<&str>,
    act: &Act,
) -> Result<Brought, database::Error> {
    let found: Option<(SpaceId, UserId, Vec<u8>, Json<Networks>)> = sql("SELECT t.space_id,
                t.user_id, t.binding_hash, s.sign_in_networks
         FROM login_tickets t JOIN spaces s ON s.id = t.space_id
         WHERE t.ticket_hash = $1 AND s.name = $2 AND t.unsolicited = $3 AND t.expires_at > $4")
    .bind(sha256(ticket.as_bytes()))
    .bind(space_name)
    .bind(true)
    .bind(act.now)
    .fetch_optional(tx)
    .await?;
    match found {
        Some((_, _, hash, networks))
            if carries(brought, &hash) && !networks.0.admit(act.address) =>
        {
            Ok(Brought::Closed)
        }
        Some((space, user, hash, _)) if carries(brought, &hash) => {
            let user = directory::user(tx, space, user).await?;
            Ok(user.map_or(Brought::Nothing, |user| Brought::Question(Box::new(user))))
        }
        Some(_) | None => Ok(Brought::Nothing),
    }
}

/// How a browser comes with a ticket. What it holds are secrets.
#[derive(Clone, Copy)]
pub enum Bearer<'a> {
    /// Sent on from the assertion consumer service, with its cookies if it has them.
    Browser {
        /// Of what it began.
        began: Option<&'a str>,
        /// Of what it brought.
        brought: Option<&'a str>,
    },
    /// With the person's own yes, from a page of ours: for what no browser began.
    Confirmed {
        /// Of what it brought.
        brought: Option<&'a str>,
    },
}

/// A ticket that was good: whose session to open.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The space.
    pub space: SpaceId,
    /// The user, enabled at this moment.
    pub user: UserId,
    /// Where to go.
    pub return_to: String,
    /// When the session ends: with the identity provider's, if that one's end is known.
    pub session_ends_at: Timestamp,
    /// The identity provider's session that it comes from.
    pub idp_session: IdpSessionId,
}

/// What a ticket brought.
#[derive(Debug)]
pub enum Brought {
    /// A session to open.
    Session(Box<Redeemed>),
    /// A question first: whether the person is this user. Sign-in began at the identity provider,
    /// and somebody else may have sent the browser here. The ticket is still good.
    Question(Box<User>),
    /// Nothing: the portal is not open from where the browser is (SET-10).
    Closed,
    /// Nothing: it is unknown, used, too old, of another space, or another browser's.
    Nothing,
}

/// Takes a ticket from its bearer, for a session that lasts until `longest` at most. It is used up,
/// and where it brings nothing its attempt is marked as refused.
///
/// What it rests on is read first and claimed in the end, so it is for
/// [`Db::write_claiming`](database::Db::write_claiming).
pub async fn redeem(
    tx: &mut Write,
    act: &Act,
    space_name: &str,
    ticket: &str,
    bearer: Bearer<'_>,
    longest: Timestamp,
) -> Result<Brought, Error> {
    let hash = sha256(ticket.as_bytes());
    let row = found(tx, &hash).await?;
    // What waits for a yes goes on waiting.
    let waits = |row: &TicketRow| row.unsolicited && row.expires_at > act.now;
    let Some(row) = row else { return Ok(Brought::Nothing) };
    if let Bearer::Browser { brought, .. } = bearer
        && waits(&row)
    {
        return Ok(question(tx, space_name, ticket, brought, act).await?);
    }
    let attempt = row.attempt_id;
    let Some(Json(mut trace)) = row.checks else {
        use_up(&hash).execute(tx).await?;
        return Ok(Brought::Nothing);
    };
    // One kind of ticket takes no cookie of the other, and no yes in place of one.
    let carried = match (bearer, row.unsolicited) {
        (Bearer::Browser { began, .. }, false) => began,
        (Bearer::Confirmed { brought } | Bearer::Browser { brought, .. }, true) => brought,
        (Bearer::Confirmed { .. }, false) => None,
    };
    let same = carries(carried, &row.binding_hash);
    let admitted = row.networks.is_some_and(|networks| networks.0.admit(act.address));
    let found = row.space_name.zip(row.user_name);
    let received = match (same, carried) {
        (false, Some(_)) => "another browser",
        (false, None) => "a browser without our cookie",
        (true, _) if row.expires_at <= act.now => "the same browser, too late",
        (true, _) if !admitted => "the same browser, from outside the networks that may sign in",
        (true, _) => match &found {
            None => "the same browser, after sign-in or the user was switched off",
            Some((name, _)) if name != space_name => "the same browser, at another space",
            Some(_) => "the same browser",
        },
    };
    let holds = received == "the same browser";
    let wanted = "the browser that began, in time";
    trace.require(Check::BrowserBinding, holds, Cause::OtherBrowser, wanted, received);
    let Some((_, user_name)) = found.filter(|_| holds) else {
        // Of two that come with it one is told; the other finds nothing.
        if use_up(&hash).execute(tx).await? == 0 {
            return Ok(Brought::Nothing);
        }
        attempts::finish(tx, attempt, Outcome::Refused, &trace).await?;
        let after = json!({ "check": Check::BrowserBinding.name(), "received": received });
        record(tx, act, row.space_id, "sign_in.refuse", attempt, after).await?;
        return Ok(if same && !admitted { Brought::Closed } else { Brought::Nothing });
    };
    claim(tx, &hash, row.space_updated_at).await?;
    attempts::finish(tx, attempt, Outcome::SignedIn, &trace).await?;
    let user = row.user_id;
    let after = json!({ "user_id": user, "user_name": user_name });
    let actor = Actor { kind: ActorKind::User, id: user.to_string(), name: user_name };
    // The session's public name joins this to what the user does with it (CON-04).
    let act = act.by(actor).within(row.idp_session_id);
    record(tx, &act, row.space_id, "sign_in.succeed", attempt, after).await?;
    let session_ends_at = row.session_ends_at.map_or(longest, |ends_at| ends_at.min(longest));
    let idp_session = row.idp_session_id;
    logout::keep_session(tx, idp_session, session_ends_at).await?;
    let return_to = row.return_to;
    let space = row.space_id;
    let redeemed = Redeemed { space, user, return_to, session_ends_at, idp_session };
    Ok(Brought::Session(Box::new(redeemed)))
}

/// The ticket of this hash, and what is known at this moment of what it rests on.
async fn found(tx: &mut Write, hash: &[u8; 32]) -> Result<Option<TicketRow>, database::Error> {
    let mut query = sql("SELECT t.space_id, t.user_id, t.attempt_id, t.return_to, t.binding_hash,
                t.unsolicited, t.session_ends_at, t.expires_at, t.idp_session_id,
                s.updated_at AS space_updated_at, a.checks,
                CASE WHEN s.sso_enabled THEN s.name END AS space_name,
                s.sign_in_networks AS networks, u.user_name
         FROM login_tickets t
         LEFT JOIN spaces s ON s.id = t.space_id
         LEFT JOIN sign_in_attempts a ON a.id = t.attempt_id
         LEFT JOIN users u ON u.id = t.user_id AND u.space_id = t.space_id
              AND u.deleted_at IS NULL AND u.active AND NOT u.blocked
         WHERE t.ticket_hash = ");
    query.push_bind(*hash);
    query.peek().fetch_optional(tx).await
}

fn use_up(hash: &[u8; 32]) -> Sql {
    sql("DELETE FROM login_tickets WHERE ticket_hash = $1").bind(*hash)
}

/// Uses the ticket up, if its space is as it was read and the user may sign in. Whoever shuts the
/// user out meanwhile finds the session that is opened with it, and ends it.
async fn claim(
    tx: &mut Write,
    hash: &[u8; 32],
    space_updated_at: Option<Timestamp>,
) -> Result<(), database::Error> {
    let mut query = use_up(hash);
    query.push(" AND EXISTS (SELECT 1 FROM spaces s WHERE s.id = login_tickets.space_id");
    query.push(" AND s.updated_at = ").push_bind(space_updated_at).push(")");
    query.push(" AND user_id = (SELECT u.id FROM users u WHERE u.id = login_tickets.user_id");
    query.push(" AND u.space_id = login_tickets.space_id AND u.deleted_at IS NULL");
    query.push(" AND u.active AND NOT u.blocked").push(tx.for_share()).push(")");
    query.claim(tx).await
}

/// The person said no. Of what this browser brought, the ticket is used up and the session at the
/// identity provider forgotten; another browser's stays.
pub async fn decline(
    tx: &mut Write,
    act: &Act,
    space_name: &str,
    ticket: &str,
    brought: Option<&str>,
) -> Result<(), Error> {
    let Some(brought) = brought else { return Ok(()) };
    let gone: Option<(SpaceId, AttemptId, IdpSessionId)> = sql("DELETE FROM login_tickets
         WHERE ticket_hash = $1 AND binding_hash = $2 AND unsolicited = $3
           AND space_id IN (SELECT id FROM spaces WHERE name = $4)
         RETURNING space_id, attempt_id, idp_session_id")
    .bind(sha256(ticket.as_bytes()))
    .bind(sha256(brought.as_bytes()))
    .bind(true)
    .bind(space_name)
    .fetch_optional(tx)
    .await?;
    let Some((space, attempt, session)) = gone else { return Ok(()) };
    sql("DELETE FROM identity_provider_sessions WHERE id = $1").bind(session).execute(tx).await?;
    record(tx, act, space, "sign_in.decline", attempt, json!({})).await?;
    Ok(())
}
