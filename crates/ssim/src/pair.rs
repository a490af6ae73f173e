use std::ops::Range;

use rayon::prelude::*;

use crate::{Error, Input, Sample};

/// Pixels that one task scans; large enough to hide the cost of a task.
const CHUNK: usize = 1 << 16;

/// Two validated images of the same size.
///
/// Moments are taken of `pixel - origin`. The origin is the point nearest to zero in the range of an
/// image's values, so that no difference exceeds twice its pixel: shifting never costs precision, and a
/// constant image has exactly zero variance whatever its grey value.
#[derive(Clone, Copy)]
pub(crate) struct Pair<'a, T> {
    x: &'a [T],
    y: &'a [T],
    width: usize,
    origin: [f64; 2],
}

impl<'a, T: Sample> Pair<'a, T> {
    pub(crate) fn new(x: &'a [T], y: &'a [T], width: usize, height: usize) -> Result<Self, Error> {
        // A product that overflows cannot be the length of any slice.
        let expected = width.saturating_mul(height);
        check_length("the first image", expected, x.len())?;
        check_length("the second image", expected, y.len())?;
        Ok(Self { x, y, width, origin: [origin(x, Input::First)?, origin(y, Input::Second)?] })
    }

    /// The same pair with the images exchanged.
    pub(crate) fn swapped(self) -> Self {
        Self { x: self.y, y: self.x, origin: [self.origin[1], self.origin[0]], ..self }
    }

    /// What the pixels of each image are relative to.
    pub(crate) fn origin(&self) -> [f64; 2] {
        self.origin
    }

    /// Writes `moments(x - origin, y - origin)` of the pixels in `columns` of `row`.
    #[inline(always)]
    pub(crate) fn read<const C: usize>(
        &self,
        row: usize,
        columns: Range<usize>,
        out: &mut [[f64; C]],
        moments: impl Fn(f64, f64) -> [f64; C],
    ) {
        let cells = row * self.width + columns.start..row * self.width + columns.end;
        for ((out, &x), &y) in out.iter_mut().zip(&self.x[cells.clone()]).zip(&self.y[cells]) {
            *out = moments(x.into() - self.origin[0], y.into() - self.origin[1]);
        }
    }

    /// Writes `k₀ + (x - origin) · k₁ + (y - origin) · k₂` for the pixels of `row` from `column` on.
    #[inline(always)]
    pub(crate) fn combine(
        &self,
        row: usize,
        column: usize,
        coefficients: &[[f64; 3]],
        out: &mut [T],
    ) {
        let start = row * self.width + column;
        let cells = start..start + out.len();
        let pixels = self.x[cells.clone()].iter().zip(&self.y[cells]);
        for ((out, k), (&x, &y)) in out.iter_mut().zip(coefficients).zip(pixels) {
            let (x, y) = (x.into() - self.origin[0], y.into() - self.origin[1]);
            *out = T::saturating_from(k[0] + x * k[1] + y * k[2]);
        }
    }
}

pub(crate) fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got { Ok(()) } else { Err(Error::Length { what, expected, got }) }
}

fn origin<T: Sample>(plane: &[T], input: Input) -> Result<f64, Error> {
    let empty = (T::KEYS.1, T::KEYS.0);
    let extend = |(least, greatest): (T::Key, T::Key), &pixel: &T| {
        (least.min(pixel.key()), greatest.max(pixel.key()))
    };
    let join = |a: (T::Key, T::Key), b: (T::Key, T::Key)| (a.0.min(b.0), a.1.max(b.1));
    let (least, greatest) = plane
        .par_chunks(CHUNK)
        .map(|chunk| chunk.iter().fold(empty, extend))
        .reduce(|| empty, join);
    let (least, greatest) = (T::from_key(least).into(), T::from_key(greatest).into());
    if usable(least) && usable(greatest) {
        Ok(0.0_f64.clamp(least, greatest))
    } else {
        Err(first_unusable(plane, input))
    }
}

fn usable(value: f64) -> bool {
    value.abs() <= f64::from(f32::MAX)
}

fn first_unusable<T: Sample>(plane: &[T], input: Input) -> Error {
    let index = plane.iter().position(|&pixel| !usable(pixel.into())).unwrap_or_default();
    let value = plane.get(index).map_or(f64::NAN, |&pixel| pixel.into());
    Error::Pixel { input, index, value }
}
