//! Tasks: how far each step is, and why one failed.

use std::collections::HashMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, done, encode},
    words::{self, Badge},
};
use crate::{
    app::App,
    directory,
    id::{ConfigurationId, Principal, TaskId, Uin},
    organization, permission,
    store::{Read, Timestamp},
    task::{self, Filter, State as TaskState, Task},
    web::{Fault, messages::Message, page::Page, pages::PageError},
};

/// The tabs: what the address says, and the words.
static STATES: [(&str, Message); 4] = [
    ("", key!("all")),
    ("open", key!("tasks-open")),
    ("success", key!("state-done")),
    ("failed", key!("state-failed")),
];

#[derive(Template)]
#[template(path = "console/tasks.html")]
struct TaskList {
    frame: Frame,
    states: &'static [(&'static str, Message)],
    state: String,
    tasks: Vec<TaskRow>,
    busy: bool,
    pager: Pager,
}

pub(super) struct TaskRow {
    pub id: TaskId,
    pub kind: Message,
    pub account: Uin,
    pub account_name: String,
    pub configuration: Option<(ConfigurationId, String)>,
    pub principal: Option<(String, String)>,
    pub badge: Badge,
    pub reason: Option<String>,
    pub created_at: Timestamp,
    pub can_retry: bool,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = Filter { states: states(&query.state), ..Filter::default() };
    let (page, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = task::list(tx, space, &filter, query.page()).await?;
            let names = Names::of(tx, &administrator, &page.rows).await?;
            Ok((page, names))
        })
        .await?;
    let busy = page.rows.iter().any(|task| !task.state.is_final());
    let pager = query.pager("/console/tasks", &page);
    let tasks = page.rows.into_iter().map(|task| names.row(task)).collect();
    let frame = Frame::new(&administrator, Section::Tasks, query.done.as_deref());
    let state = query.state;
    Ok(Page::new(TaskList { frame, states: &STATES, state, tasks, busy, pager }).into_response())
}

/// The states of a tab.
pub(super) fn states(tab: &str) -> Vec<TaskState> {
    match tab {
        "open" => vec![TaskState::Ready, TaskState::Running],
        "success" => vec![TaskState::Success],
        "failed" => vec![TaskState::Failed],
        _ => Vec::new(),
    }
}

/// The names of everything that a page of tasks is about.
#[derive(Default)]
pub(super) struct Names {
    accounts: HashMap<Uin, String>,
    configurations: HashMap<ConfigurationId, String>,
    principals: HashMap<Principal, String>,
}

impl Names {
    pub async fn of(tx: &mut Read, who: &Administrator, tasks: &[Task]) -> Result<Self, Fault> {
        let mut names = Self::default();
        let organization = who.organization.id;
        for task in tasks {
            if !names.accounts.contains_key(&task.account)
                && let Some(found) = organization::account(tx, organization, task.account).await?
            {
                names.accounts.insert(task.account, found.name);
            }
            if let Some(id) = task.configuration
                && !names.configurations.contains_key(&id)
                && let Some(found) = permission::configuration(tx, task.space, id).await?
            {
                names.configurations.insert(id, found.name);
            }
            let Some(principal) = task.principal else { continue };
            if names.principals.contains_key(&principal) {
                continue;
            }
            let name = match principal {
                Principal::User(id) => {
                    directory::user(tx, task.space, id).await?.map(|user| user.user_name)
                }
                Principal::Group(id) => {
                    directory::group(tx, task.space, id).await?.map(|group| group.name)
                }
            };
            names.principals.extend(name.map(|name| (principal, name)));
        }
        Ok(names)
    }

    /// A row; what is gone by now is shown by its id.
    pub fn row(&self, task: Task) -> TaskRow {
        let account_name = self.accounts.get(&task.account).cloned();
        let configuration = task.configuration.map(|id| {
            (id, self.configurations.get(&id).cloned().unwrap_or_else(|| id.to_string()))
        });
        let principal = task.principal.map(|one| {
            let name = self.principals.get(&one).cloned().unwrap_or_else(|| one.to_string());
            (words::principal_href(one), name)
        });
        TaskRow {
            id: task.id,
            kind: words::task_kind(task.kind),
            account: task.account,
            account_name: account_name.unwrap_or_else(|| task.account.to_string()),
            configuration,
            principal,
            badge: words::task_state(task.state),
            reason: task.reason,
            created_at: task.created_at,
            can_retry: task.state == TaskState::Failed,
        }
    }
}

/// Where one was when trying a task again.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct RetryForm {
    /// The request that began the task, if its page was open.
    back: String,
}

pub(super) async fn retry(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<TaskId>,
    axum::Form(form): axum::Form<RetryForm>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db.write(async |tx| task::retry(tx, &administrator.act, space, id).await).await?;
    let address = if form.back.is_empty() {
        "/console/tasks".to_owned()
    } else {
        format!("/console/tasks/of/{}", encode(&form.back))
    };
    Ok(done(&address, "task-retried"))
}
