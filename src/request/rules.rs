//! What may be asked for, and how.

use super::{Error, MOST_CONFIGURATIONS, NewRequest};

/// The shortest time one asks for, in seconds: that of the shortest session.
pub const SHORTEST_SECONDS: i64 = 900;
/// The longest time one asks for, in seconds.
pub const LONGEST_SECONDS: i64 = 90 * 86_400;
/// The longest reason, and the longest opinion about it, in characters.
pub const LONGEST_TEXT: usize = 500;

pub(super) fn check(new: &NewRequest) -> Result<(), Error> {
    let count = new.configurations.len();
    let mut distinct = new.configurations.clone();
    distinct.sort_unstable();
    distinct.dedup();
    if count == 0 || count > MOST_CONFIGURATIONS || distinct.len() != count {
        return Err(Error::ConfigurationsInvalid);
    }
    if new.reason.trim().is_empty() || !is_text(&new.reason) {
        return Err(Error::ReasonInvalid);
    }
    if !(SHORTEST_SECONDS..=LONGEST_SECONDS).contains(&new.seconds) {
        return Err(Error::DurationInvalid);
    }
    Ok(())
}

pub(super) fn check_opinion(text: &str) -> Result<(), Error> {
    if is_text(text) { Ok(()) } else { Err(Error::OpinionInvalid) }
}

fn is_text(text: &str) -> bool {
    let control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    text.chars().count() <= LONGEST_TEXT && !text.chars().any(control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{ConfigurationId, Uin};

    #[test]
    fn both_sides_of_every_boundary() {
        let new = NewRequest {
            account: Some(Uin(1)),
            configurations: vec![ConfigurationId(1)],
            reason: "x".to_owned(),
            seconds: SHORTEST_SECONDS,
        };
        check(&new).unwrap();
        let with = |change: fn(&mut NewRequest)| {
            let mut new = new.clone();
            change(&mut new);
            check(&new)
        };
        let many = |n: i64| (1..=n).map(ConfigurationId).collect::<Vec<_>>();
        check(&NewRequest { configurations: many(20), ..new.clone() }).unwrap();
        for wrong in [Vec::new(), many(21), vec![ConfigurationId(1), ConfigurationId(1)]] {
            let wrong = NewRequest { configurations: wrong, ..new.clone() };
            assert!(matches!(check(&wrong), Err(Error::ConfigurationsInvalid)));
        }
        with(|it| it.reason = "\u{fc}\n".repeat(250)).unwrap();
        assert!(matches!(with(|it| it.reason = "x".repeat(501)), Err(Error::ReasonInvalid)));
        assert!(matches!(with(|it| it.reason = " \n".to_owned()), Err(Error::ReasonInvalid)));
        assert!(matches!(with(|it| it.reason = "a\u{7}".to_owned()), Err(Error::ReasonInvalid)));
        with(|it| it.seconds = LONGEST_SECONDS).unwrap();
        assert!(matches!(with(|it| it.seconds = LONGEST_SECONDS + 1), Err(Error::DurationInvalid)));
        assert!(matches!(
            with(|it| it.seconds = SHORTEST_SECONDS - 1),
            Err(Error::DurationInvalid)
        ));
        check_opinion("").unwrap();
        assert!(check_opinion(&"x".repeat(501)).is_err());
    }
}
