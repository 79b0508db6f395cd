//! The recorder tells the truth about what looks well: bulk requests answered with 200 or 202, and
//! dry runs of requests with preconditions.

use identity_center::{
    audit, credential,
    recorder::{self, Explanation, Outcome, Recorded, Search},
    store::{self, PageRequest, sql},
};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Answer, Directory, act,
    console::{HERE, Office},
    hold_bulk, release_bulk,
};
use crate::on_both;

async fn found(acme: &Directory<'_>, outcome: Option<Outcome>) -> Vec<Recorded> {
    acme.house.app.recorder.flush().await;
    let wanted = Search { outcome, method: Some("POST".to_owned()), ..Search::default() };
    let page = PageRequest::first(100);
    let db = &acme.house.app.db;
    db.read(async |tx| recorder::search(tx, acme.space.id, &wanted, page).await).await.unwrap().rows
}

async fn later(acme: &Directory<'_>, operations: Value) -> String {
    let body = json!({ "Operations": operations });
    let asked = acme.request(Method::POST, "/Bulk").header("prefer", "respond-async");
    let answer = acme.send(asked.body(body.to_string())).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    answer.headers["set-txn"].to_str().unwrap().to_owned()
}

async fn done(acme: &Directory<'_>, transaction: &str) -> Answer {
    for _ in 0..600 {
        let answer = acme.get(&format!("/Bulk/{transaction}")).await;
        if answer.status != 202 {
            return answer;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("it is never answered");
}

fn mixed() -> Value {
    json!([
        { "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "alice" } },
        { "method": "POST", "path": "/Users", "bulkId": "2", "data": { "userName": "ALICE" } },
        { "method": "PATCH", "path": "/Users/u-000000000001", "data": { "Operations": [] } },
        { "method": "POST", "path": "/Users", "bulkId": "3", "data": { "userName": "bob" } },
    ])
}

on_both! {
    async fn a_bulk_request_of_which_something_failed_is_found_among_the_refused(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        acme.post("/Bulk", json!({ "Operations": mixed() })).await.expect(200);
        acme.post("/Bulk", json!({ "Operations": [
            { "method": "POST", "path": "/Users", "bulkId": "1", "data": { "userName": "carol" } },
        ] })).await.expect(200);
        let refused = found(acme, Some(Outcome::Refused)).await;
        assert_eq!(refused.len(), 1);
        let one = &refused[0];
        assert_eq!((one.status, one.outcome()), (200, Outcome::Refused));
        let failures = one.failures().unwrap();
        assert_eq!(failures.count, 2);
        let told: Vec<_> = failures.first.iter()
            .map(|one| (one.operation, one.method.as_str(), one.status, one.scim_type.as_deref())).collect();
        assert_eq!(told, [(Some(1), "POST", 409, Some("uniqueness")), (Some(2), "PATCH", 404, None)]);
        assert_eq!(recorder::explain(one), Some(Explanation::Taken));
        assert_eq!(one.audit_ids().len(), 2);
        assert_eq!(found(acme, Some(Outcome::Done)).await.len(), 1);
        assert_eq!(found(acme, None).await.len(), 2);
        // At the console: in the list, on the page, marked in the body, and after a dry run.
        let list = chief.page(&format!("{HERE}/requests?outcome=refused")).await;
        assert!(list.contains("2 failed") && list.contains("there already"), "{list}");
        let path = chief.latest(&format!("{HERE}/requests?outcome=refused")).await;
        let page = chief.page(&path).await;
        for words in ["Operations[1]", "Operations[2]", "correct the mapping", "<mark", ">404<"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let (_, page) = chief.post(&format!("{path}/replay"), &[]).await;
        assert!(page.contains("It was refused, and would be refused today."), "{page}");
    }

    async fn an_answer_for_later_names_what_it_changed(house) {
        let acme = Directory::new(house).await;
        let transaction = later(&acme, mixed()).await;
        done(&acme, &transaction).await.expect(200);
        let all = found(&acme, None).await;
        assert_eq!(all.len(), 1, "one request, one row");
        assert_eq!((all[0].status, all[0].request_id.as_str()), (202, transaction.as_str()));
        assert_eq!(all[0].failures().unwrap().count, 2);
        assert_eq!(found(&acme, Some(Outcome::Refused)).await.len(), 1);
        let ids = all[0].audit_ids();
        let effects = house.app.db
            .read(async |tx| audit::of_space(tx, acme.space.id, &ids).await).await.unwrap();
        let actions: Vec<&str> = effects.iter().map(|one| one.action.as_str()).collect();
        assert_eq!(actions, ["user.create", "user.create"]);
        assert!(effects.iter().all(|one| one.request_id == transaction));
    }

    async fn a_request_that_was_never_done_says_so(house) {
        let acme = Directory::new(house).await;
        hold_bulk(&acme).await;
        let transaction = later(&acme, mixed()).await;
        assert!(found(&acme, Some(Outcome::Refused)).await.is_empty());
        let (act, id) = (act(house), acme.credential);
        let switch = async |on: bool| house.app.db.write(async |tx| {
            credential::set_enabled(tx, &act, acme.space.id, id, on).await
        }).await.unwrap();
        switch(false).await;
        release_bulk(&acme).await;
        let mut refused = Vec::new();
        for _ in 0..200 {
            refused = found(&acme, Some(Outcome::Refused)).await;
            if !refused.is_empty() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert_eq!(refused[0].failures().unwrap().first[0].status, 403);
        assert_eq!(recorder::explain(&refused[0]), Some(Explanation::SwitchedOff));
        switch(true).await;
        done(&acme, &transaction).await.refused(403, None);
    }

    async fn a_body_that_waits_cannot_be_read_in_the_database(house) {
        let acme = Directory::new(house).await;
        hold_bulk(&acme).await;
        let transaction = later(&acme, json!([
            { "method": "POST", "path": "/Users", "bulkId": "1",
              "data": { "userName": "alice", "password": "Tr0ub4dor" } },
        ])).await;
        let sealed: Vec<(Option<Vec<u8>>,)> = house.app.db.read(async |tx| -> store::Result<_> {
            sql("SELECT body_sealed FROM scim_asynchronous_requests ORDER BY id DESC LIMIT 1").fetch_all(tx).await
        }).await.unwrap();
        let sealed = sealed[0].0.clone().unwrap();
        let holds = |bytes: &[u8], word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
        assert!(sealed.len() > 50 && !holds(&sealed, "Tr0ub4dor") && !holds(&sealed, "alice"));
        // Nor anywhere else in the files of the database, when that is a file.
        let url = secrecy::ExposeSecret::expose_secret(&house.app.settings.database_url).to_owned();
        if let Some(file) = url.strip_prefix("sqlite:") {
            for name in [file.to_owned(), format!("{file}-wal")] {
                let bytes = std::fs::read(name).unwrap_or_default();
                assert!(!holds(&bytes, "Tr0ub4dor"));
            }
        }
        release_bulk(&acme).await;
        done(&acme, &transaction).await.expect(200);
        let made = acme.filter("/Users", r#"userName eq "alice""#).await.expect(200);
        assert_eq!(made["totalResults"], 1);
        let left: i64 = house.app.db.read(async |tx| -> store::Result<_> {
            sql("SELECT COUNT(*) FROM scim_asynchronous_requests WHERE body_sealed IS NOT NULL").fetch_number(tx).await
        }).await.unwrap();
        assert_eq!(left, 0, "what is done is not kept");
    }

    async fn a_dry_run_demands_the_version_that_the_request_demanded(house) {
        let office = Office::open(house).await;
        let (acme, chief) = (&office.directory, office.chief().await);
        let id = acme.user("alice").await;
        let patch = json!({ "Operations": [{ "op": "replace", "path": "title", "value": "a" }] });
        let request = acme.request(Method::PATCH, &format!("/Users/{id}"))
            .header("if-match", "W/\"1\", W/\"7\"").body(patch.to_string());
        acme.send(request).await.expect(200);
        let path = chief.latest(&format!("{HERE}/requests?method=PATCH")).await;
        // It went well against version 1; today there is version 2.
        let (_, page) = chief.post(&format!("{path}/replay"), &[]).await;
        assert!(page.contains("It was done, and would be refused today."), "{page}");
        assert!(page.contains(">412<") && page.contains("If-Match") && page.contains("W/&#34;1&#34;, W/&#34;7&#34;"), "{page}");
        let read = acme.request(Method::GET, &format!("/Users/{id}")).header("if-none-match", "W/\"2\"");
        assert_eq!(acme.send(read).await.status, 304);
        let path = chief.latest(&format!("{HERE}/requests?method=GET")).await;
        let (_, page) = chief.post(&format!("{path}/replay"), &[]).await;
        assert!(page.contains(">304<") && page.contains("If-None-Match"), "{page}");
    }
}
