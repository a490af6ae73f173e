//! The arithmetic of the network's convolutions.

use detector::records::Arithmetic;

/// Multiply-adds of the plain algorithm, and the rate at which they were done.
pub fn arithmetic(multiply_adds: u64, milliseconds: f64) -> Arithmetic {
    Arithmetic { multiply_adds, gflop_per_s: 2.0 * multiply_adds as f64 / milliseconds / 1e6 }
}
