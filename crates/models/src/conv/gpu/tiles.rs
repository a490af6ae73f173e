//! How convolutions that are gathered tile by tile are launched: `kernels/convolutions.cu`.

use super::Problem;
use super::columns::Geometry;
use crate::Precision;
use candle_core::{Error, Result};

/// Rows of a tile; fewer for a gradient of the weights of a single channel.
const ROWS: u32 = 64;
const FEW_ROWS: u32 = 32;

/// Columns of a tile, and what of the inner dimension is multiplied at a time.
const COLUMNS: u32 = 32;
const CHUNK: u32 = 32;

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

    pub fn convolution(&self, precision: Precision) -> Launch {
        let Geometry { channels, kernel, .. } = self.geometry;
        let kernel_name = format!("convolve_{}_{precision}", self.lanes());
        let tiles = self.pixels().div_ceil(ROWS);
        Launch::new(kernel_name, tiles, self.outputs.div_ceil(COLUMNS), kernel * kernel * channels)
    }

    pub fn transposed(&self, precision: Precision) -> Launch {
        let Geometry { height, width, channels, kernel, stride, .. } = self.geometry;
        let tiles = (self.maps * height.div_ceil(stride) * width.div_ceil(stride)).div_ceil(ROWS);
        let taps = kernel.div_ceil(stride) * kernel.div_ceil(stride);
        let others = channels.div_ceil(COLUMNS) * stride * stride;
        Launch::new(format!("transpose_4_{precision}"), tiles, others, taps * self.outputs)
    }

    pub fn weight_gradient(&self, precision: Precision) -> Launch {
        let Geometry { channels, kernel, .. } = self.geometry;
        let rows = if self.lanes() == 1 { FEW_ROWS } else { ROWS };
        let tiles = (kernel * kernel * channels).div_ceil(rows);
        let kernel = format!("weigh_{}_{precision}", self.lanes());
        Launch::new(kernel, tiles, self.outputs.div_ceil(COLUMNS), self.pixels())
    }
}

impl Launch {
    /// For so many tiles along the rows, as often as `others` say, of products of so long an inner dimension.
    fn new(kernel: String, tiles: u32, others: u32, inner: u32) -> Self {
        let all = inner.div_ceil(CHUNK).max(1);
        let shares = (BLOCKS / (tiles * others).max(1)).clamp(1, (all / FEWEST_CHUNKS).max(1));
        let chunks = all.div_ceil(shares);
        let shares = all.div_ceil(chunks);
        Self {
            kernel,
            blocks: tiles * others * shares,
            division: Division { tiles, shares, chunks },
        }
    }
}
