//! How fast the signed API grants and answers, beside what the database under it can do, measured in
//! the same run: `make bench BENCH=api`.
//!
//! `BENCH_SECONDS` (10) is how long each rate is measured, `BENCH_ASSIGNMENTS` (10000) how many
//! assignments are made, `BENCH_DATABASES` (sqlite,postgres) where. The report is printed and put
//! into `target/bench/api.md`.

#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

mod assigning;
mod calls;
mod effective;
mod server;

use std::{fmt::Write as _, path::Path, time::Duration};

use anyhow::{Context, Result};

use server::Server;

/// What a report is written into.
#[derive(Default)]
pub struct Report {
    text: String,
}

impl Report {
    fn heading(&mut self, text: &str, columns: &str) {
        let rule = columns.split('|').map(|_| "---").collect::<Vec<_>>().join("|");
        let _ = write!(self.text, "\n### {text}\n\n| {columns} |\n|{rule}|\n");
    }

    fn row(&mut self, cells: &[String]) {
        let _ = writeln!(self.text, "| {} |", cells.join(" | "));
    }

    fn line(&mut self, text: &str) {
        let _ = writeln!(self.text, "\n{text}");
    }
}

fn number(name: &str, otherwise: usize) -> Result<usize> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is no number")),
        Err(_) => Ok(otherwise),
    }
}

fn main() -> Result<()> {
    let span = Duration::from_secs(u64::try_from(number("BENCH_SECONDS", 10)?.max(1))?);
    let assignments = number("BENCH_ASSIGNMENTS", 10_000)?.clamp(500, 100_000);
    let databases = std::env::var("BENCH_DATABASES").unwrap_or("sqlite,postgres".into());
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&output)?;
    let mut report = Report::default();
    for database in databases.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        let runtime = tokio::runtime::Runtime::new()?;
        let folder = tempfile::tempdir_in(&output)?;
        let url = match database {
            "sqlite" => format!("sqlite:{}", folder.path().join("bench.db").display()),
            _ => std::env::var("IDENTITY_CENTER_TEST_POSTGRES")
                .context("IDENTITY_CENTER_TEST_POSTGRES names no database")?,
        };
        runtime.block_on(async {
            let server = Server::start(&url).await?;
            let commits = server.commits(span).await?;
            assigning::measure(&mut report, database, &server, assignments, commits).await?;
            effective::measure(&mut report, database, &server, span).await?;
            calls::measure(&mut report, database, &server, span).await?;
            server.stop().await
        })?;
    }
    std::fs::write(output.join("api.md"), &report.text)?;
    println!("{}", report.text);
    Ok(())
}
