//! SAML providers of an account.

use serde_json::json;

use super::{Hand, PROVIDER, check_hand, not_found, record};
use crate::{
    audit::Act,
    cam::SamlProvider,
    cloud::Error,
    id::{SpaceId, Uin},
    store::{self as database, Read, Write, sql},
};

#[derive(sqlx::FromRow)]
pub(in crate::cloud) struct ProviderRow {
    pub name: String,
    pub description: String,
    pub metadata: String,
    pub managed_by: Option<SpaceId>,
}

/// The SAML provider of this name.
pub(in crate::cloud) async fn provider(
    tx: &mut Read,
    account: Uin,
    name: &str,
) -> Result<Option<ProviderRow>, database::Error> {
    sql("SELECT name, description, metadata, managed_by FROM cloud_saml_providers
         WHERE account_uin = $1 AND name = $2")
    .bind(account)
    .bind(name)
    .fetch_optional(tx)
    .await
}

impl ProviderRow {
    pub(in crate::cloud) fn seen_by(self, deployer: Option<SpaceId>) -> SamlProvider {
        SamlProvider {
            name: self.name,
            description: self.description,
            metadata: self.metadata,
            ours: self.managed_by == deployer,
        }
    }
}

pub(in crate::cloud) async fn create_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    description: &str,
    metadata: &str,
) -> Result<(), Error> {
    let made = sql("INSERT INTO cloud_saml_providers
             (account_uin, name, description, metadata, managed_by, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (account_uin, name) DO NOTHING")
    .bind(hand.account)
    .bind(name)
    .bind(description)
    .bind(metadata)
    .bind(hand.deployer)
    .bind(act.now)
    .execute(tx)
    .await?;
    if made == 0 {
        let found = provider(tx, hand.account, name).await?;
        let found = found.ok_or_else(|| not_found(PROVIDER, name))?;
        return Ok(check_hand(hand.deployer, found.managed_by, PROVIDER, name)?);
    }
    let states = [json!(null), json!({ "metadata": metadata })];
    record(tx, act, hand, "saml_provider.create", "saml_provider", name, states).await
}

pub(in crate::cloud) async fn update_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
    metadata: &str,
) -> Result<(), Error> {
    let found = provider(tx, hand.account, name).await?;
    let found = found.ok_or_else(|| not_found(PROVIDER, name))?;
    check_hand(hand.deployer, found.managed_by, PROVIDER, name)?;
    if found.metadata == metadata {
        return Ok(());
    }
    sql("UPDATE cloud_saml_providers SET metadata = $1, updated_at = $2
         WHERE account_uin = $3 AND name = $4")
    .bind(metadata)
    .bind(act.now)
    .bind(hand.account)
    .bind(name)
    .execute(tx)
    .await?;
    let states = [json!({ "metadata": found.metadata }), json!({ "metadata": metadata })];
    record(tx, act, hand, "saml_provider.update", "saml_provider", name, states).await
}

pub(in crate::cloud) async fn delete_provider(
    tx: &mut Write,
    act: &Act,
    hand: Hand,
    name: &str,
) -> Result<(), Error> {
    let Some(found) = provider(tx, hand.account, name).await? else { return Ok(()) };
    check_hand(hand.deployer, found.managed_by, PROVIDER, name)?;
    sql("DELETE FROM cloud_saml_providers WHERE account_uin = $1 AND name = $2")
        .bind(hand.account)
        .bind(name)
        .execute(tx)
        .await?;
    let states = [json!({ "metadata": found.metadata }), json!(null)];
    record(tx, act, hand, "saml_provider.delete", "saml_provider", name, states).await
}
