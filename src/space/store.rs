//! Spaces in the database.

use serde_json::json;

use super::{Error, KeyPair, KeyPurpose, NewKeyPair, Space, names, rules::check_name, sealed_as};
use crate::{
    audit::{self, Act, Change, Scope},
    id::{KeyPairId, OrganizationId, SpaceId},
    saml::certificate::Certificate,
    secret::Sealer,
    store::{self as database, Read, Write, sql},
};

const SPACE: &str =
    "SELECT id, organization_id, name, user_sync_suffix, scim_enabled, scim_settings,
            scim_switched_off_at, scim_brake_lifted_until, sso_enabled, sign_metadata, sign_in_networks,
            created_at, updated_at FROM spaces WHERE ";

/// Opens the space of an organisation (ACT-01…05). Of two that race for a name or for an
/// organisation, one wins.
pub async fn open(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    organization: OrganizationId,
    name: &str,
    keys: [(KeyPurpose, NewKeyPair); 2],
) -> Result<Space, Error> {
    check_name(name)?;
    if of_organization(tx, organization).await?.is_some() {
        return Err(Error::AlreadyOpen);
    }
    let id: SpaceId = act.new_id();
    let made = sql("INSERT INTO spaces (id, organization_id, name, user_sync_suffix, scim_enabled,
                             sso_enabled, created_at, updated_at)
         VALUES ($1, $2, $3, $3, $4, $4, $5, $5) ON CONFLICT DO NOTHING")
    .bind(id)
    .bind(organization)
    .bind(name)
    .bind(false)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        // Either rule may have refused it: the name, or a race for the organisation.
        let open = of_organization(tx, organization).await?.is_some();
        return Err(if open { Error::AlreadyOpen } else { Error::NameTaken });
    }
    // Asked only now: whoever gave the name up meanwhile has committed.
    if names::space_by_former_name(tx, name).await?.is_some() {
        return Err(Error::NameTaken);
    }
    for (purpose, key) in keys {
        insert_key(tx, act, sealer, id, purpose, key, true).await?;
    }
    let change = Change {
        scope: Scope::Space(id),
        action: "space.open",
        object_kind: "space",
        object_id: &id.to_string(),
        before: json!(null),
        after: json!({ "name": name }),
    };
    audit::record(tx, act, change).await?;
    space(tx, id).await?.ok_or(Error::NotOpen)
}

