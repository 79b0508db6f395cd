//! From where one may come to a portal.

use std::net::IpAddr;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{Center, all_allowed};
use crate::{
    journey::{Company, count, header},
    on_both, with_settings,
};

impl Center<'_> {
    async fn set_networks(&self, entries: &[&str]) {
        let answer = self.done("UpdateIPWhitelist", json!({ "IpWhitelist": entries })).await;
        assert_eq!(answer["Success"], true);
    }

    async fn networks(&self) -> Value {
        self.done("GetIPWhitelist", json!({})).await["IpWhitelist"].clone()
    }
}

on_both! {
    async fn set_10_the_list_is_kept_whole_or_not_at_all(house) {
        let center = Center::open(house).await;
        let other = Company::bare(house, "other").await;
        assert_eq!(center.networks().await, json!([]));
        let given = ["172.16.0.0/16", "198.51.100.5", "2001:db8::/32"];
        center.set_networks(&given).await;
        assert_eq!(center.networks().await, json!(given));
        let action = "UpdateIPWhitelist";
        let wrong = json!({ "IpWhitelist": ["10.0.0.0/8", "10.0.0.0/33", "office", "10.1.2.3/8"] });
        let said = center.refused("InvalidParameter.ParamError", action, wrong).await;
        for word in ["IpWhitelist", "“10.0.0.0/33”", "“office”", "“10.1.2.3/8”", "10.0.0.0/8?"] {
            assert!(said.contains(word), "{said}");
        }
        assert!(!said.contains("“10.0.0.0/8”"), "{said}");
        let many: Vec<String> = (0..=100).map(|n| format!("10.0.0.{n}")).collect();
        for (code, wrong) in [
            ("InvalidParameter.ParamError", json!({ "IpWhitelist": many })),
            ("InvalidParameter", json!({ "IpWhitelist": "10.0.0.1" })),
            ("InvalidParameter", json!({ "IpWhitelist": [1] })),
            // To say nothing is not to let everybody in.
            ("MissingParameter", json!({})),
            ("MissingParameter", json!({ "IpWhitelist": null })),
            ("FailedOperation.ZoneIdNotExist",
             json!({ "ZoneId": other.space.id, "IpWhitelist": [] })),
        ] {
            center.refused(code, action, wrong).await;
        }
        let foreign = json!({ "ZoneId": other.space.id });
        center.refused("FailedOperation.ZoneIdNotExist", "GetIPWhitelist", foreign).await;
        assert_eq!(center.networks().await, json!(given));
        center.done(action, json!({ "IpWhitelist": many[..100] })).await;
        assert_eq!(center.networks().await.as_array().unwrap().len(), 100);
        // The space need not be named; nothing changed is no change.
        let own = center.client.done(house, action, json!({ "IpWhitelist": [] })).await;
        assert_eq!(own, json!({ "Success": true }));
        center.set_networks(&[]).await;
        let own = center.client.done(house, "GetIPWhitelist", json!({})).await;
        assert_eq!(own, json!({ "IpWhitelist": [] }));
        let changes =
            "SELECT COUNT(*) FROM audit_records WHERE action = 'space.sign_in_networks'";
        assert_eq!(count(house, changes).await, 3);
    }
}

