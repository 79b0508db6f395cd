//! The protocol of `tccli sso`: from the portal to a command line's temporary credentials.

use std::{
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use identity_center::clock::Clock;
use jiff::SignedDuration;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    fake_idp::FakeIdp,
    house::{Database, TestHouse},
    journey::{Company, count, location},
    on_both,
    whole_way::{World, input},
};

/// A word that a command line could have made up.
fn word() -> String {
    identity_center::secret::random_alphanumeric::<32>().unwrap()
}

/// Where a command line sends the browser.
fn address(login: &str, state: &str) -> String {
    let callback = format!("https://cli.cloud.tencent.com/sso?lang=zh-CN&site=cn&state={state}");
    let query = [("loginType", "tccli"), ("callback", callback.as_str()), ("state", state)];
    url::Url::parse_with_params(login, query).unwrap().to_string()
}

/// What `tccli` sends.
async fn ask(house: &TestHouse, path: &str, mut message: Value) -> Value {
    message["TraceId"] = json!("33a7ff66-4417-4cb3-b4c5-3a1c9b05d3a1");
    send(house, path, message.to_string()).await
}

async fn send(house: &TestHouse, path: &str, body: String) -> Value {
    let post = Client::new().post(house.url(&format!("/api/{path}")));
    let answer = post.header("Content-Type", "application/json").body(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["content-type"], "application/json");
    let answer: Value = answer.json().await.unwrap();
    assert!(answer["RequestId"].is_string(), "{answer}");
    answer
}

fn code(answer: &Value) -> &str {
    answer["Error"]["Code"].as_str().unwrap_or("none")
}

async fn poll(house: &TestHouse, state: &str) -> Value {
    ask(house, "sso/check_login_state", json!({ "State": state })).await
}

/// The person presses a button of the page.
async fn press(world: &World<'_>, browser: &Client, state: &str, button: &str) -> Response {
    let post = browser.post(world.portal(&format!("/command-line{button}")));
    let post = post.header("Origin", world.house.url("")).header("Sec-Fetch-Site", "same-origin");
    post.form(&[("state", state)]).send().await.unwrap()
}

/// A yes, and the token for it.
async fn token(world: &World<'_>, browser: &Client) -> String {
    let state = word();
    let said = press(world, browser, &state, "").await;
    assert_eq!(said.status(), StatusCode::OK, "{}", said.text().await.unwrap());
    let answer = poll(world.house, &state).await;
    assert_eq!(answer["Status"], "Finished", "{answer}");
    assert_eq!(answer["Token"]["State"], state);
    answer["Token"]["Token"].as_str().unwrap().to_owned()
}

/// A company, and ann in it, who may look at servers of the member account.
async fn with_ann(house: &TestHouse) -> (World<'_>, String, Client) {
    let world = World::open(house).await;
    let ann = world.push_user("ann").await;
    world.assign("User", &ann).await;
    let browser = house.browser();
    world.sign_in(&browser, "ann").await;
    (world, ann, browser)
}

fn with_token(token: &str) -> Value {
    json!({ "Site": "cn", "LoginToken": token })
}

fn merged(mut one: Value, other: Value) -> Value {
    let Value::Object(other) = other else { panic!() };
    one.as_object_mut().unwrap().extend(other);
    one
}

async fn accounts(house: &TestHouse, token: &str) -> Value {
    let page = json!({ "PageNum": 1, "PageSize": 20 });
    ask(house, "org/list_accounts_for_access_assignment", merged(with_token(token), page)).await
}

async fn saml_response(world: &World<'_>, token: &str) -> Value {
    let which = json!({
        "LoginType": "RoleSAML", "TargetUin": world.member.0, "UserId": "",
        "RoleConfigurationId": world.configuration,
    });
    ask(world.house, "org/gen_saml_response", merged(with_token(token), which)).await
}

