//! Plans: what an act would do, and doing it if that is still so.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::look::page_of;
use crate::{
    access::plan::{
        self, Conflict, Edit, Error, ObjectChange, Operation, Place, Plan, PlannedTask, Reach,
        State, What,
    },
    id::{Uin, UserSyncId},
    organization::AccountKind,
    permission::{ConfigurationChange, ConfigurationPolicyName, NewPolicy, RemovalStrategy},
    policy::catalogue,
    space::Space,
    store::Read,
    web::api::{
        actions::{
            ZONE_ID, action,
            assignment::{self, account_kind},
            configuration::limits,
            user_sync,
        },
        authenticate::authorize_as,
        call::{Action, Answer, Call, object},
        fields::{Field, PARAM_ERROR, Parameters, Rule},
        refusal::{self, Refusal},
        shape::{TARGET, id, principal},
    },
};

/// How many of those who gain or lose something an answer has; it says how many there are in all.
const MOST_TOLD: i64 = 1000;

const PLACE: &[Field] = &[
    Field::text("RoleConfigurationId").required(),
    Field::integer("TargetUin").required(),
    Field::text("TargetType").required().rule(TARGET),
];

const CUSTOM: &[Field] =
    &[Field::text("PolicyName").required(), Field::text("PolicyDocument").required()];

/// What each type of operation is said with, beside `Type`.
const TYPES: &[(&str, &[&str])] = &[
    ("Assign", &["RoleAssignmentInfo"]),
    ("Unassign", &["RoleAssignmentInfo", "DeprovisionStrategy"]),
    ("Deploy", &["RoleConfigurationProvisionings"]),
    ("Redeploy", &["RoleConfigurationProvisionings"]),
    ("Undeploy", &["RoleConfigurationProvisionings", "RemoveAssignments"]),
    ("RemoveAssignments", &["RoleConfigurationProvisionings"]),
    ("Sync", &["UserSyncProvisionings"]),
    ("Unsync", &["UserProvisioningIds"]),
    ("DeleteUser", &["UserId"]),
    ("DeleteGroup", &["GroupId"]),
    ("DeleteRoleConfiguration", &["RoleConfigurationId"]),
    (
        "UpdateRoleConfiguration",
        &[
            "RoleConfigurationId",
            "NewDescription",
            "NewSessionDuration",
            "NewRelayState",
            "AddSystemPolicyNames",
            "AddCustomPolicies",
            "RemoveSystemPolicyNames",
            "RemoveCustomPolicyNames",
            "IsApply",
        ],
    ),
];

/// The words for the types, as [`TYPES`] has them.
const WORDS: &[&str] = &[
    "Assign",
    "Unassign",
    "Deploy",
    "Redeploy",
    "Undeploy",
    "RemoveAssignments",
    "Sync",
    "Unsync",
    "DeleteUser",
    "DeleteGroup",
    "DeleteRoleConfiguration",
    "UpdateRoleConfiguration",
];

const OPERATION: &[Field] = &[
    Field::text("Type").required().rule(Rule::OneOf(WORDS)),
    Field::objects("RoleAssignmentInfo", assignment::ITEM).rule(Rule::Entries(plan::MOST_ITEMS)),
    Field::text("DeprovisionStrategy")
        .rule(Rule::OneOf(&["DeprovisionForLastRoleAssignmentOnAccount", "None"])),
    Field::objects("RoleConfigurationProvisionings", PLACE).rule(Rule::Entries(plan::MOST_ITEMS)),
    Field::boolean("RemoveAssignments"),
    Field::objects("UserSyncProvisionings", user_sync::ITEM).rule(Rule::Entries(plan::MOST_ITEMS)),
    Field::texts("UserProvisioningIds").rule(Rule::Entries(plan::MOST_ITEMS)),
    Field::text("UserId"),
    Field::text("GroupId"),
    Field::text("RoleConfigurationId"),
    Field::text("NewDescription"),
    Field::integer("NewSessionDuration"),
    Field::text("NewRelayState"),
    Field::texts("AddSystemPolicyNames").rule(Rule::Entries(20)),
    Field::objects("AddCustomPolicies", CUSTOM).rule(Rule::Entries(20)),
    Field::texts("RemoveSystemPolicyNames").rule(Rule::Entries(100)),
    Field::texts("RemoveCustomPolicyNames").rule(Rule::Entries(100)),
    Field::boolean("IsApply"),
];

