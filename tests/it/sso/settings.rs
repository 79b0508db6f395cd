//! The settings page of sign-in: its switch (SSO-02), the two ways to the same configuration (SSO-06),
//! the facts of certificates (SSO-12).

use identity_center::{
    saml::{
        certificate::{Certificate, SigningKey},
        sp_metadata,
    },
    secret::hex,
    sso::{self, ByHand},
    store::{Write, sql},
};
use jiff::{SignedDuration, Timestamp};
use openssl::{
    asn1::Asn1Time,
    bn::BigNum,
    ec::{EcGroup, EcKey},
    hash::MessageDigest,
    nid::Nid,
    pkey::PKey,
    x509::{X509, X509Name},
};
use reqwest::StatusCode;

use super::configuration::Desk;
use crate::{
    fake_idp::{FakeIdp, LOGIN_URL, right_key},
    house::{BEGIN, TestHouse},
    journey::{Company, act},
    on_both,
};

/// A certificate with an elliptic curve's key.
fn elliptic() -> Certificate {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let mut name = X509Name::builder().unwrap();
    name.append_entry_by_nid(Nid::COMMONNAME, "the elliptic one").unwrap();
    let name = name.build();
    let begins: Timestamp = BEGIN.parse().unwrap();
    let at = |seconds| Asn1Time::from_unix(begins.as_second() + seconds).unwrap();
    let mut builder = X509::builder().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(0x00c0_ffee).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&name).unwrap();
    builder.set_issuer_name(&name).unwrap();
    builder.set_not_before(&at(0)).unwrap();
    builder.set_not_after(&at(365 * 86_400)).unwrap();
    builder.set_pubkey(&key).unwrap();
    builder.sign(&key, MessageDigest::sha384()).unwrap();
    Certificate::from_pem(&String::from_utf8(builder.build().to_pem().unwrap()).unwrap()).unwrap()
}

/// What is recorded of the switch, the first first.
async fn switched(house: &TestHouse) -> Vec<(String, String)> {
    let query = sql("SELECT actor_name, state_after FROM audit_records
                     WHERE action = 'space.sso_switch' ORDER BY id");
    house.app.db.read(async |tx| query.fetch_all(tx).await).await.unwrap()
}

on_both! {
    async fn sso_02_the_switch_asks_says_its_state_and_stays(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        let badge = |page: &str, word: &str| {
            let (before, after) = page.split_once("popovertarget=\"switch\"").unwrap();
            let before = before.rsplit_once("<header").unwrap().1;
            let after = after.split_once("</header>").unwrap().0;
            let head = format!("{before}popovertarget=\"switch\"{after}");
            assert!(head.contains(&format!(">{word}</span>")), "{head}");
            // It is asked first: the button opens a dialog, and the form is in there.
            assert!(head.contains("popovertarget=\"switch\"") && head.contains("role=\"dialog\""), "{head}");
        };
        badge(&desk.page("").await, "Off");
        for (path, word) in [("/on", "On"), ("/off", "Off")] {
            assert_eq!(desk.post(path, &[]).await.status(), StatusCode::SEE_OTHER);
            // Again and again.
            badge(&desk.page("").await, word);
            badge(&desk.page("").await, word);
            let browser = house.browser();
            let start = browser.get(desk.company.portal("/login/start")).send().await.unwrap();
            assert_eq!(start.status() == StatusCode::SEE_OTHER, word == "On");
        }
        let refused = desk.reader.post(desk.url("/on")).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let records = switched(house).await;
        let said: Vec<_> = records.iter().map(|(who, after)| (who.as_str(), after.contains("true"))).collect();
        assert_eq!(said, [("chief", true), ("chief", false)], "{records:?}");
    }

    async fn sso_06_both_ways_lead_to_the_same_configuration(house) {
        let (by_metadata, by_hand) = (Company::bare(house, "one").await, Company::bare(house, "two").await);
        by_metadata.set_identity_provider().await;
        let (doing, id) = (act(house), by_hand.space.id);
        let new = ByHand {
            entity_id: Some(by_hand.idp.entity_id.clone()),
            login_url: Some(LOGIN_URL.to_owned()),
            certificate: Some(right_key().certificate().clone()),
        };
        house.app.db.write(async |tx: &mut Write| sso::set_by_hand(tx, &doing, id, &new).await).await.unwrap();
        let configured = async |company: &Company<'_>| {
            let id = company.space.id;
            let read = house.app.db.read(async |tx| sso::identity_provider(tx, id).await).await;
            let provider = read.unwrap().unwrap();
            let certificates: Vec<_> = provider.certificates.iter().map(|it| it.fingerprint.clone()).collect();
            (
                provider.entity_id,
                provider.login_url,
                provider.post_url,
                provider.requests,
                provider.single_logout,
                provider.responses,
                certificates,
            )
        };
        assert_eq!(configured(&by_metadata).await, configured(&by_hand).await);
        // And they work alike.
        for company in [&by_metadata, &by_hand] {
            company.hire("alice").await;
            company.switch_sign_in(true).await;
            company.sign_in(&house.browser(), "alice").await;
        }
    }

    async fn sso_12_every_fact_of_every_kind_of_certificate_is_shown(house) {
        let desk = Desk::open(house).await;
        let long_ago = house.now().to_jiff() - SignedDuration::from_hours(24 * 365 * 12);
        let expired = SigningKey::generate("the expired one", long_ago, [9; 16]).unwrap();
        let certificates =
            [right_key().certificate().clone(), elliptic(), expired.certificate().clone()];
        let idp = FakeIdp::new();
        let metadata = sp_metadata::IdentityProvider {
            entity_id: &idp.entity_id,
            sso_url: LOGIN_URL,
            certificates: &certificates,
        };
        let proposal = desk.give(&metadata.metadata().unwrap()).await;
        let shown = desk.page(&proposal).await;
        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        for page in [shown, desk.page("").await] {
            for certificate in &certificates {
                let facts = certificate.facts();
                let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
                for fact in [
                    &facts.serial,
                    &facts.issuer,
                    &facts.subject,
                    &facts.version.to_string(),
                    &facts.signature_algorithm,
                    &day(facts.not_before),
                    &day(facts.not_after),
                    &facts.fingerprint,
                ] {
                    assert!(page.contains(fact.as_str()), "{fact}: {page}");
                }
            }
            for word in ["RSA", "ECDSA", "CN=the elliptic one", "expired"] {
                assert!(page.contains(word), "{word}: {page}");
            }
        }
        // What they say is what OpenSSL says.
        let der = X509::from_der(certificates[1].der()).unwrap();
        let digest = der.digest(MessageDigest::sha256()).unwrap();
        let hex = hex(&digest);
        let fingerprint = certificates[1].facts().fingerprint.replace(':', "").to_lowercase();
        assert_eq!(fingerprint, hex);
        let serial = certificates[1].facts().serial.replace(':', "").to_lowercase();
        assert_eq!(serial.trim_start_matches('0'), "c0ffee");
    }
}
