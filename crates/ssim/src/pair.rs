use rayon::prelude::*;

use crate::{Error, Input, Sample, padding::Padding, vectors::Widest};

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
    reach: f64,
}

impl<'a, T: Sample> Pair<'a, T> {
    pub(crate) fn new(x: &'a [T], y: &'a [T], width: usize, height: usize) -> Result<Self, Error> {
        // A product that overflows cannot be the length of any slice.
        let expected = width.saturating_mul(height);
        check_length("the first image", expected, x.len())?;
        check_length("the second image", expected, y.len())?;
        let (x_range, y_range) = (range(x, Input::First)?, range(y, Input::Second)?);
        let origin = [x_range, y_range].map(|[least, greatest]| 0.0_f64.clamp(least, greatest));
        let reach =
            |[least, greatest]: [f64; 2], origin: f64| (greatest - origin).max(origin - least);
        let reach = reach(x_range, origin[0]).max(reach(y_range, origin[1]));
        Ok(Self { x, y, width, origin, reach })
    }

    /// The same pair with the images exchanged.
    pub(crate) fn swapped(self) -> Self {
        Self { x: self.y, y: self.x, origin: [self.origin[1], self.origin[0]], ..self }
    }

    /// The value that is subtracted from the pixels of each image.
    pub(crate) fn origin(&self) -> [f64; 2] {
        self.origin
    }

    /// The largest distance of a pixel from its image's origin.
    pub(crate) fn reach(&self) -> f64 {
        self.reach
    }

    /// Reads lines of either image with a margin around it.
    pub(crate) fn reader(
        &self,
        padding: Padding,
    ) -> impl Fn(usize, usize, usize, &mut [f64]) + use<'a, T> {
        let planes = [self.x, self.y];
        move |plane, row, column, line| padding.read(planes[plane], row, column, line)
    }

    /// Writes `k₀ + (x - origin) · k₁ + (y - origin) · k₂` for the pixels of `row` from `column` on.
    #[inline(always)]
    pub(crate) fn combine(&self, row: usize, column: usize, k: [&[f64]; 3], out: &mut [T]) {
        let start = row * self.width + column;
        let cells = start..start + out.len();
        let pixels = self.x[cells.clone()].iter().zip(&self.y[cells]);
        let coefficients = k[0].iter().zip(k[1]).zip(k[2]);
        for ((out, ((k0, k1), k2)), (&x, &y)) in out.iter_mut().zip(coefficients).zip(pixels) {
            let (x, y) = (x.into() - self.origin[0], y.into() - self.origin[1]);
            *out = T::saturating_from(k0 + x * k1 + y * k2);
        }
    }
}

pub(crate) fn check_length(what: &'static str, expected: usize, got: usize) -> Result<(), Error> {
    if expected == got { Ok(()) } else { Err(Error::Length { what, expected, got }) }
}

/// The least and the greatest value.
fn range<T: Sample>(plane: &[T], input: Input) -> Result<[f64; 2], Error> {
    let empty = (T::KEYS.1, T::KEYS.0);
    let scan = |chunk: &[T]| {
        Widest::run(
            #[inline(always)]
            || {
                let (mut least, mut greatest) = empty;
                for pixel in chunk {
                    least = least.min(pixel.key());
                    greatest = greatest.max(pixel.key());
                }
                (least, greatest)
            },
        )
    };
    let join = |a: (T::Key, T::Key), b: (T::Key, T::Key)| (a.0.min(b.0), a.1.max(b.1));
    let (least, greatest) = plane.par_chunks(CHUNK).map(scan).reduce(|| empty, join);
    let (least, greatest) = (T::from_key(least).into(), T::from_key(greatest).into());
    if usable(least) && usable(greatest) {
        Ok([least, greatest])
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
