//! Tasks: how far each step is, and why one failed.

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
    access::{Names, WantedNames},
    app::App,
    id::{ConfigurationId, SpaceId, TaskId, Uin},
    store::{self, Read, Timestamp},
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
            let names = names(tx, space, &page.rows).await?;
            Ok((page, names))
        })
        .await?;
    let busy = page.rows.iter().any(|task| !task.state.is_final());
    let pager = query.pager("/console/tasks", &page);
    let tasks = page.rows.into_iter().map(|task| TaskRow::of(&task, &names)).collect();
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

/// The names of everything that these tasks are about.
pub(super) async fn names(
    tx: &mut Read,
    space: SpaceId,
    tasks: &[Task],
) -> Result<Names, store::Error> {
    let wanted = WantedNames {
        accounts: tasks.iter().map(|task| task.account).collect(),
        configurations: tasks.iter().filter_map(|task| task.configuration).collect(),
        principals: tasks.iter().filter_map(|task| task.principal).collect(),
    };
    Names::read(tx, space, &wanted).await
}

impl TaskRow {
    /// A row; what is gone by now is shown by its id.
    pub fn of(task: &Task, names: &Names) -> Self {
        let configuration = task.configuration.map(|id| (id, names.configuration(id)));
        let principal =
            task.principal.map(|one| (words::principal_href(one), names.principal(one)));
        Self {
            id: task.id,
            kind: words::task_kind(task.kind),
            account: task.account,
            account_name: names.account(task.account),
            configuration,
            principal,
            badge: words::task_state(task.state),
            reason: task.reason.as_deref().map(super::reasons::reason),
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
