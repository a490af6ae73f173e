//! How convolutions that are gathered tile by tile are launched: `kernels/convolutions.cu`.

use super::Problem;
use super::columns::Geometry;
use crate::Precision;
use candle_core::{Error, Result};

/// Rows of a tile: more where there are many, whose blocks take long to begin and end, fewer for a single channel's weights.
pub(super) const ROWS: u32 = 64;
pub(super) const MANY_ROWS: u32 = 128;
const FEW_ROWS: u32 = 32;

/// Columns of a tile, and what of the inner dimension is multiplied at a time.
const COLUMNS: u32 = 32;
const CHUNK: u32 = 32;

/// Two blocks for each multiprocessor of a large GPU. Fewer than a quarter of it are divided, since sums of shares are to be added; for
/// gradients of weights, of which there are few, as many as fit are best.
const BLOCKS: u32 = 264;
const MOST_DIVIDED: u32 = BLOCKS / 4;

/// The fewest chunks that are worth a block.
const FEWEST_CHUNKS: u32 = 4;

/// Shares that a thread of `add_shares` adds at least, and threads that take turns at most.
const SHARES_PER_TURN: u32 = 4;
const MOST_TURNS: u32 = 32;

/// As in `kernels/convolutions.cu`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Shapes {
    pub geometry: Geometry,
    /// Channels of the convolution's result.
    pub outputs: u32,
    pub maps: u32,
}

/// How a product is divided; as in `kernels/convolutions.cu`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub(super) struct Division {
    /// Along the rows.
    pub tiles: u32,
    /// Parts of the inner dimension, each of which has a sum.
    pub shares: u32,
    /// Chunks of a part.
    pub chunks: u32,
}

/// A launch.
#[derive(Debug, PartialEq)]
pub(super) struct Launch {
    pub kernel: String,
    pub blocks: u32,
    pub division: Division,
}

impl Shapes {
    /// `None` where tiles cannot be copied by four neighbouring values, or there are no neighbours to gather: such are for columns.
    pub fn of(problem: &Problem, starts: &[usize]) -> Result<Option<Self>> {
        let are_aligned = starts.iter().all(|start| start.is_multiple_of(4));
        let is_even = problem.conv.out_channels.is_multiple_of(4);
        if problem.conv.is_dense(problem.input) || !are_aligned || !is_even {
            return Ok(None);
        }
        let number = |value: usize| u32::try_from(value).map_err(Error::wrap);
        Ok(Some(Self {
            geometry: Geometry::new(problem)?,
            outputs: number(problem.conv.out_channels)?,
            maps: number(problem.maps)?,
        }))
    }

    /// Values that are copied together.
    fn lanes(&self) -> u32 {
        if self.geometry.channels.is_multiple_of(4) { 4 } else { 1 }
    }

    fn pixels(&self) -> u32 {
        self.maps * self.geometry.rows * self.geometry.columns
    }

    pub fn convolution(&self) -> Product {
        let Geometry { channels, kernel, .. } = self.geometry;
        Product {
            kernel: if self.lanes() == 4 { "convolve_4" } else { "convolve_1" },
            rows: self.pixels(),
            others: self.outputs.div_ceil(COLUMNS),
            inner: kernel * kernel * channels,
        }
    }

    pub fn transposed(&self) -> Product {
        let Geometry { height, width, channels, kernel, stride, .. } = self.geometry;
        let taps = kernel.div_ceil(stride) * kernel.div_ceil(stride);
        Product {
            kernel: "transpose_4",
            rows: self.maps * height.div_ceil(stride) * width.div_ceil(stride),
            others: channels.div_ceil(COLUMNS) * stride * stride,
            inner: taps * self.outputs,
        }
    }

    pub fn weight_gradient(&self, precision: Precision) -> Launch {
        let Geometry { channels, kernel, .. } = self.geometry;
        let rows = if self.lanes() == 1 { FEW_ROWS } else { ROWS };
        let tiles = (kernel * kernel * channels).div_ceil(rows);
        let name = format!("weigh_{}_{rows}_{precision}", self.lanes());
        Launch::new(name, tiles, self.outputs.div_ceil(COLUMNS), self.pixels(), 2 * BLOCKS)
    }
}

