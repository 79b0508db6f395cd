//! Multi-account authorisation: choose accounts, identities and configurations, look at what that
//! means, and begin (MAA-01…07, RS-01…04). What was chosen so far travels in the address, so that
//! going back, reloading and sharing a step all work.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::{Form, Query};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, Search, Section, Wrong, done},
    limits,
};
use crate::{
    app::App,
    directory::{self, Group, GroupFilter, User, UserFilter},
    id::{ConfigurationId, DepartmentId, Principal, Uin},
    organization::{self, Account, AccountFilter, Department},
    permission::{self, Configuration, ConfigurationFilter, MOST_ASSIGNMENTS_PER_CALL, Triple},
    store::{PageRequest, Read},
    web::{Fault, page::Page, pages::PageError},
};

/// Rows offered to choose from; the search finds the others.
const OFFERED: i64 = 200;
/// Accounts that the tree shows at most, as many as an organisation may have.
const MOST_ACCOUNTS: i64 = 10_000;

/// What has been chosen so far.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    account: Vec<Uin>,
    principal: Vec<String>,
    configuration: Vec<ConfigurationId>,
    search: String,
}

impl Choice {
    /// The choice as fields for the next form.
    fn carried(&self) -> Vec<(&'static str, String)> {
        let accounts = self.account.iter().map(|one| ("account", one.to_string()));
        let principals = self.principal.iter().map(|one| ("principal", one.clone()));
        let configurations =
            self.configuration.iter().map(|one| ("configuration", one.to_string()));
        accounts.chain(principals).chain(configurations).collect()
    }

    /// The chosen identities; text that is none counts as wrong.
    fn principals(&self) -> Result<Vec<Principal>, Wrong> {
        self.principal
            .iter()
            .map(|text| text.parse().map_err(|_| Wrong::whole("There is no such user or group.")))
            .collect()
    }

    /// Every combination, each once.
    fn triples(&self) -> Result<Vec<Triple>, Wrong> {
        let mut triples = Vec::new();
        for principal in self.principals()? {
            for account in &self.account {
                for configuration in &self.configuration {
                    triples.push(Triple {
                        principal,
                        account: *account,
                        configuration: *configuration,
                    });
                }
            }
        }
        triples.sort_unstable();
        triples.dedup();
        if triples.len() > MOST_ASSIGNMENTS_PER_CALL {
            return Err(Wrong::whole(format!(
                "These are {} assignments; at most {MOST_ASSIGNMENTS_PER_CALL} can be made at \
                 once. Choose fewer.",
                triples.len()
            )));
        }
        Ok(triples)
    }

    fn summary(&self) -> String {
        let count = |number: usize, one: &str, many: &str| {
            format!("{number} {}", if number == 1 { one } else { many })
        };
        let mut parts = vec![count(self.account.len(), "account", "accounts")];
        if !self.principal.is_empty() {
            parts.push(count(self.principal.len(), "user or group", "users and groups"));
        }
        format!("Chosen: {}.", parts.join(", "))
    }

    fn search(&self, label: &'static str) -> Search {
        Search { label: label.into(), text: self.search.trim().to_owned(), keep: self.carried() }
    }

    fn wanted(&self) -> Option<String> {
        let wanted = self.search.trim();
        (!wanted.is_empty()).then(|| wanted.to_owned())
    }
}

/// A department in the tree.
#[derive(Template)]
#[template(path = "parts/branch.html")]
struct Branch {
    name: String,
    total: usize,
    accounts: Vec<Account>,
    branches: Vec<Branch>,
}

/// The tree under a department. Departments know their parent, so there is no cycle to fear: each
/// is taken out of the map once.
fn branch(
    department: &Department,
    below: &mut HashMap<DepartmentId, Vec<Department>>,
    accounts: &mut HashMap<DepartmentId, Vec<Account>>,
) -> Branch {
    let children = below.remove(&department.id).unwrap_or_default();
    let branches: Vec<Branch> =
        children.iter().map(|child| branch(child, below, accounts)).collect();
    let own = accounts.remove(&department.id).unwrap_or_default();
    let total = own.len() + branches.iter().map(|branch| branch.total).sum::<usize>();
    Branch { name: department.name.clone(), total, accounts: own, branches }
}

#[derive(Template)]
#[template(path = "console/accounts.html")]
struct TreePage {
    frame: Frame,
    step: u8,
    tree: Vec<Branch>,
    departments: usize,
    accounts: i64,
    wrong: Option<Wrong>,
}

pub(super) async fn tree(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    Ok(Page::new(look_at_tree(&app, &administrator, None).await?).into_response())
}

