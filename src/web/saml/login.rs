//! Where a person begins to sign in, and where the browser comes for its session.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{SET_COOKIE, USER_AGENT},
    },
    response::{IntoResponse, Response},
};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use tower_sessions::{Session, session::Id};

use super::{
    binding::Binding,
    limit::Unhurried,
    send::{see_other, send},
};
use crate::{
    app::App,
    directory::User,
    secret::random_token,
    sso::{self, Bearer, Brought, Redeemed},
    store::{Door, IDP_SESSION, NewSession, SUBJECT, Write, open_session, session_hash},
    web::{
        Anyone, Fault, SESSION_ENDS_AT,
        cookies::portal_cookie,
        entrance::{Entrance, closed},
        page::Page,
        pages::{PageError, Problem},
    },
};

#[derive(Debug, Deserialize)]
pub struct Start {
    return_to: Option<String>,
}

/// Makes a pending request and sends the browser to the identity provider with it: by a redirect,
/// or by a page with a form that sends itself.
pub async fn start(
    State(app): State<App>,
    _: Unhurried,
    caller: Anyone,
    Path(space_name): Path<String>,
    uri: Uri,
    Query(start): Query<Start>,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let address = caller.act.address;
    let entrance = app.db.read(async |tx| Entrance::find(tx, &space_name, address).await).await?;
    let space = entrance.space(&uri)?;
    let binding = match Binding::Began.of(&app, &headers) {
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
    let cookie = Binding::Began.cookie(&app, &binding)?;
    let mut response = send(&app, space.id, begun, caller.act.now).await?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}

/// Why nobody can sign in at this moment, in words for people (SSO-03).
fn not_now(error: sso::Error) -> PageError {
    let (code, message) = match &error {
        sso::Error::SwitchedOff => ("SignInSwitchedOff", key!("sign-in-off")),
        sso::Error::NotConfigured => ("SignInNotConfigured", key!("sign-in-unset")),
        sso::Error::NoPost
        | sso::Error::Provider(_)
        | sso::Error::AuthnContexts
        | sso::Error::IdentityAttribute
        | sso::Error::TestNotFound
        | sso::Error::Key(_)
        | sso::Error::Metadata(_)
        | sso::Error::Certificate(_)
        | sso::Error::DevelopmentKey
        | sso::Error::Interrupted
        | sso::Error::Request(_)
        | sso::Error::Secret(_)
        | sso::Error::Store(_) => return Fault::from(error).into(),
    };
    Problem {
        status: StatusCode::FORBIDDEN,
        code,
        title: key!("problem-no-sign-in-now"),
        message: message.to_string(),
        onward: None,
    }
    .into()
}

#[derive(Deserialize)]
pub struct Finish {
    ticket: String,
}

#[derive(Template)]
#[template(path = "portal/confirm.html")]
struct ConfirmPage<'a> {
    space: &'a str,
    user_name: &'a str,
    shown_name: &'a str,
    ticket: &'a str,
}

/// The same-site page behind the assertion consumer service: the browser brings its ticket and,
/// because this is no cross-site POST any more, its cookie. A good pair opens a fresh session.
///
/// Where sign-in began at the identity provider, the cookie says no more than that this browser
/// brought the answer, and somebody else may have had it do so, to be signed in as them. So the
/// person is asked.
pub async fn finish(
    State(app): State<App>,
    caller: Anyone,
    Path(space_name): Path<String>,
    Query(finish): Query<Finish>,
    headers: HeaderMap,
    session: Session,
) -> Result<Response, PageError> {
    let bearer = Bearer::Browser {
        began: Binding::Began.of(&app, &headers),
        brought: Binding::Brought.of(&app, &headers),
    };
    enter(&app, &caller, &space_name, &finish.ticket, bearer, (&session, &headers)).await
}

/// The person said yes, on a page of ours: other sites cannot post here.
pub async fn confirm(
    State(app): State<App>,
    caller: Anyone,
    Path(space_name): Path<String>,
    headers: HeaderMap,
    session: Session,
    Form(finish): Form<Finish>,
) -> Result<Response, PageError> {
    let bearer = Bearer::Confirmed { brought: Binding::Brought.of(&app, &headers) };
    enter(&app, &caller, &space_name, &finish.ticket, bearer, (&session, &headers)).await
}

