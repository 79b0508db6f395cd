//! What every request has: an id, an address, a line in the log.

use std::net::IpAddr;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{
        HeaderMap, HeaderValue, StatusCode,
        header::{CONNECTION, STRICT_TRANSPORT_SECURITY},
    },
    middleware::Next,
    response::{IntoResponse, Response},
};
use tracing::Instrument;

use super::{Fault, listener::Peer};
use crate::{
    app::App,
    audit::{Act, Actor},
    id::new_uuid,
};

/// The header that tells the id of a request.
const REQUEST_ID: &str = "x-request-id";

/// Browsers that have seen us over https come over https for a year (RFC 6797).
const HTTPS_ONLY: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// A request's id and where it came from.
#[derive(Clone, Debug)]
pub struct RequestInfo {
    /// A UUID of our making.
    pub id: String,
    /// The client's address; through trusted proxies the one they tell.
    pub address: Option<IpAddr>,
}

impl RequestInfo {
    /// An act under this request, by `actor`, now.
    pub fn act(&self, app: &App, actor: Actor) -> Act {
        Act::new(actor, self.id.clone(), self.address, app.clock.now(), app.ids.clone())
    }
}

/// Gives the request an id, answers with it, and writes one line about it. The line has the path
/// and not the query, which may hold what is nobody's business.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let Ok(id) = new_uuid() else {
        return Fault::Internal("no randomness for a request id").into_response();
    };
    let address = address_of(&app, &request);
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(RequestInfo { id: id.clone(), address });
    let span = tracing::info_span!("request", id = %id);
    async move {
        let began = std::time::Instant::now();
        let mut response = next.run(request).await;
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        if app.settings.is_https() {
            response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, HTTPS_ONLY);
        }
        if matches!(response.status(), StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT)
        {
            close_after(&mut response);
        }
        let status = response.status().as_u16();
        let milliseconds = began.elapsed().as_millis();
        tracing::info!(%method, path, status, milliseconds, "answered");
        response
    }
    .instrument(span)
    .await
}

/// Says that the connection ends with this answer. The rest of a body that nobody reads would stand
/// in the way of the next request.
pub(super) fn close_after(response: &mut Response) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

/// The client's address. Each `X-Forwarded-For` entry was written by the hop after it, so they are
/// believed from the right, as long as that hop is a trusted proxy.
fn address_of(app: &App, request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<Peer>>()?.0.0.ip();
    Some(forwarded(peer, request.headers(), |address| {
        app.settings.proxies.trusted.iter().any(|net| net.contains(&address))
    }))
}

fn forwarded(peer: IpAddr, headers: &HeaderMap, trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let told: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let mut address = peer;
    for hop in told.into_iter().rev() {
        if !trusted(address) {
            break;
        }
        let Ok(next) = hop.trim().parse() else { break };
        address = next;
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let proxy: IpAddr = "10.0.0.1".parse().unwrap();
        let client: IpAddr = "203.0.113.7".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-forwarded-for", "1.2.3.4, 203.0.113.7".parse().unwrap());
        assert_eq!(forwarded(proxy, &headers, |a| a == proxy), client);
        assert_eq!(forwarded(client, &headers, |a| a == proxy), client);
        headers.insert("x-forwarded-for", "nonsense".parse().unwrap());
        assert_eq!(forwarded(proxy, &headers, |a| a == proxy), proxy);
    }
}
