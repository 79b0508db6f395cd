//! The `Authorization` header.

use super::{Error, signature};

/// A parsed `Authorization` header; nothing about it is verified yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorization {
    /// A TC3-HMAC-SHA256 signature.
    Signed(Signed),
    /// The word `SKIP`: SDKs send it for the STS calls whose proof is in the body.
    Skip,
}

/// What a signed request claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// The key that signed, at most 128 characters.
    pub secret_id: String,
    /// The service of the credential scope, lower case: `organization`.
    pub service: String,
    /// `YYYY-MM-DD` of the credential scope, as sent.
    pub(super) date: String,
    /// Lower case, sorted as the caller sorted them; `content-type` and `host` are among them.
    pub(super) headers: Vec<String>,
    pub(super) signature: Vec<u8>,
}

/// Far above what any client sends.
const MAX_LENGTH: usize = 2048;

impl Signed {
    /// The signature itself.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

impl Authorization {
    /// Reads the header's value.
    pub fn parse(value: &str) -> Result<Self, Error> {
        let malformed = Error::MalformedAuthorization;
        let value = value.trim();
        if value.len() > MAX_LENGTH {
            return Err(malformed("too long"));
        }
        if value == "SKIP" {
            return Ok(Self::Skip);
        }
        let fields = value
            .strip_prefix(signature::ALGORITHM)
            .filter(|rest| rest.starts_with(' '))
            .ok_or(malformed("the algorithm is not TC3-HMAC-SHA256"))?;

        let (mut credential, mut headers, mut signature) = (None, None, None);
        for field in fields.split(',') {
            let (name, value) = field.trim().split_once('=').ok_or(malformed("not name=value"))?;
            let slot = match name {
                "Credential" => &mut credential,
                "SignedHeaders" => &mut headers,
                "Signature" => &mut signature,
                _ => return Err(malformed("an unknown field")),
            };
            if slot.replace(value).is_some() {
                return Err(malformed("a field appears twice"));
            }
        }
        let credential = credential.ok_or(malformed("Credential is missing"))?;
        let headers = headers.ok_or(malformed("SignedHeaders is missing"))?;
        let signature = signature.ok_or(malformed("Signature is missing"))?;

        let parts: Vec<&str> = credential.split('/').collect();
        let [secret_id, date, service, "tc3_request"] = parts[..] else {
            return Err(malformed("Credential is not SecretId/date/service/tc3_request"));
        };
        if secret_id.is_empty()
            || secret_id.len() > 128
            || !secret_id.bytes().all(|byte| byte.is_ascii_graphic())
        {
            return Err(malformed("the SecretId in Credential is malformed"));
        }
        let service_byte =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if service.is_empty() || service.len() > 64 || !service.bytes().all(service_byte) {
            return Err(malformed("the service in Credential is malformed"));
        }

        let headers: Vec<String> = headers.split(';').map(str::to_ascii_lowercase).collect();
        if headers.len() > 64 || headers.iter().any(String::is_empty) {
            return Err(malformed("SignedHeaders is malformed"));
        }
        // Without these two a signature for one server would be good at another.
        for required in ["content-type", "host"] {
            if !headers.iter().any(|header| header == required) {
                return Err(malformed("SignedHeaders must name content-type and host"));
            }
        }
        Ok(Self::Signed(Signed {
            secret_id: secret_id.to_owned(),
            service: service.to_owned(),
            date: date.to_owned(),
            headers,
            signature: unhex(signature).ok_or(malformed("Signature is not 64 hex digits"))?,
        }))
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..64).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}
