//! Correlations of batches of maps with taps.
#![expect(unsafe_code, reason = "products are read where a tile's lie in each matrix")]

use super::algorithm::{Algorithm, InputMatrix, Matrix, OutputMatrix};
use super::blocks::BlockView;
use super::sandwich::{Strides, sandwich};
use super::taps::TransformedTaps;
use super::tiles::{SKEW, Tiles, Tiling, Transformed};
use crate::cpu::buffer::{Buffer, Buffers};
use crate::cpu::gather::{Grid, Taps};
use crate::cpu::simd::Convolve;
use crate::geometry::BiasRectifier;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Tiles whose products are computed together: a multiple of the register tiles' rows, few enough for the cache.
const TILES: usize = 24;

/// A correlation of blocks of the source with taps, whose results are blocks of the target.
pub struct Correlation {
    pub source: BlockView,
    pub target: BlockView,
    /// Rows and columns of blocks to compute; they cover the target.
    pub blocks: (usize, usize),
    pub taps: TransformedTaps,
}

impl Correlation {
    /// Runs the correlation over a batch of maps, in parallel over groups of them.
    pub fn run<A, const M: usize, const T: usize>(
        &self,
        maps: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        buffers: &Buffers,
        results: &mut [f32],
    ) where
        A: Algorithm,
        InputMatrix<A>: Matrix<T, T>,
        OutputMatrix<A>: Matrix<M, T>,
    {
        let Self { source, target, .. } = self;
        let tiling = Tiling::new(self.blocks, M);
        let group = maps_per_task(maps.len() / source.len(), tiling.len());
        let groups = results.par_chunks_mut(group * target.len());
        groups.zip_eq(maps.par_chunks(group * source.len())).for_each_init(
            || Scratch::new(T, source, target, buffers),
            |scratch, (results, maps)| {
                self.run_group::<A, M, T>(tiling, maps, bias_rectifier, scratch, results);
            },
        );
    }

    fn run_group<A, const M: usize, const T: usize>(
        &self,
        tiling: Tiling,
        maps: &[f32],
        bias_rectifier: BiasRectifier<'_>,
        Scratch { inputs, products }: &mut Scratch,
        results: &mut [f32],
    ) where
        A: Algorithm,
        InputMatrix<A>: Matrix<T, T>,
        OutputMatrix<A>: Matrix<M, T>,
    {
        let tiles = maps.len() / self.source.len() * tiling.len();
        for first in (0..tiles).step_by(TILES) {
            let tiles = Tiles { tiling, first, count: TILES.min(tiles - first) };
            inputs.fill::<InputMatrix<A>, T, T>(tiles, self.source, maps);
            self.multiply(tiles.count, inputs, products);
            let (view, algorithm) = (self.target, PhantomData::<A>);
            Arch::new().dispatch(OutputTransform {
                view,
                bias_rectifier,
                tiles,
                products,
                results,
                algorithm,
            });
        }
    }

    fn multiply(&self, tiles: usize, inputs: &Transformed, products: &mut [f32]) {
        let (from, to) = (self.source.block_channels(), self.target.block_channels());
        for (index, products) in products.chunks_exact_mut(TILES * to + SKEW).enumerate() {
            Convolve {
                source: inputs.matrix(index),
                taps: Taps { rows: 1, row_stride: 0, run: from },
                grid: Grid::rows(tiles, from, to),
                weights: self.taps.matrix(index),
                bias_rectifier: BiasRectifier::default(),
                target: products,
            }
            .run();
        }
    }
}

/// The number of maps of a task: enough to fill the products of a few tiles, few enough that all threads have work. The results do not
/// depend on it.
fn maps_per_task(maps: usize, tiles_per_map: usize) -> usize {
    let tasks = (maps * tiles_per_map).div_ceil(2 * TILES);
    maps.div_ceil(tasks.next_multiple_of(rayon::current_num_threads()).max(1)).max(1)
}

/// Buffers of a task.
struct Scratch {
    inputs: Transformed,
    /// `(t², TILES, block channels of the target)`, with a gap after each of the t² matrices.
    products: Buffer,
}

impl Scratch {
    fn new(side: usize, source: &BlockView, target: &BlockView, buffers: &Buffers) -> Self {
        let products = buffers.take(side * side * (TILES * target.block_channels() + SKEW));
        Self { inputs: Transformed::new(side, TILES, source, buffers), products }
    }
}

/// Transforms products back to results, and adds bias and rectifier.
struct OutputTransform<'a, A, const M: usize, const T: usize> {
    view: BlockView,
    bias_rectifier: BiasRectifier<'a>,
    tiles: Tiles,
    products: &'a [f32],
    results: &'a mut [f32],
    algorithm: PhantomData<A>,
}

impl<A, const M: usize, const T: usize> WithSimd for OutputTransform<'_, A, M, T>
where
    A: Algorithm,
    OutputMatrix<A>: Matrix<M, T>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { view, bias_rectifier, tiles, products, results, .. } = self;
        let lanes = S::F32_LANES;
        assert!(view.channels.is_multiple_of(lanes) && tiles.count <= TILES);
        let slope = simd.splat_f32s(bias_rectifier.slope.unwrap_or(1.0));
        let step = TILES * view.block_channels() + SKEW;
        assert!(products.len() >= T * T * step);
        let from = Strides::new(T * step, step);
        for index in 0..tiles.count {
            let (map, block) = tiles.tiling.place(tiles.first + index);
            let map = &mut results[map * view.len()..][..view.len()];
            for part in 0..view.stride * view.stride {
                let (rows, columns) = view.pixels::<M>(block, part);
                let first = index * view.block_channels() + part * view.channels;
                for lane in (0..view.channels).step_by(lanes) {
                    let bias = match bias_rectifier.bias {
                        Some(bias) => S::as_simd_f32s(&bias[lane..lane + lanes]).0[0],
                        None => simd.splat_f32s(0.0),
                    };
                    // SAFETY: the products of this tile's channels are in each of the `T`² matrices.
                    let load = |r, c| unsafe {
                        let place = products.as_ptr().add(first + lane).offset(from.at(r, c));
                        place.cast::<S::f32s>().read_unaligned()
                    };
                    let store = |r: usize, c: usize, value| {
                        if let (Some(row), Some(column)) = (rows[r], columns[c]) {
                            let sum = simd.add_f32s(value, bias);
                            let value = simd.max_f32s(sum, simd.mul_f32s(sum, slope));
                            let pixel = &mut map[row + column + lane..][..lanes];
                            S::as_mut_simd_f32s(pixel).0[0] = value;
                        }
                    };
                    sandwich::<S, OutputMatrix<A>, M, T>(simd, load, store);
                }
            }
        }
    }
}
