use crate::finite::check_finite;
use crate::gaussian::gaussian;
use crate::{Error, Image};

/// The widest Gaussian, in pixels.
const WIDEST: f64 = 1000.0;

/// The map under a Gaussian of standard deviation `sigma` pixels, from 0, which leaves it as it is, to 1000.
///
/// Beyond its border the map is mirrored with its edge pixels repeated, `d c b a | a b c d | d c b a`, and again where it is
/// smaller than the Gaussian. A value differs from that of the exact filter, SciPy's `gaussian_filter(map, sigma,
/// mode="reflect", truncate=8)`, by at most 10⁻⁵ of the largest in the map. The time per pixel does not grow with `sigma`.
///
/// ```
/// use inspect::{Image, smooth};
///
/// // e^(-1/2σ²) = 1/2: weights 1/2, 1/4 on either side, and what is left further out.
/// let sigma = (2.0 * 2.0_f64.ln()).sqrt().recip();
/// let dot = Image::from_fn(9, 1, |x, _| if x == 4 { 1.0 } else { 0.0 });
/// let smooth = smooth(&dot, sigma)?;
/// assert!((smooth.get(3, 0) / smooth.get(4, 0) - 0.5).abs() < 1e-6);
/// assert!((smooth.data().iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// [`Error::Sigma`], and [`Error::NotFinite`] if the map holds a value that is not finite.
#[doc(alias = "gaussian_filter")]
#[doc(alias = "GaussianBlur")]
pub fn smooth(map: &Image, sigma: f64) -> Result<Image, Error> {
    check_sigma(sigma)?;
    check_finite("the map to be smoothed", map.data())?;
    let smooth = if sigma > 0.0 { gaussian(map, sigma) } else { map.clone() };
    // Sums of values next to the largest f32.
    check_finite("the smoothed map", smooth.data())?;
    Ok(smooth)
}

/// Checks the standard deviation of a Gaussian.
pub(crate) fn check_sigma(sigma: f64) -> Result<(), Error> {
    let is_valid = (0.0..=WIDEST).contains(&sigma);
    if is_valid { Ok(()) } else { Err(Error::Sigma { widest: WIDEST, got: sigma }) }
}
