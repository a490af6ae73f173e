use crate::{
    Constants, Exponents, Params,
    moments::{Deviations, FULL, JOINT, Spread},
};

/// The per-window arithmetic, from moments to values and to the derivatives of SSIM.
///
/// With means μ, deviations σ and covariance σxy of a window (Wang et al. 2004, equations 6, 9, 10 and 12):
///
/// * l = (2μxμy + c1) / (μx² + μy² + c1)
/// * c = (2σxσy + c2) / (σx² + σy² + c2)
/// * s = (σxy + c3) / (σxσy + c3)
///
/// If c3 = c2/2 then c·s = r = (2σxy + c2) / (σx² + σy² + c2), which has no square roots and is smooth.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Formula {
    constants: Constants,
    exponents: Exponents,
    origin: [f64; 2],
}

/// A value of SSIM at one window and its derivative with respect to a pixel x of that window:
/// `weight · (mean + variance · (x - μx) + covariance · (y - μy))`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Derivative {
    pub(crate) ssim: f64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) covariance: f64,
}

impl Derivative {
    /// 1 − SSIM, and what the derivative is at a pixel x whose counterpart is y: `weight · (k₀ + x · k₁ + y · k₂)`.
    #[inline(always)]
    pub(crate) fn coefficients(self, mean_x: f64, mean_y: f64) -> [f64; 4] {
        let Self { ssim, mean, variance, covariance } = self;
        [1.0 - ssim, mean - variance * mean_x - covariance * mean_y, variance, covariance]
    }
}

impl Formula {
    /// The formula for moments taken relative to `origin`.
    pub(crate) fn new(params: &Params, origin: [f64; 2]) -> Self {
        Self { constants: params.constants, exponents: params.exponents, origin }
    }

    /// The grey values of the images that moments are relative to.
    pub(crate) fn origin(&self) -> [f64; 2] {
        self.origin
    }

    /// Whether SSIM is l^α · r^β, so that it needs no separate variances.
    pub(crate) fn is_joint(&self) -> bool {
        let Constants { c2, c3, .. } = self.constants;
        self.exponents.beta == self.exponents.gamma && c3 == c2 / 2.0
    }

    /// Whether SSIM is l · r, with nothing raised to a power.
    pub(crate) fn is_plain(&self) -> bool {
        self.is_joint() && self.exponents == Exponents::ONE
    }

    #[inline(always)]
    pub(crate) fn luminance(&self, x: f64, y: f64) -> f64 {
        let (x, y) = (x + self.origin[0], y + self.origin[1]);
        let c1 = self.constants.c1;
        (2.0 * x * y + c1) / (x * x + y * y + c1)
    }

    #[inline(always)]
    pub(crate) fn contrast(&self, moments: [f64; FULL]) -> f64 {
        let Deviations { x, y, .. } = Deviations::from_full(moments);
        let c2 = self.constants.c2;
        (2.0 * x * y + c2) / (x * x + y * y + c2)
    }

    #[inline(always)]
    pub(crate) fn structure(&self, moments: [f64; FULL]) -> f64 {
        let Deviations { product, covariance, .. } = Deviations::from_full(moments);
        let c3 = self.constants.c3;
        (covariance + c3) / (product + c3)
    }

    /// l · r in one division.
    #[inline(always)]
    pub(crate) fn plain(&self, moments: [f64; JOINT]) -> f64 {
        let (x, y) = (moments[0] + self.origin[0], moments[1] + self.origin[1]);
        let Spread { variances, twice_covariance } = Spread::from_joint(moments);
        let Constants { c1, c2, .. } = self.constants;
        ((2.0 * x * y + c1) * (twice_covariance + c2)) / ((x * x + y * y + c1) * (variances + c2))
    }

    /// l^α · r^β.
    pub(crate) fn joint(&self, moments: [f64; JOINT]) -> f64 {
        let Exponents { alpha, beta, .. } = self.exponents;
        let luminance = power(self.luminance(moments[0], moments[1]), alpha);
        luminance * power(self.ratio(Spread::from_joint(moments)), beta)
    }

