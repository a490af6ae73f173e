//! The definition of SSIM, written as directly as it can be and as slowly as it must be.

use ssim::{Border, Exponents, Params};

/// Luminance, contrast, structure and SSIM of one window.
#[derive(Debug, Clone, Copy)]
pub struct Values {
    pub luminance: f64,
    pub contrast: f64,
    pub structure: f64,
    pub ssim: f64,
}

/// The values at every window, row by row.
pub fn naive(x: &[f64], y: &[f64], width: usize, height: usize, params: &Params) -> Vec<Values> {
    let weights = params.window.weights().unwrap();
    let (map_width, map_height) = params.map_size(width, height).unwrap();
    let margin = match params.border {
        Border::Valid => 0,
        Border::Reflect => weights.len() / 2,
    };
    let windows = (0..map_height).flat_map(|row| (0..map_width).map(move |column| (row, column)));
    let at = |row, column| mirror(row, margin, height) * width + mirror(column, margin, width);
    windows
        .map(|(row, column)| {
            let pixels: Vec<_> = (0..weights.len())
                .flat_map(|dy| (0..weights.len()).map(move |dx| (dy, dx)))
                .map(|(dy, dx)| (weights[dy] * weights[dx], at(row + dy, column + dx)))
                .map(|(weight, index)| (weight, x[index], y[index]))
                .collect();
            values(&pixels, params)
        })
        .collect()
}

/// The index within `length` pixels of a padded index: d c b a | a b c d | d c b a.
fn mirror(padded: usize, margin: usize, length: usize) -> usize {
    let index = padded as isize - margin as isize;
    let index = if index < 0 { -1 - index } else { index } as usize;
    if index < length { index } else { 2 * length - 1 - index }
}

fn values(pixels: &[(f64, f64, f64)], params: &Params) -> Values {
    let mean = |f: &dyn Fn(f64, f64) -> f64| {
        pixels.iter().map(|&(weight, x, y)| weight * f(x, y)).sum::<f64>()
    };
    let (mx, my) = (mean(&|x, _| x), mean(&|_, y| y));
    let vx = mean(&|x, _| (x - mx) * (x - mx));
    let vy = mean(&|_, y| (y - my) * (y - my));
    let covariance = mean(&|x, y| (x - mx) * (y - my));
    let (sx, sy) = (vx.sqrt(), vy.sqrt());
    let constants = params.constants;
    let luminance = (2.0 * mx * my + constants.c1) / (mx * mx + my * my + constants.c1);
    let contrast = (2.0 * sx * sy + constants.c2) / (vx + vy + constants.c2);
    let structure = (covariance + constants.c3) / (sx * sy + constants.c3);
    let Exponents { alpha, beta, gamma } = params.exponents;
    let ssim = power(luminance, alpha) * power(contrast, beta) * power(structure, gamma);
    Values { luminance, contrast, structure, ssim }
}

fn power(base: f64, exponent: f64) -> f64 {
    if exponent.fract() == 0.0 { base.powi(exponent as i32) } else { base.max(0.0).powf(exponent) }
}

/// Reproducible values in [0, 1), multiples of 2⁻²⁴ so that they are the same in `f32`.
pub fn noise(seed: u64, len: usize) -> Vec<f64> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f64 / f64::from(1 << 24)
    };
    (0..len).map(|_| next()).collect()
}

/// A pair of related images: the second is the first with noise, so that structure takes both signs.
pub fn related(seed: u64, len: usize) -> (Vec<f64>, Vec<f64>) {
    let x = noise(seed, len);
    let y = x.iter().zip(noise(seed + 1, len)).map(|(x, noise)| 0.375 * x + 0.5 * noise).collect();
    (x, y)
}

pub fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|&value| value as f32).collect()
}

/// The largest absolute difference.
pub fn distance(a: impl IntoIterator<Item = f64>, b: impl IntoIterator<Item = f64>) -> f64 {
    let (mut a, mut b) = (a.into_iter(), b.into_iter());
    let mut greatest = 0.0_f64;
    loop {
        match (a.next(), b.next()) {
            (Some(a), Some(b)) if (a - b).is_nan() => return f64::NAN,
            (Some(a), Some(b)) => greatest = greatest.max((a - b).abs()),
            (None, None) => return greatest,
            _ => panic!("lengths differ"),
        }
    }
}
