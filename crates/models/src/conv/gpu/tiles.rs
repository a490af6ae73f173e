//! How convolutions that are gathered tile by tile are launched: `kernels/convolutions.cu`.

use super::Problem;
use super::columns::Geometry;
use crate::Precision;
use candle_core::{Error, Result};

/// Rows of a tile, and what of the inner dimension is multiplied at a time.
const ROWS: u32 = 64;
const CHUNK: u32 = 32;

/// Columns of a tile; few for few channels.
const WIDE: u32 = 32;
const NARROW: u32 = 8;

/// Blocks that keep a large GPU busy, where tiles alone would be fewer; and the fewest chunks that are worth a block.
const BLOCKS: u32 = 264;
const FEWEST_CHUNKS: u32 = 4;

/// As in `kernels/convolutions.cu`.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Shapes {
    pub geometry: Geometry,
    /// Channels of the convolution's result.
    pub outputs: u32,
    pub maps: u32,
}

/// A convolution, or a transposed one.
#[derive(Debug, PartialEq)]
pub(super) struct Convolution {
    pub kernel: String,
    pub blocks: u32,
    /// Along the pixels that a block may have.
    pub tiles: u32,
}

/// A gradient of weights.
#[derive(Debug, PartialEq)]
pub(super) struct WeightGradient {
    pub kernel: String,
    pub blocks: u32,
    /// Parts of the pixels, each of which has a sum.
    pub shares: u32,
    /// Chunks of a part.
    pub chunks: u32,
}

impl Shapes {
    /// `None` where tiles cannot be copied by four neighbouring values, or the product is small: such are for columns.
    pub fn of(problem: &Problem, starts: &[usize]) -> Result<Option<Self>> {
        let are_neighbours = starts.iter().all(|start| start.is_multiple_of(4));
        let is_even = problem.conv.out_channels.is_multiple_of(4);
        if problem.conv.is_dense(problem.input) || !are_neighbours || !is_even {
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

    pub fn convolution(&self, precision: Precision) -> Convolution {
        let tiles = self.pixels().div_ceil(ROWS);
        let blocks = tiles * self.outputs.div_ceil(WIDE);
        Convolution { kernel: format!("convolve_{}_{precision}", self.lanes()), blocks, tiles }
    }

    pub fn transposed(&self, precision: Precision) -> Convolution {
        let Geometry { height, width, channels, stride, .. } = self.geometry;
        let columns = if channels <= NARROW { NARROW } else { WIDE };
        let tiles = (self.maps * height.div_ceil(stride) * width.div_ceil(stride)).div_ceil(ROWS);
        let blocks = tiles * channels.div_ceil(columns) * stride * stride;
        Convolution { kernel: format!("transpose_{columns}_{precision}"), blocks, tiles }
    }

    pub fn weight_gradient(&self, precision: Precision) -> WeightGradient {
        let Geometry { channels, kernel, .. } = self.geometry;
        let tiles = (kernel * kernel * channels).div_ceil(ROWS) * self.outputs.div_ceil(WIDE);
        let all = self.pixels().div_ceil(CHUNK).max(1);
        let shares = (BLOCKS / tiles).clamp(1, (all / FEWEST_CHUNKS).max(1));
        let chunks = all.div_ceil(shares);
        let shares = all.div_ceil(chunks);
        let kernel = format!("weigh_{}_{precision}", self.lanes());
        WeightGradient { kernel, blocks: tiles * shares, shares, chunks }
    }
}
