//! The way out: one HTTP/1.1 connection to an address that was checked.
//!
//! Names are resolved here, each address is put to the [`Guard`], and only one that it allows is
//! connected to: there is no second look-up in between. Redirects are answers like any other.

use std::{io, path::Path, time::Duration};

use http::{
    HeaderMap, HeaderValue, Method, Request, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    body::{Bytes, Incoming},
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use openssl::ssl::{SslConnector, SslMethod};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    task::JoinHandle,
};
use url::{Host, Url};

use super::Guard;

/// How long a connection may take, its name's look-up and its handshake included.
const CONNECT: Duration = Duration::from_secs(5);
/// How long an attempt may take in all, from its name's look-up to the answer's head.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long the rest of an answer may take.
const BODY: Duration = Duration::from_secs(2);
/// How much of an answer is read, in bytes.
const LONGEST_BODY: usize = 8192;

/// Why a receiver could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The URL is none that is called.
    #[error("the URL cannot be called")]
    Url,
    /// The name is unknown.
    #[error("the receiver's name cannot be resolved")]
    Name(#[source] io::Error),
    /// None of its addresses may be connected to.
    #[error("the receiver's address is in a network that events are not sent to")]
    NotAllowed,
    /// Nobody answers there.
    #[error("the receiver cannot be connected to")]
    Connect(#[source] io::Error),
    /// No TLS with somebody who proves to be the receiver.
    #[error("no TLS connection to the receiver: {0}")]
    Tls(#[source] openssl::ssl::Error),
    /// The TLS library failed, or the file of authorities cannot be used.
    #[error("TLS cannot be set up")]
    TlsSetup(#[from] openssl::error::ErrorStack),
    /// It takes too long.
    #[error("the receiver takes too long")]
    Timeout,
    /// It answers with another status than success.
    #[error("the answer has the status {}", .0.as_u16())]
    Status(StatusCode),
    /// Its answer breaks off, or is too long.
    #[error("the answer is too long, or breaks off")]
    Body,
    /// It redirects too often, or to where nobody is called.
    #[error("the answer is a redirect that is not followed")]
    Redirect,
    /// What it answers is not HTTP.
    #[error("the receiver does not answer in HTTP")]
    Http(#[from] hyper::Error),
}

/// Calls receivers. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    guard: Guard,
    tls: SslConnector,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Client({:?})", self.guard)
    }
}

/// A connection, kept while there is more to send to the same URL.
pub(super) struct Connection {
    url: Url,
    pub sender: SendRequest<Full<Bytes>>,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

/// The answer of a receiver, cut to what matters.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Client {
    /// With the system's authorities, and those of a PEM file besides.
    pub fn new(guard: Guard, authorities: Option<&Path>) -> Result<Self, ClientError> {
        let mut tls = SslConnector::builder(SslMethod::tls_client())?;
        if let Some(file) = authorities {
            tls.set_ca_file(file)?;
        }
        Ok(Self { guard, tls: tls.build() })
    }

    /// Pushes a token (RFC 8935 §2.1). `kept` is the connection of the push before, if any, and
    /// afterwards one for the next push, if it can still be used.
    pub(super) async fn push(
        &self,
        kept: &mut Option<Connection>,
        url: &Url,
        token: &str,
    ) -> Result<Answer, ClientError> {
        let attempt = async {
            let reused = kept.take().filter(|one| one.url == *url && !one.sender.is_closed());
            if let Some(mut connection) = reused
                && let Ok(response) = connection.sender.send_request(request(url, token)?).await
            {
                return Ok((connection, response));
            }
            // No connection yet, or one that the receiver closed meanwhile.
            let mut connection = self.connect(url).await?;
            let response = connection.sender.send_request(request(url, token)?).await?;
            Ok::<_, ClientError>((connection, response))
        };
        let (connection, response) =
            tokio::time::timeout(ATTEMPT, attempt).await.map_err(|_| ClientError::Timeout)??;
        let (head, body) = response.into_parts();
        let body = read(body).await;
        if body.is_some() {
            *kept = Some(connection);
        }
        let body = body.unwrap_or_default();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// Where it may connect to.
    pub(super) fn guard(&self) -> &Guard {
        &self.guard
    }

    pub(super) async fn connect(&self, url: &Url) -> Result<Connection, ClientError> {
        let connecting = async {
            let stream = self.reach(url).await?;
            if url.scheme() != "https" {
                return open(url, stream).await;
            }
            let host = url.host_str().ok_or(ClientError::Url)?;
            // An IPv6 address stands in brackets in a URL, and without in a certificate.
            let host = host.trim_start_matches('[').trim_end_matches(']');
            let session = self.tls.configure()?.into_ssl(host)?;
            let mut stream = tokio_openssl::SslStream::new(session, stream)?;
            std::pin::Pin::new(&mut stream).connect().await.map_err(ClientError::Tls)?;
            open(url, stream).await
        };
        tokio::time::timeout(CONNECT, connecting).await.map_err(|_| ClientError::Timeout)?
    }

    /// A TCP connection to an address of the host that the guard allows.
    async fn reach(&self, url: &Url) -> Result<TcpStream, ClientError> {
        let port = url.port_or_known_default().ok_or(ClientError::Url)?;
        let addresses: Vec<_> = match url.host().ok_or(ClientError::Url)? {
            Host::Ipv4(address) => vec![(address, port).into()],
            Host::Ipv6(address) => vec![(address, port).into()],
            Host::Domain(name) => {
                tokio::net::lookup_host((name, port)).await.map_err(ClientError::Name)?.collect()
            }
        };
        let plain = url.scheme() != "https";
        let mut failure = ClientError::NotAllowed;
        for address in addresses {
            let ip = address.ip();
            let allowed = if plain { self.guard.allows_plain(ip) } else { self.guard.allows(ip) };
            if !allowed {
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(error) => failure = ClientError::Connect(error),
            }
        }
        Err(failure)
    }
}

/// Begins HTTP on a stream.
async fn open(
    url: &Url,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) -> Result<Connection, ClientError> {
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driver = tokio::spawn(async move {
        // Whatever goes wrong with it, whoever sends hears of it.
        let _ = connection.await;
    });
    Ok(Connection { url: url.clone(), sender, driver })
}

/// The header `Host` and the path of a request.
pub(super) fn target(url: &Url) -> Result<(String, String), ClientError> {
    let host = url.host_str().ok_or(ClientError::Url)?;
    let host = match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    };
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    Ok((host, path))
}

fn request(url: &Url, token: &str) -> Result<Request<Full<Bytes>>, ClientError> {
    let (host, path) = target(url)?;
    Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(HOST, host)
        .header(CONTENT_TYPE, HeaderValue::from_static("application/secevent+jwt"))
        .header(ACCEPT, HeaderValue::from_static("application/json"))
        .header(USER_AGENT, HeaderValue::from_static("identity-center"))
        .body(Full::new(Bytes::copy_from_slice(token.as_bytes())))
        .map_err(|_| ClientError::Url)
}

/// The body, if it is short and comes in time.
async fn read(body: Incoming) -> Option<Bytes> {
    let whole = Limited::new(body, LONGEST_BODY).collect();
    Some(tokio::time::timeout(BODY, whole).await.ok()?.ok()?.to_bytes())
}
