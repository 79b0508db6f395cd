//! `identity-center check`: whether everything the server needs is there and sound.

use std::time::Duration;

use anyhow::bail;
use openssl::x509::X509;
use secrecy::ExposeSecret;

use super::say;
use crate::{
    clock::Clock,
    config::{self, Settings},
    secret::Sealer,
    space::{self, KeyPurpose},
    store::{self, Db, Kind, Timestamp, sql},
};

/// Clocks of server and database may differ by so many seconds.
const CLOCK_TOLERANCE: i64 = 5;
/// Certificates that end within so many seconds are named.
const SOON: i64 = 30 * 86_400;

#[derive(Default)]
struct Findings {
    wrong: usize,
}

impl Findings {
    #[expect(clippy::unused_self, reason = "reads as one list at the calls")]
    fn good(&self, what: &str, detail: &str) {
        say(&format!("ok    {what}: {detail}"));
    }

    #[expect(clippy::unused_self, reason = "reads as one list at the calls")]
    fn note(&self, what: &str, detail: &str) {
        say(&format!("note  {what}: {detail}"));
    }

    fn wrong(&mut self, what: &str, detail: &str) {
        self.wrong += 1;
        say(&format!("WRONG {what}: {detail}"));
    }
}

/// Prints what it finds; an error when something is wrong.
pub async fn run(settings: Result<Settings, config::Error>) -> anyhow::Result<()> {
    let mut findings = Findings::default();
    let now = Clock::system().now();
    match settings {
        Ok(settings) => {
            findings.good("settings", &format!("served at {}", settings.public_url));
            check(&mut findings, &settings, now).await;
        }
        Err(error) => findings.wrong("settings", &error.to_string()),
    }
    if findings.wrong > 0 {
        bail!("{} of the checks failed", findings.wrong);
    }
    Ok(())
}

async fn check(findings: &mut Findings, settings: &Settings, now: Timestamp) {
    let sealer = match settings.sealer() {
        Ok(sealer) => {
            findings.good("master key", "32 bytes");
            Some(sealer)
        }
        Err(error) => {
            findings.wrong("master key", &error.to_string());
            None
        }
    };
    check_tls(findings, settings, now);
    match Db::connect(settings.database_url.expose_secret()).await {
        Ok(db) => {
            match check_database(findings, &db, sealer.as_ref(), now).await {
                Ok(()) => {}
                Err(error) => findings.wrong("database", &with_cause(&error)),
            }
            db.close().await;
        }
        Err(error) => findings.wrong("database", &with_cause(&error)),
    }
    check_reach(findings, settings).await;
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

async fn check_database(
    findings: &mut Findings,
    db: &Db,
    sealer: Option<&Sealer>,
    now: Timestamp,
) -> Result<(), store::Error> {
    let name = match db.kind() {
        Kind::Sqlite => "SQLite",
        Kind::Postgres => "PostgreSQL",
    };
    match db.pending_migrations().await {
        Ok(0) => findings.good("database", &format!("{name}, schema up to date")),
        Ok(count) => {
            findings.wrong("database", &format!("{name}, {count} migrations are missing"));
            return Ok(());
        }
        Err(_) => {
            findings.wrong("database", &format!("{name}, no schema yet: run `migrate` or `init`"));
            return Ok(());
        }
    }
    if db.kind() == Kind::Postgres {
        let second = db
            .read(async |tx| {
                sql("SELECT EXTRACT(EPOCH FROM clock_timestamp())::BIGINT").fetch_number(tx).await
            })
            .await?;
        let apart = now.as_second() - second;
        if apart.abs() > CLOCK_TOLERANCE {
            findings.wrong("clock", &format!("{apart} s from the database's"));
        } else {
            findings.good("clock", "agrees with the database's");
        }
    } else {
        findings.good("clock", &now.to_string());
    }
    let spaces: Vec<(crate::id::SpaceId, String)> = db
        .read(async |tx| sql("SELECT id, name FROM spaces ORDER BY id").fetch_all(tx).await)
        .await?;
    for (id, name) in spaces {
        for purpose in KeyPurpose::ALL {
            let pairs = db.read(async |tx| space::key_pairs(tx, id, *purpose).await).await?;
            for pair in pairs {
                let what = format!("{} key of space {name}", purpose.as_str().replace('_', " "));
                if sealer.is_some_and(|sealer| pair.signing_key(sealer).is_err()) {
                    findings.wrong(&what, "the master key does not open it");
                } else {
                    ends(findings, &what, pair.not_after, now);
                }
            }
        }
    }
    Ok(())
}

fn ends(findings: &mut Findings, what: &str, not_after: Timestamp, now: Timestamp) {
    let left = not_after.seconds_since(now);
    let detail = format!("ends {not_after}");
    if left <= 0 {
        findings.wrong(what, &format!("ended {not_after}"));
    } else if left <= SOON {
        findings.note(what, &detail);
    } else {
        findings.good(what, &detail);
    }
}

fn check_tls(findings: &mut Findings, settings: &Settings, now: Timestamp) {
    let Some(path) = &settings.tls.certificate else {
        findings.note("TLS", "not here; over a network, something in front of us has to do it");
        return;
    };
    let certificate = std::fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|pem| X509::from_pem(&pem).map_err(|error| error.to_string()));
    match certificate {
        Ok(certificate) => {
            let epoch = openssl::asn1::Asn1Time::from_unix(0);
            let left = epoch.and_then(|epoch| epoch.diff(certificate.not_after()));
            match left {
                Ok(diff) => {
                    let second = i64::from(diff.days) * 86_400 + i64::from(diff.secs);
                    ends(findings, "TLS certificate", Timestamp::from_second(second), now);
                }
                Err(error) => findings.wrong("TLS certificate", &error.to_string()),
            }
        }
        Err(error) => findings.wrong("TLS certificate", &error),
    }
}

/// Whether somebody answers at the public address. Nobody may, while the server is not running.
async fn check_reach(findings: &mut Findings, settings: &Settings) {
    let url = &settings.public_url;
    let Some((host, port)) = url.host_str().zip(url.port_or_known_default()) else { return };
    let attempt = tokio::net::TcpStream::connect((host.trim_matches(['[', ']']), port));
    match tokio::time::timeout(Duration::from_secs(5), attempt).await {
        Ok(Ok(_)) => findings.good("public address", &format!("{host}:{port} answers")),
        Ok(Err(error)) => findings.note("public address", &format!("{host}:{port}: {error}")),
        Err(_) => findings.note("public address", &format!("{host}:{port} does not answer")),
    }
}
