//! Certificates: how a page shows them (SSO-12), and the identity provider's one by one (SSO-11).

use askama::Template;
use axum::{
    extract::{Multipart, Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{
    super::{
        Administrator,
        frame::{Frame, Section, Wrong, done},
        refused,
    },
    HERE,
    provider::Upload,
};
use crate::{
    app::App,
    id::CertificateId,
    saml::certificate::{Certificate, CertificateFacts},
    sso::{self, IdentityProvider},
    store::Timestamp,
    web::{
        Fault,
        page::{Field, Page},
        pages::PageError,
    },
};

/// A certificate as the page shows it (SSO-12).
pub(in crate::web::console) struct CertificateRow {
    pub facts: CertificateFacts,
    pub key: String,
    pub not_before: String,
    pub not_after: String,
    pub days_left: i64,
}

impl CertificateRow {
    pub fn of(certificate: &Certificate, now: Timestamp) -> Self {
        let facts = certificate.facts().clone();
        let day = |at: jiff::Timestamp| at.strftime("%Y-%m-%d").to_string();
        Self {
            key: facts.key.to_string(),
            not_before: day(facts.not_before),
            not_after: day(facts.not_after),
            days_left: Timestamp::from(facts.not_after).seconds_since(now).div_euclid(86_400),
            facts,
        }
    }
}

/// A certificate of the identity provider, and whether it is one that counts.
pub(super) struct StoredCertificate {
    pub id: CertificateId,
    pub row: CertificateRow,
    pub counts: bool,
}

impl StoredCertificate {
    pub fn all(
        app: &App,
        provider: Option<&IdentityProvider>,
        now: Timestamp,
    ) -> Result<Vec<Self>, Fault> {
        let Some(provider) = provider else { return Ok(Vec::new()) };
        let keys = provider.keys(&app.read_certificates, app.demo.is_some())?;
        let mut found = Vec::new();
        for stored in &provider.certificates {
            let certificate =
                Certificate::from_pem(&stored.certificate).map_err(sso::Error::from)?;
            let counts = keys.contains(&certificate);
            found.push(Self { id: stored.id, row: CertificateRow::of(&certificate, now), counts });
        }
        Ok(found)
    }
}

#[derive(Template)]
#[template(path = "console/sso_certificate.html")]
struct CertificatePage {
    frame: Frame,
    text: Field,
    wrong: Option<Wrong>,
}

fn page(who: &Administrator, given: &str, wrong: Option<Wrong>) -> CertificatePage {
    let text = Field::long_text("certificate", key!("sso-certificate"))
        .optional()
        .hint(key!("sso-certificate-hint"))
        .value(given)
        .error(Wrong::at(wrong.as_ref(), "certificate"));
    CertificatePage { frame: Frame::new(who, Section::SingleSignOn, None), text, wrong }
}

pub(in crate::web::console) async fn form(
    administrator: Administrator,
) -> Result<Response, PageError> {
    administrator.space()?;
    Ok(Page::new(page(&administrator, "", None)).into_response())
}

/// Adds a certificate beside those that are there.
pub(in crate::web::console) async fn add(
    State(app): State<App>,
    administrator: Administrator,
    form: Multipart,
) -> Result<Response, PageError> {
    let upload = Upload::read(form).await?;
    let space = administrator.space()?.id;
    let added = match Certificate::from_file(upload.document()) {
        Ok(certificate) => {
            app.db
                .write(async |tx| {
                    sso::add_certificate(tx, &administrator.act, space, &certificate).await
                })
                .await
        }
        Err(error) => Err(error.into()),
    };
    match added {
        Ok(_) => Ok(done(HERE, "certificate-added")),
        Err(error) => {
            let wrong = Wrong::of(error.into())?;
            let page = page(&administrator, &upload.text, Some(wrong));
            Ok(Page::new(page).status(StatusCode::UNPROCESSABLE_ENTITY).into_response())
        }
    }
}

/// Removes one of several.
pub(in crate::web::console) async fn remove(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<CertificateId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let removed = app
        .db
        .write(async |tx| sso::remove_certificate(tx, &administrator.act, space, id).await)
        .await;
    match removed {
        Ok(()) => Ok(done(HERE, "certificate-removed")),
        Err(error) => Err(refused(&Wrong::of(error.into())?)),
    }
}

/// Forgets the identity provider (SSO-10).
pub(in crate::web::console) async fn clear(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let cleared = app.db.write(async |tx| sso::clear(tx, &administrator.act, space).await).await;
    match cleared {
        Ok(()) => Ok(done(HERE, "provider-cleared")),
        Err(error) => Err(refused(&Wrong::of(error.into())?)),
    }
}
