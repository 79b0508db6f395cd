//! What a person keeps at hand of what they reach: the roles they starred, and those they entered
//! last (PRT-10). A handful of rows for each person. They confer nothing: whoever shows them shows
//! only what is reached still. Nobody but the person sees them, so no audit record tells of them.

use super::{Error, store::reachable_role};
use crate::{
    id::{ConfigurationId, SpaceId, Uin, UserId},
    store::{self as database, Read, Timestamp, Write, sql},
};

/// The most favourites of one person.
pub const MOST_FAVOURITES: i64 = 24;
/// How many of the roles that somebody entered last are kept.
pub const MOST_RECENT: i64 = 6;

/// A role that a person keeps at hand.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct Shortcut {
    /// The account.
    pub account_uin: Uin,
    /// The role's configuration.
    pub configuration_id: ConfigurationId,
    /// Whether they starred it.
    pub favourite: bool,
    /// When they entered it last, if that was lately.
    pub entered_at: Option<Timestamp>,
}

/// Why a role is not starred.
#[derive(Debug, thiserror::Error)]
pub enum ShortcutError {
    /// The person does not reach it.
    #[error("there is no such access")]
    NoAccess,
    /// There are as many as there may be.
    #[error("there are {MOST_FAVOURITES} favourites; take one away first")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

/// What a person keeps at hand, by account and configuration.
pub async fn shortcuts(tx: &mut Read, user: UserId) -> Result<Vec<Shortcut>, database::Error> {
    let all: Vec<Shortcut> = sql("SELECT account_uin, configuration_id, favourite, entered_at
         FROM portal_shortcuts WHERE user_id = $1
         ORDER BY account_uin, configuration_id")
    .bind(user)
    .fetch_all(tx)
    .await?;
    Ok(all)
}

/// Stars a role that somebody reaches, or takes the star away.
pub async fn set_favourite(
    tx: &mut Write,
    space: SpaceId,
    user: UserId,
    (account, configuration): (Uin, ConfigurationId),
    favourite: bool,
) -> Result<(), ShortcutError> {
    if !favourite {
        sql("UPDATE portal_shortcuts SET favourite = $1
             WHERE user_id = $2 AND account_uin = $3 AND configuration_id = $4")
        .bind(false)
        .bind(user)
        .bind(account)
        .bind(configuration)
        .execute(tx)
        .await?;
        return Ok(forget_idle(tx, user).await?);
    }
    if reachable_role(tx, space, user, account, configuration).await?.is_none() {
        return Err(ShortcutError::NoAccess);
    }
    let count = sql("SELECT COUNT(*) FROM portal_shortcuts WHERE user_id = $1 AND favourite = $2")
        .bind(user)
        .bind(true)
        .fetch_number(tx)
        .await?;
    if count >= MOST_FAVOURITES {
        return Err(ShortcutError::TooMany);
    }
    sql("INSERT INTO portal_shortcuts
             (user_id, account_uin, configuration_id, favourite, entered_at)
         VALUES ($1, $2, $3, $4, NULL)
         ON CONFLICT (user_id, account_uin, configuration_id)
         DO UPDATE SET favourite = excluded.favourite")
    .bind(user)
    .bind(account)
    .bind(configuration)
    .bind(true)
    .execute(tx)
    .await?;
    Ok(())
}

/// Remembers that somebody entered a role, and forgets those before the last few. The caller has
/// just let them in.
pub async fn remember(
    tx: &mut Write,
    user: UserId,
    (account, configuration): (Uin, ConfigurationId),
    now: Timestamp,
) -> Result<(), Error> {
    sql("INSERT INTO portal_shortcuts
             (user_id, account_uin, configuration_id, favourite, entered_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id, account_uin, configuration_id)
         DO UPDATE SET entered_at = excluded.entered_at")
    .bind(user)
    .bind(account)
    .bind(configuration)
    .bind(false)
    .bind(now)
    .execute(tx)
    .await?;
    // The one that was entered now stays, and so many before it; of one moment, any.
    let entered: Vec<Shortcut> = shortcuts(tx, user).await?;
    let mut entered: Vec<&Shortcut> = entered.iter().filter(|it| it.entered_at.is_some()).collect();
    entered.sort_by_key(|it| std::cmp::Reverse(it.entered_at));
    for old in entered.into_iter().skip(usize::try_from(MOST_RECENT).unwrap_or(usize::MAX)) {
        sql("UPDATE portal_shortcuts SET entered_at = NULL
             WHERE user_id = $1 AND account_uin = $2 AND configuration_id = $3")
        .bind(user)
        .bind(old.account_uin)
        .bind(old.configuration_id)
        .execute(tx)
        .await?;
    }
    Ok(forget_idle(tx, user).await?)
}

/// Rows that say nothing any more go.
async fn forget_idle(tx: &mut Write, user: UserId) -> Result<(), database::Error> {
    sql("DELETE FROM portal_shortcuts
         WHERE user_id = $1 AND favourite = $2 AND entered_at IS NULL")
    .bind(user)
    .bind(false)
    .execute(tx)
    .await?;
    Ok(())
}
