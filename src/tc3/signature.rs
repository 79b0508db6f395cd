//! TC3-HMAC-SHA256 itself: canonical request, string to sign, key, signature (API reference §3.1).

use std::fmt::Write as _;

use jiff::{Timestamp, tz::TimeZone};
use openssl::{hash::MessageDigest, pkey::PKey, sign::Signer};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Error, Signed};

/// The name of the algorithm, first word of the `Authorization` header.
pub const ALGORITHM: &str = "TC3-HMAC-SHA256";

/// How far `X-TC-Timestamp` may be from now, either way.
pub const TOLERANCE_SECONDS: u64 = 300;

const TERMINATOR: &str = "tc3_request";
const UNSIGNED_PAYLOAD: &str = "UNSIGNED-PAYLOAD";

/// A request as it came over the wire: what a signature covers. The path is not among it, the
/// canonical URI is always `/`.
#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    /// `GET` or `POST`.
    pub method: &'a str,
    /// The query as sent, without `?`; empty when there is none.
    pub query: &'a str,
    /// Every header with its raw value; names in any case. `Host` must be the header as sent:
    /// some clients put a whole URL there and sign it.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// The body as sent; empty for `GET`.
    pub body: &'a [u8],
}

impl<'a> Parts<'a> {
    /// The only value of a header, trimmed; none when it is absent, repeated or not UTF-8.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let mut found = self.headers.iter().filter(|(seen, _)| seen.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some((_, value)), None) => std::str::from_utf8(value).ok().map(str::trim),
            _ => None,
        }
    }

    /// `X-TC-Timestamp`, in seconds since 1970.
    pub fn timestamp(&self) -> Result<i64, Error> {
        let text = self.header("x-tc-timestamp").ok_or(Error::MissingHeader("X-TC-Timestamp"))?;
        text.parse().map_err(|_| Error::MalformedTimestamp)
    }
}

/// Makes the `Authorization` header for a request, signing `content-type` and `host`, which must
/// be among its headers. `timestamp` is what `X-TC-Timestamp` will say.
pub fn sign(
    secret_id: &str,
    secret_key: &str,
    service: &str,
    timestamp: i64,
    parts: &Parts<'_>,
) -> Result<String, Error> {
    let headers = ["content-type".to_owned(), "host".to_owned()];
    let date = utc_date(timestamp)?;
    let canonical = canonical_request(parts, &headers, str::to_owned)?;
    let signature = signature(secret_key, service, &date, timestamp, &canonical)?;
    Ok(format!(
        "{ALGORITHM} Credential={secret_id}/{date}/{service}/{TERMINATOR}, \
         SignedHeaders=content-type;host, Signature={}",
        hex(&signature)
    ))
}

impl Signed {
    /// Is the timestamp near `now`, and of the date in the credential scope? Both in seconds
    /// since 1970.
    pub fn check_time(&self, timestamp: i64, now: i64) -> Result<(), Error> {
        if now.abs_diff(timestamp) > TOLERANCE_SECONDS {
            return Err(Error::Expired);
        }
        if self.date != utc_date(timestamp)? {
            return Err(Error::DateMismatch);
        }
        Ok(())
    }

    /// Was this request signed with `secret_key`?
    ///
    /// Official SDKs sign header values as they are; signers written after the public tutorial
    /// sign them in lower case. A request that fails one way is tried the other.
    pub fn verify(&self, parts: &Parts<'_>, timestamp: i64, secret_key: &str) -> Result<(), Error> {
        for spelling in [str::to_owned as fn(&str) -> String, str::to_lowercase] {
            let canonical = canonical_request(parts, &self.headers, spelling)?;
            let expected = signature(secret_key, &self.service, &self.date, timestamp, &canonical)?;
            if bool::from(expected.as_slice().ct_eq(&self.signature)) {
                return Ok(());
            }
        }
        Err(Error::Mismatch)
    }
}

/// `YYYY-MM-DD` of a moment, in UTC.
fn utc_date(timestamp: i64) -> Result<String, Error> {
    let moment = Timestamp::from_second(timestamp).map_err(|_| Error::MalformedTimestamp)?;
    Ok(moment.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d").to_string())
}

pub(super) fn canonical_request(
    parts: &Parts<'_>,
    signed_headers: &[String],
    spelling: impl Fn(&str) -> String,
) -> Result<String, Error> {
    let mut canonical = format!("{}\n/\n{}\n", parts.method, parts.query);
    for name in signed_headers {
        let value = parts.header(name).ok_or(Error::UnusableSignedHeader)?;
        // Writing to a String cannot fail.
        let _ = writeln!(canonical, "{name}:{}", spelling(value));
    }
    let payload = match parts.header("x-tc-content-sha256") {
        Some(UNSIGNED_PAYLOAD) => UNSIGNED_PAYLOAD.as_bytes(),
        _ => parts.body,
    };
    let _ = write!(canonical, "\n{}\n{}", signed_headers.join(";"), sha256_hex(payload));
    Ok(canonical)
}

pub(super) fn string_to_sign(service: &str, date: &str, timestamp: i64, canonical: &str) -> String {
    let hash = sha256_hex(canonical.as_bytes());
    format!("{ALGORITHM}\n{timestamp}\n{date}/{service}/{TERMINATOR}\n{hash}")
}

fn signature(
    secret_key: &str,
    service: &str,
    date: &str,
    timestamp: i64,
    canonical: &str,
) -> Result<Vec<u8>, Error> {
    let text = string_to_sign(service, date, timestamp, canonical);
    let secret = Zeroizing::new(format!("TC3{secret_key}"));
    let for_date = Zeroizing::new(hmac(secret.as_bytes(), date.as_bytes())?);
    let for_service = Zeroizing::new(hmac(&for_date, service.as_bytes())?);
    let for_signing = Zeroizing::new(hmac(&for_service, TERMINATOR.as_bytes())?);
    hmac(&for_signing, text.as_bytes())
}

/// Hex signature of a canonical request by `organization` on 2026-11-22, for tests that sign
/// headers of their own choice.
#[cfg(test)]
pub(super) fn sign_canonical(secret_key: &str, timestamp: i64, canonical: &str) -> String {
    let made = signature(secret_key, "organization", "2026-11-22", timestamp, canonical);
    hex(&made.unwrap())
}

fn hmac(key: &[u8], text: &[u8]) -> Result<Vec<u8>, Error> {
    let compute = || -> Result<Vec<u8>, openssl::error::ErrorStack> {
        let key = PKey::hmac(key)?;
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(text)
    };
    compute().map_err(|_| Error::Crypto)
}

fn sha256_hex(bytes: &[u8]) -> String {
    hex(&openssl::sha::sha256(bytes))
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
