/// Means of the two images, relative to their origins: all that luminance needs.
pub(crate) const MEANS: usize = 2;
/// Means, mean sum of squares and mean product: all that SSIM with β = γ needs.
pub(crate) const JOINT: usize = 4;
/// Means, mean squares and mean product.
pub(crate) const FULL: usize = 5;

#[inline(always)]
pub(crate) fn means(x: f64, y: f64) -> [f64; MEANS] {
    [x, y]
}

#[inline(always)]
pub(crate) fn joint(x: f64, y: f64) -> [f64; JOINT] {
    [x, y, x * x + y * y, x * y]
}

#[inline(always)]
pub(crate) fn full(x: f64, y: f64) -> [f64; FULL] {
    [x, y, x * x, y * y, x * y]
}

/// Population statistics in which the variances are not told apart.
#[derive(Clone, Copy)]
pub(crate) struct Spread {
    /// σx² + σy², at least 0.
    pub(crate) variances: f64,
    /// 2σxy, at most `variances` in magnitude.
    pub(crate) twice_covariance: f64,
}

impl Spread {
    #[inline(always)]
    pub(crate) fn from_joint([x, y, squares, product]: [f64; JOINT]) -> Self {
        Self::bounded(squares - (x * x + y * y), 2.0 * (product - x * y))
    }

    /// Rounding must not lead out of the bounds that hold for exact statistics.
    #[inline(always)]
    fn bounded(variances: f64, twice_covariance: f64) -> Self {
        let variances = variances.max(0.0);
        Self { variances, twice_covariance: twice_covariance.max(-variances).min(variances) }
    }
}

/// Population statistics of each image.
#[derive(Clone, Copy)]
pub(crate) struct Deviations {
    /// σx.
    pub(crate) x: f64,
    /// σy.
    pub(crate) y: f64,
    /// σxσy. The square of a root is not exact: of equal variances this is the variance itself, so that equal images score exactly 1.
    pub(crate) product: f64,
    /// σxy, at most σxσy in magnitude.
    pub(crate) covariance: f64,
}

impl Deviations {
    #[inline(always)]
    pub(crate) fn from_full([mean_x, mean_y, xx, yy, xy]: [f64; FULL]) -> Self {
        let (xx, yy) = ((xx - mean_x * mean_x).max(0.0), (yy - mean_y * mean_y).max(0.0));
        let (x, y) = (xx.sqrt(), yy.sqrt());
        let product = if xx == yy { xx } else { x * y };
        Self { x, y, product, covariance: (xy - mean_x * mean_y).max(-product).min(product) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments that no image has, but that rounding can leave behind: a mean square below the squared mean.
    #[test]
    fn variances_are_clamped_at_zero_and_covariances_by_them() {
        let spread = Spread::from_joint([1.0, 1.0, 2.0 - 1e-3, 1.0 + 1e-3]);
        assert_eq!((spread.variances, spread.twice_covariance), (0.0, 0.0));
        let deviations = Deviations::from_full([1.0, 1.0, 1.0 - 1e-3, 2.0, 0.5]);
        assert_eq!((deviations.x, deviations.y, deviations.covariance), (0.0, 1.0, 0.0));
    }
}
