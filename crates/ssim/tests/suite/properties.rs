//! Properties of all images, and the fast computation against the definition.

use crate::common::{Values, distance, naive, noise, related, to_f32};
use proptest::prelude::*;
use ssim::{Border, Components, Constants, Exponents, Input, Params, Window};

/// Rounding of values up to 1 to `f32`, and nothing else that matters.
const F32: f64 = 1e-7;

/// Moments of values up to 1 carry an error of some 1e-15; SSIM divides it by c2 ≥ 9e-4.
const F64: f64 = 1e-11;

/// A deviation is a square root: an error of 1e-15 in a vanishing variance becomes 3e-8, which the
/// contrast and the structure divide by √c2 or more.
const ROOT: f64 = 3e-6;

fn windows() -> impl Strategy<Value = Window> {
    let size = || (0_usize..8).prop_map(|half| 2 * half + 1);
    prop_oneof![
        size().prop_map(|size| Window::Uniform { size }),
        (size(), 0.3..4.0).prop_map(|(size, sigma)| Window::Gaussian { size, sigma }),
    ]
}

fn params() -> impl Strategy<Value = Params> {
    let border = prop_oneof![Just(Border::Valid), Just(Border::Reflect)];
    let constants = prop_oneof![Just(Constants::paper()), Just(Constants::squared())];
    (windows(), border, constants)
        .prop_map(|(window, border, constants)| Params::new(window, border, constants))
}

/// Parameters and a pair of 8-bit images that the window fits into, as (params, x, y, width, height).
fn cases() -> impl Strategy<Value = (Params, Vec<f64>, Vec<f64>, usize, usize)> {
    (params(), 0_usize..12, 0_usize..12).prop_flat_map(|(params, dx, dy)| {
        let (width, height) = (params.window.size() + dx, params.window.size() + dy);
        // Few grey values make flat windows likely.
        let image = || prop::collection::vec(prop_oneof![0_u8..=255, 100_u8..102], width * height);
        let scale =
            |bytes: Vec<u8>| bytes.iter().map(|&byte| f64::from(f32::from(byte) / 255.0)).collect();
        (Just(params), image().prop_map(scale), image().prop_map(scale), Just(width), Just(height))
    })
}

fn exponents() -> impl Strategy<Value = Exponents> {
    let exponent = || prop_oneof![Just(0.0), Just(0.5), Just(1.0), Just(2.0), Just(2.5)];
    (exponent(), exponent(), exponent()).prop_map(|(alpha, beta, gamma)| Exponents {
        alpha,
        beta,
        gamma,
    })
}

fn column(values: &[Values], pick: impl Fn(&Values) -> f64) -> Vec<f64> {
    values.iter().map(pick).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn fast_is_naive((params, x, y, width, height) in cases()) {
        let expected = naive(&x, &y, width, height, &params);
        let maps = ssim::maps(&x, &y, width, height, &params, Components::ALL).unwrap();
        prop_assert!(distance(maps.luminance.unwrap(), column(&expected, |v| v.luminance)) < F64);
        prop_assert!(distance(maps.contrast.unwrap(), column(&expected, |v| v.contrast)) < ROOT);
        prop_assert!(distance(maps.structure.unwrap(), column(&expected, |v| v.structure)) < ROOT);
        prop_assert!(distance(maps.ssim.unwrap(), column(&expected, |v| v.ssim)) < F64);

        let mean = column(&expected, |v| v.ssim).iter().sum::<f64>() / expected.len() as f64;
        prop_assert!((ssim::mean_ssim(&x, &y, width, height, &params).unwrap() - mean).abs() < F64);

        let single = ssim::ssim_map(&to_f32(&x), &to_f32(&y), width, height, &params).unwrap();
        let rounded = single.values.iter().map(|&value| f64::from(value));
        prop_assert!(distance(rounded, column(&expected, |v| v.ssim)) < F32);
    }

    #[test]
    fn fast_is_naive_with_exponents(exponents in exponents(), (params, x, y, width, height) in cases()) {
        let params = Params { exponents, ..params };
        let expected = naive(&x, &y, width, height, &params);
        let got = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
        // 0.5 takes another root, of a structure that may vanish: √ROOT.
        prop_assert!(distance(got.values, column(&expected, |v| v.ssim)) < ROOT.sqrt());
    }

    #[test]
    fn product_is_the_simplified_form((params, x, y, width, height) in cases()) {
        let maps = ssim::maps(&x, &y, width, height, &params, Components::ALL).unwrap();
        let (luminance, contrast, structure) =
            (maps.luminance.unwrap(), maps.contrast.unwrap(), maps.structure.unwrap());
        let product = luminance.iter().zip(&contrast).zip(&structure).map(|((l, c), s)| l * c * s);
        prop_assert!(distance(maps.ssim.unwrap(), product) < ROOT);
    }

    #[test]
    fn arguments_are_interchangeable((params, x, y, width, height) in cases()) {
        let forth = ssim::maps(&x, &y, width, height, &params, Components::ALL).unwrap();
        let back = ssim::maps(&y, &x, width, height, &params, Components::ALL).unwrap();
        prop_assert_eq!(forth, back);
        prop_assert_eq!(
            ssim::loss_and_gradient(&x, &y, width, height, &params, Input::First).unwrap(),
            ssim::loss_and_gradient(&y, &x, width, height, &params, Input::Second).unwrap()
        );
    }

    #[test]
    fn equal_images_score_exactly_one(exponents in exponents(), (params, x, _, width, height) in cases()) {
        let params = Params { exponents, ..params };
        let maps = ssim::maps(&x, &x, width, height, &params, Components::ALL).unwrap();
        for map in [maps.luminance, maps.contrast, maps.structure, maps.ssim] {
            prop_assert!(map.unwrap().iter().all(|&value| value == 1.0));
        }
        let (loss, gradient) = ssim::loss_and_gradient(&x, &x, width, height, &params, Input::First).unwrap();
        prop_assert_eq!(loss, 0.0);
        prop_assert!(gradient.iter().all(|&value| value == 0.0));
    }

    #[test]
    fn subsets_equal_the_whole((params, x, y, width, height) in cases()) {
        let all = ssim::maps(&x, &y, width, height, &params, Components::ALL).unwrap();
        let only = |set| ssim::maps(&x, &y, width, height, &params, set).unwrap();
        let luminance = only(Components::LUMINANCE);
        prop_assert!(luminance.contrast.is_none() && luminance.structure.is_none() && luminance.ssim.is_none());
        prop_assert_eq!(luminance.luminance, all.luminance);
        prop_assert_eq!(only(Components::CONTRAST).contrast, all.contrast);
        prop_assert_eq!(only(Components::STRUCTURE).structure, all.structure);
        // Alone, SSIM sums x² + y² at once; the rounding differs.
        prop_assert!(distance(only(Components::SSIM).ssim.unwrap(), all.ssim.unwrap()) < F64);
    }
}

