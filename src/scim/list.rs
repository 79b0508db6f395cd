//! Queries and their answers (RFC 7644 §3.4.2 and §3.4.3, RFC 9865).

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::error::{Error, ErrorKind};

/// The schema of an answer that lists.
const LIST_RESPONSE: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
/// Resources per page when the request does not say.
pub const DEFAULT_COUNT: u64 = 100;
/// Resources per page at most (DESIGN.md §8).
pub const MAX_COUNT: u64 = 1000;
/// Longest `attributes` and `excludedAttributes`, in bytes.
pub const MAX_NAMES: usize = 16 * 1024;
/// Longest cursor, in bytes.
pub const MAX_CURSOR: usize = 1024;

/// What a request asks of a list, or of the shape of one answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The filter, not yet parsed.
    pub filter: Option<String>,
    /// 1-based; at least 1.
    pub start_index: u64,
    /// At most [`MAX_COUNT`]; 0 asks for the total only.
    pub count: u64,
    /// The page to go on with, for paging by cursor; empty for the first page, none for paging by
    /// index. At most [`MAX_CURSOR`] bytes.
    pub cursor: Option<String>,
    /// The attribute to sort by, not yet parsed.
    pub sort_by: Option<String>,
    /// Whether the largest comes first.
    pub descending: bool,
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
            cursor: None,
            sort_by: None,
            descending: false,
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
        let mut read = Reading::default();
        let mut seen = Vec::new();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let name = name.to_ascii_lowercase();
            let known = match name.as_str() {
                "startindex" => {
                    read.start_index = Some(whole_number("startIndex", &value)?);
                    true
                }
                "count" => {
                    read.count = Some(whole_number("count", &value));
                    true
                }
                _ => read.text(&name, || Ok(value.into_owned()))?,
            };
            if !known {
                continue;
            }
            if seen.contains(&name) {
                let detail = format!("The parameter {name} appears twice");
                return Err(Error::new(ErrorKind::InvalidValue, detail));
            }
            seen.push(name);
        }
        read.finish()
    }

    /// Reads the body of `POST …/.search` (RFC 7644 §3.4.3).
    pub fn from_search_request(body: &Map<String, Value>) -> Result<Self, Error> {
        let mut read = Reading::default();
        let mut seen = Vec::new();
        for (name, value) in body {
            if value.is_null() {
                continue;
            }
            let lower = name.to_ascii_lowercase();
            let known = match lower.as_str() {
                "startindex" => {
                    read.start_index = Some(integer(name, value)?);
                    true
                }
                "count" => {
                    read.count = Some(integer(name, value));
                    true
                }
                "attributes" | "excludedattributes" => read.text(&lower, || names(name, value))?,
                _ => read.text(&lower, || text(name, value))?,
            };
            if known && seen.contains(&lower) {
                let detail = format!("{name} appears twice, in different letter case");
                return Err(Error::new(ErrorKind::InvalidSyntax, detail));
            }
            seen.push(lower);
        }
        read.finish()
    }
}

/// A query that is being read.
#[derive(Default)]
struct Reading {
    query: Query,
    start_index: Option<i64>,
    /// What is wrong with it depends on the way of paging.
    count: Option<Result<i64, Error>>,
}

impl Reading {
    /// Takes a parameter that is text; false when nobody knows it.
    fn text(
        &mut self,
        name: &str,
        value: impl FnOnce() -> Result<String, Error>,
    ) -> Result<bool, Error> {
        let slot = match name {
            "filter" => &mut self.query.filter,
            "cursor" => &mut self.query.cursor,
            "sortby" => &mut self.query.sort_by,
            "attributes" => &mut self.query.attributes,
            "excludedattributes" => &mut self.query.excluded_attributes,
            "sortorder" => {
                let order = value()?;
                self.query.descending = order.eq_ignore_ascii_case("descending");
                if !self.query.descending && !order.eq_ignore_ascii_case("ascending") {
                    return Err(invalid("sortOrder", "ascending or descending"));
                }
                return Ok(true);
            }
            _ => return Ok(false),
        };
        *slot = Some(value()?);
        Ok(true)
    }

