//! CAM users and the root of an account: who they are, and how they sign in with a password.

use serde_json::json;

use super::{CamUser, Error, objects::scope_of};
use crate::{
    audit::{self, Act, Change},
    id::{Uin, new_uin},
    store::{self as database, Page, PageRequest, Read, Timestamp, Write, sql},
};

/// So many wrong passwords in a row are met with patience.
const FREE_FAILURES: i64 = 5;
/// How long the next one locks the user out, in seconds; each further one doubles it.
const FIRST_LOCK: i64 = 60;
/// The longest lock, in seconds.
const LONGEST_LOCK: i64 = 3600;

pub(super) const USER: &str = "SELECT uin, account_uin, name, is_root, blocked, managed_by,
    remark, created_at FROM cloud_users WHERE ";

/// What a sign-in with a password needs to know.
#[derive(Clone, sqlx::FromRow)]
pub struct Login {
    /// Who.
    #[sqlx(flatten)]
    pub user: CamUser,
    /// The hash of the password; none for somebody who cannot sign in so.
    pub password_hash: Option<String>,
    /// How many wrong passwords there were since the last right one.
    pub failed_logins: i64,
    /// No password is right before this moment.
    pub locked_until: Option<Timestamp>,
}

impl Login {
    /// Whether too many wrong passwords have locked the user out at this moment.
    pub fn is_locked(&self, now: Timestamp) -> bool {
        self.locked_until.is_some_and(|until| now < until)
    }
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Login({})", self.user.uin)
    }
}

/// Makes the root of an account; only the hash of its password is kept.
pub async fn create_root(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    password_hash: Option<&str>,
) -> Result<CamUser, Error> {
    check_name(name)?;
    insert(tx, act, account, account, name, true, password_hash, "").await?;
    root(tx, account).await?.ok_or(Error::UserNotFound)
}

/// Makes a CAM user without any policy.
pub async fn create_user(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    password_hash: Option<&str>,
    remark: &str,
) -> Result<CamUser, Error> {
    check_name(name)?;
    let uin = new_uin()?;
    insert(tx, act, account, uin, name, false, password_hash, remark).await?;
    user(tx, uin).await?.ok_or(Error::UserNotFound)
}

pub(super) fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::UserNameInvalid)
    }
}

#[expect(clippy::too_many_arguments, reason = "a row of a table")]
async fn insert(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    uin: Uin,
    name: &str,
    is_root: bool,
    password_hash: Option<&str>,
    remark: &str,
) -> Result<(), Error> {
    let scope = scope_of(tx, account).await?;
    let made = sql("INSERT INTO cloud_users
             (uin, account_uin, name, name_key, is_root, password_hash, failed_logins, blocked,
              remark, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 0, $7, $8, $9, $9)
         ON CONFLICT (account_uin, name_key) DO NOTHING")
    .bind(uin)
    .bind(account)
    .bind(name)
    .bind(name.to_ascii_lowercase())
    .bind(is_root)
    .bind(password_hash)
    .bind(false)
    .bind(remark)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        return Err(Error::UserNameTaken);
    }
    let change = Change {
        scope,
        action: "cam_user.create",
        object_kind: "cam_user",
        object_id: &uin.to_string(),
        before: json!(null),
        after: json!({ "account": account, "name": name, "root": is_root }),
    };
    Ok(audit::record(tx, act, change).await?)
}

/// The CAM user with this number.
pub async fn user(tx: &mut Read, uin: Uin) -> Result<Option<CamUser>, database::Error> {
    let mut query = sql(USER);
    query.push("uin = ").push_bind(uin);
    query.fetch_optional(tx).await
}

/// The root of an account.
pub async fn root(tx: &mut Read, account: Uin) -> Result<Option<CamUser>, database::Error> {
    user(tx, account).await
}

