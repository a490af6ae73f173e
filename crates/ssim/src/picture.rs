//! The same on images of the crate `image` (feature `image`).
//!
//! Colours become grey by `image`'s luma, and whole numbers intensities in [0, 1]; alpha is ignored.
//!
//! ```
//! use image::{DynamicImage, GrayImage};
//! use ssim::{Border, Constants, Params, Window};
//!
//! // As ([1.0, 1.0, 1.0], [0.2, 0.2, 0.2]), without variance: 2·0.2 / (1² + 0.2²), since the constants are tiny.
//! let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::given(1e-9, 1e-9));
//! let grey = |level| DynamicImage::from(GrayImage::from_vec(3, 3, vec![level; 9]).unwrap());
//! let map = ssim::picture::ssim_map(&grey(255), &grey(51), &params)?;
//! assert!((map.get_pixel(0, 0)[0] - 0.4 / 1.04).abs() < 1e-6);
//! # Ok::<(), ssim::Error>(())
//! ```

use crate::{Components, Error, Maps, Params};
use image::{DynamicImage, ImageBuffer, Luma};

/// Grey levels in single precision.
pub type GreyMap = ImageBuffer<Luma<f32>, Vec<f32>>;

/// Computes the maps in `components` of two images, as [`crate::maps`] does.
///
/// ```
/// use image::{DynamicImage, GrayImage};
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let white = DynamicImage::from(GrayImage::from_vec(4, 3, vec![255; 12]).unwrap());
/// let maps = ssim::picture::maps(&white, &white, &params, Components::CONTRAST)?;
/// assert_eq!((maps.width, maps.height, maps.contrast), (2, 1, Some(vec![1.0, 1.0])));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// [`Error::Sizes`] for images of different sizes; otherwise as [`crate::maps`].
pub fn maps(
    x: &DynamicImage,
    y: &DynamicImage,
    params: &Params,
    components: Components,
) -> Result<Maps, Error> {
    let (width, height) = common_size(x, y)?;
    crate::maps(&intensities(x), &intensities(y), width, height, params, components)
}

/// Computes the SSIM map of two images, as [`crate::ssim_map`] does: one value in [-1, 1] per window.
///
/// ```
/// use image::{DynamicImage, GrayImage};
/// use ssim::{Border, Constants, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Reflect, Constants::squared());
/// let white = DynamicImage::from(GrayImage::from_vec(4, 3, vec![255; 12]).unwrap());
/// let map = ssim::picture::ssim_map(&white, &white, &params)?;
/// assert_eq!((map.dimensions(), map.get_pixel(3, 2)[0]), ((4, 3), 1.0));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
pub fn ssim_map(x: &DynamicImage, y: &DynamicImage, params: &Params) -> Result<GreyMap, Error> {
    let (width, height) = common_size(x, y)?;
    let map = crate::ssim_map(&intensities(x), &intensities(y), width, height, params)?;
    let size = (map.width as u32, map.height as u32);
    Ok(GreyMap::from_raw(size.0, size.1, map.values).expect("a map is no larger than its images"))
}

/// The mean of the SSIM map of two images, as [`crate::mean_ssim`].
///
/// ```
/// use image::{DynamicImage, GrayImage};
/// use ssim::Params;
///
/// let grey = |level| DynamicImage::from(GrayImage::from_pixel(16, 16, [level].into()));
/// assert_eq!(ssim::picture::mean_ssim(&grey(200), &grey(200), &Params::wang2004())?, 1.0);
/// assert!(ssim::picture::mean_ssim(&grey(200), &grey(100), &Params::wang2004())? < 0.9);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
#[doc(alias = "structural_similarity")]
pub fn mean_ssim(x: &DynamicImage, y: &DynamicImage, params: &Params) -> Result<f64, Error> {
    let (width, height) = common_size(x, y)?;
    crate::mean_ssim(&intensities(x), &intensities(y), width, height, params)
}

fn common_size(x: &DynamicImage, y: &DynamicImage) -> Result<(usize, usize), Error> {
    let size = |image: &DynamicImage| (image.width() as usize, image.height() as usize);
    match (size(x), size(y)) {
        (first, second) if first == second => Ok(first),
        (first, second) => Err(Error::Sizes { first, second }),
    }
}

/// Row by row.
fn intensities(image: &DynamicImage) -> Vec<f32> {
    image.to_luma32f().into_raw()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::{Border, Constants, Window};
    use image::{GrayImage, RgbaImage};

    fn params() -> Params {
        Params::new(Window::Uniform { size: 3 }, Border::Reflect, Constants::squared())
    }

    #[test]
    fn levels_are_intensities_whatever_the_depth() {
        let levels: Vec<u8> = (0..20).map(|i| (i * 37 % 256) as u8).collect();
        let x: DynamicImage = GrayImage::from_vec(5, 4, levels.clone()).unwrap().into();
        let y: DynamicImage = GrayImage::from_vec(5, 4, vec![90; 20]).unwrap().into();
        let slice: Vec<f32> = levels.iter().map(|&level| f32::from(level) / 255.0).collect();
        let expected = crate::ssim_map(&slice, &[90.0 / 255.0; 20], 5, 4, &params()).unwrap();
        let map = ssim_map(&x, &y, &params()).unwrap();
        assert_eq!(map.dimensions(), (5, 4));
        assert_eq!(map.into_raw(), expected.values);
        // Of 65,535 levels, 257 times as many stand for the same intensity.
        let deep = ssim_map(&x.to_luma16().into(), &y, &params()).unwrap().into_raw();
        for (deep, expected) in deep.iter().zip(expected.values) {
            assert!((deep - expected).abs() < 1e-6);
        }
    }

    #[test]
    fn alpha_is_ignored_and_other_sizes_are_refused() {
        let clear = DynamicImage::from(RgbaImage::from_pixel(4, 4, [80, 80, 80, 0].into()));
        let opaque = DynamicImage::from(GrayImage::from_pixel(4, 4, [80].into()));
        let map = ssim_map(&clear, &opaque, &params()).unwrap();
        assert!(map.into_raw().iter().all(|&value| (value - 1.0).abs() < 1e-6));
        let wide = DynamicImage::from(GrayImage::new(5, 4));
        let error = maps(&wide, &opaque, &params(), Components::SSIM).unwrap_err();
        assert_eq!(error, Error::Sizes { first: (5, 4), second: (4, 4) });
    }
}
