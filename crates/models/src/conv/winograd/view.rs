//! Maps as grids of blocks of pixels.

use crate::conv::Size;

/// Maps seen as grids of blocks of `stride`×`stride` pixels. A convolution reads blocks and writes pixels, which are blocks
/// of stride 1; a transposed one the reverse.
#[derive(Clone, Copy, Debug)]
pub struct View {
    pub size: Size,
    /// Channels of a pixel.
    pub channels: usize,
    pub stride: usize,
    /// The first row and column of pixels of block (0, 0); outside the map if negative.
    pub origin: isize,
}

impl View {
    /// Values of a map.
    pub fn len(&self) -> usize {
        self.size.pixels() * self.channels
    }

    /// Channels of a block: those of its first row of pixels, then those of the next.
    pub fn block_channels(&self) -> usize {
        self.stride * self.stride * self.channels
    }

    /// The first pixel of a block in one direction.
    pub fn pixel(&self, block: usize) -> isize {
        (block * self.stride) as isize + self.origin
    }

    /// Where the pixels at place `part` of `side`×`side` blocks from block `(y, x)` on begin in their map, by the distances
    /// of their rows and their columns; `None` for those outside the map.
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
    fn row(&self) -> usize {
        self.size.width * self.channels
    }
}
