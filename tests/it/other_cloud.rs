//! Accounts in other clouds: somebody makes by hand what is wanted, says so, and people enter.

use identity_center::saml::encoding;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    console,
    fake_idp::element,
    house::TestHouse,
    journey::{count, header},
    on_both,
    whole_way::{World, input},
};

const ADDRESS: &str = "https://eu-west-1.signin.aws.amazon.com/saml";

/// The administrator's side of it.
struct Account<'w, 'h> {
    world: &'w World<'h>,
    house: &'h TestHouse,
}

impl Account<'_, '_> {
    fn here(&self, mut given: Value) -> Value {
        given["ZoneId"] = json!(self.world.zone);
        given
    }

    async fn own(&self, action: &str, given: Value) -> Value {
        self.world.administrator.own().done(self.house, action, given).await
    }

    async fn refusal(&self, action: &str, given: Value) -> (String, String) {
        self.world.administrator.own().refusal(self.house, action, given).await
    }

    async fn public(&self, action: &str, given: Value) -> Value {
        self.world.administrator.done(self.house, action, self.here(given)).await
    }

    fn is_in(&self, cloud: &str, number: i64, region: &str) -> Value {
        json!({ "TargetUin": self.world.member.0, "Cloud": cloud, "Number": number, "Region": region })
    }

    /// What is to be done, by kind: the SAML provider first.
    async fn steps(&self) -> Vec<Value> {
        let asked = self.here(json!({ "TargetUin": self.world.member.0 }));
        let found = self.own("ListManualSteps", asked).await;
        found["ManualSteps"].as_array().unwrap().clone()
    }

    async fn confirm(&self, step: &Value) -> usize {
        let word =
            json!({ "ManualStepId": step["ManualStepId"], "Fingerprint": step["Fingerprint"] });
        let done = self.own("ConfirmManualStep", self.here(word)).await;
        self.world.settle().await;
        done["TaskIds"].as_array().unwrap().len()
    }

    /// The state of the only deployment, and why it is so.
    async fn status(&self) -> Value {
        let found = self.public("ListRoleConfigurationProvisionings", json!({})).await;
        found["RoleConfigurationProvisionings"][0]["DeploymentStatus"].clone()
    }

    /// Why the last task failed.
    async fn reason(&self) -> String {
        let failed =
            self.public("ListTasks", json!({ "Status": "Failed", "MaxResults": 100 })).await;
        let tasks = failed["Tasks"].as_array().unwrap();
        let last = tasks.iter().max_by_key(|task| task["TaskId"].as_str().unwrap().to_owned());
        last.unwrap()["FailureReason"].as_str().unwrap().to_owned()
    }

    /// The response that the portal sends along, with the address that it goes to.
    async fn word(&self, browser: &Client) -> Result<(String, String), StatusCode> {
        let page = self.world.launch(browser).await;
        if page.status() != StatusCode::OK {
            return Err(page.status());
        }
        let allowed = header(&page, "content-security-policy").to_owned();
        let text = page.text().await.unwrap();
        let action = text.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let origin = action.parse::<url::Url>().unwrap().origin().ascii_serialization();
        assert!(allowed.contains(&origin), "{origin}: {allowed}");
        let word = encoding::decode(&input(&text, "SAMLResponse")).unwrap();
        Ok((action, String::from_utf8(word).unwrap()))
    }
}

/// How a cloud wants to hear it: each value as its manual prints it, none from our code.
struct Heard {
    acs_url: String,
    audience: &'static str,
    /// Beginning of the attributes' names.
    attributes: &'static str,
    /// The value of `Role`, with `{role}` and `{provider}` for their names.
    role: &'static str,
    /// The value of `RoleSessionName`.
    session_name: &'static str,
    /// The value of `SessionDuration`, where the cloud has that attribute.
    duration: Option<&'static str>,
    /// Which condition the role's trust policy has to hold, of another cloud.
    condition: Option<(&'static str, &'static str)>,
}

