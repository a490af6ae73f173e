//! Inputs at the edge of what can be computed, and beyond it.

use crate::common::{noise, to_f32};
use ssim::{
    Border, Components, Constants, Error, Exponents, Input, Params, Window, loss_and_gradient,
    maps, ssim_map, ssim_map_gradient,
};

const WIDTH: usize = 16;
const HEIGHT: usize = 14;

fn params(window: &str) -> Params {
    Params::new(window.parse().unwrap(), Border::Reflect, Constants::squared())
}

/// All maps and both gradients of a pair must be finite, and the maps within their bounds.
fn sane(x: &[f32], y: &[f32], params: &Params) {
    let maps = maps(x, y, WIDTH, HEIGHT, params, Components::ALL).unwrap();
    for (name, least, map) in [
        ("luminance", -1.0, maps.luminance),
        ("contrast", 0.0, maps.contrast),
        ("structure", -1.0, maps.structure),
        ("ssim", -1.0, maps.ssim),
    ] {
        let map = map.unwrap();
        assert!(
            map.iter().all(|value| (least..=1.0).contains(value)),
            "{name}, {params:?}: {map:?}"
        );
    }
    // Alone, SSIM is computed from fewer moments.
    let alone = ssim_map(x, y, WIDTH, HEIGHT, params).unwrap();
    assert!(alone.values.iter().all(|value| (-1.0..=1.0).contains(value)), "{params:?}: {alone:?}");
    for wrt in [Input::First, Input::Second] {
        let (loss, gradient) = loss_and_gradient(x, y, WIDTH, HEIGHT, params, wrt).unwrap();
        assert!((0.0..=2.0).contains(&loss), "{params:?}: {loss}");
        assert!(gradient.iter().all(|value| value.is_finite()), "{params:?}: {gradient:?}");
    }
}

/// Without any contrast, at the ends of the range of `f32`, and with an outlier.
fn extreme_images() -> [Vec<f32>; 12] {
    let uniform = to_f32(&noise(31, WIDTH * HEIGHT));
    let scaled = |by: f32| uniform.iter().map(|value| (value - 0.5) * by).collect::<Vec<f32>>();
    let constant = |value: f32| vec![value; WIDTH * HEIGHT];
    let mut outlier = uniform.clone();
    outlier[100] = f32::MAX;
    // One zero keeps the origin at zero: the variance of the rest is nothing but rounding, of either sign.
    let pedestal = |value: f32| {
        let mut image = constant(value);
        image[0] = 0.0;
        image
    };
    [
        constant(0.0),
        constant(0.3),
        constant(-1e30),
        constant(f32::MAX),
        constant(f32::MIN_POSITIVE / 8.0),
        uniform.clone(),
        scaled(1e-40),
        scaled(1e30),
        scaled(f32::MAX),
        outlier,
        pedestal(3e29),
        pedestal(0.7e30),
    ]
}

#[test]
fn no_nan_whatever_the_pixels() {
    let images = extreme_images();
    let all_exponents =
        [(1.0, 1.0, 1.0), (0.5, 0.5, 0.5), (1.0, 2.0, 0.5), (0.0, 0.0, 1.0), (3.0, 2.0, 1.0)];
    for window in ["uniform:7", "gaussian:7:1.5"] {
        for constants in
            [Constants::squared(), Constants::given(2.4e-38, 2.4e-38), Constants::given(1e38, 1e38)]
        {
            for (alpha, beta, gamma) in all_exponents {
                let exponents = Exponents { alpha, beta, gamma };
                let params = Params { constants, exponents, ..params(window) };
                for (x, y) in images.iter().flat_map(|x| images.iter().map(move |y| (x, y))) {
                    sane(x, y, &params);
                }
            }
        }
    }
}

/// Without variance contrast and structure are 1, whatever the grey value, and luminance is known in closed form.
#[test]
fn constant_images() {
    for (x, y, expected) in
        [(0.0_f32, 0.0_f32, 1.0), (0.1, 0.1, 1.0), (1e30, 2e30, 0.8), (-3.0, -3.0, 1.0)]
    {
        let (a, b) = (vec![x; WIDTH * HEIGHT], vec![y; WIDTH * HEIGHT]);
        for window in ["uniform:7", "gaussian:7:1.5"] {
            let maps = maps(&a, &b, WIDTH, HEIGHT, &params(window), Components::ALL).unwrap();
            assert!(maps.contrast.unwrap().iter().all(|&value| value == 1.0));
            assert!(maps.structure.unwrap().iter().all(|&value| value == 1.0));
            // One rounding to f32.
            assert!(
                maps.ssim.unwrap().iter().all(|&value| (f64::from(value) - expected).abs() < 1e-7)
            );
        }
    }
}

/// 2 × 1 windows of one pixel each: l = (2·0·1 + 0.5) / (0 + 1 + 0.5) = 1/3 and no variance.
#[test]
fn by_hand() {
    let params =
        Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
    assert_eq!(
        ssim_map(&[0.0_f64, 1.0], &[1.0, 1.0], 2, 1, &params).unwrap().values,
        [1.0 / 3.0, 1.0]
    );
}

