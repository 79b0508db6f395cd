//! What every list of the console has (SET-04): search or states that narrow it, how many there
//! are, refresh, pages that survive what comes meanwhile, and words where there is nothing.

use std::collections::BTreeSet;

use reqwest::{Client, StatusCode};

use crate::{console::Office, house::TestHouse, on_both};

/// Lists with a search.
const SEARCHED: &[&str] = &[
    "/console/users",
    "/console/groups",
    "/console/sessions",
    "/console/configurations",
    "/console/user-syncs",
    "/console/requests/scopes",
    "/console/organization",
    "/console/explorer",
    "/console/audit",
    "/console/settings/scim/requests",
    "/console/settings/sso/attempts",
];

/// Lists of what is under way: by state instead.
const BY_STATE: &[&str] =
    &["/console/requests", "/console/tasks", "/console/drift", "/console/settings/scim/deletions"];

/// Lists that have something in them from the beginning: the accounts, and the record of what was
/// done.
const NEVER_EMPTY: &[&str] = &["/console/organization", "/console/audit"];

async fn page(house: &TestHouse, browser: &Client, path: &str) -> String {
    let answer = browser.get(house.url(path)).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, StatusCode::OK, "{path}: {text}");
    text
}

/// What the rows of the first table lead to.
fn rows(page: &str, below: &str) -> BTreeSet<String> {
    let table = page.split_once("<tbody>").map_or("", |(_, rest)| rest);
    let table = table.split_once("</tbody>").map_or("", |(table, _)| table);
    table
        .split("<tr>")
        .filter_map(|row| row.split_once(&format!("href=\"{below}/")))
        .map(|(_, rest)| rest.split('"').next().unwrap().to_owned())
        .collect()
}

fn next(page: &str) -> Option<String> {
    let before = page.split_once("\" rel=\"next\"")?.0;
    Some(before.rsplit_once("href=\"")?.1.replace("&#38;", "&").replace("&amp;", "&"))
}

on_both! {
    async fn set_04_every_list_has_what_lists_have(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let chief = office.inside("chief").await;
        for list in SEARCHED.iter().chain(BY_STATE) {
            let here = page(house, &chief, list).await;
            let refresh = format!("href=\"{list}\"><svg");
            assert!(here.contains("class=\"paging\"") && here.contains(&refresh), "{list}: {here}");
            assert_eq!(
                here.contains("class=\"empty\"") || here.contains("<div class=\"empty\""),
                !NEVER_EMPTY.contains(list),
                "{list}: {here}"
            );
        }
        for list in SEARCHED {
            let here = page(house, &chief, list).await;
            assert!(here.contains("role=\"search\""), "{list}: {here}");
            // What is found is told from what there is.
            let name = ["search", "actor", "whom", "text"]
                .into_iter()
                .find(|name| here.contains(&format!("type=\"search\" name=\"{name}\""))
                    || here.contains(&format!("data-slash name=\"{name}\"")))
                .unwrap_or_else(|| panic!("{list}: {here}"));
            let nothing = page(house, &chief, &format!("{list}?{name}=nothing-like-it")).await;
            assert!(nothing.contains("value=\"nothing-like-it\""), "{list}: {nothing}");
            assert!(nothing.contains("class=\"empty\"") || nothing.contains("no account"), "{list}");
            assert!(rows(&nothing, "/console").is_empty(), "{list}: {nothing}");
        }
        for list in &BY_STATE[..3] {
            assert!(page(house, &chief, list).await.contains("class=\"tabs\""), "{list}");
        }
    }

    async fn set_04_pages_survive_what_comes_meanwhile(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let chief = office.inside("chief").await;
        for number in 0..60 {
            let user = office.world.user(&format!("user-{number:02}")).await;
            if number % 2 == 0 {
                office.world.group(&format!("group-{number:02}"), &[user]).await;
                office.world.group(&format!("other-{number:02}"), &[]).await;
            }
            office.world.configuration(&format!("role-{number:02}"), &[]).await;
        }
        for list in ["/console/users", "/console/groups", "/console/configurations"] {
            let first = page(house, &chief, list).await;
            assert!(first.contains("60 in all"), "{list}: {first}");
            let seen = rows(&first, list);
            assert_eq!(seen.len(), 50, "{list}");
            // Somebody makes one that stands before all of these.
            match list {
                "/console/users" => { office.world.user("a-newcomer").await; }
                "/console/groups" => { office.world.group("a-newcomer", &[]).await; }
                _ => { office.world.configuration("a-newcomer", &[]).await; }
            }
            let to = next(&first).unwrap_or_else(|| panic!("{list} has no next page: {first}"));
            let second = page(house, &chief, &to).await;
            let more = rows(&second, list);
            assert!(seen.is_disjoint(&more), "{list}: nothing comes twice");
            assert!(more.len() >= 10, "{list}: nothing is left out: {more:?}");
            assert!(next(&second).is_none(), "{list}");
            assert!(second.contains(&format!("href=\"{list}\"")), "{list}: back to the first page");
        }
    }
}
