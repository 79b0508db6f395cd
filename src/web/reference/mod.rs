//! The reference of the API, at `/docs/api`: what the table of actions says, with examples that a
//! test has had answered. Anyone may read it; it tells nothing of what is in here.

mod model;
mod story;

use std::sync::LazyLock;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use self::{
    model::{ActionEntry, Reference, ServiceEntry, SubjectEntry},
    story::Example,
};
use super::{
    Caller, Routes,
    api::call::Access,
    log_cause,
    page::Page,
    pages::{self, PageError, Problem},
};
use crate::{
    app::App,
    secret::{hex, sha256},
};

/// Longest search, in characters.
const LONGEST_SEARCH: usize = 128;
/// When the calls of the examples are made, in seconds since 1970.
const EXAMPLE_TIME: i64 = 1_795_334_400;

/// What an answer is in.
const ENVELOPE: &str = r#"{"Response": {…, "RequestId": "…"}}"#;
/// What an error is in.
const ERROR_ENVELOPE: &str =
    r#"{"Response": {"Error": {"Code": "…", "Message": "…"}, "RequestId": "…"}}"#;
/// How a request is signed, by a client of the server HOST.
const SIGNING: &str = r#"CanonicalRequest = "POST\n" + "/\n" + "\n"
    + "content-type:application/json\n" + "host:HOST\n" + "\n"
    + "content-type;host\n" + hex(sha256(body))

StringToSign = "TC3-HMAC-SHA256\n" + timestamp + "\n"
    + date + "/" + service + "/tc3_request\n" + hex(sha256(CanonicalRequest))

Key = hmac(hmac(hmac("TC3" + SecretKey, date), service), "tc3_request")
Signature = hex(hmac(Key, StringToSign))

Authorization: TC3-HMAC-SHA256 Credential=SecretId/date/service/tc3_request,
    SignedHeaders=content-type;host, Signature=Signature"#;

/// The reference. It changes only with the program.
static REFERENCE: LazyLock<serde_json::Result<Reference>> = LazyLock::new(Reference::read);
/// The same for programs, and its tag.
static JSON: LazyLock<(String, String)> = LazyLock::new(|| {
    let told = REFERENCE.as_ref().map_or(Value::Null, Reference::to_json).to_string();
    let digest = sha256(told.as_bytes());
    let tag = format!("\"{}\"", hex(digest.get(..16).unwrap_or_default()));
    (told, tag)
});

/// Its routes.
pub(super) fn routes() -> Routes {
    pages::open_door(
        Routes::new()
            .get("/docs/api", Caller::Anyone, index)
            .get("/docs/api.json", Caller::Anyone, machine)
            .get("/docs/api/{service}/{version}/{action}", Caller::Anyone, action),
    )
}

fn reference() -> Result<&'static Reference, Problem> {
    REFERENCE.as_ref().map_err(|error| {
        log_cause(error);
        Problem::internal()
    })
}

#[derive(Deserialize)]
struct Asked {
    search: Option<String>,
}

#[derive(Template)]
#[template(path = "docs/index.html")]
struct Index {
    address: String,
    host: String,
    search: String,
    count: usize,
    services: Vec<FoundService>,
}

/// What of a service is shown.
struct FoundService {
    service: &'static ServiceEntry,
    subjects: Vec<(&'static SubjectEntry, Vec<&'static ActionEntry>)>,
}

impl FoundService {
    /// A name for links within the page.
    fn anchor(&self) -> String {
        format!("{}-{}", self.service.name, self.service.version)
    }
}

impl Index {
    /// How a request is signed (API reference §3.2).
    fn recipe(&self) -> String {
        SIGNING.replace("HOST", &self.host)
    }
}

async fn index(
    State(app): State<App>,
    Query(asked): Query<Asked>,
) -> Result<Page<Index>, PageError> {
    let search: String =
        asked.search.unwrap_or_default().trim().chars().take(LONGEST_SEARCH).collect();
    let wanted = search.to_lowercase();
    let mut services = Vec::new();
    let mut count = 0;
    for service in &reference()?.services {
        let mut subjects = Vec::new();
        for subject in &service.subjects {
            let found: Vec<_> =
                subject.actions.iter().filter(|action| action.is_about(&wanted)).collect();
            count += found.len();
            if !found.is_empty() {
                subjects.push((subject, found));
            }
        }
        services.push(FoundService { service, subjects });
    }
    let (address, host) = whereabouts(&app);
    Ok(Page::new(Index { address, host, search, count, services }))
}

