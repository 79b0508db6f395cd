//! Every page, as people with all kinds of eyes, hands and windows get it: axe-core finds nothing in
//! light and in dark, and nothing has to be scrolled sideways in a window 320 px wide.
//!
//! The tour begins at the demo's front pages and follows every link, one page for each route and
//! tab; then it brings pages into their other states. A route with a page that it does not come to
//! fails the test, unless [`ELSEWHERE`] says why. With `IDENTITY_CENTER_SCREENSHOTS` it leaves
//! pictures of each page in that folder.

mod keyboard;
mod lists;
mod things;
mod tour;
mod walk;

use std::collections::BTreeSet;

use self::tour::{Language, Tour};

/// Routes that are no pages, and why.
pub const ELSEWHERE: &[(&str, &str)] = &[
    ("/", "the JSON API"),
    ("/assets/{hash}/{name}", "a file"),
    ("/docs/api.json", "a file"),
    ("/livez", "a word for machines"),
    ("/readyz", "a word for machines"),
    ("/metrics", "numbers for machines"),
    ("/portal/{space}/login/start", "leads on"),
    ("/portal/{space}/login/finish", "leads on"),
    ("/portal/{space}/api/accounts", "JSON"),
    ("/portal/{space}/api/session", "JSON"),
    ("/saml/idp/{space_id}", "XML"),
    ("/saml/sp/{space_id}", "XML"),
    ("/saml/slo/{space_id}", "a protocol"),
    ("/console/audit/file", "a file"),
    ("/console/tasks/export", "a file"),
    ("/console/tasks/of/{request}/export", "a file"),
    ("/console/space/name", "a part of the overview"),
    ("/console/settings/sso/attempts/{id}/bundle", "a file"),
    ("/console/settings/sso/tests/{id}/bundle", "a file"),
    ("/console/settings/sso/tests/{id}/start", "leads on"),
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

/// One half of the tour.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Console,
    /// The portal, accounts, and what is everybody's.
    Portal,
}

/// Half of the tour, and that it left nothing out.
async fn go(half: Half, language: Language) {
    let Some(mut tour) = Tour::begin(language).await else { return };
    match half {
        Half::Console => tour.through_the_console().await,
        Half::Portal => tour.through_the_portal().await,
    }
    let all = routes_with_pages();
    let missed: Vec<&String> = all
        .iter()
        .filter(|route| route.starts_with("/console") == (half == Half::Console))
        .filter(|route| !tour.seen().contains(*route))
        .filter(|route| !ELSEWHERE.iter().any(|(path, _)| path == route))
        .collect();
    assert!(missed.is_empty(), "pages that nobody looked at: {missed:#?}");
    // What is excused must be there.
    let gone: Vec<&str> =
        ELSEWHERE.iter().map(|(path, _)| *path).filter(|path| !all.contains(*path)).collect();
    assert!(gone.is_empty(), "no routes any more: {gone:?}");
    let (problems, looked_at) = tour.end().await;
    let count = problems.len();
    assert!(count == 0, "{count} on {looked_at} pages:\n{}", problems.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_03_set_06_every_page_of_the_console_is_for_everybody() {
    go(Half::Console, Language::English).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_every_page_of_the_portal_is_for_everybody() {
    go(Half::Portal, Language::English).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_every_page_of_the_console_speaks_chinese_and_fits() {
    go(Half::Console, Language::Chinese).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_every_page_of_the_portal_speaks_chinese_and_fits() {
    go(Half::Portal, Language::Chinese).await;
}

/// From the administrator's overview to an account, as somebody with a mouse, a clipboard and a
/// keyboard does it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prt_01_prt_02_prt_10_from_the_overview_into_accounts() {
    let Some(mut tour) = Tour::begin(Language::English).await else { return };
    tour.enter_console().await;
    tour.visit("/console").await;
    let login = tour.copy("[data-copy$='/portal/acme/login']").await;
    assert!(login.ends_with("/portal/acme/login"), "{login}");

    // The address that was copied: one button, and nothing to fill in.
    let base = tour.base.clone();
    tour.visit(login.strip_prefix(&base).unwrap()).await;
    let fields = "return document.querySelectorAll('main input, main form').length";
    assert_eq!(tour.run(fields).await, 0);
    tour.enter_portal("alice").await;
    assert_eq!(tour.path().await, "/portal/acme");

    // A slash leads to the search, which Enter begins.
    tour.keys("/").await;
    assert_eq!(tour.run("return document.activeElement.id").await, "search");
    tour.keys("staging\u{e007}").await;
    tour.until("return location.search.includes('search=staging')").await;
    tour.until("return document.querySelectorAll('section.account').length === 1").await;

    // The link of a role, copied by one and opened by another, leads there through the sign-in.
    tour.press_on("section.account li a").await;
    let link = tour.copy("[data-copy*='/roles/']").await;
    tour.press_on("form[action$='/sign-out'] button").await;
    tour.visit(link.strip_prefix(&base).unwrap()).await;
    tour.sign_in_as("alice").await;
    tour.find(thirtyfour::By::Css("#enter-account".to_owned())).await;
    assert_eq!(format!("{base}{}", tour.path().await), link);
    // There it stays until the person's own click, which opens a window beside it.
    assert_eq!(tour.windows().await, 1);
    tour.press_first("#enter-account").await;
    tour.until_windows(2).await;
    let (problems, _) = tour.end().await;
    assert!(problems.is_empty(), "{problems:?}");
}