/// Seals a key pair and keeps it.
pub(super) async fn insert_key(
    tx: &mut Write,
    act: &Act,
    sealer: &Sealer,
    space: SpaceId,
    purpose: KeyPurpose,
    key: NewKeyPair,
    signs: bool,
) -> Result<KeyPairId, Error> {
    let id: KeyPairId = act.new_id();
    sql("INSERT INTO space_keys
             (id, space_id, purpose, private_key_sealed, certificate, not_after, created_at, signs)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(id)
    .bind(space)
    .bind(purpose)
    .bind(sealer.seal(&sealed_as(id), key.private_key.as_bytes())?)
    .bind(&key.certificate)
    .bind(key.not_after)
    .bind(act.now)
    .bind(signs)
    .execute(tx)
    .await?;
    Ok(id)
}

/// The space with this id.
pub async fn space(tx: &mut Read, id: SpaceId) -> Result<Option<Space>, database::Error> {
    let mut query = sql(SPACE);
    query.push("id = ").push_bind(id);
    query.fetch_optional(tx).await
}

/// Who acts on what somebody may reach calls this first: until the transaction ends nobody loses
/// access in the space. Several may hold it at once.
pub async fn hold_access(tx: &mut Write, space: SpaceId) -> Result<(), database::Error> {
    let mut query = sql("SELECT id FROM spaces WHERE id = ");
    query.push_bind(space).push(tx.for_share());
    query.exists(tx).await?;
    Ok(())
}

/// Who has taken access away calls this before it looks for what has to end: whoever acted on the
/// old state has committed by then, and whoever comes sees the new one.
pub async fn end_access(tx: &mut Write, space: SpaceId) -> Result<(), database::Error> {
    tx.ends_access();
    lock(tx, space).await
}

/// Whoever changes something of a space that is counted first comes one after the other.
pub async fn lock(tx: &mut Write, space: SpaceId) -> Result<(), database::Error> {
    let mut query = sql("SELECT id FROM spaces WHERE id = ");
    query.push_bind(space).push(tx.for_no_key_update());
    query.exists(tx).await?;
    Ok(())
}

/// The space with this name.
pub async fn space_by_name(tx: &mut Read, name: &str) -> Result<Option<Space>, database::Error> {
    let mut query = sql(SPACE);
    query.push("name = ").push_bind(name);
    query.fetch_optional(tx).await
}

/// All spaces of the installation.
pub async fn spaces(tx: &mut Read) -> Result<Vec<Space>, database::Error> {
    let mut query = sql(SPACE);
    query.push("1 = 1 ORDER BY id");
    query.fetch_all(tx).await
}

/// The space of an organisation, if it is open.
pub async fn of_organization(
    tx: &mut Read,
    organization: OrganizationId,
) -> Result<Option<Space>, database::Error> {
    let mut query = sql(SPACE);
    query.push("organization_id = ").push_bind(organization);
    query.fetch_optional(tx).await
}

/// The key pairs of a space for one purpose, the one to sign with first.
pub async fn key_pairs(
    tx: &mut Read,
    space: SpaceId,
    purpose: KeyPurpose,
) -> Result<Vec<KeyPair>, database::Error> {
    sql("SELECT id, purpose, private_key_sealed, signs, certificate, not_after, created_at
         FROM space_keys WHERE space_id = $1 AND purpose = $2 ORDER BY signs DESC, id DESC")
    .bind(space)
    .bind(purpose)
    .fetch_all(tx)
    .await
}

/// The certificates of those key pairs, to publish.
pub async fn certificates(
    tx: &mut Read,
    space: SpaceId,
    purpose: KeyPurpose,
) -> Result<Vec<Certificate>, Error> {
    key_pairs(tx, space, purpose).await?.iter().map(KeyPair::public_certificate).collect()
}

/// The key pair of a space to sign with.
pub async fn key_pair(
    tx: &mut Read,
    space: SpaceId,
    purpose: KeyPurpose,
) -> Result<KeyPair, Error> {
    key_pairs(tx, space, purpose).await?.into_iter().next().ok_or(Error::NotOpen)
}

/// Turns the SCIM switch (SCIM-02). Turning it where it is changes nothing.
pub async fn set_scim_enabled(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    enabled: bool,
) -> Result<(), Error> {
    let update = sql("UPDATE spaces SET scim_enabled = $1, updated_at = $2,
                          scim_switched_off_at = CASE WHEN scim_enabled THEN $2
                                                      ELSE scim_switched_off_at END
                      WHERE id = $3 AND scim_enabled <> $1");
    tx.forget_settings();
    switch(tx, act, space.id, update, "space.scim_switch", enabled).await
}

/// Turns the sign-in switch (SSO-02). Turning it where it is changes nothing.
pub async fn set_sso_enabled(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    enabled: bool,
) -> Result<(), Error> {
    let update = sql("UPDATE spaces SET sso_enabled = $1, updated_at = $2
                      WHERE id = $3 AND sso_enabled <> $1");
    switch(tx, act, space.id, update, "space.sso_switch", enabled).await
}

/// Decides whether our metadata is signed. Deciding what is decided changes nothing.
pub async fn set_sign_metadata(
    tx: &mut Write,
    act: &Act,
    space: &Space,
    enabled: bool,
) -> Result<(), Error> {
    let update = sql("UPDATE spaces SET sign_metadata = $1, updated_at = $2
                      WHERE id = $3 AND sign_metadata <> $1");
    switch(tx, act, space.id, update, "space.sign_metadata", enabled).await
}

async fn switch(
    tx: &mut Write,
    act: &Act,
    space: SpaceId,
    update: database::Sql,
    action: &'static str,
    enabled: bool,
) -> Result<(), Error> {
    let turned = update.bind(enabled).bind(act.now).bind(space).execute(tx).await?;
    if turned == 0 {
        return Ok(());
    }
    let change = Change {
        scope: Scope::Space(space),
        action,
        object_kind: "space",
        object_id: &space.to_string(),
        before: json!({ "enabled": !enabled }),
        after: json!({ "enabled": enabled }),
    };
    Ok(audit::record(tx, act, change).await?)
}
