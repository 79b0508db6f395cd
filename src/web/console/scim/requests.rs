//! The flight recorder: what directories asked, and what came of it (SCIM-20).

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    HERE,
    body::{self, Shown},
    effect::Effects,
    told::Told,
};
use crate::{
    app::App,
    audit,
    directory::{self, GroupFilter},
    id::{GroupId, Principal, PrincipalKind, ScimRequestId, SpaceId, UserId},
    recorder::{self, Outcome, Recorded, Search},
    store::{PageRequest, Read},
    web::{
        Fault,
        console::{
            Administrator,
            frame::{Frame, Section, encode},
            words,
        },
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

const PAGE_ROWS: i64 = 50;

/// The methods that can be chosen.
static METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// A request in a list.
pub(super) struct Row {
    pub request: Recorded,
    /// The class of the status' badge.
    pub badge: &'static str,
    /// Whom it is about: what to look for, and the words.
    pub whom: Option<(String, String)>,
    pub reason: Option<Message>,
}

impl Row {
    pub fn new(request: Recorded) -> Self {
        let id = principal(&request).map(|principal| principal.to_string());
        let name = request.subject_name.clone();
        let whom = match (id, name) {
            (Some(id), Some(name)) => Some((id, name)),
            (Some(one), None) | (None, Some(one)) => Some((one.clone(), one)),
            (None, None) => None,
        };
        Self {
            badge: if request.failures().is_some() { "badge-warn" } else { badge(request.status) },
            whom: whom.map(|(wanted, words)| (encode(&wanted), words)),
            reason: recorder::explain(&request).map(|one| Told::from(one).reason),
            request,
        }
    }

    /// How many operations failed, in words; none when none did.
    pub fn failed(&self) -> Option<String> {
        let count = self.request.failures()?.count;
        Some(t!("scim-failed-count", count = count))
    }
}

/// A failed operation as it is shown.
struct Failed {
    operation: Option<usize>,
    method: String,
    status: i64,
    badge: &'static str,
    detail: String,
    told: Told,
}

impl Failed {
    fn all(request: &Recorded) -> Vec<Self> {
        let first = request.failures().map(|failures| failures.first.as_slice());
        first
            .unwrap_or_default()
            .iter()
            .map(|failed| Self {
                operation: failed.operation,
                method: failed.method.clone(),
                status: failed.status,
                badge: badge(failed.status),
                detail: failed.detail.clone(),
                told: recorder::explain_failure(failed).into(),
            })
            .collect()
    }
}

/// The class of the badge of a status: what can come again is no failure yet.
pub(super) fn badge(status: i64) -> &'static str {
    match status {
        ..400 => "badge-good",
        408 | 412 | 429 | 500.. => "badge-warn",
        _ => "badge-bad",
    }
}

/// Whom a request is about.
fn principal(request: &Recorded) -> Option<Principal> {
    Some(Principal::new(request.subject_kind?, request.subject_id?))
}

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RequestsQuery {
    kind: String,
    whom: String,
    outcome: String,
    method: String,
    after: Option<i64>,
}

impl RequestsQuery {
    fn is_empty(&self) -> bool {
        [&self.kind, &self.whom, &self.outcome, &self.method].iter().all(|one| one.is_empty())
    }

    fn address(&self, after: Option<i64>) -> String {
        let all = [
            ("kind", &self.kind),
            ("whom", &self.whom),
            ("outcome", &self.outcome),
            ("method", &self.method),
        ];
        let given = all.iter().filter(|(_, value)| !value.is_empty());
        let mut all: Vec<String> =
            given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        all.extend(after.map(|after| format!("after={after}")));
        format!("{HERE}/requests?{}", all.join("&"))
    }

    /// What to look for. A name is looked up as well, because a refusal may know only the id.
    async fn search(&self, tx: &mut Read, space: SpaceId) -> Result<Search, Fault> {
        let method = self.method.to_ascii_uppercase();
        let mut search = Search {
            kind: self.kind.parse().ok(),
            outcome: self.outcome.parse::<Outcome>().ok(),
            method: METHODS.contains(&method.as_str()).then_some(method),
            ..Search::default()
        };
        let whom = self.whom.trim();
        if whom.is_empty() {
            return Ok(search);
        }
        if let Some(principal) = principal_of(whom) {
            search.kind = Some(principal.kind());
            search.id = Some(principal.number());
            return Ok(search);
        }
        search.name = Some(whom.to_owned());
        if search.kind != Some(PrincipalKind::Group)
            && let Some(user) = directory::user_by_name(tx, space, whom).await?
        {
            (search.kind, search.id) = (Some(PrincipalKind::User), Some(user.id.0));
        } else if search.kind != Some(PrincipalKind::User) {
            let filter = GroupFilter { name: Some(whom.to_owned()), ..GroupFilter::default() };
            let found = directory::groups(tx, space, &filter, PageRequest::first(1)).await?;
            if let Some(group) = found.rows.first() {
                (search.kind, search.id) = (Some(PrincipalKind::Group), Some(group.id.0));
            }
        }
        Ok(search)
    }
}

/// The user or group that an id is of.
fn principal_of(text: &str) -> Option<Principal> {
    let user = text.parse::<UserId>().map(Principal::User);
    user.or_else(|_| text.parse::<GroupId>().map(Principal::Group)).ok()
}

#[derive(Template)]
#[template(path = "console/scim_requests.html")]
struct Requests {
    frame: Frame,
    tab: &'static str,
    query: RequestsQuery,
    methods: &'static [&'static str],
    rows: Vec<Row>,
    first: Option<String>,
    next: Option<String>,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<RequestsQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.recorder.flush().await;
    let page = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let search = query.search(tx, space).await?;
            let wanted = PageRequest { after: query.after, ..PageRequest::first(PAGE_ROWS) };
            Ok(recorder::search(tx, space, &search, wanted).await?)
        })
        .await?;
    let page = Requests {
        frame: Frame::new(&administrator, Section::Scim, None),
        tab: "/requests",
        methods: &METHODS,
        rows: page.rows.into_iter().map(Row::new).collect(),
        first: query.after.map(|_| query.address(None)),
        next: page.next.map(|after| query.address(Some(after))),
        query,
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "console/scim_request.html")]
struct OneRequest {
    frame: Frame,
    row: Row,
    /// The page of the user or group, when it is there still.
    href: Option<String>,
    explanation: Option<Told>,
    failed: Vec<Failed>,
    operation: Option<usize>,
    body: Option<Shown>,
    effects: Effects,
}

