//! Temporary credentials: a CAM user assumes a role, or has credentials made for somebody else.
//!
//! Whether the caller's own policies let it ask is decided before ([`super::authorize()`]). Here the
//! role's side is: whom it trusts, and for how long. Temporary credentials make no others.

use serde_json::json;

use super::{
    CamPrincipal, CamUser, Error as CloudError, NewRoleSession, context,
    management::{self, Role, Tags, Which},
    new_role_session,
    objects::scope_of,
    sessions::{self, Terms, Vouched},
};
use crate::{
    audit::{self, Act, Change},
    id::Uin,
    policy::{
        document::{self, Document},
        trust::{Asking, TrustPolicy},
    },
    secret::Sealer,
    store::{self as database, Read, Write, sql},
};

/// How long a session lasts that nobody gave a duration, in seconds (API.md §4.2).
pub const USUAL_SESSION: i64 = 7_200;
/// The longest that a root's federated credentials last, in seconds.
const LONGEST_OF_ROOT: i64 = 7_200;
/// The longest that a CAM user's federated credentials last, in seconds.
const LONGEST_OF_USER: i64 = 129_600;

/// Why there are no temporary credentials.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller has temporary credentials itself.
    #[error("temporary credentials cannot ask for others")]
    Temporary,
    /// A role's resource name that cannot be read.
    #[error("a role is named qcs::cam::uin/ACCOUNT:roleName/NAME or qcs::cam::uin/ACCOUNT:role/ID")]
    RoleArn,
    /// The role is not there.
    #[error("there is no such role")]
    RoleNotFound,
    /// The role does not trust the caller, or there is no such role in the other account.
    #[error("the role does not trust the caller, or does not exist")]
    NotTrusted,
    /// The session's name breaks the rule.
    #[error("a session's name has {least} to {most} letters, digits and {signs}")]
    Name {
        /// The least length.
        least: usize,
        /// The greatest.
        most: usize,
        /// What it may hold besides.
        signs: &'static str,
    },
    /// A session that would last too long, or no time at all.
    #[error("these credentials last 1 to {0} seconds")]
    Duration(i64),
    /// The policy is longer than any may be.
    #[error("the policy is too long")]
    PolicyTooLong,
    /// The policy cannot be read, and where.
    #[error("the policy is refused: {0}")]
    Policy(document::Error),
    /// A condition operator that CAM does not know.
    #[error("the policy is refused: {0}: is not an operator")]
    UnknownOperator(String),
    /// An external id or a source identity that cannot be.
    #[error("the {0} has at most {1} characters, without controls")]
    Text(&'static str, usize),
    /// A tag that cannot be, or the role itself cannot be looked at.
    #[error(transparent)]
    Management(#[from] management::Error),
    /// The cloud failed.
    #[error(transparent)]
    Cloud(#[from] CloudError),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] database::Error),
}

/// A role as its resource name has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoleArn {
    /// The account.
    pub account: Uin,
    name: RoleWord,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum RoleWord {
    Id(i64),
    Name(String),
}

impl std::str::FromStr for RoleArn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let rest = text.strip_prefix("qcs::cam::uin/").ok_or(Error::RoleArn)?;
        let (account, rest) = rest.split_once(':').ok_or(Error::RoleArn)?;
        let account = account.parse().map_err(|_| Error::RoleArn)?;
        let (kind, word) = rest.split_once('/').ok_or(Error::RoleArn)?;
        // A product's role has one more part; both spellings are about.
        let name = match (kind, word.split_once('/')) {
            ("roleName", None)
            | ("roleName" | "role", Some(("tencentcloudServiceRoleName", _))) => {
                let name = word.rsplit('/').next().unwrap_or_default();
                RoleWord::Name(name.to_owned())
            }
            ("role", None | Some(("tencentcloudServiceRole", _))) => {
                let id = word.rsplit('/').next().unwrap_or_default();
                RoleWord::Id(id.parse().map_err(|_| Error::RoleArn)?)
            }
            _ => return Err(Error::RoleArn),
        };
        Ok(Self { account, name })
    }
}

impl RoleArn {
    /// The role, if it is there.
    pub async fn find(&self, tx: &mut Read) -> Result<Option<Role>, Error> {
        let which = match &self.name {
            RoleWord::Id(id) => Which { id: Some(*id), name: None },
            RoleWord::Name(name) => Which { id: None, name: Some(name) },
        };
        Ok(management::role(tx, self.account, which).await?)
    }
}

