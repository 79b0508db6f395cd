//! The space: opening it, and how full it is.

use serde_json::json;

use super::{ZONE_ID, action};
use crate::{
    cloud, overview,
    permission::MOST_POLICIES,
    space::{self, Networks, Space},
    store::Read,
    tc3::CommonCode,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR},
        refusal::Refusal,
        shape::{status, time},
    },
};

pub const ACTIONS: &[Action] = &[
    action("OpenIdentityCenter", &[Field::text("ZoneName").required()], |call| {
        Box::pin(open(call))
    }),
    action("DescribeIdentityCenter", &[], |call| Box::pin(describe(call))),
    action("UpdateZone", &[ZONE_ID, Field::text("NewZoneName").required()], |call| {
        Box::pin(rename(call))
    }),
    action("GetIPWhitelist", &[Field::text("ZoneId")], |call| Box::pin(networks(call))),
    action("UpdateIPWhitelist", &[Field::text("ZoneId"), Field::texts("IpWhitelist")], |call| {
        Box::pin(set_networks(call))
    }),
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

/// ACT-06: only where a setting allows it.
async fn rename(call: &Call) -> Answer {
    let name = call.parameters.text("NewZoneName");
    let taken = |error| match error {
        // The reference has one code for every name that cannot be given.
        space::Error::NameTaken => Refusal::new(
            "InvalidParameterValue.ZoneNameFormatError",
            "The parameter `NewZoneName` is the name of another space, or was.",
        ),
        error => error.into(),
    };
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            if !call.app.settings.administration.rename_spaces {
                return Err(Refusal::common(
                    CommonCode::FailedOperation,
                    "The name of a space stays, unless the server's setting \
                     `administration.rename_spaces` allows another.",
                ));
            }
            space::rename(tx, &call.act, space.id, name).await.map_err(taken)
        })
        .await?;
    Ok(object([]))
}

/// The space that `ZoneId` names, or one's own: it need not be named here.
async fn own_space(call: &Call, tx: &mut Read) -> Result<Space, Refusal> {
    if call.parameters.optional_text("ZoneId").is_some() {
        return call.space(tx).await;
    }
    let own = space::of_organization(tx, call.caller.organization.id).await?;
    Ok(own.ok_or(space::Error::NotOpen)?)
}

async fn networks(call: &Call) -> Answer {
    let space = call.app.db.read(async |tx| own_space(call, tx).await).await?;
    Ok(object([("IpWhitelist", json!(space.sign_in_networks.0.entries()))]))
}

/// SET-10: the whole list anew. Only portals are guarded by it, never the console or the API, so
/// that nobody can lock themselves out of what would undo it.
async fn set_networks(call: &Call) -> Answer {
    if !call.parameters.is_given("IpWhitelist") {
        return Err(Refusal::common(
            CommonCode::MissingParameter,
            "The request is missing the parameter `IpWhitelist`; an empty list lets everybody in.",
        ));
    }
    let networks = Networks::parse(call.parameters.texts("IpWhitelist")).map_err(|error| {
        Refusal::new(PARAM_ERROR, format!("The parameter `IpWhitelist` is refused: {error}."))
    })?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = own_space(call, tx).await?.id;
            Ok(space::set_networks(tx, &call.act, space, &networks).await?)
        })
        .await?;
    Ok(object([("Success", json!(true))]))
}

async fn statistics(call: &Call) -> Answer {
    let limits = call.app.settings.limits;
    let organization = call.caller.organization.id;
    let counted = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(overview::statistics(tx, organization, space).await?)
        })
        .await?;
    let statistics = json!({
        "UserQuota": limits.users,
        "GroupQuota": limits.groups,
        "RoleConfigurationQuota": limits.configurations,
        "SystemPolicyPerRoleConfigurationQuota": MOST_POLICIES,
        "UserCount": counted.users,
        "GroupCount": counted.groups,
        "RoleConfigurationCount": counted.configurations,
        "UserProvisioningCount": counted.user_syncs,
        "RoleConfigurationSyncCount": counted.role_syncs,
    });
    Ok(object([("ZoneStatistics", statistics)]))
}
