//! Sign-in through the company's identity provider: who we are to it, and who it is to us.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::{ZONE_ID, action};
use crate::{
    saml::certificate::{Certificate, CertificateError},
    space,
    sso::{self, ByHand, Content, IdpCertificate, Looked, ProviderError},
    web::{
        Fault,
        api::{
            call::{Action, Answer, Call, object},
            fields::{Field, Parameters},
            refusal::Refusal,
            shape::{STATUS, status, time},
        },
        saml::Described,
    },
};

pub const ACTIONS: &[Action] = &[
    action("GetZoneSAMLServiceProviderInfo", &[ZONE_ID], |call| Box::pin(service_provider(call))),
    action(
        "SetExternalSAMLIdentityProvider",
        &[
            ZONE_ID,
            Field::text("EncodedMetadataDocument"),
            Field::text("SSOStatus")
                .rule(STATUS)
                .refused_as("InvalidParameterValue.SSoStatusInvalid"),
            Field::text("EntityId"),
            Field::text("LoginUrl"),
            Field::text("X509Certificate"),
        ],
        |call| Box::pin(set(call)),
    ),
    action("GetExternalSAMLIdentityProvider", &[ZONE_ID], |call| Box::pin(get(call))),
    action("ClearExternalSAMLIdentityProvider", &[ZONE_ID], |call| Box::pin(clear(call))),
    action(
        "AddExternalSAMLIdPCertificate",
        &[ZONE_ID, Field::text("X509Certificate").required()],
        |call| Box::pin(add_certificate(call)),
    ),
    action(
        "RemoveExternalSAMLIdPCertificate",
        &[ZONE_ID, Field::text("CertificateId").required()],
        |call| Box::pin(remove_certificate(call)),
    ),
    action("ListExternalSAMLIdPCertificates", &[ZONE_ID], |call| Box::pin(list_certificates(call))),
];

async fn service_provider(call: &Call) -> Answer {
    let described = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(Described::read(tx, space).await?)
        })
        .await?;
    let document = described.document(&call.app)?;
    let space = &described.space;
    let info = json!({
        "EntityId": sso::sp_entity_id(&call.app.settings, space.id),
        "ZoneId": space.id,
        "EncodedMetadataDocument": STANDARD.encode(document),
        "AcsUrl": sso::acs_url(&call.app.settings, space.id),
    });
    Ok(object([("SAMLServiceProvider", info)]))
}

/// A partial update: what is absent or empty stays as it is. Clients set metadata, single fields
/// and the switch in calls of their own, in any order (SSO-03).
async fn set(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let text = |name: &str| parameters.optional_text(name).map(str::to_owned);
    let metadata = document(parameters)?;
    let certificate = match parameters.optional_text("X509Certificate") {
        None => None,
        Some(file) => Some(parse(file)?),
    };
    let by_hand = ByHand { entity_id: text("EntityId"), login_url: text("LoginUrl"), certificate };
    let any_by_hand =
        by_hand.entity_id.is_some() || by_hand.login_url.is_some() || by_hand.certificate.is_some();
    let metadata = match metadata {
        None => None,
        Some(document) => Some(read(call, &document, by_hand.entity_id.as_deref()).await?),
    };
    let provider = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            if let Some(metadata) = metadata {
                sso::set_by_looked(tx, &call.act, space.id, metadata).await?;
            }
            if any_by_hand {
                sso::set_by_hand(tx, &call.act, space.id, &by_hand).await?;
            }
            if let Some(word) = parameters.optional_text("SSOStatus") {
                space::set_sso_enabled(tx, &call.act, &space, word == "Enabled").await?;
            }
            Ok(sso::identity_provider(tx, space.id).await?)
        })
        .await?;
    let certificates = provider.map(|provider| provider.certificates).unwrap_or_default();
    Ok(object([("CertificateIds", ids(&certificates))]))
}

/// The metadata that a call brings, if it brings any.
pub fn document(parameters: &Parameters) -> Result<Option<Vec<u8>>, Refusal> {
    let Some(encoded) = parameters.optional_text("EncodedMetadataDocument") else {
        return Ok(None);
    };
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| {
        Refusal::new(
            "FailedOperation.DecodeMetadataDocumentFailed",
            "The parameter `EncodedMetadataDocument` is not base64.",
        )
    });
    decoded.map(Some)
}

