//! `/Bulk` (RFC 7644 §3.7), at once and later.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Directory, ENTERPRISE, GROUP, PATCH, USER};
use crate::on_both;

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

#[expect(clippy::needless_pass_by_value, reason = "it is written where it is passed")]
fn request(operations: Value) -> Value {
    json!({ "schemas": [BULK], "Operations": operations })
}

fn user(bulk_id: &str, name: &str) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id,
            "data": { "schemas": [USER], "userName": name } })
}

fn statuses(answer: &Value) -> Vec<&str> {
    answer["Operations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["status"].as_str().unwrap())
        .collect()
}

fn id_of(operation: &Value) -> String {
    operation["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()
}

on_both! {
    async fn everything_that_one_request_can_do_many_can(house) {
        let acme = Directory::new(house).await;
        let old = acme.user("old").await;
        let bob = acme.user("bob").await;
        let answer = acme.post("/Bulk", request(json!([
            user("alice", "alice"),
            { "method": "post", "path": "/Groups", "bulkId": "team",
              "data": { "schemas": [GROUP], "displayName": "Team",
                        "members": [{ "value": "bulkId:alice" }, { "value": bob }] } },
            { "method": "PUT", "path": format!("/Users/{bob}"), "data": { "userName": "robert" } },
            { "method": "PATCH", "path": "/Users/bulkId:alice",
              "data": { "schemas": [PATCH], "Operations": [{ "op": "replace", "path": "title", "value": "Boss" }] } },
            { "method": "DELETE", "path": format!("/Users/{old}") },
            { "method": "DELETE", "path": format!("/Users/{old}") },
            { "method": "POST", "path": "/Users", "bulkId": "taken", "data": { "userName": "ROBERT" } },
        ]))).await.expect(200);
        assert_eq!(answer["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:BulkResponse"]));
        assert_eq!(statuses(&answer), ["201", "201", "200", "200", "204", "404", "409"]);
        let operations = answer["Operations"].as_array().unwrap();
        assert_eq!(operations[6]["response"]["scimType"], "uniqueness");
        assert!(operations[6].get("location").is_none());
        assert_eq!(operations[1]["bulkId"], "team");
        let alice = id_of(&operations[0]);
        assert_eq!(operations[3]["location"], operations[0]["location"]);
        assert_eq!(operations[3]["version"], "W/\"2\"");
        assert_eq!(acme.get(&format!("/Users/{alice}")).await.expect(200)["title"], "Boss");
        let mut members = vec![alice.clone(), bob.clone()];
        members.sort();
        assert_eq!(acme.members(&id_of(&operations[1])).await, members);
        assert_eq!(acme.get(&format!("/Users/{bob}")).await.expect(200)["userName"], "robert");
        acme.get(&format!("/Users/{old}")).await.refused(404, None);
    }

    async fn references_may_look_ahead_and_go_in_circles(house) {
        let acme = Directory::new(house).await;
        let manager = |of: &str, name: &str, boss: &str| json!({
            "method": "POST", "path": "/Users", "bulkId": of,
            "data": { "schemas": [USER, ENTERPRISE], "userName": name,
                      ENTERPRISE: { "manager": { "value": format!("bulkId:{boss}") } } },
        });
        let answer = acme.post("/Bulk", request(json!([
            { "method": "POST", "path": "/Groups", "bulkId": "g",
              "data": { "displayName": "Ahead", "members": [{ "value": "bulkId:a" }] } },
            manager("a", "a", "b"),
            manager("b", "b", "a"),
        ]))).await.expect(200);
        assert_eq!(statuses(&answer), ["201", "201", "201"]);
        let ids: Vec<String> = answer["Operations"].as_array().unwrap().iter().map(id_of).collect();
        assert_eq!(acme.members(&ids[0]).await, [ids[1].clone()]);
        let a = acme.get(&format!("/Users/{}", ids[1])).await.expect(200);
        assert_eq!(a[ENTERPRISE]["manager"]["value"], ids[2].as_str());
        // A circle fails as one, and what refers to it fails too; the rest is done.
        let answer = acme.post("/Bulk", request(json!([
            manager("c", "c", "d"),
            { "method": "POST", "path": "/Users", "bulkId": "d",
              "data": { "userName": "a", ENTERPRISE: { "manager": "bulkId:c" } } },
            { "method": "POST", "path": "/Groups", "bulkId": "h",
              "data": { "displayName": "After", "members": [{ "value": "bulkId:c" }] } },
            { "method": "POST", "path": "/Groups", "bulkId": "i",
              "data": { "displayName": "Lost", "members": [{ "value": "bulkId:nobody" }] } },
            user("e", "e"),
        ]))).await.expect(200);
        let told = statuses(&answer);
        assert!(told[..4].iter().all(|status| status.starts_with('4')), "{answer}");
        assert_eq!(told[4], "201");
        assert_eq!(acme.filter("/Users", r#"userName eq "c""#).await.expect(200)["totalResults"], 0);
    }

    async fn errors_end_a_request_when_it_says_so(house) {
        let acme = Directory::new(house).await;
        let mut body = request(json!([
            user("1", "one"), user("2", "ONE"), user("3", "two"), user("4", "TWO"), user("5", "three"),
        ]));
        body["failOnErrors"] = json!(2);
        let answer = acme.post("/Bulk", body).await.expect(200);
        assert_eq!(statuses(&answer), ["201", "409", "201", "409"]);
        assert_eq!(acme.get("/Users?count=0").await.expect(200)["totalResults"], 2);
    }

    async fn limits_and_nonsense_are_refused(house) {
        let acme = Directory::new(house).await;
        let many: Vec<Value> = (0..1001).map(|n| user(&n.to_string(), &format!("u{n}"))).collect();
        acme.post("/Bulk", request(json!(many))).await.refused(413, None);
        acme.post("/Bulk", json!({ "schemas": [BULK] })).await.refused(400, Some("invalidSyntax"));
        let answer = acme.post("/Bulk", request(json!([
            { "method": "GET", "path": "/Users" },
            { "method": "POST", "path": "/Users", "data": { "userName": "x" } },
            { "method": "POST", "path": "/Nothing", "bulkId": "n", "data": {} },
            { "method": "PATCH", "path": "/Users", "data": {} },
            7,
        ]))).await.expect(200);
        assert!(statuses(&answer).iter().all(|status| status.starts_with('4')), "{answer}");
        assert_eq!(acme.get("/Users?count=0").await.expect(200)["totalResults"], 0);
        let config = acme.get("/ServiceProviderConfig").await.expect(200);
        assert_eq!(config["bulk"], json!({ "supported": true, "maxOperations": 1000, "maxPayloadSize": 16_777_216 }));
    }

    async fn versions_hold_in_bulk_too(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let delete = |version: &str| request(json!([
            { "method": "DELETE", "path": format!("/Users/{id}"), "version": version },
        ]));
        let answer = acme.post("/Bulk", delete("W/\"7\"")).await.expect(200);
        assert_eq!(statuses(&answer), ["412"]);
        let answer = acme.post("/Bulk", delete("W/\"1\"")).await.expect(200);
        assert_eq!(statuses(&answer), ["204"]);
    }

    async fn a_request_may_be_answered_later(house) {
        let acme = Directory::new(house).await;
        let body = request(json!([user("1", "one"), user("2", "ONE")]));
        let asked = acme.request(Method::POST, "/Bulk").header("prefer", "respond-async")
            .header("content-type", "application/scim+json").body(body.to_string());
        let answer = acme.send(asked).await;
        assert_eq!((answer.status.as_u16(), answer.text.as_str()), (202, ""));
        assert_eq!(answer.headers["preference-applied"], "respond-async");
        let transaction = answer.headers["set-txn"].to_str().unwrap().to_owned();
        let location = answer.headers["location"].to_str().unwrap().to_owned();
        assert!(location.ends_with(&format!("/scim/v2/Bulk/{transaction}")));
        let mut answer = acme.get(&format!("/Bulk/{transaction}")).await;
        for _ in 0..300 {
            if answer.status != 202 {
                break;
            }
            assert_eq!(answer.headers["retry-after"], "1");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            answer = acme.get(&format!("/Bulk/{transaction}")).await;
        }
        assert_eq!(statuses(&answer.expect(200)), ["201", "409"]);
        let found = acme.filter("/Users", r#"userName eq "one""#).await.expect(200);
        assert_eq!(found["totalResults"], 1);
        // Nobody else's business, and nonsense is refused at once.
        let other = Directory::of_space(house, "other").await;
        other.get(&format!("/Bulk/{transaction}")).await.refused(404, None);
        let asked = acme.request(Method::POST, "/Bulk").header("prefer", "respond-async").body("{}");
        acme.send(asked).await.refused(400, Some("invalidSyntax"));
    }
}
