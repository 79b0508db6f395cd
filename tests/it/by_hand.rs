//! What administrators change by hand, and what they may not while a directory keeps it.

use identity_center::{
    credential,
    directory::{self, Blockers, ChangedByHand, Error, GroupChange, Held, Source, UserChange},
    id::{GroupId, Principal, UserId},
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync},
    space::{self, Space},
};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::{
    api::Client,
    house::TestHouse,
    on_both,
    scim::{GROUP, PATCH, USER},
    world::World,
};

/// A space that a directory pushes to, with accounts beside it.
struct Office<'h> {
    house: &'h TestHouse,
    world: World,
    token: String,
}

impl<'h> Office<'h> {
    async fn open(house: &'h TestHouse) -> Office<'h> {
        let world = World::make(house.app.clone()).await;
        let (_, token) = world
            .write(async |tx, act| credential::create(tx, act, world.space.id, None).await)
            .await;
        let office = Self { house, world, token: token.expose_secret().to_owned() };
        office.switch(true).await;
        office
    }

    async fn switch(&self, on: bool) {
        let world = &self.world;
        world.write(async |tx, act| space::set_scim_enabled(tx, act, &world.space, on).await).await;
    }

    /// The space as it is now.
    async fn space(&self) -> Space {
        let id = self.world.space.id;
        self.world.read(async |tx| space::space(tx, id).await).await.unwrap()
    }

    async fn scim(&self, method: Method, path: &str, body: Value) -> (u16, Value) {
        let answer = reqwest::Client::new()
            .request(method, self.house.url(&format!("/scim/v2{path}")))
            .bearer_auth(&self.token)
            .header("content-type", "application/scim+json")
            .body(if body.is_null() { String::new() } else { body.to_string() })
            .send()
            .await
            .unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn push_user(&self, name: &str) -> UserId {
        let body = json!({
            "schemas": [USER], "userName": name, "displayName": "From the directory",
            "name": { "givenName": "Given", "middleName": "Middle" },
            "emails": [{ "value": "old@example.com", "type": "work", "primary": true },
                       { "value": "home@example.com", "type": "home" }],
        });
        let (status, made) = self.scim(Method::POST, "/Users", body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().parse().unwrap()
    }

    async fn push_group(&self, name: &str, members: &[UserId]) -> GroupId {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        let (status, made) = self.scim(Method::POST, "/Groups", body).await;
        assert_eq!(status, 201, "{made}");
        made["id"].as_str().unwrap().parse().unwrap()
    }

    async fn edit_user(&self, id: UserId, change: UserChange) -> Result<directory::User, Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| directory::update_user(tx, act, space, id, &change).await)
            .await
    }

    async fn edit_group(
        &self,
        id: GroupId,
        change: GroupChange,
    ) -> Result<directory::Group, Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| directory::update_group(tx, act, space, id, &change).await)
            .await
    }

    async fn delete(&self, principal: Principal) -> Result<(), Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| match principal {
                Principal::User(id) => provisioning::delete_user(tx, act, space, id).await,
                Principal::Group(id) => provisioning::delete_group(tx, act, space, id).await,
            })
            .await
    }

    async fn join(&self, group: GroupId, user: UserId) -> Result<(), Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| {
                directory::add_member(
                    tx,
                    act,
                    space,
                    group,
                    user,
                    &self.house.app.directory_limits(),
                )
                .await
            })
            .await
    }

    async fn leave(&self, group: GroupId, user: UserId) -> Result<(), Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| directory::remove_member(tx, act, space, group, user).await)
            .await
    }

    async fn user(&self, id: UserId) -> Option<directory::User> {
        self.world.read(async |tx| directory::user(tx, self.world.space.id, id).await).await
    }

    async fn adoption(&self, principal: Principal) -> Result<directory::Adoption, Error> {
        let space = self.world.space.id;
        self.world.app.db.read(async |tx| directory::adoption(tx, space, principal).await).await
    }

    async fn adopt(&self, principal: Principal, seen: &str) -> Result<directory::Adoption, Error> {
        let space = &self.world.space;
        self.world
            .try_write(async |tx, act| directory::adopt(tx, act, space, principal, seen).await)
            .await
    }

    /// Until every task has ended: the server's own worker takes some of them.
    async fn settle(&self) {
        let open = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..200 {
            self.world.run_tasks().await;
            if self.world.count(open).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("tasks do not end");
    }

    /// An assignment of one configuration on the member account.
    async fn grant(&self, principal: Principal) {
        let name = format!("c-{}", principal.number());
        let configuration = self.world.configuration(&name, &["ReadOnlyAccess"]).await;
        let account = self.world.member.uin;
        self.world.assign(&[self.world.triple(principal, account, configuration)]).await;
        self.settle().await;
    }

    async fn sync(&self, principal: Principal) {
        let new = NewUserSync {
            principal,
            account: self.world.member.uin,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Keep,
        };
        let space = self.world.space.id;
        self.world
            .write(async |tx, act| {
                provisioning::create_user_syncs(tx, act, space, std::slice::from_ref(&new), 50)
                    .await
            })
            .await;
        self.settle().await;
    }
}

