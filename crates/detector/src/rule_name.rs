//! Threshold rules in one word.

use crate::error::Context;
use crate::{Error, Result};
use inspect::ThresholdRule;
use std::fmt;
use std::str::FromStr;

/// A rule in one word, such as `quantile:0.999`.
///
/// ```
/// use detector::RuleName;
/// use inspect::ThresholdRule;
///
/// let RuleName(rule) = "quantile:0.999".parse()?;
/// assert_eq!(rule, ThresholdRule::Quantile { q: 0.999 });
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleName(pub ThresholdRule);

impl fmt::Display for RuleName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ThresholdRule::Max {} => write!(formatter, "max"),
            ThresholdRule::Quantile { q } => write!(formatter, "quantile:{q}"),
            ThresholdRule::MeanSigma { k } => write!(formatter, "mean_sigma:{k}"),
            ThresholdRule::LargestRegion { max_area } => {
                write!(formatter, "largest_region:{max_area}")
            }
            ThresholdRule::FalseAlarms { images } => write!(formatter, "false_alarms:{images}"),
            ThresholdRule::Manual { threshold } => write!(formatter, "manual:{threshold}"),
        }
    }
}

impl FromStr for RuleName {
    type Err = Error;

    /// The range of the number is checked where the rule is applied.
    fn from_str(text: &str) -> Result<Self> {
        let expected = || {
            format!(
                "expected max, quantile:Q, mean_sigma:K, largest_region:AREA, false_alarms:IMAGES or manual:THRESHOLD, got {text}"
            )
        };
        let number = |number: &str| number.parse::<f64>().ok().with_context(expected);
        Ok(Self(match text.split_once(':') {
            None if text == "max" => ThresholdRule::Max {},
            Some(("quantile", q)) => ThresholdRule::Quantile { q: number(q)? },
            Some(("mean_sigma", k)) => ThresholdRule::MeanSigma { k: number(k)? },
            Some(("largest_region", area)) => {
                let max_area = area.parse().ok().with_context(expected)?;
                ThresholdRule::LargestRegion { max_area }
            }
            Some(("false_alarms", images)) => {
                ThresholdRule::FalseAlarms { images: number(images)? }
            }
            Some(("manual", threshold)) => ThresholdRule::Manual { threshold: number(threshold)? },
            _ => return Err(Error::Value(expected())),
        }))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

    use super::*;

    #[test]
    fn rules_read_as_they_are_written() {
        for text in [
            "max",
            "quantile:0.999",
            "mean_sigma:3",
            "largest_region:20",
            "false_alarms:20",
            "manual:-0.5",
        ] {
            assert_eq!(text.parse::<RuleName>().unwrap().to_string(), text);
        }
        for text in ["", "min", "max:1", "quantile", "quantile:", "largest_region:1.5", "mean:3"] {
            let message = text.parse::<RuleName>().unwrap_err().to_string();
            assert!(message.ends_with(&format!("got {text}")), "{message}");
        }
    }
}
