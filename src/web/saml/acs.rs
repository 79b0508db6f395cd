//! The assertion consumer service: takes the response that a browser carries here from the
//! identity provider.
//!
//! This is a cross-site POST without any cookie of ours. So nobody is signed in here: a good
//! response is turned into a one-time ticket, and the browser is sent to a same-site page that
//! also sees its cookie.

use axum::{
    body::Bytes,
    extract::{Path, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, LOCATION, REFERRER_POLICY},
    },
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;

use crate::{
    app::App,
    saml::{
        encryption::DecryptionKey,
        response::{Expected, Outcome, Received},
        trace::Check,
    },
    space::{self, KeyPair, KeyPurpose, Space},
    sso::{self, IdentityProvider, Judged, PendingRequest},
    web::{
        Anyone, Fault,
        pages::{PageError, Problem},
    },
};

/// What the room needs to judge: read before the judgement, checked again in its write.
struct Known {
    space: Space,
    provider: IdentityProvider,
    request: Option<PendingRequest>,
    /// Only for a message that needs them.
    encryption_keys: Vec<KeyPair>,
}

/// Judges the response; sends the browser on with a ticket, or shows why not in one sentence.
pub async fn consume(
    State(app): State<App>,
    caller: Anyone,
    Path(space_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let encoded = saml_response(&headers, &body).ok_or_else(|| {
        let message = "The identity provider's answer did not arrive as a form with one \
                       SAMLResponse.";
        Problem {
            status: StatusCode::BAD_REQUEST,
            code: "SamlFormInvalid",
            title: "You are not signed in",
            message: message.to_owned(),
            onward: None,
        }
    })?;
    let received = off_thread(move || Received::parse(&encoded)).await?;
    let claimed = received.in_response_to_unverified().map(str::to_owned);
    let is_encrypted = received.is_encrypted();
    let known = known(&app, &space_id, claimed.as_deref(), is_encrypted, &caller).await?;
    let keys = known.provider.keys(app.demo.is_some())?;
    let Known { space, provider, request, encryption_keys } = known;
    let decryption_keys: Vec<DecryptionKey> = encryption_keys
        .iter()
        .map(|pair| pair.decryption_key(&app.sealer))
        .collect::<Result<_, _>>()
        .map_err(Fault::from)?;
    let sp_entity_id = sso::sp_entity_id(&app.settings, space.id);
    let acs_url = sso::acs_url(&app.settings, space.id);
    let request_id = request.as_ref().map(|request| request.id.clone());
    let demanded = request.as_ref().filter(|_| provider.requests.force_authn);
    let authenticated_since = demanded.map(|request| request.created_at.to_jiff());
    let now = caller.act.now.to_jiff();
    let saml = app.settings.saml;
    // Signatures and the second opinion are slow: never on a thread that serves others.
    let outcome: Outcome = off_thread(move || {
        received.verify(&Expected {
            idp_entity_id: &provider.entity_id,
            certificates: &keys,
            decryption_keys: &decryption_keys,
            acs_url: &acs_url,
            sp_entity_id: &sp_entity_id,
            request_id: request_id.as_deref(),
            authn_contexts: &provider.requests.authn_contexts,
            authenticated_since,
            allow_unsolicited: false,
            now,
            skew: SignedDuration::from_secs(saml.clock_skew),
            second_opinion: saml.second_opinion,
        })
    })
    .await?;
    let judged = app
        .db
        .write(async |tx| sso::judge(tx, &caller.act, &space, request.as_ref(), outcome).await)
        .await?;
    match judged {
        Judged::Accepted { ticket } => {
            let path = format!("/portal/{}/login/finish?ticket={ticket}", space.name);
            let location = HeaderValue::from_str(&app.settings.url(&path))
                .map_err(|_| Fault::Internal("no header value"))?;
            let headers = [
                (LOCATION, location),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
                (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
            ];
            Ok((StatusCode::SEE_OTHER, headers).into_response())
        }
        Judged::Refused(check) => Err(refusal(check, &space.name).into()),
    }
}

/// The one `SAMLResponse` of a form: no second one, no other message beside it.
fn saml_response(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next()?.trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        || headers.contains_key(CONTENT_ENCODING)
    {
        return None;
    }
    let mut response = None;
    let mut relay_state = false;
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "SAMLResponse" if response.is_none() => response = Some(value.into_owned()),
            "RelayState" if !relay_state => relay_state = true,
            "SAMLResponse" | "RelayState" | "SAMLRequest" | "SAMLart" => return None,
            // Some identity providers name their submit button.
            _ => {}
        }
    }
    response.filter(|response| !response.is_empty())
}

