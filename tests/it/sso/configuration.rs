//! The identity provider at the console: looked at before it counts, its certificates one by one,
//! and cleared.

use identity_center::{
    saml::{certificate::SigningKey, sp_metadata},
    sso,
    store::sql,
};
use reqwest::{Client, Response, StatusCode, header};

use crate::{
    console::{Office, PASSWORD},
    fake_idp::{FakeIdp, LOGIN_URL, right_key, wrong_key},
    house::TestHouse,
    journey::{Company, count, location},
    on_both,
    world::World,
};

const HERE: &str = "/console/settings/sso";

/// A form with files, as a browser sends it.
async fn send(browser: &Client, address: String, parts: &[(&str, &str)]) -> Response {
    let mut body = String::new();
    for (name, value) in parts {
        let file = if *name == "file" { "; filename=\"metadata.xml\"" } else { "" };
        body.push_str(&format!(
            "--b\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{value}\r\n"
        ));
    }
    body.push_str("--b--\r\n");
    let kind = "multipart/form-data; boundary=b";
    browser.post(address).header(header::CONTENT_TYPE, kind).body(body).send().await.unwrap()
}

/// A company whose administrator sits at the console.
pub struct Desk<'h> {
    pub world: World,
    pub company: Company<'h>,
    pub chief: Client,
    pub reader: Client,
}

impl<'h> Desk<'h> {
    pub async fn open(house: &'h TestHouse) -> Self {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        office.hire("reader", Some("QcloudOrganizationReadOnlyAccess")).await;
        let (chief, reader) = (office.inside("chief").await, office.inside("reader").await);
        let company = Company {
            house,
            organization: office.world.space.organization_id,
            space: office.world.space.clone(),
            management: office.world.management.uin,
            idp: FakeIdp::new(),
        };
        company.hire("alice").await;
        Self { world: office.world, company, chief, reader }
    }

    /// A browser in which the chief signs in anew, whatever time it is.
    pub async fn again(&self) -> Client {
        let (house, account) = (self.company.house, self.company.management.to_string());
        let form = [("account", account.as_str()), ("user_name", "chief"), ("password", PASSWORD)];
        let browser = house.browser();
        let answer = browser.post(house.url("/console/login")).form(&form).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        browser
    }

    pub fn url(&self, path: &str) -> String {
        self.company.house.url(&format!("{HERE}{path}"))
    }