/// The server's address, and what a client says in `Host`.
fn whereabouts(app: &App) -> (String, String) {
    let url = &app.settings.public_url;
    let name = url.host_str().unwrap_or_default();
    let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
    (url.to_string(), host)
}

#[derive(Template)]
#[template(path = "docs/action.html")]
struct ActionPage {
    action: &'static ActionEntry,
    subject: &'static SubjectEntry,
    host: String,
}

async fn action(
    State(app): State<App>,
    Path((service, version, name)): Path<(String, String, String)>,
) -> Result<Page<ActionPage>, PageError> {
    let reference = reference()?;
    let known = reference.services.iter().find(|it| it.name == service && it.version == version);
    let Some(action) = reference.find(&service, &version, &name) else {
        let unsupported = known.is_some_and(|it| it.unsupported.contains(&name.as_str()));
        let message = if unsupported {
            t!("reference-not-supported", name = name)
        } else {
            t!("reference-not-there")
        };
        let onward = key!("reference-all");
        return Err(Problem::not_found(message).onward("/docs/api", onward).into());
    };
    let subject = known
        .into_iter()
        .flat_map(|service| &service.subjects)
        .find(|subject| subject.actions.iter().any(|other| other.name == action.name));
    let subject = subject.ok_or_else(Problem::internal)?;
    Ok(Page::new(ActionPage { action, subject, host: whereabouts(&app).1 }))
}

impl ActionPage {
    /// The request of an example, as it goes over the wire.
    fn request(&self, example: &Example) -> String {
        let ActionEntry { service, version, name, .. } = self.action;
        let authorization = if example.unsigned {
            "SKIP".to_owned()
        } else {
            format!(
                "TC3-HMAC-SHA256 Credential=AKID…/2026-11-22/{service}/tc3_request, \
                 SignedHeaders=content-type;host, Signature=…"
            )
        };
        format!(
            "POST / HTTP/1.1\nHost: {}\nContent-Type: application/json\nX-TC-Action: {name}\n\
             X-TC-Version: {version}\nX-TC-Timestamp: {EXAMPLE_TIME}\n\
             Authorization: {authorization}\n\n{}",
            self.host,
            pretty(&example.request)
        )
    }

    /// Whether it is for principals of the management account.
    fn is_for_administrators(&self) -> bool {
        self.action.access == Access::Administrator
    }

    /// Whether no policy is asked.
    fn is_for_all(&self) -> bool {
        self.action.access == Access::AnyCredential
    }
}

/// The answer of an example, in its envelope.
fn answer(example: &Example) -> String {
    let mut content = example.response.clone();
    if let Some(content) = content.as_object_mut() {
        content.insert("RequestId".to_owned(), json!("…"));
    }
    pretty(&json!({ "Response": content }))
}

fn pretty(value: &Value) -> String {
    // The alternate form of a value is its text over several lines.
    format!("{value:#}")
}

/// The same for programs. It may be kept for some minutes, and asked for by its tag.
async fn machine(headers: HeaderMap) -> Result<Response, PageError> {
    reference()?;
    let (text, tag) = &*JSON;
    let common = [(ETAG, tag.as_str()), (CACHE_CONTROL, "public, max-age=300")];
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known = known.is_some_and(|value| {
        value.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    if is_known {
        return Ok((StatusCode::NOT_MODIFIED, common).into_response());
    }
    let kind = [(CONTENT_TYPE, "application/json"), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    Ok((common, kind, text.as_str()).into_response())
}

/// A text in which backticks stand around what is code: the parts, and whether each is code.
fn in_parts(text: &str) -> Vec<(&str, bool)> {
    text.split('`').enumerate().map(|(index, part)| (part, index % 2 == 1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_words() {
        let parts = in_parts("The setting `a.b` lets it.");
        assert_eq!(parts, [("The setting ", false), ("a.b", true), (" lets it.", false)]);
        assert_eq!(in_parts(""), [("", false)]);
    }

    #[test]
    fn the_reference_for_programs_has_a_tag_of_its_own() {
        let (text, tag) = &*JSON;
        let told: Value = serde_json::from_str(text).unwrap();
        assert_eq!(told["Services"][0]["Service"], "organization");
        assert_eq!(tag.len(), 34);
    }
}
