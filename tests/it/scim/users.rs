//! Users: the contract verb by verb, and what a user's life means for the rest of the house.

use identity_center::{
    directory,
    id::UserId,
    store::{self, sql},
};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Directory, ENTERPRISE, USER, act};
use crate::on_both;

/// A user as Entra ID and Okta would send it, with every script and nothing normal.
fn full() -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": "701984",
        "userName": "Bjensen@Example.com",
        "name": { "formatted": "Ms. 王 Jensen III", "familyName": "王", "givenName": "Bärbel ", "middleName": "" },
        "displayName": "Babs\u{3000}王",
        "active": true,
        "emails": [
            { "value": "b@WORK.example", "type": "work", "primary": true },
            { "value": "b@home.example", "type": "home" },
        ],
        "phoneNumbers": [{ "value": "+1 (555) 555-8377", "type": "mobile" }],
        "photos": [{ "value": "https://photos.example/a.jpg?x=%20", "type": "photo" }],
        "addresses": [{ "streetAddress": "1\n2", "primary": false }],
        "x509Certificates": [{ "value": "MIIDQzCC+/==" }],
        ENTERPRISE: { "employeeNumber": "0007", "manager": { "value": "u-unknown" } },
    })
}

async fn session_of(acme: &Directory<'_>, user: &str) {
    let user: UserId = user.parse().unwrap();
    let now = acme.house.now();
    acme.house
        .app
        .db
        .write(async |tx| -> store::Result<_> {
            sql("INSERT INTO sessions (id_hash, door, subject, data, created_at, last_used_at, expires_at)
                 VALUES ($1, 'portal', $2, '{}', $3, $3, $3)")
                .bind([7_u8; 32])
                .bind(user)
                .bind(now)
                .execute(tx)
                .await
        })
        .await
        .unwrap();
}

async fn sessions(acme: &Directory<'_>) -> i64 {
    let db = &acme.house.app.db;
    db.read(async |tx| sql("SELECT COUNT(*) FROM sessions").fetch_number(tx).await).await.unwrap()
}

on_both! {
    async fn scim_13_a_user_comes_back_as_it_was_sent(house) {
        let acme = Directory::new(house).await;
        let answer = acme.post("/Users", full()).await;
        let made = answer.expect(201);
        let id = made["id"].as_str().unwrap();
        let location = format!("{}/Users/{id}", acme.base());
        assert_eq!(answer.headers["location"], location.as_str());
        let mut expected = full();
        expected["id"] = id.into();
        expected["meta"] = json!({
            "resourceType": "User", "location": location,
            "created": "2026-11-22T08:00:00.000000Z", "lastModified": "2026-11-22T08:00:00.000000Z",
            "version": "W/\"1\"",
        });
        assert_eq!(made, expected);
        assert_eq!(acme.get(&format!("/Users/{id}")).await.expect(200), expected);
        // What the rest of the house sees of it.
        let user = house.app.db
            .read(async |tx| directory::user_by_name(tx, acme.space.id, "BJENSEN@example.COM").await)
            .await.unwrap().unwrap();
        assert_eq!(user.id.to_string(), id);
        assert_eq!((user.first_name.as_str(), user.last_name.as_str()), ("Bärbel ", "王"));
        assert_eq!(user.email, "b@WORK.example");
        assert_eq!(user.external_id.as_deref(), Some("701984"));
        let audited = acme.audited(id).await;
        assert_eq!(audited.len(), 1);
        assert_eq!(audited[0].0, "user.create");
        assert_eq!(audited[0].2["userName"], "Bjensen@Example.com");
    }

    async fn what_only_we_may_write_is_ignored_and_passwords_are_forgotten(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", json!({
            "userName": "alice", "id": "mine", "password": "t0p-secret", "groups": [{ "value": "g" }],
            "meta": { "created": "2001-01-01T00:00:00Z" }, "active": "False",
        })).await.expect(201);
        assert_ne!(made["id"], "mine");
        assert_eq!(made["active"], false);
        assert!(made.get("password").is_none() && made.get("groups").is_none());
        let id = made["id"].as_str().unwrap();
        acme.patch(&format!("/Users/{id}"), json!([
            { "op": "replace", "value": { "password": "t0p-secret" } },
        ])).await.expect(200);
        let kept: Vec<(String,)> = house.app.db
            .read(async |tx| sql("SELECT document FROM users").fetch_all(tx).await).await.unwrap();
        assert!(!kept[0].0.contains("secret"));
        assert!(!format!("{:?}", acme.audited(id).await).contains("secret"));
    }

    async fn usr_05_scim_13_names_are_unique_in_any_letter_case(house) {
        let acme = Directory::new(house).await;
        acme.user("Alice").await;
        let detail = acme.post("/Users", json!({ "userName": "aLICE" })).await
            .refused(409, Some("uniqueness"));
        assert!(detail.contains("userName"), "{detail}");
        let bob = acme.user("bob").await;
        let path = format!("/Users/{bob}");
        acme.put(&path, json!({ "userName": "ALICE" })).await.refused(409, Some("uniqueness"));
        acme.patch(&path, json!([{ "op": "replace", "path": "userName", "value": "ALICE" }])).await
            .refused(409, Some("uniqueness"));
        // Only ASCII letters fold; a user's own name may change its case.
        acme.user("ÄRA").await;
        acme.user("ära").await;
        acme.put(&path, json!({ "userName": "BOB" })).await.expect(200);
    }

    /// SCIM-11: a rename keeps the id and everything that hangs on it.
    async fn scim_11_a_rename_is_keyed_by_the_id(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("maiden").await;
        let group = acme.group("G", &[&id]).await;
        let renamed = acme.patch(&format!("/Users/{id}"), json!([
            { "op": "Replace", "path": "userName", "value": "married" },
        ])).await.expect(200);
        assert_eq!(renamed["id"], id.as_str());
        assert_eq!(acme.members(&group).await, [id.as_str()]);
        assert_eq!(acme.filter("/Users", r#"userName eq "maiden""#).await.expect(200)["totalResults"], 0);
        acme.user("maiden").await;
    }

    async fn scim_16_external_ids_mean_nothing_here(house) {
        let acme = Directory::new(house).await;
        let first = acme.user("first").await;
        for (name, label) in [("a", "1"), ("b", first.as_str()), ("c", first.as_str()), ("d", "uin")] {
            let made = acme.post("/Users", json!({ "userName": name, "externalId": label })).await.expect(201);
            assert_ne!(made["id"], label);
            assert_eq!(made["externalId"], label);
        }
        let found = acme.filter("/Users", &format!(r#"externalId eq "{first}""#)).await.expect(200);
        assert_eq!(found["totalResults"], 2);
    }

    async fn scim_17_nobody_made_by_hand_is_seen_or_taken_over(house) {
        let acme = Directory::new(house).await;
        let manual = acme.manual_user("Admin").await;
        let path = format!("/Users/{manual}");
        let detail = acme.post("/Users", json!({ "userName": "admin" })).await
            .refused(409, Some("uniqueness"));
        assert!(detail.contains("adopt"), "{detail}");
        let bob = acme.user("bob").await;
        acme.put(&format!("/Users/{bob}"), json!({ "userName": "admin" })).await
            .refused(409, Some("uniqueness"));
        acme.get(&path).await.refused(404, None);
        acme.put(&path, json!({ "userName": "x" })).await.refused(404, None);
        acme.patch(&path, json!([{ "op": "replace", "path": "active", "value": false }])).await
            .refused(404, None);
        acme.delete(&path).await.refused(404, None);
        assert_eq!(acme.get("/Users").await.expect(200)["totalResults"], 1);
        for filter in [r#"userName eq "admin""#.to_owned(), format!(r#"id eq "{manual}""#), "userName pr".into()] {
            let found = acme.filter("/Users", &filter).await.expect(200);
            assert!(!found.to_string().contains("Admin"), "{filter}");
        }
        let user = house.app.db
            .read(async |tx| directory::user(tx, acme.space.id, manual.parse().unwrap()).await)
            .await.unwrap().unwrap();
        assert!(user.enabled() && user.version == 1);
    }

    async fn scim_13_replacing_clears_what_is_not_named(house) {
        let acme = Directory::new(house).await;
        let id = acme.post("/Users", full()).await.expect(201)["id"].as_str().unwrap().to_owned();
        house.app.clock.advance(SignedDuration::from_secs(60));
        let path = format!("/Users/{id}");
        let replaced = acme.put(&path, json!({
            "schemas": [USER], "id": "other", "userName": "Bjensen@Example.com", "title": "x",
        })).await.expect(200);
        assert_eq!(replaced["id"], id.as_str());
        for name in ["name", "emails", "externalId", "displayName", ENTERPRISE] {
            assert!(replaced.get(name).is_none(), "{name}");
        }
        assert_eq!(replaced["active"], true);
        assert_eq!(replaced["schemas"], json!([USER]));
        assert_eq!(replaced["meta"]["created"], "2026-11-22T08:00:00.000000Z");
        assert_eq!(replaced["meta"]["lastModified"], "2026-11-22T08:01:00.000000Z");
        assert_eq!(replaced["meta"]["version"], "W/\"2\"");
        let (action, before, after) = acme.audited(&id).await.pop().unwrap();
        assert_eq!((action.as_str(), &after), ("user.update", &json!({ "title": "x" })));
        assert_eq!(before["externalId"], "701984");
        assert!(before.get("userName").is_none());
        acme.put(&path, json!({ "title": "no name" })).await.refused(400, Some("invalidValue"));
        acme.put("/Users/u-nobody", json!({ "no": "name" })).await.refused(404, None);
    }

    /// Okta reads the whole user and puts it back; nothing changes, and nothing says it did.
    async fn putting_back_what_was_read_changes_nothing(house) {
        let acme = Directory::new(house).await;
        let made = acme.post("/Users", full()).await.expect(201);
        house.app.clock.advance(SignedDuration::from_secs(60));
        let id = made["id"].as_str().unwrap();
        assert_eq!(acme.put(&format!("/Users/{id}"), made.clone()).await.expect(200), made);
        assert_eq!(acme.audited(id).await.len(), 1);
    }

    async fn scim_18_disabling_ends_sessions_and_keeps_the_user(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        session_of(&acme, &id).await;
        let path = format!("/Users/{id}");
        acme.patch(&path, json!([{ "op": "replace", "path": "nickName", "value": "a" }])).await.expect(200);
        assert_eq!(sessions(&acme).await, 1);
        acme.patch(&path, json!([{ "op": "Replace", "path": "active", "value": "False" }])).await.expect(200);
        assert_eq!(sessions(&acme).await, 0);
        assert_eq!(acme.get(&path).await.expect(200)["active"], false);
        let found = acme.filter("/Users", "active eq false").await.expect(200);
        assert_eq!(found["totalResults"], 1);
    }

    /// USR-21: a block of our own is neither seen nor lifted by the directory.
    async fn usr_21_a_local_block_is_not_undone(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let (user, act) = (id.parse::<UserId>().unwrap(), act(house));
        let db = &house.app.db;
        db.write(async |tx| directory::set_user_enabled(tx, &act, acme.space.id, user, false).await).await.unwrap();
        let path = format!("/Users/{id}");
        let shown = acme.patch(&path, json!([{ "op": "replace", "path": "active", "value": true }])).await.expect(200);
        assert_eq!(shown["active"], true);
        let user = db.read(async |tx| directory::user(tx, acme.space.id, user).await).await.unwrap().unwrap();
        assert!(!user.enabled());
    }

    async fn scim_18_a_deleted_user_is_gone_at_once(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let group = acme.group("G", &[&id]).await;
        session_of(&acme, &id).await;
        let path = format!("/Users/{id}");
        let gone = acme.delete(&path).await;
        assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
        assert_eq!(sessions(&acme).await, 0);
        acme.get(&path).await.refused(404, None);
        acme.put(&path, json!({ "userName": "alice" })).await.refused(404, None);
        acme.delete(&path).await.refused(404, None);
        assert_eq!(acme.get("/Users").await.expect(200)["totalResults"], 0);
        assert_eq!(acme.filter("/Users", r#"userName co "a""#).await.expect(200)["totalResults"], 0);
        assert!(acme.members(&group).await.is_empty());
        assert_eq!(acme.audited(&id).await.last().unwrap().0, "user.delete");
        // The name is free, and its next holder is somebody new who inherits nothing.
        let again = acme.user("alice").await;
        assert_ne!(again, id);
        assert!(acme.get(&format!("/Users/{again}")).await.expect(200).get("groups").is_none());
    }

    async fn groups_of_a_user_are_computed(house) {
        let acme = Directory::new(house).await;
        let id = acme.user("alice").await;
        let group = acme.group("Ops", &[&id]).await;
        let user = acme.get(&format!("/Users/{id}")).await.expect(200);
        assert_eq!(user["groups"], json!([{
            "value": group, "$ref": format!("{}/Groups/{group}", acme.base()),
            "display": "Ops", "type": "direct",
        }]));
        let listed = acme.get("/Users").await.expect(200);
        assert_eq!(listed["Resources"][0]["groups"], user["groups"]);
        let cut = acme.get(&format!("/Users/{id}?excludedAttributes=groups")).await.expect(200);
        assert!(cut.get("groups").is_none());
        acme.patch(&format!("/Users/{id}"), json!([{ "op": "add", "path": "groups", "value": [] }])).await
            .refused(400, Some("mutability"));
        acme.delete(&format!("/Groups/{group}")).await.expect(204);
        assert!(acme.get(&format!("/Users/{id}")).await.expect(200).get("groups").is_none());
    }

    async fn many_at_once_make_one(house) {
        let acme = Directory::new(house).await;
        let attempts = (0..8).map(|_| acme.post("/Users", json!({ "userName": "alice" })));
        let mut statuses: Vec<u16> = Vec::new();
        for answer in all_at_once(attempts).await {
            statuses.push(answer);
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    }
}

/// Runs requests at once and says their statuses.
pub async fn all_at_once<F>(requests: impl Iterator<Item = F>) -> Vec<u16>
where
    F: Future<Output = super::Answer>,
{
    let mut running: Vec<_> = requests.map(Box::pin).collect();
    let mut statuses = Vec::new();
    std::future::poll_fn(|context| {
        running.retain_mut(|request| match request.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                statuses.push(answer.status.as_u16());
                false
            }
            std::task::Poll::Pending => true,
        });
        if running.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    statuses
}
