//! Policies of one's own, where a setting lets them be.

use identity_center::id::ConfigurationId;
use serde_json::{Value, json};

use super::{Center, all_allowed};
use crate::{on_both, with_settings};

const DENY: &str = r#"{"version":"2.0","statement":[{"effect":"deny","action":"cvm:StopInstances","resource":"*"}]}"#;
const ALLOW: &str =
    r#"{"version":"2.0","statement":[{"effect":"allow","action":["cvm:*"],"resource":"*"}]}"#;

impl Center<'_> {
    async fn add_custom(&self, id: ConfigurationId, name: &str, document: &str) -> Value {
        self.call(
            "AddPermissionPolicyToRoleConfiguration",
            json!({
                "RoleConfigurationId": id, "RolePolicyType": "Custom",
                "RolePolicyNames": [name], "CustomPolicyDocument": document,
            }),
        )
        .await
    }

    async fn custom_policies(&self, id: ConfigurationId) -> Vec<(String, String)> {
        let parameters = json!({ "RoleConfigurationId": id, "RolePolicyType": "Custom" });
        let found = self.done("ListPermissionPoliciesInRoleConfiguration", parameters).await;
        let text = |policy: &Value, name: &str| policy[name].as_str().unwrap().to_owned();
        found["RolePolicies"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| (text(it, "RolePolicyName"), text(it, "RolePolicyDocument")))
            .collect()
    }

    async fn deployment_status(&self) -> String {
        let found = self.done("ListRoleConfigurationProvisionings", json!({})).await;
        let found = &found["RoleConfigurationProvisionings"][0]["DeploymentStatus"];
        found.as_str().unwrap().to_owned()
    }

    /// The documents of ours that the account has.
    async fn deployed_documents(&self) -> Vec<String> {
        let query = identity_center::store::sql("SELECT document FROM cloud_policies ORDER BY id");
        let rows: Vec<(String,)> = self.world.rows(query).await;
        rows.into_iter().map(|(document,)| document).collect()
    }
}

on_both! {
    async fn pc_03_pc_04_without_the_setting_there_are_no_custom_policies(house) {
        let center = Center::open(house).await;
        let id = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let answer = center.add_custom(id, "mine", DENY).await;
        assert_eq!(answer["Error"]["Code"], "FailedOperation.CustomPolicyOverUpperLimit");
        let update = json!({
            "RoleConfigurationId": id, "CustomPolicyName": "mine", "NewCustomPolicyDocument": DENY,
        });
        let action = "UpdateCustomPolicyForRoleConfiguration";
        center.refused("FailedOperation.CustomPolicyOverUpperLimit", action, update).await;
        assert!(center.custom_policies(id).await.is_empty());
    }
}