    /// l^α · c^β · s^γ, or what it collapses to.
    pub(crate) fn ssim(&self, moments: [f64; FULL]) -> f64 {
        if self.is_joint() {
            let [x, y, xx, yy, xy] = moments;
            return self.joint([x, y, xx + yy, xy]);
        }
        let Exponents { alpha, beta, gamma } = self.exponents;
        let luminance = power(self.luminance(moments[0], moments[1]), alpha);
        luminance * power(self.contrast(moments), beta) * power(self.structure(moments), gamma)
    }

    /// SSIM and its derivative with respect to the first image, where [`Self::is_plain`].
    #[inline(always)]
    pub(crate) fn plain_derivative(&self, moments: [f64; JOINT]) -> Derivative {
        self.joint_derivative_with(moments, Exponents::ONE)
    }

    /// SSIM and its derivative with respect to the first image, where [`Self::is_joint`].
    pub(crate) fn joint_derivative(&self, moments: [f64; JOINT]) -> Derivative {
        self.joint_derivative_with(moments, self.exponents)
    }

    // Inlined so that literal exponents leave plain arithmetic.
    #[inline(always)]
    fn joint_derivative_with(
        &self,
        moments: [f64; JOINT],
        Exponents { alpha, beta, .. }: Exponents,
    ) -> Derivative {
        let spread = Spread::from_joint(moments);
        let ratio = self.ratio(spread);
        let luminance = self.luminance(moments[0], moments[1]);
        let (rest, curve) = (power(ratio, beta), power(luminance, alpha));
        let per_ratio = curve * slope(ratio, beta) * 2.0 / (spread.variances + self.constants.c2);
        Derivative {
            ssim: curve * rest,
            mean: rest * slope(luminance, alpha) * self.luminance_slope(moments[0], moments[1]),
            variance: -ratio * per_ratio,
            covariance: per_ratio,
        }
    }

    /// SSIM and its derivative with respect to the first image, for any exponents and constants.
    pub(crate) fn derivative(&self, moments: [f64; FULL]) -> Derivative {
        let Exponents { alpha, beta, gamma } = self.exponents;
        let Constants { c2, c3, .. } = self.constants;
        let Deviations { x, y, product, .. } = Deviations::from_full(moments);
        let luminance = self.luminance(moments[0], moments[1]);
        let (contrast, structure) = (self.contrast(moments), self.structure(moments));
        let (l, c, s) = (power(luminance, alpha), power(contrast, beta), power(structure, gamma));
        let per_contrast = l * s * slope(contrast, beta) / (x * x + y * y + c2);
        let per_structure = l * c * slope(structure, gamma) / (product + c3);
        let ratio = y / x;
        let per_variance =
            2.0 * (ratio - contrast) * per_contrast - structure * ratio * per_structure;
        Derivative {
            ssim: l * c * s,
            mean: c * s * slope(luminance, alpha) * self.luminance_slope(moments[0], moments[1]),
            // The chain rule through σx = √variance; a window without variance is at the root's kink.
            variance: if x > 0.0 { per_variance } else { 0.0 },
            // In a window of y without variance, y − μy is nothing but rounding.
            covariance: if y == 0.0 { 0.0 } else { per_structure },
        }
    }

    /// dl / dμx.
    #[inline(always)]
    fn luminance_slope(&self, x: f64, y: f64) -> f64 {
        let luminance = self.luminance(x, y);
        let (x, y) = (x + self.origin[0], y + self.origin[1]);
        2.0 * (y - x * luminance) / (x * x + y * y + self.constants.c1)
    }

    #[inline(always)]
    fn ratio(&self, Spread { variances, twice_covariance }: Spread) -> f64 {
        let c2 = self.constants.c2;
        (twice_covariance + c2) / (variances + c2)
    }
}

/// `base^exponent`, with a negative base counted as 0 unless the exponent is an integer.
#[inline(always)]
fn power(base: f64, exponent: f64) -> f64 {
    if exponent == 1.0 { base } else { clamped(base, exponent).powf(exponent) }
}

/// The derivative of [`power`], with 0 where it is not finite.
#[inline(always)]
fn slope(base: f64, exponent: f64) -> f64 {
    let base = clamped(base, exponent);
    if exponent == 1.0 {
        1.0
    } else if base == 0.0 && exponent < 1.0 {
        0.0
    } else {
        exponent * base.powf(exponent - 1.0)
    }
}

fn clamped(base: f64, exponent: f64) -> f64 {
    if exponent.fract() == 0.0 { base } else { base.max(0.0) }
}