type Found = (Space, Option<IdentityProvider>, Option<PendingRequest>, Vec<KeyPair>);

/// Reads what the judgement needs. The pending request is looked up by an unverified value, which
/// selects and proves nothing; one that went to another identity provider than today's is none.
async fn known(
    app: &App,
    space_id: &str,
    claimed: Option<&str>,
    is_encrypted: bool,
    caller: &Anyone,
) -> Result<Known, PageError> {
    let unknown = || Problem::not_found("There is no such space.");
    let id = space_id.parse().map_err(|_| unknown())?;
    let now = caller.act.now;
    let found: Option<Found> = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let Some(space) = space::space(tx, id).await? else { return Ok(None) };
            let provider = sso::identity_provider(tx, id).await?;
            let request = match claimed {
                Some(claimed) => sso::pending_request(tx, id, claimed, now).await?,
                None => None,
            };
            let keys = if is_encrypted {
                space::key_pairs(tx, id, KeyPurpose::Encryption).await?
            } else {
                Vec::new()
            };
            Ok(Some((space, provider, request, keys)))
        })
        .await?;
    let (space, provider, request, encryption_keys) = found.ok_or_else(unknown)?;
    let provider = provider.filter(|provider| space.sso_enabled && provider.is_complete());
    let provider = provider.ok_or_else(|| Problem {
        status: StatusCode::FORBIDDEN,
        code: "SignInSwitchedOff",
        title: "You cannot sign in now",
        message: "Signing in is switched off here or has not been set up. Ask your administrator."
            .to_owned(),
        onward: None,
    })?;
    let request = request.filter(|request| request.entity_id == provider.entity_id);
    Ok(Known { space, provider, request, encryption_keys })
}

async fn off_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work).await.map_err(|_| Fault::Internal("the SAML core panicked"))
}

/// What the person is told: the two kinds they can do something about have words of their own, and
/// everything else is one sentence. The trace has the rest, for the administrator.
fn refusal(check: Check, space_name: &str) -> Problem {
    let (code, message) = match check {
        Check::UserExists => (
            "NotProvisioned",
            "You have signed in at your company, but nobody has given you an account here yet. \
             Ask your administrator.",
        ),
        Check::UserEnabled => {
            ("UserDisabled", "Your account here is disabled. Ask your administrator.")
        }
        Check::Encoding
        | Check::Xml
        | Check::Structure
        | Check::Version
        | Check::UniqueIds
        | Check::Destination
        | Check::ResponseIssuer
        | Check::Status
        | Check::AssertionCount
        | Check::Decryption
        | Check::AssertionIssuer
        | Check::Signature
        | Check::IssueInstant
        | Check::SubjectConfirmation
        | Check::Recipient
        | Check::InResponseTo
        | Check::ConfirmationExpiry
        | Check::Conditions
        | Check::NotBefore
        | Check::NotOnOrAfter
        | Check::Audience
        | Check::AuthnStatement
        | Check::AuthnContext
        | Check::ForceAuthn
        | Check::SessionNotOnOrAfter
        | Check::NameId
        | Check::NameIdFormat
        | Check::SecondOpinion
        | Check::Replay
        | Check::BrowserBinding => (
            "SamlResponseRefused",
            "The answer of your company's sign-in was not accepted. Try once more; if it stays, \
             give your administrator the request number below.",
        ),
    };
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: "You are not signed in",
        message: message.to_owned(),
        onward: Some((format!("/portal/{space_name}/login"), "Sign in again")),
    }
}
