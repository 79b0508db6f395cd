//! What somebody found who was told only to break sign-in. Each stays as a case.

use identity_center::{
    audit,
    saml::{cause::Cause, instant, trace::Check},
    sso::{self, RequestSettings, ResponseSettings},
    store::{self, PageRequest, sql},
};
use jiff::SignedDuration;
use reqwest::StatusCode;

use super::{expect_refusal, last_attempt, sessions};
use crate::{
    fake_idp::right_key,
    journey::{Company, act, count, location},
    on_both,
};

on_both! {
    /// Strangers can post what they like: nothing of it stays for ever.
    async fn what_proves_nothing_leaves_nothing_that_stays(house) {
        let company = Company::open(house, "acme").await;
        let organization = company.organization;
        let db = &house.app.db;
        let records = async || -> usize {
            let all: store::Result<_> =
                db.read(async |tx| audit::list(tx, organization, PageRequest::first(100)).await).await;
            all.unwrap().rows.len()
        };
        let before = records().await;
        for _ in 0..5 {
            let refused = company.post(&house.browser(), "PHgvPg==").await;
            assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        }
        assert_eq!(records().await, before);
        assert_eq!(count(house, "SELECT COUNT(*) FROM sign_in_attempts").await, 5);
        // And of what strangers leave only so much is kept; what was proved is not crowded out.
        company.sign_in(&house.browser(), "alice").await;
        let (space, now) = (company.space.id, house.now());
        db.write(async |tx| {
            sql("INSERT INTO sign_in_attempts (id, space_id, at, outcome, checks, request_id)
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10005)
                 SELECT i, CAST($1 AS BIGINT), $2, 'refused', '[]', '' FROM n")
            .bind(space)
            .bind(now)
            .execute(tx)
            .await
        })
        .await
        .unwrap();
        // As old as they come: all of them are younger than what is forgotten by age.
        let never = store::Timestamp::from(jiff::Timestamp::UNIX_EPOCH);
        while db.write(async |tx| sso::forget_old(tx, never, never).await).await.unwrap() {}
        let left = "SELECT COUNT(*) FROM sign_in_attempts WHERE name_id IS NULL";
        assert_eq!(count(house, left).await, 10_000);
        assert_eq!(last_attempt(&company).await.name_id.as_deref(), Some("alice"));
    }

    /// Begun at the identity provider, there is no request that demands it; the setting does.
    async fn who_has_to_authenticate_anew_has_to_there_too(house) {
        let company = Company::open(house, "acme").await;
        let (doing, space) = (act(house), company.space.id);
        let requests = RequestSettings { force_authn: true, ..RequestSettings::default() };
        let responses = ResponseSettings { allow_unsolicited: true, ..Default::default() };
        let db = &house.app.db;
        db.write(async |tx| -> Result<(), sso::Error> {
            sso::set_requests(tx, &doing, space, &requests).await?;
            sso::set_responses(tx, &doing, space, &responses).await
        })
        .await
        .unwrap();
        let now = house.now().to_jiff();
        for (ago, fine) in [(SignedDuration::from_hours(8), false), (SignedDuration::ZERO, true)] {
            let request = company.idp.read(&company.start(&house.browser()).await);
            let mut answer = company.idp.answer(&request, "alice", now);
            answer.request_id = None;
            let mark = format!("AuthnInstant=\"{}\"", instant::format(now));
            let then = format!("AuthnInstant=\"{}\"", instant::format(now - ago));
            let message = answer.unsigned().change(&mark, &then).sign_assertion(right_key());
            let answered = company.post(&house.browser(), &message.base64()).await;
            if fine {
                assert_eq!(answered.status(), StatusCode::SEE_OTHER);
            } else {
                expect_refusal(&company, answered, "SamlResponseRefused", Check::ForceAuthn).await;
                let cause = last_attempt(&company).await.checks().first_failure().unwrap().cause;
                assert_eq!(cause, Some(Cause::OldAuthentication));
            }
        }
    }

    /// A key that is taken away opens nothing, though a ticket was made by it a moment before.
    async fn tickets_go_with_what_they_rest_on(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let finish = company.ticket_for(&browser, "alice").await;
        company.set_identity_provider().await;
        let refused = browser.get(finish).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(sessions(house).await, 0);
        company.sign_in(&browser, "alice").await;
    }

    /// PostgreSQL has no NUL in texts: that is the sender's mistake and no failure of ours.
    async fn a_nul_in_the_form_is_refused(house) {
        let company = Company::open(house, "acme").await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        let long = "x".repeat(1025);
        for state in ["\0", "a\0b", &long] {
            let form = [("SAMLResponse", answer.base64()), ("RelayState", state.to_owned())];
            let refused = browser.post(company.acs_url()).form(&form).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::BAD_REQUEST, "{state:?}");
        }
        let accepted = company.post(&browser, &answer.base64()).await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        assert!(location(&accepted).contains("ticket="));
    }
}
