//! The portal as a person uses it: what one reaches, finds, keeps at hand and takes to a terminal.

use std::{fmt::Write as _, process::Command};

use identity_center::{id::Uin, store::sql};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    house::TestHouse,
    journey::{count, header, location},
    on_both,
    whole_way::{World, input},
};

/// A page of the portal of somebody who is in.
async fn page(world: &World<'_>, browser: &Client, rest: &str) -> String {
    let answer = browser.get(world.portal(rest)).send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{rest}: {text}");
    text
}

async fn press(world: &World<'_>, browser: &Client, rest: &str, form: &[(&str, &str)]) -> Response {
    let post = browser.post(world.portal(rest)).header("Origin", world.house.url(""));
    post.header("Sec-Fetch-Site", "same-origin").form(form).send().await.unwrap()
}

/// The part of a page that is about one account.
fn section(page: &str, account: Uin) -> &str {
    let from = page.find(&format!("aria-labelledby=\"account-{account}\""));
    let rest = &page[from.unwrap_or_else(|| panic!("no account {account}: {page}"))..];
    rest.split("</section>").next().unwrap()
}

async fn configure(world: &World<'_>, name: &str) -> String {
    let new = json!({ "ZoneId": world.zone, "RoleConfigurationName": name,
        "Description": format!("What {name} is for"), "SessionDuration": 7200 });
    let made = world.administrator.done(world.house, "CreateRoleConfiguration", new).await;
    made["RoleConfigurationInfo"]["RoleConfigurationId"].as_str().unwrap().to_owned()
}

/// Gives a user roles on accounts, and waits until they are there.
async fn give(world: &World<'_>, user: &str, places: &[(Uin, &str)]) {
    let triples: Vec<Value> = places
        .iter()
        .map(|(account, role)| {
            let kind = if *account == world.manager { "ManagerUin" } else { "MemberUin" };
            json!({ "PrincipalType": "User", "PrincipalId": user, "TargetType": kind,
                "TargetUin": account.0, "RoleConfigurationId": role })
        })
        .collect();
    let wanted = json!({ "ZoneId": world.zone, "RoleAssignmentInfo": triples });
    world.administrator.done(world.house, "CreateRoleAssignment", wanted).await;
    world.settle().await;
}

/// ann, with two roles on each of two accounts, signed in.
async fn with_two_by_two(house: &TestHouse) -> (World<'_>, String, String, Client) {
    let world = World::open(house).await;
    let ann = world.push_user("ann").await;
    let change = configure(&world, "change").await;
    let (look, here, there) = (world.configuration.clone(), world.member, world.manager);
    let four = [(here, &*look), (here, &*change), (there, &*look), (there, &*change)];
    give(&world, &ann, &four).await;
    let browser = house.browser();
    world.sign_in(&browser, "ann").await;
    (world, ann, change, browser)
}

async fn set_command_line(world: &World<'_>, allowed: bool) {
    let which = json!({ "ZoneId": world.zone, "RoleConfigurationId": world.configuration });
    let mut set = which.clone();
    set["IsAllowed"] = json!(allowed);
    let own = world.administrator.own();
    own.done(world.house, "UpdateCommandLineAccess", set).await;
    let told = own.done(world.house, "DescribeCommandLineAccess", which).await;
    assert_eq!(told["IsAllowed"], allowed);
}

/// What stands in a snippet of the page of credentials.
fn snippet(page: &str, id: &str) -> String {
    let (_, rest) = page.split_once(&format!("<code id=\"{id}\">")).unwrap();
    let text = rest.split("</code>").next().unwrap();
    text.replace("&#34;", "\"").replace("&#39;", "'").replace("&quot;", "\"")
}

