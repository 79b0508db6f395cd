//! Attribute paths, and the paths of PATCH operations (RFC 7644 §3.10 and §3.5.2).

use super::error::{Error, ErrorKind};
use super::filter::{Filter, Parser};

/// `name`, `name.sub`, or either of them behind a schema URN and a colon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttributePath<'a> {
    /// What stands before the last colon, when the path begins with `urn:`.
    pub urn: Option<&'a str>,
    /// The attribute; empty when the path is a URN whose end cannot be a name.
    pub name: &'a str,
    /// The sub-attribute.
    pub sub: Option<&'a str>,
}

impl<'a> AttributePath<'a> {
    /// Takes a token of name characters, dots and colons apart; none when it is no path.
    pub(super) fn from_token(token: &'a str) -> Option<Self> {
        let is_urn = token.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let (urn, rest) = match token.rsplit_once(':') {
            Some((urn, rest)) if is_urn => (Some(urn), rest),
            Some(_) => return None,
            None => (None, token),
        };
        // The version inside a URN that stands alone, `…:2.0:User`, holds dots of its own; they
        // are before the last colon and so never reach this split.
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        if is_name(name) && sub.is_none_or(is_name) {
            return Some(Self { urn, name, sub });
        }
        // A URN whose last part is no name: `urn:…:acme:1.0`.
        urn.filter(|urn| urn.len() > "urn:".len() && !rest.is_empty()).map(|_| Self {
            urn: Some(token),
            name: "",
            sub: None,
        })
    }

    /// Whether the whole path spells `urn`, in any letter case.
    pub(super) fn spells(&self, urn: &str) -> bool {
        let parts = [(":", Some(self.name).filter(|name| !name.is_empty())), (".", self.sub)];
        let mut rest = urn;
        let mut take = |part: &str| match rest.split_at_checked(part.len()) {
            Some((start, end)) if start.eq_ignore_ascii_case(part) => {
                rest = end;
                true
            }
            _ => false,
        };
        self.urn.is_some_and(&mut take)
            && parts.iter().all(|(before, part)| part.is_none_or(|part| take(before) && take(part)))
            && rest.is_empty()
    }
}

/// RFC 7643 §2.1, with `$` allowed first for `$ref`.
fn is_name(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|first| first.is_ascii_alphabetic() || first == b'$')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'-' | b'_'))
}

/// The target of a PATCH operation: an attribute, and which of its values.
#[derive(Debug, Clone, PartialEq)]
pub struct Path<'a> {
    /// The attribute, and the sub-attribute when one is named (before or after the brackets).
    pub attribute: AttributePath<'a>,
    /// What stands in the brackets.
    pub filter: Option<Filter<'a>>,
}

impl<'a> Path<'a> {
    /// Reads a path: `attribute`, `attribute.sub`, `attribute[filter]`, `attribute[filter].sub`,
    /// each with or without a URN.
    pub fn parse(text: &'a str) -> Result<Self, Error> {
        let mut parser = Parser::new(text, ErrorKind::InvalidPath)?;
        parser.skip_spaces();
        let mut attribute = parser.attribute_path()?;
        let filter = match parser.brackets(&attribute)? {
            None => None,
            Some(filter) => {
                attribute.sub = parser.sub_attribute()?;
                Some(filter)
            }
        };
        parser.skip_spaces();
        parser.end()?;
        Ok(Self { attribute, filter })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(text: &str) -> (Option<&str>, &str, Option<&str>) {
        let path = Path::parse(text).unwrap();
        assert!(path.filter.is_none());
        (path.attribute.urn, path.attribute.name, path.attribute.sub)
    }

    #[test]
    fn every_form_without_brackets() {
        assert_eq!(attribute("userName"), (None, "userName", None));
        assert_eq!(attribute(" name.givenName "), (None, "name", Some("givenName")));
        assert_eq!(attribute("members.$ref"), (None, "members", Some("$ref")));
        let user = "urn:ietf:params:scim:schemas:core:2.0:User";
        assert_eq!(
            attribute(&format!("{user}:name.familyName")),
            (Some(user), "name", Some("familyName"))
        );
        let alone = Path::parse(user).unwrap().attribute;
        assert!(alone.spells("URN:ietf:params:scim:schemas:core:2.0:USER"));
    }

    #[test]
    fn brackets_with_and_without_sub_attribute() {
        let path = Path::parse(r#"emails[type eq "work"].Value"#).unwrap();
        assert_eq!(path.attribute.sub, Some("Value"));
        assert!(path.filter.is_some());
        assert!(Path::parse(r#"addresses[type eq "work"]"#).unwrap().attribute.sub.is_none());
    }

    #[test]
    fn malformed_paths_name_the_place() {
        for (text, place) in [
            ("", "character 1"),
            ("emails[", "character 8"),
            (r#"emails[type eq "x""#, "character 19"),
            (r#"emails[type eq "x"].v.w"#, "character 22"),
            ("a b", "character 3"),
            ("1a", "character 1"),
            ("name.", "character 1"),
            ("x:y", "character 1"),
        ] {
            let error = Path::parse(text).unwrap_err();
            assert_eq!(error.kind, ErrorKind::InvalidPath, "{text}");
            assert!(error.detail.contains(place), "{text}: {}", error.detail);
        }
    }
}
