use inspect::{
    Averaging, Disk, Error, Image, Inspected, Inspection, Residual, Smoothing, anomaly_map,
    inspect, open, reconstruct, residual_map, smooth,
};
use proptest::prelude::*;
use ssim::{Border, Constants, Params, Window};

use crate::fixtures::{images, plain, tilings};
use crate::reconstruct::{By, ramp};

fn ssim_residual(size: usize, border: Border) -> Residual {
    Residual::Ssim(Params::new(Window::Uniform { size }, border, Constants::squared()))
}

fn inspection(averaging: Averaging, residual: Residual, batch: usize) -> Inspection {
    let (tiling, opening) = (plain(1, batch), Disk::with_diameter(0));
    Inspection { tiling, averaging, opening, ..Inspection::paper(residual) }
}

/// Two patches of 2×2 that overlap in the middle column, reconstructed as their means 0.25 and 0.75:
///
/// ```text
/// image            0 0.5 1      both rows
/// reconstruction   0.25 0.5 0.75
/// ```
///
/// The middle of the stitched reconstruction is right, but each patch was off by 0.25 there.
#[test]
fn averaging_reconstructions_forgives_what_averaging_residuals_does_not() {
    let image = Image::from_fn(3, 2, |x, _| x as f32 / 2.0);
    let mean = By(2, |patches: &[f32]| {
        Ok(patches.chunks(4).flat_map(|p| [p.iter().sum::<f32>() / 4.0; 4]).collect())
    });
    let run = |averaging| inspect(&image, &mean, &inspection(averaging, Residual::L2, 1)).unwrap();

    let Inspected { reconstruction, residual, .. } = run(Averaging::Reconstruction);
    assert_eq!(reconstruction.row(1), [0.25, 0.5, 0.75]);
    assert_eq!(residual.row(1), [0.0625, 0.0, 0.0625]);

    let Inspected { reconstruction, residual, .. } = run(Averaging::Residual);
    assert_eq!(reconstruction.row(1), [0.25, 0.5, 0.75]);
    assert_eq!(residual.row(1), [0.0625, 0.0625, 0.0625]);
}

#[test]
fn the_ssim_residual_is_one_minus_ssim() {
    let image = Image::from_fn(12, 9, |x, y| ((x * 7 + y * 5) % 11) as f32 / 10.0);
    let other = Image::from_fn(12, 9, |x, y| ((x * 3 + y * 8) % 13) as f32 / 12.0);
    let params = Params::new(Window::Uniform { size: 5 }, Border::Reflect, Constants::paper());
    let map = ssim::ssim_map(image.data(), other.data(), 12, 9, &params).unwrap();
    let expected: Vec<f32> = map.values.iter().map(|s| 1.0 - s).collect();
    let residual = residual_map(&image, &other, &Residual::Ssim(params)).unwrap();
    assert_eq!((residual.size(), residual.data()), ((12, 9), &expected[..]));

    // SSIM(x, x) is a quotient of two equal numbers up to rounding: a few ulps of 1.
    let same = residual_map(&image, &image, &Residual::Ssim(params)).unwrap();
    assert!(same.data().iter().all(|r| r.abs() <= 4.0 * f32::EPSILON));
}

/// The settings are wrong whatever the reconstruction says, so it is not even asked.
#[test]
fn an_ssim_that_does_not_fit_is_refused_before_anything_is_reconstructed() {
    let image = Image::filled(12, 12, 0.5);
    let never = By(8, |_: &[f32]| panic!("the reconstructor was asked"));
    let run = |averaging, residual| {
        inspect(&image, &never, &inspection(averaging, residual, 1)).unwrap_err()
    };
    let shrinks = run(Averaging::Reconstruction, ssim_residual(5, Border::Valid));
    assert!(matches!(shrinks, Error::ResidualBorder { expected: (12, 12), got: (8, 8) }));
    let too_large = run(Averaging::Reconstruction, ssim_residual(13, Border::Reflect));
    assert!(matches!(too_large, Error::Ssim(_)));
    // Fits the image, but not the patch.
    let too_large = run(Averaging::Residual, ssim_residual(11, Border::Reflect));
    assert!(matches!(too_large, Error::Ssim(_)));
}

#[test]
fn residuals_of_unequal_or_endless_planes_are_errors() {
    let image = Image::filled(4, 3, 0.0);
    let error = residual_map(&image, &Image::filled(3, 4, 0.0), &Residual::L2).unwrap_err();
    assert_eq!(error.to_string(), "the reconstruction should be 4x3 pixels, got 3x4");
    let error = residual_map(&image, &Image::filled(4, 3, 1e30), &Residual::L2).unwrap_err();
    assert!(matches!(error, Error::NotFinite { what: "the residual map", .. }));
}

#[test]
fn a_smoothing_out_of_range_is_refused_before_anything_is_reconstructed() {
    let never = By(8, |_: &[f32]| panic!("the reconstructor was asked"));
    for sigma in [-1.0, 1001.0, f64::NAN] {
        let smoothing = Smoothing::Gaussian { sigma };
        let inspection = Inspection { smoothing, ..Inspection::paper(Residual::L2) };
        let error = inspect(&Image::filled(12, 12, 0.5), &never, &inspection).unwrap_err();
        assert!(matches!(error, Error::Sigma { .. }), "{error}");
    }
}

#[test]
fn averaging_is_read_and_written_by_name() {
    #[derive(serde::Serialize, serde::Deserialize)]
    struct Config {
        average: Averaging,
    }
    let config: Config = toml::from_str(r#"average = "residual""#).unwrap();
    assert_eq!(config.average, Averaging::Residual);
    let text = toml::to_string(&Config { average: Averaging::Reconstruction }).unwrap();
    assert_eq!(text.trim(), r#"average = "reconstruction""#);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_batch_size_does_not_matter(
        image in images(), averaging in prop::sample::select(vec![Averaging::Reconstruction, Averaging::Residual]),
        ssim in any::<bool>(), batch in 2usize..40,
    ) {
        prop_assume!(image.width().min(image.height()) >= 5);
        let residual = if ssim { ssim_residual(3, Border::Reflect) } else { Residual::L2 };
        let run = |batch| inspect(&image, &ramp(5), &inspection(averaging, residual, batch)).unwrap();
        prop_assert_eq!(run(batch), run(1));
    }

    /// The pipeline is nothing but its documented parts.
    #[test]
    fn the_default_is_opening_of_smoothing_of_residual_of_reconstruction(
        image in images(), stride in 1usize..5, diameter in 0usize..6, sigma in 0.0f64..6.0,
    ) {
        prop_assume!(image.width().min(image.height()) >= 5);
        let (residual, opening) = (ssim_residual(3, Border::Reflect), Disk::with_diameter(diameter));
        let smoothing = Smoothing::Gaussian { sigma };
        for tiling in tilings(stride, 7, 5) {
            let paper = Inspection::paper(residual);
            let inspection = Inspection { tiling, smoothing, opening, ..paper };
            let got = inspect(&image, &ramp(5), &inspection).unwrap();
            prop_assert_eq!(&got.reconstruction, &reconstruct(&image, &ramp(5), &tiling).unwrap());
            let expected = residual_map(&image, &got.reconstruction, &residual).unwrap();
            prop_assert_eq!(&got.residual, &expected);
            let smoothed = smooth(&expected, sigma).unwrap();
            prop_assert_eq!(&got.anomaly_map, &open(&smoothed, opening));
            let again = anomaly_map(&expected, &smoothing, opening).unwrap();
            prop_assert_eq!(&got.anomaly_map, &again);
        }
    }
}
