//! Keys that sign change while people go on signing in (SSO-21).

use identity_center::{
    id::{KeyPairId, Uin},
    provisioning,
    saml::{
        certificate::{Certificate, SigningKey},
        metadata::IdpMetadata,
        signature,
        xml::{self, Profile},
    },
    space::{self, KeyPair, KeyPurpose, NewKeyPair, SigningPurpose},
    sso::{self, RequestSettings},
    store::sql,
};
use openssl::{hash::MessageDigest, sign::Verifier};
use reqwest::StatusCode;

use super::configuration::Desk;
use crate::{
    cloud::{Word, present, settle, with_alice},
    house::TestHouse,
    journey::{Company, act, count},
    on_both,
    world::World,
};

const SERVICE: SigningPurpose = SigningPurpose::ServiceProvider;

async fn pairs(
    house: &TestHouse,
    id: identity_center::id::SpaceId,
    purpose: KeyPurpose,
) -> Vec<KeyPair> {
    house.app.db.read(async |tx| space::key_pairs(tx, id, purpose).await).await.unwrap()
}

/// The certificates in metadata of ours, in order.
async fn published(house: &TestHouse, path: &str) -> Vec<Certificate> {
    let metadata = reqwest::get(house.url(path)).await.unwrap().text().await.unwrap();
    metadata
        .split("<ds:X509Certificate>")
        .skip(1)
        .map(|rest| Certificate::from_base64(rest.split('<').next().unwrap()).unwrap())
        .collect()
}

/// Which of these certificates a redirect to the identity provider was signed for.
fn signer(location: &str, certificates: &[Certificate]) -> Option<usize> {
    let query = location.split_once('?').unwrap().1;
    let (signed, value) = query.split_once("&Signature=").unwrap();
    let value = percent_encoding::percent_decode_str(value).decode_utf8().unwrap();
    let value = identity_center::saml::encoding::decode(&value).unwrap();
    certificates.iter().position(|certificate| {
        let mut verifier = Verifier::new(MessageDigest::sha256(), certificate.key()).unwrap();
        verifier.verify_oneshot(&value, signed.as_bytes()).unwrap()
    })
}

async fn told(world: &World, account: Uin) -> Vec<Certificate> {
    let mut query = sql("SELECT metadata FROM cloud_saml_providers WHERE account_uin = ");
    query.push_bind(account);
    let rows: Vec<(String,)> = world.rows(query).await;
    let [(metadata,)] = <[_; 1]>::try_from(rows).unwrap();
    IdpMetadata::parse(metadata.as_bytes(), world.now().to_jiff()).unwrap().certificates
}

