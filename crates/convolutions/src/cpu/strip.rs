//! Strips of output channels, as many as a register tile of the micro-kernels has.

use pulp::{Arch, Simd, WithSimd};

/// Vector registers in the channel direction of a tile; of a tile with few channels, half as many.
pub const VECTORS: usize = 2;
/// The largest number of output channels in a tile.
pub const MAX_STRIP: usize = VECTORS * 16;

/// The number of output channels in a tile on this machine, where there are enough.
pub fn widest_strip() -> usize {
    struct Width;
    impl WithSimd for Width {
        type Output = usize;
        fn with_simd<S: Simd>(self, _: S) -> usize {
            VECTORS * S::F32_LANES
        }
    }
    Arch::new().dispatch(Width)
}

/// The number of output channels in a tile on this machine for a layer of `channels` output channels.
pub fn strip_width(channels: usize) -> usize {
    let widest = widest_strip();
    if channels <= widest / VECTORS { widest / VECTORS } else { widest }
}

/// Packed weights, each strip `step` values after the one before.
#[derive(Clone, Copy)]
pub struct Strips<'a> {
    pub data: &'a [f32],
    pub step: usize,
    pub taps: usize,
    pub channels: usize,
    pub strip: usize,
}

impl<'a> Strips<'a> {
    pub fn iter(self) -> impl Iterator<Item = &'a [f32]> {
        self.data.chunks(self.step.max(1)).map(move |strip| &strip[..self.taps * self.strip])
    }
}
