//! Sign-in with an identity provider that other people wrote: SimpleSAMLphp.

use identity_center::{
    clock::Clock,
    directory::{self, NewUser},
    organization,
    saml::encoding,
    space::{self, KeyPurpose, NewKeyPair, Space},
    sso,
};
use reqwest::{Client, StatusCode, header::LOCATION};

use crate::{
    house::{Database, TestHouse},
    tools::IdentityProvider,
};

/// A space in which alice may sign in, and the identity provider that knows her and bob.
struct Company {
    house: TestHouse,
    space: Space,
    provider: IdentityProvider,
}

impl Company {
    /// None where there is no SimpleSAMLphp. The clock is the machine's, as the provider's is.
    async fn open() -> Option<Self> {
        Self::open_as(false).await
    }

    /// The same, and whether assertions are encrypted.
    async fn open_as(encrypted: bool) -> Option<Self> {
        let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
        let app = &house.app;
        let act = app.own_act("test").unwrap();
        let keys = [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider]
            .map(|purpose| (purpose, NewKeyPair::generate("acme", act.now).unwrap()));
        let space: Space = app
            .db
            .write(async |tx| -> anyhow::Result<_> {
                let (organization, _) = organization::create(tx, &act, "Acme").await?;
                let space =
                    space::open(tx, &act, &app.sealer, organization.id, "acme", keys).await?;
                let alice = NewUser { user_name: "alice".to_owned(), ..NewUser::default() };
                directory::create_user(tx, &act, space.id, &alice, 10).await?;
                space::set_sso_enabled(tx, &act, &space, true).await?;
                Ok(space)
            })
            .await
            .unwrap();
        if encrypted {
            let (key, sealer) = (NewKeyPair::generate("acme", act.now).unwrap(), &app.sealer);
            app.db
                .write(async |tx| space::add_encryption_key(tx, &act, sealer, space.id, key).await)
                .await
                .unwrap();
        }
        let described = house.browser().get(house.url(&format!("/saml/sp/{}", space.id)));
        let described = described.send().await.unwrap().text().await.unwrap();
        let Some(provider) = IdentityProvider::start(&described) else {
            house.close().await;
            return None;
        };
        let metadata = provider.metadata.as_bytes();
        app.db
            .write(async |tx| sso::set_by_metadata(tx, &act, space.id, metadata).await)
            .await
            .unwrap();
        Some(Self { house, space, provider })
    }

    /// Signs in at the identity provider as a person would; the form with the response that it
    /// then hands the browser for our assertion consumer service.
    async fn response_for(&self, browser: &Client, user: &str) -> Vec<(&'static str, String)> {
        let start = self.house.url("/portal/acme/login/start");
        let start = browser.get(start).send().await.unwrap();
        assert_eq!(start.status(), StatusCode::SEE_OTHER);
        let mut page = browser.get(location(&start)).send().await.unwrap();
        while page.status().is_redirection() {
            page = browser.get(location(&page)).send().await.unwrap();
        }
        let mut address = page.url().clone();
        let state = input(&page.text().await.unwrap(), "AuthState");
        address.set_query(None);
        let form = [
            ("username", user.to_owned()),
            ("password", format!("{user}-password")),
            ("AuthState", state),
        ];
        let page = browser.post(address).form(&form).send().await.unwrap();
        let page = page.text().await.unwrap();
        let acs = self.house.url(&format!("/saml/acs/{}", self.space.id));
        assert!(page.contains(&acs), "the form leads elsewhere: {page}");
        vec![("SAMLResponse", input(&page, "SAMLResponse"))]
    }

    async fn post(&self, browser: &Client, form: &[(&str, String)]) -> reqwest::Response {
        let acs = self.house.url(&format!("/saml/acs/{}", self.space.id));
        browser.post(acs).header("Origin", self.provider.origin()).form(form).send().await.unwrap()
    }
}

fn location(answer: &reqwest::Response) -> String {
    let to = answer.headers().get(LOCATION).unwrap().to_str().unwrap();
    answer.url().join(to).unwrap().to_string()
}

/// The value of a hidden input of that name.
fn input(page: &str, name: &str) -> String {
    let at = page.find(&format!("name=\"{name}\"")).unwrap_or_else(|| panic!("no {name}: {page}"));
    let value = page[at..].split("value=\"").nth(1).unwrap().split('"').next().unwrap();
    value.replace("&amp;", "&").replace("&#43;", "+").replace("&#x2B;", "+")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_signs_in_and_only_once() {
    let Some(company) = Company::open().await else { return };
    let browser = company.house.browser();
    let form = company.response_for(&browser, "alice").await;

    let accepted = company.post(&browser, &form).await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{:?}", accepted.text().await);
    let finish = location(&accepted);
    assert!(finish.contains("/portal/acme/login/finish?ticket="), "{finish}");

    let mine = browser.get(&finish).send().await.unwrap();
    assert_eq!(mine.status(), StatusCode::SEE_OTHER, "{:?}", mine.text().await);
    assert!(location(&mine).ends_with("/portal/acme"));

    let again = company.post(&browser, &form).await;
    assert_eq!(again.status(), StatusCode::FORBIDDEN, "the same response comes again");
    company.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_signs_in_with_an_encrypted_assertion() {
    let Some(company) = Company::open_as(true).await else { return };
    let browser = company.house.browser();
    let form = company.response_for(&browser, "alice").await;
    let response = String::from_utf8(encoding::decode(&form[0].1).unwrap()).unwrap();
    assert!(response.contains("EncryptedAssertion") && !response.contains(">alice<"), "{response}");
    let accepted = company.post(&browser, &form).await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{:?}", accepted.text().await);
    let mine = browser.get(location(&accepted)).send().await.unwrap();
    assert!(location(&mine).ends_with("/portal/acme"));
    company.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_response_opens_nothing_in_another_browser() {
    let Some(company) = Company::open().await else { return };
    let victim = company.house.browser();
    let form = company.response_for(&victim, "alice").await;

    let thief = company.house.browser();
    let accepted = company.post(&thief, &form).await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
    let finish = location(&accepted);
    for browser in [&thief, &victim] {
        let refused = browser.get(&finish).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "the ticket is used up by the thief");
    }
    company.house.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bob_is_known_to_the_provider_and_not_to_us() {
    let Some(company) = Company::open().await else { return };
    let browser = company.house.browser();
    let form = company.response_for(&browser, "bob").await;
    let refused = company.post(&browser, &form).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let page = refused.text().await.unwrap();
    assert!(page.contains("nobody has given you an account"), "{page}");
    company.house.close().await;
}
