//! `identity-center demo`: everything in one process, with data to try it on.
//!
//! The first start makes an organisation and all that follows; what nobody can read back from the
//! database (passwords, keys, tokens) is kept beside it, so that a second start can tell it again.

mod seed;

use std::{
    fs,
    io::Write as _,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

use super::{log, say, serve::stop_on_signal};
use crate::{
    app::{App, DemoIdentityProvider},
    clock::Clock,
    config::Settings,
    id::{GroupId, Uin},
    saml::certificate::SigningKey,
    secret::Sealer,
    server,
};

/// The keys of the demo's identity provider. Everybody has them, so nothing but the demo and the
/// tests may believe them.
const KEY: &str = include_str!("../../../certs-dev/identity-provider.key");
const CERTIFICATE: &str = include_str!("../../../certs-dev/identity-provider.crt");

/// What the demo keeps beside its database.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    master_key: String,
    /// What was made, once it was made whole.
    made: Option<Made>,
}

/// What the demo made and cannot be read back.
#[derive(Clone, Serialize, Deserialize)]
struct Made {
    space: String,
    administrator: String,
    management_uin: Uin,
    console_password: String,
    secret_id: String,
    secret_key: String,
    scim_token: String,
    /// A group of the directory that has access, to put people into.
    scim_group: GroupId,
}

/// Makes what is missing, prints what there is, and serves until told to stop.
pub async fn run(listen: SocketAddr, data: &Path) -> anyhow::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("cannot make the folder {}", data.display()))?;
    let listener =
        TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let port = listener.local_addr()?.port();
    let file = data.join("demo.json");
    let mut kept = read(&file)?;
    let database = format!("sqlite:{}", data.join("demo.db").display());
    let public_url = format!("http://localhost:{port}").parse()?;
    let mut settings = Settings::for_address(public_url, &database, &kept.master_key)?;
    "warn".clone_into(&mut settings.log);
    log::begin(&settings)?;
    write(&file, &kept)?;

    let app = App::open(settings, Clock::system()).await?;
    // On another host than the portal, as a company's identity provider is: the browser carries
    // the response across sites.
    let entity_id = format!("http://{}:{port}/demo/idp", Ipv4Addr::LOCALHOST);
    let key = SigningKey::from_pem(KEY, CERTIFICATE)?;
    let app = app.with_demo(DemoIdentityProvider { entity_id, key });
    let made = if let Some(made) = kept.made.clone() {
        made
    } else {
        let made = seed::make(&app).await?;
        kept.made = Some(made.clone());
        write(&file, &kept)?;
        made
    };
    // The port may be another one than last time, and the identity provider's address with it.
    seed::connect_identity_provider(&app, &made.space).await?;
    tell(&app, &made);
    server::serve(app, listener, stop_on_signal()?).await?;
    Ok(())
}

fn read(file: &Path) -> anyhow::Result<Kept> {
    match fs::read_to_string(file) {
        Ok(text) => serde_json::from_str(&text)
            .with_context(|| format!("{} cannot be read", file.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Ok(Kept { master_key: Sealer::new_master_key()?, made: None })
        }
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", file.display())),
    }
}

/// Writes beside and then over, so that a crash leaves the old file or the new one.
fn write(file: &Path, kept: &Kept) -> anyhow::Result<()> {
    let beside = file.with_extension("new");
    let mut options = fs::OpenOptions::new();
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    out.write_all(serde_json::to_string_pretty(kept)?.as_bytes())?;
    out.sync_all()?;
    fs::rename(beside, file)?;
    Ok(())
}

/// The short list at the end of `make run`.
fn tell(app: &App, made: &Made) {
    let url = |path: &str| app.settings.url(path);
    let scim = url("/scim/v2");
    let Made { space, administrator, management_uin, .. } = made;
    let token = &made.scim_token;
    let group = made.scim_group;
    say(&format!(
        "
Identity Center demo. Everything below is on this machine and stays there. Ctrl-C stops it.

Console       {console}
              account {management_uin}, user {administrator}, password {password}
Portal        {portal}
              sign in as alice (two accounts) or bob (one), at the demo's identity provider
SCIM          {scim}
              token {token}
JSON API      {api}
              secret id {secret_id}, secret key {secret_key}

A directory pushes a new user, who can then sign in at the portal as dora:

  curl -s {scim}/Users -H 'Authorization: Bearer {token}' \\
    -H 'Content-Type: application/scim+json' \\
    -d '{{\"userName\":\"dora\",\"displayName\":\"Dora\",\"emails\":[{{\"value\":\"dora@example.com\",\"primary\":true}}]}}'

and puts the user into a group that has access (with the id from the answer in place of ID):

  curl -s -X PATCH {scim}/Groups/{group} -H 'Authorization: Bearer {token}' \\
    -H 'Content-Type: application/scim+json' \\
    -d '{{\"Operations\":[{{\"op\":\"add\",\"path\":\"members\",\"value\":[{{\"value\":\"ID\"}}]}}]}}'
",
        console = url("/console"),
        portal = url(&format!("/portal/{space}/login")),
        api = url("/"),
        password = made.console_password,
        secret_id = made.secret_id,
        secret_key = made.secret_key,
    ));
}
