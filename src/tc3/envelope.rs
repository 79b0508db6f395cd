//! The shape of replies: `{"Response": {…, "RequestId": …}}`, with `Error` in it or not.
//!
//! The `Error` key is absent on success: one SDK crashes on `null`, another takes it for success.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The `Content-Type` of every reply, to the letter: with a charset behind it the Python SDK does
/// not look for errors.
pub const CONTENT_TYPE: &str = "application/json";

#[derive(Serialize)]
struct Envelope<T> {
    #[serde(rename = "Response")]
    response: T,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Success<'a, T> {
    #[serde(flatten)]
    content: &'a T,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure<'a> {
    error: ErrorBody<'a>,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
    request_id: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ErrorBody<'a> {
    code: &'a str,
    message: &'a str,
}

/// The body of a reply that worked. `content` must be an object or unit.
pub fn success<T: Serialize>(content: &T, request_id: &str) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Envelope { response: Success { content, request_id } })
}

/// The body of a reply that did not.
pub fn failure(code: &str, message: &str, request_id: &str) -> Result<Vec<u8>, serde_json::Error> {
    failure_with(code, message, &Map::new(), request_id)
}

/// The body of a reply that did not, and that tells what the caller needs to try again. Clients
/// that know nothing of it see the error alone.
pub fn failure_with(
    code: &str,
    message: &str,
    more: &Map<String, Value>,
    request_id: &str,
) -> Result<Vec<u8>, serde_json::Error> {
    let error = ErrorBody { code, message };
    serde_json::to_vec(&Envelope { response: Failure { error, more, request_id } })
}

/// A reply as its receiver sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// What the action answered, without the envelope; `RequestId` is still in it.
    Success(Map<String, Value>),
    /// The cloud refused.
    Failure {
        /// The code, for deciding.
        code: String,
        /// The text, for people.
        message: String,
        /// The cloud's id of the call, for asking its operators.
        request_id: String,
    },
}

impl Reply {
    /// Opens the envelope of a reply's body.
    pub fn parse(body: &[u8]) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Outer {
            response: Map<String, Value>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Problem {
            code: String,
            #[serde(default)]
            message: String,
        }
        let Outer { mut response } = serde_json::from_slice(body)?;
        match response.remove("Error") {
            None | Some(Value::Null) => Ok(Self::Success(response)),
            Some(error) => {
                let Problem { code, message } = serde_json::from_value(error)?;
                let request_id = response.get("RequestId").and_then(Value::as_str);
                let request_id = request_id.unwrap_or_default().to_owned();
                Ok(Self::Failure { code, message, request_id })
            }
        }
    }
}
