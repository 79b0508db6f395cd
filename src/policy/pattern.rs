//! Wildcards of actions and resources: `*` is any run of characters, `?` is any one.
//!
//! The matcher remembers only the last `*` it passed, so a match costs at most
//! `pattern × text` steps however many wildcards the pattern has; there is no pattern that makes
//! it explode.

use super::document::Problem;

/// Does `pattern` cover the whole of `text`? Exact about case.
pub fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |pattern, text| pattern == text)
}

/// As [`matches()`], but ASCII letters are compared without their case.
pub fn matches_folded(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |pattern, text| pattern.eq_ignore_ascii_case(&text))
}

fn matches_by(pattern: &str, text: &str, same: impl Fn(char, char) -> bool) -> bool {
    let mut pattern = pattern.chars();
    let mut text = text.chars();
    // Where to go on when a character does not fit: just after the last star, with one more
    // character of the text swallowed by it. Earlier stars never need to be revisited.
    let mut resume: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let mut ahead = pattern.clone();
        match ahead.next() {
            Some('*') => {
                resume = Some((ahead.clone(), text.clone()));
                pattern = ahead;
                continue;
            }
            Some(wanted) => {
                let mut rest = text.clone();
                if let Some(found) = rest.next()
                    && (wanted == '?' || same(wanted, found))
                {
                    pattern = ahead;
                    text = rest;
                    continue;
                }
            }
            None if text.as_str().is_empty() => return true,
            None => {}
        }
        let Some((after_star, swallowed)) = &mut resume else { return false };
        if swallowed.next().is_none() {
            return false;
        }
        pattern = after_star.clone();
        text = swallowed.clone();
    }
}

/// The actions a statement speaks of: `*`, or `service:Action` with wildcards.
///
/// Case does not matter, and the older spelling `name/service:Action` means the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionPattern(String);

impl ActionPattern {
    /// Reads one entry of `action`; at most 256 printable ASCII characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let bare = without_name(text);
        let shaped = match bare.split_once(':') {
            None => bare == "*",
            Some((service, action)) => {
                !service.is_empty()
                    && !action.is_empty()
                    && bare
                        .chars()
                        .all(|letter| letter.is_ascii_alphanumeric() || "*?:_-./".contains(letter))
            }
        };
        if shaped && bare.len() <= 256 {
            Ok(Self(bare.to_owned()))
        } else {
            Err(Problem::BadAction)
        }
    }

    /// Is `action` (`cvm:DescribeInstances`) one of these?
    pub fn covers(&self, action: &str) -> bool {
        matches_folded(&self.0, without_name(action))
    }

    /// The pattern, without the `name/` prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn without_name(action: &str) -> &str {
    match action.get(..5) {
        Some(prefix) if prefix.eq_ignore_ascii_case("name/") => &action[5..],
        _ => action,
    }
}

/// The resources a statement speaks of: `*`, or six segments
/// `qcs:<project>:<service>:<region>:<account>:<resource>`, each with wildcards.
///
/// Segments are compared one by one, so a `*` never reaches over a colon of the first five. An
/// empty project or region stands for all of them, an empty account for the account in which the
/// policy is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePattern(String);

impl ResourcePattern {
    /// Reads one entry of `resource`; at most 1,024 bytes without control characters.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let shaped = text == "*"
            || (text.starts_with("qcs:")
                && text.splitn(6, ':').count() == 6
                && !text.ends_with(':')
                && !text.chars().any(|letter| letter.is_control() || letter.is_whitespace()));
        if shaped && text.len() <= 1024 {
            Ok(Self(text.to_owned()))
        } else {
            Err(Problem::BadResource)
        }
    }

    /// Is `resource` one of these, for a policy of account `account`?
    ///
    /// An action without a resource of its own is asked about as `*`, which only the pattern `*`
    /// covers.
    pub fn covers(&self, resource: &str, account: i64) -> bool {
        if self.0 == "*" {
            return true;
        }
        let mut pattern = self.0.splitn(6, ':');
        let mut asked = resource.splitn(6, ':');
        for segment in 0..6 {
            let (Some(pattern), Some(asked)) = (pattern.next(), asked.next()) else {
                return false;
            };
            let fits = match (segment, pattern) {
                (1 | 3, "") => true,
                (4, "") => asked.is_empty() || asked == format!("uin/{account}"),
                _ => matches(pattern, asked),
            };
            if !fits {
                return false;
            }
        }
        true
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
