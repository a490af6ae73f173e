//! Weights in the transform domain.
#![expect(unsafe_code, reason = "taps are read and written at strides")]

use super::algorithm::{Algorithm, Matrix, TapMatrix};
use super::sandwich::{Strides, sandwich};
use super::tiles::SKEW;
use crate::cpu::buffer::{Buffer, Buffers};
use crate::cpu::strip::{Strips, strip_width};
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;
use std::marker::PhantomData;

/// Where the taps of a pair of block channels lie.
#[derive(Clone, Copy)]
pub struct Place {
    /// The weight of the first tap.
    pub first: usize,
    pub taps: Strides,
}

/// Weights in the transform domain: `(strips of outputs, t², inputs, strip)`, with a gap after each of the t² matrices.
pub struct TransformedTaps {
    data: Buffer,
    matrices: usize,
    inputs: usize,
    outputs: usize,
}

impl TransformedTaps {
    /// Transforms the taps of all pairs of a block channel of the input and one of the output. `place` says where the taps of an input
    /// and an output lie in `weights`; those of neighbouring outputs are neighbours.
    pub fn new<A, const K: usize, const T: usize>(
        weights: &[f32],
        (inputs, outputs): (usize, usize),
        place: impl Fn(usize, usize) -> Place + Sync,
        buffers: &Buffers,
    ) -> Self
    where
        A: Algorithm,
        TapMatrix<A>: Matrix<T, K>,
    {
        let strip = strip_width(outputs);
        let step = inputs * strip + SKEW;
        let mut data = buffers.take(outputs / strip * T * T * step);
        data.par_chunks_mut(T * T * step).enumerate().for_each(|(index, target)| {
            let place = |input| place(input, index * strip);
            let algorithm = PhantomData::<A>;
            Arch::new().dispatch(Transform { weights, inputs, strip, place, target, algorithm });
        });
        Self { data, matrices: T * T, inputs, outputs }
    }

    /// One of the t² matrices `(inputs, outputs)`.
    pub fn matrix(&self, index: usize) -> Strips<'_> {
        let strip = strip_width(self.outputs);
        let step = self.inputs * strip + SKEW;
        Strips {
            data: &self.data[index * step..],
            step: self.matrices * step,
            taps: self.inputs,
            channels: self.outputs,
            strip,
        }
    }
}

/// Transforms the taps of all inputs for a strip of outputs.
struct Transform<'a, A, P, const K: usize, const T: usize> {
    weights: &'a [f32],
    inputs: usize,
    strip: usize,
    place: P,
    target: &'a mut [f32],
    algorithm: PhantomData<A>,
}

impl<A, P, const K: usize, const T: usize> WithSimd for Transform<'_, A, P, K, T>
where
    A: Algorithm,
    TapMatrix<A>: Matrix<T, K>,
    P: Fn(usize) -> Place,
{
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { weights, inputs, strip, place, target, .. } = self;
        let step = inputs * strip + SKEW;
        assert!(target.len() >= T * T * step && strip.is_multiple_of(S::F32_LANES));
        for input in 0..inputs {
            let Place { first, taps } = place(input);
            assert!(taps.lie_in(weights.len(), first, K, strip), "taps outside the weights");
            for lane in (0..strip).step_by(S::F32_LANES) {
                let load = |r, c| {
                    let tap = (first + lane).wrapping_add_signed(taps.at(r, c));
                    // SAFETY: all taps of this input lie in the weights, with a value for each output of the strip, as asserted.
                    unsafe { weights.as_ptr().add(tap).cast::<S::f32s>().read_unaligned() }
                };
                let store = |r, c, value: S::f32s| {
                    let at = (r * T + c) * step + input * strip + lane;
                    // SAFETY: the target has `T`² matrices, each with room for all inputs' strips.
                    unsafe { target.as_mut_ptr().add(at).cast::<S::f32s>().write_unaligned(value) };
                };
                sandwich::<S, TapMatrix<A>, T, K>(simd, load, store);
            }
        }
    }
}
