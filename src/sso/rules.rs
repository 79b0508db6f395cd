//! Names of ours towards identity providers, and where a sign-in may lead.

use crate::{config::Settings, id::SpaceId};

/// The entity id of a space as a service provider; stays when the space's name changes (SSO-05).
pub fn sp_entity_id(settings: &Settings, space: SpaceId) -> String {
    settings.url(&format!("/saml/sp/{space}"))
}

/// Where a space takes responses.
pub fn acs_url(settings: &Settings, space: SpaceId) -> String {
    settings.url(&format!("/saml/acs/{space}"))
}

/// Where a space takes logout messages, by either binding.
pub fn slo_url(settings: &Settings, space: SpaceId) -> String {
    settings.url(&format!("/saml/slo/{space}"))
}

/// The entity id of a space as an identity provider towards its accounts.
pub fn idp_entity_id(settings: &Settings, space: SpaceId) -> String {
    settings.url(&format!("/saml/idp/{space}"))
}

/// Where to go after a sign-in (SSO-20): the wanted place if it is a path of this space's portal,
/// else the portal's home. A browser takes more for an address than one thinks, so what is let
/// through is narrow: plain path characters, and no way to another host or up the path.
pub fn return_path(space_name: &str, wanted: Option<&str>) -> String {
    let home = format!("/portal/{space_name}");
    let Some(wanted) = wanted else { return home };
    let rest = wanted.strip_prefix(&home);
    let inside =
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || rest.starts_with('?'));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?=&".contains(&b);
    let sound = wanted.len() <= 512
        && wanted.bytes().all(plain)
        && !wanted.contains("//")
        && !wanted.contains("..")
        && !wanted.contains("/login");
    if inside && sound { wanted.to_owned() } else { home }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sso_20_a_sign_in_leads_into_this_portal_only() {
        for good in ["/portal/acme", "/portal/acme/x/y", "/portal/acme?tab=users&q=a"] {
            assert_eq!(return_path("acme", Some(good)), good);
        }
        for bad in [
            "",
            "/",
            "//evil.example",
            "https://evil.example",
            "/\\evil.example",
            "/portal/acmeX",
            "/portal/other",
            "/portal/acme//evil.example",
            "/portal/acme/../../console",
            "/portal/acme/%2e%2e/",
            "/portal/acme@evil.example",
            "/portal/acme/\t/x",
            "/portal/acme/login/start",
            "javascript:alert(1)",
        ] {
            assert_eq!(return_path("acme", Some(bad)), "/portal/acme", "{bad}");
        }
        assert_eq!(return_path("acme", None), "/portal/acme");
    }
}
