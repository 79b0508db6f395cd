//! The world the server is measured in: a space with many users and groups. The first of each is
//! made by the server itself over HTTP; the others are written straight into the database, row
//! for row like it.

use std::{path::Path, time::Instant};

use anyhow::{Context, Result, ensure};
use identity_center::{
    app::App,
    clock::Clock,
    config::Settings,
    credential,
    id::{GroupId, UserId},
    organization,
    secret::Sealer,
    space::{self, KeyPurpose, NewKeyPair},
    store::{Kind, Value},
};
use secrecy::ExposeSecret;
use serde_json::{Value as Json, json};

use crate::{
    load::{self, Connection},
    machine::Server,
    raw::{Raw, TAG, Template},
};

/// The users are a day old: as much lies between their ids and those of today.
const AGE: i64 = 86_400_000 << 20;

/// How much there is of everything.
#[derive(Clone, Copy)]
pub struct Size {
    pub users: i64,
    pub groups: i64,
    /// Members of the largest group.
    pub members: i64,
}

/// A database with everything in it.
pub struct World {
    pub url: String,
    pub kind: Kind,
    pub size: Size,
    pub master_key: String,
    pub token: String,
    /// The user and the group that the others are like; their ids follow.
    pub user: i64,
    pub group: i64,
    /// What the making of a user writes, what the change of one, what the change of a membership.
    pub create: Vec<Template>,
    pub change: Vec<Template>,
    pub join: Vec<Template>,
    /// Seconds that the seeding took.
    pub seconds: f64,
}

/// The body that makes a user; `tag` is seven letters or digits.
pub fn user_body(tag: &str) -> Json {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "externalId": format!("4f1d2c3b-aaaa-bbbb-cccc-00000{tag}"),
        "userName": format!("bench.{tag}@example.com"),
        "name": { "givenName": "Anna", "familyName": format!("Seeded-{tag}") },
        "displayName": format!("Anna Seeded-{tag}"),
        "emails": [{
            "value": format!("bench.{tag}@example.com"), "type": "work", "primary": true,
        }],
        "phoneNumbers": [{ "value": "+49 30 1234567", "type": "work" }],
        "title": "Engineer",
        "preferredLanguage": "en-US",
        "active": true,
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": format!("E-{tag}"), "department": "Research", "costCenter": "4130",
        },
    })
}

/// The body of a PATCH with one operation.
pub fn patch_body(operation: &Json) -> String {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [operation],
    })
    .to_string()
}

impl World {
    pub fn user_name(&self, number: i64) -> String {
        UserId(self.user + number).to_string()
    }

    pub fn group_name(&self, number: i64) -> String {
        GroupId(self.group + number).to_string()
    }

    /// Makes it in an empty database.
    pub async fn make(url: &str, size: Size, binary: &Path, folder: &Path) -> Result<Self> {
        let began = Instant::now();
        let master_key = Sealer::new_master_key()?;
        let settings = Settings::for_address("http://localhost".parse()?, url, &master_key)?;
        let app = App::open(settings, Clock::system()).await?;
        let act = app.own_act("bench")?;
        let [service, identity] =
            [NewKeyPair::generate("bench", act.now)?, NewKeyPair::generate("bench", act.now)?];
        let token = app
            .db
            .write(async |tx| -> Result<String> {
                let (organization, _) = organization::create(tx, &act, "bench").await?;
                let keys = [
                    (KeyPurpose::ServiceProvider, service),
                    (KeyPurpose::IdentityProvider, identity),
                ];
                let space =
                    space::open(tx, &act, &app.sealer, organization.id, "bench", keys).await?;
                space::set_scim_enabled(tx, &act, &space, true).await?;
                let (_, token) = credential::create(tx, &act, space.id, None).await?;
                Ok(token.expose_secret().to_owned())
            })
            .await?;
        app.db.close().await;
        let mut raw = Raw::open(url).await?;
        // Half of the measurements would be a storm that the brake is there for.
        let brake = match raw.kind() {
            Kind::Sqlite => {
                "UPDATE spaces SET scim_brake_lifted_until = '2100-01-01T00:00:00.000000Z'"
            }
            Kind::Postgres => "UPDATE spaces SET scim_brake_lifted_until = '2100-01-01T00:00:00Z'",
        };
        raw.script(brake).await?;
        let mut world = Self {
            url: url.to_owned(),
            kind: raw.kind(),
            size,
            master_key,
            token,
            user: 0,
            group: 0,
            create: Vec::new(),
            change: Vec::new(),
            join: Vec::new(),
            seconds: 0.0,
        };
        world.first(&mut raw, binary, folder).await?;
        world.fill(&mut raw).await?;
        raw.close().await?;
        world.seconds = began.elapsed().as_secs_f64();
        Ok(world)
    }

