//! The gradient of a correlation with respect to its taps.
#![expect(unsafe_code, reason = "taps are written at strides")]

use super::algorithm::{Algorithm, InputMatrix, Matrix, OutputMatrix, TapMatrix, Transpose};
use super::blocks::BlockView;
use super::sandwich::sandwich;
use super::taps::Place;
use super::tiles::{SKEW, Tiles, Tiling, Transformed};
use crate::cpu::buffer::{Buffer, Buffers};
use crate::cpu::simd::Correlate;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Tiles whose products are summed in registers.
const TILES: usize = 48;

/// Sums over a batch of the products of inputs and gradients in the transform domain: `(t², inputs, outputs)`, with a gap
/// after each of the t² matrices.
pub struct TapGradient {
    data: Buffer,
    inputs: usize,
    outputs: usize,
}

/// Inputs and gradients of some tiles.
struct Chunk {
    inputs: Transformed,
    gradients: Transformed,
    tiles: usize,
}

impl TapGradient {
    /// Sums over all tiles of the gradient `(N, H', W', C_out)`, a view of stride 1, and of the input below it.
    ///
    /// Some tiles at a time are transformed, in parallel over the tiles, and then multiplied, in parallel over the t²
    /// matrices. Each sum has the same order for any number of threads.
    pub fn new<A, const M: usize, const T: usize>(
        (source, input): (BlockView, &[f32]),
        (target, gradient): (BlockView, &[f32]),
        buffers: &Buffers,
    ) -> Self
    where
        A: Algorithm,
        InputMatrix<A>: Matrix<T, T>,
        OutputMatrix<A>: Matrix<M, T>,
    {
        let (inputs, outputs) = (source.block_channels(), target.block_channels());
        let tiling = Tiling::new((target.size.height, target.size.width), M);
        let count = tiling.len() * (gradient.len() / target.len());
        let at_once = (2 * rayon::current_num_threads()).min(count.div_ceil(TILES));
        let new_chunk = || Chunk {
            inputs: Transformed::new(T, TILES, &source, buffers),
            gradients: Transformed::new(T, TILES, &target, buffers),
            tiles: 0,
        };
        let mut chunks: Vec<_> = (0..at_once).map(|_| new_chunk()).collect();
        let mut data = buffers.zeros(T * T * (inputs * outputs + SKEW));
        for first in (0..count).step_by(TILES * at_once.max(1)) {
            chunks.par_iter_mut().enumerate().for_each(|(index, chunk)| {
                let first = first + index * TILES;
                chunk.tiles = TILES.min(count.saturating_sub(first));
                let tiles = Tiles { tiling, first, count: chunk.tiles };
                chunk.inputs.fill::<InputMatrix<A>, T, T>(tiles, source, input);
                chunk.gradients.fill::<Transpose<OutputMatrix<A>>, T, M>(tiles, target, gradient);
            });
            let matrices = data.par_chunks_mut(inputs * outputs + SKEW).enumerate();
            matrices.for_each(|(index, sums)| {
                let sums = &mut sums[..inputs * outputs];
                for chunk in chunks.iter().filter(|chunk| chunk.tiles > 0) {
                    chunk.add_products(index, (inputs, outputs), sums);
                }
            });
        }
        Self { data, inputs, outputs }
    }

    /// Transforms the sums back to taps, and writes them where `place` says for each input. The taps of neighbouring outputs are
    /// neighbours.
    pub fn taps<A, const K: usize, const T: usize>(
        &self,
        place: impl Fn(usize) -> Place,
        target: &mut [f32],
    ) where
        A: Algorithm,
        TapMatrix<A>: Matrix<T, K>,
    {
        let algorithm = PhantomData::<A>;
        Arch::new().dispatch(TapTransform { sums: self, place, target, algorithm });
    }
}

impl Chunk {
    fn add_products(&self, index: usize, (inputs, outputs): (usize, usize), sums: &mut [f32]) {
        Correlate {
            input: self.inputs.matrix(index),
            gradient: &self.gradients.matrix(index)[..self.tiles * outputs],
            rows: 1,
            columns: self.tiles,
            column_step: inputs,
            row_step: 0,
            sums,
            channels: outputs,
        }
        .run();
    }
}

/// Transforms sums to taps.
struct TapTransform<'a, A, P, const K: usize, const T: usize> {
    sums: &'a TapGradient,
    place: P,
    target: &'a mut [f32],
    algorithm: PhantomData<A>,
}

impl<A, P, const K: usize, const T: usize> WithSimd for TapTransform<'_, A, P, K, T>
where
    A: Algorithm,
    TapMatrix<A>: Matrix<T, K>,
    P: Fn(usize) -> Place,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { sums: &TapGradient { ref data, inputs, outputs }, place, target, .. } = self;
        let step = inputs * outputs + SKEW;
        assert!(data.len() >= T * T * step && outputs.is_multiple_of(S::F32_LANES));
        for input in 0..inputs {
            let Place { first, taps } = place(input);
            assert!(taps.lie_in(target.len(), first, K, outputs), "taps outside the weights");
            for lane in (0..outputs).step_by(S::F32_LANES) {
                let load = |r, c| {
                    let at = (r * T + c) * step + input * outputs + lane;
                    // SAFETY: the sums of this input are in each of the `T`² matrices.
                    unsafe { data.as_ptr().add(at).cast::<S::f32s>().read_unaligned() }
                };
                let store = |r, c, value: S::f32s| {
                    let tap = (first + lane).wrapping_add_signed(taps.at(r, c));
                    // SAFETY: all taps of this input lie in the target, with a value for each output, as asserted.
                    unsafe {
                        target.as_mut_ptr().add(tap).cast::<S::f32s>().write_unaligned(value);
                    };
                };
                sandwich::<S, Transpose<TapMatrix<A>>, K, T>(simd, load, store);
            }
        }
    }
}
