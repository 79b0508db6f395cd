//! What is decided about directories.

use serde_json::{Value, json};

use super::Own;
use crate::on_both;

on_both! {
    async fn set_07_scim_20_scim_21_directories_are_decided_about_by_actions(house) {
        let own = Own::open(house).await;
        let settings = async || {
            let found = own.done(house, "DescribeSCIMSettings", json!({})).await;
            found["SCIMSettings"].clone()
        };
        let defaults = settings().await;
        assert_eq!(defaults["Brake"],
            json!({ "IsEnabled": true, "Users": 50, "Percent": 20, "WindowSeconds": 3600 }));
        // A part is changed, and the rest stays.
        let wanted = json!({ "RefuseRenames": true, "Brake": { "Users": 7 }, "RecordDays": 3 });
        let answer = own.done(house, "UpdateSCIMSettings", wanted).await;
        let mut expected = defaults.clone();
        expected["RefuseRenames"] = json!(true);
        expected["Brake"]["Users"] = json!(7);
        expected["RecordDays"] = json!(3);
        assert_eq!((&answer["SCIMSettings"], &settings().await), (&expected, &expected));
        own.done(house, "UpdateSCIMSettings", json!({ "RefuseRenames": false })).await;
        assert_eq!(settings().await["RefuseRenames"], false);
        assert_eq!(own.audited(house, "space.scim_settings").await.len(), 2);
        let param = "InvalidParameter.ParamError";
        for (given, code, word) in [
            (json!({ "Brake": { "Users": 0 } }), param, "`Brake.Users`"),
            (json!({ "Brake": { "Percent": 101 } }), param, "`Brake.Percent`"),
            (json!({ "Brake": { "WindowSeconds": 59 } }), param, "`Brake.WindowSeconds`"),
            (json!({ "RecordDays": 0 }), param, "`RecordDays`"),
            (json!({ "RecordMegabytes": 0 }), param, "`RecordMegabytes`"),
            (json!({ "RecordDays": "3" }), "InvalidParameter", "`RecordDays`"),
            (json!({ "Brake": { "Seconds": 3 } }), "UnknownParameter", "`Brake.Seconds`"),
        ] {
            own.refuses(house, ("UpdateSCIMSettings", given), (code, word)).await;
        }
        assert_eq!(settings().await["RecordDays"], 3);

        let brake = async || own.done(house, "DescribeSCIMBrake", json!({})).await;
        assert_eq!((&brake().await["State"], &brake().await["GoingCount"]), (&json!("Ready"), &json!(0)));
        let lifted = own.done(house, "LiftSCIMBrake", json!({ "Hours": 4 })).await;
        let state = brake().await;
        assert_eq!((&state["State"], &state["LiftedUntil"]), (&json!("Lifted"), &lifted["LiftedUntil"]));
        assert_eq!(lifted["LiftedUntil"], "2026-11-22 20:00:00");
        own.done(house, "RestoreSCIMBrake", json!({})).await;
        assert_eq!(brake().await["State"], "Ready");
        own.done(house, "UpdateSCIMSettings", json!({ "Brake": { "IsEnabled": false } })).await;
        assert_eq!(brake().await["State"], "Off");
        for hours in [0, 25] {
            let given = json!({ "Hours": hours });
            own.refuses(house, ("LiftSCIMBrake", given), (param, "`Hours`")).await;
        }
    }

    async fn set_07_scim_08_extension_schemas_are_registered_by_actions(house) {
        let own = Own::open(house).await;
        let urn = "urn:example:scim:schemas:hr:2.0:User";
        let document = |urn: &str| {
            let attributes = json!([{ "name": "costCenter", "type": "string" }]);
            let document = json!({ "id": urn, "name": "HR", "attributes": attributes });
            json!({ "ResourceType": "User", "SchemaDocument": document.to_string() })
        };
        own.done(house, "RegisterSCIMSchema", document(urn)).await;
        let listed = own.done(house, "ListSCIMSchemas", json!({})).await;
        let one = &listed["SCIMSchemas"][0];
        assert_eq!((&listed["TotalCounts"], &one["SchemaId"]), (&json!(1), &json!(urn)));
        assert_eq!((&one["ResourceType"], &one["Name"]), (&json!("User"), &json!("HR")));
        let told: Value = serde_json::from_str(one["SchemaDocument"].as_str().unwrap()).unwrap();
        assert_eq!(told["attributes"][0]["name"], "costCenter");
        let param = "InvalidParameter.ParamError";
        let raw = |text: &str| json!({ "ResourceType": "User", "SchemaDocument": text });
        let mut of_nobody = document("urn:example:a:User");
        of_nobody["ResourceType"] = json!("Device");
        for (given, word) in [
            (document(urn), "registered already"),
            (document(&urn.to_uppercase()), "registered already"),
            (document("urn:ietf:params:scim:schemas:core:2.0:Thing"), "`SchemaDocument`"),
            (raw("{"), "`SchemaDocument`"),
            (raw("[]"), "`SchemaDocument`"),
            (raw("{\"id\":\"urn:example:a:User\"}"), "attributes"),
            (of_nobody, "`ResourceType`"),
        ] {
            own.refuses(house, ("RegisterSCIMSchema", given), (param, word)).await;
        }
        own.done(house, "UnregisterSCIMSchema", json!({ "SchemaId": urn })).await;
        let gone = ("ResourceNotFound.SCIMSchemaNotExist", "`SchemaId`");
        own.refuses(house, ("UnregisterSCIMSchema", json!({ "SchemaId": urn })), gone).await;
        assert_eq!(own.done(house, "ListSCIMSchemas", json!({})).await["TotalCounts"], 0);
    }
}
