//! Tiles of batches of maps, and their transform.
#![expect(unsafe_code, reason = "a vector is read and written where a pixel's channels lie")]

use super::SKEW;
use super::algorithm::Matrix;
use super::sandwich::sandwich;
use super::view::View;
use crate::conv::buffer::{Buffer, Buffers};
use pulp::{Arch, Simd, WithSimd};
use std::marker::PhantomData;

/// How the blocks of a map are cut into tiles of `side`×`side` results.
#[derive(Clone, Copy)]
pub struct Tiling {
    rows: usize,
    columns: usize,
    side: usize,
}

impl Tiling {
    pub fn new((rows, columns): (usize, usize), side: usize) -> Self {
        Self { rows: rows.div_ceil(side), columns: columns.div_ceil(side), side }
    }

    /// Tiles of a map.
    pub fn len(&self) -> usize {
        self.rows * self.columns
    }

    /// The map of a tile in a batch, and the tile's first block.
    pub fn place(&self, tile: usize) -> (usize, (usize, usize)) {
        let (map, tile) = (tile / self.len(), tile % self.len());
        (map, (tile / self.columns * self.side, tile % self.columns * self.side))
    }
}

/// Consecutive tiles of a batch of maps.
#[derive(Clone, Copy)]
pub struct Tiles {
    pub tiling: Tiling,
    pub first: usize,
    pub count: usize,
}

/// Tiles in the transform domain: `(t², room, block channels)`, with a gap after each of the t² matrices.
pub struct Transformed {
    data: Buffer,
    room: usize,
    channels: usize,
}

impl Transformed {
    /// Room for so many tiles of `side`×`side` blocks of a view.
    pub fn new(side: usize, room: usize, view: &View, buffers: &Buffers) -> Self {
        let channels = view.block_channels();
        Self { data: buffers.take(side * side * (room * channels + SKEW)), room, channels }
    }

    /// Transforms tiles of `C`×`C` blocks by a matrix from both sides, to `R`×`R`.
    pub fn fill<A, const R: usize, const C: usize>(
        &mut self,
        tiles: Tiles,
        view: View,
        maps: &[f32],
    ) where
        A: Matrix<R, C>,
    {
        let matrix = PhantomData::<A>;
        Arch::new().dispatch(Fill { tiles, view, maps, target: self, matrix });
    }

    /// One of the t² matrices `(room, block channels)`.
    pub fn matrix(&self, index: usize) -> &[f32] {
        let size = self.room * self.channels;
        &self.data[index * (size + SKEW)..][..size]
    }
}

struct Fill<'a, A, const R: usize, const C: usize> {
    tiles: Tiles,
    view: View,
    maps: &'a [f32],
    target: &'a mut Transformed,
    matrix: PhantomData<A>,
}

impl<A: Matrix<R, C>, const R: usize, const C: usize> WithSimd for Fill<'_, A, R, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles, view, maps, target, .. } = self;
        let Transformed { data, room, channels } = target;
        let step = *room * *channels + SKEW;
        assert!(tiles.count <= *room && data.len() >= R * R * step);
        assert!(view.block_channels() == *channels && view.channels.is_multiple_of(S::F32_LANES));
        let zeros = vec![0.0; view.channels];
        for index in 0..tiles.count {
            let (map, block) = tiles.tiling.place(tiles.first + index);
            let map = &maps[map * view.len()..][..view.len()];
            for part in 0..view.stride * view.stride {
                let (rows, columns) = view.pixels::<C>(block, part);
                let mut pixels = [[zeros.as_ptr(); C]; C];
                for (pixels, row) in pixels.iter_mut().zip(rows) {
                    for (pixel, column) in pixels.iter_mut().zip(columns) {
                        if let (Some(row), Some(column)) = (row, column) {
                            *pixel = map[row + column..][..view.channels].as_ptr();
                        }
                    }
                }
                let first = index * *channels + part * view.channels;
                for lane in (0..view.channels).step_by(S::F32_LANES) {
                    // SAFETY: a vector of a pixel's channels.
                    let load = |r: usize, c: usize| unsafe {
                        pixels[r][c].add(lane).cast::<S::f32s>().read_unaligned()
                    };
                    let store = |r, c, value: S::f32s| {
                        let at = (r * R + c) * step + first + lane;
                        // SAFETY: the data has `R`² matrices, each with room for this tile's channels.
                        unsafe { data.as_mut_ptr().add(at).cast::<S::f32s>().write_unaligned(value) };
                    };
                    sandwich::<S, A, R, C>(simd, load, store);
                }
            }
        }
    }
}
