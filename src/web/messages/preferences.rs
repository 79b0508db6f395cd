//! How somebody likes pages: the language and the theme. Two cookies keep it; a small form on
//! every page changes it, and comes back to that page.
//!
//! While a request is answered, its preferences stand in a task-local that [`prefer`] sets around
//! all doors: so a message knows its language wherever it is rendered, without anybody handing it
//! on. Outside a request pages are in English.

use axum::{
    Form,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderValue, Method, Uri,
        header::{ACCEPT_LANGUAGE, COOKIE, HOST, REFERER, SET_COOKIE},
    },
    middleware::Next,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use tower_http::csrf::CsrfLayer;
use tower_sessions::cookie::{Cookie, SameSite, time::Duration};
use url::Url;

use super::Language;
use crate::{
    app::App,
    web::{Caller, Fault, Routes, pages},
};

const LANGUAGE: &str = "language";
const THEME: &str = "theme";
/// A preference is kept for a year after it was chosen.
const KEPT: Duration = Duration::days(365);
/// Longer addresses are not returned to.
const LONGEST_ADDRESS: usize = 4096;

/// The colours of the pages, where they do not follow the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark letters on light.
    Light,
    /// Light letters on dark.
    Dark,
}

impl Theme {
    /// As the cookie and the pages write it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    fn chosen(tag: &str) -> Option<Self> {
        match tag {
            "light" => Some(Self::Light),
            "dark" => Some(Self::Dark),
            _ => None,
        }
    }
}

/// How whoever asks likes pages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// The language.
    pub language: Language,
    /// The theme; without one pages follow the system.
    pub theme: Option<Theme>,
    /// The page that is shown, to come back to: path and query.
    pub here: String,
}

