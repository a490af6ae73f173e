//! The kernels for CUDA on the CPU, against the functions of this crate.
//!
//! `tests/emulation` makes a C++ program of them, which checks memory and barriers, too.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod program;

use std::cell::Cell;

use self::program::{Batches, emulate};
use crate::{
    Border, Components, Constants, Exponents, Input, Params, loss, loss_and_gradient, maps,
    ssim_map_gradient,
};

/// How far a value of a map may be from that in double precision; `kernels/ssim.cu` says why.
const MAP: f64 = 1e-5;

/// How far a gradient may be from that in double precision, relative to the largest derivative.
const GRADIENT: f64 = 1e-4;

const COMPONENTS: [Components; 4] =
    [Components::LUMINANCE, Components::CONTRAST, Components::STRUCTURE, Components::SSIM];

fn doubled(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&value| value.into()).collect()
}

/// The largest distance of a value from what it should be; NaN is infinitely far from everything.
fn distance(got: &[f32], expected: &[f64]) -> f64 {
    assert_eq!(got.len(), expected.len());
    let distance = |(&got, expected): (&f32, &f64)| (f64::from(got) - expected).abs();
    let known = |distance: f64| if distance.is_nan() { f64::INFINITY } else { distance };
    got.iter().zip(expected).map(distance).map(known).fold(0.0, f64::max)
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |greatest, value| greatest.max(value.abs()))
}

impl Batches {
    fn swapped(&self) -> Self {
        Self { x: self.y.clone(), y: self.x.clone(), ..*self }
    }

    /// Applies a function of two images in double precision to every pair, and joins what comes out.
    fn per_plane(&self, f: impl Fn(&[f64], &[f64]) -> Vec<f64>) -> Vec<f64> {
        let (plane, x, y) = (self.width * self.height, doubled(&self.x), doubled(&self.y));
        x.chunks(plane).zip(y.chunks(plane)).flat_map(|(x, y)| f(x, y)).collect()
    }
}

/// Checks maps, loss and the gradients of the loss with respect to both images.
fn check(name: &str, params: &Params, batches: &Batches) {
    let (width, height) = (batches.width, batches.height);
    let name = format!("{name}, {width}x{height}, {params:?}");
    let results = emulate(params, batches, Some(Components::ALL), None);
    let windows = results.maps.len() / 4;
    for (component, got) in COMPONENTS.into_iter().zip(results.maps.chunks(windows)) {
        let expected = batches.per_plane(|x, y| {
            let maps = maps(x, y, width, height, params, component).unwrap();
            let planes = [maps.luminance, maps.contrast, maps.structure, maps.ssim];
            planes.into_iter().flatten().flatten().collect()
        });
        let error = distance(got, &expected);
        assert!(error < MAP, "{name}: {component:?} differs by {error:e}");
    }
    let losses = batches.per_plane(|x, y| vec![loss(x, y, width, height, params).unwrap()]);
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let error = distance(&results.losses, &[mean, mean]);
    assert!(error < MAP, "{name}: the loss differs by {error:e}");
    check_gradient(&name, params, batches, &results.gradient, Input::First);
    let swapped = emulate(params, &batches.swapped(), None, None);
    check_gradient(&name, params, batches, &swapped.gradient, Input::Second);
}

fn check_gradient(name: &str, params: &Params, batches: &Batches, got: &[f32], wrt: Input) {
    let planes = batches.x.len() / (batches.width * batches.height);
    let expected = batches.per_plane(|x, y| {
        let (_, gradient) =
            loss_and_gradient(x, y, batches.width, batches.height, params, wrt).unwrap();
        gradient.iter().map(|value| value / planes as f64).collect()
    });
    let error = distance(got, &expected);
    let allowed = GRADIENT * greatest(&expected);
    assert!(
        error <= allowed,
        "{name}: gradient of the {wrt} image differs by {error:e} of {allowed:e}"
    );
}

/// Reproducible values in [0, 1).
fn noise(seed: u32, len: usize) -> Vec<f32> {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    (0..len).map(|_| next()).collect()
}

