//! Maps seen as grids of blocks of pixels.

use crate::geometry::Size;
use std::ops::Range;

/// Maps seen as grids of blocks of `stride`×`stride` pixels. A convolution reads blocks and writes pixels, which are blocks
/// of stride 1; a transposed one the reverse.
#[derive(Clone, Copy, Debug)]
pub struct BlockView {
    pub size: Size,
    /// Channels of a pixel.
    pub channels: usize,
    pub stride: usize,
    /// The first row and column of pixels of block (0, 0); outside the map if negative.
    pub origin: isize,
}

impl BlockView {
    /// Values of a map.
    pub fn len(&self) -> usize {
        self.size.pixels() * self.channels
    }

    /// Channels of a block: those of its first row of pixels, then those of the next.
    pub fn block_channels(&self) -> usize {
        self.stride * self.run()
    }

    /// The first pixel of a block in one direction.
    pub fn pixel(&self, block: usize) -> isize {
        (block * self.stride) as isize + self.origin
    }

    /// The offsets of the pixels at place `part` of each of `SIDE`×`SIDE` blocks, the first of which is block `(y, x)`: one offset for
    /// each row and one for each column, whose sum is the pixel's offset in the map. `None` for rows and columns outside the map.
    #[inline(always)]
    pub fn pixels<const SIDE: usize>(
        &self,
        (y, x): (usize, usize),
        part: usize,
    ) -> ([Option<usize>; SIDE], [Option<usize>; SIDE]) {
        let along = |first: isize, size: usize, step: usize| {
            let mut places = [None; SIDE];
            for (block, place) in places.iter_mut().enumerate() {
                let pixel = first + (block * self.stride) as isize;
                let pixel = usize::try_from(pixel).ok().filter(|&pixel| pixel < size);
                *place = pixel.map(|pixel| pixel * step);
            }
            places
        };
        let (top, left) = (part / self.stride, part % self.stride);
        let rows = along(self.pixel(y) + top as isize, self.size.height, self.row());
        (rows, along(self.pixel(x) + left as isize, self.size.width, self.channels))
    }

    /// Values of a row of pixels.
    pub fn row(&self) -> usize {
        self.size.width * self.channels
    }

    /// Channels of a row of pixels in a block, which lie side by side.
    pub fn run(&self) -> usize {
        self.stride * self.channels
    }

    /// The offset of a tile of `side`×`side` blocks from block `(y, x)` on, if all of it lies in the map.
    pub fn tile(&self, (y, x): (usize, usize), side: usize) -> Option<usize> {
        let side = side * self.stride;
        let first = |block, size: usize| {
            let pixel = usize::try_from(self.pixel(block)).ok()?;
            (pixel + side <= size).then_some(pixel)
        };
        let (top, left) = (first(y, self.size.height)?, first(x, self.size.width)?);
        Some(top * self.row() + left * self.channels)
    }

    /// Copies a tile of `side`×`side` blocks from block `(y, x)` on, zero where it leaves the map:
    /// `(rows of a block, side, side, run)`.
    pub fn gather(&self, map: &[f32], (y, x): (usize, usize), side: usize, tile: &mut [f32]) {
        let (top, left) = (self.pixel(y), self.pixel(x));
        let columns = inside(left, side * self.stride, self.size.width);
        let first = left.saturating_add_unsigned(columns.start).max(0) as usize * self.channels;
        let columns = columns.start * self.channels..columns.end * self.channels;
        let row = side * self.run();
        for part in 0..self.stride {
            let rows = tile[part * side * row..].chunks_exact_mut(row).take(side);
            for (block, target) in rows.enumerate() {
                let pixel = top + (block * self.stride + part) as isize;
                let source = usize::try_from(pixel).ok().filter(|&pixel| pixel < self.size.height);
                let Some(source) = source.filter(|_| !columns.is_empty()) else {
                    target.fill(0.0);
                    continue;
                };
                let source = &map[source * self.row() + first..][..columns.len()];
                target[..columns.start].fill(0.0);
                target[columns.clone()].copy_from_slice(source);
                target[columns.end..].fill(0.0);
            }
        }
    }
}

/// Which of the `count` positions from `first` on lie in `0..size`, counted from `first`.
fn inside(first: isize, count: usize, size: usize) -> Range<usize> {
    let end = (size as isize - first).clamp(0, count as isize) as usize;
    let start = (-first).max(0) as usize;
    start.min(end)..end
}
