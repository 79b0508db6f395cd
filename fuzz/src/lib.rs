//! The engines of SCIM and SAML alone, and what their fuzz targets share.

#[path = "../../src/saml/mod.rs"]
pub mod saml;
#[path = "../../src/scim/mod.rs"]
pub mod scim;
/// What makes messages for the tests makes them for the fuzzer.
#[path = "../../src/saml/tests/shared/mod.rs"]
pub mod shared;

pub mod service_provider;

use std::sync::{Arc, OnceLock};

use scim::schema::{ResourceTypes, registered};
use serde_json::{Map, Value, json};

/// The URN of the registered schema of [`types`].
pub const ACME: &str = "urn:example:acme:2.0:User";

/// The types of a space that has registered a schema with every kind of attribute.
pub fn types() -> &'static ResourceTypes {
    static TYPES: OnceLock<ResourceTypes> = OnceLock::new();
    TYPES.get_or_init(|| {
        let schema = json!({ "id": ACME, "attributes": [
            { "name": "badge", "uniqueness": "server", "mutability": "immutable" },
            { "name": "floor", "type": "integer" },
            { "name": "ratio", "type": "decimal", "multiValued": true },
            { "name": "since", "type": "dateTime" },
            { "name": "tags", "multiValued": true, "caseExact": true },
            { "name": "hint", "returned": "request" },
            { "name": "cars", "type": "complex", "multiValued": true, "subAttributes": [
                { "name": "value", "required": true },
                { "name": "type" },
                { "name": "primary", "type": "boolean" },
                { "name": "doors", "type": "integer" }] },
        ] });
        let Value::Object(schema) = schema else { unreachable!("an object") };
        let schema = registered::read(&schema).expect("a schema that is valid");
        ResourceTypes::with_extensions(vec![Arc::new(schema)], Vec::new())
    })
}

/// A user that has a value of most kinds.
pub fn user() -> Map<String, Value> {
    let user = json!({
        "userName": "Alice@Example.com", "externalId": "e1", "active": true, "title": "",
        "name": { "givenName": "Alice", "familyName": "Li" },
        "emails": [
            { "value": "a@work.example", "type": "work", "primary": true },
            { "value": "a@home.example", "type": "home" },
        ],
        "roles": [{ "value": "admin", "primary": true }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
            { "department": "D", "manager": { "value": "u-1" } },
        ACME: { "badge": "7", "floor": -3, "ratio": [1.5, 2], "tags": ["x", "Y"],
            "since": "2026-01-01T00:00:00Z", "cars": [{ "value": "v", "doors": 4 }] },
    });
    let Value::Object(user) = user else { unreachable!("an object") };
    user
}
