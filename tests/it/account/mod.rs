//! CAM and STS of the embedded cloud, through the front door.

mod evaluation;
mod input;
mod locked;
mod people;
mod providers;
pub mod reference;
mod roles;
mod temporary;

use serde_json::{Value, json};

use self::reference::Caller;
use crate::{
    api::{Administration, administration},
    house::TestHouse,
};

/// The root of a management account.
async fn root(house: &TestHouse) -> (Caller, i64) {
    let Administration { account, client, .. } = administration(house).await;
    (Caller::new(client), account.uin.0)
}

/// A policy of one statement.
fn policy(effect: &str, actions: &[&str], resources: &[&str]) -> String {
    policy_with(effect, actions, resources, json!({}))
}

/// The same, with conditions.
fn policy_with(effect: &str, actions: &[&str], resources: &[&str], condition: Value) -> String {
    let mut statement = json!({ "effect": effect, "action": actions, "resource": resources });
    if condition != json!({}) {
        statement["condition"] = condition;
    }
    json!({ "version": "2.0", "statement": [statement] }).to_string()
}

/// A trust policy for these CAM principals.
fn trust(principals: &[String]) -> String {
    trust_with(principals, json!({}))
}

fn trust_with(principals: &[String], condition: Value) -> String {
    let mut statement = json!({ "effect": "allow", "action": "name/sts:AssumeRole",
                                "principal": { "qcs": principals } });
    if condition != json!({}) {
        statement["condition"] = condition;
    }
    json!({ "version": "2.0", "statement": [statement] }).to_string()
}

/// Makes a CAM user with a key and a policy of its own, and says its number and the policy's.
async fn user_with(
    house: &TestHouse,
    root: &Caller,
    name: &str,
    document: Option<&str>,
) -> (Caller, i64, i64) {
    let made = root.done(house, "AddUser", json!({ "Name": name, "UseApi": 1 })).await;
    let uin = made["Uin"].as_i64().unwrap();
    let mut policy = 0;
    if let Some(document) = document {
        let parameters = json!({ "PolicyName": format!("of-{name}"), "PolicyDocument": document });
        let created = root.done(house, "CreatePolicy", parameters).await;
        policy = created["PolicyId"].as_i64().unwrap();
        let attach = json!({ "PolicyId": policy, "AttachUin": uin });
        root.done(house, "AttachUserPolicy", attach).await;
    }
    (root.with_key(&made["SecretId"], &made["SecretKey"]), uin, policy)
}
