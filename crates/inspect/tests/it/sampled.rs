//! Residuals of several reconstructions of each patch.

use std::error::Error as StdError;

use inspect::{
    Averaging, Error, Image, Inspection, Reconstructor, Residual, SampleScore, Sampled, Tiling,
    inspect, residual_map,
};
use proptest::prelude::*;

use crate::fixtures::{images, plain, tilings};
use crate::naive;
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
    Inspection { tiling: plain(3, batch), averaging, ..Inspection::paper(residual) }
}

/// A sample of a pixel and its weight.
type Weighted = (f64, f64);

fn mean(values: impl Iterator<Item = Weighted>) -> f64 {
    let (sum, total) = values
        .fold((0.0, 0.0), |(sum, total), (value, weight)| (sum + weight * value, total + weight));
    sum / total
}

/// −log of a Gaussian's density, less that at its middle if it is as narrow as can be; or the mean square.
fn score(pixel: f64, samples: &[Weighted], score: SampleScore) -> f64 {
    let mean_square = |from: f64| mean(samples.iter().map(|&(s, w)| ((s - from).powi(2), w)));
    match score {
        SampleScore::Mse => mean_square(pixel),
        SampleScore::Probability { variance_floor } => {
            let centre = mean(samples.iter().copied());
            let minus_log = |x: f64, variance: f64| {
                0.5 * (std::f64::consts::TAU * variance).ln()
                    + (x - centre).powi(2) / (2.0 * variance)
            };
            let variance = mean_square(centre).max(variance_floor);
            minus_log(pixel, variance) - minus_log(centre, variance_floor)
        }
    }
}

/// The samples of a pixel of a padded image, for each patch that covers it.
fn samples_at(
    padded: &Image,
    (x, y): (usize, usize),
    tiling: &Tiling,
    samples: usize,
) -> Vec<Vec<Weighted>> {
    let of_patch = |(left, top, weight, place)| {
        let sample = |sample| f64::from(noisy(padded.get(x, y), (left, top), sample, place));
        (0..samples).map(|number| (sample(number), weight)).collect()
    };
    let covering = naive::covering(tiling, PATCH, padded.size(), (x, y));
    covering.into_iter().map(of_patch).collect()
}

#[test]
fn a_pixel_is_scored_by_its_samples() {
    let image = Image::from_fn(9, 8, |x, y| ((x * 5 + y * 3) % 7) as f32 / 7.0);
    for (how, samples) in [(PROBABILITY, 6), (PROBABILITY, 1), (SampleScore::Mse, 6)] {
        for averaging in [Averaging::Reconstruction, Averaging::Residual] {
            for tiling in tilings(3, 2, PATCH) {
                let inspection = Inspection { tiling, ..inspection(averaging, samples, how, 2) };
                check_scores(&image, &inspection, samples, how);
            }
        }
    }
}

fn check_scores(image: &Image, inspection: &Inspection, samples: usize, how: SampleScore) {
    let inspected = inspect(image, &Noisy, inspection).unwrap();
    let margin = naive::margin(inspection.tiling.padding);
    let padded = naive::pad(image, margin);
    for (x, y) in (0..8).flat_map(|y| (0..9).map(move |x| (x, y))) {
        let pixel = f64::from(image.get(x, y));
        let all = samples_at(&padded, (x + margin, y + margin), &inspection.tiling, samples);
        let pooled = all.concat();
        let expected = match inspection.averaging {
            Averaging::Reconstruction => score(pixel, &pooled, how),
            Averaging::Residual => mean(all.iter().map(|s| (score(pixel, s, how), s[0].1))),
        };
        let got = f64::from(inspected.residual.get(x, y));
        // Scores up to about 20, rounded to f32.
        let close = (got - expected).abs() < 2e-6 * expected.max(1.0);
        assert!(close, "{x}, {y}: {got}, {expected}, {inspection:?}");
        let got = f64::from(inspected.reconstruction.get(x, y));
        assert!((got - mean(pooled.into_iter())).abs() < 1e-7, "{got}");
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
    let inspection =
        Inspection { tiling: plain(1, 1), ..inspection(Averaging::Residual, 2, probability, 1) };
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
