//! What a directory's word means for the CAM users of its people (US-15).

use identity_center::{
    id::{Principal, Uin, UserId},
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync},
    store::sql,
};
use serde_json::json;

use super::{
    Directory,
    access::{count, settle},
    act,
};
use crate::on_both;

async fn account(acme: &Directory<'_>) -> Uin {
    let db = &acme.house.app.db;
    db.read(async |tx| -> identity_center::store::Result<(Uin,)> {
        sql("SELECT uin FROM accounts WHERE organization_id = $1")
            .bind(acme.space.organization_id)
            .fetch_one(tx)
            .await
    })
    .await
    .unwrap()
    .0
}

/// Starts user syncs of these on the account, each with its strategies.
async fn start(acme: &Directory<'_>, syncs: &[(Principal, DuplicationStrategy, DeletionStrategy)]) {
    let account = account(acme).await;
    let new: Vec<NewUserSync> = syncs
        .iter()
        .map(|&(principal, duplication, deletion)| NewUserSync {
            principal,
            account,
            description: String::new(),
            duplication,
            deletion,
        })
        .collect();
    let (act, space) = (act(acme.house), acme.space.id);
    let db = &acme.house.app.db;
    db.write(async |tx| provisioning::create_user_syncs(tx, &act, space, &new, 50).await)
        .await
        .unwrap();
    settle(acme).await;
}

fn name_of(acme: &Directory<'_>, user_name: &str) -> String {
    provisioning::names::cam_user(user_name, &acme.space.user_sync_suffix)
}

/// The CAM user of this name: whether it is shut out, and whether it is Identity Center's.
async fn cam_user(acme: &Directory<'_>, name: &str) -> Option<(bool, bool)> {
    let db = &acme.house.app.db;
    db.read(async |tx| {
        sql("SELECT blocked, managed_by IS NOT NULL FROM cloud_users WHERE name = $1")
            .bind(name)
            .fetch_optional(tx)
            .await
    })
    .await
    .unwrap()
}

fn user(id: &str) -> Principal {
    Principal::User(id.parse::<UserId>().unwrap())
}

on_both! {
    /// Whatever becomes of a user and whatever the strategies say, the CAM user signs in nowhere from
    /// the answer on; what stays of it stays shut out, and who is enabled again comes in again.
    async fn us_15_who_is_disabled_or_deleted_is_shut_out_at_once(house) {
        let acme = Directory::new(house).await;
        let account = account(&acme).await;
        let (keep_both, take) = (DuplicationStrategy::KeepBoth, DuplicationStrategy::TakeOver);
        let (keep, delete) = (DeletionStrategy::Keep, DeletionStrategy::Delete);
        let mut number = 0;
        for duplication in [keep_both, take] {
            for was_there in [false, true] {
                for deletion in [keep, delete] {
                    number += 1;
                    let case = format!("{duplication:?}, {deletion:?}, there before: {was_there}");
                    let name = format!("user-{number}");
                    let id = acme.user(&name).await;
                    let mut theirs = name_of(&acme, &name);
                    if was_there {
                        let (act, made) = (act(house), theirs.clone());
                        house.app.db.write(async |tx| {
                            identity_center::cloud::create_user(tx, &act, account, &made, None, "").await
                        }).await.unwrap();
                    }
                    start(&acme, &[(user(&id), duplication, deletion)]).await;
                    if was_there && duplication == keep_both {
                        assert_eq!(cam_user(&acme, &theirs).await, Some((false, false)), "{case}");
                        theirs.push_str("_cic");
                    }
                    assert_eq!(cam_user(&acme, &theirs).await, Some((false, true)), "{case}");
                    let active = async |active: bool| {
                        let change = json!([{ "op": "replace", "path": "active", "value": active }]);
                        acme.patch(&format!("/Users/{id}"), change).await.expect(200);
                    };
                    active(false).await;
                    assert_eq!(cam_user(&acme, &theirs).await, Some((true, true)), "{case}");
                    settle(&acme).await;
                    assert_eq!(cam_user(&acme, &theirs).await, Some((true, true)), "{case}");
                    active(true).await;
                    settle(&acme).await;
                    assert_eq!(cam_user(&acme, &theirs).await, Some((false, true)), "{case}");
                    acme.delete(&format!("/Users/{id}")).await.expect(204);
                    let at_once = cam_user(&acme, &theirs).await;
                    assert!(at_once.is_none_or(|(blocked, _)| blocked), "{case}");
                    settle(&acme).await;
                    let left = (deletion == keep).then_some((true, false));
                    assert_eq!(cam_user(&acme, &theirs).await, left, "{case}");
                }
            }
        }
        assert_eq!(count(&acme, "SELECT COUNT(*) FROM user_syncs").await, 0);
        assert_eq!(count(&acme, "SELECT COUNT(*) FROM synced_users").await, 0);
    }

    /// A group's sync lets go of who leaves the directory, too; and where two syncs cover somebody,
    /// the CAM user is shut out whichever of them ends first.
    async fn us_15_who_leaves_is_shut_out_under_every_sync_that_covers_them(house) {
        let acme = Directory::new(house).await;
        let (alice, bob) = (acme.user("alice").await, acme.user("bob").await);
        let team = acme.group("Team", &[&alice, &bob]).await;
        let of_group = Principal::Group(team.parse().unwrap());
        let (keep_both, keep) = (DuplicationStrategy::KeepBoth, DeletionStrategy::Keep);
        start(&acme, &[(of_group, keep_both, keep), (user(&alice), keep_both, keep)]).await;
        for (name, id) in [("alice", &alice), ("bob", &bob)] {
            assert_eq!(cam_user(&acme, &name_of(&acme, name)).await, Some((false, true)));
            acme.delete(&format!("/Users/{id}")).await.expect(204);
            let (blocked, _) = cam_user(&acme, &name_of(&acme, name)).await.unwrap();
            assert!(blocked, "{name}");
            settle(&acme).await;
            assert_eq!(cam_user(&acme, &name_of(&acme, name)).await, Some((true, false)), "{name}");
        }
    }

    /// Only somebody leaves a group: they are let go, and not shut out.
    async fn us_14_us_15_who_leaves_a_group_is_let_go_and_not_shut_out(house) {
        let acme = Directory::new(house).await;
        let (alice, bob) = (acme.user("alice").await, acme.user("bob").await);
        let team = acme.group("Team", &[&alice, &bob]).await;
        let of_group = Principal::Group(team.parse().unwrap());
        start(&acme, &[(of_group, DuplicationStrategy::KeepBoth, DeletionStrategy::Keep)]).await;
        let path = format!("members[value eq \"{alice}\"]");
        acme.patch(&format!("/Groups/{team}"), json!([{ "op": "remove", "path": path }]))
            .await
            .expect(200);
        settle(&acme).await;
        assert_eq!(cam_user(&acme, &name_of(&acme, "alice")).await, Some((false, false)));
        assert_eq!(cam_user(&acme, &name_of(&acme, "bob")).await, Some((false, true)));
    }
}
