//! Correlations of batches of maps with taps.
#![expect(
    unsafe_code,
    reason = "results are written to memory that was not zeroed, products at strides"
)]

use super::SKEW;
use super::algorithm::{Algorithm, Inputs, Matrix, Outputs};
use super::sandwich::{Strides, sandwich};
use super::taps::TransformedTaps;
use super::tiles::{Tiles, Tiling, Transformed};
use super::view::View;
use crate::conv::Epilogue;
use crate::conv::buffer::filled;
use crate::conv::gather::{Grid, Taps};
use crate::conv::simd::Convolve;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::marker::PhantomData;
use std::mem::MaybeUninit;

/// Tiles whose products are computed together: a multiple of the register tiles' rows, few enough for the cache.
const TILES: usize = 24;

/// A correlation of blocks of the source with taps, whose results are blocks of the target.
#[derive(Clone, Copy)]
pub struct Correlation<'a> {
    pub source: View,
    pub target: View,
    /// Rows and columns of blocks to compute, so many that every pixel of the target is in one.
    pub blocks: (usize, usize),
    pub taps: &'a TransformedTaps,
    pub epilogue: Epilogue<'a>,
}

impl Correlation<'_> {
    /// Runs the correlation over a batch of maps, in parallel over groups of them.
    pub fn run<A, const M: usize, const T: usize>(&self, maps: &[f32]) -> Vec<f32>
    where
        A: Algorithm,
        Inputs<A>: Matrix<T, T>,
        Outputs<A>: Matrix<M, T>,
    {
        let Self { source, target, .. } = self;
        let count = target.maps.count;
        assert_eq!(maps.len(), count * source.len());
        for (blocks, size) in
            [(self.blocks.0, target.maps.height), (self.blocks.1, target.maps.width)]
        {
            assert!(target.pixel(0) <= 0 && target.pixel(blocks) >= size as isize);
        }
        let tiling = Tiling::new(self.blocks, M);
        let group = maps_per_task(count, tiling.len());
        let run = |results: &mut [MaybeUninit<f32>]| {
            let groups = results.par_chunks_mut(group * target.len());
            groups.zip(maps.par_chunks(group * source.len())).for_each_init(
                || Scratch::new(T, source, target),
                |scratch, (results, maps)| {
                    self.run_group::<A, M, T>(tiling, maps, scratch, results);
                },
            );
        };
        // SAFETY: there is a source for each map of the target, and its blocks make up the whole of it.
        unsafe { filled(count * target.len(), run) }
    }

    fn run_group<A, const M: usize, const T: usize>(
        &self,
        tiling: Tiling,
        maps: &[f32],
        Scratch { inputs, products }: &mut Scratch,
        results: &mut [MaybeUninit<f32>],
    ) where
        A: Algorithm,
        Inputs<A>: Matrix<T, T>,
        Outputs<A>: Matrix<M, T>,
    {
        let tiles = maps.len() / self.source.len() * tiling.len();
        for first in (0..tiles).step_by(TILES) {
            let tiles = Tiles { tiling, first, count: TILES.min(tiles - first) };
            inputs.fill::<Inputs<A>, T, T>(tiles, self.source, maps);
            self.multiply(tiles.count, inputs, products);
            let (correlation, algorithm) = (self, PhantomData::<A>);
            Arch::new().dispatch(Finish { correlation, tiles, products, results, algorithm });
        }
    }

    fn multiply(&self, tiles: usize, inputs: &Transformed, products: &mut [MaybeUninit<f32>]) {
        let (from, to) = (self.source.block_channels(), self.target.block_channels());
        for (index, products) in products.chunks_exact_mut(TILES * to + SKEW).enumerate() {
            Convolve {
                source: inputs.matrix(index),
                taps: Taps { rows: 1, row_stride: 0, run: from },
                grid: Grid::rows(tiles, from, to),
                weights: self.taps.matrix(index),
                epilogue: Epilogue::default(),
                target: products,
            }
            .run();
        }
    }
}

/// Enough maps to fill the products of a few tiles, but work for all threads. The results do not depend on it.
fn maps_per_task(maps: usize, tiles_per_map: usize) -> usize {
    let tasks = (maps * tiles_per_map).div_ceil(2 * TILES);
    maps.div_ceil(tasks.next_multiple_of(rayon::current_num_threads()).max(1)).max(1)
}

/// Buffers of a task.
struct Scratch {
    inputs: Transformed,
    /// `(t², TILES, block channels of the target)`, with a gap after each of the t² matrices.
    products: Vec<MaybeUninit<f32>>,
}

impl Scratch {
    fn new(side: usize, source: &View, target: &View) -> Self {
        let size = side * side * (TILES * target.block_channels() + SKEW);
        let products = vec![MaybeUninit::uninit(); size];
        Self { inputs: Transformed::new(side, TILES, source), products }
    }
}

/// Transforms products to results.
struct Finish<'a, A, const M: usize, const T: usize> {
    correlation: &'a Correlation<'a>,
    tiles: Tiles,
    products: &'a [MaybeUninit<f32>],
    results: &'a mut [MaybeUninit<f32>],
    algorithm: PhantomData<A>,
}

impl<A, const M: usize, const T: usize> WithSimd for Finish<'_, A, M, T>
where
    A: Algorithm,
    Outputs<A>: Matrix<M, T>,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { correlation, tiles, products, results, .. } = self;
        let Correlation { target: view, epilogue, .. } = *correlation;
        let lanes = S::F32_LANES;
        assert!(view.channels.is_multiple_of(lanes) && tiles.count <= TILES);
        assert!(epilogue.bias.is_none_or(|bias| bias.len() == view.channels));
        let slope = simd.splat_f32s(epilogue.slope.unwrap_or(1.0));
        let step = TILES * view.block_channels() + SKEW;
        assert!(products.len() >= T * T * step);
        let (from, to) = (Strides::new(T * step, step), Strides::new(M * lanes, lanes));
        let mut tile = [[simd.splat_f32s(0.0); M]; M];
        for index in 0..tiles.count {
            let (map, (y, x)) = tiles.tiling.place(tiles.first + index);
            let map = &mut results[map * view.len()..][..view.len()];
            for channel in (0..view.block_channels()).step_by(lanes) {
                // SAFETY: the products of this tile's channels are in each of the `T`² matrices.
                unsafe {
                    let source = products.as_ptr().add(index * view.block_channels() + channel);
                    let target = tile.as_mut_ptr().cast();
                    sandwich::<S, Outputs<A>, M, T>(simd, source.cast(), from, target, to);
                }
                let (part, lane) = (channel / view.channels, channel % view.channels);
                let bias = match epilogue.bias {
                    Some(bias) => simd.partial_load_f32s(&bias[lane..lane + lanes]),
                    None => simd.splat_f32s(0.0),
                };
                let top = view.pixel(y) + (part / view.stride) as isize;
                let left = view.pixel(x) + (part % view.stride) as isize;
                for (i, row) in view.pixels_inside(top, M, view.maps.height) {
                    for (j, column) in view.pixels_inside(left, M, view.maps.width) {
                        let sum = simd.add_f32s(tile[i][j], bias);
                        let value = simd.max_f32s(sum, simd.mul_f32s(sum, slope));
                        let pixel = row * view.row() + column * view.channels + lane;
                        let pixel = &mut map[pixel..pixel + lanes];
                        // SAFETY: there is room for a vector.
                        unsafe { pixel.as_mut_ptr().cast::<S::f32s>().write_unaligned(value) };
                    }
                }
            }
        }
    }
}
