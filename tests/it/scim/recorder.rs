//! The flight recorder (SCIM-20): what is remembered of every request.

use identity_center::{
    credential,
    id::{GroupId, PrincipalKind, UserId},
    recorder::{self, By, Event, Explanation, Outcome, Recorded, Search, Standing, Why},
    space,
    store::{self, PageRequest},
};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use super::{Directory, act};
use crate::on_both;

async fn search(acme: &Directory<'_>, wanted: Search) -> Vec<Recorded> {
    acme.house.app.recorder.flush().await;
    let page = PageRequest::first(100);
    let db = &acme.house.app.db;
    db.read(async |tx| recorder::search(tx, acme.space.id, &wanted, page).await).await.unwrap().rows
}

async fn why(acme: &Directory<'_>, user: &str, group: &str) -> Why {
    acme.house.app.recorder.flush().await;
    let (user, group): (UserId, GroupId) = (user.parse().unwrap(), group.parse().unwrap());
    let db = &acme.house.app.db;
    db.read(async |tx| recorder::why(tx, acme.space.id, user, group).await).await.unwrap().unwrap()
}

on_both! {
    async fn every_request_is_remembered_with_what_it_did(house) {
        let acme = Directory::new(house).await;
        let made = acme.send(acme.request(Method::POST, "/Users?attributes=userName")
            .header("user-agent", "Okta SCIM Client 1.0.0")
            .body(r#"{"userName":"Alice","password":"geheim","title":"a"}"#)).await;
        let id = made.expect(201)["id"].as_str().unwrap().to_owned();
        acme.patch(&format!("/Users/{id}"), json!([{ "op": "replace", "path": "title", "value": "b" }])).await.expect(200);
        acme.get(&format!("/Users/{id}")).await.expect(200);
        acme.patch(&format!("/Users/{id}"), json!([
            { "op": "replace", "path": "title", "value": "c" },
            { "op": "replace", "path": "nothing", "value": "c" },
        ])).await.refused(400, Some("invalidPath"));
        acme.post("/Users", json!({ "userName": "ALICE" })).await.refused(409, Some("uniqueness"));
        let all = search(&acme, Search::default()).await;
        let told: Vec<(&str, &str, i64)> =
            all.iter().rev().map(|one| (one.method.as_str(), one.path.as_str(), one.status)).collect();
        let user = format!("/Users/{id}");
        assert_eq!(told, [
            ("POST", "/Users", 201), ("PATCH", &user, 200), ("GET", &user, 200), ("PATCH", &user, 400), ("POST", "/Users", 409),
        ]);
        let first = all.last().unwrap();
        assert_eq!(first.client.as_deref(), Some("Okta SCIM Client 1.0.0"));
        assert_eq!(first.query.as_deref(), Some("attributes=userName"));
        assert_eq!(first.credential_id, acme.credential);
        let body = first.body.as_deref().unwrap();
        assert!(!body.contains("geheim") && body.contains(r#""title":"a""#), "{body}");
        assert_eq!(first.subject_name.as_deref(), Some("alice"));
        // The effect is the audit record: fields before and after.
        let effects = house.app.db.read(async |tx| {
            identity_center::audit::of_space(tx, acme.space.id, &all[3].audit_ids()).await
        }).await.unwrap();
        assert_eq!(effects.len(), 1);
        assert_eq!(effects[0].state_before.as_deref(), Some(r#"{"title":"a"}"#));
        assert_eq!(effects[0].state_after.as_deref(), Some(r#"{"title":"b"}"#));
        // A refusal says which operation, and what to do about it.
        let refused = &all[1];
        assert!(refused.detail.as_deref().unwrap().starts_with("Operations[1]"));
        assert_eq!(recorder::explain(refused), Some(Explanation::UnknownAttribute));
        assert!(refused.audit_ids().is_empty() && recorder::explain(first).is_none());
        // Found by whom it is about, and by what came of it.
        let number = id.parse::<UserId>().unwrap().0;
        let user = Some(PrincipalKind::User);
        let of_user = search(&acme, Search { kind: user, id: Some(number), ..Default::default() }).await;
        assert_eq!(of_user.len(), 4);
        let named = search(&acme, Search { kind: user, name: Some("ALICE".into()), ..Default::default() }).await;
        assert_eq!(named.iter().filter(|one| one.method == "POST").count(), 2);
        let refused = search(&acme, Search { outcome: Some(Outcome::Refused), ..Default::default() }).await;
        assert_eq!(refused.len(), 2);
        // Another space sees nothing of it.
        let other = Directory::of_space(house, "other").await;
        assert!(search(&other, Search::default()).await.is_empty());
    }

    async fn who_is_not_let_in_is_remembered_where_the_token_is_known(house) {
        let acme = Directory::new(house).await;
        let act = act(house);
        let db = &house.app.db;
        db.write(async |tx| credential::set_enabled(tx, &act, acme.space.id, acme.credential, false).await).await.unwrap();
        acme.get("/Users").await.refused(401, None);
        let one = &search(&acme, Search::default()).await[0];
        assert_eq!(one.status, 401);
        assert_eq!(recorder::explain(one), Some(Explanation::Token));
        db.write(async |tx| credential::set_enabled(tx, &act, acme.space.id, acme.credential, true).await).await.unwrap();
        db.write(async |tx| space::set_scim_enabled(tx, &act, &acme.space, false).await).await.unwrap();
        acme.post("/Users", json!({ "userName": "a" })).await.refused(403, None);
        let one = &search(&acme, Search::default()).await[0];
        assert_eq!(recorder::explain(one), Some(Explanation::SwitchedOff));
        // Nobody fills the log of a space without a token of it.
        reqwest::get(house.url("/scim/v2/Users")).await.unwrap();
        assert_eq!(search(&acme, Search::default()).await.len(), 2);
    }

    async fn what_is_old_or_too_much_is_forgotten(house) {
        let acme = Directory::new(house).await;
        for _ in 0..5 {
            acme.get("/Users").await.expect(200);
        }
        assert_eq!(search(&acme, Search::default()).await.len(), 5);
        house.app.clock.advance(SignedDuration::from_hours(48));
        for _ in 0..3 {
            acme.get("/Groups").await.expect(200);
        }
        house.app.recorder.flush().await;
        let before = house.now().plus_seconds(-86_400);
        let forget = async |before, most| house.app.db
            .write(async |tx| recorder::forget_old(tx, acme.space.id, before, most).await).await.unwrap();
        assert_eq!(forget(before, i64::MAX).await, 5);
        assert_eq!(forget(before, i64::MAX).await, 0);
        assert_eq!(forget(before, 0).await, 3);
        assert!(search(&acme, Search::default()).await.is_empty());
    }

    async fn why_somebody_is_in_a_group_or_not(house) {
        let acme = Directory::new(house).await;
        let (alice, bob, carol) = (acme.user("alice").await, acme.user("bob").await, acme.user("carol").await);
        let manual = acme.manual_user("manual").await;
        let group = acme.group("team", &[&alice, &bob]).await;
        house.app.clock.advance(SignedDuration::from_secs(60));
        acme.patch(&format!("/Groups/{group}"), json!([{ "op": "remove", "path": format!("members[value eq \"{bob}\"]") }])).await.expect(200);
        let told = why(&acme, &alice, &group).await;
        assert!(told.since.is_some() && told.standing == Standing::Member && told.group == "team", "{told:?}");
        assert_eq!(told.evidence[0].event, Event::Joined(By::Request));
        assert_eq!(told.evidence[0].request.as_ref().unwrap().method, "POST");
        let told = why(&acme, &bob, &group).await;
        assert!(told.since.is_none());
        assert_eq!((told.user.as_str(), &told.evidence[0].event), ("bob", &Event::Left(By::Request)));
        assert_eq!(told.evidence[0].request.as_ref().unwrap().method, "PATCH");
        let told = why(&acme, &carol, &group).await;
        assert!(told.evidence.is_empty() && told.standing == Standing::NeverNamed, "{told:?}");
        acme.patch(&format!("/Groups/{group}"), json!([
            { "op": "add", "path": "members", "value": [{ "value": carol }] },
            { "op": "add", "path": "nothing", "value": "x" },
        ])).await.refused(400, Some("invalidPath"));
        let told = why(&acme, &carol, &group).await;
        assert_eq!(told.evidence[0].request.as_ref().unwrap().status, 400);
        assert_eq!(why(&acme, &manual, &group).await.standing, Standing::MadeByHand);
    }

    async fn a_request_that_is_rolled_back_leaves_no_record_of_success(house) {
        let acme = Directory::new(house).await;
        let count = async || house.app.db.read(async |tx| -> store::Result<i64> {
            store::sql("SELECT COUNT(*) FROM scim_requests WHERE status < 400").fetch_number(tx).await
        }).await.unwrap();
        acme.user("alice").await;
        let rehearsal = house.app.db.rehearsal();
        let act = act(house);
        rehearsal.write(async |tx| space::set_scim_enabled(tx, &act, &acme.space, false).await).await.unwrap();
        acme.get("/Users").await.expect(200);
        house.app.recorder.flush().await;
        assert_eq!(count().await, 2);
    }
}
