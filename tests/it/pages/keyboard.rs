//! The console by the keyboard alone.

use serde_json::json;

use super::tour::{Language, Tour};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

async fn console() -> Option<Tour> {
    let tour = Tour::begin(Language::English).await?;
    tour.enter_console().await;
    Some(tour)
}

/// Tab to its link in the side bar, and Enter; from there, the page's own part is one jump away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_01_every_section_is_reached_by_keyboard() {
    let Some(tour) = console().await else { return };
    let links =
        "return [...document.querySelectorAll('nav#menu a')].map((a) => a.getAttribute('href'))";
    let links = tour.run(links).await;
    let links: Vec<&str> =
        links.as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect();
    for part in [
        "/console",
        "/console/users",
        "/console/groups",
        "/console/configurations",
        "/console/authorization",
        "/console/user-syncs",
        "/console/settings/sso",
        "/console/settings/scim",
    ] {
        assert!(links.contains(&part), "{part}: {links:?}");
    }
    for link in links {
        tour.visit("/console").await;
        tour.tab_to(&format!("nav a[href='{link}']")).await;
        tour.keys(ENTER).await;
        tour.until(&format!("return location.pathname === '{link}'")).await;
        tour.tab_to(".skip").await;
        tour.keys(ENTER).await;
        tour.until("return location.hash === '#main'").await;
        // What comes next is in the middle, and no more the side bar.
        tour.keys(TAB).await;
        let within = "return document.activeElement.closest('main') !== null
            || document.querySelector('main a, main button, main input, main summary') === null";
        assert_eq!(tour.run(within).await, json!(true), "{link}");
        let current =
            "return document.querySelector('nav#menu [aria-current]')?.getAttribute('href')";
        if link != "/docs/api" {
            assert_eq!(tour.run(current).await, json!(link));
        }
    }
    tour.end().await;
}

/// A dialog takes the focus, keeps it, and gives it back to what opened it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_03_set_06_a_dialog_keeps_the_focus_and_gives_it_back() {
    let Some(tour) = console().await else { return };
    tour.visit("/console/settings/sso").await;
    let opener = "button[popovertarget='switch']";
    let inside = "return document.activeElement.closest('#switch') !== null";
    tour.tab_to(opener).await;
    tour.keys(ENTER).await;
    tour.until(inside).await;
    // What is safe comes first.
    let safe = "return document.activeElement.getAttribute('popovertargetaction')";
    assert_eq!(tour.run(safe).await, json!("hide"));
    for _ in 0..5 {
        tour.keys(TAB).await;
        assert_eq!(tour.run(inside).await, json!(true));
    }
    tour.shifted(TAB).await;
    assert_eq!(tour.run(inside).await, json!(true));
    tour.keys(ESCAPE).await;
    let back = format!("return document.activeElement.matches(\"{opener}\")");
    tour.until(&back).await;
    tour.until("return document.querySelector('#switch').getClientRects().length === 0").await;
    // The button that keeps things as they are does the same.
    tour.keys(ENTER).await;
    tour.until(inside).await;
    tour.keys(ENTER).await;
    tour.until(&back).await;
    tour.end().await;
}

/// A slash leads to the search of a list, except for whom writes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_04_a_slash_leads_to_the_search_of_a_list() {
    let Some(tour) = console().await else { return };
    for list in [
        "/console/users",
        "/console/groups",
        "/console/sessions",
        "/console/configurations",
        "/console/authorization",
        "/console/user-syncs",
        "/console/explorer",
        "/console/requests/scopes",
        "/console/organization",
        "/console/audit",
        "/console/settings/scim/requests",
        "/console/settings/sso/attempts",
    ] {
        tour.visit(list).await;
        tour.keys("/").await;
        let field = "return document.activeElement.type + document.activeElement.value";
        assert_eq!(tour.run(field).await, json!("search"), "{list}");
        tour.keys("/").await;
        assert_eq!(tour.run(field).await, json!("search/"), "{list}");
    }
    tour.visit("/console/users").await;
    tour.keys(&format!("/bob{ENTER}")).await;
    tour.until("return location.search.includes('search=bob')").await;
    tour.until("return document.querySelectorAll('tbody tr').length === 1").await;
    tour.end().await;
}

/// With Shift a long list is ticked from the last box to this one, by mouse and by keyboard.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_long_lists_are_chosen_with_shift() {
    let Some(tour) = console().await else { return };
    tour.make_things().await;
    tour.visit("/console/authorization").await;
    tour.press_first("input[name=account]").await;
    tour.press_on(".chosen .button-main").await;
    let boxes = "table:last-of-type input[name='principal']";
    let ticked = "return document.querySelectorAll('input[name=principal]:checked').length";
    let said = "return Number(document.querySelector('[data-chosen-count]').textContent)";
    let first = "document.querySelectorAll('input[name=principal]')[0].focus()";
    tour.tab_to(boxes).await;
    tour.run(first).await;
    tour.keys(" ").await;
    assert_eq!(tour.run(ticked).await, 1);
    for _ in 0..4 {
        tour.keys(TAB).await;
    }
    tour.shifted(" ").await;
    assert_eq!(tour.run(ticked).await, 5);
    assert_eq!(tour.run(said).await, 5);
    // And back.
    tour.keys(&format!("{TAB}{TAB}")).await;
    tour.run("document.querySelectorAll('input[name=principal]')[0].click()").await;
    assert_eq!(tour.run(ticked).await, 4);
    // The arrows go through the tree of accounts, and open and close it.
    tour.visit("/console/authorization").await;
    tour.tab_to("[data-tree] summary").await;
    let open = "return document.activeElement.closest('details').open";
    assert_eq!(tour.run(open).await, json!(true));
    tour.keys("\u{e012}").await;
    assert_eq!(tour.run(open).await, json!(false));
    tour.keys("\u{e014}").await;
    tour.keys("\u{e015}").await;
    let at = "return document.activeElement.type";
    assert_eq!(tour.run(at).await, json!("checkbox"));
    tour.end().await;
}
