//! The catalogues: the Fluent files under `locales/`, embedded in the binary.

use std::sync::LazyLock;

use fluent_bundle::{
    FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle, memoizer::MemoizerKind,
};
use rust_embed::RustEmbed;

use super::{Language, language::pseudo};

#[derive(RustEmbed)]
#[folder = "locales/"]
#[include = "*.ftl"]
struct Files;

type Bundle = FluentBundle<FluentResource>;

static ENGLISH: LazyLock<Bundle> = LazyLock::new(|| load(Language::English));
static CHINESE: LazyLock<Bundle> = LazyLock::new(|| load(Language::Chinese));
static PSEUDO: LazyLock<Bundle> = LazyLock::new(|| {
    let mut bundle = load(Language::Pseudo);
    bundle.set_transform(Some(pseudo));
    bundle
});

fn bundle(language: Language) -> &'static Bundle {
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
        Language::Pseudo => &PSEUDO,
    }
}

fn load(language: Language) -> Bundle {
    let mut bundle = Bundle::new_concurrent(vec![language.plurals().parse().unwrap_or_default()]);
    // Both languages run from left to right, and what is copied from a page should be what it says.
    bundle.set_use_isolating(false);
    bundle.set_formatter(Some(grouped));
    let folder = format!("{}/", language.folder());
    for path in Files::iter().filter(|path| path.starts_with(&folder)) {
        let Some(file) = Files::get(&path) else { continue };
        let text = String::from_utf8_lossy(&file.data).into_owned();
        let resource = FluentResource::try_new(text).unwrap_or_else(|(rest, errors)| {
            tracing::error!(%path, ?errors, "a catalogue is not understood");
            rest
        });
        if let Err(errors) = bundle.add_resource(resource) {
            tracing::error!(%path, ?errors, "a message is there twice");
        }
    }
    bundle
}

/// Whether there is such a message.
pub(super) fn has(key: &str) -> bool {
    ENGLISH.has_message(key)
}

/// The text of a message; its key where no catalogue has it, which the tests do not let through.
pub(super) fn say(language: Language, key: &str, arguments: Option<&FluentArgs<'_>>) -> String {
    let found = [language, Language::English].into_iter().find_map(|language| {
        let bundle = bundle(language);
        let pattern = bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = bundle.format_pattern(pattern, arguments, &mut errors).into_owned();
        if !errors.is_empty() {
            tracing::error!(key, ?errors, "a message lacks an argument");
        }
        Some(text)
    });
    found.unwrap_or_else(|| {
        tracing::error!(key, "no catalogue has this message");
        key.to_owned()
    })
}

/// Whole numbers with a comma between thousands, as both languages write them.
fn grouped<M: MemoizerKind>(value: &FluentValue<'_>, _: &M) -> Option<String> {
    let FluentValue::Number(number) = value else { return None };
    let digits = number.as_string();
    let (sign, whole) = digits.strip_prefix('-').map_or(("", &*digits), |whole| ("-", whole));
    if whole.len() < 4 || !whole.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut text = String::from(sign);
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    Some(text)
}
