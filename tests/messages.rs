//! The catalogues against each other and against what is said: a message that is missing in a
//! language, that nobody says, or that is given other arguments than it has, fails here.
//!
//! Only text is read: `t!`, `rich!` and `key!` with their literal keys in `src` and `templates`,
//! and the Fluent files under `locales`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};

/// The language that all others follow.
const FIRST: &str = "en";
const OTHERS: &[&str] = &["zh-CN"];

/// Elements that a message may hold.
const ELEMENTS: &[&str] = &["a", "code", "strong", "em", "br", "kbd"];

/// Messages whose key is put together at run time: by the prefix of their key, and how whoever
/// puts it together names the rest.
const NAMED_OTHERWISE: &[&str] = &["done-"];

/// A message of a catalogue.
#[derive(Debug)]
struct Message {
    file: String,
    arguments: BTreeSet<String>,
    elements: Vec<String>,
}

type Catalogue = BTreeMap<String, Message>;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
}

fn short(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().display().to_string()
}

/// Reads a language's catalogue; tells what in it is no message, or is there twice.
fn catalogue(language: &str, problems: &mut String) -> Catalogue {
    let folder = root().join("locales").join(language);
    let mut paths = Vec::new();
    files(&folder, "ftl", &mut paths);
    assert!(!paths.is_empty(), "no catalogue for {language}");
    let mut messages = Catalogue::new();
    for path in paths {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let resource = match fluent_syntax::parser::parse(text.as_str()) {
            Ok(resource) => resource,
            Err((resource, errors)) => {
                writeln!(problems, "{}: {errors:?}", short(&path)).unwrap();
                resource
            }
        };
        for entry in resource.body {
            let Entry::Message(message) = entry else { continue };
            let key = message.id.name.to_owned();
            let Some(pattern) = message.value else {
                writeln!(problems, "{}: {key} has no text", short(&path)).unwrap();
                continue;
            };
            let (mut arguments, mut text) = (BTreeSet::new(), String::new());
            read(&pattern, &mut arguments, &mut text);
            let elements = elements(&text);
            let message = Message { file: file.clone(), arguments, elements };
            if messages.insert(key.clone(), message).is_some() {
                writeln!(problems, "{}: {key} is there twice", short(&path)).unwrap();
            }
        }
    }
    messages
}

fn read(pattern: &Pattern<&str>, arguments: &mut BTreeSet<String>, text: &mut String) {
    for element in &pattern.elements {
        match element {
            PatternElement::TextElement { value } => text.push_str(value),
            PatternElement::Placeable { expression } => match expression {
                Expression::Inline(inline) => read_inline(inline, arguments, text),
                Expression::Select { selector, variants } => {
                    read_inline(selector, arguments, text);
                    for (at, variant) in variants.iter().enumerate() {
                        // The elements of one variant are the elements of the message.
                        let mut rest = String::new();
                        let into = if at == 0 { &mut *text } else { &mut rest };
                        read(&variant.value, arguments, into);
                    }
                }
            },
        }
    }
}

fn read_inline(
    inline: &InlineExpression<&str>,
    arguments: &mut BTreeSet<String>,
    text: &mut String,
) {
    match inline {
        InlineExpression::VariableReference { id } => {
            arguments.insert(id.name.to_owned());
        }
        InlineExpression::StringLiteral { value } => text.push_str(value),
        InlineExpression::NumberLiteral { .. } => {}
        InlineExpression::Placeable { expression } => match &**expression {
            Expression::Inline(inner) => read_inline(inner, arguments, text),
            Expression::Select { .. } => panic!("no choice inside a choice: {inline:?}"),
        },
        InlineExpression::FunctionReference { .. }
        | InlineExpression::MessageReference { .. }
        | InlineExpression::TermReference { .. } => {
            panic!("write it out, translators see one message at a time: {inline:?}")
        }
    }
}

/// The names of the elements in a text, in their order.
fn elements(text: &str) -> Vec<String> {
    let names = text.split('<').skip(1).filter_map(|rest| {
        let name: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
        (!name.is_empty()).then_some(name)
    });
    names.collect()
}

/// How a message is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    Plain,
    Rich,
    Later,
}

#[derive(Debug)]
struct Use {
    place: String,
    how: How,
    key: String,
    arguments: BTreeSet<String>,
}

