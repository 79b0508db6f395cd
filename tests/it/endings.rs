//! Access that ends: how far that reaches, and how long it takes.

use jiff::SignedDuration;
use reqwest::StatusCode;
use serde_json::json;

use crate::{house::TestHouse, on_both, whole_way::World};

/// How often access was ended, and how often that took at most five seconds.
fn endings(house: &TestHouse) -> (u64, u64) {
    let mut text = String::new();
    house.app.db.endings().write(&mut text, "ending");
    let value = |name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    (value("ending_count"), value("ending_bucket{le=\"5\"}"))
}

on_both! {
    /// What was opened out of a session that an administrator ends counts no more, and neither does
    /// what was said before and not presented yet. Others stay, and one may come in anew.
    async fn ses_03_ses_04_an_ended_session_takes_along_what_it_has_opened(house) {
        let world = World::open(house).await;
        for name in ["ann", "bob"] {
            let user = world.push_user(name).await;
            world.assign("User", &user).await;
        }
        let (browser, other) = (house.browser(), house.browser());
        world.go_in(&browser, "ann").await;
        world.go_in(&other, "bob").await;
        let word = world.word(&browser).await;
        let own = world.administrator.own();
        let list = json!({ "ZoneId": world.zone });
        let sessions = own.done(house, "ListPortalSessions", list).await;
        let sessions = sessions["PortalSessions"].as_array().unwrap();
        let session = sessions.iter().find(|session| session["UserName"] == "ann").unwrap();
        let (before, _) = endings(house);
        let end = json!({ "ZoneId": world.zone, "PortalSessionId": session["PortalSessionId"] });
        assert_eq!(own.done(house, "EndPortalSession", end).await["EndedCount"], 1);

        assert_eq!(world.json(&browser, "session").await, None);
        assert_eq!(world.console(&browser, &[]).await, None, "the role session has ended");
        let refused = world.enter(&browser, &word).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("AccessEnded"));
        assert!(world.json(&other, "session").await.is_some());
        assert!(world.console(&other, &[]).await.is_some(), "bob's goes on");
        let (after, soon) = endings(house);
        assert_eq!((after - before, soon), (1, after), "it was counted, and within five seconds");
        assert!(world.log().await.contains(&"access.end_opened".to_owned()));

        house.app.clock.advance(SignedDuration::from_secs(2));
        world.go_in(&browser, "ann").await;
    }

    /// One's own sign-out ends no more than it says.
    async fn ses_04_who_signs_out_keeps_what_they_have_opened(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        world.assign("User", &ann).await;
        let browser = house.browser();
        world.go_in(&browser, "ann").await;
        let out = browser.post(world.portal("/sign-out")).header("Origin", house.url(""));
        assert!(!out.send().await.unwrap().status().is_server_error());
        assert_eq!(world.json(&browser, "session").await, None);
        assert!(world.console(&browser, &[]).await.is_some());
    }

    /// The CAM user's sign-in ends with the session of whose it is, too.
    async fn ses_04_an_ended_session_takes_along_the_cam_users_sign_in(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        let sync = json!({ "ZoneId": world.zone, "UserSyncProvisionings": [{
            "PrincipalType": "User", "PrincipalId": ann, "TargetType": "MemberUin",
            "TargetUin": world.member.0,
        }]});
        world.administrator.done(house, "CreateUserSyncProvisioning", sync).await;
        world.settle().await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        let way = world.portal(&format!("/accounts/{}/users/ann%40acme/login", world.member));
        let word = async || {
            let page = browser.post(&way).header("Origin", house.url("")).send().await.unwrap();
            crate::whole_way::input(&page.text().await.unwrap(), "SAMLResponse")
        };
        let (first, second) = (word().await, word().await);
        assert_eq!(world.enter(&browser, &first).await.status(), StatusCode::SEE_OTHER);
        assert!(world.console(&browser, &[]).await.is_some());
        let end = json!({ "ZoneId": world.zone, "UserId": ann });
        world.administrator.own().done(house, "EndPortalSession", end).await;
        assert_eq!(world.console(&browser, &[]).await, None);
        assert_eq!(world.enter(&browser, &second).await.status(), StatusCode::FORBIDDEN);
    }
}
