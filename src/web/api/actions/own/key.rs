//! The keys of a space: those that sign, and those that assertions are encrypted for (SSO-21).
//! Private keys never leave.

use serde_json::{Value, json};

use crate::{
    id::{KeyPairId, SpaceId},
    provisioning::{self, Asked},
    space::{self, KeyPair, KeyPurpose, NewKeyPair, SigningPurpose},
    store::Read,
    web::{
        Fault,
        api::{
            actions::{ZONE_ID, action},
            call::{Action, Answer, Call, object},
            fields::{Field, PARAM_ERROR, Rule},
            refusal::Refusal,
            shape::{id, time},
        },
    },
};

const KEY_ID: Field = Field::text("SpaceKeyId").required();
const NOT_FOUND: &str = "ResourceNotFound.SpaceKeyNotExist";

pub const ACTIONS: &[Action] = &[
    action("ListSpaceKeys", &[ZONE_ID], |call| Box::pin(list(call))),
    action(
        "CreateSpaceKey",
        &[
            ZONE_ID,
            Field::text("Purpose").required().rule(Rule::OneOf(&[
                "ServiceProvider",
                "IdentityProvider",
                "Encryption",
            ])),
        ],
        |call| Box::pin(create(call)),
    ),
    action("DescribeSpaceKeyTrust", &[ZONE_ID, KEY_ID], |call| Box::pin(trust(call))),
    action("UseSpaceKey", &[ZONE_ID, KEY_ID], |call| Box::pin(switch(call))),
    action("DeleteSpaceKey", &[ZONE_ID, KEY_ID], |call| Box::pin(delete(call))),
    action("UpdateMetadataSigning", &[ZONE_ID, Field::boolean("IsSigned").required()], |call| {
        Box::pin(sign_metadata(call))
    }),
];

fn purpose_word(purpose: KeyPurpose) -> &'static str {
    match purpose {
        KeyPurpose::ServiceProvider => "ServiceProvider",
        KeyPurpose::IdentityProvider => "IdentityProvider",
        KeyPurpose::Encryption => "Encryption",
    }
}

/// What a key is for, if it signs.
fn signing(purpose: KeyPurpose) -> Option<SigningPurpose> {
    match purpose {
        KeyPurpose::ServiceProvider => Some(SigningPurpose::ServiceProvider),
        KeyPurpose::IdentityProvider => Some(SigningPurpose::IdentityProvider),
        KeyPurpose::Encryption => None,
    }
}

async fn all(tx: &mut Read, space: SpaceId) -> Result<Vec<KeyPair>, Refusal> {
    let mut all = Vec::new();
    let purposes =
        [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider, KeyPurpose::Encryption];
    for purpose in purposes {
        all.extend(space::key_pairs(tx, space, purpose).await?);
    }
    Ok(all)
}

/// The key that a call names.
async fn named(call: &Call, tx: &mut Read, space: SpaceId) -> Result<KeyPair, Refusal> {
    let wanted: KeyPairId = id(call.parameters.text("SpaceKeyId"), NOT_FOUND, "SpaceKeyId")?;
    let found = all(tx, space).await?.into_iter().find(|pair| pair.id == wanted);
    found.ok_or_else(|| refused(space::Error::KeyNotFound))
}

fn refused(error: space::Error) -> Refusal {
    Refusal::from(error).naming("SpaceKeyId")
}

fn info(pair: &KeyPair) -> Result<Value, Refusal> {
    let certificate = pair.public_certificate()?;
    let facts = certificate.facts();
    Ok(json!({
        "SpaceKeyId": pair.id,
        "Purpose": purpose_word(pair.purpose),
        "IsSigning": pair.signs && signing(pair.purpose).is_some(),
        "Fingerprint": facts.fingerprint,
        "NotBefore": time(facts.not_before.into()),
        "NotAfter": time(facts.not_after.into()),
        "CreateTime": time(pair.created_at),
        "X509Certificate": pair.certificate,
    }))
}

async fn list(call: &Call) -> Answer {
    let (space, pairs) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let pairs = all(tx, space.id).await?;
            Ok((space, pairs))
        })
        .await?;
    let keys: Vec<Value> = pairs.iter().map(info).collect::<Result<_, _>>()?;
    Ok(object([
        ("TotalCounts", json!(keys.len())),
        ("SpaceKeys", json!(keys)),
        ("IsMetadataSigned", json!(space.sign_metadata)),
    ]))
}

