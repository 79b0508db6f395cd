//! Text with NUL, which PostgreSQL cannot keep, is the sender's mistake at every door and no failure
//! of ours: in a path, a query and a form, for strangers and for those who are let in.

use identity_center::web;
use reqwest::{Method, StatusCode};

use crate::{journey::count, on_both, scim::Directory, sso::configuration::Desk};

/// Names of what addresses and forms carry, all of them; what a route does not know it ignores.
const FIELDS: &[&str] = &[
    "RelayState",
    "SAMLRequest",
    "SAMLResponse",
    "account",
    "action",
    "after",
    "attribute",
    "attributes",
    "cause",
    "certificate",
    "compared",
    "configuration",
    "count",
    "cursor",
    "description",
    "display_name",
    "done",
    "email",
    "entity_id",
    "excludedAttributes",
    "filter",
    "group",
    "kind",
    "login_url",
    "loginType",
    "method",
    "name",
    "outcome",
    "password",
    "pins",
    "principal",
    "remark",
    "request",
    "resource",
    "return_to",
    "search",
    "signed_out",
    "sortBy",
    "startIndex",
    "state",
    "statement",
    "tab",
    "text",
    "ticket",
    "url",
    "user",
    "user_name",
    "whom",
];

/// What fills a parameter, raw and as a part of something longer.
const NULS: [&str; 2] = ["%00", "a%00b"];

/// The paths of a route that have a NUL in them: in each parameter alone, the others being `real`.
fn paths(route: &str, real: impl Fn(&str) -> String) -> Vec<String> {
    let parts: Vec<&str> = route.split('/').collect();
    let mut found = Vec::new();
    for (at, _) in parts.iter().enumerate().filter(|(_, part)| part.starts_with('{')) {
        for nul in NULS {
            let filled = parts.iter().enumerate().map(|(place, other)| match () {
                () if place == at => nul.to_owned(),
                () if other.starts_with('{') => real(other),
                () => (*other).to_owned(),
            });
            found.push(filled.collect::<Vec<_>>().join("/"));
        }
    }
    found
}

on_both! {
    async fn text_with_nul_is_no_failure_of_ours_at_any_door(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        desk.company.switch_sign_in(true).await;
        // One browser in which an administrator and a user of the portal are signed in.
        let browser = desk.chief.clone();
        desk.company.sign_in(&browser, "alice").await;
        let directory = Directory::of_space(house, "globex").await;
        let inside = browser.get(desk.company.portal("/api/session")).send().await.unwrap();
        assert_eq!(inside.status(), StatusCode::OK);
        let space = desk.company.space.clone();
        let real = |part: &str| match part {
            "{space}" => space.name.clone(),
            "{space_id}" => space.id.to_string(),
            "{uin}" => desk.company.management.to_string(),
            _ => "1".to_owned(),
        };
        let ask = async |method: &Method, path: &str, body: Option<&str>| -> StatusCode {
            let mut request = match path.strip_prefix("/scim/v2") {
                Some(rest) => directory.request(method.clone(), rest),
                None => browser.request(method.clone(), house.url(path)),
            };
            if let Some(body) = body {
                let kind = "application/x-www-form-urlencoded";
                request = request.header("Content-Type", kind).body(body.to_owned());
            }
            request.send().await.unwrap().status()
        };
        let (mut in_paths, mut in_queries) = (0, 0);
        for route in web::routes(&house.app).list() {
            let method = Method::from_bytes(route.method.as_bytes()).unwrap();
            for path in paths(&route.path, real) {
                let status = ask(&method, &path, None).await;
                assert!(status.is_client_error(), "{method} {path}: {status}");
                in_paths += 1;
            }
            let path = route.path.split('/');
            let path = path.map(|part| if part.starts_with('{') { real(part) } else { part.into() });
            let path = path.collect::<Vec<String>>().join("/");
            if method == Method::GET {
                for field in FIELDS {
                    let path = format!("{path}?{field}=a%00b");
                    let status = ask(&method, &path, None).await;
                    assert!(!status.is_server_error(), "{method} {path}: {status}");
                    in_queries += 1;
                }
            } else if method == Method::POST && !path.contains("logout") && !path.contains("sign-out") {
                let body = FIELDS.iter().map(|field| format!("{field}=a%00b"));
                let body = body.collect::<Vec<_>>().join("&");
                let status = ask(&method, &path, Some(&body)).await;
                assert!(!status.is_server_error(), "{method} {path}: {status}");
            }
        }
        assert!(in_paths > 100 && in_queries > 2000, "{in_paths}, {in_queries}");
        // Whoever asked is in still, so they were let in all the time.
        let inside = browser.get(desk.company.portal("/api/session")).send().await.unwrap();
        assert_eq!(inside.status(), StatusCode::OK);
        let users = browser.get(house.url("/console/users")).send().await.unwrap();
        assert_eq!(users.status(), StatusCode::OK);
    }

    async fn nothing_with_nul_is_kept_or_found_on_either_database(house) {
        let desk = Desk::open(house).await;
        let refused = desk.chief.get(house.url("/console/users?search=a%00b")).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
        let text = refused.text().await.unwrap();
        assert!(text.contains("is not understood") && text.contains("<html"), "{text}");
        for path in ["/portal/%00/login", "/portal/acme%00/login/start", "/saml/sp/%00"] {
            let refused = house.browser().get(house.url(path)).send().await.unwrap();
            assert!(refused.status().is_client_error(), "{path}: {}", refused.status());
        }
        // A field that has no rule of its own.
        let form = [("user_name", "bob"), ("display_name", "Bob\0")];
        let refused = desk.chief.post(house.url("/console/users")).form(&form).send().await.unwrap();
        assert!(refused.status().is_client_error(), "{}", refused.status());
    }

    /// A directory's body is recorded whatever it is, together with those of others.
    async fn a_body_with_nul_costs_no_record(house) {
        let directory = Directory::of_space(house, "globex").await;
        for body in ["{\"userName\":\"a\0b\"}", "\0", "{\"userName\":\"bob\"}"] {
            let post = directory.request(Method::POST, "/Users");
            let post = post.header("Content-Type", "application/scim+json").body(body);
            let answer = directory.send(post).await;
            let good = if body.contains('\0') { 400 } else { 201 };
            assert_eq!(answer.status, good, "{body:?} {}", answer.text);
        }
        house.app.recorder.flush().await;
        assert_eq!(count(house, "SELECT COUNT(*) FROM scim_requests").await, 3);
        assert_eq!(count(house, "SELECT COUNT(*) FROM scim_requests WHERE body IS NULL").await, 2);
    }
}
