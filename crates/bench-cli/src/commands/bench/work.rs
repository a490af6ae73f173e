//! How much arithmetic the network's convolutions are.

use serde::Serialize;

/// Multiply-adds of the plain algorithm, each product of a weight and a value counted once, and the rate at which
/// they were done. A multiply-add is two floating-point operations.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Arithmetic {
    pub multiply_adds: u64,
    pub gflop_per_s: f64,
}

impl Arithmetic {
    pub fn new(multiply_adds: u64, milliseconds: f64) -> Self {
        Self { multiply_adds, gflop_per_s: 2.0 * multiply_adds as f64 / milliseconds / 1e6 }
    }
}
