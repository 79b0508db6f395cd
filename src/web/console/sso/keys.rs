//! The keys of a space: those that sign, and those that assertions are encrypted for (SSO-21).

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::{IntoResponse, Response},
};

use super::{
    super::{
        Administrator,
        frame::{Frame, ListQuery, Section, Wrong, done},
        refused, switch_to,
    },
    certificates::CertificateRow,
};
use crate::{
    app::App,
    id::KeyPairId,
    provisioning,
    space::{self, KeyPair, KeyPurpose, NewKeyPair, SigningPurpose, Space},
    sso,
    store::Timestamp,
    web::{
        Fault,
        page::Page,
        pages::{PageError, Problem},
    },
};

const HERE: &str = "/console/settings/sso/keys";

#[derive(Template)]
#[template(path = "console/sso_keys.html")]
struct KeysPage {
    frame: Frame,
    sets: [KeySet; 2],
    /// Of the accounts that trust us, how many do not know the prepared key yet.
    accounts: usize,
    without: usize,
    encryption: Vec<KeyRow>,
    may_add: bool,
    sign_metadata: bool,
}

/// The keys for one purpose.
struct KeySet {
    word: &'static str,
    title: crate::web::messages::Message,
    about: crate::web::messages::Message,
    metadata_url: String,
    keys: Vec<KeyRow>,
}

impl KeySet {
    /// Whether a second key is there: prepared, or going.
    fn changing(&self) -> bool {
        self.keys.len() > 1
    }
}

/// A key as the page shows it.
struct KeyRow {
    id: KeyPairId,
    certificate: CertificateRow,
    made: Timestamp,
    signs: bool,
    is_newest: bool,
}

fn rows(pairs: &[KeyPair], now: Timestamp) -> Result<Vec<KeyRow>, Fault> {
    let newest = pairs.iter().map(|pair| pair.id).max();
    pairs
        .iter()
        .map(|pair| {
            Ok(KeyRow {
                id: pair.id,
                certificate: CertificateRow::of(&pair.public_certificate()?, now),
                made: pair.created_at,
                signs: pair.signs,
                is_newest: pairs.len() > 1 && newest == Some(pair.id),
            })
        })
        .collect()
}

/// What a purpose is called in an address.
fn purpose_of(word: &str) -> Result<SigningPurpose, Problem> {
    match word {
        "service-provider" => Ok(SigningPurpose::ServiceProvider),
        "identity-provider" => Ok(SigningPurpose::IdentityProvider),
        _ => Err(Problem::not_found(t!("problem-no-page"))),
    }
}

pub(in crate::web::console) async fn show(
    State(app): State<App>,
    administrator: Administrator,
    Query(query): Query<ListQuery>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let now = administrator.act.now;
    let [service, identity, encryption] = app
        .db
        .read(async |tx| -> Result<_, Fault> {
            Ok([
                space::key_pairs(tx, space.id, KeyPurpose::ServiceProvider).await?,
                space::key_pairs(tx, space.id, KeyPurpose::IdentityProvider).await?,
                space::key_pairs(tx, space.id, KeyPurpose::Encryption).await?,
            ])
        })
        .await?;
    let (accounts, without) = match identity.iter().find(|pair| !pair.signs) {
        Some(prepared) => {
            let asked = ask_accounts(&app, &administrator, space, prepared.id).await?;
            (asked.accounts.len(), asked.without.len())
        }
        None => (0, 0),
    };
    let page = KeysPage {
        frame: Frame::new(&administrator, Section::SingleSignOn, query.done.as_deref()),
        sets: [
            KeySet {
                word: "service-provider",
                title: key!("sso-key-idp"),
                about: key!("sso-key-idp-about"),
                metadata_url: sso::sp_entity_id(&app.settings, space.id),
                keys: rows(&service, now)?,
            },
            KeySet {
                word: "identity-provider",
                title: key!("sso-key-accounts"),
                about: key!("sso-key-accounts-about"),
                metadata_url: sso::idp_entity_id(&app.settings, space.id),
                keys: rows(&identity, now)?,
            },
        ],
        accounts,
        without,
        may_add: encryption.len() < space::MAXIMUM_ENCRYPTION_KEYS,
        encryption: rows(&encryption, now)?,
        sign_metadata: space.sign_metadata,
    };
    Ok(Page::new(page).into_response())
}

async fn ask_accounts(
    app: &App,
    who: &Administrator,
    space: &Space,
    id: KeyPairId,
) -> Result<provisioning::Asked, Fault> {
    let clouds = app.clouds();
    Ok(provisioning::accounts_without(&app.db, &*clouds, &who.act, space.id, id).await?)
}

