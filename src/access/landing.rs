//! Where somebody lands in an account of the embedded cloud (PC-06).

use crate::{
    cloud,
    id::{ConfigurationId, Uin},
    permission,
    provisioning::names,
    store::{self as database, Read},
};

/// The landing page of the configuration that a role was deployed from. None for any other role: the
/// id comes from the browser and says nothing by itself.
pub async fn landing_page(
    tx: &mut Read,
    account: Uin,
    role: &str,
    configuration: ConfigurationId,
) -> Result<Option<String>, database::Error> {
    let Some(space) = cloud::managed_by(tx, account, role).await? else { return Ok(None) };
    let found = permission::configuration(tx, space, configuration).await?;
    let found = found.filter(|found| names::role(&found.name) == role);
    Ok(found.map(|found| found.relay_state).filter(|page| !page.is_empty()))
}