/// Checks what a role session is to be called (API.md §4.2).
pub fn check_session_name(name: &str) -> Result<(), Error> {
    check_text(name, 2, 128, "_ + = , . @ -", b"_+=,.@-")
}

fn check_text(
    text: &str,
    least: usize,
    most: usize,
    signs: &'static str,
    allowed: &[u8],
) -> Result<(), Error> {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || allowed.contains(&byte);
    if (least..=most).contains(&text.len()) && text.bytes().all(letter) {
        Ok(())
    } else {
        Err(Error::Name { least, most, signs })
    }
}

/// Reads a policy that narrows a session. Clients send it URL-encoded.
pub fn session_policy(given: &str) -> Result<String, Error> {
    if given.len() > 4 * document::MAX_LENGTH {
        return Err(Error::PolicyTooLong);
    }
    let text = if given.trim_start().starts_with('{') {
        given.to_owned()
    } else {
        let bytes = given.replace('+', " ");
        let decoded = percent_encoding::percent_decode_str(&bytes).decode_utf8();
        decoded
            .map_err(|_| {
                let problem = document::Problem::NotJson { line: 1, column: 1 };
                Error::Policy(document::Error { path: String::new(), problem })
            })?
            .into_owned()
    };
    let read = Document::parse(&text).map_err(|error| match error.problem {
        document::Problem::TooLong => Error::PolicyTooLong,
        _ => Error::Policy(error),
    })?;
    match read.unknown_operators().into_iter().next() {
        Some(place) => Err(Error::UnknownOperator(place)),
        None => Ok(text),
    }
}

/// How long a session of a role lasts, in seconds: what is wished, or the usual; never longer than
/// the role grants.
pub fn session_seconds(role: &Role, wished: Option<i64>) -> Result<i64, Error> {
    match wished {
        None => Ok(USUAL_SESSION.min(role.session_duration)),
        Some(seconds) if (1..=role.session_duration).contains(&seconds) => Ok(seconds),
        Some(_) => Err(Error::Duration(role.session_duration)),
    }
}

/// With what a role is assumed.
#[derive(Clone, Copy, Debug)]
pub struct Wish<'a> {
    /// Which role.
    pub role: &'a RoleArn,
    /// What the session is called.
    pub session_name: &'a str,
    /// How long it is to last, in seconds.
    pub seconds: Option<i64>,
    /// A policy that narrows it.
    pub policy: Option<&'a str>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<&'a str>,
    /// The session's tags.
    pub tags: &'a Tags,
    /// For whom it is, as the caller says.
    pub source_identity: Option<&'a str>,
}

fn check_plain(what: &'static str, text: Option<&str>) -> Result<(), Error> {
    const MOST: usize = 128;
    let plain = |text: &str| text.chars().count() <= MOST && !text.chars().any(char::is_control);
    if text.is_none_or(plain) { Ok(()) } else { Err(Error::Text(what, MOST)) }
}

/// The CAM user that asks, itself: not somebody with temporary credentials.
fn asking(caller: &CamPrincipal) -> Result<&CamUser, Error> {
    match caller {
        CamPrincipal::User(user) => Ok(user),
        CamPrincipal::Role(_) | CamPrincipal::Federated(_) => Err(Error::Temporary),
    }
}

/// A CAM user assumes a role that trusts it.
pub async fn assume_role(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    caller: &CamPrincipal,
    wish: Wish<'_>,
) -> Result<NewRoleSession, Error> {
    let user = asking(caller)?;
    check_session_name(wish.session_name)?;
    check_plain("external id", wish.external_id)?;
    check_plain("source identity", wish.source_identity)?;
    let policy = wish.policy.map(session_policy).transpose()?;
    let abroad = wish.role.account != user.account_uin;
    let role = wish.role.find(tx).await?;
    // Whoever is not trusted does not learn what roles another account has.
    let missing = if abroad { Error::NotTrusted } else { Error::RoleNotFound };
    let role = role.ok_or(missing)?;
    let mut context = context(act, caller);
    if let Some(id) = wish.external_id {
        context = context.with("sts:external_id", id);
    }
    let asking = Asking::User { account: user.account_uin.0, user: user.uin.0 };
    let trusted = TrustPolicy::parse(&role.trust_policy)
        .is_ok_and(|trust| trust.allows(asking, "sts:AssumeRole", &context));
    if !trusted {
        return Err(Error::NotTrusted);
    }
    let session = new_role_session(act, sealer, session_seconds(&role, wish.seconds)?)?;
    let arn = caller.identity().arn;
    let vouched = Vouched {
        account: role.account_uin,
        provider: "",
        name_id: &arn,
        session_name: wish.session_name,
    };
    let terms = Terms {
        assumed_by: Some(user.uin),
        policy,
        tags: wish.tags.clone(),
        source_identity: wish.source_identity.map(str::to_owned),
        assertion: None,
    };
    sessions::insert(tx, act, role.id, &session, vouched, &terms).await?;
    Ok(session)
}