/// The recorded request of this id.
pub(super) async fn find(
    app: &App,
    space: SpaceId,
    id: ScimRequestId,
) -> Result<Recorded, PageError> {
    app.recorder.flush().await;
    let found = app.db.read(async |tx| recorder::find(tx, space, id).await).await?;
    Ok(found.ok_or_else(|| {
        Problem::not_found(t!("scim-no-such-request"))
            .onward(format!("{HERE}/requests"), key!("scim-all-requests"))
    })?)
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ScimRequestId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let request = find(&app, space, id).await?;
    let (records, href) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let records = audit::of_space(tx, space, &request.audit_ids()).await?;
            let there = match principal(&request) {
                Some(Principal::User(id)) => directory::user(tx, space, id).await?.is_some(),
                Some(Principal::Group(id)) => directory::group(tx, space, id).await?.is_some(),
                None => false,
            };
            let href = principal(&request).filter(|_| there).map(words::principal_href);
            Ok((records, href))
        })
        .await?;
    let failed = Failed::all(&request);
    let operation = request
        .detail
        .as_deref()
        .and_then(body::operation_of)
        .or_else(|| failed.first().and_then(|one| one.operation));
    let shown = request
        .body
        .as_deref()
        .map(|text| body::show(text, operation, &format!("operation of {id}")));
    let page = OneRequest {
        frame: Frame::new(&administrator, Section::Scim, None),
        href,
        explanation: recorder::explain(&request).filter(|_| failed.is_empty()).map(Told::from),
        failed,
        operation: operation.filter(|_| shown.as_ref().is_some_and(|one| one.marked.is_some())),
        body: shown,
        effects: Effects::of(&records),
        row: Row::new(request),
    };
    Ok(Page::new(page).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_keeps_what_is_looked_for() {
        let query = RequestsQuery {
            whom: "a&b".to_owned(),
            outcome: "refused".to_owned(),
            ..Default::default()
        };
        assert_eq!(
            query.address(Some(7)),
            format!("{HERE}/requests?whom=a%26b&outcome=refused&after=7")
        );
        assert!(!query.is_empty() && RequestsQuery::default().is_empty());
    }
}
