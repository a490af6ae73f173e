//! Residuals of several reconstructions of each patch.

use std::error::Error as StdError;

use inspect::{
    Averaging, Disk, Error, Image, Inspection, Reconstructor, Residual, SampleScore, Sampled,
    Tiling, inspect, residual_map, tile_positions,
};
use proptest::prelude::*;

use crate::fixtures::images;
use crate::reconstruct::ramp;

const PATCH: usize = 4;
const FLOOR: f64 = 1e-3;
const PROBABILITY: SampleScore = SampleScore::Probability { variance_floor: FLOOR };

type Outcome = Result<Vec<f32>, Box<dyn StdError + Send + Sync>>;

/// A sample of a pixel by [`Noisy`]: it depends on the place of the patch, the sample and the place in the patch.
fn noisy(pixel: f32, (left, top): (usize, usize), sample: usize, place: usize) -> f32 {
    let number = (left * 7919 + top * 104_729 + sample * 1299 + place * 31) % 97;
    pixel + (number as f32 / 97.0 - 0.4) * 0.3
}

struct Noisy;

impl Reconstructor for Noisy {
    fn patch_size(&self) -> usize {
        PATCH
    }

    fn reconstruct(&self, _: &[f32]) -> Outcome {
        panic!("only samples are wanted")
    }

    fn sample(&self, patches: &[f32], corners: &[(usize, usize)], samples: usize) -> Outcome {
        let patches = patches.chunks(PATCH * PATCH).zip(corners);
        let of_patch = |(patch, &corner): (&[f32], &(usize, usize))| -> Vec<f32> {
            let sample = |sample| (0..patch.len()).map(move |i| noisy(patch[i], corner, sample, i));
            (0..samples).flat_map(sample).collect()
        };
        Ok(patches.flat_map(of_patch).collect())
    }
}

fn inspection(
    averaging: Averaging,
    samples: usize,
    score: SampleScore,
    batch: usize,
) -> Inspection {
    let residual = Residual::Sampled(Sampled { samples, score });
    let (tiling, opening) = (Tiling { stride: 3, batch }, Disk::with_diameter(0));
    Inspection { tiling, averaging, residual, opening }
}

/// −log of a Gaussian's density, less that at its middle if it is as narrow as can be; or the mean square.
fn score(pixel: f64, samples: &[f64], score: SampleScore) -> f64 {
    let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / samples.len() as f64;
    let centre = mean(&mut samples.iter().copied());
    let variance = mean(&mut samples.iter().map(|s| (s - centre).powi(2)));
    match score {
        SampleScore::Mse => mean(&mut samples.iter().map(|s| (s - pixel).powi(2))),
        SampleScore::Probability { variance_floor } => {
            let minus_log = |x: f64, variance: f64| {
                0.5 * (std::f64::consts::TAU * variance).ln()
                    + (x - centre).powi(2) / (2.0 * variance)
            };
            minus_log(pixel, variance.max(variance_floor)) - minus_log(centre, variance_floor)
        }
    }
}

