//! The embedded cloud: the accounts' sign-in, the account console, temporary credentials, and how
//! they end.

use std::time::Duration;

use identity_center::{
    access,
    cloud::{
        self, CamPrincipal, Error as CloudError, password,
        sign_in::{self, Disputed, Refused},
        sign_in_url,
    },
    directory,
    id::{ConfigurationId, Principal, UserId},
    permission::RemovalStrategy,
    provisioning::{self, DeletionStrategy, DuplicationStrategy, NewUserSync, names},
    saml::{
        certificate::SigningKey,
        identity_provider::{AttributeToState, ResponseToIssue},
        metadata::IdpMetadata,
        name_id_format,
        response::{Expected, Received},
        role::{ROLE, ROLE_SESSION_NAME, RoleClaim},
    },
    secret::{hex, random},
    sso,
    store::{Timestamp, sql},
};
use reqwest::{Client, StatusCode};

use crate::{
    events::{Receiver, wish},
    house::TestHouse,
    in_both_worlds, on_both,
    world::World,
};

/// What a portal would say; a test changes one thing.
pub struct Word {
    pub claim: RoleClaim,
    pub name_id: String,
    pub session_name: Vec<String>,
    pub recipient: String,
    pub audience: String,
    pub issuer: String,
    pub provider_attribute: Option<String>,
    /// How long the session may last, if the word says so.
    pub session: Option<jiff::SignedDuration>,
}

impl Word {
    /// The word of the world's space for a user, as `access` has it.
    pub async fn of(world: &World, user: UserId, configuration: ConfigurationId) -> Self {
        let (space, account, now) = (world.space.id, world.member.uin, world.now());
        let launch = world
            .read(async |tx| {
                access::launch_role(tx, space, user, account, configuration, now).await
            })
            .await;
        let url = sign_in_url(world.app.settings.public_url.as_str());
        Self {
            claim: RoleClaim {
                uin: launch.account.0,
                roles: vec![launch.role],
                provider: launch.provider,
            },
            session_name: vec![launch.name_id.clone()],
            name_id: launch.name_id,
            recipient: url.clone(),
            audience: url,
            issuer: names::idp_entity_id(world.app.settings.public_url.as_str(), space),
            provider_attribute: None,
            session: None,
        }
    }

    pub fn sign(&self, world: &World, key: &SigningKey) -> String {
        self.sign_at(world.now(), key)
    }

    pub fn sign_at(&self, now: Timestamp, key: &SigningKey) -> String {
        let id = || format!("_{}", hex(&random::<20>().unwrap()));
        let claim = self.claim.to_string();
        let (role, names) = ([claim.as_str()], self.session_name.iter());
        let names: Vec<&str> = names.map(String::as_str).collect();
        let provider: Vec<&str> = self.provider_attribute.iter().map(String::as_str).collect();
        let mut attributes = Vec::new();
        if self.provider_attribute.is_some() {
            let name = sign_in::PROVIDER_ATTRIBUTE;
            attributes.push(AttributeToState { name, values: &provider });
        } else {
            attributes.push(AttributeToState { name: ROLE, values: &role });
            if !names.is_empty() {
                attributes.push(AttributeToState { name: ROLE_SESSION_NAME, values: &names });
            }
        }
        let now = now.to_jiff();
        ResponseToIssue {
            response_id: &id(),
            assertion_id: &id(),
            issuer: &self.issuer,
            acs_url: &self.recipient,
            audience: &self.audience,
            in_response_to: None,
            name_id: &self.name_id,
            name_id_format: name_id_format::UNSPECIFIED,
            session_index: &id(),
            attributes: &attributes,
            authenticated_at: now,
            now,
            lifetime: jiff::SignedDuration::from_mins(5),
            session_lifetime: self.session,
        }
        .issue(key)
        .unwrap()
        .base64()
    }
}

