use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const BASE: &str = "http://x/scim/v2";

#[expect(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn start(operations: Value) -> Run {
    let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations });
    run_of(body).unwrap()
}

/// Ids are u-1, u-2 … and g-1, g-2 … in the order of the request.
fn run_of(body: Value) -> Result<Run, Error> {
    let Value::Object(body) = body else { panic!("an object") };
    let (mut users, mut groups) = (0, 0);
    Ok(Bulk::parse(body, 10_000)?.start(|endpoint| match endpoint {
        Endpoint::Users => {
            users += 1;
            format!("u-{users}")
        }
        Endpoint::Groups => {
            groups += 1;
            format!("g-{groups}")
        }
    }))
}

#[expect(clippy::needless_pass_by_value, reason = "reads well at the call")]
fn user(bulk_id: &str, data: Value) -> Value {
    json!({ "method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data })
}

fn succeed(run: &mut Run, unit: &Unit) {
    let done = unit.steps.iter().map(|step| match step.method {
        Method::Post => Done { status: 201, version: Some(1) },
        Method::Put | Method::Patch => Done { status: 200, version: Some(2) },
        Method::Delete => Done { status: 204, version: None },
    });
    run.record(unit, Ok(done.collect()));
}

/// Does everything; the operations in the order they were done, a list for each unit.
fn drive(run: &mut Run) -> Vec<Vec<usize>> {
    let mut order = Vec::new();
    while let Some(unit) = run.next_unit() {
        order.push(unit.steps.iter().map(|step| step.index).collect());
        succeed(run, &unit);
    }
    order
}

fn statuses(run: &Run) -> Vec<(usize, String)> {
    run.results(BASE)
        .map(|(index, result)| (index, result["status"].as_str().unwrap().to_owned()))
        .collect()
}

/// The first example of RFC 7644 §3.7.3, in its four methods.
#[test]
fn the_example_of_the_rfc() {
    let mut run = start(json!([
        user("qwerty", json!({ "userName": "Alice" })),
        { "method": "put", "path": "/Users/b7", "version": "W/\"3\"", "data": { "userName": "Bob" } },
        { "method": "PATCH", "path": "/Users/5d", "data": { "Operations": [
            { "op": "remove", "path": "nickName" }] } },
        { "method": "DELETE", "path": "/Users/e9", "version": "W/\"1\"" },
    ]));
    let mut unit = run.next_unit().unwrap();
    assert_eq!(unit.steps[0].id, "u-1");
    assert_eq!(unit.steps[0].data["userName"], "Alice");
    succeed(&mut run, &unit);
    unit = run.next_unit().unwrap();
    let step = &unit.steps[0];
    assert_eq!((step.method, step.id.as_str()), (Method::Put, "b7"));
    assert_eq!(step.version.as_deref(), Some("W/\"3\""));
    succeed(&mut run, &unit);
    assert_eq!(drive(&mut run), [[2], [3]]);
    assert_eq!(
        run.response(BASE),
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
            "Operations": [
                { "location": format!("{BASE}/Users/u-1"), "method": "POST", "bulkId": "qwerty",
                  "version": "W/\"1\"", "status": "201" },
                { "location": format!("{BASE}/Users/b7"), "method": "PUT", "version": "W/\"2\"",
                  "status": "200" },
                { "location": format!("{BASE}/Users/5d"), "method": "PATCH", "version": "W/\"2\"",
                  "status": "200" },
                { "location": format!("{BASE}/Users/e9"), "method": "DELETE", "status": "204" },
            ],
        })
    );
}

