//! `identity-center init`: the first start of a real installation.

use secrecy::ExposeSecret;
use serde_json::json;
use zeroize::Zeroizing;

use super::say;
use crate::{
    app::App,
    cloud::{self, password},
    id::Uin,
    secret::{Sealer, random_readable},
};

/// Characters of a console password; each is worth five bits.
const PASSWORD_LENGTH: usize = 20;

/// What `init` makes, shown once.
pub struct Installed {
    /// The management account.
    pub management_uin: Uin,
    /// The API key's id.
    pub secret_id: String,
    /// The API key's secret half.
    pub secret_key: Zeroizing<String>,
    /// The administrator's password at the console.
    pub console_password: Zeroizing<String>,
}

/// Makes an organisation, its management account and its administrator.
pub async fn install(
    app: &App,
    organization: &str,
    administrator: &str,
) -> anyhow::Result<Installed> {
    let act = app.own_act("init")?;
    let console_password = Zeroizing::new(random_readable::<PASSWORD_LENGTH>()?);
    let hash = password::hash(console_password.clone()).await?;
    let key = cloud::new_access_key(&app.sealer)?;
    let (_, account, _) = app
        .db
        .write(async |tx| cloud::install(tx, &act, organization, administrator, &hash, &key).await)
        .await?;
    Ok(Installed {
        management_uin: account.uin,
        secret_id: key.secret_id,
        secret_key: key.secret_key,
        console_password,
    })
}

/// Installs, and prints what was made.
pub async fn run(
    app: App,
    organization: &str,
    administrator: &str,
    as_json: bool,
) -> anyhow::Result<()> {
    let installed = install(&app, organization, administrator).await?;
    let console_url = app.settings.url("/console");
    if as_json {
        let text = json!({
            "organization": organization,
            "administrator": administrator,
            "management_uin": installed.management_uin,
            "secret_id": installed.secret_id,
            "secret_key": *installed.secret_key,
            "console_url": console_url,
            "console_password": *installed.console_password,
        });
        say(&text.to_string());
    } else {
        let Installed { management_uin, secret_id, secret_key, console_password } = installed;
        say(&format!(
            "Organisation {organization} is made. What follows is shown this once:\n\n\
             management_uin    {management_uin}\n\
             administrator     {administrator}\n\
             console_url       {console_url}\n\
             console_password  {}\n\
             secret_id         {secret_id}\n\
             secret_key        {}\n\n\
             Start the server with `identity-center serve`.",
            *console_password, *secret_key
        ));
    }
    app.db.close().await;
    Ok(())
}

/// A master key for an installation that has none yet.
pub fn suggestion(settings: &crate::config::Settings) -> anyhow::Result<()> {
    let missing = settings.master_key.as_ref().is_none_or(|key| key.expose_secret().is_empty());
    if missing {
        anyhow::bail!(
            "master_key is not set. Here is a fresh one; keep it safe, because private keys and \
             secrets in the database cannot be opened without it:\n\n\
             export IDENTITY_CENTER_MASTER_KEY={}",
            Sealer::new_master_key()?
        );
    }
    Ok(())
}
