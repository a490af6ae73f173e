// From the moments of a window to values and to the derivatives of SSIM.
//
// With means μ, deviations σ and covariance σxy of a window (Wang et al. 2004, equations 6, 9, 10 and 12):
// l = (2μxμy + c1) / (μx² + μy² + c1), c = (2σxσy + c2) / (σx² + σy² + c2), s = (σxy + c3) / (σxσy + c3).
#pragma once

#include "moments.cuh"

// All that maps are made of. Differences of means keep more digits than the means.
struct Statistics {
    float mean_x, mean_y, mean_difference;  // μx, μy, μx − μy
    float variance_x, variance_y, covariance;
};

// Rounding must not lead out of the bounds that hold for exact statistics. (Comparisons with NaN are false, and leave it.)
__device__ inline Statistics statistics(const Moments &m, const Anchor &anchor) {
    Statistics s;
    s.mean_x = anchor.x + m.x;
    s.mean_y = anchor.y + m.y;
    s.mean_difference = (anchor.x - anchor.y) + (m.x - m.y);
    s.variance_x = m.xx < 0 ? 0 : m.xx;
    s.variance_y = m.yy < 0 ? 0 : m.yy;
    s.covariance = m.xy;
    return s;
}

__device__ inline float bounded(float value, float bound) {
    return value > bound ? bound : value < -bound ? -bound : value;
}

// base^exponent, with a negative base counted as 0 unless the exponent is an integer.
__device__ inline float clamped(float base, float exponent) {
    return base < 0 && exponent != truncf(exponent) ? 0 : base;
}

__device__ inline float power(float base, float exponent) {
    return exponent == 1 ? base : powf(clamped(base, exponent), exponent);
}

// The derivative of power, with 0 where it is not finite.
__device__ inline float power_slope(float base, float exponent) {
    const float from = clamped(base, exponent);
    if (exponent == 1) return 1;
    if (exponent == 0 || (from == 0 && exponent < 1)) return 0;
    return exponent * powf(from, exponent - 1);
}

// (2ab + c) / (a² + b² + c), which luminance and contrast are, and its derivative with respect to a.
struct Similarity {
    float value, slope;
};

// The denominator is the numerator plus (a − b)²: equal values have exactly 1, and no slope.
__device__ inline Similarity similarity(float a, float b, float difference, float c) {
    const float numerator = fmaf(2 * a, b, c);
    const float denominator = fmaf(difference, difference, numerator);
    const float slope = -2 * difference / denominator * (fmaf(b, a + b, c) / denominator);
    return {numerator / denominator, slope};
}

__device__ inline Similarity luminance(const Statistics &s, const Formula &f) {
    return similarity(s.mean_x, s.mean_y, s.mean_difference, f.c1);
}

// Contrast, structure and what they are made of.
struct Factors {
    float deviation_x, deviation_y;
    Similarity contrast;
    float structure;
    float structure_denominator;  // σxσy + c3
};

__device__ inline Factors factors(const Statistics &s, const Formula &f) {
    Factors factors;
    factors.deviation_x = sqrtf(s.variance_x);
    factors.deviation_y = sqrtf(s.variance_y);
    const float x = factors.deviation_x, y = factors.deviation_y;
    factors.contrast = similarity(x, y, x - y, f.c2);
    // Not σx · σy: the root of a square is exact, so that equal images have the same numerator and denominator.
    const float product = sqrtf(s.variance_x * s.variance_y);
    factors.structure_denominator = product + f.c3;
    factors.structure = (bounded(s.covariance, product) + f.c3) / factors.structure_denominator;
    return factors;
}

// (2σxy + c2) / (σx² + σy² + c2), which contrast times structure is if c3 = c2/2.
struct Ratio {
    float value, complement;  // r, 1 − r
    float denominator;
};

__device__ inline Ratio ratio(const Statistics &s, const Formula &f) {
    const float variances = s.variance_x + s.variance_y;
    const float twice = bounded(2 * s.covariance, variances);
    const float denominator = variances + f.c2;
    return {(twice + f.c2) / denominator, (variances - twice) / denominator, denominator};
}

__device__ inline float ssim(const Statistics &s, const Formula &f) {
    const float l = power(luminance(s, f).value, f.alpha);
    if (f.joint) return l * power(ratio(s, f).value, f.beta);
    const Factors parts = factors(s, f);
    return l * power(parts.contrast.value, f.beta) * power(parts.structure, f.gamma);
}

// SSIM and its derivative with respect to a pixel x of the window, whose weight is w and for which z = y − x:
// w · (mean + pixel · (x − μx) + difference · (z − μz)). Of equal images all three are 0.
struct Derivative {
    float ssim, mean, pixel, difference;
};

__device__ inline Derivative joint_derivative(const Statistics &s, const Formula &f) {
    const Similarity l = luminance(s, f);
    const Ratio r = ratio(s, f);
    const float curve = power(l.value, f.alpha), rest = power(r.value, f.beta);
    const float per_covariance = curve * power_slope(r.value, f.beta) * 2 / r.denominator;
    return {curve * rest, rest * power_slope(l.value, f.alpha) * l.slope, per_covariance * r.complement, per_covariance};
}

__device__ inline Derivative separate_derivative(const Statistics &s, const Formula &f) {
    const Similarity l = luminance(s, f);
    const Factors parts = factors(s, f);
    const float a = power(l.value, f.alpha), b = power(parts.contrast.value, f.beta), c = power(parts.structure, f.gamma);
    const float per_covariance = a * b * power_slope(parts.structure, f.gamma) / parts.structure_denominator;
    // The chain rule through σx = √variance; a window without variance is at the root's kink.
    float per_variance = 0;
    if (parts.deviation_x > 0) {
        const float contrast = a * c * power_slope(parts.contrast.value, f.beta) * parts.contrast.slope / parts.deviation_x;
        per_variance = contrast - parts.deviation_y / parts.deviation_x * parts.structure * per_covariance;
    }
    const float mean = b * c * power_slope(l.value, f.alpha) * l.slope;
    return {a * b * c, mean, per_variance + per_covariance, per_covariance};
}