#[test]
fn references_become_ids_wherever_they_stand() {
    let mut run = start(json!([
        { "method": "POST", "path": "/Groups", "bulkId": "g", "data": { "displayName": "G",
            "members": [{ "type": "User", "value": "bulkId:a b\"c" }, { "value": "u-old" }] } },
        user("a b\"c", json!({ "userName": "a", "title": "not bulkId:x", "nickName": "bulkId" })),
        { "method": "PATCH", "path": "/Groups/bulkId:g", "data": { "Operations": [
            { "op": "remove", "path": "members[value eq \"bulkId:a b\\\"c\" or value eq \"z\"]" },
            { "op": "add", "path": "members", "value": [{ "value": "bulkId:a b\"c" }] },
        ] } },
        { "method": "DELETE", "path": "/Users/bulkId:a%20b%22c" },
    ]));
    let mut steps = Vec::new();
    while let Some(mut unit) = run.next_unit() {
        succeed(&mut run, &unit);
        steps.append(&mut unit.steps);
    }
    let order: Vec<usize> = steps.iter().map(|step| step.index).collect();
    assert_eq!(order, [1, 0, 2, 3]);
    assert_eq!(steps[0].data["title"], "not bulkId:x");
    assert_eq!(steps[1].data["members"][0]["value"], "u-1");
    assert_eq!(steps[1].data["members"][1]["value"], "u-old");
    let patch = &steps[2].data["Operations"];
    assert_eq!(steps[2].id, "g-1");
    assert_eq!(patch[0]["path"], r#"members[value eq "u-1" or value eq "z"]"#);
    assert_eq!(patch[1]["value"][0]["value"], "u-1");
    assert_eq!((steps[3].method, steps[3].id.as_str()), (Method::Delete, "u-1"));
}

#[test]
fn a_circle_is_one_unit_and_users_come_first_in_it() {
    let circle = json!([
        { "method": "POST", "path": "/Groups", "bulkId": "g",
          "data": { "displayName": "G", "members": [{ "value": "bulkId:b" }] } },
        user("a", json!({ "manager": "bulkId:b" })),
        user("b", json!({ "manager": { "value": "bulkId:a" }, "x": "bulkId:g" })),
        user("c", json!({ "manager": "bulkId:c" })),
        user("d", json!({ "manager": "bulkId:a" })),
    ]);
    let mut run = start(circle.clone());
    assert_eq!(drive(&mut run), [vec![1, 2, 0], vec![3], vec![4]]);
    // It fails as one, and what refers to it fails, too.
    let mut run = start(circle);
    let unit = run.next_unit().unwrap();
    assert_eq!(unit.steps[0].data["manager"], "u-2");
    let error = Error::new(ErrorKind::Uniqueness, "taken");
    run.record(&unit, Err(Failure { step: 1, error }));
    assert_eq!(drive(&mut run), [[3]]);
    let results: Vec<Value> = run.results(BASE).map(|(_, result)| result).collect();
    let told: Vec<(&str, &str)> = results
        .iter()
        .map(|result| {
            (
                result["status"].as_str().unwrap(),
                result["response"]["detail"].as_str().unwrap_or_default(),
            )
        })
        .collect();
    let together = "It and Operations[2], which failed, refer to each other";
    assert_eq!(
        told,
        [
            ("409", together),
            ("409", together),
            ("409", "taken"),
            ("201", ""),
            ("409", "It refers to bulkId a (Operations[1]), which failed"),
        ]
    );
    assert_eq!(results[2]["response"]["scimType"], "uniqueness");
    assert!(results[2].get("location").is_none());
}

#[test]
fn what_is_wrong_with_an_operation_is_its_own_error() {
    let mut run = start(json!([
        1,
        { "method": "GET", "path": "/Users/x" },
        { "method": "POST", "path": "/Users", "data": {} },
        { "method": "POST", "path": "/Users/x", "bulkId": "a", "data": {} },
        { "method": "DELETE", "path": "/Users" },
        { "method": "PUT", "path": "/Devices/1", "data": {} },
        { "method": "PUT", "path": "/Users/1" },
        { "method": "PUT", "path": "/Users/1", "data": [] },
        { "method": "PUT", "path": "/Users/1", "version": 3, "data": {} },
        user("b", json!({})),
        user("b", json!({})),
        user("", json!({})),
        { "method": "PUT", "path": "/Users/1", "data": { "manager": "bulkId:nobody" } },
        { "method": "delete", "path": "Users/2/" },
        { "path": "/Users", "METHOD": "post", "method": "put" },
    ]));
    assert_eq!(drive(&mut run), [[9], [13]]);
    let results: Vec<Value> = run.results(BASE).map(|(_, result)| result).collect();
    assert_eq!(results.len(), 15);
    let mut refused = Vec::new();
    for result in &results {
        if let Some(body) = result.get("response") {
            assert_eq!(body["status"], result["status"]);
            refused.push(body["detail"].as_str().unwrap());
        }
    }
    for (detail, part) in refused.iter().zip([
        "must be an object",
        "method must be",
        "bulkId is missing",
        "path must be that of a resource type",
        "path must be that of a resource,",
        "there is no endpoint",
        "data is missing",
        "data must be",
        "version must be",
        "bulkId b is already that of Operations[9]",
        "bulkId must be 1 to",
        "No operation of this request has the bulkId nobody",
        "method appears twice",
    ]) {
        assert!(detail.contains(part), "{detail}: {part}");
    }
    assert_eq!(results[1]["method"], "GET");
    assert_eq!(results[10]["bulkId"], "b");
    assert_eq!(results[13]["location"], format!("{BASE}/Users/2"));
}

#[test]
fn what_refers_to_a_refused_operation_says_so() {
    let mut run = start(json!([
        user("a", json!({ "manager": "bulkId:b" })),
        { "method": "POST", "path": "/Users", "bulkId": "b" },
    ]));
    assert!(drive(&mut run).is_empty());
    let results: Vec<Value> = run.results(BASE).map(|(_, result)| result).collect();
    let detail = &results[0]["response"]["detail"];
    assert_eq!(detail, "It refers to bulkId b (Operations[1]), which failed");
    assert_eq!(results[1]["response"]["detail"], "data is missing");
}

#[test]
fn requests_that_cannot_be_taken_apart_are_refused() {
    for (body, kind) in [
        (json!({}), ErrorKind::InvalidSyntax),
        (json!({ "Operations": {} }), ErrorKind::InvalidSyntax),
        (json!({ "Operations": [], "operations": [] }), ErrorKind::InvalidSyntax),
        (json!({ "Operations": [], "failOnErrors": "1" }), ErrorKind::InvalidValue),
        (json!({ "Operations": [], "failOnErrors": -1 }), ErrorKind::InvalidValue),
        (json!({ "Operations": vec![json!({}); 10_001] }), ErrorKind::PayloadTooLarge),
    ] {
        assert_eq!(run_of(body).unwrap_err().kind, kind);
    }
    let mut empty = run_of(json!({ "operations": [], "failOnErrors": null })).unwrap();
    assert!(empty.next_unit().is_none());
    assert_eq!(empty.response(BASE)["Operations"], json!([]));
}

#[test]
fn as_many_errors_as_the_client_accepts_end_the_request() {
    let operations: Vec<Value> = (0..6)
        .map(|index| json!({ "method": "DELETE", "path": format!("/Users/{index}") }))
        .collect();
    for (accepted, tried) in [(0, 2), (1, 2), (2, 4), (3, 6), (9, 6)] {
        let body = json!({ "failOnErrors": accepted, "Operations": operations });
        let mut run = run_of(body).unwrap();
        while let Some(unit) = run.next_unit() {
            if unit.steps[0].index % 2 == 0 {
                succeed(&mut run, &unit);
            } else {
                let error = Error::new(ErrorKind::NotFound, "gone");
                run.record(&unit, Err(Failure { step: 0, error }));
            }
        }
        assert_eq!(run.results(BASE).count(), tried, "{accepted}");
    }
}

#[test]
fn a_long_chain_and_a_long_circle_do_not_overflow() {
    let chain = |last: Option<usize>| -> Vec<Value> {
        (0..10_000)
            .map(|index| {
                let next = if index == 9_999 { last } else { Some(index + 1) };
                let manager = next.map(|next| format!("bulkId:{next}"));
                user(&index.to_string(), json!({ "manager": manager }))
            })
            .collect()
    };
    let mut run = start(chain(None).into());
    let order = drive(&mut run);
    assert_eq!(order.len(), 10_000);
    assert_eq!((&order[0], &order[9_999]), (&vec![9_999], &vec![0]));
    let mut run = start(chain(Some(0)).into());
    assert_eq!(drive(&mut run).len(), 1);
    assert_eq!(statuses(&run).len(), 10_000);
}

proptest! {
    /// Each operation is done once; what it needs is done before it or with it, and nothing is
    /// done with it that does not need it.
    #[test]
    fn every_order_is_possible(needs in proptest::collection::vec(
        proptest::collection::vec(0_usize..12, 0..3), 1..12,
    )) {
        let count = needs.len();
        let needs: Vec<Vec<usize>> = needs
            .into_iter()
            .map(|needed| needed.into_iter().filter(|index| *index < count).collect())
            .collect();
        let operations: Vec<Value> = needs
            .iter()
            .enumerate()
            .map(|(index, needed)| {
                let references: Vec<String> =
                    needed.iter().map(|needed| format!("bulkId:{needed}")).collect();
                user(&index.to_string(), json!({ "x": references }))
            })
            .collect();
        let mut run = start(operations.into());
        let order = drive(&mut run);
        let reaches = |from: usize, to: usize| {
            let (mut seen, mut open) = (HashSet::new(), vec![from]);
            while let Some(next) = open.pop() {
                for needed in &needs[next] {
                    if seen.insert(*needed) {
                        open.push(*needed);
                    }
                }
            }
            seen.contains(&to)
        };
        let mut done = HashSet::new();
        for unit in &order {
            for index in unit {
                prop_assert!(done.insert(*index));
            }
            for index in unit {
                prop_assert!(needs[*index].iter().all(|needed| done.contains(needed)));
                prop_assert!(unit.iter().all(|other| other == index || reaches(*index, *other)));
            }
        }
        prop_assert_eq!(done.len(), count);
        if needs.iter().all(Vec::is_empty) {
            let flat: Vec<usize> = order.concat();
            prop_assert_eq!(flat, (0..count).collect::<Vec<_>>());
        }
    }
}
