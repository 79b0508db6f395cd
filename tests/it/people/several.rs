//! USR-02, USR-03: several users at once, each with an outcome of its own.

use serde_json::{Value, json};

use crate::{journey::count, on_both, rules::Office};

const USERS: &str = "SELECT COUNT(*) FROM users";

fn rows(names: impl IntoIterator<Item = String>) -> Value {
    names.into_iter().map(|name| json!({ "UserName": name })).collect()
}

on_both! {
    async fn usr_02_ten_users_are_made_at_once_and_not_eleven(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let given = |count: usize| {
            office.here(json!({ "Users": rows((0..count).map(|at| format!("user-{at}"))) }))
        };
        for wrong in [0, 11] {
            let (code, text) = own.refusal(house, "CreateUsers", given(wrong)).await;
            assert_eq!(code, "LimitExceeded.CreateUserLimitExceeded");
            assert!(text.contains("1 to 10") && text.contains(&wrong.to_string()), "{text}");
        }
        assert_eq!(count(house, USERS).await, 0);
        let made = own.done(house, "CreateUsers", given(10)).await;
        assert_eq!(made["CreatedCount"], 10);
        assert_eq!(count(house, USERS).await, 10);
        let records = "SELECT COUNT(*) FROM audit_records WHERE action = 'user.create'";
        assert_eq!(count(house, records).await, 10);
    }

    async fn usr_03_one_bad_row_hides_no_other(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        office.user(house, "taken").await;
        let mut users = rows((0..7).map(|at| format!("user-{at}")));
        let users = users.as_array_mut().unwrap();
        users.push(json!({ "UserName": "user-6" }));
        users.push(json!({ "UserName": "with space", "Email": "x@example.com" }));
        users.push(json!({ "UserName": "TAKEN" }));
        let all = json!({ "Users": users, "AllOrNothing": true });
        let (code, text) = own.refusal(house, "CreateUsers", office.here(all)).await;
        assert_eq!(code, "InvalidParameter.UsernameAlreadyExists");
        for row in ["row 8: ", "row 9: ", "row 10: "] {
            assert!(text.contains(row), "{text}");
        }
        assert!(!text.contains("row 7: "), "{text}");
        assert_eq!(count(house, USERS).await, 1, "it was to be all or none of them");
        let records = "SELECT COUNT(*) FROM audit_records WHERE action = 'user.create'";
        assert_eq!(count(house, records).await, 1);

        let answer = own.done(house, "CreateUsers", office.here(json!({ "Users": users }))).await;
        assert_eq!(answer["CreatedCount"], 7);
        let results = answer["Results"].as_array().unwrap();
        assert_eq!(results.len(), 10);
        for (at, result) in results.iter().enumerate() {
            assert_eq!(result["UserName"], users[at]["UserName"], "in the order of the rows");
            let wanted = match at {
                7 | 9 => "InvalidParameter.UsernameAlreadyExists",
                8 => "InvalidParameter.UsernameFormatError",
                _ => "",
            };
            assert_eq!(result["ErrorCode"], wanted, "{result}");
            assert_eq!(result["ErrorMessage"] == "", wanted.is_empty(), "{result}");
            assert_eq!(result["UserInfo"].is_null(), !wanted.is_empty(), "{result}");
        }
        assert_eq!(count(house, USERS).await, 8);
    }

    /// SCIM-17 at the API: exactly those who were shown are handed over.
    async fn whoever_shares_a_group_is_handed_over_by_the_api_too(house) {
        let office = Office::open(house).await;
        let own = office.client.own();
        let (ann, bob) = (office.user(house, "ann").await, office.user(house, "bob").await);
        let group = office.done(house, "CreateGroup", json!({ "GroupName": "g" })).await;
        let group = &group["GroupInfo"]["GroupId"];
        office.done(house, "AddUserToGroup", json!({ "GroupId": group, "UserId": ann })).await;
        let about = |more: Value| {
            let mut given = json!({ "PrincipalId": group, "PrincipalType": "Group" });
            given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            office.here(given)
        };
        let seen = own.done(house, "DescribeAdoption", about(json!({}))).await;
        assert_eq!((&seen["UserIds"], &seen["GroupIds"]), (&json!([ann]), &json!([group])));
        office.done(house, "AddUserToGroup", json!({ "GroupId": group, "UserId": bob })).await;
        let adopt = about(json!({ "AdoptionDigest": seen["AdoptionDigest"] }));
        let (code, _) = own.refusal(house, "AdoptPrincipal", adopt).await;
        assert_eq!(code, "FailedOperation", "somebody came meanwhile");
        let seen = own.done(house, "DescribeAdoption", about(json!({}))).await;
        let adopt = about(json!({ "AdoptionDigest": seen["AdoptionDigest"] }));
        own.done(house, "AdoptPrincipal", adopt).await;
        let ann = office.done(house, "GetUser", json!({ "UserId": ann })).await;
        assert_eq!(ann["UserInfo"]["UserType"], "Synchronized");
        office.settle(house).await;
    }
}
