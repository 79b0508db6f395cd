//! A page: a template, its status, and the headers that keep it safe.
//!
//! Every page forbids whatever it does not need: no script but ours, no frames around it, no
//! forms to elsewhere. A page whose form must leave us (the one that carries a SAML response to
//! an account) names where to with [`Page::form_to`].

use askama::Template;
use axum::{
    http::{
        HeaderName, HeaderValue, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse, Response},
};
use url::Url;

use super::messages::{Message, language};
use crate::store::Timestamp;

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

/// A page on its way to a browser. Never cached: every page is somebody's.
#[derive(Debug)]
pub struct Page<T> {
    template: T,
    status: StatusCode,
    form_to: Option<String>,
    framed_by: Option<String>,
    send_referrer: bool,
}

impl<T: Template> Page<T> {
    /// The page of a template, with status 200.
    pub fn new(template: T) -> Self {
        Self {
            template,
            status: StatusCode::OK,
            form_to: None,
            framed_by: None,
            send_referrer: true,
        }
    }

    /// The page with another status: 422 for a form that is shown again.
    #[must_use]
    pub fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Lets forms of this page go to the origin of `target` as well.
    #[must_use]
    pub fn form_to(mut self, target: &Url) -> Self {
        let origin = target.origin();
        self.form_to = origin.is_tuple().then(|| origin.ascii_serialization());
        self
    }

    /// Lets pages of the origin of `target` show this one in a frame. Only for a page on which
    /// nobody decides anything.
    #[must_use]
    pub fn framed_by(mut self, target: &Url) -> Self {
        let origin = target.origin();
        self.framed_by = origin.is_tuple().then(|| origin.ascii_serialization());
        self
    }

    /// The address of this page is secret: no request that comes from it may name it.
    #[must_use]
    pub fn no_referrer(mut self) -> Self {
        self.send_referrer = false;
        self
    }

    fn policy(&self) -> String {
        let elsewhere = self.form_to.as_deref().unwrap_or_default();
        let around = self.framed_by.as_deref().unwrap_or("'none'");
        format!(
            "default-src 'self'; frame-ancestors {around}; base-uri 'none'; object-src 'none'; \
             form-action 'self' {elsewhere}"
        )
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let html = match self.template.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(%error, "a page cannot be rendered");
                return (StatusCode::INTERNAL_SERVER_ERROR, "The page cannot be shown.")
                    .into_response();
            }
        };
        // `same-origin`, not `no-referrer`: under the latter a form would be sent with the origin
        // `null`, which the protection against forged requests could not tell from a stranger's.
        let referrer = if self.send_referrer { "same-origin" } else { "no-referrer" };
        let Ok(policy) = HeaderValue::from_str(self.policy().trim_end()) else {
            tracing::error!("a page's content security policy is no header value");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
            (CONTENT_LANGUAGE, HeaderValue::from_static(language().tag())),
            (CONTENT_SECURITY_POLICY, policy),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            (REFERRER_POLICY, HeaderValue::from_static(referrer)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
            (OPENER_POLICY, HeaderValue::from_static("same-origin")),
        ];
        (self.status, headers, html).into_response()
    }
}

/// The error page: what happened in one sentence, and what to quote to an administrator.
#[derive(Template, Debug)]
#[template(path = "error.html")]
pub struct ErrorPage<'a> {
    /// The heading, a few words.
    pub title: &'a str,
    /// One sentence for whoever sees the page; never the inner cause.
    pub message: &'a str,
    /// A stable code for this kind of failure.
    pub code: &'a str,
    /// The request id, which the log has too.
    pub request_id: &'a str,
    /// Where to go from here: address and words of a link.
    pub onward: Option<(&'a str, Message)>,
}

