//! Random numbers that depend on nothing but the seed and what they are for.

use crate::Result;
use candle_core::{Device, Tensor};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Streams of random numbers of one seed. No two overlap: no number of a patch or an epoch reaches 2⁶¹. How patches are corrupted is
/// drawn by a generator that kernels have, too, in `patches/corruption.rs`.
#[derive(Clone, Copy)]
pub(crate) enum Stream {
    /// Initial weights.
    Weights,
    /// The order of an epoch's patches.
    Order { epoch: u64 },
    /// Where a patch is cut.
    Crop { patch: u64 },
    /// The latent noise of the patch that a run sees in this place.
    Noise { position: u64 },
    /// The latent samples of an inspected patch.
    Sample { key: u64 },
}

impl Stream {
    /// Keys of samples lie below it.
    pub const SAMPLE_KEYS: u64 = 1 << 61;

    /// The generator of this stream. Any point of a run can be returned to without replaying what came before.
    pub fn rng(self, seed: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(match self {
            Self::Weights => u64::MAX,
            Self::Order { epoch } => (1 << 63) | epoch,
            Self::Crop { patch } => patch,
            Self::Noise { position } => (1 << 62) | position,
            Self::Sample { key } => Self::SAMPLE_KEYS | key,
        });
        rng
    }
}

/// A number below `bound`, the same on every machine; its bias is at most `bound / 2³²`.
pub(crate) fn below(rng: &mut impl Rng, bound: usize) -> usize {
    ((u64::from(rng.next_u32()) * bound as u64) >> 32) as usize
}

/// Standard normal numbers `(streams, length)`, a row from each stream.
pub(crate) fn normal_rows(
    seed: u64,
    streams: impl ExactSizeIterator<Item = Stream>,
    length: usize,
    device: &Device,
) -> Result<Tensor> {
    let shape = (streams.len(), length);
    let mut values: Vec<f32> = Vec::with_capacity(shape.0 * shape.1);
    for stream in streams {
        values.extend(
            StandardNormal.sample_iter(stream.rng(seed)).take(length).map(|x: f64| x as f32),
        );
    }
    Ok(Tensor::from_vec(values, shape, device)?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let streams = [
            Stream::Weights,
            Stream::Order { epoch: 5 },
            Stream::Crop { patch: 5 },
            Stream::Noise { position: 5 },
            Stream::Sample { key: 5 },
        ];
        let first = |stream: Stream, seed| stream.rng(seed).next_u64();
        let mut values: Vec<u64> = streams.iter().map(|&stream| first(stream, 1)).collect();
        assert_eq!(first(streams[3], 1), values[3]);
        assert_ne!(first(streams[3], 2), values[3]);
        values.sort_unstable();
        values.dedup();
        assert_eq!(values.len(), streams.len());
    }

    #[test]
    fn rows_are_normal_and_do_not_depend_on_their_neighbours() {
        const LENGTH: usize = 20_000;
        let rows = |keys: &[u64]| {
            let streams = keys.iter().map(|&key| Stream::Sample { key });
            normal_rows(3, streams, LENGTH, &Device::Cpu).unwrap().to_vec2::<f32>().unwrap()
        };
        let row = &rows(&[8, 9])[1];
        assert_eq!(row, &rows(&[9])[0]);
        let mean =
            |power: i32| row.iter().map(|&x| f64::from(x).powi(power)).sum::<f64>() / LENGTH as f64;
        // Five standard errors of the first, second and fourth moment: 1, √2 and √96 over √LENGTH.
        let error = 5.0 / (LENGTH as f64).sqrt();
        assert!(mean(1).abs() < error, "{}", mean(1));
        assert!((mean(2) - 1.0).abs() < 2f64.sqrt() * error, "{}", mean(2));
        assert!((mean(4) - 3.0).abs() < 96f64.sqrt() * error, "{}", mean(4));
    }
}
