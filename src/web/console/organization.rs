//! The organisation: its departments and the accounts in them (MAA-14).

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use axum_extra::extract::Form;
use serde::Deserialize;

use super::{
    Administrator, MOST_AT_ONCE,
    conflict::{Unsaved, unchanged},
    frame::{FormPage, Frame, ListQuery, Pager, Search, Section, Wrong, done},
    refused,
};
use crate::{
    app::App,
    cloud,
    id::Uin,
    organization::{self, Account, AccountFilter, Department},
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

const HERE: &str = "/console/organization";

#[derive(Template)]
#[template(path = "console/organization.html")]
struct Organization {
    frame: Frame,
    departments: Vec<Department>,
    /// The one whose accounts are shown; none for all of them.
    chosen: Option<Department>,
    rows: Vec<Account>,
    search: Search,
    pager: Pager,
}

impl Organization {
    fn is_chosen(&self, department: &Department) -> bool {
        self.chosen.as_ref().is_some_and(|chosen| chosen.id == department.id)
    }

    /// Whether something is in the chosen department that keeps it from being deleted, as far as
    /// this page knows.
    fn holds(&self, department: &Department) -> bool {
        self.pager.total > 0
            || self.departments.iter().any(|other| other.parent_id == Some(department.id))
    }
}

/// Which department is chosen.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Chosen {
    department: Option<i64>,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
    Query(chosen): Query<Chosen>,
) -> Result<Response, PageError> {
    let id = administrator.organization.id;
    let (departments, found, page) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let departments = organization::departments(tx, id).await?;
            let found = chosen
                .department
                .and_then(|node| departments.iter().find(|one| one.node_id == node).cloned());
            let filter = AccountFilter {
                search: query.wanted(),
                department: found.as_ref().map(|found| found.id),
            };
            let page = organization::accounts(tx, id, &filter, query.page()).await?;
            Ok((departments, found, page))
        })
        .await?;
    let node = found.as_ref().map(|found| found.node_id.to_string()).unwrap_or_default();
    let pager = query.pager_with(HERE, &page, &[("department", node.as_str())]);
    let mut search = Search::new(key!("accounts-search"), &query);
    if !node.is_empty() {
        search.keep.push(("department", node));
    }
    let frame = Frame::new(&administrator, Section::Organization, query.done.as_deref());
    let page = Organization { frame, departments, chosen: found, rows: page.rows, search, pager };
    Ok(Page::new(page).into_response())
}

/// A department or an account to be.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NameForm {
    name: String,
    remark: String,
    department: i64,
    mark: String,
}

impl NameForm {
    fn of_department(of: &Department) -> Self {
        let (name, remark) = (of.name.clone(), of.remark.clone());
        Self { name, remark, department: of.node_id, mark: String::new() }
    }

    fn of_account(of: &Account) -> Self {
        let (name, remark) = (of.name.clone(), of.remark.clone());
        Self { name, remark, department: of.node_id, mark: String::new() }
    }
}

fn name_page(who: &Administrator, form: &NameForm, wrong: Option<Wrong>) -> FormPage {
    let at = |name| Wrong::at(wrong.as_ref(), name);
    FormPage {
        frame: Frame::new(who, Section::Organization, None),
        title: key!("department-create"),
        intro: key!("department-create-about"),
        back: format!("{HERE}?department={}", form.department),
        back_label: key!("organization-title").to_string(),
        action: format!("{HERE}/departments/{}/new", form.department),
        submit: key!("department-create"),
        fields: vec![
            Field::text("name", key!("name"))
                .longest(40)
                .value(&form.name)
                .focused()
                .error(at("name")),
            Field::text("remark", key!("remarks"))
                .optional()
                .longest(40)
                .value(&form.remark)
                .error(at("remark")),
        ],
        wrong,
        mark: String::new(),
    }
}

fn again(page: FormPage) -> Response {
    Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response()
}

pub(super) async fn new_department(
    administrator: Administrator,
    Path(parent): Path<i64>,
) -> Result<Response, PageError> {
    let form = NameForm { department: parent, ..NameForm::default() };
    Ok(Page::new(name_page(&administrator, &form, None)).into_response())
}

