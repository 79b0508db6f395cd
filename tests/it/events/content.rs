//! What is told of a change.

use identity_center::{
    directory,
    event::{self, Access, Kind},
    store::sql,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{Push, Receiver, attributes, loopback, wish};
use crate::{
    in_both_worlds, on_both,
    scim::{Directory, ENTERPRISE, GROUP, USER, act},
};

/// An endpoint of a directory's space, and its secret.
pub(super) async fn listen(directory: &Directory<'_>, receiver: &Receiver, full: bool) -> String {
    let (house, guard) = (directory.house, loopback());
    let access = Access { guard: &guard, sealer: &house.app.sealer };
    let (_, secret) = house
        .app
        .db
        .write(async |tx| {
            let wish = wish(&receiver.url(), full);
            event::create(tx, &act(house), access, directory.space.id, &wish).await
        })
        .await
        .unwrap();
    secret.expose_secret().to_owned()
}

on_both! {
    async fn what_a_directory_pushes_is_told_in_order_signed_and_without_passwords(house) {
        let directory = Directory::new(house).await;
        let (full, notice) = (Receiver::new().await, Receiver::new().await);
        let secret = listen(&directory, &full, true).await;
        let other = listen(&directory, &notice, false).await;

        let made = directory.post("/Users", json!({
            "schemas": [USER, ENTERPRISE], "userName": "alice", "externalId": "ext-1",
            "password": "Tr0ub4dor&3", "active": true, ENTERPRISE: { "department": "Tools" },
        })).await;
        let request_id = made.headers.get("x-request-id").map(|id| id.to_str().unwrap().to_owned());
        let alice = made.expect(201)["id"].as_str().unwrap().to_owned();
        directory.patch(&format!("/Users/{alice}"), json!([
            { "op": "replace", "path": "displayName", "value": "Alice" },
            { "op": "replace", "path": "active", "value": false },
        ])).await.expect(200);
        directory.put(&format!("/Users/{alice}"), json!({
            "schemas": [USER], "userName": "alice", "externalId": "ext-1", "active": true,
        })).await.expect(200);
        let group = directory.group("crew", &[&alice]).await;
        directory.patch(&format!("/Groups/{group}"), json!([
            { "op": "remove", "path": format!("members[value eq \"{alice}\"]") },
        ])).await.expect(200);
        // Nothing changes, so there is nothing to tell.
        directory.patch(&format!("/Groups/{group}"), json!([
            { "op": "replace", "path": "displayName", "value": "crew" },
        ])).await.expect(200);
        directory.delete(&format!("/Groups/{group}")).await.expect(204);
        directory.delete(&format!("/Users/{alice}")).await.expect(204);

        let names = ["create", "patch", "deactivate", "put", "activate", "create", "patch",
                     "delete", "delete"];
        let pushes = full.wait_for(names.len()).await;
        assert_eq!(full.names(), names);
        notice.wait_for(names.len()).await;
        assert_eq!(notice.names(), names);

        for push in &pushes {
            assert!(push.is_signed_with(&secret));
            assert!(!push.is_signed_with(&other), "each endpoint has a secret of its own");
            assert_eq!(push.part(0)["typ"], "secevent+jwt");
            assert_eq!(push.part(0)["alg"], "HS256");
            assert_eq!(push.headers["content-type"], "application/secevent+jwt");
            assert_eq!(push.headers["accept"], "application/json");
            let claims = push.claims();
            assert_eq!(claims["iss"], house.url(""));
            assert_eq!(claims["aud"], full.url());
            assert_eq!(claims["iat"], house.now().as_second());
            assert_eq!(claims.get("sub"), None, "RFC 9967 §2.1");
            assert!(!claims.to_string().contains("Tr0ub4dor"));
        }
        let first = pushes[0].claims();
        if let Some(id) = request_id {
            assert_eq!(first["txn"], id);
        }
        assert_eq!(first["sub_id"], json!({
            "format": "scim", "uri": format!("/Users/{alice}"), "externalId": "ext-1",
        }));
        let (uri, told) = pushes[0].event();
        assert_eq!(uri, "urn:ietf:params:scim:event:prov:create:full");
        assert_eq!(told["data"]["id"], alice);
        assert_eq!(told["data"]["userName"], "alice");
        assert_eq!(told["data"]["schemas"], json!([USER, ENTERPRISE]));
        assert_eq!(told["data"][ENTERPRISE]["department"], "Tools");
        let (uri, told) = pushes[1].event();
        assert_eq!(uri, "urn:ietf:params:scim:event:prov:patch:full");
        let operations = told["data"]["Operations"].as_array().unwrap();
        assert!(operations.contains(&json!(
            { "op": "replace", "path": "displayName", "value": "Alice" })), "{operations:?}");
        // A PUT is told as the resource that it left.
        let (uri, told) = pushes[3].event();
        assert_eq!(uri, "urn:ietf:params:scim:event:prov:put:full");
        assert_eq!(told["data"], json!({
            "schemas": [USER], "id": alice, "userName": "alice", "externalId": "ext-1", "active": true,
        }));
        assert_eq!(told.get("attributes"), None);
        let (_, told) = pushes[5].event();
        assert_eq!(told["data"]["members"], json!([{ "value": alice, "type": "User" }]));
        assert_eq!(told["data"]["schemas"], json!([GROUP]));
        assert_eq!(pushes[6].event().1["data"]["Operations"], json!([
            { "op": "remove", "path": format!("members[value eq \"{alice}\"]") },
        ]));
        assert_eq!(pushes[7].event().1, json!({}));
        assert_eq!(pushes[7].claims()["sub_id"]["uri"], format!("/Groups/{group}"));
        // Two events of one request are one transaction.
        assert_eq!(pushes[1].claims()["txn"], pushes[2].claims()["txn"]);
        assert_ne!(pushes[0].claims()["txn"], pushes[1].claims()["txn"]);

        let pushes = notice.pushes();
        let (uri, told) = pushes[0].event();
        assert_eq!(uri, "urn:ietf:params:scim:event:prov:create:notice");
        assert_eq!(told.get("data"), None);
        assert!(attributes(&pushes[0]).as_array().unwrap().contains(&json!("userName")));
        assert!(pushes.iter().all(|push| !push.claims().to_string().contains("Tools")));
        assert_eq!(attributes(&pushes[6]), json!(["members"]));
        let mut tokens: Vec<String> = pushes.iter().map(Push::jti).collect();
        tokens.sort();
        tokens.dedup();
        assert_eq!(tokens.len(), names.len());
    }

    async fn a_refused_push_tells_nothing(house) {
        let directory = Directory::new(house).await;
        let receiver = Receiver::new().await;
        listen(&directory, &receiver, true).await;
        directory.user("alice").await;
        directory.post("/Users", json!({ "schemas": [USER], "userName": "ALICE" })).await.refused(
            409, Some("uniqueness"));
        directory.user("bob").await;
        receiver.wait_for(2).await;
        tokio::time::sleep(std::time::Duration::from_millis(800)).await;
        assert_eq!(receiver.names(), ["create", "create"]);
    }

    async fn more_members_than_the_record_names_are_told_by_name_only(house) {
        let directory = Directory::new(house).await;
        let receiver = Receiver::new().await;
        let group = directory.group("crew", &[]).await;
        listen(&directory, &receiver, true).await;
        let members: Vec<Value> =
            (0..1001).map(|number| json!({ "value": format!("ghost-{number}") })).collect();
        directory.patch(&format!("/Groups/{group}"), json!([
            { "op": "add", "path": "members", "value": members },
        ])).await;
        let pushes = receiver.wait_for(1).await;
        assert_eq!(pushes[0].event(), (
            "urn:ietf:params:scim:event:prov:patch:notice".to_owned(),
            json!({ "attributes": ["members"] }),
        ));
    }
}

in_both_worlds! {
    async fn what_is_done_by_hand_is_told_too(world) {
        let receiver = Receiver::new().await;
        world.user("before").await;
        assert_eq!(world.count("SELECT COUNT(*) FROM events").await, 0, "nobody listens yet");
        world.listen(&wish(&receiver.url(), true)).await;
        let alice = world.user("alice").await;
        let crew = world.group("crew", &[alice]).await;
        world.write(async |tx, act| {
            directory::remove_member(tx, act, &world.space, crew, alice).await
        }).await;
        for enabled in [false, true, true] {
            world.write(async |tx, act| {
                directory::set_user_enabled(tx, act, world.space.id, alice, enabled).await
            }).await;
        }
        world.deliver().await;
        assert_eq!(receiver.names(),
                   ["create", "create", "patch", "patch", "deactivate", "activate"]);
        let pushes = receiver.pushes();
        let data = pushes[0].event().1["data"].clone();
        assert_eq!((&data["userName"], &data["active"]), (&json!("alice"), &json!(true)));
        assert_eq!(data["id"], alice.to_string());
        assert_eq!(pushes[1].event().1["data"]["displayName"], "crew");
        assert_eq!(pushes[2].event().1["data"]["Operations"], json!([{
            "op": "add", "path": "members", "value": [{ "value": alice, "type": "User" }],
        }]));
        assert_eq!(pushes[4].claims()["sub_id"]["uri"], format!("/Users/{alice}"));
    }

    async fn an_endpoint_gets_the_kinds_it_wants(world) {
        let receiver = Receiver::new().await;
        let mut wish = wish(&receiver.url(), false);
        wish.kinds = vec![Kind::Membership, Kind::Membership];
        let (endpoint, _) = world.listen(&wish).await;
        assert_eq!(endpoint.kinds.0, [Kind::Membership]);
        let alice = world.user("alice").await;
        world.group("crew", &[alice]).await;
        world.deliver().await;
        assert_eq!(receiver.names(), ["patch"]);
        assert_eq!(attributes(&receiver.pushes()[0]), json!(["members"]));
    }

    async fn a_test_reaches_one_endpoint_and_says_what_it_is(world) {
        let (one, other) = (Receiver::new().await, Receiver::new().await);
        let (endpoint, secret) = world.listen(&wish(&one.url(), false)).await;
        let (second, _) = world.listen(&wish(&other.url(), false)).await;
        let event = world.write(async |tx, act| {
            event::test(tx, act, world.space.id, endpoint.id).await
        }).await;
        world.deliver().await;
        assert_eq!(one.names(), ["verification"]);
        assert!(one.pushes()[0].is_signed_with(&secret));
        let subject = &one.pushes()[0].claims()["sub_id"];
        assert_eq!(subject, &json!({ "format": "opaque", "id": endpoint.id }));
        assert!(other.pushes().is_empty());
        // Nor can it be sent to another one later.
        let misled = world.try_write(async |tx, act| {
            event::redeliver(tx, act, world.space.id, second.id, event).await
        }).await;
        assert!(matches!(misled, Err(event::Error::EventNotFound)), "{misled:?}");
        assert_eq!(world.deliveries(endpoint.id).await[0].subject(), None);
    }

    async fn old_events_are_forgotten(world) {
        let receiver = Receiver::new().await;
        let (endpoint, _) = world.listen(&wish(&receiver.url(), false)).await;
        world.user("alice").await;
        world.advance(1000);
        world.user("bob").await;
        let before = world.now().plus_seconds(-500);
        world.write(async |tx, _| event::forget_old(tx, before).await).await;
        let left: Vec<(i64,)> = world.rows(sql("SELECT subject_id FROM events")).await;
        assert_eq!(left.len(), 1);
        assert_eq!(world.endpoint(endpoint.id).await.waiting, 1, "and so are their deliveries");
        world.deliver().await;
        assert_eq!(receiver.names(), ["create"]);
    }
}
