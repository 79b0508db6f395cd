//! PATCH over HTTP: atomic, forgiving where it is clear what is meant, precise where it is not.

use jiff::SignedDuration;
use reqwest::Method;
use serde_json::json;

use super::{Directory, ENTERPRISE, USER};
use crate::on_both;

on_both! {
    async fn scim_15_all_operations_or_none(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let path = format!("/Users/{id}");
        let before = acme.get(&path).await.expect(200);
        house.app.clock.advance(SignedDuration::from_secs(60));
        let detail = acme.patch(&path, json!([
            { "op": "replace", "path": "displayName", "value": "A" },
            { "op": "add", "path": "emails", "value": [{ "value": "a@x" }] },
            { "op": "replace", "path": "active", "value": "perhaps" },
        ])).await.refused(400, Some("invalidValue"));
        assert!(detail.starts_with("Operations[2]: active"), "{detail}");
        assert_eq!(acme.get(&path).await.expect(200), before);
        let group = acme.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        acme.patch(&path, json!([
            { "op": "add", "path": "members", "value": [{ "value": id }] },
            { "op": "remove", "path": "displayName" },
        ])).await.refused(400, Some("mutability"));
        assert!(acme.members(&group).await.is_empty());
    }

    async fn scim_14_old_and_new_entra_jobs(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let path = format!("/Users/{id}");
        let changed = acme.patch(&format!("{path}?aadOptscim062020"), json!([
            { "op": "Add", "path": "emails[type eq \"work\"].value", "value": "a@work" },
            { "op": "Add", "path": "emails[type eq \"work\"].primary", "value": "True" },
            { "op": "Replace", "path": "Name.GivenName", "value": "Alice" },
            { "op": "Add", "path": "manager", "value": "u-boss" },
            { "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "R&D" },
        ])).await.expect(200);
        assert_eq!(changed["emails"], json!([{ "type": "work", "value": "a@work", "primary": true }]));
        assert_eq!(changed["name"], json!({ "givenName": "Alice" }));
        assert_eq!(changed[ENTERPRISE], json!({ "manager": { "value": "u-boss" }, "department": "R&D" }));
        assert_eq!(changed["schemas"], json!([USER, ENTERPRISE]));
        let changed = acme.patch(&path, json!([{ "op": "replace", "value": {
            "displayName": "x", "name.familyName": "y", "emails[type eq \"work\"].value": "z",
            (format!("{ENTERPRISE}:employeeNumber")): "1", "active": false,
        } }])).await.expect(200);
        assert_eq!(changed["name"], json!({ "givenName": "Alice", "familyName": "y" }));
        assert_eq!(changed["emails"][0]["value"], "z");
        assert_eq!(changed["active"], false);
        // The extension leaves `schemas` with its last value.
        let changed = acme.patch(&path, json!([
            { "op": "Replace", "path": "manager", "value": "" },
            { "op": "remove", "path": format!("{ENTERPRISE}:department") },
            { "op": "remove", "path": format!("{ENTERPRISE}:employeeNumber") },
        ])).await.expect(200);
        assert_eq!(changed["schemas"], json!([USER]));
        // Found again by the new address, not by the old one.
        for (address, found) in [("Z", 1), ("a@work", 0)] {
            let filter = format!(r#"emails[type eq "work"].value eq "{address}""#);
            assert_eq!(acme.filter("/Users", &filter).await.expect(200)["totalResults"], found, "{address}");
        }
    }

    /// Without `active` a user is active, for every filter.
    async fn a_user_without_active_is_active(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let path = format!("/Users/{id}");
        acme.patch(&path, json!([{ "op": "replace", "path": "active", "value": false }])).await.expect(200);
        let shown = acme.patch(&path, json!([{ "op": "remove", "path": "active" }])).await.expect(200);
        assert!(shown.get("active").is_none());
        for (filter, found) in [("active eq true", 1), ("active eq false", 0), ("not (active eq false)", 1)] {
            assert_eq!(acme.filter("/Users", filter).await.expect(200)["totalResults"], found, "{filter}");
        }
    }

    async fn bodies_that_are_no_patches(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let path = format!("/Users/{id}");
        for body in [json!({}), json!({ "Operations": [] }), json!({ "Operations": [1] }),
            json!({ "Operations": [{ "op": "copy", "path": "x" }] })] {
            acme.send_json(Method::PATCH, &path, &body).await.refused(400, Some("invalidSyntax"));
        }
        acme.send_json(Method::PATCH, "/Users/u-nobody", &json!({})).await.refused(404, None);
        // Without `schemas`, and with names in other letter case.
        let body = json!({ "operations": [{ "OP": "replace", "Path": "title", "VALUE": "t" }] });
        assert_eq!(acme.send_json(Method::PATCH, &path, &body).await.expect(200)["title"], "t");
    }

    async fn projection_applies_to_every_answer(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users?attributes=userName", json!({ "userName": "a", "title": "t" })).await.expect(201);
        let id = made["id"].as_str().unwrap();
        assert_eq!(made, json!({ "schemas": [USER], "id": id, "userName": "a" }));
        let patched = acme.patch(&format!("/Users/{id}?excludedAttributes=meta,title,id"), json!([
            { "op": "add", "path": "nickName", "value": "n" },
        ])).await.expect(200);
        assert_eq!(patched, json!({
            "schemas": [USER], "id": id, "userName": "a", "active": true, "nickName": "n",
        }));
        let listed = acme.get("/Users?attributes=nickName").await.expect(200);
        assert_eq!(listed["Resources"][0], json!({ "schemas": [USER], "id": id, "nickName": "n" }));
    }
}
