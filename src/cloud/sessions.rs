//! Role sessions and their temporary credentials.

use std::collections::BTreeMap;

use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Error,
    keys::{open, purpose},
    objects::scope_of,
    token,
};
use crate::{
    audit::{self, Act, Change},
    id::{RoleId, RoleSessionId, SpaceId, Uin},
    secret::{self, Sealer},
    store::{self as database, Json, Read, Timestamp, Write, sql},
};

const SESSION: &str = "SELECT s.id, s.role_id, r.name AS role_name, s.account_uin, s.session_name,
        s.provider_name, s.name_id, s.assumed_by, s.session_policy, s.tags, r.tags AS role_tags,
        r.boundary_policy_id, s.created_at, s.expires_at, s.revoked_at, s.secret_id,
        s.secret_key_sealed
    FROM cloud_role_sessions s JOIN cloud_roles r ON r.id = s.role_id WHERE ";

/// Somebody is in an account as a role.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RoleSession {
    /// Its id.
    pub id: RoleSessionId,
    /// The role.
    pub role_id: RoleId,
    /// The role's name.
    pub role_name: String,
    /// The account.
    pub account_uin: Uin,
    /// What the session is called.
    pub session_name: String,
    /// The SAML provider that vouched; empty where a CAM user assumed the role.
    pub provider_name: String,
    /// Whom it vouched for: the user's true name. Of a CAM user, its resource name.
    pub name_id: String,
    /// The CAM user who assumed the role.
    pub assumed_by: Option<Uin>,
    /// A policy that narrows what the role may do.
    pub session_policy: Option<String>,
    /// The session's own tags.
    pub tags: Json<BTreeMap<String, String>>,
    /// The role's.
    pub role_tags: Json<BTreeMap<String, String>>,
    /// The policy beyond which the role's own do not reach.
    pub boundary_policy_id: Option<i64>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When it was ended before its time.
    pub revoked_at: Option<Timestamp>,
}

impl RoleSession {
    /// Whether it counts at this moment.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.expires_at
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    #[sqlx(flatten)]
    session: RoleSession,
    secret_id: String,
    secret_key_sealed: Vec<u8>,
}

/// A role session to be, with the temporary credentials that whoever opens it gets.
pub struct NewRoleSession {
    /// Its id.
    pub id: RoleSessionId,
    /// The public half of the temporary key.
    pub secret_id: String,
    /// The secret half.
    pub secret_key: Zeroizing<String>,
    /// The session token that goes with it.
    pub token: Zeroizing<String>,
    /// When it ends.
    pub expires_at: Timestamp,
    pub(super) sealed: Vec<u8>,
}

impl std::fmt::Debug for NewRoleSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewRoleSession({})", self.id)
    }
}

/// With what a session is opened besides.
#[derive(Clone, Debug, Default)]
pub(super) struct Terms {
    /// The CAM user who assumes the role.
    pub assumed_by: Option<Uin>,
    /// A policy that narrows it, checked.
    pub policy: Option<String>,
    /// Its tags, checked.
    pub tags: BTreeMap<String, String>,
    /// What the caller says about whom the session is for; for the audit log.
    pub source_identity: Option<String>,
    /// The assertion that opens it, which whoever issued that has recorded too (CON-04).
    pub assertion: Option<String>,
}

/// Makes the credentials of a session that lasts so many seconds from now. Nothing is written yet.
pub fn new_role_session(act: &Act, sealer: &Sealer, seconds: i64) -> Result<NewRoleSession, Error> {
    let id: RoleSessionId = act.new_id();
    let expires_at = act.now.plus_seconds(seconds);
    let secret_id = format!("AKID{}", secret::random_alphanumeric::<60>()?);
    let secret_key = Zeroizing::new(secret::random_alphanumeric::<40>()?);
    let sealed = sealer.seal(&purpose(&secret_id), secret_key.as_bytes())?;
    let token = Zeroizing::new(token::issue(sealer, id, expires_at.as_second())?);
    Ok(NewRoleSession { id, secret_id, secret_key, token, expires_at, sealed })
}

/// Who vouches for whom, when a role session is opened.
#[derive(Clone, Copy, Debug)]
pub struct Vouched<'a> {
    /// The account.
    pub account: Uin,
    /// The SAML provider that vouches.
    pub provider: &'a str,
    /// For whom: the user's true name.
    pub name_id: &'a str,
    /// What the session is called.
    pub session_name: &'a str,
}

