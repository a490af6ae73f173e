//! Medians and ratios over rounds.

use serde::{Deserialize, Serialize};

/// How many times as long an opponent takes, round by round.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ratio {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

impl Ratio {
    /// Of the times in the same rounds, of which there must be one.
    pub fn of(theirs: &[f64], ours: &[f64]) -> Self {
        let ratios: Vec<f64> =
            theirs.iter().zip(ours).map(|(theirs, ours)| theirs / ours).collect();
        let extreme = |pick: fn(f64, f64) -> f64| ratios.iter().copied().reduce(pick);
        Self {
            median: median(&ratios),
            min: extreme(f64::min).unwrap_or(f64::NAN),
            max: extreme(f64::max).unwrap_or(f64::NAN),
        }
    }
}

/// The middle value, or the mean of the two middle ones; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => f64::NAN,
        count => 0.5 * (sorted[(count - 1) / 2] + sorted[count / 2]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median(&[3.0]), 3.0);
        assert_eq!(median(&[9.0, 1.0, 4.0]), 4.0);
        assert_eq!(median(&[9.0, 1.0, 4.0, 6.0]), 5.0);
        assert!(median(&[]).is_nan());
    }

    /// A round in which both sides are slowed down, by other work say, leaves the ratio as it is.
    #[test]
    fn ratios_are_taken_within_rounds() {
        let ratio = Ratio::of(&[20.0, 60.0, 40.0], &[10.0, 30.0, 10.0]);
        assert_eq!(ratio, Ratio { median: 2.0, min: 2.0, max: 4.0 });
    }
}
