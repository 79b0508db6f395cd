//! What the reference says of CAM and STS, and a caller whose every answer is held against it.

use std::sync::LazyLock;

use identity_center::tc3::CommonCode;
use serde_json::{Map, Value, json};

use crate::{api::Client, house::TestHouse};

static CAM: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../api/cam.json")).unwrap());
static STS: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../api/sts.json")).unwrap());

/// What the catalogues have and we do not.
pub const UNSUPPORTED: &[&str] = &[
    "CreateUserSAMLConfig",
    "DescribeUserSAMLConfig",
    "UpdateUserSAMLConfig",
    "AssumeRoleWithWebIdentity",
    "GetSessionToken",
];

/// Every action of both services, with its service.
pub fn actions() -> impl Iterator<Item = (&'static Value, &'static Value)> {
    [&*CAM, &*STS].into_iter().flat_map(|service| {
        service["actions"].as_array().unwrap().iter().map(move |action| (service, action))
    })
}

fn find(name: &str) -> (&'static Value, &'static Value) {
    actions().find(|(_, action)| action["name"] == name).unwrap_or_else(|| panic!("{name}"))
}

/// Somebody who calls; answers that are not as the reference has them fail the test.
#[derive(Clone)]
pub struct Caller {
    pub client: Client,
}

impl Caller {
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    fn of_service(&self, service: &Value) -> Client {
        match service["service"].as_str().unwrap() {
            "cam" => self.client.cam(),
            "sts" => self.client.sts(),
            other => panic!("{other}"),
        }
    }

    pub async fn call(&self, house: &TestHouse, name: &str, parameters: Value) -> Value {
        let (service, action) = find(name);
        let answer = self.of_service(service).call(house, name, parameters).await;
        check(service, action, &answer);
        answer
    }

    /// A call that must work.
    pub async fn done(&self, house: &TestHouse, name: &str, parameters: Value) -> Value {
        let answer = self.call(house, name, parameters).await;
        assert_eq!(answer.get("Error"), None, "{name}: {answer}");
        answer
    }

    /// A call that must be refused with this code; says the text.
    pub async fn refused(
        &self,
        house: &TestHouse,
        code: &str,
        name: &str,
        parameters: Value,
    ) -> String {
        let answer = self.call(house, name, parameters.clone()).await;
        let error = answer.get("Error").unwrap_or_else(|| panic!("{name} {parameters}: {answer}"));
        assert_eq!(error["Code"], code, "{name} {parameters}: {error}");
        error["Message"].as_str().unwrap().to_owned()
    }

    /// Whether the caller's policies let it; any other refusal counts as yes.
    pub async fn may(&self, house: &TestHouse, name: &str, parameters: Value) -> bool {
        let answer = self.call(house, name, parameters).await;
        answer.get("Error").is_none_or(|error| error["Code"] != "UnauthorizedOperation")
    }

    /// The same with temporary credentials that an answer of STS has.
    pub fn with_credentials(&self, answer: &Value) -> Self {
        let word = |name: &str| answer["Credentials"][name].as_str().unwrap();
        let client =
            self.client.with_keys(word("TmpSecretId"), word("TmpSecretKey"), Some(word("Token")));
        Self { client }
    }

    /// The same with a new access key.
    pub fn with_key(&self, id: &Value, key: &Value) -> Self {
        let client = self.client.with_keys(id.as_str().unwrap(), key.as_str().unwrap(), None);
        Self { client }
    }
}

/// An answer is what the reference says: on success every field with its type and no other, on a
/// refusal a code of the service or one that all services have.
pub fn check(service: &Value, action: &Value, answer: &Value) {
    let name = action["name"].as_str().unwrap();
    let Some(error) = answer.get("Error") else {
        let fields = action["response"].as_array().unwrap();
        return check_object(service, fields, answer.as_object().unwrap(), name);
    };
    let code = error["Code"].as_str().unwrap();
    let named = |list: &Value| list.as_array().unwrap().iter().any(|it| it == code);
    let common = CommonCode::ALL.iter().any(|it| it.as_str() == code);
    assert!(
        common || named(&action["errors"]) || named(&service["errorcodes"]),
        "{name}: {code} is no code of the reference"
    );
    let message = error["Message"].as_str().unwrap();
    assert!(message.ends_with('.') && message.len() > 10, "{name}: {message}");
}

fn check_object(service: &Value, fields: &[Value], found: &Map<String, Value>, path: &str) {
    for name in found.keys() {
        assert!(fields.iter().any(|field| field["name"] == **name), "{path}.{name} is not known");
    }
    for field in fields {
        let path = format!("{path}.{}", field["name"].as_str().unwrap());
        let value = found.get(field["name"].as_str().unwrap());
        let value = value.unwrap_or_else(|| panic!("{path} is missing"));
        check_value(service, field, value, &path);
    }
}

fn check_value(service: &Value, field: &Value, value: &Value, path: &str) {
    let holds = match field["type"].as_str().unwrap() {
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        // An empty one is a moment that nobody knows: of a preset policy.
        "datetime" => value.as_str().is_some_and(|text| {
            text.is_empty() || (text.len() == 19 && text.as_bytes()[10] == b' ')
        }),
        "int64" => value.is_i64(),
        "uint64" => value.is_u64(),
        "object" => {
            let fields = service["types"][field["ref"].as_str().unwrap()].as_array().unwrap();
            check_object(service, fields, value.as_object().unwrap(), path);
            true
        }
        "list" => {
            let item = field["item"].as_str().unwrap();
            for (place, value) in value.as_array().unwrap().iter().enumerate() {
                let path = format!("{path}[{place}]");
                let one = match service["types"].get(item) {
                    Some(_) => json!({ "type": "object", "ref": item }),
                    None => json!({ "type": item }),
                };
                check_value(service, &one, value, &path);
            }
            true
        }
        other => panic!("{path}: {other}"),
    };
    assert!(holds, "{path} is not a {}: {value}", field["type"]);
}
