//! Settings: one struct per section of the file. `default.toml` beside this file is their
//! documentation and their defaults.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf};

use figment::{
    Figment,
    providers::{Env, Format, Toml},
};
use ipnet::IpNet;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::{Host, Url};

use crate::secret::{self, Sealer};

/// The settings and what they mean, as a file.
pub const DEFAULT_FILE: &str = include_str!("default.toml");

const PREFIX: &str = "IDENTITY_CENTER_";

/// Settings that are secrets: each may come as a file too.
const SECRETS: [&str; 2] = ["master_key", "database_url"];

/// All settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the server listens.
    pub listen: SocketAddr,
    /// The address people and directories use.
    pub public_url: Url,
    /// The database; may hold a password.
    pub database_url: SecretString,
    /// The master key, 32 bytes in base64.
    pub master_key: Option<SecretString>,
    /// What to log.
    pub log: String,
    /// How to log it.
    pub log_format: LogFormat,
    /// Whether plain http may be served for a host that is not this machine.
    pub allow_http: bool,
    /// TLS.
    pub tls: Tls,
    /// Proxies in front of us.
    pub proxies: Proxies,
    /// How long sessions last.
    pub sessions: SessionLifetimes,
    /// Sign-in through SAML.
    pub saml: Saml,
    /// Where accounts live.
    pub cloud: Cloud,
    /// How many of everything.
    pub limits: Limits,
    /// What may be changed that usually stays.
    pub administration: Administration,
    /// Events of the directory.
    pub events: Events,
    /// The worker.
    pub worker: Worker,
    /// Looking for drift.
    pub drift: Drift,
    /// Connections of clients.
    pub connections: Connections,
    /// How often somebody may come.
    pub rate_limits: RateLimits,
    /// The door for directories.
    pub scim: Scim,
    /// The door for monitors.
    pub metrics: Metrics,
}

/// How to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object per line.
    Json,
}

/// TLS.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// PEM file of the certificate chain.
    pub certificate: Option<PathBuf>,
    /// PEM file of the private key.
    pub key: Option<PathBuf>,
}

/// Proxies in front of us.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proxies {
    /// Addresses whose `X-Forwarded-For` is believed.
    pub trusted: Vec<IpNet>,
}

/// How long sessions last, in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionLifetimes {
    /// Sessions of the portal: 15 minutes to 90 days (SES-01).
    pub portal: i64,
    /// Sessions of the portal that nobody uses.
    pub portal_idle: i64,
    /// Sessions of the console.
    pub console: i64,
    /// Sessions of the console that nobody uses.
    pub console_idle: i64,
}

/// Sign-in through SAML.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Saml {
    /// Seconds by which clocks may differ; at most 120 (SSO-15).
    pub clock_skew: i64,
    /// Whether samael has to agree.
    pub second_opinion: bool,
    /// For how many days the trace of an attempt to sign in is kept; 1 to 3650.
    pub trace_days: i64,
    /// For how many days a test sign-in is kept; 1 to 365.
    pub test_days: i64,
}

/// Where accounts live.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cloud {
    /// Which cloud.
    pub mode: CloudMode,
}

/// Which cloud accounts live in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CloudMode {
    /// The one that is part of this program.
    Embedded,
}

/// How many of everything a space may have.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Users.
    pub users: i64,
    /// Groups.
    pub groups: i64,
    /// Users in one group (GRP-15). As many as `users`, and nothing needs to be counted.
    pub members: i64,
    /// Groups that one user is in (GRP-15). As many as `groups`, and nothing needs to be counted.
    pub memberships: i64,
    /// Assignments, or user syncs, of one call: 1 to 50, which is the most the public API takes.
    pub per_call: usize,
    /// Permission configurations.
    pub configurations: i64,
    /// Custom policies of one permission configuration, 0 to 20; with 0 there are none (PC-04).
    pub custom_policies: usize,
}

/// What administrators may change that usually stays as it was made.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Administration {
    /// Whether a space may get another name (ACT-06).
    pub rename_spaces: bool,
    /// Whether the conflict policy of a user sync may change (US-12).
    pub change_conflict_policies: bool,
}

/// Events of the directory.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Events {
    /// Networks that are not public and events may be sent to nevertheless.
    pub allowed_networks: Vec<IpNet>,
    /// PEM file of further certificate authorities.
    pub authorities: Option<PathBuf>,
    /// Seconds until an event that cannot be delivered is given up.
    pub patience: i64,
    /// Seconds until an event is forgotten.
    pub retention: i64,
}

/// The worker.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// How many tasks run at the same time.
    pub parallel: usize,
}

/// Looking for what is not in the accounts as it was recorded (DPL-15).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// Hours from one look at every account to the next; 0 for never by itself.
    pub interval_hours: i64,
}

/// Connections of clients.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connections {
    /// Seconds in which the head of a request has to arrive, from its first byte.
    pub head_seconds: u64,
    /// Seconds for which a connection may stay open without a request.
    pub idle_seconds: u64,
}

