//! Access requests: what waits for a decision, and what was decided.

use askama::Template;
use axum::{
    Form,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, done},
    limits,
    words::Badge,
};
use crate::{
    app::App,
    id::RequestId,
    request::{self, LONGEST_TEXT, Progress, Request, RequestFilter, Verdict},
    store::Timestamp,
    web::{
        Face, Fault,
        page::Page,
        pages::{PageError, told},
    },
};

/// The tabs: what the address says, and the words.
static STATES: [(&str, crate::web::messages::Message); 6] = [
    ("", key!("state-waiting")),
    ("done", key!("request-approved")),
    ("deploying", key!("request-setting-up")),
    ("failed", key!("state-failed")),
    ("rejected", key!("request-rejected")),
    ("all", key!("all")),
];

#[derive(Template)]
#[template(path = "console/requests.html")]
struct RequestList {
    frame: Frame,
    states: &'static [(&'static str, crate::web::messages::Message)],
    state: String,
    requests: Vec<Request>,
    now: Timestamp,
    refused: Option<String>,
    pager: Pager,
}

impl RequestList {
    fn badge(&self, request: &Request) -> Badge {
        match request.progress {
            Progress::Pending => ("badge-busy", key!("state-waiting")),
            Progress::Deploying => ("badge-busy", key!("request-setting-up")),
            Progress::Done if request.ends_at.is_some_and(|end| end <= self.now) => {
                ("", key!("request-over"))
            }
            Progress::Done => ("badge-good", key!("request-approved")),
            Progress::Failed => ("badge-bad", key!("state-failed")),
            Progress::Rejected => ("badge-bad", key!("request-rejected")),
            Progress::Withdrawn => ("", key!("request-withdrawn")),
        }
    }
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    Ok(Page::new(page(&app, &administrator, query, None).await?).into_response())
}

async fn page(
    app: &App,
    administrator: &Administrator,
    query: ListQuery,
    refused: Option<String>,
) -> Result<RequestList, PageError> {
    let (space, now) = (administrator.space()?.id, administrator.act.now);
    let progress = match query.state.as_str() {
        "" => Some(Progress::Pending),
        // No word of ours: everything.
        word => word.parse().ok().filter(|it| *it != Progress::Withdrawn),
    };
    let filter = RequestFilter { search: query.wanted(), progress };
    let page = app
        .db
        .read(async |tx| request::requests(tx, space, &filter, now, query.page()).await)
        .await?;
    let pager = query.pager("/console/requests", &page);
    let frame = Frame::new(administrator, Section::Requests, query.done.as_deref());
    let (requests, state) = (page.rows, query.state);
    Ok(RequestList { frame, states: &STATES, state, requests, now, refused, pager })
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct DecisionForm {
    opinion: String,
}

pub(super) async fn approve(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<RequestId>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, PageError> {
    let (act, space) = (&administrator.act, administrator.space()?.id);
    let limits = limits(&app);
    let verdict = Verdict {
        account: administrator.account.uin,
        cam_user: &administrator.name,
        opinion: form.opinion.trim(),
    };
    let decided =
        app.db.write(async |tx| request::approve(tx, act, space, id, verdict, &limits).await).await;
    answer(&app, &administrator, decided.map(|_| "request-approved")).await
}

pub(super) async fn reject(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<RequestId>,
    Form(form): Form<DecisionForm>,
) -> Result<Response, PageError> {
    let (act, space) = (&administrator.act, administrator.space()?.id);
    let opinion = form.opinion.trim();
    let decided = app.db.write(async |tx| request::reject(tx, act, space, id, opinion).await).await;
    answer(&app, &administrator, decided.map(|()| "request-rejected")).await
}

/// Goes on after a decision, or shows the list again with why there is none.
async fn answer(
    app: &App,
    administrator: &Administrator,
    decided: Result<&'static str, request::Error>,
) -> Result<Response, PageError> {
    let fault = match decided {
        Ok(words) => return Ok(done("/console/requests", words)),
        Err(error) => Fault::from(error),
    };
    match Face::of(&fault) {
        Face::Field(_) | Face::Refused => {}
        Face::NotFound | Face::Malformed | Face::Internal => return Err(fault.into()),
    }
    let refused = Some(told(&fault));
    let page = page(app, administrator, ListQuery::default(), refused).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}
