//! Fetching a document: a GET to an address that was checked, and so is every redirect's.

use std::time::Duration;

use http::{
    HeaderValue, Method, Request,
    header::{ACCEPT, HOST, LOCATION, USER_AGENT},
};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use url::Url;

use super::{Client, ClientError, client::target};

/// How long it may take in all, redirects included.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many redirects are followed.
const MOST_REDIRECTS: usize = 3;

impl Client {
    /// Fetches what is at a URL: at most `longest` bytes, in at most 20 seconds. Redirects are
    /// followed, to where an endpoint might be and nowhere else.
    pub async fn fetch(&self, url: &Url, longest: usize) -> Result<Bytes, ClientError> {
        tokio::time::timeout(PATIENCE, self.follow(url, longest))
            .await
            .map_err(|_| ClientError::Timeout)?
    }

    async fn follow(&self, url: &Url, longest: usize) -> Result<Bytes, ClientError> {
        let mut url = url.clone();
        for _ in 0..=MOST_REDIRECTS {
            let mut connection = self.connect(&url).await?;
            let response = connection.sender.send_request(request(&url)?).await?;
            let status = response.status();
            if status.is_success() {
                let body = Limited::new(response.into_body(), longest).collect().await;
                return Ok(body.map_err(|_| ClientError::Body)?.to_bytes());
            }
            let next = response
                .headers()
                .get(LOCATION)
                .filter(|_| status.is_redirection())
                .ok_or(ClientError::Status(status))?;
            let next = next.to_str().ok().and_then(|next| url.join(next).ok());
            let next = next.ok_or(ClientError::Redirect)?;
            url = self.guard().check_url(next.as_str()).map_err(|_| ClientError::Redirect)?;
        }
        Err(ClientError::Redirect)
    }
}

fn request(url: &Url) -> Result<Request<Full<Bytes>>, ClientError> {
    let (host, path) = target(url)?;
    Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(HOST, host)
        .header(ACCEPT, HeaderValue::from_static("application/samlmetadata+xml, */*;q=0.5"))
        .header(USER_AGENT, HeaderValue::from_static("identity-center"))
        .body(Full::new(Bytes::new()))
        .map_err(|_| ClientError::Url)
}
