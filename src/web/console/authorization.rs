//! Multi-account authorisation: choose accounts, then identities, then configurations, and look at
//! the plan of it (MAA-01…07, RS-01…04). What was chosen so far travels in the address, so that
//! going back, reloading and signing in again all lead to the same step.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Query;

use super::{
    Administrator,
    frame::{Frame, Section, Wrong},
    plans::{ROLE_STEPS, SYNC_STEPS, Wanted},
};
use crate::{
    access::{Names, WantedNames},
    app::App,
    directory::{self, Group, GroupFilter, User, UserFilter},
    id::{ConfigurationId, DepartmentId, Principal, Uin},
    organization::{self, Account, AccountFilter, Department},
    permission::{self, Configuration, ConfigurationFilter},
    store::PageRequest,
    web::{Fault, messages::Message, page::Page, pages::PageError},
};

/// Rows offered to choose from; the search finds the others.
const OFFERED: i64 = 100;
/// Accounts that are read for the tree, as many as an organisation may have.
const MOST_ACCOUNTS: i64 = 10_000;
/// Accounts that a page of the tree shows; the search finds the others.
const MOST_SHOWN: usize = 200;

/// What to do with the accounts that are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Roles for identities.
    Roles,
    /// CAM users for identities.
    Users,
}

impl Way {
    fn steps(self) -> &'static [(u8, Message)] {
        match self {
            Self::Roles => &ROLE_STEPS,
            Self::Users => &SYNC_STEPS,
        }
    }

    /// The step where identities are chosen.
    fn here(self) -> &'static str {
        match self {
            Self::Roles => "/console/authorization/identities",
            Self::Users => "/console/user-syncs/new",
        }
    }

    fn next(self) -> &'static str {
        match self {
            Self::Roles => "/console/authorization/configurations",
            Self::Users => "/console/user-syncs/basics",
        }
    }
}

/// An account in the tree.
struct Leaf {
    account: Account,
    is_chosen: bool,
}

/// A department in the tree.
#[derive(Template)]
#[template(path = "parts/branch.html")]
struct Branch {
    id: DepartmentId,
    name: String,
    total: usize,
    is_open: bool,
    accounts: Vec<Leaf>,
    branches: Vec<Branch>,
}

/// What the tree is made of.
struct Grove {
    below: HashMap<DepartmentId, Vec<Department>>,
    accounts: HashMap<DepartmentId, Vec<Account>>,
    chosen: BTreeSet<Uin>,
    /// What is looked for, in small letters; empty for everything.
    search: String,
    shown: usize,
    /// Accounts that are there and not shown.
    left_out: usize,
    /// The accounts that are shown.
    seen: BTreeSet<Uin>,
}

impl Grove {
    fn is_found(&self, name: &str) -> bool {
        self.search.is_empty() || name.to_lowercase().contains(&self.search)
    }

    /// The tree under a department, as far as it is looked for. Departments know their parent, so
    /// there is no cycle to fear: each is taken out of the map once.
    fn branch(&mut self, department: &Department, all: bool) -> Option<Branch> {
        let all = all || self.is_found(&department.name);
        let children = self.below.remove(&department.id).unwrap_or_default();
        let own = self.accounts.remove(&department.id).unwrap_or_default();
        let mut total = own.len();
        let mut accounts = Vec::new();
        for account in own {
            let found =
                all || self.is_found(&account.name) || account.uin.to_string() == self.search;
            if !found {
                continue;
            }
            if self.shown >= MOST_SHOWN {
                self.left_out += 1;
                continue;
            }
            self.shown += 1;
            self.seen.insert(account.uin);
            let is_chosen = self.chosen.contains(&account.uin);
            accounts.push(Leaf { account, is_chosen });
        }
        let mut branches = Vec::new();
        for child in &children {
            let Some(branch) = self.branch(child, all) else { continue };
            branches.push(branch);
        }
        total += branches.iter().map(|branch| branch.total).sum::<usize>();
        let is_there = all || !accounts.is_empty() || !branches.is_empty();
        is_there.then(|| Branch {
            id: department.id,
            name: department.name.clone(),
            total,
            is_open: true,
            accounts,
            branches,
        })
    }
}

