//! The signed JSON API, through the front door.

use base64::{Engine, engine::general_purpose::STANDARD};
use identity_center::{
    cloud::{self, CamUser, NewAccessKey, sign_in},
    id::SpaceId,
    organization::{Account, Organization},
    policy::catalogue,
    saml::{
        certificate::SigningKey,
        identity_provider::{AttributeToState, ResponseToIssue},
        name_id_format,
        response::Received,
    },
    space::{self, KeyPurpose},
    sso, tc3,
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    fake_idp::{FakeIdp, right_key, wrong_key},
    house::TestHouse,
    on_both,
};

/// A key that signs, and how it signs: a test changes one thing.
#[derive(Clone)]
pub struct Client {
    pub secret_id: String,
    pub secret_key: String,
    token: Option<String>,
    service: &'static str,
    version: &'static str,
    /// Seconds by which the client's clock is ahead.
    ahead: i64,
}

/// An organisation with somebody who may administer it.
pub struct Administration {
    pub organization: Organization,
    pub account: Account,
    pub client: Client,
}

/// Makes an organisation, its management account and a key of its root.
pub async fn administration(house: &TestHouse) -> Administration {
    administration_of(house, "Example").await
}

pub async fn administration_of(house: &TestHouse, name: &str) -> Administration {
    let act = house.app.own_act("test").unwrap();
    let key = cloud::new_access_key(&house.app.sealer).unwrap();
    let (organization, account, _) = house
        .app
        .db
        .write(async |tx| cloud::install(tx, &act, name, "administrator", "-", &key).await)
        .await
        .unwrap();
    Administration { organization, account, client: Client::with(&key) }
}

impl Client {
    pub fn with(key: &NewAccessKey) -> Self {
        Self {
            secret_id: key.secret_id.clone(),
            secret_key: key.secret_key.to_string(),
            token: None,
            service: "organization",
            version: "2021-03-31",
            ahead: 0,
        }
    }

    pub async fn of_root(house: &TestHouse, account: &Account) -> Self {
        let found = house.app.db.read(async |tx| cloud::root(tx, account.uin).await).await.unwrap();
        Self::of(house, &found.unwrap()).await
    }

    pub async fn of(house: &TestHouse, user: &CamUser) -> Self {
        let act = house.app.own_act("test").unwrap();
        let key = cloud::new_access_key(&house.app.sealer).unwrap();
        house
            .app
            .db
            .write(async |tx| cloud::create_access_key(tx, &act, user, &key).await)
            .await
            .unwrap();
        Self::with(&key)
    }

    pub fn sts(&self) -> Self {
        Self { service: "sts", version: "2018-08-13", ..self.clone() }
    }

    /// The same at our own actions.
    pub fn own(&self) -> Self {
        Self { service: "identitycenter", version: "2026-11-22", ..self.clone() }
    }

    pub fn cam(&self) -> Self {
        Self { service: "cam", version: "2019-01-16", ..self.clone() }
    }

    /// Somebody with other keys: a secret id, a secret key, and a token if they are temporary.
    pub fn with_keys(&self, secret_id: &str, secret_key: &str, token: Option<&str>) -> Self {
        Self {
            secret_id: secret_id.to_owned(),
            secret_key: secret_key.to_owned(),
            token: token.map(str::to_owned),
            ..self.clone()
        }
    }

    /// Calls an action without a signature.
    pub async fn unsigned(&self, house: &TestHouse, action: &str, parameters: Value) -> Value {
        let body = parameters.to_string();
        let host = house.address.to_string();
        let mut headers = self.headers(house, "POST", &host, "", action, &body);
        headers.retain(|(name, _)| name != "Authorization");
        headers.push(("Authorization".to_owned(), "SKIP".to_owned()));
        send(house, "POST", "/", &headers, &body).await
    }

    /// The headers of a request, signed.
    fn headers(
        &self,
        house: &TestHouse,
        method: &str,
        host: &str,
        query: &str,
        action: &str,
        body: &str,
    ) -> Vec<(String, String)> {
        let kind = match method {
            "GET" => "application/x-www-form-urlencoded",
            _ => "application/json",
        };
        let timestamp = house.now().as_second() + self.ahead;
        let signed: [(&str, &[u8]); 2] =
            [("content-type", kind.as_bytes()), ("host", host.as_bytes())];
        let parts = tc3::Parts { method, query, headers: &signed, body: body.as_bytes() };
        let authorization =
            tc3::sign(&self.secret_id, &self.secret_key, self.service, timestamp, &parts).unwrap();
        let mut headers = vec![
            ("Content-Type".to_owned(), kind.to_owned()),
            ("Host".to_owned(), host.to_owned()),
            ("X-TC-Action".to_owned(), action.to_owned()),
            ("X-TC-Version".to_owned(), self.version.to_owned()),
            ("X-TC-Timestamp".to_owned(), timestamp.to_string()),
            ("Authorization".to_owned(), authorization),
        ];
        headers.extend(self.token.iter().map(|token| ("X-TC-Token".to_owned(), token.clone())));
        headers
    }

    /// Calls an action and returns what is in the envelope, without the request's id.
    pub async fn call(&self, house: &TestHouse, action: &str, parameters: Value) -> Value {
        let body = parameters.to_string();
        let host = house.address.to_string();
        let headers = self.headers(house, "POST", &host, "", action, &body);
        send(house, "POST", "/", &headers, &body).await
    }

    /// Calls an action that must be refused and returns the code and the text.
    pub async fn refusal(
        &self,
        house: &TestHouse,
        action: &str,
        parameters: Value,
    ) -> (String, String) {
        code_of(&self.call(house, action, parameters).await)
    }

    /// Calls an action that must work.
    pub async fn done(&self, house: &TestHouse, action: &str, parameters: Value) -> Value {
        let answer = self.call(house, action, parameters).await;
        assert_eq!(answer.get("Error"), None, "{action}: {answer}");
        answer
    }
}

