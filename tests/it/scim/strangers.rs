//! SCIM-22, for those who come without a good token: they are counted by their address.

use std::num::NonZeroU32;

use identity_center::{config::Settings, credential};
use reqwest::Method;

use super::{Directory, act};
use crate::house::{Database, TestHouse};

fn three_strangers_an_hour(settings: &mut Settings) {
    settings.rate_limits.scim_stranger_per_second = NonZeroU32::MIN;
    settings.rate_limits.scim_stranger_burst = NonZeroU32::new(3).unwrap();
    settings.proxies.trusted = vec!["127.0.0.1/32".parse().unwrap()];
}

async fn ask(house: &TestHouse, address: &str, token: Option<&str>) -> reqwest::Response {
    let mut request = reqwest::Client::new().get(house.url("/scim/v2/Users"));
    request = request.header("x-forwarded-for", address);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    request.send().await.unwrap()
}

async fn strangers_of_one_address_are_held_and_nobody_else(house: &TestHouse) {
    let acme = Directory::new(house).await;
    let token = acme.token.clone();
    // A directory whose token is known, behind the address of those who guess.
    assert_eq!(ask(house, "203.0.113.7", Some(&token)).await.status(), 200);
    let guesses = [None, Some("nonsense"), Some("icscim_guess"), Some("icscim_another")];
    let mut refused = 0;
    for guess in guesses.iter().cycle().take(16) {
        let answer = ask(house, "203.0.113.7", *guess).await;
        match answer.status().as_u16() {
            401 => assert!(answer.headers().contains_key("www-authenticate")),
            429 => {
                refused += 1;
                let seconds: u64 =
                    answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
                assert!((1..=3).contains(&seconds), "{seconds}");
                let body: serde_json::Value =
                    serde_json::from_str(&answer.text().await.unwrap()).unwrap();
                assert!(body["detail"].as_str().unwrap().contains("from this address"), "{body}");
                assert_eq!(body["status"], "429");
            }
            other => panic!("{other}"),
        }
    }
    assert!(refused >= 10, "{refused}");
    assert_eq!(ask(house, "203.0.113.7", Some(&token)).await.status(), 200);
    assert_eq!(ask(house, "203.0.113.8", None).await.status(), 401);
    // What is open to anyone is no way around it.
    assert!(
        some_are_held(house, Method::GET, "/scim/v2/ServiceProviderConfig", "203.0.113.7").await
    );
    // Nor is a token that was good once.
    let act = act(house);
    let (space, id) = (acme.space.id, acme.credential);
    let off = async |tx: &mut _| credential::set_enabled(tx, &act, space, id, false).await;
    house.app.db.write(off).await.unwrap();
    let first = ask(house, "203.0.113.9", Some(&token)).await.status();
    assert_eq!(first, 401);
    let mut held = false;
    for _ in 0..20 {
        held |= ask(house, "203.0.113.9", Some(&token)).await.status() == 429;
    }
    assert!(held);
    // A slash too many and unknown endpoints are the same door.
    for path in ["/scim/v2/Users/", "/scim/v2/Nothing"] {
        assert!(some_are_held(house, Method::POST, path, "203.0.113.9").await, "{path}");
    }
}

/// Whether any of several requests in a row is answered 429: one may pass each second.
async fn some_are_held(house: &TestHouse, method: Method, path: &str, address: &str) -> bool {
    let http = reqwest::Client::new();
    for _ in 0..20 {
        let request = http.request(method.clone(), house.url(path));
        let answer = request.header("x-forwarded-for", address).send().await.unwrap();
        if answer.status() == 429 {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn scim_22_strangers_sqlite() {
    let house = TestHouse::with_settings(three_strangers_an_hour).await;
    strangers_of_one_address_are_held_and_nobody_else(&house).await;
    house.close().await;
}

#[tokio::test]
async fn scim_22_strangers_postgres() {
    let Some(database) = Database::postgres().await else { return };
    let house = TestHouse::with_settings_on(database, three_strangers_an_hour).await;
    strangers_of_one_address_are_held_and_nobody_else(&house).await;
    house.close().await;
}
