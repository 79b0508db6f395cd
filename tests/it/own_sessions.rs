//! The sessions in accounts that the portal shows a person as their own (PRT-12).

use identity_center::{
    id::RoleId,
    store::{self, sql},
};
use serde_json::json;

use crate::{api, journey::count, on_both, whole_way::World};

on_both! {
    async fn your_sessions_are_yours_alone_however_your_name_is_written(house) {
        let world = World::open(house).await;
        // Letters beyond ASCII are compared as they are, on every database.
        let ann = world.push_user("Änn.Smith").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.go_in(&browser, "Änn.SMITH").await;
        let shown = async || {
            let page = browser.get(world.portal("/sessions")).send().await.unwrap();
            page.text().await.unwrap()
        };
        let page = shown().await;
        assert!(page.contains("shop") && page.contains("look"), "{page}");
        // In another organisation somebody has a provider of our name, and says the same name: in a
        // role of their own, and in one that another space manages.
        let other = api::administration_of(house, "Other").await.account;
        let (now, act) = (house.now(), house.app.own_act("test").unwrap());
        for (name, managed_by) in [("theirs", None), ("TencentCloudSSO-theirs", Some(7_i64))] {
            let role: RoleId = act.new_id();
            let made = house.app.db.write(async |tx| -> store::Result<()> {
                sql("INSERT INTO cloud_roles (id, account_uin, name, description, kind,
                         trust_policy, session_duration, console_login, managed_by, created_at,
                         updated_at)
                     VALUES ($1, $2, $3, '', 'user', '{}', 7200, $4, $5, $6, $6)")
                .bind(role)
                .bind(other.uin)
                .bind(name)
                .bind(true)
                .bind(managed_by)
                .bind(now)
                .execute(tx)
                .await?;
                sql("INSERT INTO cloud_role_sessions
                         (id, role_id, account_uin, session_name, provider_name, name_id,
                          secret_id, secret_key_sealed, created_at, expires_at, tags)
                     SELECT $1, $2, $3, 's', provider_name, name_id, $4, secret_key_sealed,
                            created_at, expires_at, tags
                     FROM cloud_role_sessions WHERE account_uin = $5")
                .bind(act.new_id::<i64>())
                .bind(role)
                .bind(other.uin)
                .bind(name)
                .bind(world.member)
                .execute(tx)
                .await?;
                Ok(())
            });
            made.await.unwrap();
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM cloud_role_sessions").await, 3);
        let page = shown().await;
        assert!(page.contains("look") && !page.contains("theirs"), "{page}");
        assert!(!page.contains(&other.uin.to_string()), "{page}");

        // The directory writes the name in other letters: what was opened before is the same
        // person's, is shown, and ends with their access.
        let renamed = json!({ "op": "replace", "path": "userName", "value": "Änn.SMITH" });
        world.patch(&format!("/Users/{ann}"), renamed).await;
        let page = shown().await;
        assert!(page.contains("look") && !page.contains("theirs"), "{page}");
        let live = "SELECT COUNT(*) FROM cloud_role_sessions WHERE revoked_at IS NULL";
        assert_eq!(count(house, live).await, 3);
        let off = json!({ "op": "replace", "path": "active", "value": false });
        world.patch(&format!("/Users/{ann}"), off).await;
        assert_eq!(count(house, live).await, 2, "hers has ended; the others are not hers");
        assert_eq!(world.console(&browser, &[]).await, None);
    }
}