fn code_of(answer: &Value) -> (String, String) {
    let error = answer.get("Error").unwrap_or_else(|| panic!("was not refused: {answer}"));
    (error["Code"].as_str().unwrap().to_owned(), error["Message"].as_str().unwrap().to_owned())
}

/// Sends bytes of our own making, as clients with peculiar ideas do, and opens the envelope.
async fn send(
    house: &TestHouse,
    method: &str,
    target: &str,
    headers: &[(String, String)],
    body: &str,
) -> Value {
    let mut request = format!("{method} {target} HTTP/1.1\r\n");
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    request += &format!("Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let mut stream = TcpStream::connect(house.address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    // A server that has heard enough may close before the end.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let kinds: Vec<&str> = head.lines().filter(|line| line.starts_with("content-type:")).collect();
    assert_eq!(kinds, ["content-type: application/json"], "{head}");
    let mut answer: Value = serde_json::from_str(body).unwrap();
    let mut answer = answer["Response"].take();
    let id = answer.as_object_mut().unwrap().remove("RequestId").unwrap();
    let id = id.as_str().unwrap();
    assert!(head.contains(&format!("x-request-id: {id}")), "{head}");
    assert!(id.len() == 36 && id.as_bytes()[14] == b'4', "not a UUID of version 4: {id}");
    answer
}

on_both! {
    async fn the_shapes_of_success_and_failure(house) {
        let Administration { organization, account, client } = administration(house).await;
        let answer = client.call(house, "DescribeOrganization", json!({})).await;
        assert_eq!(answer["OrgId"], organization.id.0);
        assert_eq!(answer["HostUin"], account.uin.0);
        assert_eq!(answer["RootNodeId"], account.node_id);
        assert_eq!(answer["IsManager"], true);
        assert_eq!(answer["CreateTime"], "2026-11-22 16:00:00");
        assert_eq!(
            client.call(house, "DescribeIdentityCenter", json!({})).await,
            json!({"Error": {
                "Code": "FailedOperation.IdentityCenterNotOpen",
                "Message": "The organisation has no space yet.",
            }})
        );
    }

    /// A signed request that somebody has found changes nothing a second time, though its timestamp
    /// still holds; and its signature is good for no other action.
    async fn a_request_that_comes_again_later_changes_nothing(house) {
        let Administration { client, .. } = administration(house).await;
        let zone = client.done(house, "OpenIdentityCenter", json!({ "ZoneName": "acme" })).await;
        let zone = &zone["ZoneId"];
        let host = house.address.to_string();
        let signed = |action: &str, body: &str| client.headers(house, "POST", &host, "", action, body);
        let again = async |headers: &[(String, String)], body: &str| {
            send(house, "POST", "/", headers, body).await
        };
        let body = json!({ "ZoneId": zone, "UserName": "ann" }).to_string();
        let create = signed("CreateUser", &body);
        let ann = again(&create, &body).await["UserInfo"]["UserId"].clone();
        // At once it is the client's own repetition, and is answered as such.
        let (code, _) = code_of(&again(&create, &body).await);
        assert_eq!(code, "InvalidParameter.UsernameAlreadyExists");
        let user = json!({ "ZoneId": zone, "UserId": ann });
        let body_of_get = user.to_string();
        let get = signed("GetUser", &body_of_get);
        again(&get, &body_of_get).await;
        client.done(house, "DeleteUser", user).await;
        house.app.clock.advance(jiff::SignedDuration::from_secs(3));
        let (code, text) = code_of(&again(&create, &body).await);
        assert_eq!(code, "AuthFailure.SignatureExpire", "{text}");
        let left = client.done(house, "ListUsers", json!({ "ZoneId": zone })).await;
        assert_eq!(left["TotalCounts"], 0, "nobody is back");
        // What only reads may come again.
        let (code, _) = code_of(&again(&get, &body_of_get).await);
        assert_eq!(code, "ResourceNotFound.UserNotExist");

        // Nor may a read come again as something else.
        let mut read = get.clone();
        for (name, value) in &mut read {
            if name == "X-TC-Action" {
                "DeleteUser".clone_into(value);
            }
        }
        let (code, _) = code_of(&again(&read, &body_of_get).await);
        assert_eq!(code, "AuthFailure.SignatureExpire");

        let made = |kind: &str, name: &str| json!({ "ZoneId": zone, kind: name });
        let bob = client.done(house, "CreateUser", made("UserName", "bob")).await;
        let staff = client.done(house, "CreateGroup", made("GroupName", "staff")).await;
        let pair = json!({
            "ZoneId": zone, "UserId": bob["UserInfo"]["UserId"],
            "GroupId": staff["GroupInfo"]["GroupId"],
        });
        let body = pair.to_string();
        let mut headers = signed("AddUserToGroup", &body);
        assert_eq!(again(&headers, &body).await.get("Error"), None);
        house.app.clock.advance(jiff::SignedDuration::from_secs(3));
        for (name, value) in &mut headers {
            if name == "X-TC-Action" {
                "RemoveUserFromGroup".clone_into(value);
            }
        }
        let (code, _) = code_of(&again(&headers, &body).await);
        assert_eq!(code, "AuthFailure.SignatureExpire", "the action is not what was signed for");
        let members = json!({ "ZoneId": zone, "GroupId": pair["GroupId"] });
        let members = client.done(house, "ListGroupMembers", members).await;
        assert_eq!(members["TotalCounts"], 1);
    }

    async fn every_failure_of_a_signature_has_its_code(house) {
        let Administration { client, .. } = administration(house).await;
        let host = house.address.to_string();
        let signed = |client: &Client| {
            client.headers(house, "POST", &host, "", "DescribeOrganization", "{}")
        };
        let without = |name: &str| -> Vec<_> {
            signed(&client).into_iter().filter(|(header, _)| header != name).collect()
        };
        let with = |name: &str, value: &str| -> Vec<_> {
            let mut headers = without(name);
            headers.push((name.to_owned(), value.to_owned()));
            headers
        };
        let ahead = |ahead: i64| signed(&Client { ahead, ..client.clone() });
        let other_id = Client { secret_id: "AKIDnobody".to_owned(), ..client.clone() };
        let other_key = Client { secret_key: "wrong".to_owned(), ..client.clone() };
        let with_token = Client { token: Some("token".to_owned()), ..client.clone() };
        let other_scope = signed(&client)
            .into_iter()
            .map(|(name, value)| (name, value.replace("/2026-11-22/", "/2026-11-21/")))
            .collect();
        for (what, headers, body, code) in [
            ("as it should be", signed(&client), "{}", None),
            ("no action", without("X-TC-Action"), "{}", Some("MissingParameter")),
            ("no version", without("X-TC-Version"), "{}", Some("MissingParameter")),
            ("no signature", without("Authorization"), "{}", Some("MissingParameter")),
            ("no timestamp", without("X-TC-Timestamp"), "{}", Some("MissingParameter")),
            ("no time", with("X-TC-Timestamp", "x"), "{}", Some("InvalidParameter")),
            (
                "another scheme",
                with("Authorization", "Bearer x"),
                "{}",
                Some("AuthFailure.InvalidAuthorization"),
            ),
            ("skipped", with("Authorization", "SKIP"), "{}", Some("AuthFailure.InvalidAuthorization")),
            ("5 minutes old", ahead(-300), "{}", None),
            ("too old", ahead(-301), "{}", Some("AuthFailure.SignatureExpire")),
            ("too new", ahead(301), "{}", Some("AuthFailure.SignatureExpire")),
            ("another day", other_scope, "{}", Some("AuthFailure.InvalidAuthorization")),
            ("unknown key", signed(&other_id), "{}", Some("AuthFailure.SecretIdNotFound")),
            ("wrong key", signed(&other_key), "{}", Some("AuthFailure.SignatureFailure")),
            ("another body", signed(&client), "{ }", Some("AuthFailure.SignatureFailure")),
            ("a token too many", signed(&with_token), "{}", Some("AuthFailure.TokenFailure")),
            (
                "another host",
                with("Host", "example.com"),
                "{}",
                Some("AuthFailure.SignatureFailure"),
            ),
        ] {
            let answer = send(house, "POST", "/", &headers, body).await;
            let found = answer.get("Error").map(|error| error["Code"].as_str().unwrap());
            assert_eq!(found, code, "{what}: {answer}");
        }
    }

    async fn requests_that_are_not_calls(house) {
        let Administration { client, .. } = administration(house).await;
        let service = |service, version| Client { service, version, ..client.clone() };
        for (client, action, parameters, code) in [
            (service("cvm", "2017-03-12"), "DescribeInstances", json!({}), "NoSuchProduct"),
            (service("organization", "2020-01-01"), "ListUsers", json!({}), "NoSuchVersion"),
            (client.clone(), "Nothing", json!({}), "InvalidAction"),
            (client.clone(), "InviteOrganizationMember", json!({}), "UnsupportedOperation"),
            (service("cam", "2019-01-16"), "CreateUserSAMLConfig", json!({}), "UnsupportedOperation"),
            (client.clone(), "DescribeOrganization", json!([]), "InvalidRequest"),
            (client.clone(), "DescribeOrganization", json!({"Zone": 1}), "UnknownParameter"),
            (client.clone(), "OpenIdentityCenter", json!({}), "MissingParameter"),
            (client.clone(), "OpenIdentityCenter", json!({"ZoneName": 1}), "InvalidParameter"),
            (
                client.clone(),
                "DescribeOrganizationMembers",
                json!({"Offset": 0, "Limit": 51}),
                "InvalidParameter",
            ),
        ] {
            let (found, message) = client.refusal(house, action, parameters).await;
            assert_eq!(found, code, "{action}: {message}");
        }
        // Parameters are judged only once it is known who asks.
        let stranger = Client { secret_key: "wrong".to_owned(), ..client.clone() };
        let (code, _) = stranger.refusal(house, "Nothing", json!({"A": 1})).await;
        assert_eq!(code, "AuthFailure.SignatureFailure");
        let large = " ".repeat(10 * 1024 * 1024 + 1);
        let host = house.address.to_string();
        let headers = client.headers(house, "POST", &host, "", "ListUsers", &large);
        let answer = send(house, "POST", "/", &headers, &large).await;
        assert_eq!(code_of(&answer).0, "RequestSizeLimitExceeded");
    }

    async fn peculiar_clients_are_understood(house) {
        let Administration { client, account, .. } = administration(house).await;
        // tccli writes its endpoint into Host; through a proxy the target is a whole URL; GETs
        // carry their parameters in the query.
        let uin = account.uin.0;
        let query = "Limit=10&Offset=0";
        let addressed = format!("http://{}", house.address);
        let elsewhere = "organization.tencentcloudapi.com";
        for (method, target, host, query, action) in [
            ("POST", "/".to_owned(), addressed.as_str(), "", "DescribeOrganization"),
            ("POST", format!("http://{elsewhere}/"), elsewhere, "", "DescribeOrganization"),
            ("GET", format!("/?{query}"), elsewhere, query, "DescribeOrganizationMembers"),
        ] {
            let body = if method == "GET" { "" } else { "{}" };
            let headers = client.headers(house, method, host, query, action, body);
            let answer = send(house, method, &target, &headers, body).await;
            let seen = if query.is_empty() { &answer["HostUin"] } else { &answer["Items"][0]["MemberUin"] };
            assert_eq!(seen, uin, "{method} {target}: {answer}");
        }
        let query = "Action=DescribeOrganization&Version=2021-03-31";
        let mut headers = client.headers(house, "GET", "h", query, "x", "");
        headers.retain(|(name, _)| name != "X-TC-Action" && name != "X-TC-Version");
        let answer = send(house, "GET", &format!("/?{query}"), &headers, "").await;
        assert_eq!(answer["HostUin"], uin);
        let page = house.browser().get(house.url("/")).header("Accept", "text/html").send().await;
        assert_eq!(page.unwrap().headers()["location"], "/console");
    }

    async fn con_14_only_administrators_of_the_management_account_may(house) {
        let Administration { account, client, .. } = administration(house).await;
        let act = house.app.own_act("test").unwrap();
        let (user, member) = house
            .app
            .db
            .write(async |tx| -> Result<_, cloud::Error> {
                let user =
                    cloud::create_user(tx, &act, account.uin, "auditor", None, "").await?;
                let member =
                    cloud::create_member(tx, &act, &account, None, "Member", "").await?;
                Ok((user, member))
            })
            .await
            .unwrap();
        let root_of_member = Client::of_root(house, &member).await;
        let auditor = Client::of(house, &user).await;
        let may = async |client: &Client, action: &str, parameters: Value| {
            let answer = client.call(house, action, parameters).await;
            match answer.get("Error") {
                None => true,
                Some(error) => {
                    assert_eq!(error["Code"], "UnauthorizedOperation", "{action}: {answer}");
                    false
                }
            }
        };
        let node = || json!({"ParentNodeId": account.node_id, "Name": "Sales"});
        assert!(!may(&root_of_member, "DescribeOrganization", json!({})).await);
        assert!(!may(&auditor, "DescribeOrganization", json!({})).await);
        let attach = async |name: &str| {
            let policy = catalogue::by_name(name).unwrap().id;
            house
                .app
                .db
                .write(async |tx| cloud::attach_user_policy(tx, &act, &user, policy).await)
                .await
                .unwrap();
        };
        // A policy counts from the next call on (CON-14).
        attach("QcloudCVMFullAccess").await;
        assert!(!may(&auditor, "DescribeOrganization", json!({})).await);
        attach("QcloudOrganizationReadOnlyAccess").await;
        assert!(may(&auditor, "DescribeOrganization", json!({})).await);
        assert!(!may(&auditor, "AddOrganizationNode", node()).await);
        attach("QcloudOrganizationFullAccess").await;
        assert!(may(&auditor, "AddOrganizationNode", node()).await);
        assert!(may(&client, "DescribeOrganization", json!({})).await);
        // Who one is, everybody may know.
        let identity =
            root_of_member.sts().done(house, "GetCallerIdentity", json!({})).await;
        let uin = member.uin;
        assert_eq!(
            identity,
            json!({
                "Arn": format!("qcs::cam:{uin}:uin/{uin}"),
                "AccountId": uin.to_string(),
                "UserId": uin.to_string(),
                "PrincipalId": uin.to_string(),
                "Type": "CAMUser",
            })
        );
    }

    async fn an_organization_is_built(house) {
        let Administration { account, client, .. } = administration(house).await;
        let (code, _) = client.refusal(house, "CreateOrganization", json!({})).await;
        assert_eq!(code, "FailedOperation.OrganizationExistAlready");
        let node = client
            .done(
                house,
                "AddOrganizationNode",
                json!({"ParentNodeId": account.node_id, "Name": "Sales"}),
            )
            .await["NodeId"]
            .as_i64()
            .unwrap();
        let mut member = json!({
            "Name": "shop", "PolicyType": "Financial", "PermissionIds": [1, 2], "NodeId": node,
            "AccountName": "shop",
        });
        let uin = client.done(house, "CreateOrganizationMember", member.clone()).await["Uin"]
            .as_i64()
            .unwrap();
        let (code, _) = client.refusal(house, "CreateOrganizationMember", member.clone()).await;
        assert_eq!(code, "FailedOperation.OrganizationMemberNameUsed");
        member["PermissionIds"] = json!([1]);
        let (code, _) = client.refusal(house, "CreateOrganizationMember", member).await;
        assert_eq!(code, "FailedOperation.OrganizationPermissionIllegal");
        let nodes =
            client.done(house, "DescribeOrganizationNodes", json!({"Limit": 50, "Offset": 0})).await;
        assert_eq!(nodes["Total"], 2);
        assert_eq!(nodes["Items"][0]["ParentNodeId"], 0);
        assert_eq!(nodes["Items"][1]["ParentNodeId"], account.node_id);
        let members = client
            .done(
                house,
                "DescribeOrganizationMembers",
                json!({"Limit": 10, "Offset": 0, "SearchKey": "shop"}),
            )
            .await;
        assert_eq!(members["Total"], 1);
        assert_eq!(members["Items"][0]["MemberUin"], uin);
        assert_eq!(members["Items"][0]["NodeName"], "Sales");
    }

    async fn con_01_a_space_with_people_groups_and_tokens(house) {
        let Administration { client, .. } = administration(house).await;
        let (code, _) = client.refusal(house, "OpenIdentityCenter", json!({"ZoneName": "-"})).await;
        assert_eq!(code, "InvalidParameterValue.ZoneNameFormatError");
        let opened = client.done(house, "OpenIdentityCenter", json!({"ZoneName": "example"})).await;
        let zone = opened["ZoneId"].as_str().unwrap().to_owned();
        let (code, _) = client.refusal(house, "OpenIdentityCenter", json!({"ZoneName": "two"})).await;
        assert_eq!(code, "FailedOperation.IdentityCenterAlreadyOpen");
        let (code, _) =
            client.refusal(house, "GetZoneStatistics", json!({"ZoneId": "z-000000000000"})).await;
        assert_eq!(code, "FailedOperation.ZoneIdNotExist");

        let mut ids = Vec::new();
        for name in ["ann", "bob", "cleo"] {
            let made = client
                .done(house, "CreateUser", json!({"ZoneId": zone, "UserName": name}))
                .await;
            assert_eq!(made["UserInfo"]["UserStatus"], "Enabled");
            assert_eq!(made["UserInfo"]["UserType"], "Manual");
            ids.push(made["UserInfo"]["UserId"].as_str().unwrap().to_owned());
        }
        let mut seen = Vec::new();
        let mut token = String::new();
        loop {
            let parameters = json!({"ZoneId": zone, "MaxResults": 2, "NextToken": token});
            let page = client.done(house, "ListUsers", parameters).await;
            assert_eq!(page["TotalCounts"], 3);
            assert_eq!(page["MaxResults"], 2);
            let users = page["Users"].as_array().unwrap();
            seen.extend(users.iter().map(|user| user["UserId"].as_str().unwrap().to_owned()));
            token = page["NextToken"].as_str().unwrap().to_owned();
            assert_eq!(page["IsTruncated"], !token.is_empty());
            if token.is_empty() {
                break;
            }
        }
        assert_eq!(seen, ids);
        let made =
            client.done(house, "CreateGroup", json!({"ZoneId": zone, "GroupName": "Sales"})).await;
        let group = made["GroupInfo"]["GroupId"].as_str().unwrap().to_owned();
        let pair = json!({"ZoneId": zone, "GroupId": group, "UserId": ids[1]});
        client.done(house, "AddUserToGroup", pair.clone()).await;
        let selected = client
            .done(house, "ListUsers", json!({"ZoneId": zone, "FilterGroups": [group]}))
            .await;
        let flags: Vec<&Value> =
            selected["Users"].as_array().unwrap().iter().map(|user| &user["IsSelected"]).collect();
        assert_eq!(flags, [&json!(false), &json!(true), &json!(false)]);
        let groups =
            client.done(house, "ListGroups", json!({"ZoneId": zone, "FilterUsers": [ids[1]]})).await;
        assert_eq!(groups["Groups"][0]["MemberCount"], 1);
        assert_eq!(groups["Groups"][0]["IsSelected"], true);

        for (action, parameters, code) in [
            ("CreateUser", json!({"ZoneId": zone, "UserName": "ANN"}), "InvalidParameter.UsernameAlreadyExists"),
            ("CreateUser", json!({"ZoneId": zone, "UserName": "a b"}), "InvalidParameter.UsernameFormatError"),
            (
                "CreateUser",
                json!({"ZoneId": zone, "UserName": "d", "UserType": "Synchronized"}),
                "InvalidParameter.UserTypeError",
            ),
            ("GetUser", json!({"ZoneId": zone, "UserId": "u-x"}), "ResourceNotFound.UserNotExist"),
            ("GetGroup", json!({"ZoneId": zone, "GroupId": "g-000000000000"}), "InvalidParameter.GroupNotExist"),
            ("AddUserToGroup", pair.clone(), "InvalidParameter.GroupUserAlreadyExists"),
            ("ListUsers", json!({"ZoneId": zone, "MaxResults": 101}), "InvalidParameter.ParamError"),
            (
                "ListUsers",
                json!({"ZoneId": zone, "NextToken": "bm8="}),
                "InvalidParameter.NextTokenInvalid",
            ),
            (
                "UpdateUserStatus",
                json!({"ZoneId": zone, "UserId": ids[0], "NewUserStatus": "Off"}),
                "InvalidParameter.ParamError",
            ),
            (
                "UpdateSCIMSynchronizationStatus",
                json!({"ZoneId": zone, "SCIMSynchronizationStatus": "On"}),
                "InvalidParameter.ScimSyncStatusError",
            ),
            (
                "DeleteSCIMCredential",
                json!({"ZoneId": zone, "CredentialId": "scimcred-000000000000"}),
                "InvalidParameter.ScimCredentialNotFound",
            ),
            (
                "CreateSCIMCredential",
                json!({"ZoneId": zone, "ExpireDuration": 3599}),
                "InvalidParameter.ParamError",
            ),
        ] {
            let (found, message) = client.refusal(house, action, parameters).await;
            assert_eq!(found, code, "{action}: {message}");
        }
        client.done(house, "RemoveUserFromGroup", pair.clone()).await;
        let (code, _) = client.refusal(house, "RemoveUserFromGroup", pair).await;
        assert_eq!(code, "InvalidParameter.GroupUserNotExist");

        for _ in 0..2 {
            client.done(house, "CreateSCIMCredential", json!({"ZoneId": zone})).await;
        }
        let (code, _) =
            client.refusal(house, "CreateSCIMCredential", json!({"ZoneId": zone})).await;
        assert_eq!(code, "LimitExceeded.ScimCredentialLimitExceeded");

        let statistics = client.done(house, "GetZoneStatistics", json!({"ZoneId": zone})).await;
        assert_eq!(statistics["ZoneStatistics"]["UserCount"], 3);
        assert_eq!(statistics["ZoneStatistics"]["GroupCount"], 1);
    }

    async fn con_01_a_space_of_another_organization_does_not_exist(house) {
        let Administration { client, .. } = administration(house).await;
        let opened = client.done(house, "OpenIdentityCenter", json!({"ZoneName": "example"})).await;
        let other = administration_of(house, "Other").await.client;
        let listed = json!({"ZoneId": opened["ZoneId"]});
        let (code, _) = other.refusal(house, "ListUsers", listed.clone()).await;
        assert_eq!(code, "FailedOperation.IdentityCenterNotOpen");
        other.done(house, "OpenIdentityCenter", json!({"ZoneName": "other"})).await;
        let (code, _) = other.refusal(house, "ListUsers", listed.clone()).await;
        assert_eq!(code, "FailedOperation.ZoneIdNotExist");
        client.done(house, "ListUsers", listed).await;
    }

    async fn access_is_granted_shown_and_taken_away(house) {
        let Administration { account, client, .. } = administration(house).await;
        let opened = client.done(house, "OpenIdentityCenter", json!({"ZoneName": "example"})).await;
        let zone = opened["ZoneId"].as_str().unwrap().to_owned();
        let made =
            client.done(house, "CreateUser", json!({"ZoneId": zone, "UserName": "ann"})).await;
        let user = made["UserInfo"]["UserId"].clone();
        let act = house.app.own_act("test").unwrap();
        let member = house
            .app
            .db
            .write(async |tx| {
                cloud::create_member(tx, &act, &account, None, "Member", "").await
            })
            .await
            .unwrap();
        let made = client
            .done(
                house,
                "CreateRoleConfiguration",
                json!({"ZoneId": zone, "RoleConfigurationName": "ReadOnly"}),
            )
            .await;
        assert_eq!(made["RoleConfigurationInfo"]["SessionDuration"], 3600);
        let configuration = made["RoleConfigurationInfo"]["RoleConfigurationId"].clone();
        let of_configuration =
            |more: Value| merged(json!({"ZoneId": zone, "RoleConfigurationId": configuration}), more);
        for (more, code) in [
            (json!({"RolePolicyType": "System", "RolePolicyNames": ["NoSuchAccess"]}),
                "InvalidParameter.BindPolicyNameNotAllowed"),
            (json!({"RolePolicyType": "System",
                    "RolePolicies": [{"PolicyId": 1, "PolicyName": "ReadOnlyAccess"}]}),
                "InvalidParameter.BindPolicyNameNotAllowed"),
            (json!({"RolePolicyType": "Custom", "RolePolicyNames": ["mine"]}),
                "InvalidParameter.PolicyDocumentEmpty"),
        ] {
            let more = of_configuration(more);
            let (found, text) =
                client.refusal(house, "AddPermissionPolicyToRoleConfiguration", more).await;
            assert_eq!(found, code, "{text}");
        }
        let preset = catalogue::by_name("ReadOnlyAccess").unwrap();
        let policies = json!({"RolePolicyType": "System",
            "RolePolicies": [{"PolicyId": preset.id, "PolicyName": preset.name}],
            "RolePolicyNames": [preset.name]});
        client
            .done(
                house,
                "AddPermissionPolicyToRoleConfiguration",
                of_configuration(policies),
            )
            .await;
        let policies = client
            .done(house, "ListPermissionPoliciesInRoleConfiguration", of_configuration(json!({})))
            .await;
        assert_eq!(policies["TotalCounts"], 1);
        assert_eq!(policies["RolePolicies"][0]["RolePolicyId"], preset.id);
        assert_eq!(policies["RolePolicies"][0]["RolePolicyDocument"], preset.document.to_json());

        let triple = json!({
            "PrincipalId": user, "PrincipalType": "User", "TargetUin": member.uin.0,
            "TargetType": "MemberUin", "RoleConfigurationId": configuration,
        });
        let assign = json!({"ZoneId": zone, "RoleAssignmentInfo": [triple]});
        let mut wrong = assign.clone();
        wrong["RoleAssignmentInfo"][0]["TargetType"] = json!("ManagerUin");
        let (code, _) = client.refusal(house, "CreateRoleAssignment", wrong).await;
        assert_eq!(code, "FailedOperation.OrganizationMemberNotExist");
        let tasks = client.done(house, "CreateRoleAssignment", assign.clone()).await;
        assert_eq!(tasks["Tasks"][0]["TaskType"], "CreateRoleAssignment");
        assert_eq!(tasks["Tasks"][0]["RoleConfigurationName"], "ReadOnly");
        finish(house, &client, "GetTaskStatus", &zone, &tasks["Tasks"][0]["TaskId"]).await;
        let (code, _) = client.refusal(house, "CreateRoleAssignment", assign).await;
        assert_eq!(code, "FailedOperation.RoleConfigurationAuthorizationAlreadyExist");

        let listed = client
            .done(house, "ListRoleAssignments", json!({"ZoneId": zone, "TargetType": "MemberUin"}))
            .await;
        assert_eq!(listed["TotalCounts"], 1);
        assert_eq!(listed["RoleAssignments"][0]["PrincipalName"], "ann");
        assert_eq!(listed["RoleAssignments"][0]["TargetName"], "Member");
        let listed = client
            .done(house, "ListRoleAssignments", json!({"ZoneId": zone, "TargetType": "ManagerUin"}))
            .await;
        assert_eq!(listed["TotalCounts"], 0);
        let deployed = client
            .done(house, "ListRoleConfigurationProvisionings", json!({"ZoneId": zone}))
            .await;
        let deployment = &deployed["RoleConfigurationProvisionings"][0];
        assert_eq!(deployment["DeploymentStatus"], "Deployed");
        for (kind, count) in [("MemberUin", 1), ("ManagerUin", 0)] {
            let of_kind = json!({"ZoneId": zone, "TargetType": kind});
            let deployed = client.done(house, "ListRoleConfigurationProvisionings", of_kind).await;
            assert_eq!(deployed["TotalCounts"], count, "{kind}");
        }
        let selected = client
            .done(
                house,
                "ListRoleConfigurations",
                json!({"ZoneId": zone, "FilterTargets": [member.uin.0], "PrincipalId": user}),
            )
            .await;
        assert_eq!(selected["RoleConfigurations"][0]["IsSelected"], true);
        let tasks = client
            .done(house, "ListTasks", json!({"ZoneId": zone, "TargetType": "MemberUin"}))
            .await;
        assert_eq!(tasks["TotalCounts"], 1);
        assert_eq!(tasks["Tasks"][0]["Status"], "Success");
        let tasks = client
            .done(house, "ListTasks", json!({"ZoneId": zone, "TargetType": "ManagerUin"}))
            .await;
        assert_eq!(tasks["TotalCounts"], 0);

        // Whoever is in a role may ask who they are, and nothing else; not without the token, and
        // not after the assignment is gone.
        let role = in_role(house, &client, &zone, member.uin.0, "TencentCloudSSO-ReadOnly").await;
        let identity = role.sts().done(house, "GetCallerIdentity", json!({})).await;
        assert_eq!(identity["Type"], "CAMRole");
        assert_eq!(identity["AccountId"], member.uin.to_string());
        assert!(identity["UserId"].as_str().unwrap().ends_with(":ann"), "{identity}");
        let (code, _) = role.refusal(house, "DescribeOrganization", json!({})).await;
        assert_eq!(code, "UnauthorizedOperation");
        for token in [None, Some("another".to_owned())] {
            let wrong = Client { token, ..role.clone() };
            let (code, _) = wrong.sts().refusal(house, "GetCallerIdentity", json!({})).await;
            assert_eq!(code, "AuthFailure.TokenFailure");
        }

        let gone = merged(triple, json!({"ZoneId": zone,
            "DeprovisionStrategy": "DeprovisionForLastRoleAssignmentOnAccount"}));
        let task = client.done(house, "DeleteRoleAssignment", gone.clone()).await;
        let (code, _) = role.sts().refusal(house, "GetCallerIdentity", json!({})).await;
        // The session has ended; once the task has removed the role, its key is not there either.
        assert!(
            ["AuthFailure.TokenFailure", "AuthFailure.SecretIdNotFound"].contains(&code.as_str()),
            "{code}"
        );
        finish(house, &client, "GetTaskStatus", &zone, &task["Task"]["TaskId"]).await;
        let (code, _) = client.refusal(house, "DeleteRoleAssignment", gone).await;
        assert_eq!(code, "ResourceNotFound.RoleConfigurationAuthorizationNotFound");
        let (code, _) = client
            .refusal(house, "GetTaskStatus", json!({"ZoneId": zone, "TaskId": "t-000000000000"}))
            .await;
        assert_eq!(code, "ResourceNotFound.RoleConfigurationTaskNotFound");
    }

    /// SSO-10, SSO-11: certificates come and go one by one, and the codes are the original's.
    async fn sso_10_sso_11_the_identity_provider_and_its_certificates(house) {
        let Administration { client, .. } = administration(house).await;
        let opened = client.done(house, "OpenIdentityCenter", json!({"ZoneName": "example"})).await;
        let zone = opened["ZoneId"].as_str().unwrap().to_owned();
        let only = json!({ "ZoneId": zone });
        let with = |name: &str, value: &str| merged(only.clone(), json!({ name: value }));
        let pem = |key: &SigningKey| key.certificate().pem();
        let (first, second) = (pem(right_key()), pem(wrong_key()));
        for (action, parameters, code) in [
            ("ClearExternalSAMLIdentityProvider", only.clone(),
                "ResourceNotFound.SAMLIdentityProviderNotFound"),
            ("AddExternalSAMLIdPCertificate", with("X509Certificate", &first),
                "ResourceNotFound.SAMLIdentityProviderNotFound"),
            ("RemoveExternalSAMLIdPCertificate", with("CertificateId", "idp-c-000000000000"),
                "ResourceNotFound.X509CertificateNotFound"),
        ] {
            assert_eq!(client.refusal(house, action, parameters).await.0, code, "{action}");
        }
        // Two identity providers in one document: the entity id beside it says which.
        let other = FakeIdp { entity_id: "https://two.example.com/".to_owned() };
        let both = format!(
            "<md:EntitiesDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\">{}{}\
             </md:EntitiesDescriptor>",
            FakeIdp::new().metadata(), other.metadata()
        );
        let document = with("EncodedMetadataDocument", &STANDARD.encode(both));
        let (code, _) = client.refusal(house, "SetExternalSAMLIdentityProvider", document.clone()).await;
        assert_eq!(code, "FailedOperation.MetadataCosParsingFailed");
        let set = merged(document, json!({ "EntityId": other.entity_id, "SSOStatus": "Enabled" }));
        let set = client.done(house, "SetExternalSAMLIdentityProvider", set).await;
        let old = set["CertificateIds"][0].as_str().unwrap();
        let shown = client.done(house, "GetExternalSAMLIdentityProvider", only.clone()).await;
        assert_eq!(shown["SAMLIdentityProviderConfiguration"]["EntityId"], other.entity_id);

        let add = async |pem: &str| {
            client.refusal(house, "AddExternalSAMLIdPCertificate", with("X509Certificate", pem)).await.0
        };
        let remove = with("CertificateId", old);
        assert_eq!(add(&first).await, "FailedOperation.X509CertificateAlreadyExist");
        assert_eq!(add("nonsense").await, "InvalidParameterValue.X509CertificateFormatError");
        let last = client.refusal(house, "RemoveExternalSAMLIdPCertificate", remove.clone()).await;
        assert_eq!(last.0, "FailedOperation.X509CertificateMinimumRequired");
        let added = with("X509Certificate", &second);
        let added = client.done(house, "AddExternalSAMLIdPCertificate", added).await;
        assert!(added["CertificateId"].as_str().unwrap().starts_with("idp-c-"), "{added}");
        let list = async || {
            let listed = client.done(house, "ListExternalSAMLIdPCertificates", only.clone()).await;
            listed["TotalCounts"].as_i64().unwrap()
        };
        assert_eq!(list().await, 2);
        client.done(house, "RemoveExternalSAMLIdPCertificate", remove).await;
        assert_eq!(list().await, 1);
        for serial in 20..29 {
            let key = SigningKey::generate("one more", house.now().to_jiff(), [serial; 16]).unwrap();
            let one = with("X509Certificate", &pem(&key));
            client.done(house, "AddExternalSAMLIdPCertificate", one).await;
        }
        assert_eq!(list().await, 10);
        assert_eq!(add(&first).await, "FailedOperation.X509CertificateLimitExceeded");

        let (code, _) = client.refusal(house, "ClearExternalSAMLIdentityProvider", only.clone()).await;
        assert_eq!(code, "FailedOperation.SSoStatusEnableNotClearIdentityProvider");
        let off = with("SSOStatus", "Disabled");
        client.done(house, "SetExternalSAMLIdentityProvider", off).await;
        client.done(house, "ClearExternalSAMLIdentityProvider", only.clone()).await;
        let shown = client.done(house, "GetExternalSAMLIdentityProvider", only.clone()).await;
        assert_eq!(shown["SAMLIdentityProviderConfiguration"]["EntityId"], "");
    }

    async fn con_10_users_are_synced_into_accounts(house) {
        let Administration { account, client, .. } = administration(house).await;
        let opened = client.done(house, "OpenIdentityCenter", json!({"ZoneName": "example"})).await;
        let zone = opened["ZoneId"].as_str().unwrap().to_owned();
        let made =
            client.done(house, "CreateUser", json!({"ZoneId": zone, "UserName": "ann"})).await;
        let sync = json!({"ZoneId": zone, "UserSyncProvisionings": [{
            "PrincipalId": made["UserInfo"]["UserId"], "PrincipalType": "User",
            "TargetUin": account.uin.0, "TargetType": "ManagerUin",
            "DuplicationStrategy": "KeepBoth", "DeletionStrategy": "Delete",
        }]});
        let tasks = client.done(house, "CreateUserSyncProvisioning", sync.clone()).await;
        assert_eq!(tasks["Tasks"][0]["PrincipalName"], "ann");
        assert_eq!(tasks["Tasks"][0]["TaskType"], "StartProvisioning");
        let task = &tasks["Tasks"][0]["TaskId"];
        finish(house, &client, "GetProvisioningTaskStatus", &zone, task).await;
        let (code, _) =
            client.refusal(house, "GetTaskStatus", json!({"ZoneId": zone, "TaskId": task})).await;
        assert_eq!(code, "ResourceNotFound.RoleConfigurationTaskNotFound");
        let (code, _) = client.refusal(house, "CreateUserSyncProvisioning", sync).await;
        assert_eq!(code, "FailedOperation.UserProvisioningAlreadyExists");
        let listed =
            client.done(house, "ListUserSyncProvisionings", json!({"ZoneId": zone})).await;
        assert_eq!(listed["UserProvisionings"][0]["Status"], "Enabled");
        for (kind, count) in [("MemberUin", 0), ("ManagerUin", 1)] {
            let of_kind = json!({"ZoneId": zone, "TargetType": kind});
            let listed = client.done(house, "ListUserSyncProvisionings", of_kind).await;
            assert_eq!(listed["TotalCounts"], count, "{kind}");
        }
        let statistics = client.done(house, "GetZoneStatistics", json!({"ZoneId": zone})).await;
        assert_eq!(statistics["ZoneStatistics"]["UserProvisioningCount"], 1);
        let id = json!({
            "ZoneId": zone,
            "UserProvisioningId": listed["UserProvisionings"][0]["UserProvisioningId"],
        });
        let one = client.done(house, "GetUserSyncProvisioning", id.clone()).await;
        assert_eq!(one["UserProvisioning"], listed["UserProvisionings"][0]);
        let task = client.done(house, "DeleteUserSyncProvisioning", id.clone()).await;
        assert_eq!(task["Tasks"]["TaskType"], "DeleteProvisioning");
        let task = &task["Tasks"]["TaskId"];
        finish(house, &client, "GetProvisioningTaskStatus", &zone, task).await;
        let (code, _) = client.refusal(house, "GetUserSyncProvisioning", id).await;
        assert_eq!(code, "ResourceNotFound.UserProvisioningNotFound");
    }
}

fn merged(mut one: Value, other: Value) -> Value {
    let Value::Object(other) = other else { panic!("{other}") };
    one.as_object_mut().unwrap().extend(other);
    one
}

/// Waits until a task has ended well.
pub async fn finish(house: &TestHouse, client: &Client, action: &str, zone: &str, task: &Value) {
    for _ in 0..600 {
        let answer = client.done(house, action, json!({"ZoneId": zone, "TaskId": task})).await;
        match answer["TaskStatus"]["Status"].as_str().unwrap() {
            "Success" => return,
            "InProgress" => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            _ => panic!("{answer}"),
        }
    }
    panic!("{task} does not end");
}

/// Temporary credentials of a role that the space vouches for, as the portal's click makes them.
async fn in_role(house: &TestHouse, client: &Client, zone: &str, uin: i64, role: &str) -> Client {
    let id: SpaceId = zone.parse().unwrap();
    let app = &house.app;
    let pair = app
        .db
        .read(async |tx| space::key_pair(tx, id, KeyPurpose::IdentityProvider).await)
        .await
        .unwrap();
    let key = pair.signing_key(&app.sealer).unwrap();
    let url = cloud::sign_in_url(app.settings.public_url.as_str());
    let account = format!("qcs::cam::uin/{uin}");
    let claim =
        format!("{account}:roleName/{role},{account}:saml-provider/TencentReservedSSO-{zone}");
    let now = house.now();
    let ids = [1, 2].map(|number| format!("_{number:040x}"));
    let response = ResponseToIssue {
        response_id: &ids[0],
        assertion_id: &ids[1],
        issuer: &sso::idp_entity_id(&app.settings, id),
        acs_url: &url,
        audience: &url,
        in_response_to: None,
        name_id: "ann",
        name_id_format: name_id_format::UNSPECIFIED,
        session_index: "session",
        attributes: &[
            AttributeToState {
                name: "https://cloud.tencent.com/SAML/Attributes/Role",
                values: &[&claim],
            },
            AttributeToState {
                name: "https://cloud.tencent.com/SAML/Attributes/RoleSessionName",
                values: &["ann"],
            },
        ],
        authenticated_at: now.to_jiff(),
        now: now.to_jiff(),
        lifetime: jiff::SignedDuration::from_mins(2),
        session_lifetime: None,
    };
    let received = Received::parse(&response.issue(&key).unwrap().base64());
    let claim = sign_in::claim(&received).unwrap();
    let act = app.own_act("test").unwrap();
    let known = app.db.read(async |tx| sign_in::known(tx, &received, &claim).await).await.unwrap();
    let rules = sign_in::Rules {
        sign_in_url: &url,
        skew: jiff::SignedDuration::from_secs(60),
        second_opinion: true,
        chosen: None,
        now,
    };
    let verified = sign_in::judge(&received, &claim, known, rules).unwrap();
    let session = cloud::new_role_session(&act, &app.sealer, 900).unwrap();
    app.db
        .write(async |tx| sign_in::enter(tx, &act, &verified, &url, Some(&session)).await)
        .await
        .unwrap();
    Client {
        secret_id: session.secret_id.clone(),
        secret_key: session.secret_key.to_string(),
        token: Some(session.token.to_string()),
        ..client.clone()
    }
}