    /// The first user and group, made by the server.
    async fn first(&mut self, raw: &mut Raw, binary: &Path, folder: &Path) -> Result<()> {
        let log = folder.join("seed.log");
        let server = Server::start(binary, &self.url, &self.master_key, &log)?;
        let mut connection = Connection::open(server.address).await?;
        let made =
            self.call(&mut connection, "POST", "/Users", &user_body(TAG).to_string()).await?;
        self.user = raw.number("SELECT MAX(id) FROM users", Vec::new()).await?;
        self.create = Template::read(raw, "users", "id =", self.user).await?;
        self.create.extend(Template::read(raw, "user_emails", "user_id =", self.user).await?);
        let mut seen = (0, 0);
        self.create.extend(traces(raw, &mut seen).await?);
        let id = made["id"].as_str().context("no id")?.to_owned();
        let path = format!("/Users/{id}");
        for active in [false, true] {
            let body = patch_body(&json!({ "op": "replace", "path": "active", "value": active }));
            self.call(&mut connection, "PATCH", &path, &body).await?;
            self.change = traces(raw, &mut seen).await?;
        }
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "externalId": format!("group-{TAG}"),
            "displayName": format!("bench-group-{TAG}"),
        });
        let made = self.call(&mut connection, "POST", "/Groups", &body.to_string()).await?;
        self.group = raw.number("SELECT MAX(id) FROM groups", Vec::new()).await?;
        traces(raw, &mut seen).await?;
        let path = format!("/Groups/{}", made["id"].as_str().context("no id")?);
        let body =
            patch_body(&json!({ "op": "add", "path": "members", "value": [{ "value": id }] }));
        self.call(&mut connection, "PATCH", &path, &body).await?;
        self.join = traces(raw, &mut seen).await?;
        drop(connection);
        server.stop()
    }

    async fn call(
        &self,
        connection: &mut Connection,
        method: &str,
        path: &str,
        body: &str,
    ) -> Result<Json> {
        let answer = connection.call(&load::request(method, path, &self.token, body)).await?;
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        ensure!((200..300).contains(&answer.status), "{method} {path}: {} {text}", answer.status);
        Ok(if text.is_empty() { Json::Null } else { serde_json::from_str(&text)? })
    }

    /// All the others.
    async fn fill(&mut self, raw: &mut Raw) -> Result<()> {
        raw.script(match self.kind {
            Kind::Sqlite => "PRAGMA foreign_keys = off; PRAGMA synchronous = off",
            Kind::Postgres => "SET session_replication_role = replica",
        })
        .await?;
        for template in &self.create {
            let id = template.number("id").or_else(|| template.number("user_id"));
            let id = id.context("a row without a number")?;
            let text = template.multiply(raw, AGE);
            multiply(raw, &text, id, self.size.users).await?;
        }
        self.user -= AGE;
        let group = Template::read(raw, "groups", "id =", self.group).await?;
        let group = group.first().context("no group")?;
        let text = group.multiply(raw, 0);
        multiply(raw, &text, self.group, self.size.groups).await?;
        self.fill_groups(raw).await?;
        raw.script(match self.kind {
            Kind::Sqlite => "PRAGMA foreign_keys = on; PRAGMA synchronous = full",
            Kind::Postgres => {
                // Nothing has counted them: triggers were off.
                "SET session_replication_role = origin;
                 DELETE FROM directory_counts;
                 INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
                     SELECT space_id, 'user', source, 0, COUNT(*), 0 FROM users
                     WHERE deleted_at IS NULL GROUP BY space_id, source;
                 INSERT INTO directory_counts (space_id, kind, source, slot, total, removed)
                     SELECT space_id, 'group', source, 0, COUNT(*), 0 FROM groups
                     WHERE deleted_at IS NULL GROUP BY space_id, source"
            }
        })
        .await?;
        raw.settle().await
    }

    /// The first group has very many members, each other one ten.
    async fn fill_groups(&self, raw: &mut Raw) -> Result<()> {
        let int = |number| Value::Int(Some(number));
        let text = format!(
            "INSERT INTO group_members (group_id, user_id, joined_at)
             SELECT $3, $4 + n.i, g.created_at FROM {}, groups g WHERE g.id = $3",
            raw.series()
        );
        let values = vec![int(1), int(self.size.members), int(self.group + 1), int(self.user)];
        raw.execute(&text.into(), values).await?;
        let text = format!(
            "INSERT INTO group_members (group_id, user_id, joined_at)
             SELECT $3 + n.i, $4 + 1 + (n.i * 10 + k.id - $5) * 7919 % $6, g.created_at
             FROM {}, groups g, users k WHERE g.id = $3 AND k.id >= $5 AND k.id < $5 + 10",
            raw.series()
        );
        let values = vec![
            int(2),
            int(self.size.groups),
            int(self.group),
            int(self.user),
            int(self.user + 1),
            int(self.size.users),
        ];
        raw.execute(&text.into(), values).await
    }
}

async fn multiply(raw: &mut Raw, text: &str, id: i64, many: i64) -> Result<()> {
    let text = text.into();
    let mut from = 1;
    while from <= many {
        let to = many.min(from + 49_999);
        let values = [from, to, id].map(|number| Value::Int(Some(number))).to_vec();
        raw.execute(&text, values).await?;
        from = to + 1;
    }
    Ok(())
}

/// What has been written into the logs since the last look.
async fn traces(raw: &mut Raw, seen: &mut (i64, i64)) -> Result<Vec<Template>> {
    let mut found = Vec::new();
    // What the server writes a little later belongs to it as well.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    if seen.0 == 0 {
        // Whatever happened before the first request is not its doing.
        seen.0 = raw
            .number(
                "SELECT MAX(id) - 1 FROM audit_records WHERE action = 'user.create'",
                Vec::new(),
            )
            .await?;
    }
    for (table, seen) in [("audit_records", &mut seen.0), ("scim_requests", &mut seen.1)] {
        let rows = Template::read(raw, table, "id >", *seen).await?;
        *seen = rows.iter().filter_map(|row| row.number("id")).max().unwrap_or(*seen);
        found.extend(rows);
    }
    Ok(found)
}
