//! A proposal beside what is configured: looked at, approved exactly, or thrown away (SSO-09).

use askama::Template;
use axum::{
    Form,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    super::{
        Administrator,
        frame::{Frame, Section, Wrong, done},
        refused,
    },
    HERE,
    certificates::CertificateRow,
};
use crate::web::messages::Message;
use crate::{
    app::App,
    id::{ProposalId, SpaceId},
    saml::{
        binding,
        metadata::{Endpoint, IdpMetadata},
    },
    sso::{
        self, Difference, IdentityProvider, Looked, Origin, Part, Proposal, ProviderError,
        RemovedCertificate,
    },
    store::Timestamp,
    web::{
        Fault,
        page::Page,
        pages::{PageError, Problem, sentence},
    },
};

/// Most entity ids that are offered to choose from; a federation may have thousands.
const MOST_CHOICES: usize = 2000;

#[derive(Template)]
#[template(path = "console/sso_proposal.html")]
struct ProposalPage {
    frame: Frame,
    id: ProposalId,
    from: Message,
    created_by: String,
    created_at: Timestamp,
    choice: Vec<String>,
    described: Option<Described>,
    must_confirm: bool,
    compared: String,
    wrong: Option<Wrong>,
}

/// What a proposal says, for people.
struct Described {
    rows: Vec<Row>,
    changes: bool,
    warnings: Vec<String>,
    sign_on: Vec<(Message, String)>,
    logout: Vec<(Message, String)>,
    formats: Vec<String>,
    wants_signed: bool,
    valid_until: Option<Timestamp>,
    certificates: Vec<CertificateRow>,
}

struct Row {
    label: Message,
    badge: (&'static str, Message),
    now: Option<String>,
    then: Option<String>,
}

impl From<Difference> for Row {
    fn from(difference: Difference) -> Self {
        let label = match difference.part {
            Part::EntityId => key!("sso-entity-id"),
            Part::Redirect => key!("sso-part-redirect"),
            Part::Post => key!("sso-part-post"),
            Part::Logout => key!("sso-part-logout"),
            Part::Certificate => key!("sso-part-certificate"),
        };
        let badge = match (&difference.now, &difference.then) {
            _ if !difference.is_change() => ("", key!("sso-change-same")),
            (None, _) => ("badge-good", key!("sso-change-new")),
            (Some(_), None) => ("badge-bad", key!("sso-change-goes")),
            (Some(_), Some(_)) => ("badge-warn", key!("sso-change-changes")),
        };
        Self { label, badge, now: difference.now, then: difference.then }
    }
}

impl Described {
    fn of(
        read: IdpMetadata,
        current: Option<&IdentityProvider>,
        removed: &[RemovedCertificate],
        now: Timestamp,
    ) -> Self {
        let differences = sso::differences(current, &read);
        let warnings = read.warnings(now.to_jiff());
        let mut warnings: Vec<String> = warnings.iter().map(sentence).collect();
        if read.certificates.is_empty() {
            warnings.push(t!("sso-no-certificate-yet"));
        }
        warnings.extend(removed.iter().map(|it| {
            let RemovedCertificate { fingerprint, removed_by, removed_at } = it;
            let at = removed_at.to_jiff().strftime("%Y-%m-%d %H:%M UTC").to_string();
            t!("sso-would-come-back", who = removed_by, at = at, fingerprint = fingerprint)
        }));
        Self {
            changes: differences.iter().any(Difference::is_change),
            rows: differences.into_iter().map(Row::from).collect(),
            warnings,
            certificates: read.certificates.iter().map(|it| CertificateRow::of(it, now)).collect(),
            sign_on: addresses(read.single_sign_on),
            logout: addresses(read.single_logout),
            formats: read.name_id_formats,
            wants_signed: read.want_authn_requests_signed,
            valid_until: read.valid_until.map(Timestamp::from),
        }
    }
}

fn addresses(endpoints: Vec<Endpoint>) -> Vec<(Message, String)> {
    let way = |binding: &str| {
        if binding == binding::POST { key!("sso-by-post") } else { key!("sso-by-redirect") }
    };
    endpoints.into_iter().map(|it| (way(&it.binding), it.location)).collect()
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ProposalId>,
) -> Result<Response, PageError> {
    Ok(Page::new(look(&app, &administrator, id, None).await?).into_response())
}

async fn look(
    app: &App,
    who: &Administrator,
    id: ProposalId,
    wrong: Option<Wrong>,
) -> Result<ProposalPage, PageError> {
    let space = who.space()?;
    let (proposal, current) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let proposal = sso::proposal(tx, space.id, id).await?;
            Ok((proposal, sso::identity_provider(tx, space.id).await?))
        })
        .await?;
    let proposal = proposal.ok_or_else(|| {
        Problem::not_found(t!("sso-no-proposal"))
            .onward(format!("{HERE}/provider"), key!("sso-to-the-form"))
    })?;
    let choice = choice(&proposal).await?;
    let mut wrong = wrong;
    let described = if choice.is_empty() {
        match Looked::at(proposal.content().clone(), who.act.now)
            .await
            .and_then(|looked| looked.description(current.as_ref()))
        {
            Ok(None) => None,
            Ok(Some(read)) => {
                let space = space.id;
                let removed = app
                    .db
                    .read(async |tx| sso::removed_before(tx, space, &read).await)
                    .await
                    .map_err(Fault::from)?;
                Some(Described::of(read, current.as_ref(), &removed, who.act.now))
            }
            // It was sound when it was kept: since then its time may have run out.
            Err(error) => {
                wrong = Some(Wrong::whole(sentence(&error)));
                None
            }
        }
    } else {
        None
    };
    Ok(ProposalPage {
        frame: Frame::new(who, Section::SingleSignOn, None),
        id,
        from: match proposal.origin {
            Origin::Upload => key!("sso-from-upload"),
            Origin::Hand => key!("sso-from-hand"),
            Origin::Source => key!("sso-from-source"),
        },
        created_by: proposal.created_by.clone(),
        created_at: proposal.created_at,
        choice,
        described,
        must_confirm: space.sso_enabled && current.is_some(),
        compared: sso::standing(current.as_ref()),
        wrong,
    })
}

