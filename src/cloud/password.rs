//! Passwords: Argon2id, away from the threads that serve requests.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::{CamUser, Error};
use crate::{audit::Act, store::Db};

/// What is verified against where nobody is, so that the time taken does not tell.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHRmb3Jub2JvZHk$\
                      8v5G1ba2yGN9FwUrCcrlmQ1nEbmeu6nYkwz3EuPBHtc";

/// How many passwords are worked on at a time: each takes 19 MiB.
const AT_A_TIME: usize = 8;

static TURN: Semaphore = Semaphore::const_new(AT_A_TIME);

/// The longest password that is looked at, in bytes.
const LONGEST: usize = 1024;

/// Hashes a password. Takes tens of milliseconds: never inside a transaction.
pub async fn hash(password: Zeroizing<String>) -> Result<String, Error> {
    let _turn = TURN.acquire().await.map_err(|_| Error::Password)?;
    tokio::task::spawn_blocking(move || {
        let hash = Argon2::default().hash_password(password.as_bytes());
        hash.map(|hash| hash.to_string()).map_err(|_| Error::Password)
    })
    .await
    .map_err(|_| Error::Password)?
}

/// Whether this is the password of `hash`; takes as long where there is none. Never inside a
/// transaction.
pub async fn verify(hash: Option<String>, password: Zeroizing<String>) -> bool {
    let Ok(_turn) = TURN.acquire().await else { return false };
    tokio::task::spawn_blocking(move || {
        let known = hash.is_some() && password.len() <= LONGEST;
        let text = hash.as_deref().filter(|_| known).unwrap_or(NOBODY);
        let Ok(parsed) = PasswordHash::new(text) else { return false };
        let given = if known { password.as_bytes() } else { &[] };
        Argon2::default().verify_password(given, &parsed).is_ok() && known
    })
    .await
    .unwrap_or(false)
}

/// Gives somebody another password who shows the old one; says whether it was done. A wrong old one
/// counts as a wrong password at the sign-in does, so that guessing is met with a pause.
pub async fn replace(
    db: &Db,
    act: &Act,
    user: &CamUser,
    old: Zeroizing<String>,
    new: Zeroizing<String>,
) -> Result<bool, Error> {
    let (account, name) = (user.account_uin, &user.name);
    let seen = db.read(async |tx| super::login(tx, account, name).await).await?;
    let seen = seen.ok_or(Error::UserNotFound)?;
    let is_right = verify(seen.password_hash.clone(), old).await && !seen.is_locked(act.now);
    if !is_right {
        db.write(async |tx| super::record_login(tx, act, &seen, false).await).await?;
        return Ok(false);
    }
    let hash = hash(new).await?;
    db.write(async |tx| super::administrators::change_password(tx, act, &seen, &hash).await).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_itself_is_right() {
        let password = |text: &str| Zeroizing::new(text.to_owned());
        let right = hash(password("correct horse")).await.unwrap();
        assert!(right.starts_with("$argon2id$"), "{right}");
        assert!(verify(Some(right.clone()), password("correct horse")).await);
        for wrong in ["", "Correct horse", "correct horse "] {
            assert!(!verify(Some(right.clone()), password(wrong)).await, "{wrong:?}");
        }
        assert!(!verify(None, password("")).await);
        assert!(!verify(Some("nonsense".to_owned()), password("")).await);
    }

    /// Whatever asks for passwords at once: no more than so many have their memory at a time.
    #[tokio::test]
    async fn only_so_many_passwords_are_worked_on_at_a_time() {
        use std::time::Duration;
        use tokio::time::timeout;
        let password = || Zeroizing::new("correct horse".to_owned());
        let known = hash(password()).await.unwrap();
        let most = u32::try_from(AT_A_TIME).unwrap();
        let taken = TURN.acquire_many(most).await.unwrap();
        let waiting = Duration::from_millis(300);
        assert!(timeout(waiting, hash(password())).await.is_err(), "hashing waits for its turn");
        assert!(timeout(waiting, verify(Some(known.clone()), password())).await.is_err());
        assert!(timeout(waiting, verify(None, password())).await.is_err(), "of nobody, too");
        drop(taken);
        assert!(verify(Some(known), password()).await);
        // Whoever gave up waiting holds no turn.
        let all = timeout(Duration::from_secs(30), TURN.acquire_many(most)).await;
        assert!(all.is_ok());
    }

    #[test]
    fn where_nobody_is_there_is_a_hash_to_spend_time_on() {
        let parsed = PasswordHash::new(NOBODY).unwrap();
        assert!(Argon2::default().verify_password(b"x", &parsed).is_err());
    }
}
