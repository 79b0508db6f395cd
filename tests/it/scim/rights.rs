//! What a directory has no say in (SCIM-23).

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{GROUP, PATCH, USER};
use crate::{
    journey::{count, location},
    on_both,
    whole_way::World,
};

/// Everything that a right could hang from.
const RIGHTS: [&str; 8] = [
    "SELECT COUNT(*) FROM assignments",
    "SELECT COUNT(*) FROM permission_configurations",
    "SELECT COUNT(*) FROM configuration_policies",
    "SELECT COUNT(*) FROM cloud_users",
    "SELECT COUNT(*) FROM cloud_user_policies",
    "SELECT COUNT(*) FROM cloud_access_keys",
    "SELECT COUNT(*) FROM user_syncs",
    "SELECT COUNT(*) FROM identity_provider_certificates",
];

on_both! {
    /// Neither a user's roles and entitlements nor the name of a group give anybody a right, and what
    /// administrators decide is nowhere at this door.
    async fn scim_23_a_directory_makes_nobody_an_administrator(house) {
        let world = World::open(house).await;
        let rights = async || {
            let mut all = Vec::new();
            for query in RIGHTS {
                all.push(count(house, query).await);
            }
            all
        };
        let before = rights().await;
        let boss = json!({
            "schemas": [USER], "userName": "boss", "active": true,
            "roles": [{ "value": "QcloudOrganizationFullAccess", "primary": true }, { "value": "root" }],
            "entitlements": [{ "value": world.configuration }, { "value": "admin" }],
            "groups": [{ "value": "1", "display": "Administrators" }],
        });
        let (status, boss) = world.scim(Method::POST, "/Users", boss).await;
        assert_eq!(status, StatusCode::CREATED, "{boss}");
        assert!(boss.get("groups").is_none_or(|it| it.as_array().is_some_and(Vec::is_empty)), "{boss}");
        let boss = boss["id"].as_str().unwrap();
        for name in ["QcloudOrganizationFullAccess", "AdministratorAccess", "Administrators", "root", "look"] {
            world.push_group(name, &[boss]).await;
        }
        let operations = json!([
            { "op": "add", "path": "roles", "value": [{ "value": "AdministratorAccess" }] },
            { "op": "replace", "value": { "entitlements": [{ "value": "AdministratorAccess" }] } },
        ]);
        let change = json!({ "schemas": [PATCH], "Operations": operations });
        world.scim(Method::PATCH, &format!("/Users/{boss}"), change).await;
        for (method, path) in [
            (Method::POST, "/Roles"), (Method::POST, "/Entitlements"), (Method::POST, "/RoleAssignments"),
            (Method::POST, "/RoleConfigurations"), (Method::PUT, "/ServiceProviderConfig"),
            (Method::PATCH, "/ServiceProviderConfig"), (Method::PUT, "/SAMLIdentityProvider"),
        ] {
            let body = json!({ "schemas": [GROUP], "displayName": "x" });
            let (status, answer) = world.scim(method, path, body).await;
            assert!(status.is_client_error(), "{path}: {status} {answer}");
        }
        world.settle().await;
        assert_eq!(rights().await, before);

        // Whoever signs in as that user sees no account, and the console is no place of theirs.
        let browser = house.browser();
        world.sign_in(&browser, "boss").await;
        assert_eq!(world.json(&browser, "accounts").await.unwrap()["accounts"], json!([]));
        assert!(world.launch(&browser).await.status().is_client_error());
        let console = browser.get(house.url("/console")).send().await.unwrap();
        assert!(location(&console).starts_with(&house.url("/console/login")), "{}", console.status());
    }
}
