//! The list at the root: users and groups in one order (RFC 7644 §3.4.2.1 and §3.4.2.3).

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::{Directory, GROUP, USER, paging::walk};
use crate::on_both;

/// Users and groups made by turns, a minute apart: their names, in the order of their making.
async fn furnish(acme: &Directory<'_>) -> Vec<(&'static str, String)> {
    let mut made = Vec::new();
    for (kind, name, display) in [
        ("Users", "zoe", Some("Mallory")),
        ("Groups", "alpha", Some("Alpha")),
        ("Users", "anna", None),
        ("Groups", "mike", Some("mike")),
        ("Users", "bob", Some("beta")),
        ("Users", "carl", Some("ALPHA")),
        ("Groups", "zulu", Some("Zulu")),
    ] {
        acme.house.app.clock.advance(SignedDuration::from_secs(60));
        let schema = if kind == "Users" { USER } else { GROUP };
        let mut body = json!({ "schemas": [schema] });
        if kind == "Users" {
            body["userName"] = name.into();
            body["externalId"] = format!("x-{name}").into();
        }
        if let Some(display) = display {
            body["displayName"] = display.into();
        }
        let answer = acme.post(&format!("/{kind}"), body).await.expect(201);
        made.push((name, answer["id"].as_str().unwrap().to_owned()));
    }
    made
}

/// What every order of the root list is held against: all its pages by index and by cursor, of
/// every size, are the whole list.
async fn listed(acme: &Directory<'_>, query: &str, made: &[(&str, String)]) -> Vec<String> {
    let ids = |page: &Value| -> Vec<String> {
        page["Resources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    let whole = acme.get(&format!("?{query}")).await.expect(200);
    let all = ids(&whole);
    assert_eq!(whole["totalResults"], all.len());
    for count in 1..=all.len() {
        let mut walked = Vec::new();
        for start in (1..=all.len()).step_by(count) {
            let page =
                acme.get(&format!("?{query}&startIndex={start}&count={count}")).await.expect(200);
            assert_eq!(
                (&page["totalResults"], &page["startIndex"]),
                (&json!(all.len()), &json!(start))
            );
            walked.extend(ids(&page));
        }
        assert_eq!(walked, all, "{query} by {count}");
        let pages = walk(acme, &format!("?{query}&count={count}"), "id").await;
        assert!(pages.iter().rev().skip(1).all(|page| page.len() == count), "{pages:?}");
        assert_eq!(pages.concat(), all, "{query} by cursor, {count}");
    }
    let name = |id: &String| made.iter().find(|(_, one)| one == id).unwrap().0.to_owned();
    all.iter().map(name).collect()
}

on_both! {
    async fn both_kinds_stand_in_one_order(house) {
        let acme = Directory::new(house).await;
        let made = furnish(&acme).await;
        let by = async |query: &str| listed(&acme, query, &made).await.join(" ");
        // Without an order: as they are made, users first.
        assert_eq!(by("").await, "zoe anna bob carl alpha mike zulu");
        // What both have. Equal ones: users first; who has no value comes last, or first.
        assert_eq!(by("sortBy=displayName").await, "carl alpha bob zoe mike zulu anna");
        assert_eq!(by("sortBy=displayName&sortOrder=descending").await, "anna zulu mike zoe bob carl alpha");
        assert_eq!(by("sortBy=meta.lastModified").await, "zoe alpha anna mike bob carl zulu");
        assert_eq!(by("sortBy=meta.lastModified&sortOrder=descending").await, "zulu carl bob mike anna alpha zoe");
        assert_eq!(by("sortBy=meta.created&sortOrder=descending").await, "zulu carl bob mike anna alpha zoe");
        assert_eq!(by("sortBy=meta.resourceType").await, "alpha mike zulu zoe anna bob carl");
        // What only one has.
        assert_eq!(by("sortBy=userName").await, "anna bob carl zoe alpha mike zulu");
        assert_eq!(by("sortBy=userName&sortOrder=descending").await, "alpha mike zulu zoe carl bob anna");
        assert_eq!(by("sortBy=externalId").await, "anna bob carl zoe alpha mike zulu");
        assert_eq!(by("sortBy=members.value").await.len(), by("").await.len());
        // As text, g-… is before u-….
        assert_eq!(by("sortBy=id").await, "alpha mike zulu zoe anna bob carl");
        assert_eq!(by("sortBy=id&sortOrder=descending").await, "carl bob anna zoe zulu mike alpha");
        // A filter goes first, whoever answers it.
        assert_eq!(by("sortBy=displayName&filter=displayName+sw+%22a%22").await, "carl alpha");
        assert_eq!(by("sortBy=meta.lastModified&filter=displayName+eq+%22alpha%22").await, "alpha carl");
        assert_eq!(by("sortBy=meta.lastModified&filter=title+pr+or+displayName+co+%22m%22").await, "zoe mike");
        // A change moves it; what is gone is gone.
        house.app.clock.advance(SignedDuration::from_secs(60));
        acme.patch(&format!("/Users/{}", made[0].1), json!([{ "op": "replace", "path": "title", "value": "t" }])).await.expect(200);
        acme.delete(&format!("/Groups/{}", made[1].1)).await.expect(204);
        assert_eq!(by("sortBy=meta.lastModified").await, "anna mike bob carl zulu zoe");
    }

    async fn a_search_at_the_root_is_the_same_and_says_what_is_wrong(house) {
        let acme = Directory::new(house).await;
        let made = furnish(&acme).await;
        let search = json!({ "sortBy": "displayName", "startIndex": 2, "count": 3, "attributes": ["displayName"] });
        let page = acme.post("/.search", search).await.expect(200);
        let shown: Vec<&Value> = page["Resources"].as_array().unwrap().iter().map(|one| &one["displayName"]).collect();
        assert_eq!(shown, ["Alpha", "beta", "Mallory"]);
        assert_eq!(page["Resources"][0]["id"], made[1].1);
        acme.get("?sortBy=name").await.refused(400, Some("invalidValue"));
        // A cursor belongs to one order.
        let page = acme.get("?sortBy=meta.lastModified&cursor=&count=2").await.expect(200);
        let next = page["nextCursor"].as_str().unwrap();
        acme.get(&format!("?sortBy=displayName&count=2&cursor={next}")).await.refused(400, Some("invalidCursor"));
        let none = acme.get("?sortBy=displayName&startIndex=100").await.expect(200);
        assert_eq!((&none["totalResults"], &none["itemsPerPage"]), (&json!(7), &json!(0)));
        assert_eq!(acme.get("?sortBy=meta.lastModified&count=0").await.expect(200)["totalResults"], 7);
        // Nobody else's.
        let other = Directory::of_space(house, "other").await;
        assert_eq!(other.get("?sortBy=meta.lastModified").await.expect(200)["totalResults"], 0);
    }
}