    pub async fn page(&self, path: &str) -> String {
        let answer = self.chief.get(self.url(path)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.unwrap()
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.chief.post(self.url(path)).form(form).send().await.unwrap()
    }

    /// Gives metadata; says where it is looked at.
    pub async fn give(&self, metadata: &str) -> String {
        let answer = send(&self.chief, self.url("/metadata"), &[("file", metadata)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{}", answer.text().await.unwrap());
        self.path_of(&answer)
    }

    pub fn path_of(&self, answer: &Response) -> String {
        location(answer).strip_prefix(&self.url("")).unwrap().to_owned()
    }

    /// Approves what stands there, as it was shown.
    pub async fn approve(&self, proposal: &str) -> Response {
        let page = self.page(proposal).await;
        self.post(
            &format!("{proposal}/approve"),
            &[("compared", &compared(&page)), ("confirm", "yes")],
        )
        .await
    }

    pub async fn signs_in(&self, key: &SigningKey) -> bool {
        let browser = self.company.house.browser();
        let request = self.company.idp.read(&self.company.start(&browser).await);
        let now = self.company.house.now().to_jiff();
        let answer = self.company.idp.answer(&request, "alice", now).signed_by(key);
        let answer = self.company.post(&browser, &answer.base64()).await;
        answer.status() == StatusCode::SEE_OTHER
    }

    pub async fn provider(&self) -> Option<sso::IdentityProvider> {
        let space = self.company.space.id;
        let db = &self.company.house.app.db;
        db.read(async |tx| sso::identity_provider(tx, space).await).await.unwrap()
    }
}

/// The hidden value that says with what a page compared.
fn compared(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"compared\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

pub fn with_certificates(idp: &FakeIdp, keys: &[&SigningKey]) -> String {
    let certificates: Vec<_> = keys.iter().map(|key| key.certificate().clone()).collect();
    sp_metadata::IdentityProvider {
        entity_id: &idp.entity_id,
        sso_url: LOGIN_URL,
        certificates: &certificates,
    }
    .metadata()
    .unwrap()
}

on_both! {
    async fn sso_09_what_is_given_is_looked_at_before_it_counts(house) {
        let desk = Desk::open(house).await;
        let proposal = desk.give(&format!("\u{feff}{}", desk.company.idp.metadata())).await;
        assert!(desk.provider().await.is_none(), "nothing counts yet");
        let page = desk.page(&proposal).await;
        let fingerprint = &right_key().certificate().facts().fingerprint;
        let facts = right_key().certificate().facts();
        for shown in [
            &desk.company.idp.entity_id, LOGIN_URL, fingerprint, &facts.serial,
            &facts.signature_algorithm, "CN=the right one", "Redirect", "nameid-format:persistent",
        ] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        assert!(!page.contains("name=\"confirm\""), "sign-in is off: {page}");
        // Who only looks may look, and no more.
        let seen = desk.reader.get(desk.url(&proposal)).send().await.unwrap();
        assert!(!seen.text().await.unwrap().contains("name=\"compared\""));
        let form = [("compared", compared(&page))];
        let path = desk.url(&format!("{proposal}/approve"));
        let refused = desk.reader.post(path).form(&form).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);

        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.provider().await.unwrap().entity_id, desk.company.idp.entity_id);
        let gone = desk.chief.get(desk.url(&proposal)).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);

        // While sign-in is on, a tick is needed; old and new stand side by side.
        desk.company.switch_sign_in(true).await;
        let other = FakeIdp { entity_id: "https://other.example.com/".to_owned() };
        let proposal = desk.give(&with_certificates(&other, &[wrong_key()])).await;
        let page = desk.page(&proposal).await;
        let new = &wrong_key().certificate().facts().fingerprint;
        for shown in [&desk.company.idp.entity_id, &other.entity_id, fingerprint, new, "name=\"confirm\""] {
            assert!(page.contains(shown), "{shown}: {page}");
        }
        let form = [("compared", compared(&page))];
        let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = desk.post(&format!("{proposal}/approve"), &form).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(desk.signs_in(right_key()).await);
        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.provider().await.unwrap().entity_id, other.entity_id);
    }

    /// What somebody compared with is what it replaces, or nothing happens.
    async fn a_comparison_that_is_out_of_date_counts_for_nothing(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let first = desk.give(&idp.metadata()).await;
        let old = compared(&desk.page(&first).await);
        let second = desk.give(&with_certificates(idp, &[right_key(), wrong_key()])).await;
        assert_eq!(desk.approve(&second).await.status(), StatusCode::SEE_OTHER);
        for stale in [old.as_str(), ""] {
            let refused = desk.post(&format!("{first}/approve"), &[("compared", stale)]).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
            assert!(refused.text().await.unwrap().contains("changed meanwhile"));
        }
        assert_eq!(desk.provider().await.unwrap().certificates.len(), 2);
        // Looked at again, it can be approved.
        let page = desk.page(&first).await;
        assert!(page.contains("Goes"), "{page}");
        assert_eq!(desk.approve(&first).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.provider().await.unwrap().certificates.len(), 1);
    }

