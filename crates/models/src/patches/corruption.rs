//! Inputs that differ from the patches that the network has to reconstruct.

use super::PatchSource;
use crate::stream::{Stream, below};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// What the network sees in place of a patch while it is trained. It has to reconstruct the patch as it was, as denoising autoencoders
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
    /// The patch, of which up to four blocks are uniform, lighter or darker, or cut from elsewhere. Their sides are 1/32 to 3/8 of
    /// the patch's.
    Blocks,
}

impl Corruption {
    /// Whether the network sees patches as they are.
    pub fn is_none(&self) -> bool {
        *self == Self::None
    }
}

/// Most blocks of a patch.
const BLOCKS: usize = 4;

impl PatchSource {
    /// Corrupts the patch that a run sees in place `position`, as [`Corruption::Blocks`] says.
    pub(super) fn put_blocks_in(&self, patch: &mut [f32], position: u64) {
        let size = self.patch_size;
        let rng = &mut Stream::Corruption { position }.rng(self.seed);
        for _ in 0..below(rng, BLOCKS + 1) {
            let (width, height) = (side(rng, size), side(rng, size));
            let (left, top) = (below(rng, size - width + 1), below(rng, size - height + 1));
            let level = unit(rng);
            // Pixels of another place, of which the block takes its part.
            let other = self.crop(rng);
            let kind = below(rng, 3);
            for y in top..top + height {
                let pixels = &mut patch[y * size + left..][..width];
                match kind {
                    0 => pixels.fill(level),
                    // By up to 0.3 of the range.
                    1 => pixels.iter_mut().for_each(|pixel| {
                        *pixel = (*pixel + 0.6 * (level - 0.5)).clamp(0.0, 1.0);
                    }),
                    _ => pixels.copy_from_slice(&self.row(&other, y)[left..left + width]),
                }
            }
        }
    }
}

/// The side of a block of a patch: in each octave from 1/32 to 1/4 of the patch's side, and from there to 3/8, equally often.
fn side(rng: &mut ChaCha8Rng, patch: usize) -> usize {
    let least = (patch / 32) << below(rng, 4);
    least + below(rng, least.min(patch / 8))
}

/// A number in [0, 1), the same on every machine.
fn unit(rng: &mut ChaCha8Rng) -> f32 {
    const STEPS: usize = 1 << 20;
    below(rng, STEPS) as f32 / STEPS as f32
}
