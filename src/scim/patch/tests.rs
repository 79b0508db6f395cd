use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::scim::schema::{GROUP_TYPE, USER_TYPE};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("an object") };
    object
}

fn user() -> Value {
    json!({
        "userName": "alice", "externalId": "e1", "active": true,
        "name": { "givenName": "Alice", "familyName": "Li" },
        "emails": [
            { "value": "a@work.example", "type": "work", "primary": true },
            { "value": "a@home.example", "type": "home" },
        ],
        ENTERPRISE: { "department": "D", "manager": { "value": "u-1" } },
    })
}

fn run(
    kind: &'static ResourceType,
    document: Value,
    operations: Value,
) -> Result<(Value, bool), Error> {
    let body = Map::from_iter([("Operations".to_owned(), operations)]);
    let patch = Patch::parse(body)?;
    let patched = patch.apply(kind, &object(document))?;
    Ok((Value::Object(patched.attributes), patched.changed))
}

/// What the user is after one operation, compared where the test says.
fn after(operations: Value) -> Value {
    run(&USER_TYPE, user(), operations).unwrap().0
}

fn refused(operations: Value) -> (ErrorKind, String) {
    let error = run(&USER_TYPE, user(), operations).unwrap_err();
    (error.kind, error.detail)
}

#[test]
fn entra_legacy_words_and_booleans() {
    let changed = after(json!([
        { "op": "Replace", "path": "active", "value": "False", "name": "ignored" },
        { "op": "Add", "path": "manager", "value": "u-2" },
        { "op": "ADD", "path": "Emails[Type eq \"other\"].Value", "value": "o@x" },
        { "op": "Add", "path": "emails[type eq \"other\"].display", "value": "O" },
        { "op": "Add", "path": format!("{ENTERPRISE}:employeeNumber"), "value": "7" },
    ]));
    assert_eq!(changed["active"], false);
    assert_eq!(changed[ENTERPRISE]["manager"], json!({ "value": "u-2" }));
    assert_eq!(changed[ENTERPRISE]["employeeNumber"], "7");
    assert_eq!(changed["emails"][2], json!({ "type": "other", "value": "o@x", "display": "O" }));
}

#[test]
fn entra_new_dialect_dotted_urn_and_bracketed_names() {
    let changed = after(json!([{ "op": "replace", "value": {
        "displayName": "X", "name.givenName": "Y", "emails[type eq \"work\"].value": "z",
        "addresses[type eq \"work\"].locality": "Shenzhen",
        (format!("{ENTERPRISE}:department")): "E", "nobody.knows": 1, "id": "mine",
        "urn:unknown:User:x": "y", "schemas": [], "meta": {}, "groups": [],
    } }]));
    assert_eq!(changed["displayName"], "X");
    assert_eq!(changed["name"], json!({ "givenName": "Y", "familyName": "Li" }));
    assert_eq!(changed["emails"][0]["value"], "z");
    assert_eq!(changed["addresses"], json!([{ "type": "work", "locality": "Shenzhen" }]));
    assert_eq!(changed[ENTERPRISE]["department"], "E");
    for name in ["id", "schemas", "meta", "groups"] {
        assert!(changed.get(name).is_none(), "{name}");
    }
}

#[test]
fn clearing_by_null_empty_list_and_empty_manager() {
    let changed = after(json!([
        { "op": "replace", "value": { "externalId": null, "emails": [] } },
        { "op": "replace", "path": "manager", "value": "" },
        { "op": "replace", "path": "name", "value": { "givenName": null } },
        { "op": "remove", "path": format!("{ENTERPRISE}:department") },
    ]));
    for name in ["externalId", "emails", ENTERPRISE] {
        assert!(changed.get(name).is_none(), "{name}");
    }
    assert_eq!(changed["name"], json!({ "familyName": "Li" }));
}