impl Preferences {
    /// Those of a request: what was chosen, else what the browser asks for, else English.
    fn of(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let (mut language, mut theme) = (None, None);
        for (name, value) in cookies(headers) {
            match name {
                LANGUAGE => language = language.or(Language::chosen(value)),
                THEME => theme = theme.or(Theme::chosen(value)),
                _ => {}
            }
        }
        let accepted = || {
            let header = headers.get(ACCEPT_LANGUAGE)?;
            Language::accepted(header.to_str().ok()?)
        };
        Self {
            language: language.or_else(accepted).unwrap_or_default(),
            theme,
            here: here_of(method, uri, headers),
        }
    }
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

/// A page that answers a form stands at an address that cannot be asked for again; to come back
/// means to the page of the form.
fn here_of(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    if *method == Method::GET {
        return uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    }
    let referer = || {
        let referer = Url::parse(headers.get(REFERER)?.to_str().ok()?).ok()?;
        let host = headers.get(HOST)?.to_str().ok()?;
        let authority = match referer.port() {
            Some(port) => format!("{}:{port}", referer.host_str()?),
            None => referer.host_str()?.to_owned(),
        };
        if authority != host {
            return None;
        }
        Some(referer[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
    };
    referer().unwrap_or_else(|| "/".to_owned())
}

tokio::task_local! {
    static PREFERENCES: Preferences;
}

/// Lets everything that answers a request know its preferences.
pub async fn prefer(request: Request, next: Next) -> Response {
    let preferences = Preferences::of(request.method(), request.uri(), request.headers());
    PREFERENCES.scope(preferences, next.run(request)).await
}

/// The language of this request.
pub fn language() -> Language {
    PREFERENCES.try_with(|preferences| preferences.language).unwrap_or_default()
}

/// Renders in a language outside a request: for tests.
pub fn in_language<T>(language: Language, render: impl FnOnce() -> T) -> T {
    PREFERENCES.sync_scope(Preferences { language, ..Preferences::default() }, render)
}

/// The theme of this request, where somebody chose one.
pub fn theme() -> Option<Theme> {
    PREFERENCES.try_with(|preferences| preferences.theme).ok().flatten()
}

/// The page that this request shows, to come back to.
pub fn here() -> String {
    PREFERENCES.try_with(|preferences| preferences.here.clone()).unwrap_or_else(|_| "/".to_owned())
}

/// The path of that page, for a search that says its own query.
pub fn here_alone() -> String {
    let mut here = here();
    here.truncate(here.find('?').unwrap_or(here.len()));
    here
}

/// The route that keeps a preference.
pub fn routes() -> Routes {
    pages::open_door(Routes::new().post("/preferences", Caller::Anyone, keep))
        .layer(CsrfLayer::new())
}

/// What a switch sends: one of the two, and where to come back to.
#[derive(Debug, serde::Deserialize)]
struct Choice {
    language: Option<String>,
    /// `system` for none.
    theme: Option<String>,
    #[serde(default)]
    back: String,
}

async fn keep(State(app): State<App>, Form(choice): Form<Choice>) -> Result<Response, Fault> {
    let mut kept = Vec::new();
    if let Some(language) = choice.language.as_deref().and_then(Language::chosen) {
        kept.push(cookie(&app, LANGUAGE, Some(language.tag()))?);
    }
    if let Some(theme) = &choice.theme {
        kept.push(cookie(&app, THEME, Theme::chosen(theme).map(Theme::tag))?);
    }
    let kept = AppendHeaders(kept.into_iter().map(|cookie| (SET_COOKIE, cookie)));
    Ok((kept, Redirect::to(safe_return(&choice.back))).into_response())
}

/// A preference for a year; none ends it at once.
fn cookie(app: &App, name: &'static str, value: Option<&str>) -> Result<HeaderValue, Fault> {
    let cookie = Cookie::build((name, value.unwrap_or_default()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(app.settings.is_https())
        .max_age(if value.is_some() { KEPT } else { Duration::ZERO });
    HeaderValue::from_str(&cookie.to_string()).map_err(|_| Fault::Internal("no header value"))
}

/// An address of ours, or the front door: nobody is led elsewhere by a form that says so.
fn safe_return(address: &str) -> &str {
    let ours = address.len() <= LONGEST_ADDRESS
        && address.starts_with('/')
        && !address.starts_with("//")
        && address.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours { address } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn preferences(method: &Method, uri: &str, headers: &[(&str, &str)]) -> Preferences {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect();
        Preferences::of(method, &uri.parse().unwrap(), &headers)
    }

    #[test]
    fn what_was_chosen_counts_before_what_the_browser_asks_for() {
        let asks = ("accept-language", "zh-CN");
        let found = preferences(&Method::GET, "/console?a=b", &[asks]);
        assert_eq!((found.language, found.theme), (Language::Chinese, None));
        assert_eq!(found.here, "/console?a=b");
        let chosen = ("cookie", "x=y; language=en; theme=dark");
        let found = preferences(&Method::GET, "/", &[asks, chosen]);
        assert_eq!((found.language, found.theme), (Language::English, Some(Theme::Dark)));
        let nonsense = ("cookie", "language=xx; theme=; language; =");
        let found = preferences(&Method::GET, "/", &[asks, nonsense]);
        assert_eq!((found.language, found.theme), (Language::Chinese, None));
    }

    #[test]
    fn the_answer_to_a_form_comes_back_to_the_page_of_the_form() {
        let host = ("host", "ic.example:8443");
        let of = |referer| preferences(&Method::POST, "/x", &[host, ("referer", referer)]).here;
        assert_eq!(of("https://ic.example:8443/console/users/new?a=1#b"), "/console/users/new?a=1");
        assert_eq!(of("https://evil.example/console"), "/");
        assert_eq!(of("https://ic.example/console"), "/");
        assert_eq!(of("nonsense"), "/");
        assert_eq!(preferences(&Method::POST, "/x", &[]).here, "/");
    }

    #[test]
    fn nobody_is_led_elsewhere() {
        assert_eq!(safe_return("/console/users?after=7&x=%2F"), "/console/users?after=7&x=%2F");
        for elsewhere in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\r\nb",
            "/ä",
            "a/b",
        ] {
            assert_eq!(safe_return(elsewhere), "/", "{elsewhere}");
        }
    }
}
