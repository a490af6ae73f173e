use crate::Input;

/// Why a computation was refused; every variant carries what was got.
///
/// ```
/// use ssim::{Border, Constants, Error, Params, Window};
///
/// let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
/// let error = ssim::mean_ssim(&[0.0; 40], &[0.0; 40], 8, 5, &params).unwrap_err();
/// assert_eq!(error, Error::WindowTooLarge { size: 11, width: 8, height: 5 });
/// assert_eq!(error.to_string(), "the 11x11 window is larger than the 8x5 image");
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A window of no pixels.
    #[error("the window size must be at least 1, got 0")]
    ZeroWindow,
    /// A window of even size has no centre pixel.
    #[error("the window size must be odd, got {size}")]
    EvenWindow {
        /// The size asked for.
        size: usize,
    },
    /// The window does not fit into the image.
    #[error("the {size}x{size} window is larger than the {width}x{height} image")]
    WindowTooLarge {
        /// The size asked for.
        size: usize,
        /// Image width.
        width: usize,
        /// Image height.
        height: usize,
    },
    /// The standard deviation of a Gaussian window is not finite and positive.
    #[error("sigma of the Gaussian window must be finite and positive, got {sigma}")]
    Sigma {
        /// The standard deviation asked for.
        sigma: f64,
    },
    /// A stabilising constant lies outside the positive normal range of `f32`.
    #[error("constant {name} must lie between {min:e} and {max:e}, got {value}", min = f32::MIN_POSITIVE, max = f32::MAX)]
    Constant {
        /// `"c1"`, `"c2"` or `"c3"`.
        name: &'static str,
        /// The value asked for.
        value: f64,
    },
    /// An exponent is negative or beyond the range of `f32`.
    #[error("exponent {name} must lie between 0 and {max:e}, got {value}", max = f32::MAX)]
    Exponent {
        /// `"alpha"`, `"beta"` or `"gamma"`.
        name: &'static str,
        /// The value asked for.
        value: f64,
    },
    /// Two images of different sizes.
    #[error(
        "the images must be of the same size, got {}x{} and {}x{}", first.0, first.1, second.0, second.1
    )]
    Sizes {
        /// Width and height of the first.
        first: (usize, usize),
        /// Width and height of the second.
        second: (usize, usize),
    },
    /// A slice does not hold `width * height` values.
    #[error("{what} must hold {expected} values, got {got}")]
    Length {
        /// The slice, for instance `"the first image"`.
        what: &'static str,
        /// The number of values expected.
        expected: usize,
        /// The number of values in the slice.
        got: usize,
    },
    /// A pixel is NaN, infinite, or beyond the range of `f32`.
    #[error(
        "the {input} image holds {value} at index {index}; pixels must be finite and within the range of f32"
    )]
    Pixel {
        /// The image it is in.
        input: Input,
        /// Its row-major index.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A tensor without a single plane.
    #[error("a batch without images has no SSIM, got shape {shape:?}")]
    EmptyBatch {
        /// The shape of the tensor.
        shape: Vec<usize>,
    },
    /// A window that the kernels for CUDA have no room for.
    #[error("a window on a CUDA device can have at most {most}x{most} pixels, got {size}x{size}")]
    DeviceWindow {
        /// The size asked for.
        size: usize,
        /// The largest size.
        most: usize,
    },
    /// A batch with more rows, columns or images than the kernels for CUDA can count.
    #[error("a batch of shape {shape:?} is too large for a CUDA device")]
    DeviceBatch {
        /// The shape of the tensor.
        shape: Vec<usize>,
    },
    /// A window, border or set of constants that cannot be read from text.
    #[error("expected {expected}, got {got:?}")]
    Parse {
        /// The accepted forms.
        expected: &'static str,
        /// The text.
        got: String,
    },
}
