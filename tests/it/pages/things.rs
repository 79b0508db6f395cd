//! What there is to see on the tour: a company with people that a directory pushes and people made
//! by hand, with requests, refusals, differences and a foreign account.

use reqwest::{Client, StatusCode, header::LOCATION, redirect::Policy};
use serde_json::{Value, json};

use super::tour::Tour;
use crate::journey::Multipart;

/// Who the directory has, and in which group.
const PEOPLE: [(&str, &str, &str); 12] = [
    ("carol", "Carol Davies", "Data"),
    ("daniel", "Daniel Okafor", "Data"),
    ("erin", "Erin Walsh", "Contractors"),
    ("fatima", "Fatima al-Sayed", "Engineers on call"),
    ("hiroshi", "Hiroshi Tanaka", "Engineers on call"),
    ("ines", "Inês Carvalho", "Engineers on call"),
    ("jonas", "Jonas Lindqvist", "Finance"),
    ("li.wei", "李伟", "Data"),
    ("maria.del.carmen", "María del Carmen Fernández-Villanueva", "Finance"),
    ("noah", "Noah Becker", "Contractors"),
    ("priya", "Priya Raman", "Engineers on call"),
    ("zhang.min", "张敏", "Finance"),
];

/// An administrator's browser without a page.
pub struct Desk {
    client: Client,
    url: String,
}

impl Desk {
    pub async fn page(&self, path: &str) -> String {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert_eq!(status, StatusCode::OK, "{path}: {text}");
        text
    }

    /// Sends a form that must be taken; where it leads.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> String {
        let sent = self.client.post(format!("{}{path}", self.url)).form(form).send().await.unwrap();
        let status = sent.status();
        let to = sent.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let text = sent.text().await.unwrap();
        let text = text.split_once("<main").map_or(&*text, |(_, main)| main);
        assert!(status.is_success() || status == StatusCode::SEE_OTHER, "{path}: {status} {text}");
        to.unwrap_or_default()
    }
}

/// What stands between the first `from` and the next quotation mark.
fn after<'p>(page: &'p str, from: &str) -> &'p str {
    let rest = page.split_once(from).unwrap_or_else(|| panic!("no {from}: {page}")).1;
    rest.split('"').next().unwrap()
}

fn browser() -> Client {
    Client::builder().cookie_store(true).redirect(Policy::none()).build().unwrap()
}

impl Tour {
    /// An administrator at the console, without a page.
    pub async fn desk(&self) -> Desk {
        let desk = Desk { client: browser(), url: self.demo.url.clone() };
        let form = [
            ("account", self.demo.after("account ")),
            ("user_name", "admin"),
            ("password", self.demo.after("password ")),
        ];
        desk.post("/console/login", &form).await;
        desk
    }

    /// Somebody at the portal, without a page.
    pub async fn person(&self, name: &str) -> Desk {
        let client = browser();
        let accepted = self.demo.sign_in(&client, name).await;
        let finish = accepted.headers()[LOCATION].to_str().unwrap();
        client.get(finish).send().await.unwrap();
        Desk { client, url: self.demo.url.clone() }
    }

    async fn scim(&self, path: &str, body: Value, expected: u16) -> Value {
        let token = self.demo.after("token ").to_owned();
        let to = format!("{}/scim/v2/{path}", self.demo.url);
        let sent = Client::new().post(&to).bearer_auth(&token).json(&body).send().await.unwrap();
        let (status, said) = (sent.status(), sent.json().await.unwrap());
        assert_eq!(status.as_u16(), expected, "{path}: {said}");
        said
    }

    /// The directory pushes people and groups, one that is refused, and takes somebody back.
    async fn push_things(&self) {
        let mut ids = Vec::new();
        for (name, shown, _) in PEOPLE {
            let email = json!([{ "value": format!("{name}@example.com"), "primary": true }]);
            let person = json!({ "userName": name, "displayName": shown, "emails": email });
            let made = self.scim("Users", person, 201).await;
            ids.push(made["id"].as_str().unwrap().to_owned());
        }
        for group in ["Contractors", "Data", "Engineers on call", "Finance"] {
            let members: Vec<Value> = PEOPLE
                .iter()
                .zip(&ids)
                .filter(|((_, _, of), _)| *of == group)
                .map(|(_, id)| json!({ "value": id }))
                .collect();
            self.scim("Groups", json!({ "displayName": group, "members": members }), 201).await;
        }
        self.scim("Users", json!({ "userName": "erin" }), 409).await;
        let gone = self.scim("Users", json!({ "userName": "leaver" }), 201).await;
        let token = self.demo.after("token ").to_owned();
        let gone = format!("{}/scim/v2/Users/{}", self.demo.url, gone["id"].as_str().unwrap());
        let gone = Client::new().delete(gone).bearer_auth(&token).send().await.unwrap();
        assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    }

