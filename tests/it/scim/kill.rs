//! kill -9 in the middle of a sync loses nothing that was acknowledged.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use identity_center::{
    app::App,
    audit::{Act, Actor},
    clock::Clock,
    credential, organization,
    secret::Sealer,
    space::{self, KeyPurpose, NewKeyPair},
    store::{self, sql},
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::ENTERPRISE;
use crate::{
    house::Database,
    kill::{free_port, start},
    world::settings,
};

/// Users that are acknowledged before the program is killed.
const ENOUGH: usize = 400;

/// Waits until the program answers.
async fn ready(client: &reqwest::Client, url: &str) {
    for _ in 0..600 {
        if client.get(format!("{url}/readyz")).send().await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the program does not answer");
}

/// A space with SCIM on; says the token.
async fn prepare(app: &App) -> String {
    let act =
        Act::new(Actor::system("test"), "test".into(), None, app.clock.now(), app.ids.clone());
    let [service, identity] = [(), ()].map(|()| NewKeyPair::generate("acme", act.now).unwrap());
    app.db
        .write(async |tx| -> anyhow::Result<String> {
            let (organization, _) = organization::create(tx, &act, "acme").await?;
            let keys =
                [(KeyPurpose::ServiceProvider, service), (KeyPurpose::IdentityProvider, identity)];
            let space = space::open(tx, &act, &app.sealer, organization.id, "acme", keys).await?;
            space::set_scim_enabled(tx, &act, &space, true).await?;
            let (_, token) = credential::create(tx, &act, space.id, None).await?;
            Ok(token.expose_secret().to_owned())
        })
        .await
        .unwrap()
}

async fn acknowledged_writes_survive(database: Database) {
    let key = Sealer::new_master_key().unwrap();
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let app = App::open(settings(&database, &url, &key), Clock::system()).await.unwrap();
    let token = prepare(&app).await;
    let client = reqwest::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
    let mut first = start(&database, &key, port);
    ready(&client, &url).await;
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let mut clients = Vec::new();
    for number in 0..8 {
        let (client, url, token) = (client.clone(), url.clone(), token.clone());
        let acknowledged = acknowledged.clone();
        clients.push(tokio::spawn(async move {
            let mut made: Vec<(String, String)> = Vec::new();
            for turn in 0.. {
                let name = format!("user-{number}-{turn}");
                let body = json!({ "userName": name, "emails": [{ "value": format!("{name}@x") }],
                                   ENTERPRISE: { "department": name } });
                let answer = client
                    .post(format!("{url}/scim/v2/Users"))
                    .bearer_auth(&token)
                    .body(body.to_string())
                    .send()
                    .await;
                let Ok(answer) = answer else { break };
                assert_eq!(answer.status(), 201);
                // Acknowledged is what arrived.
                let Ok(body) = answer.text().await else { break };
                let body: Value = serde_json::from_str(&body).unwrap();
                made.push((body["id"].as_str().unwrap().to_owned(), name));
                acknowledged.fetch_add(1, Ordering::SeqCst);
            }
            made
        }));
    }
    while acknowledged.load(Ordering::SeqCst) < ENOUGH {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.kill().unwrap();
    first.wait().unwrap();
    let mut made = Vec::new();
    for client in clients {
        made.extend(client.await.unwrap());
    }
    assert!(made.len() >= ENOUGH);
    let mut second = start(&database, &key, port);
    ready(&client, &url).await;
    for (id, name) in &made {
        let answer = client.get(format!("{url}/scim/v2/Users/{id}")).bearer_auth(&token).send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200, "{name}");
        let user: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(user["userName"], name.as_str());
    }
    second.kill().unwrap();
    second.wait().unwrap();
    // Nothing is there by halves: every user has its address, its audit record and its request.
    let count = async |query: &'static str| {
        app.db
            .read(async |tx| -> store::Result<i64> { sql(query).fetch_number(tx).await })
            .await
            .unwrap()
    };
    let users = count("SELECT COUNT(*) FROM users").await;
    assert!(usize::try_from(users).unwrap() >= made.len());
    for query in [
        "SELECT COUNT(*) FROM user_emails",
        "SELECT COUNT(*) FROM audit_records WHERE action = 'user.create'",
        "SELECT COUNT(*) FROM scim_requests WHERE method = 'POST' AND status = 201",
        "SELECT CAST(SUM(total) AS BIGINT) FROM directory_counts WHERE kind = 'user'",
    ] {
        assert_eq!(count(query).await, users, "{query}");
    }
    app.db.close().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    acknowledged_writes_survive(Database::sqlite()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let Some(database) = Database::postgres().await else { return };
    acknowledged_writes_survive(database).await;
}
