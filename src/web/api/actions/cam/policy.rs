//! Policies of an account, and who has them.

use serde_json::{Value, json};

use super::{PAGE, RP, TAGS, THE_POLICY, account, tag_list, tags, window};
use crate::{
    cloud::management::{
        self, EntityFilter, EntityKind, Error, FoundPolicy, Kind, ListedPolicy, PolicyChange,
        PolicyFilter, Tags,
    },
    tc3::CommonCode,
    web::api::{
        actions::action_on,
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::time,
        subject::Subject,
    },
};

pub const ACTIONS: &[Action] = &[
    action_on(
        "CreatePolicy",
        Subject::Everything,
        &[
            Field::text("PolicyName").required(),
            Field::text("PolicyDocument").required(),
            Field::text("Description"),
            TAGS,
        ],
        |call| Box::pin(create(call)),
    ),
    action_on("GetPolicy", THE_POLICY, &[Field::unsigned("PolicyId").required()], |call| {
        Box::pin(get(call))
    }),
    action_on(
        "UpdatePolicy",
        Subject::Policy { id: "PolicyId", name: Some("PolicyName") },
        &[
            Field::unsigned("PolicyId"),
            Field::text("PolicyName"),
            Field::text("Description"),
            Field::text("PolicyDocument"),
            Field::text("Alias"),
        ],
        |call| Box::pin(update(call)),
    ),
    action_on(
        "DeletePolicy",
        Subject::Policies("PolicyId"),
        &[Field::integers("PolicyId").required()],
        |call| Box::pin(delete(call)),
    ),
    action_on(
        "ListPolicies",
        Subject::Everything,
        &[
            RP,
            PAGE,
            Field::text("Scope")
                .rule(Rule::OneOf(&["All", "QCS", "Local"]))
                .refused_as("InvalidParameter.ScopeError"),
            Field::text("Keyword")
                .rule(Rule::Characters(128))
                .refused_as("InvalidParameter.SearchKeywordLengthError"),
        ],
        |call| Box::pin(list(call)),
    ),
    action_on(
        "ListEntitiesForPolicy",
        THE_POLICY,
        &[
            Field::unsigned("PolicyId").required(),
            PAGE,
            RP,
            Field::text("EntityFilter")
                .rule(Rule::OneOf(&["All", "User", "Group", "Role"]))
                .refused_as("InvalidParameter.EntityFilterError"),
        ],
        |call| Box::pin(list_entities(call)),
    ),
];

/// 1 is the account's own, 2 a preset.
pub fn kind(is_preset: bool) -> i64 {
    if is_preset { 2 } else { 1 }
}

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let tags = tags(parameters)?;
    let id = call
        .app
        .db
        .write(async |tx| {
            let [name, description, document] =
                ["PolicyName", "Description", "PolicyDocument"].map(|it| parameters.text(it));
            let account = account(call);
            management::create_policy(tx, &call.act, account, name, description, document, &tags)
                .await
        })
        .await?;
    Ok(object([("PolicyId", json!(id))]))
}

async fn get(call: &Call) -> Answer {
    let id = call.parameters.integer("PolicyId").unwrap_or_default();
    let found =
        call.app.db.read(async |tx| management::policy(tx, account(call), id).await).await?;
    let found = found.ok_or_else(|| {
        Refusal::new(
            "ResourceNotFound.PolicyIdNotFound",
            "The parameter `PolicyId` names no policy of the account.",
        )
    })?;
    let (document, description, times, tags) = match &found {
        FoundPolicy::Preset(preset) => {
            (preset.document.to_json(), &preset.description, Default::default(), Tags::new())
        }
        FoundPolicy::Custom(policy) => (
            policy.document.clone(),
            &policy.description,
            [time(policy.created_at), time(policy.updated_at)],
            policy.tags.0.clone(),
        ),
    };
    let [added, updated] = times;
    Ok(object([
        ("PolicyName", json!(found.name())),
        ("Description", json!(description)),
        ("Type", json!(kind(is_preset(&found)))),
        ("AddTime", json!(added)),
        ("UpdateTime", json!(updated)),
        ("PolicyDocument", json!(document)),
        ("PresetAlias", json!("")),
        ("IsServiceLinkedRolePolicy", json!(0)),
        ("Tags", tag_list(&tags)),
    ]))
}

fn is_preset(policy: &FoundPolicy) -> bool {
    match policy {
        FoundPolicy::Preset(_) => true,
        FoundPolicy::Custom(_) => false,
    }
}

