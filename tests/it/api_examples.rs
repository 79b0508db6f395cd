//! The examples of the API's reference (`docs/api-examples.json`): one story, told to the server
//! from its beginning to its end. Each answer must be the one that is written there.
//!
//! `make examples` writes down what is answered now.

use std::{collections::HashMap, fs, path::PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use identity_center::{
    cloud, credential, directory,
    id::{ConfigurationId, SpaceId, Uin, UserId},
    organization,
    request::{self, NewRequest},
    space,
    store::sql,
};
use reqwest::{StatusCode, header::USER_AGENT};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::{
    api::Client,
    cloud::Word,
    fake_idp::{FakeIdp, wrong_key},
    house::TestHouse,
    identity_center::all_allowed,
    journey::{Company, count},
    with_settings,
    world::World,
};

/// With this in the environment the answers are written down instead of compared.
const WRITE: &str = "IDENTITY_CENTER_WRITE_EXAMPLES";
/// Where the server of the examples is.
const HOST: &str = "identity.example.com";
/// What stands for a value that is shown once.
const SECRET: &str = "(shown once)";
/// What stands for a long document.
const DOCUMENT: &str = "(a document)";
/// The administrator's, before and after.
const PASSWORDS: [&str; 2] = ["Correct-Horse-7-Battery", "Correct-Horse-8-Battery"];
const SECRETS: [&str; 6] =
    ["CredentialSecret", "SecretKey", "SecretAccessKey", "TmpSecretKey", "Token", "Secret"];
const DOCUMENTS: [&str; 5] =
    ["EncodedMetadataDocument", "SAMLMetadata", "X509Certificate", "PublicKey", "Bundle"];

#[derive(Serialize, Deserialize)]
pub struct Story {
    /// What the requests name and no answer gives, as the reference shows it.
    given: Map<String, Value>,
    pub steps: Vec<Step>,
}

#[derive(Serialize, Deserialize)]
pub struct Step {
    pub service: String,
    version: String,
    pub action: String,
    /// What the action does: one sentence or two, with its first example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// What tells this example from the action's others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// Only the story needs it; the reference does not show it.
    #[serde(default, skip_serializing_if = "is_false")]
    aside: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub unsigned: bool,
    /// What happens first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Event>,
    request: Value,
    /// Values of the answer that later requests name.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    keep: Map<String, Value>,
    response: Value,
}

/// What happens between the calls.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Event {
    AliceAsks,
    AliceSignsIn,
    TheDirectoryAsks,
    TheRoleDrifts,
    ThePortalVouches,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(flag: &bool) -> bool {
    !flag
}

impl Story {
    fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/api-examples.json")
    }

    pub fn read() -> Self {
        serde_json::from_str(&fs::read_to_string(Self::path()).unwrap()).unwrap()
    }

    fn write(&self) {
        fs::write(Self::path(), serde_json::to_string_pretty(self).unwrap() + "\n").unwrap();
    }
}

/// A story that is being told.
pub struct Telling<'h> {
    house: &'h TestHouse,
    client: Client,
    kept: HashMap<String, Value>,
}

impl<'h> Telling<'h> {
    pub async fn begin(house: &'h TestHouse) -> Self {
        let act = house.app.own_act("test").unwrap();
        let key = cloud::new_access_key(&house.app.sealer).unwrap();
        let hash = cloud::password::hash(Zeroizing::new(PASSWORDS[0].to_owned())).await.unwrap();
        let installed = house.app.db.write(async |tx| {
            cloud::install(tx, &act, "Example", "administrator", &hash, &key).await
        });
        installed.await.unwrap();
        let client = Client::with(&key);
        let metadata = STANDARD.encode(FakeIdp::new().metadata());
        let kept = HashMap::from([
            ("metadata".to_owned(), json!(metadata)),
            ("certificate".to_owned(), json!(wrong_key().certificate().pem())),
            ("old_password".to_owned(), json!(PASSWORDS[0])),
            ("new_password".to_owned(), json!(PASSWORDS[1])),
        ]);
        Self { house, client, kept }
    }

