//! What a PUT replaced, and what came of bulk requests that are answered later (RFC 9967).

use identity_center::{
    credential,
    store::{self, sql},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Push, Receiver, attributes, content::listen};
use crate::{
    on_both,
    scim::{Directory, GROUP, USER, act, hold_bulk, release_bulk},
};

const ASYNC: &str = "urn:ietf:params:scim:event:misc:asyncresp";

/// Sends a bulk request that is to be answered later; says its transaction.
async fn bulk_later(directory: &Directory<'_>, operations: Value) -> String {
    let body = json!({ "schemas": [], "Operations": operations });
    let asked = directory.request(Method::POST, "/Bulk").header("prefer", "respond-async");
    let answer = directory.send(asked.body(body.to_string())).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.headers["set-txn"].to_str().unwrap().to_owned()
}

fn answers(pushes: &[Push]) -> Vec<(Value, Value, Value)> {
    let answers = pushes.iter().filter(|push| push.event().0 == ASYNC);
    answers
        .map(|push| {
            let claims = push.claims();
            (claims["txn"].clone(), claims["sub_id"]["uri"].clone(), push.event().1)
        })
        .collect()
}

on_both! {
    async fn each_operation_that_is_answered_later_is_told(house) {
        let directory = Directory::new(house).await;
        let bob = directory.user("bob").await;
        let (full, notice) = (Receiver::new().await, Receiver::new().await);
        listen(&directory, &full, true).await;
        listen(&directory, &notice, false).await;
        let transaction = bulk_later(&directory, json!([
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "alice" } },
            { "method": "POST", "path": "/Users", "bulkId": "b", "data": { "userName": "BOB" } },
            { "method": "DELETE", "path": format!("/Users/{bob}") },
            { "method": "DELETE", "path": "/Users/u-nobodyatall0" },
        ])).await;
        // alice is made and bob is gone, and then the four answers.
        let pushes = full.wait_for(6).await;
        assert_eq!(full.names()[..2], ["create", "delete"]);
        let told = answers(&pushes);
        let found = directory.filter("/Users", r#"userName eq "alice""#).await.expect(200);
        let alice = found["Resources"][0]["id"].as_str().unwrap().to_owned();
        let base = directory.base();
        let txn = |index: usize| json!(format!("{transaction}:{index}"));
        assert_eq!(told[0], (txn(0), json!(format!("/Users/{alice}")), json!({
            "location": format!("{base}/Users/{alice}"), "method": "POST", "bulkId": "a",
            "version": "W/\"1\"", "status": "201",
        })));
        assert_eq!((&told[1].0, &told[1].1), (&txn(1), &json!("/Users")));
        assert_eq!(told[1].2["status"], "409");
        assert_eq!(told[1].2["response"]["scimType"], "uniqueness");
        assert!(told[1].2["response"]["detail"].is_string());
        assert_eq!(told[2], (txn(2), json!(format!("/Users/{bob}")), json!({
            "location": format!("{base}/Users/{bob}"), "method": "DELETE", "status": "204",
        })));
        assert_eq!((&told[3].0, &told[3].2["status"]), (&txn(3), &json!("404")));
        // Who gets no values is told what came of it all the same, without the sentence.
        let told = answers(&notice.wait_for(6).await);
        assert_eq!(told[1].2["response"]["status"], "409");
        assert_eq!(told[1].2["response"].get("detail"), None);
        // Each is an event of its own.
        let ids: std::collections::HashSet<String> = full.pushes().iter().map(Push::jti).collect();
        assert_eq!(ids.len(), 6);
    }

    async fn operations_that_were_never_tried_are_told_as_refused(house) {
        let directory = Directory::new(house).await;
        let receiver = Receiver::new().await;
        listen(&directory, &receiver, true).await;
        hold_bulk(&directory).await;
        let transaction = bulk_later(&directory, json!([
            { "method": "POST", "path": "/Users", "bulkId": "a", "data": { "userName": "alice" } },
            { "method": "DELETE", "path": "/Groups/g-000000000001" },
        ])).await;
        let (space, id, act) = (directory.space.id, directory.credential, act(house));
        house.app.db.write(async |tx| {
            credential::set_enabled(tx, &act, space, id, false).await
        }).await.unwrap();
        release_bulk(&directory).await;
        let told = answers(&receiver.wait_for(2).await);
        assert_eq!(told[0].0, format!("{transaction}:0"));
        assert_eq!(told[0].2["method"], "POST");
        assert_eq!(told[0].2["bulkId"], "a");
        assert_eq!(told[0].2["response"]["status"], "403");
        assert_eq!((&told[1].1, &told[1].2["status"]), (&json!("/Groups/g-000000000001"), &json!("403")));
        let users: i64 = house.app.db.read(async |tx| -> store::Result<_> {
            sql("SELECT COUNT(*) FROM users").fetch_number(tx).await
        }).await.unwrap();
        assert_eq!(users, 0);
    }

    async fn a_put_of_a_group_is_told_with_all_its_members(house) {
        let directory = Directory::new(house).await;
        let (alice, bob) = (directory.user("alice").await, directory.user("bob").await);
        let group = directory.group("crew", &[&alice]).await;
        let (full, notice) = (Receiver::new().await, Receiver::new().await);
        listen(&directory, &full, true).await;
        listen(&directory, &notice, false).await;
        let put = async |name: &str, members: Value| {
            let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
            directory.put(&format!("/Groups/{group}"), body).await.expect(200)
        };
        put("crew", json!([{ "value": alice }, { "value": bob }, { "value": "ghost" }])).await;
        let pushes = full.wait_for(1).await;
        let (uri, told) = pushes[0].event();
        assert_eq!(uri, "urn:ietf:params:scim:event:prov:put:full");
        let members = json!([
            { "value": alice, "type": "User" }, { "value": bob, "type": "User" },
            { "value": "ghost", "type": "User" },
        ]);
        assert_eq!(told["data"], json!({
            "schemas": [GROUP], "id": group, "displayName": "crew", "members": members,
        }));
        let pushes = notice.wait_for(1).await;
        assert_eq!(pushes[0].event().0, "urn:ietf:params:scim:event:prov:put:notice");
        assert_eq!(attributes(&pushes[0]), json!(["members"]));
        // The same again is no change; a name alone is.
        put("crew", json!([{ "value": bob }, { "value": alice }, { "value": "ghost" }])).await;
        put("band", json!([{ "value": bob }, { "value": alice }, { "value": "ghost" }])).await;
        let pushes = full.wait_for(2).await;
        assert_eq!(pushes[1].event().1["data"]["displayName"], "band");
        assert_eq!(pushes[1].event().1["data"]["members"], members);
        assert_eq!(attributes(&notice.wait_for(2).await[1]), json!(["displayName"]));
        // A user's password is not part of it.
        let body = json!({ "schemas": [USER], "userName": "alice", "title": "t", "password": "geheim" });
        directory.put(&format!("/Users/{alice}"), body).await.expect(200);
        let pushes = full.wait_for(3).await;
        assert_eq!(pushes[2].event().1["data"]["title"], "t");
        assert!(!pushes[2].claims().to_string().contains("geheim"));
    }

    async fn a_group_with_very_many_members_is_told_by_name(house) {
        let directory = Directory::new(house).await;
        let group = directory.group("crew", &[]).await;
        let receiver = Receiver::new().await;
        listen(&directory, &receiver, true).await;
        let members: Vec<Value> = (0..5001).map(|n| json!({ "value": format!("ghost-{n}") })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": "crew", "members": members });
        directory.put(&format!("/Groups/{group}?attributes=id"), body).await.expect(200);
        let pushes = receiver.wait_for(1).await;
        assert_eq!(pushes[0].event(), (
            "urn:ietf:params:scim:event:prov:put:notice".to_owned(),
            json!({ "attributes": ["members"] }),
        ));
    }
}