#[derive(Template)]
#[template(path = "console/accounts.html")]
struct TreePage {
    frame: Frame,
    steps: &'static [(u8, Message)],
    step: u8,
    tree: Vec<Branch>,
    departments: usize,
    accounts: i64,
    left_out: usize,
    search: String,
    /// Chosen, and not among those that are shown.
    elsewhere: Vec<(Uin, String)>,
    chosen: usize,
    carried: Vec<(&'static str, String)>,
    wrong: Option<Wrong>,
}

pub(super) async fn tree(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    Ok(Page::new(look_at_tree(&app, &administrator, &wanted, None).await?).into_response())
}

async fn look_at_tree(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    wrong: Option<Wrong>,
) -> Result<TreePage, PageError> {
    let space = who.space()?.id;
    let organization = who.organization.id;
    let chosen: BTreeSet<Uin> = wanted.account.iter().copied().collect();
    let (departments, page, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let all = AccountFilter::default();
            let page = PageRequest::first(MOST_ACCOUNTS);
            let departments = organization::departments(tx, organization).await?;
            let accounts = organization::accounts(tx, organization, &all, page).await?;
            let named = WantedNames { accounts: chosen.clone(), ..WantedNames::default() };
            Ok((departments, accounts, Names::read(tx, space, &named).await?))
        })
        .await?;
    let count = departments.len();
    let mut grove = Grove {
        below: HashMap::new(),
        accounts: HashMap::new(),
        chosen,
        search: wanted.search.trim().to_lowercase(),
        shown: 0,
        left_out: 0,
        seen: BTreeSet::new(),
    };
    for account in page.rows {
        grove.accounts.entry(account.department_id).or_default().push(account);
    }
    let mut roots = Vec::new();
    for department in departments {
        match department.parent_id {
            Some(parent) => grove.below.entry(parent).or_default().push(department),
            None => roots.push(department),
        }
    }
    let tree = roots.iter().filter_map(|root| grove.branch(root, false)).collect();
    let elsewhere = names.accounts().filter(|(uin, _)| !grove.seen.contains(uin));
    Ok(TreePage {
        frame: Frame::new(who, Section::Authorization, None),
        steps: &ROLE_STEPS,
        step: 1,
        tree,
        departments: count,
        accounts: page.total,
        left_out: grove.left_out,
        search: wanted.search.trim().to_owned(),
        elsewhere: elsewhere.map(|(uin, name)| (uin, name.to_owned())).collect(),
        chosen: names.accounts().count(),
        carried: wanted.carried_but(&["account", "act"]),
        wrong,
    })
}

/// What was chosen in the steps before, by name.
struct Summary {
    accounts: Vec<String>,
    identities: Vec<String>,
}

impl Summary {
    fn of(names: &Names) -> Self {
        Self {
            accounts: names.accounts().map(|(_, name)| name.to_owned()).collect(),
            identities: names.principals().map(|(_, name)| name.to_owned()).collect(),
        }
    }
}

