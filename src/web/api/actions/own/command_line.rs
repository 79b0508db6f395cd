//! Whether a configuration gives out temporary credentials for the command line (PRT-11).

use serde_json::{Map, Value, json};

use crate::{
    permission::{self, Configuration, ConfigurationChange},
    web::api::{
        actions::{
            ZONE_ID, action,
            configuration::{CONFIGURATION_ID, configuration_id, limits},
        },
        call::{Action, Answer, Call, object},
        fields::Field,
        refusal::Refusal,
    },
};

pub const ACTIONS: &[Action] = &[
    action("DescribeCommandLineAccess", &[ZONE_ID, CONFIGURATION_ID], |call| {
        Box::pin(describe(call))
    }),
    action(
        "UpdateCommandLineAccess",
        &[ZONE_ID, CONFIGURATION_ID, Field::boolean("IsAllowed").required()],
        |call| Box::pin(update(call)),
    ),
];

fn answer(configuration: &Configuration) -> Map<String, Value> {
    object([
        ("RoleConfigurationId", json!(configuration.id)),
        ("IsAllowed", json!(configuration.command_line)),
    ])
}

async fn describe(call: &Call) -> Answer {
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = permission::configuration(tx, space, configuration_id(call)?).await?;
            Ok(found.ok_or(permission::Error::ConfigurationNotFound)?)
        })
        .await?;
    Ok(answer(&found))
}

async fn update(call: &Call) -> Answer {
    let change = ConfigurationChange {
        command_line: Some(call.parameters.is_true("IsAllowed")),
        ..ConfigurationChange::default()
    };
    let limits = limits(call);
    let updated = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = configuration_id(call)?;
            let act = &call.act;
            Ok(permission::update_configuration(tx, act, space, id, &change, &limits).await?)
        })
        .await?;
    Ok(answer(&updated))
}
