//! Bands against whole images.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use super::*;
use crate::{Blend, Disk, Padding, SampleScore, Sampled, Tiling};
use candle_core::Device;
use proptest::prelude::*;
use ssim::{Border, Constants, Params, Window};

type Outcome = Result<Tensor, Box<dyn std::error::Error + Send + Sync>>;

/// Bends values so that sums of patches are rounded; samples differ by place and number.
struct Bend {
    patch: usize,
}

impl TensorReconstructor for Bend {
    fn patch_size(&self) -> usize {
        self.patch
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn reconstruct(&self, patches: &Tensor) -> Outcome {
        // The mean of a patch makes the reconstructions of a pixel differ.
        let means = patches.mean_keepdim((2, 3))?;
        Ok(patches.sin()?.broadcast_mul(&means)?)
    }

    fn sample(&self, patches: &Tensor, corners: &[(usize, usize)], samples: usize) -> Outcome {
        let factor = |(x, y): (usize, usize), sample: usize| ((x + 3 * y + sample) as f32).sin();
        let factors = corners.iter().flat_map(|&c| (0..samples).map(move |s| factor(c, s)));
        let factors = Tensor::from_iter(factors, &Device::Cpu)?;
        Ok(patches.broadcast_mul(&factors.reshape((corners.len(), samples, 1, 1))?)?)
    }
}

fn residuals() -> [Residual; 4] {
    let window = Window::Uniform { size: 5 };
    let sampled = |score| Residual::Sampled(Sampled { samples: 3, score });
    [
        Residual::L2,
        Residual::Ssim(Params::new(window, Border::Reflect, Constants::squared())),
        sampled(SampleScore::Mse),
        sampled(SampleScore::Probability { variance_floor: 1e-4 }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn bands_give_the_maps_of_the_whole_image_to_the_bit(
        patch in 5usize..9, wider in 0usize..20, higher in 0usize..40, stride in 1usize..6,
        batch in 1usize..9, band in 0usize..800, margin in 0usize..6, is_hann in any::<bool>(),
    ) {
        let (width, height) = (patch + wider, patch + higher);
        let image = Image::from_fn(width, height, |x, y| ((x * x + 7 * y) as f32).sin().abs());
        let blend = if is_hann { Blend::Hann } else { Blend::Flat };
        let padding = match margin {
            0 => Padding::None,
            pixels => Padding::Mirror { pixels },
        };
        let tiling = Tiling { stride, batch, padding, blend };
        for residual in residuals() {
            for averaging in [Averaging::Reconstruction, Averaging::Residual] {
                let opening = Disk::with_diameter(3);
                let paper = Inspection::paper(residual);
                let inspection = Inspection { tiling, averaging, opening, ..paper };
                let inspected = |band| {
                    inspect_in_bands(&image, &Bend { patch }, &inspection, band).unwrap()
                };
                prop_assert_eq!(inspected(band), inspected(usize::MAX));
            }
        }
    }
}
