//! Inputs that differ from the patches that the network has to reconstruct.

use crate::loss_log::LossLog;
#[cfg(feature = "cuda")]
use candle_core::CudaStorage;
use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor};
use convolutions::contiguous;
use serde::{Deserialize, Serialize};

/// How the patch is changed that the network sees in training. It has to reconstruct the patch as it was, as denoising autoencoders
/// do (Vincent et al., 2008), and so learns to leave out what does not belong there.
///
/// ```
/// assert_eq!(serde_json::to_string(&models::Corruption::Blocks)?, "\"blocks\"");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Corruption {
    /// The patch itself, as in the paper.
    #[default]
    None,
    /// The patch, of which up to four blocks are uniform, lighter or darker, or cut from another patch of the epoch. Their sides are
    /// at least 1/32 of the patch's, and less than 3/8.
    Blocks,
}

impl Corruption {
    /// Whether the network sees patches as they are.
    pub(crate) fn is_none(self) -> bool {
        self == Self::None
    }
}

/// Most blocks of a patch; `kernels/training.cu` has the same.
const BLOCKS: u32 = 4;

/// The patches `(N, 1, size, size)` that are next by the log, corrupted as [`Corruption::Blocks`] says. `images` and `places` are those
/// that they were [cut](super::crops::cut_next) from.
pub(crate) fn corrupt_next(
    patches: &Tensor,
    images: &Tensor,
    places: &Tensor,
    seed: u64,
    log: &LossLog,
) -> Result<Tensor> {
    patches.apply_op3_no_bwd(images, places, &Corrupt { seed, log: log.clone() })
}

/// Corrupts the patch of `size`×`size` pixels that a run of this seed sees in place `position`. `other(n)` is patch n of an epoch of
/// `epoch` patches: the pixels of its image from its own first one on, and the width of the image.
pub(super) fn put_blocks<'a>(
    patch: &mut [f32],
    size: usize,
    (seed, position): (u64, u64),
    epoch: usize,
    other: impl Fn(usize) -> (&'a [f32], usize),
) {
    let mut dice = Dice::new(seed, position);
    for _ in 0..dice.below(BLOCKS + 1) {
        let (width, height) = (dice.side(size), dice.side(size));
        let (left, top) =
            (dice.below(size as u32 - width + 1), dice.below(size as u32 - height + 1));
        let [left, top, width, height] = [left, top, width, height].map(|n| n as usize);
        let level = dice.unit();
        let (number, kind) = (dice.below(epoch as u32) as usize, dice.below(3));
        let (other, stride) = other(number);
        for y in top..top + height {
            let pixels = &mut patch[y * size + left..][..width];
            match kind {
                0 => pixels.fill(level),
                // The product is exact, so that a fused multiply-add gives the same.
                1 => pixels.iter_mut().for_each(|pixel| {
                    *pixel = (*pixel + 0.5 * (level - 0.5)).clamp(0.0, 1.0);
                }),
                _ => pixels.copy_from_slice(&other[y * stride + left..][..width]),
            }
        }
    }
}

/// Random numbers that a GPU's threads draw for themselves: SplitMix64 (Steele et al., 2014), as in `kernels/training.cu`.
struct Dice(u64);

impl Dice {
    fn new(seed: u64, position: u64) -> Self {
        Self(mixed(mixed(seed) ^ position))
    }

    /// A number below `bound`; its bias is at most `bound / 2³²`.
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (((mixed(self.0) >> 32) * u64::from(bound)) >> 32) as u32
    }

    /// The side of a block, equally often in [1/32, 1/16), [1/16, 1/8), [1/8, 1/4) and [1/4, 3/8) of the patch's side.
    fn side(&mut self, patch: usize) -> u32 {
        let patch = patch as u32;
        let least = (patch / 32) << self.below(4);
        least + self.below(least.min(patch / 8))
    }

    /// A number in [0, 1) of 20 bits.
    fn unit(&mut self) -> f32 {
        const STEPS: u32 = 1 << 20;
        self.below(STEPS) as f32 / STEPS as f32
    }
}

fn mixed(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Corrupt {
    seed: u64,
    log: LossLog,
}

impl CustomOp3 for Corrupt {
    fn name(&self) -> &'static str {
        "corrupt-patches"
    }

    fn cpu_fwd(
        &self,
        patches: &CpuStorage,
        patches_layout: &Layout,
        images: &CpuStorage,
        images_layout: &Layout,
        places: &CpuStorage,
        places_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut inputs = contiguous(patches, patches_layout)?.to_vec();
        let images = contiguous(images, images_layout)?;
        let places = &places.as_slice::<i64>()?[places_layout.start_offset()..];
        let (size, epoch) = (patches_layout.dims()[3], places_layout.dims()[0]);
        let other = |n: usize| (&images[places[2 * n] as usize..], places[2 * n + 1] as usize);
        let seen = self.log.read()?.progress.patches;
        for (position, input) in (seen..).zip(inputs.chunks_exact_mut(size * size)) {
            put_blocks(input, size, (self.seed, position), epoch, other);
        }
        Ok((CpuStorage::F32(inputs), patches_layout.shape().clone()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        patches: &CudaStorage,
        patches_layout: &Layout,
        images: &CudaStorage,
        images_layout: &Layout,
        places: &CudaStorage,
        places_layout: &Layout,
    ) -> Result<(CudaStorage, Shape)> {
        let inputs = self.log.on_cuda(|log| {
            let (images, places) = ((images, images_layout), (places, places_layout));
            let patches = (patches, patches_layout);
            crate::cuda::training::corrupt_patches(patches, images, places, log, self.seed)
        });
        Ok((inputs?, patches_layout.shape().clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_reach_from_a_thirty_second_to_three_eighths() {
        for patch in [32, 64, 128] {
            let mut dice = Dice::new(3, 4);
            let sides: Vec<usize> = (0..2000).map(|_| dice.side(patch) as usize).collect();
            assert_eq!(sides.iter().min(), Some(&(patch / 32)));
            assert_eq!(sides.iter().max(), Some(&(3 * patch / 8 - 1)));
            // A quarter of them is in each of four parts.
            let small = sides.iter().filter(|&&side| side < patch / 16).count();
            assert!((400..600).contains(&small), "{small}");
        }
    }
}
