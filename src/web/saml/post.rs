//! A page that carries a SAML message on, as a form that sends itself.

use askama::Template;
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::web::{Fault, page::Page};

/// The form. Its button is there for browsers without scripts.
#[derive(Template)]
#[template(path = "parts/saml_post.html")]
pub struct SamlPost<'a> {
    /// Where it goes.
    pub action: &'a str,
    /// The message, in base64.
    pub response: &'a str,
    /// What comes back with it, if anything.
    pub relay_state: Option<&'a str>,
    /// Where one is led, in words.
    pub destination: &'a str,
}

impl SamlPost<'_> {
    /// The page, whose form may leave us for where it goes and for nowhere else.
    pub fn page(self) -> Result<Response, Fault> {
        let action = Url::parse(self.action)
            .map_err(|_| Fault::Internal("a SAML message has no address to go to"))?;
        Ok(Page::new(self).form_to(&action).into_response())
    }
}