#[test]
fn a_new_primary_takes_the_place_of_the_old() {
    let changed = after(json!([
        { "op": "add", "path": "emails", "value": [{ "value": "n", "type": "other", "primary": true }] },
    ]));
    assert_eq!(changed["emails"][0]["primary"], false);
    assert_eq!(changed["emails"][2]["primary"], true);
    let changed = after(json!([
        { "op": "replace", "path": "emails[type eq \"home\"].primary", "value": "true" },
    ]));
    assert_eq!(changed["emails"][0]["primary"], false);
    assert_eq!(changed["emails"][1]["primary"], true);
    let (kind, _) = refused(json!([{ "op": "add", "path": "emails", "value": [
        { "value": "n", "primary": true }, { "value": "m", "primary": true },
    ] }]));
    assert_eq!(kind, ErrorKind::InvalidValue);
}

#[test]
fn what_is_there_is_not_added_twice() {
    let same = json!([
        { "op": "add", "path": "emails",
          "value": [{ "type": "home", "value": "a@home.example" }] },
        { "op": "replace", "path": "userName", "value": "alice" },
        { "op": "add", "value": { "name": { "givenName": "Alice" } } },
        { "op": "remove", "path": "emails[type eq \"other\"]" },
        { "op": "remove", "path": "nickName" },
    ]);
    let (document, changed) = run(&USER_TYPE, user(), same).unwrap();
    assert!(!changed);
    assert_eq!(document, user());
    let changed = after(json!([
        { "op": "add", "path": "emails",
          "value": { "type": "home", "value": "a@home.example", "display": "Home" } },
    ]));
    assert_eq!(changed["emails"].as_array().unwrap().len(), 2);
    assert_eq!(changed["emails"][1]["display"], "Home");
}

#[test]
fn removing_by_filter_by_list_and_by_part() {
    let changed = after(json!([{ "op": "remove", "path": "emails[type eq \"work\"]" }]));
    assert_eq!(changed["emails"], json!([{ "value": "a@home.example", "type": "home" }]));
    let changed = after(
        json!([{ "op": "remove", "path": "emails", "value": [{ "value": "a@home.example" }] }]),
    );
    assert_eq!(changed["emails"].as_array().unwrap().len(), 1);
    let changed = after(json!([{ "op": "remove", "path": "emails[type eq \"work\"].primary" }]));
    assert!(changed["emails"][0].get("primary").is_none());
    let changed = after(json!([{ "op": "remove", "path": "emails" }]));
    assert!(changed.get("emails").is_none());
    let changed = after(json!([
        { "op": "remove", "path": "name.givenName" }, { "op": "remove", "path": "name.familyName" },
    ]));
    assert!(changed.get("name").is_none());
}

#[test]
fn replacing_selected_values_keeps_what_selects_them() {
    let changed = after(json!([
        { "op": "replace", "path": "emails[type eq \"work\"]", "value": { "value": "new" } },
    ]));
    assert_eq!(changed["emails"][0], json!({ "type": "work", "value": "new" }));
}

#[test]
fn active_can_be_removed() {
    let operations = json!([
        { "op": "replace", "path": "active", "value": false }, { "op": "remove", "path": "active" },
    ]);
    assert!(after(operations).get("active").is_none());
}