pub(super) async fn create_department(
    State(app): State<App>,
    administrator: Administrator,
    Path(parent): Path<i64>,
    Form(form): Form<NameForm>,
) -> Result<Response, PageError> {
    let (act, id) = (&administrator.act, administrator.organization.id);
    let (name, remark) = (form.name.trim(), form.remark.trim());
    let made = app
        .db
        .write(async |tx| organization::create_department(tx, act, id, parent, name, remark).await)
        .await;
    match made {
        Ok(made) => Ok(done(&at_department(made.node_id), "department-created")),
        Err(error) => {
            let form = NameForm { department: parent, ..form.clone() };
            Ok(again(name_page(&administrator, &form, Some(Wrong::of(error.into())?))))
        }
    }
}

fn at_department(node: i64) -> String {
    format!("{HERE}?department={node}")
}

fn edit_department_page(
    who: &Administrator,
    node: i64,
    form: &NameForm,
    wrong: Option<Wrong>,
) -> FormPage {
    FormPage {
        title: key!("department-edit"),
        intro: key!("department-edit-about"),
        back: at_department(node),
        action: format!("{HERE}/departments/{node}"),
        submit: key!("save"),
        ..name_page(who, form, wrong)
    }
}

pub(super) async fn edit_department(
    State(app): State<App>,
    administrator: Administrator,
    Path(node): Path<i64>,
) -> Result<Response, PageError> {
    let id = administrator.organization.id;
    let found = app.db.read(async |tx| organization::department(tx, id, node).await).await?;
    let found = found.ok_or(Fault::from(organization::Error::DepartmentNotFound))?;
    let form = NameForm::of_department(&found);
    let page = edit_department_page(&administrator, node, &form, None).marked();
    Ok(Page::new(page).into_response())
}

pub(super) async fn update_department(
    State(app): State<App>,
    administrator: Administrator,
    Path(node): Path<i64>,
    Form(form): Form<NameForm>,
) -> Result<Response, PageError> {
    let (act, id) = (&administrator.act, administrator.organization.id);
    let (name, remark) = (Some(form.name.trim()), Some(form.remark.trim()));
    let changed = app
        .db
        .write(async |tx| -> Result<Department, Unsaved<organization::Error>> {
            organization::lock(tx, id).await?;
            if let Some(now) = organization::department(tx, id, node).await? {
                let now = NameForm::of_department(&now);
                let now = edit_department_page(&administrator, node, &now, None).version();
                unchanged(&form.mark, now)?;
            }
            let changed = organization::update_department(tx, act, id, node, name, remark);
            changed.await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(_) => Ok(done(&at_department(node), "department-changed")),
        Err(Unsaved::Meanwhile(now)) => {
            Ok(edit_department_page(&administrator, node, &form, None).conflict(&now))
        }
        Err(Unsaved::Room(error)) => {
            let wrong = Some(Wrong::of(error.into())?);
            let page = edit_department_page(&administrator, node, &form, wrong);
            Ok(again(page.marked_as(&form.mark)))
        }
    }
}

pub(super) async fn delete_department(
    State(app): State<App>,
    administrator: Administrator,
    Path(node): Path<i64>,
) -> Result<Response, PageError> {
    let (act, id) = (&administrator.act, administrator.organization.id);
    app.db
        .write(async |tx| organization::delete_departments(tx, act, id, &[node]).await)
        .await
        .map_err(Fault::from)?;
    Ok(done(HERE, "department-deleted"))
}

/// Accounts that were ticked, and where they go.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct MoveForm {
    account: Vec<Uin>,
    to: i64,
}

pub(super) async fn move_accounts(
    State(app): State<App>,
    administrator: Administrator,
    Form(form): Form<MoveForm>,
) -> Result<Response, PageError> {
    if form.account.is_empty() || form.account.len() > MOST_AT_ONCE {
        return Err(refused(&Wrong::whole(t!("tick-some", most = MOST_AT_ONCE))));
    }
    let (act, id) = (&administrator.act, administrator.organization.id);
    app.db
        .write(async |tx| organization::move_accounts(tx, act, id, &form.account, form.to).await)
        .await
        .map_err(Fault::from)?;
    Ok(done(&at_department(form.to), "accounts-moved"))
}

