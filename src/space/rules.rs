//! What a space's name may look like.

use super::Error;

/// ACT-05: 2 to 64 of a–z, 0–9 and hyphen; no hyphen at either end, no two in a row.
pub fn check_name(name: &str) -> Result<(), Error> {
    let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let hyphens = !name.starts_with('-') && !name.ends_with('-') && !name.contains("--");
    if (2..=64).contains(&name.len()) && letters && hyphens {
        Ok(())
    } else {
        Err(Error::NameInvalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn act_05_names_of_spaces() {
        for good in ["ab", "a-b", "0-9", &"a".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in ["", "a", "-a", "a-", "a--b", "A1", "a_b", "a b", "é1", &"a".repeat(65)] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }
}
