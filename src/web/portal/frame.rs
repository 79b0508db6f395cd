//! What every page of the portal has around it: whose it is, and the tabs with their counts.

use super::{home_of, words};
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
        t!("portal-in-left", left = words::time_left(until.seconds_since(self.now)))
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
