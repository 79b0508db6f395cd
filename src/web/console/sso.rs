//! Single sign-on settings: the switch, who we are, who the identity provider is, and what became
//! of each attempt to sign in.

pub(super) mod attempts;
mod causes;
pub(super) mod certificates;
pub(super) mod keys;
pub(super) mod proposals;
pub(super) mod provider;
mod report;
pub(super) mod requests;
pub(super) mod responses;
pub(super) mod source;
pub(super) mod tests;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section, done},
    words::Ending,
};
use crate::{
    app::App,
    expiry,
    space::{self, KeyPurpose},
    sso::{self, AttemptSearch, IdentityProvider, Proposal},
    store::PageRequest,
    web::{Fault, messages::Message, page::Page, pages::PageError},
};

use certificates::StoredCertificate;
use source::SourceRow;

const HERE: &str = "/console/settings/sso";

/// The place of a form of the settings, for [`super::conflict`].
fn place(title: Message, form: &str) -> super::conflict::Place {
    let here = format!("{HERE}/{form}");
    super::conflict::Place {
        title,
        back: HERE.to_owned(),
        back_label: t!("sso-title"),
        edit: here.clone(),
        action: here,
    }
}

/// How many of the latest attempts the page shows.
const ATTEMPTS: i64 = 5;

#[derive(Template)]
#[template(path = "console/sso.html")]
struct SingleSignOn {
    frame: Frame,
    enabled: bool,
    login_url: String,
    entity_id: String,
    acs_url: String,
    slo_url: String,
    provider: Option<IdentityProvider>,
    endings: Vec<Ending>,
    fetched: Option<Proposal>,
    source: Option<SourceRow>,
    certificates: Vec<StoredCertificate>,
    encrypts: bool,
    attempts: Vec<attempts::Row>,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (search, wanted) = (AttemptSearch::default(), PageRequest::first(ATTEMPTS));
    let (provider, (source, fetched), encrypts, attempts) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let provider = sso::identity_provider(tx, space.id).await?;
            let source = sso::source(tx, space.id).await?;
            let fetched = (source, sso::fetched_proposal(tx, space.id).await?);
            let keys = space::key_pairs(tx, space.id, KeyPurpose::Encryption).await?;
            let encrypts = !keys.is_empty();
            Ok((provider, fetched, encrypts, sso::attempts(tx, space.id, &search, wanted).await?))
        })
        .await?;
    let ends = expiry::ends(&app.db, space.id).await?;
    let now = administrator.act.now;
    let page = SingleSignOn {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        enabled: space.sso_enabled,
        login_url: app.settings.url(&format!("/portal/{}/login", space.name)),
        entity_id: sso::sp_entity_id(&app.settings, space.id),
        acs_url: sso::acs_url(&app.settings, space.id),
        slo_url: sso::slo_url(&app.settings, space.id),
        certificates: StoredCertificate::all(&app, provider.as_ref(), now)?,
        provider,
        endings: Ending::near(ends, now),
        fetched,
        source: source.map(SourceRow::of).transpose()?,
        encrypts,
        attempts: attempts.rows.into_iter().map(attempts::Row::from).collect(),
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
