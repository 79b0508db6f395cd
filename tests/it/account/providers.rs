//! SAML providers of an account.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::*;
use crate::{fake_idp::FakeIdp, on_both};

on_both! {
    async fn a_saml_provider_lives(house) {
        let (root, uin) = root(house).await;
        let metadata = FakeIdp::new().metadata();
        let document = STANDARD.encode(&metadata);
        let made = json!({ "Name": "Idp", "Description": "d", "SAMLMetadataDocument": document });
        let answer = root.done(house, "CreateSAMLProvider", made.clone()).await;
        assert_eq!(answer["ProviderArn"], format!("qcs::cam::uin/{uin}:saml-provider/Idp"));
        let got = root.done(house, "GetSAMLProvider", json!({ "Name": "Idp" })).await;
        assert_eq!((&got["SAMLMetadata"], &got["Description"]), (&json!(document), &json!("d")));
        let other = FakeIdp { entity_id: "https://two.example.com/".to_owned() }.metadata();
        let other = STANDARD.encode(other);
        house.app.clock.advance(jiff::SignedDuration::from_secs(60));
        let change = json!({ "Name": "Idp", "Description": "e", "SAMLMetadataDocument": other });
        root.done(house, "UpdateSAMLProvider", change).await;
        let got = root.done(house, "GetSAMLProvider", json!({ "Name": "Idp" })).await;
        assert_eq!((&got["SAMLMetadata"], &got["Description"]), (&json!(other), &json!("e")));
        assert_ne!(got["CreateTime"], got["ModifyTime"]);
        let listed = root.done(house, "ListSAMLProviders", json!({})).await;
        assert_eq!((&listed["TotalCount"], &listed["SAMLProviderSet"][0]["Name"]), (&json!(1), &json!("Idp")));
        let with = |name: &str, document: &str| {
            json!({ "Name": name, "Description": "", "SAMLMetadataDocument": document })
        };
        let page = STANDARD.encode("<html></html>");
        let long = STANDARD.encode("x".repeat(300_000));
        let expired = STANDARD.encode(metadata.replacen("entityID=", "validUntil=\"2020-01-01T00:00:00Z\" entityID=", 1));
        for (code, action, parameters) in [
            ("InvalidParameter.IdentityNameInUse", "CreateSAMLProvider", made),
            ("InvalidParameterValue.NameError", "CreateSAMLProvider", with("a b", &document)),
            ("InvalidParameterValue.NameError", "CreateSAMLProvider", with(&"a".repeat(129), &document)),
            ("InvalidParameterValue.MetadataError", "CreateSAMLProvider", with("b", "no base64")),
            ("InvalidParameterValue.MetadataError", "CreateSAMLProvider", with("b", "")),
            ("InvalidParameterValue.MetadataError", "CreateSAMLProvider", with("b", &page)),
            ("InvalidParameterValue.MetadataError", "CreateSAMLProvider", with("b", &long)),
            ("InvalidParameterValue.MetadataError", "CreateSAMLProvider", with("b", &expired)),
            ("InvalidParameterValue.MetadataError", "UpdateSAMLProvider", with("Idp", &page)),
            ("ResourceNotFound.IdentityNotExist", "UpdateSAMLProvider", with("b", &document)),
            ("ResourceNotFound.IdentityNotExist", "GetSAMLProvider", json!({ "Name": "b" })),
            ("ResourceNotFound.IdentityNotExist", "DeleteSAMLProvider", json!({ "Name": "b" })),
        ] {
            root.refused(house, code, action, parameters).await;
        }
        root.done(house, "DeleteSAMLProvider", json!({ "Name": "Idp" })).await;
        assert_eq!(root.done(house, "ListSAMLProviders", json!({})).await["TotalCount"], 0);
    }
}
