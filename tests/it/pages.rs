//! Every page, as people with all kinds of eyes, hands and windows get it: axe-core finds nothing in
//! light and in dark, and nothing has to be scrolled sideways in a window 320 px wide.
//!
//! The tour begins at the demo's front pages and follows every link, one page for each route and
//! tab. A route with a page that it does not come to fails the test, unless [`ELSEWHERE`] says why.
//! With `IDENTITY_CENTER_SCREENSHOTS` it leaves pictures of each page in that folder.

mod tour;

use std::collections::BTreeSet;

use serde_json::json;

use self::tour::Tour;

/// Routes that are no pages, or whose page the tour does not come to by links, and why.
const ELSEWHERE: &[(&str, &str)] = &[
    ("/assets/{hash}/{name}", "a file"),
    ("/livez", "a word for machines"),
    ("/readyz", "a word for machines"),
    ("/metrics", "numbers for machines"),
    ("/", "the JSON API"),
    ("/portal/{space}/login/start", "leads on"),
    ("/portal/{space}/login/finish", "leads on"),
    ("/portal/{space}/api/accounts", "JSON"),
    ("/portal/{space}/api/session", "JSON"),
    ("/saml/idp/{space_id}", "XML"),
    ("/saml/sp/{space_id}", "XML"),
    ("/saml/slo/{space_id}", "a protocol"),
    ("/demo/idp/metadata", "XML"),
    ("/console/settings/sso/attempts/{id}/bundle", "a file"),
    ("/console/settings/sso/tests/{id}/bundle", "a file"),
    ("/console/settings/sso/tests/{id}/start", "leads on"),
    (
        "/console/settings/sso/proposals/{id}",
        "needs metadata that changed at an address (`sso_18_a_rollover_is_noticed_approved_and_hurts_nobody`)",
    ),
];

/// What a route is in the list: the pattern, without the protocols' own.
fn routes_with_pages() -> BTreeSet<String> {
    include_str!("../routes.txt")
        .lines()
        .filter_map(|line| line.strip_prefix("GET "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|path| !path.starts_with("/scim/"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_every_page_is_for_everybody() {
    let Some(mut tour) = Tour::begin().await else { return };
    // Before anybody is signed in.
    tour.look("/console/login", "console-login").await;
    tour.look("/portal/acme/login", "portal-login").await;
    tour.look("/cloud/login", "cloud-login").await;
    tour.look("/portal/acme/nowhere", "error").await;

    // What there is to see: people pushed by a directory, a change refused, an event's receiver.
    tour.push_things().await;
    tour.enter_console().await;
    tour.make_things().await;
    tour.follow("/console").await;
    // Forms that come back with what was wrong.
    tour.visit("/console/users/new").await;
    tour.fill("user_name", "not a name").await;
    tour.press("Create user").await;
    tour.inspect("console-users-refused").await;

    tour.enter_portal("alice").await;
    tour.follow("/portal/acme").await;
    tour.visit("/portal/acme").await;
    tour.press_first("section.account li a").await;
    tour.press_first(".star").await;
    tour.inspect("portal-role-favourite").await;
    tour.press_first("#show-credentials").await;
    tour.inspect("portal-credentials").await;
    tour.visit("/portal/acme?tab=roles&search=nothing-like-it").await;
    tour.inspect("portal-filtered-empty").await;
    tour.look(
        "/portal/acme/command-line?state=abcdefghijklmnopqrstuvwxyz012345",
        "portal-command-line",
    )
    .await;
    tour.press("No").await;
    tour.inspect("portal-command-line-refused").await;
    tour.enter_account().await;
    tour.look("/cloud?action=cvm:DescribeInstances", "cloud-account").await;
    tour.press("Show temporary credentials").await;
    tour.inspect("cloud-credentials").await;
    tour.visit("/portal/acme").await;
    tour.inspect("portal-home-used").await;
    tour.press_first("form[action$='/sign-out'] button").await;
    tour.inspect("portal-signed-out").await;
    tour.look("/portal/acme/signed-out", "portal-signed-out-elsewhere").await;
    // Somebody who has nothing.
    tour.enter_portal("erin").await;
    for (path, name) in [
        ("/portal/acme", "portal-empty"),
        ("/portal/acme?tab=users", "portal-empty-users"),
        ("/portal/acme/requests", "portal-empty-requests"),
    ] {
        tour.look(path, name).await;
    }

    let elsewhere: BTreeSet<String> =
        ELSEWHERE.iter().map(|(path, _)| (*path).to_owned()).collect();
    let pages: BTreeSet<String> = routes_with_pages().difference(&elsewhere).cloned().collect();
    let missed: Vec<String> = pages.difference(tour.seen()).cloned().collect();
    let (problems, looked_at) = tour.end().await;
    assert!(
        problems.is_empty(),
        "{} on {looked_at} pages:\n{}",
        problems.len(),
        problems.join("\n")
    );
    assert!(missed.is_empty(), "pages that nobody looked at: {missed:#?}");
    // What is excused must be there.
    let all = routes_with_pages();
    let gone: Vec<&str> = ELSEWHERE
        .iter()
        .map(|(path, _)| *path)
        .filter(|path| !path.starts_with("/demo/") && !all.contains(*path))
        .collect();
    assert!(gone.is_empty(), "no routes any more: {}", json!(gone));
}