/// Every message that the sources and templates say.
fn uses(problems: &mut String) -> Vec<Use> {
    let mut paths = Vec::new();
    files(&root().join("src"), "rs", &mut paths);
    files(&root().join("templates"), "html", &mut paths);
    let mut uses = Vec::new();
    for path in paths {
        if path.ends_with("src/web/messages/mod.rs") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for (how, opening) in [(How::Plain, "t!("), (How::Rich, "rich!("), (How::Later, "key!(")] {
            for (at, _) in text.match_indices(opening) {
                let before = text[..at].chars().next_back();
                if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
                    continue;
                }
                let line = text[..at].matches('\n').count() + 1;
                let place = format!("{}:{line}", short(&path));
                let arguments = split(inside(&text[at + opening.len()..]));
                let key = arguments.first().and_then(|key| {
                    key.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned)
                });
                let Some(key) = key else {
                    writeln!(problems, "{place}: no literal key").unwrap();
                    continue;
                };
                let arguments = arguments[1..]
                    .iter()
                    .filter(|one| !one.trim().is_empty())
                    .map(|one| one.split('=').next().unwrap().trim().to_owned())
                    .collect();
                uses.push(Use { place, how, key, arguments });
            }
        }
    }
    uses
}

/// What stands before the bracket that closes.
fn inside(text: &str) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' if depth == 0 => return &text[..at],
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text
}

/// At the commas that stand in no bracket and no quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut escaped, mut begun) = (0, false, false, 0);
    let mut parts = Vec::new();
    for (at, letter) in text.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[begun..at]);
                begun = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begun..]);
    parts
}

