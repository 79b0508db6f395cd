//! How sign-in goes: what requests and responses are like, and where the identity provider's
//! metadata is fetched from (SSO-18).

use serde_json::{Map, Value, json};

use crate::{
    saml::certificate::Certificate,
    space,
    sso::{
        self, Came, IdentityProvider, NameIdPolicy, NewSource, ProviderError, RequestSettings,
        ResponseSettings, Source,
    },
    web::{
        Fault,
        api::{
            actions::{ZONE_ID, action},
            call::{Action, Answer, Call, object},
            fields::{Field, Rule},
            refusal::Refusal,
            shape::time,
        },
    },
};

const NAME_IDS: Rule = Rule::OneOf(&["Unspecified", "Email", "Persistent", "Unsaid"]);

pub const ACTIONS: &[Action] = &[
    action("DescribeSAMLSettings", &[ZONE_ID], |call| Box::pin(describe(call))),
    action(
        "UpdateSAMLRequestSettings",
        &[
            ZONE_ID,
            Field::boolean("IsSigned"),
            Field::boolean("IsPosted"),
            Field::boolean("ForceAuthn"),
            Field::text("NameIdPolicy").rule(NAME_IDS),
            Field::texts("AuthnContexts"),
        ],
        |call| Box::pin(update_requests(call)),
    ),
    action(
        "UpdateSAMLResponseSettings",
        &[ZONE_ID, Field::text("IdentityAttribute"), Field::boolean("AllowUnsolicited")],
        |call| Box::pin(update_responses(call)),
    ),
    action("DescribeSAMLMetadataSource", &[ZONE_ID], |call| Box::pin(describe_source(call))),
    action(
        "SetSAMLMetadataSource",
        &[
            ZONE_ID,
            Field::text("Url").required(),
            Field::texts("PinnedCertificates"),
            Field::boolean("IsAutomatic"),
        ],
        |call| Box::pin(set_source(call)),
    ),
    action("FetchSAMLMetadata", &[ZONE_ID], |call| Box::pin(fetch(call))),
    action("RemoveSAMLMetadataSource", &[ZONE_ID], |call| Box::pin(remove_source(call))),
];

fn name_id(policy: NameIdPolicy) -> &'static str {
    match policy {
        NameIdPolicy::Unspecified => "Unspecified",
        NameIdPolicy::Email => "Email",
        NameIdPolicy::Persistent => "Persistent",
        NameIdPolicy::Unsaid => "Unsaid",
    }
}

/// What was refused, with the parameter that it is about.
fn refused(error: sso::Error) -> Refusal {
    let field = match &error {
        sso::Error::NoPost => "IsPosted",
        sso::Error::AuthnContexts => "AuthnContexts",
        sso::Error::IdentityAttribute => "IdentityAttribute",
        sso::Error::Provider(ProviderError::PinNeeded) => "IsAutomatic",
        sso::Error::Provider(ProviderError::Pin(_) | ProviderError::TooManyPins) => {
            "PinnedCertificates"
        }
        _ => return error.into(),
    };
    Refusal::from(error).naming(field)
}

fn settings(requests: &RequestSettings, responses: &ResponseSettings) -> Map<String, Value> {
    object([
        (
            "Requests",
            json!({
                "IsSigned": requests.sign,
                "IsPosted": requests.by_post,
                "ForceAuthn": requests.force_authn,
                "NameIdPolicy": name_id(requests.name_id),
                "AuthnContexts": requests.authn_contexts,
            }),
        ),
        (
            "Responses",
            json!({
                "IdentityAttribute": responses.identity_attribute.as_deref().unwrap_or_default(),
                "AllowUnsolicited": responses.allow_unsolicited,
            }),
        ),
    ])
}

fn configured(provider: Option<IdentityProvider>) -> Result<IdentityProvider, Refusal> {
    provider.ok_or_else(|| sso::Error::NotConfigured.into())
}

async fn describe(call: &Call) -> Answer {
    let provider = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(sso::identity_provider(tx, space).await?)
        })
        .await?;
    let provider = configured(provider)?;
    Ok(settings(&provider.requests, &provider.responses))
}

/// What is absent stays as it is.
async fn update_requests(call: &Call) -> Answer {
    let given = &call.parameters;
    let (requests, responses) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            // Two who each change a part change both.
            space::lock(tx, space).await?;
            let provider = configured(sso::identity_provider(tx, space).await?)?;
            let mut wanted = provider.requests;
            for (name, flag) in [
                ("IsSigned", &mut wanted.sign),
                ("IsPosted", &mut wanted.by_post),
                ("ForceAuthn", &mut wanted.force_authn),
            ] {
                if given.is_given(name) {
                    *flag = given.is_true(name);
                }
            }
            if let Some(word) = given.optional_text("NameIdPolicy") {
                let policy = NameIdPolicy::ALL.iter().find(|policy| name_id(**policy) == word);
                wanted.name_id = policy.copied().unwrap_or(wanted.name_id);
            }
            if given.is_given("AuthnContexts") {
                let contexts = given.texts("AuthnContexts").into_iter();
                wanted.authn_contexts = contexts.map(str::to_owned).collect();
            }
            sso::set_requests(tx, &call.act, space, &wanted).await.map_err(refused)?;
            Ok((wanted, provider.responses))
        })
        .await?;
    Ok(settings(&requests, &responses))
}

