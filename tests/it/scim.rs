//! SCIM 2.0, as a directory drives it: over HTTP, on both databases.

mod access;
mod bulk;
mod cam_users;
mod concurrency;
mod console;
mod contract;
mod decisions;
mod deletions;
mod extensions;
mod filters;
mod groups;
mod honesty;
mod hostile;
mod kill;
mod paging;
mod patches;
mod queries;
mod quirks;
mod recorder;
mod rights;
mod root;
mod strangers;
mod tester;
mod together;
mod users;

use identity_center::{
    audit::{Act, Actor},
    credential, directory,
    id::{CredentialId, SpaceId},
    organization,
    space::{self, KeyPurpose, NewKeyPair, Space},
    store,
};
use reqwest::{Method, StatusCode, header::HeaderMap};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::house::TestHouse;

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
pub const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// A directory with a token of a space of its own.
pub struct Directory<'h> {
    pub house: &'h TestHouse,
    pub space: Space,
    pub credential: CredentialId,
    pub token: String,
    client: reqwest::Client,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {:?}", self.text))
    }

    /// The body, when the status is this one.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        if self.text.is_empty() {
            return Value::Null;
        }
        assert_eq!(self.headers["content-type"], "application/scim+json");
        self.body()
    }

    /// A refusal of this status and kind, with a body that holds nothing else; says the detail.
    #[track_caller]
    pub fn refused(&self, status: u16, scim_type: Option<&str>) -> String {
        let body = self.expect(status);
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
        assert_eq!(body["status"], status.to_string());
        assert_eq!(body.get("scimType").and_then(Value::as_str), scim_type, "{body}");
        let known = ["schemas", "status", "scimType", "detail"];
        assert!(body.as_object().unwrap().keys().all(|name| known.contains(&name.as_str())));
        body["detail"].as_str().unwrap().to_owned()
    }
}

/// Somebody who prepares the house.
pub fn act(house: &TestHouse) -> Act {
    Act::new(Actor::system("test"), "test".into(), None, house.now(), house.app.ids.clone())
}

impl<'h> Directory<'h> {
    /// A space called `name` with SCIM on, and a token of it.
    pub async fn of_space(house: &'h TestHouse, name: &str) -> Directory<'h> {
        let act = act(house);
        let [service, identity] = [(), ()].map(|()| NewKeyPair::generate(name, act.now).unwrap());
        let (space, credential, token) = house
            .app
            .db
            .write(async |tx| -> anyhow::Result<_> {
                let (organization, _) = organization::create(tx, &act, name).await?;
                let keys = [
                    (KeyPurpose::ServiceProvider, service),
                    (KeyPurpose::IdentityProvider, identity),
                ];
                let sealer = &house.app.sealer;
                let space = space::open(tx, &act, sealer, organization.id, name, keys).await?;
                space::set_scim_enabled(tx, &act, &space, true).await?;
                let (credential, token) = credential::create(tx, &act, space.id, None).await?;
                Ok((space, credential.id, token.expose_secret().to_owned()))
            })
            .await
            .unwrap();
        Self { house, space, credential, token, client: reqwest::Client::new() }
    }

    pub async fn new(house: &'h TestHouse) -> Directory<'h> {
        Self::of_space(house, "acme").await
    }

    pub fn base(&self) -> String {
        self.house.url("/scim/v2")
    }

    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base())).bearer_auth(&self.token)
    }

    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Answer { status, headers, text: response.text().await.unwrap() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A GET with a filter.
    pub async fn filter(&self, endpoint: &str, filter: &str) -> Answer {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let joint = if endpoint.contains('?') { '&' } else { '?' };
        self.get(&format!("{endpoint}{joint}filter={filter}")).await
    }

    pub async fn send_json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let request = self.request(method, path).header("content-type", "application/scim+json");
        self.send(request.body(body.to_string())).await
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::POST, path, &body).await
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send_json(Method::PUT, path, &body).await
    }

    pub async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({ "schemas": [PATCH], "Operations": operations });
        self.send_json(Method::PATCH, path, &body).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A user with no more than a name; says its id.
    pub async fn user(&self, name: &str) -> String {
        let made = self.post("/Users", json!({ "schemas": [USER], "userName": name })).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// A group with members; says its id.
    pub async fn group(&self, name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({ "value": id })).collect();
        let body = json!({ "schemas": [GROUP], "displayName": name, "members": members });
        self.post("/Groups", body).await.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The ids in a group, sorted.
    pub async fn members(&self, group: &str) -> Vec<String> {
        let body = self.get(&format!("/Groups/{group}")).await.expect(200);
        let mut ids: Vec<String> = body["members"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|member| member["value"].as_str().unwrap().to_owned())
            .collect();
        ids.sort();
        ids
    }

    /// What the audit log says of an object: actions with their states, oldest first.
    pub async fn audited(&self, object: &str) -> Vec<(String, Value, Value)> {
        let rows: Vec<(String, Option<String>, Option<String>)> = self
            .house
            .app
            .db
            .read(async |tx| -> store::Result<_> {
                store::sql(
                    "SELECT action, state_before, state_after FROM audit_records
                            WHERE object_id = $1 ORDER BY id",
                )
                .bind(object)
                .fetch_all(tx)
                .await
            })
            .await
            .unwrap();
        let read = |text: Option<String>| {
            text.map_or(Value::Null, |text| serde_json::from_str(&text).unwrap())
        };
        rows.into_iter().map(|(action, was, is)| (action, read(was), read(is))).collect()
    }

    /// A user made by hand in the same space; says its id.
    pub async fn manual_user(&self, name: &str) -> String {
        let act = act(self.house);
        let new = directory::NewUser { user_name: name.into(), ..Default::default() };
        let space: SpaceId = self.space.id;
        let user = self
            .house
            .app
            .db
            .write(async |tx| directory::create_user(tx, &act, space, &new, 1000).await)
            .await
            .unwrap();
        user.id.to_string()
    }
}

/// Has requests that are to be answered later wait: another worker seems to be at an earlier one.
pub async fn hold_bulk(directory: &Directory<'_>) {
    let space = directory.space.id;
    let until = directory.house.now().plus_seconds(86_400);
    let hold = async |tx: &mut store::Write| -> store::Result<_> {
        store::sql(
            "INSERT INTO scim_asynchronous_requests
                 (id, space_id, credential_id, transaction_id, request_id, lease_ends, created_at)
             VALUES (1, $1, 1, 'held', 'held', $2, $2)",
        )
        .bind(space)
        .bind(until)
        .execute(tx)
        .await
    };
    directory.house.app.db.write(hold).await.unwrap();
}

/// Lets them go on.
pub async fn release_bulk(directory: &Directory<'_>) {
    let release = async |tx: &mut store::Write| -> store::Result<_> {
        store::sql("DELETE FROM scim_asynchronous_requests WHERE id = 1").execute(tx).await
    };
    directory.house.app.db.write(release).await.unwrap();
    directory.house.app.later.notify_one();
}
