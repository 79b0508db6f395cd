//! Every route stands in `tests/routes.txt` with its caller, and keeps strangers out.

use std::collections::BTreeSet;

use identity_center::web::{self, Caller, Route};
use reqwest::StatusCode;

use crate::{house::TestHouse, on_both};

/// The reviewed list: method, path and caller a line, and `writes` where a GET does.
const REVIEWED: &str = include_str!("../routes.txt");

fn line(route: &Route) -> String {
    let Route { path, method, caller, writes_on_get } = route;
    let writes = if *writes_on_get { " writes" } else { "" };
    format!("{method} {path} {caller:?}{writes}")
}

#[tokio::test]
async fn the_reviewed_list_is_the_routers() {
    let house = TestHouse::sqlite().await;
    let served: BTreeSet<String> = web::routes(&house.app).list().iter().map(line).collect();
    let reviewed: BTreeSet<String> = REVIEWED
        .lines()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let unreviewed: Vec<_> = served.difference(&reviewed).collect();
    let gone: Vec<_> = reviewed.difference(&served).collect();
    assert!(
        unreviewed.is_empty() && gone.is_empty(),
        "tests/routes.txt differs from the router.\nNot reviewed: {unreviewed:#?}\nGone: {gone:#?}"
    );
    house.close().await;
}

on_both! {
    async fn strangers_are_refused_by_every_route_that_is_not_for_anyone(house) {
        let stranger = house.browser();
        for route in web::routes(&house.app).list() {
            let method = reqwest::Method::from_bytes(route.method.as_bytes()).unwrap();
            let path = with_some_names(&route.path);
            let answer = stranger.request(method, house.url(&path)).send().await.unwrap();
            let status = answer.status();
            let lead = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned());
            let body = answer.text().await.unwrap();
            let refused = match route.caller {
                Caller::Anyone => true,
                Caller::ScimClient | Caller::Monitor => status == StatusCode::UNAUTHORIZED,
                // This door answers 200 whatever happens; the code tells.
                Caller::ApiCaller => {
                    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                    let code = body["Response"]["Error"]["Code"].as_str().unwrap_or_default();
                    status == StatusCode::OK
                        && (code.starts_with("AuthFailure") || code.starts_with("MissingParameter"))
                }
                // So does this one, without an envelope.
                Caller::CommandLine => {
                    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
                    status == StatusCode::OK && body["Error"]["Code"] == "AuthFailure.TokenFailure"
                }
                Caller::Administrator | Caller::PortalUser | Caller::CloudPrincipal => {
                    status == StatusCode::UNAUTHORIZED
                        || lead.as_ref().is_some_and(|to| status.is_redirection() && to.contains("/login"))
                }
            };
            assert!(refused, "{}: a stranger got {status}, led to {lead:?}", line(&route));
        }
    }
}

/// The path with a name for each of its parameters.
fn with_some_names(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('{') { "1" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}
