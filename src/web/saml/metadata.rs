//! Who a space is: as a service provider, and as an identity provider towards its accounts.

use axum::{
    extract::{Path, State},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};

use crate::{
    app::App,
    saml::{
        certificate::Certificate,
        sp_metadata::{IdentityProvider, ServiceProvider},
    },
    space::{self, KeyPurpose, Space},
    sso,
    web::{
        Fault,
        pages::{PageError, Problem},
    },
};

/// The metadata of a space as a service provider (SSO-04, SSO-05).
pub async fn service_provider(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let purposes = [KeyPurpose::ServiceProvider, KeyPurpose::Encryption];
    let (space, [signing, encryption]) = find(&app, &id, purposes).await?;
    let metadata = service_provider_document(&app, &space, &signing, &encryption)?;
    Ok(document(metadata, "service-provider.xml"))
}

/// The document itself, which the API and the console hand out too.
pub fn service_provider_document(
    app: &App,
    space: &Space,
    certificates: &[Certificate],
    encryption: &[Certificate],
) -> Result<String, Fault> {
    let entity_id = sso::sp_entity_id(&app.settings, space.id);
    let acs_url = sso::acs_url(&app.settings, space.id);
    ServiceProvider { entity_id: &entity_id, acs_url: &acs_url, certificates, encryption }
        .metadata()
        .map_err(|_| Fault::Internal("metadata of ours cannot be written"))
}

/// The metadata of a space as an identity provider towards its accounts.
pub async fn identity_provider(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<Response, PageError> {
    let (space, [certificates]) = find(&app, &id, [KeyPurpose::IdentityProvider]).await?;
    let entity_id = sso::idp_entity_id(&app.settings, space.id);
    let sso_url = app.settings.url(&format!("/portal/{}", space.name));
    let metadata =
        IdentityProvider { entity_id: &entity_id, sso_url: &sso_url, certificates: &certificates }
            .metadata()
            .map_err(|_| Fault::Internal("metadata of ours cannot be written"))?;
    Ok(document(metadata, "identity-provider.xml"))
}

fn document(xml: String, name: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/samlmetadata+xml".to_owned()),
        (CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
    ];
    (headers, xml).into_response()
}

/// A space, and its certificates for each of these purposes.
async fn find<const N: usize>(
    app: &App,
    id: &str,
    purposes: [KeyPurpose; N],
) -> Result<(Space, [Vec<Certificate>; N]), PageError> {
    let unknown = || Problem::not_found("There is no such space.");
    let id = id.parse().map_err(|_| unknown())?;
    let found: Option<_> = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            let Some(space) = space::space(tx, id).await? else { return Ok(None) };
            let mut all = [const { Vec::new() }; N];
            for (certificates, purpose) in all.iter_mut().zip(purposes) {
                *certificates = space::certificates(tx, id, purpose).await?;
            }
            Ok(Some((space, all)))
        })
        .await?;
    Ok(found.ok_or_else(unknown)?)
}
