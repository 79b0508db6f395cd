//! Keys of the space.

use serde_json::{Value, json};

use super::Own;
use crate::{house::TestHouse, on_both};

async fn keys(house: &TestHouse, own: &Own, purpose: &str) -> Vec<Value> {
    let found = own.done(house, "ListSpaceKeys", json!({})).await;
    let keys = found["SpaceKeys"].as_array().unwrap().clone();
    keys.into_iter().filter(|key| key["Purpose"] == purpose).collect()
}

on_both! {
    async fn set_07_sso_21_keys_change_by_actions(house) {
        let own = Own::open(house).await;
        let office = &own.office;
        // An account that has to know the key.
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;

        let [old] = keys(house, &own, "IdentityProvider").await.try_into().unwrap();
        assert_eq!(old["IsSigning"], true);
        let purpose = json!({ "Purpose": "IdentityProvider" });
        let made = own.done(house, "CreateSpaceKey", purpose.clone()).await;
        let made = &made["SpaceKey"];
        assert_eq!((&made["IsSigning"], &made["Purpose"]), (&json!(false), &purpose["Purpose"]));
        assert!(made["X509Certificate"].as_str().unwrap().starts_with("-----BEGIN CERTIFICATE"));
        assert!(!made.to_string().contains("PRIVATE"), "{made}");
        let key = |key: &Value| json!({ "SpaceKeyId": key["SpaceKeyId"] });
        let full = ("LimitExceeded.SpaceKey", "two keys");
        own.refuses(house, ("CreateSpaceKey", purpose), full).await;
        let in_use = ("FailedOperation.SpaceKeyInUse", "`SpaceKeyId`");
        own.refuses(house, ("DeleteSpaceKey", key(&old)), in_use).await;

        // The account is told, says that it has it, and then the key signs.
        office.settle(house).await;
        let trust = own.done(house, "DescribeSpaceKeyTrust", key(made)).await;
        assert_eq!(trust["TargetCount"], 1);
        assert_eq!(trust["UinsWithout"], json!([]));
        own.done(house, "UseSpaceKey", key(made)).await;
        office.settle(house).await;
        own.done(house, "DeleteSpaceKey", key(&old)).await;
        office.settle(house).await;
        let [left] = keys(house, &own, "IdentityProvider").await.try_into().unwrap();
        assert_eq!((&left["SpaceKeyId"], &left["IsSigning"]), (&made["SpaceKeyId"], &json!(true)));
        assert_eq!(own.audited(house, "space.signing_key_switch").await.len(), 1);
    }

    async fn set_07_sso_21_a_key_that_an_account_lacks_is_not_used_by_an_action(house) {
        let own = Own::open(house).await;
        let office = &own.office;
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        office.assign(house, &ann, &look).await;
        let made = json!({ "Purpose": "IdentityProvider" });
        let made = own.done(house, "CreateSpaceKey", made).await;
        office.settle(house).await;
        // The account forgets what it was told.
        let old = keys(house, &own, "IdentityProvider").await[0].clone();
        let forgotten = house.app.db.write(async |tx| {
            identity_center::store::sql("UPDATE cloud_saml_providers SET metadata = ''")
                .execute(tx)
                .await
        });
        assert_eq!(forgotten.await.unwrap(), 1);
        let key = json!({ "SpaceKeyId": made["SpaceKey"]["SpaceKeyId"] });
        let trust = own.done(house, "DescribeSpaceKeyTrust", key.clone()).await;
        assert_eq!(trust["UinsWithout"], json!([office.account.uin.0]));
        let lacking = ("FailedOperation.SpaceKeyNotTrusted", "1");
        own.refuses(house, ("UseSpaceKey", key), lacking).await;
        assert_eq!(keys(house, &own, "IdentityProvider").await[0], old, "the old one signs still");
    }

    async fn set_07_sso_21_keys_for_the_identity_provider_and_for_encryption(house) {
        let own = Own::open(house).await;
        let create = async |purpose: &str| {
            let made = own.done(house, "CreateSpaceKey", json!({ "Purpose": purpose })).await;
            json!({ "SpaceKeyId": made["SpaceKey"]["SpaceKeyId"] })
        };
        let next = create("ServiceProvider").await;
        own.done(house, "UseSpaceKey", next.clone()).await;
        own.done(house, "UseSpaceKey", next.clone()).await;
        let signs: Vec<bool> = keys(house, &own, "ServiceProvider").await.iter()
            .map(|key| key["IsSigning"] == true && key["SpaceKeyId"] == next["SpaceKeyId"]).collect();
        assert_eq!(signs, [true, false]);
        // One of the other purpose has nothing to do with accounts.
        let trust = own.done(house, "DescribeSpaceKeyTrust", next).await;
        assert_eq!(trust["TargetCount"], 0);

        let one = create("Encryption").await;
        create("Encryption").await;
        let full = ("LimitExceeded.SpaceKey", "at most 2");
        own.refuses(house, ("CreateSpaceKey", json!({ "Purpose": "Encryption" })), full).await;
        let signs = ("InvalidParameter.ParamError", "`SpaceKeyId`");
        own.refuses(house, ("UseSpaceKey", one.clone()), signs).await;
        own.done(house, "DeleteSpaceKey", one.clone()).await;
        assert_eq!(keys(house, &own, "Encryption").await.len(), 1);
        let gone = ("ResourceNotFound.SpaceKeyNotExist", "`SpaceKeyId`");
        for action in ["DeleteSpaceKey", "UseSpaceKey", "DescribeSpaceKeyTrust"] {
            own.refuses(house, (action, one.clone()), gone).await;
            own.refuses(house, (action, json!({ "SpaceKeyId": "x" })), gone).await;
        }
        let unknown = json!({ "Purpose": "Decryption" });
        let param = ("InvalidParameter.ParamError", "`Purpose`");
        own.refuses(house, ("CreateSpaceKey", unknown), param).await;

        for signed in [true, true, false] {
            own.done(house, "UpdateMetadataSigning", json!({ "IsSigned": signed })).await;
            let found = own.done(house, "ListSpaceKeys", json!({})).await;
            assert_eq!(found["IsMetadataSigned"], signed);
        }
        assert_eq!(own.audited(house, "space.sign_metadata").await.len(), 2);
    }
}
