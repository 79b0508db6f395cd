//! How fast sign-in is, beside samael alone, RSA alone and durable commits alone, measured in the
//! same run: `make bench BENCH=saml`.
//!
//! `BENCH_SECONDS` (10) is how long each figure is measured, `BENCH_DATABASES` (sqlite,postgres)
//! where. The report is printed and put into `target/bench/saml.md`.

#![expect(clippy::print_stdout, reason = "the report is what this program is for")]

mod engine;
mod hostile;
mod messages;
#[path = "../../src/saml/tests/shared/mod.rs"]
#[expect(dead_code, reason = "the tests have more of it")]
mod shared;
mod sign_ins;

use std::{
    fmt::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use identity_center::saml;

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

/// How often a second something can be done, on one thread.
pub fn rate(span: Duration, mut work: impl FnMut()) -> f64 {
    // Caches and lazy initialisation are not what is measured.
    for _ in 0..20 {
        work();
    }
    let began = Instant::now();
    let mut times = 0_u32;
    while began.elapsed() < span {
        for _ in 0..10 {
            work();
        }
        times += 10;
    }
    f64::from(times) / began.elapsed().as_secs_f64()
}

/// Whether a figure reaches its goal.
pub fn mark(reached: bool) -> String {
    if reached { "✓" } else { "✗" }.to_owned()
}

fn main() -> Result<()> {
    let seconds = std::env::var("BENCH_SECONDS").unwrap_or("10".into());
    let span = Duration::from_secs(seconds.parse().context("BENCH_SECONDS is no number")?);
    let databases = std::env::var("BENCH_DATABASES").unwrap_or("sqlite,postgres".into());
    let output = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&output)?;
    let mut report = Report::default();
    let figures = engine::measure(&mut report, span)?;
    hostile::measure(&mut report)?;
    for database in databases.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        sign_ins::measure(&mut report, database, &figures, span)?;
    }
    std::fs::write(output.join("saml.md"), &report.text)?;
    println!("{}", report.text);
    Ok(())
}
