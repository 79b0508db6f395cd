//! What configurations may look like, and what of them is deployed.

use serde::{Deserialize, Serialize};

use super::{ConfigurationPolicy, Error, PolicyKind};
use crate::policy::Document;

/// Longest landing page, in bytes; SAML's RelayState is a handle of its own.
const LONGEST_RELAY_STATE: usize = 1024;

/// PC-02: 1 to 128 letters, digits and hyphens.
pub fn check_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=128).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::NameInvalid)
    }
}

pub(super) fn check_description(text: &str) -> Result<(), Error> {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().count() > 1024 || text.chars().any(control) {
        return Err(Error::DescriptionInvalid);
    }
    Ok(())
}

/// PC-05: 900 to 43,200 seconds, an hour if not said.
pub(super) fn check_session_duration(seconds: Option<i64>) -> Result<i64, Error> {
    match seconds {
        None => Ok(3600),
        Some(seconds) if (900..=43_200).contains(&seconds) => Ok(seconds),
        Some(_) => Err(Error::SessionDurationInvalid),
    }
}

/// PC-06: empty, a path of the target cloud, or an address of an allowed origin.
pub fn check_relay_state(text: &str, origins: &[String]) -> Result<(), Error> {
    let plain = text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\' && b != b'"');
    if text.len() > LONGEST_RELAY_STATE || !plain {
        return Err(Error::RelayStateInvalid);
    }
    // "//host" would be another origin.
    let is_path = text.starts_with('/') && !text.starts_with("//");
    let allowed = origins.iter().any(|origin| {
        text.strip_prefix(origin.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
    });
    if text.is_empty() || is_path || allowed { Ok(()) } else { Err(Error::RelayStateInvalid) }
}

/// A custom policy's name: what CAM allows, at most 32 characters.
pub(super) fn check_policy_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b);
    if (1..=32).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::PolicyNameInvalid)
    }
}

/// What a deployment puts into an account: all that "outdated" compares (DESIGN §8).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// How long a role session lasts, in seconds.
    pub session_duration: i64,
    /// The policies, by kind and name.
    pub policies: Vec<ContentPolicy>,
}

/// One policy of a [`Content`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ContentPolicy {
    /// Preset or custom.
    pub kind: PolicyKind,
    /// Its name.
    pub name: String,
    /// The preset's number; 0 for a custom one.
    pub id: i64,
    /// The custom one's document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
}

impl Content {
    /// One text for equal contents.
    pub fn to_text(&self) -> String {
        // Serialising plain structs to memory cannot fail; an empty text would only mean
        // "outdated".
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Out of that text.
    pub fn from_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// One text for documents that say the same.
fn plain(document: &str) -> String {
    Document::parse(document).map_or_else(|_| document.to_owned(), |read| read.to_json())
}

/// What a configuration with these policies and this duration would deploy.
pub fn content(session_duration: i64, policies: &[ConfigurationPolicy]) -> Content {
    let mut policies: Vec<ContentPolicy> = policies
        .iter()
        .map(|policy| ContentPolicy {
            kind: policy.kind,
            name: policy.name.clone(),
            id: policy.policy_id,
            document: policy.document.as_deref().map(plain),
        })
        .collect();
    policies.sort();
    Content { session_duration, policies }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pc_02_names() {
        for good in ["a", "Read-Only9", &"x".repeat(128)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a_b", "é", &"x".repeat(129)] {
            assert!(matches!(check_name(bad), Err(Error::NameInvalid)), "{bad}");
        }
    }

    #[test]
    fn pc_05_session_duration() {
        assert_eq!(check_session_duration(None).unwrap(), 3600);
        assert_eq!(check_session_duration(Some(900)).unwrap(), 900);
        assert_eq!(check_session_duration(Some(43_200)).unwrap(), 43_200);
        for bad in [899, 43_201, -1, i64::MAX] {
            assert!(check_session_duration(Some(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn pc_06_a_foreign_landing_page_is_refused() {
        let origins = ["https://cloud.tencent.com".to_owned()];
        for good in
            ["", "/", "/cvm?x=1", "https://cloud.tencent.com", "https://cloud.tencent.com/cvm"]
        {
            assert!(check_relay_state(good, &origins).is_ok(), "{good}");
        }
        for bad in [
            "//evil.example",
            "/\\evil.example",
            "https://cloud.tencent.com.evil.example/",
            "https://cloud.tencent.com@evil.example/",
            "http://cloud.tencent.com/",
            "javascript:alert(1)",
            "cvm",
            "/a b",
            "/a\nb",
        ] {
            assert!(check_relay_state(bad, &origins).is_err(), "{bad:?}");
        }
    }
}
