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
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE, SET_COOKIE},
    },
    response::Response,
};
use jiff::SignedDuration;

use super::{binding::Binding, limit::Unhurried, off_thread, receive, send::see_other};
use crate::{
    app::App,
    saml::{
        encoding,
        encryption::DecryptionKey,
        response::{Expected, Outcome, Received},
        trace::Check,
    },
    space::{self, KeyPair, KeyPurpose, Space},
    sso::{self, Against, IdentityProvider, Judged, PendingRequest},
    store::{Timestamp, Write},
    web::{
        Anyone, Fault,
        entrance::closed,
        pages::{PageError, Problem},
    },
};

/// Longest `RelayState` that is looked at (bytes). SAML allows 80; some do not keep to it.
const LONGEST_RELAY_STATE: usize = 1024;
/// How long ago people who begin at the identity provider may have authenticated there, where they
/// have to do it anew.
const JUST_NOW: SignedDuration = SignedDuration::from_mins(5);

/// What the room needs to judge: read before the judgement, checked again in its write.
struct Known {
    space: Space,
    /// The configuration to judge by: of the space, or of the test that the request belongs to.
    provider: IdentityProvider,
    request: Option<PendingRequest>,
    /// Only for a message that needs them.
    encryption_keys: Vec<KeyPair>,
    /// The id of the assertion, if it answers no request and was used already.
    used: Option<String>,
}

/// Judges the response; sends the browser on with a ticket, or shows why not in one sentence.
pub async fn consume(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    Path(space_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let Posted { response, relay_state } = posted(&headers, &body).ok_or_else(|| {
        let message = t!("sign-in-no-form");
        Problem {
            status: StatusCode::BAD_REQUEST,
            code: "SamlFormInvalid",
            title: key!("problem-not-signed-in"),
            message,
            onward: None,
        }
    })?;
    let received = receive(&response).await?;
    let relay_state = relay_state.as_deref();
    let known = Box::pin(known(&app, &space_id, &received, relay_state, &caller)).await?;
    // SET-10. A test leads to the console, which is open from everywhere.
    let is_test = known.request.as_ref().is_some_and(|request| request.test_id.is_some());
    if !is_test && !known.space.sign_in_networks.0.admit(caller.act.address) {
        return Err(closed().into());
    }
    let outcome = judgement(&app, received, &known, caller.act.now).await?;
    let Known { space, provider, request, .. } = known;
    if let Some(request) = request.as_ref().filter(|request| request.test_id.is_some()) {
        let judging = async |tx: &mut Write| -> Result<_, sso::Error> {
            let text = text_of(&response);
            sso::judge_test(tx, &caller.act, space.id, request, relay_state, outcome, text).await
        };
        let test = app.db.write(judging).await?;
        let test = test.ok_or_else(|| refusal(Check::InResponseTo, &space.name))?;
        // The report is for administrators: the console asks who comes.
        let path = format!("/console/settings/sso/tests/{test}");
        return Ok(see_other(&app.settings.url(&path))?);
    }
    let is_refused = outcome.result.is_err();
    let against =
        Against { space: &space, provider: &provider, request: request.as_ref(), relay_state };
    let (act, outcome) = (&caller.act, &outcome);
    let judging = move || async move |tx: &mut Write| sso::judge(tx, act, against, outcome).await;
    let judged = if is_refused {
        app.db.write_claiming(judging).await?
    } else {
        // Nobody is let in before the ticket is redeemed, and that is durable together with it. A
        // refusal that is found only now lets nobody in either.
        app.db.write_claiming_delayed(judging).await?
    };
    match judged {
        Judged::Accepted { ticket, brought } => {
            let path = format!("/portal/{}/login/finish?ticket={ticket}", space.name);
            let mut onward = see_other(&app.settings.url(&path))?;
            if let Some(brought) = brought {
                let cookie = Binding::Brought.cookie(&app, &brought)?;
                onward.headers_mut().insert(SET_COOKIE, cookie);
            }
            Ok(onward)
        }
        Judged::Refused(check) => Err(refusal(check, &space.name).into()),
    }
}

/// Holds the message against what is known. Signatures and the second opinion are slow: never on a
/// thread that serves others.
async fn judgement(
    app: &App,
    received: Received,
    known: &Known,
    now: Timestamp,
) -> Result<Outcome, PageError> {
    let provider = known.provider.clone();
    let keys = provider.keys(&app.read_certificates, app.demo.is_some())?;
    let decryption_keys: Vec<DecryptionKey> = known
        .encryption_keys
        .iter()
        .map(|pair| pair.decryption_key(&app.sealer))
        .collect::<Result<_, _>>()
        .map_err(Fault::from)?;
    let used = known.used.clone();
    let sp_entity_id = sso::sp_entity_id(&app.settings, known.space.id);
    let acs_url = sso::acs_url(&app.settings, known.space.id);
    let request = known.request.as_ref();
    let request_id = request.map(|request| request.id.clone());
    let begun = request
        .map_or_else(|| now.plus(-JUST_NOW).to_jiff(), |request| request.created_at.to_jiff());
    let authenticated_since = provider.requests.force_authn.then_some(begun);
    // A test is always of a request of its own.
    let is_test = request.is_some_and(|request| request.test_id.is_some());
    let saml = app.settings.saml;
    let outcome = off_thread(move || {
        received.verify(&Expected {
            idp_entity_id: &provider.entity_id,
            certificates: &keys,
            decryption_keys: &decryption_keys,
            acs_url: &acs_url,
            sp_entity_id: &sp_entity_id,
            request_id: request_id.as_deref(),
            authn_contexts: &provider.requests.authn_contexts,
            authenticated_since,
            identity_attribute: provider.responses.identity_attribute.as_deref(),
            allow_unsolicited: provider.responses.allow_unsolicited && !is_test,
            used: used.as_deref(),
            now: now.to_jiff(),
            skew: SignedDuration::from_secs(saml.clock_skew),
            second_opinion: saml.second_opinion,
        })
    });
    Ok(outcome.await?)
}

/// The message as text, for the report of a test.
fn text_of(response: &str) -> String {
    match encoding::decode(response) {
        // NUL, which no database keeps, is shown as what else cannot be read.
        Ok(bytes) => String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}"),
        Err(_) => response.to_owned(),
    }
}

