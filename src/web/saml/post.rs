//! A page that carries a SAML message on, as a form that sends itself.

use askama::Template;
use axum::response::{IntoResponse, Response};
use url::Url;

use crate::web::{Fault, page::Page};

/// A message in base64.
#[derive(Clone, Copy, Debug)]
pub enum Message<'a> {
    /// That asks.
    Request(&'a str),
    /// That answers.
    Response(&'a str),
}

impl<'a> Message<'a> {
    /// The form field it goes in (SAML bindings §3.5.4), and its value.
    pub fn field(self) -> (&'static str, &'a str) {
        match self {
            Self::Request(text) => ("SAMLRequest", text),
            Self::Response(text) => ("SAMLResponse", text),
        }
    }
}

/// The form. Its button is there for browsers without scripts.
#[derive(Template)]
#[template(path = "parts/saml_post.html")]
pub struct SamlPost<'a> {
    /// Where it goes.
    pub action: &'a str,
    /// The message.
    pub message: Message<'a>,
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
