//! Random numbers whose values are fixed for all machines and versions.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// ChaCha with 8 rounds, turned into floats by exact arithmetic only.
///
/// `rand`'s distributions may change their values between versions, and normal ones call the
/// platform's `ln` and `exp`.
pub(super) struct Dice(ChaCha8Rng);

impl Dice {
    /// The numbers of one image for one purpose; `key` and `stream` name them.
    pub(super) fn new(key: [u64; 4], stream: u64) -> Self {
        let mut seed = [0; 32];
        for (bytes, part) in seed.chunks_exact_mut(8).zip(key) {
            bytes.copy_from_slice(&part.to_le_bytes());
        }
        let mut generator = ChaCha8Rng::from_seed(seed);
        generator.set_stream(stream);
        Self(generator)
    }

    /// Uniform in [0, 1), in steps of 2⁻²⁴.
    pub(super) fn unit(&mut self) -> f32 {
        (self.0.next_u32() >> 8) as f32 / (1 << 24) as f32
    }

    /// Uniform in [low, high).
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// Uniform in [-1, 1).
    pub(super) fn signed(&mut self) -> f32 {
        self.between(-1.0, 1.0)
    }

    /// Uniform in 0..`count`, up to a bias of `count` / 2²⁴.
    pub(super) fn below(&mut self, count: usize) -> usize {
        ((self.unit() * count as f32) as usize).min(count - 1)
    }

    /// -1 or 1.
    pub(super) fn sign(&mut self) -> f32 {
        if self.unit() < 0.5 { -1.0 } else { 1.0 }
    }

    /// Nearly normal with mean 0 and variance 1: the sum of four uniform numbers, which ends at
    /// ±2√3.
    pub(super) fn normal(&mut self) -> f32 {
        let bits = self.0.next_u64();
        let sum: u32 = (0..4).map(|part| (bits >> (16 * part)) as u32 & 0xFFFF).sum();
        // Four uniform variables on [0, 1) have mean 2 and variance 1/3.
        (sum as f32 / 65_536.0 - 2.0) * 3.0_f32.sqrt()
    }

    /// A unit vector of any direction.
    pub(super) fn direction(&mut self) -> (f32, f32) {
        loop {
            let (x, y) = (self.signed(), self.signed());
            let square = x * x + y * y;
            if (0.01..=1.0).contains(&square) {
                let length = square.sqrt();
                return (x / length, y / length);
            }
        }
    }
}
