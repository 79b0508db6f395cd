//! A small chart of bars, drawn here: no script, and numbers beside it for whoever does not see it.

use crate::{recorder::Activity, store::Timestamp};

/// The height of the tallest bar, in the units of the drawing.
const HEIGHT: i64 = 60;
/// From the left of one bar to the left of the next.
const STRIDE: i64 = 20;

/// Bars, one for each day.
pub(super) struct Chart {
    pub bars: Vec<Bar>,
    pub width: i64,
    /// All requests of all days.
    pub total: i64,
    /// Those of them that were refused.
    pub refused: i64,
}

/// A day: a bar of what was done, and one of what was refused on top of it.
pub(super) struct Bar {
    pub day: Timestamp,
    pub requests: i64,
    pub refused: i64,
    pub x: i64,
    pub done_y: i64,
    pub done_height: i64,
    pub refused_y: i64,
    pub refused_height: i64,
}

impl Chart {
    pub fn of(days: &[(Timestamp, Activity)]) -> Self {
        let most = days.iter().map(|(_, one)| one.requests).max().unwrap_or(0).max(1);
        // Whatever there was can be seen.
        let height = |count: i64| match count {
            0 => 0,
            _ => count.saturating_mul(HEIGHT).div_euclid(most).max(2),
        };
        let bars: Vec<Bar> = (0..)
            .zip(days)
            .map(|(place, (day, one))| {
                let refused_height = height(one.refused);
                let done_height = height(one.requests - one.refused).min(HEIGHT - refused_height);
                let done_y = HEIGHT - done_height;
                Bar {
                    day: *day,
                    requests: one.requests,
                    refused: one.refused,
                    x: place * STRIDE,
                    done_y,
                    done_height,
                    refused_y: done_y - refused_height,
                    refused_height,
                }
            })
            .collect();
        Self {
            width: STRIDE * i64::try_from(days.len()).unwrap_or(0),
            total: days.iter().map(|(_, one)| one.requests).sum(),
            refused: days.iter().map(|(_, one)| one.refused).sum(),
            bars,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stay_inside_the_drawing_and_nothing_that_was_is_invisible() {
        let day = |requests, refused| (Timestamp::from_second(0), Activity { requests, refused });
        let chart = Chart::of(&[day(0, 0), day(1, 1), day(1_000_000, 1), day(500_000, 500_000)]);
        assert_eq!((chart.width, chart.total, chart.refused), (80, 1_500_001, 500_002));
        for bar in &chart.bars {
            assert!(bar.refused_y >= 0 && bar.done_y + bar.done_height == HEIGHT);
            assert_eq!(bar.refused_y + bar.refused_height, bar.done_y);
            assert_eq!(bar.refused > 0, bar.refused_height > 0);
        }
        assert_eq!(chart.bars[0].done_height, 0);
        assert!(Chart::of(&[]).bars.is_empty());
    }
}
