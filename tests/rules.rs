//! Each rule of the product and the tests that prove it: `docs/RULES.md`, whose last column is made
//! from the names of the tests by `make rules`, so that it cannot go stale.
//!
//! A test proves the rules that its name begins with: `usr_14_…`, `usr_14_grp_09_…`,
//! `maa_13_and_dpl_12_…`. A rule that no test proves says why there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

const TABLE: &str = "docs/RULES.md";

/// What the last column may say of a rule that no test proves.
const REASONS: [&str; 2] = ["not built: ", "not proved: "];

#[test]
fn the_table_of_rules_is_true() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut tests = BTreeMap::new();
    for folder in ["src", "tests"] {
        collect(&house.join(folder), &mut tests).unwrap();
    }
    let table = fs::read_to_string(house.join(TABLE)).unwrap();
    let (text, wrong) = table_of(&table, tests);
    if env::var_os("IDENTITY_CENTER_WRITE_RULES").is_some() {
        fs::write(house.join(TABLE), &text).unwrap();
    } else {
        assert!(text == table, "{TABLE} is not as the tests are: run `make rules`");
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The table with its last column made anew, and what is wrong with it.
fn table_of(table: &str, mut tests: BTreeMap<String, Vec<String>>) -> (String, String) {
    let (mut text, mut wrong) = (String::new(), String::new());
    for line in table.lines() {
        let cells: Vec<&str> = line.split(" | ").collect();
        let id = cells[0].trim_start_matches("| ");
        let (true, [_, rule, last]) = (is_id(id), cells.as_slice()) else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let last = last.trim_end_matches(" |");
        let last = match tests.remove(id) {
            Some(names) => {
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
            }
            None if REASONS.iter().any(|reason| last.starts_with(reason)) => last.to_owned(),
            None => {
                let _ = writeln!(wrong, "{id} has no test, and does not say why");
                last.to_owned()
            }
        };
        let _ = writeln!(text, "| {id} | {rule} | {last} |");
    }
    for (id, names) in tests {
        let _ = writeln!(wrong, "{id} is no rule of {TABLE}, but of {}", names.join(", "));
    }
    (text, wrong)
}

/// Whether this is the id of a rule: capitals, a hyphen, two digits.
fn is_id(text: &str) -> bool {
    text.split_once('-').is_some_and(|(part, number)| {
        !part.is_empty()
            && part.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 2
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

/// The tests of a folder, by the rules that they prove.
fn collect(folder: &Path, tests: &mut BTreeMap<String, Vec<String>>) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::path);
    for entry in entries {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, tests)?;
        } else if path.extension().is_some_and(|it| it == "rs") {
            for line in fs::read_to_string(&path)?.lines() {
                let line = line.trim_start();
                let line = line.strip_prefix("async ").unwrap_or(line);
                let Some(rest) = line.strip_prefix("fn ") else { continue };
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                for id in ids_of(name) {
                    let names: &mut Vec<String> = tests.entry(id).or_default();
                    if !names.iter().any(|other| other == name) {
                        names.push(name.to_owned());
                    }
                }
            }
        }
    }
    Ok(())
}

/// The rules that a name begins with.
fn ids_of(name: &str) -> Vec<String> {
    const PARTS: [&str; 15] = [
        "con", "act", "usr", "grp", "pc", "dpl", "maa", "rs", "us", "tsk", "ses", "sso", "scim",
        "set", "prt",
    ];
    let mut words = name.split('_').peekable();
    let mut ids = Vec::new();
    while let Some(word) = words.next() {
        let number =
            words.peek().filter(|it| it.len() == 2 && it.bytes().all(|byte| byte.is_ascii_digit()));
        match number {
            Some(number) if PARTS.contains(&word) => {
                ids.push(format!("{}-{number}", word.to_ascii_uppercase()));
                words.next();
            }
            _ if word == "and" && !ids.is_empty() => {}
            _ => break,
        }
    }
    ids
}

#[test]
fn names_begin_with_rules() {
    assert_eq!(ids_of("usr_14_grp_09_whatever"), ["USR-14", "GRP-09"]);
    assert_eq!(ids_of("maa_13_and_dpl_12_what_is"), ["MAA-13", "DPL-12"]);
    assert!(ids_of("a_usr_14").is_empty() && ids_of("usr_1_x").is_empty());
    assert!(ids_of("us_east_12").is_empty());
}

#[test]
fn a_table_that_is_not_true_is_told() {
    let tests = || BTreeMap::from([("USR-01".to_owned(), vec!["usr_01_a".to_owned()])]);
    let table =
        "# Title\n| USR-01 | A rule. | not built: yet |\n| USR-02 | Another. | not built: x |\n";
    let (text, wrong) = table_of(table, tests());
    assert_eq!(
        text,
        "# Title\n| USR-01 | A rule. | `usr_01_a` |\n| USR-02 | Another. | not built: x |\n"
    );
    assert!(wrong.is_empty());
    // A test that went leaves no trace of itself.
    let (_, wrong) = table_of("| USR-02 | Another. | `usr_02_b` |\n", tests());
    assert!(wrong.contains("USR-02 has no test") && wrong.contains("USR-01 is no rule"), "{wrong}");
}

/// CON-16: every decision of the log names where it comes from, out of the sources that the log
/// itself lists, and the words of the other product are shown nowhere.
#[test]
fn con_16_every_gap_that_was_filled_names_its_source() {
    const SOURCES: [&str; 7] =
        ["rule ", "catalogue", "RFC ", "clients", "CloudSSO", "security", "usual"];
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    let log = fs::read_to_string(house.join("docs/DECISIONS.md")).unwrap();
    let rules = fs::read_to_string(house.join(TABLE)).unwrap();
    let mut decisions = 0;
    for line in log.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| gap |")) {
        let cells: Vec<&str> = line.trim_matches(['|', ' ']).split(" | ").collect();
        let [gap, decided, sources] = cells.as_slice() else { panic!("not three cells: {line}") };
        assert!(!gap.is_empty() && !decided.is_empty(), "{line}");
        for source in sources.split(", ") {
            assert!(SOURCES.iter().any(|known| source.starts_with(known)), "{source}: {line}");
            if let Some(id) = source.strip_prefix("rule ") {
                assert!(rules.contains(&format!("| {id} | ")), "{id} is no rule: {line}");
            }
        }
        decisions += 1;
    }
    assert!(decisions > 25, "{decisions}");
    for folder in ["templates", "locales", "assets"] {
        left_over(&house.join(folder)).unwrap();
    }
}

/// No file of this folder says what the other product says.
fn left_over(folder: &Path) -> io::Result<()> {
    if !folder.exists() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            left_over(&path)?;
        } else if let Ok(text) = fs::read_to_string(&path) {
            for words in ["RD account", "RAM user", "CloudSSO"] {
                let shown = text.replace("TencentCloudSSO", "");
                assert!(!shown.contains(words), "{}: {words}", path.display());
            }
        }
    }
    Ok(())
}
