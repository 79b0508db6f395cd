//! Giving and taking access at the console, without a browser: the pages, what they say, and what
//! comes of their forms.

mod configurations;
mod explorer;
mod syncs;
mod wizard;

use identity_center::{cloud, id::Uin, organization};
use reqwest::{Client, StatusCode, header};

use crate::{console::Office, house::TestHouse, journey::count, world::World};

/// A console with somebody signed in who may change everything.
pub struct Desk<'h> {
    pub house: &'h TestHouse,
    pub world: World,
    pub chief: Client,
}

/// What came of a form.
pub struct Sent {
    pub status: StatusCode,
    /// Where it leads; empty where it leads nowhere.
    pub location: String,
    pub page: String,
}

impl<'h> Desk<'h> {
    pub async fn open(house: &'h TestHouse) -> Self {
        let office = Office::open(house).await;
        office.hire("chief", Some("QcloudOrganizationFullAccess")).await;
        let chief = office.inside("chief").await;
        Self { house, world: office.world, chief }
    }

    pub async fn look(&self, path: &str) -> Sent {
        let answer = self.chief.get(self.house.url(path)).send().await.unwrap();
        Self::sent(answer).await
    }

    async fn sent(answer: reqwest::Response) -> Sent {
        let status = answer.status();
        let location = answer.headers().get(header::LOCATION);
        let location = location.map(|it| it.to_str().unwrap().to_owned()).unwrap_or_default();
        Sent { status, location, page: answer.text().await.unwrap() }
    }

    /// A page that is there.
    pub async fn page(&self, path: &str) -> String {
        let sent = self.look(path).await;
        assert_eq!(sent.status, StatusCode::OK, "{path}: {}", sent.page);
        sent.page
    }

    pub async fn post(&self, path: &str, fields: &[(String, String)]) -> Sent {
        let request = self.chief.post(self.house.url(path)).header("Sec-Fetch-Site", "same-origin");
        Self::sent(request.form(fields).send().await.unwrap()).await
    }

    /// Opens a plan and confirms it as it stands, with more fields.
    pub async fn confirm(&self, address: &str, more: &[(&str, &str)]) -> Sent {
        let page = self.page(address).await;
        self.post("/console/plan", &with(plan_fields(&page), more)).await
    }

    /// Confirms a plan, waits for its tasks, and shows their page.
    pub async fn carry_out(&self, address: &str, more: &[(&str, &str)]) -> String {
        let sent = self.confirm(address, more).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.page);
        self.settle().await;
        self.page(&sent.location).await
    }

    /// Waits until the worker has nothing to do.
    pub async fn settle(&self) {
        let left = "SELECT COUNT(*) FROM tasks WHERE state IN ('ready', 'running')";
        for _ in 0..400 {
            if count(self.house, left).await == 0 {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        panic!("the tasks do not end");
    }

    /// A member account in a department of its own.
    pub async fn account_in(&self, department: &str, name: &str) -> Uin {
        self.world
            .write(async |tx, act| -> Result<Uin, cloud::Error> {
                let management = &self.world.management;
                let organization = management.organization_id;
                let root = management.node_id;
                let made =
                    organization::create_department(tx, act, organization, root, department, "")
                        .await?;
                let node = Some(made.node_id);
                Ok(cloud::create_member(tx, act, management, node, name, "").await?.uin)
            })
            .await
    }
}

/// The hidden fields of a plan's form.
pub fn plan_fields(page: &str) -> Vec<(String, String)> {
    let (_, form) = page
        .split_once(r#"method="post" action="/console/plan""#)
        .unwrap_or_else(|| panic!("{page}"));
    let (form, _) = form.split_once("</form>").unwrap();
    let mut fields = Vec::new();
    for input in form.split(r#"<input type="hidden" name=""#).skip(1) {
        let (name, rest) = input.split_once(r#"" value=""#).unwrap();
        let (value, _) = rest.split_once(r#"">"#).unwrap();
        fields.push((name.to_owned(), value.replace("&#38;", "&").replace("&#34;", "\"")));
    }
    fields
}

pub fn with(mut fields: Vec<(String, String)>, more: &[(&str, &str)]) -> Vec<(String, String)> {
    for (name, value) in more {
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    fields
}

/// The rows of the bodies of a page's tables.
pub fn rows(page: &str) -> Vec<&str> {
    let mut rows = Vec::new();
    for body in page.split("<tbody>").skip(1) {
        let (body, _) = body.split_once("</tbody>").unwrap();
        rows.extend(body.split("<tr").skip(1));
    }
    rows
}

/// The heads of the columns of a page's tables.
pub fn heads(page: &str) -> Vec<String> {
    let heads = page.split(r#"<th scope="col">"#).skip(1);
    heads.map(|rest| rest.split_once("</th>").unwrap().0.to_owned()).collect()
}
