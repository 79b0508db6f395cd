//! What a page may cost: bytes on the wire, and statements to the database.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::{Arc, Mutex},
};

use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span,
};
use tracing_subscriber::{Layer, layer::Context, prelude::*, registry::LookupSpan};

use crate::{filled::Filled, house::TestHouse};

/// Bytes that a page may cost who comes for the first time, with all its files.
const FIRST: usize = 100_000;
/// Bytes that it may cost afterwards, when the files are there.
const LATER: usize = 20_000;
/// Statements of a page, besides one for each table on it.
const STATEMENTS: usize = 5;

/// Addresses of files in a page.
fn files(html: &str) -> BTreeSet<String> {
    html.split("\"/assets/")
        .skip(1)
        .map(|rest| rest.split(['"', '#']).next().unwrap())
        .map(|rest| format!("/assets/{rest}"))
        .collect()
}

fn head(headers: &reqwest::header::HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_pages_are_light() {
    let house = TestHouse::sqlite().await;
    let filled = Filled::open(&house).await;
    let stranger = house.browser();
    let asking = [("accept-encoding", "br, gzip"), ("sec-fetch-site", "none")];
    let mut sizes: BTreeMap<String, usize> = BTreeMap::new();
    let mut all: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    filled
        .every_page(&asking, async |page| {
            assert_eq!(page.headers["content-encoding"], "br", "{}", page.path);
            let here = page.body.len() + head(&page.headers);
            let html = filled.desk.chief.get(house.url(&page.path)).send().await.unwrap();
            let mut first = here;
            for file in files(&html.text().await.unwrap()) {
                if !sizes.contains_key(&file) {
                    let request =
                        stranger.get(house.url(&file)).header("accept-encoding", "br, gzip");
                    let answer = request.send().await.unwrap();
                    let kept = answer.headers()["cache-control"].to_str().unwrap();
                    assert!(kept.contains("immutable"), "{file} is asked for again: {kept}");
                    let head = head(answer.headers());
                    sizes.insert(file.clone(), head + answer.bytes().await.unwrap().len());
                }
                first += sizes[&file];
            }
            all.insert(format!("{} {}", page.kind, page.path), (first, here));
        })
        .await;
    let heavy: Vec<_> =
        all.iter().filter(|(_, (first, later))| *first > FIRST || *later > LATER).collect();
    let heaviest = all.values().map(|(first, later)| (*later, *first)).max();
    println!("{} pages, the heaviest (later, first): {heaviest:?}; {sizes:#?}", all.len());
    assert!(heavy.is_empty(), "(first, later): {heavy:#?}");
    house.close().await;
}

/// Statements by request, as the database driver says them.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeMap<String, Vec<String>>>>);

struct RequestId(String);

/// The value of one field.
struct Reading {
    name: &'static str,
    value: Option<String>,
}

impl Visit for Reading {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == self.name {
            self.value = Some(format!("{value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == self.name {
            self.value = Some(value.to_owned());
        }
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Statements {
    fn on_new_span(
        &self,
        attributes: &span::Attributes<'_>,
        id: &span::Id,
        context: Context<'_, S>,
    ) {
        if attributes.metadata().name() != "request" {
            return;
        }
        let mut reading = Reading { name: "id", value: None };
        attributes.record(&mut reading);
        if let (Some(span), Some(value)) = (context.span(id), reading.value) {
            span.extensions_mut().insert(RequestId(value));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if event.metadata().target() != "sqlx::query" {
            return;
        }
        // A short one is its own summary.
        let read = |name| {
            let mut reading = Reading { name, value: None };
            event.record(&mut reading);
            reading.value.filter(|value| !value.is_empty())
        };
        let summary = read("db.statement").or_else(|| read("summary")).unwrap_or_default();
        let summary = summary.split_whitespace().collect::<Vec<_>>().join(" ");
        // What frames a transaction asks nothing; what goes along with its beginning does.
        let asks = match summary.strip_prefix("BEGIN;") {
            Some(rest) => rest.trim(),
            None => summary.trim(),
        };
        if asks.is_empty()
            || ["BEGIN", "COMMIT", "ROLLBACK", "SET TRANSACTION"]
                .iter()
                .any(|frame| asks.to_ascii_uppercase().starts_with(frame))
        {
            return;
        }
        let summary = asks.to_owned();
        let of = context.event_scope(event).and_then(|mut scope| {
            scope.find_map(|span| span.extensions().get::<RequestId>().map(|id| id.0.clone()))
        });
        if let Some(id) = of {
            self.0.lock().unwrap().entry(id).or_default().push(summary);
        }
    }
}

/// Lines of a list of what is known and only gets shorter.
pub fn known(list: &str) -> BTreeSet<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(list);
    let text = std::fs::read_to_string(path).unwrap();
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_06_pages_ask_the_database_little() {
    let statements = Statements::default();
    tracing::subscriber::set_global_default(
        tracing_subscriber::registry().with(statements.clone()),
    )
    .unwrap();
    let house = TestHouse::sqlite().await;
    let filled = Filled::open(&house).await;
    let known: BTreeMap<String, usize> = known("tests/heavier.txt")
        .iter()
        .map(|line| line.split_once(' ').unwrap())
        .map(|(most, kind)| (kind.to_owned(), most.parse().unwrap()))
        .collect();
    let mut heavy: BTreeMap<String, String> = BTreeMap::new();
    let mut kinds = BTreeSet::new();
    let (mut pages, mut most) = (0, 0);
    filled
        .every_page(&[], async |page| {
            let id = page.headers["x-request-id"].to_str().unwrap();
            let asked = statements.0.lock().unwrap().remove(id).unwrap_or_default();
            // Whoever has no session is not asked for.
            let asks = page.kind.starts_with("/console/") && page.kind != "/console/login";
            assert!(!asked.is_empty() || !asks, "{}", page.path);
            let tables = page.html().matches("<table").count();
            pages += 1;
            most = most.max(asked.len());
            kinds.insert(page.kind.clone());
            let may = known.get(&page.kind).copied().unwrap_or(STATEMENTS);
            if asked.len() > may + tables {
                let why = format!(
                    "{}: {} asks {} times for {tables} tables:\n    {}",
                    page.kind,
                    page.path,
                    asked.len(),
                    asked.join("\n    ")
                );
                heavy.insert(page.kind, why);
            }
        })
        .await;
    println!("{pages} pages, at most {most} statements");
    assert!(
        heavy.is_empty(),
        "{} of {pages}:\n{}",
        heavy.len(),
        heavy.values().map(String::as_str).collect::<Vec<_>>().join("\n")
    );
    let gone: Vec<&String> = known.keys().filter(|kind| !kinds.contains(*kind)).collect();
    assert!(gone.is_empty(), "take these off tests/heavier.txt: {gone:#?}");
    house.close().await;
}
