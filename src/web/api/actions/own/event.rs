//! Events: who else follows the directory, and how the deliveries go.

use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    event::{self, Access, Delivery, Endpoint, Kind, State, Wish},
    id::{EndpointId, EventId, PrincipalKind},
    space,
    web::api::{
        actions::{ZONE_ID, action},
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR, Rule},
        refusal::Refusal,
        shape::{
            MAX_RESULTS, NEXT_TOKEN, STATUS, id, moment, page, page_request, principal, status,
            time,
        },
    },
};

const ENDPOINT_ID: Field = Field::text("EventEndpointId").required();
/// In the order of [`Kind::CHOICE`].
const KINDS: Rule = Rule::OneOf(&[
    "Create",
    "Patch",
    "Membership",
    "Delete",
    "Activate",
    "Deactivate",
    "Answer",
    "Expiry",
    "Alarm",
]);

pub const ACTIONS: &[Action] = &[
    action("ListEventEndpoints", &[ZONE_ID], |call| Box::pin(list(call))),
    action(
        "CreateEventEndpoint",
        &[
            ZONE_ID,
            Field::text("Url").required(),
            Field::texts("Kinds").rule(KINDS),
            Field::boolean("IsFullContent"),
        ],
        |call| Box::pin(create(call)),
    ),
    action(
        "UpdateEventEndpoint",
        &[
            ZONE_ID,
            ENDPOINT_ID,
            Field::text("Url"),
            Field::texts("Kinds").rule(KINDS),
            Field::boolean("IsFullContent"),
        ],
        |call| Box::pin(update(call)),
    ),
    action(
        "UpdateEventEndpointStatus",
        &[ZONE_ID, ENDPOINT_ID, Field::text("NewStatus").required().rule(STATUS)],
        |call| Box::pin(update_status(call)),
    ),
    action("RotateEventEndpointSecret", &[ZONE_ID, ENDPOINT_ID], |call| Box::pin(rotate(call))),
    action("TestEventEndpoint", &[ZONE_ID, ENDPOINT_ID], |call| Box::pin(test(call))),
    action(
        "ListEventDeliveries",
        &[
            ZONE_ID,
            ENDPOINT_ID,
            Field::text("State").rule(Rule::OneOf(&["Waiting", "Delivered", "GivenUp"])),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(deliveries(call)),
    ),
    action("RedeliverEvent", &[ZONE_ID, ENDPOINT_ID, Field::text("EventId").required()], |call| {
        Box::pin(redeliver(call))
    }),
    action("ReplayEvents", &[ZONE_ID, ENDPOINT_ID, Field::text("StartTime").required()], |call| {
        Box::pin(replay(call))
    }),
    action("DeleteEventEndpoint", &[ZONE_ID, ENDPOINT_ID], |call| Box::pin(delete(call))),
];

fn kind_word(kind: Kind) -> &'static str {
    match kind {
        Kind::Create => "Create",
        Kind::Patch => "Patch",
        Kind::Membership => "Membership",
        Kind::Delete => "Delete",
        Kind::Activate => "Activate",
        Kind::Deactivate => "Deactivate",
        Kind::Answer => "Answer",
        Kind::Expiry => "Expiry",
        Kind::Alarm => "Alarm",
        Kind::Verification => "Verification",
    }
}

fn state_word(state: State) -> &'static str {
    match state {
        State::Waiting => "Waiting",
        State::Delivered => "Delivered",
        State::GivenUp => "GivenUp",
    }
}

fn endpoint_id(call: &Call) -> Result<EndpointId, Refusal> {
    let text = call.parameters.text("EventEndpointId");
    id(text, "ResourceNotFound.EventEndpointNotExist", "EventEndpointId")
}

/// The kinds that a call names, if it names any.
fn kinds(call: &Call) -> Option<Vec<Kind>> {
    call.parameters.is_given("Kinds").then(|| {
        let words = call.parameters.texts("Kinds");
        Kind::CHOICE.into_iter().filter(|kind| words.contains(&kind_word(*kind))).collect()
    })
}

/// What was refused, with the parameter that it is about.
fn refused(error: event::Error) -> Refusal {
    use event::Error;
    let field = match &error {
        Error::UrlInvalid(_) => "Url",
        Error::NoKind => "Kinds",
        Error::EndpointNotFound => "EventEndpointId",
        Error::EventNotFound => "EventId",
        Error::TooMany | Error::Disabled | Error::Secret(_) | Error::Store(_) => {
            return error.into();
        }
    };
    Refusal::from(error).naming(field)
}

fn info(endpoint: &Endpoint) -> Value {
    let kinds: Vec<&str> = endpoint.kinds.0.iter().map(|kind| kind_word(*kind)).collect();
    json!({
        "EventEndpointId": endpoint.id,
        "Url": endpoint.url,
        "Kinds": kinds,
        "IsFullContent": endpoint.full_content,
        "Status": status(endpoint.enabled),
        "DisabledReason": endpoint.disabled_because.as_deref().unwrap_or_default(),
        "SecretNumber": endpoint.secret_number,
        "WaitingCount": endpoint.waiting,
        "GivenUpCount": endpoint.given_up,
        "FailureCount": endpoint.failures,
        "NextAttemptTime": if endpoint.waiting > 0 { time(endpoint.run_at) } else { String::new() },
        "LastDeliveryTime": endpoint.last_delivered_at.map(time).unwrap_or_default(),
        "CreateTime": time(endpoint.created_at),
        "UpdateTime": time(endpoint.updated_at),
    })
}

