//! The cookies of the doors with pages: how they are called, read and set.
//!
//! Over https every name begins with `__Host-`: browsers take such a cookie from this very host
//! only, over https, for every path (RFC 6265bis §4.1.3.2), so nobody who has another host of the
//! domain, or the wire, can plant one. The portals have a cookie for each space, so that signing in
//! at one ends nothing at another.

use axum::{
    extract::{RawPathParams, Request, State},
    http::{
        HeaderMap, HeaderValue,
        header::{COOKIE, SET_COOKIE},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tower_sessions::{
    Expiry, Session,
    cookie::{Cookie, SameSite, time::Duration},
    session::Id,
};

use super::Fault;
use crate::{
    app::App,
    id::SpaceId,
    space::{self, Space},
    store::{self, Door, Sessions},
};

/// The value of the cookie of this name, if there is exactly one: of several nobody can tell which
/// is ours. Names are compared byte for byte, for a name that is only written otherwise (`%5F_Host-`)
/// has none of the promises of `__Host-`; and what stands beside, of whatever bytes, is no matter.
pub fn one<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|header| header.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| {
            let pair = pair.trim_ascii();
            let (found, value) = pair.split_at(pair.iter().position(|byte| *byte == b'=')?);
            (found == name.as_bytes()).then_some(&value[1..])
        });
    let value = values.next()?;
    if values.next().is_some() {
        return None;
    }
    std::str::from_utf8(value).ok()
}

/// The door of a request, and where it stands.
#[derive(Clone, Debug)]
pub struct SessionCookies {
    /// The application.
    pub app: App,
    /// The door.
    pub door: Door,
    /// Where it stands.
    pub path: &'static str,
}

/// Gives a request of a door the session that its cookie names, and its answer the cookie of what
/// became of that session.
pub async fn with_session(
    State(door): State<SessionCookies>,
    params: RawPathParams,
    mut request: Request,
    next: Next,
) -> Response {
    let space = match door.door {
        Door::Portal => match space_of(&door.app, &params).await {
            Ok(space) => space,
            Err(error) => return Fault::from(error).into_response(),
        },
        Door::Console | Door::Cloud | Door::CommandLine | Door::DemoIdentityProvider => None,
    };
    let id = space.as_ref().map(|space| space.id);
    let name = name(door.app.settings.is_https(), door.door, id);
    if let Some(space) = space {
        request.extensions_mut().insert(SpaceOfPath(Box::new(space)));
    }
    let shown = one(request.headers(), &name).map(str::to_owned);
    let id = shown.as_deref().and_then(|value| value.parse::<Id>().ok());
    let (store, seconds) = sessions(&door.app, door.door);
    let lasts = Expiry::OnInactivity(Duration::seconds(seconds));
    let session = Session::new(id, std::sync::Arc::new(store), Some(lasts));
    request.extensions_mut().insert(session.clone());
    let mut response = next.run(request).await;
    let is_empty = session.is_empty().await;
    let set = if is_empty && shown.is_some() {
        cookie(&door, &name, "", 0)
    } else if !is_empty && session.is_modified() && !response.status().is_server_error() {
        saved(&door, &name, &session).await
    } else {
        return response;
    };
    match set {
        Ok(set) => {
            response.headers_mut().append(SET_COOKIE, set);
            response
        }
        Err(fault) => fault.into_response(),
    }
}

/// The space whose portal the path of a request leads to, as it was when the request came: so that
/// nobody asks again.
#[derive(Clone, Debug)]
pub struct SpaceOfPath(pub Box<Space>);

async fn space_of(app: &App, params: &RawPathParams) -> Result<Option<Space>, store::Error> {
    let Some((_, name)) = params.iter().find(|(key, _)| *key == "space") else { return Ok(None) };
    app.db.glance(async |tx| space::space_by_name(tx, name).await).await
}

