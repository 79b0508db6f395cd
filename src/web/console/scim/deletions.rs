//! What directories deleted, and how far the rest of it is: the access that a user or group still
//! held goes by tasks (SCIM-18).

use askama::Template;
use axum::{
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::HERE;
use crate::{
    app::App,
    audit,
    id::{GroupId, Principal, SpaceId, UserId},
    store::{PageRequest, Read, Timestamp},
    task::{self, Filter, Kind, State as TaskState, Task},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, ListQuery, Pager, Section},
            tasks::{TaskRow, names},
            words::{self, Badge},
        },
        page::Page,
        pages::PageError,
    },
};

/// Tasks that are shown of one deletion, at most.
const MOST_TASKS: i64 = 50;

#[derive(Template)]
#[template(path = "console/scim_deletions.html")]
struct Deletions {
    frame: Frame,
    tab: &'static str,
    rows: Vec<Deleted>,
    busy: bool,
    pager: Pager,
}

/// Somebody who is gone.
struct Deleted {
    id: String,
    kind: crate::web::messages::Message,
    name: String,
    at: Timestamp,
    /// Of a group, how many were in it.
    members: Option<u64>,
    badge: Badge,
    progress: String,
    tasks: Vec<TaskRow>,
    more: i64,
}

impl Deleted {
    fn is_busy(&self) -> bool {
        self.badge.0 == "badge-busy"
    }
}

/// How far the tasks are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Progress {
    done: usize,
    failed: usize,
    all: usize,
}

impl Progress {
    fn of(states: impl Iterator<Item = TaskState>) -> Self {
        states.fold(Self::default(), |sum, state| Self {
            done: sum.done + usize::from(state == TaskState::Success),
            failed: sum.failed + usize::from(state == TaskState::Failed),
            all: sum.all + 1,
        })
    }

    fn badge(self) -> Badge {
        match self {
            Self { all: 0, .. } => ("badge-good", key!("deletion-gone")),
            Self { failed: 1.., .. } => ("badge-bad", key!("state-failed")),
            Self { done, all, .. } if done < all => ("badge-busy", key!("state-in-progress")),
            Self { .. } => ("badge-good", key!("state-done")),
        }
    }

    fn words(self) -> String {
        match self {
            Self { all: 0, .. } => t!("scim-held-nothing"),
            Self { done, failed: 0, all } => t!("scim-taken-away", done = done, all = all),
            Self { done, failed, all } => {
                t!("scim-taken-away-failed", done = done, all = all, failed = failed)
            }
        }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let (page, rows) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let page = audit::deletions_by_directories(tx, space, query.page()).await?;
            let mut rows = Vec::with_capacity(page.rows.len());
            for record in &page.rows {
                rows.extend(deleted(tx, space, record).await?);
            }
            Ok((page, rows))
        })
        .await?;
    let page = Deletions {
        frame: Frame::new(&administrator, Section::Scim, query.done.as_deref()),
        tab: "/deletions",
        busy: rows.iter().any(Deleted::is_busy),
        pager: query.pager(&format!("{HERE}/deletions"), &page),
        rows,
    };
    Ok(Page::new(page).into_response())
}

/// What became of somebody; none where the record names nobody who can have been.
async fn deleted(
    tx: &mut Read,
    space: SpaceId,
    record: &audit::Record,
) -> Result<Option<Deleted>, Fault> {
    let user = record.object_id.parse::<UserId>().map(Principal::User);
    let Ok(principal) = user.or_else(|_| record.object_id.parse::<GroupId>().map(Principal::Group))
    else {
        return Ok(None);
    };
    let filter = Filter {
        principal: Some(principal),
        kinds: vec![Kind::DeleteAssignment, Kind::DeleteUserSync],
        ..Filter::default()
    };
    let page = task::list(tx, space, &filter, PageRequest::first(MOST_TASKS)).await?;
    // What was taken away before the deletion was somebody else's doing.
    let tasks: Vec<Task> =
        page.rows.into_iter().filter(|task| task.created_at >= record.at).collect();
    let progress = Progress::of(latest(&tasks).map(|task| task.state));
    let before = record.state_before.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let before: Value = before.unwrap_or_default();
    let name = match principal {
        Principal::User(_) => before.get("userName"),
        Principal::Group(_) => before.get("displayName"),
    };
    let names = names(tx, space, &tasks).await?;
    Ok(Some(Deleted {
        id: record.object_id.clone(),
        kind: words::principal_kind(principal.kind()),
        name: name.and_then(Value::as_str).unwrap_or(&record.object_id).to_owned(),
        at: record.at,
        members: before.pointer("/members/count").and_then(Value::as_u64),
        badge: progress.badge(),
        progress: progress.words(),
        more: if page.next.is_some() { page.total - MOST_TASKS } else { 0 },
        tasks: tasks.into_iter().map(|task| TaskRow::of(&task, &names)).collect(),
    }))
}

/// The tasks that count: one that was tried again by hand counts as the new one.
fn latest(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    tasks.iter().filter(|task| !tasks.iter().any(|other| other.retry_of == Some(task.id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_in_words() {
        use TaskState::{Failed, Ready, Success};
        for (states, badge, words) in [
            (&[][..], "Gone", "Held no access of its own."),
            (&[Ready, Success], "In progress", "1 of 2 taken away."),
            (&[Success, Success], "Done", "2 of 2 taken away."),
            (&[Success, Failed, Ready], "Failed", "1 of 3 taken away, 1 failed."),
        ] {
            let progress = Progress::of(states.iter().copied());
            let said = (progress.badge().1.to_string(), progress.words());
            assert_eq!((said.0.as_str(), said.1.as_str()), (badge, words));
        }
    }
}
