//! The second opinion disagrees: nobody is let in, and everybody who listens is told.

use identity_center::{
    saml::{
        cause::Cause,
        response::{Outcome as Judgement, Refusal},
        trace::{Check, Trace},
    },
    sso::{self, Against, Judged},
    store::{Read, Write},
};
use jiff::SignedDuration;
use serde_json::json;

use super::{configuration::Desk, last_attempt};
use crate::{
    events::{Receiver, wish},
    journey::{act, count},
    on_both,
};

/// What the core finds of a response that it takes and the other implementation does not.
fn disagreement() -> Judgement {
    let received = "the second implementation verified other content";
    let (check, cause, wanted) = (Check::SecondOpinion, Cause::Disagreement, "agreement");
    let mut trace = Trace::default();
    trace.fail(check, cause, wanted, received);
    let (wanted, received) = (wanted.to_owned(), received.to_owned());
    Judgement { trace, result: Err(Refusal { check, cause, wanted, received }) }
}

on_both! {
    async fn a_disagreement_is_an_alarm(house) {
        let desk = Desk::open(house).await;
        let company = &desk.company;
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        let receiver = Receiver::new().await;
        desk.world.listen(&wish(&receiver.url(), false)).await;
        let (doing, id, db) = (act(house), company.space.id, &house.app.db);
        let provider = db.read(async |tx: &mut Read| sso::identity_provider(tx, id).await).await;
        let provider = provider.unwrap().unwrap();
        let against =
            Against { space: &company.space, provider: &provider, request: None, relay_state: None };
        let outcome = disagreement();
        let before = sso::disagreements();
        let (doing, outcome) = (&doing, &outcome);
        let judging = || async move |tx: &mut Write| sso::judge(tx, doing, against, outcome).await;
        let judged = db.write_claiming(judging).await.unwrap();
        assert!(matches!(judged, Judged::Refused(Check::SecondOpinion)), "{judged:?}");
        assert_eq!(sso::disagreements(), before + 1);

        let attempt = last_attempt(company).await;
        assert_eq!(attempt.checks().first_failure().unwrap().cause, Some(Cause::Disagreement));
        let records = "SELECT COUNT(*) FROM audit_records WHERE action = 'sign_in.refuse'";
        assert_eq!(count(house, records).await, 1);
        let pushes = receiver.wait_for(1).await;
        let (name, body) = pushes[0].event();
        assert_eq!(name, "urn:identity-center:event:alarm");
        assert_eq!((&body["kind"], &body["object"]), (&json!("disagreement"), &json!(attempt.id)));

        // What strangers send afterwards does not push it out; what proves nothing is counted.
        let noise = disagreement();
        let mut unproved = noise.clone();
        unproved.trace = Trace::default();
        unproved.trace.fail(Check::Signature, Cause::OtherCertificate, "a configured key", "another");
        unproved.result = Err(Refusal { check: Check::Signature, cause: Cause::OtherCertificate, ..noise.result.unwrap_err() });
        let unproved = &unproved;
        let judging = || async move |tx: &mut Write| sso::judge(tx, doing, against, unproved).await;
        db.write_claiming(judging).await.unwrap();
        assert_eq!(count(house, records).await, 1, "what proves nothing is on no record");
        assert_eq!(sso::disagreements(), before + 1);
        house.app.clock.advance(SignedDuration::from_secs(1));
    }
}
