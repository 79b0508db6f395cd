//! Permission configurations and their policies: role configurations, as the API calls them.

use serde_json::{Value, json};

use super::{ZONE_ID, action};
use crate::{
    directory::Principal,
    id::{ConfigurationId, GroupId, Uin, UserId},
    permission::{
        self, Applied, ApplyState, Configuration, ConfigurationChange, ConfigurationFilter,
        ConfigurationPolicy, ConfigurationPolicyName, Limits, NewConfiguration, NewPolicy,
        PolicyKind,
    },
    policy::catalogue,
    web::api::{
        call::{Action, Answer, Call, object},
        fields::{Field, Rule},
        refusal::Refusal,
        shape::{MAX_RESULTS, NEXT_TOKEN, id, page, page_request, time},
    },
};

/// Of every action about one configuration.
pub const CONFIGURATION_ID: Field = Field::text("RoleConfigurationId").required();

const POLICY_TYPE: Rule = Rule::OneOf(&["System", "Custom"]);
const POLICY: &[Field] = &[Field::integer("PolicyId").required(), Field::text("PolicyName")];

pub const ACTIONS: &[Action] = &[
    action(
        "CreateRoleConfiguration",
        &[
            ZONE_ID,
            Field::text("RoleConfigurationName").required(),
            Field::text("Description"),
            Field::integer("SessionDuration"),
            Field::text("RelayState"),
        ],
        |call| Box::pin(create(call)),
    ),
    action(
        "UpdateRoleConfiguration",
        &[
            ZONE_ID,
            CONFIGURATION_ID,
            Field::text("NewDescription"),
            Field::integer("NewSessionDuration"),
            Field::text("NewRelayState"),
            Field::boolean("IsApply"),
        ],
        |call| Box::pin(update(call)),
    ),
    action("DeleteRoleConfiguration", &[ZONE_ID, CONFIGURATION_ID], |call| Box::pin(delete(call))),
    action(
        "RemovePermissionPolicyFromRoleConfiguration",
        &[
            ZONE_ID,
            CONFIGURATION_ID,
            Field::text("RolePolicyType").required().rule(POLICY_TYPE),
            Field::text("RolePolicyName"),
            Field::integer("RolePolicyId"),
        ],
        |call| Box::pin(remove_policy(call)),
    ),
    action("GetRoleConfiguration", &[ZONE_ID, CONFIGURATION_ID], |call| Box::pin(get(call))),
    action(
        "ListRoleConfigurations",
        &[
            ZONE_ID,
            NEXT_TOKEN,
            MAX_RESULTS,
            Field::text("Filter"),
            Field::integers("FilterTargets").rule(Rule::Entries(100)),
            Field::text("PrincipalId"),
        ],
        |call| Box::pin(list(call)),
    ),
    action(
        "AddPermissionPolicyToRoleConfiguration",
        &[
            ZONE_ID,
            CONFIGURATION_ID,
            Field::text("RolePolicyType").required().rule(POLICY_TYPE),
            Field::texts("RolePolicyNames"),
            Field::objects("RolePolicies", POLICY),
            Field::text("CustomPolicyDocument"),
            Field::texts("CustomPolicyDocuments"),
            Field::integer("PolicyType").rule(Rule::Within(0, 1)),
        ],
        |call| Box::pin(add_policies(call)),
    ),
    action(
        "UpdateCustomPolicyForRoleConfiguration",
        &[
            ZONE_ID,
            CONFIGURATION_ID,
            Field::text("CustomPolicyName").required(),
            Field::text("NewCustomPolicyDocument"),
        ],
        |call| Box::pin(update_policy(call)),
    ),
    action(
        "ListPermissionPoliciesInRoleConfiguration",
        &[
            ZONE_ID,
            CONFIGURATION_ID,
            Field::text("RolePolicyType").rule(POLICY_TYPE),
            Field::text("Filter"),
        ],
        |call| Box::pin(list_policies(call)),
    ),
];

/// The configuration that `RoleConfigurationId` names.
pub fn configuration_id(call: &Call) -> Result<ConfigurationId, Refusal> {
    let text = call.parameters.text("RoleConfigurationId");
    id(text, "InvalidParameter.RoleConfigurationNotExist", "RoleConfigurationId")
}

/// What the installation allows.
pub fn limits(call: &Call) -> Limits {
    let settings = call.app.settings.limits;
    Limits {
        configurations: settings.configurations,
        custom_policies: settings.custom_policies,
        per_call: settings.per_call,
        ..Limits::default()
    }
}

