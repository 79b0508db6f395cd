//! The audit log: who changed what; by whom, of what and when; as a file too.

use askama::Template;
use axum::{
    extract::{Query, State},
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Administrator,
    frame::{Frame, Pager, Section, encode},
};
use crate::{
    app::App,
    audit::{self, Filter, Record},
    store::{PageRequest, Timestamp},
    web::{
        page::{Page, machine_time},
        pages::PageError,
    },
};

const HERE: &str = "/console/audit";
/// Rows on a page of the log.
const ROWS: i64 = 50;
/// The latest so many records are in a file; for more there is the API.
const MOST_IN_A_FILE: i64 = 10_000;

/// What the address says. Empty is everything.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct LogQuery {
    /// The name or id of who did it.
    actor: String,
    /// `user.create`, or `user` for everything that was done to users.
    action: String,
    /// The id of what it was done to.
    object: String,
    /// What hangs together: the public name of a portal session.
    together: String,
    /// The first day, in UTC.
    since: String,
    /// The last day, in UTC.
    until: String,
    after: Option<i64>,
}

impl LogQuery {
    fn is_empty(&self) -> bool {
        self.kept().next().is_none()
    }

    /// What narrows, as the address names it.
    fn kept(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let all = [
            ("actor", &self.actor),
            ("action", &self.action),
            ("object", &self.object),
            ("together", &self.together),
            ("since", &self.since),
            ("until", &self.until),
        ];
        all.into_iter()
            .map(|(name, value)| (name, value.trim()))
            .filter(|(_, value)| !value.is_empty())
    }

    /// The same list with something else, such as the next page.
    fn address(&self, path: &str, more: Option<String>) -> String {
        let kept = self.kept().map(|(name, value)| format!("{name}={}", encode(value)));
        let all: Vec<String> = kept.chain(more).collect();
        if all.is_empty() { path.to_owned() } else { format!("{path}?{}", all.join("&")) }
    }

    /// What to look for. A day that is none narrows to nothing that could be meant, so it counts
    /// as not given; the field of the browser sends none such.
    fn filter(&self) -> Filter {
        let text = |value: &str| {
            let value = value.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let (action, kind) = match text(&self.action) {
            Some(action) if action.contains('.') => (Some(action), None),
            kind => (None, kind),
        };
        Filter {
            object_kind: kind,
            object_id: text(&self.object),
            action,
            actor_id: None,
            actor: text(&self.actor),
            correlation_id: text(&self.together),
            since: day(&self.since, 0),
            until: day(&self.until, 1),
        }
    }
}

/// The first moment of a day in UTC, so many days later.
fn day(text: &str, later: i64) -> Option<Timestamp> {
    let day: jiff::civil::Date = text.trim().parse().ok()?;
    let day = day.checked_add(jiff::Span::new().days(later)).ok()?;
    Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().into())
}

#[derive(Template)]
#[template(path = "console/audit.html")]
struct AuditLog {
    frame: Frame,
    query: LogQuery,
    records: Vec<Record>,
    pager: Pager,
    as_csv: String,
    as_json: String,
}

pub(super) async fn list(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<LogQuery>,
) -> Result<Response, PageError> {
    let (organization, filter) = (administrator.organization.id, query.filter());
    let wanted = PageRequest { after: query.after, ..PageRequest::first(ROWS) };
    let page = app.db.read(async |tx| audit::find(tx, organization, &filter, wanted).await).await?;
    let pager = Pager {
        total: page.total,
        first: query.after.is_some().then(|| query.address(HERE, None)),
        next: page.next.map(|after| query.address(HERE, Some(format!("after={after}")))),
    };
    let file =
        |format: &str| query.address("/console/audit/file", Some(format!("format={format}")));
    let log = AuditLog {
        frame: Frame::new(&administrator, Section::Audit, None),
        as_csv: file("csv"),
        as_json: file("json"),
        records: page.rows,
        pager,
        query,
    };
    Ok(Page::new(log).into_response())
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Csv,
    Json,
}

#[derive(Debug, Deserialize)]
pub(super) struct FileQuery {
    format: Format,
}

