//! GRP-15: limits are settings, and every door keeps them on both sides of the boundary.

use identity_center::config::Settings;
use serde_json::{Value, json};

use crate::{
    house::{Database, TestHouse},
    rules::Office,
    scim::Directory,
};

/// Four users and four groups, two of each together, two assignments of a call.
fn narrow(settings: &mut Settings) {
    let limits = &mut settings.limits;
    (limits.users, limits.groups, limits.members, limits.memberships) = (4, 4, 2, 2);
    limits.per_call = 2;
}

async fn houses() -> Vec<TestHouse> {
    let mut houses = Vec::new();
    for database in [Some(Database::sqlite()), Database::postgres().await].into_iter().flatten() {
        houses.push(TestHouse::with_settings_on(database, narrow).await);
    }
    houses
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grp_15_the_api_keeps_every_limit_and_names_it() {
    for house in houses().await {
        at_the_api(&house).await;
        house.close().await;
    }
}

async fn at_the_api(house: &TestHouse) {
    let office = Office::open(house).await;
    let mut users = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        users.push(office.user(house, name).await);
    }
    let refused = async |action: &str, given: Value, code: &str, words: [&str; 2]| {
        let (told, text) = office.client.refusal(house, action, office.here(given)).await;
        assert_eq!(told, code);
        for word in words {
            assert!(text.contains(word), "{word}: {text}");
        }
    };
    let fifth = json!({ "UserName": "eve" });
    let code = "FailedOperation.UserOverUpperLimit";
    refused("CreateUser", fifth, code, ["at most 4", "has 4"]).await;
    let mut groups = Vec::new();
    for name in ["a", "b", "c", "d"] {
        let made = office.done(house, "CreateGroup", json!({ "GroupName": name })).await;
        groups.push(made["GroupInfo"]["GroupId"].clone());
    }
    let code = "FailedOperation.GroupOverUpperLimit";
    refused("CreateGroup", json!({ "GroupName": "e" }), code, ["at most 4", "has 4"]).await;

    let pair =
        |group: usize, user: usize| json!({ "GroupId": groups[group], "UserId": users[user] });
    for (group, user) in [(0, 0), (0, 1), (1, 0)] {
        office.done(house, "AddUserToGroup", pair(group, user)).await;
    }
    let code = "FailedOperation.GroupUserCountOverUpperLimit";
    refused("AddUserToGroup", pair(0, 2), code, ["at most 2 members", "has 2"]).await;
    let code = "FailedOperation.UserAddGroupCountOverUpperLimit";
    refused("AddUserToGroup", pair(2, 0), code, ["at most 2 groups", "is in 2"]).await;
    // Who is there already is told that, and not of a limit.
    let code = "InvalidParameter.GroupUserAlreadyExists";
    refused("AddUserToGroup", pair(0, 0), code, ["in the group", "already"]).await;
    // One place that is free again can be taken.
    office.done(house, "RemoveUserFromGroup", pair(0, 0)).await;
    office.done(house, "AddUserToGroup", pair(0, 2)).await;
    office.done(house, "AddUserToGroup", pair(2, 0)).await;

    let look = office.configuration(house, "look").await;
    let batch = |count: usize| -> Value {
        users[..count].iter().map(|user| office.triple(user, &look)).collect()
    };
    let three = json!({ "RoleAssignmentInfo": batch(3) });
    let code = "LimitExceeded.CreateRoleAssignmentLimitExceeded";
    refused("CreateRoleAssignment", three, code, ["at most 2", "has 3"]).await;
    office.done(house, "CreateRoleAssignment", json!({ "RoleAssignmentInfo": batch(2) })).await;
    let syncs = |count: usize| -> Value {
        let one = |user: &Value| {
            json!({ "PrincipalId": user, "PrincipalType": "User",
                "TargetUin": office.account.uin.0, "TargetType": "ManagerUin" })
        };
        users[..count].iter().map(one).collect()
    };
    let three = json!({ "UserSyncProvisionings": syncs(3) });
    let code = "LimitExceeded.CreateUserSyncProvisioningLimitExceeded";
    refused("CreateUserSyncProvisioning", three, code, ["at most 2", "has 3"]).await;
    let two = json!({ "UserSyncProvisionings": syncs(2) });
    office.done(house, "CreateUserSyncProvisioning", two).await;
    office.settle(house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn grp_15_a_directory_meets_the_same_limits_and_changes_nothing() {
    for house in houses().await {
        over_scim(&house).await;
        house.close().await;
    }
}

async fn over_scim(house: &TestHouse) {
    let acme = Directory::new(house).await;
    let mut users = Vec::new();
    for name in ["ann", "bob", "cid", "dan"] {
        users.push(acme.user(name).await);
    }
    let [ann, bob, cid, dan] = <[String; 4]>::try_from(users).unwrap();
    let fifth = acme.post("/Users", json!({ "userName": "eve" })).await.refused(403, None);
    assert!(fifth.contains("at most 4 users") && fifth.contains("has 4"), "{fifth}");

    // A group is not made at all when it is too full from the beginning.
    let members = json!([{ "value": ann }, { "value": bob }, { "value": cid }]);
    let full = json!({ "displayName": "A", "members": members });
    let full = acme.post("/Groups", full).await.refused(403, None);
    assert!(full.contains("at most 2 members") && full.contains("would have 3"), "{full}");
    assert_eq!(acme.get("/Groups").await.expect(200)["totalResults"], 0);

    let first = acme.group("A", &[&ann, &bob]).await;
    let add =
        |user: &str| json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
    let path = format!("/Groups/{first}");
    let third = acme.patch(&path, add(&cid)).await.refused(403, None);
    assert!(third.contains("would have 3"), "{third}");
    let put = json!({ "displayName": "A", "members": members });
    acme.put(&path, put).await.refused(403, None);
    let mut both = vec![ann.clone(), bob.clone()];
    both.sort();
    assert_eq!(acme.members(&first).await, both);
    // Who is there already may be named again, and nobody is counted twice.
    assert!(acme.patch(&path, add(&ann)).await.status.is_success());
    // In one request members may change places, whatever comes first.
    let change = json!([
        { "op": "add", "path": "members", "value": [{ "value": cid }] },
        { "op": "remove", "path": format!("members[value eq \"{ann}\"]") },
    ]);
    assert!(acme.patch(&path, change).await.status.is_success());

    acme.group("B", &[&bob]).await;
    let second = acme.group("C", &[&dan]).await;
    let refused = acme.patch(&format!("/Groups/{second}"), add(&bob)).await.refused(403, None);
    assert!(refused.contains(&bob) && refused.contains("would be in 3"), "{refused}");
    assert_eq!(acme.members(&second).await, [dan]);
    acme.group("D", &[]).await;
    let fifth = acme.post("/Groups", json!({ "displayName": "E" })).await.refused(403, None);
    assert!(fifth.contains("at most 4 groups") && fifth.contains("has 4"), "{fifth}");
}
