//! Tags of roles, policies and sessions.

use std::collections::BTreeMap;

use super::Error;

/// Most tags of one object.
pub const MOST: usize = 50;

/// Tags, by key.
pub type Tags = BTreeMap<String, String>;

/// Pairs as tags: no key twice, none too long, not too many.
pub fn check<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Tags, Error> {
    let mut tags = Tags::new();
    for (key, value) in pairs {
        let sound = |text: &str, longest: usize| {
            text.chars().count() <= longest && !text.chars().any(char::is_control)
        };
        if key.is_empty() || !sound(key, 127) || !sound(value, 255) {
            return Err(Error::TagInvalid(key.chars().take(127).collect()));
        }
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err(Error::TagTwice(key.to_owned()));
        }
    }
    check_count(&tags)?;
    Ok(tags)
}

pub(super) fn check_count(tags: &Tags) -> Result<(), Error> {
    if tags.len() > MOST { Err(Error::TooManyTags) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_few_and_short() {
        assert_eq!(check([("a", ""), ("b", "x")]).unwrap().len(), 2);
        let long = "k".repeat(128);
        for pairs in [vec![("", "x")], vec![("a\n", "x")], vec![(long.as_str(), "x")]] {
            assert!(matches!(check(pairs), Err(Error::TagInvalid(_))));
        }
        assert!(matches!(check([("a", "1"), ("a", "2")]), Err(Error::TagTwice(_))));
        let keys: Vec<String> = (0..=MOST).map(|number| number.to_string()).collect();
        let pairs = keys.iter().map(|key| (key.as_str(), ""));
        assert!(matches!(check(pairs), Err(Error::TooManyTags)));
    }
}
