//! How the things we make are called in an account (DESIGN §6), and what they say.

use serde_json::json;

use crate::{
    cloud::management,
    id::{SpaceId, Uin},
    secret::{hex, sha256},
};

/// What every role that we deploy is called first.
pub const ROLE_PREFIX: &str = management::RESERVED_ROLES;
/// Longest part of a CAM user's name before the `@`.
const LONGEST_LOCAL: usize = 50;
/// Hexadecimal digits of the hash that a changed name ends with.
const HASH: usize = 10;
/// Longest name of a policy in an account.
const LONGEST_POLICY: usize = 128;

/// The SAML provider of a space.
pub fn saml_provider(space: SpaceId) -> String {
    format!("{}{space}", management::RESERVED_PROVIDERS)
}

/// The role of a configuration.
pub fn role(configuration: &str) -> String {
    format!("{ROLE_PREFIX}{configuration}")
}

/// What the names of a configuration's custom policies begin with.
pub fn policy_prefix(configuration: &str) -> String {
    format!("{ROLE_PREFIX}{configuration}.")
}

/// A custom policy of a configuration. A configuration has no dot in its name, so no two
/// configurations share one.
pub fn policy(configuration: &str, policy: &str) -> String {
    let name = format!("{}{policy}", policy_prefix(configuration));
    if name.len() <= LONGEST_POLICY {
        return name;
    }
    let hash = hex(&sha256(name.as_bytes()));
    format!("{}{}", policy_prefix(configuration), &hash[..HASH])
}

/// The name of a SAML provider as a resource.
pub fn provider_arn(account: Uin, provider: &str) -> String {
    format!("qcs::cam::uin/{account}:saml-provider/{provider}")
}

/// Who may assume our roles: whoever the space's SAML provider vouches for, at our own sign-in
/// (API.md §4.1).
pub fn trust_policy(account: Uin, provider: &str, sign_in_url: &str) -> String {
    json!({
        "version": "2.0",
        "statement": [{
            "action": "name/sts:AssumeRoleWithSAML",
            "effect": "allow",
            "principal": { "federated": [provider_arn(account, provider)] },
            "condition": { "string_equal": { "saml:aud": sign_in_url } },
        }],
    })
    .to_string()
}

/// Our identity provider's entity id towards the accounts; also where its metadata is.
pub fn idp_entity_id(public_url: &str, space: SpaceId) -> String {
    format!("{}/saml/idp/{space}", public_url.trim_end_matches('/'))
}

/// The CAM user of a directory user: `<user name>@<suffix>` (US-01).
///
/// A user name of at most 50 characters of `[A-Za-z0-9+=,.@_-]` is taken as it is. In any other
/// one each other character becomes `-`, the name is cut, and `-` with ten hexadecimal digits of
/// the SHA-256 of the true name is appended, so that two users never share one.
pub fn cam_user(user_name: &str, suffix: &str) -> String {
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if (1..=LONGEST_LOCAL).contains(&user_name.len()) && user_name.chars().all(fits) {
        return format!("{user_name}@{suffix}");
    }
    let kept: String = user_name
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .take(LONGEST_LOCAL - HASH - 1)
        .collect();
    let hash = hex(&sha256(user_name.as_bytes()));
    format!("{kept}-{}@{suffix}", &hash[..HASH])
}

/// The name that is tried when another CAM user has the one above and both are kept (US-05).
pub fn second_cam_user(name: &str) -> String {
    format!("{name}_cic")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn us_01_a_plain_name_is_kept_and_a_lossy_one_is_told_apart() {
        assert_eq!(cam_user("user1", "tencent"), "user1@tencent");
        assert_eq!(cam_user("a.b@example.com", "s"), "a.b@example.com@s");
        let [one, other] = ["张三", "李四"].map(|name| cam_user(name, "s"));
        assert_ne!(one, other);
        assert!(one.starts_with("---") && one.ends_with("@s"), "{one}");
        let long = cam_user(&"x".repeat(256), "s");
        assert_eq!(long.len(), LONGEST_LOCAL + 2);
        assert_ne!(long, cam_user(&"x".repeat(255), "s"));
    }

    #[test]
    fn a_trust_policy_names_the_provider_and_our_sign_in() {
        let policy = trust_policy(Uin(100), "P", "https://i.example/cloud/login/saml");
        assert!(policy.contains("qcs::cam::uin/100:saml-provider/P"), "{policy}");
        assert!(policy.contains("https://i.example/cloud/login/saml"), "{policy}");
    }
}
