use rayon::prelude::*;

use crate::{
    Error, Input, Params, Sample,
    formula::Formula,
    loss::sum_of,
    pair::{Pair, check_length},
    passes::{self, Pass},
    plan::Plan,
    vectors::Widest,
};

/// The loss, mean of 1 − SSIM over the map, and its gradient with respect to one of the images.
///
/// The gradient is analytic and has one value per pixel of the image. Where the loss has a kink
/// (σ = 0 in a window while β ≠ γ or c3 ≠ c2/2; a factor of 0 under a fractional exponent) the
/// contribution of the kinked term is 0. Needs three `f64` per window of scratch.
///
/// ```
/// use ssim::{Border, Constants, Input, Params, Window};
///
/// // One window of one pixel: the loss falls as x moves towards y.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let (loss, gradient) = ssim::loss_and_gradient(&[0.0_f64], &[1.0], 1, 1, &params, Input::First)?;
/// assert!((loss - 2.0 / 3.0).abs() < 1e-15);
/// assert!((gradient[0] + 4.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`](crate::maps).
pub fn loss_and_gradient<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
    wrt: Input,
) -> Result<(f64, Vec<T>), Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    let windows = plan.map_len() as f64;
    let mut gradient = vec![T::ZERO; x.len()];
    let total = pull_back(&plan, pair, wrt, Cotangent::Constant(-1.0 / windows), &mut gradient);
    Ok((total / windows, gradient))
}

/// The gradient of Σ `cotangent` · SSIM over the map with respect to one of the images.
///
/// This is the vector–Jacobian product that back-propagation through [`ssim_map`](crate::ssim_map)
/// needs; `cotangent` has the size of that map. Its values are not checked, unlike the pixels: where one is not finite, the
/// gradient is of no use.
///
/// ```
/// use ssim::{Border, Constants, Input, Params, Window};
///
/// // Windows of one pixel, and only the first of two counts: ∂/∂x (2·x·1 + 0.5) / (x² + 1² + 0.5) = 4/3 at x = 0.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let (x, y, cotangent) = ([0.0, 0.0], [1.0, 1.0], [1.0, 0.0]);
/// let gradient = ssim::ssim_map_gradient(&x, &y, 2, 1, &params, &cotangent, Input::First)?;
/// assert!((gradient[0] - 4.0 / 3.0_f64).abs() < 1e-15 && gradient[1] == 0.0);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`](crate::maps), and a cotangent of the wrong length.
pub fn ssim_map_gradient<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
    cotangent: &[T],
    wrt: Input,
) -> Result<Vec<T>, Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    check_length("the cotangent", plan.map_len(), cotangent.len())?;
    let mut gradient = vec![T::ZERO; x.len()];
    pull_back(&plan, pair, wrt, Cotangent::Map(cotangent), &mut gradient);
    Ok(gradient)
}

/// The derivative of the objective with respect to each value of the SSIM map.
#[derive(Clone, Copy)]
pub(crate) enum Cotangent<'a, T> {
    Constant(f64),
    Map(&'a [T]),
}

impl<T: Sample> Cotangent<'_, T> {
    /// Writes the products of `values` with what belongs to the map's values from `start` on.
    #[inline(always)]
    fn multiply(&self, start: usize, values: &[f64], out: &mut [f64]) {
        match self {
            Self::Constant(factor) => {
                for (out, value) in out.iter_mut().zip(values) {
                    *out = value * factor;
                }
            }
            Self::Map(factors) => {
                for ((out, value), &factor) in out.iter_mut().zip(values).zip(&factors[start..]) {
                    *out = value * factor.into();
                }
            }
        }
    }
}

/// Writes the gradient of Σ cotangent · SSIM and returns Σ (1 − SSIM).
///
/// A pixel x under a window contributes `weight · (mean + variance · (x - μx) + covariance · (y - μy))`
/// to the derivative of that window. Sorted by what depends on the window, the sum over all windows is
/// `Σ weight·k₀ + x · Σ weight·k₁ + y · Σ weight·k₂`: three transposed windowed means of the coefficients k.
pub(crate) fn pull_back<T: Sample>(
    plan: &Plan,
    pair: Pair<'_, T>,
    wrt: Input,
    cotangent: Cotangent<'_, T>,
    gradient: &mut [T],
) -> f64 {
    let pair = match wrt {
        Input::First => pair,
        Input::Second => pair.swapped(),
    };
    let mut planes = vec![0.0; 3 * plan.map_len()];
    let (k0, rest) = planes.split_at_mut(plan.map_len());
    let (k1, k2) = rest.split_at_mut(plan.map_len());
    let total = coefficients(plan, &pair, cotangent, [&mut *k0, &mut *k1, &mut *k2]);
    spread(plan, &pair, [k0, k1, k2], gradient);
    total
}

/// The number of a strip, and its part of each plane of coefficients.
type Strip<'a> = (usize, ((&'a mut [f64], &'a mut [f64]), &'a mut [f64]));

/// Fills in the coefficients of every window and returns Σ (1 − SSIM).
fn coefficients<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    cotangent: Cotangent<'_, T>,
    planes: [&mut [f64]; 3],
) -> f64 {
    let formula = Formula::new(&plan.params, pair.origin());
    let windowing = plan.forward_ssim(&formula, pair);
    let width = windowing.width();
    let len = windowing.strip_rows() * width;
    let [k0, k1, k2] = planes.map(|plane| plane.par_chunks_mut(len));
    let linearise_strip = |(index, ((k0, k1), k2)): Strip<'_>| {
        let rows = windowing.strip(index);
        let start = rows.start * width;
        let mut loss = 0.0;
        Pass { windowing, formula }.loss_and_coefficients(
            rows,
            &pair.reader(windowing.padding),
            &mut |row, column, [losses, c0, c1, c2]| {
                let first = row * width + column;
                let cells = first - start..first - start + losses.len();
                cotangent.multiply(first, c0, &mut k0[cells.clone()]);
                cotangent.multiply(first, c1, &mut k1[cells.clone()]);
                cotangent.multiply(first, c2, &mut k2[cells]);
                loss += sum_of(losses, |loss| loss);
            },
        );
        loss
    };
    k0.zip(k1).zip(k2).enumerate().map(linearise_strip).collect::<Vec<f64>>().iter().sum()
}

/// Carries the coefficients of the windows to the pixels under them.
fn spread<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    coefficients: [&[f64]; 3],
    gradient: &mut [T],
) {
    let windowing = plan.transposed();
    let width = windowing.width();
    gradient.par_chunks_mut(windowing.strip_rows() * width).enumerate().for_each(
        |(index, strip)| {
            let rows = windowing.strip(index);
            let start = rows.start;
            let read = |plane: usize, row, column, line: &mut [f64]| {
                windowing.padding.read(coefficients[plane], row, column, line);
            };
            passes::sums(&windowing, rows, &read, &mut |row, column, sums| {
                let first = (row - start) * width + column;
                let cells = first..first + sums[0].len();
                Widest::run(
                    #[inline(always)]
                    || pair.combine(row, column, sums, &mut strip[cells]),
                );
            });
        },
    );
}
