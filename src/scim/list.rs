//! Queries and their answers (RFC 7644 §3.4.2 and §3.4.3).

use serde_json::{Map, Value, json};

use super::error::{Error, ErrorKind};

/// The schema of an answer that lists.
const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Resources per page when the request does not say.
pub const DEFAULT_COUNT: u64 = 100;
/// Resources per page at most (DESIGN.md §8).
pub const MAX_COUNT: u64 = 1000;

/// What a request asks of a list, or of the shape of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filter, not yet parsed.
    pub filter: Option<String>,
    /// 1-based; at least 1.
    pub start_index: u64,
    /// At most [`MAX_COUNT`]; 0 asks for the total only.
    pub count: u64,
    /// Names separated by commas.
    pub attributes: Option<String>,
    /// Names separated by commas.
    pub excluded_attributes: Option<String>,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            filter: None,
            start_index: 1,
            count: DEFAULT_COUNT,
            attributes: None,
            excluded_attributes: None,
        }
    }
}

impl Query {
    /// Reads the query part of a URL. `+` is a space (ssosync sends forms); parameters that
    /// nobody knows are ignored (Entra ID appends `aadOptscim062020`), known ones count in any
    /// letter case and may appear once.
    pub fn from_url(query: &str) -> Result<Self, Error> {
        let mut read = Self::default();
        let mut seen = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let name = name.to_ascii_lowercase();
            match name.as_str() {
                "filter" => read.filter = Some(value.into_owned()),
                "startindex" => read.start_index = start_index(whole_number("startIndex", &value)?),
                "count" => read.count = count(whole_number("count", &value)?),
                "attributes" => read.attributes = Some(value.into_owned()),
                "excludedattributes" => read.excluded_attributes = Some(value.into_owned()),
                _ => continue,
            }
            if seen.contains(&name) {
                let detail = format!("The parameter {name} appears twice");
                return Err(Error::new(ErrorKind::InvalidValue, detail));
            }
            seen.push(name);
        }
        Ok(read)
    }

    /// Reads the body of `POST …/.search` (RFC 7644 §3.4.3).
    pub fn from_search_request(body: &Map<String, Value>) -> Result<Self, Error> {
        let mut read = Self::default();
        for (name, value) in body {
            if value.is_null() {
                continue;
            }
            match name.to_ascii_lowercase().as_str() {
                "filter" => read.filter = Some(text(name, value)?),
                "startindex" => read.start_index = start_index(integer(name, value)?),
                "count" => read.count = count(integer(name, value)?),
                "attributes" => read.attributes = Some(names(name, value)?),
                "excludedattributes" => read.excluded_attributes = Some(names(name, value)?),
                _ => {}
            }
        }
        Ok(read)
    }
}

fn start_index(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(1).max(1)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0).min(MAX_COUNT)
}

fn invalid(name: &str, expected: &str) -> Error {
    Error::new(ErrorKind::InvalidValue, format!("{name} must be {expected}"))
}

/// A whole number; those beyond 64 bits count as the largest or smallest.
fn whole_number(name: &str, value: &str) -> Result<i64, Error> {
    let value = value.trim();
    value.parse().or_else(|_| {
        let (negative, digits) = match value.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, value.strip_prefix('+').unwrap_or(value)),
        };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(name, "a whole number"));
        }
        Ok(if negative { i64::MIN } else { i64::MAX })
    })
}

fn integer(name: &str, value: &Value) -> Result<i64, Error> {
    match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => {
            Ok(number.as_i64().unwrap_or(i64::MAX))
        }
        _ => Err(invalid(name, "a whole number")),
    }
}

fn text(name: &str, value: &Value) -> Result<String, Error> {
    value.as_str().map(str::to_owned).ok_or_else(|| invalid(name, "a string"))
}

/// `attributes` of a search request: a list of names, or one string of them.
fn names(name: &str, value: &Value) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Array(list) => {
            let names: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
            names.map(|names| names.join(",")).ok_or_else(|| invalid(name, "a list of strings"))
        }
        _ => Err(invalid(name, "a list of strings")),
    }
}

/// A ListResponse. `Resources` is there even when empty (rauthy needs it), numbers are integers
/// (Okta).
pub fn response(total: u64, start_index: u64, resources: &[Value]) -> Value {
    json!({
        "schemas": [LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paging_is_bounded_and_never_negative() {
        let read = |query: &str| {
            let query = Query::from_url(query).unwrap();
            (query.start_index, query.count)
        };
        assert_eq!(read(""), (1, 100));
        assert_eq!(read("startIndex=0&count=0"), (1, 0));
        assert_eq!(read("startIndex=-5&count=-1"), (1, 0));
        assert_eq!(read("STARTINDEX=7&Count=5000"), (7, 1000));
        assert_eq!(read("count=99999999999999999999&startIndex=-99999999999999999999"), (1, 1000));
        for query in ["count=ten", "startIndex=", "count=1.5", "count=1&count=2"] {
            assert_eq!(
                Query::from_url(query).unwrap_err().kind,
                ErrorKind::InvalidValue,
                "{query}"
            );
        }
    }

    #[test]
    fn a_plus_is_a_space_and_unknown_parameters_are_ignored() {
        let query =
            Query::from_url("aadOptscim062020&filter=userName+eq+%22a%2Bb%40c%22&x=1").unwrap();
        assert_eq!(query.filter.as_deref(), Some(r#"userName eq "a+b@c""#));
    }

    #[test]
    fn a_search_request_says_the_same() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": ["userName", "name.givenName"],
            "filter": "userName pr", "startIndex": 3, "count": 9_999_999, "sortBy": null,
        });
        let query = Query::from_search_request(body.as_object().unwrap()).unwrap();
        assert_eq!(query.attributes.as_deref(), Some("userName,name.givenName"));
        assert_eq!((query.start_index, query.count), (3, 1000));
        for body in [json!({ "count": "1" }), json!({ "filter": 1 }), json!({ "attributes": [1] })]
        {
            assert!(Query::from_search_request(body.as_object().unwrap()).is_err());
        }
    }
}
