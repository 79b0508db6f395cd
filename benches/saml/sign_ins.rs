//! Whole sign-ins at the server: from the response that is posted to the session that is open.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use identity_center::{
    app::App,
    clock::Clock,
    config::Settings,
    directory::{self, NewUser},
    organization,
    saml::encoding,
    secret::{Sealer, random_token},
    server,
    space::{self, KeyPurpose, NewKeyPair, Space},
    sso,
    store::sql,
};
use reqwest::{Client, StatusCode, header, redirect::Policy};
use tokio_util::sync::CancellationToken;

use crate::{
    Report,
    engine::Figures,
    mark,
    messages::{Addressee, Idp},
};

/// Sign-ins that are made ready at most; more than two cores can do in the time.
const MOST: usize = 40_000;

/// Sign-ins of each client before the time that counts.
const WARM: usize = 10;

/// A sign-in that has begun: the answer of the identity provider, and the browser's cookie.
struct Ready {
    form: String,
    cookie: String,
}

pub fn measure(
    report: &mut Report,
    database: &str,
    engine: &Figures,
    span: Duration,
) -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = tempfile::tempdir()?;
    let url = match database {
        "sqlite" => format!("sqlite:{}", folder.path().join("bench.db").display()),
        _ => std::env::var("IDENTITY_CENTER_TEST_POSTGRES")
            .context("IDENTITY_CENTER_TEST_POSTGRES names no database")?,
    };
    runtime.block_on(async {
        let server = Server::start(&url).await?;
        let commits = server.commits(span).await?;
        let columns = "clients | sign-ins /s | ms each | RSA alone, ms | samael + one commit, ms | \
                       ratio | goal";
        report.heading(&format!("Sign-ins, {database}"), columns);
        let mut alone = 0.0;
        for clients in [1, 16] {
            let (rate, each) = server.sign_ins(clients, span).await?;
            let bare = engine.samael + 1e3 / commits;
            let goal = if clients == 1 {
                alone = each;
                format!("≤ 1.5 × {}", mark(each <= 1.5 * bare))
            } else {
                String::new()
            };
            report.row(&[
                clients.to_string(),
                format!("{rate:.0}"),
                format!("{each:.2}"),
                format!("{:.2}", engine.rsa),
                format!("{bare:.2}"),
                format!("{:.2}", each / bare),
                goal,
            ]);
        }
        let (http, reads) =
            (Box::pin(server.http(span)).await?, Box::pin(server.reads(span)).await?);
        let shares = [
            ("HTTP, two requests", http),
            ("reads before the judgement", reads),
            ("strict core", engine.core),
            ("second opinion", engine.both - engine.core),
            ("one durable commit", 1e3 / commits),
        ];
        let rest = alone - shares.iter().map(|(_, ms)| ms).sum::<f64>();
        let rest = ("rest: the writes' statements, tickets, cookies", rest);
        let columns = "step, each measured alone | ms | share";
        report.heading(&format!("One sign-in of one client, step by step, {database}"), columns);
        for (step, ms) in shares.into_iter().chain([rest, ("whole", alone)]) {
            let share = format!("{:.0} %", 100.0 * ms / alone);
            report.row(&[step.to_owned(), format!("{ms:.2}"), share]);
        }
        report.line(&format!("One durable commit after the other: {commits:.0} a second."));
        server.stop().await
    })
}

struct Server {
    app: App,
    space: Space,
    idp: Idp,
    address: String,
    stop: CancellationToken,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    made: AtomicUsize,
}

