//! How what was begun together goes on: item by item, with why what failed did, and another try
//! (TSK-05). The address names the request that began it, so the page can be left and opened again.

use std::collections::BTreeSet;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{
    access::{Names, WantedNames},
    app::App,
    id::{ConfigurationId, PrincipalKind, SpaceId, TaskId, Uin},
    store::{PageRequest, Read, Timestamp},
    task::{self, Filter, State as TaskState, Task},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, ListQuery, Section, done},
            tasks,
            words::{self, Badge},
        },
        messages::Message,
        page::{Page, machine_time},
        pages::{PageError, Problem},
    },
};

/// Rows of an export at most.
const MOST_EXPORTED: i64 = 10_000;

#[derive(Template)]
#[template(path = "console/progress.html")]
struct ProgressPage {
    frame: Frame,
    request: String,
    title: Message,
    rows: Vec<Row>,
    done: usize,
    failed: usize,
    open: usize,
}

impl ProgressPage {
    fn total(&self) -> usize {
        self.rows.len()
    }
}

/// A task of what was begun.
struct Row {
    id: TaskId,
    kind: Message,
    account: Uin,
    account_name: String,
    configuration: Option<(ConfigurationId, String)>,
    principal: Option<(String, String)>,
    badge: Badge,
    reason: Option<String>,
    finished_at: Option<Timestamp>,
    can_retry: bool,
}

fn named(tasks: &[Task]) -> WantedNames {
    WantedNames {
        accounts: tasks.iter().map(|task| task.account).collect(),
        configurations: tasks.iter().filter_map(|task| task.configuration).collect(),
        principals: tasks.iter().filter_map(|task| task.principal).collect(),
    }
}

fn row(task: &Task, names: &Names) -> Row {
    Row {
        id: task.id,
        kind: words::task_kind(task.kind),
        account: task.account,
        account_name: names.account(task.account),
        configuration: task.configuration.map(|id| (id, names.configuration(id))),
        principal: task.principal.map(|it| (words::principal_href(it), names.principal(it))),
        badge: words::task_state(task.state),
        can_retry: task.state == TaskState::Failed,
        // Why an attempt failed that will be repeated is told, too: it says what is waited for.
        reason: task.reason.as_deref().map(crate::web::console::reasons::reason),
        finished_at: task.finished_at,
    }
}

async fn of_request(
    tx: &mut Read,
    space: SpaceId,
    request: &str,
) -> Result<(Vec<Task>, Names), Fault> {
    let tasks = task::of_request(tx, space, request).await?;
    let names = Names::read(tx, space, &named(&tasks)).await?;
    Ok((tasks, names))
}

/// How far what was begun together is.
pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(request): Path<String>,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (tasks, names) = app.db.read(async |tx| of_request(tx, space, &request).await).await?;
    if tasks.is_empty() {
        return Err(Problem::not_found(t!("progress-none")).into());
    }
    let count = |state: TaskState| tasks.iter().filter(|task| task.state == state).count();
    let (done, failed) = (count(TaskState::Success), count(TaskState::Failed));
    let kinds: BTreeSet<_> = tasks.iter().map(|task| task.kind).collect();
    let title = match kinds.iter().next() {
        Some(kind) if kinds.len() == 1 => words::task_kind(*kind),
        _ => key!("progress-title"),
    };
    let page = ProgressPage {
        frame: Frame::new(&administrator, Section::Tasks, query.done.as_deref()),
        request,
        title,
        open: tasks.len() - done - failed,
        rows: tasks.into_iter().map(|task| row(&task, &names)).collect(),
        done,
        failed,
    };
    Ok(Page::new(page).into_response())
}

/// Tries everything again that failed, each with a new task of its own (TSK-03).
pub(in crate::web::console) async fn retry_failed(
    State(app): State<App>,
    administrator: Administrator,
    Path(request): Path<String>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| -> Result<(), Fault> {
            for task in task::of_request(tx, space, &request).await? {
                if task.state == TaskState::Failed {
                    task::retry(tx, &administrator.act, space, task.id).await?;
                }
            }
            Ok(())
        })
        .await?;
    Ok(done(&format!("/console/tasks/of/{request}"), "tasks-retried"))
}

/// What was begun together, as a table for a spreadsheet.
pub(in crate::web::console) async fn export(
    State(app): State<App>,
    administrator: Administrator,
    Path(request): Path<String>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (tasks, names) = app.db.read(async |tx| of_request(tx, space, &request).await).await?;
    Ok(table(&tasks, &names))
}

/// The tasks of the list, latest first, as a table for a spreadsheet.
pub(in crate::web::console) async fn list_export(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let filter = Filter { states: tasks::states(&query.state), ..Filter::default() };
    let (tasks, names) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = PageRequest::first(MOST_EXPORTED);
            let tasks = task::list(tx, space, &filter, page).await?.rows;
            let names = Names::read(tx, space, &named(&tasks)).await?;
            Ok((tasks, names))
        })
        .await?;
    Ok(table(&tasks, &names))
}

/// RFC 4180. A program reads it, so its words are the API's and the same in every language.
fn table(tasks: &[Task], names: &Names) -> Response {
    let mut text = String::from(
        "TaskId,TaskType,TargetUin,TargetName,RoleConfigurationName,PrincipalType,PrincipalName,\
         Status,FailureReason,CreateTime,FinishTime\r\n",
    );
    for task in tasks {
        let principal = task.principal.map(|it| names.principal(it)).unwrap_or_default();
        let kind = match task.principal.map(crate::id::Principal::kind) {
            Some(PrincipalKind::User) => "User",
            Some(PrincipalKind::Group) => "Group",
            None => "",
        };
        let status = match task.state {
            TaskState::Ready | TaskState::Running => "InProgress",
            TaskState::Success => "Success",
            TaskState::Failed => "Failed",
        };
        let fields = [
            task.id.to_string(),
            task.kind.to_string(),
            task.account.to_string(),
            names.account(task.account),
            task.configuration.map(|id| names.configuration(id)).unwrap_or_default(),
            kind.to_owned(),
            principal,
            status.to_owned(),
            task.reason.clone().unwrap_or_default(),
            machine_time(&task.created_at),
            task.finished_at.as_ref().map(machine_time).unwrap_or_default(),
        ];
        let cells: Vec<String> = fields.iter().map(|field| cell(field)).collect();
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    let headers = [
        (CONTENT_TYPE, "text/csv; charset=utf-8"),
        (CONTENT_DISPOSITION, "attachment; filename=\"tasks.csv\""),
    ];
    (headers, text).into_response()
}

/// A cell of a table. What a spreadsheet would take for a formula is made text.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_holds_no_formula_and_no_broken_row() {
        assert_eq!(cell("plain"), "plain");
        assert_eq!(cell("a,\"b\"\nc"), "\"a,\"\"b\"\"\nc\"");
        assert_eq!(cell("=1+1"), "'=1+1");
    }
}
