//! Lists: filters, paging, search.

use identity_center::store::{self, sql};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Directory, ENTERPRISE, act};
use crate::on_both;

fn names(list: &Value) -> Vec<&str> {
    list["Resources"]
        .as_array()
        .unwrap()
        .iter()
        .map(|resource| {
            let name = resource.get("userName").or_else(|| resource.get("displayName"));
            name.and_then(Value::as_str).unwrap()
        })
        .collect()
}

on_both! {
    /// Entra ID tests a connection by asking for somebody who cannot be there.
    async fn nobody_found_is_an_empty_list(house) {
        let acme = Directory::new(house).await;
        let none = acme.filter("/Users", r#"userName eq "6b2fb2c2-3a4b""#).await.expect(200);
        assert_eq!(none, json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": 0, "startIndex": 1, "itemsPerPage": 0, "Resources": [],
        }));
    }

    /// The same filters, whether the database or we evaluate them.
    async fn scim_13_filters_find_what_they_say(house) {
        let acme = Directory::new(house).await;
        for body in [
            json!({ "userName": "Alice", "externalId": "E1", "displayName": "Alice A",
                "emails": [{ "value": "A@x", "type": "work", "primary": true }, { "value": "h@x", "type": "home" }],
                ENTERPRISE: { "manager": { "value": "boss" } } }),
            json!({ "userName": "bob", "externalId": "e1", "active": false, "title": "100%_x" }),
            json!({ "userName": "carol", "emails": [{ "value": "c@x" }], "name": { "familyName": "C\"q" } }),
        ] {
            acme.post("/Users", body).await.expect(201);
        }
        let alice = acme.filter("/Users", r#"userName eq "alice""#).await.expect(200);
        let id = alice["Resources"][0]["id"].as_str().unwrap().to_owned();
        let group = acme.group("Ops", &[&id]).await;
        for (filter, found) in [
            (r#"userName eq "ALICE""#.to_owned(), &["Alice"][..]),
            (r#"USERNAME Eq"alice""#.into(), &["Alice"]),
            ("userName eq alice".into(), &["Alice"]),
            (r#"externalId eq "E1""#.into(), &["Alice"]),
            (r#"displayName eq "alice a""#.into(), &["Alice"]),
            (format!(r#"id eq "{id}""#), &["Alice"]),
            (r#"id eq "u-zzz""#.into(), &[]),
            (r#"id eq """#.into(), &[]),
            ("active eq false".into(), &["bob"]),
            (r#"active eq "True""#.into(), &["Alice", "carol"]),
            (r#"userName eq "bob" and active eq true"#.into(), &[]),
            (r#"emails.value eq "a@X""#.into(), &["Alice"]),
            (r#"emails eq "c@x""#.into(), &["carol"]),
            (r#"emails[type eq "work"].value eq "a@x""#.into(), &["Alice"]),
            (r#"emails[type eq "home"].value eq "a@x""#.into(), &[]),
            (r#"emails[type eq "Home" and value eq "H@x"]"#.into(), &["Alice"]),
            ("emails[primary eq true]".into(), &["Alice"]),
            (format!(r#"groups eq "{group}""#), &["Alice"]),
            (format!(r#"groups.value eq "{group}""#), &["Alice"]),
            (r#"groups.display eq "ops""#.into(), &["Alice"]),
            (format!(r#"id eq "{id}" and manager eq "boss""#), &["Alice"]),
            (r#"userName co "o""#.into(), &["bob", "carol"]),
            (r#"userName sw "A" or userName eq "bob""#.into(), &["Alice", "bob"]),
            ("not (active eq true)".into(), &["bob"]),
            (r#"title co "%_""#.into(), &["bob"]),
            (r#"userName co "%""#.into(), &[]),
            (r#"name.familyName eq "c\"q""#.into(), &["carol"]),
            ("title pr".into(), &["bob"]),
            (r#"meta.lastModified ge "0001-01-01T00:00:00.0000000Z""#.into(), &["Alice", "bob", "carol"]),
            (r#"meta.created gt "2027-01-01T00:00:00Z""#.into(), &[]),
            (r#"userName eq "x' OR 1=1 --""#.into(), &[]),
            (r#"nothing eq "x""#.into(), &[]),
            ("password pr".into(), &[]),
        ] {
            let list = acme.filter("/Users", &filter).await.expect(200);
            assert_eq!(names(&list), found, "{filter}");
            assert_eq!(list["totalResults"], found.len(), "{filter}");
        }
        for (filter, found) in [
            (r#"displayName eq "OPS""#.to_owned(), 1),
            (format!(r#"id eq "{group}" and members eq "{id}""#), 1),
            (format!(r#"members.value eq "{id}""#), 1),
            (format!(r#"members[value eq "{id}"]"#), 1),
            (format!(r#"members[value eq "{id}" and type eq "user"]"#), 1),
            (r#"members eq "stranger""#.into(), 0),
            ("members pr".into(), 1),
        ] {
            let path = "/Groups?excludedAttributes=members";
            let list = acme.filter(path, &filter).await.expect(200);
            assert_eq!(list["totalResults"], found, "{filter}");
            assert!(list["Resources"].as_array().unwrap().iter().all(|group| group.get("members").is_none()));
        }
    }

    async fn filters_that_are_none_say_where(house) {
        let acme = Directory::new(house).await;
        for (filter, place) in [
            ("", "character 1"),
            ("userName", "character 9"),
            (r#"userName is "x""#, "character 10"),
            (r#"userName eq "x"#, "character 15"),
            (r#"(userName eq "x""#, "character 17"),
            ("active gt true", "boolean"),
            (r#"name eq "x""#, "complex"),
        ] {
            let detail = acme.filter("/Users", filter).await.refused(400, Some("invalidFilter"));
            assert!(detail.contains(place), "{filter}: {detail}");
        }
        let deep = format!("{}title pr{}", "(".repeat(3000), ")".repeat(3000));
        acme.filter("/Users", &deep).await.refused(400, Some("invalidFilter"));
        // A form's plus is a space.
        let request = acme.request(Method::GET, "/Users?filter=userName+eq+%22x%22");
        acme.send(request).await.expect(200);
    }

    async fn scim_13_pages_are_stable_and_bounded(house) {
        let acme = Directory::new(house).await;
        for number in 0..7 {
            acme.user(&format!("user-{number}")).await;
        }
        let page = async |query: &str| {
            let list = acme.get(&format!("/Users?{query}")).await.expect(200);
            assert_eq!(list["totalResults"], 7, "{query}");
            assert_eq!(list["itemsPerPage"], list["Resources"].as_array().unwrap().len(), "{query}");
            let names: Vec<String> = names(&list).into_iter().map(str::to_owned).collect();
            (list["startIndex"].as_u64().unwrap(), names)
        };
        let (_, all) = page("").await;
        assert_eq!(all.len(), 7);
        let mut walked = Vec::new();
        for start in [1, 4, 7] {
            let (index, names) = page(&format!("startIndex={start}&count=3")).await;
            assert_eq!(index, start);
            walked.extend(names);
        }
        assert_eq!(walked, all);
        assert_eq!(page("count=0").await.1.len(), 0);
        assert_eq!(page("count=-1").await.1.len(), 0);
        assert_eq!(page("startIndex=-3&count=2").await, (1, all[..2].to_vec()));
        assert_eq!(page("startIndex=8").await.1.len(), 0);
        assert_eq!(page("startIndex=9223372036854775807&count=9223372036854775807").await.1.len(), 0);
        assert_eq!(page("count=5000").await.1.len(), 7);
        acme.get("/Users?count=many").await.refused(400, Some("invalidValue"));
        // The same pages when we look at the rows one by one.
        let list = acme.filter("/Users?startIndex=3&count=2", r#"userName co "user""#).await.expect(200);
        assert_eq!((names(&list), list["totalResults"].as_u64()), (vec!["user-2", "user-3"], Some(7)));
    }

    async fn search_says_the_same_by_post(house) {
        let acme = Directory::new(house).await;
        let alice = acme.user("alice").await;
        acme.group("Ops", &[&alice]).await;
        let search = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "attributes": ["userName", "displayName"], "startIndex": 1, "count": 10,
        });
        let both = acme.post("/.search", search.clone()).await.expect(200);
        assert_eq!((names(&both), both["totalResults"].as_u64()), (vec!["alice", "Ops"], Some(2)));
        assert!(both["Resources"][0].get("meta").is_none());
        assert_eq!(names(&acme.get("?attributes=userName,displayName").await.expect(200)), ["alice", "Ops"]);
        let mut second = search.clone();
        second["startIndex"] = 2.into();
        assert_eq!(names(&acme.post("/.search", second).await.expect(200)), ["Ops"]);
        let mut users = search;
        users["filter"] = r#"userName eq "ALICE""#.into();
        assert_eq!(names(&acme.post("/Users/.search", users.clone()).await.expect(200)), ["alice"]);
        assert_eq!(acme.post("/Groups/.search", users).await.expect(200)["totalResults"], 0);
        acme.post("/.search", json!({ "count": "x" })).await.refused(400, Some("invalidValue"));
    }

    /// What would take looking at too many rows is refused, never answered in part.
    async fn too_many_rows_to_look_at_are_refused(house) {
        let acme = Directory::new(house).await;
        let (act, space) = (act(house), acme.space.id);
        house.app.db.write(async |tx| -> store::Result<()> {
            for chunk in 0..41_i64 {
                let mut insert = sql("INSERT INTO users (id, space_id, source, user_name, user_name_key,
                    first_name, last_name, display_name, email, email_key, description, active, blocked,
                    document, version, created_at, updated_at) VALUES ");
                for number in 0..500_i64 {
                    let name = format!("user-{chunk}-{number}");
                    insert.push(if number > 0 { ", (" } else { "(" }).push_bind(1 + chunk * 500 + number);
                    insert.push(", ").push_bind(space).push(", 'scim', ").push_bind(&name);
                    insert.push(", ").push_bind(&name).push(", '', '', '', '', '', '', ");
                    insert.push_bind(true).push(", ").push_bind(false).push(", ");
                    insert.push_bind(&json!({ "userName": name, "active": true })).push(", 1, ");
                    insert.push_bind(act.now).push(", ").push_bind(act.now).push(")");
                }
                insert.execute(tx).await?;
            }
            Ok(())
        }).await.unwrap();
        let detail = acme.filter("/Users", r#"title eq "x""#).await.refused(400, Some("tooMany"));
        assert!(detail.contains("20000"), "{detail}");
        let found = acme.filter("/Users", r#"userName eq "USER-40-499""#).await.expect(200);
        assert_eq!(found["totalResults"], 1);
        assert_eq!(acme.get("/Users?startIndex=20400&count=3").await.expect(200)["itemsPerPage"], 3);
        // An indexed condition keeps the rest small.
        let found = acme.filter("/Users", r#"userName eq "user-0-0" and title ne "x""#).await.expect(200);
        assert_eq!(found["totalResults"], 1);
    }
}