with_settings! { all_allowed;
    async fn pc_04_what_is_wrong_with_a_document_is_told_with_its_line_and_field(house) {
        let center = Center::open(house).await;
        let id = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let effect = "{\n  \"version\": \"2.0\",\n  \"statement\": [\n    {\n      \"effect\": \"permit\",\n      \"action\": \"*\", \"resource\": \"*\"\n    }\n  ]\n}";
        let operator = DENY.replace("\"resource\"", "\n\"condition\":{\n\"guess\":{\"k\":\"v\"}},\"resource\"");
        center.add_custom(id, "mine", DENY).await;
        let long = format!("{DENY}{}", " ".repeat(4097 - DENY.len()));
        let error = "InvalidParameter.ParamError";
        for (document, code, words) in [
            (effect, error, ["line 5", "statement[0].effect", "allow or deny"]),
            ("{\n\n", error, ["line 3", "not valid JSON", "column"]),
            (&DENY.replace("2.0", "1.0"), error, ["line 1", "version", "2.0"]),
            (&DENY.replace("cvm:StopInstances", "cvm"), error, ["line 1", "statement[0].action", "service:Action"]),
            (&operator, error, ["line 3", "statement[0].condition.guess", "no operator"]),
            (&long, error, ["4096", "characters", "custom"]),
            ("", "InvalidParameter.PolicyDocumentEmpty", ["document", "", ""]),
            (" \n", "InvalidParameter.PolicyDocumentEmpty", ["document", "", ""]),
        ] {
            let answer = center.add_custom(id, "broken", document).await;
            assert_eq!(answer["Error"]["Code"], code, "{document}: {answer}");
            let said = answer["Error"]["Message"].as_str().unwrap().to_owned();
            let update = json!({
                "RoleConfigurationId": id, "CustomPolicyName": "mine",
                "NewCustomPolicyDocument": document,
            });
            let action = "UpdateCustomPolicyForRoleConfiguration";
            let again = center.refused(code, action, update).await;
            for word in words {
                assert!(said.contains(word) && again.contains(word), "{word}: {said} {again}");
            }
        }
        let kept = center.custom_policies(id).await;
        assert_eq!(kept.len(), 1);
        assert!(kept[0].1.contains("cvm:StopInstances"));
        // As long as it may be.
        let longest = format!("{DENY}{}", " ".repeat(4096 - DENY.len()));
        assert_eq!(center.add_custom(id, "longest", &longest).await, json!({}));
    }

    async fn pc_04_the_limits_of_custom_policies(house) {
        let center = Center::open(house).await;
        let id = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        let add = |more: Value| {
            let mut parameters = json!({ "RoleConfigurationId": id, "RolePolicyType": "Custom" });
            parameters.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            parameters
        };
        let action = "AddPermissionPolicyToRoleConfiguration";
        let names = |count: usize| (0..count).map(|n| format!("p{n}")).collect::<Vec<_>>();
        for (code, wrong) in [
            ("InvalidParameter.PolicyNameSizeOverUpperLimit",
             json!({ "RolePolicyNames": ["x".repeat(33)], "CustomPolicyDocument": DENY })),
            ("InvalidParameter.PolicyNameSizeOverUpperLimit",
             json!({ "RolePolicyNames": [""], "CustomPolicyDocument": DENY })),
            ("InvalidParameter.ParamError",
             json!({ "RolePolicyNames": names(21), "CustomPolicyDocuments": vec![DENY; 21] })),
            ("InvalidParameter.ParamError",
             json!({ "RolePolicyNames": names(2), "CustomPolicyDocument": DENY })),
            ("InvalidParameter.ParamError",
             json!({ "RolePolicyNames": names(1), "CustomPolicyDocuments": [DENY, ALLOW] })),
            ("InvalidParameter.PolicyDocumentEmpty", json!({ "RolePolicyNames": names(1) })),
            ("InvalidParameter.PolicyNameAlreadyExists",
             json!({ "RolePolicyNames": ["p", "p"], "CustomPolicyDocuments": [DENY, ALLOW] })),
            // The setting's own.
            ("FailedOperation.CustomPolicyOverUpperLimit",
             json!({ "RolePolicyNames": names(3), "CustomPolicyDocuments": vec![DENY; 3] })),
        ] {
            center.refused(code, action, add(wrong)).await;
        }
        assert!(center.custom_policies(id).await.is_empty());
        let two = json!({ "RolePolicyNames": ["p", "x".repeat(32)], "CustomPolicyDocuments": [DENY, ALLOW] });
        center.done(action, add(two)).await;
        let one = json!({ "RolePolicyNames": ["q"], "CustomPolicyDocument": DENY });
        center.refused("FailedOperation.CustomPolicyOverUpperLimit", action, add(one)).await;

        let update = |name: &str| {
            json!({
                "RoleConfigurationId": id, "CustomPolicyName": name,
                "NewCustomPolicyDocument": ALLOW,
            })
        };
        let action = "UpdateCustomPolicyForRoleConfiguration";
        center.refused("InvalidParameter.RolePolicyNotExist", action, update("P")).await;
        center.refused("InvalidParameter.PolicyTypeError", action, update("ReadOnlyAccess")).await;
        let mut foreign = update("p");
        foreign["RoleConfigurationId"] = json!("rc-000000000000");
        center.refused("InvalidParameter.RoleConfigurationNotExist", action, foreign).await;
        let mut nothing = update("p");
        nothing["NewCustomPolicyDocument"] = json!(null);
        center.refused("InvalidParameter.PolicyDocumentEmpty", action, nothing).await;
    }

    async fn pc_04_a_custom_policy_is_deployed_shown_and_outdated_by_what_it_says(house) {
        let center = Center::open(house).await;
        let id = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        assert_eq!(center.add_custom(id, "mine", DENY).await, json!({}));
        let alice = center.world.user("alice").await;
        let member = center.world.member.uin;
        center.assign(alice, member, id).await;
        assert_eq!(center.deployment_status().await, "Deployed");
        let deployed = center.deployed_documents().await;
        assert!(deployed.len() == 1 && deployed[0].contains("cvm:StopInstances"), "{deployed:?}");

        let update = async |document: &str| {
            let parameters = json!({
                "RoleConfigurationId": id, "CustomPolicyName": "mine",
                "NewCustomPolicyDocument": document,
            });
            center.done("UpdateCustomPolicyForRoleConfiguration", parameters).await;
        };
        // The same in other words.
        update(&DENY.replace(":[", " : [ ").replace("\"cvm:StopInstances\"", "[\"cvm:StopInstances\"]")).await;
        assert_eq!(center.deployment_status().await, "Deployed");
        update(ALLOW).await;
        assert_eq!(center.deployment_status().await, "DeployedRequired");
        // CON-12: the account has what it had.
        assert_eq!(center.deployed_documents().await, deployed);
        update(DENY).await;
        assert_eq!(center.deployment_status().await, "Deployed");
        update(ALLOW).await;
        let shown = center.custom_policies(id).await;
        assert!(shown[0].0 == "mine" && shown[0].1.contains("cvm:*"), "{shown:?}");
        let target = json!({
            "RoleConfigurationId": id, "TargetType": "MemberUin", "TargetUin": member,
        });
        center.done("ProvisionRoleConfiguration", target).await;
        center.settle().await;
        assert_eq!(center.deployment_status().await, "Deployed");
        let now = center.deployed_documents().await;
        assert!(now.len() == 1 && now[0].contains("cvm:*"), "{now:?}");
        let changes =
            "SELECT COUNT(*) FROM audit_records WHERE action = 'configuration.update_policy'";
        assert_eq!(center.world.count(changes).await, 4);
        let remove = json!({
            "RoleConfigurationId": id, "RolePolicyType": "Custom", "RolePolicyName": "mine",
            "RolePolicyId": 0,
        });
        center.done("RemovePermissionPolicyFromRoleConfiguration", remove).await;
        assert_eq!(center.deployment_status().await, "DeployedRequired");
    }
}
