//! Who may import whom, and what may be named where.
//!
//! The tables below are reviewed by hand; the tests read every file under `src` and compare. A
//! room that needs a new edge asks for it here, in the same change.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Rooms, each with those it may use. A room may only use what stands above it, in its own table
/// or in an earlier one, so there can be no cycle.
type Rooms = &'static [(&'static str, &'static [&'static str])];

/// The ground knows nothing above it. A part of a room that stands higher than the room itself is
/// listed by its path.
const GROUND: Rooms = &[
    ("secret", &[]),
    ("durations", &[]),
    ("store", &["durations"]),
    ("clock", &["store"]),
    ("rate", &[]),
    ("id", &["secret", "store"]),
    ("store/session", &["clock", "secret", "store"]),
    ("config", &["secret"]),
];

/// A protocol each, without database and HTTP server.
const ENGINES: Rooms = &[
    ("scim", &["id"]),
    ("saml", &["clock", "id", "store"]),
    ("cam", &["id"]),
    ("tc3", &["clock", "id"]),
];

/// What every domain room may use besides what it lists.
const COMMON: &[&str] = &["clock", "id", "secret", "store"];

/// The domain rooms: types, rules and SQL.
const DOMAIN: Rooms = &[
    ("audit", &[]),
    ("event", &["audit"]),
    ("task", &["audit"]),
    ("policy", &[]),
    ("organization", &["audit", "task"]),
    ("space", &["audit", "organization", "saml", "task"]),
    ("directory", &["audit", "event", "scim", "space", "task"]),
    ("credential", &["audit", "directory", "organization", "rate", "scim", "space"]),
    ("recorder", &["audit", "directory"]),
    ("permission", &["audit", "directory", "organization", "policy", "space", "task"]),
    ("cloud", &["audit", "cam", "organization", "permission", "policy", "saml", "space", "task"]),
    (
        "provisioning",
        &[
            "audit",
            "cam",
            "cloud",
            "directory",
            "organization",
            "permission",
            "policy",
            "saml",
            "space",
            "task",
        ],
    ),
    (
        "sso",
        &[
            "audit",
            "config",
            "directory",
            "event",
            "organization",
            "permission",
            "provisioning",
            "saml",
            "space",
            "task",
        ],
    ),
    ("expiry", &["audit", "credential", "event", "saml", "space", "sso"]),
    ("overview", &["organization", "recorder"]),
    ("request", &["audit", "directory", "organization", "permission", "provisioning", "space"]),
    (
        "access",
        &[
            "audit",
            "cloud",
            "directory",
            "event",
            "organization",
            "permission",
            "policy",
            "provisioning",
            "space",
            "sso",
            "task",
        ],
    ),
];

/// The doors may use every room above, and one another as listed.
const DOORS: Rooms = &[
    ("app", &[]),
    ("web", &["app"]),
    ("server", &["app", "web"]),
    ("cli", &["app", "server", "web"]),
];

/// Crates that only some places may name: (crate, paths under `src` that may, why).
const CRATES: &[(&str, &[&str], &str)] = &[
    ("axum", &["web/", "server.rs"], "HTTP is spoken at the doors"),
    ("axum_extra", &["web/", "server.rs"], "HTTP is spoken at the doors"),
    ("tower", &["web/", "server.rs"], "HTTP is spoken at the doors"),
    ("tower_http", &["web/", "server.rs"], "HTTP is spoken at the doors"),
    (
        "tower_sessions",
        &["web/", "store/session.rs"],
        "sessions are for the doors, and the store keeps them",
    ),
    ("askama", &["web/"], "pages are rendered at the doors"),
    ("clap", &["cli/", "main.rs"], "the command line is parsed in one place"),
    ("figment", &["config/"], "settings are read in one place"),
    ("hyper", &["event/", "web/connection.rs"], "others are called, and served, in one place each"),
    (
        "hyper_util",
        &["event/", "web/connection.rs"],
        "others are called, and served, in one place each",
    ),
    ("samael", &["saml/"], "the second opinion is asked in one place"),
    ("quick_xml", &["saml/"], "XML is parsed in one place"),
];

/// Rooms without a database: nothing in them names `sqlx` or builds a statement. The doors open
/// transactions and leave the SQL to the rooms.
const NO_SQL: &[&str] = &["scim", "saml", "cam", "tc3", "policy", "config", "app", "web", "server"];

