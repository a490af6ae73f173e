//! Tiles of batches of maps, and their transform.
#![expect(unsafe_code, reason = "a tile is read and written at strides")]

use super::algorithm::Matrix;
use super::blocks::BlockView;
use super::sandwich::{Strides, sandwich};
use crate::cpu::buffer::{Buffer, Buffers};
use pulp::{Arch, Simd, WithSimd};
use std::marker::PhantomData;

/// Values between two of the t² matrices of the transform domain, whose distance would else be a power of two: a cache line, so that a
/// tile's t² vectors do not compete for the same lines.
pub const SKEW: usize = 16;

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
    /// A tile that leaves its map.
    spare: Buffer,
}

impl Transformed {
    /// Room for `room` tiles of `side`×`side` blocks of a view.
    pub fn new(side: usize, room: usize, view: &BlockView, buffers: &Buffers) -> Self {
        let channels = view.block_channels();
        let data = buffers.take(side * side * (room * channels + SKEW));
        Self { data, room, channels, spare: buffers.take(side * side * channels) }
    }

    /// Transforms tiles of `C`×`C` blocks by a matrix from both sides, to `R`×`R`.
    pub fn fill<A, const R: usize, const C: usize>(
        &mut self,
        tiles: Tiles,
        view: BlockView,
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
    view: BlockView,
    maps: &'a [f32],
    target: &'a mut Transformed,
    matrix: PhantomData<A>,
}

impl<A: Matrix<R, C>, const R: usize, const C: usize> WithSimd for Fill<'_, A, R, C> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { tiles, view, maps, target, .. } = self;
        let Transformed { data, room, channels, spare } = target;
        let step = *room * *channels + SKEW;
        assert!(tiles.count <= *room && data.len() >= R * R * step);
        assert!(view.block_channels() == *channels && view.run().is_multiple_of(S::F32_LANES));
        let spare = &mut spare[..C * C * *channels];
        let (to, data) = (Strides::new(R * step, step), data.as_mut_ptr());
        for index in 0..tiles.count {
            let (map, block) = tiles.tiling.place(tiles.first + index);
            let map = &maps[map * view.len()..][..view.len()];
            let (tile, part_step, from) = match view.tile(block, C) {
                Some(first) => {
                    let strides = Strides::new(view.stride * view.row(), view.run());
                    (&map[first..], view.row(), strides)
                }
                None => {
                    view.gather(map, block, C, spare);
                    let strides = Strides::new(C * view.run(), view.run());
                    (&*spare, C * C * view.run(), strides)
                }
            };
            for part in 0..view.stride {
                let tile = &tile[part * part_step..];
                assert!(from.lie_in(tile.len(), 0, C, view.run()), "a tile outside its map");
                for lane in (0..view.run()).step_by(S::F32_LANES) {
                    let first = index * *channels + part * view.run() + lane;
                    // SAFETY: all places of the tile lie in it, with a value for each channel of a run, as asserted.
                    let load = |r, c| unsafe {
                        let place = tile.as_ptr().add(lane).offset(from.at(r, c));
                        place.cast::<S::f32s>().read_unaligned()
                    };
                    // SAFETY: the data has `R`² matrices, each with room for this tile's channels.
                    let store = |r, c, value| unsafe {
                        let place = data.add(first).offset(to.at(r, c));
                        place.cast::<S::f32s>().write_unaligned(value);
                    };
                    sandwich::<S, A, R, C>(simd, load, store);
                }
            }
        }
    }
}