/// What the form brought.
struct Posted {
    response: String,
    relay_state: Option<String>,
}

/// The one `SAMLResponse` of a form: no second one, no other message beside it.
fn posted(headers: &HeaderMap, body: &[u8]) -> Option<Posted> {
    let kind = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = kind.split(';').next()?.trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        || headers.contains_key(CONTENT_ENCODING)
    {
        return None;
    }
    let mut response = None;
    let mut relay_state = None;
    for (name, value) in url::form_urlencoded::parse(body) {
        match &*name {
            "SAMLResponse" if response.is_none() => response = Some(value.into_owned()),
            "RelayState" if relay_state.is_none() => relay_state = Some(value.into_owned()),
            "SAMLResponse" | "RelayState" | "SAMLRequest" | "SAMLart" => return None,
            // Some identity providers name their submit button.
            _ => {}
        }
    }
    let sound = |state: &String| state.len() <= LONGEST_RELAY_STATE && !state.contains('\0');
    if !relay_state.as_ref().is_none_or(sound) {
        return None;
    }
    let response = response.filter(|response: &String| !response.is_empty())?;
    Some(Posted { response, relay_state })
}

/// Reads what the judgement needs, from no snapshot: the write asks whether it still stands. The
/// pending request is looked up by unverified values, which
/// select and prove nothing; one that went to another identity provider than today's is none.
async fn known(
    app: &App,
    space_id: &str,
    received: &Received,
    relay_state: Option<&str>,
    caller: &Anyone,
) -> Result<Known, PageError> {
    let unknown = || Problem::not_found(t!("no-such-space"));
    let id = space_id.parse().map_err(|_| unknown())?;
    let now = caller.act.now;
    let claimed = received.in_response_to_unverified();
    // Three questions at once: people wait for the answers.
    let (space, provider, request) = tokio::try_join!(
        app.db.glance(async |tx| space::space(tx, id).await),
        app.db.glance(async |tx| sso::identity_provider(tx, id).await),
        app.db.glance(async |tx| { sso::pending_request(tx, id, claimed, relay_state, now).await }),
    )
    .map_err(Fault::from)?;
    let space = space.ok_or_else(unknown)?;
    let provider = match request.as_ref().and_then(|request| request.test_id) {
        Some(test) => {
            let test = app.db.read(async |tx| sso::test(tx, id, test).await).await?;
            test.map(|test| test.provider)
        }
        None => provider.filter(|_| space.sso_enabled),
    };
    let encryption_keys = if received.is_encrypted() {
        let purpose = KeyPurpose::Encryption;
        app.db.glance(async |tx| space::key_pairs(tx, id, purpose).await).await?
    } else {
        Vec::new()
    };
    let provider = provider.filter(IdentityProvider::is_complete).ok_or_else(|| Problem {
        status: StatusCode::FORBIDDEN,
        code: "SignInSwitchedOff",
        title: key!("problem-no-sign-in-now"),
        message: t!("sign-in-off-or-unset"),
        onward: None,
    })?;
    // What belongs to a test never judges, or is judged as, a real sign-in.
    let request = request.filter(|it| it.test_id.is_some() || it.entity_id == provider.entity_id);
    // What answers a request is used up together with it.
    let used = match claimed {
        None => app.db.glance(async |tx| sso::used(tx, id, received).await).await?,
        Some(_) => None,
    };
    Ok(Known { space, provider, request, encryption_keys, used })
}

/// What the person is told: the two kinds they can do something about have words of their own, and
/// everything else is one sentence. The trace has the rest, for the administrator.
fn refusal(check: Check, space_name: &str) -> Problem {
    let (code, message) = match check {
        Check::UserExists => ("NotProvisioned", key!("sign-in-not-provisioned")),
        Check::UserEnabled => ("UserDisabled", key!("sign-in-user-disabled")),
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
        | Check::IdentityAttribute
        | Check::SecondOpinion
        | Check::RelayState
        | Check::Replay
        | Check::BrowserBinding => ("SamlResponseRefused", key!("sign-in-refused")),
    };
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: key!("problem-not-signed-in"),
        message: message.to_string(),
        onward: Some((format!("/portal/{space_name}/login"), key!("sign-in-again"))),
    }
}
