//! The console's door: who gets in, how far, and what other sites can do with it.

use identity_center::{
    cloud,
    policy::catalogue,
    sso,
    store::{self, sql},
};
use reqwest::{Client, Response, StatusCode, header};
use zeroize::Zeroizing;

use crate::{fake_idp::FakeIdp, house::TestHouse, on_both, world::World};

pub const PASSWORD: &str = "correct horse battery staple";

/// A house with a space, and CAM users of its management account.
pub struct Office<'h> {
    pub house: &'h TestHouse,
    pub world: World,
}

impl<'h> Office<'h> {
    pub async fn open(house: &'h TestHouse) -> Self {
        Self { house, world: World::make(house.app.clone()).await }
    }

    /// A CAM user of the management account with a password and perhaps a preset policy.
    pub async fn hire(&self, name: &str, policy: Option<&str>) {
        let hash = cloud::password::hash(Zeroizing::new(PASSWORD.to_owned())).await.unwrap();
        let account = self.world.management.uin;
        self.world
            .write(async |tx, act| {
                let user = cloud::create_user(tx, act, account, name, Some(&hash), "").await?;
                if let Some(preset) = policy.and_then(catalogue::by_name) {
                    cloud::attach_user_policy(tx, act, &user, preset.id).await?;
                }
                Ok::<_, cloud::Error>(())
            })
            .await;
    }

    async fn sign_in(&self, browser: &Client, name: &str, password: &str) -> Response {
        let account = self.world.management.uin.to_string();
        let form = [("account", account.as_str()), ("user_name", name), ("password", password)];
        browser.post(self.house.url("/console/login")).form(&form).send().await.unwrap()
    }

    /// A browser in which somebody is signed in.
    pub async fn inside(&self, name: &str) -> Client {
        let browser = self.house.browser();
        let answer = self.sign_in(&browser, name, PASSWORD).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{:?}", answer.text().await);
        browser
    }

    async fn create_user(&self, browser: &Client, name: &str, site: &str) -> Response {
        browser
            .post(self.house.url("/console/users"))
            .header("Sec-Fetch-Site", site)
            .form(&[("user_name", name)])
            .send()
            .await
            .unwrap()
    }

    async fn users(&self) -> i64 {
        let counted: store::Result<i64> = self
            .house
            .app
            .db
            .read(async |tx| sql("SELECT COUNT(*) FROM users").fetch_number(tx).await)
            .await;
        counted.unwrap()
    }
}

