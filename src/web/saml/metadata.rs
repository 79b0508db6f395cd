//! Who a space is: as a service provider, and as an identity provider towards its accounts.

use axum::{
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use super::limit::Unhurried;
use crate::{
    app::App,
    saml::{
        certificate::Certificate,
        sp_metadata::{IdentityProvider, ServiceProvider},
    },
    space::{self, KeyPair, KeyPurpose, Space},
    sso,
    store::Read,
    web::{
        Fault,
        pages::{PageError, Problem},
    },
};

/// The metadata of a space as a service provider (SSO-04, SSO-05).
pub async fn service_provider(
    State(app): State<App>,
    _: Unhurried,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let space_id = id.parse().map_err(|_| unknown())?;
    let found = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let Some(space) = space::space(tx, space_id).await? else { return Ok(None) };
            Ok(Some(Described::read(tx, space).await?))
        })
        .await?;
    let metadata = found.ok_or_else(unknown)?.document(&app)?;
    Ok(document(metadata, "service-provider.xml"))
}

/// What is said of a space as a service provider.
pub struct Described {
    /// The space.
    pub space: Space,
    signing: Vec<Certificate>,
    encryption: Vec<Certificate>,
    signs_requests: bool,
    key: Option<KeyPair>,
}

impl Described {
    /// Reads it.
    pub async fn read(tx: &mut Read, space: Space) -> Result<Self, Fault> {
        let id = space.id;
        Ok(Self {
            signing: space::certificates(tx, id, KeyPurpose::ServiceProvider).await?,
            encryption: space::certificates(tx, id, KeyPurpose::Encryption).await?,
            signs_requests: sso::identity_provider(tx, id)
                .await?
                .is_some_and(|it| it.requests.sign),
            key: key_to_sign_with(tx, &space, KeyPurpose::ServiceProvider).await?,
            space,
        })
    }

    /// The document, which the API hands out too. Signs, if the space wants that: never inside a
    /// transaction.
    pub fn document(&self, app: &App) -> Result<String, Fault> {
        let provider = ServiceProvider {
            entity_id: &sso::sp_entity_id(&app.settings, self.space.id),
            acs_url: &sso::acs_url(&app.settings, self.space.id),
            slo_url: &sso::slo_url(&app.settings, self.space.id),
            certificates: &self.signing,
            encryption: &self.encryption,
            signs_requests: self.signs_requests,
        };
        match &self.key {
            None => provider.metadata().map_err(|_| UNWRITABLE),
            Some(key) => {
                provider.signed_metadata(&key.signing_key(&app.sealer)?).map_err(|_| UNWRITABLE)
            }
        }
    }
}

const UNWRITABLE: Fault = Fault::Internal("metadata of ours cannot be written");

/// The key to sign metadata with, if the space wants it signed.
async fn key_to_sign_with(
    tx: &mut Read,
    space: &Space,
    purpose: KeyPurpose,
) -> Result<Option<KeyPair>, Fault> {
    Ok(if space.sign_metadata { Some(space::key_pair(tx, space.id, purpose).await?) } else { None })
}

fn unknown() -> Problem {
    Problem::not_found(t!("no-such-space"))
}

/// The metadata of a space as an identity provider towards its accounts.
pub async fn identity_provider(
    State(app): State<App>,
    _: Unhurried,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let id = id.parse().map_err(|_| unknown())?;
    let found = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let Some(space) = space::space(tx, id).await? else { return Ok(None) };
            let purpose = KeyPurpose::IdentityProvider;
            let certificates = space::certificates(tx, id, purpose).await?;
            let key = key_to_sign_with(tx, &space, purpose).await?;
            Ok(Some((space, certificates, key)))
        })
        .await?;
    let (space, certificates, key) = found.ok_or_else(unknown)?;
    let entity_id = sso::idp_entity_id(&app.settings, space.id);
    let sso_url = app.settings.url(&format!("/portal/{}", space.name));
    let provider =
        IdentityProvider { entity_id: &entity_id, sso_url: &sso_url, certificates: &certificates };
    let metadata = match &key {
        None => provider.metadata().map_err(|_| UNWRITABLE)?,
        Some(key) => {
            let key = key.signing_key(&app.sealer).map_err(Fault::from)?;
            provider.signed_metadata(&key).map_err(|_| UNWRITABLE)?
        }
    };
    Ok(document(metadata, "identity-provider.xml"))
}

fn document(xml: String, name: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/samlmetadata+xml".to_owned()),
        (CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
    ];
    (headers, xml).into_response()
}
