//! The redirect binding (SAML bindings §3.4): a message in the query of an address, deflated,
//! signed beside itself, and read back strictly.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use percent_encoding::percent_decode_str;
use url::{Url, form_urlencoded};

use super::certificate::{CertificateError, SigningKey};
use super::encoding;
use super::metadata::{MetadataError, location};
use super::signature::Algorithm;

/// Longest message after inflating, and longest parameter before (bytes).
pub const MAXIMUM_INFLATED: u64 = 64 * 1024;
/// Longest `RelayState` of others that we give back (bytes). The binding says 80; not everybody
/// keeps to it, and what is given back unread may be longer.
pub const MAXIMUM_ECHO: usize = 1024;
/// The one encoding there is (SAML bindings §3.4.4.1).
const DEFLATE: &str = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE";

/// Whether a message asks or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// It asks.
    Request,
    /// It answers.
    Response,
}

impl MessageKind {
    /// The parameter or form field it travels in.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// Why a message cannot travel by redirect, or did not arrive by one.
#[derive(Debug, thiserror::Error)]
pub enum RedirectError {
    /// The address is not one to redirect to.
    #[error(transparent)]
    Location(#[from] MetadataError),
    /// More than [`MAXIMUM_ECHO`] bytes.
    #[error("the relay state is too long")]
    RelayState,
    /// The query cannot be signed.
    #[error(transparent)]
    Key(#[from] CertificateError),
    /// Compression failed.
    #[error("cannot deflate the message")]
    Deflate(#[source] std::io::Error),
    /// Not base64.
    #[error("the message is not base64")]
    Base64,
    /// Not a deflated text, or one that is too long.
    #[error("the message cannot be inflated")]
    Inflate,
}

/// The address that takes a message to `destination`, its query signed if there is a key.
pub fn address(
    destination: &str,
    kind: MessageKind,
    xml: &str,
    relay_state: Option<&str>,
    key: Option<&SigningKey>,
) -> Result<String, RedirectError> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(xml.as_bytes()).map_err(RedirectError::Deflate)?;
    let deflated = encoder.finish().map_err(RedirectError::Deflate)?;
    let refused = || MetadataError::Endpoint(destination.to_owned());
    let mut url = Url::parse(&location(destination)?).map_err(|_| refused())?;
    url.set_fragment(None);
    // What is signed are these parameters as they are written here, in this order.
    let mut ours = form_urlencoded::Serializer::new(String::new());
    ours.append_pair(kind.parameter(), &encoding::encode(&deflated));
    if let Some(relay_state) = relay_state {
        if relay_state.len() > MAXIMUM_ECHO {
            return Err(RedirectError::RelayState);
        }
        ours.append_pair("RelayState", relay_state);
    }
    let mut ours = ours.finish();
    if let Some(key) = key {
        let mut signed = form_urlencoded::Serializer::new(ours);
        signed.append_pair("SigAlg", Algorithm::RsaSha256.uri());
        let signed = signed.finish();
        let value = encoding::encode(&key.sign_rsa_sha256(signed.as_bytes())?);
        let mut whole = form_urlencoded::Serializer::new(signed);
        whole.append_pair("Signature", &value);
        ours = whole.finish();
    }
    let query = match url.query() {
        Some(theirs) if !theirs.is_empty() => format!("{theirs}&{ours}"),
        _ => ours,
    };
    url.set_query(Some(&query));
    Ok(url.into())
}

/// The text of a message, from its parameter, already URL-decoded.
pub fn inflate(parameter: &str) -> Result<Vec<u8>, RedirectError> {
    if parameter.len() as u64 > MAXIMUM_INFLATED {
        return Err(RedirectError::Inflate);
    }
    let deflated = encoding::decode(parameter).map_err(|_| RedirectError::Base64)?;
    let mut text = Vec::new();
    let mut inflater = DeflateDecoder::new(deflated.as_slice()).take(MAXIMUM_INFLATED + 1);
    inflater.read_to_end(&mut text).map_err(|_| RedirectError::Inflate)?;
    if text.len() as u64 > MAXIMUM_INFLATED {
        return Err(RedirectError::Inflate);
    }
    Ok(text)
}

/// Why a query carries no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// A parameter that stands there twice.
    #[error("the parameter {0} stands there twice")]
    Repeated(&'static str),
    /// A parameter that the binding does not know.
    #[error("a parameter that the binding does not know")]
    Unknown,
    /// Neither a request nor a response, or both.
    #[error("not exactly one of SAMLRequest and SAMLResponse")]
    NotOneMessage,
    /// Another encoding than DEFLATE.
    #[error("another encoding than DEFLATE")]
    Encoding,
    /// A value that is no text once it is decoded.
    #[error("the parameter {0} is not UTF-8")]
    NotText(&'static str),
    /// More than [`MAXIMUM_ECHO`] bytes.
    #[error("the relay state is too long")]
    RelayState,
}

/// The parameters of a message that came by redirect. Nothing of it is proved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Whether it asks or answers.
    pub kind: MessageKind,
    /// The message, deflated and in base64.
    pub message: String,
    /// What is to be given back with the answer.
    pub relay_state: Option<String>,
    /// The signature, if there is one.
    pub signature: Option<DetachedSignature>,
}

/// A signature beside what it signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DetachedSignature {
    /// The algorithm's identifier, as it came.
    pub algorithm: String,
    /// The signed bytes: the parameters as the sender wrote them.
    pub signed: String,
    /// The value, in base64.
    pub value: String,
}

const NAMES: [&str; 6] =
    ["SAMLRequest", "SAMLResponse", "RelayState", "SAMLEncoding", "SigAlg", "Signature"];

impl Query {
    /// Takes a query apart as it stands in the address. Each parameter stands there at most once,
    /// and none beside those of the binding: two readers of the same query cannot then find two
    /// messages in it. What was signed is cut out of it and not written anew, for senders differ
    /// in what they escape and how.
    pub fn read(raw: &str) -> Result<Self, QueryError> {
        let mut values: [Option<&str>; 6] = [None; 6];
        for pair in raw.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let found = NAMES.into_iter().zip(&mut values).find(|(known, _)| *known == name);
            let (known, place) = found.ok_or(QueryError::Unknown)?;
            if place.replace(value).is_some() {
                return Err(QueryError::Repeated(known));
            }
        }
        let [request, response, relay_state, encoding, algorithm, signature] = values;
        let (kind, message) = match (request, response) {
            (Some(request), None) => (MessageKind::Request, request),
            (None, Some(response)) => (MessageKind::Response, response),
            (None, None) | (Some(_), Some(_)) => return Err(QueryError::NotOneMessage),
        };
        if let Some(encoding) = encoding
            && decoded("SAMLEncoding", encoding)? != DEFLATE
        {
            return Err(QueryError::Encoding);
        }
        let signature = match (algorithm, signature) {
            (Some(algorithm), Some(value)) => {
                let mut signed = format!("{}={message}", kind.parameter());
                if let Some(relay_state) = relay_state {
                    signed.push_str("&RelayState=");
                    signed.push_str(relay_state);
                }
                signed.push_str("&SigAlg=");
                signed.push_str(algorithm);
                Some(DetachedSignature {
                    algorithm: decoded("SigAlg", algorithm)?,
                    signed,
                    value: decoded("Signature", value)?,
                })
            }
            // One without the other signs nothing.
            (None | Some(_), None) | (None, Some(_)) => None,
        };
        let relay_state = relay_state.map(|it| decoded("RelayState", it)).transpose()?;
        if relay_state.as_ref().is_some_and(|it| it.len() > MAXIMUM_ECHO) {
            return Err(QueryError::RelayState);
        }
        Ok(Self { kind, message: decoded(kind.parameter(), message)?, relay_state, signature })
    }
}

fn decoded(name: &'static str, value: &str) -> Result<String, QueryError> {
    let spaced = value.replace('+', " ");
    let text = percent_decode_str(&spaced).decode_utf8().map_err(|_| QueryError::NotText(name))?;
    Ok(text.into_owned())
}
