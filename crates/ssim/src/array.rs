//! The same on arrays of the crate `ndarray` (feature `ndarray`).
//!
//! Arrays have shape (rows, columns). They may be views with any strides; those that are not in row-major order are copied.
//!
//! ```
//! use ndarray::array;
//! use ssim::{Border, Constants, Params, Window};
//!
//! // Windows of one pixel have no variance: (2·0·1 + 0.5) / (0² + 1² + 0.5) = 1/3, and 1.
//! let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
//! let (x, y) = (array![[0.0], [1.0]], array![[1.0, 1.0]]);
//! assert_eq!(ssim::array::ssim_map(&x.t(), &y, &params)?, array![[1.0 / 3.0, 1.0]]);
//! # Ok::<(), ssim::Error>(())
//! ```

use crate::{Components, Error, Input, Maps, Params, Sample};
use ndarray::{Array2, ArrayRef2};

/// Computes the maps in `components` of two arrays, as [`crate::maps`] does.
///
/// ```
/// use ndarray::array;
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let (x, y) = (array![[0.0, 1.0]], array![[1.0, 1.0]]);
/// let maps = ssim::array::maps(&x, &y, &params, Components::LUMINANCE)?;
/// assert_eq!(maps.luminance, Some(vec![1.0 / 3.0, 1.0]));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// [`Error::Sizes`] for arrays of different shapes; otherwise as [`crate::maps`].
pub fn maps<T: Sample>(
    x: &ArrayRef2<T>,
    y: &ArrayRef2<T>,
    params: &Params,
    components: Components,
) -> Result<Maps<T>, Error> {
    with_slices(x, y, |x, y, width, height| crate::maps(x, y, width, height, params, components))
}

/// Computes the SSIM map of two arrays, as [`crate::ssim_map`] does, one value per window.
///
/// ```
/// use ndarray::{Array2, s};
/// use ssim::{Border, Constants, Params, Window};
///
/// // Every other column of two images, which differ in the others.
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let x = Array2::<f32>::zeros((4, 8));
/// let y = Array2::from_shape_fn((4, 8), |(_, column)| (column % 2) as f32);
/// let map = ssim::array::ssim_map(&x.slice(s![.., ..;2]), &y.slice(s![.., ..;2]), &params)?;
/// assert_eq!(map, Array2::<f32>::ones((2, 2)));
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
pub fn ssim_map<T: Sample>(
    x: &ArrayRef2<T>,
    y: &ArrayRef2<T>,
    params: &Params,
) -> Result<Array2<T>, Error> {
    let compute = |x: &[T], y: &[T], width, height| crate::ssim_map(x, y, width, height, params);
    let map = with_slices(x, y, compute)?;
    Ok(array(map.width, map.height, map.values))
}

/// The mean of the SSIM map of two arrays, as [`crate::mean_ssim`].
///
/// ```
/// use ndarray::array;
/// use ssim::{Border, Constants, Params, Window};
///
/// // The map is (1/3, 1).
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let mean = ssim::array::mean_ssim(&array![[0.0, 1.0]], &array![[1.0, 1.0]], &params)?;
/// assert!((mean - 2.0 / 3.0).abs() < 1e-15);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
#[doc(alias = "structural_similarity")]
pub fn mean_ssim<T: Sample>(
    x: &ArrayRef2<T>,
    y: &ArrayRef2<T>,
    params: &Params,
) -> Result<f64, Error> {
    with_slices(x, y, |x, y, width, height| crate::mean_ssim(x, y, width, height, params))
}

/// Computes the mean of 1 − SSIM over the map of two arrays, and its gradient with respect to one of them, as
/// [`crate::loss_and_gradient`] does.
///
/// ```
/// use ndarray::array;
/// use ssim::{Border, Constants, Input, Params, Window};
///
/// // Where the pixels are equal, the loss has its minimum; below, it falls as x moves towards y.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let (x, y) = (array![[1.0], [0.0]], array![[1.0], [1.0]]);
/// let (loss, gradient) = ssim::array::loss_and_gradient(&x, &y, &params, Input::First)?;
/// assert!((loss - 1.0 / 3.0).abs() < 1e-15);
/// assert!(gradient[[0, 0]] == 0.0 && gradient[[1, 0]] < 0.0_f64);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// # Errors
/// As [`maps`].
pub fn loss_and_gradient<T: Sample>(
    x: &ArrayRef2<T>,
    y: &ArrayRef2<T>,
    params: &Params,
    wrt: Input,
) -> Result<(f64, Array2<T>), Error> {
    let (height, width) = x.dim();
    let (loss, gradient) = with_slices(x, y, |x, y, width, height| {
        crate::loss_and_gradient(x, y, width, height, params, wrt)
    })?;
    Ok((loss, array(width, height, gradient)))
}

fn array<T>(width: usize, height: usize, values: Vec<T>) -> Array2<T> {
    Array2::from_shape_vec((height, width), values).expect("there are `width * height` values")
}

/// Lets `compute` have the pixels of both arrays, row by row, and their width and height.
fn with_slices<T: Sample, R>(
    x: &ArrayRef2<T>,
    y: &ArrayRef2<T>,
    compute: impl FnOnce(&[T], &[T], usize, usize) -> Result<R, Error>,
) -> Result<R, Error> {
    let ((height, width), (rows, columns)) = (x.dim(), y.dim());
    if (height, width) != (rows, columns) {
        return Err(Error::Sizes { first: (width, height), second: (columns, rows) });
    }
    let (x, y) = (x.as_standard_layout(), y.as_standard_layout());
    let expected = "an array in standard layout is a slice";
    compute(x.as_slice().expect(expected), y.as_slice().expect(expected), width, height)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::{Border, Constants, Window};
    use ndarray::s;

    fn params() -> Params {
        Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared())
    }

    fn texture(seed: usize) -> Array2<f64> {
        Array2::from_shape_fn((9, 7), |(y, x)| ((y * 31 + x * 17 + seed * 7) % 11) as f64 / 11.0)
    }

    #[test]
    fn views_of_any_strides_are_their_pixels() {
        let (x, y) = (texture(0), texture(1));
        let (part_x, part_y) = (x.slice(s![1..8;2, ..;-1]), y.slice(s![0..4, ..]));
        let copied: Vec<f64> = part_x.iter().copied().collect();
        let second: Vec<f64> = part_y.iter().copied().collect();
        let expected = crate::ssim_map(&copied, &second, 7, 4, &params()).unwrap();
        let map = ssim_map(&part_x, &part_y, &params()).unwrap();
        assert_eq!(map.dim(), (2, 5));
        assert_eq!(map.into_raw_vec_and_offset().0, expected.values);
    }

    #[test]
    fn gradients_have_the_shape_of_the_arrays() {
        let (x, y) = (texture(0), texture(1));
        let (loss, gradient) = loss_and_gradient(&x, &y, &params(), Input::Second).unwrap();
        let (slice_x, slice_y) = (x.as_slice().unwrap(), y.as_slice().unwrap());
        let expected =
            crate::loss_and_gradient(slice_x, slice_y, 7, 9, &params(), Input::Second).unwrap();
        assert_eq!(gradient.dim(), (9, 7));
        assert_eq!((loss, gradient.into_raw_vec_and_offset().0), expected);
    }

    #[test]
    fn other_shapes_are_refused() {
        let (x, y) = (texture(0), texture(1));
        let error = maps(&x, &y.t(), &params(), Components::SSIM).unwrap_err();
        assert_eq!(error, Error::Sizes { first: (7, 9), second: (9, 7) });
        assert_eq!(error.to_string(), "the images must be of the same size, got 7x9 and 9x7");
    }
}
