//! Where a person begins to sign in, and where the browser comes for its session.

use axum::{
    extract::{Path, Query, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CACHE_CONTROL, COOKIE, LOCATION, REFERRER_POLICY, SET_COOKIE},
    },
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;
use tower_sessions::{Expiry, Session};

use crate::{
    app::App,
    saml::{
        certificate::SigningKey,
        request::{AuthnRequestToSend, RequestError},
    },
    secret::random_token,
    space,
    sso::{self, Begun, Redeemed, Way},
    store::{SUBJECT, Timestamp},
    web::{
        Anyone, Fault, SESSION_ENDS_AT,
        pages::{PageError, Problem},
        saml::post::{Message, SamlPost},
    },
};

/// The cookie that binds a sign-in to the browser that began it. Several tabs share it.
const BINDING: &str = "sign_in_binding";
/// How many seconds it lasts: as long as a person may take at the identity provider.
const BINDING_SECONDS: i64 = 600;
/// 32 random bytes in base64.
const BINDING_LENGTH: usize = 43;

#[derive(Debug, Deserialize)]
pub struct Start {
    return_to: Option<String>,
}

/// Makes a pending request and sends the browser to the identity provider with it: by a redirect,
/// or by a page with a form that sends itself.
pub async fn start(
    State(app): State<App>,
    caller: Anyone,
    Path(space_name): Path<String>,
    Query(start): Query<Start>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let space = app
        .db
        .read(async |tx| space::space_by_name(tx, &space_name).await)
        .await?
        .ok_or_else(|| Problem::not_found("There is no such portal."))?;
    let binding = match binding_of(&headers) {
        Some(binding) => binding.to_owned(),
        None => random_token::<32>().map_err(Fault::from)?,
    };
    let begun = app
        .db
        .write(async |tx| {
            sso::begin(tx, &caller.act, &space, &binding, start.return_to.as_deref()).await
        })
        .await
        .map_err(not_now)?;
    let key = begun.key.as_ref().map(|pair| pair.signing_key(&app.sealer)).transpose();
    let key = key.map_err(Fault::from)?;
    let issuer = sso::sp_entity_id(&app.settings, space.id);
    let acs_url = sso::acs_url(&app.settings, space.id);
    let now = caller.act.now.to_jiff();
    // Signing takes half a millisecond: never on a thread that serves others.
    let written =
        tokio::task::spawn_blocking(move || write(&begun, &issuer, &acs_url, now, key.as_ref()));
    let sent = written
        .await
        .map_err(|_| Fault::Internal("writing a request was interrupted"))?
        .map_err(|error| Fault::from(sso::Error::from(error)))?;
    let secure = if app.settings.is_https() { "; Secure" } else { "" };
    let cookie = format!(
        "{BINDING}={binding}; Path=/portal; HttpOnly; SameSite=Lax; Max-Age={BINDING_SECONDS}{secure}"
    );
    match sent {
        Sent::Redirect(url) => Ok(see_other(&url, Some(&cookie))?),
        Sent::Post { action, message } => {
            let page = SamlPost {
                action: &action,
                message: Message::Request(&message),
                relay_state: None,
                destination: "the sign-in of your company",
            };
            let mut response = page.page()?;
            response.headers_mut().insert(SET_COOKIE, header_value(&cookie)?);
            Ok(response)
        }
    }
}

/// A request that was written, on its way.
enum Sent {
    /// To this address.
    Redirect(String),
    /// In a form to this address.
    Post { action: String, message: String },
}

/// Writes a request as the space wants it.
fn write(
    begun: &Begun,
    issuer: &str,
    acs_url: &str,
    now: jiff::Timestamp,
    key: Option<&SigningKey>,
) -> Result<Sent, RequestError> {
    let (way, settings) = (begun.provider.way(), &begun.provider.requests);
    let request = AuthnRequestToSend {
        id: &begun.request_id,
        now,
        issuer,
        destination: way.address(),
        acs_url,
        force_authn: settings.force_authn,
        name_id_format: settings.name_id.format(),
        authn_contexts: &settings.authn_contexts,
    };
    match way {
        Way::Redirect(_) => Ok(Sent::Redirect(request.redirect_url(None, key)?)),
        Way::Post(action) => {
            let message = request.post_message(key)?;
            Ok(Sent::Post { action: action.to_owned(), message })
        }
    }
}

