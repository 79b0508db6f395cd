//! How fast SCIM is, beside what the database under it can do: `make bench`.
//!
//! On each database: seeds a large space, measures the raw limits, starts the release binary and
//! drives it over HTTP. `BENCH_USERS` (1,000,000) is the size, `BENCH_SECONDS` (10) how long each
//! figure is measured, `BENCH_DATABASES` (sqlite,postgres) where, `BENCH_ONLY` names the figures
//! to measure, all if it is not set.

#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

mod figures;
mod limits;
mod load;
mod machine;
mod raw;
mod report;
mod seed;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};

use limits::Limits;
use report::Report;
use seed::{Size, World};

/// Connections that look things up at once.
const READERS: usize = 4;

fn number(name: &str, otherwise: i64) -> Result<i64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is no number")),
        Err(_) => Ok(otherwise),
    }
}

fn main() -> Result<()> {
    let users = number("BENCH_USERS", 1_000_000)?.clamp(1000, 1_000_000);
    let size = Size { users, groups: users / 100, members: users / 10 };
    let span = Duration::from_secs(u64::try_from(number("BENCH_SECONDS", 10)?.max(1))?);
    let databases = std::env::var("BENCH_DATABASES").unwrap_or("sqlite,postgres".into());
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&output)?;
    let runtime = tokio::runtime::Runtime::new()?;
    let mut report = Report::new(size);
    for database in databases.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let folder = output.join(database);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let url = match database {
            "sqlite" => format!("sqlite:{}", folder.join("bench.db").display()),
            _ => std::env::var("IDENTITY_CENTER_TEST_POSTGRES")
                .context("IDENTITY_CENTER_TEST_POSTGRES names no database")?,
        };
        one(&runtime, &mut report, database, &url, &folder, size, span)?;
        report.write(&output)?;
    }
    println!("{}", report.markdown());
    Ok(())
}

fn one(
    runtime: &tokio::runtime::Runtime,
    report: &mut Report,
    database: &str,
    url: &str,
    folder: &Path,
    size: Size,
    span: Duration,
) -> Result<()> {
    let binary = PathBuf::from(env!("CARGO_BIN_EXE_identity-center"));
    println!("{database}: seeding {} users", size.users);
    let world = runtime.block_on(World::make(url, size, &binary, folder))?;
    println!("{database}: seeded in {:.1} s; raw limits", world.seconds);
    let syncs = machine::syncs_per_second(folder)?;
    let limits = runtime.block_on(Limits::measure(&world, span, READERS))?;
    report.begin(database, world.seconds, syncs, world.create.len());
    println!("{database}: the server");
    let log = folder.join("server.log");
    let server = machine::Server::start(&binary, url, &world.master_key, &log)?;
    let mut figures =
        figures::Figures { world: &world, server: &server, report, limits: &limits, span };
    figures.all(runtime);
    let peak = server.peak_memory()?;
    report.memory(peak);
    server.stop()?;
    Ok(())
}
