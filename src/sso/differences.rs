//! How a proposed configuration differs from the present one.

use super::{IdentityProvider, SingleLogout};
use crate::saml::metadata::IdpMetadata;

/// A part of the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The entity id.
    EntityId,
    /// Where sign-in requests go by redirect.
    Redirect,
    /// Where they are posted to.
    Post,
    /// Where logout messages go.
    Logout,
    /// A certificate, by the SHA-256 of its DER form.
    Certificate,
}

/// One part, as it is and as it would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which part.
    pub part: Part,
    /// What is configured; none if nothing is.
    pub now: Option<String>,
    /// What would be; none if nothing would.
    pub then: Option<String>,
}

impl Difference {
    /// Whether anything would change.
    pub fn is_change(&self) -> bool {
        self.now != self.then
    }
}

/// Every part that is configured or would be, those that stay among them (SSO-09).
pub fn differences(current: Option<&IdentityProvider>, proposed: &IdpMetadata) -> Vec<Difference> {
    let now = |field: fn(&IdentityProvider) -> &String| {
        current.map(field).filter(|text| !text.is_empty()).cloned()
    };
    let mut found = vec![
        Difference {
            part: Part::EntityId,
            now: now(|it| &it.entity_id),
            then: Some(proposed.entity_id.clone()),
        },
        Difference {
            part: Part::Redirect,
            now: now(|it| &it.login_url),
            then: proposed.redirect_location().map(str::to_owned),
        },
        Difference {
            part: Part::Post,
            now: now(|it| &it.post_url),
            then: proposed.post_location().map(str::to_owned),
        },
        Difference {
            part: Part::Logout,
            now: current.map(|it| it.single_logout.to_string()).filter(|it| !it.is_empty()),
            then: Some(SingleLogout::of(proposed).to_string()).filter(|it| !it.is_empty()),
        },
    ];
    let present = current.map(|it| it.certificates.as_slice()).unwrap_or_default();
    let present: Vec<&String> = present.iter().map(|it| &it.fingerprint).collect();
    let wanted: Vec<&String> =
        proposed.certificates.iter().map(|it| &it.facts().fingerprint).collect();
    for fingerprint in &present {
        found.push(Difference {
            part: Part::Certificate,
            now: Some((*fingerprint).clone()),
            then: wanted.contains(fingerprint).then(|| (*fingerprint).clone()),
        });
    }
    for fingerprint in wanted.iter().filter(|it| !present.contains(it)) {
        found.push(Difference {
            part: Part::Certificate,
            now: None,
            then: Some((*fingerprint).clone()),
        });
    }
    found.retain(|it| it.now.is_some() || it.then.is_some());
    found
}