/// How a time stands on a page: to the second, in UTC.
pub fn time(at: &Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The day of a time, in UTC.
pub fn day(at: &Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%d").to_string()
}

/// The same time for the `datetime` attribute of a `<time>` element.
pub fn machine_time(at: &Timestamp) -> String {
    at.to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// One field of a form: its label, value and, when it was wrong, why. It renders itself with a
/// label, a hint and an error that name each other for screen readers.
#[derive(Template, Clone, Debug)]
#[template(path = "parts/field.html")]
pub struct Field {
    name: &'static str,
    label: Message,
    kind: &'static str,
    value: String,
    hint: Option<Message>,
    error: Option<String>,
    autocomplete: &'static str,
    longest: u32,
    required: bool,
    focused: bool,
}

impl Field {
    /// A required line of text.
    pub fn text(name: &'static str, label: Message) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value: String::new(),
            hint: None,
            error: None,
            autocomplete: "off",
            longest: 1024,
            required: true,
            focused: false,
        }
    }

    /// A password. Its value never goes back to the browser.
    pub fn password(name: &'static str, label: Message) -> Self {
        Self { kind: "password", autocomplete: "current-password", ..Self::text(name, label) }
    }

    /// Several lines of text.
    pub fn long_text(name: &'static str, label: Message) -> Self {
        Self { kind: "textarea", longest: 1_000_000, ..Self::text(name, label) }
    }

    /// A whole number.
    pub fn number(name: &'static str, label: Message) -> Self {
        Self { kind: "number", ..Self::text(name, label) }
    }

    /// What the browser may fill in by itself.
    #[must_use]
    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }

    /// May stay empty.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    /// The cursor stands here first.
    #[must_use]
    pub fn focused(self) -> Self {
        Self { focused: true, ..self }
    }

    /// A sentence under the field.
    #[must_use]
    pub fn hint(self, hint: Message) -> Self {
        Self { hint: Some(hint), ..self }
    }

    /// At most so many characters.
    #[must_use]
    pub fn longest(self, longest: u32) -> Self {
        Self { longest, ..self }
    }

    /// What the form sends it as.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it is called.
    pub fn label(&self) -> Message {
        self.label
    }

    /// What stands in it now.
    pub fn said(&self) -> &str {
        &self.value
    }

    /// What stands in it.
    #[must_use]
    pub fn value(self, value: impl Into<String>) -> Self {
        let value = if self.kind == "password" { String::new() } else { value.into() };
        Self { value, ..self }
    }

    /// Why it was refused, if it was.
    #[must_use]
    pub fn error(self, error: Option<String>) -> Self {
        Self { error, ..self }
    }

    /// Whether it goes by this name.
    pub fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// Whether it was refused.
    pub fn is_wrong(&self) -> bool {
        self.error.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(response: &Response, name: HeaderName) -> &str {
        response.headers()[name].to_str().unwrap()
    }

    fn error_page() -> ErrorPage<'static> {
        ErrorPage {
            title: "Not <found>",
            message: "There is no such page.",
            code: "NotFound",
            request_id: "r-1",
            onward: Some(("/portal/acme", key!("sign-in"))),
        }
    }

    #[test]
    fn a_page_allows_no_script_of_others_and_no_frame() {
        let response = Page::new(error_page()).status(StatusCode::NOT_FOUND).into_response();
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        let policy = header(&response, CONTENT_SECURITY_POLICY);
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(policy.contains("default-src 'self'") && policy.contains("frame-ancestors 'none'"));
        assert!(policy.ends_with("form-action 'self'"), "{policy}");
        assert_eq!(header(&response, CACHE_CONTROL), "no-store");
        assert_eq!(header(&response, REFERRER_POLICY), "same-origin");
    }

    #[test]
    fn a_form_may_leave_only_to_the_named_origin() {
        let target = Url::parse("https://cloud.example/login?x=1;script-src *").unwrap();
        let response = Page::new(error_page()).form_to(&target).no_referrer().into_response();
        let policy = header(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.ends_with("form-action 'self' https://cloud.example"), "{policy}");
        assert_eq!(header(&response, REFERRER_POLICY), "no-referrer");
        let opaque = Url::parse("data:text/html,x").unwrap();
        let response = Page::new(error_page()).form_to(&opaque).into_response();
        assert!(header(&response, CONTENT_SECURITY_POLICY).ends_with("form-action 'self'"));
    }

    #[test]
    fn a_frame_is_for_the_named_origin_only() {
        let around = Url::parse("https://idp.example:8443/slo?x=1; script-src *").unwrap();
        let response = Page::new(error_page()).framed_by(&around).into_response();
        let policy = header(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.contains("; frame-ancestors https://idp.example:8443; "), "{policy}");
        assert!(!policy.contains("script-src"), "{policy}");
        let opaque = Url::parse("data:text/html,x").unwrap();
        let response = Page::new(error_page()).framed_by(&opaque).into_response();
        let policy = header(&response, CONTENT_SECURITY_POLICY);
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }

    #[test]
    fn what_people_wrote_is_escaped() {
        let html = error_page().render().unwrap();
        assert!(html.contains("Not &#60;found&#62;") && !html.contains("<found>"), "{html}");
        let field =
            Field::text("name", key!("name")).value("\"><script>").error(Some("<b>".to_owned()));
        let html = field.render().unwrap();
        assert!(!html.contains("<script>") && !html.contains("<b>"), "{html}");
        assert!(html.contains(r#"aria-invalid="true""#), "{html}");
    }

    #[test]
    fn a_password_never_returns_to_the_browser() {
        let html = Field::password("password", key!("name")).value("hunter2").render().unwrap();
        assert!(!html.contains("hunter2"));
    }
}