/// Makes a key. Slow, so not on a thread that serves requests.
async fn make(who: &Administrator, name: String) -> Result<NewKeyPair, Fault> {
    let now = who.act.now;
    let made = tokio::task::spawn_blocking(move || NewKeyPair::generate(&name, now)).await;
    Ok(made.map_err(|_| Fault::Internal("making a key was interrupted"))??)
}

fn answer(changed: Result<(), Fault>, code: &'static str) -> Result<Response, PageError> {
    match changed {
        Ok(()) => Ok(done(HERE, code)),
        Err(fault) => Err(refused(&Wrong::of(fault)?)),
    }
}

/// Makes an encryption key.
pub(in crate::web::console) async fn add(
    State(app): State<App>,
    administrator: Administrator,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let key = make(&administrator, format!("{} encryption", space.name)).await?;
    let added = app
        .db
        .write(async |tx| {
            let act = &administrator.act;
            space::add_encryption_key(tx, act, &app.sealer, space.id, key).await
        })
        .await;
    answer(added.map(|_| ()).map_err(Fault::from), "key-added")
}

/// Removes an encryption key.
pub(in crate::web::console) async fn remove(
    State(app): State<App>,
    administrator: Administrator,
    Path(id): Path<KeyPairId>,
) -> Result<Response, PageError> {
    let space = administrator.space()?.id;
    let removed = app
        .db
        .write(async |tx| space::remove_encryption_key(tx, &administrator.act, space, id).await)
        .await;
    answer(removed.map_err(Fault::from), "key-removed")
}

/// Prepares a second key that signs.
pub(in crate::web::console) async fn prepare(
    State(app): State<App>,
    administrator: Administrator,
    Path(purpose): Path<String>,
) -> Result<Response, PageError> {
    let purpose = purpose_of(&purpose)?;
    let space = administrator.space()?;
    let (act, sealer) = (&administrator.act, &app.sealer);
    let key = make(&administrator, space.name.clone()).await?;
    let prepared = app
        .db
        .write(async |tx| -> Result<_, Fault> {
            match purpose {
                SigningPurpose::ServiceProvider => {
                    space::prepare_key(tx, act, sealer, space.id, purpose, key).await?;
                }
                SigningPurpose::IdentityProvider => {
                    provisioning::prepare_idp_key(tx, act, sealer, space.id, key).await?;
                }
            }
            Ok(())
        })
        .await;
    answer(prepared, "key-prepared")
}

/// Signs with another key from now on.
pub(in crate::web::console) async fn switch(
    State(app): State<App>,
    administrator: Administrator,
    Path((purpose, id)): Path<(String, KeyPairId)>,
) -> Result<Response, PageError> {
    let purpose = purpose_of(&purpose)?;
    let space = administrator.space()?;
    let act = &administrator.act;
    let switched = match purpose {
        SigningPurpose::ServiceProvider => app
            .db
            .write(async |tx| space::use_key(tx, act, space.id, purpose, id).await)
            .await
            .map_err(Fault::from),
        SigningPurpose::IdentityProvider => {
            match ask_accounts(&app, &administrator, space, id).await {
                Ok(asked) if asked.without.is_empty() => app
                    .db
                    .write(async |tx| {
                        provisioning::use_idp_key(tx, act, space.id, id, &asked.accounts).await
                    })
                    .await
                    .map_err(Fault::from),
                Ok(asked) => Err(provisioning::Error::KeyNotKnown(asked.without.len()).into()),
                Err(fault) => Err(fault),
            }
        }
    };
    answer(switched, "key-switched")
}

/// Removes the key that does not sign.
pub(in crate::web::console) async fn retire(
    State(app): State<App>,
    administrator: Administrator,
    Path((purpose, id)): Path<(String, KeyPairId)>,
) -> Result<Response, PageError> {
    let purpose = purpose_of(&purpose)?;
    let space = administrator.space()?.id;
    let act = &administrator.act;
    let removed = app
        .db
        .write(async |tx| -> Result<_, Fault> {
            match purpose {
                SigningPurpose::ServiceProvider => {
                    space::remove_key(tx, act, space, purpose, id).await?;
                }
                SigningPurpose::IdentityProvider => {
                    provisioning::remove_idp_key(tx, act, space, id).await?;
                }
            }
            Ok(())
        })
        .await;
    answer(removed, "key-retired")
}

/// Decides whether our metadata is signed.
pub(in crate::web::console) async fn sign_metadata(
    State(app): State<App>,
    administrator: Administrator,
    Path(to): Path<String>,
) -> Result<Response, PageError> {
    let space = administrator.space()?;
    let (enabled, code) = switch_to(&to)?;
    app.db
        .write(async |tx| space::set_sign_metadata(tx, &administrator.act, space, enabled).await)
        .await?;
    Ok(done(HERE, code))
}
