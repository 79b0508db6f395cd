//! One operation of a bulk request, as it was sent.

use serde_json::{Map, Value};

use crate::scim::error::{Error, ErrorKind};

/// Longest `bulkId`, in characters.
const MAX_BULK_ID: usize = 256;

/// What an operation does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Makes a resource.
    Post,
    /// Replaces one.
    Put,
    /// Changes one.
    Patch,
    /// Deletes one.
    Delete,
}

impl Method {
    /// As HTTP spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Post, Self::Put, Self::Patch, Self::Delete]
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(word.trim()))
    }
}

/// Where the resource is. Users come first in every order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `/Users`.
    Users,
    /// `/Groups`.
    Groups,
}

impl Endpoint {
    /// The path below the base URL.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Users => "/Users",
            Self::Groups => "/Groups",
        }
    }
}

/// An operation and what it is called in the answer.
#[derive(Debug)]
pub(super) struct Operation {
    /// As it was sent, in upper case; none when it was no string.
    pub method: Option<String>,
    pub bulk_id: Option<String>,
    pub request: Result<Request, Error>,
}

/// An operation that can be tried.
#[derive(Debug)]
pub(super) struct Request {
    pub method: Method,
    pub endpoint: Endpoint,
    /// The id in the path; `bulkId:…` when another operation makes the resource.
    pub id: Option<String>,
    /// The entity tag the resource must have.
    pub version: Option<String>,
    /// The body; empty for DELETE.
    pub data: Map<String, Value>,
    /// The operations that make what this one refers to.
    pub needs: Vec<usize>,
}

impl Operation {
    /// Takes an element of `Operations` apart.
    pub fn read(value: Value) -> Self {
        let mut read = Self { method: None, bulk_id: None, request: Err(syntax("")) };
        read.request = read.take(value);
        read
    }

    fn take(&mut self, value: Value) -> Result<Request, Error> {
        let Value::Object(object) = value else { return Err(syntax("must be an object")) };
        let (mut method, mut path, mut bulk_id) = (None, None, None);
        let (mut version, mut data) = (None, None);
        for (name, value) in object {
            let slot = match name.to_ascii_lowercase().as_str() {
                "method" => &mut method,
                "path" => &mut path,
                "bulkid" => &mut bulk_id,
                "version" => &mut version,
                "data" => &mut data,
                _ => continue,
            };
            if slot.replace(value).is_some() {
                let detail = format!("{name} appears twice, in different letter case");
                return Err(syntax(&detail));
            }
        }
        // What the answer repeats comes first, so that it names operations that are refused, too.
        self.bulk_id = match bulk_id {
            None | Some(Value::Null) => None,
            Some(Value::String(id)) if id.is_empty() || id.chars().count() > MAX_BULK_ID => {
                let detail = format!("bulkId must be 1 to {MAX_BULK_ID} characters long");
                return Err(Error::new(ErrorKind::InvalidValue, detail));
            }
            Some(Value::String(id)) => Some(id),
            Some(_) => return Err(syntax("bulkId must be a string")),
        };
        let Some(Value::String(word)) = method else { return Err(syntax("method is missing")) };
        let known = Method::parse(&word);
        self.method = Some(known.map_or_else(|| word.clone(), |method| method.as_str().into()));
        let method = known.ok_or_else(|| syntax("method must be POST, PUT, PATCH or DELETE"))?;
        let Some(Value::String(path)) = path else { return Err(syntax("path is missing")) };
        let (endpoint, id) = read_path(&path)?;
        match (method, &id) {
            (Method::Post, Some(_)) => {
                let detail = "path must be that of a resource type, such as /Users";
                return Err(Error::new(ErrorKind::InvalidPath, detail));
            }
            (Method::Put | Method::Patch | Method::Delete, None) => {
                let detail = "path must be that of a resource, such as /Users/{id}";
                return Err(Error::new(ErrorKind::InvalidPath, detail));
            }
            _ => {}
        }
        if method == Method::Post && self.bulk_id.is_none() {
            return Err(syntax("bulkId is missing: POST needs one"));
        }
        let version = match version {
            None | Some(Value::Null) => None,
            Some(Value::String(version)) => Some(version),
            Some(_) => return Err(syntax("version must be a string")),
        };
        let data = match (method, data) {
            (Method::Delete, _) => Map::new(),
            (_, Some(Value::Object(data))) => data,
            (_, None | Some(Value::Null)) => return Err(syntax("data is missing")),
            (_, Some(_)) => return Err(syntax("data must be an object")),
        };
        Ok(Request { method, endpoint, id, version, data, needs: Vec::new() })
    }
}

fn syntax(detail: &str) -> Error {
    Error::new(ErrorKind::InvalidSyntax, detail)
}

/// `/Users`, `/Users/{id}` and the same for groups; a slash too few or too many does no harm.
fn read_path(path: &str) -> Result<(Endpoint, Option<String>), Error> {
    let mut parts = path.trim_matches('/').splitn(2, '/');
    let name = parts.next().unwrap_or_default();
    let endpoint = [Endpoint::Users, Endpoint::Groups]
        .into_iter()
        .find(|endpoint| endpoint.path().trim_start_matches('/') == name)
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("path: there is no endpoint {path}"))
        })?;
    let id = parts
        .next()
        .map(|id| percent_encoding::percent_decode_str(id).decode_utf8())
        .transpose()
        .map_err(|_| Error::new(ErrorKind::InvalidPath, "path is not UTF-8"))?;
    Ok((endpoint, id.map(std::borrow::Cow::into_owned)))
}
