//! Analytic gradients against central differences, in `f64`.

use crate::common::{distance, noise, related};
use ssim::{
    Border, Constants, Exponents, Input, Params, Window, loss, loss_and_gradient, ssim_map,
    ssim_map_gradient,
};

/// Half the step of the difference. Truncation is of the order `STEP² / c2`, rounding 1e-16 / `STEP`.
const STEP: f64 = 1e-5;

/// Relative to the largest derivative: 1e-10 / 9e-4 from truncation, with some room for the factor in front.
const TOLERANCE: f64 = 1e-6;

const WINDOWS: [&str; 5] =
    ["uniform:1", "uniform:3", "uniform:7", "gaussian:5:0.8", "gaussian:7:1.5"];

/// A little wider than the largest window, so that reflections from both edges meet.
const WIDTH: usize = 9;
const HEIGHT: usize = 8;

fn differences(at: &[f64], objective: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let mut point = at.to_vec();
    let mut derivative = |index: usize| {
        let mut moved = |by: f64| {
            point[index] = at[index] + by;
            objective(&point)
        };
        let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        point[index] = at[index];
        difference
    };
    (0..at.len()).map(&mut derivative).collect()
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |greatest, value| greatest.max(value.abs()))
}

fn check(params: &Params, x: &[f64], y: &[f64], tolerance: f64) {
    let value = loss(x, y, WIDTH, HEIGHT, params).unwrap();
    for wrt in [Input::First, Input::Second] {
        let (forward, gradient) = loss_and_gradient(x, y, WIDTH, HEIGHT, params, wrt).unwrap();
        let expected = match wrt {
            Input::First => differences(x, |x| loss(x, y, WIDTH, HEIGHT, params).unwrap()),
            Input::Second => differences(y, |y| loss(x, y, WIDTH, HEIGHT, params).unwrap()),
        };
        assert!((forward - value).abs() < 1e-12, "{params:?}: loss {forward} is not {value}");
        let error = distance(gradient, expected.iter().copied()) / greatest(&expected);
        assert!(error < tolerance, "{params:?}, {wrt} image: {error}");
    }
}

fn all_windows_and_borders() -> impl Iterator<Item = (Window, Border)> {
    let borders = [Border::Valid, Border::Reflect];
    WINDOWS.iter().flat_map(move |window| borders.map(|border| (window.parse().unwrap(), border)))
}

#[test]
fn every_window_and_border() {
    let (x, y) = related(11, WIDTH * HEIGHT);
    for (window, border) in all_windows_and_borders() {
        for constants in [Constants::paper(), Constants::squared()] {
            check(&Params::new(window, border, constants), &x, &y, TOLERANCE);
        }
    }
}

#[test]
fn exponents() {
    let (x, y) = related(12, WIDTH * HEIGHT);
    for (alpha, beta, gamma) in [
        (0.5, 1.0, 1.0),
        (2.0, 2.0, 2.0),
        (1.5, 2.5, 2.5),
        (1.0, 0.0, 3.0),
        (0.0, 1.0, 2.0),
        (0.0, 0.5, 0.0),
        (1.0, 2.0, 2.5),
    ] {
        for (window, border) in all_windows_and_borders().filter(|(window, _)| window.size() > 1) {
            let params = Params::new(window, border, Constants::paper());
            check(
                &Params { exponents: Exponents { alpha, beta, gamma }, ..params },
                &x,
                &y,
                TOLERANCE,
            );
        }
    }
}

/// Images with negative values have negative luminance; an integer exponent keeps its sign.
#[test]
fn negative_pixels() {
    let (x, y) = related(13, WIDTH * HEIGHT);
    let shifted: Vec<f64> = y.iter().map(|y| y - 0.9).collect();
    for alpha in [1.0, 2.0, 3.0] {
        let params =
            Params::new(Window::Uniform { size: 5 }, Border::Reflect, Constants::squared());
        check(
            &Params { exponents: Exponents { alpha, beta: 1.0, gamma: 1.0 }, ..params },
            &x,
            &shifted,
            TOLERANCE,
        );
    }
}

/// Another c3 breaks the simplified form.
#[test]
fn free_structure_constant() {
    let (x, y) = related(14, WIDTH * HEIGHT);
    let constants = Constants { c3: 0.02, ..Constants::paper() };
    for (window, border) in all_windows_and_borders().filter(|(window, _)| window.size() > 1) {
        check(&Params::new(window, border, constants), &x, &y, TOLERANCE);
    }
}