/// `planes` pairs of images of independent noise, each through a function of its own of noise, column and other noise.
fn batches(
    [width, height, planes]: [usize; 3],
    x: impl Fn(f32, usize) -> f32,
    y: impl Fn(f32, usize, f32) -> f32,
) -> Batches {
    let len = width * height * planes;
    let x: Vec<_> = noise(1, len).iter().enumerate().map(|(i, &n)| x(n, i % width)).collect();
    let y = (0..).zip(noise(2, len)).zip(&x).map(|((i, n), &x)| y(n, i % width, x)).collect();
    Batches { x, y, width, height }
}

/// Images of noise that have something in common.
fn related(shape: [usize; 3]) -> Batches {
    batches(shape, |noise, _| noise, |noise, _, x| 0.375 * x + 0.5 * noise)
}

fn params(window: &str, border: Border) -> Params {
    Params::new(window.parse().unwrap(), border, Constants::squared())
}

const BORDERS: [Border; 2] = [Border::Valid, Border::Reflect];

#[test]
#[ignore = "needs a C++ compiler"]
fn windows_borders_and_sizes() {
    for border in BORDERS {
        for (window, shape) in [
            ("uniform:1", [1, 1, 1]),
            ("uniform:1", [33, 3, 2]),
            ("uniform:3", [3, 3, 3]),
            ("uniform:3", [31, 57, 1]),
            ("uniform:7", [65, 9, 2]),
            ("uniform:11", [43, 60, 2]),
            ("gaussian:5:0.8", [5, 70, 1]),
            ("gaussian:11:1.5", [70, 47, 1]),
            ("uniform:31", [31, 40, 1]),
            ("gaussian:31:5", [63, 33, 1]),
        ] {
            check("noise", &params(window, border), &related(shape));
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn exponents_and_constants() {
    let images = related([40, 21, 1]);
    let exponents = |alpha, beta, gamma| Exponents { alpha, beta, gamma };
    for border in BORDERS {
        let plain = params("gaussian:7:1.5", border);
        for exponents in [
            exponents(0.5, 1.0, 1.0),
            exponents(1.5, 2.5, 2.5),
            exponents(1.0, 0.0, 3.0),
            exponents(0.0, 0.5, 0.0),
            exponents(2.0, 1.0, 0.5),
        ] {
            check("noise", &Params { exponents, ..plain }, &images);
        }
        for constants in [Constants::paper(), Constants { c3: 0.02, ..Constants::paper() }] {
            check("noise", &Params { constants, ..plain }, &images);
        }
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn hard_images() {
    for (name, images) in images_without_digits_to_spare() {
        check(name, &params("uniform:11", Border::Valid), &images);
        let gaussian = params("gaussian:11:1.5", Border::Reflect);
        check(name, &gaussian, &images);
        let exponents = Exponents { alpha: 0.5, ..Exponents::ONE };
        check(name, &Params { exponents, ..gaussian }, &images);
    }
}

/// Where single precision has the least digits to spare.
fn images_without_digits_to_spare() -> [(&'static str, Batches); 11] {
    let shape = [41, 50, 1];
    let flat = |grey: f32| move |_: f32, _: usize| grey;
    let flat_too = |grey: f32| move |_: f32, _: usize, _: f32| grey;
    let half = |column: usize| if column < 20 { 0.0 } else { 0.95 };
    [
        ("black", batches(shape, flat(0.0), flat_too(0.0))),
        ("white on black", batches(shape, flat(1.0), flat_too(0.0))),
        ("greys", batches(shape, flat(0.7), flat_too(0.3))),
        ("flat", batches(shape, flat(0.7), |noise, _, _| noise)),
        ("bright", batches(shape, |noise, _| 0.95 + 1e-3 * noise, |noise, _, x| x + 1e-3 * noise)),
        (
            "bright and rough",
            batches(shape, |noise, _| 0.9 + 0.05 * noise, |noise, _, _| 0.9 + 0.05 * noise),
        ),
        (
            "half bright",
            batches(
                shape,
                |noise, column| half(column) + 0.04 * noise,
                |noise, column, _| half(column) + 0.04 * noise,
            ),
        ),
        ("nearly equal", batches(shape, |noise, _| noise, |noise, _, x| x + 1e-3 * noise)),
        ("opposite", batches(shape, |noise, _| noise, |_, _, x| 1.0 - x)),
        (
            "outliers",
            batches(
                shape,
                |noise, _| if noise > 0.99 { 1.0 } else { 0.01 * noise },
                |noise, _, _| 0.01 * noise,
            ),
        ),
        ("negative", batches(shape, |noise, _| noise - 0.5, |noise, _, x| 0.3 - x + 0.2 * noise)),
    ]
}

#[test]
#[ignore = "needs a C++ compiler"]
fn any_set_of_maps_is_the_same() {
    let (images, params) = (related([33, 12, 2]), params("uniform:5", Border::Reflect));
    let run = |components| emulate(&params, &images, Some(components), None).maps;
    let all = run(Components::ALL);
    let parts: Vec<_> = all.chunks(all.len() / 4).collect();
    assert_eq!(run(Components::CONTRAST), parts[1]);
    assert_eq!(run(Components::LUMINANCE | Components::SSIM), [parts[0], parts[3]].concat());
}

/// Exactly, whatever the constants.
#[test]
#[ignore = "needs a C++ compiler"]
fn equal_images_score_one_and_have_no_gradient() {
    let images = batches([50, 40, 1], |noise, _| 0.9 + 0.1 * noise, |_, _, x| x);
    for constants in [
        Constants::squared(),
        Constants::given(1e-12, 1e-12),
        Constants { c3: 1.0, ..Constants::paper() },
    ] {
        let params = Params { constants, ..params("gaussian:7:1.5", Border::Reflect) };
        let results = emulate(&params, &images, Some(Components::ALL), None);
        assert!(results.maps.iter().all(|&value| value == 1.0));
        assert!(results.gradient.iter().all(|&value| value == 0.0));
        assert_eq!(results.losses, [0.0; 2]);
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn cotangent_of_the_map() {
    let images = related([45, 49, 2]);
    let (width, height) = (images.width, images.height);
    for border in BORDERS {
        let params = params("uniform:5", border);
        let (map_width, map_height) = params.map_size(width, height).unwrap();
        let cotangent: Vec<f32> =
            noise(3, 2 * map_width * map_height).iter().map(|n| n - 0.5).collect();
        let results = emulate(&params, &images, None, Some(&cotangent));
        let doubled = doubled(&cotangent);
        let (windows, first) = (map_width * map_height, Cell::new(0));
        let expected = images.per_plane(|x, y| {
            let start = first.replace(first.get() + windows);
            let cotangent = &doubled[start..start + windows];
            ssim_map_gradient(x, y, width, height, &params, cotangent, Input::First).unwrap()
        });
        assert!(distance(&results.gradient, &expected) <= GRADIENT * greatest(&expected));
    }
}

/// A pixel that is NaN makes every window above it NaN, and no other.
#[test]
#[ignore = "needs a C++ compiler"]
fn nan_stays_visible() {
    let mut images = related([40, 20, 1]);
    images.x[10 * 40 + 20] = f32::NAN;
    for exponents in [Exponents::ONE, Exponents { gamma: 0.5, ..Exponents::ONE }] {
        let params = Params { exponents, ..params("uniform:3", Border::Reflect) };
        let results = emulate(&params, &images, Some(Components::ALL), None);
        for map in results.maps.chunks(40 * 20) {
            let touched = |i: usize| (9..=11).contains(&(i / 40)) && (19..=21).contains(&(i % 40));
            assert!(map.iter().enumerate().all(|(i, value)| value.is_nan() == touched(i)));
        }
        assert!(results.losses.iter().all(|loss| loss.is_nan()));
    }
}
