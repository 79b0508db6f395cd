//! What holds of every endpoint: who may come in, media types, sizes, methods, discovery.

use identity_center::{credential, space};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Directory, GROUP, USER, act};
use crate::on_both;

on_both! {
    async fn con_01_a_token_opens_its_own_space_and_no_other(house) {
        let acme = Directory::of_space(house, "acme").await;
        let other = Directory::of_space(house, "other").await;
        let id = acme.user("alice").await;
        acme.get(&format!("/Users/{id}")).await.expect(200);
        other.get(&format!("/Users/{id}")).await.refused(404, None);
        other.delete(&format!("/Users/{id}")).await.refused(404, None);
        assert_eq!(other.get("/Users").await.expect(200)["totalResults"], 0);
        // The name is free there.
        other.user("alice").await;
    }

    async fn scim_08_scim_09_without_a_good_token_nothing_is_told(house) {
        let acme = Directory::new(house).await;
        let client = reqwest::Client::new();
        for header in ["", "Bearer", "Bearer ", "Bearer x", "Basic dTpw", &format!("Bearer {}x", acme.token)] {
            let mut request = client.get(house.url("/scim/v2/Users"));
            if !header.is_empty() {
                request = request.header("authorization", header);
            }
            let answer = acme.send(request).await;
            answer.refused(401, None);
            assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        }
        let act = act(house);
        let (space, id) = (acme.space.id, acme.credential);
        let switch = async |enabled| {
            let db = &house.app.db;
            db.write(async |tx| credential::set_enabled(tx, &act, space, id, enabled).await).await.unwrap();
        };
        switch(false).await;
        acme.get("/Users").await.refused(401, None);
        switch(true).await;
        acme.get("/Users").await.expect(200);
        house.app.clock.advance(SignedDuration::from_hours(24 * 366));
        acme.get("/Users").await.refused(401, None);
    }

    async fn scim_02_switched_off_refuses_everything(house) {
        let acme = Directory::new(house).await;
        let act = act(house);
        let db = &house.app.db;
        db.write(async |tx| space::set_scim_enabled(tx, &act, &acme.space, false).await).await.unwrap();
        for path in ["/Users", "/Groups", "/Schemas", "/nothing"] {
            let detail = acme.get(path).await.refused(403, None);
            assert!(detail.contains("switched off"), "{detail}");
        }
        acme.post("/Users", json!({ "userName": "alice" })).await.refused(403, None);
        acme.get("/ServiceProviderConfig").await.expect(200);
    }

    async fn scim_10_scim_12_discovery_is_complete_and_true(house) {
        let acme = Directory::new(house).await;
        let open = reqwest::get(house.url("/scim/v2/ServiceProviderConfig")).await.unwrap();
        assert_eq!(open.status(), 200);
        let config: Value = open.json().await.unwrap();
        assert_eq!(config["patch"]["supported"], true);
        assert_eq!(config["filter"], json!({ "supported": true, "maxResults": 1000 }));
        assert_eq!(config["authenticationSchemes"][0]["type"], "oauthbearertoken");
        assert_eq!(config["meta"]["location"], format!("{}/ServiceProviderConfig", acme.base()));
        for feature in ["bulk", "sort", "etag"] {
            assert_eq!(config[feature]["supported"], true, "{feature}");
        }
        assert_eq!(config["changePassword"]["supported"], false);
        let types = acme.get("/ResourceTypes").await.expect(200);
        let names: Vec<&str> =
            types["Resources"].as_array().unwrap().iter().map(|kind| kind["id"].as_str().unwrap()).collect();
        assert_eq!(names, ["User", "Group"]);
        for kind in types["Resources"].as_array().unwrap() {
            acme.get(&format!("/ResourceTypes/{}", kind["id"].as_str().unwrap())).await.expect(200);
            acme.get(&format!("/Schemas/{}", kind["schema"].as_str().unwrap())).await.expect(200);
            acme.get(kind["endpoint"].as_str().unwrap()).await.expect(200);
        }
        let schemas = acme.get("/Schemas?startIndex=9&count=x").await.expect(200);
        assert_eq!(schemas["totalResults"], 3);
        for path in ["/Schemas/urn:nothing", "/ResourceTypes/Nothing", "/Nothing", "/Users/a/b"] {
            acme.get(path).await.refused(404, None);
        }
        for path in ["/Schemas", "/ResourceTypes", "/ServiceProviderConfig"] {
            acme.filter(path, "id pr").await.refused(403, None);
            acme.post(path, json!({})).await.refused(405, None);
        }
    }

    async fn methods_endpoints_and_slashes(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        for (method, path) in [
            (Method::PUT, "/Users"), (Method::PATCH, "/Groups"), (Method::DELETE, "/Users"),
            (Method::DELETE, "/Schemas"), (Method::OPTIONS, "/Users"),
        ] {
            acme.send(acme.request(method, path)).await.refused(405, None);
        }
        acme.post(&format!("/Users/{id}"), json!({})).await.refused(405, None);
        for path in ["/Me", "/Me/x"] {
            acme.get(path).await.refused(501, None);
        }
        acme.get("/Bulk").await.refused(405, None);
        acme.get("/Users/?count=1").await.expect(200);
        acme.get(&format!("/Users/{id}/")).await.expect(200);
        acme.get("/ServiceProviderConfig/").await.expect(200);
        acme.post("/Users/", json!({ "userName": "bob" })).await.expect(201);
        acme.get("/Nothing/").await.refused(404, None);
        acme.get("/Users/%FF").await.refused(404, None);
        let head = acme.send(acme.request(Method::HEAD, "/Users")).await;
        assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    }

    async fn media_types_and_bodies(house) {
        let acme = Directory::new(house).await;
        let post = async |media_type: Option<&str>, body: &str| {
            let mut request = acme.request(Method::POST, "/Users").body(body.to_owned());
            if let Some(media_type) = media_type {
                request = request.header("content-type", media_type);
            }
            acme.send(request).await
        };
        post(Some("application/json"), r#"{"userName":"a"}"#).await.expect(201);
        post(Some("application/scim+json; charset=utf-8"), r#"{"userName":"b"}"#).await.expect(201);
        post(None, r#"{"userName":"c"}"#).await.expect(201);
        post(Some("text/xml"), r#"{"userName":"d"}"#).await.refused(415, None);
        for body in ["", "{", "[]", "null", r#"{"userName":"a","userName":"b"}"#,
            r#"{"userName":"a\u0000"}"#, &"[".repeat(100_000)] {
            post(None, body).await.refused(400, Some("invalidSyntax"));
        }
        for name in [r"\u0007", r"\u202eadmin", "", "  "] {
            post(None, &format!(r#"{{"userName":"{name}"}}"#)).await.refused(400, Some("invalidValue"));
        }
        let large = format!(r#"{{"userName":"e","title":"{}"}}"#, "x".repeat(1024 * 1024));
        let refused = post(None, &large).await;
        // What is left of the body stands in the way of the next request.
        assert_eq!(refused.headers["connection"], "close");
        refused.refused(413, None);
        let plain = acme.request(Method::GET, "/Users").header("accept", "application/json");
        let plain = acme.send(plain).await;
        assert_eq!(plain.headers["content-type"], "application/json");
        assert_eq!(plain.body()["totalResults"], 3);
    }

    /// A group may be sixteen times as large as a user.
    async fn large_groups_arrive(house) {
        let acme = Directory::new(house).await;
        let members: Vec<Value> = (0..20_000)
            .map(|number| json!({ "value": format!("nobody-{number:06}"), "$ref": "x".repeat(40) }))
            .collect();
        let body = json!({ "schemas": [GROUP], "displayName": "Large", "members": members });
        assert!(body.to_string().len() > 1024 * 1024);
        let made = acme.post("/Groups", body).await.expect(201);
        assert_eq!(made["members"].as_array().unwrap().len(), 20_000);
        let id = made["id"].as_str().unwrap();
        // More than a thousand members: a PATCH answers without a body, unless one is asked for.
        let path = format!("/Groups/{id}");
        let operation = json!([{ "op": "add", "path": "members", "value": [{ "value": "one-more" }] }]);
        acme.patch(&path, operation.clone()).await.expect(204);
        let asked = acme.patch(&format!("{path}?attributes=displayName"), operation).await.expect(200);
        assert_eq!(asked["displayName"], "Large");
        assert_eq!(acme.members(id).await.len(), 20_001);
    }

    async fn unknown_attributes_and_parameters_are_ignored(house) {
        let acme = Directory::new(house).await;
        let body = json!({
            "schemas": [USER, "urn:custom:2.0:User"], "userName": "alice", "favourite": { "x": [1] },
            "urn:custom:2.0:User": { "a": 1 }, "roles": [{ "value": "admin" }],
        });
        let made = acme.post("/Users?aadOptscim062020&x=%FF", body).await.expect(201);
        assert_eq!(made["schemas"], json!([USER]));
        assert!(made.get("favourite").is_none() && made.get("urn:custom:2.0:User").is_none());
        assert_eq!(made["roles"], json!([{ "value": "admin" }]));
    }
}
