//! What is remembered of a request while it is answered, for the recorder (SCIM-20).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use axum::{
    body::Bytes,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName,
        header::{IF_MATCH, IF_NONE_MATCH, USER_AGENT},
    },
    middleware::Next,
    response::Response,
};

use super::{BASE, answer::Told};
use crate::{
    app::App,
    audit::{self, Act, Record},
    credential::Opened,
    id::{AuditId, PrincipalKind, ScimRequestId},
    recorder::{self, Conditions, Entry, Failures, Subject},
    store::{self, Write},
    web::RequestInfo,
};

/// Most characters of a precondition that are kept.
const MAX_FIELD: usize = 2000;

/// What is remembered of one request. Clones are one.
#[derive(Clone, Debug, Default)]
pub struct Trace(Arc<Mutex<Remembered>>);

#[derive(Debug, Default)]
struct Remembered {
    method: String,
    path: String,
    query: Option<String>,
    conditions: Conditions,
    client: Option<String>,
    began: Option<Instant>,
    opened: Option<Arc<Opened>>,
    /// The body without secrets, and its length as it came.
    body: Option<String>,
    body_length: i64,
    subject: Subject,
    recorded: bool,
    /// Whether nothing is to stay of this request; what it changes is kept here instead.
    rehearsing: bool,
    effects: Vec<Record>,
}

/// What a request did.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// Whom it is about.
    pub subject: Subject,
    /// The audit records of what it changed.
    pub audit_ids: Vec<AuditId>,
    /// What of a bulk request failed.
    pub failures: Option<Failures>,
    /// The id that the record gets; a new one if none is given.
    pub recorded_as: Option<ScimRequestId>,
}

impl Trace {
    fn of(request: &Request) -> Self {
        let path = request.uri().path();
        let client = request.headers().get(USER_AGENT).and_then(|name| name.to_str().ok());
        let rehearsing = request.extensions().get::<super::Rehearsal>().is_some();
        Self(Arc::new(Mutex::new(Remembered {
            method: request.method().to_string(),
            path: path.strip_prefix(BASE).unwrap_or(path).to_owned(),
            query: request.uri().query().map(str::to_owned),
            conditions: Conditions {
                if_match: field(request.headers(), &IF_MATCH),
                if_none_match: field(request.headers(), &IF_NONE_MATCH),
            },
            client: client.map(str::to_owned),
            began: Some(Instant::now()),
            rehearsing,
            ..Remembered::default()
        })))
    }

    fn with<T>(&self, work: impl FnOnce(&mut Remembered) -> T) -> T {
        // Whoever panicked while holding it left it whole.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn client(&self, opened: &Arc<Opened>) {
        self.with(|one| one.opened = Some(opened.clone()));
    }

    /// The body as it came. Its secrets are hidden here, before any transaction begins.
    pub(super) fn body(&self, body: &Bytes) {
        let redacted = recorder::redact(body);
        self.with(|one| {
            one.body = redacted;
            one.body_length = i64::try_from(body.len()).unwrap_or(i64::MAX);
        });
    }

    /// Whom the request is about, as far as its body says.
    pub(super) fn names(&self, name: Option<&str>) {
        if let Some(name) = name {
            self.with(|one| one.subject.name = Some(name.to_ascii_lowercase()));
        }
    }

    /// Records the request in the transaction of what it changes.
    pub(super) async fn record(
        &self,
        tx: &mut Write,
        act: &Act,
        status: u16,
        effect: Effect,
    ) -> store::Result<()> {
        let rehearsed = self.with(|one| {
            one.subject = effect.subject.clone();
            one.rehearsing.then(|| one.opened.as_ref().map(|opened| opened.space.id)).flatten()
        });
        if let Some(space) = rehearsed {
            let effects = audit::of_space(tx, space, &effect.audit_ids).await?;
            self.with(|one| one.effects = effects);
            return Ok(());
        }
        match self.entry_of(act, status, effect) {
            Some(entry) => recorder::insert(tx, &[entry]).await,
            None => Ok(()),
        }
    }

