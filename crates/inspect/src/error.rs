/// An error of this crate.
///
/// ```
/// use inspect::{Error, Image};
///
/// let error = Image::new(4, 3, vec![0.0; 10]).unwrap_err();
/// assert!(matches!(error, Error::PlaneLength { expected: 12, got: 10, .. }));
/// assert_eq!(error.to_string(), "a plane of 4x3 pixels needs 12 values, got 10");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A plane whose data does not hold `width * height` values.
    #[error("a plane of {width}x{height} pixels needs {expected} values, got {got}")]
    PlaneLength {
        /// Width in pixels.
        width: usize,
        /// Height in pixels.
        height: usize,
        /// `width * height`.
        expected: usize,
        /// The number of values given.
        got: usize,
    },

    /// Two planes that describe the same pixels, but differ in size.
    #[error(
        "{what} should be {}x{} pixels, got {}x{}",
        expected.0, expected.1, got.0, got.1
    )]
    SizeMismatch {
        /// The plane that does not fit.
        what: &'static str,
        /// The width and height it should have.
        expected: (usize, usize),
        /// The width and height it has.
        got: (usize, usize),
    },

    /// A NaN or infinite value where only finite ones make sense.
    #[error("{what} holds {value} at index {index}; every value must be finite")]
    NotFinite {
        /// The data that holds the value.
        what: &'static str,
        /// Its position in row-major order.
        index: usize,
        /// The value.
        value: f32,
    },

    /// A region of interest without a pixel.
    #[error("the region of interest is empty")]
    EmptyRegion,

    /// A patch size of zero.
    #[error("the patch size must be at least 1 pixel")]
    ZeroPatch,

    /// A stride that does not advance, or that leaves gaps between the patches.
    #[error(
        "stride {stride} does not cover the image: with patches of {patch} pixels it must lie in 1..={patch}"
    )]
    Stride {
        /// The stride given.
        stride: usize,
        /// The patch size.
        patch: usize,
    },

    /// A batch size of zero.
    #[error("the batch size must be at least 1 patch")]
    ZeroBatch,

    /// An axis that is too short for a single patch.
    #[error("a length of {length} pixels is smaller than a patch of {patch}")]
    LengthBelowPatch {
        /// The length of the axis in pixels.
        length: usize,
        /// The patch size.
        patch: usize,
    },

    /// An image that is too small for a single patch.
    #[error("an image of {width}x{height} pixels is smaller than a patch of {patch}x{patch}")]
    ImageBelowPatch {
        /// Width of the image in pixels.
        width: usize,
        /// Height of the image in pixels.
        height: usize,
        /// The patch size.
        patch: usize,
    },

    /// A margin that some patches would see nothing but.
    #[error("a margin of {pixels} pixels is larger than a patch of {patch}")]
    Margin {
        /// The width of the margin in pixels.
        pixels: usize,
        /// The patch size.
        patch: usize,
    },

    /// A residual of no samples.
    #[error("a residual of samples needs at least 1 of each patch")]
    ZeroSamples,

    /// A variance floor that is not positive and finite.
    #[error("the variance floor must be positive and finite, got {got}")]
    VarianceFloor {
        /// The floor given.
        got: f64,
    },

    /// A standard deviation that is negative, too large or not finite.
    #[error("the standard deviation of a smoothing must lie in 0..={widest} pixels, got {got}")]
    Sigma {
        /// The largest standard deviation, in pixels.
        widest: f64,
        /// The standard deviation given.
        got: f64,
    },

    /// Residual maps of an image that are not as many as those of the good images.
    #[error("{what}: expected {expected} residual maps, got {got}")]
    ResidualMaps {
        /// The image.
        what: &'static str,
        /// The number of maps it should have.
        expected: usize,
        /// The number of maps it has.
        got: usize,
    },

    /// No residual map, or no Gaussian.
    #[error(
        "normal scores need at least one residual map and one standard deviation of a Gaussian"
    )]
    NoChannels,

    /// The reconstructor failed.
    #[error("the patches could not be reconstructed")]
    Reconstructor(#[source] Box<dyn std::error::Error + Send + Sync>),

    /// The reconstructor returned a batch of another shape than it was given.
    #[error("a batch of {patches} patches needs {expected} reconstructed values, got {got}")]
    ReconstructionLength {
        /// The number of patches in the batch.
        patches: usize,
        /// `patches * patch * patch`.
        expected: usize,
        /// The number of values returned.
        got: usize,
    },

    /// The reconstructor returned a tensor of another shape than it was to.
    #[cfg(feature = "candle")]
    #[error("a batch of patches needs reconstructions of shape {expected:?}, got {got:?}")]
    ReconstructionShape {
        /// The shape that was asked for.
        expected: Vec<usize>,
        /// The shape of what was returned.
        got: Vec<usize>,
    },
    /// The device failed.
    #[cfg(feature = "candle")]
    #[error("the device could not do its part of the inspection")]
    Tensor(#[from] candle_core::Error),
    /// The SSIM of the image and its reconstruction could not be computed.
    #[error("the SSIM residual could not be computed")]
    Ssim(#[from] ssim::Error),

    /// An SSIM residual whose border handling shrinks the map.
    #[error(
        "an SSIM residual needs a border that keeps the size: {expected:?} pixels, got {got:?}"
    )]
    ResidualBorder {
        /// Width and height of the image.
        expected: (usize, usize),
        /// Width and height of the SSIM map.
        got: (usize, usize),
    },

    /// A threshold was asked for without any good scores to derive it from.
    #[error("a threshold needs at least one score of a good image, got none")]
    NoScores,

    /// A parameter of a threshold rule outside its range.
    #[error("the {name} of a threshold rule must be {expected}, got {got}")]
    RuleParameter {
        /// The name of the parameter.
        name: &'static str,
        /// The values it may take.
        expected: &'static str,
        /// The value given.
        got: f64,
    },

    /// A statistic of the good scores with no finite f32 above it.
    #[error("no finite threshold lies above {statistic}")]
    ThresholdRange {
        /// The statistic, rounded to f32.
        statistic: f32,
    },

    /// A region area that no region can exceed, so that no threshold follows from it.
    #[error("no region exceeds {max_area} pixels: the largest good map has only {largest}")]
    MaxArea {
        /// The largest area allowed.
        max_area: usize,
        /// The number of pixels of the largest good map.
        largest: usize,
    },
}
