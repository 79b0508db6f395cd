//! Single logout with an identity provider that other people wrote: SimpleSAMLphp, which signs its
//! logout messages and demands that ours are signed.

mod lemonldap;

use identity_center::{
    clock::Clock,
    directory::{self, NewUser},
    organization,
    saml::binding,
    space::{self, KeyPurpose, NewKeyPair, Space},
    sso,
};
use reqwest::{Client, Response};

use crate::{
    house::{Database, TestHouse},
    journey::{count, location},
    tools::IdentityProvider,
    whole_way::input,
};

/// Which bindings each side says it takes logout messages by.
#[derive(Clone, Copy, PartialEq)]
enum Bindings {
    Both,
    PostOnly,
}

/// Two services of one house, `acme` and `beta`, and the identity provider of both.
struct Companies {
    house: TestHouse,
    acme: Space,
    provider: IdentityProvider,
}

impl Companies {
    /// None where there is no SimpleSAMLphp. `elsewhere` has the identity provider know beta's
    /// logout address by another name of this machine, which beta refuses.
    async fn open(bindings: Bindings, elsewhere: bool) -> Option<Self> {
        let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
        let acme = open_space(&house, "acme", "alice").await;
        let beta = open_space(&house, "beta", "alice").await;
        let mut described = String::new();
        for space in [&acme, &beta] {
            let url = house.url(&format!("/saml/sp/{}", space.id));
            let mut metadata = reqwest::get(url).await.unwrap().text().await.unwrap();
            if bindings == Bindings::PostOnly {
                metadata = without_redirect(&metadata);
            }
            if elsewhere && space.id == beta.id {
                let slo = format!("127.0.0.1:{}/saml/slo", house.address.port());
                assert!(metadata.contains(&slo));
                metadata = metadata.replace(&slo, &slo.replace("127.0.0.1", "localhost"));
            }
            described.push_str(&metadata);
        }
        let described = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{described}\
             </md:EntitiesDescriptor>"
        );
        let Some(provider) = IdentityProvider::start(&described) else {
            house.close().await;
            return None;
        };
        let metadata = match bindings {
            Bindings::Both => provider.metadata.clone(),
            Bindings::PostOnly => without_redirect(&provider.metadata),
        };
        let act = house.app.own_act("test").unwrap();
        for space in [&acme, &beta] {
            let (db, metadata) = (&house.app.db, metadata.as_bytes());
            db.write(async |tx| sso::set_by_metadata(tx, &act, space.id, metadata).await)
                .await
                .unwrap();
        }
        Some(Self { house, acme, provider })
    }

    fn portal(&self, space: &str, rest: &str) -> String {
        self.house.url(&format!("/portal/{space}{rest}"))
    }

    /// Signs in as alice. Where the identity provider knows her already, it does not ask.
    async fn sign_in(&self, browser: &Client, space: &str) {
        let start = browser.get(self.portal(space, "/login/start")).send().await.unwrap();
        let (mut page, mut text) = arrive(browser, start, &mut Vec::new()).await;
        if text.contains("name=\"AuthState\"") {
            let mut address = page;
            address.set_query(None);
            let state = input(&text, "AuthState");
            let form =
                [("username", "alice"), ("password", "alice-password"), ("AuthState", &state)];
            let answer = browser.post(address).form(&form).send().await.unwrap();
            (page, text) = arrive(browser, answer, &mut Vec::new()).await;
        }
        assert_eq!(page.as_str(), self.portal(space, ""), "{text}");
        assert!(text.contains("Your accounts"), "{text}");
    }

    async fn is_inside(&self, browser: &Client, space: &str) -> bool {
        let answer = browser.get(self.portal(space, "/api/session")).send().await.unwrap();
        answer.status().is_success()
    }

    /// Whether the identity provider asks for a password again.
    async fn is_asked(&self, browser: &Client) -> bool {
        let start = browser.get(self.portal("acme", "/login/start")).send().await.unwrap();
        arrive(browser, start, &mut Vec::new()).await.1.contains("name=\"AuthState\"")
    }

    async fn press_sign_out(&self, browser: &Client) -> (url::Url, String, Vec<String>) {
        let out = browser.post(self.portal("acme", "/sign-out"));
        let out = out.header("Sec-Fetch-Site", "same-origin").send().await.unwrap();
        let mut trail = Vec::new();
        let (page, text) = arrive(browser, out, &mut trail).await;
        (page, text, trail)
    }
}

/// A space whose one user may sign in.
async fn open_space(house: &TestHouse, name: &str, user: &str) -> Space {
    let act = house.app.own_act("test").unwrap();
    let keys = [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider]
        .map(|purpose| (purpose, NewKeyPair::generate(name, act.now).unwrap()));
    let sealer = &house.app.sealer;
    house
        .app
        .db
        .write(async |tx| -> anyhow::Result<_> {
            let (organization, _) = organization::create(tx, &act, name).await?;
            let space = space::open(tx, &act, sealer, organization.id, name, keys).await?;
            let user = NewUser { user_name: user.to_owned(), ..NewUser::default() };
            directory::create_user(tx, &act, space.id, &user, 10).await?;
            space::set_sso_enabled(tx, &act, &space, true).await?;
            Ok(space)
        })
        .await
        .unwrap()
}

/// Metadata without logout by redirect.
pub fn without_redirect(metadata: &str) -> String {
    let service = format!("<md:SingleLogoutService Binding=\"{}\"", binding::REDIRECT);
    let (before, rest) = metadata.split_once(&service).unwrap();
    let (_, after) = rest.split_once('>').unwrap();
    let after = after.strip_prefix("</md:SingleLogoutService>").unwrap_or(after);
    assert!(after.contains("<md:SingleLogoutService "), "nothing is left: {metadata}");
    format!("{before}{after}")
}

