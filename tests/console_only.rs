//! What the console can change and no action of the API can (SET-07): the list in
//! `tests/console_only.txt` is exact. A page does what it does by a function of a room, inside
//! `db.write`; so does an action. Read here, in the sources of both doors, is which.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// Functions that look or lock, of which a door needs many inside a write.
const LOOKS: &[&str] = &[
    "account",
    "configuration",
    "department",
    "endpoint",
    "group",
    "hold_access",
    "identity_provider",
    "lock",
    "of_request",
    "office",
    "space",
    "user",
    "user_sync",
];

#[test]
fn what_only_the_console_can_is_listed() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    let console = writes(&house.join("src/web/console")).unwrap();
    let api = writes(&house.join("src/web/api")).unwrap();
    assert!(console.len() > 60 && api.len() > 60, "{} and {}", console.len(), api.len());
    let only: BTreeSet<String> = console.difference(&api).cloned().collect();
    let list = fs::read_to_string(house.join("tests/console_only.txt")).unwrap();
    let lines = list.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    let listed: BTreeSet<String> =
        lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect();
    let more: Vec<&String> = only.difference(&listed).collect();
    let less: Vec<&String> = listed.difference(&only).collect();
    assert!(more.is_empty(), "the console can, and no action can: {more:?}");
    assert!(less.is_empty(), "these are actions by now, or nothing any more: {less:?}");
}

/// Every `room::function(tx, …)` inside a write of the sources in a folder.
fn writes(folder: &Path) -> io::Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for path in sources(folder)? {
        let text = fs::read_to_string(path)?;
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, open, close) in
            [(".write(async |tx|", '(', ')'), (".write_delayed(async |tx|", '(', ')')]
        {
            for (start, _) in text.match_indices(at) {
                calls(balanced(&text[start..], open, close), &mut found);
            }
        }
        // Helpers that are handed the transaction.
        for (start, handed) in text.match_indices("tx: &mut ") {
            let rest = &text[start..];
            let kind = rest[handed.len()..].split([',', ')', '|', '\n']).next().unwrap_or_default();
            let body = rest.find('{').map(|brace| &rest[brace..]);
            if kind.ends_with("Write") {
                calls(balanced(body.unwrap_or_default(), '{', '}'), &mut found);
            }
        }
    }
    Ok(found)
}

fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            all.extend(sources(&path)?);
        } else if path.extension().is_some_and(|it| it == "rs") {
            all.push(path);
        }
    }
    Ok(all)
}

/// From the first opening bracket to the one that closes it.
fn balanced(text: &str, open: char, close: char) -> &str {
    let mut depth = 0_usize;
    for (at, c) in text.char_indices() {
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return &text[..at];
            }
        }
    }
    text
}

fn calls(body: &str, found: &mut BTreeSet<String>) {
    for (at, _) in body.match_indices('(') {
        let said = body[at + 1..].trim_start();
        if !(said.starts_with("tx,") || said.starts_with("tx)")) {
            continue;
        }
        let path: String = body[..at]
            .chars()
            .rev()
            .take_while(|c| c.is_alphanumeric() || "_:".contains(*c))
            .collect();
        let path: String = path.chars().rev().collect();
        let mut parts = path.rsplit("::");
        let (Some(function), Some(room)) = (parts.next(), parts.next()) else { continue };
        if !LOOKS.contains(&function) {
            found.insert(format!("{room}::{function}"));
        }
    }
}
