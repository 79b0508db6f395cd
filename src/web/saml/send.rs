//! A request on its way to the identity provider: by a redirect, or by a page with a form that
//! sends itself.

use axum::{
    http::{
        HeaderValue, StatusCode,
        header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY},
    },
    response::{IntoResponse, Response},
};

use super::post::{Message, SamlPost};
use crate::{
    app::App,
    id::SpaceId,
    saml::{
        certificate::SigningKey,
        request::{AuthnRequestToSend, RequestError},
    },
    sso::{self, Begun, Way},
    store::Timestamp,
    web::Fault,
};

/// Writes the request as its configuration wants it, and answers with what takes it there.
pub async fn send(
    app: &App,
    space: SpaceId,
    begun: Begun,
    now: Timestamp,
) -> Result<Response, Fault> {
    let relay_state = begun.relay_state.clone();
    match written(app, space, begun, now).await? {
        Sent::Redirect(url) => see_other(&url),
        Sent::Post { action, message } => SamlPost {
            action: &action,
            message: Message::Request(&message),
            relay_state: Some(&relay_state),
            destination: &t!("sign-in-of-company"),
        }
        .page(),
    }
}

/// The request as its configuration wants it.
pub async fn written(
    app: &App,
    space: SpaceId,
    begun: Begun,
    now: Timestamp,
) -> Result<Sent, Fault> {
    let key = begun.key.as_ref().map(|pair| pair.signing_key(&app.sealer)).transpose()?;
    let issuer = sso::sp_entity_id(&app.settings, space);
    let acs_url = sso::acs_url(&app.settings, space);
    // Signing takes half a millisecond: never on a thread that serves others.
    let written = tokio::task::spawn_blocking(move || {
        write(&begun, &issuer, &acs_url, now.to_jiff(), key.as_ref())
    });
    let sent = written
        .await
        .map_err(|_| Fault::Internal("writing a request was interrupted"))?
        .map_err(sso::Error::from)?;
    Ok(sent)
}

/// A request that was written.
pub enum Sent {
    /// To this address.
    Redirect(String),
    /// In a form to this address.
    Post {
        /// The address.
        action: String,
        /// The field `SAMLRequest`.
        message: String,
    },
}

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
        Way::Redirect(_) => {
            Ok(Sent::Redirect(request.redirect_url(Some(&begun.relay_state), key)?))
        }
        Way::Post(action) => {
            let message = request.post_message(key)?;
            Ok(Sent::Post { action: action.to_owned(), message })
        }
    }
}

/// A redirect that nobody caches and that names nothing to where it leads.
pub fn see_other(location: &str) -> Result<Response, Fault> {
    let location =
        HeaderValue::from_str(location).map_err(|_| Fault::Internal("no header value"))?;
    let headers = [
        (LOCATION, location),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}
