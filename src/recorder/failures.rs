//! What failed of a bulk request, which is answered with 200 all the same.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How many failed operations are kept one by one.
const MOST_KEPT: usize = 10;
/// Most characters of a path or a detail that are kept.
const MAX_TEXT: usize = 500;

/// The failed operations of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failures {
    /// How many there are.
    pub count: usize,
    /// The first of them.
    pub first: Vec<FailedOperation>,
}

/// An operation that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedOperation {
    /// Its place in the request, from 0; none where the request as a whole failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<usize>,
    /// The method.
    pub method: String,
    /// The status it had.
    pub status: i64,
    /// The `scimType`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scim_type: Option<String>,
    /// What the directory was told.
    pub detail: String,
}

impl Failures {
    /// What failed of these results of a BulkResponse (RFC 7644 §3.7.3), each with its place in
    /// the request; none when nothing did.
    pub fn of<'a>(results: impl IntoIterator<Item = (usize, &'a Value)>) -> Option<Self> {
        let mut failures = Self { count: 0, first: Vec::new() };
        for (operation, result) in results {
            let Some(response) = result.get("response") else { continue };
            failures.count += 1;
            if failures.first.len() < MOST_KEPT {
                let method = text(result, "method").unwrap_or_default();
                failures.first.push(FailedOperation::of(Some(operation), method, response));
            }
        }
        (failures.count > 0).then_some(failures)
    }

    /// That a request failed as a whole, with this error.
    pub fn whole(error: &Value) -> Self {
        let failed = FailedOperation::of(None, "POST".to_owned(), error);
        Self { count: 1, first: vec![failed] }
    }
}

impl FailedOperation {
    fn of(operation: Option<usize>, method: String, error: &Value) -> Self {
        Self {
            operation,
            method,
            status: text(error, "status").and_then(|status| status.parse().ok()).unwrap_or(500),
            scim_type: text(error, "scimType"),
            detail: text(error, "detail").unwrap_or_default(),
        }
    }
}

fn text(value: &Value, name: &str) -> Option<String> {
    Some(value.get(name)?.as_str()?.chars().take(MAX_TEXT).collect())
}