on_both! {
    async fn sso_21_the_key_that_signs_requests_changes_with_an_overlap(house) {
        let desk = Desk::open(house).await;
        let company = &desk.company;
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        let (doing, id) = (act(house), company.space.id);
        let settings = RequestSettings { sign: true, ..RequestSettings::default() };
        house.app.db.write(async |tx| sso::set_requests(tx, &doing, id, &settings).await).await.unwrap();
        let metadata = format!("/saml/sp/{id}");
        let purpose = KeyPurpose::ServiceProvider;
        let [old] = <[_; 1]>::try_from(published(house, &metadata).await).unwrap();
        let refused = desk.reader.post(desk.url("/signing/service-provider")).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);

        assert_eq!(desk.post("/signing/service-provider", &[]).await.status(), StatusCode::SEE_OTHER);
        let both = published(house, &metadata).await;
        assert_eq!((both.len(), &both[0]), (2, &old), "the one in use stands first");
        assert_eq!(signer(&company.start(&house.browser()).await, &both), Some(0));
        assert!(desk.page("/keys").await.contains("Prepared"));
        assert_eq!(desk.post("/signing/service-provider", &[]).await.status(), StatusCode::CONFLICT);
        assert_eq!(desk.post("/signing/nonsense", &[]).await.status(), StatusCode::NOT_FOUND);

        let prepared = pairs(house, id, purpose).await[1].id;
        let path = |id: KeyPairId, what: &str| format!("/signing/service-provider/{id}/{what}");
        assert_eq!(desk.post(&path(prepared, "use"), &[]).await.status(), StatusCode::SEE_OTHER);
        let turned = published(house, &metadata).await;
        assert_eq!((&turned[0], &turned[1]), (&both[1], &old));
        assert_eq!(signer(&company.start(&house.browser()).await, &both), Some(1));
        // As long as both are there it can be switched back.
        let first = pairs(house, id, purpose).await[1].id;
        desk.post(&path(first, "use"), &[]).await;
        assert_eq!(signer(&company.start(&house.browser()).await, &both), Some(0));
        desk.post(&path(prepared, "use"), &[]).await;

        assert_eq!(desk.post(&path(prepared, "remove"), &[]).await.status(), StatusCode::CONFLICT);
        assert_eq!(desk.post(&path(first, "remove"), &[]).await.status(), StatusCode::SEE_OTHER);
        assert_eq!(desk.post(&path(first, "use"), &[]).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(published(house, &metadata).await, &both[1..]);
        assert_eq!(signer(&company.start(&house.browser()).await, &both), Some(1));
        let recorded = "SELECT COUNT(*) FROM audit_records WHERE action LIKE 'space.signing_key_%'";
        assert_eq!(count(house, recorded).await, 5);
    }

    async fn keys_of_others_are_left_alone(house) {
        let (acme, other) = (Company::bare(house, "acme").await, Company::bare(house, "other").await);
        let doing = act(house);
        let (sealer, db) = (&house.app.sealer, &house.app.db);
        let key = NewKeyPair::generate("test", doing.now).unwrap();
        let id = acme.space.id;
        let prepared = db
            .write(async |tx| space::prepare_key(tx, &doing, sealer, id, SERVICE, key).await)
            .await
            .unwrap();
        let identity = pairs(house, id, KeyPurpose::IdentityProvider).await[0].id;
        for (space, key) in [(other.space.id, prepared), (id, identity)] {
            let used = db.write(async |tx| space::use_key(tx, &doing, space, SERVICE, key).await).await;
            assert!(matches!(used, Err(space::Error::KeyNotFound)), "{used:?}");
            let gone = db.write(async |tx| space::remove_key(tx, &doing, space, SERVICE, key).await).await;
            assert!(matches!(gone, Err(space::Error::KeyNotFound)), "{gone:?}");
        }
        assert_eq!(pairs(house, other.space.id, KeyPurpose::ServiceProvider).await.len(), 1);
        assert_eq!(pairs(house, id, KeyPurpose::IdentityProvider).await.len(), 1);
    }

    /// An account holds our metadata: it knows a key before anything is signed with it.
    async fn sso_21_accounts_know_the_new_key_before_it_signs(house) {
        let (world, alice, configuration) = with_alice(house).await;
        let (id, account) = (world.space.id, world.member.uin);
        let enters = async |key: &SigningKey| {
            let word = Word::of(&world, alice, configuration).await.sign(&world, key);
            present(house, &house.browser(), &word).await == StatusCode::SEE_OTHER
        };
        let old = world.idp_key().await;
        assert!(enters(&old).await);
        let (sealer, key) = (&house.app.sealer, NewKeyPair::generate("new", world.now()).unwrap());
        // Prepared without telling anybody, as if every task had failed: no switch.
        let silent = world
            .write(async |tx, act| {
                space::prepare_key(tx, act, sealer, id, SigningPurpose::IdentityProvider, key).await
            })
            .await;
        let ask = async |key: KeyPairId| {
            let clouds = house.app.clouds();
            provisioning::accounts_without(&house.app.db, &*clouds, &world.act(), id, key).await.unwrap()
        };
        assert_eq!(ask(silent).await.without, [account]);
        world.write(async |tx, act| provisioning::remove_idp_key(tx, act, id, silent).await).await;
        settle(&world).await;

        let key = NewKeyPair::generate("new", world.now()).unwrap();
        let prepared = world
            .write(async |tx, act| provisioning::prepare_idp_key(tx, act, sealer, id, key).await)
            .await;
        settle(&world).await;
        let asked = ask(prepared).await;
        assert_eq!((asked.accounts.as_slice(), asked.without.as_slice()), (&[account][..], &[][..]));
        assert_eq!(told(&world, account).await.len(), 2);
        let pair = &pairs(house, id, KeyPurpose::IdentityProvider).await[1];
        let new = pair.signing_key(sealer).unwrap();
        assert!(enters(&old).await && enters(&new).await);
        assert_eq!(world.idp_key().await.certificate(), old.certificate(), "it signs nothing yet");

        // An account that came to need us after all were asked holds the switch up.
        let early = world
            .try_write(async |tx, act| provisioning::use_idp_key(tx, act, id, prepared, &[]).await)
            .await;
        assert!(matches!(early, Err(provisioning::Error::KeyNotKnown(1))), "{early:?}");
        world
            .write(async |tx, act| {
                provisioning::use_idp_key(tx, act, id, prepared, &asked.accounts).await
            })
            .await;
        assert_eq!(world.idp_key().await.certificate(), new.certificate());
        settle(&world).await;
        assert!(enters(&old).await && enters(&new).await);
        assert_eq!(published(house, &format!("/saml/idp/{id}")).await.len(), 2);

        let first = pairs(house, id, KeyPurpose::IdentityProvider).await[1].id;
        world.write(async |tx, act| provisioning::remove_idp_key(tx, act, id, first).await).await;
        settle(&world).await;
        assert_eq!(told(&world, account).await, [new.certificate().clone()]);
        assert!(!enters(&old).await && enters(&new).await);
    }

    /// The same at the console, where nobody can go too fast.
    async fn the_console_switches_when_every_account_is_ready(house) {
        let desk = Desk::open(house).await;
        let space = &desk.company.space;
        assert_eq!(desk.post("/signing/identity-provider", &[]).await.status(), StatusCode::SEE_OTHER);
        let prepared = pairs(house, space.id, KeyPurpose::IdentityProvider).await[1].id;
        // A deployment that is not there yet: its account does not know the key.
        let world = &desk.world;
        let configuration = world.configuration("Reader", &["QcloudCVMReadOnlyAccess"]).await;
        let insert = sql("INSERT INTO deployments (id, space_id, configuration_id, account_uin, state, created_at, updated_at)
             VALUES (7, $1, $2, $3, 'deployed', $4, $4)")
            .bind(space.id).bind(configuration).bind(world.member.uin).bind(house.now());
        house.app.db.write(async |tx| insert.execute(tx).await).await.unwrap();
        let path = format!("/signing/identity-provider/{prepared}/use");
        let refused = desk.post(&path, &[]).await;
        assert_eq!(refused.status(), StatusCode::CONFLICT);
        assert!(refused.text().await.unwrap().contains("do not know this key yet: 1"));
        assert!(desk.page("/keys").await.contains("1 of 1 accounts do not have"));
        house.app.db.write(async |tx| sql("DELETE FROM deployments WHERE id = 7").execute(tx).await).await.unwrap();
        assert_eq!(desk.post(&path, &[]).await.status(), StatusCode::SEE_OTHER);
        let now = pairs(house, space.id, KeyPurpose::IdentityProvider).await;
        assert!(now[0].id == prepared && now[0].signs && !now[1].signs);
    }

    async fn metadata_is_signed_when_an_administrator_decides_so(house) {
        let desk = Desk::open(house).await;
        let id = desk.company.space.id;
        let refused = desk.reader.post(desk.url("/sign-metadata/on")).send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        for (path, purpose) in [
            (format!("/saml/sp/{id}"), KeyPurpose::ServiceProvider),
            (format!("/saml/idp/{id}"), KeyPurpose::IdentityProvider),
        ] {
            let read = async || reqwest::get(house.url(&path)).await.unwrap().text().await.unwrap();
            let plain = read().await;
            assert!(!plain.contains("Signature"), "{plain}");
            assert_eq!(desk.post("/sign-metadata/on", &[]).await.status(), StatusCode::SEE_OTHER);
            let signed = read().await;
            let certificate = pairs(house, id, purpose).await[0].public_certificate().unwrap();
            let tree = xml::parse(signed.as_bytes(), Profile::Metadata).unwrap();
            signature::verify_root(tree.root(), &[certificate]).unwrap();
            desk.post("/sign-metadata/off", &[]).await;
            assert_eq!(read().await, plain);
        }
    }
}
