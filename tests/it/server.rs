//! The server itself: health, request ids, refusals, stopping.

use identity_center::web::{self, Caller};

use crate::on_both;

on_both! {
    async fn it_is_alive_and_ready(house) {
        for path in ["/livez", "/readyz"] {
            let response = reqwest::get(house.url(path)).await.unwrap();
            assert_eq!(response.status(), 200, "{path}");
            let id = response.headers()["x-request-id"].to_str().unwrap();
            assert_eq!(id.len(), 36, "{id}");
        }
    }

    /// Every route but the open ones refuses a stranger; none of them fails.
    async fn strangers_are_refused_everywhere(house) {
        let browser = house.browser();
        for route in web::routes(&house.app).list() {
            let path = route
                .path
                .split('/')
                .map(|part| if part.starts_with('{') { "1" } else { part })
                .collect::<Vec<_>>()
                .join("/");
            let method = route.method.parse().unwrap();
            let response = browser.request(method, house.url(&path)).send().await.unwrap();
            let status = response.status();
            assert!(!status.is_server_error() || status == 501, "{route:?}: {status}");
            if route.caller == Caller::Anyone {
                continue;
            }
            let location = response.headers().get("location").map(|l| l.to_str().unwrap().to_owned());
            let refused = match status.as_u16() {
                401 | 403 => true,
                303 => location.as_deref().is_some_and(|l| l.contains("login") || l.contains("sign-in")),
                // The signed API answers everything with 200 and says no in the body.
                200 => response.text().await.unwrap().contains("\"Error\""),
                _ => false,
            };
            assert!(refused, "{route:?} let a stranger in: {status}");
        }
    }
}