/// The samples of a pixel, for each patch that covers it.
fn samples_at(image: &Image, (x, y): (usize, usize), samples: usize) -> Vec<Vec<f64>> {
    let covers = |position: usize, at: usize| position <= at && at < position + PATCH;
    let positions = |length| tile_positions(length, PATCH, 3).unwrap();
    let tops = positions(image.height()).into_iter().filter(|&top| covers(top, y));
    let corners = tops.flat_map(|top| {
        let lefts = positions(image.width()).into_iter().filter(|&left| covers(left, x));
        lefts.map(move |left| (left, top))
    });
    let of_patch = |(left, top): (usize, usize)| {
        let place = (y - top) * PATCH + x - left;
        let sample = |sample| f64::from(noisy(image.get(x, y), (left, top), sample, place));
        (0..samples).map(sample).collect()
    };
    corners.map(of_patch).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn a_pixel_is_scored_by_its_samples() {
    let image = Image::from_fn(9, 8, |x, y| ((x * 5 + y * 3) % 7) as f32 / 7.0);
    for (how, samples) in [(PROBABILITY, 6), (PROBABILITY, 1), (SampleScore::Mse, 6)] {
        for averaging in [Averaging::Reconstruction, Averaging::Residual] {
            let inspected =
                inspect(&image, &Noisy, &inspection(averaging, samples, how, 2)).unwrap();
            for (x, y) in (0..8).flat_map(|y| (0..9).map(move |x| (x, y))) {
                let (pixel, all) =
                    (f64::from(image.get(x, y)), samples_at(&image, (x, y), samples));
                let pooled = all.concat();
                let expected = match averaging {
                    Averaging::Reconstruction => score(pixel, &pooled, how),
                    Averaging::Residual => {
                        mean(&all.iter().map(|s| score(pixel, s, how)).collect::<Vec<_>>())
                    }
                };
                let got = f64::from(inspected.residual.get(x, y));
                // Scores up to about 20, rounded to f32.
                assert!(
                    (got - expected).abs() < 2e-6 * expected.max(1.0),
                    "{x}, {y}: {got}, {expected}"
                );
                let got = f64::from(inspected.reconstruction.get(x, y));
                assert!((got - mean(&pooled)).abs() < 1e-7, "{got}");
            }
        }
    }
}

/// Two samples, 0.25 above and below 0.5: variance 1/16, and a pixel at 1 lies two deviations off.
#[test]
fn the_probability_by_hand() {
    struct Two;
    impl Reconstructor for Two {
        fn patch_size(&self) -> usize {
            1
        }
        fn reconstruct(&self, _: &[f32]) -> Outcome {
            panic!("only samples are wanted")
        }
        fn sample(&self, _: &[f32], _: &[(usize, usize)], _: usize) -> Outcome {
            Ok(vec![0.25, 0.75])
        }
    }
    let floor = 1.0 / 64.0;
    let probability = SampleScore::Probability { variance_floor: floor };
    let inspection = Inspection {
        tiling: Tiling { stride: 1, batch: 1 },
        ..inspection(Averaging::Residual, 2, probability, 1)
    };
    let inspected = inspect(&Image::filled(1, 1, 1.0), &Two, &inspection).unwrap();
    // ½ log 4 + 0.5² / (2/16)
    let expected = (2f64.ln() + 2.0) as f32;
    assert_eq!((inspected.residual.get(0, 0), inspected.reconstruction.get(0, 0)), (expected, 0.5));
}

#[test]
fn a_single_reconstruction_is_one_sample() {
    let image = Image::new(3, 1, vec![0.5, 0.5, 1.0]).unwrap();
    let reconstruction = Image::new(3, 1, vec![0.5, 0.25, 0.0]).unwrap();
    let map = |score| {
        let residual = Residual::Sampled(Sampled { samples: 6, score });
        residual_map(&image, &reconstruction, &residual).unwrap()
    };
    assert_eq!(map(SampleScore::Mse).data(), [0.0, 0.0625, 1.0]);
    let probability = SampleScore::Probability { variance_floor: 0.125 };
    assert_eq!(map(probability).data(), [0.0, 0.25, 4.0]);
}

#[test]
fn what_cannot_be_scored_is_refused() {
    let image = Image::filled(8, 8, 0.5);
    let run = |reconstructor: &dyn Reconstructor, samples, floor| {
        let score = SampleScore::Probability { variance_floor: floor };
        inspect(&image, reconstructor, &inspection(Averaging::Residual, samples, score, 1))
            .unwrap_err()
    };
    assert!(matches!(run(&Noisy, 0, FLOOR), Error::ZeroSamples));
    for floor in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(matches!(run(&Noisy, 2, floor), Error::VarianceFloor { .. }), "{floor}");
    }
    let Error::Reconstructor(source) = run(&ramp(4), 2, FLOOR) else { panic!("it has no samples") };
    assert!(source.to_string().contains("no samples"), "{source}");

    struct Short;
    impl Reconstructor for Short {
        fn patch_size(&self) -> usize {
            PATCH
        }
        fn reconstruct(&self, _: &[f32]) -> Outcome {
            panic!("only samples are wanted")
        }
        fn sample(&self, patches: &[f32], _: &[(usize, usize)], _: usize) -> Outcome {
            Ok(patches.to_vec())
        }
    }
    let error = run(&Short, 3, FLOOR);
    assert!(matches!(error, Error::ReconstructionLength { patches: 1, expected: 48, got: 16 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_batch_size_does_not_matter_and_scores_are_positive(
        image in images(), averaging in prop::sample::select(vec![Averaging::Reconstruction, Averaging::Residual]),
        mse in any::<bool>(), samples in 1usize..5, batch in 2usize..40,
    ) {
        prop_assume!(image.width().min(image.height()) >= PATCH);
        let score = if mse { SampleScore::Mse } else { PROBABILITY };
        let run = |batch| inspect(&image, &Noisy, &inspection(averaging, samples, score, batch)).unwrap();
        let inspected = run(batch);
        prop_assert!(inspected.residual.data().iter().all(|&score| score >= 0.0));
        prop_assert_eq!(inspected, run(1));
    }
}
