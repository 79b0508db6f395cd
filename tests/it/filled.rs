//! A house with something on every page, and somebody who follows every link of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use identity_center::{id::Principal, store::sql};
use reqwest::{Client, StatusCode, header::HeaderMap};
use serde_json::{Value, json};

use crate::{
    access::Desk,
    fake_idp::FakeIdp,
    house::TestHouse,
    journey::{Company, Multipart, header},
    pages::ELSEWHERE,
    whole_way::input,
};

/// A house in which everything there is has been used.
pub struct Filled<'h> {
    pub desk: Desk<'h>,
    person: Client,
    /// Pages that no link leads to, by whose they are.
    more: Vec<String>,
}

/// A page as somebody got it.
pub struct Shown {
    /// Its route, with its tab or act.
    pub kind: String,
    pub path: String,
    pub headers: HeaderMap,
    /// As it was sent, compressed or not.
    pub body: Vec<u8>,
}

impl Shown {
    /// The page, where it was not compressed.
    pub fn html(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

/// What stands between the first `from` and the next quotation mark.
fn after<'p>(page: &'p str, from: &str) -> &'p str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from}: {page}")).1;
    rest.split('"').next().unwrap()
}

/// Addresses in a page: of its links, without entities.
fn links(page: &str) -> Vec<String> {
    page.split("<a ")
        .skip(1)
        .filter_map(|link| link.split_once('>').map(|(tag, _)| tag))
        .filter(|tag| !tag.contains(" download"))
        .filter_map(|tag| tag.split_once("href=\"")?.1.split('"').next())
        .map(|href| href.replace("&amp;", "&").replace("&#38;", "&"))
        .map(|href| href.split('#').next().unwrap().to_owned())
        .collect()
}

impl<'h> Filled<'h> {
    pub async fn open(house: &'h TestHouse) -> Self {
        let desk = Desk::open(house).await;
        let world = &desk.world;
        let company = Company {
            house,
            organization: world.management.organization_id,
            management: world.management.uin,
            space: world.space.clone(),
            idp: FakeIdp::new(),
        };
        company.set_identity_provider().await;
        company.switch_sign_in(true).await;
        let alice = world.user("alice").await;
        let mut people = vec![alice];
        for number in 0..60 {
            people.push(world.user(&format!("person-{number}")).await);
        }
        let team = world.group("team", &people[..20]).await;
        for number in 0..8 {
            world.group(&format!("group-{number}"), &people[number..number + 2]).await;
        }
        let mut accounts = vec![world.member.uin];
        for number in 0..5 {
            accounts
                .push(desk.account_in(&format!("unit-{number}"), &format!("shop-{number}")).await);
        }
        let look =
            world.configuration("look", &["QcloudCVMReadOnlyAccess", "ReadOnlyAccess"]).await;
        let rule = world.configuration("rule", &["AdministratorAccess"]).await;
        for number in 0..8 {
            world.configuration(&format!("role-{number}"), &["QcloudCVMFullAccess"]).await;
        }
        let (first, second) = (accounts[0], accounts[1]);
        let (alice_is, team_is) = (Principal::User(alice), Principal::Group(team));
        let mut triples = Vec::new();
        for account in &accounts {
            triples.push(world.triple(alice_is, *account, look));
            triples.push(world.triple(team_is, *account, rule));
        }
        world.assign(&triples).await;
        desk.settle().await;

        // By the wizards, so that there are plans and progress.
        let assign = format!(
            "act=assign&account={first}&account={second}&principal={}&principal={team_is}&configuration={look}",
            people[1]
        );
        let sent = desk.confirm(&format!("/console/plan?{assign}"), &[]).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.page);
        let progress = sent.location.clone();
        let sync = format!("account={first}&principal={alice_is}&principal={team_is}");
        desk.settle().await;
        desk.carry_out(&format!("/console/plan?act=sync&description=wages&{sync}"), &[]).await;

        let mut filled = Self { desk, person: house.browser(), more: Vec::new() };
        filled.push().await;
        let set_up = filled.set_up().await;
        filled.ask(alice_is, first.0, &rule.to_string(), &company).await;
        filled.change_behind_our_back().await;
        filled.enter(first.0, &look.to_string()).await;
        filled.more = [
            "/console".to_owned(),
            progress,
            format!("/console/authorization?account={first}&search=shop"),
            format!("/console/authorization/identities?act=assign&account={first}"),
            format!("/console/authorization/configurations?{assign}"),
            format!("/console/authorization/review?{assign}"),
            format!("/console/plan?{assign}"),
            format!("/console/user-syncs/new?account={first}"),
            format!("/console/user-syncs/basics?{sync}"),
            format!("/console/plan?act=sync&{sync}"),
            format!("/console/plan?act=edit&configuration={look}&add=1"),
            format!("/console/plan?act=clear&place={first}/{look}"),
            format!("/console/plan?act=undeploy&place={first}/{look}"),
            format!("/console/undeploy/{first}/{look}"),
            format!("/console/explorer?user={alice}"),
            format!("/console/settings/scim/why?user={alice}&group={team}"),
            "/console/users?search=person".to_owned(),
        ]
        .into();
        filled.more.extend(set_up);
        filled
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> String {
        let fields: Vec<(String, String)> =
            fields.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let sent = self.desk.post(path, &fields).await;
        assert!(!sent.status.is_client_error(), "{path}: {} {}", sent.status, sent.page);
        if sent.page.is_empty() { sent.location } else { sent.page }
    }

