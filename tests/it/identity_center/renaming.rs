//! A space gets another name, where a setting lets it.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{Center, all_allowed};
use crate::{
    journey::{Company, count, location},
    on_both, with_settings,
};

on_both! {
    async fn act_06_a_space_keeps_its_name(house) {
        let center = Center::open(house).await;
        let said = center.refused("FailedOperation", "UpdateZone", json!({ "NewZoneName": "new" })).await;
        assert!(said.contains("administration.rename_spaces"), "{said}");
        assert_eq!(center.client.done(house, "DescribeIdentityCenter", json!({})).await["ZoneName"], "test");
        assert_eq!(count(house, "SELECT COUNT(*) FROM space_former_names").await, 0);
    }
}

with_settings! { all_allowed;
    async fn act_06_a_setting_lets_a_space_be_renamed(house) {
        let center = Center::open(house).await;
        let other = Company::bare(house, "other").await;
        let code = "InvalidParameterValue.ZoneNameFormatError";
        for wrong in ["", "a", "-a", "a-", "a--b", "Ab", "a_b", &"a".repeat(65), "other"] {
            center.refused(code, "UpdateZone", json!({ "NewZoneName": wrong })).await;
        }
        let foreign = json!({ "ZoneId": other.space.id, "NewZoneName": "mine" });
        center.refused("FailedOperation.ZoneIdNotExist", "UpdateZone", foreign).await;
        let name = async || center.client.done(house, "DescribeIdentityCenter", json!({})).await["ZoneName"].clone();
        assert_eq!(name().await, "test");
        center.done("UpdateZone", json!({ "NewZoneName": "test" })).await;
        center.done("UpdateZone", json!({ "NewZoneName": "second" })).await;
        assert_eq!(name().await, "second");
        center.done("UpdateZone", json!({ "NewZoneName": "a".repeat(64) })).await;
        // A name that was given up stays the space's: nobody else gets it, and the space itself may.
        let keys = identity_center::cloud::space_keys("x".to_owned(), house.now()).await.unwrap();
        let (act, sealer) = (center.world.act(), &house.app.sealer);
        let (organization, _) = house
            .app
            .db
            .write(async |tx| identity_center::organization::create(tx, &act, "Third").await)
            .await
            .unwrap();
        let opened = house
            .app
            .db
            .write(async |tx| {
                identity_center::space::open(tx, &act, sealer, organization.id, "second", keys).await
            })
            .await;
        assert!(matches!(opened, Err(identity_center::space::Error::NameTaken)), "{opened:?}");
        center.done("UpdateZone", json!({ "NewZoneName": "test" })).await;
        assert_eq!(name().await, "test");
        let renamed = "SELECT COUNT(*) FROM audit_records WHERE action = 'space.rename'";
        assert_eq!(count(house, renamed).await, 3);
    }

    async fn act_06_old_addresses_lead_to_the_new_name_and_the_entity_id_stays(house) {
        let center = Center::open(house).await;
        let mut company = center.company().await;
        let (alice, browser) = (company.hire("alice").await, house.browser());
        let configuration = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.assign(alice.id, center.world.member.uin, configuration).await;
        company.sign_in(&browser, "alice").await;
        let metadata = house.url(&format!("/saml/sp/{}", company.space.id));
        let before = reqwest::get(&metadata).await.unwrap().text().await.unwrap();

        center.done("UpdateZone", json!({ "NewZoneName": "new" })).await;
        assert_eq!(reqwest::get(&metadata).await.unwrap().text().await.unwrap(), before);
        // Who is signed in goes on, from wherever they come.
        let role = format!("/accounts/{}/roles/{configuration}/login", center.world.member.uin);
        for (method, path) in [
            (Method::GET, ""),
            (Method::GET, "?tab=users"),
            (Method::GET, "/api/accounts"),
            (Method::GET, "/login"),
            (Method::GET, "/login/start?return_to=x"),
            (Method::GET, "/signed-out"),
            (Method::POST, role.as_str()),
        ] {
            let old = house.url(&format!("/portal/test{path}"));
            let moved = browser.request(method.clone(), old).send().await.unwrap();
            assert_eq!(moved.status(), StatusCode::TEMPORARY_REDIRECT, "{path}");
            assert_eq!(location(&moved), house.url(&format!("/portal/new{path}")));
            if path != "/login/start?return_to=x" {
                let there = browser.request(method, location(&moved)).send().await.unwrap();
                assert_eq!(there.status(), StatusCode::OK, "{path}");
            }
        }
        // A stranger learns no more than where the portal is.
        let stranger = house.browser();
        let moved = stranger.get(house.url("/portal/test/api/accounts")).send().await.unwrap();
        let there = stranger.get(location(&moved)).send().await.unwrap();
        assert_eq!(there.status(), StatusCode::UNAUTHORIZED);
        company.space.name = "new".to_owned();
        company.sign_in(&stranger, "alice").await;
        let nowhere = stranger.get(house.url("/portal/tes/login")).send().await.unwrap();
        assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
    }
}
