use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::scim::json::parse_object;
use crate::scim::patch::Patch;
use crate::scim::schema::{GROUP_TYPE, USER_TYPE};
use crate::scim::schema::{ResourceTypes, registered};

fn user(body: &str) -> Result<Incoming, Error> {
    read(&USER_TYPE, &parse_object(body.as_bytes()).unwrap())
}

fn refused(body: &str) -> String {
    user(body).unwrap_err().detail
}

#[test]
fn an_entra_user_keeps_what_is_ours_to_keep() {
    let read = user(
        r#"{"schemas":["x"],"externalId":"bob","USERNAME":"Bob@Contoso.com","active":"True",
            "id":"mine","meta":{"resourceType":"User"},"roles":[],"nickName":null,"title":"",
            "emails":{"primary":"TRUE","type":"work","value":"B@x","custom":1},
            "groups":[{"value":"g"}],"password":"secret","unknown":{"a":1},
            "urn:custom:User":{"a":1},
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                {"employeeNumber":"1","manager":"u-1"}}"#,
    )
    .unwrap();
    assert_eq!(
        Value::Object(read.attributes),
        json!({
            "externalId": "bob", "userName": "Bob@Contoso.com", "active": true, "title": "",
            "emails": [{ "primary": true, "type": "work", "value": "B@x" }],
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":
                { "employeeNumber": "1", "manager": { "value": "u-1" } },
        })
    );
    assert_eq!(read.members, None);
}

