//! What a directory's word means for access: SCIM-18 and SCIM-19 as far as the accounts.

use std::time::Duration;

use identity_center::{
    id::{GroupId, Principal, UserId},
    organization,
    permission::{self, Limits, NewConfiguration, NewPolicy, Triple},
    store::{self, sql},
};
use serde_json::json;

use super::{Directory, act};
use crate::on_both;

pub(super) async fn count(acme: &Directory<'_>, query: &'static str) -> i64 {
    let db = &acme.house.app.db;
    db.read(async |tx| sql(query).fetch_number(tx).await).await.unwrap()
}

/// Waits until the worker has nothing left to do.
pub(super) async fn settle(acme: &Directory<'_>) {
    for _ in 0..400 {
        if count(acme, "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')").await == 0
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the worker does not come to an end");
}

/// Gives each of them the same configuration on the same account.
pub(super) async fn assign(acme: &Directory<'_>, principals: &[Principal]) {
    let act = act(acme.house);
    let (space, limits) = (acme.space.id, Limits::default());
    acme.house
        .app
        .db
        .write(async |tx| -> anyhow::Result<()> {
            let account: (identity_center::id::Uin,) =
                sql("SELECT uin FROM accounts WHERE organization_id = $1")
                    .bind(acme.space.organization_id)
                    .fetch_one(tx)
                    .await?;
            anyhow::ensure!(organization::of_account(tx, account.0).await?.is_some());
            let new = NewConfiguration { name: "Reader".into(), ..NewConfiguration::default() };
            let made = permission::create_configuration(tx, &act, space, &new, &limits).await?;
            let policy = [NewPolicy::Preset("ReadOnlyAccess".into())];
            permission::add_policies(tx, &act, space, made.id, &policy, &limits).await?;
            let triples: Vec<Triple> = principals
                .iter()
                .map(|principal| Triple {
                    principal: *principal,
                    account: account.0,
                    configuration: made.id,
                })
                .collect();
            permission::create_assignments(tx, &act, space, &triples, &limits).await?;
            Ok(())
        })
        .await
        .unwrap();
    settle(acme).await;
}

on_both! {
    async fn scim_18_a_delete_takes_away_what_was_held_and_nothing_else(house) {
        let acme = Directory::new(house).await;
        let (leaver, stayer) = (acme.user("leaver").await, acme.user("stayer").await);
        let group = acme.group("Readers", &[&stayer]).await;
        let user = |id: &str| Principal::User(id.parse::<UserId>().unwrap());
        let of_group = Principal::Group(group.parse::<GroupId>().unwrap());
        assign(&acme, &[user(&leaver), user(&stayer), of_group]).await;
        let active = "SELECT COUNT(*) FROM assignments WHERE state = 'active'";
        assert_eq!(count(&acme, active).await, 3);
        acme.delete(&format!("/Users/{leaver}")).await.expect(204);
        // At once, and not when the task is done.
        assert_eq!(count(&acme, active).await, 2);
        acme.delete(&format!("/Groups/{group}")).await.expect(204);
        assert_eq!(count(&acme, active).await, 1);
        settle(&acme).await;
        assert_eq!(count(&acme, "SELECT COUNT(*) FROM assignments").await, 1);
        let left: (i64,) = house.app.db
            .read(async |tx| -> store::Result<_> {
                sql("SELECT principal_id FROM assignments").fetch_one(tx).await
            })
            .await.unwrap();
        assert_eq!(UserId(left.0).to_string(), stayer);
        let again = acme.user("leaver").await;
        let held = house.app.db
            .read(async |tx| {
                permission::assignments_of_principal(tx, acme.space.id, user(&again)).await
            })
            .await.unwrap();
        assert!(held.is_empty());
        // A delete of nobody takes nothing away.
        acme.delete(&format!("/Users/{leaver}")).await.refused(404, None);
        acme.patch(&format!("/Users/{stayer}"), json!([
            { "op": "replace", "path": "active", "value": false },
        ])).await.expect(200);
        settle(&acme).await;
        assert_eq!(count(&acme, active).await, 1);
    }
}