/// The records that the list shows, as a file: the latest first, at most [`MOST_IN_A_FILE`].
pub(super) async fn file(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<LogQuery>,
    Query(FileQuery { format }): Query<FileQuery>,
) -> Result<Response, PageError> {
    let (organization, filter) = (administrator.organization.id, query.filter());
    let wanted = PageRequest::first(MOST_IN_A_FILE);
    let found = app.db.read(async |tx| audit::find(tx, organization, &filter, wanted).await);
    let records = found.await?.rows;
    let (kind, ending, text) = match format {
        Format::Csv => ("text/csv; charset=utf-8", "csv", csv(&records)),
        Format::Json => ("application/json", "json", json_lines(&records)),
    };
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"audit-log.{ending}\"")),
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    Ok((headers, text).into_response())
}

const COLUMNS: [&str; 13] = [
    "id",
    "time",
    "actor_kind",
    "actor_id",
    "actor_name",
    "action",
    "object_kind",
    "object_id",
    "before",
    "after",
    "request_id",
    "address",
    "correlation_id",
];

fn cells(record: &Record) -> [String; 13] {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    [
        record.id.to_string(),
        machine_time(&record.at),
        record.actor_kind.to_string(),
        record.actor_id.clone(),
        record.actor_name.clone(),
        record.action.clone(),
        record.object_kind.clone(),
        record.object_id.clone(),
        text(&record.state_before),
        text(&record.state_after),
        record.request_id.clone(),
        text(&record.address),
        text(&record.correlation_id),
    ]
}

/// RFC 4180, with a line of names.
fn csv(records: &[Record]) -> String {
    let mut text = COLUMNS.join(",");
    text.push_str("\r\n");
    for record in records {
        let row = cells(record).map(|cell| quoted(&cell));
        text.push_str(&row.join(","));
        text.push_str("\r\n");
    }
    text
}

/// A cell in quotes. What a spreadsheet would take for a formula begins with an apostrophe: names
/// come from people.
fn quoted(cell: &str) -> String {
    let formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let apostrophe = if formula { "'" } else { "" };
    format!("\"{apostrophe}{}\"", cell.replace('"', "\"\""))
}

/// An array, a record on each line; the states are JSON and no text.
fn json_lines(records: &[Record]) -> String {
    let state = |text: &Option<String>| -> Value {
        text.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    };
    let rows: Vec<String> = records
        .iter()
        .map(|record| {
            let mut row: serde_json::Map<String, Value> = COLUMNS
                .into_iter()
                .map(str::to_owned)
                .zip(cells(record).map(|cell| json!(cell)))
                .collect();
            row.insert("before".to_owned(), state(&record.state_before));
            row.insert("after".to_owned(), state(&record.state_after));
            Value::Object(row).to_string()
        })
        .collect();
    format!("[\n{}\n]\n", rows.join(",\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_says_what_is_shown() {
        let query = LogQuery {
            actor: " root ".to_owned(),
            action: "user".to_owned(),
            until: "2026-11-22".to_owned(),
            since: "nonsense".to_owned(),
            ..LogQuery::default()
        };
        let filter = query.filter();
        assert_eq!((filter.object_kind.as_deref(), filter.action), (Some("user"), None));
        assert_eq!(filter.since, None);
        assert_eq!(filter.until, Some("2026-11-23T00:00:00Z".parse().unwrap()));
        let address = query.address(HERE, Some("after=7".to_owned()));
        assert!(address.starts_with("/console/audit?actor=root&action=user&"), "{address}");
        assert!(address.ends_with("&after=7"), "{address}");
        let create = LogQuery { action: "user.create".to_owned(), ..LogQuery::default() };
        assert_eq!(create.filter().action.as_deref(), Some("user.create"));
        assert!(LogQuery::default().is_empty() && !create.is_empty());
        assert_eq!(day("9999-12-31", 1), None);
    }

    #[test]
    fn a_name_is_no_formula() {
        assert_eq!(quoted("=1+1"), "\"'=1+1\"");
        assert_eq!(quoted("a\"b,\r\nc"), "\"a\"\"b,\r\nc\"");
    }
}
