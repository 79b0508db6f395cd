//! How an assertion names a role of a cloud account (API.md §4.1).

use super::certificate::fingerprint;

/// The attribute that names roles.
pub const ROLE: &str = "https://cloud.tencent.com/SAML/Attributes/Role";
/// The attribute that names the session.
pub const ROLE_SESSION_NAME: &str = "https://cloud.tencent.com/SAML/Attributes/RoleSessionName";

const LONGEST_SESSION_NAME: usize = 32;
const SHORTEST_SESSION_NAME: usize = 2;
/// Hexadecimal digits of the hash that a changed name ends with.
const SUFFIX: usize = 10;

/// Why a `Role` value is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoleError {
    /// Not `qcs::cam::uin/U:roleName/R,qcs::cam::uin/U:saml-provider/P`.
    #[error("malformed role attribute")]
    Malformed,
    /// Roles and provider belong to different accounts.
    #[error("roles and provider of different accounts")]
    DifferentAccounts,
}

/// Roles of one account and the SAML provider that vouches for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleClaim {
    /// The account.
    pub uin: i64,
    /// Names of roles, at least one; the person picks one of several.
    pub roles: Vec<String>,
    /// The name of the SAML provider in the account.
    pub provider: String,
}

impl std::fmt::Display for RoleClaim {
    /// The attribute's value; several roles are joined by `;`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { uin, roles, provider } = self;
        for (index, role) in roles.iter().enumerate() {
            let separator = if index == 0 { "" } else { ";" };
            write!(f, "{separator}qcs::cam::uin/{uin}:roleName/{role}")?;
        }
        write!(f, ",qcs::cam::uin/{uin}:saml-provider/{provider}")
    }
}

impl std::str::FromStr for RoleClaim {
    type Err = RoleError;

    fn from_str(value: &str) -> Result<Self, RoleError> {
        // A role's name may hold a comma; the marker of the provider it cannot hold.
        let (roles, provider) = value.rsplit_once(",qcs::").ok_or(RoleError::Malformed)?;
        let (uin, kind, provider) = resource(provider)?;
        if kind != "saml-provider" {
            return Err(RoleError::Malformed);
        }
        let mut names = Vec::new();
        for role in roles.split(';') {
            let role = role.strip_prefix("qcs::").ok_or(RoleError::Malformed)?;
            let (account, kind, name) = resource(role)?;
            if kind != "roleName" {
                return Err(RoleError::Malformed);
            }
            if account != uin {
                return Err(RoleError::DifferentAccounts);
            }
            names.push(name.to_owned());
        }
        Ok(Self { uin, roles: names, provider: provider.to_owned() })
    }
}

/// Splits `cam::uin/U:kind/name`.
fn resource(text: &str) -> Result<(i64, &str, &str), RoleError> {
    let parts = || {
        let (uin, rest) = text.strip_prefix("cam::uin/")?.split_once(':')?;
        let (kind, name) = rest.split_once('/')?;
        let digits = !uin.starts_with('0') && uin.bytes().all(|byte| byte.is_ascii_digit());
        let uin = uin.parse::<i64>().ok().filter(|_| digits)?;
        // A role we deploy is named after a configuration of up to 128 characters, and a prefix.
        let named = (1..=160).contains(&name.len()) && name.bytes().all(is_name_byte);
        named.then_some((uin, kind, name))
    };
    parts().ok_or(RoleError::Malformed)
}

/// What may stand in names beside letters and digits.
pub const NAME_SIGNS: &[u8] = b"_+=,.@-";

fn is_name_byte(byte: u8) -> bool {
    is_of(byte, NAME_SIGNS)
}

fn is_of(byte: u8, signs: &[u8]) -> bool {
    byte.is_ascii_alphanumeric() || signs.contains(&byte)
}

/// The session name of a user (DESIGN §8).
///
/// A name of 2 to 32 characters of `[A-Za-z0-9_+=,.@-]` is its own session name.
/// Otherwise every other character becomes `-`, the name is cut, and `-` with
/// ten hexadecimal digits of the SHA-256 of the true name is appended, so that
/// two names never share one. The true name is in the NameID and in the audit.
pub fn session_name(user_name: &str) -> String {
    session_name_of(user_name, LONGEST_SESSION_NAME, NAME_SIGNS)
}

/// The same where a cloud takes names of up to `longest` letters, digits and these signs.
pub fn session_name_of(user_name: &str, longest: usize, signs: &[u8]) -> String {
    let length = user_name.len();
    let kept = (SHORTEST_SESSION_NAME..=longest).contains(&length)
        && user_name.bytes().all(|byte| is_of(byte, signs));
    if kept {
        return user_name.to_owned();
    }
    let mut name: String = user_name
        .chars()
        .map(|c| if c.is_ascii() && is_of(c as u8, signs) { c } else { '-' })
        .take(longest.saturating_sub(SUFFIX + 1))
        .collect();
    let hash = fingerprint(user_name.as_bytes());
    name.push('-');
    name.extend(hash.chars().take(SUFFIX));
    name
}
