//! How the kernels of `kernels/convolutions.cu` are launched, which gather convolutions tile by tile.
//!
//! A convolution is a product of matrices, of which a block computes one tile. Where there are few tiles, the inner dimension is split
//! among several blocks (split-K), whose partial sums are added up afterwards: shares, as the kernels call them.

use super::problem::{Geometry, Problem};
use crate::precision::Precision;
use candle_core::{Error, Result};

/// Rows of a tile. Products with many rows have tiles of more rows, because blocks take long to begin and end; the weight gradient of a
/// single channel has tiles of few.
pub const ROWS: u32 = 64;
pub const MANY_ROWS: u32 = 128;
const FEW_ROWS: u32 = 32;

/// Columns of a tile, and the part of the inner dimension that is multiplied at a time.
const COLUMNS: u32 = 32;
const CHUNK: u32 = 32;

/// Two blocks for each multiprocessor of a large GPU. The inner dimension is split where there are fewer than a quarter of as many tiles,
/// because the sums of shares have to be added; the gradients of weights, which are few values, always have as many blocks as fit.
const BLOCKS: u32 = 264;
const MOST_DIVIDED: u32 = BLOCKS / 4;

/// The fewest chunks that are worth a block.
const FEWEST_CHUNKS: u32 = 4;

/// Shares that a thread of `add_shares` adds at least, and threads that take turns at most.
const SHARES_PER_TURN: u32 = 4;
const MOST_TURNS: u32 = 32;

/// As in `kernels/gathering.cuh`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct Shapes {
    pub geometry: Geometry,
    /// Channels of the convolution's result.
    pub outputs: u32,
    pub maps: u32,
}

/// How a product is divided among blocks; as in `kernels/convolutions.cu`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
pub struct Division {
    /// Tiles along the rows.
    pub tiles: u32,
    /// Parts of the inner dimension, each with a partial sum.
    pub shares: u32,
    /// Chunks of a share.
    pub chunks: u32,
}

/// A launch of a kernel.
#[derive(Debug, PartialEq)]
pub struct Launch {
    pub kernel: String,
    pub blocks: u32,
    pub division: Division,
}

impl Shapes {
    /// `None` for the layers that columns are for: those whose channels cannot be copied four at a time, and fully connected ones.
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

    pub fn convolution(&self) -> TiledProduct {
        let Geometry { channels, kernel, .. } = self.geometry;
        TiledProduct {
            kernel: if self.lanes() == 4 { "convolve_4" } else { "convolve_1" },
            rows: self.pixels(),
            across: self.outputs.div_ceil(COLUMNS),
            inner: kernel * kernel * channels,
        }
    }

    pub fn transposed(&self) -> TiledProduct {
        let Geometry { height, width, channels, kernel, stride, .. } = self.geometry;
        let taps = kernel.div_ceil(stride) * kernel.div_ceil(stride);
        TiledProduct {
            kernel: "transpose_4",
            rows: self.maps * height.div_ceil(stride) * width.div_ceil(stride),
            across: channels.div_ceil(COLUMNS) * stride * stride,
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

/// A product of matrices with a row for each pixel of the result.
pub struct TiledProduct {
    /// How the kernel's name begins.
    kernel: &'static str,
    rows: u32,
    /// Tiles side by side, which have the same rows.
    across: u32,
    /// The length of the inner dimension.
    inner: u32,
}

impl TiledProduct {
    pub fn launch(&self, precision: Precision) -> Launch {
        let are_many = self.rows.div_ceil(ROWS) * self.across > 2 * BLOCKS;
        self.launch_in(if are_many { MANY_ROWS } else { ROWS }, precision)
    }

    /// In tiles of `size` rows.
    pub fn launch_in(&self, size: u32, precision: Precision) -> Launch {
        let &Self { kernel, rows, across, inner } = self;
        let tiles = rows.div_ceil(size);
        let blocks = if tiles * across <= MOST_DIVIDED { BLOCKS } else { 0 };
        Launch::new(format!("{kernel}_{size}_{precision}"), tiles, across, inner, blocks)
    }
}

impl Launch {
    /// Divides a product of `tiles` × `across` tiles among about `blocks` blocks, by splitting the inner dimension into shares of at least
    /// [`FEWEST_CHUNKS`] chunks.
    fn new(kernel: String, tiles: u32, across: u32, inner: u32, blocks: u32) -> Self {
        let all = inner.div_ceil(CHUNK).max(1);
        let shares = (blocks / (tiles * across).max(1)).clamp(1, (all / FEWEST_CHUNKS).max(1));
        let chunks = all.div_ceil(shares);
        let shares = all.div_ceil(chunks);
        Self {
            kernel,
            blocks: tiles * across * shares,
            division: Division { tiles, shares, chunks },
        }
    }
}

/// How many threads take turns to add up the sums of shares.
pub fn turns(shares: u32) -> u32 {
    (shares / SHARES_PER_TURN).next_power_of_two().clamp(1, MOST_TURNS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::geometry::{Conv2d, Size};

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
