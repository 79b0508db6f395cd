//! Single sign-on settings: the switch, who we are, who the identity provider is, and what became
//! of each attempt to sign in.

pub(super) mod attempts;
mod report;
pub(super) mod requests;
pub(super) mod responses;
pub(super) mod tests;

use askama::Template;
use axum::{
    extract::{Multipart, Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    Administrator,
    frame::{Frame, ListQuery, Section, Wrong, done},
};
use crate::{
    app::App,
    id::KeyPairId,
    saml::certificate::{Certificate, CertificateFacts},
    space::{self, KeyPurpose, NewKeyPair},
    sso::{self, AttemptSearch, ByHand, IdentityProvider},
    store::{PageRequest, Timestamp},
    web::{
        Fault,
        page::{Field, Page},
        pages::{PageError, Problem},
    },
};

const HERE: &str = "/console/settings/sso";
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
    provider: Option<IdentityProvider>,
    certificates: Vec<CertificateRow>,
    encryption_keys: Vec<KeyRow>,
    may_add_key: bool,
    attempts: Vec<attempts::Row>,
}

/// A certificate as the page shows it (SSO-12).
struct CertificateRow {
    facts: CertificateFacts,
    key: String,
    not_before: String,
    not_after: String,
    days_left: i64,
}

/// An encryption key as the page shows it.
struct KeyRow {
    id: KeyPairId,
    certificate: CertificateRow,
    made: Timestamp,
}

pub(super) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (search, wanted) = (AttemptSearch::default(), PageRequest::first(ATTEMPTS));
    let (provider, keys_to_encrypt, attempts) = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let provider = sso::identity_provider(tx, space.id).await?;
            let keys = space::key_pairs(tx, space.id, KeyPurpose::Encryption).await?;
            Ok((provider, keys, sso::attempts(tx, space.id, &search, wanted).await?))
        })
        .await?;
    let keys = provider
        .as_ref()
        .map_or_else(|| Ok(Vec::new()), |provider| provider.keys(app.demo.is_some()))?;
    let now = administrator.act.now;
    let may_add_key = keys_to_encrypt.len() < space::MAXIMUM_ENCRYPTION_KEYS;
    let encryption_keys = keys_to_encrypt
        .iter()
        .map(|pair| -> Result<KeyRow, space::Error> {
            let certificate = certificate_row(&pair.public_certificate()?, now);
            Ok(KeyRow { id: pair.id, certificate, made: pair.created_at })
        })
        .collect::<Result<_, _>>()
        .map_err(Fault::from)?;
    let page = SingleSignOn {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        enabled: space.sso_enabled,
        login_url: app.settings.url(&format!("/portal/{}/login", space.name)),
        entity_id: sso::sp_entity_id(&app.settings, space.id),
        acs_url: sso::acs_url(&app.settings, space.id),
        provider,
        certificates: keys.iter().map(|key| certificate_row(key, now)).collect(),
        encryption_keys,
        may_add_key,
        attempts: attempts.rows.into_iter().map(attempts::Row::from).collect(),
    };
    Ok(Page::new(page).into_response())
}

