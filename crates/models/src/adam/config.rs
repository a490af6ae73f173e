//! The settings of Adam.

use crate::step_size::StepSizeRule;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Settings of the optimiser (Kingma and Ba, 2015).
///
/// ```
/// use models::AdamConfig;
///
/// let config = AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() };
/// config.validate()?;
/// let error = AdamConfig { beta1: 1.0, ..config }.validate().unwrap_err();
/// assert_eq!(error.to_string(), "beta1 must be in [0, 1), got 1");
/// # Ok::<(), models::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Step size; the paper's is 2·10⁻⁴ (section 4.2).
    pub learning_rate: f64,
    /// Decay rate of the mean of gradients.
    pub beta1: f64,
    /// Decay rate of the mean of squared gradients.
    pub beta2: f64,
    /// Added to the denominator.
    pub epsilon: f64,
    /// Added to the gradient is this times the parameter, as `torch.optim.Adam` does it, not decoupled as in AdamW; the
    /// paper's is 10⁻⁵ (section 4.2).
    pub weight_decay: f64,
}

impl Default for AdamConfig {
    /// The paper's (section 4.2), and Adam's own defaults where it is silent.
    fn default() -> Self {
        Self { learning_rate: 2e-4, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: 1e-5 }
    }
}

impl AdamConfig {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for a setting outside its range.
    pub fn validate(&self) -> Result<()> {
        let positive = |name, value: f64| match value > 0.0 && value.is_finite() {
            true => Ok(()),
            false => Err(Error::setting(name, "positive", value)),
        };
        positive("learning_rate", self.learning_rate)?;
        // Moments are f32, which rounds what is next to 0 or 1.
        if !(self.epsilon as f32 > 0.0 && (self.epsilon as f32).is_finite()) {
            return Err(Error::setting("epsilon", "positive in single precision", self.epsilon));
        }
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&(beta as f32)) {
                return Err(Error::setting(name, "in [0, 1)", beta));
            }
        }
        if !(self.weight_decay >= 0.0 && self.weight_decay.is_finite()) {
            return Err(Error::setting("weight_decay", "at least 0", self.weight_decay));
        }
        Ok(())
    }

    /// The part of the settings that decides the size of a step.
    pub(crate) fn step_size(&self) -> StepSizeRule {
        let &Self { learning_rate, beta1, beta2, .. } = self;
        StepSizeRule { learning_rate, beta1, beta2 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_out_of_range_are_refused() {
        let bad = AdamConfig { learning_rate: -1.0, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "learning_rate", .. })));
        // The second is 1 as f32.
        for beta2 in [1.0, 0.999_999_99] {
            let bad = AdamConfig { beta2, ..AdamConfig::default() };
            assert!(matches!(bad.validate(), Err(Error::Setting { name: "beta2", .. })));
        }
        let bad = AdamConfig { epsilon: 1e-46, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "epsilon", .. })));
        let bad = AdamConfig { weight_decay: f64::NAN, ..AdamConfig::default() };
        assert!(matches!(bad.validate(), Err(Error::Setting { name: "weight_decay", .. })));
    }
}
