//! A company with a space, people and an identity provider, as journeys begin with one.

use identity_center::{
    audit::Act,
    cloud,
    directory::{self, NewUser, User},
    id::{OrganizationId, Uin},
    organization,
    policy::catalogue,
    space::{self, KeyPurpose, NewKeyPair, Space},
    sso,
    store::{self, sql},
};
use reqwest::{Client, Response, StatusCode, header::LOCATION};
use zeroize::Zeroizing;

use crate::{fake_idp::FakeIdp, house::TestHouse};

/// A company whose people may sign in.
pub struct Company<'h> {
    pub house: &'h TestHouse,
    pub organization: OrganizationId,
    pub management: Uin,
    pub space: Space,
    pub idp: FakeIdp,
}

impl<'h> Company<'h> {
    /// An organisation with a space, in which nobody is and nothing is set up.
    pub async fn bare(house: &'h TestHouse, name: &str) -> Self {
        let act = act(house);
        let keys = [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider]
            .map(|purpose| (purpose, NewKeyPair::generate(name, act.now).unwrap()));
        let (organization, management, space) = house
            .app
            .db
            .write(async |tx| -> anyhow::Result<_> {
                let (organization, account) = organization::create(tx, &act, name).await?;
                let sealer = &house.app.sealer;
                let space = space::open(tx, &act, sealer, organization.id, name, keys).await?;
                Ok((organization.id, account.uin, space))
            })
            .await
            .unwrap();
        Self { house, organization, management, space, idp: FakeIdp::new() }
    }

    /// The same with the identity provider set, sign-in switched on, and alice.
    pub async fn open(house: &'h TestHouse, name: &str) -> Self {
        let company = Self::bare(house, name).await;
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        company.hire("alice").await;
        company
    }

    pub async fn set_identity_provider(&self) {
        let metadata = self.idp.metadata();
        let act = act(self.house);
        let db = &self.house.app.db;
        db.write(async |tx| {
            sso::set_by_metadata(tx, &act, self.space.id, metadata.as_bytes()).await
        })
        .await
        .unwrap();
    }

    /// A browser in which an administrator with this policy is signed in at the console.
    pub async fn administrator(&self, name: &str, policy: &str) -> Client {
        let password = "correct horse battery staple";
        let hash = cloud::password::hash(Zeroizing::new(password.to_owned())).await.unwrap();
        let (act, account) = (act(self.house), self.management);
        let db = &self.house.app.db;
        db.write(async |tx| {
            let user = cloud::create_user(tx, &act, account, name, Some(&hash), "").await?;
            let preset = catalogue::by_name(policy).unwrap();
            cloud::attach_user_policy(tx, &act, &user, preset.id).await
        })
        .await
        .unwrap();
        let browser = self.house.browser();
        let account = account.to_string();
        let form = [("account", account.as_str()), ("user_name", name), ("password", password)];
        let login = browser.post(self.house.url("/console/login")).form(&form);
        assert_eq!(login.send().await.unwrap().status(), StatusCode::SEE_OTHER);
        browser
    }

    pub async fn switch_sign_in(&self, on: bool) {
        let act = act(self.house);
        let db = &self.house.app.db;
        db.write(async |tx| space::set_sso_enabled(tx, &act, &self.space, on).await).await.unwrap();
    }

    pub async fn hire(&self, name: &str) -> User {
        let act = act(self.house);
        let new = NewUser { user_name: name.to_owned(), ..NewUser::default() };
        let db = &self.house.app.db;
        db.write(async |tx| directory::create_user(tx, &act, self.space.id, &new, 100).await)
            .await
            .unwrap()
    }

    pub async fn set_enabled(&self, user: &User, enabled: bool) {
        let act = act(self.house);
        let db = &self.house.app.db;
        db.write(async |tx| {
            directory::set_user_enabled(tx, &act, self.space.id, user.id, enabled).await
        })
        .await
        .unwrap();
    }

    /// An address below the space's portal.
    pub fn portal(&self, rest: &str) -> String {
        self.house.url(&format!("/portal/{}{rest}", self.space.name))
    }

    pub fn acs_url(&self) -> String {
        self.house.url(&format!("/saml/acs/{}", self.space.id))
    }

    /// Begins to sign in: where the browser is sent.
    pub async fn start(&self, browser: &Client) -> String {
        let answer = browser.get(self.portal("/login/start")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        location(&answer)
    }

    /// Posts a response as the identity provider's page would have the browser do.
    pub async fn post(&self, browser: &Client, base64: &str) -> Response {
        browser
            .post(self.acs_url())
            .header("Origin", "https://idp.example.com")
            .header("Sec-Fetch-Site", "cross-site")
            .form(&[("SAMLResponse", base64)])
            .send()
            .await
            .unwrap()
    }

    /// As far as the ticket: where the browser is to fetch its session.
    pub async fn ticket_for(&self, browser: &Client, name: &str) -> String {
        let request = self.idp.read(&self.start(browser).await);
        let answer = self.idp.answer(&request, name, self.house.now().to_jiff());
        let accepted = self.post(browser, &answer.signed().base64()).await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER, "{}", accepted.text().await.unwrap());
        location(&accepted)
    }

    /// The whole way in.
    pub async fn sign_in(&self, browser: &Client, name: &str) -> Response {
        let finish = self.ticket_for(browser, name).await;
        let inside = browser.get(finish).send().await.unwrap();
        assert_eq!(inside.status(), StatusCode::SEE_OTHER);
        inside
    }
}

/// A form with files, as browsers write one (RFC 7578).
#[derive(Default)]
pub struct Multipart(String);

impl Multipart {
    const BOUNDARY: &'static str = "----identity-center";

    pub fn text(mut self, name: &str, value: &str) -> Self {
        let boundary = Self::BOUNDARY;
        self.0.push_str(&format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
        ));
        self
    }

    pub async fn post(self, browser: &Client, address: String) -> Response {
        let boundary = Self::BOUNDARY;
        let kind = format!("multipart/form-data; boundary={boundary}");
        let body = format!("{}--{boundary}--\r\n", self.0);
        browser.post(address).header("Content-Type", kind).body(body).send().await.unwrap()
    }
}

/// An act of the test itself.
pub fn act(house: &TestHouse) -> Act {
    house.app.own_act("test").unwrap()
}

/// How many rows a table has.
pub async fn count(house: &TestHouse, query: &'static str) -> i64 {
    let counted: store::Result<i64> =
        house.app.db.read(async |tx| sql(query).fetch_number(tx).await).await;
    counted.unwrap()
}

/// Where a redirect leads, as an absolute address.
pub fn location(answer: &Response) -> String {
    let to = answer.headers().get(LOCATION).unwrap().to_str().unwrap();
    answer.url().join(to).unwrap().to_string()
}

pub fn header<'r>(answer: &'r Response, name: &str) -> &'r str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
