//! What every page of the portal has around it: whose it is, and the tabs with their counts.

use super::home_of;
use crate::{
    access::{self, ReachableAccount},
    app::App,
    store::Timestamp,
    web::{Fault, PortalUser},
};

/// The tabs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tab {
    /// Accounts that one enters as a role.
    Roles,
    /// Accounts that one enters as a CAM user.
    Users,
    /// Asking for access.
    Requests,
    /// Where one is signed in.
    Sessions,
}

/// What stands around a page of the portal.
pub(super) struct Frame {
    pub(super) space: String,
    pub(super) home: String,
    pub(super) user_name: String,
    pub(super) shown_name: String,
    pub(super) ends_at: Timestamp,
    pub(super) now: Timestamp,
    pub(super) tab: Tab,
    /// How many accounts one may enter as some role.
    pub(super) roles: usize,
    /// How many accounts one may enter as a CAM user.
    pub(super) users: usize,
}

impl Frame {
    /// Around a page of somebody who reaches these accounts.
    pub(super) fn new(caller: &PortalUser, tab: Tab, accounts: &[ReachableAccount]) -> Self {
        Self {
            home: home_of(&caller.space.name),
            space: caller.space.name.clone(),
            user_name: caller.user.user_name.clone(),
            shown_name: caller.user.shown_name().to_owned(),
            ends_at: caller.session_ends_at,
            now: caller.act.now,
            tab,
            roles: accounts.iter().filter(|account| !account.roles.is_empty()).count(),
            users: accounts.iter().filter(|account| !account.users.is_empty()).count(),
        }
    }

    /// Whether this is the open tab.
    pub(super) fn on(&self, tab: Tab) -> bool {
        self.tab == tab
    }

    /// How long until then, as people say it.
    pub(super) fn left(&self, until: &Timestamp) -> String {
        time_left(until.seconds_since(self.now))
    }
}

/// So many seconds from now, rounded down: what is left is never said longer than it is.
pub(super) fn time_left(seconds: i64) -> String {
    let plural =
        |count: i64, unit: &str| format!("{count} {unit}{}", if count == 1 { "" } else { "s" });
    match seconds {
        ..60 => "less than a minute".to_owned(),
        60..3_600 => plural(seconds / 60, "minute"),
        3_600..172_800 => {
            let (hours, minutes) = (seconds / 3_600, seconds % 3_600 / 60);
            if minutes == 0 {
                plural(hours, "hour")
            } else {
                format!("{} {}", plural(hours, "hour"), plural(minutes, "minute"))
            }
        }
        172_800.. => plural(seconds / 86_400, "day"),
    }
}

/// Everything that somebody reaches.
pub(super) async fn reachable(
    app: &App,
    caller: &PortalUser,
) -> Result<Vec<ReachableAccount>, Fault> {
    let (space, user) = (caller.space.id, caller.user.id);
    Ok(app.db.read(async |tx| access::reachable(tx, space, user).await).await?)
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