/// The person said no: the ticket is worth nothing any more.
pub async fn decline(
    State(app): State<App>,
    caller: Anyone,
    Path(space_name): Path<String>,
    headers: HeaderMap,
    Form(finish): Form<Finish>,
) -> Result<Response, PageError> {
    let brought = Binding::Brought.of(&app, &headers);
    let (act, ticket) = (&caller.act, &finish.ticket);
    app.db.write(async |tx| sso::decline(tx, act, &space_name, ticket, brought).await).await?;
    Ok(see_other(&format!("/portal/{}/login", encoded(&space_name)))?)
}

/// What came of a ticket.
enum Entered {
    /// A session, with its cookie's value.
    Opened(Box<Redeemed>, Id),
    /// Nothing yet: the person is to say whether this is them.
    Asked(Box<User>),
    /// The portal is not open from there (SET-10).
    Closed,
    Refused,
}

async fn enter(
    app: &App,
    caller: &Anyone,
    space_name: &str,
    ticket: &str,
    bearer: Bearer<'_>,
    (session, headers): (&Session, &HeaderMap),
) -> Result<Response, PageError> {
    let client = headers.get(USER_AGENT).and_then(|it| it.to_str().ok());
    let longest = caller.act.now.plus(SignedDuration::from_secs(app.settings.sessions.portal));
    let now = caller.act.now;
    let (came_with, act) = (session.id(), &caller.act);
    let entered = app
        .db
        .write_claiming(move || {
            async move |tx: &mut Write| -> Result<_, sso::Error> {
                let redeemed =
                    match sso::redeem(tx, act, space_name, ticket, bearer, longest).await? {
                        Brought::Session(redeemed) => redeemed,
                        Brought::Question(user) => return Ok(Entered::Asked(user)),
                        Brought::Closed => return Ok(Entered::Closed),
                        Brought::Nothing => return Ok(Entered::Refused),
                    };
                // Under a fresh id: one that the browser had before opens nothing (SES-05).
                if let Some(id) = came_with {
                    sso::end_replaced(tx, session_hash(id)).await?;
                }
                let ends_at = redeemed.session_ends_at;
                let mut data = json!({
                    SUBJECT: redeemed.user.0,
                    IDP_SESSION: redeemed.idp_session.0,
                    SESSION_ENDS_AT: ends_at.as_second(),
                });
                for (name, value) in sso::origin(act.address, client) {
                    data[name] = value;
                }
                let new = NewSession { door: Door::Portal, data: &data, now, ends_at };
                let id = open_session(tx, new).await?;
                Ok(Entered::Opened(redeemed, id))
            }
        })
        .await?;
    let (redeemed, id) = match entered {
        Entered::Opened(redeemed, id) => (redeemed, id),
        Entered::Asked(user) => {
            let page = ConfirmPage {
                space: space_name,
                user_name: &user.user_name,
                shown_name: user.shown_name(),
                ticket,
            };
            return Ok(Page::new(page).into_response());
        }
        Entered::Closed => return Err(closed().into()),
        Entered::Refused => {
            let again = format!("/portal/{}/login", encoded(space_name));
            let message = key!("sign-in-not-finished");
            return Err(Problem {
                status: StatusCode::FORBIDDEN,
                code: "SignInNotFinished",
                title: key!("problem-not-signed-in"),
                message: message.to_string(),
                onward: Some((again, key!("sign-in-again"))),
            }
            .into());
        }
    };
    // As a span, not as a moment: the cookie is dated by the machine's clock, not by ours.
    let seconds = redeemed.session_ends_at.seconds_since(now);
    let cookie = portal_cookie(app, redeemed.space, id, seconds)?;
    let mut response = see_other(&redeemed.return_to)?;
    response.headers_mut().append(SET_COOKIE, cookie);
    Ok(response)
}

fn encoded(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
