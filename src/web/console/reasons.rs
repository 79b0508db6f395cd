//! Why a task failed, in the reader's language. Tasks keep their reasons as text in English, which
//! the API tells as it is; a page says the same in words of its own.

/// The reason that a task or deployment keeps.
pub(super) fn reason(kept: &str) -> String {
    let whole = match kept {
        "the database failed" => Some(t!("reason-database")),
        "the configuration is gone" => Some(t!("reason-configuration-gone")),
        "nothing is deployed there" => Some(t!("reason-nothing-deployed")),
        "the account is in another cloud: no CAM users can be made there" => {
            Some(t!("reason-other-cloud-people"))
        }
        "there are assignments of the configuration on the account" => {
            Some(t!("reason-assignments"))
        }
        "every worker that took this task was lost" => Some(t!("reason-worker")),
        "a key of the space cannot be read"
        | "the public URL cannot be written as XML"
        | "the task names no configuration"
        | "the task names no user sync" => Some(t!("reason-internal")),
        _ => None,
    };
    whole.or_else(|| of_an_account(kept)).unwrap_or_else(|| kept.to_owned())
}

/// What an account answered, with what it was about.
fn of_an_account(kept: &str) -> Option<String> {
    let after = |start: &str| kept.strip_prefix(start);
    let before = |end: &str| kept.strip_suffix(end);
    if let Some(why) = after("CAM refused: ") {
        Some(t!("reason-denied", why = managed(why)))
    } else if let Some(what) = after("a limit of the account is reached: ") {
        Some(t!("reason-limit", what = what))
    } else if let Some(what) = after("CAM cannot accept ") {
        Some(t!("reason-invalid", what = what))
    } else if let Some(why) = after("CAM is not available: ") {
        Some(t!("reason-unavailable", why = reason(why)))
    } else if let Some(names) = after("these CAM users have access keys: ") {
        Some(t!("reason-access-keys", names = names))
    } else if kept.starts_with("the account is in another cloud: ") {
        Some(t!("reason-other-cloud"))
    } else if let Some(thing) = before(" exists already and is not managed by Identity Center") {
        Some(t!("reason-name-clash", thing = named(thing)))
    } else {
        before(" does not exist").map(|thing| t!("reason-not-found", thing = named(thing)))
    }
}

fn managed(why: &str) -> String {
    why.strip_suffix(" is managed by Identity Center")
        .map_or_else(|| why.to_owned(), |thing| t!("reason-managed", thing = named(thing)))
}

/// A kind of thing and its name.
fn named(thing: &str) -> String {
    for (kind, words) in [
        ("role ", key!("object-role")),
        ("SAML provider ", key!("object-provider")),
        ("CAM user ", key!("object-cam-user")),
        ("policy ", key!("object-policy")),
    ] {
        if let Some(name) = thing.strip_prefix(kind) {
            return format!("{words} {name}");
        }
    }
    thing.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cam,
        web::messages::{Language, in_language},
    };

    #[test]
    fn set_05_whatever_an_account_answers_is_said_in_chinese() {
        let (kind, name) = ("role", "look".to_owned());
        for error in [
            cam::Error::Denied("role look is managed by Identity Center".to_owned()),
            cam::Error::NameClash { kind, name: name.clone() },
            cam::Error::NotFound { kind: "SAML provider", name },
            cam::Error::Limit("10".to_owned()),
            cam::Error::Invalid("look".to_owned()),
            cam::Error::Unavailable("the database failed".to_owned()),
        ] {
            let kept = error.to_string();
            let said = in_language(Language::Chinese, || reason(&kept));
            assert!(!said.is_ascii(), "{kept}: {said}");
            let english = ["exist", "managed by", "refused", "limit", "failed", "role", "provider"];
            let left = said.replace("Identity Center", "");
            assert!(!english.iter().any(|word| left.contains(word)), "{kept}: {said}");
        }
    }

    #[test]
    fn what_nobody_knows_stays_as_it_is() {
        assert_eq!(reason("something else"), "something else");
    }
}