/// What to choose from; nothing where there is no choice.
async fn choice(proposal: &Proposal) -> Result<Vec<String>, Fault> {
    let mut choice = proposal.content().clone().choice().await?;
    choice.truncate(MOST_CHOICES);
    Ok(if choice.len() > 1 { choice } else { Vec::new() })
}

/// The proposal of this id, to be read before anything is written.
pub(super) async fn proposed(
    app: &App,
    space: SpaceId,
    id: ProposalId,
) -> Result<Proposal, sso::Error> {
    let found = app.db.read(async |tx| sso::proposal(tx, space, id).await).await?;
    Ok(found.ok_or(ProviderError::ProposalNotFound)?)
}

#[derive(Deserialize)]
pub(in crate::web::console) struct Choice {
    entity_id: String,
}

pub(in crate::web::console) async fn choose(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ProposalId>,
    Form(form): Form<Choice>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    match take_one(&app, &administrator, space, id, form.entity_id.trim()).await {
        Ok(chosen) => Ok(Redirect::to(&format!("{HERE}/proposals/{chosen}")).into_response()),
        Err(error) => {
            let wrong = Wrong::whole(Wrong::of(error.into())?.message);
            let page = look(&app, &administrator, id, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

async fn take_one(
    app: &App,
    who: &Administrator,
    space: SpaceId,
    id: ProposalId,
    entity_id: &str,
) -> Result<ProposalId, sso::Error> {
    let content = proposed(app, space, id).await?.content().clone().choosing(entity_id);
    let looked = Looked::at(content, who.act.now).await?;
    app.db.write(async |tx| sso::choose(tx, &who.act, space, id, looked).await).await
}

/// What the page sends back: against what it was compared, and the tick that SSO-09 wants.
#[derive(Deserialize)]
pub(in crate::web::console) struct Approval {
    compared: String,
    #[serde(default)]
    confirm: Option<String>,
}

pub(in crate::web::console) async fn approve(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ProposalId>,
    Form(form): Form<Approval>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let wrong = if unconfirmed(&app, &administrator, &form).await? {
        Wrong::whole(t!("sso-confirm-replace"))
    } else {
        match apply(&app, &administrator, space.id, id, &form.compared).await {
            Ok(()) => return Ok(done(HERE, "provider-saved")),
            Err(error) => Wrong::whole(Wrong::of(error.into())?.message),
        }
    };
    let page = look(&app, &administrator, id, Some(wrong)).await?;
    Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
}

async fn apply(
    app: &App,
    who: &Administrator,
    space: SpaceId,
    id: ProposalId,
    compared: &str,
) -> Result<(), sso::Error> {
    let content = proposed(app, space, id).await?.content().clone();
    let looked = Looked::at(content, who.act.now).await?;
    app.db
        .write(async |tx| sso::approve(tx, &who.act, space, id, looked, compared).await)
        .await
        .map(drop)
}

/// Replacing a provider while sign-in is on needs a tick.
async fn unconfirmed(app: &App, who: &Administrator, form: &Approval) -> Result<bool, PageError> {
    let space = who.space()?;
    if !space.sso_enabled || form.confirm.is_some() {
        return Ok(false);
    }
    let current = app.db.read(async |tx| sso::identity_provider(tx, space.id).await).await?;
    Ok(current.is_some())
}

pub(in crate::web::console) async fn discard(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<ProposalId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    match throw_away(&app, &administrator, space, id).await {
        Ok(()) => Ok(done(HERE, "proposal-discarded")),
        Err(error) => Err(refused(&Wrong::of(error.into())?)),
    }
}

async fn throw_away(
    app: &App,
    who: &Administrator,
    space: SpaceId,
    id: ProposalId,
) -> Result<(), sso::Error> {
    let content = proposed(app, space, id).await?.content().clone();
    let looked = Looked::at(content, who.act.now).await?;
    app.db.write(async |tx| sso::discard(tx, &who.act, space, id, &looked).await).await
}
