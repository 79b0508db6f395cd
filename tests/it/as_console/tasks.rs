//! Trying what failed again.

use identity_center::store::sql;
use serde_json::json;

use super::Own;
use crate::on_both;

on_both! {
    async fn set_07_tsk_03_failed_tasks_are_tried_again_by_an_action(house) {
        let own = Own::open(house).await;
        let office = &own.office;
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;
        let sync = json!({ "UserSyncProvisionings": [{ "PrincipalType": "User", "PrincipalId": ann,
            "TargetUin": office.account.uin.0, "TargetType": "ManagerUin" }] });
        office.done(house, "CreateUserSyncProvisioning", sync).await;
        office.settle(house).await;
        let all = own.done(house, "ListAllTasks", json!({ "MaxResults": 100 })).await;
        let kinds: Vec<&str> = all["Tasks"].as_array().unwrap().iter()
            .map(|task| task["TaskType"].as_str().unwrap()).collect();
        assert!(kinds.contains(&"CreateRoleAssignment"), "{kinds:?}");
        assert!(kinds.contains(&"StartProvisioning"), "of every kind: {kinds:?}");
        let ids: Vec<_> = all["Tasks"].as_array().unwrap().iter().map(|it| it["TaskId"].clone()).collect();

        // What has not failed is not tried again, and then nothing else is.
        let failed = house.app.db.write(async |tx| {
            sql("UPDATE tasks SET state = 'failed', reason = 'no' WHERE kind = 'CreateRoleAssignment'")
                .execute(tx)
                .await
        });
        assert_eq!(failed.await.unwrap(), 1);
        let listed = own.done(house, "ListAllTasks", json!({ "Status": "Failed" })).await;
        assert_eq!((&listed["TotalCounts"], &listed["Tasks"][0]["FailureReason"]), (&json!(1), &json!("no")));
        let bad = listed["Tasks"][0]["TaskId"].clone();
        let good = ids.iter().find(|id| **id != bad).unwrap();
        let refused = ("FailedOperation.TaskNotFailed", "`TaskIds`");
        own.refuses(house, ("RetryTasks", json!({ "TaskIds": [bad, good] })), refused).await;
        let count = all["TotalCounts"].as_i64().unwrap();
        let now = own.done(house, "ListAllTasks", json!({})).await;
        assert_eq!(now["TotalCounts"], count, "all or none");
        let missing = ("ResourceNotFound.RoleConfigurationTaskNotFound", "`TaskIds`");
        for id in ["t-000000000001", "x"] {
            own.refuses(house, ("RetryTasks", json!({ "TaskIds": [id] })), missing).await;
        }

        let retried = own.done(house, "RetryTasks", json!({ "TaskIds": [bad] })).await;
        assert_eq!(retried["RetriedTasks"][0]["TaskId"], bad);
        office.settle(house).await;
        let now = own.done(house, "ListAllTasks", json!({ "MaxResults": 100 })).await;
        let new = &retried["RetriedTasks"][0]["NewTaskId"];
        let new = now["Tasks"].as_array().unwrap().iter().find(|it| it["TaskId"] == *new).unwrap();
        assert_eq!(new["Status"], "Success");
        assert_eq!(own.audited(house, "task.retry").await.len(), 1);
    }
}