pub const ACTIONS: &[Action] = &[
    action("DescribePlan", &[ZONE_ID, Field::object("Operation", OPERATION).required()], |call| {
        Box::pin(describe(call))
    }),
    action(
        "ApplyPlan",
        &[
            ZONE_ID,
            Field::object("Operation", OPERATION).required(),
            Field::text("PlanHash").required(),
        ],
        |call| Box::pin(apply(call)),
    ),
];

fn wrong(message: String) -> Refusal {
    Refusal::new(PARAM_ERROR, message)
}

/// The operation that is asked for, and what it says the accounts are.
struct Asked {
    operation: Operation,
    kinds: BTreeMap<Uin, AccountKind>,
}

impl Asked {
    fn read(call: &Call) -> Result<Self, Refusal> {
        let given = call.parameters.object("Operation");
        let word = given.text("Type").to_owned();
        let allowed = TYPES.iter().find(|(name, _)| *name == word).map_or(&[][..], |(_, it)| it);
        if let Some(name) = given.names().find(|name| *name != "Type" && !allowed.contains(name)) {
            return Err(wrong(format!(
                "The parameter `Operation.{name}` does not belong to the type {word}."
            )));
        }
        let mut kinds = BTreeMap::new();
        let operation = operation(&given, &word, &mut kinds)?;
        Ok(Self { operation, kinds })
    }

    /// `TargetType` must say what an account is: whoever means a member does not mean us.
    async fn check(&self, tx: &mut Read, space: &Space) -> Result<(), Refusal> {
        let accounts: Vec<Uin> = self.kinds.keys().copied().collect();
        let found = plan::account_kinds(tx, space.id, &accounts).await?;
        match self.kinds.iter().find(|(account, kind)| found.get(account) != Some(kind)) {
            None => Ok(()),
            Some((account, _)) => Err(Refusal::new(
                "FailedOperation.OrganizationMemberNotExist",
                format!("The organization has no account {account} of this `TargetType`."),
            )),
        }
    }
}

fn account(item: &Parameters, kinds: &mut BTreeMap<Uin, AccountKind>) -> Uin {
    let account = Uin(item.integer("TargetUin").unwrap_or_default());
    // The table requires the type.
    let kind = account_kind(item).unwrap_or(AccountKind::Member);
    kinds.insert(account, kind);
    account
}

fn places(
    given: &Parameters,
    kinds: &mut BTreeMap<Uin, AccountKind>,
) -> Result<Vec<Place>, Refusal> {
    let items = given.objects("RoleConfigurationProvisionings");
    let place = |item: &Parameters| {
        Ok(Place { account: account(item, kinds), configuration: configuration(item)? })
    };
    items.iter().map(place).collect()
}

fn configuration(given: &Parameters) -> Result<crate::id::ConfigurationId, Refusal> {
    let text = given.text("RoleConfigurationId");
    id(text, "InvalidParameter.RoleConfigurationNotExist", "RoleConfigurationId")
}

fn operation(
    given: &Parameters,
    word: &str,
    kinds: &mut BTreeMap<Uin, AccountKind>,
) -> Result<Operation, Refusal> {
    let triples = |kinds: &mut BTreeMap<Uin, AccountKind>| -> Result<Vec<_>, Refusal> {
        let items = given.objects("RoleAssignmentInfo");
        let one = |item: &Parameters| {
            account(item, kinds);
            assignment::triple(item)
        };
        items.iter().map(one).collect()
    };
    Ok(match word {
        "Assign" => Operation::Assign(triples(kinds)?),
        "Unassign" => {
            let strategy = match given.optional_text("DeprovisionStrategy") {
                Some("DeprovisionForLastRoleAssignmentOnAccount") => {
                    RemovalStrategy::DeprovisionForLast
                }
                _ => RemovalStrategy::Keep,
            };
            Operation::Unassign { triples: triples(kinds)?, strategy }
        }
        "Deploy" => Operation::Deploy(places(given, kinds)?),
        "Redeploy" => Operation::Redeploy(places(given, kinds)?),
        "Undeploy" => Operation::Undeploy {
            places: places(given, kinds)?,
            remove_assignments: given.is_true("RemoveAssignments"),
        },
        "RemoveAssignments" => Operation::Clear(places(given, kinds)?),
        "Sync" => {
            let items = given.objects("UserSyncProvisionings");
            let one = |item: &Parameters| {
                account(item, kinds);
                user_sync::new_sync(item)
            };
            Operation::Sync(items.iter().map(one).collect::<Result<_, _>>()?)
        }
        "Unsync" => {
            let one = |text: &str| -> Result<UserSyncId, Refusal> {
                let code = "ResourceNotFound.UserProvisioningNotFound";
                id(text, code, "UserProvisioningIds")
            };
            let ids = given.texts("UserProvisioningIds");
            Operation::Unsync(ids.into_iter().map(one).collect::<Result<_, _>>()?)
        }
        "DeleteUser" => {
            let code = "ResourceNotFound.UserNotExist";
            Operation::DeleteUser(id(given.text("UserId"), code, "UserId")?)
        }
        "DeleteGroup" => {
            let code = "InvalidParameter.GroupNotExist";
            Operation::DeleteGroup(id(given.text("GroupId"), code, "GroupId")?)
        }
        "DeleteRoleConfiguration" => Operation::DeleteConfiguration(configuration(given)?),
        // The rule of the field lets no other word in.
        _ => Operation::Edit(configuration(given)?, Box::new(edit(given)?)),
    })
}

