//! Schemas that a space registers.

use identity_center::{directory::scim, id::PrincipalKind};
use serde_json::{Value, json};

use super::{Directory, USER, act};
use crate::on_both;

const BADGE: &str = "urn:acme:params:scim:schemas:extension:badge:2.0:User";

fn badge() -> Value {
    json!({
        "id": BADGE, "name": "Badge", "description": "Who may come in where",
        "attributes": [
            { "name": "number", "type": "string", "multiValued": false, "required": false,
              "caseExact": false, "mutability": "readWrite", "returned": "default", "uniqueness": "server",
              "description": "Printed on the badge" },
            { "name": "level", "type": "integer", "multiValued": false, "required": false,
              "mutability": "readWrite", "returned": "default", "uniqueness": "none", "description": "1 to 9" },
            { "name": "doors", "type": "complex", "multiValued": true, "required": false,
              "mutability": "readWrite", "returned": "default", "uniqueness": "none", "description": "Which",
              "subAttributes": [
                { "name": "value", "type": "string", "multiValued": false, "required": false, "caseExact": true,
                  "mutability": "readWrite", "returned": "default", "uniqueness": "none", "description": "Its name" },
              ] },
        ],
    })
}

async fn register(acme: &Directory<'_>, document: &Value) -> Result<(), scim::Error> {
    let act = act(acme.house);
    let document = document.as_object().unwrap();
    acme.house
        .app
        .db
        .write(async |tx| {
            scim::register(tx, &act, acme.space.id, PrincipalKind::User, document).await
        })
        .await
}

on_both! {
    async fn a_registered_schema_is_known_everywhere(house) {
        let acme = Directory::new(house).await;
        // Before, its values are ignored.
        let body = |name: &str, number: &str, level: i64| json!({
            "schemas": [USER, BADGE], "userName": name,
            BADGE: { "Number": number, "level": level, "doors": [{ "value": "North" }, { "value": "South" }], "other": 1 },
        });
        let early = acme.post("/Users", body("early", "A-0", 1)).await.expect(201);
        assert!(early.get(BADGE).is_none() && early["schemas"] == json!([USER]));
        register(&acme, &badge()).await.unwrap();
        acme.get(&format!("/Schemas/{BADGE}")).await.expect(200);
        let types = acme.get("/ResourceTypes/User").await.expect(200);
        assert!(types["schemaExtensions"].as_array().unwrap().iter().any(|one| one["schema"] == BADGE));
        let made = acme.post("/Users", body("alice", "A-17", 7)).await.expect(201);
        let id = made["id"].as_str().unwrap();
        assert_eq!(made["schemas"], json!([USER, BADGE]));
        assert_eq!(made[BADGE], json!({ "number": "A-17", "level": 7, "doors": [{ "value": "North" }, { "value": "South" }] }));
        // Validated.
        let detail = acme.post("/Users", json!({ "userName": "x", BADGE: { "level": "high" } })).await.refused(400, Some("invalidValue"));
        assert!(detail.contains("level"), "{detail}");
        // Unique, whatever the letter case, and only where it was said.
        let detail = acme.post("/Users", body("bob", "a-17", 7)).await.refused(409, Some("uniqueness"));
        assert!(detail.contains("number"), "{detail}");
        let bob = acme.post("/Users", body("bob", "B-1", 7)).await.expect(201)["id"].as_str().unwrap().to_owned();
        let take = json!([{ "op": "replace", "path": format!("{BADGE}:number"), "value": "A-17" }]);
        acme.patch(&format!("/Users/{bob}"), take.clone()).await.refused(409, Some("uniqueness"));
        // Filtered and sorted by.
        let found = async |filter: &str| acme.filter("/Users", filter).await.expect(200)["totalResults"].as_u64().unwrap();
        assert_eq!(found(&format!(r#"{BADGE}:number eq "a-17""#)).await, 1);
        assert_eq!(found(&format!("{BADGE}:level ge 7")).await, 2);
        assert_eq!(found(&format!("{BADGE}:level eq 7")).await, 2);
        assert_eq!(found(&format!(r#"{BADGE}:doors.value eq "North""#)).await, 2);
        assert_eq!(found(&format!(r#"{BADGE}:doors.value eq "north""#)).await, 0);
        assert_eq!(found(&format!(r#"{BADGE}:doors[value sw "S"]"#)).await, 2);
        let sorted = acme.get(&format!("/Users?sortBy={BADGE}:number&sortOrder=descending&attributes=userName")).await.expect(200);
        assert_eq!(sorted["Resources"][1]["userName"], "bob");
        // Freed by a change and by a delete.
        acme.patch(&format!("/Users/{id}"), json!([{ "op": "remove", "path": format!("{BADGE}:number") }])).await.expect(200);
        acme.patch(&format!("/Users/{bob}"), take).await.expect(200);
        acme.delete(&format!("/Users/{bob}")).await.expect(204);
        acme.post("/Users", body("carol", "A-17", 1)).await.expect(201);
        // Nobody else's schema.
        let other = Directory::of_space(house, "other").await;
        other.get(&format!("/Schemas/{BADGE}")).await.refused(404, None);
        // Taken back, it leaves nothing.
        let act = act(house);
        assert!(house.app.db.write(async |tx| scim::unregister(tx, &act, acme.space.id, BADGE).await).await.unwrap());
        let alice = acme.get(&format!("/Users/{id}")).await.expect(200);
        assert!(alice.get(BADGE).is_none(), "{alice}");
        assert_eq!(found(&format!("{BADGE}:level eq 7")).await, 0);
        acme.get(&format!("/Schemas/{BADGE}")).await.refused(404, None);
    }

    async fn what_is_no_schema_is_refused_by_the_field(house) {
        let acme = Directory::new(house).await;
        register(&acme, &badge()).await.unwrap();
        assert!(register(&acme, &badge()).await.unwrap_err().to_string().contains("registered already"));
        let mut wrong = badge();
        wrong["id"] = json!("urn:x:y");
        wrong["attributes"][1]["type"] = json!("number");
        let told = register(&acme, &wrong).await.unwrap_err().to_string();
        assert!(told.contains("attributes[1].type"), "{told}");
        let mut standard = badge();
        standard["id"] = json!(USER);
        assert!(register(&acme, &standard).await.is_err());
    }
}
