//! The space: opening it, and how full it is.

use serde_json::json;

use super::{ZONE_ID, action, assignment};
use crate::{
    cloud,
    directory::{self, GroupFilter, UserFilter},
    permission::{self, ConfigurationFilter, MOST_POLICIES},
    provisioning::{self, UserSyncFilter},
    space,
    store::PageRequest,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
        shape::{status, time},
    },
};

pub const ACTIONS: &[Action] = &[
    action("OpenIdentityCenter", &[Field::text("ZoneName").required()], |call| {
        Box::pin(open(call))
    }),
    action("DescribeIdentityCenter", &[], |call| Box::pin(describe(call))),
    action("GetZoneStatistics", &[ZONE_ID], |call| Box::pin(statistics(call))),
];

async fn open(call: &Call) -> Answer {
    let name = call.parameters.text("ZoneName");
    space::check_name(name)?;
    let organization = call.caller.organization.id;
    // What would be refused anyway must not cost two key pairs.
    let open = call.app.db.read(async |tx| space::of_organization(tx, organization).await).await?;
    if open.is_some() {
        return Err(space::Error::AlreadyOpen.into());
    }
    let keys = cloud::space_keys(name.to_owned(), call.act.now).await?;
    let management = &call.caller.account;
    let space = call
        .app
        .db
        .write(async |tx| {
            cloud::activate(tx, &call.act, &call.app.sealer, management, name, keys).await
        })
        .await?;
    Ok(object([("ZoneId", json!(space.id))]))
}

async fn describe(call: &Call) -> Answer {
    let organization = call.caller.organization.id;
    let space = call.app.db.read(async |tx| space::of_organization(tx, organization).await).await?;
    let space = space.ok_or(space::Error::NotOpen)?;
    Ok(object([
        ("ZoneId", json!(space.id)),
        ("ZoneName", json!(space.name)),
        ("ServiceStatus", json!("Enabled")),
        ("ScimSyncStatus", json!(status(space.scim_enabled))),
        ("CreateTime", json!(time(space.created_at))),
        ("UpdateTime", json!(time(space.updated_at))),
    ]))
}

async fn statistics(call: &Call) -> Answer {
    let limits = call.app.settings.limits;
    let one = PageRequest::first(1);
    let statistics = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let users = directory::users(tx, space, &UserFilter::default(), one).await?;
            let groups = directory::groups(tx, space, &GroupFilter::default(), one).await?;
            let filter = ConfigurationFilter::default();
            let configurations = permission::configurations(tx, space, &filter, one).await?;
            let filter = UserSyncFilter::default();
            let syncs = provisioning::user_syncs(tx, space, &filter, one).await?;
            Ok(json!({
                "UserQuota": limits.users,
                "GroupQuota": limits.groups,
                "RoleConfigurationQuota": limits.configurations,
                "SystemPolicyPerRoleConfigurationQuota": MOST_POLICIES,
                "UserCount": users.total,
                "GroupCount": groups.total,
                "RoleConfigurationCount": configurations.total,
                "UserProvisioningCount": syncs.total,
                "RoleConfigurationSyncCount": assignment::deployed(tx, space).await?,
            }))
        })
        .await?;
    Ok(object([("ZoneStatistics", statistics)]))
}
