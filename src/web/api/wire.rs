//! A request of the API as it came over the wire.

use axum::http::{self, Method, header::HOST};
use serde_json::{Map, Value};

use super::{fields::Origin, refusal::Refusal};
use crate::tc3::{CommonCode, Parts, query};

/// What a `GET` may carry in its query instead of a header.
const IN_QUERY: [&str; 4] = ["Action", "Version", "Region", "Language"];

/// A request, taken apart but not judged.
pub struct Wire<'a> {
    /// What the signature covers.
    pub parts: Parts<'a>,
    /// Parameters of a `GET`.
    query: Option<query::Parameters>,
}

/// The headers with their raw values. Where the protocol has no `Host` header (HTTP/2), the
/// authority stands for it; otherwise the header counts as sent, whatever the target says.
pub fn raw_headers(parts: &http::request::Parts) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<(&str, &[u8])> =
        parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    if !parts.headers.contains_key(HOST)
        && let Some(authority) = parts.uri.authority()
    {
        headers.push((HOST.as_str(), authority.as_str().as_bytes()));
    }
    headers
}

impl<'a> Wire<'a> {
    /// Takes a request apart.
    pub fn new(
        parts: &'a http::request::Parts,
        headers: &'a [(&'a str, &'a [u8])],
        body: &'a [u8],
    ) -> Result<Self, Refusal> {
        let raw_query = parts.uri.query().unwrap_or_default();
        let query = if parts.method == Method::GET {
            let read = query::parameters(raw_query, &IN_QUERY).map_err(|error| {
                Refusal::common(CommonCode::InvalidRequest, format!("Not accepted: {error}."))
            })?;
            Some(read)
        } else {
            None
        };
        let method = if query.is_some() { "GET" } else { "POST" };
        Ok(Self { parts: Parts { method, query: raw_query, headers, body }, query })
    }

    /// A header that must be there; a `GET` may have it in its query instead.
    pub fn required(&self, name: &'static str) -> Result<&str, Refusal> {
        let short = name.strip_prefix("X-TC-").unwrap_or(name);
        let in_query = self.query.as_ref().and_then(|(_, aside)| aside.get(short));
        match (self.parts.header(name).filter(|value| !value.is_empty()), in_query) {
            (Some(header), Some(other)) if header != other => Err(Refusal::common(
                CommonCode::InvalidRequest,
                format!("The header `{name}` and the query's `{short}` differ."),
            )),
            (Some(value), _) => Ok(value),
            (None, Some(value)) => Ok(value),
            (None, None) => Err(Refusal::common(
                CommonCode::MissingParameter,
                format!("The request is missing the header `{name}`."),
            )),
        }
    }

    /// The parameters as given, and how they were given.
    pub fn parameters(self) -> Result<(Map<String, Value>, Origin), Refusal> {
        if let Some((parameters, _)) = self.query {
            return Ok((parameters, Origin::Query));
        }
        let kind = self.parts.header("content-type").unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::common(
                CommonCode::InvalidRequest,
                "The header `Content-Type` must be application/json.",
            ));
        }
        match serde_json::from_slice::<Value>(self.parts.body) {
            Ok(Value::Object(parameters)) => Ok((parameters, Origin::Body)),
            Ok(_) => {
                Err(Refusal::common(CommonCode::InvalidRequest, "The body must be a JSON object."))
            }
            Err(error) => Err(Refusal::common(
                CommonCode::InvalidRequest,
                format!(
                    "The body is not valid JSON at line {}, column {}.",
                    error.line(),
                    error.column()
                ),
            )),
        }
    }
}
