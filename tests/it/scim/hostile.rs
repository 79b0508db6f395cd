//! Bad input: each kind gets the RFC's error, says where, in bounded time, and changes nothing.

use std::time::{Duration, Instant};

use identity_center::store::{self, sql};
use reqwest::{Body, Method};
use serde_json::{Value, json};

use super::{Answer, Directory, GROUP, USER};
use crate::on_both;

/// Nothing may take longer, however slow the machine is; what is unbounded takes minutes.
const BOUND: Duration = Duration::from_secs(20);

async fn send(acme: &Directory<'_>, method: Method, path: &str, body: impl Into<Body>) -> Answer {
    let began = Instant::now();
    let request =
        acme.request(method, path).header("content-type", "application/scim+json").body(body);
    let answer = acme.send(request).await;
    assert!(began.elapsed() < BOUND, "{path} took {:?}", began.elapsed());
    answer
}

/// Everything that a directory can change.
async fn state(acme: &Directory<'_>) -> Vec<i64> {
    let mut counts = Vec::new();
    for query in [
        "SELECT COUNT(*) FROM users",
        "SELECT COUNT(*) FROM groups",
        "SELECT COUNT(*) FROM group_members",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM users",
        "SELECT CAST(COALESCE(SUM(version), 0) AS BIGINT) FROM groups",
        "SELECT COUNT(*) FROM audit_records",
    ] {
        let db = &acme.house.app.db;
        counts.push(
            db.read(async |tx| -> store::Result<i64> { sql(query).fetch_number(tx).await })
                .await
                .unwrap(),
        );
    }
    counts
}

