//! CAM users of an account, by its own people.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{
    Attached, Error, Kind, MOST_ATTACHED, MOST_USERS, check_description, check_name, hold,
    own_hand,
    roles::{AttachedRow, check_attachable},
};
use crate::{
    audit::Act,
    cloud::{self, CamUser, objects::record, revocations, users},
    id::Uin,
    secret,
    store::{Page, PageRequest, Read, Timestamp, Write, sql},
};

/// A CAM user with what its account tells of it besides.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct UserDetail {
    /// Who.
    #[sqlx(flatten)]
    pub user: CamUser,
    /// Whether it has a password.
    pub has_password: bool,
    /// Its phone number.
    pub phone_number: String,
    /// The country code of that.
    pub country_code: String,
    /// Its mail address.
    pub email: String,
    /// When it last came in with a password or through its identity provider.
    pub last_login_at: Option<Timestamp>,
    /// From where.
    pub last_login_address: Option<String>,
}

const DETAIL: &str = "SELECT uin, account_uin, name, is_root, blocked, managed_by, remark,
    created_at, password_hash IS NOT NULL AS has_password, phone_number, country_code, email,
    last_login_at, last_login_address FROM cloud_users WHERE uin <> account_uin AND account_uin = ";

/// The CAM user of this name, whatever the case; the root is not one of them.
pub async fn user_detail(tx: &mut Read, account: Uin, name: &str) -> Result<UserDetail, Error> {
    let mut query = sql(DETAIL);
    query.push_bind(account).push(" AND name_key = ").push_bind(name.to_ascii_lowercase());
    query.fetch_optional(tx).await?.ok_or(Error::NotFound(Kind::User))
}

/// The CAM users of an account by number, a page of them; the root is not one of them.
pub async fn user_details(
    tx: &mut Read,
    account: Uin,
    page: PageRequest,
) -> Result<Page<UserDetail>, Error> {
    let total = sql("SELECT COUNT(*) FROM cloud_users WHERE account_uin = $1 AND uin <> $1")
        .bind(account)
        .fetch_number(tx)
        .await?;
    let mut query = sql(DETAIL);
    query.push_bind(account);
    if let Some(after) = page.after {
        query.push(" AND uin > ").push_bind(after);
    }
    query.push(" ORDER BY uin LIMIT ").push_bind(page.limit + 1);
    query.push(" OFFSET ").push_bind(page.offset);
    let rows = query.fetch_all(tx).await?;
    Ok(Page::of(rows, total, page.limit, |detail: &UserDetail| detail.user.uin.0))
}

/// Those CAM users of an account that have these numbers.
pub async fn users_by_uin(
    tx: &mut Read,
    account: Uin,
    uins: &[i64],
) -> Result<Vec<UserDetail>, Error> {
    let mut query = sql(DETAIL);
    query.push_bind(account).push(" AND uin IN ").push_numbers(uins).push(" ORDER BY uin");
    Ok(query.fetch_all(tx).await?)
}

/// The CAM user of an account with this number; the root is not one of them.
pub async fn user_by_uin(tx: &mut Read, account: Uin, uin: i64) -> Result<CamUser, Error> {
    let found = users::user(tx, Uin(uin)).await?;
    found
        .filter(|user| user.account_uin == account && !user.is_root)
        .ok_or(Error::NotFound(Kind::User))
}

/// What a new CAM user is to be.
#[derive(Clone, Copy, Debug)]
pub struct NewUser<'a> {
    /// Its name.
    pub name: &'a str,
    /// A remark.
    pub remark: &'a str,
    /// Its phone number, its country code and its mail address.
    pub contact: [&'a str; 3],
}

/// A password that CAM takes; one is made up where none is given.
pub fn new_password(given: Option<&str>) -> Result<Zeroizing<String>, Error> {
    let Some(given) = given else {
        // The letters that the rule wants need not be among the random ones.
        let random = secret::random_alphanumeric::<24>().map_err(cloud::Error::from)?;
        return Ok(Zeroizing::new(format!("aA1{random}")));
    };
    let has = |test: fn(&char) -> bool| given.chars().any(|letter| test(&letter));
    let strong = (8..=128).contains(&given.chars().count())
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_digit);
    if strong { Ok(Zeroizing::new(given.to_owned())) } else { Err(Error::PasswordWeak) }
}