#[test]
fn the_table_only_points_down() {
    let mut above = BTreeSet::new();
    for (room, uses) in all_rooms() {
        for used in uses {
            assert!(above.contains(used), "{room} uses {used}, which does not stand above it");
        }
        assert!(above.insert(room), "{room} is listed twice");
    }
}

#[test]
fn every_room_is_in_the_table() {
    let listed: BTreeSet<&str> = all_rooms().map(|(room, _)| room).collect();
    let found: BTreeSet<String> = sources().unwrap().iter().filter_map(Source::room).collect();
    let found: BTreeSet<&str> = found.iter().map(String::as_str).collect();
    assert_eq!(found, listed);
}

#[test]
fn rooms_use_only_what_they_may() {
    let mut wrong = String::new();
    for source in sources().unwrap() {
        let Some(room) = source.room() else { continue };
        for (line, used) in source.uses() {
            if used != room && !may_use(&room, &used) {
                writeln!(wrong, "src/{}:{line}: {room} may not use {used}", source.path).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn crates_are_named_where_they_belong() {
    let mut wrong = String::new();
    for source in sources().unwrap() {
        for (name, places, why) in CRATES {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            for line in source.names(name) {
                writeln!(wrong, "src/{}:{line}: names {name}, but {why}", source.path).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn sql_is_written_in_the_rooms_that_keep_data() {
    let mut wrong = String::new();
    for source in sources().unwrap() {
        let Some(room) = source.room() else { continue };
        if !NO_SQL.contains(&&*room) {
            continue;
        }
        let lines = source.names("sqlx").into_iter().chain(source.calls("sql"));
        for line in lines {
            writeln!(wrong, "src/{}:{line}: SQL in {room}", source.path).unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// What must not be in the tree: folders of one machine, and hosts of package registries or
/// content networks. Spelled in halves, so that this file does not name them.
#[test]
fn the_tree_names_no_machine_and_no_registry() {
    let folders = ["tmp", "work", "root", "home"].map(|folder| format!("/{folder}/"));
    let hosts = [
        ("crates", ".io"),
        ("pypi", ".org"),
        ("files.python", "hosted.org"),
        ("registry.npm", "js.org"),
        ("deb.deb", "ian.org"),
        ("cdn.jsdel", "ivr.net"),
        ("unp", "kg.com"),
    ]
    .map(|(first, second)| format!("{first}{second}"));
    let mut wrong = String::new();
    for (path, text) in texts().unwrap() {
        // Cargo writes where a package is from into its lock file.
        if path.ends_with("Cargo.lock") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let folder = folders.iter().find(|folder| names_folder(line, folder));
            let host = hosts.iter().find(|host| line.contains(host.as_str()));
            if let Some(found) = folder.or(host) {
                writeln!(wrong, "{path}:{}: names {found}", index + 1).unwrap();
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Whether the line holds the folder at the start of a path, followed by a name in it.
fn names_folder(line: &str, folder: &str) -> bool {
    line.match_indices(folder).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + folder.len()..].chars().next();
        !before.is_some_and(|c| c.is_alphanumeric() || "_./-{}$*)".contains(c))
            && after.is_some_and(|c| c.is_alphanumeric() || "_.".contains(c))
    })
}

#[test]
fn the_table_says_no() {
    for (room, used) in [
        ("store", "clock"),
        ("scim", "store"),
        ("audit", "task"),
        ("directory", "web"),
        ("directory", "config"),
        ("app", "web"),
        ("web", "server"),
        ("web", "nowhere"),
    ] {
        assert!(!may_use(room, used), "{room} uses {used}");
    }
    assert!(may_use("directory", "store") && may_use("web", "directory") && may_use("cli", "app"));
}

#[test]
fn the_reader_finds_every_way_to_name_a_room() {
    let uses = |path: &str, text: &str| -> Vec<(usize, String)> {
        Source { path: path.to_owned(), tokens: tokens(text) }.uses()
    };
    let found = |line: usize, room: &str| vec![(line, room.to_owned())];
    assert_eq!(uses("a/b.rs", "use crate::store::Db;"), found(1, "store"));
    assert_eq!(uses("a/b.rs", "fn f() {\n crate::id::x() }"), found(2, "id"));
    assert_eq!(
        uses("a/b.rs", "use crate::{store::{self, Db}, id};"),
        vec![(1, "store".to_owned()), (1, "id".to_owned())]
    );
    assert_eq!(uses("a/mod.rs", "use super::store::Db;"), found(1, "store"));
    assert_eq!(uses("a/b.rs", "use super::rules::x;"), vec![]);
    assert_eq!(uses("a/b.rs", "use super::super::store::x;"), found(1, "store"));
    assert_eq!(uses("a.rs", "mod tests { use super::*; }"), vec![]);
    assert_eq!(uses("a.rs", "mod tests { use super::super::store; }"), found(1, "store"));
    assert_eq!(uses("main.rs", "use identity_center::cli;"), found(1, "cli"));
    assert_eq!(uses("a.rs", "// crate::store\n/* crate::id */ \"crate::tc3\""), vec![]);
    assert_eq!(uses("a.rs", "r#\"crate::store\"# ; 'a' ; b'\\''; fn f<'a>(x: &'a u8) {}"), vec![]);
    assert_eq!(uses("a.rs", "pub(crate) fn f() {}"), vec![]);
}

fn all_rooms() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    [GROUND, ENGINES, DOMAIN, DOORS].into_iter().flatten().copied()
}

fn may_use(room: &str, used: &str) -> bool {
    let is_in = |rooms: Rooms, name: &str| rooms.iter().any(|(room, _)| *room == name);
    all_rooms().any(|(listed, uses)| listed == room && uses.contains(&used))
        || (is_in(DOMAIN, room) && COMMON.contains(&used))
        || (is_in(DOORS, room) && !is_in(DOORS, used) && all_rooms().any(|(name, _)| name == used))
}

/// One file under `src`.
struct Source {
    /// Relative to `src`, with forward slashes.
    path: String,
    tokens: Vec<(usize, String)>,
}

impl Source {
    /// The room that the file belongs to; none for the map of the rooms and the program's start.
    fn room(&self) -> Option<String> {
        let path = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        if all_rooms().any(|(room, _)| room == path) {
            return Some(path.to_owned());
        }
        let room = path.split('/').next()?;
        (room != "lib" && room != "main").then(|| room.to_owned())
    }

    /// How deep below the crate's root the file's module lies.
    fn depth(&self) -> usize {
        let parts = self.path.split('/').count();
        match self.path.rsplit('/').next() {
            Some("mod.rs") => parts - 1,
            Some("lib.rs" | "main.rs") if parts == 1 => 0,
            _ => parts,
        }
    }

    fn text(&self, index: usize) -> &str {
        self.tokens.get(index).map_or("", |(_, text)| text)
    }

    /// The rooms that the file names by a path, with their lines.
    fn uses(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        // The brace depth at which each module written out in this file ends.
        let mut modules: Vec<usize> = Vec::new();
        let mut braces = 0_usize;
        let mut index = 0;
        while index < self.tokens.len() {
            match self.text(index) {
                "{" => {
                    braces += 1;
                    if index >= 2 && self.text(index - 2) == "mod" {
                        modules.push(braces);
                    }
                }
                "}" => {
                    if modules.last() == Some(&braces) {
                        modules.pop();
                    }
                    braces = braces.saturating_sub(1);
                }
                "crate" | "identity_center" if self.text(index + 1) == "::" => {
                    self.heads(index + 2, &mut found);
                }
                "super" if index == 0 || self.text(index - 1) != "::" => {
                    let mut up = 0;
                    while self.text(index + 2 * up) == "super" {
                        up += 1;
                    }
                    if up >= self.depth() + modules.len() {
                        self.heads(index + 2 * up, &mut found);
                    }
                }
                _ => {}
            }
            index += 1;
        }
        found
    }

    /// The first names of the paths that start here: one, or those of a group in braces.
    fn heads(&self, start: usize, found: &mut Vec<(usize, String)>) {
        if self.text(start) != "{" {
            found.push((
                self.tokens.get(start).map_or(0, |(line, _)| *line),
                self.text(start).into(),
            ));
            return;
        }
        let mut depth = 1;
        let mut index = start + 1;
        let mut at_head = true;
        while depth > 0 && index < self.tokens.len() {
            let (line, text) = &self.tokens[index];
            match text.as_str() {
                "{" => depth += 1,
                "}" => depth -= 1,
                "," if depth == 1 => at_head = true,
                name if at_head => {
                    found.push((*line, name.to_owned()));
                    at_head = false;
                }
                _ => {}
            }
            index += 1;
        }
    }

    /// The lines on which a path starts with the name of a crate.
    fn names(&self, name: &str) -> Vec<usize> {
        (0..self.tokens.len())
            .filter(|&at| self.text(at) == name && self.text(at + 1) == "::")
            .filter(|&at| at == 0 || self.text(at - 1) != "::")
            .map(|at| self.tokens[at].0)
            .collect()
    }

    /// The lines on which a function of that name is called.
    fn calls(&self, name: &str) -> Vec<usize> {
        (0..self.tokens.len())
            .filter(|&at| self.text(at) == name && self.text(at + 1) == "(")
            .filter(|&at| at == 0 || !matches!(self.text(at - 1), "fn" | "."))
            .map(|at| self.tokens[at].0)
            .collect()
    }
}

/// The names and signs of a Rust text with their lines; comments and literals are left out.
fn tokens(text: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = Vec::new();
    let mut line = 1;
    let mut index = 0;
    while index < chars.len() {
        let start = index;
        match at(index) {
            '/' if at(index + 1) == '/' => {
                while index < chars.len() && at(index) != '\n' {
                    index += 1;
                }
            }
            '/' if at(index + 1) == '*' => {
                let mut depth = 0;
                while index < chars.len() {
                    match (at(index), at(index + 1)) {
                        ('/', '*') => depth += 1,
                        ('*', '/') => depth -= 1,
                        _ => {
                            index += 1;
                            continue;
                        }
                    }
                    index += 2;
                    if depth == 0 {
                        break;
                    }
                }
            }
            '"' => index = end_of_string(&chars, index),
            '\'' => {
                // A lifetime has no closing quote right after its first character.
                if at(index + 1) == '\\' {
                    index += 3;
                    while index < chars.len() && at(index) != '\'' {
                        index += 1;
                    }
                    index += 1;
                } else if at(index + 2) == '\'' {
                    index += 3;
                } else {
                    index += 1;
                }
            }
            c if word(c) => {
                while index < chars.len() && word(at(index)) {
                    index += 1;
                }
                let name: String = chars[start..index].iter().collect();
                let hashes = chars[index..].iter().take_while(|c| **c == '#').count();
                let raw = matches!(name.as_str(), "r" | "br" | "cr") && at(index + hashes) == '"';
                if raw {
                    index = end_of_raw_string(&chars, index + hashes + 1, hashes);
                } else {
                    found.push((line, name));
                }
            }
            ':' if at(index + 1) == ':' => {
                found.push((line, "::".to_owned()));
                index += 2;
            }
            c if c.is_whitespace() => index += 1,
            c => {
                found.push((line, c.to_string()));
                index += 1;
            }
        }
        let end = index.min(chars.len());
        line += chars[start..end].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn end_of_string(chars: &[char], start: usize) -> usize {
    let mut index = start + 1;
    while index < chars.len() && chars[index] != '"' {
        index += if chars[index] == '\\' { 2 } else { 1 };
    }
    index + 1
}

fn end_of_raw_string(chars: &[char], start: usize, hashes: usize) -> usize {
    let mut index = start;
    while index < chars.len() {
        let closing = chars[index + 1..].iter().take(hashes).filter(|c| **c == '#').count();
        if chars[index] == '"' && closing == hashes {
            return index + 1 + hashes;
        }
        index += 1;
    }
    index
}

fn house() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> io::Result<Vec<Source>> {
    let root = house().join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let relative = path.strip_prefix(&root).unwrap_or(&path);
                found.push(Source {
                    path: relative.to_string_lossy().replace('\\', "/"),
                    tokens: tokens(&fs::read_to_string(&path)?),
                });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// The text files of the tree, outside the folders that git ignores.
fn texts() -> io::Result<Vec<(String, String)>> {
    let house = house();
    let mut found = Vec::new();
    let mut folders = vec![house.clone()];
    let ignored = [".git", "target", "data"].map(|name| house.join(name));
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if ignored.contains(&path) {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                let relative = path.strip_prefix(&house).unwrap_or(Path::new("")).to_string_lossy();
                found.push((relative.replace('\\', "/"), text));
            }
        }
    }
    Ok(found)
}
