//! The report: each figure beside its limit, its ratio, its target.

use std::{fmt::Write as _, path::Path};

use anyhow::Result;
use serde_json::{Value as Json, json};

use crate::seed::Size;

/// What a figure has to reach.
#[derive(Clone, Copy)]
pub enum Target {
    /// At least so large a part of the limit.
    Part(f64),
    /// At most so many times the limit.
    Times(f64),
    /// At most so much.
    AtMost(f64),
    /// Nothing; it is here to be seen.
    Shown,
}

/// One figure.
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    pub value: f64,
    /// The limit it is held against, and the unit is the same.
    pub limit: Option<f64>,
    pub target: Target,
    /// Milliseconds that half, and all but one in a hundred, of the requests stay below.
    pub latency: Option<(f64, f64)>,
    /// At most so many milliseconds for the second of them.
    pub latency_target: Option<f64>,
    /// CPU seconds of server, load generator and PostgreSQL.
    pub cpu: [f64; 3],
    /// Largest resident memory of the server during it, in MiB.
    pub memory: f64,
}

impl Figure {
    fn passes(&self) -> Option<bool> {
        let ratio = self.limit.map(|limit| self.value / limit);
        let reached = match self.target {
            Target::Part(part) => ratio.is_some_and(|ratio| ratio >= part),
            Target::Times(times) => ratio.is_some_and(|ratio| ratio <= times),
            Target::AtMost(most) => self.value <= most,
            Target::Shown => return None,
        };
        let quick = match (self.latency_target, self.latency) {
            (Some(most), Some((_, p99))) => p99 <= most,
            _ => true,
        };
        Some(reached && quick)
    }

    fn target(&self) -> String {
        let mut text = match self.target {
            Target::Part(part) => format!("≥ {part} ×"),
            Target::Times(times) => format!("≤ {times} ×"),
            Target::AtMost(most) => format!("≤ {most} {}", self.unit),
            Target::Shown => return String::new(),
        };
        if let Some(most) = self.latency_target {
            let _ = write!(text, ", p99 ≤ {most} ms");
        }
        text
    }
}

struct Section {
    database: String,
    seeding: f64,
    syncs: f64,
    rows: usize,
    figures: Vec<Figure>,
    /// What could not be measured, and why.
    missing: Vec<String>,
    memory: f64,
}

/// All of it.
pub struct Report {
    size: Size,
    sections: Vec<Section>,
}

impl Report {
    pub fn new(size: Size) -> Self {
        Self { size, sections: Vec::new() }
    }

    pub fn begin(&mut self, database: &str, seeding: f64, syncs: f64, rows: usize) {
        let (figures, missing) = (Vec::new(), Vec::new());
        let database = database.to_owned();
        self.sections.push(Section {
            database,
            seeding,
            syncs,
            rows,
            figures,
            missing,
            memory: 0.0,
        });
    }

    /// Something could not be measured.
    pub fn miss(&mut self, what: String) {
        println!("  not measured: {what}");
        if let Some(section) = self.sections.last_mut() {
            section.missing.push(what);
        }
    }

    pub fn add(&mut self, figure: Figure) {
        let mark = match figure.passes() {
            Some(true) => "ok",
            Some(false) => "SHORT",
            None => "",
        };
        println!("  {:<44} {:>12} {:>5} {mark}", figure.name, show(figure.value), figure.unit);
        if let Some(section) = self.sections.last_mut() {
            section.figures.push(figure);
        }
    }

    pub fn memory(&mut self, peak: f64) {
        if let Some(section) = self.sections.last_mut() {
            section.memory = section.figures.iter().map(|f| f.memory).fold(peak, f64::max);
        }
    }

    pub fn markdown(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\n### {}\n\n{} users, {} groups, one with {} members; seeded in {:.0} s. \
                 4 KiB can be appended and synced {:.0} times a second. \
                 A user is {} rows. Peak memory {:.0} MiB (target ≤ 150 MiB: {}).\n\n",
                section.database,
                self.size.users,
                self.size.groups,
                self.size.members,
                section.seeding,
                section.syncs,
                section.rows,
                section.memory,
                if section.memory <= 150.0 { "✓" } else { "✗" },
            );
            text.push_str(
                "| figure | server | raw | ratio | target | | p50 ms | p99 ms | \
                 CPU server / load / PostgreSQL s | MiB |\n\
                 |---|--:|--:|--:|---|---|--:|--:|---|--:|\n",
            );
            for figure in &section.figures {
                let (p50, p99) = figure
                    .latency
                    .map_or((String::new(), String::new()), |(p50, p99)| (show(p50), show(p99)));
                let _ = writeln!(
                    text,
                    "| {} | {} {} | {} | {} | {} | {} | {p50} | {p99} | {:.1} / {:.1} / {:.1} | {:.0} |",
                    figure.name,
                    show(figure.value),
                    figure.unit,
                    figure.limit.map(show).unwrap_or_default(),
                    figure
                        .limit
                        .map(|limit| format!("{:.2}", figure.value / limit))
                        .unwrap_or_default(),
                    figure.target(),
                    match figure.passes() {
                        Some(true) => "✓",
                        Some(false) => "✗",
                        None => "",
                    },
                    figure.cpu[0],
                    figure.cpu[1],
                    figure.cpu[2],
                    figure.memory,
                );
            }
            for what in &section.missing {
                let _ = writeln!(text, "\nNot measured: {what}");
            }
        }
        text
    }

    pub fn write(&self, folder: &Path) -> Result<()> {
        let sections: Vec<Json> = self
            .sections
            .iter()
            .map(|section| {
                let figures: Vec<Json> = section
                    .figures
                    .iter()
                    .map(|figure| {
                        json!({
                            "name": figure.name,
                            "unit": figure.unit,
                            "value": figure.value,
                            "raw": figure.limit,
                            "ratio": figure.limit.map(|limit| figure.value / limit),
                            "target": figure.target(),
                            "passes": figure.passes(),
                            "p50_ms": figure.latency.map(|latency| latency.0),
                            "p99_ms": figure.latency.map(|latency| latency.1),
                            "cpu_server": figure.cpu[0],
                            "cpu_load": figure.cpu[1],
                            "cpu_postgres": figure.cpu[2],
                            "memory_mib": figure.memory,
                        })
                    })
                    .collect();
                json!({
                    "database": section.database,
                    "seeding_seconds": section.seeding,
                    "syncs_per_second": section.syncs,
                    "rows_per_user": section.rows,
                    "peak_memory_mib": section.memory,
                    "figures": figures,
                    "not_measured": section.missing,
                })
            })
            .collect();
        let size = json!({
            "users": self.size.users, "groups": self.size.groups, "members": self.size.members,
        });
        let all = json!({ "size": size, "databases": sections });
        std::fs::write(folder.join("scim.json"), serde_json::to_string_pretty(&all)?)?;
        std::fs::write(folder.join("scim.md"), self.markdown())?;
        Ok(())
    }
}

/// A number as people read it.
fn show(value: f64) -> String {
    if value >= 1000.0 {
        let digits = format!("{value:.0}");
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
