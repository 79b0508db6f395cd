//! Versions, cursors (RFC 9865) and sorting.

use identity_center::{id::UserId, store};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Directory, GROUP};
use crate::on_both;

/// Walks a list by cursor; says the ids of each page.
pub(super) async fn walk(acme: &Directory<'_>, path: &str, attribute: &str) -> Vec<Vec<String>> {
    let (mut pages, mut cursor) = (Vec::new(), String::new());
    loop {
        let joint = if path.contains('?') { '&' } else { '?' };
        let page = acme.get(&format!("{path}{joint}cursor={cursor}")).await.expect(200);
        let ids = page["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one[attribute].as_str().unwrap_or_default().to_owned())
            .collect();
        pages.push(ids);
        assert!(page.get("startIndex").is_none());
        match page.get("nextCursor").and_then(Value::as_str) {
            Some(next) => cursor = next.to_owned(),
            None => return pages,
        }
        assert!(pages.len() < 50);
    }
}

on_both! {
    async fn versions_are_entity_tags(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({ "userName": "alice" })).await;
        assert_eq!(made.headers["etag"], "W/\"1\"");
        let body = made.expect(201);
        assert_eq!(body["meta"]["version"], "W/\"1\"");
        let path = format!("/Users/{}", body["id"].as_str().unwrap());
        let with = |method: Method, name: &'static str, tag: &'static str| {
            acme.request(method, &path).header(name, tag)
        };
        let unchanged = acme.send(with(Method::GET, "if-none-match", "W/\"1\"")).await;
        assert_eq!((unchanged.status.as_u16(), unchanged.text.as_str()), (304, ""));
        acme.send(with(Method::GET, "if-none-match", "W/\"0\"")).await.expect(200);
        let patch = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }] }).to_string();
        let refused = acme.send(with(Method::PATCH, "if-match", "W/\"9\"").body(patch.clone())).await;
        refused.refused(412, None);
        acme.send(with(Method::PUT, "if-match", "nonsense").body(r#"{"userName":"b"}"#)).await.refused(412, None);
        acme.send(with(Method::DELETE, "if-match", "\"2\"")).await.refused(412, None);
        let changed = acme.send(with(Method::PATCH, "if-match", "W/\"9\", W/\"1\"").body(patch.clone())).await;
        assert_eq!(changed.headers["etag"], "W/\"2\"");
        changed.expect(200);
        // The same again changes nothing, and any version will do for a star.
        let again = acme.send(with(Method::PATCH, "if-match", "*").body(patch)).await;
        assert_eq!(again.expect(200)["meta"]["version"], "W/\"2\"");
        acme.send(with(Method::DELETE, "if-match", "W/\"2\"")).await.expect(204);
        acme.send(with(Method::DELETE, "if-match", "*")).await.refused(404, None);
    }

    async fn a_cursor_walks_a_list_while_it_changes(house) {
        let acme = Directory::new(house).await;
        let mut ids = Vec::new();
        for number in 0..7 {
            ids.push(acme.user(&format!("user-{number}")).await);
        }
        let first = acme.get("/Users?cursor&count=3").await.expect(200);
        assert_eq!(first["totalResults"], 7);
        let next = first["nextCursor"].as_str().unwrap();
        // What went by is not missed, and what comes is seen.
        acme.delete(&format!("/Users/{}", ids[1])).await.expect(204);
        ids.push(acme.user("late").await);
        let second = acme.get(&format!("/Users?count=3&cursor={next}")).await.expect(200);
        let seen: Vec<&str> = second["Resources"].as_array().unwrap().iter().map(|u| u["id"].as_str().unwrap()).collect();
        assert_eq!(seen, [&ids[3], &ids[4], &ids[5]]);
        let pages = walk(&acme, "/Users?count=2", "id").await;
        assert_eq!(pages.concat().len(), 7);
        // RFC 9865 §2: who does not ask for a cursor gets none.
        assert!(acme.get("/Users?count=2").await.expect(200).get("nextCursor").is_none());
        for bad in ["cursor=AAAA", "cursor=%00", &format!("cursor={next}x")] {
            acme.get(&format!("/Users?{bad}")).await.refused(400, Some("invalidCursor"));
        }
        acme.get(&format!("/Users?cursor={next}&filter=userName%20pr")).await.refused(400, Some("invalidCursor"));
        acme.get(&format!("/Groups?cursor={next}")).await.refused(400, Some("invalidCursor"));
        let other = Directory::of_space(house, "other").await;
        other.get(&format!("/Users?cursor={next}")).await.refused(400, Some("invalidCursor"));
        house.app.clock.advance(SignedDuration::from_secs(3601));
        acme.get(&format!("/Users?cursor={next}")).await.refused(400, Some("expiredCursor"));
        acme.get("/Users?cursor&count=0").await.refused(400, Some("invalidCount"));
        let config = acme.get("/ServiceProviderConfig").await.expect(200);
        assert_eq!(config["pagination"]["defaultPaginationMethod"], "index");
        assert_eq!(config["pagination"]["cursor"], true);
    }

    async fn cursors_of_every_order_see_everybody_once(house) {
        let acme = Directory::new(house).await;
        for (name, title) in [("bob", "z"), ("Alice", "a"), ("carol", "m"), ("dave", ""), ("Eve", "a")] {
            let mut body = json!({ "userName": name });
            if !title.is_empty() {
                body["title"] = title.into();
            }
            acme.post("/Users", body).await.expect(201);
        }
        acme.post("/Groups", json!({ "schemas": [GROUP], "displayName": "g" })).await.expect(201);
        let walked = |pages: Vec<Vec<String>>| pages.concat();
        let by = async |query: &str| walked(walk(&acme, &format!("/Users?count=2&{query}"), "userName").await);
        assert_eq!(by("sortBy=userName").await, ["Alice", "bob", "carol", "dave", "Eve"]);
        assert_eq!(by("sortBy=userName&sortOrder=descending").await, ["Eve", "dave", "carol", "bob", "Alice"]);
        // Missing values come last ascending and first descending (RFC 7644 §3.4.2.3).
        assert_eq!(by("sortBy=title").await, ["Alice", "Eve", "carol", "bob", "dave"]);
        assert_eq!(by("sortBy=title&sortOrder=descending").await[0], "dave");
        assert_eq!(by("sortBy=meta.lastModified&sortOrder=descending").await.len(), 5);
        assert_eq!(by("sortBy=userName&filter=title%20pr").await.len(), 4);
        assert_eq!(walked(walk(&acme, "?count=2", "id").await).len(), 6);
        let page = acme.get("/Users?sortBy=userName&startIndex=2&count=2").await.expect(200);
        let names: Vec<&str> = page["Resources"].as_array().unwrap().iter().map(|u| u["userName"].as_str().unwrap()).collect();
        assert_eq!(names, ["bob", "carol"]);
        acme.get("/Users?sortBy=name").await.refused(400, Some("invalidValue"));
    }

    async fn a_page_deep_in_a_long_list_is_the_right_one_whatever_came_and_went(house) {
        let acme = Directory::new(house).await;
        // Made by hand before all others, and handed over to the directory in the middle of it.
        let by_hand: UserId = acme.manual_user("zero").await.parse().unwrap();
        let made = async |from: i32, to: i32| {
            for from in (from..to).step_by(1000) {
                let operations: Vec<Value> = (from..to.min(from + 1000)).map(|n| json!({
                    "method": "POST", "path": "/Users", "bulkId": n.to_string(), "data": { "userName": format!("user-{n:05}") },
                })).collect();
                acme.post("/Bulk", json!({ "Operations": operations })).await.expect(200);
                house.app.clock.advance(SignedDuration::from_secs(1));
            }
        };
        let page = async |start: usize| {
            let page = acme.get(&format!("/Users?startIndex={start}&count=3&attributes=userName")).await.expect(200);
            let names = page["Resources"].as_array().unwrap().iter();
            (page["totalResults"].as_u64().unwrap(), names.map(|one| one["userName"].as_str().unwrap().to_owned()).collect::<Vec<_>>())
        };
        let users = |first: usize| (first..first + 3).map(|n| format!("user-{n:05}")).collect::<Vec<_>>();
        made(0, 2500).await;
        // Nothing is sure yet, and nothing is wrong.
        assert_eq!(page(2001).await, (2500, users(2000)));
        house.app.clock.advance(SignedDuration::from_mins(20));
        made(2500, 3600).await;
        for start in [1, 1000, 1001, 1002, 1999, 2000, 2001, 2002, 2499, 3001, 3500, 2001] {
            assert_eq!(page(start).await, (3600, users(start - 1)), "{start}");
        }
        assert_eq!(page(3600).await, (3600, vec!["user-03599".to_owned()]));
        assert_eq!(page(3601).await, (3600, Vec::new()));
        // One leaves, and all behind it move up.
        let found = acme.get("/Users?filter=userName%20eq%20%22user-00500%22").await.expect(200);
        let id = found["Resources"][0]["id"].as_str().unwrap().to_owned();
        acme.send(acme.request(Method::DELETE, &format!("/Users/{id}"))).await.expect(204);
        for start in [1000, 2000, 2001, 3200] {
            assert_eq!(page(start).await, (3599, users(start)), "{start}");
        }
        // One comes from elsewhere, and its place is before all of them.
        house.app.db.write(async |tx| {
            store::sql("UPDATE users SET source = 'scim', document = $1 WHERE id = $2")
                .bind(r#"{"userName":"zero"}"#).bind(by_hand).execute(tx).await
        }).await.unwrap();
        for start in [2000, 2001, 3200] {
            assert_eq!(page(start).await, (3600, users(start - 1)), "{start}");
        }
        assert_eq!(page(1).await.1[0], "zero");
    }
}
