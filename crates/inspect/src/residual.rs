use crate::finite::check_finite;
use crate::{Error, Image, Sampled};

/// How a reconstruction is compared with the image, pixel by pixel. Higher is more defective.
///
/// ```
/// use inspect::{Image, Residual, residual_map};
/// use ssim::{Border, Constants, Params, Window};
///
/// // A line in the image that its reconstruction lacks.
/// let image = Image::from_fn(5, 5, |x, _| if x == 0 { 1.0 } else { 0.5 });
/// let grey = Image::filled(5, 5, 0.5);
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Reflect, Constants::squared());
/// let (l2, ssim) = (Residual::L2, Residual::Ssim(params));
/// assert_eq!(residual_map(&image, &grey, &l2)?.row(2), [0.25, 0.0, 0.0, 0.0, 0.0]);
/// let map = residual_map(&image, &grey, &ssim)?;
/// // Windows around the second column hold the line, too.
/// assert!(map.get(1, 2) > 0.9 && map.get(2, 2) < 1e-6);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Residual {
    /// The squared difference (x − x̂)², per pixel.
    L2,
    /// 1 − SSIM of the window around each pixel, from 0 (equal) to 2. The border must keep the size of the map.
    Ssim(ssim::Params),
    /// A score of several reconstructions of each patch, as a variational autoencoder has them.
    Sampled(Sampled),
}

impl Residual {
    /// Whether planes of this size have a residual map of their own size.
    pub(crate) fn check(&self, width: usize, height: usize) -> Result<(), Error> {
        let expected = (width, height);
        let got = match self {
            Self::L2 => expected,
            Self::Sampled(sampled) => {
                sampled.validate()?;
                expected
            }
            Self::Ssim(params) => params.map_size(width, height)?,
        };
        if got == expected { Ok(()) } else { Err(Error::ResidualBorder { expected, got }) }
    }
}

/// The residual map of an image and its reconstruction, of the same size as both. A single reconstruction counts as one
/// sample.
///
/// ```
/// use inspect::{Image, Residual, residual_map};
///
/// let image = Image::new(3, 1, vec![0.5, 0.5, 1.0])?;
/// let reconstruction = Image::new(3, 1, vec![0.5, 0.25, 0.0])?;
/// assert_eq!(residual_map(&image, &reconstruction, &Residual::L2)?.data(), [0.0, 0.0625, 1.0]);
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// If the sizes differ, a value is not finite, the SSIM cannot be computed (a window larger than the image, for
/// instance), or its border shrinks the map.
pub fn residual_map(
    image: &Image,
    reconstruction: &Image,
    residual: &Residual,
) -> Result<Image, Error> {
    let (expected, got) = (image.size(), reconstruction.size());
    if expected != got {
        return Err(Error::SizeMismatch { what: "the reconstruction", expected, got });
    }
    let (width, height) = expected;
    let values = residual_values(image.data(), reconstruction.data(), width, height, residual)?;
    Image::new(width, height, values)
}

/// [`residual_map`] on slices of `height` rows of `width` pixels.
pub(crate) fn residual_values(
    x: &[f32],
    y: &[f32],
    width: usize,
    height: usize,
    residual: &Residual,
) -> Result<Vec<f32>, Error> {
    residual.check(width, height)?;
    let values: Vec<f32> = match residual {
        Residual::L2 => x.iter().zip(y).map(|(x, y)| (x - y).powi(2)).collect(),
        Residual::Sampled(sampled) => {
            let single = |(&x, &y)| sampled.score.of_single(f64::from(y) - f64::from(x));
            x.iter().zip(y).map(single).collect()
        }
        Residual::Ssim(params) => {
            let map = ssim::ssim_map(x, y, width, height, params)?;
            map.values.into_iter().map(|ssim| 1.0 - ssim).collect()
        }
    };
    check_finite("the residual map", &values)?;
    Ok(values)
}