#[test]
fn every_language_says_the_same_messages() {
    let mut problems = String::new();
    let first = catalogue(FIRST, &mut problems);
    for language in OTHERS {
        let other = catalogue(language, &mut problems);
        for (key, message) in &first {
            let Some(found) = other.get(key) else {
                writeln!(problems, "{language} has no {key}").unwrap();
                continue;
            };
            if found.file != message.file {
                writeln!(problems, "{key} is in {} and {}", message.file, found.file).unwrap();
            }
            if found.arguments != message.arguments {
                let (one, two) = (&message.arguments, &found.arguments);
                writeln!(problems, "{key} has {one:?} in {FIRST} and {two:?} in {language}")
                    .unwrap();
            }
            let (mut one, mut two) = (message.elements.clone(), found.elements.clone());
            one.sort();
            two.sort();
            if one != two {
                writeln!(problems, "{key} holds {one:?} in {FIRST} and {two:?} in {language}")
                    .unwrap();
            }
            for element in one.iter().filter(|one| !ELEMENTS.contains(&one.as_str())) {
                writeln!(problems, "{key} holds <{element}>").unwrap();
            }
        }
        for key in other.keys().filter(|key| !first.contains_key(*key)) {
            writeln!(problems, "{FIRST} has no {key}").unwrap();
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

#[test]
fn every_message_is_there_and_is_said() {
    let mut problems = String::new();
    let messages = catalogue(FIRST, &mut problems);
    let uses = uses(&mut problems);
    assert!(uses.len() > 100, "the uses are not found");
    let mut said: BTreeSet<&str> = BTreeSet::new();
    for one in &uses {
        let Use { place, how, key, arguments } = one;
        let Some(message) = messages.get(key) else {
            writeln!(problems, "{place}: there is no message {key}").unwrap();
            continue;
        };
        said.insert(key);
        if *arguments != message.arguments {
            let takes = &message.arguments;
            writeln!(problems, "{place}: {key} takes {takes:?} and is given {arguments:?}")
                .unwrap();
        }
        let rich = *how == How::Rich;
        if rich == message.elements.is_empty() {
            let (is, takes) = if rich { ("no", "t!") } else { ("", "rich!") };
            writeln!(problems, "{place}: {key} holds {is} markup: say it with {takes}").unwrap();
        }
    }
    let literals = literals();
    for key in messages.keys().filter(|key| !said.contains(key.as_str())) {
        let named = NAMED_OTHERWISE.iter().find_map(|prefix| key.strip_prefix(prefix));
        if !named.is_some_and(|rest| literals.contains(rest)) {
            writeln!(problems, "nobody says {key}").unwrap();
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

/// Every string of the sources that could be a part of a key.
fn literals() -> BTreeSet<String> {
    let mut paths = Vec::new();
    files(&root().join("src/web"), "rs", &mut paths);
    let mut literals = BTreeSet::new();
    for path in paths {
        for part in fs::read_to_string(path).unwrap().split('"') {
            if part.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') {
                literals.insert(part.to_owned());
            }
        }
    }
    literals
}

#[test]
fn what_a_page_says_after_something_was_done_is_a_message() {
    let mut problems = String::new();
    let messages = catalogue(FIRST, &mut problems);
    let mut paths = Vec::new();
    files(&root().join("src/web"), "rs", &mut paths);
    let mut found = 0;
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("done(") {
            let arguments = split(inside(&text[at + 5..]));
            let code = arguments.last().unwrap().trim();
            let Some(code) = code.strip_prefix('"').and_then(|code| code.strip_suffix('"')) else {
                continue;
            };
            let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'-';
            if arguments.len() != 2 || !code.bytes().all(word) {
                continue;
            }
            found += 1;
            if !messages.contains_key(&format!("done-{code}")) {
                writeln!(problems, "{}: there is no message done-{code}", short(&path)).unwrap();
            }
        }
    }
    assert!(found > 10, "the places are not found");
    assert!(problems.is_empty(), "\n{problems}");
}

/// Words that no message uses, because one thing has one name (DESIGN.md §2), or because they are
/// other products' (CON-16). The terms that count are in `docs/TERMS.md`.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("en", &["rd account", "ram user", "zone", "cloudsso", "role configuration", "login page"]),
    ("zh-CN", &["RD 账号", "RAM 用户", "帐号", "云 SSO", "登陆", "访问配置", "用户群组"]),
];

#[test]
fn set_02_one_thing_has_one_name() {
    let mut problems = String::new();
    for (language, others) in OTHER_NAMES {
        let mut paths = Vec::new();
        files(&root().join("locales").join(language), "ftl", &mut paths);
        for path in paths {
            for (number, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
                let text = line.split_once('=').map_or(line, |(_, text)| text).to_lowercase();
                for other in others.iter().filter(|other| text.contains(&other.to_lowercase())) {
                    let place = format!("{}:{}", short(&path), number + 1);
                    writeln!(problems, "{place}: \"{other}\" has another name here").unwrap();
                }
            }
        }
    }
    assert!(problems.is_empty(), "\n{problems}");
}

/// Templates that still hold words of their own; the list only gets shorter.
const WITH_WORDS: &str = include_str!("untranslated.txt");

#[test]
fn no_template_has_words_of_its_own() {
    let mut paths = Vec::new();
    files(&root().join("templates"), "html", &mut paths);
    let waiting: BTreeSet<&str> = WITH_WORDS.lines().filter(|line| !line.is_empty()).collect();
    let mut problems = String::new();
    let mut with_words = BTreeSet::new();
    for path in paths {
        let words = words(&fs::read_to_string(&path).unwrap());
        let name = short(&path);
        if words.is_empty() {
            continue;
        }
        if !waiting.contains(name.as_str()) {
            writeln!(problems, "{name}: {words:?}").unwrap();
        }
        with_words.insert(name);
    }
    for name in waiting.iter().filter(|name| !with_words.contains(**name)) {
        writeln!(problems, "{name} is translated: take it off tests/untranslated.txt").unwrap();
    }
    assert!(problems.is_empty(), "\n{problems}");
}

/// The name of the product, units and the like are the same in every language.
const SAME_EVERYWHERE: &[&str] = &["Identity Center", "UTC"];

/// The words of a template that no message says: text between tags, and the attributes that
/// people read or hear.
fn words(template: &str) -> Vec<String> {
    let mut text = String::new();
    let mut rest = template;
    // What askama fills in says nothing by itself; a quote in it would end an attribute.
    while let Some(at) = rest.find(['{']) {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let end = match after.get(..2) {
            Some("{{") => "}}",
            Some("{%") => "%}",
            Some("{#") => "#}",
            _ => {
                text.push('{');
                rest = &after[1..];
                continue;
            }
        };
        rest = after.find(end).map_or("", |end| &after[end + 2..]);
        text.push('\u{1}');
    }
    text.push_str(rest);

    let mut found = Vec::new();
    let mut look = |text: &str| {
        let mut text = text.replace("&nbsp;", " ");
        for same in SAME_EVERYWHERE {
            text = text.replace(same, "");
        }
        if text.chars().any(char::is_alphabetic) {
            found.push(text.replace('\u{1}', "…").trim().to_owned());
        }
    };
    let mut code = false;
    for part in text.split('<') {
        let (tag, content) = part.split_once('>').unwrap_or(("", part));
        for name in ["title", "placeholder", "aria-label", "alt", "data-label"] {
            for (at, _) in tag.match_indices(&format!(" {name}=\"")) {
                let value = &tag[at + name.len() + 3..];
                look(value.split('"').next().unwrap_or_default());
            }
        }
        // Code is what it is.
        let name = tag.split([' ', '\n']).next().unwrap_or_default();
        code = match name {
            "code" | "pre" | "kbd" => true,
            "/code" | "/pre" | "/kbd" => false,
            _ => code,
        };
        if !code {
            look(content);
        }
    }
    found
}

#[test]
fn the_words_of_a_template_are_found() {
    assert_eq!(
        words(r#"<p class="x">{{ t!("a") }} – Identity Center <code>curl</code></p>"#),
        [""; 0]
    );
    assert_eq!(words("<p>Hello {{ name }}</p>"), ["Hello …"]);
    assert_eq!(words(r#"<a title="Open" href="x">{% if a %}b{% endif %}</a>"#), ["Open", "…b…"]);
    assert_eq!(words(r#"<a aria-label="{{ t!("x") }}">1</a>"#), [""; 0]);
}
