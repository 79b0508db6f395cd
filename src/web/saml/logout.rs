//! Single logout: what the identity provider asks of us and answers us, carried here by a browser.
//!
//! Neither binding relies on a cookie: a form comes from another site and brings none of ours. What
//! counts is the identity provider's signature.

use askama::Template;
use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_ENCODING, CONTENT_TYPE},
    },
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use url::Url;

use super::{limit::Unhurried, off_thread, send::see_other};
use crate::{
    app::App,
    saml::{
        encryption::DecryptionKey,
        logout::{Answer, Expected, LogoutError, LogoutResponseToSend, Received, Sent},
        redirect::MessageKind,
    },
    secret::{hex, random},
    space::{self, KeyPair, KeyPurpose, Space},
    sso::{self, Heard, IdentityProvider},
    store::Write,
    web::{
        Anyone, Fault,
        page::Page,
        pages::{PageError, Problem},
    },
};

/// A message by redirect.
pub async fn by_redirect(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    Path(space_id): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = query.unwrap_or_default();
    if !names_a_message(query.as_bytes()) {
        return Err(no_message().into());
    }
    let received = off_thread(move || Received::from_query(&query)).await?;
    take(&app, &caller, &space_id, received, false).await
}

/// A message by a form.
pub async fn by_form(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    Path(space_id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, PageError> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let is_form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        && !headers.contains_key(CONTENT_ENCODING);
    if !is_form || !names_a_message(&body) {
        return Err(no_message().into());
    }
    let received = off_thread(move || Received::from_form(&body)).await?;
    take(&app, &caller, &space_id, received, true).await
}

/// What does not even mention a message is nobody's failed logout, and leaves no record.
fn names_a_message(text: &[u8]) -> bool {
    [MessageKind::Request, MessageKind::Response].into_iter().any(|kind| {
        let name = kind.parameter().as_bytes();
        text.windows(name.len()).any(|window| window == name)
    })
}

fn no_message() -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        code: "SamlLogoutInvalid",
        title: key!("problem-not-signed-out"),
        message: t!("sign-out-no-message"),
        onward: None,
    }
}

/// What the judgement and the answer need.
struct Known {
    space: Space,
    provider: IdentityProvider,
    key: KeyPair,
    /// Keys that a name may be encrypted for, where one is.
    encryption_keys: Vec<KeyPair>,
}

/// Judges the message, does what it says if it is good, and answers or shows what came of it.
///
/// Whether people may sign in at this moment does not matter: they may always sign out.
async fn take(
    app: &App,
    caller: &Anyone,
    space_id: &str,
    received: Received,
    came_by_post: bool,
) -> Result<Response, PageError> {
    let known = known(app, space_id, received.is_encrypted()).await?;
    let Known { space, provider, key, encryption_keys } = known;
    let certificates = provider.keys(&app.read_certificates, app.demo.is_some())?;
    let decryption_keys: Vec<DecryptionKey> = encryption_keys
        .iter()
        .map(|pair| pair.decryption_key(&app.sealer))
        .collect::<Result<_, _>>()
        .map_err(Fault::from)?;
    let url = sso::slo_url(&app.settings, space.id);
    let (now, skew) = (caller.act.now.to_jiff(), app.settings.saml.clock_skew);
    let idp_entity_id = provider.entity_id.clone();
    let (kind, relay_state) = (received.kind(), received.relay_state().map(str::to_owned));
    // Signatures are slow: never on a thread that serves others.
    let outcome = off_thread(move || {
        received.judge(&Expected {
            idp_entity_id: &idp_entity_id,
            certificates: &certificates,
            decryption_keys: &decryption_keys,
            url: &url,
            now,
            skew: SignedDuration::from_secs(skew),
        })
    })
    .await?;
    let heard = app
        .db
        .write_claiming(|| {
            async |tx: &mut Write| sso::heard(tx, &caller.act, &provider, &outcome).await
        })
        .await?;
    let (request_id, refused) = match heard {
        Heard::Finished { request_id } => {
            let page = format!("/portal/{}/signed-out?request={request_id}", space.name);
            return Ok(see_other(&app.settings.url(&page))?);
        }
        Heard::Refused { check: _, request_id: None } => return Err(refusal(kind, &space).into()),
        Heard::Refused { check, request_id: Some(id) } => (id, Some(check)),
        Heard::Obeyed { request_id } => (request_id, None),
    };
    let Some(way) = provider.single_logout.way_for_responses(came_by_post) else {
        return match refused {
            None => Ok(Page::new(EndedPage { space: space.name }).into_response()),
            Some(_) => Err(refusal(kind, &space).into()),
        };
    };
    let key = key.signing_key(&app.sealer).map_err(Fault::from)?;
    let issuer = sso::sp_entity_id(&app.settings, space.id);
    let id = format!("_{}", hex(&random::<20>().map_err(Fault::from)?));
    let sent: Result<Sent, LogoutError> = off_thread(move || {
        let response = LogoutResponseToSend {
            id: &id,
            now,
            issuer: &issuer,
            in_response_to: &request_id,
            answer: refused.map_or(Answer::Done, |check| Answer::Refused(check.name())),
            relay_state: relay_state.as_deref(),
        };
        response.send(&way, &key)
    })
    .await?;
    let sent = sent.map_err(|_| Fault::Internal("a logout response cannot be written"))?;
    match &sent {
        Sent::Redirect(address) => Ok(see_other(address)?),
        Sent::Post { .. } => Ok(SigningOut { sent: &sent }.page()?),
    }
}