fn certificate_row(certificate: &Certificate, now: Timestamp) -> CertificateRow {
    let facts = certificate.facts().clone();
    let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
    CertificateRow {
        key: facts.key.to_string(),
        not_before: day(facts.not_before),
        not_after: day(facts.not_after),
        days_left: Timestamp::from(facts.not_after).seconds_since(now).div_euclid(86_400),
        facts,
    }
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

/// Makes an encryption key (SSO-21).
pub(super) async fn add_key(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (name, now) = (format!("{} encryption", space.name), administrator.act.now);
    let key = tokio::task::spawn_blocking(move || NewKeyPair::generate(&name, now))
        .await
        .map_err(|_| Fault::Internal("making a key was interrupted"))?
        .map_err(Fault::from)?;
    app.db
        .write(async |tx| {
            space::add_encryption_key(tx, &administrator.act, &app.sealer, space.id, key).await
        })
        .await?;
    Ok(done(HERE, "key-added"))
}

/// Removes an encryption key.
pub(super) async fn remove_key(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<KeyPairId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    app.db
        .write(async |tx| space::remove_encryption_key(tx, &administrator.act, space, id).await)
        .await?;
    Ok(done(HERE, "key-removed"))
}

#[derive(Template)]
#[template(path = "console/sso_provider.html")]
struct ProviderPage {
    frame: Frame,
    enabled: bool,
    must_confirm: bool,
    current: Option<IdentityProvider>,
    metadata: Field,
    by_hand: Vec<Field>,
    wrong: Option<Wrong>,
}

pub(super) async fn provider(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let page = look(&app, &administrator, &Upload::default(), None).await?;
    Ok(Page::new(page).into_response())
}

async fn look(
    app: &App,
    who: &Administrator,
    upload: &Upload,
    wrong: Option<Wrong>,
) -> Result<ProviderPage, PageError> {
    let space = who.space()?;
    let current = app.db.read(async |tx| sso::identity_provider(tx, space.id).await).await?;
    let at = |name| Wrong::at(wrong.as_ref(), name);
    let shown = |given: &str, old: fn(&IdentityProvider) -> &String| {
        let old = current.as_ref().map(|current| old(current).clone());
        if given.is_empty() { old.unwrap_or_default() } else { given.to_owned() }
    };
    let by_hand = vec![
        Field::text("entity_id", "Entity id")
            .value(shown(&upload.entity_id, |provider| &provider.entity_id))
            .error(at("entity_id")),
        Field::text("login_url", "Login address")
            .longest(2048)
            .hint("Where it takes sign-in requests by redirect.")
            .value(shown(&upload.login_url, |provider| &provider.login_url))
            .error(at("login_url")),
        Field::long_text("certificate", "Signing certificate")
            .optional()
            .hint("PEM, or the file below. Left empty, the present certificates stay.")
            .error(at("certificate")),
    ];
    Ok(ProviderPage {
        frame: Frame::new(who, Section::SingleSignOn, None),
        enabled: space.sso_enabled,
        must_confirm: space.sso_enabled && current.is_some(),
        current,
        metadata: Field::long_text("text", "Or its text").optional().error(at("metadata")),
        by_hand,
        wrong,
    })
}

/// What the two forms send.
#[derive(Default)]
struct Upload {
    file: Vec<u8>,
    text: String,
    /// Which of the forms it is, where a page has several that go to one place.
    kind: String,
    entity_id: String,
    login_url: String,
    confirmed: bool,
}

impl Upload {
    /// Reads a form; the door's limit on bodies bounds it.
    async fn read(mut form: Multipart) -> Result<Self, PageError> {
        let mut upload = Self::default();
        while let Some(field) = form.next_field().await.map_err(|_| damaged())? {
            let name = field.name().unwrap_or_default().to_owned();
            let bytes = field.bytes().await.map_err(|_| damaged())?.to_vec();
            let text = || String::from_utf8_lossy(&bytes).trim().to_owned();
            match name.as_str() {
                "text" | "certificate" => upload.text = text(),
                "kind" => upload.kind = text(),
                "entity_id" => upload.entity_id = text(),
                "login_url" => upload.login_url = text(),
                "confirm" => upload.confirmed = true,
                "file" => upload.file = bytes,
                _ => {}
            }
        }
        Ok(upload)
    }

    /// The file, or the text where there is no file.
    fn document(&self) -> &[u8] {
        if self.file.is_empty() { self.text.as_bytes() } else { &self.file }
    }
}

fn damaged() -> Problem {
    Problem {
        status: StatusCode::BAD_REQUEST,
        code: "BadForm",
        title: "The form is not understood",
        message: "The form did not arrive whole, or a file in it is over 1 MiB.".to_owned(),
        onward: Some((format!("{HERE}/provider"), "Back to the form")),
    }
}

pub(super) async fn set_by_metadata(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    let space = administrator.space()?.id;
    let saved = if upload.document().is_empty() {
        Err(Wrong::whole("Choose a metadata file, or paste its text."))
    } else if let Some(wrong) = unconfirmed(&app, &administrator, &upload).await? {
        Err(wrong)
    } else {
        app.db
            .write(async |tx| -> Result<_, sso::Error> {
                sso::set_by_metadata(tx, &administrator.act, space, upload.document()).await
            })
            .await
            .map_err(|error| Wrong::of(error.into()))
            .map_or_else(|wrong| wrong.map(Err), |_| Ok(Ok(())))?
    };
    answer(&app, &administrator, &upload, saved).await
}

pub(super) async fn set_by_hand(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    let space = administrator.space()?.id;
    let saved = if let Some(wrong) = unconfirmed(&app, &administrator, &upload).await? {
        Err(wrong)
    } else {
        save_by_hand(&app, &administrator, space, &upload)
            .await
            .map_err(|error| Wrong::of(error.into()))
            .map_or_else(|wrong| wrong.map(Err), |()| Ok(Ok(())))?
    };
    answer(&app, &administrator, &upload, saved).await
}

async fn save_by_hand(
    app: &App,
    who: &Administrator,
    space: crate::id::SpaceId,
    upload: &Upload,
) -> Result<(), sso::Error> {
    let document = upload.document();
    let certificate =
        if document.is_empty() { None } else { Some(Certificate::from_file(document)?) };
    let new = ByHand {
        entity_id: Some(upload.entity_id.clone()),
        login_url: Some(upload.login_url.clone()),
        certificate,
    };
    app.db.write(async |tx| sso::set_by_hand(tx, &who.act, space, &new).await).await.map(|_| ())
}

/// Replacing a provider while sign-in is on needs a tick (SSO-09).
async fn unconfirmed(
    app: &App,
    who: &Administrator,
    upload: &Upload,
) -> Result<Option<Wrong>, PageError> {
    let space = who.space()?;
    if !space.sso_enabled || upload.confirmed {
        return Ok(None);
    }
    let current = app.db.read(async |tx| sso::identity_provider(tx, space.id).await).await?;
    Ok(current.map(|_| {
        Wrong::whole("Sign-in is on: confirm that you want to replace the identity provider.")
    }))
}

async fn answer(
    app: &App,
    who: &Administrator,
    upload: &Upload,
    saved: Result<(), Wrong>,
) -> Result<Response, PageError> {
    match saved {
        Ok(()) => Ok(done(HERE, "provider-saved")),
        Err(wrong) => {
            let page = look(app, who, upload, Some(wrong)).await?;
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}