/// Why nobody can sign in at this moment, in words for people (SSO-03).
fn not_now(error: sso::Error) -> PageError {
    let (code, message) = match &error {
        sso::Error::SwitchedOff => {
            ("SignInSwitchedOff", "Signing in is switched off here. Ask your administrator.")
        }
        sso::Error::NotConfigured => (
            "SignInNotConfigured",
            "Signing in has not been set up here yet. Ask your administrator.",
        ),
        sso::Error::NoPost
        | sso::Error::Provider(_)
        | sso::Error::AuthnContexts
        | sso::Error::Key(_)
        | sso::Error::Metadata(_)
        | sso::Error::Certificate(_)
        | sso::Error::DevelopmentKey
        | sso::Error::Request(_)
        | sso::Error::Secret(_)
        | sso::Error::Store(_) => return Fault::from(error).into(),
    };
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: "You cannot sign in now",
        message: message.to_owned(),
        onward: None,
    }
    .into()
}

#[derive(Debug, Deserialize)]
pub struct Finish {
    ticket: String,
}

/// The same-site page behind the assertion consumer service: the browser brings its ticket and,
/// because this is no cross-site POST any more, its cookie. A good pair opens a fresh session.
pub async fn finish(
    State(app): State<App>,
    caller: Anyone,
    Path(space_name): Path<String>,
    Query(finish): Query<Finish>,
    headers: HeaderMap,
    session: Session,
) -> Result<Response, PageError> {
    let binding = binding_of(&headers);
    let redeemed = app
        .db
        .write(async |tx| sso::redeem(tx, &caller.act, &space_name, &finish.ticket, binding).await)
        .await?
        .ok_or_else(|| {
            let again = format!("/portal/{}/login", encoded(&space_name));
            Problem {
                status: StatusCode::FORBIDDEN,
                code: "SignInNotFinished",
                title: "You are not signed in",
                message:
                    "This sign-in was begun in another browser, was finished already, or took \
                          too long."
                        .to_owned(),
                onward: Some((again, "Sign in again")),
            }
        })?;
    open_session(&app, &session, &redeemed, caller.act.now).await?;
    Ok(see_other(&redeemed.return_to, None)?)
}

/// Opens the session under a fresh id: one that the browser had before opens nothing (SES-05).
async fn open_session(
    app: &App,
    session: &Session,
    redeemed: &Redeemed,
    now: Timestamp,
) -> Result<(), Fault> {
    let longest = now.plus(SignedDuration::from_secs(app.settings.sessions.portal));
    let ends_at = redeemed.session_ends_at.map_or(longest, |ends_at| ends_at.min(longest));
    session.flush().await?;
    session.insert(SUBJECT, redeemed.user.id.0).await?;
    session.insert(SESSION_ENDS_AT, ends_at.as_second()).await?;
    // As a span, not as a moment: the cookie is dated by the machine's clock, not by ours.
    let span = time::Duration::seconds(ends_at.seconds_since(now));
    session.set_expiry(Some(Expiry::OnInactivity(span)));
    session.save().await?;
    Ok(())
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The binding cookie, if there is one of the form that we hand out.
fn binding_of(headers: &HeaderMap) -> Option<&str> {
    let url_safe = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, value)| {
            *name == BINDING && value.len() == BINDING_LENGTH && value.bytes().all(url_safe)
        })
        .map(|(_, value)| value)
}

/// A redirect that nobody caches and that names nothing to where it leads.
fn see_other(location: &str, cookie: Option<&str>) -> Result<Response, Fault> {
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, header_value(location)?);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if let Some(cookie) = cookie {
        headers.insert(SET_COOKIE, header_value(cookie)?);
    }
    Ok(response)
}

fn header_value(text: &str) -> Result<HeaderValue, Fault> {
    HeaderValue::from_str(text).map_err(|_| Fault::Internal("no header value"))
}