    fn finish(self) -> Result<Query, Error> {
        let Self { mut query, start_index: first, count: size } = self;
        query.sort_by = query.sort_by.filter(|path| !path.trim().is_empty());
        for (name, list) in
            [("attributes", &query.attributes), ("excludedAttributes", &query.excluded_attributes)]
        {
            if list.as_ref().is_some_and(|list| list.len() > MAX_NAMES) {
                return Err(invalid(name, &format!("at most {MAX_NAMES} bytes long")));
            }
        }
        query.start_index = start_index(first.unwrap_or(1));
        let Some(cursor) = &query.cursor else {
            if let Some(size) = size {
                query.count = count(size?);
            }
            return Ok(query);
        };
        // RFC 9865 §2.3: the two parameters choose between two ways of paging. Who begins with
        // both (startIndex=1) means the first page either way.
        if query.start_index > 1 {
            let detail = "Page by startIndex or by cursor, not by both";
            return Err(Error::new(ErrorKind::InvalidValue, detail));
        }
        if cursor.len() > MAX_CURSOR {
            let detail = "This cursor was not made here";
            return Err(Error::new(ErrorKind::InvalidCursor, detail));
        }
        if let Some(size) = size {
            // RFC 9865 §2.1: a walk of empty pages would never end.
            query.count = match size {
                Ok(size) if size >= 1 => count(size),
                _ => {
                    let detail = format!("count must be between 1 and {MAX_COUNT} with a cursor");
                    return Err(Error::new(ErrorKind::InvalidCount, detail));
                }
            };
        }
        Ok(query)
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

/// What stands before the first resource of a list that is sent piece by piece. `total` and
/// `start_index` may be left out for paging by cursor (RFC 9865 §2).
pub fn head(total: Option<u64>, start_index: Option<u64>) -> String {
    let mut text = format!(r#"{{"schemas":["{LIST_RESPONSE}"]"#);
    for (name, number) in [("totalResults", total), ("startIndex", start_index)] {
        if let Some(number) = number {
            // Writing to a string cannot fail.
            let _ = write!(text, r#","{name}":{number}"#);
        }
    }
    text.push_str(r#","Resources":["#);
    text
}

/// What stands between two resources of such a list.
pub const SEPARATOR: &str = ",";

/// What stands after the last of `items` resources of such a list. Without `next` there is
/// nothing more to read.
pub fn tail(items: u64, next: Option<&str>, previous: Option<&str>) -> String {
    let mut text = format!(r#"],"itemsPerPage":{items}"#);
    for (name, cursor) in [("nextCursor", next), ("previousCursor", previous)] {
        if let Some(cursor) = cursor {
            // Writing to a string cannot fail.
            let _ = write!(text, r#","{name}":{}"#, Value::from(cursor));
        }
    }
    text.push('}');
    text
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
    fn sorting_is_read_in_any_letter_case() {
        let query = Query::from_url("sortBy=name.familyName&sortOrder=Descending").unwrap();
        assert_eq!(query.sort_by.as_deref(), Some("name.familyName"));
        assert!(query.descending);
        assert!(!Query::from_url("sortBy=userName").unwrap().descending);
        assert_eq!(Query::from_url("sortBy=").unwrap().sort_by, None);
        let refused = Query::from_url("sortBy=userName&sortOrder=up").unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidValue);
        let body = json!({ "sortBy": "id", "sortOrder": "DESCENDING", "cursor": "", "count": 10 });
        let query = Query::from_search_request(body.as_object().unwrap()).unwrap();
        assert!(query.descending && query.cursor.as_deref() == Some("") && query.count == 10);
    }

    #[test]
    fn a_cursor_is_for_those_who_name_it() {
        let cursor = |query: &str| Query::from_url(query).map(|query| query.cursor);
        assert_eq!(cursor("count=10").unwrap(), None);
        for query in ["cursor", "cursor=", "cursor&count=10", "startIndex=1&cursor="] {
            assert_eq!(cursor(query).unwrap().as_deref(), Some(""), "{query}");
        }
        assert_eq!(cursor("cursor=YkU3&count=5000").unwrap().as_deref(), Some("YkU3"));
        assert_eq!(Query::from_url("cursor=YkU3&count=5000").unwrap().count, MAX_COUNT);
        for (query, kind) in [
            ("cursor=x&startIndex=2".to_owned(), ErrorKind::InvalidValue),
            ("count=0&cursor".to_owned(), ErrorKind::InvalidCount),
            ("count=-1&cursor".to_owned(), ErrorKind::InvalidCount),
            ("count=many&cursor".to_owned(), ErrorKind::InvalidCount),
            (format!("cursor={}", "x".repeat(MAX_CURSOR + 1)), ErrorKind::InvalidCursor),
        ] {
            assert_eq!(cursor(&query).unwrap_err().kind, kind, "{query}");
        }
    }

    #[test]
    fn a_list_in_pieces_says_the_same_as_a_whole_one() {
        let users = [json!({ "id": "u-1" }), json!({ "id": "u-2" })];
        for count in 0..=2 {
            let shown: Vec<String> = users[..count].iter().map(ToString::to_string).collect();
            let items = count as u64;
            let pieces = head(Some(7), Some(3)) + &shown.join(SEPARATOR) + &tail(items, None, None);
            let pieces: Value = serde_json::from_str(&pieces).unwrap();
            assert_eq!(pieces, response(7, 3, &users[..count]));
        }
        let walked = head(None, None) + &tail(0, Some("a\"b"), Some("c"));
        let walked: Value = serde_json::from_str(&walked).unwrap();
        assert_eq!(walked["nextCursor"], "a\"b");
        assert_eq!(walked["previousCursor"], "c");
        assert_eq!(walked["Resources"], json!([]));
        assert!(walked.get("totalResults").is_none() && walked.get("startIndex").is_none());
    }

    #[test]
    fn endless_lists_of_names_are_refused() {
        let names = "a,".repeat(MAX_NAMES / 2);
        assert!(Query::from_url(&format!("attributes={names}")).is_ok());
        for name in ["attributes", "excludedAttributes"] {
            let refused = Query::from_url(&format!("{name}={names}b")).unwrap_err();
            assert!(refused.detail.starts_with(name), "{}", refused.detail);
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
