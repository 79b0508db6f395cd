//! Users that several requests make at the same time: made together, answered and recorded one by one.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use identity_center::{
    recorder::{self, Search},
    store::PageRequest,
};
use serde_json::{Value, json};

use super::Directory;
use crate::on_both;

on_both! {
    async fn requests_at_once_are_answered_one_by_one(house) {
        let acme = Directory::new(house).await;
        acme.post("/Users", json!({ "userName": "there already" })).await.expect(201);
        let http = reqwest::Client::new();
        // Ten of the sixty cannot be made, for two reasons, and two wait for the same name.
        let bodies: Vec<Value> = (0..60).map(|n| match n {
            7 | 17 | 27 | 37 | 47 => json!({ "userName": "There Already", "title": n.to_string() }),
            5 | 15 | 25 | 35 | 45 => json!({ "displayName": "without a name" }),
            58 | 59 => json!({ "userName": "twice", "title": n.to_string() }),
            n => json!({ "userName": format!("user-{n}"), "title": n.to_string(),
                         "emails": [{ "value": format!("{n}@example.com"), "type": "work" }] }),
        }).collect();
        let answers = join_all(bodies.iter().map(|body| {
            let url = house.url("/scim/v2/Users");
            http.post(url).bearer_auth(&acme.token).body(body.to_string()).send()
        })).await;
        let (mut made, mut twice, mut requests) = (0, Vec::new(), BTreeSet::new());
        for (n, answer) in answers.into_iter().enumerate() {
            let answer = answer.unwrap();
            let status = answer.status().as_u16();
            requests.insert(answer.headers()["x-request-id"].to_str().unwrap().to_owned());
            let place = answer.headers().get("location").cloned();
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            match n {
                58 | 59 => twice.push(status),
                n if n % 10 == 7 && n < 50 => assert_eq!((status, &body["scimType"]), (409, &json!("uniqueness"))),
                n if n % 10 == 5 && n < 50 => assert_eq!((status, &body["scimType"]), (400, &json!("invalidValue"))),
                // Each is told of the user it asked for, and not of somebody else's.
                n => {
                    assert_eq!((status, &body["title"]), (201, &json!(n.to_string())), "{body}");
                    assert_eq!(place.unwrap().to_str().unwrap(), body["meta"]["location"].as_str().unwrap());
                    assert_eq!(body["userName"], format!("user-{n}"));
                    made += 1;
                }
            }
        }
        twice.sort_unstable();
        assert_eq!((made, twice.as_slice(), requests.len()), (48, [201, 409].as_slice(), 60));
        let listed = acme.get("/Users?count=0").await.expect(200);
        assert_eq!(listed["totalResults"], 50);
        let found = acme.get("/Users?filter=emails.value%20eq%20%2233@example.com%22").await.expect(200);
        assert_eq!(found["Resources"][0]["userName"], "user-33");
        // A line in the recorder for each, and one audit record of its own for each that was made.
        house.app.recorder.flush().await;
        let space = acme.space.id;
        let lines = house.app.db.read(async |tx| {
            recorder::search(tx, space, &Search { method: Some("POST".into()), ..Search::default() }, PageRequest::first(100)).await
        }).await.unwrap().rows;
        assert_eq!(lines.len(), 61);
        let mut audited = BTreeSet::new();
        for line in &lines {
            assert_eq!(line.credential_id, acme.credential);
            let ids = line.audit_ids();
            assert_eq!(ids.len(), usize::from(line.status == 201), "{line:?}");
            let records = house.app.db.read(async |tx| identity_center::audit::of_space(tx, space, &ids).await).await.unwrap();
            for record in records {
                assert_eq!(record.request_id, line.request_id);
                let state: Value = serde_json::from_str(record.state_after.as_deref().unwrap()).unwrap();
                let sent: Value = serde_json::from_str(line.body.as_deref().unwrap()).unwrap();
                assert_eq!(state["userName"], sent["userName"]);
                audited.insert(record.id.0);
            }
        }
        assert_eq!(audited.len(), 50);
    }

    async fn who_goes_away_takes_nobody_along(house) {
        let acme = Directory::new(house).await;
        let http = reqwest::Client::new();
        let send = |name: String| {
            let url = house.url("/scim/v2/Users");
            http.post(url).bearer_auth(&acme.token).body(json!({ "userName": name }).to_string()).send()
        };
        for round in 0..5 {
            let going = (0..20).map(|n| {
                let asked = send(format!("gone-{round}-{n}"));
                async move { tokio::time::timeout(std::time::Duration::from_millis(n), asked).await.is_ok() }
            });
            let staying = (0..20).map(|n| send(format!("stays-{round}-{n}")));
            let (_, staying) = futures_util::future::join(join_all(going), join_all(staying)).await;
            assert!(staying.into_iter().all(|answer| answer.unwrap().status() == 201));
        }
        // And nobody waits for a turn that nobody has.
        acme.post("/Users", json!({ "userName": "last" })).await.expect(201);
        let stayed = acme.get("/Users?filter=userName%20sw%20%22stays%22&count=0").await.expect(200);
        assert_eq!(stayed["totalResults"], 100);
    }
}