/// Opens a role session. The caller has verified who vouches and that the role trusts them.
pub(super) async fn insert(
    tx: &mut Write,
    act: &Act,
    role: RoleId,
    new: &NewRoleSession,
    vouched: Vouched<'_>,
    terms: &Terms,
) -> Result<RoleSession, Error> {
    sql("INSERT INTO cloud_role_sessions
             (id, role_id, account_uin, session_name, provider_name, name_id, secret_id,
              secret_key_sealed, created_at, expires_at, assumed_by, session_policy, tags)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)")
    .bind(new.id)
    .bind(role)
    .bind(vouched.account)
    .bind(vouched.session_name)
    .bind(vouched.provider)
    .bind(vouched.name_id)
    .bind(&new.secret_id)
    .bind(new.sealed.as_slice())
    .bind(act.now)
    .bind(new.expires_at)
    .bind(terms.assumed_by)
    .bind(terms.policy.as_deref())
    .bind(&json!(terms.tags))
    .execute(tx)
    .await?;
    let session = role_session(tx, new.id).await?.ok_or(Error::TokenInvalid)?;
    let change = Change {
        scope: scope_of(tx, vouched.account).await?,
        action: "role_session.open",
        object_kind: "role_session",
        object_id: &new.id.to_string(),
        before: json!(null),
        after: json!({
            "account": vouched.account,
            "role": session.role_name,
            "session_name": vouched.session_name,
            "provider": vouched.provider,
            "name_id": vouched.name_id,
            "expires_at": new.expires_at,
            "session_policy": terms.policy,
            "tags": terms.tags,
            "source_identity": terms.source_identity,
            "assertion": terms.assertion,
        }),
    };
    audit::record(tx, act, change).await?;
    Ok(session)
}

/// The role session with this id, live or not.
pub async fn role_session(
    tx: &mut Read,
    id: RoleSessionId,
) -> Result<Option<RoleSession>, database::Error> {
    let mut query = sql(SESSION);
    query.push("s.id = ").push_bind(id);
    query.fetch_optional(tx).await
}

pub(super) async fn by_secret_id(
    tx: &mut Read,
    secret_id: &str,
) -> Result<Option<(RoleSession, Vec<u8>)>, database::Error> {
    let mut query = sql(SESSION);
    query.push("s.secret_id = ").push_bind(secret_id);
    let row: Option<Row> = query.fetch_optional(tx).await?;
    Ok(row.map(|row| (row.session, row.secret_key_sealed)))
}

/// A role session that counts, for the person it was opened for.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct OpenRoleSession {
    /// Its id.
    pub id: RoleSessionId,
    /// The account.
    pub account_uin: Uin,
    /// The account's name.
    pub account_name: String,
    /// The role's name.
    pub role_name: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// A name as it is compared: who is written in other ASCII letters is the same person. Folded here,
/// because a database folds what it is given by the rules of its own language.
pub(super) fn folded(name_id: &str) -> String {
    name_id.to_ascii_lowercase()
}

/// The role sessions that the word of a space's SAML provider about somebody has opened, in roles of
/// that space, and that count at this moment: those that last longest first; at most so many
/// (PRT-12).
pub async fn open_role_sessions(
    tx: &mut Read,
    space: SpaceId,
    provider: &str,
    name_id: &str,
    now: Timestamp,
    most: i64,
) -> Result<Vec<OpenRoleSession>, database::Error> {
    sql("SELECT s.id, s.account_uin, acc.name AS account_name, r.name AS role_name,
             s.created_at, s.expires_at
         FROM cloud_role_sessions s
         JOIN cloud_roles r ON r.id = s.role_id
         JOIN accounts acc ON acc.uin = s.account_uin
         WHERE s.provider_name = $1 AND s.revoked_at IS NULL AND s.expires_at > $2
           AND LOWER(s.name_id) = $3 AND r.managed_by = $5
         ORDER BY s.expires_at DESC, s.id DESC LIMIT $4")
    .bind(provider)
    .bind(now)
    .bind(folded(name_id))
    .bind(most)
    .bind(space)
    .fetch_all(tx)
    .await
}

/// The temporary credentials of a session that is there: secret id, secret key and token.
pub async fn credentials(
    tx: &mut Read,
    sealer: &Sealer,
    id: RoleSessionId,
) -> Result<Option<(String, Zeroizing<String>, Zeroizing<String>)>, Error> {
    let mut query = sql(SESSION);
    query.push("s.id = ").push_bind(id);
    let Some(row) = query.fetch_optional::<Row>(tx).await? else { return Ok(None) };
    let key = open(sealer, &row.secret_id, &row.secret_key_sealed)?;
    let token = token::issue(sealer, id, row.session.expires_at.as_second())?;
    Ok(Some((row.secret_id, key, Zeroizing::new(token))))
}

/// Forgets role sessions and accepted assertions that have long expired. They count for nothing;
/// this is housekeeping.
pub async fn forget_expired(tx: &mut Write, now: Timestamp) -> Result<(), database::Error> {
    sql("DELETE FROM cloud_role_sessions WHERE expires_at < $1")
        .bind(now.plus_seconds(-86_400))
        .execute(tx)
        .await?;
    sql("DELETE FROM cloud_federation_sessions WHERE expires_at < $1")
        .bind(now.plus_seconds(-86_400))
        .execute(tx)
        .await?;
    sql("DELETE FROM cloud_accepted_assertions WHERE expires_at < $1")
        .bind(now)
        .execute(tx)
        .await?;
    // A signature holds for minutes, before and after the time that it tells.
    super::replay::forget_requests(tx, now.plus_seconds(-3600)).await?;
    // An assertion lives for minutes; after a day no mark is needed for one.
    sql("DELETE FROM cloud_revocations WHERE issued_before < $1")
        .bind(now.plus_seconds(-86_400))
        .execute(tx)
        .await?;
    Ok(())
}