/// How often somebody may come (DESIGN §8).
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// Whether requests are counted at all.
    pub enabled: bool,
    /// Requests of one SCIM token per second, on the average.
    pub scim_per_second: NonZeroU32,
    /// Requests of one SCIM token at once.
    pub scim_burst: NonZeroU32,
    /// SCIM requests without a good token from one address per second, on the average.
    pub scim_stranger_per_second: NonZeroU32,
    /// SCIM requests without a good token from one address at once.
    pub scim_stranger_burst: NonZeroU32,
    /// SAML messages from one address per second, on the average.
    pub saml_per_second: NonZeroU32,
    /// SAML messages from one address at once.
    pub saml_burst: NonZeroU32,
    /// Messages of command lines from one address per second, on the average.
    pub command_line_per_second: NonZeroU32,
    /// Messages of command lines from one address at once.
    pub command_line_burst: NonZeroU32,
}

/// The door for directories.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scim {
    /// Seconds in which a body has to arrive.
    pub body_seconds: u64,
}

/// The door for monitors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// What a monitor has to show; without it nobody sees the metrics.
    pub token: Option<SecretString>,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or variable does not fit; names the key and where it came from.
    #[error("{0}")]
    Figment(#[from] Box<figment::Error>),
    /// The file of a secret cannot be read.
    #[error("the file of {setting} cannot be read: {source}")]
    SecretFile {
        /// Which secret.
        setting: String,
        /// Why.
        source: std::io::Error,
    },
    /// A value that makes no sense together with the others.
    #[error("{setting}: {reason}")]
    Invalid {
        /// Which setting.
        setting: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The master key is missing or wrong.
    #[error("master_key: {0}")]
    MasterKey(#[from] secret::Error),
}

impl Settings {
    /// Reads the settings: the defaults, then the file, then the environment.
    pub fn load(file: Option<PathBuf>) -> Result<Self, Error> {
        let mut figment = Figment::from(Toml::string(DEFAULT_FILE));
        if let Some(file) = file {
            figment = figment.merge(Toml::file_exact(file));
        }
        let is_file =
            |key: &str| SECRETS.iter().any(|s| key.eq_ignore_ascii_case(&format!("{s}_file")));
        figment = figment.merge(
            Env::prefixed(PREFIX)
                .filter(move |key| {
                    let key = key.as_str();
                    !is_file(key)
                        && !key.eq_ignore_ascii_case("config")
                        && !key.to_ascii_lowercase().starts_with("test_")
                })
                .split("__"),
        );
        for setting in SECRETS {
            let name = format!("{PREFIX}{}_FILE", setting.to_ascii_uppercase());
            if let Some(path) = std::env::var_os(name) {
                let secret = std::fs::read_to_string(path)
                    .map_err(|source| Error::SecretFile { setting: setting.to_owned(), source })?;
                figment = figment.merge((setting, secret.trim().to_owned()));
            }
        }
        let settings: Self = figment.extract().map_err(Box::new)?;
        settings.check()?;
        Ok(settings)
    }

    /// The settings of a test or of the demo: the defaults, at an address and with a database of
    /// their own.
    pub fn for_address(
        public_url: Url,
        database_url: &str,
        master_key: &str,
    ) -> Result<Self, Error> {
        let mut settings: Self =
            Figment::from(Toml::string(DEFAULT_FILE)).extract().map_err(Box::new)?;
        settings.public_url = public_url;
        settings.database_url = SecretString::from(database_url);
        settings.master_key = Some(SecretString::from(master_key));
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), Error> {
        let invalid =
            |setting, reason: &str| Err(Error::Invalid { setting, reason: reason.into() });
        let url = &self.public_url;
        let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.username().is_empty() || !bare {
            return invalid("public_url", "an http or https address without a path");
        }
        if url.scheme() == "http" && !self.allow_http && !is_loopback(url) {
            return invalid(
                "public_url",
                "http is for this machine only, unless allow_http is set",
            );
        }
        if !(0..=120).contains(&self.saml.clock_skew) {
            return invalid("saml.clock_skew", "0 to 120 seconds");
        }
        if !(1..=3650).contains(&self.saml.trace_days) {
            return invalid("saml.trace_days", "1 to 3650 days");
        }
        if !(1..=365).contains(&self.saml.test_days) {
            return invalid("saml.test_days", "1 to 365 days");
        }
        if !(900..=7_776_000).contains(&self.sessions.portal) {
            return invalid("sessions.portal", "900 to 7776000 seconds");
        }
        if !(900..=86_400).contains(&self.sessions.console) {
            return invalid("sessions.console", "900 to 86400 seconds");
        }
        if !(300..=self.sessions.portal).contains(&self.sessions.portal_idle) {
            return invalid("sessions.portal_idle", "300 seconds to sessions.portal");
        }
        if !(300..=self.sessions.console).contains(&self.sessions.console_idle) {
            return invalid("sessions.console_idle", "300 seconds to sessions.console");
        }
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return invalid("tls", "certificate and key go together");
        }
        if !(1..=600).contains(&self.scim.body_seconds) {
            return invalid("scim.body_seconds", "1 to 600 seconds");
        }
        if !(1..=600).contains(&self.connections.head_seconds) {
            return invalid("connections.head_seconds", "1 to 600 seconds");
        }
        if !(1..=3600).contains(&self.connections.idle_seconds) {
            return invalid("connections.idle_seconds", "1 to 3600 seconds");
        }
        if !(60..=2_592_000).contains(&self.events.patience) {
            return invalid("events.patience", "60 to 2592000 seconds");
        }
        if !(self.events.patience..=31_536_000).contains(&self.events.retention) {
            return invalid("events.retention", "from events.patience to 31536000 seconds");
        }
        if self.metrics.token.as_ref().is_some_and(|token| token.expose_secret().len() < 16) {
            return invalid("metrics.token", "at least 16 characters");
        }
        let limits = self.limits;
        for (setting, value) in [
            ("limits.users", limits.users),
            ("limits.groups", limits.groups),
            ("limits.members", limits.members),
            ("limits.memberships", limits.memberships),
            ("limits.configurations", limits.configurations),
        ] {
            if value < 1 {
                return invalid(setting, "at least 1");
            }
        }
        if !(1..=50).contains(&limits.per_call) {
            return invalid("limits.per_call", "1 to 50");
        }
        if self.limits.custom_policies > 20 {
            return invalid("limits.custom_policies", "0 to 20");
        }
        if !(1..=256).contains(&self.worker.parallel) {
            return invalid("worker.parallel", "1 to 256");
        }
        if !(0..=8760).contains(&self.drift.interval_hours) {
            return invalid("drift.interval_hours", "0 to 8760 hours");
        }
        Ok(())
    }

    /// What seals secrets, out of the master key.
    pub fn sealer(&self) -> Result<Sealer, Error> {
        let key = self.master_key.as_ref().ok_or(secret::Error::MasterKey)?;
        Ok(Sealer::from_base64(key.expose_secret())?)
    }

    /// An absolute URL of ours; `path` begins with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url.as_str().trim_end_matches('/'))
    }

    /// Whether cookies are for https only.
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(toml: &str) -> Result<Settings, String> {
        let settings: Settings = Figment::from(Toml::string(DEFAULT_FILE))
            .merge(Toml::string(toml))
            .extract()
            .map_err(|e| e.to_string())?;
        settings.check().map_err(|e| e.to_string())?;
        Ok(settings)
    }

    #[test]
    fn the_default_file_is_complete_and_sound() {
        let settings = with("").unwrap();
        assert_eq!(settings.url("/scim/v2"), "http://localhost:8080/scim/v2");
        assert!(!settings.is_https());
        assert!(settings.sealer().is_err());
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        for (toml, word) in [
            ("lissten = '1'", "lissten"),
            ("[limits]\nuser = 3", "user"),
            ("[limits]\nmembers = 0", "limits.members"),
            ("[limits]\nper_call = 51", "limits.per_call"),
            ("listen = 'here'", "listen"),
            ("public_url = 'http://example.com'", "public_url"),
            ("public_url = 'https://example.com/path'", "public_url"),
            ("public_url = 'ftp://localhost'", "public_url"),
            ("[saml]\nclock_skew = 121", "saml.clock_skew"),
            ("[saml]\ntrace_days = 0", "saml.trace_days"),
            ("[saml]\ntest_days = 366", "saml.test_days"),
            ("[sessions]\nportal = 60", "sessions.portal"),
            ("[sessions]\nportal_idle = 299", "sessions.portal_idle"),
            ("[sessions]\nconsole_idle = 28801", "sessions.console_idle"),
            ("[tls]\nkey = 'a'", "tls"),
            ("[limits]\ncustom_policies = 21", "limits.custom_policies"),
            ("[administration]\nrename_spaces = 1", "rename_spaces"),
            ("[connections]\nhead_seconds = 0", "connections.head_seconds"),
            ("[connections]\nidle_seconds = 0", "connections.idle_seconds"),
            ("[rate_limits]\nscim_burst = 0", "scim_burst"),
            ("[events]\npatience = 1", "events.patience"),
            ("[events]\nretention = 80000", "events.retention"),
            ("[events]\nallowed_networks = ['10.0.0.0/33']", "allowed_networks"),
        ] {
            let error = with(toml).unwrap_err();
            assert!(error.contains(word), "{toml}: {error}");
        }
        assert!(with("allow_http = true\npublic_url = 'http://example.com'").is_ok());
    }

    #[test]
    fn secrets_do_not_show() {
        let settings =
            with("master_key = 'geheim'\ndatabase_url = 'postgres://u:geheim@h/d'").unwrap();
        assert!(!format!("{settings:?}").contains("geheim"));
    }
}
