//! What of all that somebody reaches stands on a page of the home: searched, a page of accounts at
//! a time, grouped by department (PRT-03, PRT-10).

use crate::access::{ReachableAccount, ReachableRole, ReachableUser, shortcuts::Shortcut};

/// How many accounts stand on a page: with ten roles each the page stays under 100 kB.
const ACCOUNTS_PER_PAGE: usize = 10;
/// Up to so many accounts all of them stand open.
const FEW_ACCOUNTS: usize = 6;
/// The longest text to search for, in characters.
pub(super) const LONGEST_SEARCH: usize = 128;

/// A role with whether it is starred.
pub(super) struct RoleRow<'a> {
    pub(super) role: &'a ReachableRole,
    pub(super) favourite: bool,
}

/// An account with those of its ways in that were looked for.
pub(super) struct AccountRow<'a> {
    pub(super) account: &'a ReachableAccount,
    pub(super) roles: Vec<RoleRow<'a>>,
    pub(super) users: Vec<&'a ReachableUser>,
}

impl AccountRow<'_> {
    /// How many ways in.
    pub(super) fn ways(&self) -> usize {
        self.roles.len() + self.users.len()
    }
}

/// The accounts of a department, in the order of their names.
pub(super) struct Department<'a> {
    pub(super) name: &'a str,
    pub(super) accounts: Vec<AccountRow<'a>>,
}

/// A page of the list.
pub(super) struct Listing<'a> {
    pub(super) departments: Vec<Department<'a>>,
    /// How many accounts were found in all.
    pub(super) total: usize,
    /// Which page it is, from 1.
    pub(super) page: usize,
    /// How many there are.
    pub(super) pages: usize,
    /// Whether every account stands open.
    pub(super) open: bool,
    /// Whether the departments are told: there are several.
    pub(super) grouped: bool,
}

/// A role at hand: starred, or entered lately.
pub(super) struct Tile<'a> {
    pub(super) account: &'a ReachableAccount,
    pub(super) role: &'a ReachableRole,
}

fn folded(text: &str) -> String {
    text.trim().to_lowercase()
}

/// Which tab of the home is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ways {
    Roles,
    Users,
}

impl<'a> Listing<'a> {
    /// A page of what was looked for: part of an account's name or number, which finds all of its
    /// ways in, or part of a role's or CAM user's name, which finds those.
    pub(super) fn new(
        accounts: &'a [ReachableAccount],
        shortcuts: &[Shortcut],
        ways: Ways,
        search: &str,
        page: usize,
    ) -> Self {
        let wanted = folded(search);
        let starred = |account: &ReachableAccount, role: &ReachableRole| {
            let is_it = |it: &Shortcut| {
                it.favourite && it.account_uin == account.uin && it.configuration_id == role.id
            };
            shortcuts.iter().any(is_it)
        };
        let found: Vec<AccountRow<'a>> = accounts
            .iter()
            .filter_map(|account| {
                let all = account.name.to_lowercase().contains(&wanted)
                    || account.uin.to_string().contains(&wanted);
                let fits = |name: &str| all || name.to_lowercase().contains(&wanted);
                let mut row = AccountRow { account, roles: Vec::new(), users: Vec::new() };
                match ways {
                    Ways::Roles => {
                        let roles = account.roles.iter().filter(|role| fits(&role.name));
                        row.roles = roles
                            .map(|role| RoleRow { role, favourite: starred(account, role) })
                            .collect();
                    }
                    Ways::Users => {
                        row.users = account.users.iter().filter(|user| fits(&user.name)).collect();
                    }
                }
                (row.ways() > 0).then_some(row)
            })
            .collect();
        let total = found.len();
        let pages = total.div_ceil(ACCOUNTS_PER_PAGE).max(1);
        let page = page.clamp(1, pages);
        let first = found.first().map(|row| row.account.department.as_str());
        let grouped = found.iter().any(|row| Some(row.account.department.as_str()) != first);
        let mut found = found;
        // Whole departments follow one another; within one the order of names stays.
        found.sort_by(|a, b| a.account.department.cmp(&b.account.department));
        let shown = found.into_iter().skip((page - 1) * ACCOUNTS_PER_PAGE).take(ACCOUNTS_PER_PAGE);
        let mut departments: Vec<Department<'a>> = Vec::new();
        for row in shown {
            let name = row.account.department.as_str();
            match departments.last_mut().filter(|department| department.name == name) {
                Some(department) => department.accounts.push(row),
                None => departments.push(Department { name, accounts: vec![row] }),
            }
        }
        let open = total <= FEW_ACCOUNTS;
        Self { departments, total, page, pages, open, grouped }
    }
}

/// The starred roles, by account and name, and those entered last, the latest first. Only what is
/// reached still; a starred one is not told twice.
pub(super) fn at_hand<'a>(
    accounts: &'a [ReachableAccount],
    shortcuts: &[Shortcut],
) -> (Vec<Tile<'a>>, Vec<Tile<'a>>) {
    let tile = |shortcut: &Shortcut| {
        let account = accounts.iter().find(|account| account.uin == shortcut.account_uin)?;
        let role = account.roles.iter().find(|role| role.id == shortcut.configuration_id)?;
        Some(Tile { account, role })
    };
    let mut favourites: Vec<Tile<'a>> =
        shortcuts.iter().filter(|it| it.favourite).filter_map(tile).collect();
    favourites
        .sort_by(|a, b| (&a.account.name, &a.role.name).cmp(&(&b.account.name, &b.role.name)));
    let mut recent: Vec<&Shortcut> =
        shortcuts.iter().filter(|it| !it.favourite && it.entered_at.is_some()).collect();
    recent.sort_by_key(|it| std::cmp::Reverse(it.entered_at));
    (favourites, recent.into_iter().filter_map(tile).collect())
}
