//! Single sign-on settings: the switch, who we are, who the identity provider is, and what became
//! of each attempt to sign in.

pub(super) mod certificates;
pub(super) mod keys;
pub(super) mod proposals;
pub(super) mod provider;
pub(super) mod requests;
pub(super) mod source;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Pager, Section, done},
    words::{Badge, Ending},
};
use crate::{
    app::App,
    expiry,
    saml::trace::{Entry, Verdict},
    space::{self, KeyPurpose},
    sso::{self, Attempt, IdentityProvider, Outcome, Proposal},
    store::{PageRequest, Timestamp},
    web::{Fault, page::Page, pages::PageError},
};

use certificates::StoredCertificate;
use source::SourceRow;

const HERE: &str = "/console/settings/sso";
const ATTEMPTS: i64 = 20;

#[derive(Template)]
#[template(path = "console/sso.html")]
struct SingleSignOn {
    frame: Frame,
    enabled: bool,
    login_url: String,
    entity_id: String,
    acs_url: String,
    provider: Option<IdentityProvider>,
    endings: Vec<Ending>,
    fetched: Option<Proposal>,
    source: Option<SourceRow>,
    certificates: Vec<StoredCertificate>,
    encrypts: bool,
    attempts: Vec<AttemptRow>,
    pager: Pager,
}

struct AttemptRow {
    at: Timestamp,
    address: Option<String>,
    badge: Badge,
    name_id: Option<String>,
    failure: Option<(&'static str, &'static str)>,
    checks: Vec<CheckRow>,
    request_id: String,
}

struct CheckRow {
    name: &'static str,
    class: &'static str,
    icon: &'static str,
    verdict: &'static str,
    wanted: String,
    received: String,
}

impl From<&Entry> for CheckRow {
    fn from(entry: &Entry) -> Self {
        let (class, icon, verdict) = match entry.verdict {
            Verdict::Passed => ("good", "check", "passed"),
            Verdict::Failed => ("bad", "cross", "failed"),
            Verdict::NotApplicable => ("quiet", "minus", "not applicable"),
        };
        Self {
            name: entry.check.name(),
            class,
            icon,
            verdict,
            wanted: entry.wanted.clone(),
            received: entry.received.clone(),
        }
    }
}

impl From<Attempt> for AttemptRow {
    fn from(attempt: Attempt) -> Self {
        let badge = match attempt.outcome {
            Outcome::SignedIn => ("badge-good", "Signed in"),
            Outcome::Accepted => ("badge-busy", "Accepted, not finished"),
            Outcome::Refused => ("badge-bad", "Refused"),
        };
        let failure = attempt.checks().first_failure();
        Self {
            at: attempt.at,
            badge,
            failure: failure.map(|entry| (entry.check.name(), entry.check.advice())),
            checks: attempt.checks().entries().iter().map(CheckRow::from).collect(),
            address: attempt.address,
            name_id: attempt.name_id,
            request_id: attempt.request_id,
        }
    }
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let wanted = PageRequest { limit: ATTEMPTS, ..query.page() };
    let ((provider, ends), (source, fetched), encrypts, attempts) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let provider = sso::identity_provider(tx, space.id).await?;
            let provider = (provider, expiry::ends(tx, space.id).await?);
            let source = sso::source(tx, space.id).await?;
            let fetched = (source, sso::fetched_proposal(tx, space.id).await?);
            let keys = space::key_pairs(tx, space.id, KeyPurpose::Encryption).await?;
            let encrypts = !keys.is_empty();
            Ok((provider, fetched, encrypts, sso::attempts(tx, space.id, wanted).await?))
        })
        .await?;
    let now = administrator.act.now;
    let pager = query.pager(HERE, &attempts);
    let page = SingleSignOn {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        enabled: space.sso_enabled,
        login_url: app.settings.url(&format!("/portal/{}/login", space.name)),
        entity_id: sso::sp_entity_id(&app.settings, space.id),
        acs_url: sso::acs_url(&app.settings, space.id),
        certificates: StoredCertificate::all(provider.as_ref(), app.demo.is_some(), now)?,
        provider,
        endings: Ending::near(ends, now),
        fetched,
        source: source.map(SourceRow::of).transpose()?,
        encrypts,
        attempts: attempts.rows.into_iter().map(AttemptRow::from).collect(),
        pager,
    };
    Ok(Page::new(page).into_response())
}

pub(super) async fn switch(
    State(app): State<App>,
    administrator: Administrator,
    Path(to): Path<String>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (enabled, code) = super::switch_to(&to)?;
    app.db
        .write(async |tx| space::set_sso_enabled(tx, &administrator.act, space, enabled).await)
        .await?;
    Ok(done(HERE, code))
}