impl Server {
    async fn start(database: &str) -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = format!("http://{}", listener.local_addr()?);
        let key = Sealer::new_master_key()?;
        let mut settings = Settings::for_address(address.parse()?, database, &key)?;
        settings.rate_limits.enabled = false;
        let app = App::open(settings, Clock::system()).await?;
        let act = app.own_act("bench")?;
        let name =
            format!("bench-{}", random_token::<6>()?.to_lowercase().replace(['-', '_'], "x"));
        let keys = [KeyPurpose::ServiceProvider, KeyPurpose::IdentityProvider]
            .map(|purpose| NewKeyPair::generate("bench", act.now).map(|key| (purpose, key)));
        let [first, second] = keys;
        let keys = [first?, second?];
        let idp = Idp::new()?;
        let metadata = idp.metadata()?;
        let space = app
            .db
            .write(async |tx| -> Result<Space> {
                let (organization, _) = organization::create(tx, &act, &name).await?;
                let space =
                    space::open(tx, &act, &app.sealer, organization.id, &name, keys).await?;
                sso::set_by_metadata(tx, &act, space.id, metadata.as_bytes()).await?;
                space::set_sso_enabled(tx, &act, &space, true).await?;
                for number in 0..100 {
                    let new = NewUser { user_name: format!("user-{number}"), ..NewUser::default() };
                    directory::create_user(tx, &act, space.id, &new, 1_000).await?;
                }
                space::space(tx, space.id).await?.context("the space that was made")
            })
            .await?;
        let stop = CancellationToken::new();
        let serving = tokio::spawn(server::serve(app.clone(), listener, stop.clone()));
        Ok(Self { app, space, idp, address, stop, serving, made: AtomicUsize::new(0) })
    }

    async fn stop(self) -> Result<()> {
        self.stop.cancel();
        self.serving.await??;
        Ok(())
    }

    /// Durable commits a second, one row each, one after the other.
    async fn commits(&self, span: Duration) -> Result<f64> {
        let began = Instant::now();
        let mut commits = 0_u32;
        while began.elapsed() < span {
            self.app
                .db
                .write(async |tx| {
                    sql("UPDATE spaces SET updated_at = $1 WHERE id = $2")
                        .bind(self.app.clock.now())
                        .bind(self.space.id)
                        .execute(tx)
                        .await
                })
                .await?;
            commits += 1;
        }
        Ok(f64::from(commits) / began.elapsed().as_secs_f64())
    }

    /// Milliseconds that the two requests of a sign-in take when the server has nothing to do.
    async fn http(&self, span: Duration) -> Result<f64> {
        let client = Client::builder().redirect(Policy::none()).build()?;
        let address = format!("{}/livez", self.address);
        mean(span, async || {
            for _ in 0..2 {
                let answer = client.get(&address).send().await?;
                ensure!(answer.status() == StatusCode::OK, "{}", answer.status());
                answer.bytes().await?;
            }
            Ok(())
        })
        .await
    }

    /// Milliseconds of what is read before a response is judged: three questions at once.
    async fn reads(&self, span: Duration) -> Result<f64> {
        let (db, id) = (&self.app.db, self.space.id);
        let binding = random_token::<32>()?;
        let act = self.app.own_act("bench")?;
        let begun =
            db.write(async |tx| sso::begin(tx, &act, &self.space, &binding, None).await).await?;
        let request = begun.request_id.as_str();
        Box::pin(mean(span, async || {
            let (space, provider, request) = tokio::try_join!(
                db.glance(async |tx| space::space(tx, id).await),
                db.glance(async |tx| sso::identity_provider(tx, id).await),
                db.glance(async |tx| {
                    sso::pending_request(tx, id, Some(request), None, act.now).await
                }),
            )?;
            ensure!(space.is_some() && provider.is_some() && request.is_some(), "nothing is read");
            Ok(())
        }))
        .await
    }

    /// Begins sign-ins and has the identity provider answer them. Not measured.
    async fn ready(&self, count: usize) -> Result<Vec<Ready>> {
        let act = self.app.own_act("bench")?;
        let audience = sso::sp_entity_id(&self.app.settings, self.space.id);
        let acs_url = sso::acs_url(&self.app.settings, self.space.id);
        let mut all = Vec::with_capacity(count);
        for _ in 0..count {
            let number = self.made.fetch_add(1, Ordering::Relaxed);
            let binding = random_token::<32>()?;
            let begun = self
                .app
                .db
                .write(async |tx| sso::begin(tx, &act, &self.space, &binding, None).await)
                .await?;
            let (name, id) = (format!("user-{}", number % 100), format!("{number:040}"));
            let to = Addressee {
                request: &begun.request_id,
                acs_url: &acs_url,
                audience: &audience,
                name: &name,
                id: &id,
            };
            let message = self.idp.both_signed(&to, self.app.clock.now().to_jiff())?;
            let form = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("SAMLResponse", &encoding::encode(message.as_bytes()))
                .append_pair("RelayState", &begun.relay_state)
                .finish();
            all.push(Ready { form, cookie: format!("sign_in_binding={binding}") });
        }
        Ok(all)
    }

    /// Sign-ins a second by so many clients, and milliseconds that one client waits for one.
    async fn sign_ins(&self, clients: usize, span: Duration) -> Result<(f64, f64)> {
        let wanted =
            usize::try_from(span.as_secs())?.saturating_mul(600 * clients.min(4)).min(MOST);
        let ready = Arc::new(self.ready(wanted.max(clients)).await?);
        let next = Arc::new(AtomicUsize::new(0));
        let acs_url = sso::acs_url(&self.app.settings, self.space.id);
        // To make a client is to read all of the machine's certificates: before the time that
        // counts, as are the first sign-ins, which prepare the statements.
        let mut browsers = Vec::new();
        for one in self.ready(WARM * clients).await?.chunks(WARM) {
            let client = Client::builder().redirect(Policy::none()).build()?;
            for one in one {
                sign_in(&client, &acs_url, &self.address, one).await?;
            }
            browsers.push(client);
        }
        let began = Instant::now();
        let mut tasks = Vec::new();
        for client in browsers {
            let (ready, next, acs_url) = (Arc::clone(&ready), Arc::clone(&next), acs_url.clone());
            let address = self.address.clone();
            tasks.push(tokio::spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < span {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(one) = ready.get(at) else { break };
                    sign_in(&client, &acs_url, &address, one).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            }));
        }
        let mut done = 0;
        for task in tasks {
            done += task.await??;
        }
        let seconds = began.elapsed().as_secs_f64();
        ensure!(done > 0, "nobody signed in");
        let rate = f64::from(done) / seconds;
        let clients = f64::from(u32::try_from(clients)?);
        Ok((rate, clients * 1e3 / rate))
    }
}

/// Milliseconds that something takes, one after the other.
async fn mean(span: Duration, work: impl AsyncFn() -> Result<()>) -> Result<f64> {
    for _ in 0..WARM {
        work().await?;
    }
    let began = Instant::now();
    let mut times = 0_u32;
    while began.elapsed() < span {
        work().await?;
        times += 1;
    }
    Ok(began.elapsed().as_secs_f64() * 1e3 / f64::from(times))
}

async fn sign_in(client: &Client, acs_url: &str, address: &str, one: &Ready) -> Result<()> {
    let accepted = client
        .post(acs_url)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(one.form.clone())
        .send()
        .await?;
    ensure!(accepted.status() == StatusCode::SEE_OTHER, "{}", accepted.text().await?);
    let finish = accepted.headers().get(header::LOCATION).context("a redirect")?.to_str()?;
    let inside = client.get(finish).header(header::COOKIE, &one.cookie).send().await?;
    ensure!(inside.status() == StatusCode::SEE_OTHER, "{}", inside.text().await?);
    let home = inside.headers().get(header::LOCATION).context("a redirect")?.to_str()?;
    ensure!(home.starts_with("/portal/") || home.starts_with(address), "{home}");
    Ok(())
}
