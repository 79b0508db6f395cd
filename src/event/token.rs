//! The security event token of a delivery (RFC 8417, in the profile of RFC 9967).

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Map, Value, json};

use super::{Kind, journal::Letter};
use crate::{id::Principal, secret::jwt};

/// What the test of an endpoint is called: the verification event of the Shared Signals Framework.
const VERIFICATION: &str = "https://schemas.openid.net/secevent/ssf/event-type/verification";

/// What the warning of an end is called; no standard has one.
const EXPIRY: &str = "urn:identity-center:event:expiry";
/// And an alarm.
const ALARM: &str = "urn:identity-center:event:alarm";

/// A token cannot be signed.
#[derive(Debug, thiserror::Error)]
#[error("the token cannot be signed")]
pub(super) struct Unsigned;

/// Signs the token of a letter. However often it is signed, it says the same.
pub(super) fn sign(letter: &Letter, issuer: &str, secret: &[u8]) -> Result<String, Unsigned> {
    jwt::install();
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some("secevent+jwt".to_owned());
    header.kid = Some(letter.secret_number.to_string());
    jsonwebtoken::encode(&header, &claims(letter, issuer), &EncodingKey::from_secret(secret))
        .map_err(|_| Unsigned)
}

fn claims(letter: &Letter, issuer: &str) -> Value {
    let (uri, body) = content(letter);
    json!({
        "iss": issuer,
        "aud": letter.url,
        "iat": letter.at.as_second(),
        "jti": format!("{}.{}", letter.event, letter.endpoint),
        "txn": letter.transaction_id,
        "sub_id": subject(letter),
        "events": { uri: body },
    })
}

/// RFC 9967 §2.1; what a test is about is the endpoint.
fn subject(letter: &Letter) -> Value {
    if letter.kind == Kind::Verification {
        return json!({ "format": "opaque", "id": letter.endpoint });
    }
    if matches!(letter.kind, Kind::Expiry | Kind::Alarm) {
        let object = letter.payload.data.as_ref().map(|data| data["object"].clone());
        return json!({ "format": "opaque", "id": object });
    }
    let uri = match (&letter.payload.uri, letter.subject) {
        (Some(uri), _) => uri.clone(),
        (None, Principal::User(id)) => format!("/Users/{id}"),
        (None, Principal::Group(id)) => format!("/Groups/{id}"),
    };
    let mut subject = Map::new();
    subject.insert("format".to_owned(), json!("scim"));
    subject.insert("uri".to_owned(), json!(uri));
    if let Some(external_id) = &letter.payload.external_id {
        subject.insert("externalId".to_owned(), json!(external_id));
    }
    Value::Object(subject)
}

/// RFC 9967 §2.5.1.3: the operation as the BulkResponse has it. Who gets no values is not told the
/// sentence about a refusal, which may quote some.
fn answer(letter: &Letter) -> Value {
    let mut result = letter.payload.data.clone().unwrap_or_else(|| json!({}));
    if !letter.full_content
        && let Some(response) = result.get_mut("response").and_then(Value::as_object_mut)
    {
        response.remove("detail");
    }
    result
}

/// RFC 9967 §2.4 and §2.5: which event, and what it says.
fn content(letter: &Letter) -> (&'static str, Value) {
    let full = letter.full_content.then_some(letter.payload.data.as_ref()).flatten();
    let told = |uri: [&'static str; 2]| match full {
        Some(data) => (uri[1], json!({ "data": data })),
        None => (uri[0], json!({ "attributes": letter.payload.attributes })),
    };
    match letter.kind {
        Kind::Create => told([
            "urn:ietf:params:scim:event:prov:create:notice",
            "urn:ietf:params:scim:event:prov:create:full",
        ]),
        Kind::Patch | Kind::Membership if letter.payload.replaced => told([
            "urn:ietf:params:scim:event:prov:put:notice",
            "urn:ietf:params:scim:event:prov:put:full",
        ]),
        Kind::Patch | Kind::Membership => told([
            "urn:ietf:params:scim:event:prov:patch:notice",
            "urn:ietf:params:scim:event:prov:patch:full",
        ]),
        Kind::Delete => ("urn:ietf:params:scim:event:prov:delete", json!({})),
        Kind::Activate => ("urn:ietf:params:scim:event:prov:activate", json!({})),
        Kind::Deactivate => ("urn:ietf:params:scim:event:prov:deactivate", json!({})),
        Kind::Answer => ("urn:ietf:params:scim:event:misc:asyncresp", answer(letter)),
        Kind::Expiry => (EXPIRY, letter.payload.data.clone().unwrap_or_else(|| json!({}))),
        Kind::Alarm => (ALARM, letter.payload.data.clone().unwrap_or_else(|| json!({}))),
        Kind::Verification => (VERIFICATION, json!({ "state": letter.transaction_id })),
    }
}