fn edit(given: &Parameters) -> Result<Edit, Refusal> {
    let preset = |name: &str| match catalogue::by_name(name) {
        Some(preset) => Ok(ConfigurationPolicyName::Preset(preset.id)),
        None => Err(Refusal::new(
            "InvalidParameter.RolePolicyNotExist",
            "The parameter `RemoveSystemPolicyNames` names no preset policy.",
        )),
    };
    let removed = given.texts("RemoveSystemPolicyNames").into_iter().map(preset);
    let own = given.texts("RemoveCustomPolicyNames").into_iter();
    let own = own.map(|name| Ok(ConfigurationPolicyName::Custom(name.to_owned())));
    let added = given.texts("AddSystemPolicyNames").into_iter();
    let added = added.map(|name| NewPolicy::Preset(name.to_owned()));
    let custom = given.objects("AddCustomPolicies").into_iter().map(|item| NewPolicy::Custom {
        name: item.text("PolicyName").to_owned(),
        document: item.text("PolicyDocument").to_owned(),
    });
    Ok(Edit {
        change: ConfigurationChange {
            description: given.given_text("NewDescription").map(str::to_owned),
            session_duration: given.integer("NewSessionDuration"),
            relay_state: given.given_text("NewRelayState").map(str::to_owned),
            command_line: None,
        },
        added: added.chain(custom).collect(),
        removed: removed.chain(own).collect::<Result<_, _>>()?,
        redeploy: given.is_true("IsApply"),
    })
}

/// What the room says about an operation, in the words of the API.
fn refused(error: Error) -> Refusal {
    match error {
        Error::CountInvalid => {
            wrong(format!("The parameter `Operation` has 1 to {} items.", plan::MOST_ITEMS))
        }
        Error::Unknown(unknown) => Refusal::new(
            refusal::first_unknown(&unknown),
            "The parameter `Operation` names what the space does not have.",
        ),
        Error::TooLarge(most) => Refusal::new(
            "LimitExceeded.PlanTooLarge",
            format!("The operation concerns more than {most} people, assignments or accounts."),
        ),
        Error::Refused => Refusal::new(
            "FailedOperation.PlanRefused",
            "The plan says that this is refused: see its `Conflicts`.",
        ),
        Error::Stale(fresh) => Refusal::Telling {
            code: "FailedOperation.PlanStale",
            message: "The plan is not this one any more. `Plan` and `PlanHash` have it as it is \
                      now."
                .to_owned(),
            more: shown(&fresh),
        },
        Error::Directory(error) => error.into(),
        Error::Permission(error) => error.into(),
        Error::Provisioning(error) => error.into(),
        Error::Store(error) => error.into(),
    }
}

async fn describe(call: &Call) -> Answer {
    let asked = Asked::read(call)?;
    let (limits, act) = (limits(call), &call.act);
    let state = call
        .app
        .db
        .read(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            asked.check(tx, &space).await?;
            State::read(tx, act, &space, &asked.operation, &limits).await.map_err(refused)
        })
        .await?;
    Ok(shown(&plan::plan(&state, &asked.operation)))
}