    async fn proposals_are_thrown_away_expire_and_stay_in_their_space(house) {
        let desk = Desk::open(house).await;
        let proposal = desk.give(&desk.company.idp.metadata()).await;
        let thrown = desk.post(&format!("{proposal}/discard"), &[]).await;
        assert_eq!(thrown.status(), StatusCode::SEE_OTHER);
        let gone = desk.post(&format!("{proposal}/approve"), &[("compared", "")]).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        desk.give(&desk.company.idp.metadata()).await;
        let forget = async || {
            let now = house.now();
            house.app.db.write(async |tx| sso::forget_proposals(tx, now).await).await.unwrap();
            count(house, "SELECT COUNT(*) FROM identity_provider_proposals").await
        };
        house.app.clock.advance(jiff::SignedDuration::from_secs(86_399));
        assert_eq!(forget().await, 1);
        house.app.clock.advance(jiff::SignedDuration::from_secs(1));
        assert_eq!(forget().await, 0);
        // Not more than twenty are kept, and those are the latest.
        let desk = Desk { chief: desk.again().await, ..desk };
        let mut last = String::new();
        for _ in 0..22 {
            last = desk.give(&desk.company.idp.metadata()).await;
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM identity_provider_proposals").await, 20);
        desk.page(&last).await;
        // Another space's administrator has no use for its number.
        let other = Company::bare(house, "other").await.space.id;
        let id = last.rsplit('/').next().unwrap().parse().unwrap();
        let db = &house.app.db;
        let found = db.read(async |tx| sso::proposal(tx, other, id).await).await.unwrap();
        assert!(found.is_none());
    }

    async fn sso_08_by_hand_is_looked_at_too(house) {
        let desk = Desk::open(house).await;
        let pem = right_key().certificate().pem();
        let hand = async |entity_id: &str, login_url: &str, certificate: &str| {
            let parts =
                [("entity_id", entity_id), ("login_url", login_url), ("certificate", certificate)];
            send(&desk.chief, desk.url("/by-hand"), &parts).await
        };
        for (entity_id, login_url, certificate, says) in [
            ("", LOGIN_URL, pem.as_str(), "entity id"),
            ("https://idp.example.com/metadata", "ftp://idp.example.com", &pem, "http or https"),
            ("https://idp.example.com/metadata", LOGIN_URL, "nonsense", "not an X.509 certificate"),
        ] {
            let refused = hand(entity_id, login_url, certificate).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
            let page = refused.text().await.unwrap();
            assert!(page.contains(says) && page.contains(entity_id), "{says}: {page}");
        }
        let proposal = desk.path_of(&hand(&desk.company.idp.entity_id, LOGIN_URL, &pem).await);
        assert!(desk.provider().await.is_none());
        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        desk.company.switch_sign_in(true).await;
        assert!(desk.signs_in(right_key()).await);
        // Without a certificate the present ones stay.
        let proposal = desk.path_of(&hand("https://idp.example.com/other", LOGIN_URL, "").await);
        let page = desk.page(&proposal).await;
        assert!(page.contains("Changes") && page.contains("Same"), "{page}");
        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        let provider = desk.provider().await.unwrap();
        assert_eq!(provider.entity_id, "https://idp.example.com/other");
        assert_eq!(provider.certificates.len(), 1);
    }

    async fn of_several_one_is_chosen_at_the_console(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let other = FakeIdp { entity_id: "https://two.example.com/?a=1&b=2".to_owned() };
        let both = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}\
             </md:EntitiesDescriptor>",
            idp.metadata(), with_certificates(&other, &[wrong_key()])
        );
        let proposal = desk.give(&both).await;
        let page = desk.page(&proposal).await;
        assert!(page.contains("Which identity provider?") && !page.contains("name=\"compared\""), "{page}");
        let refused = desk.post(&format!("{proposal}/approve"), &[("compared", "")]).await;
        assert_ne!(refused.status(), StatusCode::SEE_OTHER);
        let choose = format!("{proposal}/choose");
        let refused = desk.post(&choose, &[("entity_id", "https://three.example.com")]).await;
        assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let chosen = desk.post(&choose, &[("entity_id", &other.entity_id)]).await;
        let chosen = desk.path_of(&chosen);
        assert_eq!(desk.approve(&chosen).await.status(), StatusCode::SEE_OTHER);
        let provider = desk.provider().await.unwrap();
        assert_eq!(provider.entity_id, other.entity_id);
        assert_eq!(provider.certificates[0].fingerprint, wrong_key().certificate().facts().fingerprint);
    }

    async fn sso_08_what_is_no_metadata_is_refused_by_name(house) {
        let desk = Desk::open(house).await;
        let service = reqwest::get(house.url(&format!("/saml/sp/{}", desk.company.space.id)));
        let service = service.await.unwrap().text().await.unwrap();
        for (given, says) in [
            ("<!DOCTYPE html><title>Sign in</title>", "web page"),
            (service.as_str(), "service provider"),
            ("{}", "not sound XML"),
            ("", "Choose a metadata file"),
        ] {
            let refused = send(&desk.chief, desk.url("/metadata"), &[("file", given)]).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
            let page = refused.text().await.unwrap();
            assert!(page.contains(says), "{says}: {page}");
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM identity_provider_proposals").await, 0);
    }

    /// SSO-11: a new key is there before it is used, and nobody is kept out in between.
    async fn sso_11_keys_roll_over_without_an_outage(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        desk.company.switch_sign_in(true).await;
        let pem = wrong_key().certificate().pem();
        let add = async |text: &str| {
            send(&desk.chief, desk.url("/certificates"), &[("certificate", text)]).await
        };
        assert!(desk.signs_in(right_key()).await && !desk.signs_in(wrong_key()).await);
        assert_eq!(add(&pem).await.status(), StatusCode::SEE_OTHER);
        assert!(desk.signs_in(right_key()).await && desk.signs_in(wrong_key()).await);
        for (again, says) in [(pem.as_str(), "already"), ("nonsense", "X.509"), ("", "X.509")] {
            let refused = add(again).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
            assert!(refused.text().await.unwrap().contains(says), "{says}");
        }
        let certificates = desk.provider().await.unwrap().certificates;
        let old = certificates[0].id;
        let removal = format!("/certificates/{old}/remove");
        let refused = desk.reader.post(desk.url(&removal)).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(desk.post(&removal, &[]).await.status(), StatusCode::SEE_OTHER);
        assert!(!desk.signs_in(right_key()).await && desk.signs_in(wrong_key()).await);
        assert_eq!(desk.post(&removal, &[]).await.status(), StatusCode::NOT_FOUND);
        let last = format!("/certificates/{}/remove", certificates[1].id);
        assert_eq!(desk.post(&last, &[]).await.status(), StatusCode::CONFLICT);
        assert!(desk.signs_in(wrong_key()).await);
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action LIKE 'identity_provider.certificate_%'";
        assert_eq!(count(house, recorded).await, 2);
    }

    async fn two_who_remove_a_certificate_at_once_leave_one(house) {
        let desk = Desk::open(house).await;
        let both = with_certificates(&desk.company.idp, &[right_key(), wrong_key()]);
        let proposal = desk.give(&both).await;
        desk.approve(&proposal).await;
        let ids: Vec<_> = desk.provider().await.unwrap().certificates.iter().map(|it| it.id).collect();
        let remove = async |id| desk.post(&format!("/certificates/{id}/remove"), &[]).await.status();
        let (one, two) = tokio::join!(remove(ids[0]), remove(ids[1]));
        assert!((one == StatusCode::SEE_OTHER) ^ (two == StatusCode::SEE_OTHER), "{one} {two}");
        assert_eq!(desk.provider().await.unwrap().certificates.len(), 1);
    }

    async fn sso_10_what_signs_people_in_is_not_cleared(house) {
        let desk = Desk::open(house).await;
        assert_eq!(desk.post("/clear", &[]).await.status(), StatusCode::CONFLICT, "nothing there");
        desk.company.set_identity_provider().await;
        desk.company.switch_sign_in(true).await;
        assert!(!desk.page("").await.contains("Clear…"));
        assert_eq!(desk.post("/clear", &[]).await.status(), StatusCode::CONFLICT);
        assert!(desk.signs_in(right_key()).await);
        desk.company.switch_sign_in(false).await;
        assert!(desk.page("").await.contains("Clear…"));
        let proposal = desk.give(&desk.company.idp.metadata()).await;
        assert_eq!(desk.post("/clear", &[]).await.status(), StatusCode::SEE_OTHER);
        assert!(desk.provider().await.is_none());
        let gone = desk.chief.get(desk.url(&proposal)).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        let mut records = sql("SELECT COUNT(*) FROM audit_records WHERE action = ");
        records.push_bind("identity_provider.clear");
        let db = &house.app.db;
        let recorded: identity_center::store::Result<i64> =
            db.read(async |tx| records.fetch_number(tx).await).await;
        assert_eq!(recorded.unwrap(), 1);
    }
}
