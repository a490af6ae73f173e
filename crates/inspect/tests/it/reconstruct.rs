use std::cell::RefCell;
use std::error::Error as StdError;

use inspect::{Blend, Error, Image, Padding, Reconstructor, Tiling, reconstruct};
use proptest::prelude::*;

use crate::fixtures::{images, plain, tilings};
use crate::naive;

type Outcome = Result<Vec<f32>, Box<dyn StdError + Send + Sync>>;

/// A reconstructor of patches of `0` pixels by the function `1`.
pub struct By<F>(pub usize, pub F);

impl<F: Fn(&[f32]) -> Outcome> Reconstructor for By<F> {
    fn patch_size(&self) -> usize {
        self.0
    }

    fn reconstruct(&self, patches: &[f32]) -> Outcome {
        (self.1)(patches)
    }
}

/// Replaces every patch by one that depends on all its pixels and on the position inside the patch.
pub fn ramp(patch: usize) -> impl Reconstructor {
    By(patch, move |patches: &[f32]| {
        let area = patch * patch;
        let ramp = |values: &[f32]| {
            let mean = values.iter().sum::<f32>() / area as f32;
            let gains = (0..area).map(|i| i as f32 / area as f32);
            gains.map(|gain| mean * gain).collect::<Vec<_>>()
        };
        Ok(patches.chunks(area).flat_map(ramp).collect())
    })
}

pub fn identity(patch: usize) -> impl Reconstructor {
    By(patch, |patches: &[f32]| Ok(patches.to_vec()))
}

fn image(width: usize, height: usize) -> Image {
    Image::from_fn(width, height, |x, y| (y * width + x) as f32 / 64.0)
}

#[test]
fn patches_arrive_row_by_row_in_batches_of_the_given_size() {
    let seen = RefCell::new(Vec::new());
    let spy = By(2, |patches: &[f32]| {
        seen.borrow_mut().push(patches.iter().map(|v| v * 64.0).collect::<Vec<_>>());
        Ok(patches.to_vec())
    });
    // 0 1 2 3
    // 4 5 6 7
    // 8 9 …
    reconstruct(&image(4, 3), &spy, &plain(2, 3)).unwrap();
    let expected = [
        vec![0.0, 1.0, 4.0, 5.0, 2.0, 3.0, 6.0, 7.0, 4.0, 5.0, 8.0, 9.0],
        vec![6.0, 7.0, 10.0, 11.0],
    ];
    assert_eq!(*seen.borrow(), expected);
}

#[test]
fn settings_that_cannot_work_are_errors() {
    let run = |width, height, patch, stride, batch| {
        reconstruct(&image(width, height), &identity(patch), &plain(stride, batch)).unwrap_err()
    };
    assert!(matches!(run(8, 8, 4, 2, 0), Error::ZeroBatch));
    assert!(matches!(run(8, 8, 0, 2, 1), Error::ZeroPatch));
    assert!(matches!(run(8, 8, 4, 5, 1), Error::Stride { stride: 5, patch: 4 }));
    assert_eq!(
        run(8, 3, 4, 2, 1).to_string(),
        "an image of 8x3 pixels is smaller than a patch of 4x4"
    );
}

#[test]
fn an_image_that_is_not_finite_is_an_error() {
    let mut broken = image(4, 4);
    broken.data_mut()[5] = f32::INFINITY;
    let error = reconstruct(&broken, &identity(2), &plain(2, 1)).unwrap_err();
    assert_eq!(error.to_string(), "the image holds inf at index 5; every value must be finite");
}

#[test]
fn a_reconstructor_that_misbehaves_is_an_error() {
    let run = |answer: fn(&[f32]) -> Outcome| {
        reconstruct(&image(4, 4), &By(2, answer), &plain(2, 4)).unwrap_err()
    };
    let short = run(|patches| Ok(patches[1..].to_vec()));
    assert_eq!(short.to_string(), "a batch of 4 patches needs 16 reconstructed values, got 15");
    let nan = run(|patches| Ok(vec![f32::NAN; patches.len()]));
    assert!(matches!(nan, Error::NotFinite { what: "the reconstruction", index: 0, .. }));
    let failed = run(|_| Err("out of memory".into()));
    assert_eq!(failed.source().unwrap().to_string(), "out of memory");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A mean of equal values is theirs: sums of them are exact, and weighted ones round by far less than an f32.
    #[test]
    fn the_identity_reconstructs_the_image(
        image in images(), patch in 1usize..8, stride in 1usize..8, batch in 1usize..50,
    ) {
        prop_assume!(stride <= patch);
        for tiling in tilings(stride, batch, patch) {
            let fits = patch <= image.width().min(image.height());
            if fits || tiling.padding != Padding::None {
                let got = reconstruct(&image, &identity(patch), &tiling).unwrap();
                prop_assert_eq!(&got, &image, "{:?}", tiling);
            }
        }
    }

    /// Against the definition, pixel by pixel, with the image padded beforehand. In f32 the order of sums in f64 decides about
    /// the last bit at most, and about none if all weights are 1.
    #[test]
    fn every_pixel_is_the_weighted_mean_of_the_patches_that_cover_it(
        image in images(), patch in 1usize..8, stride in 1usize..8, batch in 1usize..50,
    ) {
        prop_assume!(patch <= image.width().min(image.height()) && stride <= patch);
        for tiling in tilings(stride, batch, patch) {
            let expected = naive::reconstruct(&image, &ramp(patch), &tiling);
            let got = reconstruct(&image, &ramp(patch), &tiling).unwrap();
            let ulps = if tiling.blend == Blend::Flat { 0 } else { 1 };
            let steps = |a: f32, b: f32| a.to_bits().abs_diff(b.to_bits());
            let mut pixels = got.data().iter().zip(expected.data());
            prop_assert!(pixels.all(|(&got, &expected)| steps(got, expected) <= ulps), "{:?}", tiling);
        }
    }
}

#[test]
fn an_image_smaller_than_a_patch_is_mirrored_up_to_it() {
    let seen = RefCell::new(Vec::new());
    let spy = By(5, |patches: &[f32]| {
        seen.borrow_mut().push(patches.to_vec());
        Ok(patches.to_vec())
    });
    let small = Image::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    let tiling = Tiling { padding: Padding::Mirror { pixels: 0 }, ..plain(1, 1) };
    assert_eq!(reconstruct(&small, &spy, &tiling).unwrap(), small);
    // One column to the left of the image, two to its right; a row above and below.
    let patch = [
        1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 3.0, 3.0, 4.0, 4.0, 3.0, 5.0, 5.0, 6.0,
        6.0, 5.0, 5.0, 5.0, 6.0, 6.0, 5.0,
    ];
    assert_eq!(*seen.borrow(), [patch]);
}

#[test]
fn a_margin_wider_than_a_patch_and_an_empty_image_are_errors() {
    let run = |width, pixels| {
        let tiling = Tiling { padding: Padding::Mirror { pixels }, ..plain(2, 1) };
        reconstruct(&image(width, 4), &identity(4), &tiling).unwrap_err()
    };
    assert_eq!(run(4, 5).to_string(), "a margin of 5 pixels is larger than a patch of 4");
    assert!(matches!(run(4, usize::MAX), Error::Margin { .. }));
    assert!(matches!(run(0, 2), Error::ImageBelowPatch { width: 0, .. }));
}
