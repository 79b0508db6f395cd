//! What a space decides about its directories: switches, the brake, and extension schemas.

use serde_json::{Map, Value, json};

use crate::{
    // Beside `space` and the like, this is the room that knows what directories push.
    directory::scim::{self as directory, BrakeState, Registered},
    id::PrincipalKind,
    scim::{ErrorKind, json as scim_json},
    space::{self, Brake, ScimSettings, Space},
    web::{
        Fault,
        api::{
            actions::{ZONE_ID, action},
            call::{Action, Answer, Call, object},
            fields::{Field, PARAM_ERROR, Rule},
            refusal::Refusal,
            shape::{PRINCIPAL, principal, time},
        },
    },
};

const HOUR: i64 = 3600;
/// For how many hours the brake may be lifted.
const MOST_HOURS: i64 = 24;

const BRAKE: &[Field] = &[
    Field::boolean("IsEnabled"),
    Field::integer("Users"),
    Field::integer("Percent"),
    Field::integer("WindowSeconds"),
];

pub const ACTIONS: &[Action] = &[
    action("DescribeSCIMSettings", &[ZONE_ID], |call| Box::pin(describe(call))),
    action(
        "UpdateSCIMSettings",
        &[
            ZONE_ID,
            Field::boolean("PatchWithoutBody"),
            Field::boolean("AlwaysEmitMembers"),
            Field::boolean("RefuseUnknownMembers"),
            Field::boolean("AllowEqualGroupNames"),
            Field::boolean("RefuseRenames"),
            Field::object("Brake", BRAKE),
            Field::integer("RecordDays"),
            Field::integer("RecordMegabytes"),
        ],
        |call| Box::pin(update(call)),
    ),
    action("DescribeSCIMBrake", &[ZONE_ID], |call| Box::pin(brake(call))),
    action(
        "LiftSCIMBrake",
        &[ZONE_ID, Field::integer("Hours").required().rule(Rule::Within(1, MOST_HOURS))],
        |call| Box::pin(lift(call)),
    ),
    action("RestoreSCIMBrake", &[ZONE_ID], |call| Box::pin(restore(call))),
    action("ListSCIMSchemas", &[ZONE_ID], |call| Box::pin(schemas(call))),
    action(
        "RegisterSCIMSchema",
        &[
            ZONE_ID,
            Field::text("ResourceType").required().rule(PRINCIPAL),
            Field::text("SchemaDocument").required(),
        ],
        |call| Box::pin(register(call)),
    ),
    action("UnregisterSCIMSchema", &[ZONE_ID, Field::text("SchemaId").required()], |call| {
        Box::pin(unregister(call))
    }),
];

fn info(settings: &ScimSettings) -> Value {
    json!({
        "PatchWithoutBody": settings.patch_without_body,
        "AlwaysEmitMembers": settings.always_emit_members,
        "RefuseUnknownMembers": settings.refuse_unknown_members,
        "AllowEqualGroupNames": settings.allow_equal_group_names,
        "RefuseRenames": settings.refuse_renames,
        "Brake": {
            "IsEnabled": settings.brake.enabled,
            "Users": settings.brake.users,
            "Percent": settings.brake.percent,
            "WindowSeconds": settings.brake.window,
        },
        "RecordDays": settings.record_days,
        "RecordMegabytes": settings.record_megabytes,
    })
}

async fn describe(call: &Call) -> Answer {
    let space = call.app.db.read(async |tx| call.space(tx).await).await?;
    Ok(object([("SCIMSettings", info(&space.scim_settings.0))]))
}

/// What is absent stays as it is.
fn changed(call: &Call, old: &ScimSettings) -> ScimSettings {
    let (parameters, brake) = (&call.parameters, call.parameters.object("Brake"));
    let flag = |name: &str, old: bool| {
        if parameters.is_given(name) { parameters.is_true(name) } else { old }
    };
    ScimSettings {
        patch_without_body: flag("PatchWithoutBody", old.patch_without_body),
        always_emit_members: flag("AlwaysEmitMembers", old.always_emit_members),
        refuse_unknown_members: flag("RefuseUnknownMembers", old.refuse_unknown_members),
        allow_equal_group_names: flag("AllowEqualGroupNames", old.allow_equal_group_names),
        refuse_renames: flag("RefuseRenames", old.refuse_renames),
        brake: Brake {
            enabled: if brake.is_given("IsEnabled") {
                brake.is_true("IsEnabled")
            } else {
                old.brake.enabled
            },
            users: brake.integer("Users").unwrap_or(old.brake.users),
            percent: brake.integer("Percent").unwrap_or(old.brake.percent),
            window: brake.integer("WindowSeconds").unwrap_or(old.brake.window),
        },
        record_days: parameters.integer("RecordDays").unwrap_or(old.record_days),
        record_megabytes: parameters.integer("RecordMegabytes").unwrap_or(old.record_megabytes),
    }
}

/// The parameter that sets a number.
fn parameter_of(field: &str) -> &'static str {
    match field {
        "brake_users" => "Brake.Users",
        "brake_percent" => "Brake.Percent",
        "brake_window" => "Brake.WindowSeconds",
        "record_days" => "RecordDays",
        _ => "RecordMegabytes",
    }
}

