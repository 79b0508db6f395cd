//! What the portal's pages say with names, numbers and times in it.

use crate::{id::RequestId, store::Timestamp, web::page::time};

/// To whom a button lets somebody in.
pub(super) fn log_in_to(account: &str, role: &str) -> String {
    t!("portal-log-in-to", account = account, role = role)
}

/// What a star is about.
pub(super) fn favourite(account: &str, role: &str) -> String {
    t!("portal-favourite", account = account, role = role)
}

/// How many roles.
pub(super) fn roles(count: usize) -> String {
    t!("portal-roles", count = count)
}

/// Where.
pub(super) fn in_account(account: &str) -> String {
    t!("portal-in-account", account = account)
}

/// A role in its account.
pub(super) fn role_in(role: &str, account: &str) -> String {
    t!("portal-role-in", role = role, account = account)
}

/// How long each session lasts, in seconds.
pub(super) fn per_session(seconds: i64) -> String {
    let duration = crate::web::console::words::duration(seconds);
    t!("portal-per-session", duration = duration)
}

/// Which session a button ends.
pub(super) fn end_which(began_at: &Timestamp) -> String {
    t!("portal-end-which", at = time(began_at))
}

/// Which role stays open in an account, and until when.
pub(super) fn stays_open(role: &str, until: &Timestamp) -> String {
    t!("portal-stay-open-until", role = role, at = time(until))
}

/// Until when a request's access lasts.
pub(super) fn until(end: &Timestamp) -> String {
    t!("portal-requests-until", at = time(end))
}

/// Which request a button takes back.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates hand over references")]
pub(super) fn request(id: &RequestId) -> String {
    t!("portal-requests-withdraw-which", id = id.to_string())
}

/// So many seconds from now, rounded down: what is left is never said longer than it is.
pub(super) fn time_left(seconds: i64) -> String {
    let minutes = |seconds: i64| t!("portal-left-minutes", count = seconds / 60);
    match seconds {
        ..60 => t!("portal-left-moment"),
        60..3_600 => minutes(seconds),
        3_600..172_800 => {
            let hours = t!("portal-left-hours", count = seconds / 3_600);
            if seconds % 3_600 < 60 {
                return hours;
            }
            t!("portal-left-hours-minutes", hours = hours, minutes = minutes(seconds % 3_600))
        }
        172_800.. => t!("portal-left-days", count = seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::time_left;

    #[test]
    fn what_is_left_is_never_said_longer_than_it_is() {
        for (seconds, words) in [
            (-5, "less than a minute"),
            (59, "less than a minute"),
            (60, "1 minute"),
            (3_599, "59 minutes"),
            (3_600, "1 hour"),
            (5_460, "1 hour 31 minutes"),
            (172_799, "47 hours 59 minutes"),
            (172_800, "2 days"),
        ] {
            assert_eq!(time_left(seconds), words);
        }
    }
}