/// The CAM users of an account by number, a page of them; the root is not one of them.
pub async fn users(
    tx: &mut Read,
    account: Uin,
    page: PageRequest,
) -> Result<Page<CamUser>, database::Error> {
    let total = sql("SELECT COUNT(*) FROM cloud_users WHERE account_uin = $1 AND uin <> $1")
        .bind(account)
        .fetch_number(tx)
        .await?;
    let mut query = sql(USER);
    query.push("account_uin = ").push_bind(account).push(" AND uin <> ").push_bind(account);
    if let Some(after) = page.after {
        query.push(" AND uin > ").push_bind(after);
    }
    query.push(" ORDER BY uin LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |user: &CamUser| user.uin.0))
}

/// What a sign-in of this name at this account needs to know. Read it, verify the password with
/// [`password::verify`](super::password::verify) outside the transaction, and write the outcome
/// down with [`record_login`], which decides.
pub async fn login(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Option<Login>, database::Error> {
    sql("SELECT uin, account_uin, name, is_root, blocked, managed_by, remark, created_at,
                password_hash, failed_logins, locked_until
         FROM cloud_users WHERE account_uin = $1 AND name_key = $2")
    .bind(account)
    .bind(name.to_ascii_lowercase())
    .fetch_optional(tx)
    .await
}

/// Writes down whether the password was right, and says whether the user may come in: not with a
/// wrong password, not while locked out, not when shut out, and not when the password has changed
/// since it was verified.
pub async fn record_login(
    tx: &mut Write,
    act: &Act,
    seen: &Login,
    password_was_right: bool,
) -> Result<bool, Error> {
    let mut query = sql("SELECT uin, account_uin, name, is_root, blocked, managed_by, remark,
                created_at, password_hash, failed_logins, locked_until
         FROM cloud_users WHERE uin = $1");
    query.push(tx.for_update());
    let Some(login) = query.bind(seen.user.uin).fetch_optional::<Login>(tx).await? else {
        return Ok(false);
    };
    let locked = login.is_locked(act.now);
    let unchanged = login.password_hash == seen.password_hash;
    let enters = password_was_right && unchanged && !locked && !login.user.blocked;
    let (failures, until) = if enters {
        (0, None)
    } else if locked {
        // A lock does not grow while it holds, so that nobody can lock somebody out for good.
        (login.failed_logins, login.locked_until)
    } else {
        let failures = login.failed_logins + 1;
        (failures, lock_after(failures).map(|seconds| act.now.plus_seconds(seconds)))
    };
    sql("UPDATE cloud_users SET failed_logins = $1, locked_until = $2 WHERE uin = $3")
        .bind(failures)
        .bind(until)
        .bind(login.user.uin)
        .execute(tx)
        .await?;
    if enters {
        remember_login(tx, act, login.user.uin).await?;
    }
    let change = Change {
        scope: scope_of(tx, login.user.account_uin).await?,
        action: if enters { "cam_user.signed_in" } else { "cam_user.sign_in_refused" },
        object_kind: "cam_user",
        object_id: &login.user.uin.to_string(),
        before: json!({ "failed_logins": login.failed_logins }),
        after: json!({ "failed_logins": failures, "locked_until": until }),
    };
    audit::record(tx, act, change).await?;
    Ok(enters)
}

/// Keeps when and from where a CAM user last came in.
pub(super) async fn remember_login(
    tx: &mut Write,
    act: &Act,
    uin: Uin,
) -> Result<(), database::Error> {
    let address = act.address.map(|address| address.to_string());
    sql("UPDATE cloud_users SET last_login_at = $1, last_login_address = $2 WHERE uin = $3")
        .bind(act.now)
        .bind(address.as_deref())
        .bind(uin)
        .execute(tx)
        .await?;
    Ok(())
}

/// For how many seconds so many wrong passwords in a row lock a user out.
fn lock_after(failures: i64) -> Option<i64> {
    let beyond = failures - FREE_FAILURES;
    let doublings = u32::try_from(beyond.min(16)).ok()?;
    Some((FIRST_LOCK << doublings).min(LONGEST_LOCK))
}

/// Gives a CAM user another password.
pub async fn set_password(
    tx: &mut Write,
    act: &Act,
    uin: Uin,
    password_hash: &str,
) -> Result<(), Error> {
    let found = user(tx, uin).await?.ok_or(Error::UserNotFound)?;
    sql("UPDATE cloud_users SET password_hash = $1, failed_logins = 0, locked_until = NULL,
                                updated_at = $2
         WHERE uin = $3")
    .bind(password_hash)
    .bind(act.now)
    .bind(uin)
    .execute(tx)
    .await?;
    let change = Change {
        scope: scope_of(tx, found.account_uin).await?,
        action: "cam_user.set_password",
        object_kind: "cam_user",
        object_id: &uin.to_string(),
        before: json!(null),
        after: json!({ "password": "changed" }),
    };
    Ok(audit::record(tx, act, change).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessing_slows_down_and_is_bounded() {
        assert_eq!(lock_after(4), None);
        assert_eq!(lock_after(5), Some(60));
        assert_eq!(lock_after(6), Some(120));
        assert_eq!(lock_after(1000), Some(3600));
    }
}
