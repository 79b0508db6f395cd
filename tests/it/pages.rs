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

/// From the administrator's overview to an account, as somebody with a mouse, a clipboard and a
/// keyboard does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prt_01_prt_02_prt_10_from_the_overview_into_accounts() {
    let Some(mut tour) = Tour::begin().await else { return };
    tour.enter_console().await;
    tour.visit("/console").await;
    let login = tour.copy("[data-copy$='/portal/acme/login']").await;
    assert!(login.ends_with("/portal/acme/login"), "{login}");

    // The address that was copied: one button, and nothing to fill in.
    tour.visit(login.strip_prefix(tour.url()).unwrap()).await;
    let fields = "return document.querySelectorAll('main input, main form').length";
    assert_eq!(tour.run(fields).await, 0);
    tour.enter_portal("alice").await;
    assert_eq!(tour.path().await, "/portal/acme");

    // A slash leads to the search, which Enter begins.
    tour.keys("/").await;
    assert_eq!(tour.run("return document.activeElement.id").await, "search");
    tour.keys("staging\u{e007}").await;
    tour.until("return location.search.includes('search=staging')").await;
    let shown = "return document.querySelectorAll('section.account').length";
    assert_eq!(tour.run(shown).await, 1);

    // The link of a role, copied by one and opened by another, leads there through the sign-in.
    tour.press_first("section.account li a").await;
    let link = tour.copy("[data-copy*='/roles/']").await;
    tour.press_first("form[action$='/sign-out'] button").await;
    tour.until("return document.body.innerText.includes('You are signed out')").await;
    tour.visit(link.strip_prefix(tour.url()).unwrap()).await;
    tour.sign_in_as("alice").await;
    assert_eq!(format!("{}{}", tour.url(), tour.path().await), link);
    // There it stays until the person's own click, which opens a window beside it.
    assert_eq!(tour.windows().await, 1);
    tour.press_first("#enter-account").await;
    tour.until_windows(2).await;
    let (problems, _) = tour.end().await;
    assert!(problems.is_empty(), "{problems:?}");
}

/// Every section of the console is reached by the keyboard alone: Tab to its link, and Enter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_01_every_section_is_reached_by_keyboard() {
    let Some(tour) = Tour::begin().await else { return };
    tour.enter_console().await;
    tour.visit("/console").await;
    let links = tour
        .run("return [...document.querySelectorAll('nav a[href]')].map((a) => a.getAttribute('href'))")
        .await;
    let links: Vec<&str> =
        links.as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect();
    for part in [
        "/console",
        "/console/users",
        "/console/groups",
        "/console/configurations",
        "/console/authorization",
        "/console/settings/sso",
        "/console/settings/scim",
    ] {
        assert!(links.contains(&part), "{part}: {links:?}");
    }
    for link in links {
        tour.visit("/console").await;
        tour.tab_to(&format!("nav a[href='{link}']")).await;
        tour.keys("\u{e007}").await;
        tour.until(&format!("return location.pathname + location.search === '{link}'")).await;
        // What is in the middle is one jump away.
        tour.tab_to(".skip").await;
        tour.keys("\u{e007}").await;
        tour.until("return location.hash === '#main'").await;
    }
    tour.end().await;
}