/// An identity to choose.
struct Offer<T> {
    it: T,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/identities.html")]
struct Identities {
    frame: Frame,
    steps: &'static [(u8, Message)],
    step: u8,
    here: &'static str,
    next: &'static str,
    back: String,
    summary: Summary,
    carried: Vec<(&'static str, String)>,
    search: String,
    groups: Vec<Offer<Group>>,
    group_total: i64,
    more_groups: bool,
    users: Vec<Offer<User>>,
    user_total: i64,
    more_users: bool,
    /// Chosen, and not among those that are shown.
    elsewhere: Vec<(Principal, String)>,
    chosen: usize,
    wrong: Option<Wrong>,
}

pub(super) async fn identities(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    choose_identities(&app, &administrator, &wanted, Way::Roles).await
}

/// The same for CAM users.
pub(super) async fn sync_identities(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    choose_identities(&app, &administrator, &wanted, Way::Users).await
}

async fn choose_identities(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    way: Way,
) -> Result<Response, PageError> {
    if wanted.account.is_empty() {
        let wrong = Some(Wrong::whole(t!("choose-account")));
        let page = look_at_tree(app, who, wanted, wrong).await?;
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    Ok(Page::new(look_at_identities(app, who, wanted, way, None).await?).into_response())
}

/// The identities step again, for who chose none: shared with the steps after it.
pub(super) async fn no_identity(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    is_sync: bool,
) -> Result<Response, PageError> {
    let way = if is_sync { Way::Users } else { Way::Roles };
    let wrong = Some(Wrong::whole(t!("choose-identity")));
    let page = look_at_identities(app, who, wanted, way, wrong).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn look_at_identities(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    way: Way,
    wrong: Option<Wrong>,
) -> Result<Identities, PageError> {
    let space = who.space()?.id;
    let chosen = wanted.principals().unwrap_or_default();
    let (groups, users, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = PageRequest::first(OFFERED);
            let groups = GroupFilter { search: wanted.looked_for(), ..GroupFilter::default() };
            let users = UserFilter { search: wanted.looked_for(), ..UserFilter::default() };
            Ok((
                directory::groups(tx, space, &groups, page).await?,
                directory::users(tx, space, &users, page).await?,
                named(tx, space, wanted).await?,
            ))
        })
        .await?;
    let is_chosen = |one: Principal| chosen.contains(&one);
    let shown: BTreeSet<Principal> = groups
        .rows
        .iter()
        .map(|it| Principal::Group(it.id))
        .chain(users.rows.iter().map(|it| Principal::User(it.id)))
        .collect();
    let elsewhere = names.principals().filter(|(id, _)| !shown.contains(id));
    Ok(Identities {
        frame: Frame::new(who, way.section(), None),
        steps: way.steps(),
        step: 2,
        here: way.here(),
        next: way.next(),
        back: wanted.address("/console/authorization"),
        carried: wanted.carried_but(&["principal"]),
        search: wanted.search.trim().to_owned(),
        elsewhere: elsewhere.map(|(id, name)| (id, name.to_owned())).collect(),
        chosen: chosen.len(),
        summary: Summary::of(&names),
        group_total: groups.total,
        more_groups: groups.next.is_some(),
        groups: groups
            .rows
            .into_iter()
            .map(|it| Offer { is_chosen: is_chosen(Principal::Group(it.id)), it })
            .collect(),
        user_total: users.total,
        more_users: users.next.is_some(),
        users: users
            .rows
            .into_iter()
            .map(|it| Offer { is_chosen: is_chosen(Principal::User(it.id)), it })
            .collect(),
        wrong,
    })
}

impl Way {
    fn section(self) -> Section {
        match self {
            Self::Roles => Section::Authorization,
            Self::Users => Section::UserSyncs,
        }
    }
}

/// The names of what was chosen so far.
pub(super) async fn named(
    tx: &mut crate::store::Read,
    space: crate::id::SpaceId,
    wanted: &Wanted,
) -> Result<Names, Fault> {
    let named = WantedNames {
        accounts: wanted.account.iter().copied().collect(),
        principals: wanted.principals().unwrap_or_default(),
        configurations: wanted.configuration.iter().copied().collect(),
    };
    Ok(Names::read(tx, space, &named).await?)
}

#[derive(Template)]
#[template(path = "console/choose_configurations.html")]
struct ChooseConfigurations {
    frame: Frame,
    steps: &'static [(u8, Message)],
    step: u8,
    back: String,
    summary: Summary,
    carried: Vec<(&'static str, String)>,
    search: String,
    configurations: Vec<Offer<Configuration>>,
    total: i64,
    more: bool,
    /// Chosen, and not among those that are shown.
    elsewhere: Vec<(ConfigurationId, String)>,
    chosen: usize,
    wrong: Option<Wrong>,
}

pub(super) async fn configurations(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    if wanted.principal.is_empty() || wanted.principals().is_err() {
        return no_identity(&app, &administrator, &wanted, false).await;
    }
    let page = look_at_configurations(&app, &administrator, &wanted, None).await?;
    Ok(Page::new(page).into_response())
}

/// The last step before the plan: what is chosen there must come to something.
pub(super) async fn review(
    State(app): State<App>,
    administrator: Administrator,
    Query(wanted): Query<Wanted>,
) -> Result<Response, PageError> {
    let wanted = Wanted { act: Some(super::plans::Deed::Assign), ..wanted };
    let wrong = if wanted.configuration.is_empty() {
        Some(Wrong::whole(t!("choose-configuration")))
    } else {
        wanted.operation().err()
    };
    if wrong.is_some() {
        let page = look_at_configurations(&app, &administrator, &wanted, wrong).await?;
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    super::plans::show(State(app), administrator, Query(wanted)).await
}

async fn look_at_configurations(
    app: &App,
    who: &Administrator,
    wanted: &Wanted,
    wrong: Option<Wrong>,
) -> Result<ChooseConfigurations, PageError> {
    let space = who.space()?.id;
    let filter = ConfigurationFilter { search: wanted.looked_for() };
    let page = PageRequest::first(OFFERED);
    let (found, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let found = permission::configurations(tx, space, &filter, page).await?;
            Ok((found, named(tx, space, wanted).await?))
        })
        .await?;
    let chosen: BTreeSet<ConfigurationId> = wanted.configuration.iter().copied().collect();
    let shown: BTreeSet<ConfigurationId> = found.rows.iter().map(|it| it.id).collect();
    let elsewhere = names.configurations().filter(|(id, _)| !shown.contains(id));
    Ok(ChooseConfigurations {
        frame: Frame::new(who, Section::Authorization, None),
        steps: &ROLE_STEPS,
        step: 3,
        back: wanted.address("/console/authorization/identities"),
        carried: wanted.carried_but(&["configuration", "act"]),
        search: wanted.search.trim().to_owned(),
        elsewhere: elsewhere.map(|(id, name)| (id, name.to_owned())).collect(),
        chosen: chosen.len(),
        summary: Summary::of(&names),
        total: found.total,
        more: found.next.is_some(),
        configurations: found
            .rows
            .into_iter()
            .map(|it| Offer { is_chosen: chosen.contains(&it.id), it })
            .collect(),
        wrong,
    })
}