/// Sums for pixels.
pub(super) struct Product {
    /// How the kernel's name begins.
    kernel: &'static str,
    rows: u32,
    /// Tiles that have the same rows.
    others: u32,
    inner: u32,
}

impl Product {
    pub fn launch(&self, precision: Precision) -> Launch {
        let are_many = self.rows.div_ceil(ROWS) * self.others > 2 * BLOCKS;
        self.launch_in(if are_many { MANY_ROWS } else { ROWS }, precision)
    }

    /// In tiles of so many rows.
    pub fn launch_in(&self, size: u32, precision: Precision) -> Launch {
        let &Self { kernel, rows, others, inner } = self;
        let tiles = rows.div_ceil(size);
        let blocks = if tiles * others <= MOST_DIVIDED { BLOCKS } else { 0 };
        Launch::new(format!("{kernel}_{size}_{precision}"), tiles, others, inner, blocks)
    }
}

impl Launch {
    /// For so many tiles along the rows, as often as `others` say, of products of so long an inner dimension, which is shared by about
    /// so many blocks.
    fn new(kernel: String, tiles: u32, others: u32, inner: u32, blocks: u32) -> Self {
        let all = inner.div_ceil(CHUNK).max(1);
        let shares = (blocks / (tiles * others).max(1)).clamp(1, (all / FEWEST_CHUNKS).max(1));
        let chunks = all.div_ceil(shares);
        let shares = all.div_ceil(chunks);
        Self {
            kernel,
            blocks: tiles * others * shares,
            division: Division { tiles, shares, chunks },
        }
    }
}

/// The threads that take turns to add so many shares.
pub(super) fn turns(shares: u32) -> u32 {
    (shares / SHARES_PER_TURN).next_power_of_two().clamp(1, MOST_TURNS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::{Conv2d, Size};

    /// A layer of the paper's network, from maps of `side` squared pixels, in a batch of 16.
    fn shapes(side: usize, [in_channels, out_channels]: [usize; 2]) -> Shapes {
        let conv = Conv2d { in_channels, out_channels, kernel: 4, stride: 2, padding: 1 };
        let [input, output] = [side, side / 2].map(|side| Size { height: side, width: side });
        Shapes::of(&Problem { conv, maps: 16, input, output }, &[0]).unwrap().unwrap()
    }

    #[test]
    fn large_layers_have_large_tiles_and_small_ones_are_shared() {
        let first = shapes(128, [1, 32]).convolution().launch(Precision::Tf32);
        let division = Division { tiles: 512, shares: 1, chunks: 1 };
        assert_eq!(first, Launch { kernel: "convolve_1_128_tf32".into(), blocks: 512, division });
        // 16 · 8 · 8 pixels are 16 tiles, 128 channels are 4; 64 chunks of taps are shared by 4 blocks each.
        let last = shapes(16, [64, 128]).convolution().launch(Precision::F32);
        let division = Division { tiles: 16, shares: 4, chunks: 8 };
        assert_eq!(last, Launch { kernel: "convolve_4_64_f32".into(), blocks: 256, division });
    }

    #[test]
    fn what_cannot_be_copied_by_four_is_not_gathered() {
        let conv = Conv2d { in_channels: 4, out_channels: 4, kernel: 3, stride: 1, padding: 1 };
        let size = Size { height: 8, width: 8 };
        let problem = Problem { conv, maps: 1, input: size, output: size };
        assert!(Shapes::of(&problem, &[0, 8]).unwrap().is_some());
        assert!(Shapes::of(&problem, &[0, 6]).unwrap().is_none());
        let odd = Conv2d { out_channels: 5, ..conv };
        assert!(Shapes::of(&Problem { conv: odd, ..problem }, &[0]).unwrap().is_none());
    }
}