    async fn scim(&self, token: &str, path: &str, body: Value) -> Value {
        let to = self.desk.house.url(&format!("/scim/v2/{path}"));
        let sent = Client::new().post(to).bearer_auth(token).json(&body).send().await.unwrap();
        sent.json().await.unwrap()
    }

    /// A directory pushes people and a group, one that is refused, and takes somebody back.
    async fn push(&self) {
        self.post("/console/settings/scim/on", &[("confirmed", "true")]).await;
        let page = self.post("/console/settings/scim/tokens", &[("days", "30")]).await;
        let token = after(&page, "data-copy=\"").to_owned();
        let mut members = Vec::new();
        for name in ["carol", "daniel", "erin"] {
            let made = self.scim(&token, "Users", json!({ "userName": name })).await;
            members.push(json!({ "value": made["id"] }));
        }
        let group = json!({ "displayName": "data", "members": members });
        self.scim(&token, "Groups", group).await;
        self.scim(&token, "Users", json!({ "userName": "erin" })).await;
        let gone = self.scim(&token, "Users", json!({ "userName": "leaver" })).await;
        let gone = self.desk.house.url(&format!("/scim/v2/Users/{}", gone["id"].as_str().unwrap()));
        let gone = Client::new().delete(gone).bearer_auth(&token).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    }

    /// Sets up a little of everything; says where a proposal and a department stand.
    async fn set_up(&self) -> [String; 2] {
        let desk = &self.desk;
        let cloud = [("cloud", "AWS"), ("number", "123456789012"), ("region", "eu-west-1")];
        let account = desk.world.account("elsewhere").await.uin;
        self.post(&format!("/console/accounts/{account}/cloud"), &cloud).await;
        let badge = json!({ "id": "urn:example:params:badge", "name": "Badge", "attributes":
            [{ "name": "number", "type": "string" }] });
        let badge = [("resource_type", "user"), ("document", &*badge.to_string())];
        self.post("/console/settings/scim/schemas", &badge).await;
        let page = desk.page("/console/settings/events").await;
        let kind = after(&page, "name=\"kinds\" value=\"");
        let receiver = [("url", "https://events.example.com/identity"), ("kinds", kind)];
        self.post("/console/settings/events", &receiver).await;
        self.post("/console/settings/sso/tests", &[]).await;
        self.post("/console/keys", &[("description", "pipeline")]).await;
        let other = FakeIdp::new().metadata();
        let form = Multipart::default().text("text", &other);
        let to = desk.house.url("/console/settings/sso/metadata");
        let sent = form.post(&desk.chief, to).await;
        assert_eq!(sent.status(), StatusCode::SEE_OTHER);
        let proposal = header(&sent, "location").to_owned();
        let tree = desk.page("/console/organization").await;
        let mut departments = links(&tree).into_iter().filter(|link| link.contains("?department="));
        [proposal, departments.next_back().unwrap()]
    }

    /// Somebody signs in and asks for access.
    async fn ask(&self, who: Principal, account: i64, configuration: &str, company: &Company<'_>) {
        let account = account.to_string();
        let scope = [
            ("principal", &*who.to_string()),
            ("account", &account),
            ("configuration", configuration),
        ];
        self.post("/console/requests/scopes", &scope).await;
        let inside = company.sign_in(&self.person, "alice").await;
        assert_eq!(inside.status(), StatusCode::SEE_OTHER);
        let page = self.person.get(company.portal("/requests")).send().await.unwrap();
        let page = page.text().await.unwrap();
        let wanted = after(&page, "<option value=\"");
        let form = [("wanted", wanted), ("seconds", "3600"), ("reason", "audit")];
        let asked = self.person.post(company.portal("/requests")).form(&form).send().await.unwrap();
        assert_eq!(asked.status(), StatusCode::SEE_OTHER, "{}", asked.text().await.unwrap());
    }