/// The sessions of a door, and how many seconds one lasts.
fn sessions(app: &App, door: Door) -> (Sessions, i64) {
    let lasts = &app.settings.sessions;
    let sessions = Sessions::new(app.db.clone(), app.clock.clone(), door);
    match door {
        Door::Portal => (sessions.idle_for(lasts.portal_idle), lasts.portal),
        Door::Console | Door::Cloud => (sessions.idle_for(lasts.console_idle), lasts.console),
        // A command line is used now and then, by whatever runs there.
        Door::CommandLine | Door::DemoIdentityProvider => (sessions, lasts.portal),
    }
}

async fn saved(door: &SessionCookies, name: &str, session: &Session) -> Result<HeaderValue, Fault> {
    session.save().await?;
    let id = session.id().ok_or(Fault::Internal("a session was kept without an id"))?;
    // As a span, not as a moment: the cookie is dated by the machine's clock, not by ours.
    let Some(Expiry::OnInactivity(span)) = session.expiry() else {
        return Err(Fault::Internal("a session was kept without a span"));
    };
    cookie(door, name, &id.to_string(), span.whole_seconds())
}

/// The cookie of a portal session that was opened inside a transaction, for so many seconds.
pub fn portal_cookie(
    app: &App,
    space: SpaceId,
    id: Id,
    seconds: i64,
) -> Result<HeaderValue, Fault> {
    let door = SessionCookies { app: app.clone(), door: Door::Portal, path: super::pages::PORTAL };
    let name = name(app.settings.is_https(), Door::Portal, Some(space));
    cookie(&door, &name, &id.to_string(), seconds)
}

/// What sets a cookie of a door. One that lasts no time takes it away; browsers want the same scope
/// for that, `Secure` included.
fn cookie(
    door: &SessionCookies,
    name: &str,
    value: &str,
    seconds: i64,
) -> Result<HeaderValue, Fault> {
    let is_https = door.app.settings.is_https();
    let cookie = Cookie::build((name, value))
        .path(if is_https { "/" } else { door.path })
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_https)
        .max_age(Duration::seconds(seconds));
    HeaderValue::from_str(&cookie.to_string()).map_err(|_| Fault::Internal("no header value"))
}

fn name(is_https: bool, door: Door, space: Option<SpaceId>) -> String {
    let host = if is_https { "__Host-" } else { "" };
    let door = match door {
        Door::Portal => "portal_session",
        Door::Console => "console_session",
        Door::Cloud => "cloud_session",
        // It shows a token instead; no door of this kind has pages.
        Door::CommandLine => "command_line_session",
        Door::DemoIdentityProvider => "demo_idp_session",
    };
    space.map_or_else(|| format!("{host}{door}"), |space| format!("{host}{door}_{space}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(cookies: &[&[u8]]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for cookie in cookies {
            headers.append(COOKIE, HeaderValue::from_bytes(cookie).unwrap());
        }
        one(&headers, "__Host-it").map(str::to_owned)
    }

    #[test]
    fn a_cookie_counts_by_its_very_name_and_if_it_is_the_only_one() {
        for good in [
            &[&b"__Host-it=a"[..]][..],
            &[b"x=y; __Host-it=a; it=b"],
            &[b"x=y", b"z;=; __Host-it=a;"],
            // What somebody else planted beside it, in bytes that are no text, does no harm.
            &[b"planted=\xc3\xa4\xff; __Host-it=a"],
        ] {
            assert_eq!(found(good).as_deref(), Some("a"), "{good:?}");
        }
        for bad in [
            &[&b"it=a"[..]][..],
            &[b"__host-it=a"],
            &[b"%5F_Host-it=a"],
            &[b"__Host%2Dit=a"],
            &[b"__Host-it"],
            &[b"=__Host-it=a"],
            &[b"__Host-it =a"],
            &[b"\xc2\xa0__Host-it=a"],
            &[b"__Host-it=a; __Host-it=b"],
            &[b"__Host-it=a", b"__Host-it=a"],
        ] {
            assert_eq!(found(bad), None, "{bad:?}");
        }
    }
}