async fn look_at_tree(
    app: &App,
    who: &Administrator,
    wrong: Option<Wrong>,
) -> Result<TreePage, PageError> {
    who.space()?;
    let organization = who.organization.id;
    let (departments, page) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let all = AccountFilter::default();
            let page = PageRequest::first(MOST_ACCOUNTS);
            let departments = organization::departments(tx, organization).await?;
            Ok((departments, organization::accounts(tx, organization, &all, page).await?))
        })
        .await?;
    let count = departments.len();
    let mut accounts: HashMap<DepartmentId, Vec<Account>> = HashMap::new();
    for account in page.rows {
        accounts.entry(account.department_id).or_default().push(account);
    }
    let mut roots = Vec::new();
    let mut below: HashMap<DepartmentId, Vec<Department>> = HashMap::new();
    for department in departments {
        match department.parent_id {
            Some(parent) => below.entry(parent).or_default().push(department),
            None => roots.push(department),
        }
    }
    Ok(TreePage {
        frame: Frame::new(who, Section::Authorization, None),
        step: 1,
        tree: roots.iter().map(|root| branch(root, &mut below, &mut accounts)).collect(),
        departments: count,
        accounts: page.total,
        wrong,
    })
}

#[derive(Template)]
#[template(path = "console/identities.html")]
struct Identities {
    frame: Frame,
    step: u8,
    chosen: String,
    carried: Vec<(&'static str, String)>,
    search: Search,
    groups: Vec<Group>,
    users: Vec<User>,
    more: bool,
    wrong: Option<Wrong>,
}

pub(super) async fn identities(
    State(app): State<App>,
    administrator: Administrator,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    if choice.account.is_empty() {
        let wrong = Some(Wrong::whole("Choose at least one account."));
        let page = look_at_tree(&app, &administrator, wrong).await?;
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    Ok(Page::new(look_at_identities(&app, &administrator, &choice, None).await?).into_response())
}

async fn look_at_identities(
    app: &App,
    who: &Administrator,
    choice: &Choice,
    wrong: Option<Wrong>,
) -> Result<Identities, PageError> {
    let space = who.space()?.id;
    let (groups, users) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = PageRequest::first(OFFERED);
            let groups = GroupFilter { search: choice.wanted(), ..GroupFilter::default() };
            let users = UserFilter { search: choice.wanted(), ..UserFilter::default() };
            Ok((
                directory::groups(tx, space, &groups, page).await?,
                directory::users(tx, space, &users, page).await?,
            ))
        })
        .await?;
    Ok(Identities {
        frame: Frame::new(who, Section::Authorization, None),
        step: 2,
        chosen: choice.summary(),
        carried: choice.carried(),
        search: choice.search("User or group"),
        more: users.next.is_some() || groups.next.is_some(),
        groups: groups.rows,
        users: users.rows,
        wrong,
    })
}

#[derive(Template)]
#[template(path = "console/choose_configurations.html")]
struct ChooseConfigurations {
    frame: Frame,
    step: u8,
    chosen: String,
    carried: Vec<(&'static str, String)>,
    search: Search,
    configurations: Vec<Configuration>,
    wrong: Option<Wrong>,
}

pub(super) async fn configurations(
    State(app): State<App>,
    administrator: Administrator,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    if choice.principal.is_empty() {
        let wrong = Some(Wrong::whole("Choose at least one user or group."));
        let page = look_at_identities(&app, &administrator, &choice, wrong).await?;
        return Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response());
    }
    let page = look_at_configurations(&app, &administrator, &choice, None).await?;
    Ok(Page::new(page).into_response())
}

async fn look_at_configurations(
    app: &App,
    who: &Administrator,
    choice: &Choice,
    wrong: Option<Wrong>,
) -> Result<ChooseConfigurations, PageError> {
    let space = who.space()?.id;
    let filter = ConfigurationFilter { search: choice.wanted() };
    let page = PageRequest::first(OFFERED);
    let found =
        app.db.read(async |tx| permission::configurations(tx, space, &filter, page).await).await?;
    Ok(ChooseConfigurations {
        frame: Frame::new(who, Section::Authorization, None),
        step: 3,
        chosen: choice.summary(),
        carried: choice.carried(),
        search: choice.search("Configuration"),
        configurations: found.rows,
        wrong,
    })
}

