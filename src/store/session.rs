//! Sessions of tower-sessions, kept in our own database.
//!
//! The id in the cookie is a bearer secret, so only its SHA-256 is stored. Each door (portal,
//! console, cloud) has sessions of its own; a session of one opens no other. The subject stands
//! in a column of its own, so that a domain room can end somebody's sessions inside its own
//! transaction.

use std::collections::HashMap;

use async_trait::async_trait;
use tower_sessions::{
    SessionStore,
    session::{Id, Record},
    session_store,
};

use super::{Db, Error, Json, Sql, Timestamp, Write, sql, text_enum};
use crate::{clock::Clock, secret::sha256};

/// The key under which a session's data names its subject.
pub const SUBJECT: &str = "subject";
/// The key under which a session's data names the identity provider's session it came from. When
/// that one's row goes, the session goes with it.
pub const IDP_SESSION: &str = "idp_session";

/// Seconds after which another use of a session is noted.
const USE_NOTED: i64 = 60;

text_enum! {
    /// The door a session opens.
    pub enum Door {
        /// The users' portal; the subject is a user.
        Portal = "portal",
        /// The administrators' console; the subject is a CAM user of the management account.
        Console = "console",
        /// The embedded cloud's account console; the subject is a role session or a CAM user.
        Cloud = "cloud",
        /// A command line that acts as a user; the subject is the user. It shows its session's id
        /// as a token, not in a cookie.
        CommandLine = "command-line",
        /// The demo identity provider; there is no subject.
        DemoIdentityProvider = "demo-idp",
    }
}

/// The sessions of one door: a [`SessionStore`] on whichever database the rest is in.
#[derive(Clone)]
pub struct Sessions {
    db: Db,
    clock: Clock,
    door: Door,
    /// Seconds without use after which a session has ended; none where only its end counts.
    idle: Option<i64>,
}

impl Sessions {
    /// The sessions of `door`.
    pub fn new(db: Db, clock: Clock, door: Door) -> Self {
        Self { db, clock, door, idle: None }
    }

    /// The same, and one that nobody has used for so many seconds has ended (SES-01).
    #[must_use]
    pub fn idle_for(self, seconds: i64) -> Self {
        Self { idle: Some(seconds), ..self }
    }

    /// Notes that a session is used, once in a while: for administrators to see (SES-03), and so
    /// that it does not end as one that nobody uses. A failure makes it end sooner, never later, so
    /// it is only logged.
    async fn note_use(&self, id: Id, last: Timestamp) {
        let now = self.clock.now();
        if now.seconds_since(last) < USE_NOTED {
            return;
        }
        let noted = self.db.write_delayed(async |tx| {
            sql("UPDATE sessions SET last_used_at = $1 WHERE id_hash = $2 AND last_used_at = $3")
                .bind(now)
                .bind(session_hash(id))
                .bind(last)
                .execute(tx)
                .await
        });
        if let Err(error) = noted.await {
            tracing::warn!(?error, "the use of a session is not noted");
        }
    }
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.door)
    }
}

/// A session to be opened inside a transaction.
#[derive(Clone, Debug)]
pub struct NewSession<'a> {
    /// The door it opens.
    pub door: Door,
    /// What it holds: an object.
    pub data: &'a serde_json::Value,
    /// When it is opened.
    pub now: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
}

/// Opens a session in the transaction of whatever it rests on, and says what its cookie is to be:
/// a fresh id, never one that a browser brought (SES-05).
pub async fn open_session(tx: &mut Write, new: NewSession<'_>) -> Result<Id, Error> {
    let id = Id::default();
    upsert(id, &new).later(tx).await?;
    Ok(id)
}

/// Ends the session of this id, if there is one.
pub async fn end_session(tx: &mut Write, id: Id) -> Result<(), Error> {
    sql("DELETE FROM sessions WHERE id_hash = $1").bind(session_hash(id)).execute(tx).await?;
    Ok(())
}