/// How far it is in the accounts is told in the words of the reference; when the duration of
/// sessions was changed is not kept.
fn info(configuration: &Configuration, applied: Option<&Applied>, selected: bool) -> Value {
    let nowhere = Applied::default();
    let applied = applied.unwrap_or(&nowhere);
    let state = match applied.state {
        ApplyState::Unknown => "Unknown",
        ApplyState::Applying => "Applying",
        ApplyState::Failed => "Failed",
        ApplyState::Applied => "Success",
    };
    let failed = applied.failed.iter();
    let failed: Vec<Value> =
        failed.map(|(uin, name)| json!({ "TargetUin": uin, "TargetName": name })).collect();
    json!({
        "RoleConfigurationId": configuration.id,
        "RoleConfigurationName": configuration.name,
        "Description": configuration.description,
        "SessionDuration": configuration.session_duration,
        "RelayState": configuration.relay_state,
        "CreateTime": time(configuration.created_at),
        "UpdateTime": time(configuration.updated_at),
        "IsSelected": selected,
        "ApplyStatus": state,
        "AppliedSessionDuration": applied.session_duration.unwrap_or_default(),
        "SessionDurationUpdateTime":
            configuration.session_duration_updated_at.map(time).unwrap_or_default(),
        "FailedAccounts": failed,
    })
}

async fn create(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let new = NewConfiguration {
        name: parameters.text("RoleConfigurationName").to_owned(),
        description: parameters.text("Description").to_owned(),
        session_duration: parameters.integer("SessionDuration"),
        relay_state: parameters.text("RelayState").to_owned(),
    };
    let limits = limits(call);
    let made = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            Ok(permission::create_configuration(tx, &call.act, space, &new, &limits).await?)
        })
        .await?;
    Ok(object([("RoleConfigurationInfo", info(&made, None, false))]))
}

async fn update(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let change = ConfigurationChange {
        description: parameters.given_text("NewDescription").map(str::to_owned),
        session_duration: parameters.integer("NewSessionDuration"),
        relay_state: parameters.given_text("NewRelayState").map(str::to_owned),
        command_line: None,
    };
    let (limits, act) = (limits(call), &call.act);
    let (updated, applied) = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = configuration_id(call)?;
            let updated =
                permission::update_configuration(tx, act, space, id, &change, &limits).await?;
            if call.parameters.is_true("IsApply") {
                permission::redeploy_everywhere(tx, act, space, id).await?;
            }
            let applied = permission::applied(tx, &[updated.id]).await?;
            Ok((updated, applied))
        })
        .await?;
    Ok(object([("RoleConfigurationInfo", info(&updated, applied.get(&updated.id), false))]))
}

async fn delete(call: &Call) -> Answer {
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let configuration = configuration_id(call)?;
            Ok(permission::delete_configuration(tx, &call.act, space, configuration).await?)
        })
        .await?;
    Ok(object([]))
}

/// A preset goes by its number or its name, one of the configuration's own by its name.
async fn remove_policy(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let (number, name) =
        (parameters.integer("RolePolicyId"), parameters.optional_text("RolePolicyName"));
    let preset = || number.or_else(|| Some(catalogue::by_name(name?)?.id));
    let policy = match parameters.text("RolePolicyType") {
        "System" if number.is_some() || name.is_some() => {
            ConfigurationPolicyName::Preset(preset().unwrap_or_default())
        }
        "Custom" if name.is_some() => {
            ConfigurationPolicyName::Custom(parameters.text("RolePolicyName").to_owned())
        }
        kind => {
            let missing = if kind == "System" { "RolePolicyId" } else { "RolePolicyName" };
            return Err(Refusal::new(
                "InvalidParameter.ParamError",
                format!("The parameter `{missing}` is needed for a policy of this type."),
            ));
        }
    };
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = configuration_id(call)?;
            Ok(permission::remove_policy(tx, &call.act, space, id, &policy).await?)
        })
        .await?;
    Ok(object([]))
}

async fn get(call: &Call) -> Answer {
    let (found, applied) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = permission::configuration(tx, space, configuration_id(call)?).await?;
            let found = found.ok_or(permission::Error::ConfigurationNotFound)?;
            let applied = permission::applied(tx, &[found.id]).await?;
            Ok((found, applied))
        })
        .await?;
    Ok(object([("RoleConfigurationInfo", info(&found, applied.get(&found.id), false))]))
}

async fn list(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let wanted = page_request(parameters)?;
    let filter =
        ConfigurationFilter { search: parameters.optional_text("Filter").map(str::to_owned) };
    let targets: Vec<Uin> = parameters.integers("FilterTargets").into_iter().map(Uin).collect();
    let principal = match parameters.optional_text("PrincipalId") {
        None => None,
        Some(_) if targets.is_empty() => {
            return Err(Refusal::new(
                "InvalidParameter.ParamError",
                "The parameter `PrincipalId` needs `FilterTargets`.",
            ));
        }
        Some(text) => Some(any_principal(text)?),
    };
    let (found, selected, applied) = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = permission::configurations(tx, space, &filter, wanted).await?;
            let selected =
                permission::assigned_configurations(tx, space, &targets, principal).await?;
            let ids: Vec<ConfigurationId> = found.rows.iter().map(|it| it.id).collect();
            let applied = permission::applied(tx, &ids).await?;
            Ok((found, selected, applied))
        })
        .await?;
    Ok(page("RoleConfigurations", found, wanted.limit, |configuration| {
        let id = configuration.id;
        info(&configuration, applied.get(&id), selected.contains(&id))
    }))
}