on_both! {
    async fn bodies_that_are_no_scim_messages(house) {
        let acme = Directory::new(house).await;
        let user = acme.user("alice").await;
        let group = acme.group("team", &[&user]).await;
        let before = state(&acme).await;
        let deep = |open: &str, close: &str| format!("{}{}", open.repeat(10_000), close.repeat(10_000));
        let huge = format!(r#"{{"userName":"a","title":{}}}"#, "9".repeat(100_000));
        for (body, scim_type, word) in [
            (String::new(), "invalidSyntax", "EOF"),
            ("{".to_owned(), "invalidSyntax", "line 1"),
            ("[]".to_owned(), "invalidSyntax", "object"),
            (r#"{"userName":"a"} {}"#.to_owned(), "invalidSyntax", "trailing"),
            (r#"{"userName":"a","userName":"b"}"#.to_owned(), "invalidSyntax", "twice"),
            (r#"{"userName":"a","USERNAME":"b"}"#.to_owned(), "invalidSyntax", "twice"),
            (deep("[", "]"), "invalidSyntax", "deeper"),
            (format!(r#"{{"userName":"a","name":{}}}"#, deep(r#"{"a":"#, "1}")), "invalidSyntax", ""),
            (r#"{"userName":"a\u0000b"}"#.to_owned(), "invalidSyntax", "U+0000"),
            (r#"{"userName":"a\ud800"}"#.to_owned(), "invalidSyntax", ""),
            (r#"{"userName":7}"#.to_owned(), "invalidValue", "userName"),
            (r#"{"userName":"a","active":"maybe"}"#.to_owned(), "invalidValue", "active"),
            (r#"{"userName":"a","emails":7}"#.to_owned(), "invalidValue", "emails"),
            (r#"{"userName":"a","emails":[{"value":"x"},{"value":{}}]}"#.to_owned(), "invalidValue", "emails[1].value"),
            ("{\"userName\":\"a\u{202e}b\"}".to_owned(), "invalidValue", "userName"),
            ("{\"userName\":\"\u{7}\"}".to_owned(), "invalidSyntax", ""),
            (huge, "invalid", ""),
        ] {
            let answer = send(&acme, Method::POST, "/Users", body.clone()).await.expect(400);
            let told = answer["scimType"].as_str().unwrap();
            assert!(told.starts_with(scim_type), "{told}: {}", &body[..body.len().min(80)]);
            let detail = answer["detail"].as_str().unwrap();
            assert!(detail.contains(word) && detail.len() < 1000, "{detail}");
        }
        let invalid_utf8 = [b"{\"userName\":\"".as_slice(), &[0xff, 0xfe], b"\"}"].concat();
        send(&acme, Method::POST, "/Users", invalid_utf8).await.refused(400, Some("invalidSyntax"));
        for (path, body, place) in [
            (format!("/Users/{user}"), json!({ "Operations": [{ "op": "replace", "path": "title", "value": "x" }, { "op": "move" }] }), "Operations[1]"),
            (format!("/Groups/{group}"), json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": user }, { "value": 7 }] }] }), "members[1].value"),
            (format!("/Users/{user}"), json!({ "Operations": [{ "op": "replace", "path": "emails[type eq", "value": "x" }] }), "character 15"),
            (format!("/Users/{user}"), json!({ "Operations": [{ "op": "replace", "path": "urn:nobody:knows:this", "value": "x" }] }), "Operations[0]"),
            (format!("/Users/{user}"), json!({ "Operations": [] }), "Operations"),
        ] {
            let answer = send(&acme, Method::PATCH, &path, body.to_string()).await.expect(400);
            assert!(answer["detail"].as_str().unwrap().contains(place), "{answer}");
        }
        let many: Vec<Value> = (0..20_000).map(|_| json!({ "op": "remove", "path": "title" })).collect();
        send(&acme, Method::PATCH, &format!("/Users/{user}"), json!({ "Operations": many }).to_string()).await.expect(400);
        assert_eq!(state(&acme).await, before);
    }

    async fn bodies_of_a_hundred_megabytes(house) {
        let acme = Directory::new(house).await;
        let before = state(&acme).await;
        for (path, limit) in [("/Users", "1048576"), ("/Groups", "16777216"), ("/Bulk", "16777216"), ("/.search", "1048576")] {
            let request = acme.request(Method::POST, path).header("content-type", "application/scim+json");
            let began = Instant::now();
            // Who is told to stop may find the connection closed under its hands.
            match request.body(vec![b' '; 100 * 1024 * 1024]).send().await {
                Ok(answer) => {
                    assert_eq!(answer.status(), 413);
                    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                    assert!(body["detail"].as_str().unwrap().contains(limit), "{body}");
                }
                Err(error) => assert!(error.is_request() || error.is_body(), "{error}"),
            }
            assert!(began.elapsed() < BOUND);
        }
        assert_eq!(state(&acme).await, before);
    }

    async fn filters_that_ask_too_much_or_something_else(house) {
        let acme = Directory::new(house).await;
        for name in ["100%", "a_b", "axb", "it's", "x'; DROP TABLE users; --", "\u{200b}wide"] {
            acme.post("/Users", json!({ "schemas": [USER], "userName": name })).await.expect(201);
        }
        let before = state(&acme).await;
        let count = async |filter: &str| acme.filter("/Users", filter).await.expect(200)["totalResults"].as_u64().unwrap();
        // Signs that mean something to a database mean themselves.
        assert_eq!(count(r#"userName co "%""#).await, 1);
        assert_eq!(count(r#"userName sw "a_""#).await, 1);
        assert_eq!(count(r#"userName co "_""#).await, 1);
        assert_eq!(count(r#"userName eq "x'; DROP TABLE users; --""#).await, 1);
        assert_eq!(count(r#"userName eq "' OR '1'='1""#).await, 0);
        assert_eq!(count("userName eq \"\u{200b}WIDE\"").await, 1);
        let search = async |filter: String| send(&acme, Method::POST, "/Users/.search", json!({ "filter": filter }).to_string()).await;
        let terms = vec![r#"userName eq "a""#; 10_000].join(" or ");
        search(terms).await.refused(400, Some("invalidFilter"));
        search(vec!["a pr"; 900].join(" and ")).await.expect(200);
        for (filter, word) in [
            (format!("{}userName pr{}", "(".repeat(2000), ")".repeat(2000)), "deeper"),
            (format!("{}userName pr{}", "not(".repeat(2000), ")".repeat(2000)), ""),
            (r#"userName eq "a"#.to_owned(), "character"),
            (r#"userName zz "a""#.to_owned(), "character 10"),
            ("active gt true".to_owned(), "active"),
            ("userName eq \"\\u0000\"".to_owned(), "character"),
        ] {
            let detail = search(filter).await.refused(400, Some("invalidFilter"));
            assert!(detail.contains(word), "{detail}");
        }
        for query in ["filter=%ff%fe", "startIndex=9999999999999999999999", "count=-99999999999999999999", "attributes=,,,,%00"] {
            let status = acme.get(&format!("/Users?{query}")).await.status.as_u16();
            assert!(status < 500, "{query}: {status}");
        }
        assert_eq!(state(&acme).await, before);
        // SCIM-23: nothing about rights is taken from a directory.
        let body = json!({ "schemas": [GROUP], "displayName": "Administrators", "roles": ["root"], "entitlements": [{ "value": "admin" }] });
        let group = acme.post("/Groups", body).await.expect(201);
        assert!(group.get("roles").is_none() && group.get("entitlements").is_none());
    }
}