    /// All that the demo has none of.
    pub async fn make_things(&self) {
        self.push_things().await;
        let desk = self.desk().await;
        let people = [
            ("user_name", "frank"),
            ("display_name", "Frank Osei"),
            ("email", "frank@example.com"),
            ("user_name-1", "greta"),
        ];
        desk.post("/console/users", &people).await;
        let visitors = [("name", "Visitors"), ("description", "People who stay for a while")];
        let visitors = desk.post("/console/groups", &visitors).await;
        let visitors = visitors.split('?').next().unwrap().to_owned();
        let page = desk.page(&visitors).await;
        let somebody = after(&page, "name=\"user\" value=\"").to_owned();
        desk.post(&format!("{visitors}/members"), &[("user", &somebody)]).await;

        let tree = desk.page("/console/organization").await;
        let root = after(&tree, "class=\"level-0\"><a href=\"/console/organization?department=");
        let made = format!("/console/organization/departments/{root}/new");
        desk.post(&made, &[("name", "Research"), ("remark", "Nothing here yet")]).await;
        let account = |name: &str| {
            let before = tree.split_once(&format!(">{name}</a>")).unwrap().0;
            before.rsplit_once("/console/accounts/").unwrap().1.trim_end_matches('"').to_owned()
        };
        let (analytics, billing) = (account("analytics"), account("billing"));
        let cloud = [("cloud", "AWS"), ("number", "123456789012"), ("region", "eu-west-1")];
        desk.post(&format!("/console/accounts/{analytics}/cloud"), &cloud).await;

        let badge = json!({ "id": "urn:example:params:badge", "name": "Badge", "attributes":
            [{ "name": "number", "type": "string" }] });
        let badge = [("resource_type", "user"), ("document", &*badge.to_string())];
        desk.post("/console/settings/scim/schemas", &badge).await;
        let receiver = [("url", "https://events.example.com/identity"), ("kinds", "create")];
        desk.post("/console/settings/events", &receiver).await;
        desk.post("/console/settings/sso/tests", &[]).await;
        desk.post("/console/keys", &[("description", "Deployment pipeline")]).await;

        // What may be asked for, and two who ask.
        let page = desk.page("/console/requests/scopes/new").await;
        let everybody = page.split_once(">Everybody (").unwrap().0;
        let everybody = everybody.rsplit_once("for=\"p-").unwrap().1.trim_end_matches('"');
        let role = after(&page, "name=\"configuration\" value=\"");
        let scope = [("principal", everybody), ("account", &billing), ("configuration", role)];
        desk.post("/console/requests/scopes", &scope).await;
        for (name, why) in
            [("alice", "The quarterly close needs a second pair of eyes"), ("bob", "Audit of May")]
        {
            let person = self.person(name).await;
            let page = person.page("/portal/acme/requests").await;
            let wanted = after(&page, "<option value=\"");
            let asked = [("wanted", wanted), ("seconds", "3600"), ("reason", why)];
            person.post("/portal/acme/requests", &asked).await;
        }
        // Who is not there cannot sign in.
        let refused = self.demo.sign_in(&browser(), "nobody").await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    }

    /// Somebody changes a role in an account behind our back, and we look for it.
    pub async fn drift(&self) {
        let database = format!("sqlite:{}", self.data.path().join("demo.db").display());
        let database = sqlx::SqlitePool::connect(&database).await.unwrap();
        for change in [
            "UPDATE cloud_roles SET session_duration = 43200
             WHERE id = (SELECT MIN(id) FROM cloud_roles)",
            "DELETE FROM cloud_role_policies WHERE role_id = (SELECT MAX(id) FROM cloud_roles)",
        ] {
            sqlx::raw_sql(change).execute(&database).await.unwrap();
        }
        database.close().await;
        self.desk().await.post("/console/drift/detect", &[]).await;
        self.settle().await;
    }

    /// Waits until the server has nothing left to do.
    pub async fn settle(&self) {
        let database = format!("sqlite:{}", self.data.path().join("demo.db").display());
        let database = sqlx::SqlitePool::connect(&database).await.unwrap();
        for _ in 0..600 {
            let open = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
            let open: i64 = sqlx::query_scalar(open).fetch_one(&database).await.unwrap();
            if open == 0 {
                return database.close().await;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        panic!("the tasks do not end");
    }

    /// An identity provider with another key is proposed; the page that asks whether to take it.
    pub async fn propose(&self) -> String {
        let desk = self.desk().await;
        let other = crate::fake_idp::FakeIdp::new().metadata();
        let form = Multipart::default().text("text", &other);
        let to = format!("{}/console/settings/sso/metadata", self.demo.url);
        let sent = form.post(&desk.client, to).await;
        let to = sent.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
        to.unwrap_or_else(|| panic!("{}", sent.status()))
    }
}
