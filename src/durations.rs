//! How long something took, each time: counted in this process, for monitors.

use std::{
    fmt::Write as _,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// The upper ends of the buckets, in milliseconds.
const BUCKETS: [u64; 10] = [5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000];

/// Counts durations in buckets, as Prometheus' histograms do.
#[derive(Debug, Default)]
pub struct Durations {
    /// How many were within each bucket and not within the one before; the last is beyond all.
    counts: [AtomicU64; BUCKETS.len() + 1],
    /// All of them together, in microseconds.
    sum: AtomicU64,
}

impl Durations {
    /// Counts one.
    pub fn count(&self, took: Duration) {
        let place = BUCKETS.iter().position(|end| took <= Duration::from_millis(*end));
        if let Some(count) = self.counts.get(place.unwrap_or(BUCKETS.len())) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.sum.fetch_add(micros, Ordering::Relaxed);
    }

    /// Appends them as a histogram of this name, in seconds, in Prometheus' text format.
    pub fn write(&self, text: &mut String, name: &str) {
        let mut so_far = 0;
        let ends = BUCKETS.iter().map(|end| seconds(*end * 1000)).chain(["+Inf".to_owned()]);
        for (end, count) in ends.zip(&self.counts) {
            so_far += count.load(Ordering::Relaxed);
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{name}_bucket{{le=\"{end}\"}} {so_far}");
        }
        let sum = seconds(self.sum.load(Ordering::Relaxed));
        let _ = writeln!(text, "{name}_sum {sum}\n{name}_count {so_far}");
    }
}

/// Microseconds as a decimal number of seconds.
fn seconds(micros: u64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_falls_into_its_bucket_and_all_above() {
        let durations = Durations::default();
        for micros in [0, 5_000, 5_001, 1_000_000, 5_000_000, 5_000_001, 60_000_000] {
            durations.count(Duration::from_micros(micros));
        }
        let mut text = String::new();
        durations.write(&mut text, "x");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "x_bucket{le=\"0.005\"} 2");
        assert_eq!(lines[1], "x_bucket{le=\"0.01\"} 3");
        assert_eq!(lines[7], "x_bucket{le=\"1\"} 4");
        assert_eq!(lines[9], "x_bucket{le=\"5\"} 5");
        assert_eq!(lines[10], "x_bucket{le=\"+Inf\"} 7");
        assert_eq!(lines[11..], ["x_sum 71.010002", "x_count 7"]);
    }
}