#[test]
fn refusals_name_the_operation() {
    let fine = json!({ "op": "replace", "path": "active", "value": false });
    for (operation, kind) in [
        (json!({ "op": "remove" }), ErrorKind::NoTarget),
        (json!({ "op": "remove", "path": "userName" }), ErrorKind::Mutability),
        (json!({ "op": "replace", "path": "userName", "value": null }), ErrorKind::Mutability),
        (json!({ "op": "replace", "path": "userName", "value": "" }), ErrorKind::InvalidValue),
        (json!({ "op": "replace", "path": "id", "value": "x" }), ErrorKind::Mutability),
        (json!({ "op": "add", "path": "groups", "value": [] }), ErrorKind::Mutability),
        (json!({ "op": "add", "path": "meta.created", "value": "x" }), ErrorKind::Mutability),
        (json!({ "op": "add", "path": "colour", "value": "x" }), ErrorKind::InvalidPath),
        (json!({ "op": "add", "path": "urn:x:y:z", "value": "x" }), ErrorKind::InvalidPath),
        (json!({ "op": "add", "path": "emails[", "value": "x" }), ErrorKind::InvalidPath),
        (
            json!({ "op": "add", "path": "emails[colour eq \"x\"].value", "value": "x" }),
            ErrorKind::InvalidPath,
        ),
        (json!({ "op": "add", "path": "name[a eq \"b\"]", "value": {} }), ErrorKind::InvalidPath),
        (
            json!({ "op": "replace", "path": "emails[value co \"zz\"].value", "value": "x" }),
            ErrorKind::NoTarget,
        ),
        (
            json!({ "op": "replace", "path": "emails[type eq \"zz\"]", "value": { "value": "x" } }),
            ErrorKind::NoTarget,
        ),
        (
            json!({ "op": "add", "path": "emails[value co \"zz\"].value", "value": "x" }),
            ErrorKind::NoTarget,
        ),
        (json!({ "op": "replace", "path": "active", "value": "maybe" }), ErrorKind::InvalidValue),
        (json!({ "op": "replace", "path": "active" }), ErrorKind::InvalidValue),
        (json!({ "op": "replace", "value": "x" }), ErrorKind::InvalidValue),
        (json!({ "op": "move", "path": "active" }), ErrorKind::InvalidSyntax),
        (json!({ "op": "add", "path": 1, "value": "x" }), ErrorKind::InvalidPath),
        (json!("add"), ErrorKind::InvalidSyntax),
    ] {
        let (found, detail) = refused(json!([fine, operation]));
        assert_eq!(found, kind, "{operation}: {detail}");
        assert!(detail.starts_with("Operations[1]: "), "{operation}: {detail}");
    }
    for body in [json!({}), json!({ "Operations": [] }), json!({ "Operations": 1 })] {
        assert_eq!(Patch::parse(object(body)).unwrap_err().kind, ErrorKind::InvalidSyntax);
    }
}

#[test]
fn a_password_is_forgotten() {
    let operations = json!([{ "op": "replace", "value": { "password": "secret" } }]);
    let (document, changed) = run(&USER_TYPE, user(), operations).unwrap();
    assert!(!changed && document.get("password").is_none());
}

fn members(operations: &Value) -> Result<Vec<String>, Error> {
    let patch = Patch::parse(object(json!({ "operations": operations })))?;
    let patched = patch.apply(&GROUP_TYPE, &object(json!({ "displayName": "G" })))?;
    Ok(patched.members.iter().map(|change| format!("{change:?}")).collect())
}

