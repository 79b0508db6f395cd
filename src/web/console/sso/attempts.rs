//! Every attempt to sign in: the list to search in, and one with its report.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::{
    super::{
        Administrator,
        frame::{Frame, Section, encode},
        words::Badge,
    },
    HERE, causes,
    report::{Report, download},
};
use crate::{
    app::App,
    audit::unproved::Counted,
    id::{AttemptId, SpaceId},
    sso::{self, Attempt, AttemptSearch, BundleSubject, IdentityProvider, Outcome},
    store::{PageRequest, Timestamp},
    web::{
        Fault,
        messages::Message,
        page::Page,
        pages::{PageError, Problem},
    },
};

const PAGE_ROWS: i64 = 50;

/// An attempt in a list.
pub(super) struct Row {
    pub id: AttemptId,
    pub at: Timestamp,
    pub address: Option<String>,
    pub badge: Badge,
    pub name: Option<String>,
    pub what: Option<Message>,
    pub request_id: String,
}

impl From<Attempt> for Row {
    fn from(attempt: Attempt) -> Self {
        let failure = attempt.checks().first_failure();
        Self {
            id: attempt.id,
            at: attempt.at,
            badge: badge(attempt.outcome),
            what: failure.and_then(|entry| entry.cause).map(causes::what),
            address: attempt.address,
            name: attempt.name_id,
            request_id: attempt.request_id,
        }
    }
}

/// Logout messages that were refused at one check and proved nothing.
struct LogoutRow {
    check: String,
    wanted: String,
    received: String,
    advice: Option<Message>,
    times: i64,
    last_at: Timestamp,
    address: Option<String>,
    request_id: String,
}

impl From<Counted> for LogoutRow {
    fn from(counted: Counted) -> Self {
        let text = |name: &str| {
            let value = counted.detail().pointer("/failed/0").and_then(|first| first.get(name));
            value.and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        Self {
            wanted: text("wanted"),
            received: text("received"),
            advice: serde_json::from_value(counted.cause.as_str().into()).ok().map(causes::advice),
            check: counted.cause,
            times: counted.times,
            last_at: counted.last_at,
            address: counted.address,
            request_id: counted.request_id,
        }
    }
}

fn badge(outcome: Outcome) -> Badge {
    match outcome {
        Outcome::SignedIn => ("badge-good", key!("attempt-signed-in")),
        Outcome::Accepted => ("badge-busy", key!("attempt-accepted")),
        Outcome::Refused => ("badge-bad", key!("attempt-refused")),
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::web::console) struct AttemptsQuery {
    text: String,
    outcome: String,
    cause: String,
    after: Option<i64>,
}

impl AttemptsQuery {
    fn is_empty(&self) -> bool {
        [&self.text, &self.outcome, &self.cause].iter().all(|one| one.is_empty())
    }

    fn search(&self) -> AttemptSearch {
        let text = self.text.trim();
        AttemptSearch {
            text: (!text.is_empty()).then(|| text.to_owned()),
            outcome: self.outcome.parse().ok(),
            cause: serde_json::from_value(self.cause.as_str().into()).ok(),
        }
    }

    fn address(&self, after: Option<i64>) -> String {
        let all = [("text", &self.text), ("outcome", &self.outcome), ("cause", &self.cause)];
        let given = all.iter().filter(|(_, value)| !value.is_empty());
        let mut all: Vec<String> =
            given.map(|(name, value)| format!("{name}={}", encode(value))).collect();
        all.extend(after.map(|after| format!("after={after}")));
        format!("{HERE}/attempts?{}", all.join("&"))
    }
}

#[derive(Template)]
#[template(path = "console/sso_attempts.html")]
struct Attempts {
    frame: Frame,
    query: AttemptsQuery,
    rows: Vec<Row>,
    logouts: Vec<LogoutRow>,
    days: i64,
    first: Option<String>,
    next: Option<String>,
}

pub(in crate::web::console) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<AttemptsQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let search = query.search();
    let wanted = PageRequest { after: query.after, ..PageRequest::first(PAGE_ROWS) };
    // Beside the first page only, and not where something else is looked for.
    let with_logouts = query.is_empty() && query.after.is_none();
    let (page, logouts) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let logouts =
                if with_logouts { sso::refused_logouts(tx, space).await? } else { Vec::new() };
            Ok((sso::attempts(tx, space, &search, wanted).await?, logouts))
        })
        .await?;
    let page = Attempts {
        frame: Frame::new(&administrator, Section::SingleSignOn, None),
        days: app.settings.saml.trace_days,
        logouts: logouts.into_iter().map(LogoutRow::from).collect(),
        rows: page.rows.into_iter().map(Row::from).collect(),
        first: query.after.map(|_| query.address(None)),
        next: page.next.map(|after| query.address(Some(after))),
        query,
    };
    Ok(Page::new(page).into_response())
}

#[derive(Template)]
#[template(path = "console/sso_attempt.html")]
struct OneAttempt {
    frame: Frame,
    row: Row,
    report: Report,
}

async fn find(
    app: &App,
    space: SpaceId,
    id: AttemptId,
) -> Result<(Attempt, Option<IdentityProvider>), PageError> {
    let found = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let provider = sso::identity_provider(tx, space).await?;
            Ok(sso::attempt_of(tx, space, id).await?.map(|attempt| (attempt, provider)))
        })
        .await?;
    Ok(found.ok_or_else(|| {
        Problem::not_found(t!("sso-no-such-attempt"))
            .onward(format!("{HERE}/attempts"), key!("sso-all-attempts"))
    })?)
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<AttemptId>,
) -> Result<Response, PageError> {
    let (attempt, provider) = find(&app, administrator.space()?.id, id).await?;
    let entity_id = provider.map(|provider| provider.entity_id).unwrap_or_default();
    let page = OneAttempt {
        frame: Frame::new(&administrator, Section::SingleSignOn, None),
        report: Report::new(attempt.checks(), &entity_id),
        row: Row::from(attempt),
    };
    Ok(Page::new(page).into_response())
}

pub(in crate::web::console) async fn bundle(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<AttemptId>,
) -> Result<Response, PageError> {
    let (attempt, provider) = find(&app, administrator.space()?.id, id).await?;
    let provider = provider.ok_or_else(|| Problem::not_found(t!("sso-no-provider-any-more")))?;
    let name = attempt.id.to_string();
    let subject = BundleSubject::of_attempt(&attempt, &name);
    Ok(download(&name, &sso::bundle(&app.settings, &provider, subject)))
}
