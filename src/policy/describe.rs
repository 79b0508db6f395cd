//! What a policy says, for people (PC-15): each statement in parts that a page puts into words, and
//! how much it lets somebody do.

use std::collections::BTreeMap;

use super::{Document, Effect, Statement, catalogue, condition::Condition, pattern};
use crate::store::text_enum;

/// How many actions of a service are named; the rest is counted.
pub const MOST_NAMED: usize = 6;

/// Whoever may do one of these can give themselves, or others, everything else.
const PRIVILEGED: &[&str] = &[
    "cam:AttachUserPolicy",
    "cam:AttachRolePolicy",
    // What denies goes like what allows.
    "cam:DetachUserPolicy",
    "cam:DetachRolePolicy",
    "cam:DeletePolicy",
    "cam:PutRolePermissionsBoundary",
    "cam:AddUser",
    "cam:UpdateUser",
    "cam:CreatePolicy",
    "cam:UpdatePolicy",
    "cam:CreateSAMLProvider",
    "cam:UpdateSAMLProvider",
    "cam:CreateRole",
    "cam:CreateAccessKey",
    "cam:UpdateAssumeRolePolicy",
    "sts:AssumeRole",
    "organization:CreateRoleAssignment",
    "organization:AddPermissionPolicyToRoleConfiguration",
    "organization:RemovePermissionPolicyFromRoleConfiguration",
    "organization:UpdateCustomPolicyForRoleConfiguration",
    "organization:AddUserToGroup",
    "organization:CreateUserSyncProvisioning",
    "organization:UpdateUserSyncProvisioning",
    "organization:CreateSCIMCredential",
    "organization:SetExternalSAMLIdentityProvider",
    "organization:AddExternalSAMLIdPCertificate",
    "organization:AuditPermissionApplyOrder",
    "identitycenter:ApplyPlan",
    "identitycenter:CreateUsers",
    "identitycenter:AdoptPrincipal",
    "identitycenter:ResolveDrift",
    // Whose word counts when somebody signs in, and which part of it.
    "identitycenter:ApproveSAMLProposal",
    "identitycenter:SetSAMLMetadataSource",
    "identitycenter:UpdateSAMLResponseSettings",
];

/// What reading is called, at the start of an action.
const READING: &[&str] = &[
    "describe",
    "get",
    "list",
    "head",
    "inquiry",
    "inquire",
    "query",
    "check",
    "search",
    "lookup",
    "statistics",
    "pull",
    "options",
];

/// From so many services on, what changes them is broad.
const MANY_SERVICES: usize = 5;

text_enum! {
    /// How much a policy lets somebody do, from the least.
    pub enum Risk {
        /// Nothing: it allows nothing.
        Nothing = "nothing",
        /// It shows, and changes nothing.
        Reads = "reads",
        /// It changes things of a few services.
        Changes = "changes",
        /// It changes things of many services, or of all.
        Broad = "broad",
        /// It lets somebody give themselves anything: users, permissions, the organisation.
        Privileged = "privileged",
    }
}

/// Which actions of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actions {
    /// All of them.
    All,
    /// Those that look and change nothing.
    Reading,
    /// These; at most [`MOST_NAMED`], and how many more there are.
    Some(Vec<String>, usize),
}

/// What a statement says about one service; none for every service there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceActions {
    /// The service, as actions name it; none for every service.
    pub service: Option<String>,
    /// What the service is called; its short name where the catalogue does not have it.
    pub title: String,
    /// Which actions.
    pub actions: Actions,
}

/// A statement, in parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Allow or deny.
    pub effect: Effect,
    /// What it is about, by service.
    pub services: Vec<ServiceActions>,
    /// On which resources; empty for every one.
    pub resources: Vec<String>,
    /// Under which conditions, each as `operator key values`.
    pub conditions: Vec<String>,
}

/// What a policy says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Its statements, in their order.
    pub sentences: Vec<Sentence>,
    /// How much it lets somebody do. What it denies, and its conditions, do not make it less: both
    /// can be got round by what else somebody has.
    pub risk: Risk,
}

/// What a policy says.
pub fn describe(document: &Document) -> Description {
    let sentences: Vec<Sentence> = document.statements().iter().map(sentence).collect();
    let allowed = document.statements().iter().filter(|it| it.effect == Effect::Allow);
    let risk = allowed.map(risk_of).max().unwrap_or(Risk::Nothing);
    Description { sentences, risk }
}

fn sentence(statement: &Statement) -> Sentence {
    let mut by_service: BTreeMap<Option<String>, Vec<&str>> = BTreeMap::new();
    for pattern in &statement.actions {
        let text = pattern.as_str();
        let (service, action) = text.split_once(':').unwrap_or(("*", "*"));
        let service = (service != "*").then(|| service.to_ascii_lowercase());
        by_service.entry(service).or_default().push(action);
    }
    let services = by_service.into_iter().map(|(service, actions)| ServiceActions {
        title: service.as_deref().map(title).unwrap_or_default(),
        actions: actions_of(&actions),
        service,
    });
    let resources = statement.resources.iter().map(pattern::ResourcePattern::as_str);
    let everything = resources.clone().any(|it| it == "*");
    Sentence {
        effect: statement.effect,
        services: services.collect(),
        resources: if everything { Vec::new() } else { resources.map(str::to_owned).collect() },
        conditions: statement.conditions.iter().map(condition).collect(),
    }
}

