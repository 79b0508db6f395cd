//! What ends is told before, once for each threshold: on pages, in the log, as events, in metrics
//! (SSO-19).

use std::time::{Duration, Instant};

use identity_center::{
    audit, credential,
    expiry::{self, Kind},
    id::SpaceId,
    saml::metadata::IdpMetadata,
    space,
    sso::{self, Content, Looked},
    store::{self, PageRequest, Timestamp, sql},
};
use jiff::SignedDuration;
use reqwest::StatusCode;
use secrecy::SecretString;
use serde_json::json;

use super::configuration::Desk;
use crate::{
    events::{Receiver, wish},
    house::{Database, TestHouse},
    journey::{act, count},
    on_both,
};

async fn warn(house: &TestHouse, space: SpaceId) -> usize {
    let doing = act(house);
    expiry::warn(&house.app.db, &doing, space).await.unwrap()
}

on_both! {
    async fn sso_19_each_threshold_is_told_once(house) {
        let desk = Desk::open(house).await;
        let space = desk.company.space.id;
        let doing = act(house);
        let lifetime = 100 * 86_400;
        house
            .app
            .db
            .write(async |tx| credential::create(tx, &doing, space, Some(lifetime)).await)
            .await
            .unwrap();
        let receiver = Receiver::new().await;
        desk.world.listen(&wish(&receiver.url(), false)).await;
        let begin = house.now();
        let mut told = Vec::new();
        // Day by day: what is left goes from 100 days to none, and beyond.
        for day in 0..103 {
            for _ in 0..2 {
                if warn(house, space).await > 0 {
                    told.push(100 - day);
                }
            }
            house.app.clock.advance(SignedDuration::from_hours(24));
        }
        assert_eq!(told, expiry::THRESHOLDS);
        let records: store::Result<_> = house
            .app
            .db
            .read(async |tx| audit::list(tx, desk.company.organization, PageRequest::first(50)).await)
            .await;
        let records = records.unwrap().rows.into_iter().filter(|it| it.action == "expiry.warn");
        let records: Vec<_> = records.collect();
        assert_eq!(records.len(), 4);
        let last = records[0].state_after.as_ref().unwrap();
        let end = begin.plus_seconds(lifetime).to_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        assert!(last.contains("scim_token") && last.contains(&end) && last.contains("\"days\":1"), "{last}");
        assert_eq!(count(house, "SELECT COUNT(*) FROM events WHERE kind = 'expiry'").await, 4);
        let pushes = receiver.wait_for(4).await;
        let (name, body) = pushes[3].event();
        assert_eq!(name, "urn:identity-center:event:expiry");
        assert_eq!((&body["kind"], &body["days"], &body["ends_at"]), (&json!("scim_token"), &json!(1), &json!(end)));
        assert_eq!(count(house, "SELECT COUNT(*) FROM expiry_warnings").await, 4);
        // Of what is first seen when it has nearly ended, only the nearest threshold is told.
        house
            .app
            .db
            .write(async |tx| credential::create(tx, &act(house), space, Some(5 * 86_400)).await)
            .await
            .unwrap();
        assert_eq!(warn(house, space).await, 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM expiry_warnings WHERE days = 7").await, 2);
    }

    async fn sso_19_every_kind_is_told_at_each_threshold(house) {
        let desk = Desk::open(house).await;
        let space = desk.company.space.id;
        desk.company.set_identity_provider().await;
        let added = desk.post("/keys", &[]).await;
        assert_eq!(added.status(), StatusCode::SEE_OTHER, "{}", added.text().await.unwrap());
        let kinds = [
            Kind::IdpCertificate,
            Kind::ServiceProviderKey,
            Kind::IdentityProviderKey,
            Kind::EncryptionKey,
        ];
        let mut points: Vec<(Kind, i64, Timestamp)> = Vec::new();
        for end in expiry::ends(&house.app.db, space).await.unwrap() {
            assert!(kinds.contains(&end.kind), "{:?}", end.kind);
            for days in expiry::THRESHOLDS {
                points.push((end.kind, days, end.at.plus_seconds(-days * 86_400)));
            }
        }
        assert_eq!(points.len(), kinds.len() * expiry::THRESHOLDS.len());
        points.sort_by_key(|(_, _, at)| *at);
        let told = async || -> Vec<(String, String)> {
            let query = sql(
                "SELECT object_kind, state_after FROM audit_records
                 WHERE action = 'expiry.warn' ORDER BY id",
            );
            house.app.db.read(async |tx| query.fetch_all(tx).await).await.unwrap()
        };
        for (kind, days, at) in points {
            let wait = at.seconds_since(house.now());
            if wait > 1 {
                // A moment before nobody says anything yet.
                house.app.clock.advance(SignedDuration::from_secs(wait - 1));
                let before = told().await.len();
                warn(house, space).await;
                let new = told().await.split_off(before);
                let early = new.iter().any(|(it, said)| {
                    it == kind.as_str() && said.contains(&format!("\"days\":{days}}}"))
                });
                assert!(!early, "{kind:?} {days}: {new:?}");
                house.app.clock.advance(SignedDuration::from_secs(1));
            }
            warn(house, space).await;
            let all = told().await;
            let wanted = |(it, said): &&(String, String)| {
                it == kind.as_str() && said.contains(&format!("\"days\":{days}}}"))
            };
            assert_eq!(all.iter().filter(wanted).count(), 1, "{kind:?} {days}: {all:?}");
        }
    }

    /// Metadata takes long to read where it is long, and whoever writes waits for nothing of it.
    async fn nobody_waits_while_it_is_read_what_ends(house) {
        let desk = Desk::open(house).await;
        let head = "<md:IDPSSODescriptor ";
        let padding = "<x:y xmlns:x=\"urn:x\" a=\"b\"/>".repeat(100_000);
        let metadata = desk.company.idp.metadata().replace(
            head,
            &format!("<md:Extensions>{padding}</md:Extensions>{head}"),
        );
        let metadata = metadata.replace(
            "<md:EntityDescriptor ",
            "<md:EntityDescriptor validUntil=\"2026-11-25T08:00:00Z\" ",
        );
        let began = Instant::now();
        IdpMetadata::parse(metadata.as_bytes(), house.now().to_jiff()).unwrap();
        let once = began.elapsed();
        let (app, space) = (house.app.clone(), desk.company.space.id);
        let doing = act(house);
        let content = Content::metadata(metadata.as_bytes()).unwrap();
        let looked = Looked::at(content, house.now()).await.unwrap();
        app.db.write(async |tx| sso::set_by_looked(tx, &doing, space, looked).await).await.unwrap();
        let warning = tokio::spawn(async move { expiry::warn(&app.db, &doing, space).await });
        let (mut longest, mut writes) = (Duration::ZERO, 0);
        while !warning.is_finished() {
            let began = Instant::now();
            house.app.db.write(async |tx| space::lock(tx, space).await).await.unwrap();
            longest = longest.max(began.elapsed());
            writes += 1;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(warning.await.unwrap().unwrap(), 1, "the metadata, three days before its end");
        assert!(longest < once, "{longest:?} of waiting, {once:?} to read it once");
        assert!(writes > 5, "{writes}");
    }

    async fn sso_19_pages_say_it_from_the_first_threshold_on(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        let overview = async |language: &str| {
            let page = desk.chief.get(house.url("/console")).header("Accept-Language", language);
            page.send().await.unwrap().text().await.unwrap()
        };
        for days in [61].into_iter().chain(expiry::THRESHOLDS) {
            let until = house.now().plus_seconds(days * 86_400);
            let entity = format!("<md:EntityDescriptor validUntil=\"{until}\" ");
            let metadata = desk.company.idp.metadata().replace("<md:EntityDescriptor ", &entity);
            let proposal = desk.give(&metadata).await;
            desk.approve(&proposal).await;
            let plural = if days == 1 { "day" } else { "days" };
            for (language, words) in [
                ("en", format!("ends in {days} {plural}")),
                ("zh-CN", format!("将在 {days} 天后失效")),
            ] {
                let page = overview(language).await;
                assert_eq!(page.contains(&words), days != 61, "{days}: {page}");
            }
        }
    }

    async fn sso_19_pages_say_what_ends_soon(house) {
        let desk = Desk::open(house).await;
        desk.company.set_identity_provider().await;
        let overview = async || {
            let page = desk.chief.get(house.url("/console")).send().await.unwrap();
            page.text().await.unwrap()
        };
        assert!(!overview().await.contains("ends in 3 days"));
        let space = desk.company.space.id;
        let ends = expiry::ends(&house.app.db, space).await.unwrap();
        let kinds: Vec<Kind> = ends.iter().map(|end| end.kind).collect();
        for kind in [Kind::IdpCertificate, Kind::ServiceProviderKey, Kind::IdentityProviderKey] {
            assert!(kinds.contains(&kind), "{kinds:?}");
        }
        // What the metadata says of itself ends too, and going past that keeps nobody out.
        let metadata = desk.company.idp.metadata().replace(
            "<md:EntityDescriptor ",
            "<md:EntityDescriptor validUntil=\"2026-11-25T08:00:00Z\" ",
        );
        let proposal = desk.give(&metadata).await;
        assert!(desk.page(&proposal).await.contains("valid until"));
        desk.approve(&proposal).await;
        let page = overview().await;
        assert!(page.contains("The identity provider’s metadata") && page.contains("ends in 3 days"), "{page}");
        assert!(desk.page("").await.contains("ends in 3 days"));
        house.app.clock.advance(SignedDuration::from_hours(7 * 24));
        desk.company.switch_sign_in(true).await;
        assert!(desk.signs_in(crate::fake_idp::right_key()).await);
    }
}

/// Only whoever has the token reads them; without one in the settings, nobody.
#[tokio::test]
async fn sso_19_metrics_tell_the_seconds_that_are_left() {
    let read = async |house: &TestHouse, token: Option<&str>| {
        let request = reqwest::Client::new().get(house.url("/metrics"));
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let closed = TestHouse::sqlite().await;
    for token in [None, Some(""), Some("a monitor's token")] {
        assert_eq!(read(&closed, token).await.0, StatusCode::UNAUTHORIZED);
    }
    closed.close().await;
    let secret = SecretString::from("a monitor's token");
    let house = TestHouse::with_settings_on(Database::sqlite(), |settings| {
        settings.metrics.token = Some(secret.clone());
    })
    .await;
    let space = crate::journey::Company::bare(&house, "acme").await.space.id;
    house
        .app
        .db
        .write(async |tx| credential::create(tx, &act(&house), space, Some(86_400)).await)
        .await
        .unwrap();
    for token in [None, Some(""), Some("a monitor's tokem"), Some("A monitor's token")] {
        assert_eq!(read(&house, token).await.0, StatusCode::UNAUTHORIZED, "{token:?}");
    }
    house.app.clock.advance(SignedDuration::from_secs(86_410));
    let (status, text) = read(&house, Some("a monitor's token")).await;
    assert_eq!(status, StatusCode::OK);
    for name in ["ending_seconds_count", "ending_seconds_bucket{le=\"+Inf\"}"] {
        assert!(text.contains(&format!("identity_center_{name} ")), "{text}");
    }
    let line = text.lines().find(|line| line.contains("scim_token")).unwrap();
    assert!(
        line.starts_with(&format!("identity_center_expiry_seconds{{space=\"{space}\",kind=")),
        "{line}"
    );
    assert!(line.ends_with("} -10"), "{line}");
    let ends = text.lines().filter(|line| line.starts_with("identity_center_expiry_seconds{"));
    assert_eq!(ends.count(), 3, "{text}");
    house.close().await;
}