/// What is absent stays as it is; an attribute that is empty is none.
async fn update_responses(call: &Call) -> Answer {
    let given = &call.parameters;
    let (requests, responses) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            space::lock(tx, space).await?;
            let provider = configured(sso::identity_provider(tx, space).await?)?;
            let mut wanted = provider.responses;
            if let Some(name) = given.given_text("IdentityAttribute") {
                wanted.identity_attribute = (!name.is_empty()).then(|| name.to_owned());
            }
            if given.is_given("AllowUnsolicited") {
                wanted.allow_unsolicited = given.is_true("AllowUnsolicited");
            }
            sso::set_responses(tx, &call.act, space, &wanted).await.map_err(refused)?;
            Ok((provider.requests, wanted))
        })
        .await?;
    Ok(settings(&requests, &responses))
}

fn source(found: &Source) -> Result<Value, Refusal> {
    let pins: Vec<String> = found.pins()?.iter().map(Certificate::pem).collect();
    let failed = found.failed_at.zip(found.failure.as_deref());
    Ok(json!({
        "Url": found.url,
        "EntityId": found.entity_id.as_deref().unwrap_or_default(),
        "PinnedCertificates": pins,
        "IsAutomatic": found.automatic,
        "NextFetchTime": time(found.due_at),
        "LastFetchTime": found.fetched_at.map(time).unwrap_or_default(),
        "FailingSince": failed.map(|(at, _)| time(at)).unwrap_or_default(),
        "FailureReason": failed.map(|(_, why)| why).unwrap_or_default(),
    }))
}

/// Where metadata is fetched from, if it is, and what of it waits for approval.
async fn describe_source(call: &Call) -> Answer {
    let (found, waiting) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = sso::source(tx, space).await?;
            Ok((found, sso::fetched_proposal(tx, space).await?))
        })
        .await?;
    let found = found.as_ref().map(source).transpose()?;
    Ok(object([
        ("SAMLMetadataSource", json!(found)),
        ("ProposalId", json!(waiting.map(|it| it.id.to_string()).unwrap_or_default())),
    ]))
}

/// It is fetched from there by and by; `FetchSAMLMetadata` does it at once.
async fn set_source(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let url = call.app.event_guard().check_url(parameters.text("Url"));
    let url = url.map_err(|error| Refusal::from(error).naming("Url"))?;
    let mut pins = Vec::new();
    for file in parameters.texts("PinnedCertificates") {
        let pin = sso::pins_of(file).map_err(|error| refused(ProviderError::Pin(error).into()))?;
        pins.extend(pin);
    }
    let new = NewSource { url, pins, automatic: parameters.is_true("IsAutomatic") };
    let found = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            sso::set_source(tx, &call.act, space, &new).await.map_err(refused)?;
            Ok(sso::source(tx, space).await?)
        })
        .await?;
    let found = found.as_ref().map(source).transpose()?;
    Ok(object([("SAMLMetadataSource", json!(found))]))
}

/// Looks now, unless that was a moment ago.
async fn fetch(call: &Call) -> Answer {
    let space = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            match sso::source(tx, space).await? {
                Some(_) => Ok(space),
                None => Err(sso::Error::from(ProviderError::NoSource).into()),
            }
        })
        .await?;
    let fetcher = call
        .app
        .fetcher()
        .map_err(|_| Fault::Internal("the authorities for fetching cannot be used"))?;
    let came = fetcher.look_now(space).await?;
    let (word, reason) = match &came {
        Some(Came::Same) => ("Same", ""),
        Some(Came::Proposed) => ("Proposed", ""),
        Some(Came::Dismissed) => ("Dismissed", ""),
        Some(Came::Applied) => ("Applied", ""),
        Some(Came::Failed(reason)) => ("Failed", reason.as_str()),
        // Somebody else looks at it, or has changed it.
        Some(Came::Outdated) | None => ("Outdated", ""),
    };
    let waiting = call.app.db.read(async |tx| sso::fetched_proposal(tx, space).await).await?;
    Ok(object([
        ("Outcome", json!(word)),
        ("FailureReason", json!(reason)),
        ("ProposalId", json!(waiting.map(|it| it.id.to_string()).unwrap_or_default())),
    ]))
}

async fn remove_source(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            sso::remove_source(tx, &call.act, space).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}
