//! The second opinion disagrees: nobody is let in, and everybody who listens is told.

use identity_center::{
    saml::{
        cause::Cause,
        request::AuthnRequest,
        response::{Expected, Outcome as Judgement, Received, Refusal},
        trace::{Check, Trace},
    },
    sso::{self, Against, Draft, IdentityProvider, Judged},
    store::{Read, Write},
};
use jiff::SignedDuration;
use serde_json::json;

use super::{configuration::Desk, last_attempt};
use crate::{
    events::{Receiver, wish},
    journey::{Company, act, count},
    on_both,
};

/// A response of the identity provider to this request, as the core would leave it if the other
/// implementation took something else for signed.
async fn disagreement(company: &Company<'_>, request: &AuthnRequest) -> Judgement {
    let house = company.house;
    let answer = company.idp.answer(request, "alice", house.now().to_jiff()).signed().base64();
    let (app, id) = (&house.app, company.space.id);
    let provider = provider_of(company).await;
    let keys = provider.keys(&app.read_certificates, false).unwrap();
    let (acs_url, sp_entity_id) =
        (sso::acs_url(&app.settings, id), sso::sp_entity_id(&app.settings, id));
    let Judgement { mut trace, result, .. } = Received::parse(&answer).verify(&Expected {
        idp_entity_id: &provider.entity_id,
        certificates: &keys,
        decryption_keys: &[],
        acs_url: &acs_url,
        sp_entity_id: &sp_entity_id,
        request_id: Some(&request.id),
        authn_contexts: &[],
        authenticated_since: None,
        identity_attribute: None,
        allow_unsolicited: false,
        used: None,
        now: house.now().to_jiff(),
        skew: SignedDuration::from_secs(60),
        second_opinion: false,
    });
    let received = "the second implementation verified other content";
    let (check, cause, wanted) = (Check::SecondOpinion, Cause::Disagreement, "agreement");
    trace.fail(check, cause, wanted, received);
    let (wanted, received) = (wanted.to_owned(), received.to_owned());
    let refusal = Refusal { check, cause, wanted, received };
    Judgement { trace, refused_proof: Some(result.unwrap()), result: Err(refusal) }
}

async fn provider_of(company: &Company<'_>) -> IdentityProvider {
    let (db, id) = (&company.house.app.db, company.space.id);
    db.read(async |tx: &mut Read| sso::identity_provider(tx, id).await).await.unwrap().unwrap()
}

on_both! {
    async fn a_disagreement_is_an_alarm_once(house) {
        let desk = Desk::open(house).await;
        let company = &desk.company;
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        let receiver = Receiver::new().await;
        desk.world.listen(&wish(&receiver.url(), false)).await;
        let (doing, id, db) = (act(house), company.space.id, &house.app.db);
        let provider = provider_of(company).await;
        let browser = house.browser();
        let asked = company.idp.read(&company.start(&browser).await);
        let request = db
            .read(async |tx| sso::pending_request(tx, id, Some(&asked.id), None, house.now()).await)
            .await
            .unwrap();
        let against = Against {
            space: &company.space,
            provider: &provider,
            request: request.as_ref(),
            relay_state: None,
        };
        let outcome = disagreement(company, &asked).await;
        let (doing, outcome) = (&doing, &outcome);
        let judging = || async move |tx: &mut Write| sso::judge(tx, doing, against, outcome).await;
        for _ in 0..20 {
            let judged = db.write_claiming(judging).await.unwrap();
            assert!(matches!(judged, Judged::Refused(Check::SecondOpinion)), "{judged:?}");
        }
        let attempt = last_attempt(company).await;
        assert_eq!(attempt.checks().first_failure().unwrap().cause, Some(Cause::Disagreement));
        let records = "SELECT COUNT(*) FROM audit_records WHERE action = 'sign_in.refuse'";
        assert_eq!(count(house, records).await, 1);
        let alarms = "SELECT COUNT(*) FROM events WHERE kind = 'alarm'";
        assert_eq!(count(house, alarms).await, 1);
        let pushes = receiver.wait_for(1).await;
        let (name, body) = pushes[0].event();
        assert_eq!(name, "urn:identity-center:event:alarm");
        assert_eq!(body["kind"], json!("disagreement"));
        // What it would have been used for is used up: the request, and the assertion.
        assert_eq!(count(house, "SELECT COUNT(*) FROM login_requests").await, 0);
        assert_eq!(count(house, "SELECT COUNT(*) FROM accepted_assertions").await, 1);

        // What strangers send afterwards proves nothing.
        let mut unproved = outcome.clone();
        unproved.trace = Trace::default();
        unproved.trace.fail(Check::Signature, Cause::OtherCertificate, "a configured key", "another");
        unproved.refused_proof = None;
        let refusal = unproved.result.unwrap_err();
        unproved.result = Err(Refusal { check: Check::Signature, cause: Cause::OtherCertificate, ..refusal });
        let unproved = &unproved;
        let judging = || async move |tx: &mut Write| sso::judge(tx, doing, against, unproved).await;
        db.write_claiming(judging).await.unwrap();
        assert_eq!(count(house, records).await, 1, "what proves nothing is on no record");
        assert_eq!(count(house, alarms).await, 1);
    }

    async fn a_disagreement_in_a_test_is_an_alarm_too(house) {
        let desk = Desk::open(house).await;
        let company = &desk.company;
        company.set_identity_provider().await;
        let receiver = Receiver::new().await;
        desk.world.listen(&wish(&receiver.url(), false)).await;
        let (doing, id, db) = (act(house), company.space.id, &house.app.db);
        let test = db.write(async |tx| sso::new_test(tx, &doing, id, Draft::Present).await).await.unwrap();
        let started = desk.chief.get(desk.url(&format!("/tests/{test}/start"))).send().await.unwrap();
        let location = started.headers()["location"].to_str().unwrap().to_owned();
        let asked = company.idp.read(&location);
        let request = db
            .read(async |tx| sso::pending_request(tx, id, Some(&asked.id), None, house.now()).await)
            .await
            .unwrap()
            .unwrap();
        let outcome = disagreement(company, &asked).await;
        for _ in 0..3 {
            let (outcome, request) = (outcome.clone(), &request);
            let text = String::new();
            db.write(async |tx| {
                sso::judge_test(tx, &doing, id, request, None, outcome.clone(), text.clone()).await
            })
            .await
            .unwrap();
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM events WHERE kind = 'alarm'").await, 1);
        let (_, body) = receiver.wait_for(1).await[0].event();
        assert_eq!((&body["kind"], &body["object"]), (&json!("disagreement"), &json!(test.to_string())));
    }
}
