//! The server that is measured, and a client that signs.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use identity_center::{
    app::App,
    clock::Clock,
    cloud,
    config::Settings,
    directory::{self, NewUser},
    id::{ConfigurationId, UserId},
    organization::Account,
    permission::{self, Limits, NewConfiguration, NewPolicy},
    secret::{Sealer, random_token},
    server,
    space::Space,
    store::sql,
    tc3,
};
use reqwest::{Client, header};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// Accounts that are assigned to.
pub const ACCOUNTS: usize = 500;

pub struct Server {
    pub app: App,
    pub space: Space,
    pub management: Account,
    pub accounts: Vec<Account>,
    pub secret_id: String,
    pub secret_key: String,
    host: String,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub async fn start(database: &str) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let host = listener.local_addr()?.to_string();
        let master = Sealer::new_master_key()?;
        let address = format!("http://{host}").parse()?;
        let mut settings = Settings::for_address(address, database, &master)?;
        settings.rate_limits.enabled = false;
        let app = App::open(settings, Clock::system()).await?;
        let act = app.own_act("bench")?;
        let name =
            format!("bench-{}", random_token::<6>()?.to_lowercase().replace(['-', '_'], "x"));
        let keys = cloud::space_keys(name.clone(), act.now).await?;
        let key = cloud::new_access_key(&app.sealer)?;
        let (management, space, accounts) = app
            .db
            .write(async |tx| -> Result<_> {
                let (_, management, _) =
                    cloud::install(tx, &act, &name, "administrator", "-", &key).await?;
                let space =
                    cloud::activate(tx, &act, &app.sealer, &management, &name, keys).await?;
                let mut accounts = Vec::with_capacity(ACCOUNTS);
                for number in 0..ACCOUNTS {
                    let name = format!("account-{number}");
                    accounts
                        .push(cloud::create_member(tx, &act, &management, None, &name, "").await?);
                }
                Ok((management, space, accounts))
            })
            .await?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::serve(app.clone(), listener, stop.clone()));
        Ok(Self {
            app,
            space,
            management,
            accounts,
            secret_id: key.secret_id.clone(),
            secret_key: key.secret_key.to_string(),
            host,
            stop,
            serving,
        })
    }

    pub async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.serving.await??;
        Ok(())
    }

    /// Durable commits a second, one row each, one after the other.
    pub async fn commits(&self, span: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut commits = 0_u32;
        while began.elapsed() < span {
            let write = self.app.db.write(async |tx| {
                sql("UPDATE spaces SET updated_at = $1 WHERE id = $2")
                    .bind(self.app.clock.now())
                    .bind(self.space.id)
                    .execute(tx)
                    .await
            });
            write.await?;
            commits += 1;
        }
        Ok(f64::from(commits) / began.elapsed().as_secs_f64())
    }

    /// Lets the database look at what has come, as it would after a while by itself.
    pub async fn settle(&self) -> Result<()> {
        self.app.db.write(async |tx| sql("ANALYZE").execute(tx).await).await?;
        Ok(())
    }

    pub async fn user(&self, name: &str) -> Result<UserId> {
        let act = self.app.own_act("bench")?;
        let new = NewUser { user_name: name.to_owned(), ..NewUser::default() };
        let made = self.app.db.write(async |tx| {
            directory::create_user(tx, &act, self.space.id, &new, 1_000_000).await
        });
        Ok(made.await?.id)
    }

    /// A configuration that may read everything.
    pub async fn configuration(&self, name: &str) -> Result<ConfigurationId> {
        let act = self.app.own_act("bench")?;
        let new = NewConfiguration { name: name.to_owned(), ..NewConfiguration::default() };
        let policies = [NewPolicy::Preset("ReadOnlyAccess".to_owned())];
        let (id, limits) = (self.space.id, Limits::default());
        let made = self.app.db.write(async |tx| -> Result<_, permission::Error> {
            let made = permission::create_configuration(tx, &act, id, &new, &limits).await?;
            permission::add_policies(tx, &act, id, made.id, &policies, &limits).await?;
            Ok(made.id)
        });
        Ok(made.await?)
    }

    /// A request of the root, signed now: its headers but for the length.
    pub fn signed(&self, service: &str, version: &str, action: &str, body: &str) -> Result<Signed> {
        let timestamp = self.app.clock.now().as_second();
        let headers: [(&str, &[u8]); 2] =
            [("content-type", b"application/json"), ("host", self.host.as_bytes())];
        let parts =
            tc3::Parts { method: "POST", query: "", headers: &headers, body: body.as_bytes() };
        let authorization =
            tc3::sign(&self.secret_id, &self.secret_key, service, timestamp, &parts)?;
        Ok(Signed {
            host: self.host.clone(),
            action: action.to_owned(),
            version: version.to_owned(),
            timestamp,
            authorization,
            body: body.to_owned(),
        })
    }

    /// Calls an action of the organisation that must work.
    pub async fn call(&self, client: &Client, action: &str, parameters: &Value) -> Result<Value> {
        let body = parameters.to_string();
        self.signed("organization", "2021-03-31", action, &body)?.send(client).await
    }
}

/// A signed request.
pub struct Signed {
    pub host: String,
    pub action: String,
    pub version: String,
    pub timestamp: i64,
    pub authorization: String,
    pub body: String,
}

impl Signed {
    pub async fn send(&self, client: &Client) -> Result<Value> {
        let sent = client
            .post(format!("http://{}/", self.host))
            .header(header::CONTENT_TYPE, "application/json")
            .header("X-TC-Action", &self.action)
            .header("X-TC-Version", &self.version)
            .header("X-TC-Timestamp", self.timestamp)
            .header(header::AUTHORIZATION, &self.authorization)
            .body(self.body.clone());
        let mut answer: Value = sent.send().await?.json().await?;
        let mut answer = answer.get_mut("Response").context("an envelope")?.take();
        if let Some(error) = answer.get_mut("Error") {
            bail!("{}: {}", self.action, error.take());
        }
        Ok(answer)
    }
}
