//! Who may ask for what at the portal: the scopes of access requests.

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
    frame::{Frame, ListQuery, Pager, Search, Section, Wrong, done},
};
use crate::{
    app::App,
    directory::{self, GroupFilter, UserFilter},
    id::{ConfigurationId, Principal, Uin},
    organization::{self, AccountFilter},
    permission::{self, ConfigurationFilter, Triple},
    request::{self, Scope, ScopeFilter},
    store::PageRequest,
    web::{Fault, page::Page, pages::PageError},
};

const HERE: &str = "/console/requests/scopes";
/// Choices in a list; the search finds the others.
const OFFERED: i64 = 100;

#[derive(Template)]
#[template(path = "console/scopes.html")]
struct ScopeList {
    frame: Frame,
    scopes: Vec<Scope>,
    search: Search,
    pager: Pager,
    wrong: Option<Wrong>,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(page(&app, &administrator, &query, None).await?).into_response())
}

async fn page(
    app: &App,
    who: &Administrator,
    query: &ListQuery,
    wrong: Option<Wrong>,
) -> Result<ScopeList, PageError> {
    let space = who.space()?.id;
    let filter = ScopeFilter { search: query.wanted(), ..ScopeFilter::default() };
    let found =
        app.db.read(async |tx| request::scopes(tx, space, &filter, query.page()).await).await?;
    let pager = query.pager(HERE, &found);
    Ok(ScopeList {
        frame: Frame::new(who, Section::Requests, query.done.as_deref()),
        scopes: found.rows,
        search: Search::new(key!("account-search"), query),
        pager,
        wrong,
    })
}

/// What is wanted of a scope to be.
#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct ScopeForm {
    principal: Vec<String>,
    account: Vec<Uin>,
    configuration: Vec<ConfigurationId>,
    search: String,
}

impl ScopeForm {
    fn triples(&self) -> Option<Vec<Triple>> {
        let mut triples = Vec::new();
        for principal in &self.principal {
            let principal: Principal = principal.parse().ok()?;
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
        Some(triples)
    }
}

/// Something to choose: its value, what it is called, and whether it is chosen.
struct Choice {
    value: String,
    name: String,
    is_chosen: bool,
}

#[derive(Template)]
#[template(path = "console/scope_new.html")]
struct NewScope {
    frame: Frame,
    search: String,
    principals: Vec<Choice>,
    accounts: Vec<Choice>,
    configurations: Vec<Choice>,
    wrong: Option<Wrong>,
}

pub(super) async fn new(
    State(app): State<App>,
    administrator: Administrator,
    Query(form): Query<ScopeForm>,
) -> Result<Response, PageError> {
    Ok(Page::new(new_page(&app, &administrator, &form, None).await?).into_response())
}

async fn new_page(
    app: &App,
    who: &Administrator,
    form: &ScopeForm,
    wrong: Option<Wrong>,
) -> Result<NewScope, PageError> {
    let space = who.space()?.id;
    let organization = who.organization.id;
    let wanted = Some(form.search.trim().to_owned()).filter(|text| !text.is_empty());
    let page = PageRequest::first(OFFERED);
    let (groups, users, accounts, configurations) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let groups = GroupFilter { search: wanted.clone(), ..GroupFilter::default() };
            let users = UserFilter { search: wanted.clone(), ..UserFilter::default() };
            let all = AccountFilter::default();
            let configurations = ConfigurationFilter::default();
            Ok((
                directory::groups(tx, space, &groups, page).await?.rows,
                directory::users(tx, space, &users, page).await?.rows,
                organization::accounts(tx, organization, &all, page).await?.rows,
                permission::configurations(tx, space, &configurations, page).await?.rows,
            ))
        })
        .await?;
    let principal = |value: String, name: String| Choice {
        is_chosen: form.principal.contains(&value),
        value,
        name,
    };
    let named = groups
        .into_iter()
        .map(|it| principal(it.id.to_string(), format!("{} ({})", it.name, t!("identity-group"))));
    let users = users.into_iter().map(|it| principal(it.id.to_string(), it.user_name));
    Ok(NewScope {
        frame: Frame::new(who, Section::Requests, None),
        search: form.search.trim().to_owned(),
        principals: named.chain(users).collect(),
        accounts: accounts
            .into_iter()
            .map(|it| Choice {
                value: it.uin.to_string(),
                is_chosen: form.account.contains(&it.uin),
                name: it.name,
            })
            .collect(),
        configurations: configurations
            .into_iter()
            .map(|it| Choice {
                value: it.id.to_string(),
                is_chosen: form.configuration.contains(&it.id),
                name: it.name,
            })
            .collect(),
        wrong,
    })
}

/// Lets identities ask.
pub(super) async fn create(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<ScopeForm>,
) -> Result<Response, PageError> {
    let (act, space) = (&administrator.act, administrator.space()?.id);
    let triples = form.triples().unwrap_or_default();
    let made =
        app.db.write(async |tx| request::create_scopes(tx, act, space, &triples).await).await;
    match made {
        Ok(()) => Ok(done(HERE, "scopes-created")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = new_page(&app, &administrator, &form, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// Lets an identity ask no more.
pub(super) async fn delete(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<ScopeForm>,
) -> Result<Response, PageError> {
    let (act, space) = (&administrator.act, administrator.space()?.id);
    let triples = form.triples().unwrap_or_default();
    let gone = app
        .db
        .write(async |tx| -> Result<(), request::Error> {
            for Triple { principal, account, configuration } in &triples {
                let one = std::slice::from_ref(configuration);
                request::delete_scopes(tx, act, space, *principal, *account, one).await?;
            }
            Ok(())
        })
        .await;
    match gone {
        Ok(()) => Ok(done(HERE, "scope-deleted")),
        Err(error) => {
            let wrong = Some(Wrong::of(error.into())?);
            let page = page(&app, &administrator, &ListQuery::default(), wrong).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
