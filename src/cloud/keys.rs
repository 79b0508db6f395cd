//! Access keys, and who stands behind the key that signed a request.

use serde_json::json;
use zeroize::Zeroizing;

use super::{CamPrincipal, CamUser, Error, federation, objects::scope_of, sessions, token, users};
use crate::{
    audit::{self, Act, Change},
    id::Uin,
    secret::{self, Sealer},
    store::{Read, Timestamp, Write, sql},
};

/// An access key to be: what the caller must be told once, and what is kept.
pub struct NewAccessKey {
    /// The public half: `AKID` and 32 letters and digits.
    pub secret_id: String,
    /// The secret half.
    pub secret_key: Zeroizing<String>,
    sealed: Vec<u8>,
}

impl std::fmt::Debug for NewAccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NewAccessKey({})", self.secret_id)
    }
}

/// Makes an access key, not yet anybody's.
pub fn new_access_key(sealer: &Sealer) -> Result<NewAccessKey, secret::Error> {
    let secret_id = format!("AKID{}", secret::random_alphanumeric::<32>()?);
    let secret_key = Zeroizing::new(secret::random_alphanumeric::<32>()?);
    let sealed = sealer.seal(&purpose(&secret_id), secret_key.as_bytes())?;
    Ok(NewAccessKey { secret_id, secret_key, sealed })
}

pub(super) fn purpose(secret_id: &str) -> String {
    format!("secret key of {secret_id}")
}

/// Gives a CAM user, or a root, an access key.
pub async fn create_access_key(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    key: &NewAccessKey,
) -> Result<(), Error> {
    create_described_key(tx, act, user, key, "").await
}

/// The same, with a description.
pub(super) async fn create_described_key(
    tx: &mut Write,
    act: &Act,
    user: &CamUser,
    key: &NewAccessKey,
    description: &str,
) -> Result<(), Error> {
    sql("INSERT INTO cloud_access_keys
             (secret_id, user_uin, secret_key_sealed, enabled, created_at, description)
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(&key.secret_id)
    .bind(user.uin)
    .bind(key.sealed.as_slice())
    .bind(true)
    .bind(act.now)
    .bind(description)
    .execute(tx)
    .await?;
    let change = Change {
        scope: scope_of(tx, user.account_uin).await?,
        action: "access_key.create",
        object_kind: "access_key",
        object_id: &key.secret_id,
        before: json!(null),
        after: json!({ "user": user.uin }),
    };
    Ok(audit::record(tx, act, change).await?)
}

/// Whoever signs with a key.
pub struct Signer {
    /// The secret half of the key, to verify the signature with.
    pub secret_key: Zeroizing<String>,
    /// Who it is. Believe it only once the signature is verified.
    pub principal: CamPrincipal,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signer({})", self.principal.name())
    }
}

#[derive(sqlx::FromRow)]
struct KeyRow {
    user_uin: Uin,
    secret_key_sealed: Vec<u8>,
}

/// Who signs with the key of this `secret_id`; nobody if there is no such key, if it is switched
/// off, or if its owner is shut out. Temporary credentials come with the session token that was
/// issued with them; it is checked here.
pub async fn signer(
    tx: &mut Read,
    sealer: &Sealer,
    secret_id: &str,
    session_token: Option<&str>,
    now: Timestamp,
) -> Result<Option<Signer>, Error> {
    let row: Option<KeyRow> = sql("SELECT user_uin, secret_key_sealed FROM cloud_access_keys
             WHERE secret_id = $1 AND enabled = $2")
    .bind(secret_id)
    .bind(true)
    .fetch_optional(tx)
    .await?;
    if let Some(row) = row {
        if session_token.is_some() {
            return Err(Error::TokenInvalid);
        }
        let Some(user) = users::user(tx, row.user_uin).await?.filter(|user| !user.blocked) else {
            return Ok(None);
        };
        let secret_key = open(sealer, secret_id, &row.secret_key_sealed)?;
        return Ok(Some(Signer { secret_key, principal: CamPrincipal::User(user) }));
    }
    let found = match sessions::by_secret_id(tx, secret_id).await? {
        Some((session, sealed)) => Some((session.id, CamPrincipal::Role(session), sealed)),
        None => federation::by_secret_id(tx, secret_id)
            .await?
            .map(|(found, sealed)| (found.id, CamPrincipal::Federated(found), sealed)),
    };
    let Some((id, principal, sealed)) = found else { return Ok(None) };
    let claimed = token::verify(sealer, session_token.ok_or(Error::TokenInvalid)?)?;
    if claimed.session != id {
        return Err(Error::TokenInvalid);
    }
    let live = match &principal {
        CamPrincipal::Role(session) => session.is_live(now),
        CamPrincipal::Federated(federated) => federated.is_live(now),
        CamPrincipal::User(user) => !user.blocked,
    };
    if !live || claimed.ends_at <= now.as_second() {
        return Err(Error::TokenExpired);
    }
    let secret_key = open(sealer, secret_id, &sealed)?;
    Ok(Some(Signer { secret_key, principal }))
}

pub(super) fn open(
    sealer: &Sealer,
    secret_id: &str,
    sealed: &[u8],
) -> Result<Zeroizing<String>, Error> {
    let opened = sealer.open(&purpose(secret_id), sealed)?;
    let text = std::str::from_utf8(&opened).map_err(|_| secret::Error::Open)?;
    Ok(Zeroizing::new(text.to_owned()))
}