/// A CAM user has credentials made that may do what it may, and of that only what `policy` allows.
pub async fn federate(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    caller: &CamPrincipal,
    name: &str,
    policy: &str,
    seconds: i64,
) -> Result<NewRoleSession, Error> {
    let user = asking(caller)?;
    check_text(name, 1, 128, "_ + = , . @ -", b"_+=,.@-")?;
    let longest = if user.is_root { LONGEST_OF_ROOT } else { LONGEST_OF_USER };
    if !(1..=longest).contains(&seconds) {
        return Err(Error::Duration(longest));
    }
    let policy = session_policy(policy)?;
    let session = new_role_session(act, sealer, seconds)?;
    sql("INSERT INTO cloud_federation_sessions
             (id, user_uin, name, policy, secret_id, secret_key_sealed, created_at, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(session.id)
    .bind(user.uin)
    .bind(name)
    .bind(&policy)
    .bind(&session.secret_id)
    .bind(session.sealed.as_slice())
    .bind(act.now)
    .bind(session.expires_at)
    .execute(tx)
    .await?;
    let change = Change {
        scope: scope_of(tx, user.account_uin).await?,
        action: "federation_session.open",
        object_kind: "federation_session",
        object_id: &session.id.to_string(),
        before: json!(null),
        after: json!({
            "user": user.uin,
            "name": name,
            "policy": policy,
            "expires_at": session.expires_at,
        }),
    };
    audit::record(tx, act, change).await.map_err(CloudError::from)?;
    Ok(session)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_named_by_number_or_name() {
        let of = |word: RoleWord| Some(RoleArn { account: Uin(100), name: word });
        for (text, expected) in [
            ("qcs::cam::uin/100:roleName/R", of(RoleWord::Name("R".to_owned()))),
            (
                "qcs::cam::uin/100:roleName/tencentcloudServiceRoleName/R",
                of(RoleWord::Name("R".to_owned())),
            ),
            (
                "qcs::cam::uin/100:role/tencentcloudServiceRoleName/R",
                of(RoleWord::Name("R".to_owned())),
            ),
            ("qcs::cam::uin/100:role/7", of(RoleWord::Id(7))),
            ("qcs::cam::uin/100:role/tencentcloudServiceRole/7", of(RoleWord::Id(7))),
            ("qcs::cam::uin/100:role/R", None),
            ("qcs::cam::uin/100:roleName/a/b", None),
            ("qcs::cam::uin/x:roleName/R", None),
            ("qcs::cam::uin/100:uin/7", None),
            ("", None),
        ] {
            assert_eq!(text.parse::<RoleArn>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_session_policy_comes_encoded_or_not() {
        let plain =
            r#"{"version":"2.0","statement":[{"effect":"allow","action":"*","resource":"*"}]}"#;
        assert_eq!(session_policy(plain).unwrap(), plain);
        let encoded =
            percent_encoding::utf8_percent_encode(plain, percent_encoding::NON_ALPHANUMERIC)
                .to_string();
        assert_eq!(session_policy(&encoded).unwrap(), plain);
        assert!(matches!(session_policy("%ff"), Err(Error::Policy(_))));
        assert!(matches!(session_policy("nonsense"), Err(Error::Policy(_))));
        let long = plain.replace("\"*\"}", &format!("[{}]}}", vec!["\"*\""; 2000].join(",")));
        assert!(matches!(session_policy(&long), Err(Error::PolicyTooLong)));
        let odd = plain.replace("\"*\"}", r#""*","condition":{"odd":{"k":"v"}}}"#);
        assert!(matches!(session_policy(&odd), Err(Error::UnknownOperator(_))));
    }
}