/// Makes a key. Slow, so not on a thread that serves requests, and after it is known that the call
/// is about a space of the caller's.
async fn create(call: &Call) -> Answer {
    let space = call.app.db.read(async |tx| call.space(tx).await).await?;
    let purpose = match call.parameters.text("Purpose") {
        "ServiceProvider" => Some(SigningPurpose::ServiceProvider),
        "IdentityProvider" => Some(SigningPurpose::IdentityProvider),
        _ => None,
    };
    let name = match purpose {
        Some(_) => space.name.clone(),
        None => format!("{} encryption", space.name),
    };
    let now = call.act.now;
    let made = tokio::task::spawn_blocking(move || NewKeyPair::generate(&name, now)).await;
    let key = made.map_err(|_| Fault::Internal("making a key was interrupted"))??;
    let (act, sealer) = (&call.act, &call.app.sealer);
    let made = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = match purpose {
                None => space::add_encryption_key(tx, act, sealer, space, key).await?,
                Some(purpose @ SigningPurpose::ServiceProvider) => {
                    space::prepare_key(tx, act, sealer, space, purpose, key).await?
                }
                Some(SigningPurpose::IdentityProvider) => {
                    provisioning::prepare_idp_key(tx, act, sealer, space, key).await?
                }
            };
            let all = all(tx, space).await?;
            let made = all.into_iter().find(|pair| pair.id == id);
            Ok(made.ok_or(space::Error::KeyNotFound)?)
        })
        .await?;
    Ok(object([("SpaceKey", info(&made)?)]))
}

/// Asks every account that holds our metadata whether it trusts a key.
async fn asked(call: &Call, space: SpaceId, key: KeyPairId) -> Result<Asked, Refusal> {
    let clouds = call.app.clouds();
    let asked = provisioning::accounts_without(&call.app.db, &*clouds, &call.act, space, key);
    Ok(asked.await?)
}

/// The key that a call names, and its space.
async fn found(call: &Call) -> Result<(SpaceId, KeyPair), Refusal> {
    call.app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok((space, named(call, tx, space).await?))
        })
        .await
}

/// Only a key towards the accounts has to be known there.
async fn trust(call: &Call) -> Answer {
    let (space, key) = found(call).await?;
    let asked = match key.purpose {
        KeyPurpose::IdentityProvider => asked(call, space, key.id).await?,
        KeyPurpose::ServiceProvider | KeyPurpose::Encryption => Asked::default(),
    };
    let without: Vec<i64> = asked.without.iter().map(|account| account.0).collect();
    Ok(object([
        ("SpaceKeyId", json!(key.id)),
        ("TargetCount", json!(asked.accounts.len())),
        ("UinsWithout", json!(without)),
    ]))
}

/// Signs with a key from now on; towards the accounts only once all of them know it.
async fn switch(call: &Call) -> Answer {
    let (space, key) = found(call).await?;
    let act = &call.act;
    match signing(key.purpose) {
        None => {
            return Err(Refusal::new(
                PARAM_ERROR,
                "The parameter `SpaceKeyId` must name a key that signs; this one is for \
                 encryption.",
            ));
        }
        Some(purpose @ SigningPurpose::ServiceProvider) => {
            let switched = call.app.db.write(async |tx| {
                space::use_key(tx, act, space, purpose, key.id).await.map_err(refused)
            });
            switched.await?;
        }
        Some(SigningPurpose::IdentityProvider) => {
            let asked = asked(call, space, key.id).await?;
            if !asked.without.is_empty() {
                return Err(provisioning::Error::KeyNotKnown(asked.without.len()).into());
            }
            let switched = call.app.db.write(async |tx| {
                provisioning::use_idp_key(tx, act, space, key.id, &asked.accounts).await
            });
            switched.await?;
        }
    }
    Ok(object([]))
}

async fn delete(call: &Call) -> Answer {
    let act = &call.act;
    call.app
        .db
        .write(async |tx| -> Result<(), Refusal> {
            let space = call.space(tx).await?.id;
            let key = named(call, tx, space).await?;
            match signing(key.purpose) {
                None => {
                    let removed = space::remove_encryption_key(tx, act, space, key.id).await;
                    removed.map_err(refused)
                }
                Some(purpose @ SigningPurpose::ServiceProvider) => {
                    let removed = space::remove_key(tx, act, space, purpose, key.id).await;
                    removed.map_err(refused)
                }
                Some(SigningPurpose::IdentityProvider) => {
                    let removed = provisioning::remove_idp_key(tx, act, space, key.id).await;
                    removed.map_err(|error| Refusal::from(error).naming("SpaceKeyId"))
                }
            }
        })
        .await?;
    Ok(object([]))
}

async fn sign_metadata(call: &Call) -> Answer {
    let enabled = call.parameters.is_true("IsSigned");
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(space::set_sign_metadata(tx, &call.act, &space, enabled).await?)
        })
        .await?;
    Ok(object([]))
}