fn condition(it: &Condition) -> String {
    format!("{} {} {}", it.operator(), it.key(), it.values().join(", "))
}

fn title(service: &str) -> String {
    catalogue::service_title(service).map_or_else(|| service.to_owned(), str::to_owned)
}

fn actions_of(actions: &[&str]) -> Actions {
    if actions.contains(&"*") {
        return Actions::All;
    }
    if actions.iter().all(|action| is_reading(action)) && actions.iter().any(|it| it.ends_with('*'))
    {
        return Actions::Reading;
    }
    let named = actions.iter().take(MOST_NAMED).map(|it| (*it).to_owned()).collect();
    Actions::Some(named, actions.len().saturating_sub(MOST_NAMED))
}

/// Whether an action only looks. A wildcard before the verb's end may be anything.
fn is_reading(action: &str) -> bool {
    let folded = action.to_ascii_lowercase();
    READING.iter().any(|verb| folded.starts_with(verb))
}

fn risk_of(statement: &Statement) -> Risk {
    let covers = |action: &&str| statement.actions.iter().any(|pattern| pattern.covers(action));
    if PRIVILEGED.iter().any(covers) {
        return Risk::Privileged;
    }
    let changing: Vec<&str> = statement
        .actions
        .iter()
        .map(|pattern| pattern.as_str().split_once(':').unwrap_or(("*", "*")))
        .filter(|(_, action)| !is_reading(action))
        .map(|(service, _)| service)
        .collect();
    let mut services = changing.clone();
    services.sort_unstable_by_key(|service| service.to_ascii_lowercase());
    services.dedup_by(|one, other| one.eq_ignore_ascii_case(other));
    let any_service = services.iter().any(|service| pattern::matches(service, "any-service"));
    match services.len() {
        0 => Risk::Reads,
        _ if any_service => Risk::Broad,
        many if many >= MANY_SERVICES => Risk::Broad,
        _ => Risk::Changes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Description {
        describe(&Document::parse(text).unwrap())
    }

    fn preset(name: &str) -> Description {
        describe(&catalogue::by_name(name).unwrap().document)
    }

    #[test]
    fn pc_15_the_risk_of_a_policy_is_what_it_could_be_used_for() {
        assert_eq!(preset("AdministratorAccess").risk, Risk::Privileged);
        assert_eq!(preset("QcloudOrganizationFullAccess").risk, Risk::Privileged);
        assert_eq!(preset("QcloudCAMFullAccess").risk, Risk::Privileged);
        assert_eq!(preset("QCloudResourceFullAccess").risk, Risk::Broad);
        assert_eq!(preset("QcloudCVMFullAccess").risk, Risk::Changes);
        assert_eq!(preset("ReadOnlyAccess").risk, Risk::Reads);
        assert_eq!(preset("QcloudCVMReadOnlyAccess").risk, Risk::Reads);
        let hidden = r#"{"version":"2.0","statement":[
            {"effect":"deny","action":"*","resource":"*"},
            {"effect":"allow","action":["name/CAM:Attach*"],"resource":"*",
             "condition":{"ip_equal":{"qcs:ip":"10.0.0.0/8"}}}]}"#;
        assert_eq!(of(hidden).risk, Risk::Privileged);
        let nothing = r#"{"version":"2.0","statement":[
            {"effect":"deny","action":"cvm:*","resource":"*"}]}"#;
        assert_eq!(of(nothing).risk, Risk::Nothing);
        // A wildcard in the place of the verb may be anything.
        let sly = r#"{"version":"2.0","statement":[
            {"effect":"allow","action":"cvm:?escribeInstances","resource":"*"}]}"#;
        assert_eq!(of(sly).risk, Risk::Changes);
    }

    #[test]
    fn pc_15_a_policy_in_parts_that_can_be_put_into_words() {
        let found = of(r#"{"version":"2.0","statement":[{"effect":"allow",
            "action":["cvm:Describe*","cos:*","zzz:One","zzz:Two"],
            "resource":["qcs::cos:::bucket/a","qcs::cvm:::x"],
            "condition":{"ip_equal":{"qcs:ip":["10.0.0.0/8"]}}}]}"#);
        let [sentence] = &found.sentences[..] else { panic!("{found:?}") };
        let short: Vec<(&str, &Actions)> =
            sentence.services.iter().map(|it| (it.title.as_str(), &it.actions)).collect();
        let named = Actions::Some(vec!["One".to_owned(), "Two".to_owned()], 0);
        assert_eq!(
            short,
            [
                ("Cloud Object Storage", &Actions::All),
                ("Cloud Virtual Machine", &Actions::Reading),
                ("zzz", &named),
            ]
        );
        assert_eq!(sentence.resources.len(), 2);
        assert_eq!(sentence.conditions, ["ip_equal qcs:ip 10.0.0.0/8"]);
        let all = preset("AdministratorAccess");
        assert_eq!(all.sentences[0].services[0].service, None);
        assert!(all.sentences[0].resources.is_empty());
    }
}