/// Reads metadata before anything is written, for those only who may say which space they mean.
/// The entity id beside it says which one is meant where there are several.
async fn read(call: &Call, document: &[u8], entity_id: Option<&str>) -> Result<Looked, Refusal> {
    call.app.db.read(async |tx| call.space(tx).await).await?;
    let content = Content::metadata(document)?;
    let looked = Looked::at(content, call.act.now).await?;
    match entity_id {
        Some(entity_id) if looked.is_several() => {
            Ok(Looked::at(looked.into_content().choosing(entity_id), call.act.now).await?)
        }
        Some(_) | None => Ok(looked),
    }
}

fn ids(certificates: &[IdpCertificate]) -> Value {
    certificates.iter().map(|certificate| json!(certificate.id)).collect()
}

async fn clear(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(sso::clear(tx, &call.act, space.id).await?)
        })
        .await?;
    Ok(object([]))
}

async fn add_certificate(call: &Call) -> Answer {
    let file = call.parameters.text("X509Certificate");
    let certificate = parse(file)?;
    let id = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(sso::add_certificate(tx, &call.act, space.id, &certificate).await?)
        })
        .await?;
    Ok(object([("CertificateId", json!(id))]))
}

async fn remove_certificate(call: &Call) -> Answer {
    // What is no id of a certificate names none.
    let id = call.parameters.text("CertificateId").parse();
    let id = id.map_err(|_| sso::Error::from(ProviderError::CertificateNotFound))?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(sso::remove_certificate(tx, &call.act, space.id, id).await?)
        })
        .await?;
    Ok(object([]))
}

/// The certificate of the parameter `X509Certificate`.
pub fn parse(file: &str) -> Result<Certificate, Refusal> {
    Certificate::from_file(file.as_bytes()).map_err(|error| {
        let is_pem = file.contains("-----BEGIN CERTIFICATE-----");
        let code = if error == CertificateError::Malformed && !is_pem {
            "InvalidParameterValue.X509CertificateFormatError"
        } else {
            "FailedOperation.X509CertificateParsingFailed"
        };
        Refusal::new(code, format!("The parameter `X509Certificate` is refused: {error}."))
    })
}

/// Before anything is configured the fields are empty: clients read the switch here too.
async fn get(call: &Call) -> Answer {
    let (space, provider) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let provider = sso::identity_provider(tx, space.id).await?;
            Ok((space, provider))
        })
        .await?;
    let switch = status(space.sso_enabled);
    let configuration = match provider {
        None => json!({
            "EntityId": "",
            "SSOStatus": switch,
            "EncodedMetadataDocument": "",
            "CertificateIds": [],
            "LoginUrl": "",
            "CreateTime": "",
            "UpdateTime": "",
        }),
        Some(provider) => json!({
            "EntityId": provider.entity_id,
            "SSOStatus": switch,
            "EncodedMetadataDocument":
                provider.metadata.as_ref().map(|document| STANDARD.encode(document)).unwrap_or_default(),
            "CertificateIds": ids(&provider.certificates),
            "LoginUrl": provider.way().address(),
            "CreateTime": time(provider.created_at),
            "UpdateTime": time(provider.updated_at),
        }),
    };
    Ok(object([("SAMLIdentityProviderConfiguration", configuration)]))
}

async fn list_certificates(call: &Call) -> Answer {
    let provider = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(sso::identity_provider(tx, space.id).await?)
        })
        .await?;
    let found = provider.map(|provider| provider.certificates).unwrap_or_default();
    let certificates: Vec<Value> = found.iter().map(certificate).collect::<Result<_, _>>()?;
    Ok(object([
        ("TotalCounts", json!(certificates.len())),
        ("SAMLIdPCertificates", json!(certificates)),
    ]))
}

fn certificate(stored: &IdpCertificate) -> Result<Value, Refusal> {
    let certificate = Certificate::from_pem(&stored.certificate).map_err(sso::Error::from)?;
    let facts = certificate.facts();
    let key = certificate
        .key()
        .public_key_to_pem()
        .map_err(|_| Fault::Internal("a stored public key cannot be written"))?;
    Ok(json!({
        "SerialNumber": facts.serial,
        "Issuer": facts.issuer,
        "Version": facts.version,
        "CertificateId": stored.id,
        "PublicKey": String::from_utf8_lossy(&key),
        "SignatureAlgorithm": facts.signature_algorithm,
        "NotAfter": time(facts.not_after.into()),
        "NotBefore": time(facts.not_before.into()),
        "Subject": facts.subject,
        "X509Certificate": stored.certificate,
    }))
}
