//! The console's page of events, as an administrator's browser sees it.

use identity_center::{cloud, policy::catalogue};
use reqwest::{Client, StatusCode};
use zeroize::Zeroizing;

use super::Receiver;
use crate::{house::TestHouse, on_both, world::World};

const PASSWORD: &str = "correct horse battery staple";

/// A browser in which somebody with this policy is signed in at the console.
pub async fn sign_in(house: &TestHouse, world: &World, name: &str, preset: &str) -> Client {
    let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
    let account = world.management.uin;
    world
        .write(async |tx, act| {
            let user = cloud::create_user(tx, act, account, name, Some(&hash), "").await?;
            let policy = catalogue::by_name(preset).unwrap();
            cloud::attach_user_policy(tx, act, &user, policy.id).await
        })
        .await;
    let browser = house.browser();
    let account = account.to_string();
    let form = [("account", account.as_str()), ("user_name", name), ("password", PASSWORD)];
    let answer = browser.post(house.url("/console/login")).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    browser
}

async fn post(
    house: &TestHouse,
    browser: &Client,
    path: &str,
    form: &[(&str, &str)],
) -> (u16, String) {
    let request = browser.post(house.url(path)).header("Sec-Fetch-Site", "same-origin").form(form);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn get(house: &TestHouse, browser: &Client, path: &str) -> String {
    browser.get(house.url(path)).send().await.unwrap().text().await.unwrap()
}

/// What stands between two texts.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    text.split_once(before).unwrap().1.split_once(after).unwrap().0
}

const HERE: &str = "/console/settings/events";

on_both! {
    async fn an_endpoint_lives_its_life_on_its_page(house) {
        let world = World::make(house.app.clone()).await;
        let browser = sign_in(house, &world, "chief", "QcloudOrganizationFullAccess").await;
        let receiver = Receiver::new().await;
        let url = receiver.url();

        let (status, page) = post(house, &browser, HERE, &[
            ("url", "http://example.com/"), ("kinds", "create"), ("full_content", "true"),
        ]).await;
        assert_eq!(status, 422);
        assert!(page.contains("http://example.com/") && page.contains("must begin with https://"), "{page}");
        assert_eq!(post(house, &browser, HERE, &[("url", &url)]).await.0, 422, "no kind");
        let strange = post(house, &browser, HERE, &[("url", &url), ("kinds", "all")]).await;
        assert_eq!(strange.0, 422);

        let (status, page) = post(house, &browser, HERE, &[
            ("url", &url), ("kinds", "create"), ("kinds", "deactivate"),
        ]).await;
        assert_eq!(status, 200, "{page}");
        let secret = between(&page, r#"id="secret">"#, "<").to_owned();
        assert_eq!(secret.len(), 51, "{secret}");
        let list = get(house, &browser, HERE).await;
        assert!(!list.contains(&secret), "it is shown once");
        let id = between(&list, r#"href="/console/settings/events/"#, "\"").to_owned();
        let own = format!("{HERE}/{id}");

        world.user("alice").await;
        let push = &receiver.wait_for(1).await[0];
        assert!(push.is_signed_with(&secret));
        let delivered = async |wanted: &str| {
            for _ in 0..100 {
                if get(house, &browser, &format!("{own}?state=delivered")).await.contains(wanted) {
                    return;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            panic!("{wanted} does not show");
        };
        delivered("1 in all").await;
        let page = get(house, &browser, &format!("{own}?state=delivered")).await;
        let event = between(&page, r#"<tr id=""#, "\"").to_owned();
        let again = format!("{own}/deliveries/{event}/redeliver");
        assert_eq!(post(house, &browser, &again, &[]).await.0, 303);
        assert_eq!(receiver.wait_for(2).await[1].token, push.token);
        assert_eq!(post(house, &browser, &format!("{own}/test"), &[]).await.0, 303);
        assert_eq!(receiver.wait_for(3).await[2].name(), "verification");

        let replay = format!("{own}/replay");
        assert_eq!(post(house, &browser, &replay, &[("since", "yesterday")]).await.0, 422);
        assert_eq!(post(house, &browser, &replay, &[("since", "2026-11-22 07:00:00")]).await.0, 303);
        assert_eq!(receiver.wait_for(4).await[3].token, push.token);

        let (status, page) = post(house, &browser, &format!("{own}/rotate"), &[]).await;
        assert_eq!(status, 200);
        let new = between(&page, r#"id="secret">"#, "<");
        assert_ne!(new, secret);
        world.user("bob").await;
        assert!(receiver.wait_for(5).await[4].is_signed_with(new));

        let (status, _) = post(house, &browser, &own, &[("url", &url), ("kinds", "delete")]).await;
        assert_eq!(status, 303);
        assert_eq!(post(house, &browser, &format!("{own}/disable"), &[]).await.0, 303);
        assert!(get(house, &browser, &own).await.contains("Disabled"));
        assert_eq!(post(house, &browser, &format!("{own}/test"), &[]).await.0, 409);
        assert_eq!(post(house, &browser, &format!("{own}/enable"), &[]).await.0, 303);

        let reader = sign_in(house, &world, "reader", "QcloudOrganizationReadOnlyAccess").await;
        let page = get(house, &reader, &own).await;
        assert!(page.contains(&id) && !page.contains("<form method=\"post\" action=\"/console/settings"));
        assert_eq!(post(house, &reader, &format!("{own}/delete"), &[]).await.0, 403);
        assert_eq!(post(house, &browser, &format!("{own}/delete"), &[]).await.0, 303);
        let gone = browser.get(house.url(&own)).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    }
}
