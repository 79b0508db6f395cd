//! Session tokens: a JWT (HS256) that binds temporary credentials to their session and its end.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};

use super::Error;
use crate::{
    id::RoleSessionId,
    secret::{Sealer, jwt},
};

/// What the key is derived for.
const PURPOSE: &str = "session tokens of the embedded cloud";
/// The audience: no other JWT of ours counts as a session token.
const AUDIENCE: &str = "sts";
/// Longest token that is looked at.
const LONGEST: usize = 4096;

/// What a token says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    /// The session.
    #[serde(rename = "sid")]
    pub session: RoleSessionId,
    /// When it ends, in seconds since 1970.
    #[serde(rename = "exp")]
    pub ends_at: i64,
    aud: String,
}

/// Makes the token of a session.
pub(super) fn issue(
    sealer: &Sealer,
    session: RoleSessionId,
    ends_at: i64,
) -> Result<String, Error> {
    jwt::install();
    let key = sealer.derive(PURPOSE)?;
    let claims = Claims { session, ends_at, aud: AUDIENCE.to_owned() };
    let key = EncodingKey::from_secret(&*key);
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &key)
        .map_err(|_| Error::TokenInvalid)
}

/// Verifies a token. Whether it has ended is for the caller to say, who has the clock.
pub(super) fn verify(sealer: &Sealer, token: &str) -> Result<Claims, Error> {
    if token.len() > LONGEST {
        return Err(Error::TokenInvalid);
    }
    jwt::install();
    let key = sealer.derive(PURPOSE)?;
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "aud"]);
    jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&*key), &validation)
        .map(|data| data.claims)
        .map_err(|_| Error::TokenInvalid)
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    fn sealer() -> Sealer {
        Sealer::from_base64(&Sealer::new_master_key().unwrap()).unwrap()
    }

    #[test]
    fn a_token_is_read_back() {
        let sealer = sealer();
        let token = issue(&sealer, RoleSessionId(7), 1_800_000_000).unwrap();
        let claims = verify(&sealer, &token).unwrap();
        assert_eq!((claims.session, claims.ends_at), (RoleSessionId(7), 1_800_000_000));
    }

    #[test]
    fn nothing_but_the_token_itself_is_accepted() {
        let sealer = sealer();
        let token = issue(&sealer, RoleSessionId(7), 1_800_000_000).unwrap();
        let other = tests::sealer();
        assert!(verify(&other, &token).is_err(), "another key");
        let [header, claims, mac] = token.split('.').collect::<Vec<_>>()[..] else { panic!() };
        let forged = URL_SAFE_NO_PAD.encode(r#"{"sid":"rs-000000000008","exp":1,"aud":"sts"}"#);
        assert!(verify(&sealer, &format!("{header}.{forged}.{mac}")).is_err(), "other claims");
        for algorithm in ["none", "HS384", "RS256"] {
            let header = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"{algorithm}"}}"#));
            assert!(verify(&sealer, &format!("{header}.{claims}.{mac}")).is_err(), "{algorithm}");
            assert!(verify(&sealer, &format!("{header}.{claims}.")).is_err(), "{algorithm}");
        }
        for at in 0..token.len() {
            let mut broken = token.clone().into_bytes();
            broken[at] = if broken[at] == b'A' { b'B' } else { b'A' };
            let broken = String::from_utf8(broken).unwrap();
            // The last digit of a base64 text may hold bits that mean nothing.
            if at + 1 < token.len() && at != header.len() - 1 {
                assert!(verify(&sealer, &broken).is_err(), "byte {at}");
            }
        }
        assert!(verify(&sealer, "").is_err());
        assert!(verify(&sealer, &"a".repeat(5000)).is_err());
    }
}
