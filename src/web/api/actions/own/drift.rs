//! Drift: looking for it, listing it, answering it (DPL-15).

use serde_json::{Value, json};

use crate::{
    id::{DriftId, Uin},
    provisioning::drift::{self, Answer as DriftAnswer, Error, Filter, Finding, MOST_ANSWERED},
    web::api::{
        actions::{ZONE_ID, action},
        authenticate::authorize_as,
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR, Rule},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, moment, page, page_request, time},
    },
};

pub const ACTIONS: &[Action] = &[
    action("DetectDrift", &[ZONE_ID, Field::integer("TargetUin")], |call| Box::pin(detect(call))),
    action(
        "ListDrift",
        &[
            ZONE_ID,
            Field::integer("TargetUin"),
            Field::text("RoleConfigurationId"),
            Field::boolean("IncludeIgnored"),
            NEXT_TOKEN,
            MAX_RESULTS,
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "ResolveDrift",
        &[
            ZONE_ID,
            Field::texts("DriftIds").required().rule(Rule::Entries(MOST_ANSWERED)),
            Field::text("Resolution").required().rule(Rule::OneOf(&["Repair", "Adopt", "Ignore"])),
            Field::text("IgnoreUntil"),
        ],
        |call| Box::pin(resolve(call)),
    ),
];

const NOT_FOUND: &str = "ResourceNotFound.DriftNotExist";

fn refused(error: Error) -> Refusal {
    let text = error.to_string();
    let code = match error {
        Error::CountInvalid | Error::MomentInvalid => PARAM_ERROR,
        Error::NotFound => NOT_FOUND,
        Error::NotAdoptable(_) => "FailedOperation.DriftNotAdoptable",
        Error::Busy(_) => "FailedOperation.RoleConfigurationProvisioningStatusError",
        Error::Permission(error) => return error.into(),
        Error::Store(error) => return error.into(),
    };
    Refusal::new(code, format!("It cannot be done: {text}."))
}

/// Has the accounts looked at; `ListDrift` says when that is done.
async fn detect(call: &Call) -> Answer {
    let account = call.parameters.integer("TargetUin").map(Uin);
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(drift::detect(tx, &call.act, space, account).await?)
        })
        .await?;
    Ok(object([("TaskIds", json!(tasks))]))
}

fn info(finding: &Finding) -> Value {
    json!({
        "DriftId": finding.id,
        "TargetUin": finding.account_uin.0,
        "TargetName": finding.account_name,
        "RoleConfigurationId":
            finding.configuration_id.map(|id| id.to_string()).unwrap_or_default(),
        "ObjectType": finding.object_kind,
        "ObjectName": finding.object_name,
        "Nature": finding.nature,
        "Recorded": finding.recorded.0.to_string(),
        "Found": finding.found.0.to_string(),
        "FoundTime": time(finding.found_at),
        "IgnoredUntil": finding.ignored_until.map(time).unwrap_or_default(),
    })
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let configuration = match parameters.optional_text("RoleConfigurationId") {
        None => None,
        Some(text) => {
            let code = "InvalidParameter.RoleConfigurationNotExist";
            Some(id(text, code, "RoleConfigurationId")?)
        }
    };
    let filter = Filter {
        account: parameters.integer("TargetUin").map(Uin),
        configuration,
        heard_at: (!parameters.is_true("IncludeIgnored")).then_some(call.act.now),
    };
    let (found, checking) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = drift::findings(tx, space, &filter, wanted).await?;
            Ok((found, drift::checking(tx, space).await?))
        })
        .await?;
    let mut answer = page("Drift", found, wanted.limit, |finding| info(&finding));
    answer.insert("CheckingCount".to_owned(), json!(checking));
    Ok(answer)
}

async fn resolve(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let ids = parameters.texts("DriftIds").into_iter();
    let ids: Vec<DriftId> =
        ids.map(|text| id(text, NOT_FOUND, "DriftIds")).collect::<Result<_, _>>()?;
    let until = moment(parameters, "IgnoreUntil")?;
    let answer = match (parameters.text("Resolution"), until) {
        ("Repair", None) => DriftAnswer::Repair,
        ("Adopt", None) => DriftAnswer::Adopt,
        ("Ignore", Some(until)) => DriftAnswer::Ignore(until),
        _ => {
            let text = "The parameter `IgnoreUntil` goes with `Ignore`, and only with it.";
            return Err(Refusal::new(PARAM_ERROR, text));
        }
    };
    if answer == DriftAnswer::Repair {
        let needed = ["ProvisionRoleConfiguration"];
        authorize_as(&call.app, &call.act, &call.caller, "organization", &needed).await?;
    }
    let tasks = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            drift::resolve(tx, &call.act, space, &ids, answer).await.map_err(refused)
        })
        .await?;
    Ok(object([("TaskIds", json!(tasks))]))
}
