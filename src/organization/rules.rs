//! What names may look like, and how deep the tree may be.

use super::Error;

/// Levels of departments below and including the root (ORG-11, DEP-01).
pub(super) const MAX_LEVELS: i64 = 5;
/// Characters of a remark.
const MAX_REMARK: usize = 40;

fn is_chinese(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{2fa1f}')
}

fn consists_of(text: &str, longest: usize, symbols: &str) -> bool {
    let length = text.chars().count();
    (1..=longest).contains(&length)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || is_chinese(c) || symbols.contains(c))
}

/// An organisation's name: 1 to 64 characters, no controls, no spaces at the ends.
pub fn check_organization_name(name: &str) -> Result<(), Error> {
    let length = name.chars().count();
    if (1..=64).contains(&length) && !name.chars().any(char::is_control) && name.trim() == name {
        Ok(())
    } else {
        Err(Error::NameInvalid)
    }
}

/// A department's name (DEP-03). Spaces are let through too, because people use them.
pub fn check_department_name(name: &str) -> Result<(), Error> {
    if consists_of(name, 40, "+@&._[]- ") && name.trim() == name {
        Ok(())
    } else {
        Err(Error::DepartmentNameInvalid)
    }
}

/// A member's name (MEM-03).
pub fn check_member_name(name: &str) -> Result<(), Error> {
    if consists_of(name, 25, "@&_[].-:;~, ") && name.trim() == name {
        Ok(())
    } else {
        Err(Error::MemberNameInvalid)
    }
}

/// A remark of a department or an account.
pub(super) fn check_remark(remark: &str) -> Result<(), Error> {
    if remark.chars().count() > MAX_REMARK || remark.contains('\0') {
        return Err(Error::RemarkTooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dep_03_department_names() {
        for good in ["Sales", "研发", "a", &"x".repeat(40), "R&D [1]", "a+b@c._-"] {
            assert!(check_department_name(good).is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(41), "a/b", "a\nb", " a", "é"] {
            assert!(check_department_name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn mem_03_member_names() {
        for good in ["Account 1", "研发账号", &"x".repeat(25), "@&_[].-:;~,"] {
            assert!(check_member_name(good).is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(26), "a/b", "a\"b", "tab\t"] {
            assert!(check_member_name(bad).is_err(), "{bad:?}");
        }
    }
}
