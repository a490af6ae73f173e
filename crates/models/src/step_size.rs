//! How far Adam moves weights in each step.

/// The settings of Adam that decide the size of the n-th step; `kernels/training.cu` has the same fields.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(crate) struct StepSizeRule {
    pub learning_rate: f64,
    pub beta1: f64,
    pub beta2: f64,
}

impl StepSizeRule {
    /// The step size `learning_rate / (1 − β₁ᵗ)` and the correction `1 / √(1 − β₂ᵗ)` of the second moment's root in step t, which
    /// counts from 1 (Kingma and Ba, 2015, section 2).
    pub fn at(self, step: f64) -> [f64; 2] {
        let correction = |beta: f64| 1.0 - beta.powf(step);
        let size = self.learning_rate / correction(self.beta1);
        [size, correction(self.beta2).sqrt().recip()]
    }
}