async fn list(call: &Call) -> Answer {
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(event::endpoints(tx, space).await?)
        })
        .await?;
    let rows: Vec<Value> = found.iter().map(info).collect();
    Ok(object([("TotalCounts", json!(rows.len())), ("EventEndpoints", json!(rows))]))
}

/// The secret is told here and when another one takes its place, and never again.
async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wish = Wish {
        url: parameters.text("Url").to_owned(),
        kinds: kinds(call).unwrap_or_else(|| Kind::CHOICE.to_vec()),
        full_content: parameters.is_true("IsFullContent"),
    };
    let guard = call.app.event_guard();
    let access = Access { guard: &guard, sealer: &call.app.sealer };
    let (made, secret) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::create(tx, &call.act, access, space, &wish).await.map_err(refused)
        })
        .await?;
    Ok(object([("EventEndpoint", info(&made)), ("Secret", json!(secret.expose_secret()))]))
}

/// What is absent stays as it is.
async fn update(call: &Call) -> Answer {
    let (parameters, id) = (&call.parameters, endpoint_id(call)?);
    let guard = call.app.event_guard();
    let endpoint = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            // Two who each change a part change both.
            space::lock(tx, space).await?;
            let old = event::endpoint(tx, space, id).await.map_err(refused)?;
            let url = parameters.optional_text("Url").map(str::to_owned);
            let full_content = parameters.is_given("IsFullContent");
            let wish = Wish {
                url: url.unwrap_or(old.url),
                kinds: kinds(call).unwrap_or(old.kinds.0),
                full_content: if full_content {
                    parameters.is_true("IsFullContent")
                } else {
                    old.full_content
                },
            };
            event::update(tx, &call.act, &guard, space, id, &wish).await.map_err(refused)?;
            event::endpoint(tx, space, id).await.map_err(refused)
        })
        .await?;
    Ok(object([("EventEndpoint", info(&endpoint))]))
}

async fn update_status(call: &Call) -> Answer {
    let id = endpoint_id(call)?;
    let enabled = call.parameters.text("NewStatus") == "Enabled";
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::set_enabled(tx, &call.act, space, id, enabled).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}

async fn rotate(call: &Call) -> Answer {
    let (id, sealer) = (endpoint_id(call)?, &call.app.sealer);
    let (secret, endpoint) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let secret =
                event::rotate_secret(tx, &call.act, sealer, space, id).await.map_err(refused)?;
            Ok((secret, event::endpoint(tx, space, id).await.map_err(refused)?))
        })
        .await?;
    Ok(object([
        ("SecretNumber", json!(endpoint.secret_number)),
        ("Secret", json!(secret.expose_secret())),
    ]))
}

async fn test(call: &Call) -> Answer {
    let id = endpoint_id(call)?;
    let event = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::test(tx, &call.act, space, id).await.map_err(refused)
        })
        .await?;
    Ok(object([("EventId", json!(event))]))
}

fn delivery(delivery: &Delivery) -> Value {
    let subject = delivery.subject();
    let kind = match subject.map(crate::id::Principal::kind) {
        Some(kind @ (PrincipalKind::User | PrincipalKind::Group)) => principal(kind),
        None => "",
    };
    json!({
        "EventId": delivery.event,
        "Kind": kind_word(delivery.kind),
        "PrincipalType": kind,
        "PrincipalId": subject.map(|it| it.to_string()).unwrap_or_default(),
        "Time": time(delivery.at),
        "State": state_word(delivery.state),
        "AttemptCount": delivery.attempt,
        "LastAttemptTime": delivery.attempted_at.map(time).unwrap_or_default(),
        "HttpStatus": delivery.status.unwrap_or_default(),
        "FailureReason": delivery.error.as_deref().unwrap_or_default(),
    })
}

async fn deliveries(call: &Call) -> Answer {
    let (id, wanted) = (endpoint_id(call)?, page_request(&call.parameters)?);
    let state = match call.parameters.text("State") {
        "Waiting" => Some(State::Waiting),
        "Delivered" => Some(State::Delivered),
        "GivenUp" => Some(State::GivenUp),
        _ => None,
    };
    let found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::endpoint(tx, space, id).await.map_err(refused)?;
            Ok(event::deliveries(tx, id, state, wanted).await?)
        })
        .await?;
    Ok(page("EventDeliveries", found, wanted.limit, |one| delivery(&one)))
}

async fn redeliver(call: &Call) -> Answer {
    let endpoint = endpoint_id(call)?;
    let event: EventId =
        id(call.parameters.text("EventId"), "ResourceNotFound.EventNotExist", "EventId")?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::redeliver(tx, &call.act, space, endpoint, event).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}

async fn replay(call: &Call) -> Answer {
    let id = endpoint_id(call)?;
    let since = moment(&call.parameters, "StartTime")?
        .ok_or_else(|| Refusal::new(PARAM_ERROR, "The parameter `StartTime` must not be empty."))?;
    let count = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::replay(tx, &call.act, space, id, since).await.map_err(refused)
        })
        .await?;
    Ok(object([("EventCount", json!(count))]))
}

async fn delete(call: &Call) -> Answer {
    let id = endpoint_id(call)?;
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            event::delete(tx, &call.act, space, id).await.map_err(refused)
        })
        .await?;
    Ok(object([]))
}
