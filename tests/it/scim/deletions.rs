//! SCIM-18 at the console: whom directories deleted, how far it is, and what each one held.

use identity_center::{
    id::{GroupId, Principal, UserId},
    store::{self, sql},
};
use reqwest::StatusCode;
use serde_json::json;

use super::{
    Directory,
    access::{assign, settle},
    console::{HERE, Office},
};
use crate::on_both;

on_both! {
    async fn scim_18_deletions_are_listed_with_what_each_removed(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let path = format!("{HERE}/deletions");
        assert!(chief.page(&path).await.contains("No directory has deleted anybody."));
        let (leaver, idle) = (acme.user("leaver").await, acme.user("idle").await);
        let group = acme.group("Readers", &[&leaver, &idle]).await;
        let principals = [
            Principal::User(leaver.parse::<UserId>().unwrap()),
            Principal::Group(group.parse::<GroupId>().unwrap()),
        ];
        assign(acme, &principals).await;
        acme.delete(&format!("/Groups/{group}")).await.expect(204);
        // One alone, and two in bulk.
        acme.post("/Bulk", json!({ "Operations": [
            { "method": "DELETE", "path": format!("/Users/{leaver}") },
            { "method": "DELETE", "path": format!("/Users/{idle}") },
            { "method": "DELETE", "path": "/Users/u-nobodyatall0" },
        ] })).await.expect(200);
        settle(acme).await;
        let page = chief.page(&path).await;
        let rows: Vec<&str> = page.split("<tr>").skip(2).collect();
        assert_eq!(rows.len(), 3, "{page}");
        // Latest first.
        assert!(rows[0].contains("idle") && rows[0].contains("Held no access of its own."), "{}", rows[0]);
        assert!(rows[1].contains("leaver") && rows[1].contains("1 of 1 taken away."), "{}", rows[1]);
        assert!(rows[1].contains("Reader") && rows[1].contains("Done"), "{}", rows[1]);
        assert!(rows[2].contains("Readers") && rows[2].contains("Group of 2 members"), "{}", rows[2]);
        assert!(rows[2].contains("1 of 1 taken away."), "{}", rows[2]);
        // A name that comes back is somebody else.
        acme.user("leaver").await;
        assert!(chief.page(&path).await.contains("1 of 1 taken away."));
        // What failed is said, and can be tried again from here.
        let fail = async |tx: &mut store::Write| -> store::Result<_> {
            sql("UPDATE tasks SET state = 'failed', reason = 'the account is locked'
                 WHERE kind = 'DeleteRoleAssignment' AND principal_kind = 'user'").execute(tx).await
        };
        house.app.db.write(fail).await.unwrap();
        let page = chief.page(&path).await;
        assert!(page.contains("0 of 1 taken away, 1 failed.") && page.contains("the account is locked"), "{page}");
        let (_, rest) = page.split_once("/console/tasks/").unwrap();
        let task = rest.split_once("/retry").unwrap().0;
        let (status, _) = chief.post(&format!("/console/tasks/{task}/retry"), &[]).await;
        assert_eq!(status, StatusCode::SEE_OTHER);
        settle(acme).await;
        let page = chief.page(&path).await;
        assert!(!page.contains("1 failed") && page.matches("1 of 1 taken away.").count() == 2, "{page}");
        // Another space has none of it, and what is deleted by hand is no directory's doing.
        let other = Directory::of_space(house, "other").await;
        let count = async |space| house.app.db.read(async |tx| {
            identity_center::audit::deletions_by_directories(tx, space, store::PageRequest::first(2)).await
        }).await.unwrap();
        let own = count(acme.space.id).await;
        assert_eq!((own.total, own.rows.len(), own.next.is_some()), (3, 2, true));
        assert_eq!(count(other.space.id).await.total, 0);
    }
}
