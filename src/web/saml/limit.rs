//! How often an address may bring us messages.

use axum::{
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header::RETRY_AFTER, request::Parts},
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    web::{RequestInfo, pages::Problem},
};

/// Somebody who brings a message, not too often. To be taken before the body is: what is too much
/// is not even read.
#[derive(Debug)]
pub struct Unhurried;

impl FromRequestParts<App> for Unhurried {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let address = parts.extensions.get::<RequestInfo>().and_then(|info| info.address);
        let counted = app.saml_messages.as_ref().as_ref().map(|it| it.count(address));
        let Some(Err(seconds)) = counted else { return Ok(Self) };
        let problem = Problem {
            status: StatusCode::TOO_MANY_REQUESTS,
            code: "TooManyRequests",
            title: key!("problem-too-many"),
            message: t!("sign-in-too-many"),
            onward: None,
        };
        let mut response = problem.into_response();
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        Err(response)
    }
}
