//! Many directories at once lose nothing.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::json;

use super::Directory;
use crate::on_both;

/// Clients that write at the same time.
const CLIENTS: usize = 8;
/// Membership changes in all.
const CHANGES: usize = 10_000;

on_both! {
    async fn ten_thousand_membership_changes_by_eight_clients(house) {
        let acme = Directory::new(house).await;
        let names = (0..200).map(|n| json!({ "method": "POST", "path": "/Users", "bulkId": n.to_string(),
            "data": { "userName": format!("user-{n}") } }));
        let made = acme.post("/Bulk", json!({ "Operations": names.collect::<Vec<_>>() })).await.expect(200);
        let users: Arc<Vec<String>> = Arc::new(made["Operations"].as_array().unwrap().iter()
            .map(|one| one["location"].as_str().unwrap().rsplit('/').next().unwrap().to_owned()).collect());
        let group = acme.group("everybody", &[]).await;
        // Each client has users of its own, so that what it did last is what must be.
        let mut clients = Vec::new();
        for client in 0..CLIENTS {
            let (users, path) = (users.clone(), house.url(&format!("/scim/v2/Groups/{group}")));
            let token = acme.token.clone();
            clients.push(tokio::spawn(async move {
                let http = reqwest::Client::new();
                let mine: Vec<&String> = users.iter().skip(client).step_by(CLIENTS).collect();
                let mut inside = BTreeSet::new();
                let mut random = client * 7919 + 17;
                // Ten changes in one PATCH, as directories send them.
                for _ in 0..CHANGES / CLIENTS / 10 {
                    let mut operations = Vec::new();
                    for _ in 0..10 {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let user = mine[(random >> 33) % mine.len()];
                        if inside.remove(user) {
                            operations.push(json!({ "op": "remove", "path": format!("members[value eq \"{user}\"]") }));
                        } else {
                            inside.insert(user.clone());
                            operations.push(json!({ "op": "add", "path": "members", "value": [{ "value": user }] }));
                        }
                    }
                    let answer = http.patch(format!("{path}?excludedAttributes=members")).bearer_auth(&token)
                        .body(json!({ "Operations": operations }).to_string()).send().await.unwrap();
                    let status = answer.status();
                    assert_eq!(status, 200, "{}", answer.text().await.unwrap());
                }
                inside
            }));
        }
        let mut expected = BTreeSet::new();
        for client in clients {
            expected.extend(client.await.unwrap());
        }
        let members: BTreeSet<String> = acme.members(&group).await.into_iter().collect();
        assert_eq!(members, expected);
    }
}