/// Two independent derivations: c3 a hair from c2/2 takes the route of separate factors.
#[test]
fn separate_factors_agree_with_the_simplified_form() {
    let (x, y) = related(15, WIDTH * HEIGHT);
    let joint = Params::new(Window::Uniform { size: 3 }, Border::Reflect, Constants::squared());
    let c3 = joint.constants.c3 * (1.0 + 1e-12);
    let separate = Params { constants: Constants { c3, ..joint.constants }, ..joint };
    let (_, expected) = loss_and_gradient(&x, &y, WIDTH, HEIGHT, &joint, Input::First).unwrap();
    let (_, got) = loss_and_gradient(&x, &y, WIDTH, HEIGHT, &separate, Input::First).unwrap();
    assert!(distance(got, expected.iter().copied()) / greatest(&expected) < 1e-9);
}

/// Inverted images have negative structure everywhere: clamped to 0, SSIM and its gradient vanish.
#[test]
fn fractional_exponent_of_negative_structure_is_flat() {
    let x = noise(16, WIDTH * HEIGHT);
    let y: Vec<f64> = x.iter().map(|x| 1.0 - x).collect();
    let params = Params::new(Window::Uniform { size: 7 }, Border::Valid, Constants::squared());
    for (beta, gamma) in [(1.0, 0.5), (0.5, 0.5), (1.0, 1.5)] {
        let params = Params { exponents: Exponents { alpha: 1.0, beta, gamma }, ..params };
        let (loss, gradient) =
            loss_and_gradient(&x, &y, WIDTH, HEIGHT, &params, Input::First).unwrap();
        assert_eq!(loss, 1.0);
        assert!(gradient.iter().all(|&value| value == 0.0));
    }
}

#[test]
fn cotangent_of_the_map() {
    let (x, y) = related(17, WIDTH * HEIGHT);
    for (window, border) in all_windows_and_borders() {
        let params = Params::new(window, border, Constants::squared());
        let map = |x: &[f64]| ssim_map(x, &y, WIDTH, HEIGHT, &params).unwrap().values;
        let cotangent: Vec<f64> =
            noise(18, map(&x).len()).iter().map(|value| value - 0.5).collect();
        let objective =
            |x: &[f64]| map(x).iter().zip(&cotangent).map(|(value, weight)| value * weight).sum();
        let expected = differences(&x, objective);
        let got =
            ssim_map_gradient(&x, &y, WIDTH, HEIGHT, &params, &cotangent, Input::First).unwrap();
        let error = distance(got, expected.iter().copied()) / greatest(&expected);
        assert!(error < TOLERANCE, "{params:?}: {error}");
    }
}

/// The derivative along a direction, on an image of several strips and tiles.
#[test]
fn directional_derivative_across_strips_and_tiles() {
    let (width, height) = (530, 140);
    let (x, y) = related(19, width * height);
    let direction: Vec<f64> = noise(20, width * height).iter().map(|value| value - 0.5).collect();
    for window in ["uniform:11", "uniform:67", "gaussian:11:1.5"] {
        for border in [Border::Valid, Border::Reflect] {
            let params = Params::new(window.parse().unwrap(), border, Constants::squared());
            let moved = |by: f64| {
                let x: Vec<f64> =
                    x.iter().zip(&direction).map(|(x, direction)| x + by * direction).collect();
                loss(&x, &y, width, height, &params).unwrap()
            };
            let expected = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
            let (_, gradient) =
                loss_and_gradient(&x, &y, width, height, &params, Input::First).unwrap();
            let got: f64 = gradient
                .iter()
                .zip(&direction)
                .map(|(gradient, direction)| gradient * direction)
                .sum();
            assert!(
                (got - expected).abs() < TOLERANCE * expected.abs(),
                "{window} {border}: {got}, not {expected}"
            );
        }
    }
}

/// The single-precision result is the double-precision one, but for rounding; running sums, which single precision takes, add
/// less than an eighth of an ulp of the largest terms.
#[test]
fn single_precision() {
    let (x, y) = related(21, WIDTH * HEIGHT);
    let params = Params::new(Window::Uniform { size: 5 }, Border::Valid, Constants::squared());
    let y = crate::common::to_f32(&y);
    let (loss, gradient) =
        loss_and_gradient(&crate::common::to_f32(&x), &y, WIDTH, HEIGHT, &params, Input::First)
            .unwrap();
    let y: Vec<f64> = y.iter().map(|&y| y.into()).collect();
    let (expected_loss, expected) =
        loss_and_gradient(&x, &y, WIDTH, HEIGHT, &params, Input::First).unwrap();
    let ulp = f64::from(f32::EPSILON);
    assert!((loss - expected_loss).abs() < 0.125 * ulp, "{loss}, not {expected_loss}");
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    let gradient: Vec<f64> = gradient.into_iter().map(f64::from).collect();
    assert!(distance(gradient, expected) < 0.75 * ulp * largest);
}
