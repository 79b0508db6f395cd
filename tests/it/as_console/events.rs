//! Endpoints of events.

use serde_json::{Value, json};

use super::Own;
use crate::{events::Receiver, house::TestHouse, on_both};

/// The text that an audit record or answer must not hold: the secret, but for the answer that
/// tells it.
fn tells(answer: &Value, secret: &str) -> bool {
    answer.to_string().contains(secret)
}

async fn waits_for_delivery(house: &TestHouse, own: &Own, given: &Value, count: usize) -> Value {
    for _ in 0..400 {
        let found = own.done(house, "ListEventDeliveries", given.clone()).await;
        if found["EventDeliveries"].as_array().unwrap().len() == count {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("{count} deliveries do not come")
}

on_both! {
    async fn set_07_endpoints_of_events_are_kept_by_actions(house) {
        let own = Own::open(house).await;
        let receiver = Receiver::new().await;
        let none = own.done(house, "ListEventEndpoints", json!({})).await;
        assert_eq!(none["TotalCounts"], 0);

        let made = json!({ "Url": receiver.url(), "Kinds": ["Delete", "Create"] });
        let made = own.done(house, "CreateEventEndpoint", made).await;
        let secret = made["Secret"].as_str().unwrap().to_owned();
        let endpoint = &made["EventEndpoint"];
        assert_eq!(endpoint["Kinds"], json!(["Create", "Delete"]));
        assert_eq!((&endpoint["Status"], &endpoint["SecretNumber"]), (&json!("Enabled"), &json!(1)));
        let id = endpoint["EventEndpointId"].clone();
        let here = |mut given: Value| {
            given["EventEndpointId"] = id.clone();
            given
        };
        let listed = own.done(house, "ListEventEndpoints", json!({})).await;
        assert_eq!(listed["EventEndpoints"], json!([endpoint]));
        assert!(!tells(&listed, &secret));

        // A test arrives, signed with the secret; deliveries tell of it.
        let test = own.done(house, "TestEventEndpoint", here(json!({}))).await;
        let pushes = receiver.wait_for(1).await;
        assert!(pushes[0].is_signed_with(&secret));
        let delivered = here(json!({ "State": "Delivered" }));
        let delivered = waits_for_delivery(house, &own, &delivered, 1).await;
        let one = &delivered["EventDeliveries"][0];
        assert_eq!((&one["EventId"], &one["Kind"]), (&test["EventId"], &json!("Verification")));
        assert_eq!((&one["HttpStatus"], &one["PrincipalId"]), (&json!(202), &json!("")));

        // Another secret signs from now on, and what came comes once more.
        let rotated = own.done(house, "RotateEventEndpointSecret", here(json!({}))).await;
        let second = rotated["Secret"].as_str().unwrap().to_owned();
        assert_ne!(secret, second);
        assert_eq!(rotated["SecretNumber"], 2);
        let again = here(json!({ "EventId": test["EventId"] }));
        own.done(house, "RedeliverEvent", again.clone()).await;
        let pushes = receiver.wait_for(2).await;
        assert!(pushes[1].is_signed_with(&second) && !pushes[1].is_signed_with(&secret));
        assert_eq!(pushes[0].jti(), pushes[1].jti());
        let replayed = here(json!({ "StartTime": "2026-11-22 16:00:00" }));
        let replayed = own.done(house, "ReplayEvents", replayed).await;
        assert_eq!(replayed["EventCount"], 0, "a test is nothing that happened");

        // A part is changed, and the rest stays.
        let changed = here(json!({ "IsFullContent": true }));
        let changed = own.done(house, "UpdateEventEndpoint", changed).await;
        let changed = &changed["EventEndpoint"];
        assert_eq!(changed["IsFullContent"], true);
        assert_eq!((&changed["Url"], &changed["Kinds"]), (&endpoint["Url"], &endpoint["Kinds"]));

        // Off, nothing is sent.
        own.done(house, "UpdateEventEndpointStatus", here(json!({ "NewStatus": "Disabled" }))).await;
        let off = ("FailedOperation.EventEndpointDisabled", "disabled");
        own.refuses(house, ("TestEventEndpoint", here(json!({}))), off).await;
        own.refuses(house, ("RedeliverEvent", again), off).await;

        let param = "InvalidParameter.ParamError";
        let gone = "ResourceNotFound.EventEndpointNotExist";
        let url = |url: &str| json!({ "Url": url });
        for (action, given, code, word) in [
            ("CreateEventEndpoint", url("http://events.example/"), param, "`Url`"),
            ("CreateEventEndpoint", url("https://10.0.0.1/"), param, "`Url`"),
            ("CreateEventEndpoint", url("https://a:b@events.example/"), param, "`Url`"),
            ("CreateEventEndpoint", json!({}), "MissingParameter", "`Url`"),
            ("UpdateEventEndpoint", here(url("nonsense")), param, "`Url`"),
            ("UpdateEventEndpoint", here(json!({ "Kinds": [] })), param, "`Kinds`"),
            ("UpdateEventEndpoint", here(json!({ "Kinds": ["Verification"] })), param, "`Kinds`"),
            ("UpdateEventEndpoint", here(json!({ "Kinds": [1] })), "InvalidParameter", "`Kinds.0`"),
            ("UpdateEventEndpointStatus", here(json!({ "NewStatus": "off" })), param, "`NewStatus`"),
            ("DeleteEventEndpoint", json!({ "EventEndpointId": "ee-000000000001" }), gone,
                "`EventEndpointId`"),
            ("TestEventEndpoint", json!({ "EventEndpointId": "7" }), gone, "`EventEndpointId`"),
            ("ReplayEvents", here(json!({ "StartTime": "yesterday" })), param, "`StartTime`"),
            ("ListEventDeliveries", here(json!({ "State": "Lost" })), param, "`State`"),
        ] {
            own.refuses(house, (action, given), (code, word)).await;
        }
        own.done(house, "UpdateEventEndpointStatus", here(json!({ "NewStatus": "Enabled" }))).await;
        let unknown = here(json!({ "EventId": "ev-00000000zzzz" }));
        let no_event = ("ResourceNotFound.EventNotExist", "`EventId`");
        own.refuses(house, ("RedeliverEvent", unknown), no_event).await;

        // Nobody reads a secret in the audit log.
        for action in ["event_endpoint.create", "event_endpoint.rotate_secret"] {
            let records = own.audited(house, action).await;
            assert_eq!(records.len(), 1, "{action}");
            assert!(!tells(&json!(records), &secret) && !tells(&json!(records), &second));
        }
        for _ in 1..10 {
            own.done(house, "CreateEventEndpoint", url(&receiver.url())).await;
        }
        let many = ("LimitExceeded.EventEndpoint", "at most 10");
        own.refuses(house, ("CreateEventEndpoint", url(&receiver.url())), many).await;
        own.done(house, "DeleteEventEndpoint", here(json!({}))).await;
        let left = own.done(house, "ListEventEndpoints", json!({})).await;
        assert_eq!(left["TotalCounts"], 9);
    }
}
