//! What names and fields may look like. These rules bind what is made by hand; what a directory
//! pushes has rules of its own.

use super::Error;

/// Folds ASCII letters and nothing else: for uniqueness, for SCIM's `eq` on user names and for
/// the look-up of a NameID (USR-05, DESIGN §8).
pub fn fold(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// USR-04: at most 64 letters, digits and the symbols `+ = , . @ - _`.
pub fn check_user_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"+=,.@-_".contains(&b);
    if (1..=64).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::UserNameInvalid)
    }
}

/// GRP-01: at most 128 letters, digits and hyphens.
pub fn check_group_name(name: &str) -> Result<(), Error> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=128).contains(&name.len()) && name.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::GroupNameInvalid)
    }
}

/// USR-07: a field of at most `longest` characters. Remarks may have line breaks, so those and
/// tabs are let through there.
pub(super) fn check_field(field: &'static str, text: &str, longest: usize) -> Result<(), Error> {
    let several_lines = field == "description";
    let control = |c: char| c.is_control() && !(several_lines && matches!(c, '\n' | '\r' | '\t'));
    if text.chars().count() > longest || text.chars().any(control) {
        return Err(Error::FieldInvalid { field, longest });
    }
    Ok(())
}

/// An e-mail address, if there is one: something, an @, something, and no spaces.
pub(super) fn check_email(email: &str) -> Result<(), Error> {
    check_field("email", email, 128)?;
    let sound = email.is_empty()
        || email.split_once('@').is_some_and(|(name, domain)| {
            !name.is_empty()
                && !domain.is_empty()
                && !domain.contains('@')
                && !email.chars().any(char::is_whitespace)
        });
    if sound { Ok(()) } else { Err(Error::EmailInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usr_04_user_names() {
        for good in ["a", "Alice+=,.@-_9", &"x".repeat(64)] {
            assert!(check_user_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a b", "a/b", "a\"b", "a\n", "é", "a#b", &"x".repeat(65)] {
            assert!(check_user_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn grp_01_group_names() {
        assert!(check_group_name(&"g".repeat(128)).is_ok());
        for bad in ["", "a b", "a_b", &"g".repeat(129)] {
            assert!(check_group_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn usr_05_folding_touches_ascii_letters_only() {
        assert_eq!(fold("ALICE@Example.COM"), "alice@example.com");
        assert_eq!(fold("ÄİK"), "Äİk");
    }

    #[test]
    fn usr_07_fields_at_their_limit() {
        assert!(check_field("display_name", &"漢".repeat(256), 256).is_ok());
        assert!(check_field("display_name", &"漢".repeat(257), 256).is_err());
        assert!(check_field("display_name", "a\0", 256).is_err());
        assert!(check_field("description", "two\nlines", 1024).is_ok());
        for bad in ["a", "@b", "a@", "a@b@c", "a b@c"] {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }
}