#[test]
fn an_absent_active_is_true() {
    assert_eq!(user(r#"{"userName":"a"}"#).unwrap().attributes["active"], true);
    assert_eq!(user(r#"{"userName":"a","active":null}"#).unwrap().attributes["active"], true);
    assert_eq!(user(r#"{"userName":"a","active":"FALSE"}"#).unwrap().attributes["active"], false);
}

#[test]
fn what_is_refused_says_where() {
    assert_eq!(refused("{}"), "userName is required");
    assert_eq!(refused(r#"{"userName":null}"#), "userName is required");
    assert!(refused(r#"{"userName":" "}"#).contains("empty"));
    assert!(refused(r#"{"userName":"a\nb"}"#).contains("control"));
    assert!(refused(r#"{"userName":"a\u202eb"}"#).contains("bidirectional"));
    assert!(refused(r#"{"userName":1}"#).contains("userName must be a string"));
    assert!(refused(r#"{"userName":"a","username":"b"}"#).contains("twice"));
    assert!(refused(r#"{"userName":"a","active":1}"#).contains("active must be"));
    assert!(refused(r#"{"userName":"a","name":"x"}"#).contains("name must be an object"));
    assert!(refused(r#"{"userName":"a","password":1}"#).contains("password must be"));
    assert!(
        refused(r#"{"userName":"a","emails":[{"value":"x"},{"value":7}]}"#)
            .contains("emails[1].value must be a string")
    );
    assert!(
        refused(r#"{"userName":"a","emails":[{"value":"x","primary":true},{"primary":true}]}"#)
            .contains("primary")
    );
    assert!(refused(r#"{"userName":"a","x509Certificates":[{"value":"é"}]}"#).contains("base64"));
}

#[test]
fn names_at_their_limits() {
    let sized = |name: &str, extra: usize| {
        user(&format!(r#"{{"userName":"{name}","externalId":"{}"}}"#, "x".repeat(extra)))
    };
    assert!(sized(&"漢".repeat(256), 512).is_ok());
    assert!(sized(&"漢".repeat(257), 512).is_err());
    assert!(sized("a", 513).is_err());
    let emails = vec![r#"{"value":"x"}"#; MAX_VALUES + 1].join(",");
    assert!(refused(&format!(r#"{{"userName":"a","emails":[{emails}]}}"#)).contains("values"));
}

#[test]
fn members_are_ids_each_once() {
    let members = |members: &str| {
        let body = format!(r#"{{"displayName":"G","members":{members}}}"#);
        read(&GROUP_TYPE, &parse_object(body.as_bytes()).unwrap()).map(|read| read.members)
    };
    let ids = |ids: &[&str]| Some(ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>());
    assert_eq!(members("null").unwrap(), None);
    assert_eq!(members("[]").unwrap(), ids(&[]));
    assert_eq!(
        members(r#"[{"Value":"a","$ref":null,"display":"A"},"b",{"value":"a"}]"#).unwrap(),
        ids(&["a", "b"])
    );
    assert_eq!(members(r#"{"value":"a"}"#).unwrap(), ids(&["a"]));
    for bad in ["[{}]", "[1]", r#"[{"value":""}]"#, r#"[{"value":null}]"#] {
        assert!(members(bad).unwrap_err().detail.contains("members[0].value"), "{bad}");
    }
}

/// A space whose users have a badge that is required, unique and immutable, and a car.
fn registered() -> ResourceTypes {
    let schema = json!({ "id": "urn:acme:User", "attributes": [
        { "name": "badge", "required": true, "uniqueness": "server", "mutability": "immutable" },
        { "name": "since", "type": "dateTime" },
        { "name": "pin", "mutability": "writeOnly", "returned": "never" },
        { "name": "tags", "multiValued": true },
        { "name": "car", "type": "complex", "subAttributes": [
            { "name": "plate", "required": true }, { "name": "vin", "mutability": "immutable" }] },
    ] });
    let schema = registered::read(schema.as_object().unwrap()).unwrap();
    ResourceTypes::with_extensions(vec![Arc::new(schema)], Vec::new())
}

#[test]
fn an_extension_that_is_there_has_what_it_requires() {
    let types = registered();
    let read = |values: &str| {
        let body = format!(r#"{{"userName":"a","urn:ACME:user":{values}}}"#);
        read(&types.user, &parse_object(body.as_bytes()).unwrap()).map(|read| read.attributes)
    };
    assert!(read("{}").is_ok() && read("null").is_ok() && read(r#"{"badge":"1"}"#).is_ok());
    let kept = read(r#"{"badge":"1","pin":"secret","tags":["a",null,"b"]}"#).unwrap();
    assert_eq!(kept["urn:acme:User"], json!({ "badge": "1", "tags": ["a", "b"] }));
    assert_eq!(
        read(r#"{"badge":"1","since":""}"#).unwrap()["urn:acme:User"],
        json!({ "badge": "1" })
    );
    assert!(read(r#"{"badge":"1","since":"2026-01-01T00:00:00"}"#).is_ok());
    let long = format!(r#"{{"badge":"{}"}}"#, "x".repeat(513));
    for (values, detail) in [
        (r#"{"since":"2026-01-01T00:00:00Z"}"#, "urn:acme:User:badge is required"),
        (r#"{"badge":"1","since":"yesterday"}"#, "urn:acme:User.since must be a time"),
        (r#"{"badge":"1","car":{"vin":"v"}}"#, "urn:acme:User:car.plate is required"),
        (r#"{"badge":"1","pin":1}"#, "urn:acme:User.pin must be a string"),
        (long.as_str(), "urn:acme:User:badge is unique and so at most 512 bytes"),
    ] {
        let refused = read(values).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::InvalidValue);
        assert!(refused.detail.starts_with(detail), "{}", refused.detail);
    }
}

#[test]
fn what_is_immutable_stays() {
    let types = registered();
    let old = json!({ "userName": "a", "urn:acme:User":
        { "badge": "1", "car": { "plate": "p", "vin": "v" } } });
    let old = old.as_object().unwrap();
    let put = |new: Value| {
        let mut new = new.as_object().unwrap().clone();
        settle(&types.user, old, &mut new, Omission::Silence).map(|()| Value::Object(new))
    };
    // Nothing was said about it.
    let said = json!({ "userName": "b", "urn:acme:User": { "car": { "plate": "q" } } });
    assert_eq!(
        put(said).unwrap()["urn:acme:User"],
        json!({ "car": { "plate": "q", "vin": "v" }, "badge": "1" })
    );
    for (new, place) in [
        (json!({ "badge": "2" }), "urn:acme:User:badge is immutable"),
        (json!({ "badge": "1", "car": { "plate": "p", "vin": "w" } }), "car.vin is immutable"),
    ] {
        let refused = put(json!({ "userName": "b", "urn:acme:User": new })).unwrap_err();
        assert_eq!(refused.kind, ErrorKind::Mutability);
        assert!(refused.detail.contains(place), "{}", refused.detail);
    }
}

#[test]
fn patches_follow_the_same_rules() {
    let types = registered();
    let old = json!({ "userName": "a", "urn:acme:User": { "badge": "1", "tags": ["x", "y"] } });
    let patch = |operations: Value| {
        let body = Map::from_iter([("Operations".to_owned(), operations)]);
        Patch::parse(body)
            .and_then(|patch| {
                patch
                    .apply(&types.user, old.as_object().unwrap())
                    .map(|patched| Value::Object(patched.attributes))
            })
            .map_err(|error| (error.kind, error.detail))
    };
    let tags = |operations: Value| patch(operations).unwrap()["urn:acme:User"]["tags"].clone();
    let path = "urn:acme:User:tags";
    let remove = json!([{ "op": "remove", "path": "tags[value eq \"x\"]" }]);
    assert_eq!(tags(remove), json!(["y"]));
    assert_eq!(tags(json!([{ "op": "remove", "path": path, "value": ["y"] }])), json!(["x"]));
    assert_eq!(tags(json!([{ "op": "add", "path": path, "value": "z" }])), json!(["x", "y", "z"]));
    assert_eq!(tags(json!([{ "op": "add", "path": path, "value": ["x"] }])), json!(["x", "y"]));
    for operation in [
        json!({ "op": "replace", "path": "badge", "value": "2" }),
        json!({ "op": "remove", "path": "urn:acme:User:badge" }),
        json!({ "op": "remove", "path": "urn:acme:User" }),
        json!({ "op": "replace", "value": { "urn:acme:User": { "badge": "2" } } }),
    ] {
        let (kind, detail) = patch(json!([operation])).unwrap_err();
        assert_eq!(kind, ErrorKind::Mutability, "{operation}");
        let told = ["urn:acme:User:badge is immutable", "is required and cannot be removed"];
        assert!(told.iter().any(|told| detail.contains(told)), "{detail}");
    }
    assert!(patch(json!([{ "op": "replace", "path": "badge", "value": "1" }])).is_ok());
    // What is required may come with a later operation.
    let bare = json!({ "userName": "a" });
    let operations = json!([
        { "op": "add", "path": "urn:acme:User:tags", "value": ["t"] },
        { "op": "add", "path": "urn:acme:User:badge", "value": "7" },
    ]);
    let body = Map::from_iter([("Operations".to_owned(), operations)]);
    let patched = Patch::parse(body).unwrap();
    assert!(patched.apply(&types.user, bare.as_object().unwrap()).is_ok());
}
