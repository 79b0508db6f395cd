//! Out of the portal, and out of the company's sign-in if it lets itself be told.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::{HeaderMap, Uri, header::SET_COOKIE},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use tower_sessions::Session;

use super::{encoded, home_of, words};
use crate::{
    app::App,
    cloud::{self, OpenRoleSession},
    directory::{self, User},
    id::SpaceId,
    provisioning::names,
    saml::logout::{LogoutRequestToSend, Sent},
    secret::random_token,
    sso::{self, AskingToEnd, LogoutState},
    store::{self, Read, Timestamp},
    web::{
        Anyone, Fault, PortalUser,
        entrance::Entrance,
        log_cause,
        page::Page,
        pages::PageError,
        saml::{binding::Binding, logout::SigningOut, send::see_other},
    },
};

/// Ends every portal session of the user, in this browser and in all others (PRT-12), whatever
/// happens afterwards. Then asks the identity provider to end its own session.
pub(super) async fn sign_out(
    State(app): State<App>,
    caller: PortalUser,
    headers: HeaderMap,
    session: Session,
) -> Result<Response, PageError> {
    let binding = match Binding::Began.of(&app, &headers) {
        Some(binding) => binding.to_owned(),
        None => random_token::<32>().map_err(Fault::from)?,
    };
    let (asking, open) = app
        .db
        .write(async |tx| -> Result<_, sso::Error> {
            let (act, space, user) = (&caller.act, &caller.space, caller.user.id);
            let asking = sso::sign_out(tx, act, space, user, caller.came_from, &binding).await?;
            Ok((asking, open_sessions(tx, space.id, &caller.user, act.now).await?))
        })
        .await?;
    session.flush().await?;
    let home = home_of(&caller.space.name);
    let Some(asking) = asking else {
        let login = format!("{home}/login");
        let page = SignedOutPage { space: caller.space.name, login, ending: Ending::Here, open };
        return Ok(Page::new(page).into_response());
    };
    let cookie = Binding::Began.cookie(&app, &binding)?;
    let request_id = asking.request_id.clone();
    match write(&app, &caller, asking).await {
        Ok(sent) => {
            let mut page = SigningOut { sent: &sent }.page()?;
            page.headers_mut().insert(SET_COOKIE, cookie);
            Ok(page)
        }
        // Signed out here all the same; the page says that nobody has confirmed the rest.
        Err(fault) => {
            log_cause(&fault);
            let page = format!("{home}/signed-out?request={}", encoded(&request_id));
            let mut onward = see_other(&page)?;
            onward.headers_mut().insert(SET_COOKIE, cookie);
            Ok(onward)
        }
    }
}

/// Writes and signs the request. Signing is slow: never on a thread that serves others.
async fn write(app: &App, caller: &PortalUser, asking: AskingToEnd) -> Result<Sent, Fault> {
    let key = asking.key.signing_key(&app.sealer)?;
    let issuer = sso::sp_entity_id(&app.settings, caller.space.id);
    let now = caller.act.now.to_jiff();
    let written = tokio::task::spawn_blocking(move || {
        let request = LogoutRequestToSend {
            id: &asking.request_id,
            now,
            issuer: &issuer,
            name_id: &asking.name_id,
            session_index: asking.session_index.as_deref(),
        };
        request.send(&asking.way, &key)
    });
    written
        .await
        .map_err(|_| Fault::Internal("writing a logout request was interrupted"))?
        .map_err(|_| Fault::Internal("a logout request cannot be written"))
}

/// The most account sessions that are told.
const MOST_TOLD: i64 = 50;

/// The sessions in accounts that live on when somebody signs out here, the longest first (PRT-12).
pub(super) async fn open_sessions(
    tx: &mut Read,
    space: SpaceId,
    user: &User,
    now: Timestamp,
) -> Result<Vec<OpenRoleSession>, store::Error> {
    let provider = names::saml_provider(space);
    let mut open =
        cloud::open_role_sessions(tx, space, &provider, &user.user_name, now, MOST_TOLD).await?;
    // As the rest of the portal calls a role: by its configuration.
    for session in &mut open {
        if let Some(name) = session.role_name.strip_prefix(names::ROLE_PREFIX) {
            session.role_name = name.to_owned();
        }
    }
    Ok(open)
}

/// What a sign-out has ended.
#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The portal's sessions; nobody else was to be asked.
    Here,
    /// The portal's sessions, and what the identity provider was asked to end.
    Asked(LogoutState),
    /// Nothing is known: it was begun in another browser, or long ago.
    Unknown,
}

#[derive(Template)]
#[template(path = "portal/signed_out.html")]
struct SignedOutPage {
    space: String,
    login: String,
    ending: Ending,
    open: Vec<OpenRoleSession>,
}

impl SignedOutPage {
    /// What can be said in a few words; the space's name when there is nothing to say.
    fn heading(&self) -> String {
        match self.ending {
            Ending::Here | Ending::Asked(LogoutState::Complete) => t!("portal-out"),
            Ending::Asked(LogoutState::Partial) => t!("portal-out-partly"),
            Ending::Asked(LogoutState::Failed | LogoutState::Pending) => {
                t!("portal-out-here")
            }
            Ending::Unknown => self.space.clone(),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct SignedOutQuery {
    #[serde(default)]
    request: String,
}

/// What came of a sign-out at the identity provider, told to the browser that began it.
pub(super) async fn signed_out(
    State(app): State<App>,
    caller: Anyone,
    Path(name): Path<String>,
    uri: Uri,
    Query(query): Query<SignedOutQuery>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let binding = Binding::Began.of(&app, &headers).unwrap_or_default();
    let (space, state, open) = app
        .db
        .read(async |tx| -> Result<_, PageError> {
            let space = Entrance::find(tx, &name, caller.act.address).await?.space(&uri)?;
            let (request, now) = (&query.request, caller.act.now);
            let found = sso::logout_state(tx, space.id, request, binding, now).await?;
            let user = match found {
                Some((_, user)) => directory::user(tx, space.id, user).await?,
                None => None,
            };
            let open = match user {
                Some(user) => open_sessions(tx, space.id, &user, now).await?,
                None => Vec::new(),
            };
            Ok((space, found.map(|(state, _)| state), open))
        })
        .await?;
    let login = format!("{}/login", home_of(&space.name));
    let ending = state.map_or(Ending::Unknown, Ending::Asked);
    Ok(Page::new(SignedOutPage { space: space.name, login, ending, open }).into_response())
}