/// Large enough for several strips, tiles and blocks of each.
#[test]
fn fast_is_naive_across_strips_and_tiles() {
    let (width, height) = (530, 140);
    let (x, y) = related(3, width * height);
    for window in ["uniform:1", "uniform:3", "uniform:11", "gaussian:5:1.5"] {
        for border in [Border::Valid, Border::Reflect] {
            let params = Params::new(window.parse().unwrap(), border, Constants::squared());
            let expected = column(&naive(&x, &y, width, height, &params), |v| v.ssim);
            let got = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
            assert!(distance(got.values, expected) < F64, "{window} {border}");
        }
    }
}

/// Maps of every remainder that groups of four rows and columns can leave, down to a single window.
#[test]
fn fast_is_naive_for_maps_of_a_few_windows() {
    for (width, height) in (3..=9).flat_map(|width| (3..=9).map(move |height| (width, height))) {
        let (x, y) = related(8, width * height);
        for (window, border) in [("uniform:3", Border::Valid), ("gaussian:3:1", Border::Reflect)] {
            let params = Params::new(window.parse().unwrap(), border, Constants::squared());
            let expected = column(&naive(&x, &y, width, height, &params), |v| v.ssim);
            let got = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
            assert!(distance(got.values, expected) < F64, "{window} {border} {width}x{height}");
        }
    }
}

/// A window higher than a strip would otherwise be, and one as large as the image.
#[test]
fn fast_is_naive_for_large_windows() {
    let (width, height) = (97, 83);
    let (x, y) = related(4, width * height);
    for (window, border) in [
        ("uniform:71", Border::Reflect),
        ("uniform:83", Border::Valid),
        ("gaussian:71:9", Border::Valid),
    ] {
        let params = Params::new(window.parse().unwrap(), border, Constants::squared());
        let expected = column(&naive(&x, &y, width, height, &params), |v| v.ssim);
        let got = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
        assert!(distance(got.values, expected) < F64, "{window} {border}");
    }
}

#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let (width, height) = (300, 400);
    let (x, y) = (noise(5, width * height), noise(6, width * height));
    for window in ["uniform:11", "gaussian:11:1.5"] {
        let params = Params::new(window.parse().unwrap(), Border::Reflect, Constants::squared());
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let map = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
                let mean = ssim::mean_ssim(&x, &y, width, height, &params).unwrap();
                (
                    map,
                    mean,
                    ssim::loss_and_gradient(&x, &y, width, height, &params, Input::First).unwrap(),
                )
            })
        };
        assert_eq!(run(1), run(2));
        assert_eq!(run(1), run(3));
    }
}

/// A pixel outside a window does not change its value, however large the pixel is.
#[test]
fn an_outlier_is_forgotten_once_the_window_has_passed() {
    let (width, height, size) = (60, 50, 7);
    let (x, y) = related(7, width * height);
    let params = Params::new(Window::Uniform { size }, Border::Valid, Constants::squared());
    let clean = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
    let mut spoilt = x;
    let (row, column) = (20, 25);
    spoilt[row * width + column] = 1e30;
    let got = ssim::ssim_map(&spoilt, &y, width, height, &params).unwrap();
    for index in 0..got.values.len() {
        let (top, left) = (index / got.width, index % got.width);
        let covers = (top..top + size).contains(&row) && (left..left + size).contains(&column);
        assert_eq!(got.values[index] == clean.values[index], !covers, "window at {top}, {left}");
    }
}

/// Single precision takes running sums as long as no value of SSIM can tell; across tiles and bands they agree with the sums of
/// double precision, and an outlier brings those back.
#[test]
fn running_sums_are_as_good_as_others() {
    let (width, height) = (600, 150);
    let (x, y) = related(9, width * height);
    let (mut x, y) = (to_f32(&x), to_f32(&y));
    for outlier in [x[0], 3e4] {
        x[40 * width + 70] = outlier;
        let wide = |plane: &[f32]| plane.iter().map(|&value| value.into()).collect::<Vec<f64>>();
        for window in ["uniform:3", "uniform:11", "uniform:63"] {
            let params =
                Params::new(window.parse().unwrap(), Border::Reflect, Constants::squared());
            let expected = ssim::ssim_map(&wide(&x), &wide(&y), width, height, &params).unwrap();
            let got = ssim::ssim_map(&x, &y, width, height, &params).unwrap();
            // Half an ulp of rounding and an eighth of the sums.
            let bound = 0.625 * f64::from(f32::EPSILON);
            assert!(distance(wide(&got.values), expected.values) < bound, "{window} {outlier}");
        }
    }
}