/// The public API's actions that an operation stands for: who may not call them may not have it
/// carried out either.
fn actions_of(operation: &Operation) -> Vec<&'static str> {
    match operation {
        Operation::Assign(_) => vec!["CreateRoleAssignment"],
        Operation::Unassign { .. } | Operation::Clear(_) => vec!["DeleteRoleAssignment"],
        Operation::Deploy(_) | Operation::Redeploy(_) => vec!["ProvisionRoleConfiguration"],
        Operation::Undeploy { remove_assignments: false, .. } => vec!["DismantleRoleConfiguration"],
        Operation::Undeploy { remove_assignments: true, .. } => {
            vec!["DeleteRoleAssignment", "DismantleRoleConfiguration"]
        }
        Operation::Sync(_) => vec!["CreateUserSyncProvisioning"],
        Operation::Unsync(_) => vec!["DeleteUserSyncProvisioning"],
        Operation::DeleteUser(_) => vec!["DeleteUser"],
        Operation::DeleteGroup(_) => vec!["DeleteGroup"],
        Operation::DeleteConfiguration(_) => vec!["DeleteRoleConfiguration"],
        Operation::Edit(_, edit) => {
            let parts = [
                (true, "UpdateRoleConfiguration"),
                (!edit.added.is_empty(), "AddPermissionPolicyToRoleConfiguration"),
                (!edit.removed.is_empty(), "RemovePermissionPolicyFromRoleConfiguration"),
                (edit.redeploy, "ProvisionRoleConfiguration"),
            ];
            parts.into_iter().filter_map(|(is, name)| is.then_some(name)).collect()
        }
    }
}

async fn apply(call: &Call) -> Answer {
    let asked = Asked::read(call)?;
    let needed = actions_of(&asked.operation);
    authorize_as(&call.app, &call.act, &call.caller, "organization", &needed).await?;
    let (limits, act) = (limits(call), &call.act);
    let hash = call.parameters.text("PlanHash");
    let applied = call
        .app
        .db
        .write(async |tx| -> Result<_, Refusal> {
            let space = call.space(tx).await?;
            asked.check(tx, &space).await?;
            let operation = &asked.operation;
            plan::apply(tx, act, &space, operation, hash, &limits).await.map_err(refused)
        })
        .await?;
    let mut answer = shown(&applied.plan);
    answer.insert("TaskIds".to_owned(), json!(applied.tasks));
    Ok(answer)
}

/// A plan and its hash.
fn shown(plan: &Plan) -> Map<String, Value> {
    let (gains, gained) = some(&plan.gains);
    let (losses, lost) = some(&plan.losses);
    let told = json!({
        "IsRefused": plan.is_refused,
        "Objects": plan.objects.iter().map(object_change).collect::<Value>(),
        "Tasks": plan.tasks.iter().map(task).collect::<Value>(),
        "Gains": gains,
        "GainCount": gained,
        "Losses": losses,
        "LossCount": lost,
        "Conflicts": plan.conflicts.iter().map(conflict).collect::<Value>(),
    });
    object([("Plan", told), ("PlanHash", json!(plan.hash()))])
}

/// As many as an answer has, and how many there are.
fn some(all: &[Reach]) -> (Vec<Value>, i64) {
    let first = crate::store::PageRequest::first(MOST_TOLD);
    let page = page_of(all.iter().map(reach).collect(), first);
    (page.rows, page.total)
}

fn uin(account: Option<Uin>) -> i64 {
    account.map_or(0, |account| account.0)
}

fn object_change(it: &ObjectChange) -> Value {
    json!({
        "TargetUin": uin(it.account),
        "ObjectType": it.kind,
        "ObjectName": it.name,
        "Change": it.change,
        "Detail": it.detail,
    })
}

fn task(it: &PlannedTask) -> Value {
    json!({
        "TaskType": it.kind,
        "TargetUin": it.account.0,
        "RoleConfigurationId": it.configuration.map(|id| id.to_string()).unwrap_or_default(),
        "PrincipalId": it.principal.map(|id| id.to_string()).unwrap_or_default(),
        "PrincipalType": it.principal.map(|id| principal(id.kind())).unwrap_or_default(),
        "WillFail": it.fails,
    })
}

fn reach(it: &Reach) -> Value {
    let (kind, configuration, cam_user) = match &it.what {
        What::Role(id) => ("Role", id.to_string(), ""),
        What::CamUser(name) => ("CamUser", String::new(), name.as_str()),
    };
    json!({
        "UserId": it.user,
        "UserName": it.user_name,
        "TargetUin": it.account.0,
        "AccessType": kind,
        "RoleConfigurationId": configuration,
        "CamUserName": cam_user,
    })
}

fn conflict(it: &Conflict) -> Value {
    json!({
        "ConflictType": it.kind,
        "TargetUin": uin(it.account),
        "ObjectName": it.name,
        "Detail": it.detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_has_its_words_and_every_word_is_a_field() {
        assert_eq!(TYPES.iter().map(|(name, _)| *name).collect::<Vec<_>>(), WORDS);
        for (name, words) in TYPES {
            for word in *words {
                assert!(OPERATION.iter().any(|field| field.name == *word), "{name}: {word}");
            }
        }
    }
}
