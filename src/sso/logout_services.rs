//! Where an identity provider takes logout messages (SAML metadata §2.4.2).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::saml::{
    binding,
    logout::Way,
    metadata::{Endpoint, IdpMetadata},
};

/// Where an identity provider takes logout messages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SingleLogout {
    /// By redirect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<LogoutService>,
    /// By a form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub post: Option<LogoutService>,
}

/// One of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogoutService {
    /// Where requests go.
    pub location: String,
    /// Where responses go, if elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub response_location: Option<String>,
}

impl SingleLogout {
    /// What metadata says. Of several addresses for one binding the first counts.
    pub fn of(metadata: &IdpMetadata) -> Self {
        let service = |binding| {
            let endpoint = metadata.single_logout.iter().find(|it| it.binding == binding)?;
            let (location, response_location) =
                (endpoint.location.clone(), endpoint.response_location.clone());
            Some(LogoutService { location, response_location })
        };
        Self { redirect: service(binding::REDIRECT), post: service(binding::POST) }
    }

    /// The same, as metadata has it.
    pub(super) fn endpoints(&self) -> Vec<Endpoint> {
        let services = [(binding::REDIRECT, &self.redirect), (binding::POST, &self.post)];
        let found = services.into_iter().filter_map(|(binding, service)| {
            let LogoutService { location, response_location } = service.clone()?;
            Some(Endpoint { binding: binding.to_owned(), location, response_location })
        });
        found.collect()
    }

    /// How requests go. Redirects first: a logout may lead through the pages of many services, and
    /// to a browser a form allows only where it goes itself.
    pub fn way_for_requests(&self) -> Option<Way> {
        let redirect = self.redirect.as_ref().map(|it| Way::Redirect(it.location.clone()));
        redirect.or_else(|| self.post.as_ref().map(|it| Way::Post(it.location.clone())))
    }

    /// How responses go: as the request came, if that way is open.
    pub fn way_for_responses(&self, came_by_post: bool) -> Option<Way> {
        let to = |it: &LogoutService| it.response_location.as_ref().unwrap_or(&it.location).clone();
        let redirect = self.redirect.as_ref().map(|it| Way::Redirect(to(it)));
        let post = self.post.as_ref().map(|it| Way::Post(to(it)));
        if came_by_post { post.or(redirect) } else { redirect.or(post) }
    }

    /// Addresses: writing them as JSON does not fail, and if it did there would be none.
    pub(super) fn text(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| json!({}))
    }
}

/// For people: each address, and where it answers if elsewhere. Empty when there is none.
impl std::fmt::Display for SingleLogout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut separator = "";
        for (service, words) in [(&self.redirect, "redirect"), (&self.post, "POST")] {
            let Some(LogoutService { location, response_location }) = service else { continue };
            write!(f, "{separator}{location} ({words}")?;
            if let Some(answers) = response_location {
                write!(f, ", answers to {answers}")?;
            }
            f.write_str(")")?;
            separator = ", ";
        }
        Ok(())
    }
}
