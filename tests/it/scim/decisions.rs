//! What a space decides: each switch both ways (reference/SCIM.md §6), the brake, the limits.

use std::num::NonZeroU32;

use identity_center::{
    credential::{self, Gate, Rates},
    space::{self, Brake, ScimSettings},
};
use jiff::SignedDuration;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Directory, GROUP, act};
use crate::{house::TestHouse, on_both};

/// Decides the switches of a space.
async fn decide(acme: &Directory<'_>, settings: &ScimSettings) {
    let (house, act) = (acme.house, act(acme.house));
    house
        .app
        .db
        .write(async |tx| {
            let space = space::space(tx, acme.space.id).await?.unwrap();
            space::set_scim_settings(tx, &act, &space, settings).await
        })
        .await
        .unwrap();
}

on_both! {
    async fn scim_11_renames_are_refused_where_a_space_says_so(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        decide(&acme, &ScimSettings { refuse_renames: true, ..Default::default() }).await;
        let rename = json!([{ "op": "replace", "path": "userName", "value": "alicia" }]);
        acme.patch(&format!("/Users/{id}"), rename.clone()).await.refused(400, Some("mutability"));
        acme.put(&format!("/Users/{id}"), json!({ "userName": "alicia" })).await.refused(400, Some("mutability"));
        acme.put(&format!("/Users/{id}"), json!({ "userName": "alice", "title": "x" })).await.expect(200);
        decide(&acme, &ScimSettings::default()).await;
        assert_eq!(acme.patch(&format!("/Users/{id}"), rename).await.expect(200)["userName"], "alicia");
    }

    async fn a_patch_answers_as_the_space_says(house) {
        let acme = Directory::new(house).await;
        let (user, group) = (acme.user("alice").await, acme.group("g", &[]).await);
        decide(&acme, &ScimSettings { patch_without_body: true, ..Default::default() }).await;
        for (path, attribute) in [(format!("/Users/{user}"), "title"), (format!("/Groups/{group}"), "externalId")] {
            let change = json!([{ "op": "replace", "path": attribute, "value": "x" }]);
            let answer = acme.patch(&path, change.clone()).await;
            assert_eq!((answer.status, answer.text.as_str()), (StatusCode::NO_CONTENT, ""));
            assert_eq!(answer.headers["etag"], "W/\"2\"");
            let body = acme.patch(&format!("{path}?attributes={attribute}"), change).await.expect(200);
            assert_eq!(body[attribute], "x");
        }
    }

    async fn members_that_are_nobody_are_kept_or_refused(house) {
        let acme = Directory::new(house).await;
        let alice = acme.user("alice").await;
        let manual = acme.manual_user("manual").await;
        let kept = acme.group("kept", &["fake-member-id", &manual]).await;
        assert_eq!(acme.members(&kept).await.len(), 2);
        decide(&acme, &ScimSettings { refuse_unknown_members: true, ..Default::default() }).await;
        for stranger in ["fake-member-id", &manual, "u-00000000000z"] {
            let body = json!({ "displayName": "x", "members": [{ "value": alice }, { "value": stranger }] });
            let detail = acme.post("/Groups", body).await.refused(400, Some("invalidValue"));
            assert!(detail.contains(stranger), "{detail}");
        }
        assert_eq!(acme.get("/Groups?count=0").await.expect(200)["totalResults"], 1);
        acme.group("fine", &[&alice]).await;
    }

    async fn groups_of_one_name_and_empty_lists(house) {
        let acme = Directory::new(house).await;
        let first = acme.group("Sales", &[]).await;
        let again = json!({ "schemas": [GROUP], "displayName": "SALES" });
        acme.post("/Groups", again.clone()).await.refused(409, Some("uniqueness"));
        assert!(acme.get(&format!("/Groups/{first}")).await.expect(200).get("members").is_none());
        let settings = ScimSettings { allow_equal_group_names: true, always_emit_members: true, ..Default::default() };
        decide(&acme, &settings).await;
        assert_eq!(acme.post("/Groups", again.clone()).await.expect(201)["members"], json!([]));
        assert_eq!(acme.filter("/Groups", r#"displayName eq "sales""#).await.expect(200)["totalResults"], 2);
        assert_eq!(acme.get(&format!("/Groups/{first}")).await.expect(200)["members"], json!([]));
        decide(&acme, &ScimSettings::default()).await;
        acme.post("/Groups", again).await.refused(409, Some("uniqueness"));
    }

    async fn scim_21_the_brake_holds_until_somebody_lets_go(house) {
        let acme = Directory::new(house).await;
        let brake = Brake { users: 3, percent: 40, ..Default::default() };
        decide(&acme, &ScimSettings { brake, ..Default::default() }).await;
        let mut ids = Vec::new();
        for number in 0..10 {
            ids.push(acme.user(&format!("user-{number}")).await);
        }
        // Users made within the window do not count.
        for id in ids.drain(8..) {
            acme.delete(&format!("/Users/{id}")).await.expect(204);
        }
        house.app.clock.advance(SignedDuration::from_secs(2 * 3600));
        let off = json!([{ "op": "replace", "path": "active", "value": false }]);
        // Three may go whatever the share; of eight, 40 % are three.
        acme.delete(&format!("/Users/{}", ids[0])).await.expect(204);
        acme.patch(&format!("/Users/{}", ids[1]), off.clone()).await.expect(200);
        acme.delete(&format!("/Users/{}", ids[2])).await.expect(204);
        for _ in 0..2 {
            let held = acme.delete(&format!("/Users/{}", ids[3])).await;
            assert_eq!(held.headers["retry-after"], "300");
            assert!(held.refused(429, None).contains("brake"));
        }
        assert!(acme.put(&format!("/Users/{}", ids[4]), json!({ "userName": "x", "active": false })).await.refused(429, None).contains("brake"));
        acme.get(&format!("/Users/{}", ids[3])).await.expect(200);
        assert_eq!(acme.get(&format!("/Users/{}", ids[4])).await.expect(200)["active"], true);
        // Everything else goes on; who comes back makes room.
        acme.user("new").await;
        let on = json!([{ "op": "replace", "path": "active", "value": true }]);
        acme.patch(&format!("/Users/{}", ids[1]), on).await.expect(200);
        acme.delete(&format!("/Users/{}", ids[3])).await.expect(204);
        acme.delete(&format!("/Users/{}", ids[4])).await.refused(429, None);
        // The alert is on record once.
        let alerts = acme.audited(&acme.space.id.to_string()).await;
        assert_eq!(alerts.iter().filter(|(action, ..)| action == "space.scim_brake_held").count(), 1);
        let act = act(house);
        house.app.db.write(async |tx| {
            let space = space::space(tx, acme.space.id).await?.unwrap();
            space::lift_scim_brake(tx, &act, &space, Some(act.now.plus_seconds(3600))).await
        }).await.unwrap();
        for id in &ids[4..7] {
            acme.delete(&format!("/Users/{id}")).await.expect(204);
        }
        house.app.clock.advance(SignedDuration::from_secs(1800));
        acme.delete(&format!("/Users/{}", ids[7])).await.expect(204);
    }

    async fn a_wipe_of_a_whole_directory_stops_at_the_threshold(house) {
        let acme = Directory::new(house).await;
        let names = (0..300).map(|n| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(),
            "data": { "userName": format!("user-{n}") } }));
        let made = acme.post("/Bulk", json!({ "Operations": names.collect::<Vec<_>>() })).await.expect(200);
        let ids: Vec<String> = made["Operations"].as_array().unwrap().iter()
            .map(|one| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect();
        house.app.clock.advance(SignedDuration::from_secs(2 * 3600));
        let wipe = ids.iter().map(|id| json!({ "method": "DELETE", "path": format!("/Users/{id}") }));
        let answer = acme.post("/Bulk", json!({ "Operations": wipe.collect::<Vec<_>>() })).await.expect(200);
        let gone = answer["Operations"].as_array().unwrap().iter().filter(|one| one["status"] == "204").count();
        // More than 50 and more than 20 %: 60 of 300 go, the rest is held.
        assert_eq!(gone, 60);
        assert_eq!(acme.get("/Users?count=0").await.expect(200)["totalResults"], 240);
    }

    async fn scim_08_another_replica_hears_of_a_switched_off_token_within_a_second(house) {
        let acme = Directory::new(house).await;
        // Another process has a gate of its own, and a database handle of its own.
        let other = Gate::new(Rates::default());
        let url = secrecy::ExposeSecret::expose_secret(&house.app.settings.database_url).to_owned();
        let db = identity_center::store::Db::connect(&url).await.unwrap();
        let now = house.now();
        assert!(other.find(&db, &acme.token).await.unwrap().unwrap().is_good(now));
        let act = act(house);
        house.app.db.write(async |tx| {
            credential::set_enabled(tx, &act, acme.space.id, acme.credential, false).await
        }).await.unwrap();
        acme.get("/Users").await.refused(401, None);
        tokio::time::sleep(std::time::Duration::from_millis(900)).await;
        assert!(!other.find(&db, &acme.token).await.unwrap().unwrap().is_good(now));
        db.close().await;
    }
}

#[tokio::test]
async fn scim_22_a_token_that_comes_too_often_is_told_when_to_come_again() {
    let house = TestHouse::with_settings(|settings| {
        settings.rate_limits.scim_per_second = NonZeroU32::MIN;
        settings.rate_limits.scim_burst = NonZeroU32::new(5).unwrap();
    })
    .await;
    let acme = Directory::new(&house).await;
    let mut refused = 0;
    for _ in 0..10 {
        let answer = acme.get("/Users").await;
        if answer.status == 429 {
            refused += 1;
            let seconds: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=5).contains(&seconds));
            answer.refused(429, None);
        }
    }
    assert!(refused >= 4, "{refused}");
    // Nobody else is slowed down.
    Directory::of_space(&house, "other").await.get("/Users").await.expect(200);
    house.close().await;
}

#[tokio::test]
async fn a_body_that_never_ends_holds_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = TestHouse::with_settings(|settings| settings.scim.body_seconds = 1).await;
    let acme = Directory::new(&house).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = tokio::net::TcpStream::connect(house.address).await.unwrap();
        let head = format!(
            "POST /scim/v2/Users HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
             content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
            acme.token
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    // Others are served meanwhile.
    acme.send(acme.request(Method::GET, "/Users")).await.expect(200);
    for mut stream in slow {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("did not arrive within 1 seconds"), "{answer}");
    }
    house.close().await;
}
