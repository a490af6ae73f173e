//! Agreement with scikit-image; `data/generate.py` made the expected maps and quotes versions and arguments.

use crate::common::distance;
use ssim::{Border, Constants, Params, Window, mean_ssim, ssim_map};

const WIDTH: usize = 33;
const HEIGHT: usize = 29;

/// Rounding the result to `f32` costs 6e-8, and the moments are `f64` on both sides.
const TOLERANCE: f64 = 1e-6;

/// `image` of generate.py.
fn image(seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut value = |index: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (row, column) = (index / WIDTH, index % WIDTH);
        let flat = (3..17).contains(&row) && (4..18).contains(&column);
        let grey = if flat { 90 + 20 * seed } else { 3 * (row + column) as u32 + (state >> 26) };
        (f64::from(grey) / 255.0) as f32
    };
    (0..WIDTH * HEIGHT).map(&mut value).collect()
}

/// `mean` is the first value that `structural_similarity` returns: the mean without the border.
fn agrees(window: Window, constants: Constants, map: &str, mean: f64) {
    let (x, y) = (image(1), image(2));
    let expected: Vec<f64> = map.split_whitespace().map(|value| value.parse().unwrap()).collect();
    let full = Params::new(window, Border::Reflect, constants);
    let got = ssim_map(&x, &y, WIDTH, HEIGHT, &full).unwrap();
    assert_eq!((got.width, got.height), (WIDTH, HEIGHT));
    let error = distance(got.values.iter().map(|&value| value.into()), expected);
    assert!(error < TOLERANCE, "{window}: map differs by {error}");

    let cropped = Params::new(window, Border::Valid, constants);
    let error = (mean_ssim(&x, &y, WIDTH, HEIGHT, &cropped).unwrap() - mean).abs();
    // No rounding to f32 here; what differs is the order of at most 121·437 additions.
    assert!(error < 1e-11, "{window}: mean differs by {error}");
}

#[test]
fn uniform_7() {
    agrees(
        Window::Uniform { size: 7 },
        Constants::squared(),
        include_str!("data/uniform7.txt"),
        0.363_186_586_508_518_6,
    );
}

#[test]
fn uniform_11() {
    agrees(
        Window::Uniform { size: 11 },
        Constants::squared(),
        include_str!("data/uniform11.txt"),
        0.429_051_674_869_061_76,
    );
}

#[test]
fn uniform_11_with_the_papers_constants() {
    agrees(
        Window::Uniform { size: 11 },
        Constants::paper(),
        include_str!("data/uniform11_paper.txt"),
        0.813_889_874_666_075_3,
    );
}

#[test]
fn gaussian_11() {
    let window = Window::Gaussian { size: 11, sigma: 1.5 };
    agrees(
        window,
        Constants::squared(),
        include_str!("data/gaussian11.txt"),
        0.325_916_859_581_571_57,
    );
}
