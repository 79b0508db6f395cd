//! Which languages there are, and which one a request asks for.

use std::borrow::Cow;

/// A language of the catalogues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English: also for everyone whose language we do not have.
    #[default]
    English,
    /// Simplified Chinese.
    Chinese,
    /// English with accents and longer words. It shows what is cut off, and what is no message. In
    /// debug builds only.
    Pseudo,
}

impl Language {
    /// Those a person may choose.
    pub const CHOICES: &'static [Self] = &[Self::English, Self::Chinese];

    /// Its tag (BCP 47), for the `lang` attribute and the cookie.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
            Self::Pseudo => "en-XA",
        }
    }

    /// Its own name for itself.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Chinese => "简体中文",
            Self::Pseudo => "Pseudo",
        }
    }

    /// The language of a tag that somebody chose.
    pub fn chosen(tag: &str) -> Option<Self> {
        match tag {
            "en" => Some(Self::English),
            "zh-CN" => Some(Self::Chinese),
            "en-XA" if cfg!(debug_assertions) => Some(Self::Pseudo),
            _ => None,
        }
    }

    /// The language a browser asks for (RFC 9110 §12.5.4): the one it likes best of those we have.
    pub fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for range in header.split(',').take(32) {
            let (tag, weight) = range.split_once(';').unwrap_or((range, ""));
            let Some(language) = Self::of_range(tag.trim()) else { continue };
            let weight = weight_of(weight);
            if weight > best.map_or(0, |(best, _)| best) {
                best = Some((weight, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// Any Chinese is served by ours: whoever reads Traditional Chinese reads it more easily than
    /// English.
    fn of_range(range: &str) -> Option<Self> {
        let primary = range.split('-').next().unwrap_or_default();
        if primary.eq_ignore_ascii_case("zh") {
            Some(Self::Chinese)
        } else if primary.eq_ignore_ascii_case("en") || primary == "*" {
            Some(Self::English)
        } else {
            None
        }
    }

    /// Where its catalogue is.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::English | Self::Pseudo => "en",
            Self::Chinese => "zh-CN",
        }
    }

    /// Whose plurals it has.
    pub(super) fn plurals(self) -> &'static str {
        match self {
            Self::English | Self::Pseudo => "en",
            Self::Chinese => "zh",
        }
    }
}

/// `q=0.8` in thousandths; whatever cannot be read counts as nothing.
fn weight_of(parameters: &str) -> u16 {
    let Some(value) = parameters.split(';').find_map(|one| one.trim().strip_prefix("q=")) else {
        return 1000;
    };
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    match (whole, part.len()) {
        ("1", _) if part.bytes().all(|digit| digit == b'0') => 1000,
        ("0", 0..=3) => format!("{part:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

/// Text as the pseudo language writes it: vowels doubled, letters with accents. Markup and
/// entities stay as they are.
pub(super) fn pseudo(text: &str) -> Cow<'_, str> {
    let mut out = String::with_capacity(text.len() * 2);
    let mut markup = None;
    for letter in text.chars() {
        match (markup, letter) {
            (Some(end), letter) => {
                out.push(letter);
                if letter == end {
                    markup = None;
                }
            }
            (None, '<') => {
                out.push('<');
                markup = Some('>');
            }
            (None, letter) => {
                out.push_str(accented(letter).unwrap_or(letter.encode_utf8(&mut [0; 4])));
            }
        }
    }
    out.into()
}

fn accented(letter: char) -> Option<&'static str> {
    Some(match letter {
        'a' => "åå",
        'e' => "éé",
        'i' => "îî",
        'o' => "öö",
        'u' => "ûû",
        'A' => "Å",
        'E' => "É",
        'I' => "Î",
        'O' => "Ö",
        'U' => "Û",
        'c' => "ç",
        'n' => "ñ",
        's' => "š",
        'y' => "ý",
        'C' => "Ç",
        'N' => "Ñ",
        'S' => "Š",
        'T' => "Ţ",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_gets_the_language_it_likes_best() {
        use Language::{Chinese, English};
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Some(Chinese)),
            ("en-GB,en;q=0.9,zh;q=0.8", Some(English)),
            ("de,zh-TW;q=0.7,en;q=0.3", Some(Chinese)),
            ("fr;q=1, *;q=0.1", Some(English)),
            ("zh;q=0, en", Some(English)),
            ("zh;q=0", None),
            ("zh;q=nonsense", None),
            ("zh;q=0.1234, de", None),
            ("de-DE", None),
            ("", None),
            (",,;;q=", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }

    #[test]
    fn the_pseudo_language_leaves_markup_alone() {
        assert_eq!(pseudo("a <a href=\"/a\">a</a>"), "åå <a href=\"/a\">åå</a>");
    }
}
