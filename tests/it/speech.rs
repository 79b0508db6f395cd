//! Chinese pages speak Chinese: no sentence on any page is English (SET-05).

use crate::{budgets::known, filled::Filled, house::TestHouse};

/// Elements whose content is no prose: code, ids, times, and what is listed by its own name.
const NO_PROSE: &[&str] = &["code", "pre", "script", "style", "time", "option", "textarea"];

/// Attributes that people read or hear.
const SPOKEN: &[&str] = &["aria-label", "alt", "title", "placeholder", "data-label", "data-copied"];

/// Runs of English words that are names, and stand in every language.
const NAMES: &[&str] = &[
    "Identity Center",
    "Amazon Web Services",
    "Microsoft Entra ID",
    "Google Workspace",
    "AD FS",
    "Web Browser SSO",
    "SAML IdP",
    "Single Logout",
    "HTTP Redirect",
    "OpenID Connect",
];

/// The prose of a page: text between tags and spoken attributes.
fn prose(html: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut silent: Option<String> = None;
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name: String = tag.chars().take_while(char::is_ascii_alphanumeric).collect();
        if let Some(closing) = tag.strip_prefix('/') {
            if silent.as_deref() == Some(closing.trim()) {
                silent = None;
            }
        } else if silent.is_none() {
            for attribute in SPOKEN {
                if let Some((_, value)) = tag.split_once(&format!(" {attribute}=\"")) {
                    found.push(value.split('"').next().unwrap().to_owned());
                }
            }
            let is_code = tag.contains("mono") || NO_PROSE.contains(&&*name);
            if is_code && !tag.ends_with('/') && !["input", "br", "img", "meta"].contains(&&*name) {
                silent = Some(name);
            }
        }
        if silent.is_none() && !text.trim().is_empty() {
            found.push(text.trim().to_owned());
        }
    }
    found
}

/// Whether a text holds four English words in a row, which is more than a name.
fn is_english(text: &str) -> bool {
    let mut text = text.to_owned();
    for name in NAMES {
        text = text.replace(name, "·");
    }
    let mut row = 0;
    for word in text.split_whitespace() {
        let letters = word.trim_matches(|one: char| one.is_ascii_punctuation());
        let is_word = !letters.is_empty()
            && letters.chars().all(|one| one.is_ascii_alphabetic() || one == '\'' || one == '-')
            && letters.chars().skip(1).all(|one| !one.is_ascii_uppercase());
        row = if is_word { row + 1 } else { 0 };
        if row >= 4 {
            return true;
        }
    }
    false
}

#[test]
fn english_is_told_from_chinese() {
    assert!(is_english("The signature was made by another key."));
    assert!(is_english("原因：the name is taken already"));
    assert!(!is_english("请在 Identity Center 中打开 SCIM"));
    assert!(!is_english("QcloudCVMReadOnlyAccess cvm:Describe* RoleConfigurationName"));
    let html =
        r#"<p title="A title that is read">甲</p><code>not read at all here</code><b>乙</b>"#;
    assert_eq!(prose(html), ["A title that is read", "甲", "乙"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_05_every_page_speaks_chinese_alone() {
    let house = TestHouse::sqlite().await;
    let filled = Filled::open(&house).await;
    let mut english = Vec::new();
    let mut pages = 0;
    filled
        .every_page(&[("accept-language", "zh-CN")], async |page| {
            pages += 1;
            let html = page.html();
            assert!(html.contains("<html lang=\"zh-CN\""), "{}", page.path);
            let texts = prose(html);
            english.extend(
                texts
                    .iter()
                    // The reference of the API is in the language of the API.
                    .filter(|text| is_english(text) && !page.kind.starts_with("/docs/"))
                    .map(|text| format!("{}: {text}", page.kind)),
            );
            // A script puts each time into the reader's zone and leaves UTC on hover: it needs the
            // time as machines write it. A day alone stays.
            for time in html.split("<time").skip(1) {
                let (tag, text) = time.split_once('>').unwrap();
                let text = text.split('<').next().unwrap();
                let is_day = !tag.contains("datetime") && text.len() == 10;
                let is_local = tag.contains("datetime=\"") && text.ends_with(" UTC");
                assert!(is_day || is_local, "{}: {time}", page.path);
            }
        })
        .await;
    english.sort();
    english.dedup();
    let known = known("tests/english.txt");
    let new: Vec<&String> = english.iter().filter(|line| !known.contains(*line)).collect();
    assert!(new.is_empty(), "on {pages} pages: {new:#?}");
    house.close().await;
}
