//! Metadata that is fetched: what differs waits for approval, what is configured stays (SSO-18).

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use identity_center::{
    saml::{certificate::SigningKey, metadata::IdpMetadata, sp_metadata},
    space,
    sso::{self, Came},
};
use jiff::SignedDuration;
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::configuration::{Desk, with_certificates};
use crate::{
    fake_idp::{FakeIdp, LOGIN_URL, right_key, wrong_key},
    journey::count,
    on_both,
};

/// What the identity provider's web server says: whole answers, changed at will.
#[derive(Clone)]
struct Published {
    address: String,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<usize>>,
    /// Whoever has it keeps the server from answering.
    gate: Arc<tokio::sync::Mutex<()>>,
}

impl Published {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/metadata?a=b", listener.local_addr().unwrap());
        let (answer, asked, gate) = Default::default();
        let published = Self { address, answer, asked, gate };
        let serving = published.clone();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let answer = serving.answer.lock().unwrap().clone();
                let (asked, gate) = (serving.asked.clone(), serving.gate.clone());
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let length = stream.read(&mut request).await.unwrap_or(0);
                    if request[..length].starts_with(b"GET /metadata?a=b HTTP/1.1\r\n") {
                        *asked.lock().unwrap() += 1;
                    }
                    drop(gate.lock().await);
                    let _ = stream.write_all(&answer).await;
                });
            }
        });
        published
    }

    fn say(&self, head: &str, body: &[u8]) {
        let head = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        *self.answer.lock().unwrap() = [head.as_bytes(), body].concat();
    }

    fn publish(&self, metadata: &str) {
        self.say("200 OK", metadata.as_bytes());
    }

    fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }
}

impl Desk<'_> {
    /// As much later as it may be looked at again.
    fn later(&self) {
        self.company.house.app.clock.advance(SignedDuration::from_secs(30));
    }

    async fn look(&self) -> Came {
        self.later();
        let fetcher = self.company.house.app.fetcher().unwrap();
        fetcher.look_now(self.company.space.id).await.unwrap().unwrap()
    }

    async fn watch(&self, published: &Published, more: &[(&str, &str)]) -> reqwest::Response {
        if published.asked() > 0 {
            self.later();
        }
        let mut form = vec![("url", published.address.as_str())];
        form.extend_from_slice(more);
        self.post("/source", &form).await
    }

    async fn source(&self) -> sso::Source {
        let (db, space) = (&self.company.house.app.db, self.company.space.id);
        db.read(async |tx| sso::source(tx, space).await).await.unwrap().unwrap()
    }

    async fn waiting(&self) -> Option<String> {
        let (db, space) = (&self.company.house.app.db, self.company.space.id);
        let found = db.read(async |tx| sso::fetched_proposal(tx, space).await).await.unwrap();
        found.map(|it| format!("/proposals/{}", it.id))
    }
}

fn signed(idp: &FakeIdp, keys: &[&SigningKey], by: &SigningKey) -> String {
    let certificates: Vec<_> = keys.iter().map(|key| key.certificate().clone()).collect();
    let provider = sp_metadata::IdentityProvider {
        entity_id: &idp.entity_id,
        sso_url: LOGIN_URL,
        certificates: &certificates,
    };
    provider.signed_metadata(by).unwrap()
}

fn until(metadata: &str, end: &str) -> String {
    let entity = "<md:EntityDescriptor ";
    assert!(metadata.contains(entity));
    metadata.replace(entity, &format!("{entity}validUntil=\"{end}\" "))
}

