//! Who administers an organisation: the CAM users of its management account that may (CON-14), and
//! what each of them does about themselves.

use serde_json::json;

use super::{CamUser, Error, Login, objects::scope_of};
use crate::{
    audit::{self, Act, Change},
    id::Uin,
    policy::catalogue,
    store::{self as database, Door, Read, Timestamp, Write, end_sessions, sql},
};

/// Whoever has this may do everything.
pub const FULL_ACCESS: &str = "QcloudOrganizationFullAccess";
/// Whoever has this may look.
pub const READ_ONLY_ACCESS: &str = "QcloudOrganizationReadOnlyAccess";
/// Administrators that are listed at most.
const MOST: i64 = 500;

/// A CAM user that may administer, or look. What its other policies keep it from is not told here.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct AdministratorRow {
    /// Who.
    #[sqlx(flatten)]
    pub user: CamUser,
    /// Whether it has the preset for everything; the root needs none.
    pub has_full: bool,
    /// Whether it has the preset for looking.
    pub has_read: bool,
    /// How many access keys it has.
    pub keys: i64,
    /// When it last came in.
    pub last_login_at: Option<Timestamp>,
    /// From where.
    pub last_login_address: Option<String>,
}

impl AdministratorRow {
    /// Whether it may change anything.
    pub fn is_full(&self) -> bool {
        self.user.is_root || self.has_full
    }
}

/// The CAM users of a management account that may administer or look: the root first, then by
/// number, at most 500.
pub async fn administrators(tx: &mut Read, account: Uin) -> Result<Vec<AdministratorRow>, Error> {
    let preset = |name| catalogue::by_name(name).map(|preset| preset.id);
    let full = preset(FULL_ACCESS).ok_or(Error::PolicyNotFound)?;
    let read = preset(READ_ONLY_ACCESS).ok_or(Error::PolicyNotFound)?;
    Ok(sql("SELECT u.uin, u.account_uin, u.name, u.is_root, u.blocked, u.managed_by, u.remark,
                u.created_at, u.last_login_at, u.last_login_address,
                EXISTS (SELECT 1 FROM cloud_user_policies p
                        WHERE p.user_uin = u.uin AND p.policy_id = $2) AS has_full,
                EXISTS (SELECT 1 FROM cloud_user_policies p
                        WHERE p.user_uin = u.uin AND p.policy_id = $3) AS has_read,
                (SELECT COUNT(*) FROM cloud_access_keys k WHERE k.user_uin = u.uin) AS keys
         FROM cloud_users u
         WHERE u.account_uin = $1 AND (u.uin = $1 OR EXISTS (
             SELECT 1 FROM cloud_user_policies p
             WHERE p.user_uin = u.uin AND p.policy_id IN ($2, $3)))
         ORDER BY u.is_root DESC, u.uin LIMIT $4")
    .bind(account)
    .bind(full)
    .bind(read)
    .bind(MOST)
    .fetch_all(tx)
    .await?)
}

/// Gives somebody another password, who has just shown the old one: `seen` is what that was verified
/// against, outside of this transaction. Says whether it was done; it is not where the password has
/// changed meanwhile, or wrong ones that were tried at the same time have locked the
/// name. Every session at the console ends, this one too.
pub async fn change_password(
    tx: &mut Write,
    act: &Act,
    seen: &Login,
    password_hash: &str,
) -> Result<bool, Error> {
    let changed = sql("UPDATE cloud_users SET password_hash = $1, failed_logins = 0,
                              locked_until = NULL, updated_at = $2
         WHERE uin = $3 AND password_hash = $4 AND blocked = $5
           AND (locked_until IS NULL OR locked_until <= $2)")
    .bind(password_hash)
    .bind(act.now)
    .bind(seen.user.uin)
    .bind(seen.password_hash.as_deref())
    .bind(false)
    .execute(tx)
    .await?;
    if changed == 0 {
        return Ok(false);
    }
    end_sessions(tx, Door::Console, seen.user.uin.0).await?;
    let change = Change {
        scope: scope_of(tx, seen.user.account_uin).await?,
        action: "cam_user.change_password",
        object_kind: "cam_user",
        object_id: &seen.user.uin.to_string(),
        before: json!({ "password": "the old one" }),
        after: json!({ "password": "another one" }),
    };
    audit::record(tx, act, change).await?;
    Ok(true)
}

/// A session at the console.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct ConsoleSession {
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it was used last, to the minute.
    pub last_used_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// The console's sessions of somebody that have not ended, the latest first.
pub async fn console_sessions(
    tx: &mut Read,
    user: Uin,
    now: Timestamp,
) -> Result<Vec<ConsoleSession>, database::Error> {
    sql("SELECT created_at, last_used_at, expires_at FROM sessions
         WHERE door = $1 AND subject = $2 AND expires_at > $3 ORDER BY created_at DESC LIMIT 100")
    .bind(Door::Console)
    .bind(user)
    .bind(now)
    .fetch_all(tx)
    .await
}

/// Ends every session of somebody at the console; says how many there were.
pub async fn end_console_sessions(tx: &mut Write, act: &Act, user: &CamUser) -> Result<u64, Error> {
    let ended = end_sessions(tx, Door::Console, user.uin.0).await?;
    let change = Change {
        scope: scope_of(tx, user.account_uin).await?,
        action: "cam_user.end_sessions",
        object_kind: "cam_user",
        object_id: &user.uin.to_string(),
        before: json!({ "sessions": ended }),
        after: json!({ "sessions": 0 }),
    };
    audit::record(tx, act, change).await?;
    Ok(ended)
}
