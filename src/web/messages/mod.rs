//! What pages say, in the language of whoever reads them.
//!
//! Templates and code say a message by its key, `t!("users-title")`, with arguments
//! `t!("users-total", count = total)`. `rich!` is for the few messages that hold HTML: it answers
//! markup, and what it is given as arguments is escaped. `key!("users-title")` is a message that is
//! said later: a constant that shows itself in the reader's language where it is rendered.
//!
//! The catalogues are the Fluent files under `locales/`, one folder per language, one file per
//! part of the product. `docs/MESSAGES.md` tells how to add a message; `tests/messages.rs` fails on
//! one that is missing, unused, or has other arguments than it is given.

mod catalogue;
mod language;
mod preferences;

use std::{borrow::Cow, fmt};

use askama::filters::HtmlSafe;
use fluent_bundle::{FluentArgs, FluentValue};
pub use language::Language;
pub(super) use preferences::routes;
pub use preferences::{Preferences, Theme, here, here_alone, in_language, language, prefer, theme};

/// The text of a message, in the language of this request: `t!("key", name = value, …)`.
macro_rules! t {
    ($key:literal $(,)?) => { $crate::web::messages::say($key, &[]) };
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::web::messages::say(
            $key,
            &[$((stringify!($name), $crate::web::messages::Value::value(&$value))),+],
        )
    };
}

/// The markup of a message that holds HTML; its arguments are escaped.
macro_rules! rich {
    ($key:literal $(,)?) => { $crate::web::messages::say_rich($key, &[]) };
    ($key:literal, $($name:ident = $value:expr),+ $(,)?) => {
        $crate::web::messages::say_rich(
            $key,
            &[$((stringify!($name), $crate::web::messages::Value::value(&$value))),+],
        )
    };
}

/// A message without arguments that is said where it is shown.
macro_rules! key {
    ($key:literal) => {
        $crate::web::messages::Message($key)
    };
}

/// A message without arguments: it shows itself in the language of the request that renders it.
/// Only [`key!`] makes one, so that the tests see its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message(#[doc(hidden)] pub &'static str);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&say(self.0, &[]))
    }
}

/// Text that holds markup of ours: a template shows it as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

// Its text is ours, out of the catalogues, and each argument was escaped.
impl HtmlSafe for Markup {}

/// What may stand in a message: text, a number (which chooses plurals), or another message.
pub trait Value {
    /// As an argument of a message.
    fn value(&self) -> FluentValue<'_>;
}

impl<T: Value + ?Sized> Value for &T {
    fn value(&self) -> FluentValue<'_> {
        (**self).value()
    }
}

impl Value for str {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self)
    }
}

impl Value for String {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.as_str())
    }
}

impl Value for Cow<'_, str> {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(&**self)
    }
}

impl Value for Message {
    fn value(&self) -> FluentValue<'_> {
        FluentValue::from(self.to_string())
    }
}

macro_rules! numbers {
    ($($number:ty),+) => {
        $(impl Value for $number {
            fn value(&self) -> FluentValue<'_> {
                FluentValue::from(*self)
            }
        })+
    };
}
numbers!(u8, u16, u32, u64, usize, i32, i64);

/// The text of a message in the language of this request. Write [`t!`] instead.
pub fn say(key: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> String {
    let arguments: Option<FluentArgs<'_>> = (!arguments.is_empty())
        .then(|| arguments.iter().map(|(name, value)| (*name, value.clone())).collect());
    catalogue::say(language(), key, arguments.as_ref())
}

/// The markup of a message in the language of this request. Write [`rich!`] instead.
pub fn say_rich(key: &str, arguments: &[(&'static str, FluentValue<'_>)]) -> Markup {
    let arguments: FluentArgs<'_> = arguments
        .iter()
        .map(|(name, value)| match value {
            FluentValue::String(text) => (*name, FluentValue::from(escaped(text))),
            other => (*name, other.clone()),
        })
        .collect();
    Markup(catalogue::say(language(), key, Some(&arguments)))
}

/// What the pages say after something was done, by its code. The code comes out of an address, so
/// it can show nothing but such a message.
pub fn done(code: &str) -> Option<String> {
    let key = format!("done-{code}");
    catalogue::has(&key).then(|| say(&key, &[]))
}

/// Text as it may stand in HTML, in an attribute too.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => safe.push_str("&#38;"),
            '<' => safe.push_str("&#60;"),
            '>' => safe.push_str("&#62;"),
            '"' => safe.push_str("&#34;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_in_the_language_of_its_reader() {
        assert_eq!(t!("sign-out"), "Sign out");
        assert_eq!(key!("sign-out").to_string(), "Sign out");
        in_language(Language::Chinese, || assert_eq!(t!("sign-out"), "退出登录"));
        in_language(Language::Pseudo, || {
            let text = t!("sign-out");
            assert!(!text.is_ascii() && text.len() > "Sign out".len(), "{text}");
        });
    }

    #[test]
    fn numbers_choose_the_plural_and_are_grouped() {
        assert_eq!(t!("days-left", days = 1), "1 day left");
        assert_eq!(t!("days-left", days = 2), "2 days left");
        assert_eq!(t!("in-all", count = 1_234_567), "1,234,567 in all");
        assert_eq!(t!("in-all", count = 999), "999 in all");
        in_language(Language::Chinese, || {
            assert_eq!(t!("days-left", days = 1), "剩余 1 天");
            assert_eq!(t!("in-all", count = 1000), "共 1,000 条");
        });
    }

    #[test]
    fn what_people_wrote_is_no_markup_in_a_rich_message() {
        let text = rich!("problem-code", code = "<b>\"'&", request = "").to_string();
        assert!(text.contains("&#60;b&#62;&#34;&#39;&#38;") && !text.contains("<b>"), "{text}");
    }

    #[test]
    fn an_address_puts_no_words_of_its_own_on_a_page() {
        assert_eq!(done("<script>"), None);
        assert_eq!(done(""), None);
        assert_eq!(done("user-created").as_deref(), Some("The user was created."));
    }

    #[test]
    fn a_key_that_nobody_knows_is_no_panic() {
        assert_eq!(say("no-such-message", &[]), "no-such-message");
    }
}