#[derive(Template)]
#[template(path = "console/review.html")]
struct Review {
    frame: Frame,
    step: u8,
    management: bool,
    accounts: Vec<Account>,
    principals: Vec<(Principal, String, String)>,
    configurations: Vec<Configuration>,
    fresh: usize,
    existing: usize,
    carried: Vec<(&'static str, String)>,
    wrong: Option<Wrong>,
}

pub(super) async fn review(
    State(app): State<App>,
    administrator: Administrator,
    Query(choice): Query<Choice>,
) -> Result<Response, PageError> {
    let checked = if choice.configuration.is_empty() {
        Err(Wrong::whole("Choose at least one configuration."))
    } else {
        choice.triples()
    };
    match checked {
        Ok(triples) => {
            let page = look_at_review(&app, &administrator, &choice, &triples, None).await?;
            Ok(Page::new(page).into_response())
        }
        Err(wrong) => {
            let page = look_at_configurations(&app, &administrator, &choice, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn look_at_review(
    app: &App,
    who: &Administrator,
    choice: &Choice,
    triples: &[Triple],
    wrong: Option<Wrong>,
) -> Result<Review, PageError> {
    let (mut page, existing) = app
        .db
        .read(async |tx| -> Result<_, PageError> {
            let page = chosen(tx, who, choice, wrong.clone()).await?;
            let space = who.space()?.id;
            let mut existing = 0;
            for triple in triples {
                if permission::assignment(tx, space, triple).await?.is_some() {
                    existing += 1;
                }
            }
            Ok((page, existing))
        })
        .await?;
    page.existing = existing;
    page.fresh = triples.len().saturating_sub(existing);
    Ok(page)
}

/// Everything that was chosen, by name. What is not there is a page that is not there.
async fn chosen(
    tx: &mut Read,
    who: &Administrator,
    choice: &Choice,
    wrong: Option<Wrong>,
) -> Result<Review, PageError> {
    let space = who.space()?.id;
    let mut accounts = Vec::new();
    for uin in &choice.account {
        let account = organization::account(tx, who.organization.id, *uin).await?;
        accounts.push(account.ok_or(organization::Error::AccountNotFound)?);
    }
    let mut configurations = Vec::new();
    for id in &choice.configuration {
        let found = permission::configuration(tx, space, *id).await?;
        configurations.push(found.ok_or(permission::Error::ConfigurationNotFound)?);
    }
    let mut principals = Vec::new();
    for text in &choice.principal {
        let principal: Principal =
            text.parse().map_err(|_| PageError::from(directory::Error::UserNotFound))?;
        principals.push(match principal {
            Principal::User(id) => {
                let user = directory::user(tx, space, id).await?;
                let user = user.ok_or(directory::Error::UserNotFound)?;
                (principal, user.user_name.clone(), user.shown_name().to_owned())
            }
            Principal::Group(id) => {
                let group = directory::group(tx, space, id).await?;
                let group = group.ok_or(directory::Error::GroupNotFound)?;
                let members = format!("group of {}", group.member_count);
                (principal, group.name, members)
            }
        });
    }
    Ok(Review {
        frame: Frame::new(who, Section::Authorization, None),
        step: 4,
        management: accounts.iter().any(Account::is_management),
        accounts,
        principals,
        configurations,
        fresh: 0,
        existing: 0,
        carried: choice.carried(),
        wrong,
    })
}

/// Begins: one assignment and one task per combination, in one transaction.
pub(super) async fn begin(
    State(app): State<App>,
    administrator: Administrator,
    Form(choice): Form<Choice>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let triples = match choice.triples() {
        Ok(triples) => triples,
        Err(wrong) => return Err(super::refused(&wrong)),
    };
    let limits = limits(&app);
    let begun = app
        .db
        .write(async |tx| -> Result<_, permission::Error> {
            permission::create_assignments(tx, &administrator.act, space, &triples, &limits).await
        })
        .await;
    match begun {
        Ok(_) => Ok(done("/console/tasks", "assignments-begun")),
        Err(error) => {
            let wrong = Some(Wrong::of(error.into())?);
            let page = look_at_review(&app, &administrator, &choice, &triples, wrong).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::UserId;

    fn choice(accounts: i64, users: i64) -> Choice {
        Choice {
            account: (0..accounts).map(Uin).collect(),
            principal: (0..users).map(|id| UserId(id).to_string()).collect(),
            configuration: vec![ConfigurationId(1), ConfigurationId(1)],
            search: String::new(),
        }
    }

    #[test]
    fn maa_05_a_choice_is_every_combination_once() {
        assert_eq!(choice(2, 3).triples().unwrap().len(), 6);
    }

    #[test]
    fn maa_08_more_than_fifty_are_refused() {
        assert_eq!(choice(10, 5).triples().unwrap().len(), 50);
        assert!(choice(17, 3).triples().unwrap_err().message.contains("51"));
    }

    #[test]
    fn what_is_no_identity_is_refused() {
        let mut choice = choice(1, 1);
        choice.principal.push("rc-000000000001".to_owned());
        assert!(choice.triples().is_err());
    }
}
