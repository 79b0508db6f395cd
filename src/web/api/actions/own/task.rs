//! Every task of a space, whatever its kind, and trying what failed again (TSK-03).

use serde_json::json;

use crate::{
    id::TaskId,
    store::PageRequest,
    task::{self, Filter, State},
    web::api::{
        actions::{ZONE_ID, action, task::shown},
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, page, page_request},
    },
};

const NOT_FOUND: &str = "ResourceNotFound.RoleConfigurationTaskNotFound";
/// How many tasks one call tries again.
const MOST_RETRIED: usize = 100;

pub const ACTIONS: &[Action] = &[
    action(
        "ListAllTasks",
        &[
            ZONE_ID,
            Field::text("Status").rule(Rule::OneOf(&["InProgress", "Success", "Failed"])),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "RetryTasks",
        &[ZONE_ID, Field::texts("TaskIds").required().rule(Rule::Entries(MOST_RETRIED))],
        |call| Box::pin(retry(call)),
    ),
];

async fn list(call: &Call) -> Answer {
    let wanted: PageRequest = page_request(&call.parameters)?;
    let states = match call.parameters.optional_text("Status") {
        Some("InProgress") => vec![State::Ready, State::Running],
        Some("Success") => vec![State::Success],
        Some(_) => vec![State::Failed],
        None => Vec::new(),
    };
    let filter = Filter { states, ..Filter::default() };
    let (found, shown) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = task::list(tx, space, &filter, wanted).await?;
            let shown = shown(call, tx, space, &found.rows).await?;
            Ok((found, shown))
        })
        .await?;
    let mut shown = shown.into_iter();
    Ok(page("Tasks", found, wanted.limit, |_| shown.next().unwrap_or_default()))
}

/// Each with a new task of its own; all or none.
async fn retry(call: &Call) -> Answer {
    let named = call.parameters.texts("TaskIds");
    let ids: Vec<TaskId> =
        named.iter().map(|text| id(text, NOT_FOUND, "TaskIds")).collect::<Result<_, _>>()?;
    let retried = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let mut retried = Vec::new();
            for id in ids {
                let new = task::retry(tx, &call.act, space, id).await;
                let new = new.map_err(|error| Refusal::from(error).naming("TaskIds"))?;
                retried.push(json!({ "TaskId": id, "NewTaskId": new }));
            }
            Ok(retried)
        })
        .await?;
    Ok(object([("RetriedTasks", json!(retried))]))
}