fn named(display_name: &str) -> UserChange {
    UserChange { display_name: Some(display_name.to_owned()), ..UserChange::default() }
}

fn renamed(name: &str) -> GroupChange {
    GroupChange { name: Some(name.to_owned()), description: None }
}

on_both! {
    async fn scim_03_usr_11_usr_12_grp_05_grp_06_grp_07_while_scim_is_on_its_objects_are_locked(house) {
        let office = Office::open(house).await;
        let (alice, bob) = (office.push_user("alice").await, office.push_user("bob").await);
        let crew = office.push_group("crew", &[alice]).await;
        let before = office.scim(Method::GET, &format!("/Groups/{crew}"), Value::Null).await;

        let refused = office.edit_user(alice, named("Mine")).await;
        assert!(matches!(refused, Err(Error::UserManagedByScim)), "{refused:?}");
        let refused = office.delete(Principal::User(bob)).await;
        assert!(matches!(refused, Err(Error::UserManagedByScim)), "{refused:?}");
        let refused = office.edit_group(crew, renamed("mine")).await;
        assert!(matches!(refused, Err(Error::GroupManagedByScim)), "{refused:?}");
        let refused = office.delete(Principal::Group(crew)).await;
        assert!(matches!(refused, Err(Error::GroupManagedByScim)), "{refused:?}");
        for refused in [office.join(crew, bob).await, office.leave(crew, alice).await] {
            assert!(matches!(refused, Err(Error::GroupManagedByScim)), "{refused:?}");
        }
        assert_eq!(before, office.scim(Method::GET, &format!("/Groups/{crew}"), Value::Null).await);
        assert_eq!(office.user(alice).await.unwrap().display_name, "From the directory");
        // What was read before the switch was turned decides nothing.
        let stale = office.world.space.clone();
        assert!(!stale.scim_enabled);
        // Manual ones are free.
        let carol = office.world.user("carol").await;
        assert_eq!(office.edit_user(carol, named("C")).await.unwrap().display_name, "C");
        office.delete(Principal::User(carol)).await.unwrap();
        assert_eq!(office.user(carol).await, None);

        let client = Client::of_root(house, &office.world.management).await;
        let zone = office.world.space.id;
        for (action, parameters, code) in [
            ("UpdateUser", json!({ "UserId": alice, "NewDisplayName": "x" }), "SynchronizedUserNotUpdate"),
            ("DeleteUser", json!({ "UserId": alice }), "SynchronizedUserNotDelete"),
            ("UpdateGroup", json!({ "GroupId": crew, "NewGroupName": "x" }), "SynchronizedGroupNotUpdate"),
            ("DeleteGroup", json!({ "GroupId": crew }), "SynchronizedGroupNotDelete"),
            ("AddUserToGroup", json!({ "GroupId": crew, "UserId": bob }), "SynchronizedGroupNotAddUser"),
            ("RemoveUserFromGroup", json!({ "GroupId": crew, "UserId": alice }),
             "SynchronizedGroupNotRemoveUser"),
        ] {
            let mut parameters = parameters;
            parameters["ZoneId"] = json!(zone);
            let (got, _) = client.refusal(house, action, parameters).await;
            assert_eq!(got, format!("FailedOperation.{code}"));
        }
    }

    async fn scim_04_scim_05_grp_02_while_scim_is_off_they_are_free_and_the_directory_overwrites_it_later(house) {
        let office = Office::open(house).await;
        let [alice, bob, carol] =
            ["alice", "bob", "carol"].map(|name| office.push_user(name));
        let (alice, bob, carol) = (alice.await, bob.await, carol.await);
        let crew = office.push_group("Crew Nr. 1", &[alice]).await;
        let ghosts = office.push_group("ghosts", &[]).await;
        office.world.advance(60);
        office.switch(false).await;
        let since = house.now();
        assert_eq!(office.scim(Method::GET, "/Users", Value::Null).await.0, 403);

        let change = UserChange {
            first_name: Some("Alicia".to_owned()),
            last_name: Some("Liddell".to_owned()),
            display_name: Some(String::new()),
            email: Some("new@example.com".to_owned()),
            description: Some("Edited here".to_owned()),
        };
        let edited = office.edit_user(alice, change.clone()).await.unwrap();
        assert_eq!((edited.first_name.as_str(), edited.email.as_str()), ("Alicia", "new@example.com"));
        let version = edited.version;
        assert_eq!(office.edit_user(alice, change).await.unwrap().version, version, "nothing new");
        // A new name is a narrow one, but the old one stays as the directory sent it.
        let described = GroupChange { name: None, description: Some("x".to_owned()) };
        assert_eq!(office.edit_group(crew, described).await.unwrap().name, "Crew Nr. 1");
        let wide = office.edit_group(crew, renamed("Crew Nr. 2")).await;
        assert!(matches!(wide, Err(Error::GroupNameInvalid)));
        let taken = office.edit_group(crew, renamed("GHOSTS")).await;
        assert!(matches!(taken, Err(Error::GroupNameTaken)));
        assert_eq!(office.edit_group(crew, renamed("crew")).await.unwrap().name, "crew");
        office.join(crew, bob).await.unwrap();
        office.leave(crew, alice).await.unwrap();
        office.delete(Principal::User(carol)).await.unwrap();
        office.delete(Principal::Group(ghosts)).await.unwrap();
        let in_use = office.delete(Principal::User(bob)).await;
        assert!(matches!(in_use, Err(Error::InUse(Blockers { groups: 1, .. }))), "{in_use:?}");
        // A block is ours for good and no edit.
        office.world.write(async |tx, act| {
            directory::set_user_enabled(tx, act, office.world.space.id, bob, false).await
        }).await;
        let changed = office.world.read(async |tx| {
            directory::changed_by_hand_since(tx, office.world.space.id, since).await
        }).await;
        assert_eq!(changed, ChangedByHand { edited: 2, deleted: 2 });
        let later = office.world.read(async |tx| {
            directory::changed_by_hand_since(tx, office.world.space.id, since.plus_seconds(1)).await
        }).await;
        assert_eq!(later, ChangedByHand::default());

        office.switch(true).await;
        let (_, seen) = office.scim(Method::GET, &format!("/Users/{alice}"), Value::Null).await;
        assert_eq!(seen["name"], json!({
            "givenName": "Alicia", "middleName": "Middle", "familyName": "Liddell",
        }));
        assert_eq!(seen.get("displayName"), None);
        assert_eq!(seen["emails"], json!([
            { "value": "new@example.com", "type": "work", "primary": true },
            { "value": "home@example.com", "type": "home" },
        ]));
        // Bob still has the old address; Carol, who had it too, is gone.
        for address in ["new@example.com", "old@example.com"] {
            let path = format!("/Users?filter=emails.value%20eq%20%22{address}%22");
            let (_, list) = office.scim(Method::GET, &path, Value::Null).await;
            assert_eq!(list["totalResults"], 1, "{address}");
        }
        let (_, group) = office.scim(Method::GET, &format!("/Groups/{crew}"), Value::Null).await;
        assert_eq!(group["displayName"], "crew");
        assert_eq!(group["members"][0]["value"], bob.to_string());
        assert_eq!(office.scim(Method::GET, &format!("/Users/{carol}"), Value::Null).await.0, 404);
        // The next cycle of the directory.
        let (status, _) = office.scim(Method::PUT, &format!("/Users/{alice}"), json!({
            "schemas": [USER], "userName": "alice", "displayName": "From the directory",
        })).await;
        assert_eq!(status, 200);
        let overwritten = office.user(alice).await.unwrap();
        assert_eq!((overwritten.display_name.as_str(), overwritten.first_name.as_str()),
                   ("From the directory", ""));
        assert_eq!(overwritten.description, "Edited here", "remarks are ours");
        let again = office.push_user("carol").await;
        assert_ne!(again, carol);
    }

    async fn usr_13_scim_does_not_touch_what_was_made_by_hand(house) {
        let office = Office::open(house).await;
        let alice = office.world.user("alice").await;
        let crew = office.world.group("crew", &[alice]).await;
        let before = office.user(alice).await;
        for path in [format!("/Users/{alice}"), format!("/Groups/{crew}")] {
            let kind = if path.starts_with("/Users") { USER } else { GROUP };
            let whole = json!({ "schemas": [kind], "userName": "eve", "displayName": "eve" });
            let patch = json!({ "schemas": [PATCH], "Operations": [
                { "op": "replace", "path": "displayName", "value": "eve" }] });
            for (method, body) in [
                (Method::GET, Value::Null),
                (Method::PUT, whole),
                (Method::PATCH, patch),
                (Method::DELETE, Value::Null),
            ] {
                let (status, answer) = office.scim(method.clone(), &path, body).await;
                assert_eq!(status, 404, "{method} {path}: {answer}");
            }
        }
        assert_eq!(office.user(alice).await, before);
        // Nor does it come into a group of SCIM through SCIM.
        let theirs = office.push_group("theirs", &[alice]).await;
        let page = identity_center::store::PageRequest::first(10);
        let members = office.world.read(async |tx| directory::members(tx, theirs, page).await).await;
        assert_eq!(members.total, 0);
    }

    async fn grp_08_a_group_and_its_members_have_one_source(house) {
        let office = Office::open(house).await;
        let (pushed, manual) = (office.push_user("alice").await, office.world.user("bob").await);
        let theirs = office.push_group("theirs", &[]).await;
        let ours = office.world.group("ours", &[]).await;
        office.switch(false).await;
        for (group, user) in [(theirs, manual), (ours, pushed)] {
            let refused = office.join(group, user).await;
            assert!(matches!(refused, Err(Error::SourcesDiffer)), "{refused:?}");
        }
        let client = Client::of_root(house, &office.world.management).await;
        let (code, _) = client.refusal(house, "AddUserToGroup", json!({
            "ZoneId": office.world.space.id, "GroupId": ours, "UserId": pushed,
        })).await;
        assert_eq!(code, "FailedOperation.GroupTypeUserTypeNotMatch");
    }

    async fn usr_14_grp_09_whatever_is_in_use_is_not_deleted_and_all_of_it_is_named(house) {
        let office = Office::open(house).await;
        let client = Client::of_root(house, &office.world.management).await;
        let zone = office.world.space.id;
        let delete = async |action: &str, field: &str, id: String| {
            client.refusal(house, action, json!({ "ZoneId": zone, field: id })).await
        };
        let users = ["in-group", "with-access", "with-sync", "with-all"];
        let [grouped, granted, synced, all] = users.map(|name| office.world.user(name));
        let (grouped, granted, synced, all) =
            (grouped.await, granted.await, synced.await, all.await);
        let crew = office.world.group("crew", &[grouped, all]).await;
        for user in [granted, all] {
            office.grant(Principal::User(user)).await;
        }
        for user in [synced, all] {
            office.sync(Principal::User(user)).await;
        }
        for (user, code) in [
            (grouped, "InvalidParameter.UserAlreadyExistsGroup"),
            (granted, "FailedOperation.RoleConfigurationAuthorizationExist"),
            (synced, "FailedOperation.UserProvisioningExists"),
            (all, "InvalidParameter.UserAlreadyExistsGroup"),
        ] {
            assert_eq!(delete("DeleteUser", "UserId", user.to_string()).await.0, code);
            assert!(office.user(user).await.is_some());
        }
        let (_, message) = delete("DeleteUser", "UserId", all.to_string()).await;
        for word in ["groups (1)", "permissions (1)", "CAM user syncs (1)"] {
            assert!(message.contains(word), "{message}");
        }
        let refused = office.delete(Principal::User(all)).await;
        let held = Held { assignments: 1, user_syncs: 1 };
        assert!(matches!(&refused, Err(Error::InUse(blockers))
            if *blockers == Blockers { groups: 1, members: 0, held }), "{refused:?}");

        let lonely = office.world.group("lonely", &[]).await;
        let busy = office.world.group("busy", &[]).await;
        office.grant(Principal::Group(lonely)).await;
        office.sync(Principal::Group(busy)).await;
        for (group, code) in [
            (crew, "FailedOperation.DeleteGroupNotAllowExistUser"),
            (lonely, "FailedOperation.RoleConfigurationAuthorizationExist"),
            (busy, "FailedOperation.UserProvisioningExists"),
        ] {
            assert_eq!(delete("DeleteGroup", "GroupId", group.to_string()).await.0, code);
        }
        // Without them both go.
        office.leave(crew, grouped).await.unwrap();
        client.done(house, "DeleteUser", json!({ "ZoneId": zone, "UserId": grouped })).await;
        let free = office.world.group("free", &[]).await;
        client.done(house, "DeleteGroup", json!({ "ZoneId": zone, "GroupId": free })).await;
        let (code, _) = delete("DeleteUser", "UserId", grouped.to_string()).await;
        assert_eq!(code, "ResourceNotFound.UserNotExist");
        let (code, _) = delete("DeleteGroup", "GroupId", free.to_string()).await;
        assert_eq!(code, "InvalidParameter.GroupNotExist");
    }

    async fn usr_10_grp_04_the_api_changes_what_it_names_and_nothing_else(house) {
        let office = Office::open(house).await;
        let client = Client::of_root(house, &office.world.management).await;
        let zone = office.world.space.id;
        let alice = office.world.user("alice").await;
        let bob = office.world.user("bob").await;
        let update = async |user: UserId, change: Value| {
            let mut parameters = change;
            parameters["ZoneId"] = json!(zone);
            parameters["UserId"] = json!(user);
            client.call(house, "UpdateUser", parameters).await
        };
        let info = update(alice, json!({ "NewFirstName": "A", "NewEmail": "a@example.com",
            "NewDescription": "first" })).await["UserInfo"].clone();
        assert_eq!((&info["FirstName"], &info["Email"], &info["UserName"]),
                   (&json!("A"), &json!("a@example.com"), &json!("alice")));
        let info = update(alice, json!({ "NewDescription": "" })).await["UserInfo"].clone();
        assert_eq!((&info["Description"], &info["FirstName"]), (&json!(""), &json!("A")));
        let taken = update(bob, json!({ "NewEmail": "A@example.com" })).await;
        assert_eq!(taken["Error"]["Code"], "InvalidParameter.EmailAlreadyExists");
        let long = update(bob, json!({ "NewFirstName": "x".repeat(65) })).await;
        assert_eq!(long["Error"]["Code"], "InvalidParameter.ParamError");
        assert_eq!(office.user(bob).await.unwrap().version, 1);

        let group = office.world.group("crew", &[alice]).await;
        office.world.group("other", &[]).await;
        let answer = client.done(house, "UpdateGroup", json!({
            "ZoneId": zone, "GroupId": group, "NewGroupName": "Crew-2",
        })).await;
        assert_eq!((&answer["GroupInfo"]["GroupName"], &answer["GroupInfo"]["MemberCount"]),
                   (&json!("Crew-2"), &json!(1)));
        let (code, _) = client.refusal(house, "UpdateGroup", json!({
            "ZoneId": zone, "GroupId": group, "NewGroupName": "OTHER",
        })).await;
        assert_eq!(code, "InvalidParameter.GroupNameAlreadyExists");
    }

    async fn usr_15_nobody_is_left_in_a_group_after_being_deleted(house) {
        let office = Office::open(house).await;
        let crew = office.world.group("crew", &[]).await;
        for round in 0..15 {
            let user = office.world.user(&format!("user-{round}")).await;
            let (joined, deleted) =
                tokio::join!(office.join(crew, user), office.delete(Principal::User(user)));
            assert!(joined.is_ok() != deleted.is_ok(), "{joined:?} {deleted:?}");
        }
        let dangling = office.world.count("SELECT COUNT(*) FROM group_members m
            JOIN users u ON u.id = m.user_id WHERE u.deleted_at IS NOT NULL").await;
        assert_eq!(dangling, 0);
    }

    async fn scim_17_an_adopted_user_keeps_what_it_has_and_the_directory_takes_over(house) {
        let office = Office::open(house).await;
        let alice = office.world.user("alice").await;
        let change = UserChange {
            first_name: Some("Alice".to_owned()),
            email: Some("alice@example.com".to_owned()),
            description: Some("ours".to_owned()),
            ..UserChange::default()
        };
        office.edit_user(alice, change).await.unwrap();
        office.grant(Principal::User(alice)).await;
        office.sync(Principal::User(alice)).await;
        let push = json!({ "schemas": [USER], "userName": "Alice", "externalId": "e-1" });
        assert_eq!(office.scim(Method::POST, "/Users", push.clone()).await.0, 409);
        let refused = office.adopt(Principal::User(alice), "").await;
        assert!(matches!(refused, Err(Error::AdoptionChanged)), "{refused:?}");
        assert_eq!(office.user(alice).await.unwrap().source, Source::Manual);

        let seen = office.adoption(Principal::User(alice)).await.unwrap();
        assert_eq!((seen.users.as_slice(), seen.groups.len()), (&[alice][..], 0));
        office.adopt(Principal::User(alice), &seen.digest()).await.unwrap();
        let again = office.adopt(Principal::User(alice), &seen.digest()).await;
        assert!(matches!(again, Err(Error::AdoptedAlready)), "{again:?}");
        let path = "/Users?filter=userName%20eq%20%22ALICE%22";
        let (_, found) = office.scim(Method::GET, path, Value::Null).await;
        let found = &found["Resources"][0];
        assert_eq!(found["id"], alice.to_string());
        assert_eq!((&found["name"], &found["active"]), (&json!({ "givenName": "Alice" }), &json!(true)));
        let path = "/Users?filter=emails.value%20eq%20%22alice@example.com%22";
        let (_, by_email) = office.scim(Method::GET, path, Value::Null).await;
        assert_eq!(by_email["totalResults"], 1);
        let (status, _) = office.scim(Method::PUT, &format!("/Users/{alice}"), push).await;
        assert_eq!(status, 200);
        let user = office.user(alice).await.unwrap();
        assert_eq!((user.source, user.user_name.as_str(), user.external_id.as_deref()),
                   (Source::Scim, "Alice", Some("e-1")));
        assert_eq!(user.description, "ours");
        let held = office.world.read(async |tx| {
            provisioning::held(tx, office.world.space.id, Principal::User(alice)).await
        }).await;
        assert_eq!(held, Held { assignments: 1, user_syncs: 1 });
        assert!(matches!(office.edit_user(alice, named("x")).await, Err(Error::UserManagedByScim)));
        office.settle().await;
    }

    async fn scim_17_grp_08_who_shares_a_group_is_adopted_together(house) {
        let office = Office::open(house).await;
        let world = &office.world;
        let [alice, bob, carol] = ["alice", "bob", "carol"].map(|name| world.user(name));
        let (alice, bob, carol) = (alice.await, bob.await, carol.await);
        let crew = world.group("crew", &[alice, bob]).await;
        let board = world.group("board", &[bob, carol]).await;
        let apart = world.user("apart").await;
        let seen = office.adoption(Principal::User(alice)).await.unwrap();
        assert_eq!(seen.users, [alice, bob, carol]);
        assert_eq!(seen.groups, [crew, board]);
        assert_eq!(seen, office.adoption(Principal::Group(board)).await.unwrap());
        // Somebody joins while the administrator looks at the page.
        office.join(board, apart).await.unwrap();
        let stale = office.adopt(Principal::Group(crew), &seen.digest()).await;
        assert!(matches!(stale, Err(Error::AdoptionChanged)), "{stale:?}");
        office.leave(board, apart).await.unwrap();
        office.adopt(Principal::Group(crew), &seen.digest()).await.unwrap();
        let (_, group) = office.scim(Method::GET, &format!("/Groups/{board}"), Value::Null).await;
        assert_eq!(group["displayName"], "board");
        assert_eq!(group["members"].as_array().unwrap().len(), 2);
        assert_eq!(office.user(apart).await.unwrap().source, Source::Manual);
        let counted = world.count("SELECT CAST(SUM(total) AS BIGINT) FROM directory_counts
            WHERE source = 'scim'").await;
        assert_eq!(counted, 5);
        assert!(office.space().await.scim_enabled);
    }

    async fn usr_11_usr_12_grp_05_grp_06_scim_05_the_pages_say_why_and_do_it_when_they_may(house) {
        let office = Office::open(house).await;
        let browser = crate::events::sign_in(
            house, &office.world, "chief", "QcloudOrganizationFullAccess").await;
        let get = async |path: String| {
            let answer = browser.get(house.url(&path)).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        let post = async |path: String, form: Vec<(&str, String)>| {
            let request = browser.post(house.url(&path)).header("Sec-Fetch-Site", "same-origin");
            let answer = request.form(&form).send().await.unwrap();
            (answer.status(), answer.text().await.unwrap())
        };
        let pushed = office.push_user("alice").await;
        let group = office.push_group("crew", &[pushed]).await;
        for page in [format!("/console/users/{pushed}"), format!("/console/groups/{group}")] {
            let (_, text) = get(page.clone()).await;
            assert!(text.contains("Your directory keeps this one"), "{text}");
            assert!(text.contains("<button type=\"button\" class=\"button\" disabled"), "{text}");
            assert!(!text.contains("/edit\""), "{text}");
            assert_eq!(get(format!("{page}/edit")).await.0, StatusCode::CONFLICT);
            assert_eq!(post(format!("{page}/delete"), vec![]).await.0, StatusCode::CONFLICT);
            let (status, text) = post(page, vec![("display_name", "x".to_owned()),
                                                 ("name", "x".to_owned())]).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(text.contains("managed by SCIM"), "{text}");
        }
        let bob = office.world.user("bob").await;
        let ours = office.world.group("ours", &[bob]).await;
        let own = format!("/console/users/{bob}");
        let (_, text) = get(own.clone()).await;
        assert!(text.contains("take it out of its groups (1)"), "{text}");
        let (_, text) = get(format!("{own}/edit")).await;
        assert!(text.contains("Edit user") && !text.contains("name=\"user_name\""), "{text}");
        let (status, text) = post(own.clone(), vec![("email", "nonsense".to_owned())]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(text.contains("is not an e-mail address") || text.contains("not an e-mail"), "{text}");
        let (status, _) = post(own.clone(), vec![("display_name", " Bob ".to_owned())]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(office.user(bob).await.unwrap().display_name, "Bob");
        let (status, _) = post(format!("/console/groups/{ours}"), vec![("name", "Ours-2".to_owned())]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        let (_, text) = get(format!("{own}/adopt")).await;
        let seen = text.split_once("name=\"seen\" value=\"").unwrap().1.split_once('"').unwrap().0;
        let (status, _) = post(format!("{own}/adopt"), vec![("seen", seen.to_owned())]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(office.user(bob).await.unwrap().source, Source::Scim);
        // SCIM-05: what the directory may overwrite, before it is switched on again.
        office.world.advance(60);
        let (status, _) = post("/console/settings/scim/off".to_owned(), vec![]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        office.world.advance(60);
        office.edit_user(pushed, named("Here")).await.unwrap();
        let (status, text) = post("/console/settings/scim/on".to_owned(), vec![]).await;
        assert_eq!(status, StatusCode::OK);
        assert!(text.contains("1 was edited"), "{text}");
        assert!(!office.space().await.scim_enabled);
        let carol = office.world.user("carol").await;
        let (status, _) = post(format!("/console/users/{carol}/delete"), vec![]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        assert_eq!(office.user(carol).await, None);
        assert_eq!(get(format!("/console/users/{carol}")).await.0, StatusCode::NOT_FOUND);
    }
}
