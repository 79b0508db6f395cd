//! What the doors with pages (portal, console, embedded cloud) share: a session by cookie, scoped
//! to the door's path; protection against forged requests by their origin; and error pages.

use axum::{
    extract::Request,
    http::{
        StatusCode,
        header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
    },
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
};
use tower_http::{csrf::CsrfLayer, limit::RequestBodyLimitLayer};

use super::{
    BODY_LIMIT, Face, Fault, RequestInfo, Routes,
    cookies::{SessionCookies, with_session},
    log_cause,
    messages::Message,
    page::{ErrorPage, Page},
};
use crate::{app::App, store::Door};

/// Lays around the routes of a door what every door with pages has. `path` is where the door
/// stands: over http its cookie goes nowhere else. Routes that other sites may post to stay outside.
pub fn door(app: &App, door: Door, path: &'static str, routes: Routes) -> Routes {
    let cookies = SessionCookies { app: app.clone(), door, path };
    routes
        .layer(middleware::from_fn_with_state(cookies, with_session))
        .layer(CsrfLayer::new())
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
        .layer(middleware::from_fn(show_problems))
        .layer(middleware::from_fn(go_on_as_a_whole))
}

/// Where the part of a page was asked for and the answer leads elsewhere (the session has ended),
/// the whole page goes there: htmx would put the other page into the part.
async fn go_on_as_a_whole(request: Request, next: Next) -> Response {
    let is_part = request.headers().contains_key("hx-request");
    let mut response = next.run(request).await;
    if is_part
        && response.status().is_redirection()
        && let Some(onward) = response.headers_mut().remove(LOCATION)
    {
        *response.status_mut() = StatusCode::OK;
        response.headers_mut().insert("hx-redirect", onward);
    }
    response
}

/// Where the portal stands.
pub const PORTAL: &str = "/portal";

/// Lays error pages around routes that other sites post to, or that need no session.
pub fn open_door(routes: Routes) -> Routes {
    routes.layer(RequestBodyLimitLayer::new(BODY_LIMIT)).layer(middleware::from_fn(show_problems))
}

/// Why a page cannot be shown: turned into an error page at the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The status.
    pub status: StatusCode,
    /// A stable code for this kind of failure.
    pub code: &'static str,
    /// A heading of a few words.
    pub title: Message,
    /// One sentence; never the inner cause.
    pub message: String,
    /// Where to go from here: address and words of a link.
    pub onward: Option<(String, Message)>,
}

impl Problem {
    /// There is no such thing, or not for this person; both look the same.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            code: "NotFound",
            title: key!("problem-not-found"),
            message: message.into(),
            onward: None,
        }
    }

    /// What was asked for is not allowed as things are.
    pub fn refused(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            code,
            title: key!("problem-refused"),
            message: message.into(),
            onward: None,
        }
    }

    /// The server failed; the log has the cause under the request's id.
    pub fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "InternalError",
            title: key!("problem-internal"),
            message: t!("problem-internal-about"),
            onward: None,
        }
    }

    /// With a link to go on.
    #[must_use]
    pub fn onward(mut self, href: impl Into<String>, words: Message) -> Self {
        self.onward = Some((href.into(), words));
        self
    }

    /// The problem of a status that carries nothing else.
    fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found(t!("problem-no-page")),
            StatusCode::FORBIDDEN => Self {
                status,
                code: "Forbidden",
                title: key!("problem-forbidden"),
                message: t!("problem-forbidden-about"),
                onward: None,
            },
            StatusCode::METHOD_NOT_ALLOWED => Self {
                status,
                code: "MethodNotAllowed",
                title: key!("problem-method"),
                message: t!("problem-method-about"),
                onward: None,
            },
            StatusCode::PAYLOAD_TOO_LARGE => Self {
                status,
                code: "TooLarge",
                title: key!("problem-too-large"),
                message: t!("problem-too-large-about"),
                onward: None,
            },
            status if status.is_client_error() => Self {
                status,
                code: "BadRequest",
                title: key!("problem-not-understood"),
                message: t!("problem-not-understood-about"),
                onward: None,
            },
            status => Self { status, ..Self::internal() },
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.message.clone()).into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A failure of a page's handler.
#[derive(Debug)]
pub enum PageError {
    /// A failure that the page knows words for.
    Problem(Problem),
    /// A room's error.
    Fault(Fault),
    /// It is elsewhere now; the method and what was sent go along.
    Moved(String),
}

