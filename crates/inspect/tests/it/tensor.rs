//! The inspection of tensors against that of slices.

use candle_core::{Device, Tensor};
use inspect::tensor::TensorReconstructor;
use inspect::{
    Averaging, Disk, Error, Image, Inspection, Padding, Reconstructor, Residual, SampleScore,
    Sampled, Smoothing, Tiling,
};
use proptest::prelude::*;
use ssim::{Border, Constants, Params, Window};
use std::error::Error as StdError;

use crate::fixtures::{plain, tilings};

type Outcome<T> = Result<T, Box<dyn StdError + Send + Sync>>;

/// Darkens what it sees; samples differ by place and number.
struct Darken {
    patch: usize,
    device: Device,
}

impl Reconstructor for Darken {
    fn patch_size(&self) -> usize {
        self.patch
    }

    fn reconstruct(&self, patches: &[f32]) -> Outcome<Vec<f32>> {
        Ok(patches.iter().map(|value| value * 0.75).collect())
    }

    fn sample(
        &self,
        patches: &[f32],
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Outcome<Vec<f32>> {
        let patches = patches.chunks_exact(self.patch * self.patch).zip(corners);
        let samples = patches.flat_map(|(patch, corner)| {
            (0..samples).flat_map(move |sample| {
                patch.iter().map(move |value| value * factor(*corner, sample))
            })
        });
        Ok(samples.collect())
    }
}

/// With few bits, so that no product is rounded.
fn factor((x, y): (usize, usize), sample: usize) -> f32 {
    ((x + 2 * y + 3 * sample) % 8) as f32 / 8.0
}

impl TensorReconstructor for Darken {
    fn patch_size(&self) -> usize {
        self.patch
    }

    fn device(&self) -> &Device {
        &self.device
    }

    fn reconstruct(&self, patches: &Tensor) -> Outcome<Tensor> {
        Ok(patches.affine(0.75, 0.0)?)
    }

    fn sample(
        &self,
        patches: &Tensor,
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Outcome<Tensor> {
        let factors = corners.iter().flat_map(|&c| (0..samples).map(move |s| factor(c, s)));
        let factors = Tensor::from_iter(factors, &self.device)?;
        Ok(patches.broadcast_mul(&factors.reshape((corners.len(), samples, 1, 1))?)?)
    }
}

fn residuals() -> [Residual; 4] {
    let window = Window::Uniform { size: 5 };
    let params = Params::new(window, Border::Reflect, Constants::squared());
    let sampled = |score| Residual::Sampled(Sampled { samples: 3, score });
    [
        Residual::L2,
        Residual::Ssim(params),
        sampled(SampleScore::Mse),
        sampled(SampleScore::Probability { variance_floor: 1e-4 }),
    ]
}

fn image(width: usize, height: usize) -> Image {
    // Multiples of 1/64, as above.
    Image::from_fn(width, height, |x, y| ((7 * x + 13 * y + x * y) % 65) as f32 / 64.0)
}

/// All maps of all residuals and averagings agree, but for `tolerance`, or that part of scores above 1.
fn agree(darken: &Darken, (width, height): (usize, usize), tiling: Tiling, tolerance: f32) {
    let image = image(width, height);
    for residual in residuals() {
        for averaging in [Averaging::Reconstruction, Averaging::Residual] {
            let (smoothing, opening) = (Smoothing::Gaussian { sigma: 1.5 }, Disk::with_diameter(2));
            let inspection = Inspection { tiling, averaging, residual, smoothing, opening };
            let expected = inspect::inspect(&image, darken, &inspection).unwrap();
            let got = inspect::tensor::inspect(&image, darken, &inspection).unwrap();
            close(&got.reconstruction, &expected.reconstruction, tolerance);
            close(&got.residual, &expected.residual, tolerance);
            close(&got.anomaly_map, &expected.anomaly_map, tolerance);
        }
    }
}

fn close(got: &Image, expected: &Image, tolerance: f32) {
    assert_eq!(got.size(), expected.size());
    for (got, expected) in got.data().iter().zip(expected.data()) {
        let error = (got - expected).abs();
        assert!(error <= tolerance * expected.abs().max(1.0), "{got}, expected {expected}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn tensors_are_inspected_as_slices_are(
        patch in 5usize..9, wider in 0usize..20, higher in 0usize..20,
        stride in 1usize..6, batch in 1usize..9,
    ) {
        let (size, darken) = ((patch + wider, patch + higher), Darken { patch, device: Device::Cpu });
        for tiling in tilings(stride, batch, patch) {
            // The same sums in the same order.
            agree(&darken, size, tiling, 0.0);
        }
    }

    #[test]
    fn so_are_images_smaller_than_a_patch(width in 5usize..9, height in 5usize..9, stride in 1usize..6) {
        let (darken, padding) = (Darken { patch: 9, device: Device::Cpu }, Padding::Mirror { pixels: 2 });
        agree(&darken, (width, height), Tiling { padding, ..plain(stride, 4) }, 0.0);
    }
}

#[cfg(feature = "cuda")]
#[test]
#[ignore = "needs a CUDA device"]
fn tensors_are_inspected_as_slices_are_on_cuda() {
    let device = Device::new_cuda(0).unwrap();
    for (size, patch, stride, batch) in
        [((40, 33), 8, 3, 7), ((256, 256), 128, 30, 96), ((1024, 696), 128, 30, 96)]
    {
        let darken = Darken { patch, device: device.clone() };
        for tiling in tilings(stride, batch, patch) {
            // The bound of `ssim` on its kernels; all else is computed in f64 and rounded once.
            agree(&darken, size, tiling, 1e-5);
        }
    }
}

/// Takes a patch and gives another shape.
struct Shrink;

impl TensorReconstructor for Shrink {
    fn patch_size(&self) -> usize {
        4
    }

    fn device(&self) -> &Device {
        &Device::Cpu
    }

    fn reconstruct(&self, patches: &Tensor) -> Outcome<Tensor> {
        Ok(patches.narrow(3, 0, 2)?)
    }
}

#[test]
fn what_cannot_be_inspected_is_refused() {
    let inspection = Inspection { tiling: plain(2, 3), ..Inspection::paper(Residual::L2) };
    let refuse = |image: &Image, inspection| {
        inspect::tensor::inspect(image, &Shrink, inspection).unwrap_err()
    };
    let shape = refuse(&image(8, 8), &inspection);
    assert!(shape.to_string().contains("[3, 1, 4, 4], got [3, 1, 4, 2]"), "{shape}");
    assert!(matches!(refuse(&image(3, 8), &inspection), Error::ImageBelowPatch { .. }));
    let wide = Inspection { tiling: plain(5, 3), ..inspection };
    assert!(matches!(refuse(&image(8, 8), &wide), Error::Stride { .. }));
    let none = Inspection { tiling: plain(2, 0), ..inspection };
    assert!(matches!(refuse(&image(8, 8), &none), Error::ZeroBatch));
    let padding = Padding::Mirror { pixels: 5 };
    let margin = Inspection { tiling: Tiling { padding, ..plain(2, 3) }, ..inspection };
    assert!(matches!(refuse(&image(8, 8), &margin), Error::Margin { .. }));
    let sampled = Inspection { residual: residuals()[2], ..inspection };
    assert!(matches!(refuse(&image(8, 8), &sampled), Error::Reconstructor(_)));
    let mut broken = image(8, 8);
    broken.data_mut()[3] = f32::NAN;
    assert!(matches!(refuse(&broken, &inspection), Error::NotFinite { index: 3, .. }));
}
