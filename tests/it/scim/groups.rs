//! Groups and who is in them.

use identity_center::{directory, id::GroupId, store::PageRequest};
use jiff::SignedDuration;
use serde_json::json;

use super::{Directory, GROUP, act, users::all_at_once};
use crate::on_both;

on_both! {
    async fn grp_02_scim_13_a_group_comes_back_with_its_members(house) {
        let acme = Directory::new(house).await;
        let alice = acme.user("alice").await;
        let answer = acme.post("/Groups", json!({
            "schemas": [GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
            "externalId": "e", "displayName": "研发 Team #1",
            "members": [{ "value": alice, "display": "Alice", "$ref": null }, { "value": "fake-member-id" }],
        })).await;
        let made = answer.expect(201);
        let id = made["id"].as_str().unwrap();
        let location = format!("{}/Groups/{id}", acme.base());
        assert_eq!(answer.headers["location"], location.as_str());
        assert_eq!(made, json!({
            "schemas": [GROUP], "id": id, "externalId": "e", "displayName": "研发 Team #1",
            "members": [
                { "value": alice, "$ref": format!("{}/Users/{alice}", acme.base()), "type": "User" },
                { "value": "fake-member-id", "type": "User" },
            ],
            "meta": {
                "resourceType": "Group", "location": location,
                "created": "2026-11-22T08:00:00.000000Z", "lastModified": "2026-11-22T08:00:00.000000Z",
                "version": "W/\"1\"",
            },
        }));
        assert_eq!(acme.get(&format!("/Groups/{id}")).await.expect(200), made);
        let group: GroupId = id.parse().unwrap();
        let members = house.app.db
            .read(async |tx| directory::members(tx, group, PageRequest::first(10)).await).await.unwrap();
        assert_eq!(members.rows.iter().map(|member| member.user.id.to_string()).collect::<Vec<_>>(), [alice]);
    }

    async fn an_empty_group_has_no_members_attribute(house) {
        let acme = Directory::new(house).await;
        let group = acme.group("Empty", &[]).await;
        assert!(acme.get(&format!("/Groups/{group}")).await.expect(200).get("members").is_none());
    }

    async fn group_names_are_unique_and_those_by_hand_are_out_of_reach(house) {
        let acme = Directory::new(house).await;
        acme.group("Ops", &[]).await;
        acme.post("/Groups", json!({ "displayName": "oPS" })).await.refused(409, Some("uniqueness"));
        acme.post("/Groups", json!({ "displayName": "" })).await.refused(400, Some("invalidValue"));
        acme.post("/Groups", json!({})).await.refused(400, Some("invalidValue"));
        let act = act(house);
        let manual = house.app.db
            .write(async |tx| directory::create_group(tx, &act, acme.space.id, "Admins", "", 10).await)
            .await.unwrap().id.to_string();
        let detail = acme.post("/Groups", json!({ "displayName": "admins" })).await
            .refused(409, Some("uniqueness"));
        assert!(detail.contains("adopt"), "{detail}");
        let path = format!("/Groups/{manual}");
        acme.get(&path).await.refused(404, None);
        acme.put(&path, json!({ "displayName": "x" })).await.refused(404, None);
        acme.patch(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": "x" }] }])).await
            .refused(404, None);
        acme.delete(&path).await.refused(404, None);
        assert_eq!(acme.get("/Groups").await.expect(200)["totalResults"], 1);
    }

    /// GRP-08: somebody made by hand is echoed and confers nothing.
    async fn grp_08_a_manual_user_never_becomes_a_member(house) {
        let acme = Directory::new(house).await;
        let manual = acme.manual_user("root").await;
        let group = acme.group("G", &[&manual]).await;
        assert_eq!(acme.members(&group).await, [manual.as_str()]);
        let id: GroupId = group.parse().unwrap();
        let members = house.app.db
            .read(async |tx| directory::members(tx, id, PageRequest::first(10)).await).await.unwrap();
        assert_eq!(members.total, 0);
        acme.patch(&format!("/Groups/{group}"), json!([
            { "op": "remove", "path": format!("members[value eq \"{manual}\"]") },
        ])).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
    }

    async fn members_of_another_space_are_strangers(house) {
        let acme = Directory::of_space(house, "acme").await;
        let other = Directory::of_space(house, "other").await;
        let stranger = other.user("alice").await;
        let group = acme.group("G", &[&stranger]).await;
        assert_eq!(acme.members(&group).await, [stranger.as_str()]);
        let user = other.get(&format!("/Users/{stranger}")).await.expect(200);
        assert!(user.get("groups").is_none());
    }

    /// The shapes of reference/SCIM.md §2, one after the other on one group.
    async fn scim_13_every_client_changes_members_its_own_way(house) {
        let acme = Directory::new(house).await;
        let mut ids = Vec::new();
        for name in ["a", "b", "c", "d"] {
            ids.push(acme.user(name).await);
        }
        let [a, b, c, d] = [0, 1, 2, 3].map(|index| ids[index].as_str());
        let group = acme.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        let sorted = |ids: &[&str]| {
            let mut ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            ids.sort();
            ids
        };
        for (client, operations, expected) in [
            ("Entra ID adds", json!([{ "op": "Add", "path": "members", "value": [
                { "$ref": null, "value": a }, { "$ref": null, "value": b }] }]), sorted(&[a, b])),
            ("Entra ID removes", json!([{ "op": "Remove", "path": "members", "value": [
                { "$ref": null, "value": b }] }]), sorted(&[a])),
            ("Okta removes and adds", json!([
                { "op": "remove", "path": format!("members[value eq \"{a}\"]") },
                { "op": "add", "path": "members", "value": [{ "value": b, "display": "B" }] }]), sorted(&[b])),
            ("Okta adds who is there", json!([
                { "op": "add", "path": "members", "value": [{ "value": b }] }]), sorted(&[b])),
            ("Okta removes who is not there", json!([
                { "op": "remove", "path": format!("members[value eq \"{a}\"]") }]), sorted(&[b])),
            ("Okta renames", json!([
                { "op": "replace", "value": { "id": group, "displayName": "Renamed" } }]), sorted(&[b])),
            ("Okta pushes now", json!([
                { "op": "replace", "path": "members", "value": [{ "value": c }, { "value": d }] }]), sorted(&[c, d])),
            ("authentik sends one operation per member", json!([
                { "op": "add", "path": "members", "value": [{ "value": a }] },
                { "op": "add", "path": "members", "value": [{ "value": b }] },
                { "op": "remove", "path": "members", "value": [{ "value": c }] }]), sorted(&[a, b, d])),
            ("somebody removes by a wider filter", json!([
                { "op": "remove", "path": format!("members[value eq \"{a}\" and type eq \"User\"]") }]), sorted(&[b, d])),
            ("OneLogin adds one object", json!([
                { "op": "add", "path": "members", "value": { "value": a } }]), sorted(&[a, b, d])),
            ("Keycloak empties", json!([{ "op": "remove", "path": "members", "value": null }]), vec![]),
            ("adding and emptying", json!([
                { "op": "add", "path": "members", "value": [{ "value": a }] },
                { "op": "replace", "value": { "members": [], "displayName": "Renamed" } }]), vec![]),
        ] {
            acme.patch(&path, operations).await.expect(200);
            assert_eq!(acme.members(&group).await, expected, "{client}");
        }
    }

    async fn a_change_without_effect_changes_nothing(house) {
        let acme = Directory::new(house).await;
        let alice = acme.user("alice").await;
        let group = acme.group("G", &[&alice]).await;
        let path = format!("/Groups/{group}");
        let before = acme.get(&path).await.expect(200);
        house.app.clock.advance(SignedDuration::from_secs(60));
        let same = acme.patch(&path, json!([
            { "op": "add", "path": "members", "value": [{ "value": alice }] },
            { "op": "remove", "path": "members[value eq \"nobody\"]" },
            { "op": "replace", "path": "displayName", "value": "G" },
        ])).await.expect(200);
        assert_eq!(same, before);
        assert_eq!(acme.put(&path, before.clone()).await.expect(200), before);
        assert_eq!(acme.audited(&group).await.len(), 1);
        let changed = acme.patch(&path, json!([
            { "op": "remove", "path": "members", "value": [{ "value": alice }] },
        ])).await.expect(200);
        assert_eq!(changed["meta"]["lastModified"], "2026-11-22T08:01:00.000000Z");
        let (action, was, is) = acme.audited(&group).await.pop().unwrap();
        assert_eq!(action, "group.update");
        assert_eq!(was["members"], json!({ "count": 1, "values": [alice] }));
        assert_eq!(is["members"]["count"], 0);
    }

    async fn scim_13_replacing_without_members_empties(house) {
        let acme = Directory::new(house).await;
        let (a, b) = (acme.user("a").await, acme.user("b").await);
        let group = acme.group("G", &[&a]).await;
        let path = format!("/Groups/{group}");
        acme.put(&path, json!({ "displayName": "G", "members": [{ "value": b, "$ref": format!("Users/{b}") }] })).await
            .expect(200);
        assert_eq!(acme.members(&group).await, [b]);
        acme.put(&path, json!({ "displayName": "H" })).await.expect(200);
        assert!(acme.members(&group).await.is_empty());
        acme.put(&path, json!({ "members": [] })).await.refused(400, Some("invalidValue"));
    }

    async fn scim_18_a_deleted_group_is_gone_at_once(house) {
        let acme = Directory::new(house).await;
        let alice = acme.user("alice").await;
        let group = acme.group("G", &[&alice, "stranger"]).await;
        let path = format!("/Groups/{group}");
        acme.delete(&path).await.expect(204);
        acme.delete(&path).await.refused(404, None);
        acme.get(&path).await.refused(404, None);
        assert!(acme.get(&format!("/Users/{alice}")).await.expect(200).get("groups").is_none());
        let again = acme.group("G", &[]).await;
        assert_ne!(again, group);
        assert_eq!(acme.audited(&group).await.last().unwrap().0, "group.delete");
    }

    /// Several writers on one group lose nothing.
    async fn concurrent_changes_all_count(house) {
        let acme = Directory::new(house).await;
        let mut ids = Vec::new();
        for number in 0..12 {
            ids.push(acme.user(&format!("user-{number}")).await);
        }
        let group = acme.group("G", &[]).await;
        let path = format!("/Groups/{group}");
        let patches = ids.iter().map(|id| {
            acme.patch(&path, json!([{ "op": "add", "path": "members", "value": [{ "value": id }] }]))
        });
        let statuses = all_at_once(patches).await;
        assert_eq!(statuses, [200; 12]);
        ids.sort();
        assert_eq!(acme.members(&group).await, ids);
    }
}
