use rayon::prelude::*;

use crate::{
    Error, Input, Params, Sample,
    formula::{Derivative, Formula},
    moments,
    pair::{Pair, check_length},
    plan::Plan,
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
/// needs; `cotangent` has the size of that map.
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
    #[inline(always)]
    fn at(&self, index: usize) -> f64 {
        match self {
            Self::Constant(value) => *value,
            Self::Map(values) => values[index].into(),
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
    let formula = Formula::new(&plan.params, pair.origin());
    let mut coefficients = vec![[0.0; 3]; plan.map_len()];
    let total = if formula.is_plain() {
        linearise(
            plan,
            &pair,
            cotangent,
            &mut coefficients,
            moments::joint,
            #[inline(always)]
            |m| formula.plain_derivative(m),
        )
    } else if formula.is_joint() {
        linearise(
            plan,
            &pair,
            cotangent,
            &mut coefficients,
            moments::joint,
            #[inline(always)]
            |m| formula.joint_derivative(m),
        )
    } else {
        linearise(
            plan,
            &pair,
            cotangent,
            &mut coefficients,
            moments::full,
            #[inline(always)]
            |m| formula.derivative(m),
        )
    };
    spread(plan, &pair, &coefficients, gradient);
    total
}

/// Fills in the coefficients of every window and returns Σ (1 − SSIM).
fn linearise<T: Sample, const C: usize>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    cotangent: Cotangent<'_, T>,
    coefficients: &mut [[f64; 3]],
    moments: impl Fn(f64, f64) -> [f64; C] + Sync,
    derivative: impl Fn([f64; C]) -> Derivative + Sync,
) -> f64 {
    let windowing = plan.forward();
    let strips = coefficients.par_chunks_mut(windowing.strip_rows() * plan.map_width).enumerate();
    let linearise_strip = |(index, strip): (usize, &mut [[f64; 3]])| {
        let rows = windowing.strip(index);
        let start = rows.start * plan.map_width;
        let mut loss = 0.0;
        windowing.run(
            rows,
            #[inline(always)]
            |row, columns, out| pair.read(row, columns, out, &moments),
            #[inline(always)]
            |row, column, means| {
                let first = row * plan.map_width + column;
                let out = &mut strip[first - start..first - start + means.len()];
                for ((index, out), means) in (first..).zip(out).zip(means) {
                    let Derivative { ssim, mean, variance, covariance } = derivative(*means);
                    let constant = mean - variance * means[0] - covariance * means[1];
                    *out = [constant, variance, covariance].map(|k| k * cotangent.at(index));
                    loss += 1.0 - ssim;
                }
            },
        );
        loss
    };
    strips.map(linearise_strip).collect::<Vec<f64>>().iter().sum()
}

/// Carries the coefficients of the windows to the pixels under them.
fn spread<T: Sample>(
    plan: &Plan,
    pair: &Pair<'_, T>,
    coefficients: &[[f64; 3]],
    gradient: &mut [T],
) {
    let windowing = plan.transposed();
    let width = windowing.width();
    gradient.par_chunks_mut(windowing.strip_rows() * width).enumerate().for_each(
        |(index, strip)| {
            let rows = windowing.strip(index);
            let start = rows.start;
            windowing.run(
                rows,
                #[inline(always)]
                |row, columns, out| {
                    let cells =
                        row * plan.map_width + columns.start..row * plan.map_width + columns.end;
                    out.copy_from_slice(&coefficients[cells]);
                },
                #[inline(always)]
                |row, column, sums| {
                    let first = (row - start) * width + column;
                    pair.combine(row, column, sums, &mut strip[first..first + sums.len()]);
                },
            );
        },
    );
}
