//! Which answers are compressed: files of ours always, pages where nobody else could have written
//! what they answer to.
//!
//! Compression tells how alike two parts of an answer are by how long it is (BREACH). Whoever can
//! both have a browser ask for a page with words of their choice and see how long the answer is
//! could guess what else stands on it. So a page is compressed only when it was asked for by one
//! of our own pages or by the person (`Sec-Fetch-Site`, which no page can set), and never when it
//! answers a form: what is shown once, such as a token or credentials, answers a form. Nor when
//! htmx asks: it asks again by itself for the address that the page has, which may be a stranger's.

use axum::{
    body::HttpBody,
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, Response, header::CONTENT_TYPE},
    middleware::Next,
};
use tower_http::compression::{CompressionLayer, Predicate, predicate::SizeAbove};

/// Shorter answers go as they are.
const SHORTEST: u64 = 256;

/// Compresses with what the browser accepts of Brotli and gzip. Lies outside of [`mark`].
pub(super) fn layer() -> CompressionLayer<OfOurs> {
    CompressionLayer::new().compress_when(OfOurs(SizeAbove::new(SHORTEST)))
}

/// On the answer to a request that no stranger can have made up.
#[derive(Clone, Copy, Debug)]
struct AskedForByUs;

/// Notes on each answer whether a stranger can have made up what was asked.
pub(super) async fn mark(request: Request, next: Next) -> axum::response::Response {
    let ours = is_asked_for_by_us(request.method(), request.headers());
    let mut response = next.run(request).await;
    if ours {
        response.extensions_mut().insert(AskedForByUs);
    }
    response
}

fn is_asked_for_by_us(method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    let by_itself = headers.contains_key("hx-request");
    *method == Method::GET && !by_itself && matches!(site, Some(b"same-origin" | b"none"))
}

/// What is compressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfOurs(SizeAbove);

impl Predicate for OfOurs {
    fn should_compress<B: HttpBody>(&self, response: &Response<B>) -> bool {
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default();
        let may = match kind {
            "text/css" | "text/javascript" | "image/svg+xml" => true,
            "text/html" => response.extensions().get::<AskedForByUs>().is_some(),
            _ => false,
        };
        may && self.0.should_compress(response)
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::header::{ACCEPT_ENCODING, CONTENT_ENCODING},
        middleware,
        response::Html,
        routing::get,
    };
    use tower::ServiceExt;

    use super::*;

    async fn encoding(method: Method, path: &str, site: Option<&str>) -> Option<String> {
        encoding_for(method, path, site, &[]).await
    }

    async fn encoding_for(
        method: Method,
        path: &str,
        site: Option<&str>,
        more: &[(&str, &str)],
    ) -> Option<String> {
        let long = "the same again ".repeat(100);
        let of = |kind: &'static str| get(([(CONTENT_TYPE, kind)], long.clone()));
        let router = Router::new()
            .route("/page", of("text/html; charset=utf-8").post(Html(long.clone())))
            .route("/script", of("text/javascript"))
            .route("/json", of("application/json"))
            .route("/short", get(Html("short")))
            .layer(middleware::from_fn(mark))
            .layer(layer());
        let mut request =
            Request::builder().method(method).uri(path).header(ACCEPT_ENCODING, "gzip, br");
        for (name, value) in site.map(|site| ("sec-fetch-site", site)).iter().chain(more) {
            request = request.header(*name, *value);
        }
        let answer = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        answer.headers().get(CONTENT_ENCODING).map(|kind| kind.to_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn a_page_is_compressed_only_for_whom_no_stranger_sends() {
        for ours in ["same-origin", "none"] {
            assert_eq!(encoding(Method::GET, "/page", Some(ours)).await.as_deref(), Some("br"));
            assert_eq!(encoding(Method::POST, "/page", Some(ours)).await, None, "answers a form");
        }
        let again = [("hx-request", "true")];
        let site = Some("same-origin");
        assert_eq!(encoding_for(Method::GET, "/page", site, &again).await, None, "by itself");
        for strange in [Some("cross-site"), Some("same-site"), None] {
            assert_eq!(encoding(Method::GET, "/page", strange).await, None, "{strange:?}");
        }
    }

    #[tokio::test]
    async fn files_of_ours_are_compressed_for_everybody_and_data_for_nobody() {
        assert_eq!(encoding(Method::GET, "/script", None).await.as_deref(), Some("br"));
        assert_eq!(encoding(Method::GET, "/json", Some("none")).await, None);
        assert_eq!(encoding(Method::GET, "/short", Some("none")).await, None);
    }
}