/// With a number, the name is the new one; without, it says which policy is meant.
async fn update(call: &Call) -> Answer {
    let parameters = &call.parameters;
    if parameters.optional_text("Alias").is_some() {
        return Err(Refusal::common(
            CommonCode::UnsupportedOperation,
            "The parameter `Alias` is for preset policies, which cannot be changed.",
        ));
    }
    let id = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let (id, name) =
                match (parameters.integer("PolicyId"), parameters.optional_text("PolicyName")) {
                    (Some(id), name) => (id, name),
                    (None, Some(name)) => {
                        let found = management::policy_named(tx, account(call), name).await?;
                        (found.ok_or(Error::NotFound(Kind::Policy))?.id(), None)
                    }
                    (None, None) => return Err(Error::Unnamed(Kind::Policy).into()),
                };
            let change = PolicyChange {
                name,
                description: parameters.given_text("Description"),
                document: parameters.optional_text("PolicyDocument"),
            };
            management::update_policy(tx, &call.act, account(call), id, change).await?;
            Ok(id)
        })
        .await?;
    Ok(object([("PolicyId", json!(id))]))
}

async fn delete(call: &Call) -> Answer {
    let ids = call.parameters.integers("PolicyId");
    call.app
        .db
        .write(async |tx| management::delete_policies(tx, &call.act, account(call), &ids).await)
        .await?;
    Ok(object([]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let scope = parameters.optional_text("Scope");
    let filter = PolicyFilter {
        presets: scope != Some("Local"),
        custom: scope != Some("QCS"),
        keyword: parameters.text("Keyword"),
    };
    let (offset, limit) = window(parameters);
    let (total, policies) = call
        .app
        .db
        .read(async |tx| management::list_policies(tx, account(call), filter, offset, limit).await)
        .await?;
    let list: Vec<Value> = policies.iter().map(listed).collect();
    Ok(object([("TotalNum", json!(total)), ("List", json!(list)), ("ServiceTypeList", json!([]))]))
}

fn listed(listed: &ListedPolicy) -> Value {
    let (description, [added, updated], tags, level) = match &listed.policy {
        FoundPolicy::Preset(preset) => {
            (&preset.description, Default::default(), json!([]), level(preset.id))
        }
        FoundPolicy::Custom(policy) => (
            &policy.description,
            [time(policy.created_at), time(policy.updated_at)],
            tag_list(&policy.tags.0),
            "",
        ),
    };
    json!({
        "PolicyId": listed.policy.id(),
        "PolicyName": listed.policy.name(),
        "AddTime": added,
        "Type": kind(is_preset(&listed.policy)),
        "Description": description,
        "CreateMode": 2,
        "Attachments": listed.attached,
        "ServiceType": "",
        "IsAttached": i64::from(listed.attached > 0),
        "Deactived": 0,
        "DeactivedDetail": [],
        "IsServiceLinkedPolicy": 0,
        "AttachEntityCount": listed.attached,
        "AttachEntityBoundaryCount": listed.boundaries,
        "UpdateTime": updated,
        "Tags": tags,
        "PermissionLevel": level,
    })
}

/// How far a preset reaches: the first few are about everything, or about money.
fn level(preset: i64) -> &'static str {
    match preset {
        4 => "Finance",
        ..=6 => "Global",
        _ => "CloudProduct",
    }
}

async fn list_entities(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let id = parameters.integer("PolicyId").unwrap_or_default();
    // There are no groups in an account: nobody has a policy through one.
    let filter = match parameters.optional_text("EntityFilter") {
        Some("User") => EntityFilter { users: true, roles: false },
        Some("Role") => EntityFilter { users: false, roles: true },
        Some("Group") => EntityFilter { users: false, roles: false },
        _ => EntityFilter { users: true, roles: true },
    };
    let (offset, limit) = window(parameters);
    let found = call
        .app
        .db
        .read(async |tx| management::entities(tx, account(call), id, filter, offset, limit).await)
        .await;
    let (total, entities) = match found {
        Err(Error::NotFound(Kind::Policy)) => {
            return Err(Refusal::new(
                "InvalidParameter.PolicyIdError",
                "The parameter `PolicyId` names no policy of the account.",
            ));
        }
        other => other?,
    };
    let list: Vec<Value> = entities
        .iter()
        .map(|entity| {
            let (uin, related) = match entity.kind {
                EntityKind::User => (entity.id, 1),
                EntityKind::Role => (0, 3),
            };
            json!({
                "Id": entity.id.to_string(),
                "Name": entity.name,
                "Uin": uin,
                "RelatedType": related,
                "AttachmentTime": time(entity.attached_at),
            })
        })
        .collect();
    Ok(object([("TotalNum", json!(total)), ("List", json!(list))]))
}