/// What STS says to a response, for a session of so many seconds.
async fn assume(world: &World<'_>, response: &Value, seconds: i64) -> Value {
    let (member, zone) = (world.member, &world.zone);
    let wish = json!({
        "Site": "cn", "SAMLAssertion": response,
        "PrincipalArn": format!("qcs::cam::uin/{member}:saml-provider/TencentReservedSSO-{zone}"),
        "RoleArn": format!("qcs::cam::uin/{member}:roleName/TencentCloudSSO-look"),
        "RoleSessionName": "ses-4a1c", "DurationSeconds": seconds,
    });
    ask(world.house, "sts/assume_role_with_saml", wish).await
}

/// Everything that takes a token refuses this one.
async fn expect_dead(world: &World<'_>, token: &str) {
    for path in [
        "org/list_accounts_for_access_assignment",
        "org/list_role_configurations_for_account",
        "org/gen_saml_response",
    ] {
        let answer = ask(world.house, path, with_token(token)).await;
        assert_eq!(code(&answer), "AuthFailure.TokenFailure", "{path}: {answer}");
    }
    let skey = json!({ "LoginSkey": token });
    let answer = ask(world.house, "org/verify_login_skey", skey).await;
    assert_eq!(code(&answer), "AuthFailure.TokenFailure", "{answer}");
    for what in ["session", "accounts"] {
        let get = Client::new().get(world.portal(&format!("/api/{what}"))).bearer_auth(token);
        assert_eq!(get.send().await.unwrap().status(), StatusCode::UNAUTHORIZED, "{what}");
    }
}