impl<E: Into<Fault>> From<E> for PageError {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::Problem(problem) => problem.into_response(),
            Self::Moved(address) => Redirect::temporary(&address).into_response(),
            Self::Fault(fault) => match Face::of(&fault) {
                Face::NotFound => Problem::not_found(told(&fault)).into_response(),
                Face::Field(_) | Face::Refused => {
                    Problem::refused("Refused", told(&fault)).into_response()
                }
                Face::Malformed => Problem::of_status(StatusCode::BAD_REQUEST).into_response(),
                Face::Internal => {
                    log_cause(&fault);
                    Problem::internal().into_response()
                }
            },
        }
    }
}

/// What people are told of a failure, in their language.
pub fn told(fault: &Fault) -> String {
    super::told::told(fault)
}

/// The words of an error as a sentence on a page. Only for errors whose words are for people.
pub fn sentence(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// Turns every answer of a page door that says "no" without a page into an error page. JSON and
/// pages are left as they are.
async fn show_problems(request: Request, next: Next) -> Response {
    let request_id = request.extensions().get::<RequestInfo>().map(|info| info.id.clone());
    let mut response = next.run(request).await;
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    if kind.is_some_and(|kind| kind.starts_with("text/html") || kind.starts_with("application/")) {
        return response;
    }
    let problem =
        response.extensions_mut().remove::<Problem>().unwrap_or_else(|| Problem::of_status(status));
    let page = ErrorPage {
        title: &problem.title.to_string(),
        message: &problem.message,
        code: problem.code,
        request_id: request_id.as_deref().unwrap_or_default(),
        onward: problem.onward.as_ref().map(|(href, words)| (href.as_str(), *words)),
    };
    let shown = Page::new(page).status(problem.status).into_response();
    // Cookies and the like that the answer carries stay; its text goes.
    let (mut parts, _) = response.into_parts();
    let (shown_parts, body) = shown.into_parts();
    parts.status = shown_parts.status;
    parts.headers.remove(CONTENT_LENGTH);
    for (name, value) in &shown_parts.headers {
        parts.headers.insert(name, value.clone());
    }
    Response::from_parts(parts, body)
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, routing::get};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;
    use crate::{directory, store};

    async fn shown(error: fn() -> Response) -> (StatusCode, String) {
        let router = Router::new()
            .route("/", get(async move || error()))
            .layer(middleware::from_fn(show_problems));
        let request = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn a_failure_is_shown_without_its_cause() {
        let (status, html) = shown(|| {
            let cause = store::Error::Conflict("secret_table".to_owned());
            PageError::from(cause).into_response()
        })
        .await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(html.contains("InternalError") && !html.contains("secret_table"), "{html}");
    }

    #[tokio::test]
    async fn what_is_not_there_is_a_page_of_its_own() {
        let (status, html) =
            shown(|| PageError::from(directory::Error::UserNotFound).into_response()).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        assert!(html.contains("There is no such user."), "{html}");
        let (status, html) = shown(|| StatusCode::FORBIDDEN.into_response()).await;
        assert_eq!(status, StatusCode::FORBIDDEN);
        assert!(html.contains("Not allowed"), "{html}");
    }

    #[tokio::test]
    async fn a_part_whose_session_has_ended_leads_the_whole_page_on() {
        let router = Router::new()
            .route("/", get(async || Redirect::to("/console/login")))
            .layer(middleware::from_fn(go_on_as_a_whole));
        let part = Request::get("/").header("HX-Request", "true").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(part).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["hx-redirect"], "/console/login");
        assert!(!response.headers().contains_key(LOCATION));
        let whole = Request::get("/").body(Body::empty()).unwrap();
        let response = router.oneshot(whole).await.unwrap();
        assert_eq!(response.headers()[LOCATION], "/console/login");
    }

    #[tokio::test]
    async fn json_stays_json() {
        let (status, body) =
            shown(|| (StatusCode::UNAUTHORIZED, axum::Json("no")).into_response()).await;
        assert_eq!((status, body.as_str()), (StatusCode::UNAUTHORIZED, "\"no\""));
    }
}