on_both! {
    async fn prt_03_prt_06_each_account_opens_to_its_roles(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        let home = page(&world, &browser, "").await;
        assert!(home.contains("CAM roles <span class=\"count\">2</span>"), "{home}");
        assert!(home.contains("CAM users <span class=\"count\">0</span>"), "{home}");
        assert!(home.contains("Most services know roles."), "{home}");
        for account in [world.member, world.manager] {
            let part = section(&home, account);
            assert!(part.contains("2 roles"), "{part}");
            for (role, name) in [(&world.configuration, "look"), (&change, "change")] {
                let way = format!("/accounts/{account}/roles/{role}/login\"");
                assert_eq!(part.matches(&way).count(), 1, "{part}");
                assert!(part.contains(&format!("<strong>{name}</strong>")), "{part}");
            }
            assert!(part.contains("What change is for") && part.contains("2 h per session"),
                "{part}");
        }
        let users = page(&world, &browser, "?tab=users").await;
        assert!(users.contains("for services that know no roles"), "{users}");
    }

    async fn prt_04_cam_users_stand_in_a_tab_of_their_own(house) {
        let (world, ann, _, browser) = with_two_by_two(house).await;
        let syncs: Vec<Value> = [(world.member, "MemberUin"), (world.manager, "ManagerUin")]
            .iter()
            .map(|(account, kind)| json!({ "PrincipalId": ann, "PrincipalType": "User",
                "TargetUin": account.0, "TargetType": kind, "DuplicationStrategy": "KeepBoth",
                "DeletionStrategy": "Keep" }))
            .collect();
        let syncs = json!({ "ZoneId": world.zone, "UserSyncProvisionings": syncs });
        world.administrator.done(house, "CreateUserSyncProvisioning", syncs).await;
        world.settle().await;
        let users = page(&world, &browser, "?tab=users").await;
        assert!(users.contains("CAM users <span class=\"count\">2</span>"), "{users}");
        assert_eq!(users.matches("/login\"><button").count(), 2, "{users}");
        let part = section(&users, world.member);
        let (_, way) = part.split_once("action=\"/portal/acme").unwrap();
        let way = way.split('"').next().unwrap();
        let word = press(&world, &browser, way, &[]).await.text().await.unwrap();
        let entered = world.enter(&browser, &input(&word, "SAMLResponse")).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        assert!(world.console(&browser, &[]).await.unwrap().contains("CAM user"));
    }

    async fn prt_05_who_has_nothing_is_told_so_and_what_to_do(house) {
        let world = World::open(house).await;
        world.push_user("ann").await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        for (tab, words) in [("", "any account as a role"), ("?tab=users", "as a CAM user")] {
            let home = page(&world, &browser, tab).await;
            assert!(home.contains("You have no access to any account"), "{home}");
            assert!(home.contains(words) && home.contains("ask for here"), "{home}");
            assert!(home.contains("give your user name, ann"), "{home}");
            assert!(!home.contains("role=\"search\""), "nothing to search: {home}");
        }
    }

    async fn prt_07_roles_stay_open_side_by_side(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        let enter = async |account: Uin, role: &str| {
            let way = format!("/accounts/{account}/roles/{role}/login");
            let text = press(&world, &browser, &way, &[]).await.text().await.unwrap();
            let entered = world.enter(&browser, &input(&text, "SAMLResponse")).await;
            assert_eq!(entered.status(), StatusCode::SEE_OTHER);
            location(&entered)
        };
        let windows = [
            (enter(world.member, &world.configuration).await, "TencentCloudSSO-look"),
            (enter(world.manager, &change).await, "TencentCloudSSO-change"),
            (enter(world.member, &change).await, "TencentCloudSSO-change"),
        ];
        let open = async |window: &str| {
            let answer = browser.get(window).send().await.unwrap();
            match answer.status() {
                StatusCode::OK => Some(answer.text().await.unwrap()),
                _ => None,
            }
        };
        for (window, role) in &windows {
            let text = open(window).await.unwrap_or_else(|| panic!("{window} is closed"));
            assert!(text.contains(&format!("id=\"role\">{role}<")), "{text}");
        }
        assert!(open(&windows[0].0).await.unwrap().contains(&world.member.to_string()));
        assert!(open(&windows[1].0).await.unwrap().contains(&world.manager.to_string()));
        // Signing out of one leaves the others.
        let (_, query) = windows[2].0.split_once('?').unwrap();
        let out = browser.post(house.url(&format!("/cloud/sign-out?{query}")));
        out.header("Origin", house.url("")).send().await.unwrap();
        assert!(open(&windows[2].0).await.is_none());
        assert!(open(&windows[0].0).await.is_some() && open(&windows[1].0).await.is_some());
        // Nobody else's window opens, and whoever enters next in this browser finds none of them.
        assert!(house.browser().get(&windows[0].0).send().await.unwrap().status().is_redirection());
        let bob = world.push_user("bob").await;
        give(&world, &bob, &[(world.member, &world.configuration)]).await;
        world.sign_in(&browser, "bob").await;
        enter(world.member, &world.configuration).await;
        assert!(open(&windows[0].0).await.is_none() && open(&windows[1].0).await.is_none());
    }

    async fn prt_08_what_is_not_ready_is_told_and_not_entered(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        for (state, words, code) in [
            ("pending", "Being set up", "AccessNotReady"),
            ("failed", "Could not be set up", "AccessFailed"),
        ] {
            let id: identity_center::id::ConfigurationId = change.parse().unwrap();
            let member = world.member;
            let set: identity_center::store::Result<u64> = house
                .app
                .db
                .write(async |tx| {
                    sql("UPDATE assignments SET state = $1
                         WHERE account_uin = $2 AND configuration_id = $3")
                        .bind(state)
                        .bind(member)
                        .bind(id)
                        .execute(tx)
                        .await
                })
                .await;
            assert_eq!(set.unwrap(), 1);
            let home = page(&world, &browser, "").await;
            let part = section(&home, member);
            assert!(part.contains(words), "{part}");
            let role = format!("/accounts/{member}/roles/{change}");
            assert!(!part.contains(&format!("{role}/login")), "{part}");
            let own = page(&world, &browser, &role).await;
            assert!(!own.contains("id=\"enter-account\""), "{own}");
            assert!(!own.contains("id=\"show-credentials\""), "{own}");
            for way in ["login", "credentials"] {
                let refused = press(&world, &browser, &format!("{role}/{way}"), &[]).await;
                assert_eq!(refused.status(), StatusCode::CONFLICT);
                assert!(refused.text().await.unwrap().contains(code), "{state} {way}");
            }
        }
    }

    async fn prt_10_people_find_keep_and_share_what_they_reach(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        let (here, there) = (world.member, world.manager);
        // By the account's name or number, and by the role.
        for (wanted, accounts, roles) in [
            ("shop".to_owned(), vec![here], 2),
            ("SHOP".to_owned(), vec![here], 2),
            (there.to_string(), vec![there], 2),
            ("chang".to_owned(), vec![here, there], 2),
            ("nothing%20like%20it".to_owned(), vec![], 0),
        ] {
            let found = page(&world, &browser, &format!("?tab=roles&search={wanted}")).await;
            for account in [here, there] {
                let there = found.contains(&format!("id=\"account-{account}\""));
                assert_eq!(there, accounts.contains(&account), "{wanted}: {found}");
            }
            assert_eq!(found.matches("/login\"><button").count(), roles, "{wanted}: {found}");
            assert_eq!(found.contains("Nothing that you may enter has"), accounts.is_empty());
        }
        // A star stays, comes first, and goes.
        let role = format!("/accounts/{there}/roles/{change}");
        let kept = press(&world, &browser, &format!("{role}/favourite"), &[("keep", "true")]).await;
        assert!(location(&kept).ends_with("?done=kept"));
        let home = page(&world, &browser, "").await;
        let (_, favourites) = home.split_once("id=\"favourites\"").unwrap();
        assert!(favourites.split("</section>").next().unwrap().contains(&role), "{home}");
        let dropped =
            press(&world, &browser, &format!("{role}/favourite"), &[("keep", "false")]).await;
        assert!(location(&dropped).ends_with("?done=dropped"));
        assert!(!page(&world, &browser, "").await.contains("id=\"favourites\""));
        assert_eq!(count(house, "SELECT COUNT(*) FROM portal_shortcuts").await, 0);
        let other = format!("/accounts/{there}/roles/rc-zzzzzzzzzzzz/favourite");
        let refused = press(&world, &browser, &other, &[("keep", "true")]).await;
        assert_eq!(refused.status(), StatusCode::NOT_FOUND);
        // What was entered lately is at hand.
        world.word(&browser).await;
        let home = page(&world, &browser, "").await;
        let (_, recent) = home.split_once("id=\"recent\"").unwrap();
        let entered = format!("/accounts/{here}/roles/{}", world.configuration);
        assert!(recent.split("</section>").next().unwrap().contains(&entered), "{home}");
        // The account's id can be copied, and so can the link to a role.
        assert!(home.contains(&format!("data-copy=\"{here}\"")), "{home}");
        let own = page(&world, &browser, &role).await;
        assert!(own.contains(&format!("data-copy=\"{}\"", world.portal(&role))), "{own}");
        // A link to what is not there, or is not theirs, says one thing.
        let elsewhere = format!("/accounts/{there}/roles/rc-zzzzzzzzzzzz");
        let answer = browser.get(world.portal(&elsewhere)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let text = answer.text().await.unwrap();
        assert!(text.contains("NoAccess") && text.contains("You have no such access"), "{text}");
    }

    async fn prt_10_a_link_to_a_role_survives_the_sign_in_and_enters_nothing(house) {
        let (world, _, change, _) = with_two_by_two(house).await;
        let role = format!("/accounts/{}/roles/{change}", world.manager);
        let stranger = house.browser();
        let lead = stranger.get(world.portal(&role)).send().await.unwrap();
        assert_eq!(lead.status(), StatusCode::SEE_OTHER);
        let login = stranger.get(location(&lead)).send().await.unwrap().text().await.unwrap();
        let (_, start) = login.split_once("id=\"sign-in\" href=\"").unwrap();
        let start = start.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&");
        let begun = stranger.get(house.url(&start)).send().await.unwrap();
        let idp = crate::fake_idp::FakeIdp::new();
        let request = idp.read(&location(&begun));
        let answer = idp.answer(&request, "ann", house.now().to_jiff());
        let accepted = stranger
            .post(request.acs_url.unwrap())
            .header("Origin", "https://idp.example.com")
            .form(&[("SAMLResponse", answer.signed().base64())])
            .send()
            .await
            .unwrap();
        let inside = stranger.get(location(&accepted)).send().await.unwrap();
        assert_eq!(location(&inside), world.portal(&role));
        let before = count(house, "SELECT COUNT(*) FROM portal_shortcuts").await;
        let own = page(&world, &stranger, &role).await;
        assert!(own.contains("change in") && own.contains("id=\"enter-account\""), "{own}");
        // Looking entered nothing, the page sends no form by itself, and nobody may frame it.
        assert!(!own.contains("data-submit"), "{own}");
        assert_eq!(count(house, "SELECT COUNT(*) FROM portal_shortcuts").await, before);
        let answer = stranger.get(world.portal(&role)).send().await.unwrap();
        let policy = header(&answer, "content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        // And another site cannot press the button.
        let forged = stranger
            .post(world.portal(&format!("{role}/login")))
            .header("Origin", "https://evil.example")
            .header("Sec-Fetch-Site", "cross-site");
        assert_eq!(forged.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    }

    async fn prt_10_what_is_kept_at_hand_stays_a_handful(house) {
        let world = World::open(house).await;
        let ann = world.push_user("ann").await;
        let mut roles = vec![world.configuration.clone()];
        for number in 0..26 {
            roles.push(configure(&world, &format!("role-{number}")).await);
        }
        let places: Vec<(Uin, &str)> = roles.iter().map(|it| (world.member, &**it)).collect();
        give(&world, &ann, &places).await;
        let browser = house.browser();
        world.sign_in(&browser, "ann").await;
        for (number, role) in roles.iter().enumerate() {
            let way = format!("/accounts/{}/roles/{role}/favourite", world.member);
            let set = press(&world, &browser, &way, &[("keep", "true")]).await;
            let expected = if number < 24 { StatusCode::SEE_OTHER } else { StatusCode::CONFLICT };
            assert_eq!(set.status(), expected, "{number}");
        }
        for role in &roles[..9] {
            house.app.clock.advance(jiff::SignedDuration::from_secs(1));
            let way = format!("/accounts/{}/roles/{role}", world.member);
            press(&world, &browser, &format!("{way}/favourite"), &[("keep", "false")]).await;
            let entered = press(&world, &browser, &format!("{way}/login"), &[]).await;
            assert_eq!(entered.status(), StatusCode::OK);
        }
        let recent = "SELECT COUNT(*) FROM portal_shortcuts WHERE entered_at IS NOT NULL";
        assert_eq!(count(house, recent).await, 6);
        assert_eq!(count(house, "SELECT COUNT(*) FROM portal_shortcuts").await, 15 + 6);
        let home = page(&world, &browser, "").await;
        let (_, recent) = home.split_once("id=\"recent\"").unwrap();
        let recent = recent.split("</section>").next().unwrap();
        let at = |number: usize| recent.find(&format!("/roles/{}\"", roles[number]));
        assert!(at(8) < at(7) && at(7) < at(3) && at(3).is_some() && at(2).is_none(), "{recent}");
    }

    async fn prt_11_ses_02_credentials_for_the_command_line(house) {
        let (world, ann, _, browser) = with_two_by_two(house).await;
        let role = format!("/accounts/{}/roles/{}", world.member, world.configuration);
        let shown = press(&world, &browser, &format!("{role}/credentials"), &[]).await;
        assert_eq!(shown.status(), StatusCode::OK);
        assert_eq!(header(&shown, "cache-control"), "no-store");
        assert_eq!(header(&shown, "referrer-policy"), "no-referrer");
        let text = shown.text().await.unwrap();
        assert!(text.contains("They count for 1 hour"), "{text}");
        // bash
        let script = format!("{}\nprintf '%s %s %s' \"$TENCENTCLOUD_SECRET_ID\" \
            \"$TENCENTCLOUD_SECRET_KEY\" \"$TENCENTCLOUD_TOKEN\"", snippet(&text, "bash"));
        let ran = Command::new("bash").arg("-c").arg(script).output().unwrap();
        let said = String::from_utf8(ran.stdout).unwrap();
        let [id, key, token] = said.split(' ').collect::<Vec<_>>()[..] else { panic!("{said}") };
        // JSON
        let process: Value = serde_json::from_str(&snippet(&text, "json")).unwrap();
        assert_eq!((&process["Version"], &process["AccessKeyId"], &process["SecretAccessKey"],
            &process["SessionToken"]), (&json!(1), &json!(id), &json!(key), &json!(token)));
        let ends: jiff::Timestamp = process["Expiration"].as_str().unwrap().parse().unwrap();
        assert_eq!(ends.duration_since(house.now().to_jiff()).as_secs(), 3600);
        let file: Value = serde_json::from_str(&snippet(&text, "file")).unwrap();
        assert_eq!((&file["secretId"], &file["secretKey"], &file["token"]),
            (&json!(id), &json!(key), &json!(token)));
        // The others, to the letter.
        let expect = |line: &dyn Fn(&str, &str) -> String| {
            let mut lines = String::new();
            for (name, value) in [("SECRET_ID", id), ("SECRET_KEY", key), ("TOKEN", token),
                ("SECURITY_TOKEN", token)]
            {
                writeln!(lines, "{}", line(&format!("TENCENTCLOUD_{name}"), value)).unwrap();
            }
            lines.trim_end().to_owned()
        };
        assert_eq!(snippet(&text, "powershell"), expect(&|n, v| format!("$Env:{n} = '{v}'")));
        assert_eq!(snippet(&text, "cmd"), expect(&|n, v| format!("set \"{n}={v}\"")));
        assert_eq!(snippet(&text, "env"), expect(&|n, v| format!("{n}={v}")));
        // No shell reads more into them than letters.
        let plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        assert!(plain(id) && plain(key) && plain(token));

        // They work, as the role; another request gives others; both are recorded, without secrets.
        let temporary = world.administrator.sts().with_keys(id, key, Some(token));
        let me = temporary.done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!((&me["Type"], &me["AccountId"]), (&json!("CAMRole"), &json!(world.member.to_string())));
        let again = press(&world, &browser, &format!("{role}/credentials"), &[]).await;
        assert!(!again.text().await.unwrap().contains(id));
        let log = world.log().await;
        for action in ["portal.enter_account", "role_session.open"] {
            assert_eq!(log.iter().filter(|it| *it == action).count(), 2, "{log:?}");
        }
        let like = format!("SELECT COUNT(*) FROM audit_records WHERE state_after LIKE '%{key}%'");
        let leaked: identity_center::store::Result<i64> = house.app.db
            .read(async |tx| sql(Box::leak(like.into_boxed_str())).fetch_number(tx).await).await;
        assert_eq!(leaked.unwrap(), 0);

        // They end with the access (SES-04).
        let off = json!({ "op": "replace", "path": "active", "value": false });
        world.patch(&format!("/Users/{ann}"), off).await;
        world.settle().await;
        let (code, _) = temporary.refusal(house, "GetCallerIdentity", json!({})).await;
        assert!(code.starts_with("AuthFailure"), "{code}");
    }

    async fn prt_11_switched_off_there_are_no_credentials_anywhere(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        // A word from before, and a browser in the account.
        let word = world.word(&browser).await;
        world.enter(&browser, &world.word(&browser).await).await;
        set_command_line(&world, false).await;
        let role = format!("/accounts/{}/roles/{}", world.member, world.configuration);
        let own = page(&world, &browser, &role).await;
        assert!(own.contains("give out no credentials"), "{own}");
        assert!(!own.contains("/credentials\""), "{own}");
        let refused = press(&world, &browser, &format!("{role}/credentials"), &[]).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("CommandLineOff"));
        // The account's console and STS, which the portal's word reaches too.
        let at_console = browser.post(house.url("/cloud/credentials"));
        let at_console = at_console.header("Origin", house.url("")).send().await.unwrap();
        assert_eq!(at_console.status(), StatusCode::CONFLICT);
        assert!(at_console.text().await.unwrap().contains("CommandLineOff"));
        let member = world.member;
        let assume = json!({
            "SAMLAssertion": word, "RoleSessionName": "ann",
            "PrincipalArn": format!("qcs::cam::uin/{member}:saml-provider/TencentReservedSSO-{}", world.zone),
            "RoleArn": format!("qcs::cam::uin/{member}:roleName/TencentCloudSSO-look"),
        });
        let sts = world.administrator.sts();
        let answer = sts.unsigned(house, "AssumeRoleWithSAML", assume).await;
        assert_eq!(answer["Error"]["Code"], "UnauthorizedOperation", "{answer}");
        // The browser still goes in, and the other role still gives them.
        let entered = world.enter(&browser, &world.word(&browser).await).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        let other = format!("/accounts/{member}/roles/{change}/credentials");
        assert_eq!(press(&world, &browser, &other, &[]).await.status(), StatusCode::OK);
        set_command_line(&world, true).await;
        let shown = press(&world, &browser, &format!("{role}/credentials"), &[]).await;
        assert_eq!(shown.status(), StatusCode::OK);
        let log = world.log().await;
        assert_eq!(log.iter().filter(|it| *it == "configuration.update").count(), 2, "{log:?}");
    }

    async fn prt_12_signing_out_tells_which_accounts_stay_open_and_until_when(house) {
        let (world, _, _, browser) = with_two_by_two(house).await;
        let (second, third) = (house.browser(), house.browser());
        world.sign_in(&second, "ann").await;
        world.sign_in(&third, "ann").await;
        let entered = world.enter(&browser, &world.word(&browser).await).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        // One's own sessions: this one, two others, and the account.
        let own = page(&world, &browser, "/sessions").await;
        assert_eq!(own.matches("This one").count(), 1, "{own}");
        assert_eq!(own.matches("/end\"><button").count(), 3, "two others and all others: {own}");
        assert!(own.contains("Accounts that are open") && own.contains(">look<"), "{own}");
        assert!(own.contains("in 1 hour"), "{own}");
        // One of another person is not theirs to end.
        world.push_user("bob").await;
        let bob = house.browser();
        world.sign_in(&bob, "bob").await;
        let ids = |page: &str| -> Vec<String> {
            let parts = page.split("/sessions/").skip(1);
            parts.filter_map(|it| it.split_once("/end\"")).map(|(id, _)| id.to_owned())
                .filter(|id| !id.contains('"')).collect()
        };
        let [one, _] = &ids(&own)[..] else { panic!("{own}") };
        let forbidden = press(&world, &bob, &format!("/sessions/{one}/end"), &[]).await;
        assert_eq!(forbidden.status(), StatusCode::NOT_FOUND);
        let ended = press(&world, &browser, &format!("/sessions/{one}/end"), &[]).await;
        assert!(location(&ended).ends_with("?done=ended"));
        let inside = async |browser: &Client| world.json(browser, "session").await.is_some();
        assert_eq!([inside(&browser).await, inside(&second).await, inside(&third).await]
            .iter().filter(|it| **it).count(), 2);
        assert!(inside(&browser).await && inside(&bob).await);
        let others = press(&world, &browser, "/sessions/end", &[]).await;
        assert!(location(&others).ends_with("?done=others"));
        assert!(inside(&browser).await && !inside(&second).await && !inside(&third).await);
        // What was opened out of an ended session ends with it, and which that was nobody can tell.
        assert!(world.console(&browser, &[]).await.is_none());
        house.app.clock.advance(jiff::SignedDuration::from_secs(2));
        let entered = world.enter(&browser, &world.word(&browser).await).await;
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
        // Out: the account's session is told, with its end.
        let out = press(&world, &browser, "/sign-out", &[]).await;
        assert_eq!(out.status(), StatusCode::OK);
        let text = out.text().await.unwrap();
        assert!(!inside(&browser).await);
        assert!(text.contains("You are signed out"), "{text}");
        let ends = house.now().plus_seconds(3600).to_jiff().strftime("%Y-%m-%d %H:%M:%S");
        assert!(text.contains("Accounts that stay open") && text.contains(&ends.to_string()), "{text}");
        assert!(text.contains(&world.member.to_string()), "{text}");
        assert!(world.console(&browser, &[]).await.is_some(), "as it says");
    }

    async fn sso_01_prt_02_the_portal_knows_no_password(house) {
        let (world, _, change, browser) = with_two_by_two(house).await;
        let login = page(&world, &house.browser(), "/login").await;
        let preferences = login.matches("<form class=\"preferences\"").count();
        assert_eq!(login.matches("<form").count(), preferences, "one link and no form: {login}");
        assert_eq!(login.matches("id=\"sign-in\"").count(), 1, "{login}");
        let role = format!("/accounts/{}/roles/{change}", world.manager);
        for rest in ["", "?tab=users", "/requests", "/sessions", &role, "/login",
            "/command-line?state=abcdefghijklmnopqrstuvwxyz012345"]
        {
            let text = page(&world, &browser, rest).await;
            for field in ["type=\"password\"", "name=\"password\"", "name=\"username\""] {
                assert!(!text.contains(field), "{rest}: {text}");
            }
        }
        // Whatever is sent to a door of the portal, nobody gets in by it.
        let stranger = house.browser();
        for door in ["", "/login", "/login/start", "/login/finish", "/api/session"] {
            let form = [("username", "ann"), ("user_name", "ann"), ("password", "ann-password")];
            let post = stranger.post(world.portal(door)).header("Origin", house.url(""));
            let answer = post.form(&form).basic_auth("ann", Some("ann-password")).send().await.unwrap();
            assert!(answer.headers().get("set-cookie").is_none_or(|cookie|
                !cookie.to_str().unwrap().starts_with("portal_session")), "{door}");
            assert!(world.json(&stranger, "session").await.is_none(), "{door}");
        }
    }
}

/// The home of somebody who reaches 500 accounts in ten roles each: it stays small.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prt_10_a_large_home_stays_light() {
    let house = TestHouse::sqlite().await;
    let world = World::open(&house).await;
    let ann = world.push_user("ann").await;
    let mut roles = vec![world.configuration.clone()];
    for number in 1..10 {
        roles.push(configure(&world, &format!("role-{number}")).await);
    }
    let user: identity_center::id::UserId = ann.parse().unwrap();
    let roles: Vec<identity_center::id::ConfigurationId> =
        roles.iter().map(|role| role.parse().unwrap()).collect();
    let made: identity_center::store::Result<()> = house
        .app
        .db
        .write(async |tx| {
            for number in 0..500_i64 {
                let uin = Uin(900_000_000_000 + number);
                sql("INSERT INTO accounts (uin, organization_id, department_id, kind, name, remark,
                         created_at, updated_at)
                     SELECT $1, organization_id, department_id, kind, $2, '', created_at, updated_at
                     FROM accounts WHERE uin = $3")
                    .bind(uin)
                    .bind(format!("account-{number:03}"))
                    .bind(world.member)
                    .execute(tx)
                    .await?;
                for (at, role) in roles.iter().enumerate() {
                    let id = 1_000_000 + number * 10 + i64::try_from(at).unwrap();
                    sql("INSERT INTO assignments (id, space_id, principal_kind, principal_id,
                             account_uin, configuration_id, state, created_at, updated_at)
                         SELECT $1, space_id, 'user', id, $2, $3, 'active', created_at, updated_at
                         FROM users WHERE id = $4")
                        .bind(id)
                        .bind(uin)
                        .bind(*role)
                        .bind(user)
                        .execute(tx)
                        .await?;
                    sql("INSERT INTO deployments (id, space_id, configuration_id, account_uin, state,
                             deployed_content, created_at, updated_at)
                         SELECT $1, space_id, id, $2, 'deployed', content, created_at, updated_at
                         FROM permission_configurations WHERE id = $3")
                        .bind(id)
                        .bind(uin)
                        .bind(*role)
                        .execute(tx)
                        .await?;
                }
            }
            Ok(())
        })
        .await;
    made.unwrap();
    let browser = house.browser();
    world.sign_in(&browser, "ann").await;
    for rest in ["", "?tab=roles&page=25", "?tab=roles&search=role"] {
        let home = page(&world, &browser, rest).await;
        assert!(home.len() < 120_000, "{rest}: {} bytes", home.len());
        assert_eq!(home.matches("class=\"card account\"").count(), 10, "{rest}");
    }
    let home = page(&world, &browser, "").await;
    assert!(home.contains("500 accounts, page 1 of 50"), "{home}");
    let one = page(&world, &browser, "?tab=roles&search=account-417").await;
    assert_eq!(one.matches("/login\"><button").count(), 10);
    house.close().await;
}
