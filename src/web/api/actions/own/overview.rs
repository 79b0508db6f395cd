//! A space at a glance: what wants attention, what ends, and whether a name is free.

use serde_json::{Value, json};

use crate::{
    overview,
    recorder::Recorded,
    space,
    web::{
        Fault,
        api::{
            actions::{ZONE_ID, action},
            call::{Action, Answer, Call, object},
            fields::Field,
            refusal::Refusal,
            shape::{status, time},
        },
        console,
    },
};

pub const ACTIONS: &[Action] = &[
    action("DescribeSpaceHealth", &[ZONE_ID], |call| Box::pin(health(call))),
    action("ListExpirations", &[ZONE_ID], |call| Box::pin(expirations(call))),
    action("DescribeZoneNameAvailability", &[Field::text("ZoneName").required()], |call| {
        Box::pin(name(call))
    }),
];

fn request(found: Option<&Recorded>) -> Value {
    found.map_or(Value::Null, |one| {
        json!({
            "ScimRequestId": one.id,
            "Time": time(one.at),
            "Method": one.method,
            "Path": one.path,
            "HttpStatus": one.status,
            "Detail": one.detail.as_deref().unwrap_or_default(),
        })
    })
}

async fn health(call: &Call) -> Answer {
    let now = call.act.now;
    let (space, attention, directories) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let attention = overview::attention(tx, space.id, now).await?;
            let directories = overview::directories(tx, space.id, now).await?;
            Ok((space, attention, directories))
        })
        .await?;
    let days = directories.days.iter().map(|(day, one)| {
        json!({
            "Day": time(*day),
            "RequestCount": one.requests,
            "RefusedCount": one.refused,
        })
    });
    Ok(object([
        ("SsoStatus", json!(status(space.sso_enabled))),
        ("ScimStatus", json!(status(space.scim_enabled))),
        ("LastScimSuccess", request(directories.success.as_ref())),
        ("LastScimRefusal", request(directories.refusal.as_ref())),
        ("OutdatedDeploymentCount", json!(attention.outdated)),
        ("FailedDeploymentCount", json!(attention.failed_deployments)),
        ("FailedTaskCount", json!(attention.failed_tasks)),
        ("OpenTaskCount", json!(attention.open_tasks)),
        ("OpenDeletionCount", json!(attention.open_deletions)),
        ("ScimActivity", days.collect()),
    ]))
}

/// SET-09.
async fn expirations(call: &Call) -> Answer {
    let space = call.app.db.read(async |tx| call.space(tx).await).await?.id;
    let now = call.act.now;
    let ends = console::ends(&call.app, space).await?;
    let rows = ends.iter().map(|end| {
        json!({
            "Type": end.kind,
            "ObjectId": end.object,
            "EndTime": time(end.at),
            "DaysLeft": end.days_left(now),
            "IsNear": end.is_near(now),
        })
    });
    Ok(object([("TotalCounts", json!(ends.len())), ("Expirations", rows.collect())]))
}

/// ACT-04, ACT-05: told before it is tried.
async fn name(call: &Call) -> Answer {
    let name = call.parameters.text("ZoneName");
    let looked = call.app.db.read(async |tx| space::check_name_is_free(tx, name).await).await;
    let (code, message) = match looked {
        Ok(()) => Default::default(),
        Err(space::Error::Store(error)) => return Err(Fault::from(error).into()),
        Err(error) => Refusal::from(error).code_and_message(),
    };
    Ok(object([
        ("IsAvailable", json!(code.is_empty())),
        ("ErrorCode", json!(code)),
        ("ErrorMessage", json!(message)),
    ]))
}
