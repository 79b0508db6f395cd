//! The command line, as somebody types it.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdout, Command, Output, Stdio},
    time::Duration,
};

use identity_center::secret::Sealer;
use reqwest::{Client, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::house::{Database, TestHouse};

fn identity_center() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_identity-center"));
    command.stdin(Stdio::null()).env("IDENTITY_CENTER_LOG", "error");
    command
}

fn run(database: &Database, master_key: &str, arguments: &[&str]) -> Output {
    identity_center()
        .args(arguments)
        .env("IDENTITY_CENTER_DATABASE_URL", database.url())
        .env("IDENTITY_CENTER_MASTER_KEY", master_key)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Somebody may stop listening, as `head` does: no command panics over it.
#[test]
fn a_listener_that_goes_away_is_no_failure() {
    for _ in 0..5 {
        let mut settings = identity_center()
            .arg("settings")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(settings.stdout.take());
        let ended = settings.wait_with_output().unwrap();
        assert!(ended.status.success(), "{ended:?}");
        assert!(!text(&ended.stderr).contains("panicked"), "{ended:?}");
    }
}

async fn an_installation_begins(database: Database) {
    let key = Sealer::new_master_key().unwrap();
    let unmade = run(&database, &key, &["check"]);
    assert!(!unmade.status.success());
    assert!(text(&unmade.stdout).contains("no schema yet"), "{unmade:?}");

    assert!(run(&database, &key, &["migrate"]).status.success());
    let init = ["init", "--organization", "Acme", "--administrator", "ada", "--json"];
    let first = run(&database, &key, &init);
    assert!(first.status.success(), "{first:?}");
    let made: Value = serde_json::from_slice(&first.stdout).unwrap();
    assert!(made["management_uin"].is_i64(), "{made}");
    for field in ["secret_id", "secret_key", "console_url", "console_password"] {
        assert!(made[field].as_str().is_some_and(|value| !value.is_empty()), "{field}: {made}");
    }
    // A taken name is refused and changes nothing; another name adds an organisation.
    let again = run(&database, &key, &init);
    assert!(!again.status.success());
    assert!(text(&again.stderr).contains("another organisation has this name"), "{again:?}");
    let other = ["init", "--organization", "Other", "--administrator", "bo", "--json"];
    assert!(run(&database, &key, &other).status.success());
    let bad = ["init", "--organization", "", "--administrator", "bo"];
    assert!(!run(&database, &key, &bad).status.success());

    let check = run(&database, &key, &["check"]);
    assert!(check.status.success(), "{check:?}");
    let without = identity_center()
        .arg("check")
        .env("IDENTITY_CENTER_DATABASE_URL", database.url())
        .env_remove("IDENTITY_CENTER_MASTER_KEY")
        .output()
        .unwrap();
    assert!(!without.status.success());
    assert!(text(&without.stdout).contains("WRONG master key"), "{without:?}");
    let unknown = identity_center().arg("check").env("IDENTITY_CENTER_LISSEN", "x").output();
    assert!(text(&unknown.unwrap().stdout).contains("lissen"));
    database.remove().await;
}

#[tokio::test]
async fn an_installation_begins_on_sqlite() {
    an_installation_begins(Database::sqlite()).await;
}

#[tokio::test]
async fn an_installation_begins_on_postgres() {
    let Some(database) = Database::postgres().await else { return };
    // The template is migrated; a first start finds nothing.
    let pool = sqlx::PgPool::connect(&database.url()).await.unwrap();
    let empty = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    sqlx::raw_sql(empty).execute(&pool).await.unwrap();
    pool.close().await;
    an_installation_begins(database).await;
}

/// A demo that runs, and all that it said.
pub struct Demo {
    child: Child,
    _listening: BufReader<ChildStdout>,
    pub said: String,
    pub url: String,
}

impl Demo {
    pub fn start(data: &Path) -> Self {
        let mut child = identity_center()
            .args(["demo", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !said.contains("\"op\":\"add\"") {
            assert!(lines.read_line(&mut said).unwrap() > 0, "the demo ended: {said}");
        }
        let console = said.lines().find_map(|line| line.strip_prefix("Console")).unwrap();
        let url = console.trim().trim_end_matches("/console").to_owned();
        Self { child, _listening: lines, said, url }
    }

    /// The word that comes after `label`.
    pub fn after(&self, label: &str) -> &str {
        let rest = self.said.split_once(label).unwrap().1;
        rest.split_whitespace().next().unwrap().trim_end_matches(',')
    }

    /// Ends as Ctrl-C ends it.
    pub fn stop(mut self) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
    }

    /// Signs in at the demo's identity provider; the answer of the assertion consumer service.
    pub async fn sign_in(&self, browser: &Client, name: &str) -> reqwest::Response {
        let start = format!("{}/portal/acme/login/start", self.url);
        let start = browser.get(start).send().await.unwrap();
        let ask: url::Url = start.headers()[LOCATION].to_str().unwrap().parse().unwrap();
        // The identity provider is on another site than the portal.
        assert_eq!(ask.host_str(), Some("127.0.0.1"));
        let page = browser.get(ask.clone()).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("part"), "{page}");
        let request = ask.query_pairs().find(|(key, _)| key == "SAMLRequest").unwrap().1;
        let form = [("SAMLRequest", &*request), ("user_name", name)];
        let ask = ask.join("/demo/idp/sso").unwrap();
        let page = browser.post(ask).form(&form).send().await.unwrap().text().await.unwrap();
        let between = |from: &str| page.split_once(from).unwrap().1.split('"').next().unwrap();
        let response = between("name=\"SAMLResponse\" value=\"");
        let acs = between("action=\"");
        browser.post(acs).form(&[("SAMLResponse", response)]).send().await.unwrap()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Nothing is left running if the test fails; a demo that has ended is no failure here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn the_demo_does_what_it_prints_and_tells_the_same_again() {
    let data = tempfile::tempdir().unwrap();
    let demo = Demo::start(data.path());
    let browser = Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap();
    let token = demo.after("token ").to_owned();
    let scim = format!("{}/scim/v2", demo.url);

    // What the printed lines do: push a new user, and put the user into the printed group.
    let dora = json!({ "userName": "dora", "displayName": "Dora" });
    let made = browser.post(format!("{scim}/Users")).bearer_auth(&token).json(&dora).send().await;
    let made = made.unwrap();
    assert_eq!(made.status(), StatusCode::CREATED);
    let made: Value = made.json().await.unwrap();
    let member = json!([{ "op": "add", "path": "members", "value": [{ "value": made["id"] }] }]);
    let group = demo.said.split_once("/Groups/").unwrap().1.split_whitespace().next().unwrap();
    let patch = browser.patch(format!("{scim}/Groups/{group}")).bearer_auth(&token);
    let patched = patch.json(&json!({ "Operations": member })).send().await.unwrap();
    assert!(patched.status().is_success(), "{patched:?}");

    let nobody = demo.sign_in(&browser, "nobody").await;
    assert_eq!(nobody.status(), StatusCode::FORBIDDEN);
    assert!(nobody.text().await.unwrap().contains("NotProvisioned"));

    let accepted = demo.sign_in(&browser, "dora").await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
    let finish = accepted.headers()[LOCATION].to_str().unwrap();
    let opened = browser.get(finish).send().await.unwrap();
    assert_eq!(opened.status(), StatusCode::SEE_OTHER, "{}", opened.text().await.unwrap());
    let accounts = format!("{}/portal/acme/api/accounts", demo.url);
    let mut reached = Value::Null;
    for _ in 0..200 {
        reached = browser.get(&accounts).send().await.unwrap().json().await.unwrap();
        if !reached.to_string().contains("pending") && reached["accounts"][1].is_object() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let names: Vec<_> =
        reached["accounts"].as_array().unwrap().iter().map(|account| &account["name"]).collect();
    assert!(names.contains(&&json!("web-staging")), "{reached}");
    assert!(names.contains(&&json!("web-production")), "{reached}");

    let secrets = ["password ", "token ", "secret key "].map(|label| demo.after(label).to_owned());
    demo.stop();
    let demo = Demo::start(data.path());
    let again = ["password ", "token ", "secret key "].map(|label| demo.after(label).to_owned());
    assert_eq!(secrets, again);
    // On another port this time, and people sign in all the same.
    let accepted = demo.sign_in(&browser, "alice").await;
    assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
    demo.stop();
}

/// A request that is under way when the server is told to stop gets its answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_under_way_are_finished_when_the_server_stops() {
    let house = TestHouse::sqlite().await;
    let mut request = tokio::net::TcpStream::connect(house.address).await.unwrap();
    let head = format!(
        "POST /saml/acs/z-000000000000 HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 16\r\n\r\nSAMLResp",
        house.address
    );
    request.write_all(head.as_bytes()).await.unwrap();
    // The server has to have it in hand before it is told to stop.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let finish = async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        request.write_all(b"onse=AAA").await.unwrap();
        let mut answer = String::new();
        request.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let ((), answer) = tokio::join!(house.close(), finish);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    assert!(answer.contains("There is no such space."), "{answer}");
}