/// Ann enters as one role; what the response says, literally.
async fn ann_is_heard(house: &TestHouse, cloud: Option<(&str, i64, &str)>, heard: Heard) {
    let world = World::open(house).await;
    let account = Account { world: &world, house };
    if let Some((cloud, number, region)) = cloud {
        account.own("UpdateAccountCloud", account.is_in(cloud, number, region)).await;
    }
    let name = "ann+1@acme.example";
    let ann = world.push_user(name).await;
    let wanted = json!({ "RoleAssignmentInfo": [world.triple("User", &ann)] });
    account.public("CreateRoleAssignment", wanted).await;
    world.settle().await;
    let mut names = None;
    if cloud.is_some() {
        let steps = account.steps().await;
        for step in &steps {
            account.confirm(step).await;
        }
        let text = |step: &Value| step["Name"].as_str().unwrap().to_owned();
        names = Some((text(&steps[1]), text(&steps[0])));
        let trust = steps[1]["Wanted"]["TrustPolicyDocument"].as_str().unwrap();
        let trust: Value = serde_json::from_str(trust).unwrap();
        let (operator, key) = heard.condition.unwrap();
        let statement = ["Statement", "statement"].map(|it| &trust[it]);
        let statement = statement.into_iter().find(|it| it.is_array()).unwrap();
        let condition = ["Condition", "condition"].map(|it| &statement[0][it][operator][key]);
        let condition = condition.into_iter().find(|it| it.is_string());
        assert_eq!(condition, Some(&json!(heard.acs_url)), "{trust}");
    }
    let browser = house.browser();
    world.sign_in(&browser, name).await;
    let (action, word) = account.word(&browser).await.unwrap();
    assert_eq!(action, heard.acs_url);
    assert!(word.contains(&format!(" Destination=\"{}\"", heard.acs_url)), "{word}");
    assert!(word.contains(&format!(" Recipient=\"{}\"", heard.acs_url)), "{word}");
    let audience = format!("<saml:Audience>{}</saml:Audience>", heard.audience);
    assert_eq!(word.matches("<saml:Audience>").count(), 1, "{word}");
    assert!(word.contains(&audience), "{word}");
    // Our word for the embedded cloud names what it deployed there by itself.
    let statement = element(&word, "saml:AttributeStatement");
    let (role, provider) = names.unwrap_or_else(|| {
        let after = |mark: &str| {
            let rest = statement.split(mark).nth(1).unwrap();
            rest.split([',', '<']).next().unwrap().to_owned()
        };
        (after(":roleName/"), after(":saml-provider/"))
    });
    assert!(role.starts_with("TencentCloudSSO-"), "{role}");
    let value = heard.role.replace("{role}", &role).replace("{provider}", &provider);
    let value = value.replace("{member}", &world.member.0.to_string());
    let mut wanted = vec![("Role", value), ("RoleSessionName", heard.session_name.to_owned())];
    wanted.extend(heard.duration.map(|seconds| ("SessionDuration", seconds.to_owned())));
    let said: Vec<(String, String)> = statement
        .split("<saml:Attribute ")
        .skip(1)
        .map(|attribute| {
            let between = |from: &str, to: char| {
                attribute.split(from).nth(1).unwrap().split(to).next().unwrap().to_owned()
            };
            assert_eq!(attribute.matches("<saml:AttributeValue>").count(), 1, "{attribute}");
            (between("Name=\"", '"'), between("<saml:AttributeValue>", '<'))
        })
        .collect();
    let wanted: Vec<(String, String)> = wanted
        .into_iter()
        .map(|(name, value)| (format!("{}/{name}", heard.attributes), value))
        .collect();
    assert_eq!(said, wanted);
}