#[test]
fn refusals() {
    let image = vec![0.5_f32; WIDTH * HEIGHT];
    let refused = |params: Params| ssim_map(&image, &image, WIDTH, HEIGHT, &params).unwrap_err();
    let valid = params("uniform:7");
    let window = |window| refused(Params { window, ..valid });
    assert_eq!(window(Window::Uniform { size: 0 }), Error::ZeroWindow);
    assert_eq!(window(Window::Uniform { size: 8 }), Error::EvenWindow { size: 8 });
    assert_eq!(window(Window::Gaussian { size: 8, sigma: 1.5 }), Error::EvenWindow { size: 8 });
    assert_eq!(
        window(Window::Uniform { size: 15 }),
        Error::WindowTooLarge { size: 15, width: WIDTH, height: HEIGHT }
    );
    for sigma in [0.0, -1.0, f64::INFINITY] {
        assert_eq!(window(Window::Gaussian { size: 7, sigma }), Error::Sigma { sigma });
    }
    assert!(matches!(window(Window::Gaussian { size: 7, sigma: f64::NAN }), Error::Sigma { .. }));

    let constants = |constants| refused(Params { constants, ..valid });
    assert_eq!(constants(Constants::given(0.0, 0.03)), Error::Constant { name: "c1", value: 0.0 });
    assert_eq!(
        constants(Constants::given(0.01, -1.0)),
        Error::Constant { name: "c2", value: -1.0 }
    );
    assert_eq!(
        constants(Constants { c3: f64::INFINITY, ..Constants::paper() }),
        Error::Constant { name: "c3", value: f64::INFINITY }
    );
    let exponents = Exponents { gamma: -0.5, ..Exponents::ONE };
    assert_eq!(
        refused(Params { exponents, ..valid }),
        Error::Exponent { name: "gamma", value: -0.5 }
    );
}

#[test]
fn refused_images() {
    let params = params("uniform:7");
    let image = vec![0.5_f32; WIDTH * HEIGHT];
    let run = |x: &[f32], y: &[f32]| ssim_map(x, y, WIDTH, HEIGHT, &params).unwrap_err();
    let (expected, got) = (WIDTH * HEIGHT, WIDTH * HEIGHT - 1);
    assert_eq!(run(&image[1..], &image), Error::Length { what: "the first image", expected, got });
    assert_eq!(run(&image, &image[1..]), Error::Length { what: "the second image", expected, got });
    let empty: Result<_, Error> = ssim_map::<f32>(&[], &[], 0, 0, &params);
    assert_eq!(empty, Err(Error::WindowTooLarge { size: 7, width: 0, height: 0 }));
    let overflow = ssim_map::<f32>(
        &[],
        &[],
        usize::MAX,
        usize::MAX,
        &Params { border: Border::Reflect, ..params },
    );
    assert_eq!(
        overflow,
        Err(Error::Length { what: "the first image", expected: usize::MAX, got: 0 })
    );
    let short =
        ssim_map_gradient(&image, &image, WIDTH, HEIGHT, &params, &image[1..], Input::First);
    assert_eq!(short, Err(Error::Length { what: "the cotangent", expected, got }));
}

#[test]
fn refused_pixels() {
    let params = params("uniform:7");
    let image = vec![0.5_f32; WIDTH * HEIGHT];
    let run = |x: &[f32], y: &[f32]| ssim_map(x, y, WIDTH, HEIGHT, &params).unwrap_err();
    for value in [f32::INFINITY, f32::NEG_INFINITY] {
        let mut spoilt = image.clone();
        spoilt[77] = value;
        let expected = |input| Error::Pixel { input, index: 77, value: value.into() };
        assert_eq!(run(&spoilt, &image), expected(Input::First));
        assert_eq!(run(&image, &spoilt), expected(Input::Second));
    }
    for nan in [f32::NAN, -f32::NAN] {
        let mut spoilt = image.clone();
        spoilt[77] = nan;
        assert!(matches!(
            run(&image, &spoilt),
            Error::Pixel { input: Input::Second, index: 77, .. }
        ));
    }
    let large = vec![1e39_f64; WIDTH * HEIGHT];
    let error = ssim_map(&large, &large, WIDTH, HEIGHT, &params).unwrap_err();
    assert_eq!(error, Error::Pixel { input: Input::First, index: 0, value: 1e39 });
}

#[test]
fn text_forms() {
    for text in ["uniform:11", "gaussian:11:1.5"] {
        assert_eq!(text.parse::<Window>().unwrap().to_string(), text);
    }
    for text in ["valid", "reflect"] {
        assert_eq!(text.parse::<Border>().unwrap().to_string(), text);
    }
    for text in ["paper", "squared", "0.02,0.05", "0.02,0.05,0.1"] {
        assert_eq!(text.parse::<Constants>().unwrap().to_string(), text);
    }
    assert_eq!("uniform:4".parse::<Window>(), Err(Error::EvenWindow { size: 4 }));
    for text in [
        "",
        "uniform",
        "uniform:",
        "uniform:-3",
        "uniform:3:1",
        "gaussian:11",
        "gaussian:11:x",
        "box:3",
    ] {
        assert!(matches!(text.parse::<Window>(), Err(Error::Parse { .. })), "{text}");
    }
    for text in ["", "0.01", "0.01,", "1,2,3,4", "literal"] {
        assert!(matches!(text.parse::<Constants>(), Err(Error::Parse { .. })), "{text}");
    }
    assert!(matches!("Valid".parse::<Border>(), Err(Error::Parse { .. })));
}