    /// What is recorded of the request and what it did.
    pub(super) fn entry_of(&self, act: &Act, status: u16, effect: Effect) -> Option<Entry> {
        self.with(|one| one.subject = effect.subject);
        let mut entry = self.entry(act, status)?;
        entry.audit_ids = effect.audit_ids;
        entry.failures = effect.failures;
        entry.id = effect.recorded_as.unwrap_or(entry.id);
        Some(entry)
    }

    /// That the transaction of [`Trace::record`] was committed.
    pub(super) fn committed(&self) {
        self.with(|one| one.recorded = true);
    }

    /// Whether nothing is to stay of this request.
    pub(super) fn rehearses(&self) -> bool {
        self.with(|one| one.rehearsing)
    }

    /// What a rehearsal changed, before it was undone.
    pub fn effects(&self) -> Vec<Record> {
        self.with(|one| std::mem::take(&mut one.effects))
    }

    fn entry(&self, act: &Act, status: u16) -> Option<Entry> {
        self.with(|one| {
            let opened = one.opened.as_ref()?;
            let (kind, id) = subject_of(&one.path);
            Some(Entry {
                id: act.new_id(),
                space: opened.space.id,
                at: act.now,
                credential: opened.credential.id,
                method: one.method.clone(),
                path: one.path.clone(),
                query: one.query.clone(),
                conditions: one.conditions.clone(),
                client: one.client.clone(),
                body: one.body.clone(),
                body_length: one.body_length,
                status: i64::from(status),
                scim_type: None,
                detail: None,
                kind,
                subject: Subject { id: one.subject.id.or(id), name: one.subject.name.clone() },
                audit_ids: Vec::new(),
                failures: None,
                request_id: act.request_id.clone(),
                address: act.address.map(|address| address.to_string()),
                duration: one.began.map_or(0, |began| {
                    i64::try_from(began.elapsed().as_micros()).unwrap_or(i64::MAX)
                }),
            })
        })
    }
}

/// A field with all its lines, up to a bound: what is behind it is no tag of ours.
fn field(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let lines = headers.get_all(name).iter().filter_map(|line| line.to_str().ok());
    let lines: Vec<&str> = lines.collect();
    (!lines.is_empty()).then(|| lines.join(", ").chars().take(MAX_FIELD).collect())
}

/// Whom a path is about: the kind, and the id where it has one that can be somebody's.
fn subject_of(path: &str) -> (Option<PrincipalKind>, Option<i64>) {
    let mut parts = path.trim_matches('/').split('/');
    let (endpoint, id) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    match endpoint {
        "Users" => {
            (Some(PrincipalKind::User), id.parse().ok().map(|crate::id::UserId(number)| number))
        }
        "Groups" => {
            (Some(PrincipalKind::Group), id.parse().ok().map(|crate::id::GroupId(number)| number))
        }
        _ => (None, None),
    }
}

/// Remembers a request and has it recorded, unless that was done where it changed something.
pub(super) async fn record(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let trace = Trace::of(&request);
    let info = request.extensions().get::<RequestInfo>().cloned();
    request.extensions_mut().insert(trace.clone());
    let mut response = next.run(request).await;
    let told = response.extensions_mut().remove::<Told>();
    let (recorded, rehearsing) = trace.with(|one| (one.recorded, one.rehearsing));
    if rehearsing && response.extensions().get::<Trace>().is_none() {
        // Whoever rehearses asks it what was changed.
        response.extensions_mut().insert(trace);
        return response;
    }
    let (false, false, Some(info)) = (recorded, rehearsing, info) else { return response };
    let act = info.act(&app, audit::Actor::anyone());
    if let Some(mut entry) = trace.entry(&act, response.status().as_u16()) {
        if let Some(told) = told {
            entry.scim_type = told.scim_type;
            entry.detail = Some(told.detail);
        }
        app.recorder.take(entry).await;
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_whom_it_is_about() {
        let user = Some(PrincipalKind::User);
        assert_eq!(subject_of("/Users/u-000000000001"), (user, Some(1)));
        assert_eq!(subject_of("/Users/u-000000000001/"), (user, Some(1)));
        assert_eq!(subject_of("/Users"), (user, None));
        assert_eq!(subject_of("/Users/.search"), (user, None));
        assert_eq!(subject_of("/Groups/g-00000000000z"), (Some(PrincipalKind::Group), Some(35)));
        assert_eq!(subject_of("/Bulk"), (None, None));
    }
}
