//! The page about security says which checks stop which class, and that is what is so.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// The text of a file, and the name of a test in it.
type Test = (&'static str, &'static str);

/// Classes that one message is not enough for: the checks that stop them, and the tests that try.
const ELSEWHERE: [(&str, &[Check], &[Test]); 2] = [
    (
        "Replay",
        &[Check::InResponseTo, Check::Replay],
        &[
            (include_str!("../../../../tests/it/sso/refusals.rs"), "a_response_counts_once"),
            (
                include_str!("../../../../tests/it/sso/refusals.rs"),
                "a_response_counts_once_under_load_too",
            ),
            (
                include_str!("../../../../tests/it/sso/replicas.rs"),
                "a_response_counts_once_in_two_processes",
            ),
        ],
    ),
    (
        "Login CSRF",
        &[Check::BrowserBinding],
        &[
            (
                include_str!("../../../../tests/it/sso/sessions.rs"),
                "another_browser_cannot_come_for_the_session",
            ),
            (
                include_str!("../../../../tests/it/sso/unsolicited.rs"),
                "sso_14_another_site_cannot_say_yes",
            ),
        ],
    ),
];

/// The rows of the table of classes: the name, and the names of the checks.
fn rows() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let page = include_str!("../../../../docs/SECURITY.md");
    let (_, table) = page.split_once("| class | what is tried | stopped by | checks |").unwrap();
    let lines = table.lines().skip(2).take_while(|line| line.starts_with("| "));
    lines
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{line}");
            let checks: Vec<&str> = cells[3].split(", ").map(|it| it.trim_matches('`')).collect();
            (cells[0], checks.into_iter().collect())
        })
        .collect()
}

#[test]
fn each_documented_class_names_the_checks_that_stop_it() {
    let mut wanted: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for class in &CLASSES {
        let checks = (class.cases)().iter().map(|case| case.by.check.name()).collect();
        wanted.insert(class.name, checks);
    }
    for (name, checks, tests) in ELSEWHERE {
        wanted.insert(name, checks.iter().map(|check| check.name()).collect());
        for (file, test) in tests {
            assert!(file.contains(&format!("async fn {test}(")), "{name}: {test}");
        }
    }
    let rows = rows();
    assert_eq!(rows.len(), 15);
    assert_eq!(rows, wanted);
}
