//! The whole of it with LemonLDAP::NG, whose SAML is Lasso's: signed requests, sign-in, and logout
//! begun on either side. It answers logouts at another address than it takes them.

use identity_center::{
    clock::Clock,
    space::{self, NewKeyPair},
    sso,
};
use reqwest::Client;

use super::{arrive, open_space, unescaped};
use crate::{
    house::{Database, TestHouse},
    journey::{count, location},
    tools::IdentityProvider,
};

struct Company {
    house: TestHouse,
    provider: IdentityProvider,
}

impl Company {
    /// None where there is no LemonLDAP::NG.
    async fn open() -> Option<Self> {
        Self::open_as(false).await
    }

    /// The same, and whether it encrypts assertions for a key of ours.
    async fn open_as(encrypted: bool) -> Option<Self> {
        let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
        let space = open_space(&house, "acme", "dwho").await;
        let act = house.app.own_act("test").unwrap();
        if encrypted {
            let (key, sealer) = (NewKeyPair::generate("acme", act.now).unwrap(), &house.app.sealer);
            let db = &house.app.db;
            db.write(async |tx| space::add_encryption_key(tx, &act, sealer, space.id, key).await)
                .await
                .unwrap();
        }
        let url = house.url(&format!("/saml/sp/{}", space.id));
        let described = reqwest::get(url).await.unwrap().text().await.unwrap();
        let encrypts = if encrypted { "assertion" } else { "none" };
        let Some(provider) = IdentityProvider::start_lemonldap(&described, encrypts) else {
            house.close().await;
            return None;
        };
        let (db, metadata) = (&house.app.db, provider.metadata.as_bytes());
        db.write(async |tx| sso::set_by_metadata(tx, &act, space.id, metadata).await)
            .await
            .unwrap();
        Some(Self { house, provider })
    }

    fn portal(&self, rest: &str) -> String {
        self.house.url(&format!("/portal/acme{rest}"))
    }

    /// Signs in as its own demonstration's dwho, who gets a form that remembers where he came from.
    async fn sign_in(&self, browser: &Client) {
        let start = browser.get(self.portal("/login/start")).send().await.unwrap();
        assert!(location(&start).contains("&Signature="), "it wants signed requests");
        let (page, text) = arrive(browser, start, &mut Vec::new()).await;
        let mut form = hidden(&text);
        form.extend([
            ("user".to_owned(), "dwho".to_owned()),
            ("password".to_owned(), "dwho".to_owned()),
        ]);
        let answer = browser.post(page).form(&form).send().await.unwrap();
        let (page, text) = arrive(browser, answer, &mut Vec::new()).await;
        assert_eq!(page.as_str(), self.portal(""), "{text}");
        assert!(self.is_inside(browser).await);
    }

    async fn is_inside(&self, browser: &Client) -> bool {
        let answer = browser.get(self.portal("/api/session")).send().await.unwrap();
        answer.status().is_success()
    }

    async fn is_asked(&self, browser: &Client) -> bool {
        let start = browser.get(self.portal("/login/start")).send().await.unwrap();
        arrive(browser, start, &mut Vec::new()).await.1.contains("name=\"password\"")
    }
}

/// Every hidden input of a page.
fn hidden(page: &str) -> Vec<(String, String)> {
    let inputs = page.split("<input").skip(1).filter_map(|input| input.split_once('>'));
    let value = |input: &str, name: &str| {
        let (_, rest) = input.split_once(&format!("{name}=\""))?;
        Some(unescaped(rest.split('"').next()?))
    };
    inputs
        .filter(|(input, _)| input.contains("type=\"hidden\""))
        .filter_map(|(input, _)| Some((value(input, "name")?, value(input, "value")?)))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_out_here_is_signed_out_there() {
    let Some(company) = Company::open().await else { return };
    let browser = company.house.browser();
    company.sign_in(&browser).await;
    let out = browser.post(company.portal("/sign-out")).header("Sec-Fetch-Site", "same-origin");
    let mut trail = Vec::new();
    let (page, text) = arrive(&browser, out.send().await.unwrap(), &mut trail).await;
    assert!(page.path() == "/portal/acme/signed-out", "{page} {trail:?} {text}");
    assert!(text.contains("You are signed out<"), "{text}");
    assert!(trail.iter().any(|it| it.contains("SAMLResponse=") && it.contains("Signature=")));
    assert!(!company.is_inside(&browser).await);
    assert!(company.is_asked(&browser).await);
    company.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_signs_out_there_is_signed_out_here() {
    let Some(company) = Company::open().await else { return };
    let browser = company.house.browser();
    company.sign_in(&browser).await;
    let start = format!("{}/?logout=1", company.provider.origin());
    let page = browser.get(start).send().await.unwrap().text().await.unwrap();
    // It has each service's logout in a frame.
    let (_, frame) = page.split_once("<iframe").unwrap_or_else(|| panic!("no frame: {page}"));
    let (_, address) = frame.split_once("src=\"").unwrap();
    let address = unescaped(address.split('"').next().unwrap());
    assert!(address.contains("SAMLRequest=") && address.contains("Signature="), "{address}");
    let mut trail = Vec::new();
    let taken = browser.get(address).send().await.unwrap();
    arrive(&browser, taken, &mut trail).await;
    let answers = format!("{}/saml/singleLogoutReturn?SAMLResponse=", company.provider.origin());
    assert!(trail.first().is_some_and(|it| it.starts_with(&answers)), "{trail:?}");
    assert!(!company.is_inside(&browser).await);
    assert!(company.is_asked(&browser).await);
    company.house.close().await;
}

/// The assertion comes encrypted for our key, in AES-CBC inside a signed response, as Lasso does
/// it; and single logout goes on as before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_came_with_an_encrypted_assertion_signs_out_on_both_sides() {
    let Some(company) = Company::open_as(true).await else { return };
    let browser = company.house.browser();
    company.sign_in(&browser).await;
    let checks = "SELECT COUNT(*) FROM sign_in_attempts WHERE outcome = 'signed_in'
                  AND checks LIKE '%RSA-OAEP for sha256%'";
    assert_eq!(count(&company.house, checks).await, 1, "it was encrypted");
    let out = browser.post(company.portal("/sign-out")).header("Sec-Fetch-Site", "same-origin");
    let (page, text) = arrive(&browser, out.send().await.unwrap(), &mut Vec::new()).await;
    assert!(page.path() == "/portal/acme/signed-out", "{page} {text}");
    assert!(text.contains("You are signed out<"), "{text}");
    assert!(!company.is_inside(&browser).await);
    assert!(company.is_asked(&browser).await);
    company.house.close().await;
}