on_both! {
    /// A new certificate appears, is approved, and the identity provider changes keys: nobody is
    /// kept out before or after.
    async fn sso_18_a_rollover_is_noticed_approved_and_hurts_nobody(house) {
        let mut desk = Desk::open(house).await;
        let published = Published::new().await;
        published.publish(&desk.company.idp.metadata());
        let first = desk.watch(&published, &[]).await;
        let first = desk.path_of(&first);
        assert!(first.starts_with("/proposals/"), "{first}");
        assert!(desk.provider().await.is_none(), "nothing counts yet");
        assert_eq!(desk.approve(&first).await.status(), StatusCode::SEE_OTHER);
        desk.company.switch_sign_in(true).await;
        assert!(desk.signs_in(right_key()).await);
        assert_eq!(desk.look().await, Came::Same);
        assert_eq!(desk.waiting().await, None);

        published.publish(&with_certificates(&desk.company.idp, &[right_key(), wrong_key()]));
        house.app.clock.advance(SignedDuration::from_hours(2));
        desk.chief = desk.again().await;
        let fetcher = house.app.fetcher().unwrap();
        assert_eq!(fetcher.run_all_due().await.unwrap(), 1);
        assert_eq!(fetcher.run_all_due().await.unwrap(), 0, "not due again");
        let proposal = desk.waiting().await.unwrap();
        assert!(desk.page("").await.contains("publishes something else"));
        let page = desk.page(&proposal).await;
        assert!(page.contains("Metadata fetched") && page.contains("New"), "{page}");
        assert!(page.contains(&wrong_key().certificate().facts().fingerprint), "{page}");
        assert!(!desk.signs_in(wrong_key()).await, "it was not approved");
        // However often it is seen, it is one proposal.
        assert_eq!(desk.look().await, Came::Proposed);
        assert_eq!(desk.waiting().await.as_ref(), Some(&proposal));
        assert_eq!(desk.approve(&proposal).await.status(), StatusCode::SEE_OTHER);
        assert!(desk.signs_in(right_key()).await && desk.signs_in(wrong_key()).await);
        assert_eq!(desk.look().await, Came::Same);

        published.publish(&with_certificates(&desk.company.idp, &[wrong_key()]));
        assert_eq!(desk.look().await, Came::Proposed);
        let proposal = desk.waiting().await.unwrap();
        assert!(desk.page(&proposal).await.contains("Goes"));
        desk.approve(&proposal).await;
        assert!(!desk.signs_in(right_key()).await && desk.signs_in(wrong_key()).await);
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action = 'identity_provider.metadata_proposed'";
        assert_eq!(count(house, recorded).await, 3);
    }

    /// Whatever becomes of fetching, what is configured stays.
    async fn what_cannot_be_fetched_or_read_changes_nothing(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let published = Published::new().await;
        published.publish(&idp.metadata());
        desk.watch(&published, &[]).await;
        let first = desk.waiting().await.unwrap();
        desk.approve(&first).await;
        desk.company.switch_sign_in(true).await;
        let big = vec![b' '; 5 * 1024 * 1024];
        let expired = until(&with_certificates(idp, &[wrong_key()]), "2026-11-22T07:59:59Z");
        let itself = published.address.clone();
        let cases: [(&str, &[u8], &str); 8] = [
            ("500 Internal Server Error", b"", "the status 500"),
            ("200 OK", b"<!DOCTYPE html><title>Sign in</title>", "web page"),
            ("200 OK", b"", "not XML"),
            ("200 OK", &big, "too long"),
            ("200 OK", expired.as_bytes(), "valid until"),
            ("302 Found\r\nLocation: http://169.254.169.254/latest", b"", "redirect"),
            ("302 Found\r\nLocation: file:///etc/passwd", b"", "redirect"),
            (&format!("302 Found\r\nLocation: {itself}"), b"", "redirect"),
        ];
        let mut since = None;
        for (head, body, reason) in cases {
            published.say(head, body);
            let Came::Failed(why) = desk.look().await else { panic!("{head}: not refused") };
            assert!(why.contains(reason), "{reason}: {why}");
            let source = desk.source().await;
            assert_eq!(source.failure.as_deref(), Some(why.as_str()));
            assert_eq!(source.failed_at, *since.get_or_insert(Some(house.now())), "the first failure");
            assert_eq!(desk.waiting().await, None);
            assert!(desk.signs_in(right_key()).await);
        }
        assert!(desk.page("").await.contains("Failing"));
        *published.answer.lock().unwrap() = b"nonsense".to_vec();
        assert!(matches!(desk.look().await, Came::Failed(_)));
        // It is tried again sooner than usual, and found well.
        published.publish(&idp.metadata());
        house.app.clock.advance(SignedDuration::from_secs(900 + 225));
        assert_eq!(house.app.fetcher().unwrap().run_all_due().await.unwrap(), 1);
        let source = desk.source().await;
        assert_eq!((source.failure, source.failed_at), (None, None));
        assert_eq!(source.fetched_at, Some(house.now()));
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action = 'identity_provider.source_state'";
        assert_eq!(count(house, recorded).await, 2, "one when it begins to fail, one when it ends");
    }

    async fn a_pinned_key_must_have_signed_the_whole_document(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let published = Published::new().await;
        let federation = SigningKey::generate("federation", house.now().to_jiff(), [9; 16]).unwrap();
        let pin = federation.certificate().pem();
        published.publish(&idp.metadata());
        for (more, says) in [
            (vec![("pins", "nonsense")], "not an X.509"),
            (vec![("automatic", "true")], "pinned certificate"),
        ] {
            let refused = desk.watch(&published, &more).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{says}");
            assert!(refused.text().await.unwrap().contains(says), "{says}");
        }
        assert_eq!(published.asked(), 0);
        desk.watch(&published, &[("pins", &pin), ("automatic", "true")]).await;
        assert_eq!(published.asked(), 1);
        assert!(desk.source().await.failure.unwrap().contains("not signed"));
        let good = signed(idp, &[right_key()], &federation);
        for (wrong, reason) in [
            (signed(idp, &[right_key()], wrong_key()), "not made by a configured certificate"),
            (good.replace("/sso\"", "/evil\""), "signed content was changed"),
            (good.replace("2001/04/xmldsig-more#rsa-sha256", "2000/09/xmldsig#rsa-sha1"), "not accepted"),
        ] {
            published.publish(&wrong);
            let Came::Failed(why) = desk.look().await else { panic!("{reason}") };
            assert!(why.contains(reason), "{reason}: {why}");
        }
        // The first configuration is nobody's choice but an administrator's.
        published.publish(&good);
        assert_eq!(desk.look().await, Came::Proposed);
        let first = desk.waiting().await.unwrap();
        desk.approve(&first).await;
        desk.company.switch_sign_in(true).await;
        // New certificates count at once, when they are signed and nothing else changed.
        published.publish(&with_certificates(idp, &[right_key(), wrong_key()]));
        assert!(matches!(desk.look().await, Came::Failed(_)));
        assert!(!desk.signs_in(wrong_key()).await);
        published.publish(&signed(idp, &[right_key(), wrong_key()], &federation));
        assert_eq!(desk.look().await, Came::Applied);
        assert!(desk.signs_in(right_key()).await && desk.signs_in(wrong_key()).await);
        let other = FakeIdp { entity_id: "https://other.example.com/".to_owned() };
        published.publish(&signed(&other, &[right_key()], &federation));
        assert_eq!(desk.look().await, Came::Proposed);
        assert_eq!(desk.provider().await.unwrap().entity_id, idp.entity_id);
        // Without that decision a signature alone is not enough.
        desk.watch(&published, &[("pins", &pin)]).await;
        published.publish(&signed(idp, &[wrong_key()], &federation));
        assert_eq!(desk.look().await, Came::Proposed);
        assert!(desk.signs_in(right_key()).await);
        let mut page = desk.page("").await;
        page.retain(|c| !c.is_whitespace());
        assert!(page.contains(&federation.certificate().facts().fingerprint), "{page}");
    }

    /// A key is removed because somebody has stolen it, and is published for a while still.
    async fn a_removed_certificate_does_not_come_back_by_itself(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let stolen = wrong_key();
        let published = Published::new().await;
        let federation = SigningKey::generate("federation", house.now().to_jiff(), [9; 16]).unwrap();
        let third = SigningKey::generate("third", house.now().to_jiff(), [7; 16]).unwrap();
        let pin = federation.certificate().pem();
        let publish = |keys: &[&SigningKey]| published.publish(&signed(idp, keys, &federation));
        publish(&[right_key(), stolen]);
        desk.watch(&published, &[("pins", &pin), ("automatic", "true")]).await;
        let first = desk.waiting().await.unwrap();
        desk.approve(&first).await;
        desk.company.switch_sign_in(true).await;
        assert!(desk.signs_in(stolen).await);
        let certificates = desk.provider().await.unwrap().certificates;
        let fingerprint = stolen.certificate().facts().fingerprint.clone();
        let id = certificates.iter().find(|it| it.fingerprint == fingerprint).unwrap().id;
        let removed = desk.post(&format!("/certificates/{id}/remove"), &[]).await;
        assert_eq!(removed.status(), StatusCode::SEE_OTHER);

        // It is published still, or again, alone or with others: it waits for a person.
        assert_eq!(desk.look().await, Came::Proposed);
        publish(&[right_key(), &third, stolen]);
        assert_eq!(desk.look().await, Came::Proposed);
        assert!(desk.signs_in(right_key()).await && !desk.signs_in(stolen).await);
        let proposal = desk.waiting().await.unwrap();
        let page = desk.page(&proposal).await;
        assert!(page.contains("would come back") && page.contains(&fingerprint), "{page}");
        let recorded = house.app.db.read(async |tx| {
            identity_center::store::sql("SELECT state_after FROM audit_records
                 WHERE action = 'identity_provider.metadata_proposed' ORDER BY id DESC LIMIT 1")
                .fetch_one::<(String,)>(tx).await
        }).await.unwrap().0;
        assert!(recorded.contains(&format!("\"removed_before\":[\"{fingerprint}\"]")), "{recorded}");
        // Once it is gone from there, the others need nobody.
        publish(&[right_key(), &third]);
        assert_eq!(desk.look().await, Came::Applied);
        assert_eq!(desk.waiting().await, None);
        assert!(desk.signs_in(&third).await && !desk.signs_in(stolen).await);
        // What the source took away comes back by itself as little as what a person took away.
        publish(&[right_key()]);
        assert_eq!(desk.look().await, Came::Applied);
        publish(&[right_key(), &third]);
        assert_eq!(desk.look().await, Came::Proposed);
        assert!(!desk.signs_in(&third).await);
        publish(&[right_key(), &third, stolen]);
        assert_eq!(desk.look().await, Came::Proposed);
        // A person's word brings it back, and from then on it is one like the others.
        let proposal = desk.waiting().await.unwrap();
        desk.approve(&proposal).await;
        assert!(desk.signs_in(stolen).await);
        publish(&[right_key()]);
        assert_eq!(desk.look().await, Came::Applied);
        publish(&[right_key(), stolen]);
        assert_eq!(desk.look().await, Came::Proposed);
        let proposal = desk.waiting().await.unwrap();
        desk.approve(&proposal).await;
        assert!(desk.signs_in(stolen).await);
        // Whoever replaces all by one has removed the others.
        let given = desk.give(&signed(idp, &[right_key()], &federation)).await;
        desk.approve(&given).await;
        assert_eq!(desk.look().await, Came::Proposed);
        assert!(!desk.signs_in(stolen).await);
        // And whoever clears it all, all.
        desk.company.switch_sign_in(false).await;
        assert_eq!(desk.post("/clear", &[("confirm", "yes")]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(count(house, "SELECT COUNT(*) FROM removed_certificates").await, 3);
    }

    async fn what_is_not_wanted_is_not_proposed_again(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        desk.company.set_identity_provider().await;
        let published = Published::new().await;
        let both = with_certificates(idp, &[right_key(), wrong_key()]);
        published.publish(&both);
        desk.watch(&published, &[]).await;
        let proposal = desk.waiting().await.unwrap();
        desk.post(&format!("{proposal}/discard"), &[]).await;
        // Signed anew, or valid for longer, it says the same.
        published.publish(&until(&both, "2027-01-01T00:00:00Z"));
        assert_eq!(desk.look().await, Came::Dismissed);
        assert_eq!(desk.waiting().await, None);
        published.publish(&with_certificates(idp, &[wrong_key()]));
        assert_eq!(desk.look().await, Came::Proposed);
        // What became the same again needs no approval.
        published.publish(&idp.metadata());
        assert_eq!(desk.look().await, Came::Same);
        assert_eq!(desk.waiting().await, None);
        assert_eq!(desk.post("/source/remove", &[]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.post("/source/remove", &[]).await.status(), StatusCode::NOT_FOUND);
        assert!(desk.provider().await.is_some());
    }

    /// Of a federation one is chosen, once; what was fetched without a pin is not approved with one.
    async fn a_choice_stays_and_a_new_pin_begins_anew(house) {
        let desk = Desk::open(house).await;
        let idp = &desk.company.idp;
        let other = FakeIdp { entity_id: "https://two.example.com/".to_owned() };
        let both = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}\
             </md:EntitiesDescriptor>",
            idp.metadata(), with_certificates(&other, &[wrong_key()])
        );
        let published = Published::new().await;
        published.publish(&both);
        desk.watch(&published, &[]).await;
        let several = desk.waiting().await.unwrap();
        assert!(desk.page(&several).await.contains("Which identity provider?"));
        let choose = format!("{several}/choose");
        let chosen = desk.post(&choose, &[("entity_id", idp.entity_id.as_str())]).await;
        let chosen = desk.path_of(&chosen);
        assert_eq!(desk.look().await, Came::Proposed);
        assert_eq!(desk.waiting().await.as_ref(), Some(&chosen), "nobody chooses twice");
        let pin = right_key().certificate().pem();
        desk.watch(&published, &[("pins", &pin)]).await;
        let gone = desk.post(&format!("{chosen}/approve"), &[("compared", "")]).await;
        assert_eq!(gone.status(), StatusCode::NOT_FOUND);
        desk.watch(&published, &[]).await;
        let again = desk.waiting().await.unwrap();
        assert_eq!(desk.approve(&again).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.provider().await.unwrap().entity_id, idp.entity_id);
        assert_eq!(desk.look().await, Came::Same);
    }

    /// What holds for a moment only is looked at again while it holds.
    async fn metadata_that_ends_soon_is_fetched_sooner(house) {
        let desk = Desk::open(house).await;
        let published = Published::new().await;
        for (end, least, most) in [
            ("2026-11-22T08:30:00Z", 900, 1125),
            ("2026-11-22T08:01:00Z", 300, 375),
            ("2026-11-23T08:00:00Z", 3600, 4500),
        ] {
            published.publish(&until(&desk.company.idp.metadata(), end));
            desk.watch(&published, &[]).await;
            let pause = desk.source().await.due_at.seconds_since(house.now());
            assert!((least..=most).contains(&pause), "{end}: {pause}");
        }
    }

    /// Reading takes long where a document is long, and whoever writes waits for nothing of it.
    async fn nobody_waits_while_a_long_document_is_read(house) {
        let desk = Desk::open(house).await;
        let padding = "<x:y xmlns:x=\"urn:x\" a=\"b\"/>".repeat(100_000);
        let head = "<md:IDPSSODescriptor ";
        let extended = desk.company.idp.metadata().replace(
            head,
            &format!("<md:Extensions>{padding}</md:Extensions>{head}"),
        );
        assert!(extended.len() > 2 * 1024 * 1024 && extended.len() < 4 * 1024 * 1024);
        let began = Instant::now();
        IdpMetadata::parse(extended.as_bytes(), house.now().to_jiff()).unwrap();
        let once = began.elapsed();

        let published = Published::new().await;
        desk.watch(&published, &[]).await;
        // The second time there is one that waits, to be compared with.
        for (document, came) in [
            (extended.clone(), Came::Proposed),
            (until(&extended, "2027-01-01T00:00:00Z"), Came::Proposed),
        ] {
            published.publish(&document);
            desk.later();
            let (fetcher, space) = (house.app.fetcher().unwrap(), desk.company.space.id);
            let looking = tokio::spawn(async move { fetcher.look_now(space).await });
            let (mut longest, mut writes) = (Duration::ZERO, 0);
            while !looking.is_finished() {
                let began = Instant::now();
                house.app.db.write(async |tx| space::lock(tx, space).await).await.unwrap();
                longest = longest.max(began.elapsed());
                writes += 1;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            assert_eq!(looking.await.unwrap().unwrap(), Some(came));
            assert!(longest < once, "{longest:?} of waiting, {once:?} to read it once");
            assert!(writes > 5, "{writes}");
        }
    }

    async fn what_was_fetched_under_other_terms_does_not_count(house) {
        let desk = Desk::open(house).await;
        let published = Published::new().await;
        desk.watch(&published, &[]).await;
        published.publish(&desk.company.idp.metadata());
        desk.later();
        let closed = published.gate.lock().await;
        let (fetcher, space) = (house.app.fetcher().unwrap(), desk.company.space.id);
        let looking = tokio::spawn(async move { fetcher.look_now(space).await });
        while published.asked() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let pin = wrong_key().certificate().pem();
        let form = [("url", published.address.as_str()), ("pins", pin.as_str())];
        let kept = desk.post("/source", &form).await;
        assert!(desk.path_of(&kept).ends_with("done=source-kept"), "it is looked at already");
        drop(closed);
        assert_eq!(looking.await.unwrap().unwrap(), Some(Came::Outdated));
        assert_eq!(desk.waiting().await, None);
        desk.later();
        assert_eq!(house.app.fetcher().unwrap().run_all_due().await.unwrap(), 1);
        assert!(desk.source().await.failure.unwrap().contains("not signed"));
    }

    async fn nobody_has_it_looked_at_all_the_time(house) {
        let desk = Desk::open(house).await;
        let published = Published::new().await;
        published.publish(&desk.company.idp.metadata());
        desk.watch(&published, &[]).await;
        assert_eq!(published.asked(), 1);
        for seconds in [0, 29] {
            house.app.clock.advance(SignedDuration::from_secs(seconds));
            let refused = desk.post("/source/fetch", &[]).await;
            assert_eq!(refused.status(), StatusCode::CONFLICT);
            assert!(refused.text().await.unwrap().contains("less than 30 seconds ago"));
            let form = [("url", published.address.as_str())];
            let kept = desk.post("/source", &form).await;
            assert!(desk.path_of(&kept).ends_with("done=source-kept"));
        }
        assert_eq!(published.asked(), 1);
        house.app.clock.advance(SignedDuration::from_secs(1));
        assert_eq!(desk.post("/source/fetch", &[]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(published.asked(), 2);
    }

    async fn nobody_makes_us_call_what_only_we_reach(house) {
        let desk = Desk::open(house).await;
        for address in [
            "http://example.com/metadata", "https://10.0.0.1/", "https://[::1]/", "https://user:x@idp.example.com/",
            "file:///etc/passwd", "https://169.254.169.254/", "nonsense", "",
        ] {
            let refused = desk.post("/source", &[("url", address)]).await;
            assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY, "{address}");
        }
        let refused = desk.reader.post(desk.url("/source")).form(&[("url", "https://idp.example.com/")]);
        assert_eq!(refused.send().await.unwrap().status(), StatusCode::FORBIDDEN);
        assert_eq!(count(house, "SELECT COUNT(*) FROM identity_provider_sources").await, 0);
    }
}