fn check_contact([phone, country, email]: [&str; 3]) -> Result<(), Error> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if phone.len() > 20 || !digits(phone) {
        return Err(Error::ContactInvalid("phone number"));
    }
    if country.len() > 6 || !digits(country.strip_prefix('+').unwrap_or(country)) {
        return Err(Error::ContactInvalid("country code"));
    }
    let plain = |letter: char| !letter.is_whitespace() && !letter.is_control();
    let is_mail = email.split_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && !host.is_empty() && !host.contains('@') && email.chars().all(plain)
    });
    if !email.is_empty() && (email.len() > 254 || !is_mail) {
        return Err(Error::ContactInvalid("mail address"));
    }
    Ok(())
}

/// Makes a CAM user without any policy; only the hash of its password is kept.
pub async fn create_user(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    new: NewUser<'_>,
    password_hash: Option<&str>,
) -> Result<CamUser, Error> {
    check_name(Kind::User, new.name)?;
    check_description(new.remark)?;
    check_contact(new.contact)?;
    hold(tx, account).await?;
    let count = sql("SELECT COUNT(*) FROM cloud_users WHERE account_uin = $1 AND uin <> $1")
        .bind(account)
        .fetch_number(tx)
        .await?;
    if count >= MOST_USERS {
        return Err(Error::TooMany(Kind::User));
    }
    let made = users::create_user(tx, act, account, new.name, password_hash, new.remark).await;
    let made = made.map_err(|error| match error {
        cloud::Error::UserNameTaken => Error::NameTaken(Kind::User),
        cloud::Error::UserNameInvalid => Error::NameInvalid(Kind::User),
        other => Error::Cloud(other),
    })?;
    keep_contact(tx, made.uin, new.contact).await?;
    Ok(made)
}

async fn keep_contact(
    tx: &mut Write,
    uin: Uin,
    [phone, country, email]: [&str; 3],
) -> Result<(), Error> {
    sql("UPDATE cloud_users SET phone_number = $1, country_code = $2, email = $3 WHERE uin = $4")
        .bind(phone)
        .bind(country)
        .bind(email)
        .bind(uin)
        .execute(tx)
        .await?;
    Ok(())
}

/// What is to be different about a CAM user.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange<'a> {
    /// Another remark.
    pub remark: Option<&'a str>,
    /// Another phone number.
    pub phone_number: Option<&'a str>,
    /// Another country code.
    pub country_code: Option<&'a str>,
    /// Another mail address.
    pub email: Option<&'a str>,
    /// Another password, hashed; or none any more.
    pub password_hash: Option<Option<&'a str>>,
}

async fn changeable(tx: &mut Read, account: Uin, name: &str) -> Result<UserDetail, Error> {
    let found = user_detail(tx, account, name).await?;
    if found.user.managed_by.is_some() { Err(Error::Locked(Kind::User)) } else { Ok(found) }
}

fn state(detail: &UserDetail) -> Value {
    json!({
        "uin": detail.user.uin,
        "remark": detail.user.remark,
        "console_login": detail.has_password,
        "blocked": detail.user.blocked,
        "phone_number": detail.phone_number,
        "country_code": detail.country_code,
        "email": detail.email,
    })
}

/// Changes a CAM user of the account's own.
pub async fn update_user(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    change: UserChange<'_>,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let before = changeable(tx, account, name).await?;
    let mut after = before.clone();
    for (new, old) in [
        (change.remark, &mut after.user.remark),
        (change.phone_number, &mut after.phone_number),
        (change.country_code, &mut after.country_code),
        (change.email, &mut after.email),
    ] {
        if let Some(new) = new {
            new.clone_into(old);
        }
    }
    check_description(&after.user.remark)?;
    let contact = [&*after.phone_number, &*after.country_code, &*after.email];
    check_contact(contact)?;
    let uin = before.user.uin;
    match change.password_hash {
        None => {}
        Some(Some(hash)) => {
            users::set_password(tx, act, uin, hash).await?;
            after.has_password = true;
            // Who was shut out before a deployer let go of them is let in by the account.
            sql("UPDATE cloud_users SET blocked = $1 WHERE uin = $2")
                .bind(false)
                .bind(uin)
                .execute(tx)
                .await?;
            after.user.blocked = false;
        }
        Some(None) => {
            sql("UPDATE cloud_users SET password_hash = NULL WHERE uin = $1")
                .bind(uin)
                .execute(tx)
                .await?;
            after.has_password = false;
        }
    }
    let states = [state(&before), state(&after)];
    if states[0] == states[1] {
        return Ok(());
    }
    sql("UPDATE cloud_users SET remark = $1, updated_at = $2 WHERE uin = $3")
        .bind(&after.user.remark)
        .bind(act.now)
        .bind(uin)
        .execute(tx)
        .await?;
    keep_contact(tx, uin, contact).await?;
    record(tx, act, own_hand(account), "cam_user.update", "cam_user", name, states).await?;
    Ok(())
}

