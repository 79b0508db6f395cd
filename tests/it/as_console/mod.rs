//! What the console does, done by actions of our own (SET-07): events, keys, directories, sign-in,
//! tasks. Each with what is told once, and with what is refused.

mod events;
mod keys;
mod scim;
mod sign_in;
mod tasks;

use serde_json::{Value, json};

use crate::{api::Client, house::TestHouse, rules::Office};

/// An office whose own actions are called.
pub struct Own {
    pub office: Office,
    pub client: Client,
}

impl Own {
    pub async fn open(house: &TestHouse) -> Self {
        let office = Office::open(house).await;
        let client = office.client.own();
        Self { office, client }
    }

    pub async fn done(&self, house: &TestHouse, action: &str, given: Value) -> Value {
        self.client.done(house, action, self.office.here(given)).await
    }

    /// That a call is refused with this code, and that what is said has this word in it.
    pub async fn refuses(
        &self,
        house: &TestHouse,
        (action, given): (&str, Value),
        (code, word): (&str, &str),
    ) {
        let given = self.office.here(given);
        let (found, text) = self.client.refusal(house, action, given.clone()).await;
        assert_eq!(found, code, "{action} {given}: {text}");
        assert!(text.contains(word), "{action} {given}: {text}");
    }

    /// The audit records of an action of a room, latest first.
    pub async fn audited(&self, house: &TestHouse, action: &str) -> Vec<Value> {
        let asked = json!({ "Action": action });
        let found = self.client.done(house, "ListAuditRecords", asked).await;
        found["AuditRecords"].as_array().unwrap().clone()
    }
}
