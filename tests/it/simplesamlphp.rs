//! The whole way with an identity provider that other people wrote, on the machine's clock.

use identity_center::clock::Clock;
use reqwest::{Client, StatusCode};

use crate::{
    house::{Database, TestHouse},
    journey::location,
    tools::IdentityProvider,
    whole_way::{World, assert_verdict, input},
};

/// Signs in at SimpleSAMLphp as a person would, and comes back to the portal.
async fn sign_in(world: &World<'_>, browser: &Client, user: &str) {
    let mut page = browser.get(world.portal("/login/start")).send().await.unwrap();
    while page.status().is_redirection() {
        page = browser.get(location(&page)).send().await.unwrap();
    }
    let mut address = page.url().clone();
    address.set_query(None);
    let state = input(&page.text().await.unwrap(), "AuthState");
    let password = format!("{user}-password");
    let form = [("username", user), ("password", &password), ("AuthState", &state)];
    let page = browser.post(address).form(&form).send().await.unwrap().text().await.unwrap();
    let acs = world.house.url(&format!("/saml/acs/{}", world.space));
    assert!(page.contains(&acs), "the form leads elsewhere: {page}");
    let form = [("SAMLResponse", input(&page, "SAMLResponse"))];
    let accepted = browser.post(acs).form(&form).send().await.unwrap();
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{}", accepted.text().await.unwrap());
    let inside = browser.get(location(&accepted)).send().await.unwrap();
    assert_eq!(location(&inside), world.portal(""));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_goes_from_her_company_into_an_account() {
    let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
    let mut provider = None;
    let world = World::set_up(&house, async |ours| {
        provider = IdentityProvider::start(ours);
        provider.as_ref().map(|provider| provider.metadata.clone())
    });
    let Some(world) = world.await else { return house.close().await };
    let alice = world.push_user("alice").await;
    let group = world.push_group("Developers", &[&alice]).await;
    world.assign("Group", &group).await;

    let browser = house.browser();
    sign_in(&world, &browser, "alice").await;
    assert_eq!(world.json(&browser, "session").await.unwrap()["user_name"], "alice");
    let word = world.word(&browser).await;
    assert_eq!(world.enter(&browser, &word).await.status(), StatusCode::SEE_OTHER);
    for (action, allowed) in [("cvm:DescribeInstances", true), ("cvm:TerminateInstances", false)] {
        assert_verdict(&world.console(&browser, &[("action", action)]).await.unwrap(), allowed);
    }
    assert_eq!(world.enter(&browser, &word).await.status(), StatusCode::FORBIDDEN);
    world.settle().await;
    house.close().await;
}
