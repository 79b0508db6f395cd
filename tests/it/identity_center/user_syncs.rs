//! What of a user sync changes afterwards.

use serde_json::{Value, json};

use super::{Center, all_allowed};
use crate::{on_both, with_settings};

impl Center<'_> {
    /// A sync of a new user to the member account, with both policies that leave most as it is.
    async fn sync(&self, name: &str) -> String {
        let user = self.world.user(name).await;
        let item = json!({
            "PrincipalId": user, "PrincipalType": "User", "TargetUin": self.world.member.uin,
            "TargetType": "MemberUin", "Description": "first",
        });
        let made = self
            .done("CreateUserSyncProvisioning", json!({ "UserSyncProvisionings": [item] }))
            .await;
        self.settle().await;
        made["Tasks"][0]["UserProvisioningId"].as_str().unwrap().to_owned()
    }

    async fn get_sync(&self, id: &str) -> Value {
        let answer =
            self.done("GetUserSyncProvisioning", json!({ "UserProvisioningId": id })).await;
        answer["UserProvisioning"].clone()
    }

    /// Its description, conflict policy and delete policy.
    async fn three(&self, id: &str) -> [String; 3] {
        let sync = self.get_sync(id).await;
        ["Description", "DuplicationStrategy", "DeletionStrategy"]
            .map(|name| sync[name].as_str().unwrap().to_owned())
    }
}

const CHANGES: &str = "SELECT COUNT(*) FROM audit_records WHERE action = 'user_sync.update'";
const CAM_USERS: &str = "SELECT COUNT(*) FROM cloud_users WHERE name LIKE 'alice@%'";

on_both! {
    async fn us_12_only_the_description_and_the_delete_policy_change(house) {
        let center = Center::open(house).await;
        let sync = center.sync("alice").await;
        assert_eq!(center.three(&sync).await, ["first", "KeepBoth", "Keep"]);
        let action = "UpdateUserSyncProvisioning";
        let change = |more: Value| {
            let mut change = json!({ "UserProvisioningId": sync });
            change.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            change
        };
        for (code, wrong) in [
            ("FailedOperation", json!({ "NewDuplicationStateful": "TakeOver" })),
            // Nothing of it is done.
            ("FailedOperation",
             json!({ "NewDuplicationStateful": "TakeOver", "NewDescription": "second" })),
            ("InvalidParameter.ParamError", json!({ "NewDuplicationStateful": "Replace" })),
            ("InvalidParameter.ParamError", json!({ "NewDeletionStrategy": "delete" })),
            ("InvalidParameter.ParamError", json!({ "NewDescription": "x".repeat(1025) })),
            ("InvalidParameter", json!({ "NewDescription": 1 })),
            ("UnknownParameter", json!({ "NewDuplicationStrategy": "TakeOver" })),
            ("ResourceNotFound.UserProvisioningNotFound",
             json!({ "UserProvisioningId": "up-000000000000" })),
            ("ResourceNotFound.UserProvisioningNotFound", json!({ "UserProvisioningId": "x" })),
            ("FailedOperation.ZoneIdNotExist", json!({ "ZoneId": "z-000000000000" })),
        ] {
            center.refused(code, action, change(wrong)).await;
        }
        center.refused("MissingParameter", action, json!({})).await;
        assert_eq!(center.three(&sync).await, ["first", "KeepBoth", "Keep"]);
        // What stays as it is may be said.
        center.done(action, change(json!({ "NewDuplicationStateful": "KeepBoth" }))).await;
        center.done(action, change(json!({}))).await;
        assert_eq!(center.world.count(CHANGES).await, 0);

        center.done(action, change(json!({ "NewDescription": "x".repeat(1024) }))).await;
        center.done(action, change(json!({ "NewDescription": "" }))).await;
        assert_eq!(center.three(&sync).await, ["", "KeepBoth", "Keep"]);
        center.done(action, change(json!({ "NewDeletionStrategy": "Delete" }))).await;
        assert_eq!(center.three(&sync).await, ["", "KeepBoth", "Delete"]);
        assert_eq!(center.world.count(CHANGES).await, 3);

        // The new policy is the one that counts.
        assert_eq!(center.world.count(CAM_USERS).await, 1);
        center.done("DeleteUserSyncProvisioning", json!({ "UserProvisioningId": sync })).await;
        center.settle().await;
        assert_eq!(center.world.count(CAM_USERS).await, 0);
        let code = "ResourceNotFound.UserProvisioningNotFound";
        center.refused(code, action, change(json!({ "NewDescription": "late" }))).await;
    }
}

with_settings! { all_allowed;
    async fn us_12_a_setting_lets_the_conflict_policy_change(house) {
        let center = Center::open(house).await;
        let sync = center.sync("alice").await;
        let change = json!({ "UserProvisioningId": sync, "NewDuplicationStateful": "TakeOver" });
        center.done("UpdateUserSyncProvisioning", change).await;
        assert_eq!(center.three(&sync).await, ["first", "TakeOver", "Keep"]);
        assert_eq!(center.world.count(CHANGES).await, 1);
    }
}