async fn update(call: &Call) -> Answer {
    let settings = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            // Two who each change a part change both.
            space::lock(tx, space).await?;
            let space = call.space(tx).await?;
            let wanted = changed(call, &space.scim_settings.0);
            match space::set_scim_settings(tx, &call.act, &space, &wanted).await {
                Ok(()) => Ok(wanted),
                Err(space::Error::OutOfRange { field, least, most, .. }) => {
                    let field = parameter_of(field);
                    let must = format!("must be between {least} and {most}");
                    Err(Refusal::new(PARAM_ERROR, format!("The parameter `{field}` {must}.")))
                }
                Err(other) => Err(other.into()),
            }
        })
        .await?;
    Ok(object([("SCIMSettings", info(&settings))]))
}

/// What the directory's room refused; no protocol asked it here.
fn refused(error: directory::Error, field: &str) -> Refusal {
    match error {
        directory::Error::Store(error) => Fault::from(error).into(),
        directory::Error::Refused(error) if error.kind != ErrorKind::Internal => {
            Refusal::new(PARAM_ERROR, format!("The parameter `{field}`: {}.", error.detail))
        }
        directory::Error::Refused(_)
        | directory::Error::NotFound(_)
        | directory::Error::NameTaken(_)
        | directory::Error::NameHeldByHand(_)
        | directory::Error::TooMany { .. }
        | directory::Error::TooManyMembers { .. }
        | directory::Error::TooManyMemberships { .. }
        | directory::Error::Braked { .. }
        | directory::Error::ValueTaken(_)
        | directory::Error::Corrupt(_) => {
            Fault::Internal("the directory refused what no protocol asked").into()
        }
    }
}

fn standing(space: &Space, state: BrakeState) -> Map<String, Value> {
    let brake = space.scim_settings.0.brake;
    let holds = brake.enabled && state.lifted_until.is_none() && state.held_at.is_some();
    let word = match (brake.enabled, state.lifted_until) {
        (false, _) => "Off",
        (true, Some(_)) => "Lifted",
        (true, None) if holds => "Holding",
        (true, None) => "Ready",
    };
    object([
        ("State", json!(word)),
        ("GoingCount", json!(state.going)),
        ("HoldingSince", json!(state.held_at.filter(|_| holds).map(time).unwrap_or_default())),
        ("LiftedUntil", json!(state.lifted_until.map(time).unwrap_or_default())),
    ])
}

async fn brake(call: &Call) -> Answer {
    let (space, state) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            let state = directory::brake_state(tx, &space, call.act.now).await;
            let state = state.map_err(|error| refused(error, "ZoneId"))?;
            Ok((space, state))
        })
        .await?;
    Ok(standing(&space, state))
}

async fn lift(call: &Call) -> Answer {
    let hours = call.parameters.integer("Hours").unwrap_or(1);
    set_brake(call, Some(call.act.now.plus_seconds(hours * HOUR))).await
}

async fn restore(call: &Call) -> Answer {
    set_brake(call, None).await
}

async fn set_brake(call: &Call, until: Option<crate::store::Timestamp>) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            Ok(space::lift_scim_brake(tx, &call.act, &space, until).await?)
        })
        .await?;
    Ok(object([("LiftedUntil", json!(until.map(time).unwrap_or_default()))]))
}

fn schema(one: &Registered) -> Value {
    json!({
        "SchemaId": one.urn,
        "ResourceType": principal(one.resource_type),
        "Name": one.name,
        "Description": one.description,
        "CreateTime": time(one.created_at),
        "SchemaDocument": Value::Object(one.document()).to_string(),
    })
}

async fn schemas(call: &Call) -> Answer {
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(directory::registered(tx, space).await?)
        })
        .await?;
    let rows: Vec<Value> = found.iter().map(schema).collect();
    Ok(object([("TotalCounts", json!(rows.len())), ("SCIMSchemas", json!(rows))]))
}

async fn register(call: &Call) -> Answer {
    const FIELD: &str = "SchemaDocument";
    let kind = match call.parameters.text("ResourceType") {
        "Group" => PrincipalKind::Group,
        _ => PrincipalKind::User,
    };
    let document = scim_json::parse_object(call.parameters.text(FIELD).as_bytes());
    let document = document.map_err(|error| refused(error.into(), FIELD))?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let registered = directory::register(tx, &call.act, space, kind, &document).await;
            registered.map_err(|error| refused(error, FIELD))
        })
        .await?;
    Ok(object([]))
}

async fn unregister(call: &Call) -> Answer {
    const FIELD: &str = "SchemaId";
    let urn = call.parameters.text(FIELD);
    let gone = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let gone = directory::unregister(tx, &call.act, space, urn).await;
            gone.map_err(|error| refused(error, FIELD))
        })
        .await?;
    if gone {
        Ok(object([]))
    } else {
        let said = "The parameter `SchemaId` names nothing.";
        Err(Refusal::new("ResourceNotFound.SCIMSchemaNotExist", said))
    }
}
