//! SAML providers of an account.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use super::account;
use crate::{
    cloud::management::{self, ProviderChange},
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
        shape::time,
        subject::Subject,
    },
};

const NAME: Field = Field::text("Name").required();
const THE_PROVIDER: Subject = Subject::Provider("Name");
const DOCUMENT: &str = "SAMLMetadataDocument";

pub const ACTIONS: &[Action] = &[
    action_on(
        "CreateSAMLProvider",
        THE_PROVIDER,
        &[NAME, Field::text("Description").required(), Field::text(DOCUMENT).required()],
        |call| Box::pin(create(call)),
    ),
    action_on("GetSAMLProvider", THE_PROVIDER, &[NAME], |call| Box::pin(get(call))),
    action_on(
        "UpdateSAMLProvider",
        THE_PROVIDER,
        &[NAME, Field::text("Description"), Field::text(DOCUMENT)],
        |call| Box::pin(update(call)),
    ),
    action_on("DeleteSAMLProvider", THE_PROVIDER, &[NAME], |call| Box::pin(delete(call))),
    action_on("ListSAMLProviders", Subject::Everything, &[], |call| Box::pin(list(call))),
];

/// Metadata comes and goes as base64.
fn metadata(call: &Call) -> Result<Option<String>, Refusal> {
    let Some(encoded) = call.parameters.optional_text(DOCUMENT) else { return Ok(None) };
    let decoded = STANDARD.decode(encoded.trim()).ok().and_then(|it| String::from_utf8(it).ok());
    decoded.map(Some).ok_or_else(|| {
        Refusal::new(
            "InvalidParameterValue.MetadataError",
            format!("The parameter `{DOCUMENT}` is not base64 of UTF-8 text."),
        )
    })
}

async fn create(call: &Call) -> Answer {
    let metadata = metadata(call)?.unwrap_or_default();
    let [name, description] = ["Name", "Description"].map(|name| call.parameters.text(name));
    call.app
        .db
        .write(async |tx| {
            let account = account(call);
            management::create_provider(tx, &call.act, account, name, description, &metadata).await
        })
        .await?;
    let arn = format!("qcs::cam::uin/{}:saml-provider/{name}", account(call));
    Ok(object([("ProviderArn", json!(arn))]))
}

async fn get(call: &Call) -> Answer {
    let name = call.parameters.text("Name");
    let found =
        call.app.db.read(async |tx| management::provider(tx, account(call), name).await).await?;
    Ok(object([
        ("Name", json!(found.name)),
        ("Description", json!(found.description)),
        ("CreateTime", json!(time(found.created_at))),
        ("ModifyTime", json!(time(found.updated_at))),
        ("SAMLMetadata", json!(STANDARD.encode(found.metadata))),
    ]))
}

async fn update(call: &Call) -> Answer {
    let metadata = metadata(call)?;
    let change = ProviderChange {
        description: call.parameters.given_text("Description"),
        metadata: metadata.as_deref(),
    };
    let name = call.parameters.text("Name");
    call.app
        .db
        .write(async |tx| {
            management::update_provider(tx, &call.act, account(call), name, change).await
        })
        .await?;
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    let name = call.parameters.text("Name");
    call.app
        .db
        .write(async |tx| management::delete_provider(tx, &call.act, account(call), name).await)
        .await?;
    Ok(object([]))
}

async fn list(call: &Call) -> Answer {
    let found = call.app.db.read(async |tx| management::providers(tx, account(call)).await).await?;
    let providers: Vec<Value> = found
        .iter()
        .map(|provider| {
            json!({
                "Name": provider.name,
                "Description": provider.description,
                "CreateTime": time(provider.created_at),
                "ModifyTime": time(provider.updated_at),
            })
        })
        .collect();
    Ok(object([("TotalCount", json!(providers.len())), ("SAMLProviderSet", json!(providers))]))
}
