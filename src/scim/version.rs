//! Versions of resources: entity tags, and what a request says about them (RFC 7644 §3.14,
//! RFC 9110 §13).

use std::fmt;

use super::error::{Error, ErrorKind};

/// Most entity tags of one field that are looked at.
const MAX_TAGS: usize = 100;

/// A version as clients see it: the weak entity tag of a row's version number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub i64);

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "W/\"{}\"", self.0)
    }
}

/// What `If-Match` or `If-None-Match` lists.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any version at all.
    Any,
    /// One of these versions. Tags that are none of ours, and what is no tag, match nothing.
    Some(Vec<i64>),
}

impl Tags {
    /// Joins the lines of a field; none when it is absent or empty.
    fn read<'a>(lines: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut versions = Vec::new();
        let mut given = false;
        let tags = lines.into_iter().flat_map(|line| line.split(',')).map(str::trim);
        for tag in tags.filter(|tag| !tag.is_empty()).take(MAX_TAGS) {
            given = true;
            if tag == "*" {
                return Some(Self::Any);
            }
            versions.extend(version_of(tag));
        }
        given.then_some(Self::Some(versions))
    }

    fn hold(&self, version: i64) -> bool {
        match self {
            Self::Any => true,
            Self::Some(versions) => versions.contains(&version),
        }
    }
}

/// The version a tag stands for. Weak and strong tags are taken alike: RFC 7644 §3.14 sends weak
/// ones in `If-Match`, and no two versions of ours differ only in bytes.
fn version_of(tag: &str) -> Option<i64> {
    let tag = tag.strip_prefix("W/").or_else(|| tag.strip_prefix("w/")).unwrap_or(tag);
    let digits = tag.strip_prefix('"')?.strip_suffix('"')?;
    let version: i64 = digits.parse().ok()?;
    // One spelling each: no sign, no leading zeros.
    (version.to_string() == digits).then_some(version)
}

/// The preconditions of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

impl Precondition {
    /// Reads the lines of `If-Match` and of `If-None-Match`.
    pub fn read<'a>(
        if_match: impl IntoIterator<Item = &'a str>,
        if_none_match: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self { if_match: Tags::read(if_match), if_none_match: Tags::read(if_none_match) }
    }

    /// The precondition of a bulk operation, whose `version` is an `If-Match` (RFC 7644 §3.7).
    pub fn of_version(version: &str) -> Self {
        Self::read([version], [])
    }

    /// Whether the request says nothing about versions.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Refuses to change a resource that is at `version` if that is not what the client expects.
    pub fn check(&self, version: i64) -> Result<(), Error> {
        let expected = self.if_match.as_ref().is_none_or(|tags| tags.hold(version));
        let unexpected = self.if_none_match.as_ref().is_some_and(|tags| tags.hold(version));
        if expected && !unexpected {
            return Ok(());
        }
        let detail = format!(
            "The resource is at version {}, which is not what the request expects",
            Version(version)
        );
        Err(Error::new(ErrorKind::PreconditionFailed, detail))
    }

    /// Whether a client that reads a resource at `version` has it already and is told 304; refuses
    /// when it insists on another version.
    pub fn not_modified(&self, version: i64) -> Result<bool, Error> {
        Self { if_match: self.if_match.clone(), if_none_match: None }.check(version)?;
        Ok(self.if_none_match.as_ref().is_some_and(|tags| tags.hold(version)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_back() {
        assert_eq!(Version(7).to_string(), "W/\"7\"");
        assert!(Precondition::of_version(&Version(7).to_string()).check(7).is_ok());
    }

    #[test]
    fn writes_happen_at_the_expected_version_only() {
        for (if_match, if_none_match, allowed) in [
            ("", "", true),
            ("*", "", true),
            ("\"3\"", "", true),
            ("W/\"3\"", "", true),
            ("W/\"2\", \"x\" ,W/\"3\"", "", true),
            ("W/\"2\"", "", false),
            ("\"03\"", "", false),
            ("\"+3\"", "", false),
            ("3", "", false),
            ("garbage", "", false),
            (",, ,", "", true),
            ("", "*", false),
            ("", "W/\"3\"", false),
            ("", "W/\"2\"", true),
            ("W/\"3\"", "W/\"3\"", false),
        ] {
            let precondition = Precondition::read([if_match], [if_none_match]);
            let outcome = precondition.check(3);
            assert_eq!(outcome.is_ok(), allowed, "{if_match} | {if_none_match}");
            if let Err(error) = outcome {
                assert_eq!(error.kind, ErrorKind::PreconditionFailed);
                assert!(error.detail.contains("W/\"3\""));
            }
        }
        assert!(Precondition::default().is_empty());
        assert!(Precondition::read(["", ""], []).is_empty());
    }

    #[test]
    fn reads_are_spared_when_nothing_changed() {
        let read = |tags: &str| Precondition::read([], [tags]).not_modified(3).unwrap();
        assert!(read("W/\"3\"") && read("*") && read("\"1\", \"3\""));
        assert!(!read("W/\"4\"") && !read("") && !read("nonsense"));
        assert!(Precondition::read(["W/\"2\""], []).not_modified(3).is_err());
        let lines = Precondition::read([], ["\"1\"", "W/\"3\""]);
        assert!(lines.not_modified(3).unwrap());
    }

    #[test]
    fn endless_lists_are_cut() {
        let many = "\"1\",".repeat(100_000) + "\"3\"";
        assert!(Precondition::read([many.as_str()], []).check(3).is_err());
    }
}