on_both! {
    async fn a_command_line_gets_what_its_person_allows(house) {
        let (world, _, _) = with_ann(house).await;
        let state = word();
        assert_eq!(poll(house, &state).await["Status"], "NotFound");

        // Nobody is signed in: the person signs in, and comes back to the question.
        let browser = house.browser();
        let asked = browser.get(address(&world.portal("/login"), &state)).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::SEE_OTHER);
        let question = location(&asked);
        let asked = browser.get(&question).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::SEE_OTHER);
        let page = browser.get(location(&asked)).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("login/start?return_to="), "{page}");
        let start = page.split("id=\"sign-in\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let begun = browser.get(house.url(&start.replace("&#38;", "&"))).send().await.unwrap();
        let idp = FakeIdp::new();
        let request = idp.read(&location(&begun));
        let answer = idp.answer(&request, "ann", house.now().to_jiff());
        let acs = browser.post(request.acs_url.unwrap()).header("Origin", "https://idp.example.com");
        let accepted =
            acs.form(&[("SAMLResponse", answer.signed().base64())]).send().await.unwrap();
        let inside = browser.get(location(&accepted)).send().await.unwrap();
        assert_eq!(location(&inside), question);
        let page = browser.get(&question).send().await.unwrap();
        assert_eq!(page.headers()["cache-control"], "no-store");
        let page = page.text().await.unwrap();
        assert!(page.contains("<strong>ann</strong>"), "{page}");
        assert!(page.contains(&format!("<code id=\"mark\">{}</code>", &state[26..])), "{page}");
        assert_eq!(input(&page, "state"), state);

        // Looking is not saying yes.
        assert_eq!(poll(house, &state).await["Status"], "NotFound");
        let said = press(&world, &browser, &state, "").await;
        assert_eq!(said.status(), StatusCode::OK);
        assert!(said.text().await.unwrap().contains("Go on in your terminal"));
        let answer = poll(house, &state).await;
        assert_eq!(answer["Status"], "Finished", "{answer}");
        assert_eq!((&answer["Token"]["State"], &answer["Token"]["Site"]), (&json!(state), &json!("cn")));
        let token = answer["Token"]["Token"].as_str().unwrap();
        assert!(token.starts_with("iccli_") && token.len() == 28, "{token}");
        // Once, whoever comes next.
        assert_eq!(poll(house, &state).await["Status"], "NotFound");
        let again = press(&world, &browser, &state, "").await;
        assert_eq!(again.status(), StatusCode::CONFLICT);
        assert!(again.text().await.unwrap().contains("AnsweredAlready"));

        // Nothing that opens anything is in the database.
        let kept = "SELECT COUNT(*) FROM sessions WHERE door = 'command-line'";
        assert_eq!(count(house, kept).await, 1);
        let found = accounts(house, token).await;
        assert_eq!(found["TotalCounts"], 1);
        assert_eq!(found["Accounts"], json!([{ "Uin": world.member.0, "Name": "shop" }]));
        let roles = json!({ "TargetUin": world.member.0, "MaxResults": 20, "NextToken": "" });
        let path = "org/list_role_configurations_for_account";
        let roles = ask(house, path, merged(with_token(token), roles)).await;
        let look = json!([{ "RoleConfigurationId": world.configuration,
                            "RoleConfigurationName": "look" }]);
        assert_eq!(roles["RoleConfigurationsForAccount"], look);
        assert_eq!((&roles["IsTruncated"], &roles["NextToken"]), (&json!(false), &json!("")));
        let skey = json!({ "LoginSkey": token });
        assert_eq!(ask(house, "org/verify_login_skey", skey).await["ZoneId"], world.zone);

        // As long as the configuration says, and not a second longer.
        let response = saml_response(&world, token).await["SAMLResponse"].clone();
        let refused = assume(&world, &response, 3601).await;
        assert_eq!(code(&refused), "InvalidParameter.OverTimeError", "{refused}");
        let opened = assume(&world, &response, 3600).await;
        assert_eq!(opened["ExpiredTime"], house.now().as_second() + 3600, "{opened}");
        assert_eq!(code(&assume(&world, &response, 3600).await), "UnauthorizedOperation");
        let key = |name: &str| opened["Credentials"][name].as_str().unwrap();
        let inside = world.administrator.with_keys(
            key("TmpSecretId"), key("TmpSecretKey"), Some(key("Token")));
        let me = inside.sts().done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(me["AccountId"], world.member.to_string());
        let log = world.log().await;
        for action in
            ["command_line.allow", "command_line.sign_in", "portal.enter_account", "role_session.open"]
        {
            assert!(log.iter().any(|it| it == action), "{action}: {log:?}");
        }

        // The portal's JSON takes the token too, of this space.
        let get = Client::new().get(world.portal("/api/session")).bearer_auth(token);
        let session: Value = get.send().await.unwrap().json().await.unwrap();
        assert_eq!(session["user_name"], "ann");
        let get = Client::new().get(world.portal("/api/accounts")).bearer_auth(token);
        let reached: Value = get.send().await.unwrap().json().await.unwrap();
        assert_eq!(reached["accounts"][0]["roles"][0]["name"], "look");
    }

    async fn what_is_declined_forgotten_or_forged_gets_nothing(house) {
        let (world, _, browser) = with_ann(house).await;
        // No is told to the command line, once.
        let state = word();
        let said = press(&world, &browser, &state, "/decline").await;
        assert!(said.text().await.unwrap().contains("was refused"));
        assert_eq!(code(&poll(house, &state).await), "UnauthorizedOperation");
        assert_eq!(poll(house, &state).await["Status"], "NotFound");
        // A yes cannot follow it.
        assert_eq!(press(&world, &browser, &state, "").await.status(), StatusCode::CONFLICT);

        // Who does not come in time comes too late.
        let state = word();
        press(&world, &browser, &state, "").await;
        house.app.clock.advance(SignedDuration::from_secs(120));
        assert_eq!(poll(house, &state).await["Status"], "NotFound");

        // Another site cannot say yes for the person, nor can whoever is not signed in.
        let state = word();
        let forged = browser.post(world.portal("/command-line"));
        let forged = forged.header("Origin", "https://evil.example").header("Sec-Fetch-Site", "cross-site");
        let forged = forged.form(&[("state", state.as_str())]).send().await.unwrap();
        assert_eq!(forged.status(), StatusCode::FORBIDDEN);
        let stranger = press(&world, &house.browser(), &state, "").await;
        assert!(location(&stranger).ends_with("/portal/acme/login"));
        assert_eq!(poll(house, &state).await["Status"], "NotFound");
        let query = format!("/command-line?state={state}");
        let get = browser.get(world.portal(&query)).send().await.unwrap();
        assert_eq!(get.status(), StatusCode::OK);
        assert_eq!(poll(house, &state).await["Status"], "NotFound");

        // A word that could be guessed, or that is none, is not asked about.
        for wrong in ["", "a", &"a".repeat(31), &"a".repeat(65), "<script>aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let asked = browser.get(address(&world.portal("/login"), wrong)).send().await.unwrap();
            assert_eq!(asked.status(), StatusCode::BAD_REQUEST, "{wrong}");
            assert_eq!(press(&world, &browser, wrong, "").await.status(), StatusCode::BAD_REQUEST);
            let answer = poll(house, wrong).await;
            assert!(code(&answer).starts_with("InvalidParameter"), "{wrong}: {answer}");
        }
        assert_eq!(count(house, "SELECT COUNT(*) FROM sessions WHERE door = 'command-line'").await, 0);
    }

    async fn usr_18_ses_03_a_command_line_ends_with_its_persons_access(house) {
        let (world, ann, browser) = with_ann(house).await;
        let line = token(&world, &browser).await;
        let response = saml_response(&world, &line).await["SAMLResponse"].clone();
        let opened = assume(&world, &response, 1800).await;
        let key = |name: &str| opened["Credentials"][name].as_str().unwrap();
        let inside = world.administrator.with_keys(
            key("TmpSecretId"), key("TmpSecretKey"), Some(key("Token"))).sts();
        inside.done(house, "GetCallerIdentity", json!({})).await;
        let unused = saml_response(&world, &line).await["SAMLResponse"].clone();
        // An answer that nobody has come for does not outlive it either.
        let state = word();
        press(&world, &browser, &state, "").await;

        // Switched off: at once, credentials and all; and for good.
        let switch = |on: bool| json!({ "op": "replace", "path": "active", "value": on });
        world.patch(&format!("/Users/{ann}"), switch(false)).await;
        expect_dead(&world, &line).await;
        assert_eq!(poll(house, &state).await["Status"], "NotFound");
        let (ended, _) = inside.refusal(house, "GetCallerIdentity", json!({})).await;
        assert!(ended.starts_with("AuthFailure"), "{ended}");
        assert_eq!(code(&assume(&world, &unused, 1800).await), "UnauthorizedOperation");
        world.patch(&format!("/Users/{ann}"), switch(true)).await;
        expect_dead(&world, &line).await;
        assert_eq!(poll(house, &state).await["Status"], "NotFound");

        // Signing out of the portal ends it.
        house.app.clock.advance(SignedDuration::from_secs(1));
        world.sign_in(&browser, "ann").await;
        let line = token(&world, &browser).await;
        let out = browser.post(world.portal("/sign-out")).header("Origin", house.url(""));
        assert!(out.send().await.unwrap().status().as_u16() < 400);
        expect_dead(&world, &line).await;

        // So does an administrator who ends the portal session it came from.
        world.sign_in(&browser, "ann").await;
        let line = token(&world, &browser).await;
        let end = json!({ "ZoneId": world.zone, "UserId": ann });
        world.administrator.own().done(house, "EndPortalSession", end).await;
        expect_dead(&world, &line).await;

        // And time.
        world.sign_in(&browser, "ann").await;
        let line = token(&world, &browser).await;
        let get = Client::new().get(world.portal("/api/session")).bearer_auth(&line);
        let session: Value = get.send().await.unwrap().json().await.unwrap();
        let ends: jiff::Timestamp = session["expires_at"].as_str().unwrap().parse().unwrap();
        let left = ends.as_second() - house.now().as_second();
        house.app.clock.advance(SignedDuration::from_secs(left - 1));
        assert_eq!(code(&accounts(house, &line).await), "none");
        house.app.clock.advance(SignedDuration::from_secs(1));
        expect_dead(&world, &line).await;

        // Deleted by the directory.
        world.sign_in(&browser, "ann").await;
        let line = token(&world, &browser).await;
        world.scim(Method::DELETE, &format!("/Users/{ann}"), json!({})).await;
        expect_dead(&world, &line).await;
        world.settle().await;
    }

    async fn ses_04_a_role_that_is_taken_away_is_gone_for_a_command_line(house) {
        let world = World::open(house).await;
        let (ann, bob) = (world.push_user("ann").await, world.push_user("bob").await);
        let group = world.push_group("Developers", &[&ann]).await;
        world.assign("Group", &group).await;
        let (anns, bobs) = (house.browser(), house.browser());
        world.sign_in(&anns, "ann").await;
        world.sign_in(&bobs, "bob").await;
        let (line, other) = (token(&world, &anns).await, token(&world, &bobs).await);

        // Each has what its person has: bob, who is here too, nothing.
        assert_eq!(accounts(house, &other).await["Accounts"], json!([]));
        assert_eq!(code(&saml_response(&world, &other).await), "UnauthorizedOperation");
        let _ = bob;

        let unused = saml_response(&world, &line).await["SAMLResponse"].clone();
        let out = json!({ "op": "remove", "path": format!("members[value eq \"{ann}\"]") });
        world.patch(&format!("/Groups/{group}"), out).await;
        assert_eq!(accounts(house, &line).await["Accounts"], json!([]));
        assert_eq!(code(&saml_response(&world, &line).await), "UnauthorizedOperation");
        assert_eq!(code(&assume(&world, &unused, 1800).await), "UnauthorizedOperation");
        world.settle().await;
    }

    async fn a_token_opens_its_own_space_and_nothing_else(house) {
        let (world, _, browser) = with_ann(house).await;
        let line = token(&world, &browser).await;
        let other = Company::open(house, "other").await;
        let get = Client::new().get(other.portal("/api/session")).bearer_auth(&line);
        assert_eq!(get.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        // It is no cookie, and a cookie is no token.
        let id = line.strip_prefix("iccli_").unwrap();
        let get = Client::new().get(world.portal("/api/session"));
        let get = get.header("Cookie", format!("portal_session_{}={id}", world.space));
        assert_eq!(get.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let post = house.browser().post(world.portal("/command-line")).bearer_auth(&line);
        let post = post.header("Origin", house.url("")).form(&[("state", word())]);
        let post = post.send().await.unwrap();
        assert_eq!(post.status(), StatusCode::SEE_OTHER);
        assert!(location(&post).ends_with("/login"), "{}", post.status());
        let inside = world.try_sign_in(&house.browser(), "ann").await;
        let cookie = inside.headers()["set-cookie"].to_str().unwrap().to_owned();
        let cookie = cookie.split(['=', ';']).nth(1).unwrap();
        expect_dead(&world, &format!("iccli_{cookie}")).await;
        for forged in ["", "iccli_", "iccli_AAAAAAAAAAAAAAAAAAAAAA", &line[..27], &line.replace("iccli_", "icscim_")] {
            expect_dead(&world, forged).await;
        }
        // Who shows a bad token is nobody, whatever cookie comes with it.
        let get = browser.get(world.portal("/api/session")).bearer_auth("iccli_x");
        assert_eq!(get.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
    }

    async fn set_10_a_command_line_comes_from_the_portals_networks(house) {
        let (world, _, browser) = with_ann(house).await;
        let line = token(&world, &browser).await;
        let open_to = async |networks: Value| {
            let list = json!({ "ZoneId": world.zone, "IpWhitelist": networks });
            world.administrator.done(house, "UpdateIPWhitelist", list).await;
        };
        open_to(json!(["203.0.113.0/24"])).await;
        expect_dead(&world, &line).await;
        let state = word();
        assert_eq!(press(&world, &browser, &state, "").await.status(), StatusCode::FORBIDDEN);
        let asked = browser.get(address(&world.portal("/login"), &state)).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::FORBIDDEN);
        open_to(json!(["127.0.0.0/8"])).await;
        assert_eq!(code(&accounts(house, &line).await), "none");
    }

    async fn messages_that_are_none(house) {
        let (world, _, browser) = with_ann(house).await;
        let line = token(&world, &browser).await;
        let roles = "org/list_role_configurations_for_account";
        // A number as text is refused, as in the original.
        let text = merged(with_token(&line), json!({ "TargetUin": world.member.to_string() }));
        assert_eq!(code(&ask(house, roles, text).await), "InvalidParameter");
        let none = merged(with_token(&line), json!({ "TargetUin": world.manager.0 }));
        let none = ask(house, roles, none).await;
        assert_eq!(none["RoleConfigurationsForAccount"], json!([]));
        for (wrong, expected) in [
            (json!({ "TargetUin": 1, "NextToken": "x" }), "InvalidParameter.NextTokenInvalid"),
            (json!({ "TargetUin": 1, "NextToken": "-1" }), "InvalidParameter.NextTokenInvalid"),
            (json!({ "TargetUin": 1, "MaxResults": 0 }), "InvalidParameter.ParamError"),
            (json!({ "TargetUin": 1, "MaxResults": 101 }), "InvalidParameter.ParamError"),
            (json!({ "TargetUin": 1, "Odd": 1 }), "UnknownParameter"),
            (json!({}), "MissingParameter"),
        ] {
            let answer = ask(house, roles, merged(with_token(&line), wrong.clone())).await;
            assert_eq!(code(&answer), expected, "{wrong}: {answer}");
        }
        let far = json!({ "TargetUin": world.member.0, "NextToken": "4000000000" });
        let far = ask(house, roles, merged(with_token(&line), far)).await;
        assert_eq!((&far["RoleConfigurationsForAccount"], &far["IsTruncated"]), (&json!([]), &json!(false)));
        let page = json!({ "PageNum": 1_000_000, "PageSize": 100 });
        let path = "org/list_accounts_for_access_assignment";
        let page = ask(house, path, merged(with_token(&line), page)).await;
        assert_eq!((&page["Accounts"], &page["TotalCounts"]), (&json!([]), &json!(1)));
        for wrong in [json!({ "TargetUin": -1 }), json!({ "RoleConfigurationId": "rc-0" })] {
            let which = json!({ "LoginType": "RoleSAML", "TargetUin": world.member.0, "UserId": "",
                                "RoleConfigurationId": world.configuration });
            let which = merged(merged(with_token(&line), which), wrong.clone());
            let answer = ask(house, "org/gen_saml_response", which).await;
            assert_eq!(code(&answer), "UnauthorizedOperation", "{wrong}");
        }
        for (body, expected) in [
            ("", "AuthFailure.TokenFailure"),
            ("{}", "AuthFailure.TokenFailure"),
            ("[]", "InvalidRequest"),
            ("{", "InvalidRequest"),
            ("{\"LoginToken\": 1}", "AuthFailure.TokenFailure"),
            ("{\"LoginToken\": \"\\u0000\"}", "AuthFailure.TokenFailure"),
        ] {
            assert_eq!(code(&send(house, path, body.to_owned()).await), expected, "{body}");
        }
        let long = format!("{{\"LoginToken\": \"{}\"}}", "a".repeat(256 * 1024));
        assert_eq!(code(&send(house, path, long).await), "RequestSizeLimitExceeded");
        let junk = STANDARD.encode("<Response/>");
        assert_eq!(code(&assume(&world, &json!(junk), 1800).await), "UnauthorizedOperation");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_asks_too_often_waits() {
    let house = TestHouse::with_settings(|settings| {
        settings.rate_limits.command_line_per_second = 1.try_into().unwrap();
        settings.rate_limits.command_line_burst = 3.try_into().unwrap();
    })
    .await;
    let state = word();
    let mut codes = Vec::new();
    for _ in 0..4 {
        codes.push(code(&poll(&house, &state).await).to_owned());
    }
    assert_eq!(codes[..3], ["none", "none", "none"]);
    assert_eq!(codes[3], "RequestLimitExceeded");
    house.close().await;
}

/// Stock tccli signs in and calls, with one constant patched. Its clock is this machine's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tccli_sso_signs_in_and_calls() {
    let Some(program) = crate::tools::python("tests/python/tccli_sso.py") else { return };
    let program: Vec<_> = std::iter::once(program.get_program())
        .chain(program.get_args())
        .map(ToOwned::to_owned)
        .collect();
    let house = TestHouse::on(Database::sqlite(), Clock::system()).await;
    let (world, ann, browser) = with_ann(&house).await;
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".tccli")).unwrap();
    let server = house.url("");
    let tccli = |arguments: &[&str]| {
        let mut command = Command::new(&program[0]);
        command.args(&program[1..]).args(arguments).stdin(Stdio::null());
        // The test itself is the browser.
        command.env("HOME", home.path()).env("SERVER", &server).env("BROWSER", "true");
        command.env("TENCENTCLOUD_REGION", "ap-guangzhou");
        command
    };
    let run = async |arguments: &[&str]| {
        let mut command = tccli(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    };
    let done = run(&["sso", "configure", "--url", &world.portal("/login")]).await;
    assert!(done.status.success(), "{done:?}");

    let member = world.member.to_string();
    let login = ["sso", "login", "--uin", &member, "--rolename", "look", "--duration", "1800"];
    let mut command = tccli(&login);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap());
    let (said, asked) = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        while !line.starts_with("http") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "tccli says no address");
        }
        (said, line.trim().to_owned())
    })
    .await
    .unwrap();
    let question = browser.get(asked).send().await.unwrap();
    let page = browser.get(location(&question)).send().await.unwrap().text().await.unwrap();
    let allowed = press(&world, &browser, &input(&page, "state"), "").await;
    assert_eq!(allowed.status(), StatusCode::OK);
    let ended = tokio::task::spawn_blocking(move || {
        let rest: Vec<String> = said.lines().map_while(Result::ok).collect();
        (rest, child.wait_with_output().unwrap())
    });
    let (rest, ended) = tokio::time::timeout(Duration::from_mins(1), ended).await.unwrap().unwrap();
    assert!(ended.status.success(), "{rest:?} {ended:?}");
    let file = std::fs::read_to_string(home.path().join(".tccli/default.credential"));
    let file: Value = serde_json::from_str(&file.unwrap()).unwrap();
    assert_eq!(
        (&file["type"], &file["sso"]["zoneId"]),
        (&json!("sso"), &json!(world.zone)),
        "{rest:?}"
    );

    // With what it got it calls, and may what the role may.
    let whoami = ["sts", "GetCallerIdentity", "--endpoint", &server];
    let me = run(&whoami).await;
    let me: Value = serde_json::from_slice(&me.stdout).unwrap_or_else(|_| panic!("{me:?}"));
    assert_eq!((&me["Type"], &me["AccountId"]), (&json!("CAMRole"), &json!(member)));
    let refused = run(&["cam", "ListUsers", "--endpoint", &server]).await;
    assert_eq!(refused.status.code(), Some(255), "{refused:?}");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("UnauthorizedOperation"));

    // Until she is switched off.
    let off = json!({ "op": "replace", "path": "active", "value": false });
    world.patch(&format!("/Users/{ann}"), off).await;
    let refused = run(&whoami).await;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("AuthFailure"), "{refused:?}");
    let token = file["sso"]["token"].as_str().unwrap();
    expect_dead(&world, token).await;
    world.settle().await;
    house.close().await;
}
