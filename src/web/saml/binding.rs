//! Cookies that bind a sign-in, or a sign-out at the identity provider, to a browser.
//!
//! Over https nobody else can plant one ([`cookies`]). Over http, on this machine, they go to the
//! portal's paths.

use axum::http::{HeaderMap, HeaderValue};

use crate::{
    app::App,
    web::{Fault, cookies},
};

/// 32 random bytes in base64.
const LENGTH: usize = 43;

/// What is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binding {
    /// What this browser began here. Several tabs share it.
    Began,
    /// The answer that nobody here had asked for and that this browser brought, about which the
    /// person is asked.
    Brought,
}

impl Binding {
    fn name(self, is_https: bool) -> &'static str {
        match (self, is_https) {
            (Self::Began, true) => "__Host-sign_in_binding",
            (Self::Began, false) => "sign_in_binding",
            (Self::Brought, true) => "__Host-sign_in_question",
            (Self::Brought, false) => "sign_in_question",
        }
    }

    /// How many seconds it lasts: as long as a person may take.
    fn seconds(self) -> i64 {
        match self {
            Self::Began => 600,
            Self::Brought => 300,
        }
    }

    /// What sets the cookie.
    pub fn cookie(self, app: &App, value: &str) -> Result<HeaderValue, Fault> {
        let is_https = app.settings.is_https();
        let (name, seconds) = (self.name(is_https), self.seconds());
        let scope = if is_https { "Path=/; Secure" } else { "Path=/portal" };
        let cookie = format!("{name}={value}; {scope}; HttpOnly; SameSite=Lax; Max-Age={seconds}");
        HeaderValue::from_str(&cookie).map_err(|_| Fault::Internal("no header value"))
    }

    /// The cookie's value, if there is one of the form that we hand out.
    pub fn of<'h>(self, app: &App, headers: &'h HeaderMap) -> Option<&'h str> {
        let wanted = self.name(app.settings.is_https());
        let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        cookies::one(headers, wanted)
            .filter(|value| value.len() == LENGTH && value.bytes().all(url_safe))
    }
}