/// An identity whose id tells its kind.
fn any_principal(text: &str) -> Result<Principal, Refusal> {
    let user = text.parse::<UserId>().map(Principal::User);
    user.or_else(|_| text.parse::<GroupId>().map(Principal::Group)).map_err(|_| {
        Refusal::new("InvalidParameter.ParamError", "The parameter `PrincipalId` names nothing.")
    })
}

async fn add_policies(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let new = match parameters.text("RolePolicyType") {
        "System" => system_policies(call)?,
        _ => custom_policies(call)?,
    };
    let limits = limits(call);
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let configuration = configuration_id(call)?;
            Ok(permission::add_policies(tx, &call.act, space, configuration, &new, &limits).await?)
        })
        .await?;
    Ok(object([]))
}

/// By number, by name, or both; a pair of both must agree.
fn system_policies(call: &Call) -> Result<Vec<NewPolicy>, Refusal> {
    let mut new = Vec::new();
    for policy in call.parameters.objects("RolePolicies") {
        let number = policy.integer("PolicyId").unwrap_or_default();
        let name = policy.optional_text("PolicyName");
        if let Some((name, preset)) = name.zip(catalogue::by_id(number))
            && preset.name != name
        {
            return Err(Refusal::new(
                "InvalidParameter.BindPolicyNameNotAllowed",
                format!("The policy {number} of `RolePolicies` is not called {name}."),
            ));
        }
        new.push(NewPolicy::PresetId(number));
    }
    for name in call.parameters.texts("RolePolicyNames") {
        // Some clients send names along with the ids of the same policies.
        let named = |policy: &NewPolicy| match policy {
            NewPolicy::PresetId(id) => catalogue::by_id(*id).is_some_and(|it| it.name == name),
            NewPolicy::Preset(_) | NewPolicy::Custom { .. } => false,
        };
        if !new.iter().any(named) {
            new.push(NewPolicy::Preset(name.to_owned()));
        }
    }
    Ok(new)
}

/// One name with `CustomPolicyDocument`, or as many names as `CustomPolicyDocuments`.
fn custom_policies(call: &Call) -> Result<Vec<NewPolicy>, Refusal> {
    let names = call.parameters.texts("RolePolicyNames");
    let mut documents = call.parameters.texts("CustomPolicyDocuments");
    documents.extend(call.parameters.optional_text("CustomPolicyDocument"));
    if documents.is_empty() {
        return Err(permission::Error::DocumentEmpty.into());
    }
    if names.len() != documents.len() {
        return Err(Refusal::new(
            "InvalidParameter.ParamError",
            "The parameter `RolePolicyNames` must have one name for each document.",
        ));
    }
    let pairs = names.into_iter().zip(documents);
    Ok(pairs
        .map(|(name, document)| NewPolicy::Custom {
            name: name.to_owned(),
            document: document.to_owned(),
        })
        .collect())
}

async fn update_policy(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let (name, document) =
        (parameters.text("CustomPolicyName"), parameters.text("NewCustomPolicyDocument"));
    let (limits, act) = (limits(call), &call.act);
    call.app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let id = configuration_id(call)?;
            let new = (name, document);
            Ok(permission::update_custom_policy(tx, act, space, id, new, &limits).await?)
        })
        .await?;
    Ok(object([]))
}

async fn list_policies(call: &Call) -> Answer {
    let parameters = &call.parameters;
    let kind = parameters.optional_text("RolePolicyType");
    let part = parameters.optional_text("Filter").map(str::to_ascii_lowercase);
    let mut found = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?.id;
            let found = permission::configuration(tx, space, configuration_id(call)?).await?;
            let found = found.ok_or(permission::Error::ConfigurationNotFound)?;
            Ok(permission::policies(tx, found.id).await?)
        })
        .await?;
    found.retain(|policy| {
        kind.is_none_or(|kind| kind == policy_type(policy.kind))
            && part.as_ref().is_none_or(|part| policy.name.to_ascii_lowercase().contains(part))
    });
    let policies: Vec<Value> = found.iter().map(policy_info).collect();
    Ok(object([("TotalCounts", json!(policies.len())), ("RolePolicies", json!(policies))]))
}

fn policy_type(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Preset => "System",
        PolicyKind::Custom => "Custom",
    }
}

fn policy_info(policy: &ConfigurationPolicy) -> Value {
    let document = match &policy.document {
        Some(document) => document.clone(),
        None => catalogue::by_id(policy.policy_id)
            .map(|preset| preset.document.to_json())
            .unwrap_or_default(),
    };
    json!({
        "RolePolicyId": policy.policy_id,
        "RolePolicyName": policy.name,
        "RolePolicyType": policy_type(policy.kind),
        "RolePolicyDocument": document,
        "AddTime": time(policy.added_at),
    })
}
