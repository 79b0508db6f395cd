//! Style sheet, script and icons: embedded in the binary, with the hash of their content in the
//! address, so that a browser keeps them for ever and still sees every new one.

use axum::{
    extract::Path,
    http::{
        HeaderMap, StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

use super::{Caller, Routes};
use crate::secret::hex;

#[derive(RustEmbed)]
#[folder = "assets/"]
struct Assets;

/// The route of the assets.
pub(super) fn routes() -> Routes {
    Routes::new().get("/assets/{hash}/{name}", Caller::Anyone, asset)
}

/// The address of an asset, for templates. An unknown name gives an address that is not found.
pub fn url(name: &str) -> String {
    let hash = Assets::get(name).map_or_else(|| "none".to_owned(), |file| short_hash(&file));
    format!("/assets/{hash}/{name}")
}

/// The address of one icon of our own sheet.
pub fn icon(name: &str) -> String {
    format!("{}#{name}", url("icons.svg"))
}

async fn asset(Path((hash, name)): Path<(String, String)>, headers: HeaderMap) -> Response {
    let Some(file) = Assets::get(&name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let current = short_hash(&file);
    let tag = format!("\"{current}\"");
    // Another replica may have sent a page of another version: give what we have, but let nobody
    // keep it under that address.
    let caching = if hash == current { "public, max-age=31536000, immutable" } else { "no-cache" };
    let common = [(ETAG, tag.clone()), (CACHE_CONTROL, caching.to_owned())];
    let known =
        headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|value| {
            value.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
        });
    if known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    let kind = file.metadata.mimetype().to_owned();
    (common, [(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned())], file.data)
        .into_response()
}

fn short_hash(file: &EmbeddedFile) -> String {
    hex(file.metadata.sha256_hash().get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use axum::{Router, body::Body, http::Request, routing};
    use tower::ServiceExt;

    use super::*;

    async fn get(uri: &str, tag: Option<&str>) -> Response {
        let mut request = Request::get(uri);
        if let Some(tag) = tag {
            request = request.header(IF_NONE_MATCH, tag);
        }
        let request = request.body(Body::empty()).unwrap();
        let router = Router::new().route("/assets/{hash}/{name}", routing::get(asset));
        router.oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn an_asset_is_kept_for_ever_only_under_the_hash_of_its_content() {
        let address = url("app.css");
        let found = get(&address, None).await;
        assert_eq!(found.status(), StatusCode::OK);
        assert_eq!(found.headers()[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(found.headers()[CONTENT_TYPE], "text/css");
        let tag = found.headers()[ETAG].to_str().unwrap().to_owned();
        assert_eq!(get(&address, Some(&tag)).await.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(get(&address, Some("\"other\"")).await.status(), StatusCode::OK);
        let old = get("/assets/0000000000000000/app.css", None).await;
        assert_eq!(old.headers()[CACHE_CONTROL], "no-cache");
    }

    #[tokio::test]
    async fn nothing_but_our_assets_can_be_had() {
        for uri in ["/assets/x/none.css", "/assets/x/..%2FCargo.toml", "/assets/x/%2Fetc%2Fpasswd"]
        {
            assert_eq!(get(uri, None).await.status(), StatusCode::NOT_FOUND, "{uri}");
        }
    }
}