fn upsert(id: Id, session: &NewSession<'_>) -> Sql {
    let number = |key| session.data.get(key).and_then(serde_json::Value::as_i64);
    sql("INSERT INTO sessions
             (id_hash, door, subject, data, created_at, last_used_at, expires_at, idp_session_id)
         VALUES ($1, $2, $3, $4, $5, $5, $6, $7)
         ON CONFLICT (id_hash) DO UPDATE SET
             subject = excluded.subject, idp_session_id = excluded.idp_session_id,
             data = excluded.data, last_used_at = excluded.last_used_at,
             expires_at = excluded.expires_at")
    .bind(session_hash(id))
    .bind(session.door)
    .bind(number(SUBJECT))
    .bind(session.data)
    .bind(session.now)
    .bind(session.ends_at)
    .bind(number(IDP_SESSION))
}

/// Ends every session that `subject` has at `door`; says how many there were. With the portal's end
/// those of the user's command lines, which came from it.
pub async fn end_sessions(tx: &mut Write, door: Door, subject: i64) -> Result<u64, Error> {
    let with_it = match door {
        Door::Portal => Door::CommandLine,
        Door::Console | Door::Cloud | Door::CommandLine | Door::DemoIdentityProvider => door,
    };
    sql("DELETE FROM sessions WHERE door IN ($1, $2) AND subject = $3")
        .bind(door)
        .bind(with_it)
        .bind(subject)
        .execute(tx)
        .await
}

/// Forgets the sessions that have expired, and those of these doors that nobody has used for so many
/// seconds; says how many there were.
pub async fn forget_expired_sessions(
    tx: &mut Write,
    now: Timestamp,
    idle: &[(Door, i64)],
) -> Result<u64, Error> {
    let mut query = sql("DELETE FROM sessions WHERE expires_at <= ");
    query.push_bind(now);
    for (door, seconds) in idle {
        query.push(" OR door = ").push_bind(*door);
        query.push(" AND last_used_at <= ").push_bind(now.plus_seconds(-seconds));
    }
    query.execute(tx).await
}

#[derive(sqlx::FromRow)]
struct SessionRow {
    data: Json<HashMap<String, serde_json::Value>>,
    last_used_at: Timestamp,
    expires_at: Timestamp,
}

/// What is kept of a session's id.
pub fn session_hash(id: Id) -> [u8; 32] {
    sha256(&id.0.to_be_bytes())
}

#[async_trait]
impl SessionStore for Sessions {
    async fn create(&self, record: &mut Record) -> session_store::Result<()> {
        // Always an id of our own making: the record may still carry the one that the browser sent
        // (tower-sessions keeps it when a session is flushed), which an attacker may have planted.
        // It has 128 random bits; a second one like it is not awaited.
        record.id = Id::default();
        self.save(record).await
    }

    async fn save(&self, record: &Record) -> session_store::Result<()> {
        let data = serde_json::to_value(&record.data)
            .map_err(|e| session_store::Error::Encode(e.to_string()))?;
        let session = NewSession {
            door: self.door,
            data: &data,
            now: self.clock.now(),
            ends_at: record.expiry_date.into(),
        };
        self.db
            .write(async |tx| upsert(record.id, &session).execute(tx).await)
            .await
            .map_err(|error| backend(&error))?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> session_store::Result<Option<Record>> {
        let row: Option<SessionRow> = self
            .db
            .glance(async |tx| {
                let now = self.clock.now();
                let unused_since =
                    self.idle.map_or(Timestamp::from_second(0), |idle| now.plus_seconds(-idle));
                sql("SELECT data, last_used_at, expires_at FROM sessions
                     WHERE id_hash = $1 AND door = $2 AND expires_at > $3 AND last_used_at > $4")
                .bind(session_hash(*id))
                .bind(self.door)
                .bind(now)
                .bind(unused_since)
                .fetch_optional(tx)
                .await
            })
            .await
            .map_err(|error| backend(&error))?;
        if let Some(row) = &row {
            self.note_use(*id, row.last_used_at).await;
        }
        Ok(row.map(|row| Record { id: *id, data: row.data.0, expiry_date: row.expires_at.into() }))
    }

    async fn delete(&self, id: &Id) -> session_store::Result<()> {
        self.db.write(async |tx| end_session(tx, *id).await).await.map_err(|error| backend(&error))
    }
}

fn backend(error: &Error) -> session_store::Error {
    session_store::Error::Backend(error.to_string())
}
