//! Our own actions, beside the public API: service `identitycenter`.

use identity_center::{cloud, id::Uin, policy::catalogue};
use reqwest::{StatusCode, header::USER_AGENT};
use serde_json::{Value, json};

use crate::{
    api::Client,
    house::TestHouse,
    journey::{Company, count},
    on_both,
    rules::Office,
};

/// The API client of a CAM user of the management account with this policy.
pub async fn administrator(house: &TestHouse, account: Uin, name: &str, policy: &str) -> Client {
    let act = house.app.own_act("test").unwrap();
    let made = house.app.db.write(async |tx| {
        let user = cloud::create_user(tx, &act, account, name, None, "").await?;
        let preset = catalogue::by_name(policy).unwrap();
        cloud::attach_user_policy(tx, &act, &user, preset.id).await?;
        Ok::<_, cloud::Error>(user)
    });
    Client::of(house, &made.await.unwrap()).await.own()
}

on_both! {
    async fn ses_03_administrators_see_and_end_the_sessions_of_the_portal(house) {
        let company = Company::open(house, "acme").await;
        company.hire("bob").await;
        let full = "QcloudOrganizationFullAccess";
        let client = administrator(house, company.management, "olga", full).await;
        let here = |mut given: Value| {
            given["ZoneId"] = json!(company.space.id);
            given
        };
        let list = async |given: Value| client.done(house, "ListPortalSessions", here(given)).await;
        let end = async |given: Value| client.done(house, "EndPortalSession", here(given)).await;
        assert_eq!(list(json!({})).await["TotalCounts"], 0);

        let browsers = [house.browser(), house.browser(), house.browser()];
        let begun = house.now();
        for (browser, name) in browsers.iter().zip(["alice", "alice", "bob"]) {
            let finish = company.ticket_for(browser, name).await;
            let named = browser.get(finish).header(USER_AGENT, format!("Browser of {name}"));
            assert_eq!(named.send().await.unwrap().status(), StatusCode::SEE_OTHER);
        }
        let is_inside = async |browser: &reqwest::Client| {
            let asked = browser.get(company.portal("/api/session")).send().await.unwrap();
            asked.status() == StatusCode::OK
        };
        house.app.clock.advance(jiff::SignedDuration::from_secs(100));
        assert!(is_inside(&browsers[0]).await);

        let all = list(json!({ "MaxResults": 2 })).await;
        assert_eq!((&all["TotalCounts"], &all["IsTruncated"]), (&json!(3), &json!(true)));
        let rest = list(json!({ "MaxResults": 2, "NextToken": all["NextToken"] })).await;
        let sessions = [&all, &rest].map(|page| page["PortalSessions"].as_array().unwrap().clone());
        let sessions = sessions.concat();
        assert_eq!(sessions.len(), 3);
        let [bob, second, first] = sessions.try_into().unwrap();
        let whose = |session: &Value| session["UserName"].as_str().unwrap().to_owned();
        assert_eq!([&bob, &second, &first].map(whose), ["bob", "alice", "alice"]);
        assert_eq!(bob["Client"], "Browser of bob");
        assert_eq!(bob["Address"], "127.0.0.1");
        let at = |seconds: i64| {
            let moment = begun.plus_seconds(seconds + 8 * 3600).to_jiff();
            moment.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        assert_eq!((&bob["StartTime"], &bob["LastUseTime"]), (&json!(at(0)), &json!(at(0))));
        assert_eq!(first["LastUseTime"], at(100), "its use was noted");
        let text = all.to_string();
        assert!(!text.contains("portal_session"), "no cookie is told: {text}");

        // One session of alice ends; the other, and bob's, stay.
        let ended = end(json!({ "PortalSessionId": first["PortalSessionId"] })).await;
        assert_eq!(ended["EndedCount"], 1);
        assert!(!is_inside(&browsers[0]).await);
        assert!(is_inside(&browsers[1]).await && is_inside(&browsers[2]).await);
        let of_alice = json!({ "UserId": first["UserId"] });
        assert_eq!(list(of_alice.clone()).await["TotalCounts"], 1);
        let again = here(json!({ "PortalSessionId": first["PortalSessionId"] }));
        let (code, _) = client.refusal(house, "EndPortalSession", again).await;
        assert_eq!(code, "ResourceNotFound.PortalSessionNotExist");

        // All of alice end, with a ticket that she has not come for.
        let late = house.browser();
        let finish = company.ticket_for(&late, "alice").await;
        assert_eq!(end(of_alice.clone()).await["EndedCount"], 1);
        assert_eq!(end(of_alice.clone()).await["EndedCount"], 0);
        assert_eq!(late.get(finish).send().await.unwrap().status(), StatusCode::FORBIDDEN);
        assert!(!is_inside(&browsers[1]).await && is_inside(&browsers[2]).await);
        let recorded = json!({ "Action": "portal_session.end" });
        let recorded = client.done(house, "ListAuditRecords", recorded).await;
        assert_eq!(recorded["TotalCounts"], 2);
        assert_eq!(recorded["AuditRecords"][0]["ActorName"], "olga");
        assert_eq!(recorded["AuditRecords"][1]["ObjectId"], first["PortalSessionId"]);

        // One way of naming is needed, and one that can be read.
        for (given, wanted) in [
            (json!({}), "InvalidParameter.ParamError"),
            (
                json!({ "UserId": bob["UserId"], "PortalSessionId": bob["PortalSessionId"] }),
                "InvalidParameter.ParamError",
            ),
            (json!({ "UserId": "nobody" }), "ResourceNotFound.UserNotExist"),
            (json!({ "PortalSessionId": "1" }), "ResourceNotFound.PortalSessionNotExist"),
        ] {
            let (code, _) = client.refusal(house, "EndPortalSession", here(given)).await;
            assert_eq!(code, wanted);
        }
        assert!(is_inside(&browsers[2]).await);
    }

    async fn our_actions_are_for_administrators_alone(house) {
        let office = Office::open(house).await;
        let here = json!({ "ZoneId": office.zone });
        let uin = office.account.uin;
        let reader = administrator(house, uin, "reader", "QcloudOrganizationReadOnlyAccess").await;
        assert_eq!(reader.done(house, "ListPortalSessions", here.clone()).await["TotalCounts"], 0);
        let nobody = administrator(house, uin, "nobody", "QcloudCVMFullAccess").await;
        let member = office.member(house, "shop").await;
        let member = Client::of_root(house, &member).await.own();
        let ended = json!({ "ZoneId": office.zone, "UserId": "u-000000000001" });
        for (client, action, given) in [
            (&reader, "EndPortalSession", &ended),
            (&nobody, "ListPortalSessions", &here),
            (&member, "ListPortalSessions", &here),
            (&member, "ListAuditRecords", &json!({})),
        ] {
            let (code, _) = client.refusal(house, action, given.clone()).await;
            assert_eq!(code, "UnauthorizedOperation", "{action}");
        }
        let own = office.client.own();
        let (code, _) = own.refusal(house, "ListUsers", here.clone()).await;
        assert_eq!(code, "InvalidAction", "an action of another service");
        let (code, _) = office.client.refusal(house, "ListPortalSessions", here).await;
        assert_eq!(code, "InvalidAction", "our action at another service");
        let elsewhere = json!({ "ZoneId": "z-000000000001" });
        let (code, _) = own.refusal(house, "ListPortalSessions", elsewhere).await;
        assert_eq!(code, "FailedOperation.ZoneIdNotExist");
    }

    async fn effective_access_says_through_what(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, look) = (office.user(house, "ann").await, office.configuration(house, "look").await);
        let asked = |more: Value| {
            let mut asked = json!({ "ZoneId": office.zone, "UserId": ann });
            for (name, value) in more.as_object().unwrap() {
                asked[name] = value.clone();
            }
            asked
        };
        let none = own.done(house, "DescribeEffectiveAccess", asked(json!({}))).await;
        assert_eq!((&none["TotalCounts"], &none["UserName"]), (&json!(0), &json!("ann")));

        let group = office.done(house, "CreateGroup", json!({ "GroupName": "Sales" })).await;
        let group = &group["GroupInfo"]["GroupId"];
        office.done(house, "AddUserToGroup", json!({ "GroupId": group, "UserId": ann })).await;
        let mut of_group = office.triple(group, &look);
        of_group["PrincipalType"] = json!("Group");
        let both = json!({ "RoleAssignmentInfo": [office.triple(&ann, &look), of_group] });
        office.done(house, "CreateRoleAssignment", both).await;
        let shop = office.member(house, "shop").await;
        let syncs = ["User", "Group"].map(|kind| {
            json!({ "PrincipalType": kind,
                "PrincipalId": if kind == "User" { &ann } else { group },
                "TargetUin": shop.uin.0, "TargetType": "MemberUin" })
        });
        let syncs = json!({ "UserSyncProvisionings": syncs });
        office.done(house, "CreateUserSyncProvisioning", syncs).await;
        office.settle(house).await;

        let found = own.done(house, "DescribeEffectiveAccess", asked(json!({}))).await;
        let reasons = json!([
            { "Type": "Direct", "GroupId": "", "GroupName": "" },
            { "Type": "Group", "GroupId": group, "GroupName": "Sales" },
        ]);
        let mut rows = found["EffectiveAccess"].as_array().unwrap().clone();
        for row in &mut rows {
            let mut told = row["Reasons"].as_array().unwrap().clone();
            told.sort_by_key(|reason| reason["Type"].to_string());
            row["Reasons"] = json!(told);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row["AccessType"].to_string()));
        assert_eq!(json!(rows), json!([
            { "TargetUin": office.account.uin.0, "TargetName": office.account.name,
              "TargetType": "ManagerUin", "AccessType": "Role", "RoleConfigurationId": look,
              "RoleConfigurationName": "look", "CamUserName": "", "State": "Deployed",
              "Reasons": reasons },
            { "TargetUin": shop.uin.0, "TargetName": "shop", "TargetType": "MemberUin",
              "AccessType": "CamUser", "RoleConfigurationId": "", "RoleConfigurationName": "",
              "CamUserName": "ann@acme", "State": "Deployed", "Reasons": reasons },
        ]));
        let one = own.done(house, "DescribeEffectiveAccess", asked(json!({ "MaxResults": 1 }))).await;
        assert_eq!((&one["TotalCounts"], &one["IsTruncated"]), (&json!(2), &json!(true)));
        let next = asked(json!({ "MaxResults": 1, "NextToken": one["NextToken"] }));
        let two = own.done(house, "DescribeEffectiveAccess", next).await;
        assert_eq!(two["IsTruncated"], false);
        assert_ne!(one["EffectiveAccess"], two["EffectiveAccess"]);
        let here = asked(json!({ "TargetUin": shop.uin.0 }));
        let here = own.done(house, "DescribeEffectiveAccess", here).await;
        assert_eq!(here["EffectiveAccess"][0]["CamUserName"], "ann@acme");
        assert_eq!(here["TotalCounts"], 1);

        // Who leaves the group keeps what is her own; who is disabled reaches nothing.
        let out = json!({ "GroupId": group, "UserId": ann });
        office.done(house, "RemoveUserFromGroup", out).await;
        office.settle(house).await;
        let left = own.done(house, "DescribeEffectiveAccess", asked(json!({}))).await;
        for row in left["EffectiveAccess"].as_array().unwrap() {
            assert_eq!(row["Reasons"].as_array().unwrap().len(), 1, "{row}");
            assert_eq!(row["Reasons"][0]["Type"], "Direct");
        }
        let off = json!({ "UserId": ann, "NewUserStatus": "Disabled" });
        office.done(house, "UpdateUserStatus", off).await;
        office.settle(house).await;
        let off = own.done(house, "DescribeEffectiveAccess", asked(json!({}))).await;
        assert_eq!((&off["TotalCounts"], &off["Status"]), (&json!(0), &json!("Disabled")));
        let (code, _) = own
            .refusal(house, "DescribeEffectiveAccess",
                json!({ "ZoneId": office.zone, "UserId": "u-000000000001" }))
            .await;
        assert_eq!(code, "ResourceNotFound.UserNotExist");
    }

    async fn the_audit_log_can_be_searched(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let ann = office.user(house, "ann").await;
        house.app.clock.advance(jiff::SignedDuration::from_mins(10));
        office.user(house, "bob").await;
        let find = async |given: Value| own.done(house, "ListAuditRecords", given).await;
        let all = "SELECT COUNT(*) FROM audit_records";
        assert_eq!(find(json!({})).await["TotalCounts"], count(house, all).await);
        let made = find(json!({ "Action": "user.create" })).await;
        assert_eq!(made["TotalCounts"], 2);
        let of_ann = json!({ "ObjectType": "user", "ObjectId": ann });
        let of_ann = find(of_ann).await;
        let record = &of_ann["AuditRecords"][0];
        assert_eq!((&of_ann["TotalCounts"], &record["Action"]), (&json!(1), &json!("user.create")));
        assert!(record["After"].as_str().unwrap().contains("ann"), "{record}");
        assert_eq!(record["Before"], "");
        let between = json!({ "Action": "user.create", "StartTime": record["Time"],
            "EndTime": made["AuditRecords"][0]["Time"] });
        let between = find(between).await;
        assert_eq!(between["TotalCounts"], 1, "the end is not part of it");
        let (code, text) =
            own.refusal(house, "ListAuditRecords", json!({ "StartTime": "yesterday" })).await;
        assert_eq!(code, "InvalidParameter.ParamError");
        assert!(text.contains("`StartTime`"), "{text}");
        // Another organisation has a log of its own.
        let other = crate::api::administration_of(house, "Other").await.client.own();
        let theirs = other.done(house, "ListAuditRecords", json!({ "Action": "user.create" })).await;
        assert_eq!(theirs["TotalCounts"], 0);
    }
}