on_both! {
    async fn con_14_only_administrators_get_in_and_readers_only_look(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        office.hire("reader", Some("QcloudOrganizationReadOnlyAccess")).await;
        office.hire("clerk", Some("AdministratorAccess")).await;

        let nobody = house.browser();
        assert_eq!(office.sign_in(&nobody, "clerk", PASSWORD).await.status(), 422);
        assert_eq!(office.sign_in(&nobody, "chief", "wrong").await.status(), 422);

        let reader = office.inside("reader").await;
        let page = reader.get(house.url("/console/users")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let refused = office.create_user(&reader, "mallory", "same-origin").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("MayLookOnly"));
        assert_eq!(office.users().await, 0);

        let chief = office.inside("chief").await;
        let made = office.create_user(&chief, "alice", "same-origin").await;
        assert_eq!(made.status(), StatusCode::SEE_OTHER);
        assert_eq!(office.users().await, 1);
        let again = office.create_user(&chief, "ALICE", "same-origin").await;
        assert_eq!(again.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let form = again.text().await.unwrap();
        assert!(form.contains(r#"value="ALICE""#) && form.contains("has this name"), "{form}");
    }

    /// What denies at the API denies at the console: it can do nothing that the API cannot.
    async fn con_14_a_deny_reaches_the_console(house) {
        let office = Office::open(house).await;
        let account = office.world.management.uin;
        let deny = async |name: &str, action: &str, address: &str| {
            office.hire(name, Some("QcloudOrganizationFullAccess")).await;
            let document = serde_json::json!({ "version": "2.0", "statement": [{
                "effect": "deny", "action": action, "resource": "*",
                "condition": { "ip_equal": { "qcs:ip": address } } }] })
            .to_string();
            office
                .world
                .write(async |tx, act| -> Result<(), cloud::management::Error> {
                    use cloud::management;
                    let tags = management::Tags::new();
                    let user = management::user_detail(tx, account, name).await?.user.uin;
                    let policy = management::create_policy(
                        tx, act, account, name, "", &document, &tags,
                    )
                    .await?;
                    management::attach_user_policy(tx, act, account, user.0, policy).await
                })
                .await;
        };
        deny("elsewhere", "organization:*", "192.0.2.0/24").await;
        let chief = office.inside("elsewhere").await;
        let made = office.create_user(&chief, "alice", "same-origin").await;
        assert_eq!(made.status(), StatusCode::SEE_OTHER);
        // Kept from one action: may look only.
        deny("halved", "organization:DeleteUser", "127.0.0.1").await;
        let halved = office.inside("halved").await;
        let page = halved.get(house.url("/console/users")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::OK);
        let refused = office.create_user(&halved, "mallory", "same-origin").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        // Kept from looking: not let in.
        deny("blind", "organization:ListUsers", "127.0.0.1").await;
        let blind = office.sign_in(&house.browser(), "blind", PASSWORD).await;
        assert_eq!(blind.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(office.users().await, 1);
    }

    async fn ses_05_another_site_cannot_use_an_administrators_browser(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let chief = office.inside("chief").await;
        for site in ["cross-site", "same-site"] {
            let forged = office.create_user(&chief, "mallory", site).await;
            assert_eq!(forged.status(), StatusCode::FORBIDDEN, "{site}");
        }
        assert_eq!(office.users().await, 0);
    }

    async fn con_13_a_console_session_opens_no_other_door(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let answer = office.sign_in(&house.browser(), "chief", PASSWORD).await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("HttpOnly") && cookie.contains("Path=/console"), "{cookie}");
        let secret = cookie.split(';').next().unwrap().split_once('=').unwrap().1;
        let of_portal = format!("portal_session_{}", office.world.space.id);
        for (name, path) in [(&*of_portal, "/portal/test/api/session"), ("cloud_session", "/cloud")] {
            let answer = house
                .browser()
                .get(house.url(path))
                .header(header::COOKIE, format!("{name}={secret}"))
                .send()
                .await
                .unwrap();
            assert!(!answer.status().is_success(), "{name}: {}", answer.status());
        }
    }

    async fn guessing_a_password_is_met_with_a_pause(house) {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let browser = house.browser();
        for _ in 0..5 {
            assert_eq!(office.sign_in(&browser, "chief", "wrong").await.status(), 422);
        }
        let right = office.sign_in(&browser, "chief", PASSWORD).await;
        assert_eq!(right.status(), 422, "the right password does not help while locked out");
        house.app.clock.advance(jiff::SignedDuration::from_secs(61));
        assert_eq!(office.sign_in(&browser, "chief", PASSWORD).await.status(), 303);
    }

    /// SSO-21: made, shown and removed at the console; who may only look cannot.
    async fn sso_21_encryption_keys_at_the_console(house) {
        const HERE: &str = "/console/settings/sso";
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        office.hire("reader", Some("QcloudOrganizationReadOnlyAccess")).await;
        let (chief, reader) = (office.inside("chief").await, office.inside("reader").await);
        let page = async |browser: &Client| {
            browser.get(house.url(&format!("{HERE}/keys"))).send().await.unwrap().text().await.unwrap()
        };
        let post = async |browser: &Client, path: &str| {
            browser.post(house.url(&format!("{HERE}{path}"))).send().await.unwrap().status()
        };
        let keys = async || office.world.count("SELECT COUNT(*) FROM space_keys WHERE purpose = 'encryption'").await;
        assert!(page(&chief).await.contains("Make a key"));
        assert!(!page(&reader).await.contains("Make a key"));
        assert_eq!(post(&reader, "/keys").await, StatusCode::FORBIDDEN);
        assert_eq!(keys().await, 0);

        assert_eq!(post(&chief, "/keys").await, StatusCode::SEE_OTHER);
        assert_eq!(post(&chief, "/keys").await, StatusCode::SEE_OTHER);
        let full = page(&chief).await;
        assert!(!full.contains("Make a new key"), "{full}");
        assert!(post(&chief, "/keys").await.is_client_error());
        assert_eq!(keys().await, 2);

        let removal = full.split(&format!("action=\"{HERE}")).find(|part| part.starts_with("/keys/"));
        let removal = removal.unwrap().split('"').next().unwrap();
        assert_eq!(post(&reader, removal).await, StatusCode::FORBIDDEN);
        assert_eq!(post(&chief, removal).await, StatusCode::SEE_OTHER);
        assert_eq!(post(&chief, removal).await, StatusCode::NOT_FOUND);
        assert_eq!(keys().await, 1);
        assert!(page(&chief).await.contains("Make a new key"));
    }

    async fn requests_are_decided_at_the_console(house) {
        const HERE: &str = "/console/settings/sso/requests";
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        office.hire("reader", Some("QcloudOrganizationReadOnlyAccess")).await;
        let (chief, reader) = (office.inside("chief").await, office.inside("reader").await);
        let get = async |path: &str| chief.get(house.url(path)).send().await.unwrap();
        assert_eq!(get(HERE).await.status(), StatusCode::NOT_FOUND, "nobody to ask yet");
        let metadata = FakeIdp::new().metadata();
        let space = office.world.space.id;
        office
            .world
            .write(async |tx, act| sso::set_by_metadata(tx, act, space, metadata.as_bytes()).await)
            .await;
        let page = get(HERE).await.text().await.unwrap();
        assert!(page.contains("has no address for this"), "{page}");

        let post = async |browser: &Client, form: &[(&str, &str)]| {
            browser.post(house.url(HERE)).form(form).send().await.unwrap()
        };
        let good = [
            ("sign", "true"),
            ("force_authn", "true"),
            ("name_id", "email"),
            ("authn_contexts", "urn:a\r\nurn:b\r\n"),
        ];
        assert_eq!(post(&reader, &good).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(post(&chief, &good).await.status(), StatusCode::SEE_OTHER);
        let shown = get("/console/settings/sso").await.text().await.unwrap();
        assert!(
            shown.contains("Redirect · signed · authenticating anew · demanding urn:a, urn:b"),
            "{shown}"
        );
        for bad in [("authn_contexts", "nonsense"), ("by_post", "true")] {
            let refused = post(&chief, &[("name_id", "unsaid"), bad]).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{bad:?}");
        }
        let page = get(HERE).await.text().await.unwrap();
        for kept in ["id=\"sign\" name=\"sign\" value=\"true\" checked", "urn:a\nurn:b"] {
            assert!(page.contains(kept), "{kept}: {page}");
        }
        assert!(page.contains("value=\"email\" checked"), "{page}");
    }
}