/// Deletes a CAM user of the account's own with its policies, and ends what it has opened. One that
/// has access keys goes only with `force`, and they with it.
pub async fn delete_user(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    name: &str,
    force: bool,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let found = changeable(tx, account, name).await?;
    let uin = found.user.uin;
    let has_keys = sql("SELECT 1 FROM cloud_access_keys WHERE user_uin = $1 LIMIT 1")
        .bind(uin)
        .exists(tx)
        .await?;
    if has_keys && !force {
        return Err(Error::HasKeys);
    }
    revocations::end_of_users(tx, act, &[uin]).await?;
    sql("DELETE FROM cloud_users WHERE uin = $1").bind(uin).execute(tx).await?;
    let states = [state(&found), json!(null)];
    record(tx, act, own_hand(account), "cam_user.delete", "cam_user", name, states).await?;
    Ok(())
}

/// Gives a CAM user a policy; nothing changes if it has it. One that Identity Center keeps in the
/// account gets its policies here like any other (US-09).
pub async fn attach_user_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    uin: i64,
    policy_id: i64,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let user = user_by_uin(tx, account, uin).await?;
    check_attachable(tx, account, policy_id).await?;
    let has = sql("SELECT COUNT(*) FROM cloud_user_policies
         WHERE user_uin = $1 AND policy_id <> $2")
    .bind(user.uin)
    .bind(policy_id)
    .fetch_number(tx)
    .await?;
    if has >= MOST_ATTACHED {
        return Err(Error::TooManyAttached);
    }
    cloud::attach_user_policy(tx, act, &user, policy_id).await?;
    Ok(())
}

/// Takes a policy from a CAM user; nothing changes if it has it not.
pub async fn detach_user_policy(
    tx: &mut Write,
    act: &Act,
    account: Uin,
    uin: i64,
    policy_id: i64,
) -> Result<(), Error> {
    hold(tx, account).await?;
    let user = user_by_uin(tx, account, uin).await?;
    let policy = super::policy(tx, account, policy_id).await?;
    let policy = policy.ok_or(Error::NotFound(Kind::Policy))?;
    let gone = sql("DELETE FROM cloud_user_policies WHERE user_uin = $1 AND policy_id = $2")
        .bind(user.uin)
        .bind(policy_id)
        .execute(tx)
        .await?;
    if gone == 0 {
        return Ok(());
    }
    let states = [json!({ "policy": policy.name() }), json!(null)];
    let hand = own_hand(account);
    record(tx, act, hand, "cam_user.detach_policy", "cam_user", &user.name, states).await?;
    Ok(())
}

/// The policies of a CAM user, by number; at most [`MOST_ATTACHED`].
pub async fn attached_to_user(
    tx: &mut Read,
    account: Uin,
    uin: i64,
) -> Result<Vec<Attached>, Error> {
    let user = user_by_uin(tx, account, uin).await?;
    let rows: Vec<AttachedRow> =
        sql("SELECT a.policy_id, a.attached_at, p.name, p.description FROM cloud_user_policies a
         LEFT JOIN cloud_policies p ON p.id = a.policy_id AND p.account_uin = $2
         WHERE a.user_uin = $1 ORDER BY a.policy_id")
        .bind(user.uin)
        .bind(account)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(Attached::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_too_easy() {
        for weak in ["", "Abcde1", "abcdefg1", "ABCDEFG1", "Abcdefgh", &"Aa1".repeat(50)] {
            assert!(matches!(new_password(Some(weak)), Err(Error::PasswordWeak)), "{weak}");
        }
        assert!(new_password(Some("Abcdefg1")).is_ok());
        let made = new_password(None).unwrap();
        assert!(new_password(Some(&made)).is_ok());
        assert_ne!(made, new_password(None).unwrap());
    }

    #[test]
    fn contacts_are_what_they_say() {
        for right in [["", "", ""], ["13800138000", "86", "a@b.example"], ["1", "+1", ""]] {
            assert!(check_contact(right).is_ok(), "{right:?}");
        }
        for wrong in [["x", "", ""], ["", "1-1", ""], ["", "", "a"], ["", "", "a@b@c"]] {
            assert!(check_contact(wrong).is_err(), "{wrong:?}");
        }
    }
}