fn account_page(who: &Administrator, form: &NameForm, wrong: Option<Wrong>) -> FormPage {
    FormPage {
        title: key!("account-create"),
        intro: key!("account-create-about"),
        action: format!("{HERE}/departments/{}/accounts", form.department),
        submit: key!("account-create"),
        ..name_page(who, form, wrong)
    }
}

pub(super) async fn new_account(
    administrator: Administrator,
    Path(node): Path<i64>,
) -> Result<Response, PageError> {
    let form = NameForm { department: node, ..NameForm::default() };
    Ok(Page::new(account_page(&administrator, &form, None)).into_response())
}

pub(super) async fn create_account(
    State(app): State<App>,
    administrator: Administrator,
    Path(node): Path<i64>,
    Form(form): Form<NameForm>,
) -> Result<Response, PageError> {
    let (act, management) = (&administrator.act, &administrator.account);
    let (name, remark) = (form.name.trim(), form.remark.trim());
    let made = app
        .db
        .write(async |tx| cloud::create_member(tx, act, management, Some(node), name, remark).await)
        .await;
    match made {
        Ok(_) => Ok(done(&at_department(node), "account-created")),
        Err(error) => {
            let form = NameForm { department: node, ..form.clone() };
            Ok(again(account_page(&administrator, &form, Some(Wrong::of(error.into())?))))
        }
    }
}

fn edit_account_page(
    who: &Administrator,
    account: Uin,
    form: &NameForm,
    wrong: Option<Wrong>,
) -> FormPage {
    FormPage {
        title: key!("account-edit"),
        intro: key!("account-edit-about"),
        action: format!("{HERE}/accounts/{account}"),
        submit: key!("save"),
        ..name_page(who, form, wrong)
    }
}

async fn find(app: &App, who: &Administrator, account: Uin) -> Result<Account, PageError> {
    let id = who.organization.id;
    let found = app.db.read(async |tx| organization::account(tx, id, account).await).await?;
    Ok(found.ok_or(Fault::from(organization::Error::AccountNotFound))?)
}

pub(super) async fn edit_account(
    State(app): State<App>,
    administrator: Administrator,
    Path(account): Path<Uin>,
) -> Result<Response, PageError> {
    let found = find(&app, &administrator, account).await?;
    let form = NameForm::of_account(&found);
    let page = edit_account_page(&administrator, account, &form, None).marked();
    Ok(Page::new(page).into_response())
}

pub(super) async fn update_account(
    State(app): State<App>,
    administrator: Administrator,
    Path(account): Path<Uin>,
    Form(form): Form<NameForm>,
) -> Result<Response, PageError> {
    let (act, id) = (&administrator.act, administrator.organization.id);
    let (name, remark) = (Some(form.name.trim()), Some(form.remark.trim()));
    let changed = app
        .db
        .write(async |tx| -> Result<Account, Unsaved<organization::Error>> {
            organization::lock(tx, id).await?;
            if let Some(now) = organization::account(tx, id, account).await? {
                let now = NameForm::of_account(&now);
                let now = edit_account_page(&administrator, account, &now, None).version();
                unchanged(&form.mark, now)?;
            }
            let changed = organization::update_account(tx, act, id, account, name, remark);
            changed.await.map_err(Unsaved::Room)
        })
        .await;
    match changed {
        Ok(changed) => Ok(done(&at_department(changed.node_id), "account-changed")),
        Err(unsaved) => {
            let found = find(&app, &administrator, account).await?;
            let form = NameForm { department: found.node_id, ..form.clone() };
            let page = |wrong| edit_account_page(&administrator, account, &form, wrong);
            match unsaved {
                Unsaved::Meanwhile(now) => Ok(page(None).conflict(&now)),
                Unsaved::Room(error) => {
                    Ok(again(page(Some(Wrong::of(error.into())?)).marked_as(&form.mark)))
                }
            }
        }
    }
}