/// A browser whose proxy tells this address.
fn browser_from(address: &str) -> reqwest::Client {
    let mut headers = reqwest::header::HeaderMap::new();
    headers.insert("x-forwarded-for", address.parse().unwrap());
    reqwest::Client::builder()
        .cookie_store(true)
        .default_headers(headers)
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

with_settings! { all_allowed;
    async fn set_10_the_portal_is_open_to_its_networks_only(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        company.hire("alice").await;
        center.set_networks(&["203.0.113.4/30", "2001:db8::/127"]).await;
        for (address, open) in [
            ("203.0.113.3", false),
            ("203.0.113.4", true),
            ("203.0.113.7", true),
            ("::ffff:203.0.113.7", true),
            ("203.0.113.8", false),
            ("2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", false),
            ("2001:db8::", true),
            ("2001:db8::1", true),
            ("2001:db8::2", false),
        ] {
            assert!(address.parse::<IpAddr>().is_ok());
            let browser = browser_from(address);
            let page = browser.get(company.portal("/login")).send().await.unwrap();
            let start = browser.get(company.portal("/login/start")).send().await.unwrap();
            if open {
                assert_eq!(page.status(), StatusCode::OK, "{address}");
                assert_eq!(start.status(), StatusCode::SEE_OTHER, "{address}");
                company.sign_in(&browser, "alice").await;
                let home = browser.get(company.portal("")).send().await.unwrap();
                assert_eq!(home.status(), StatusCode::OK, "{address}");
            } else {
                for answer in [page, start] {
                    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{address}");
                    assert_eq!(header(&answer, "set-cookie"), "", "{address}");
                    let text = answer.text().await.unwrap();
                    // Neutral: nothing about whose portal it is, or which networks are let in.
                    assert!(text.contains("AddressNotAllowed"), "{text}");
                    assert!(!text.contains("203.0.113"), "{text}");
                }
            }
        }
        // What a stranger writes into the header themselves is not believed behind the proxy.
        let liar = browser_from("203.0.113.4, 198.51.100.1");
        let page = liar.get(company.portal("/login")).send().await.unwrap();
        assert_eq!(page.status(), StatusCode::FORBIDDEN);
    }

    async fn set_10_sessions_from_elsewhere_are_refused_at_every_door_of_the_portal(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        let alice = company.hire("alice").await;
        let configuration = center.world.configuration("Reader", &["ReadOnlyAccess"]).await;
        center.assign(alice.id, center.world.member.uin, configuration).await;
        // 127.0.0.1, unless the proxy tells another.
        let browser = house.browser();
        company.sign_in(&browser, "alice").await;
        center.set_networks(&["127.0.0.1"]).await;
        let (here, elsewhere) = ("127.0.0.1", "203.0.113.9");
        let ask = async |method: &Method, path: &str, from: &str| {
            let request = browser.request(method.clone(), company.portal(path));
            let answer = request.header("x-forwarded-for", from).send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        };
        let role = format!("/accounts/{}/roles/{configuration}/login", center.world.member.uin);
        let user = format!("/accounts/{}/users/alice%40test/login", center.world.member.uin);
        for (method, path) in [
            (Method::GET, ""),
            (Method::GET, "?tab=users"),
            (Method::GET, "/login"),
            (Method::GET, "/login/start"),
            (Method::GET, "/signed-out"),
            (Method::POST, role.as_str()),
            (Method::POST, user.as_str()),
            (Method::POST, "/sign-out"),
        ] {
            let (status, page) = ask(&method, path, elsewhere).await;
            assert_eq!(status, 403, "{path}: {page}");
            assert!(page.contains("AddressNotAllowed") && !page.contains("alice"), "{page}");
        }
        for path in ["/api/session", "/api/accounts"] {
            let (status, body) = ask(&Method::GET, path, elsewhere).await;
            assert_eq!((status, body.as_str()), (403, r#"{"error":"address_not_allowed"}"#));
            assert_eq!(ask(&Method::GET, path, here).await.0, 200, "{path}");
        }
        // It is not the session's fault: from here it goes on.
        assert_eq!(ask(&Method::GET, "", here).await.0, 200);
        assert_eq!(ask(&Method::POST, &role, here).await.0, 200);
        // Nobody can lock themselves out of what would undo it.
        let console = browser_from(elsewhere).get(house.url("/console/login")).send().await.unwrap();
        assert_eq!(console.status(), StatusCode::OK);
        center.set_networks(&["203.0.113.0/24"]).await;
        assert_eq!(ask(&Method::GET, "", here).await.0, 403);
        assert_eq!(ask(&Method::GET, "", elsewhere).await.0, 200);
        center.set_networks(&[]).await;
        assert_eq!(ask(&Method::GET, "", "198.51.100.77").await.0, 200);
    }

    async fn set_10_a_sign_in_under_way_ends_where_the_network_ends(house) {
        let center = Center::open(house).await;
        let company = center.company().await;
        company.hire("alice").await;
        center.set_networks(&["127.0.0.1"]).await;
        let browser = house.browser();
        let request = company.idp.read(&company.start(&browser).await);
        let answer = company.idp.answer(&request, "alice", house.now().to_jiff()).signed();
        let bring = async |from: &str| {
            let form = [("SAMLResponse", answer.base64())];
            let post = browser.post(company.acs_url()).header("x-forwarded-for", from);
            post.form(&form).send().await.unwrap()
        };
        let refused = bring("203.0.113.9").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("AddressNotAllowed"));
        // The request was not used up by it.
        let accepted = bring("127.0.0.1").await;
        assert_eq!(accepted.status(), StatusCode::SEE_OTHER);
        let finish = crate::journey::location(&accepted);
        let from_elsewhere = browser.get(&finish).header("x-forwarded-for", "203.0.113.9");
        let refused = from_elsewhere.send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(refused.text().await.unwrap().contains("AddressNotAllowed"));
        // A ticket that was shown elsewhere is used up.
        let again = browser.get(&finish).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::FORBIDDEN);
        assert_eq!(count(house, "SELECT COUNT(*) FROM sessions").await, 0);
        let refusals = "SELECT COUNT(*) FROM audit_records WHERE action = 'sign_in.refuse'";
        assert_eq!(count(house, refusals).await, 1);
        company.sign_in(&browser, "alice").await;
    }
}