on_both! {
    /// Our own: `SAML.md` of ours; the attributes as Tencent Cloud has them.
    async fn the_embedded_cloud_hears_it_in_tencents_words(house) {
        let acs_url = house.url("/cloud/login/saml");
        let audience: &'static str = Box::leak(acs_url.clone().into_boxed_str());
        ann_is_heard(house, None, Heard {
            acs_url,
            audience,
            attributes: "https://cloud.tencent.com/SAML/Attributes",
            role: "qcs::cam::uin/{member}:roleName/{role},\
                   qcs::cam::uin/{member}:saml-provider/{provider}",
            session_name: "ann+1@acme.example",
            duration: None,
            condition: None,
        })
        .await;
    }

    /// CAM, "Azure Active Directory single sign-on": the table of sites, China website (identifier
    /// and reply URL), and the claims below it; its "Creating a role" has `saml:aud`.
    async fn tencent_cloud_china_hears_it(house) {
        ann_is_heard(house, Some(("TencentChina", 100_000_001_234, "")), Heard {
            acs_url: "https://cloud.tencent.com/login/saml".to_owned(),
            audience: "cloud.tencent.com",
            attributes: "https://cloud.tencent.com/SAML/Attributes",
            role: "qcs::cam::uin/100000001234:roleName/{role},\
                   qcs::cam::uin/100000001234:saml-provider/{provider}",
            session_name: "ann+1@acme.example",
            duration: None,
            condition: Some(("string_equal", "saml:aud")),
        })
        .await;
    }

    /// The same table, international website. Manuals from before 2022 have intl.cloud.tencent.com.
    async fn tencent_cloud_international_hears_it(house) {
        ann_is_heard(house, Some(("TencentInternational", 200_000_001_234, "")), Heard {
            acs_url: "https://www.tencentcloud.com/login/saml".to_owned(),
            audience: "www.tencentcloud.com",
            attributes: "https://cloud.tencent.com/SAML/Attributes",
            role: "qcs::cam::uin/200000001234:roleName/{role},\
                   qcs::cam::uin/200000001234:saml-provider/{provider}",
            session_name: "ann+1@acme.example",
            duration: None,
            condition: Some(("string_equal", "saml:aud")),
        })
        .await;
    }

    /// IAM User Guide, "Configure SAML assertions for the authentication response".
    async fn aws_hears_it(house) {
        ann_is_heard(house, Some(("AWS", 42, "")), Heard {
            acs_url: "https://signin.aws.amazon.com/saml".to_owned(),
            audience: "urn:amazon:webservices",
            attributes: "https://aws.amazon.com/SAML/Attributes",
            role: "arn:aws:iam::000000000042:role/{role},\
                   arn:aws:iam::000000000042:saml-provider/{provider}",
            session_name: "ann+1@acme.example",
            duration: Some("3600"),
            condition: Some(("StringEquals", "SAML:aud")),
        })
        .await;
    }

    /// RAM, "SAML assertions for role-based SSO", China site. `+` is not among the signs that the
    /// manuals of both sites allow in names of sessions.
    async fn alibaba_cloud_china_hears_it(house) {
        ann_is_heard(house, Some(("AlibabaChina", 1_234_567_890_123_456, "")), Heard {
            acs_url: "https://signin.aliyun.com/saml-role/sso".to_owned(),
            audience: "urn:alibaba:cloudcomputing",
            attributes: "https://www.aliyun.com/SAML-Role/Attributes",
            role: "acs:ram::1234567890123456:role/{role},\
                   acs:ram::1234567890123456:saml-provider/{provider}",
            session_name: "ann-1@acme.example-f5c337a3ab",
            duration: Some("3600"),
            condition: Some(("StringEquals", "saml:recipient")),
        })
        .await;
    }

    /// The same, international site.
    async fn alibaba_cloud_international_hears_it(house) {
        ann_is_heard(house, Some(("AlibabaInternational", 5_234_567_890_123_456, "")), Heard {
            acs_url: "https://signin.alibabacloud.com/saml-role/sso".to_owned(),
            audience: "urn:alibaba:cloudcomputing:international",
            attributes: "https://www.aliyun.com/SAML-Role/Attributes",
            role: "acs:ram::5234567890123456:role/{role},\
                   acs:ram::5234567890123456:saml-provider/{provider}",
            session_name: "ann-1@acme.example-f5c337a3ab",
            duration: Some("3600"),
            condition: Some(("StringEquals", "saml:recipient")),
        })
        .await;
    }

    async fn an_account_of_another_cloud_is_made_ready_by_hand(house) {
        let world = World::open(house).await;
        let account = Account { world: &world, house };
        let ann = world.push_user("ann@acme.example").await;
        let browser = house.browser();
        world.sign_in(&browser, "ann@acme.example").await;

        // Where it is.
        for (cloud, number, region, wrong) in [
            ("AWS", 0, "", "number"),
            ("AWS", 1_000_000_000_000_i64, "", "number"),
            ("AWS", 7, "evil.example", "region"),
            ("AlibabaChina", 7, "cn-north-1", "region"),
        ] {
            let (code, message) = account
                .refusal("UpdateAccountCloud", account.is_in(cloud, number, region))
                .await;
            assert_eq!(code, "InvalidParameter", "{message}");
            assert!(message.contains(wrong), "{message}");
        }
        let managed = json!({ "TargetUin": world.manager.0, "Cloud": "AWS", "Number": 7 });
        assert_eq!(account.refusal("UpdateAccountCloud", managed).await.0, "FailedOperation");
        let aws = account.is_in("AWS", 123_456_789_012, "eu-west-1");
        account.own("UpdateAccountCloud", aws.clone()).await;
        let shown = account
            .own("DescribeAccountCloud", json!({ "TargetUin": world.member.0 }))
            .await;
        assert_eq!((&shown["Cloud"], &shown["Number"]), (&json!("AWS"), &json!(123_456_789_012_i64)));

        // Nobody is told "deployed" of what nobody has made.
        let wanted = json!({ "RoleAssignmentInfo": [world.triple("User", &ann)] });
        account.public("CreateRoleAssignment", wanted).await;
        world.settle().await;
        assert_eq!(account.status().await, "DeployFailed");
        let reason = account.reason().await;
        assert!(reason.contains("make the role TencentCloudSSO-") && reason.contains("by hand"), "{reason}");
        assert_eq!(account.word(&browser).await, Err(StatusCode::CONFLICT));
        let steps = account.steps().await;
        let kinds: Vec<&Value> = steps.iter().map(|step| &step["ObjectType"]).collect();
        assert_eq!(kinds, [&json!("SAMLProvider"), &json!("Role")]);
        let trust = steps[1]["Wanted"]["TrustPolicyDocument"].as_str().unwrap();
        let trust: Value = serde_json::from_str(trust).unwrap();
        let provider = steps[0]["Name"].as_str().unwrap();
        assert_eq!(
            trust["Statement"][0]["Principal"]["Federated"],
            json!(format!("arn:aws:iam::123456789012:saml-provider/{provider}"))
        );
        assert_eq!(trust["Statement"][0]["Condition"]["StringEquals"]["SAML:aud"], ADDRESS);

        // A word about something else counts for nothing.
        let mut other = steps[1].clone();
        other["Fingerprint"] = steps[0]["Fingerprint"].clone();
        let word = json!({ "ManualStepId": other["ManualStepId"], "Fingerprint": other["Fingerprint"] });
        let (code, message) = account.refusal("ConfirmManualStep", account.here(word)).await;
        assert!(code == "FailedOperation" && message.contains("changed"), "{code}: {message}");
        // The role alone is not enough.
        assert_eq!(account.confirm(&steps[1]).await, 0);
        assert_eq!(account.status().await, "DeployFailed");
        assert_eq!(account.confirm(&steps[0]).await, 1);
        assert_eq!(account.status().await, "Deployed");

        // What is said there is in that cloud's words.
        let (action, word) = account.word(&browser).await.unwrap();
        assert_eq!(action, ADDRESS);
        let role = steps[1]["Name"].as_str().unwrap();
        let said = format!(
            "arn:aws:iam::123456789012:role/{role},arn:aws:iam::123456789012:saml-provider/{provider}"
        );
        assert!(word.contains(&said), "{word}");
        assert!(word.contains("urn:amazon:webservices") && word.contains(ADDRESS), "{word}");

        // A change has to be made there too; until then what is there goes on.
        let change = json!({ "RoleConfigurationId": world.configuration, "NewSessionDuration": 7200 });
        account.public("UpdateRoleConfiguration", change).await;
        let again = json!({ "RoleConfigurationId": world.configuration, "TargetType": "MemberUin",
            "TargetUin": world.member.0 });
        account.public("ProvisionRoleConfiguration", again).await;
        world.settle().await;
        assert_eq!(account.status().await, "DeployFailed");
        assert!(account.word(&browser).await.is_ok());
        let steps = account.steps().await;
        assert_eq!((&steps[0]["IsDone"], &steps[1]["IsDone"]), (&json!(true), &json!(false)));
        assert_eq!(steps[1]["Wanted"]["SessionDuration"], 7200);
        assert_eq!(steps[1]["Made"]["SessionDuration"], 3600);
        assert_eq!(account.confirm(&steps[1]).await, 1);
        assert_eq!(account.status().await, "Deployed");

        // It stays where it is as long as anybody has anything there.
        let away = json!({ "TargetUin": world.member.0, "Cloud": "Default" });
        let (_, message) = account.refusal("UpdateAccountCloud", away.clone()).await;
        assert!(message.contains("stays in its cloud"), "{message}");

        // Access ends at once, and the role is to go.
        let mut gone = world.triple("User", &ann);
        gone["DeprovisionStrategy"] = json!("DeprovisionForLastRoleAssignmentOnAccount");
        account.public("DeleteRoleAssignment", gone).await;
        world.settle().await;
        assert_eq!(account.word(&browser).await, Err(StatusCode::NOT_FOUND));
        assert_eq!(account.status().await, "DeployFailed");
        let steps = account.steps().await;
        assert!(steps[1]["Wanted"].is_null() && !steps[1]["Made"].is_null(), "{}", steps[1]);
        assert_eq!(account.confirm(&steps[1]).await, 1);
        assert_eq!(count(house, "SELECT COUNT(*) FROM deployments").await, 0);
        let steps = account.steps().await;
        assert_eq!(steps.len(), 1);
        assert!(steps[0]["Wanted"].is_null(), "the last one takes the SAML provider with it");
        account.confirm(&steps[0]).await;
        assert!(account.steps().await.is_empty());
        account.own("UpdateAccountCloud", away).await;
    }

    async fn nobody_has_a_cam_user_in_another_cloud(house) {
        let world = World::open(house).await;
        let account = Account { world: &world, house };
        let ann = world.push_user("ann@acme.example").await;
        account.own("UpdateAccountCloud", account.is_in("AlibabaChina", 1234, "")).await;
        let sync = json!({ "UserSyncProvisionings": [{
            "PrincipalId": ann, "PrincipalType": "User", "TargetUin": world.member.0,
            "TargetType": "MemberUin", "DuplicationStrategy": "KeepBoth", "DeletionStrategy": "Keep",
        }] });
        let started = account.public("CreateUserSyncProvisioning", sync).await;
        world.settle().await;
        let task = json!({ "TaskId": started["Tasks"][0]["TaskId"] });
        let ended = account.public("GetProvisioningTaskStatus", task).await;
        let reason = ended["TaskStatus"]["FailureReason"].as_str().unwrap();
        assert!(reason.contains("no CAM users can be made there"), "{ended}");
    }

    /// The same by clicks: the form, the step on the account's page, and who may only look.
    async fn the_console_shows_what_is_to_be_made_by_hand(house) {
        let office = console::Office::open(house).await;
        office.hire("olga", Some("QcloudOrganizationFullAccess")).await;
        office.hire("otto", Some("QcloudOrganizationReadOnlyAccess")).await;
        let browser = office.inside("olga").await;
        let uin = office.world.member.uin;
        let page = house.url(&format!("/console/accounts/{uin}"));
        let form = browser.get(format!("{page}/cloud")).send().await.unwrap();
        assert_eq!(form.status(), StatusCode::OK);
        let post = async |browser: &Client, given: [(&str, &str); 3]| {
            let post = browser.post(format!("{page}/cloud")).header("Origin", house.url(""));
            post.form(&given).send().await.unwrap()
        };
        let wrong = post(&browser, [("cloud", "AWS"), ("number", "12ab"), ("region", "")]).await;
        assert_eq!(wrong.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.text().await.unwrap().contains("value=\"12ab\""), "what was typed is kept");
        let right = [("cloud", "AWS"), ("number", "42"), ("region", "")];
        assert_eq!(post(&office.inside("otto").await, right).await.status(), StatusCode::FORBIDDEN);
        assert_eq!(post(&browser, right).await.status(), StatusCode::SEE_OTHER);
        let shown = browser.get(&page).send().await.unwrap().text().await.unwrap();
        assert!(shown.contains("Amazon Web Services, account 000000000042"), "{shown}");
        let steps = browser.get(format!("{page}?tab=steps")).send().await.unwrap();
        assert!(steps.text().await.unwrap().contains("Nothing is to be made here by hand"));
    }
}