#[test]
fn members_come_out_as_changes_to_a_set() {
    for (operation, expected) in [
        (
            json!({ "op": "Add", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
            "Add([\"a\"])",
        ),
        (
            json!({ "op": "add", "value": { "members": [{ "value": "a" }, { "value": "a" }] } }),
            "Add([\"a\"])",
        ),
        (
            json!({ "op": "Remove", "path": "members", "value": [{ "$ref": null, "value": "a" }] }),
            "Remove([\"a\"])",
        ),
        (json!({ "op": "remove", "path": "members[value eq \"a\"]" }), "Remove([\"a\"])"),
        (
            json!({ "op": "remove", "path": "members[value eq \"a\" or value eq \"b\"]" }),
            "Remove([\"a\", \"b\"])",
        ),
        (json!({ "op": "remove", "path": "members" }), "Replace([])"),
        (json!({ "op": "remove", "path": "members", "value": null }), "Replace([])"),
        (json!({ "op": "remove", "path": "members", "value": [] }), "Remove([])"),
        (
            json!({ "op": "replace", "path": "members", "value": [{ "value": "b" }] }),
            "Replace([\"b\"])",
        ),
        (
            json!({ "op": "replace", "value": { "members": [], "id": "g", "displayName": "H" } }),
            "Replace([])",
        ),
        (json!({ "op": "replace", "path": "members", "value": null }), "Replace([])"),
    ] {
        assert_eq!(members(&json!([operation])).unwrap(), [expected], "{operation}");
    }
    let changes =
        members(&json!([{ "op": "remove", "path": "members[value sw \"u-\"]" }])).unwrap();
    assert!(changes[0].starts_with("RemoveMatching"));
    // Okta renames without naming members: they stay.
    let rename = json!([{ "op": "replace", "value": { "id": "g-1", "displayName": "New" } }]);
    assert!(members(&rename).unwrap().is_empty());
    for operation in [
        json!({ "op": "replace", "path": "members.value", "value": "x" }),
        json!({ "op": "replace", "path": "members[value eq \"a\"].value", "value": "x" }),
        json!({ "op": "add", "path": "members[value eq \"a\"]", "value": {} }),
    ] {
        let error = members(&json!([operation])).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Mutability, "{operation}");
    }
}

#[test]
fn member_filters_see_value_and_type() {
    let filter = Filter::parse(r#"value sw "u-" and type eq "user""#).unwrap();
    assert!(member_matches(&filter, &json!({ "value": "u-1", "type": "User" })));
    assert!(!member_matches(&filter, &json!({ "value": "x", "type": "User" })));
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        "[a-z\"\\[\\]. ]{0,6}".prop_map(Value::from),
        Just(json!("true")),
        any::<i32>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let names = prop_oneof![
            Just("value"),
            Just("type"),
            Just("primary"),
            Just("givenName"),
            Just("emails"),
            Just("displayName"),
            Just("active"),
            Just("manager"),
            Just("name.familyName"),
            Just("emails[type eq \"work\"].value"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..3).prop_map(|map| {
                Value::Object(
                    map.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
                )
            }),
        ]
    })
}

fn operation() -> impl Strategy<Value = Value> {
    let op = prop_oneof![Just("add"), Just("Replace"), Just("REMOVE")];
    let path = prop_oneof![
        Just(None),
        prop::sample::select(vec![
            "emails",
            "emails.value",
            "emails[type eq \"work\"]",
            "emails[type eq \"work\"].value",
            "emails[primary eq true].type",
            "name",
            "name.givenName",
            "active",
            "manager",
            "manager.value",
            "userName",
            "externalId",
            "roles",
            "addresses[type eq \"x\"].region",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ])
        .prop_map(Some),
    ];
    (op, path, json_value()).prop_map(|(op, path, value)| match path {
        None => json!({ "op": op, "value": value }),
        Some(path) => json!({ "op": op, "path": path, "value": value }),
    })
}

proptest! {
    /// A single operation does nothing when it is repeated, and every outcome is a document that
    /// validation leaves alone.
    #[test]
    fn operations_are_idempotent_and_leave_valid_documents(operation in operation()) {
        if let Ok((once, _)) = run(&USER_TYPE, user(), json!([operation])) {
            // A filter that selected by what it replaced may find nothing the second time.
            if let Ok((twice, changed)) = run(&USER_TYPE, once.clone(), json!([operation])) {
                prop_assert_eq!(&twice, &once);
                prop_assert!(!changed);
            }
            let read = document::read(&USER_TYPE, once.as_object().unwrap()).unwrap();
            let mut complete = object(once);
            document::complete(&USER_TYPE, &mut complete);
            prop_assert_eq!(read.attributes, complete);
        }
    }

    #[test]
    fn paths_and_filters_never_panic(text in "\\PC{0,40}", noise in "[a-z \"\\\\\\[\\]().:$]{0,40}") {
        for text in [&text, &noise] {
            let _ = Path::parse(text);
            if let Ok(filter) = Filter::parse(text) {
                let _ = evaluate::check(&filter, &USER_TYPE);
                let _ = evaluate::matches(&filter, &USER_TYPE, &object(user()));
            }
        }
    }
}