async fn known(app: &App, space_id: &str, is_encrypted: bool) -> Result<Known, PageError> {
    let unknown = || Problem::not_found(t!("no-such-space"));
    let id = space_id.parse().map_err(|_| unknown())?;
    let found = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let Some(space) = space::space(tx, id).await? else { return Ok(None) };
            let provider = sso::identity_provider(tx, id).await?;
            let key = space::key_pair(tx, id, KeyPurpose::ServiceProvider).await?;
            let opening = if is_encrypted {
                space::key_pairs(tx, id, KeyPurpose::Encryption).await?
            } else {
                Vec::new()
            };
            Ok(Some((space, provider, key, opening)))
        })
        .await?;
    let (space, provider, key, encryption_keys) = found.ok_or_else(unknown)?;
    let provider = provider.filter(IdentityProvider::is_complete).ok_or_else(|| Problem {
        status: StatusCode::FORBIDDEN,
        code: "SignInNotConfigured",
        title: key!("problem-not-signed-out"),
        message: t!("sign-out-unset"),
        onward: None,
    })?;
    Ok(Known { space, provider, key, encryption_keys })
}

/// One sentence for everybody; the audit log has the rest, for the administrator.
fn refusal(kind: Option<MessageKind>, space: &Space) -> Problem {
    let message = match kind {
        Some(MessageKind::Response) => {
            key!("sign-out-response-refused")
        }
        Some(MessageKind::Request) | None => {
            key!("sign-out-request-refused")
        }
    };
    Problem {
        status: StatusCode::FORBIDDEN,
        code: "SamlLogoutRefused",
        title: key!("problem-sign-out-unfinished"),
        message: message.to_string(),
        onward: Some((format!("/portal/{}", space.name), key!("to-the-portal"))),
    }
}

/// What is shown when the identity provider takes no answer.
#[derive(Template)]
#[template(path = "portal/ended.html")]
struct EndedPage {
    space: String,
}

/// A page that takes a logout message on: to an address, by a refresh that needs no script and is
/// no form, so that the policy on forms does not reach what the address redirects to; or in a form
/// that sends itself.
#[derive(Template)]
#[template(path = "parts/signing_out.html")]
pub struct SigningOut<'a> {
    /// The message.
    pub sent: &'a Sent,
}

impl SigningOut<'_> {
    /// The page. A form on it may leave us for where it goes and nowhere else; an identity provider
    /// that logs out many services at once shows each in a frame.
    pub fn page(self) -> Result<Response, Fault> {
        match self.sent {
            Sent::Redirect(_) => Ok(Page::new(self).into_response()),
            Sent::Post { action, .. } => {
                let action = Url::parse(action)
                    .map_err(|_| Fault::Internal("a SAML message has no address to go to"))?;
                Ok(Page::new(self).form_to(&action).framed_by(&action).into_response())
            }
        }
    }
}
