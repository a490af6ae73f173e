use rayon::prelude::*;

use crate::{Error, Params, Sample, formula::Formula, pair::Pair, passes::Pass, plan::Plan};

/// Independent partial sums per stretch: additions need not wait for one another.
const LANES: usize = 8;

/// The mean of the SSIM map of two row-major images of `width`×`height` pixels.
///
/// The mean is over the map as `params` define it. (scikit-image returns the mean over
/// [`Border::Valid`](crate::Border::Valid) windows beside a reflected map.)
///
/// ```
/// use ssim::{Border, Constants, Params, Window};
///
/// // The map is (1/3, 1), as in the example of `maps`.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let mean = ssim::mean_ssim(&[0.0, 1.0], &[1.0, 1.0], 2, 1, &params)?;
/// assert!((mean - 2.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`](crate::maps).
#[doc(alias = "structural_similarity")]
#[doc(alias = "structural_similarity_index_measure")]
#[doc(alias = "StructuralSimilarityIndexMeasure")]
pub fn mean_ssim<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
) -> Result<f64, Error> {
    Ok(1.0 - loss(x, y, width, height, params)?)
}

/// The mean of 1 − SSIM over the map: 0 for equal images, at most 2.
///
/// ```
/// use ssim::{Border, Constants, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let ring = [1.0, 1.0, 1.0,
///             1.0, 0.0, 1.0,
///             1.0, 1.0, 1.0];
/// assert_eq!(ssim::loss(&ring, &ring, 3, 3, &params)?, 0.0);
/// assert!(ssim::loss(&ring.map(|x| 1.0 - x), &ring, 3, 3, &params)? > 1.0);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`](crate::maps).
#[doc(alias = "SSIMLoss")]
pub fn loss<T: Sample>(
    x: &[T],
    y: &[T],
    width: usize,
    height: usize,
    params: &Params,
) -> Result<f64, Error> {
    let plan = Plan::new(params, width, height)?;
    let pair = Pair::new(x, y, width, height)?;
    Ok(total_loss(&plan, &pair) / plan.map_len() as f64)
}

/// The sum of 1 − SSIM over the map.
pub(crate) fn total_loss<T: Sample>(plan: &Plan, pair: &Pair<'_, T>) -> f64 {
    let formula = Formula::new(&plan.params, pair.origin());
    let windowing = plan.forward_ssim(&formula, pair);
    let strips: Vec<_> = windowing.strips().collect();
    let sum_strip = |rows| {
        let mut sum = 0.0;
        Pass { windowing, formula }.ssim(
            rows,
            &pair.reader(windowing.padding),
            &mut |_, _, [ssim]| {
                sum += sum_of(ssim, |ssim| 1.0 - ssim);
            },
        );
        sum
    };
    // Collected first: a parallel sum would add in an order that depends on the threads.
    strips.into_par_iter().map(sum_strip).collect::<Vec<f64>>().iter().sum()
}

/// The sum of `term(value)` in an order that depends on the number of `values` alone.
pub(crate) fn sum_of(values: &[f64], term: impl Fn(f64) -> f64) -> f64 {
    let mut lanes = [0.0; LANES];
    for block in values.chunks(LANES) {
        for (lane, &value) in lanes.iter_mut().zip(block) {
            *lane += term(value);
        }
    }
    lanes.iter().sum()
}