/// Goes where a browser with scripts would go: along redirects, pages that refresh themselves, and
/// forms that send themselves. The trail has every address, with what was posted there.
async fn arrive(
    browser: &Client,
    mut answer: Response,
    trail: &mut Vec<String>,
) -> (url::Url, String) {
    for _ in 0..15 {
        let here = answer.url().clone();
        if answer.status().is_redirection() {
            let to = location(&answer);
            trail.push(to.clone());
            answer = browser.get(to).send().await.unwrap();
            continue;
        }
        let text = answer.text().await.unwrap();
        if let Some((_, rest)) = text.split_once("http-equiv=\"refresh\" content=\"0;url=") {
            let to = unescaped(rest.split('"').next().unwrap());
            trail.push(to.clone());
            answer = browser.get(to).send().await.unwrap();
            continue;
        }
        let fields = ["SAMLRequest", "SAMLResponse", "RelayState"];
        let fields = fields.into_iter().filter(|name| text.contains(&format!("name=\"{name}\"")));
        let form: Vec<(&str, String)> = fields.map(|name| (name, input(&text, name))).collect();
        if form.iter().any(|(name, _)| name.starts_with("SAML")) {
            let action = text.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
            let action = here.join(&unescaped(action)).unwrap();
            trail.push(format!("{action} {}", form[0].0));
            let origin = here.origin().ascii_serialization();
            let post = browser.post(action).header("Origin", origin);
            answer = post.header("Sec-Fetch-Site", "cross-site").form(&form).send().await.unwrap();
            continue;
        }
        return (here, text);
    }
    panic!("no end of it: {trail:?}");
}

fn unescaped(text: &str) -> String {
    text.replace("&#38;", "&").replace("&amp;", "&").replace("&#43;", "+").replace("&#61;", "=")
}

fn passes(trail: &[String], start: &str, parts: &[&str]) -> bool {
    trail.iter().any(|it| it.starts_with(start) && parts.iter().all(|part| it.contains(part)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_signs_out_here_and_at_her_company() {
    for bindings in [Bindings::Both, Bindings::PostOnly] {
        let Some(companies) = Companies::open(bindings, false).await else { return };
        let browser = companies.house.browser();
        companies.sign_in(&browser, "acme").await;
        assert!(companies.is_inside(&browser, "acme").await);
        let (page, text, trail) = companies.press_sign_out(&browser).await;
        assert!(page.path() == "/portal/acme/signed-out", "{page} {trail:?} {text}");
        assert!(text.contains("You are signed out<"), "{text}");
        let theirs = companies.provider.origin();
        let ours = companies.house.url(&format!("/saml/slo/{}", companies.acme.id));
        // Signed both ways: beside it in the address, or in what was posted.
        let (there, back): (&[&str], &[&str]) = match bindings {
            Bindings::Both => (&["SAMLRequest=", "Signature="], &["SAMLResponse=", "Signature="]),
            Bindings::PostOnly => (&[" SAMLRequest"], &[" SAMLResponse"]),
        };
        assert!(passes(&trail, &theirs, there) && passes(&trail, &ours, back), "{trail:?}");
        assert!(!companies.is_inside(&browser, "acme").await);
        assert!(companies.is_asked(&browser).await, "the company's own session has ended too");
        companies.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_at_the_company_ends_every_session_that_came_from_it() {
    for bindings in [Bindings::Both, Bindings::PostOnly] {
        let Some(companies) = Companies::open(bindings, false).await else { return };
        let (browser, other) = (companies.house.browser(), companies.house.browser());
        companies.sign_in(&other, "acme").await;
        for space in ["acme", "beta"] {
            companies.sign_in(&browser, space).await;
        }
        let theirs = companies.provider.origin();
        let home = format!("{theirs}/simplesaml/resources/default.css");
        let start = format!("{theirs}/simplesaml/saml2/idp/initSLO.php?RelayState={home}");
        let started = browser.get(start).send().await.unwrap();
        let mut trail = Vec::new();
        let (page, text) = arrive(&browser, started, &mut trail).await;
        assert_eq!(page.as_str(), home, "it came through to its end: {trail:?} {text}");
        for space in ["acme", "beta"] {
            assert!(!companies.is_inside(&browser, space).await, "{space}: {trail:?}");
        }
        assert!(companies.is_inside(&other, "acme").await, "another session there is another one");
        assert_eq!(count(&companies.house, "SELECT COUNT(*) FROM sessions").await, 1);
        let obeyed = "SELECT COUNT(*) FROM audit_records WHERE action = 'single_logout.obey'";
        assert_eq!(count(&companies.house, obeyed).await, 2);
        assert!(companies.is_asked(&browser).await);
        companies.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_logout_that_one_service_refuses_is_partial() {
    let Some(companies) = Companies::open(Bindings::Both, true).await else { return };
    let browser = companies.house.browser();
    // A browser has one portal session; the company remembers both.
    for space in ["beta", "acme"] {
        companies.sign_in(&browser, space).await;
    }
    let (page, text, trail) = companies.press_sign_out(&browser).await;
    assert!(page.path() == "/portal/acme/signed-out", "{page} {trail:?} {text}");
    assert!(
        text.contains("not signed out everywhere") && text.contains("could not end all"),
        "{text}"
    );
    assert!(!companies.is_inside(&browser, "acme").await);
    let refused = "SELECT COUNT(*) FROM refused_messages
                   WHERE cause = 'destination' AND detail LIKE '%destination%'";
    assert_eq!(count(&companies.house, refused).await, 1, "and the administrator reads why");
    companies.house.close().await;
}
