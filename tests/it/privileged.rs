//! Which actions give somebody the power to give: the badge on a policy says so, and nobody who may
//! only look has any of them.

use identity_center::policy::{Document, Risk, describe};
use serde_json::{Value, json};

use crate::house::TestHouse;

/// What changes something and is no way to more than one has, and why.
const HARMLESS: &[(&str, &[&str])] = &[
    (
        "it takes away, or what it makes has nothing yet",
        &[
            "organization:CreateOrganization",
            "organization:CreateOrganizationMember",
            "organization:OpenIdentityCenter",
            "organization:CreateUser",
            "organization:DeleteUser",
            "organization:CreateGroup",
            "organization:DeleteGroup",
            "organization:RemoveUserFromGroup",
            "organization:DeleteSCIMCredential",
            "organization:ClearExternalSAMLIdentityProvider",
            "organization:RemoveExternalSAMLIdPCertificate",
            "organization:CreateRoleConfiguration",
            "organization:DeleteRoleConfiguration",
            "organization:DeleteRoleAssignment",
            "organization:DismantleRoleConfiguration",
            "organization:DeleteUserSyncProvisioning",
            "organization:DeleteRoleConfigurationApplyScope",
            "identitycenter:EndPortalSession",
            "identitycenter:EndOwnConsoleSessions",
            "cam:DeleteAccessKey",
            "cam:DeleteRole",
            "cam:DeleteSAMLProvider",
            "cam:DeleteServiceLinkedRole",
            "cam:DeleteUser",
        ],
    ),
    (
        "names, remarks, tags and departments, to which nothing is granted",
        &[
            "organization:AddOrganizationNode",
            "organization:UpdateOrganizationNode",
            "organization:DeleteOrganizationNodes",
            "organization:MoveOrganizationNodeMembers",
            "organization:UpdateOrganizationMember",
            "organization:UpdateUser",
            "organization:UpdateGroup",
            "cam:UpdateRoleDescription",
            "cam:TagRole",
            "cam:UntagRole",
        ],
    ),
    (
        "how long, where to and from where: not what",
        &[
            "organization:UpdateRoleConfiguration",
            "organization:UpdateZone",
            "organization:UpdateIPWhitelist",
            "identitycenter:UpdateCommandLineAccess",
            "cam:UpdateRoleConsoleLogin",
            "cam:UpdateRoleSessionDuration",
        ],
    ),
    (
        "what was given before, by somebody who may give, is there again or anew",
        &[
            "organization:UpdateUserStatus",
            "organization:UpdateSCIMCredentialStatus",
            "organization:UpdateSCIMSynchronizationStatus",
            "organization:ProvisionRoleConfiguration",
            "cam:UpdateAccessKey",
        ],
    ),
    (
        "asking for something: somebody with AuditPermissionApplyOrder decides",
        &["organization:CreateRoleConfigurationApplyScope"],
    ),
    ("it looks into accounts and writes down what it found", &["identitycenter:DetectDrift"]),
    (
        "where an account is; who enters there its own administrators decide",
        &["identitycenter:UpdateAccountCloud", "identitycenter:ConfirmManualStep"],
    ),
    (
        "one's own keys, with what one has",
        &[
            "identitycenter:CreateOwnAccessKey",
            "identitycenter:UpdateOwnAccessKey",
            "identitycenter:DeleteOwnAccessKey",
            "identitycenter:UpdateOwnPassword",
            "sts:QueryApiKey",
        ],
    ),
    (
        "no more than the caller has, or than the proof in the call says",
        &["sts:GetFederationToken", "sts:AssumeRoleWithSAML"],
    ),
    (
        "who is told of what happens: nobody reaches anything by it",
        &[
            "identitycenter:CreateEventEndpoint",
            "identitycenter:UpdateEventEndpoint",
            "identitycenter:UpdateEventEndpointStatus",
            "identitycenter:RotateEventEndpointSecret",
            "identitycenter:TestEventEndpoint",
            "identitycenter:RedeliverEvent",
            "identitycenter:ReplayEvents",
            "identitycenter:DeleteEventEndpoint",
        ],
    ),
    (
        "which of our keys signs or opens: the private halves never leave",
        &[
            "identitycenter:CreateSpaceKey",
            "identitycenter:UseSpaceKey",
            "identitycenter:DeleteSpaceKey",
            "identitycenter:UpdateMetadataSigning",
        ],
    ),
    (
        "nothing of it counts before somebody with ApproveSAMLProposal says so",
        &[
            "identitycenter:ProposeSAMLIdentityProvider",
            "identitycenter:ChooseSAMLProposal",
            "identitycenter:DiscardSAMLProposal",
            "identitycenter:CreateSignInTest",
            "identitycenter:StartSignInTest",
        ],
    ),
    (
        "how requests are made; and what somebody decided who may, sooner or no more",
        &[
            "identitycenter:UpdateSAMLRequestSettings",
            "identitycenter:FetchSAMLMetadata",
            "identitycenter:RemoveSAMLMetadataSource",
            "identitycenter:RetryTasks",
        ],
    ),
    (
        "how directories are taken at their word: whose tokens those are is decided elsewhere",
        &[
            "identitycenter:UpdateSCIMSettings",
            "identitycenter:LiftSCIMBrake",
            "identitycenter:RestoreSCIMBrake",
            "identitycenter:RegisterSCIMSchema",
            "identitycenter:UnregisterSCIMSchema",
        ],
    ),
    ("a role of the cloud's own, for a service of it", &["cam:CreateServiceLinkedRole"]),
];

/// Whether an action only looks, by its name.
fn only_reads(action: &str) -> bool {
    let looks = ["Describe", "Get", "List"].iter().any(|verb| action.starts_with(verb));
    looks && action != "GetFederationToken"
}

fn risk(action: &str) -> Risk {
    let policy = json!({ "version": "2.0", "statement": [
        { "effect": "allow", "action": [action], "resource": ["*"] }] });
    describe(&Document::parse(&policy.to_string()).unwrap()).risk
}

#[tokio::test]
async fn every_action_that_changes_something_is_privileged_or_says_why_not() {
    let house = TestHouse::sqlite().await;
    let all = house.browser().get(house.url("/docs/api.json")).send().await.unwrap();
    let all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
    let mut harmless: Vec<&str> = HARMLESS.iter().flat_map(|(_, names)| *names).copied().collect();
    let mut wrong = Vec::new();
    for service in all["Services"].as_array().unwrap() {
        for action in service["Actions"].as_array().unwrap() {
            let name = action["Name"].as_str().unwrap();
            let full = format!("{}:{name}", service["Service"].as_str().unwrap());
            let is_harmless = harmless.iter().position(|it| *it == full);
            if let Some(at) = is_harmless {
                harmless.swap_remove(at);
            }
            match (only_reads(name), risk(&full) == Risk::Privileged, is_harmless.is_some()) {
                (true, false, false) | (false, true, false) | (false, false, true) => {}
                (true, _, _) => wrong.push(format!("{full} only reads")),
                (false, true, true) => wrong.push(format!("{full} is both")),
                (false, false, false) => wrong.push(format!("{full} is neither")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(harmless.is_empty(), "no such actions: {harmless:?}");
    house.close().await;
}