    fn kept(&self, name: &str) -> &Value {
        self.kept.get(name).unwrap_or_else(|| panic!("nothing is kept as {name}"))
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(&self, name: &str) -> T {
        self.kept(name).as_str().unwrap().parse().unwrap()
    }

    pub fn uin(&self, name: &str) -> Uin {
        Uin(self.kept(name).as_i64().unwrap())
    }

    /// A request with the values that it names: `$name` for a whole value, `{$name}` in a text.
    pub fn filled(&self, template: &Value) -> Value {
        match template {
            Value::String(text) => match text.strip_prefix('$') {
                Some(name) => self.kept(name).clone(),
                None => json!(self.filled_text(text)),
            },
            Value::Array(list) => list.iter().map(|value| self.filled(value)).collect(),
            Value::Object(object) => {
                let filled = object.iter().map(|(name, value)| (name.clone(), self.filled(value)));
                Value::Object(filled.collect())
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => template.clone(),
        }
    }

    fn filled_text(&self, text: &str) -> String {
        let mut parts = text.split("{$");
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            let value = self.kept(name);
            filled += &value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            filled += rest;
        }
        filled
    }

    async fn call(&self, step: &Step) -> Value {
        self.call_as(&self.client, step).await
    }

    /// Somebody else makes the call of a step.
    pub async fn call_as(&self, client: &Client, step: &Step) -> Value {
        let client = match step.service.as_str() {
            "organization" => client.clone(),
            "cam" => client.cam(),
            "sts" => client.sts(),
            "identitycenter" => client.own(),
            other => panic!("{other}"),
        };
        let request = self.filled(&step.request);
        let answer = if step.unsigned {
            client.unsigned(self.house, &step.action, request).await
        } else {
            client.call(self.house, &step.action, request).await
        };
        self.as_elsewhere(answer)
    }

    /// An answer as if the server were where the reference says.
    fn as_elsewhere(&self, answer: Value) -> Value {
        match answer {
            Value::String(text) => {
                let text = text.replace(&self.house.url(""), &format!("https://{HOST}"));
                json!(text.replace(&self.house.address.to_string(), HOST))
            }
            Value::Array(list) => list.into_iter().map(|it| self.as_elsewhere(it)).collect(),
            Value::Object(object) => Value::Object(
                object.into_iter().map(|(name, it)| (name, self.as_elsewhere(it))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => answer,
        }
    }

    /// The next step, and what is answered.
    pub async fn go_on(&mut self, step: &Step) -> Value {
        self.approach(step).await;
        let answer = self.call(step).await;
        self.keep(step, &answer);
        answer
    }

    /// Everything up to the call of the next step.
    pub async fn approach(&mut self, step: &Step) {
        // Things do not all happen at once.
        self.settle().await;
        self.house.app.clock.advance(jiff::SignedDuration::from_mins(1));
        for event in step.before.clone() {
            self.happen(event).await;
        }
        self.settle().await;
    }

    fn keep(&mut self, step: &Step, answer: &Value) {
        for (name, pointer) in &step.keep {
            let value = answer.pointer(pointer.as_str().unwrap());
            let value =
                value.unwrap_or_else(|| panic!("{}: no {pointer} in {answer}", step.action));
            self.kept.insert(name.clone(), value.clone());
        }
    }

    /// Waits until every task has ended.
    async fn settle(&self) {
        let left = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..800 {
            if count(self.house, left).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the tasks do not end");
    }

    async fn world(&self) -> World {
        let space: SpaceId = self.id("space");
        let (management, member) = (self.uin("management"), self.uin("shop"));
        let app = self.house.app.clone();
        let read = app.db.read(async |tx| -> anyhow::Result<_> {
            let space = space::space(tx, space).await?.unwrap();
            let of = space.organization_id;
            let management = organization::account(tx, of, management).await?.unwrap();
            let member = organization::account(tx, of, member).await?.unwrap();
            Ok((management, member, space))
        });
        let (management, member, space) = read.await.unwrap();
        World { app, management, member, space }
    }

    async fn happen(&mut self, event: Event) {
        let world = self.world().await;
        let alice: UserId = self.id("alice");
        let db = &self.house.app.db;
        match event {
            Event::AliceAsks => {
                let new = NewRequest {
                    account: Some(self.uin("shop")),
                    configurations: vec![self.id("operating")],
                    reason: "To move the database.".to_owned(),
                    seconds: 4 * 3600,
                };
                let (space, act) = (world.space.id, world.act());
                let asked = db.write(async |tx| -> Result<_, request::Error> {
                    let alice = directory::user(tx, space, alice).await?.unwrap();
                    request::ask(tx, &act, space, &alice, &new).await
                });
                asked.await.unwrap();
            }
            Event::AliceSignsIn => {
                let company = Company {
                    house: self.house,
                    organization: world.space.organization_id,
                    management: world.management.uin,
                    space: world.space,
                    idp: FakeIdp::new(),
                };
                let browser = self.house.browser();
                let finish = company.ticket_for(&browser, "alice").await;
                let inside = browser.get(finish).header(USER_AGENT, "Mozilla/5.0").send().await;
                assert_eq!(inside.unwrap().status(), StatusCode::SEE_OTHER);
            }
            Event::TheDirectoryAsks => {
                let (space, act) = (world.space.id, world.act());
                let made = db.write(async |tx| credential::create(tx, &act, space, None).await);
                let (made, token) = made.await.unwrap();
                let url = self.house.url("/scim/v2/Users?filter=userName%20eq%20%22alice%22");
                let asked = reqwest::Client::new().get(url).bearer_auth(token.expose_secret());
                let asked = asked.header(USER_AGENT, "A directory").send().await.unwrap();
                assert_eq!(asked.status(), StatusCode::OK);
                self.house.app.recorder.flush().await;
                let gone = db.write(async |tx| credential::delete(tx, &act, space, made.id).await);
                gone.await.unwrap();
            }
            Event::TheRoleDrifts => {
                let changed = db.write(async |tx| {
                    sql("UPDATE cloud_roles SET session_duration = 43200
                         WHERE name = 'TencentCloudSSO-ReadOnly' AND account_uin = $1")
                    .bind(world.member.uin)
                    .execute(tx)
                    .await
                });
                assert_eq!(changed.await.unwrap(), 1);
            }
            Event::ThePortalVouches => {
                let reading: ConfigurationId = self.id("reading");
                let word = Word::of(&world, alice, reading).await;
                let session_name = word.session_name[0].clone();
                let word = word.sign(&world, &world.idp_key().await);
                self.kept.insert("assertion".to_owned(), json!(word));
                self.kept.insert("session_name".to_owned(), json!(session_name));
            }
        }
    }
}

/// An answer as it is written down: without what nobody else may know, and without long documents.
fn as_written(answer: Value) -> Value {
    let Value::Object(object) = answer else {
        return match answer {
            Value::Array(list) => list.into_iter().map(as_written).collect(),
            other => other,
        };
    };
    let written = object.into_iter().map(|(name, value)| {
        let stands_in = |list: &[&str], word: &str| {
            let is_said = value.as_str().is_some_and(|text| !text.is_empty());
            (is_said && list.contains(&name.as_str())).then(|| json!(word))
        };
        let written = stands_in(&SECRETS, SECRET).or_else(|| stands_in(&DOCUMENTS, DOCUMENT));
        let written = written.unwrap_or_else(|| as_written(value));
        (name, written)
    });
    Value::Object(written.collect())
}

/// What of the written story is what of this one: each id, account and key has one counterpart.
#[derive(Default)]
struct Counterparts {
    there: HashMap<String, String>,
    here: HashMap<String, String>,
}

impl Counterparts {
    fn compare(&mut self, written: &Value, found: &Value, at: &str) {
        match (written, found) {
            (Value::Object(written), Value::Object(found)) => {
                let names = |object: &Map<String, Value>| {
                    let mut names: Vec<String> = object.keys().cloned().collect();
                    names.sort_unstable();
                    names
                };
                assert_eq!(names(written), names(found), "{at}: other fields");
                for (name, value) in written {
                    self.compare(value, &found[name], &format!("{at}.{name}"));
                }
            }
            (Value::Array(written), Value::Array(found)) => {
                assert_eq!(written.len(), found.len(), "{at}: {found:?}");
                for (index, (written, found)) in written.iter().zip(found).enumerate() {
                    self.compare(written, found, &format!("{at}[{index}]"));
                }
            }
            (Value::String(written), Value::String(found)) => self.texts(written, found, at),
            (Value::Number(written), Value::Number(found)) => {
                // Numbers this high are numbers of something, and so are those of departments.
                let is_node = at.ends_with("NodeId");
                let is_id = |number: &serde_json::Number| {
                    number.as_i64().is_some_and(|it| it >= 100_000_000_000 || (is_node && it > 0))
                };
                if is_id(written) && is_id(found) {
                    self.pair(&written.to_string(), &found.to_string(), at);
                } else {
                    assert_eq!(written, found, "{at}");
                }
            }
            (written, found) => assert_eq!(written, found, "{at}"),
        }
    }

    fn texts(&mut self, written: &str, found: &str, at: &str) {
        let words = |text: &str| -> Vec<String> {
            let words = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
            words.map(str::to_owned).collect()
        };
        if [SECRET, DOCUMENT].contains(&written) {
            assert!(!found.is_empty(), "{at}");
            return;
        }
        let (written_words, found_words) = (words(written), words(found));
        assert_eq!(written_words.len(), found_words.len(), "{at}: {written:?}, {found:?}");
        // The groups of a UUID are short; all of it is one word.
        if at.ends_with("CausedBy") {
            return self.pair(written, found, at);
        }
        let mut follows_prefix = false;
        for (written, found) in written_words.iter().zip(&found_words) {
            if are_made_up(written, found, follows_prefix) {
                self.pair(written, found, at);
            } else {
                assert_eq!(written, found, "{at}");
            }
            follows_prefix = written.ends_with('-');
        }
    }

    fn pair(&mut self, written: &str, found: &str, at: &str) {
        let here = self.here.entry(written.to_owned()).or_insert_with(|| found.to_owned());
        assert_eq!(here, found, "{at}: {written} was something else before");
        let there = self.there.entry(found.to_owned()).or_insert_with(|| written.to_owned());
        assert_eq!(there, written, "{at}: {found} was something else before");
    }
}

/// Ids, accounts, keys and digests: words of one length, that is not short, with digits in them. The
/// 12 digits of an id are of base 36, so that all of them may be letters.
fn are_made_up(written: &str, found: &str, follows_prefix: bool) -> bool {
    let has_digits = |word: &str| word.chars().any(|c| c.is_ascii_digit());
    let is_id = |word: &str| {
        let digits = word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        digits.len() == 12 && !digits.chars().any(|c| c.is_ascii_uppercase())
    };
    written.len() == found.len()
        && written.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()).len() >= 12
        && (has_digits(written)
            || has_digits(found)
            || (follows_prefix && is_id(written) && is_id(found)))
}

with_settings! { all_allowed;
    async fn the_examples_of_the_reference_are_what_is_answered(house) {
        let mut story = Story::read();
        let is_sqlite = house.app.settings.database_url.expose_secret().starts_with("sqlite:");
        let writes = std::env::var_os(WRITE).is_some();
        if writes && !is_sqlite {
            return;
        }
        let mut telling = Telling::begin(house).await;
        let mut counterparts = Counterparts::default();
        for step in &mut story.steps {
            let answer = telling.go_on(step).await;
            if writes {
                step.response = as_written(answer);
            } else {
                counterparts.compare(&step.response, &answer, &step.action);
            }
        }
        telling.settle().await;
        if writes {
            story.write();
        }
    }
}

#[tokio::test]
async fn every_action_has_an_example_and_a_page() {
    let house = TestHouse::sqlite().await;
    let browser = house.browser();
    let all = browser.get(house.url("/docs/api.json")).send().await.unwrap();
    assert_eq!(all.headers()["content-type"], "application/json");
    let tag = all.headers()["etag"].clone();
    let all: Value = serde_json::from_str(&all.text().await.unwrap()).unwrap();
    let again = browser.get(house.url("/docs/api.json")).header("If-None-Match", tag);
    assert_eq!(again.send().await.unwrap().status(), StatusCode::NOT_MODIFIED);
    let mut count = 0;
    for service in all["Services"].as_array().unwrap() {
        let [name, version] = ["Service", "Version"].map(|it| service[it].as_str().unwrap());
        for action in service["Actions"].as_array().unwrap() {
            let action_name = action["Name"].as_str().unwrap();
            assert_ne!(action["About"], "", "{name}:{action_name} has no sentence about it");
            let examples = action["Examples"].as_array().unwrap();
            assert!(
                !examples.is_empty(),
                "{name}:{action_name} has no example: add a step to docs/api-examples.json, and \
                 say `make examples`"
            );
            let page = house.url(&format!("/docs/api/{name}/{version}/{action_name}"));
            let page = browser.get(page).send().await.unwrap();
            assert_eq!(page.status(), StatusCode::OK, "{action_name}");
            let page = page.text().await.unwrap();
            for parameter in action["Parameters"].as_array().unwrap() {
                let word = format!("<code>{}</code>", parameter["Name"].as_str().unwrap());
                assert!(page.contains(&word), "{action_name}: {word}");
            }
            count += 1;
        }
    }
    assert!(count >= 130, "{count}");
    // What is written about is there.
    let known = |step: &Step| {
        all["Services"].as_array().unwrap().iter().any(|service| {
            service["Service"] == step.service.as_str()
                && service["Version"] == step.version.as_str()
                && service["Actions"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .any(|action| action["Name"] == step.action.as_str())
        })
    };
    for step in &Story::read().steps {
        assert!(known(step), "{}:{} is no action", step.service, step.action);
    }
    house.close().await;
}

#[tokio::test]
async fn the_reference_can_be_searched_and_says_what_there_is_not() {
    let house = TestHouse::sqlite().await;
    let browser = house.browser();
    let get = async |path: &str| {
        let answer = browser.get(house.url(path)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    };
    let link = |action: &str| format!("href=\"/docs/api/organization/2021-03-31/{action}\"");
    let (status, index) = get("/docs/api").await;
    assert_eq!(status, StatusCode::OK);
    assert!(index.contains(&link("CreateUser")) && index.contains(&link("DeleteGroup")));
    assert!(index.contains("InviteOrganizationMember"), "known, and not supported");
    let (_, found) = get("/docs/api?search=creategroup").await;
    assert!(
        found.contains(&link("CreateGroup")) && !found.contains(&link("CreateUser")),
        "{found}"
    );
    // Parameters are found too.
    let (_, found) = get("/docs/api?search=NewUserStatus").await;
    assert!(found.contains(&link("UpdateUserStatus")) && !found.contains(&link("GetUser")));
    let (_, nothing) = get("/docs/api?search=%3Cscript%3E").await;
    assert!(!nothing.contains("<script>") && !nothing.contains(&link("GetUser")));
    for path in [
        "/docs/api/organization/2021-03-31/InviteOrganizationMember",
        "/docs/api/organization/2021-03-31/NoSuchAction",
        "/docs/api/organization/1/CreateUser",
        "/docs/api/cvm/2017-03-12/DescribeInstances",
    ] {
        assert_eq!(get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    // What must be said for an unsigned action is not a signature.
    let (_, unsigned) = get("/docs/api/sts/2018-08-13/AssumeRoleWithSAML").await;
    assert!(unsigned.contains("Authorization: SKIP"), "{unsigned}");
    let (_, nested) = get("/docs/api/organization/2021-03-31/CreateRoleAssignment").await;
    assert!(nested.contains("<code>RoleAssignmentInfo[].PrincipalId</code>"), "{nested}");
    house.close().await;
}