    async fn change_behind_our_back(&self) {
        let world = &self.desk.world;
        for change in [
            "UPDATE cloud_roles SET session_duration = 43200
             WHERE id = (SELECT MIN(id) FROM cloud_roles)",
            "DELETE FROM cloud_role_policies WHERE role_id = (SELECT MAX(id) FROM cloud_roles)",
        ] {
            world.write(async |tx, _| sql(change).execute(tx).await).await;
        }
        self.post("/console/drift/detect", &[]).await;
        self.desk.settle().await;
    }

    /// The person goes into an account.
    async fn enter(&self, account: i64, role: &str) {
        let house = self.desk.house;
        let way = house.url(&format!("/portal/test/accounts/{account}/roles/{role}/login"));
        let page = self.person.post(way).header("Origin", house.url("")).send().await.unwrap();
        let word = input(&page.text().await.unwrap(), "SAMLResponse");
        let door = self.person.post(house.url("/cloud/login/saml"));
        let entered = door.form(&[("SAMLResponse", word)]).send().await.unwrap();
        assert_eq!(entered.status(), StatusCode::SEE_OTHER);
    }

    /// Every page: from the front pages on by every link, one page for each route, tab and act.
    /// Fails where a route with a page is not come to.
    pub async fn every_page(
        &self,
        headers: &[(&'static str, &str)],
        mut look: impl AsyncFnMut(Shown),
    ) {
        let routes: BTreeSet<&str> = include_str!("../routes.txt")
            .lines()
            .filter_map(|line| line.strip_prefix("GET "))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|path| !path.starts_with("/scim/"))
            .collect();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let stranger = self.desk.house.browser();
        let doors: [(&Client, &str, Vec<String>); 4] = [
            (&self.desk.chief, "/console", self.more.clone()),
            (
                &self.person,
                "/portal",
                vec![
                    "/portal/test".to_owned(),
                    "/portal/test/command-line?state=abcdefghijklmnopqrstuvwxyz012345".to_owned(),
                ],
            ),
            (&self.person, "/cloud", vec!["/cloud?action=cvm:DescribeInstances".to_owned()]),
            (
                &stranger,
                "",
                [
                    "/console/login",
                    "/cloud/login",
                    "/portal/test/login",
                    "/portal/test/signed-out",
                    "/docs/api",
                ]
                .map(str::to_owned)
                .into(),
            ),
        ];
        for (browser, door, begin) in doors {
            let mut known: BTreeMap<String, String> = BTreeMap::new();
            let mut ahead = VecDeque::from(begin);
            while let Some(path) = ahead.pop_front() {
                let mut request = browser.get(self.desk.house.url(&path));
                for (name, value) in headers {
                    request = request.header(*name, *value);
                }
                let answer = request.send().await.unwrap();
                let (status, headers) = (answer.status(), answer.headers().clone());
                let body = answer.bytes().await.unwrap().to_vec();
                assert_eq!(status, StatusCode::OK, "{path}: {}", String::from_utf8_lossy(&body));
                // Links are read from the page as it is without compression.
                let html = browser.get(self.desk.house.url(&path)).send().await.unwrap();
                let html = html.text().await.unwrap();
                let kind = kind_of(&routes, &path).unwrap();
                seen.insert(kind.split('?').next().unwrap().to_owned());
                look(Shown { kind, path, headers, body }).await;
                for link in links(&html) {
                    let is_here = link.starts_with(door) || link.starts_with("/docs/");
                    let Some(kind) = kind_of(&routes, &link).filter(|_| is_here) else { continue };
                    if !door.is_empty() && !known.contains_key(&kind) {
                        known.insert(kind, link.clone());
                        ahead.push_back(link);
                    }
                }
            }
        }
        let missed: Vec<&&str> = routes
            .iter()
            .filter(|route| !seen.contains(**route))
            .filter(|route| !ELSEWHERE.iter().any(|(path, _)| path == *route))
            .collect();
        assert!(missed.is_empty(), "pages that nobody looked at: {missed:#?}");
    }
}

/// What an address is like: its route, and its tab or act if it says one. None for what is no page.
fn kind_of(routes: &BTreeSet<&str>, link: &str) -> Option<String> {
    let (path, query) = link.split_once('?').unwrap_or((link, ""));
    let parts: Vec<&str> = path.split('/').collect();
    let route = routes
        .iter()
        .filter(|route| {
            let wanted: Vec<&str> = route.split('/').collect();
            wanted.len() == parts.len()
                && wanted.iter().zip(&parts).all(|(want, is)| want.starts_with('{') || want == is)
        })
        .min_by_key(|route| route.matches('{').count())?;
    if ELSEWHERE.iter().any(|(elsewhere, _)| elsewhere == route) {
        return None;
    }
    let telling = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        matches!(name, "tab" | "act").then_some(value)
    });
    Some(telling.map_or_else(|| (*route).to_owned(), |told| format!("{route}?{told}")))
}
