//! What real clients send, shape by shape: the list of reference/SCIM.md §2.10, each entry named
//! after a client that needs it, and whole lives of accounts as the clients drive them (§2.1 to
//! §2.9).

use reqwest::Method;
use serde_json::{Value, json};

use super::{Directory, ENTERPRISE, GROUP, PATCH, USER};
use crate::on_both;

/// The path of a resource that was made.
fn path_of(endpoint: &str, made: &Value) -> String {
    format!("{endpoint}/{}", made["id"].as_str().unwrap())
}

async fn total(acme: &Directory<'_>, endpoint: &str, filter: &str) -> Value {
    acme.filter(endpoint, filter).await.expect(200)["totalResults"].clone()
}

on_both! {
    async fn quirk_01_entra_writes_operations_booleans_and_names_in_any_case(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({ "schemas": [USER], "USERNAME": "bob", "Active": "True" })).await.expect(201);
        assert_eq!(made["active"], true);
        let path = path_of("/Users", &made);
        for (op, value) in [("Replace", json!("False")), ("REPLACE", json!("TRUE")), ("replace", json!("FALSE"))] {
            let body = json!({ "schemas": [PATCH], "Operations": [{ "op": op, "path": "ACTIVE", "value": value }] });
            let changed = acme.send_json(Method::PATCH, &path, &body).await.expect(200);
            assert_eq!(changed["active"], value.as_str().unwrap().eq_ignore_ascii_case("true"));
        }
    }

    async fn quirk_02_entra_patches_without_path_by_dotted_urn_and_bracketed_names(house) {
        let acme = Directory::new(house).await;
        let path = format!("/Users/{}?aadOptscim062020", acme.user("bob").await);
        let changed = acme.patch(&path, json!([{ "op": "replace", "value": {
            "displayName": "x", "name.givenName": "y", "emails[type eq \"work\"].value": "z@x",
            (format!("{ENTERPRISE}:employeeNumber")): "1", (format!("{USER}:nickName")): "n",
        } }])).await.expect(200);
        assert_eq!(changed["displayName"], "x");
        assert_eq!(changed["name"], json!({ "givenName": "y" }));
        assert_eq!(changed["emails"], json!([{ "type": "work", "value": "z@x" }]));
        assert_eq!(changed[ENTERPRISE], json!({ "employeeNumber": "1" }));
        assert_eq!(changed["nickName"], "n");
    }

    async fn quirk_03_entra_removes_members_by_a_value_list(house) {
        let acme = Directory::new(house).await;
        let (a, b, c) = (acme.user("a").await, acme.user("b").await, acme.user("c").await);
        let group = acme.group("G", &[&a, &b, &c]).await;
        acme.patch(&format!("/Groups/{group}"), json!([
            { "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": b }] },
        ])).await.expect(200);
        assert_eq!(acme.members(&group).await, [a, c]);
    }

    async fn quirk_04_entra_adds_to_and_replaces_values_that_are_not_there(house) {
        let acme = Directory::new(house).await;
        let path = format!("/Users/{}", acme.user("bob").await);
        let changed = acme.patch(&path, json!([
            { "op": "Add", "path": "emails[type eq \"work\"].Value", "value": "b@work" },
            { "op": "Add", "path": "emails[type eq \"work\"].primary", "value": true },
            { "op": "Replace", "path": "phoneNumbers[type eq \"mobile\"].value", "value": "+1 555" },
            { "op": "Add", "path": "addresses[type eq \"work\"].locality", "value": "Bonn" },
            { "op": "Add", "path": "addresses[type eq \"work\"].country", "value": "DE" },
        ])).await.expect(200);
        assert_eq!(changed["emails"], json!([{ "type": "work", "value": "b@work", "primary": true }]));
        assert_eq!(changed["phoneNumbers"], json!([{ "type": "mobile", "value": "+1 555" }]));
        assert_eq!(changed["addresses"], json!([{ "type": "work", "locality": "Bonn", "country": "DE" }]));
        acme.patch(&path, json!([{ "op": "replace", "path": "emails[value eq \"nobody\"].display", "value": "x" }])).await
            .refused(400, Some("noTarget"));
    }

    async fn quirk_05_entra_sends_managers_and_members_as_strings_and_clears_by_an_empty_one(house) {
        let acme = Directory::new(house).await;
        let boss = acme.user("boss").await;
        let id = acme.user("bob").await;
        let path = format!("/Users/{id}");
        let changed = acme.patch(&path, json!([{ "op": "Add", "path": "manager", "value": boss }])).await.expect(200);
        assert_eq!(changed[ENTERPRISE], json!({ "manager": { "value": boss } }));
        assert_eq!(total(&acme, "/Users", &format!("id eq \"{id}\" and manager eq \"{boss}\"")).await, 1);
        let changed = acme.patch(&path, json!([
            { "op": "Replace", "path": format!("{ENTERPRISE}:manager"), "value": "" },
        ])).await.expect(200);
        assert!(changed.get(ENTERPRISE).is_none());
        assert_eq!(changed["schemas"], json!([USER]));
        let group = acme.group("G", &[]).await;
        acme.patch(&format!("/Groups/{group}"), json!([{ "op": "add", "path": "members", "value": [id] }])).await.expect(200);
        assert_eq!(acme.members(&group).await, [id]);
    }

    async fn quirk_06_entra_filters_beyond_the_grammar(house) {
        let acme = Directory::new(house).await;
        let boss = acme.user("boss").await;
        let bob = acme.post("/Users", json!({
            "userName": "bob", "emails": [{ "type": "work", "value": "b@x" }, { "type": "home", "value": "h@x" }],
            "roles": [{ "value": "admin", "primary": true }], ENTERPRISE: { "manager": { "value": boss } },
        })).await.expect(201);
        let id = bob["id"].as_str().unwrap();
        let group = acme.group("G", &[id]).await;
        for (filter, found) in [
            (r#"emails[type eq "work"].value eq "b@x""#.to_owned(), 1),
            (r#"emails[type eq "home"].value eq "b@x""#.to_owned(), 0),
            ("userName eq bob".to_owned(), 1),
            (r#"userName eq"bob""#.to_owned(), 1),
            (format!(r#"manager eq "{boss}""#), 1),
            (r#"roles[primary eq "True"].value eq "admin""#.to_owned(), 1),
            (r#"active eq "True" and userName eq "bob""#.to_owned(), 1),
            (r#"not(userName eq "bob")"#.to_owned(), 1),
        ] {
            assert_eq!(total(&acme, "/Users", &filter).await, found, "{filter}");
        }
        let asked = format!(r#"id eq "{group}" and members eq "{id}""#);
        assert_eq!(total(&acme, "/Groups", &asked).await, 1);
        // `+` is a space, `%2B` a plus (ssosync).
        acme.post("/Users", json!({ "userName": "a+b@c" })).await.expect(201);
        let found = acme.get("/Users?filter=userName+eq+%22a%2Bb%40c%22").await.expect(200);
        assert_eq!(found["totalResults"], 1);
    }

    async fn quirk_07_entra_sends_attributes_urns_and_parameters_that_nobody_knows(house) {
        let acme = Directory::new(house).await;
        let custom = "urn:ietf:params:scim:schemas:extension:Custom:2.0:User";
        let made = acme.post("/Users?whatever=1", json!({
            "schemas": [USER, custom], "userName": "bob", "favouriteColour": "red", custom: { "x": 1 },
        })).await.expect(201);
        assert_eq!(made["schemas"], json!([USER]));
        assert!(made.get("favouriteColour").is_none() && made.get(custom).is_none());
        let path = path_of("/Users", &made);
        acme.patch(&path, json!([{ "op": "replace", "value": { "favouriteColour": "blue", "title": "t" } }])).await.expect(200);
        acme.patch(&path, json!([{ "op": "replace", "path": "favouriteColour", "value": "blue" }])).await
            .refused(400, Some("invalidPath"));
        acme.post("/Groups", json!({ "displayName": "G", "schemas": [GROUP,
            "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"] })).await.expect(201);
    }

    async fn quirk_08_rauthy_and_okta_clear_by_null_and_by_an_empty_list(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({
            "userName": "bob", "externalId": "e", "title": null, "roles": [], "nickName": "n",
            "emails": [{ "value": "b@x" }],
        })).await.expect(201);
        assert!(made.get("title").is_none() && made.get("roles").is_none());
        let changed = acme.patch(&path_of("/Users", &made), json!([
            { "op": "replace", "value": { "externalId": null, "displayName": "B" } },
            { "op": "replace", "path": "emails", "value": [] },
            { "op": "replace", "path": "nickName", "value": null },
        ])).await.expect(200);
        for name in ["externalId", "emails", "nickName"] {
            assert!(changed.get(name).is_none(), "{name}");
        }
        let group = acme.group("G", &[made["id"].as_str().unwrap()]).await;
        acme.patch(&format!("/Groups/{group}"), json!([
            { "op": "replace", "value": { "members": [], "id": group, "displayName": "G" } },
        ])).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
    }

    async fn quirk_09_several_end_paths_with_a_slash(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("bob").await;
        assert_eq!(acme.get(&format!("/Users/{id}/")).await.expect(200)["id"], id.as_str());
        assert_eq!(acme.get("/Users/?count=1").await.expect(200)["totalResults"], 1);
        acme.post("/Users/", json!({ "userName": "carol" })).await.expect(201);
        acme.get("/ServiceProviderConfig/").await.expect(200);
    }

    async fn quirk_10_onelogin_sends_plain_json_and_patches_without_schemas(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("bob").await;
        let group = acme.group("G", &[]).await;
        let body = json!({ "Operations": [{ "op": "add", "path": "members", "value": [{ "value": id }] }] });
        let request = acme.request(Method::PATCH, &format!("/Groups/{group}"))
            .header("content-type", "application/json; charset=utf-8")
            .body(body.to_string());
        acme.send(request).await.expect(200);
        assert_eq!(acme.members(&group).await, [id]);
        let request = acme.request(Method::GET, "/Users?count=1").header("accept", "application/json");
        let answer = acme.send(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "application/json");
    }

    async fn quirk_11_okta_adds_who_is_there_and_removes_who_is_not(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("bob").await;
        let group = acme.group("G", &[&id]).await;
        let path = format!("/Groups/{group}");
        let before = acme.get(&path).await.expect(200);
        for operations in [
            json!([{ "op": "add", "path": "members", "value": [{ "value": id, "display": "Bob" }] }]),
            json!([{ "op": "remove", "path": "members[value eq \"u-nobody\"]" }]),
            json!([{ "op": "remove", "path": "members", "value": [{ "value": "u-nobody" }] }]),
        ] {
            acme.patch(&path, operations).await.expect(200);
        }
        assert_eq!(acme.get(&path).await.expect(200), before);
    }

    async fn quirk_12_okta_looks_names_up_in_any_case_and_external_ids_exactly(house) {
        let acme = Directory::new(house).await;
        acme.post("/Users", json!({ "userName": "Bob@Example.com", "externalId": "00uAbC" })).await.expect(201);
        assert_eq!(total(&acme, "/Users", r#"userName eq "bOB@example.COM""#).await, 1);
        assert_eq!(total(&acme, "/Users", r#"externalId eq "00uAbC""#).await, 1);
        assert_eq!(total(&acme, "/Users", r#"externalId eq "00uabc""#).await, 0);
        acme.post("/Users", json!({ "userName": "BOB@example.com" })).await.refused(409, Some("uniqueness"));
    }

    async fn quirk_13_entra_expects_values_byte_for_byte(house) {
        let acme = Directory::new(house).await;
        let sent = json!({
            "userName": "  Ünï@X.Example ", "externalId": "6B29FC40-CA47-1067-B31D-00DD010662DA",
            "displayName": "e\u{301} é \u{200b}", "title": "", "profileUrl": "HTTP://x/%7e?a=+",
            "phoneNumbers": [{ "type": "work", "value": "+1 (425) 555-0100 x7" }],
            "addresses": [{ "type": "work", "streetAddress": "1 A St\r\nSuite 2", "primary": false }],
        });
        let made = acme.post("/Users", sent.clone()).await.expect(201);
        let read = acme.get(&path_of("/Users", &made)).await.expect(200);
        for (name, value) in sent.as_object().unwrap() {
            assert_eq!(&read[name], value, "{name}");
        }
    }

    async fn quirk_14_okta_imports_in_pages_of_a_stable_order(house) {
        let acme = Directory::new(house).await;
        let mut made = Vec::new();
        for number in 0..7 {
            made.push(acme.user(&format!("user{number}")).await);
        }
        let mut seen = Vec::new();
        loop {
            let page = acme.get(&format!("/Users?startIndex={}&count=3", seen.len() + 1)).await;
            assert!(page.text.contains(r#""totalResults":7"#), "{}", page.text);
            let page = page.expect(200);
            let ids = page["Resources"].as_array().unwrap();
            assert_eq!(page["itemsPerPage"], ids.len());
            if ids.is_empty() {
                break;
            }
            seen.extend(ids.iter().map(|user| user["id"].as_str().unwrap().to_owned()));
        }
        assert_eq!(seen, made);
        // rauthy and Entra ID: nothing found is a list, too.
        let nothing = acme.filter("/Users", r#"userName eq "6b29fc40-ca47-1067-b31d-00dd010662da""#).await.expect(200);
        assert_eq!((&nothing["totalResults"], &nothing["Resources"]), (&json!(0), &json!([])));
    }

    async fn quirk_15_the_tester_follows_locations_and_references(house) {
        let acme = Directory::new(house).await;
        let answer = acme.post("/Users", json!({ "userName": "bob" })).await;
        let made = answer.expect(201);
        let location = format!("{}{}", acme.base(), path_of("/Users", &made));
        assert_eq!(answer.headers["location"], location.as_str());
        assert_eq!(made["meta"]["location"], location.as_str());
        let group = acme.group("G", &[made["id"].as_str().unwrap()]).await;
        let group = acme.get(&format!("/Groups/{group}")).await.expect(200);
        assert_eq!(group["members"][0]["$ref"], location.as_str());
        let user = acme.get(&path_of("/Users", &made)).await.expect(200);
        assert_eq!(user["groups"][0]["$ref"], group["meta"]["location"]);
    }

    async fn quirk_16_okta_reads_refusals_as_scim_errors(house) {
        let acme = Directory::new(house).await;
        let bob = acme.user("bob").await;
        acme.get("/Users/u-nobody").await.refused(404, None);
        acme.post("/Users", json!({ "userName": "BOB" })).await.refused(409, Some("uniqueness"));
        acme.delete(&format!("/Users/{bob}")).await.expect(204);
        acme.delete(&format!("/Users/{bob}")).await.refused(404, None);
        let mut request = acme.request(Method::GET, "/Users").build().unwrap();
        request.headers_mut().insert("authorization", "Bearer wrong".parse().unwrap());
        let answer = reqwest::Client::new().execute(request).await.unwrap();
        assert_eq!(answer.status(), 401);
        assert!(answer.headers().contains_key("www-authenticate"));
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["status"], "401");
    }

    async fn quirk_17_onelogin_leaves_active_out_and_means_true(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({ "userName": "bob", "title": "", "locale": "" })).await.expect(201);
        assert_eq!(made["active"], true);
        assert_eq!(total(&acme, "/Users", "active eq true").await, 1);
        let path = path_of("/Users", &made);
        acme.put(&path, json!({ "userName": "bob", "active": false })).await.expect(200);
        assert_eq!(total(&acme, "/Users", "active eq true").await, 0);
        acme.put(&path, json!({ "userName": "bob" })).await.expect(200);
        assert_eq!(total(&acme, "/Users", "active eq true").await, 1);
    }

    async fn quirk_18_others_send_a_list_as_a_single_object(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({
            "userName": "bob", "emails": { "value": "b@x", "type": "work", "primary": "TRUE" },
        })).await.expect(201);
        assert_eq!(made["emails"], json!([{ "value": "b@x", "type": "work", "primary": true }]));
        let group = acme.post("/Groups", json!({
            "displayName": "G", "members": { "value": made["id"] },
        })).await.expect(201);
        assert_eq!(group["members"][0]["value"], made["id"]);
    }

    /// §2.1, the dialect of old jobs: from the connection test to the deletion, and again.
    async fn scim_01_a_life_in_entra_id(house) {
        let acme = Directory::new(house).await;
        assert_eq!(total(&acme, "/Users", r#"userName eq "b5b5cf6f-8c02-4f0b-9a5e-1b3c7d0e2f11""#).await, 0);
        for _ in 0..2 {
            let made = acme.post("/Users", json!({
                "schemas": [USER, ENTERPRISE], "externalId": "bob", "userName": "bob@contoso.com",
                "active": true, "emails": [{ "primary": true, "type": "work", "value": "bob@contoso.com" }],
                "meta": { "resourceType": "User" }, "name": { "formatted": "Bob B", "familyName": "B", "givenName": "Bob" },
                "roles": [],
            })).await.expect(201);
            let user = path_of("/Users", &made);
            let group = acme.post("/Groups", json!({
                "schemas": [GROUP], "externalId": "8aa1a0c0", "displayName": "Team", "meta": { "resourceType": "Group" },
            })).await.expect(201);
            let group = path_of("/Groups", &group);
            acme.patch(&group, json!([{ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": made["id"] }] }])).await.expect(200);
            let without = acme.get("/Groups?excludedAttributes=members&filter=displayName+eq+%22Team%22").await.expect(200);
            assert!(without["Resources"][0].get("members").is_none());
            let changed = acme.patch(&user, json!([
                { "op": "Replace", "path": "emails[type eq \"work\"].value", "value": "robert@contoso.com" },
                { "op": "Replace", "path": "name.givenName", "value": "Robert" },
                { "op": "Add", "path": format!("{ENTERPRISE}:department"), "value": "R&D" },
            ])).await.expect(200);
            assert_eq!(changed["emails"], json!([{ "primary": true, "type": "work", "value": "robert@contoso.com" }]));
            acme.patch(&user, json!([{ "op": "Replace", "path": "active", "value": "False" }])).await.expect(200);
            assert_eq!(acme.get(&user).await.expect(200)["active"], false);
            acme.patch(&group, json!([{ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": made["id"] }] }])).await.expect(200);
            for path in [&user, &group] {
                acme.delete(path).await.expect(204);
                acme.delete(path).await.refused(404, None);
            }
        }
    }

    /// §2.1, the dialect of `aadOptscim062020`.
    async fn scim_01_a_life_in_entra_id_with_the_new_dialect(house) {
        let acme = Directory::new(house).await;
        let user = format!("/Users/{}", acme.user("bob").await);
        let flagged = format!("{user}?aadOptscim062020");
        let changed = acme.patch(&flagged, json!([{ "op": "replace", "value": {
            "displayName": "Bob", "name.familyName": "B", "emails[type eq \"work\"].value": "b@x",
            "emails[type eq \"work\"].primary": true, (format!("{ENTERPRISE}:employeeNumber")): "7", "active": false,
        } }])).await.expect(200);
        assert_eq!(changed["active"], false);
        assert_eq!(changed["emails"], json!([{ "type": "work", "value": "b@x", "primary": true }]));
        let id = user.strip_prefix("/Users/").unwrap();
        let group = acme.group("G", &[id, "other"]).await;
        acme.patch(&format!("/Groups/{group}?aadOptscim062020"), json!([
            { "op": "remove", "path": format!("members[value eq \"{id}\"]") },
        ])).await.expect(200);
        assert_eq!(acme.members(&group).await, ["other"]);
    }

    /// §2.2, apps of the app wizard: everything by PUT of what was read, never a DELETE.
    async fn scim_01_a_life_in_okta_apps_of_the_wizard(house) {
        let acme = Directory::new(house).await;
        let sent = json!({
            "schemas": [USER], "userName": "isaac@example.com", "name": { "givenName": "Isaac", "middleName": "", "familyName": "Brock" },
            "emails": [{ "primary": true, "value": "isaac@example.com", "type": "work" }], "displayName": "Isaac Brock",
            "locale": "en-US", "externalId": "00ujl29u0le5T6Aj10h7", "groups": [], "password": "1mz050nq", "active": true,
        });
        assert_eq!(total(&acme, "/Users", r#"userName eq "isaac@example.com""#).await, 0);
        let made = acme.post("/Users", sent.clone()).await;
        assert!(!made.text.contains("1mz050nq"));
        let made = made.expect(201);
        acme.post("/Users", sent).await.refused(409, Some("uniqueness"));
        let path = path_of("/Users", &made);
        let group = acme.group("Everyone", &[made["id"].as_str().unwrap()]).await;
        for active in [false, true] {
            let mut whole = acme.get(&path).await.expect(200);
            assert_eq!(whole["groups"][0]["value"], group.as_str());
            whole["active"] = active.into();
            let replaced = acme.put(&path, whole).await.expect(200);
            assert_eq!(replaced["active"], active);
            assert_eq!(replaced["name"], made["name"]);
        }
        let renamed = acme.patch(&format!("/Groups/{group}"), json!([
            { "op": "replace", "value": { "id": group, "displayName": "All" } },
        ])).await.expect(200);
        assert_eq!(renamed["displayName"], "All");
        assert_eq!(acme.members(&group).await, [made["id"].as_str().unwrap()]);
        acme.delete(&format!("/Groups/{group}")).await.expect(204);
    }

    /// §2.2, apps of the integration network.
    async fn scim_01_a_life_in_okta_apps_of_the_network(house) {
        let acme = Directory::new(house).await;
        let (a, b) = (acme.user("a").await, acme.user("b").await);
        let path = format!("/Users/{a}");
        acme.patch(&path, json!([{ "op": "replace", "value": { "password": "s3cret" } }])).await.expect(200);
        assert_eq!(acme.patch(&path, json!([{ "op": "replace", "value": { "active": false } }])).await.expect(200)["active"], false);
        let made = acme.post("/Groups", json!({ "schemas": [GROUP], "displayName": "G", "members": [] })).await.expect(201);
        let group = path_of("/Groups", &made);
        acme.patch(&group, json!([{ "op": "replace", "path": "members", "value": [{ "value": a, "display": "A" }] }])).await.expect(200);
        acme.patch(&group, json!([
            { "op": "remove", "path": format!("members[value eq \"{a}\"]") },
            { "op": "add", "path": "members", "value": [{ "value": b, "display": "B" }] },
        ])).await.expect(200);
        assert_eq!(acme.members(made["id"].as_str().unwrap()).await, [b]);
        acme.patch(&group, json!([{ "op": "replace", "path": "members", "value": [] }])).await.expect(200);
        assert!(acme.members(made["id"].as_str().unwrap()).await.is_empty());
    }

    /// §2.3: a template by POST and PUT, with empty strings where nothing is mapped.
    async fn scim_01_a_life_in_onelogin(house) {
        let acme = Directory::new(house).await;
        let template = |active: Option<bool>| {
            let mut body = json!({
                "schemas": [USER, ENTERPRISE], "userName": "jo@example.com", "externalId": "", "title": "",
                "name": { "familyName": "Jo", "givenName": "", "formatted": "" },
                "emails": [{ "value": "jo@example.com", "type": "work", "primary": true }],
                "phoneNumbers": [{ "value": "", "type": "work" }],
                ENTERPRISE: { "department": "", "manager": "" },
            });
            if let Some(active) = active {
                body["active"] = active.into();
            }
            body
        };
        assert_eq!(total(&acme, "/Users", r#"userName eq "jo@example.com""#).await, 0);
        let made = acme.post("/Users", template(None)).await.expect(201);
        assert_eq!((&made["active"], &made["title"]), (&json!(true), &json!("")));
        assert_eq!(made[ENTERPRISE], json!({ "department": "" }));
        let path = path_of("/Users", &made);
        assert_eq!(acme.put(&path, template(Some(false))).await.expect(200)["active"], false);
        acme.get("/Groups").await.expect(200);
        acme.delete(&path).await.expect(204);
    }

    /// §2.5: a trial of everything, then accounts are taken over.
    async fn a_life_in_jumpcloud(house) {
        let acme = Directory::new(house).await;
        let (user, group) = (acme.user("jumpcloud-test").await, acme.group("jumpcloud-test", &[]).await);
        let joined = json!([{ "op": "add", "path": "members", "value": [{ "value": user }] }]);
        for _ in 0..2 {
            acme.patch(&format!("/Groups/{group}"), joined.clone()).await.expect(200);
        }
        acme.patch(&format!("/Groups/{group}"), json!([{ "op": "remove", "path": "members", "value": [{ "value": user }] }])).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
        acme.delete(&format!("/Users/{user}")).await.expect(204);
        acme.delete(&format!("/Groups/{group}")).await.expect(204);
        acme.user("jo").await;
        acme.post("/Users", json!({ "userName": "jo", ENTERPRISE: {} })).await.refused(409, Some("uniqueness"));
        let found = acme.filter("/Users", r#"userName eq "jo""#).await.expect(200)["Resources"][0].clone();
        let taken = acme.put(&path_of("/Users", &found), json!({ "userName": "jo", "displayName": "Jo", ENTERPRISE: {} })).await.expect(200);
        assert_eq!(taken["displayName"], "Jo");
        assert_eq!(acme.put(&path_of("/Users", &found), json!({ "userName": "jo", "active": false })).await.expect(200)["active"], false);
    }

    /// §2.6: a search by POST, groups overwritten by PUT.
    async fn a_life_in_ping(house) {
        let acme = Directory::new(house).await;
        let (a, b) = (acme.user("a").await, acme.user("b").await);
        let found = acme.post("/Users/.search", json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": r#"userName eq "a""#,
        })).await.expect(200);
        assert_eq!(found["Resources"][0]["id"], a.as_str());
        let group = acme.group("G", &[&a]).await;
        let path = format!("/Groups/{group}");
        acme.put(&path, json!({ "schemas": [GROUP], "displayName": "G", "members": [{ "value": b, "type": "User" }] })).await.expect(200);
        assert_eq!(acme.members(&group).await, std::slice::from_ref(&b));
        acme.patch(&path, json!([{ "op": "remove", "path": format!("members[value eq \"{b}\"]") }])).await.expect(200);
        acme.delete(&format!("/Users/{a}")).await.expect(204);
    }

    /// §2.7: the configuration is read strictly, one operation for each member.
    async fn a_life_in_authentik(house) {
        let acme = Directory::new(house).await;
        let config = acme.get("/ServiceProviderConfig").await.expect(200);
        for feature in ["patch", "bulk", "filter", "changePassword", "sort", "etag"] {
            assert!(config[feature]["supported"].is_boolean(), "{feature}");
        }
        assert!(config["bulk"]["maxOperations"].is_u64() && config["filter"]["maxResults"].is_u64());
        assert!(config["authenticationSchemes"].as_array().is_some_and(|schemes| !schemes.is_empty()));
        let made = acme.post("/Groups", json!({ "schemas": [GROUP], "externalId": "e-1", "displayName": "G" })).await.expect(201);
        acme.post("/Groups", json!({ "schemas": [GROUP], "externalId": "e-1", "displayName": "G" })).await.refused(409, Some("uniqueness"));
        assert_eq!(total(&acme, "/Groups", r#"displayName eq "G""#).await, 1);
        let path = path_of("/Groups", &made);
        let mut users = Vec::new();
        for name in ["a", "b", "c"] {
            users.push(acme.user(name).await);
        }
        let each = |op: &str| -> Value {
            users.iter().map(|id| json!({ "op": op, "path": "members", "value": [{ "value": id, "display": null, "type": null }] })).collect()
        };
        acme.patch(&path, each("add")).await.expect(200);
        acme.patch(&path, json!([{ "op": "replace", "path": null, "value": {
            "schemas": [GROUP], "id": made["id"], "externalId": "e-1", "displayName": "H" } }])).await.expect(200);
        assert_eq!(acme.members(made["id"].as_str().unwrap()).await, users);
        acme.patch(&path, each("remove")).await.expect(200);
        let user = format!("/Users/{}", users[0]);
        acme.put(&user, json!({ "schemas": [USER], "id": users[0], "userName": "a", "active": true, "photos": null })).await.expect(200);
        acme.put("/Users/u-gone", json!({ "userName": "x" })).await.refused(404, None);
    }

    /// §2.8: relative locations, groups by PUT, a removal with null.
    async fn a_life_in_keycloak(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("kim").await;
        acme.put(&format!("/Users/{id}"), json!({
            "schemas": [USER], "userName": "kim", "meta": { "resourceType": "User", "location": format!("Users/{id}") },
        })).await.expect(200);
        let group = acme.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        acme.put(&path, json!({ "schemas": [GROUP], "displayName": "G",
            "members": [{ "value": id, "$ref": format!("Users/{id}") }] })).await.expect(200);
        assert_eq!(acme.members(&group).await, std::slice::from_ref(&id));
        acme.patch(&path, json!([{ "op": "remove", "path": "members", "value": null }])).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
        acme.patch(&path, json!([
            { "op": "replace", "path": "members", "value": [{ "value": id }] },
            { "op": "replace", "path": "displayName", "value": "H" },
            { "op": "replace", "path": "externalId", "value": "k" },
        ])).await.expect(200);
        assert_eq!(acme.members(&group).await, [id]);
    }

    /// §2.9: looked up by external id, memberships read from the user.
    async fn a_life_in_rauthy(house) {
        let acme = Directory::new(house).await;
        assert_eq!(total(&acme, "/Users", r#"externalId eq "r-1""#).await, 0);
        let made = acme.post("/Users", json!({ "schemas": [USER], "externalId": "r-1", "userName": "ra" })).await.expect(201);
        let (path, id) = (path_of("/Users", &made), made["id"].as_str().unwrap());
        let group = acme.post("/Groups", json!({ "schemas": [GROUP], "displayName": "G", "externalId": "g-1" })).await.expect(201);
        let at = path_of("/Groups", &group);
        acme.patch(&at, json!([{ "op": "add", "path": "members", "value": [{ "value": id, "display": "ra" }] }])).await.expect(200);
        let replaced = acme.put(&path, json!({ "schemas": [USER], "externalId": "r-1", "userName": "ra" })).await.expect(200);
        assert_eq!(replaced["groups"][0]["value"], group["id"]);
        acme.patch(&at, json!([{ "op": "replace", "value": { "displayName": "H", "externalId": "g-1" } }])).await.expect(200);
        let freed = acme.patch(&at, json!([{ "op": "replace", "value": { "displayName": "H", "externalId": null } }])).await.expect(200);
        assert!(freed.get("externalId").is_none());
        acme.patch(&at, json!([{ "op": "remove", "path": "members", "value": [{ "value": id }] }])).await.expect(200);
        assert!(acme.get(&path).await.expect(200).get("groups").is_none());
    }

    /// §2.4: the open bridge to Google Workspace.
    async fn a_life_in_ssosync(house) {
        let acme = Directory::new(house).await;
        let found = acme.send(acme.request(Method::GET, "/Users?filter=userName+eq+%22x%40y.z%22")).await.expect(200);
        assert_eq!(found["totalResults"], 0);
        let made = acme.post("/Users", json!({
            "schemas": [USER], "userName": "x@y.z", "name": { "familyName": "X", "givenName": "Y" }, "displayName": "Y X",
            "active": true, "emails": [{ "value": "x@y.z", "type": "work", "primary": true }], "addresses": [{ "type": "work" }],
        })).await.expect(201);
        acme.put(&path_of("/Users", &made), json!({ "id": made["id"], "userName": "x@y.z", "displayName": "Z" })).await.expect(200);
        let group = acme.group("team@y.z", &[]).await;
        let listed: Vec<Value> = (0..100).map(|number| json!({ "value": format!("nobody-{number}") })).collect();
        let path = format!("/Groups/{group}");
        acme.patch(&path, json!([{ "op": "add", "path": "members", "value": listed }])).await.expect(200);
        assert_eq!(acme.members(&group).await.len(), 100);
        acme.patch(&path, json!([{ "op": "remove", "path": "members", "value": listed }])).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
    }
}
