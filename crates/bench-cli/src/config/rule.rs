//! Threshold rules as one types them, and side by side.

use anyhow::Result;
use inspect::{Image, ThresholdRule};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A rule in one word, such as `quantile:0.999`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleName(pub ThresholdRule);

/// What a rule gives on some good images.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleThreshold {
    pub rule: ThresholdRule,
    pub threshold: f32,
}

/// Rules that every calibration tries beside its own, for comparison.
const OTHERS: [ThresholdRule; 5] = [
    ThresholdRule::Max {},
    ThresholdRule::Quantile { q: 0.999 },
    ThresholdRule::Quantile { q: 0.99 },
    ThresholdRule::MeanSigma { k: 3.0 },
    ThresholdRule::LargestRegion { max_area: 20 },
];

impl RuleThreshold {
    /// The threshold of `rule`, and those of others behind it, all from the same score maps of good images. A rule that has no
    /// threshold there, as for images smaller than its regions, is left out.
    ///
    /// # Errors
    /// If `rule` has none.
    pub fn all(good: &[Image], rule: ThresholdRule) -> Result<Vec<Self>> {
        let of = |rule| Ok(Self { rule, threshold: inspect::threshold(good, &rule)? });
        let own: Result<Self> = of(rule);
        let others = OTHERS.into_iter().filter(|&other| other != rule);
        let others = others.filter_map(|rule| of(rule).ok());
        Ok(std::iter::once(own?).chain(others).collect())
    }
}

impl fmt::Display for RuleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ThresholdRule::Max {} => write!(formatter, "max"),
            ThresholdRule::Quantile { q } => write!(formatter, "quantile:{q}"),
            ThresholdRule::MeanSigma { k } => write!(formatter, "mean_sigma:{k}"),
            ThresholdRule::LargestRegion { max_area } => {
                write!(formatter, "largest_region:{max_area}")
            }
            ThresholdRule::Manual { threshold } => write!(formatter, "manual:{threshold}"),
        }
    }
}

impl FromStr for RuleName {
    type Err = String;

    /// Whether the number is in range is for the crate `inspect` to say.
    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "expected max, quantile:Q, mean_sigma:K, largest_region:AREA or manual:THRESHOLD, got {text}"
            )
        };
        let number = |number: &str| number.parse::<f64>().map_err(|_| expected());
        Ok(Self(match text.split_once(':') {
            None if text == "max" => ThresholdRule::Max {},
            Some(("quantile", q)) => ThresholdRule::Quantile { q: number(q)? },
            Some(("mean_sigma", k)) => ThresholdRule::MeanSigma { k: number(k)? },
            Some(("largest_region", area)) => {
                let max_area = area.parse().map_err(|_| expected())?;
                ThresholdRule::LargestRegion { max_area }
            }
            Some(("manual", threshold)) => ThresholdRule::Manual { threshold: number(threshold)? },
            _ => return Err(expected()),
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    #[test]
    fn rules_read_as_they_are_written() {
        for text in ["max", "quantile:0.999", "mean_sigma:3", "largest_region:20", "manual:-0.5"] {
            assert_eq!(text.parse::<RuleName>().unwrap().to_string(), text);
        }
        for text in ["", "min", "max:1", "quantile", "quantile:", "largest_region:1.5", "mean:3"] {
            let message = text.parse::<RuleName>().unwrap_err();
            assert!(message.ends_with(&format!("got {text}")), "{message}");
        }
    }

    #[test]
    fn all_rules_come_from_the_same_images() {
        let good = Image::from_fn(10, 10, |x, y| (10 * y + x) as f32);
        let rule = ThresholdRule::Quantile { q: 0.99 };
        let all = RuleThreshold::all(std::slice::from_ref(&good), rule).unwrap();
        assert_eq!(all[0], RuleThreshold { rule, threshold: 98_f32.next_up() });
        assert_eq!(all.len(), OTHERS.len(), "its own is not repeated");
        for RuleThreshold { rule, threshold } in &all {
            let good = std::slice::from_ref(&good);
            assert_eq!(*threshold, inspect::threshold(good, rule).unwrap());
        }
        // A region of more than 20 pixels does not fit.
        let small = Image::filled(4, 4, 0.0);
        let all = RuleThreshold::all(&[small], ThresholdRule::Max {}).unwrap();
        assert_eq!(all.len(), OTHERS.len() - 1);
    }
}
