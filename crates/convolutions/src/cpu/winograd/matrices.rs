//! How the t² matrices of the transform domain lie in memory.

/// Values between two matrices whose distance would else be a power of two: a cache line, so that a tile's t² vectors do not
/// compete for the same lines.
pub const SKEW: usize = 16;
