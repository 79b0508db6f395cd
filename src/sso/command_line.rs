//! Command lines that ask a person at the portal whether they may act as them (`tccli sso login`).
//!
//! The command line makes up a word, sends the person's browser to the portal with it, and asks us
//! again and again what was answered to that word. It alone and the browser know it, so whoever
//! comes with it after a yes gets a session, once.

use serde_json::json;

use super::Error;
use crate::{
    audit::{self, Act, Actor, ActorKind, Change, Scope},
    directory,
    id::{IdpSessionId, SpaceId, UserId},
    secret::sha256,
    space,
    store::{self as database, Read, Timestamp, Write, sql},
};

/// How many seconds a command line has to come for an answer; it asks every second.
const ANSWER_SECONDS: i64 = 120;

/// Whether a command line can have made up this word: `tccli` takes 32 letters and digits. A shorter
/// one could be guessed.
pub fn is_command_line_state(state: &str) -> bool {
    (32..=64).contains(&state.len()) && state.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// What a person answers to a command line; its word is a secret.
#[derive(Clone, Copy)]
pub struct CommandLineAnswer<'a> {
    /// The command line's word.
    pub state: &'a str,
    /// The portal session in which it is answered, as [`database::session_hash`] has it.
    pub session_hash: [u8; 32],
    /// The space.
    pub space: SpaceId,
    /// The person.
    pub user: UserId,
    /// The identity provider's session that the portal session came from.
    pub idp_session: IdpSessionId,
    /// When the portal session ends.
    pub session_ends_at: Timestamp,
    /// Whether the command line may.
    pub allowed: bool,
}

/// Remembers what a person answers; false if that word was answered before.
pub async fn answer_command_line(
    tx: &mut Write,
    act: &Act,
    answer: &CommandLineAnswer<'_>,
) -> Result<bool, Error> {
    // Those that nobody came for in time count for nothing. There are few, so nobody else sweeps.
    sql("DELETE FROM command_line_requests WHERE expires_at <= $1")
        .bind(act.now)
        .execute(tx)
        .await?;
    let made = sql("INSERT INTO command_line_requests
             (state_hash, session_hash, space_id, user_id, idp_session_id, allowed, taken,
              session_ends_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING")
    .bind(sha256(answer.state.as_bytes()))
    .bind(answer.session_hash)
    .bind(answer.space)
    .bind(answer.user)
    .bind(answer.idp_session)
    .bind(answer.allowed)
    .bind(false)
    .bind(answer.session_ends_at)
    .bind(act.now.plus_seconds(ANSWER_SECONDS))
    .execute(tx)
    .await?;
    if made == 0 {
        return Ok(false);
    }
    let action = if answer.allowed { "command_line.allow" } else { "command_line.decline" };
    record(tx, act, answer.space, answer.user, action).await?;
    Ok(true)
}

/// Whether there is an answer that nobody has come for: most questions find none, and write nothing.
pub async fn command_line_is_answered(
    tx: &mut Read,
    now: Timestamp,
    state: &str,
) -> Result<bool, database::Error> {
    sql("SELECT 1 FROM command_line_requests
         WHERE state_hash = $1 AND taken = $2 AND expires_at > $3")
    .bind(sha256(state.as_bytes()))
    .bind(false)
    .bind(now)
    .exists(tx)
    .await
}

/// What a command line gets for its word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandLineTaken {
    /// Nothing: nobody has answered, or somebody has come already, or the person's access has ended.
    Nothing,
    /// A no.
    Declined,
    /// A yes: a session to open.
    Allowed {
        /// The space.
        space: SpaceId,
        /// The user, enabled at this moment.
        user: UserId,
        /// The identity provider's session that it comes from.
        idp_session: IdpSessionId,
        /// When the session ends: with the portal's.
        ends_at: Timestamp,
    },
}

#[derive(sqlx::FromRow)]
struct Taken {
    space_id: SpaceId,
    user_id: UserId,
    idp_session_id: IdpSessionId,
    allowed: bool,
    session_ends_at: Timestamp,
}

/// Takes the answer to a command line's word, once.
pub async fn take_command_line(
    tx: &mut Write,
    act: &Act,
    state: &str,
) -> Result<CommandLineTaken, Error> {
    // In the order of whoever ends access: the space first, then what is about its people. A session
    // that is opened while somebody ends the access would outlive it.
    let of: Option<(SpaceId,)> =
        sql("SELECT space_id FROM command_line_requests WHERE state_hash = $1")
            .bind(sha256(state.as_bytes()))
            .fetch_optional(tx)
            .await?;
    let Some((space,)) = of else { return Ok(CommandLineTaken::Nothing) };
    space::hold_access(tx, space).await?;
    let found: Option<Taken> = sql("UPDATE command_line_requests SET taken = $1
         WHERE state_hash = $2 AND taken = $3 AND expires_at > $4
         RETURNING space_id, user_id, idp_session_id, allowed, session_ends_at")
    .bind(true)
    .bind(sha256(state.as_bytes()))
    .bind(false)
    .bind(act.now)
    .fetch_optional(tx)
    .await?;
    let Some(found) = found else { return Ok(CommandLineTaken::Nothing) };
    if !found.allowed {
        return Ok(CommandLineTaken::Declined);
    }
    let (space, ends_at) = (found.space_id, found.session_ends_at);
    let user = directory::user(tx, space, found.user_id).await?.filter(directory::User::enabled);
    let Some(user) = user.filter(|_| ends_at > act.now) else {
        return Ok(CommandLineTaken::Nothing);
    };
    let actor = Actor { kind: ActorKind::User, id: user.id.to_string(), name: user.user_name };
    let idp_session = found.idp_session_id;
    let act = act.by(actor).within(idp_session);
    record(tx, &act, space, user.id, "command_line.sign_in").await?;
    Ok(CommandLineTaken::Allowed { space, user: user.id, idp_session, ends_at })
}

async fn record(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    user: UserId,
    action: &'static str,
) -> Result<(), database::Error> {
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "user",
        object_id: &user.to_string(),
        before: json!(null),
        after: json!({}),
    };
    audit::record(tx, act, change).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_could_be_guessed_is_none() {
        assert!(is_command_line_state("aZ09aZ09aZ09aZ09aZ09aZ09aZ09aZ09"));
        for wrong in ["", "a", &"a".repeat(31), &"a".repeat(65), &"a b".repeat(11), &"é".repeat(20)]
        {
            assert!(!is_command_line_state(wrong), "{wrong}");
        }
    }
}
