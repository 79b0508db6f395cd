//! Who can reach what, drift, and who may ask for what, at the console.

use identity_center::{
    access::{self, Origin, Reached, Viewpoint},
    id::Principal,
    store::sql,
};
use serde_json::json;

use super::{Desk, rows, with};
use crate::{on_both, rules};

on_both! {
    async fn who_reaches_what_is_seen_from_anywhere(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (ann, bob, eve) = (world.user("ann").await, world.user("bob").await, world.user("eve").await);
        let sales = world.group("Sales", &[ann, bob]).await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        let run = world.configuration("run", &["QcloudCVMFullAccess"]).await;
        let (member, two) = (world.member.uin, world.account("two").await.uin);
        world.assign(&[
            world.triple(Principal::User(ann), member, look),
            world.triple(Principal::Group(sales), two, run),
        ]).await;
        desk.settle().await;
        desk.carry_out(&format!("/console/plan?act=sync&account={member}&principal={ann}"), &[]).await;
        let seen = async |from: &str| rows(&desk.page(&format!("/console/explorer?{from}")).await).len();
        assert_eq!(seen("").await, 4);
        assert_eq!(seen(&format!("user={ann}")).await, 3);
        assert_eq!(seen(&format!("user={eve}")).await, 0);
        assert_eq!(seen(&format!("group={sales}")).await, 2);
        assert_eq!(seen(&format!("account={member}")).await, 2);
        assert_eq!(seen(&format!("configuration={run}")).await, 2);
        assert_eq!(seen(&format!("configuration={run}&user={bob}")).await, 1);
        let page = desk.page(&format!("/console/explorer?user={ann}")).await;
        assert!(page.contains("<svg") && page.contains(r#"aria-describedby="graph-about""#), "{page}");
        assert!(page.contains("through") && page.contains(">Sales<") && page.contains("directly"), "{page}");
        assert!(page.contains("CAM user ann@test"), "{page}");
        let found = desk.page("/console/explorer?search=sal").await;
        assert!(found.contains(&format!("/console/explorer?group={sales}")), "{found}");
        // Whoever is shut out reaches nothing.
        let space = world.space.id;
        world.write(async |tx, act| {
            identity_center::directory::set_user_enabled(tx, act, space, bob, false).await
        }).await;
        desk.settle().await;
        assert_eq!(seen(&format!("group={sales}")).await, 1);
        // Each way once, page by page, and the same as a user's effective access.
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let view = Viewpoint::default();
            let now = world.now();
            let page = world.read(async |tx| access::ways(tx, space, &view, now, (after, 1)).await).await;
            assert_eq!(page.total, 3);
            all.extend(page.rows);
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(all.len(), 3);
        assert!(all.iter().all(|way| way.user == ann), "{all:?}");
        let through = all.iter().filter(|way| matches!(&way.origin, Origin::Group { id, .. } if *id == sales));
        assert_eq!(through.count(), 1);
        assert!(all.iter().any(|way| way.reached == Reached::CamUser("ann@test".to_owned())), "{all:?}");
        let reached = world.read(async |tx| access::reachable(tx, space, ann).await).await;
        let known: usize = reached.iter().map(|it| it.roles.len() + it.users.len()).sum();
        assert_eq!(known, all.len());
    }

    async fn the_api_tells_who_reaches_what(house) {
        let office = rules::Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;
        let here = |given: serde_json::Value| office.here(given);
        let told = own.done(house, "ListEffectiveAccess", here(json!({ "RoleConfigurationId": look }))).await;
        assert_eq!((&told["TotalCounts"], &told["IsTruncated"]), (&json!(1), &json!(false)));
        let way = &told["EffectiveAccess"][0];
        assert_eq!((&way["UserId"], &way["State"], &way["AccessType"]), (&ann, &json!("Deployed"), &json!("Role")));
        assert_eq!(way["Reasons"][0]["Type"], "Direct");
        for (given, code) in [
            (json!({ "UserId": "x" }), "ResourceNotFound.UserNotExist"),
            (json!({ "NextToken": "x" }), "InvalidParameter.ParamError"),
            (json!({ "MaxResults": 101 }), "InvalidParameter.ParamError"),
        ] {
            assert_eq!(own.refusal(house, "ListEffectiveAccess", here(given.clone())).await.0, code, "{given}");
        }
    }

    async fn dpl_15_drift_is_answered_at_the_console(house) {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let ann = world.user("ann").await;
        let look = world.configuration("look", &["QcloudCVMReadOnlyAccess"]).await;
        world.assign(&[world.triple(Principal::User(ann), world.member.uin, look)]).await;
        desk.settle().await;
        assert!(desk.page("/console/drift").await.contains("Everything is as it was deployed."));
        world.write(async |tx, _| {
            sql("UPDATE cloud_roles SET session_duration = 7200 WHERE name = 'TencentCloudSSO-look'").execute(tx).await
        }).await;
        let look_now = async || {
            assert_eq!(desk.post("/console/drift/detect", &[]).await.status, 303);
            desk.settle().await;
            desk.page("/console/drift").await
        };
        let page = look_now().await;
        let found = rows(&page);
        assert_eq!(found.len(), 1, "{page}");
        assert!(found[0].contains("3600") && found[0].contains("7200") && found[0].contains("Changed"), "{}", found[0]);
        let id = page.split_once(r#"name="drift" value=""#).unwrap().1.split_once('"').unwrap().0.to_owned();
        let answer = async |answer: &str, ids: &[&str]| {
            let mut fields = with(Vec::new(), &[("answer", answer), ("days", "7")]);
            fields.extend(ids.iter().map(|id| ("drift".to_owned(), (*id).to_owned())));
            desk.post("/console/drift", &fields).await
        };
        assert_eq!(answer("repair", &[]).await.status, 422);
        assert_eq!(answer("forget", &[&id]).await.status, 404);
        assert_eq!(answer("ignore", &[&id]).await.status, 303);
        assert!(desk.page("/console/drift").await.contains("Everything is as it was deployed."));
        assert!(desk.page("/console/drift?tab=all").await.contains("Ignored until"));
        let sent = answer("repair", &[&id]).await;
        assert!(sent.location.starts_with("/console/tasks/of/"), "{}", sent.page);
        desk.settle().await;
        let longer = "SELECT COUNT(*) FROM cloud_roles
            WHERE session_duration = 7200 AND name = 'TencentCloudSSO-look'";
        assert_eq!(world.count(longer).await, 0);
        assert_eq!(rows(&look_now().await).len(), 0);
    }

    async fn who_may_ask_for_what_is_decided_at_the_console(house) {
        const HERE: &str = "/console/requests/scopes";
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let (ann, member) = (world.user("ann").await, world.member.uin);
        let look = world.configuration("look", &[]).await;
        assert!(desk.page(HERE).await.contains("Nobody may ask for anything yet."));
        assert!(desk.page(&format!("{HERE}/new")).await.contains(&ann.to_string()));
        assert_eq!(desk.post(HERE, &[]).await.status, 422);
        let fields = with(Vec::new(), &[
            ("principal", &ann.to_string()), ("account", &member.to_string()), ("configuration", &look.to_string()),
        ]);
        assert_eq!(desk.post(HERE, &fields).await.status, 303);
        let page = desk.page(HERE).await;
        assert_eq!(rows(&page).len(), 1);
        assert!(rows(&page)[0].contains(">ann<") && rows(&page)[0].contains(">look<"), "{page}");
        assert!(desk.page(&format!("{HERE}?search=zzz")).await.contains("No configuration that somebody may ask for"));
        assert_eq!(desk.post(&format!("{HERE}/delete"), &fields).await.status, 303);
        assert!(desk.page(HERE).await.contains("Nobody may ask for anything yet."));
        assert_eq!(desk.post(&format!("{HERE}/delete"), &fields).await.status, 422);
    }
}