/// Posts the portal's form.
pub async fn present(house: &TestHouse, browser: &Client, response: &str) -> StatusCode {
    let answer = browser
        .post(house.url("/cloud/login/saml"))
        .form(&[("SAMLResponse", response)])
        .send()
        .await
        .unwrap();
    answer.status()
}

async fn page(house: &TestHouse, browser: &Client, path: &str) -> (StatusCode, String) {
    let answer = browser.get(house.url(path)).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

/// The server's own worker does it; wait for that.
pub async fn settle(world: &World) {
    let open = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
    for _ in 0..1000 {
        if world.count(open).await == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("tasks do not end");
}

/// The world of a house, with alice who may read servers in the member account.
pub async fn with_alice(house: &TestHouse) -> (World, UserId, ConfigurationId) {
    let world = World::make(house.app.clone()).await;
    let alice = world.user("alice").await;
    let id = world.configuration("ServerReader", &["QcloudCVMReadOnlyAccess"]).await;
    world.assign(&[world.triple(Principal::User(alice), world.member.uin, id)]).await;
    settle(&world).await;
    (world, alice, id)
}

/// The temporary credentials that the console shows.
async fn credentials(house: &TestHouse, browser: &Client) -> [String; 3] {
    let answer = browser.post(house.url("/cloud/credentials")).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let html = answer.text().await.unwrap();
    ["SECRET_ID=", "SECRET_KEY=", "TOKEN="].map(|name| {
        let at = html.find(&format!("TENCENTCLOUD_{name}")).unwrap();
        let rest = &html[at + "TENCENTCLOUD_".len() + name.len()..];
        rest.chars().take_while(|c| !c.is_whitespace() && *c != '<').collect()
    })
}

async fn signer(
    world: &World,
    secret_id: &str,
    token: Option<&str>,
) -> Result<Option<cloud::Signer>, CloudError> {
    let now = world.now();
    let sealer = &world.app.sealer;
    world.app.db.read(async |tx| cloud::signer(tx, sealer, secret_id, token, now).await).await
}

on_both! {
    async fn a_click_leads_into_the_account_and_the_policies_decide_there(house) {
        let (world, alice, id) = with_alice(house).await;
        let browser = house.browser();
        let (status, _) = page(house, &browser, "/cloud").await;
        assert_eq!(status, StatusCode::SEE_OTHER, "nobody yet");
        let response = Word::of(&world, alice, id).await.sign(&world, &world.idp_key().await);
        assert_eq!(present(house, &browser, &response).await, StatusCode::SEE_OTHER);

        let (status, html) = page(house, &browser, "/cloud").await;
        assert_eq!(status, StatusCode::OK);
        for part in [world.member.uin.to_string().as_str(), "TencentCloudSSO-ServerReader",
                     "QcloudCVMReadOnlyAccess", "2026-11-22 09:00:00"] {
            assert!(html.contains(part), "{part} in {html}");
        }
        let tries = [("cvm:DescribeInstances", true), ("cvm:TerminateInstances", false),
                     ("cam:ListUsers", false)];
        for (action, allowed) in tries {
            let path = format!("/cloud?action={action}&resource=*");
            let (_, html) = page(house, &browser, &path).await;
            assert!(html.contains(&format!(r#"data-allowed="{allowed}""#)), "{action}: {html}");
            assert_eq!(html.contains(r#"id="deciding""#), allowed, "{action}");
        }
        // CON-04, single use.
        assert_eq!(present(house, &house.browser(), &response).await, StatusCode::FORBIDDEN);

        let [secret_id, secret_key, token] = credentials(house, &browser).await;
        let who = signer(&world, &secret_id, Some(&token)).await.unwrap().unwrap();
        assert_eq!(*who.secret_key, secret_key);
        let identity = who.principal.identity();
        assert_eq!((identity.kind, identity.account), ("CAMRole", world.member.uin));
        assert!(identity.user_id.ends_with(":alice"), "{}", identity.user_id);
        for wrong in [None, Some("x"), Some(&token[..token.len() - 2])] {
            assert!(matches!(signer(&world, &secret_id, wrong).await, Err(CloudError::TokenInvalid)));
        }
        // SES-02: to the second.
        world.advance(3599);
        assert_eq!(page(house, &browser, "/cloud").await.0, StatusCode::OK);
        world.advance(1);
        assert_eq!(page(house, &browser, "/cloud").await.0, StatusCode::SEE_OTHER);
        let ended = signer(&world, &secret_id, Some(&token)).await;
        assert!(matches!(ended, Err(CloudError::TokenExpired)));
    }

    async fn a_disputed_response_is_told_once_and_used_up(house) {
        let (world, alice, id) = with_alice(house).await;
        let receiver = Receiver::new().await;
        world.listen(&wish(&receiver.url(), false)).await;
        let response = Word::of(&world, alice, id).await.sign(&world, &world.idp_key().await);
        let received = Received::parse(&response);
        let claim = sign_in::claim(&received).unwrap();
        let account = claim.account().to_string();
        let idp = sso::idp_entity_id(&house.app.settings, world.space.id);
        let url = sign_in_url(house.app.settings.public_url.as_str());
        let metadata = format!("SELECT metadata FROM cloud_saml_providers WHERE account_uin = {account}");
        let metadata: (String,) = world.read(async |tx| sql(metadata.leak()).fetch_one(tx).await).await;
        let idp_metadata = IdpMetadata::parse(metadata.0.as_bytes(), house.now().to_jiff()).unwrap();
        let assertion = received.verify(&Expected {
            idp_entity_id: &idp,
            certificates: &idp_metadata.certificates,
            decryption_keys: &[],
            acs_url: &url,
            sp_entity_id: &url,
            request_id: None,
            authn_contexts: &[],
            authenticated_since: None,
            identity_attribute: None,
            allow_unsolicited: true,
            used: None,
            now: house.now().to_jiff(),
            skew: jiff::SignedDuration::from_secs(60),
            second_opinion: true,
        });
        let disputed = Disputed::new(idp, assertion.result.unwrap(), "other content".to_owned());
        let refused = Refused::Disputed(Box::new(disputed));
        for _ in 0..20 {
            world.write(async |tx, act| access::tell_dispute(tx, act, &claim, &refused).await).await;
        }
        let records = "SELECT COUNT(*) FROM audit_records WHERE action = 'account_sign_in.refuse'";
        assert_eq!(world.count(records).await, 1);
        assert_eq!(world.count("SELECT COUNT(*) FROM events WHERE kind = 'alarm'").await, 1);
        let (name, body) = receiver.wait_for(1).await[0].event();
        assert_eq!(name, "urn:identity-center:event:alarm");
        assert_eq!((body["kind"].as_str(), body["object"].as_str()), (Some("disagreement"), Some(account.as_str())));
        // Nobody uses it any more; another one is as good as ever.
        let browser = house.browser();
        assert_eq!(present(house, &browser, &response).await, StatusCode::FORBIDDEN);
        let other = Word::of(&world, alice, id).await.sign(&world, &world.idp_key().await);
        assert_eq!(present(house, &browser, &other).await, StatusCode::SEE_OTHER);
    }

    async fn an_account_believes_nothing_but_its_own_provider_about_a_role_it_has(house) {
        let (world, alice, id) = with_alice(house).await;
        let key = world.idp_key().await;
        let other_key =
            SigningKey::generate("other", world.now().to_jiff(), random::<16>().unwrap()).unwrap();
        let other = world.account("other").await;
        let good = async || Word::of(&world, alice, id).await;
        let mut wrong = Vec::new();
        wrong.push(("another key", good().await.sign(&world, &other_key)));
        let mut case = |name: &'static str, mut word: Word, change: &dyn Fn(&mut Word)| {
            change(&mut word);
            wrong.push((name, word.sign(&world, &key)));
        };
        case("another recipient", good().await, &|word| {
            word.recipient = "https://elsewhere.example/".to_owned();
        });
        case("another audience", good().await, &|word| {
            word.audience = "https://elsewhere.example/".to_owned();
        });
        case("another issuer", good().await, &|word| word.issuer.push('x'));
        case("another account", good().await, &|word| word.claim.uin = other.uin.0);
        case("another provider", good().await, &|word| word.claim.provider.push('x'));
        case("no such role", good().await, &|word| word.claim.roles[0].push('x'));
        case("several roles", good().await, &|word| {
            word.claim.roles.push(word.claim.roles[0].clone());
        });
        case("a role of the account's own", good().await, &|word| {
            word.claim.roles[0] = cloud::ACCESS_CONTROL_ROLE.to_owned();
        });
        case("no session name", good().await, &|word| word.session_name.clear());
        case("two session names", good().await, &|word| word.session_name.push("b".to_owned()));
        case("a malformed session name", good().await, &|word| {
            word.session_name[0] = "a b".to_owned();
        });
        case("somebody without access", good().await, &|word| word.name_id = "bob".to_owned());
        for (name, response) in &wrong {
            let browser = house.browser();
            let status = present(house, &browser, response).await;
            assert_eq!(status, StatusCode::FORBIDDEN, "{name}");
            assert_eq!(page(house, &browser, "/cloud").await.0, StatusCode::SEE_OTHER, "{name}");
        }
        for garbage in ["", "AAAA", "PHg+"] {
            assert_eq!(present(house, &house.browser(), garbage).await, StatusCode::FORBIDDEN);
        }
        let late = good().await.sign(&world, &key);
        world.advance(7 * 60);
        assert_eq!(present(house, &house.browser(), &late).await, StatusCode::FORBIDDEN);
        let fresh = good().await.sign(&world, &key);
        assert_eq!(present(house, &house.browser(), &fresh).await, StatusCode::SEE_OTHER);
    }

    /// Whoever was let in has proved something, and whoever was not may be anybody: what is proved
    /// is recorded, and of the rest each cause once a day.
    async fn a_refused_entry_leaves_its_cause_and_strangers_no_more_than_one(house) {
        let (world, alice, id) = with_alice(house).await;
        let key = world.idp_key().await;
        let other =
            SigningKey::generate("other", world.now().to_jiff(), random::<16>().unwrap()).unwrap();
        let recorded = async || -> Vec<serde_json::Value> {
            let found: Vec<(String,)> = world.rows(sql(
                "SELECT state_after FROM audit_records
                 WHERE action = 'account_sign_in.refuse' ORDER BY id")).await;
            found.iter().map(|(it,)| serde_json::from_str(it).unwrap()).collect()
        };
        let refused = async |response: &str| {
            assert_eq!(present(house, &house.browser(), response).await, StatusCode::FORBIDDEN);
        };
        let good = Word::of(&world, alice, id).await.sign(&world, &key);
        assert_eq!(present(house, &house.browser(), &good).await, StatusCode::SEE_OTHER);
        assert!(recorded().await.is_empty());
        // Signed by the account's provider: each is recorded. Whoever has one that was used may bring it
        // without end, so of those there is one a day as well.
        refused(&good).await;
        refused(&good).await;
        let mut bob = Word::of(&world, alice, id).await;
        bob.name_id = "bob".to_owned();
        refused(&bob.sign(&world, &key)).await;
        let proved = |cause: &str, name: &str| serde_json::json!({
            "cause": cause, "name_id": name, "provider": bob.claim.provider,
        });
        let unproved = |cause: &str, times: i64| serde_json::json!({ "cause": cause, "times": times });
        assert_eq!(recorded().await, [unproved("replayed", 1), proved("revoked", "bob")]);
        let about: Vec<(String, String)> = world.rows(sql(
            "SELECT object_kind, object_id FROM audit_records
             WHERE action = 'account_sign_in.refuse'")).await;
        assert!(about.iter().all(|it| *it == ("account".to_owned(), world.member.uin.to_string())));
        // By a stranger: each cause once a day, with how many there were.
        for _ in 0..5 {
            refused(&Word::of(&world, alice, id).await.sign(&world, &other)).await;
            let mut nowhere = Word::of(&world, alice, id).await;
            nowhere.claim.provider.push('x');
            refused(&nowhere.sign(&world, &other)).await;
        }
        assert_eq!(recorded().await[2..], [unproved("signature", 1), unproved("unknown-provider", 1)]);
        world.advance(86_400);
        refused(&Word::of(&world, alice, id).await.sign(&world, &other)).await;
        assert_eq!(recorded().await[4..], [unproved("signature", 6)]);
        // For an account that is not there, or for none at all, there is nobody to tell.
        let mut unknown = Word::of(&world, alice, id).await;
        unknown.claim.uin += 1_000_000;
        refused(&unknown.sign(&world, &other)).await;
        refused("AAAA").await;
        assert_eq!(recorded().await.len(), 5);
        assert_eq!(world.count("SELECT COUNT(*) FROM refused_messages").await, 3);
    }

    /// The portal states how long a session may last now; the role in the account may still have
    /// what was deployed before.
    async fn ses_02_a_session_ends_when_the_response_says(house) {
        let (world, alice, id) = with_alice(house).await;
        let key = world.idp_key().await;
        let mut word = Word::of(&world, alice, id).await;
        word.session = Some(jiff::SignedDuration::from_mins(15));
        let browser = house.browser();
        assert_eq!(present(house, &browser, &word.sign(&world, &key)).await, StatusCode::SEE_OTHER);
        let [secret_id, _, token] = credentials(house, &browser).await;
        world.advance(899);
        assert!(signer(&world, &secret_id, Some(&token)).await.is_ok());
        world.advance(1);
        assert!(signer(&world, &secret_id, Some(&token)).await.is_err());
        assert_ne!(page(house, &browser, "/cloud").await.0, StatusCode::OK);
    }

    /// Who has a word of their own could have somebody else's browser bring it, who would then work
    /// in a stranger's account.
    async fn another_site_cannot_have_a_visitor_enter(house) {
        let (world, alice, id) = with_alice(house).await;
        let key = world.idp_key().await;
        let word = Word::of(&world, alice, id).await.sign(&world, &key);
        let visitor = house.browser();
        for (name, value) in [("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")] {
            let post = visitor.post(house.url("/cloud/login/saml")).header(name, value);
            let refused = post.form(&[("SAMLResponse", &word)]).send().await.unwrap();
            assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{name}");
            assert!(refused.headers().get("set-cookie").is_none(), "{name}");
        }
        assert_eq!(present(house, &visitor, &word).await, StatusCode::SEE_OTHER);
    }

    async fn ses_04_access_that_ends_ends_what_it_has_opened(house) {
        let (world, alice, id) = with_alice(house).await;
        let key = world.idp_key().await;
        let space = world.space.id;
        let group = world.group("team", &[alice]).await;
        let direct = world.triple(Principal::User(alice), world.member.uin, id);
        let through = world.triple(Principal::Group(group), world.member.uin, id);
        let enter = async || {
            world.advance(1);
            let browser = house.browser();
            let response = Word::of(&world, alice, id).await.sign(&world, &key);
            assert_eq!(present(house, &browser, &response).await, StatusCode::SEE_OTHER);
            let [secret_id, _, token] = credentials(house, &browser).await;
            (browser, secret_id, token)
        };
        let is_in = async |(browser, secret_id, token): &(Client, String, String)| {
            let console = page(house, browser, "/cloud").await.0 == StatusCode::OK;
            let keys = signer(&world, secret_id, Some(token)).await.is_ok();
            assert_eq!(console, keys, "both or neither");
            console
        };
        let remove = async |triple| {
            world.advance(1);
            world
                .write(async |tx, act| {
                    let strategy = RemovalStrategy::Keep;
                    provisioning::remove_assignment(tx, act, space, &triple, strategy).await
                })
                .await;
        };
        // An assignment goes, another one stays: nothing ends. Then that one goes, too.
        world.assign(&[through]).await;
        settle(&world).await;
        let session = enter().await;
        let unused = Word::of(&world, alice, id).await.sign(&world, &key);
        remove(direct).await;
        assert!(is_in(&session).await, "the group entitles");
        remove(through).await;
        assert!(!is_in(&session).await, "nothing entitles any more");
        assert_eq!(present(house, &house.browser(), &unused).await, StatusCode::FORBIDDEN);
        settle(&world).await;

        // Given again, by the group alone: entered anew, but not with an old word.
        world.assign(&[through]).await;
        settle(&world).await;
        assert_eq!(present(house, &house.browser(), &unused).await, StatusCode::FORBIDDEN);
        let session = enter().await;
        assert!(is_in(&session).await);
        // Leaving the group ends it.
        let changed = [Principal::User(alice), Principal::Group(group)];
        world
            .write(async |tx, act| -> Result<_, provisioning::Error> {
                directory::remove_member(tx, act, &world.space, group, alice).await.unwrap();
                Ok(provisioning::access_changed(tx, act, space, &changed).await?)
            })
            .await;
        assert!(!is_in(&session).await, "left the group");
        world
            .write(async |tx, act| -> Result<_, provisioning::Error> {
                directory::add_member(tx, act, &world.space, group, alice, &world.app.directory_limits()).await.unwrap();
                Ok(provisioning::access_changed(tx, act, space, &changed).await?)
            })
            .await;
        let session = enter().await;
        // So does being disabled (USR-18).
        world
            .write(async |tx, act| -> Result<_, provisioning::Error> {
                directory::set_user_enabled(tx, act, space, alice, false).await.unwrap();
                Ok(provisioning::access_changed(tx, act, space, &changed).await?)
            })
            .await;
        assert!(!is_in(&session).await, "disabled");
        settle(&world).await;
    }

    async fn us_09_us_15_a_synced_cam_user_is_entered_by_name_and_may_do_nothing(house) {
        let world = World::make(house.app.clone()).await;
        let alice = world.user("alice").await;
        let new = NewUserSync {
            principal: Principal::User(alice),
            account: world.member.uin,
            description: String::new(),
            duplication: DuplicationStrategy::KeepBoth,
            deletion: DeletionStrategy::Delete,
        };
        world
            .write(async |tx, act| {
                provisioning::create_user_syncs(tx, act, world.space.id, &[new], 50).await
            })
            .await;
        settle(&world).await;
        let (space, account) = (world.space.id, world.member.uin);
        let launch = world
            .read(async |tx| access::launch_user(tx, space, alice, account, "alice@test").await)
            .await;
        let url = sign_in_url(world.app.settings.public_url.as_str());
        let word = |name: &str| Word {
            claim: RoleClaim { uin: 1, roles: Vec::new(), provider: String::new() },
            name_id: name.to_owned(),
            session_name: Vec::new(),
            recipient: url.clone(),
            audience: url.clone(),
            issuer: names::idp_entity_id(world.app.settings.public_url.as_str(), space),
            provider_attribute: Some(names::provider_arn(account, &launch.provider)),
            session: None,
        };
        let key = world.idp_key().await;
        for stranger in ["root", "bob@test"] {
            let response = word(stranger).sign(&world, &key);
            assert_eq!(present(house, &house.browser(), &response).await, StatusCode::FORBIDDEN);
        }
        let browser = house.browser();
        let response = word(&launch.name_id).sign(&world, &key);
        assert_eq!(present(house, &browser, &response).await, StatusCode::SEE_OTHER);
        let (status, html) = page(house, &browser, "/cloud?action=cvm:DescribeInstances").await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains("alice@test") && html.contains(r#"data-allowed="false""#), "{html}");
        // US-15: shut out, at once in the directory and soon in the account.
        world
            .write(async |tx, act| -> Result<_, provisioning::Error> {
                directory::set_user_enabled(tx, act, space, alice, false).await.unwrap();
                let changed = [Principal::User(alice)];
                Ok(provisioning::access_changed(tx, act, space, &changed).await?)
            })
            .await;
        settle(&world).await;
        assert_eq!(page(house, &browser, "/cloud").await.0, StatusCode::SEE_OTHER);
        let response = word(&launch.name_id).sign(&world, &key);
        assert_eq!(present(house, &house.browser(), &response).await, StatusCode::FORBIDDEN);
    }
}

in_both_worlds! {
    async fn wrong_passwords_lock_a_user_out_for_a_while(world) {
        let account = world.member.uin;
        let hash = password::hash(zeroize::Zeroizing::new("right".to_owned())).await.unwrap();
        world
            .write(async |tx, act| {
                cloud::create_user(tx, act, account, "ann", Some(&hash), "").await
            })
            .await;
        let attempt = async |text: &str| {
            let login = world.read(async |tx| cloud::login(tx, account, "ANN").await).await.unwrap();
            let password = zeroize::Zeroizing::new(text.to_owned());
            let right = password::verify(login.password_hash.clone(), password).await;
            world.write(async |tx, act| cloud::record_login(tx, act, &login, right).await).await
        };
        assert!(attempt("right").await);
        for _ in 0..5 {
            assert!(!attempt("wrong").await);
        }
        assert!(!attempt("right").await, "locked out");
        world.advance(61);
        assert!(attempt("right").await, "and in again");
        assert!(!attempt("wrong").await);
        assert!(attempt("right").await, "the counter began anew");
        let nobody = world.read(async |tx| cloud::login(tx, account, "bob").await).await;
        assert!(nobody.is_none());
    }

    async fn an_access_key_tells_its_owner_and_nobody_who_is_shut_out(world) {
        let account = world.management.uin;
        let key = cloud::new_access_key(&world.app.sealer).unwrap();
        assert_eq!((key.secret_id.len(), &key.secret_id[..4]), (36, "AKID"));
        world
            .write(async |tx, act| {
                let user = cloud::create_user(tx, act, account, "ann", None, "").await?;
                cloud::create_access_key(tx, act, &user, &key).await?;
                // QcloudOrganizationReadOnlyAccess.
                cloud::attach_user_policy(tx, act, &user, 6).await
            })
            .await;
        let who = signer(world, &key.secret_id, None).await.unwrap().unwrap();
        assert_eq!(who.secret_key, key.secret_key);
        let now = world.now();
        let may = async |action: &str| {
            let context = identity_center::policy::Context::new();
            world
                .read(async |tx| {
                    cloud::authorize(tx, &who.principal, action, "*", &context, now).await
                })
                .await
                .allowed
        };
        assert!(may("organization:DescribeOrganization").await);
        assert!(!may("organization:CreateUser").await);
        assert!(!may("cvm:DescribeInstances").await);
        assert!(matches!(signer(world, &key.secret_id, Some("x")).await, Err(CloudError::TokenInvalid)));
        assert!(signer(world, "AKIDnobody", None).await.unwrap().is_none());
        let root = world.read(async |tx| cloud::root(tx, account).await).await.unwrap();
        let root = CamPrincipal::User(root);
        let context = identity_center::policy::Context::new();
        let all = world
            .read(async |tx| cloud::authorize(tx, &root, "a:B", "*", &context, now).await)
            .await;
        assert!(all.allowed && all.deciding.is_some());
        // Shut out: no key of theirs counts, and nothing is allowed.
        let CamPrincipal::User(user) = &who.principal else { panic!() };
        let uin = user.uin;
        world
            .write(async |tx, _| {
                sql("UPDATE cloud_users SET blocked = $1 WHERE uin = $2")
                    .bind(true)
                    .bind(uin)
                    .execute(tx)
                    .await
            })
            .await;
        assert!(signer(world, &key.secret_id, None).await.unwrap().is_none());
    }
}
