use crate::device::choice::DeviceChoice;
use crate::device::failure::DeviceFailure;
use convolutions::PrecisionError;
use std::fmt;

/// The errors of this crate.
///
/// ```
/// use models::{Architecture, Error};
///
/// let error = Architecture { patch_size: 100, ..Architecture::default() }.validate().unwrap_err();
/// assert!(matches!(error, Error::Setting { name: "patch_size", .. }));
/// assert_eq!(error.to_string(), "patch_size must be 32, 64 or 128, got 100");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting outside its range.
    #[error("{name} must be {expected}, got {got}")]
    Setting {
        /// The setting's name.
        name: &'static str,
        /// The allowed values.
        expected: String,
        /// The value.
        got: String,
    },
    /// Weights that lack a tensor of the architecture.
    #[error("the weights lack the tensor `{name}`")]
    MissingTensor {
        /// The tensor's name.
        name: String,
    },
    /// Weights with a tensor of another shape or type than the architecture's.
    #[error("the tensor `{name}` should be {expected}, but is {got}")]
    TensorMismatch {
        /// The tensor's name.
        name: String,
        /// The shape and type that the architecture has.
        expected: String,
        /// The shape and type found.
        got: String,
    },
    /// Weights with a tensor that the architecture does not have.
    #[error("the weights hold `{name}`, which the architecture does not have")]
    UnexpectedTensor {
        /// The tensor's name.
        name: String,
    },
    /// A tensor with values that are NaN, infinite, or so large that the sum of their squares is.
    #[error("the tensor `{name}` holds values that are not finite, or too large to compute with")]
    NotFinite {
        /// The tensor's name.
        name: String,
    },
    /// Reconstructions or a loss that are NaN or infinite: training cannot go on. The loss is NaN if it is the
    /// reconstructions, for which it is not computed.
    #[error("the loss is {loss} after {patches} patches; a lower learning rate may help")]
    Diverged {
        /// The loss.
        loss: f32,
        /// Patches seen until then.
        patches: u64,
    },
    /// A step after the last one of a training run.
    #[error("the training run is finished: it has seen all of its {patches} patches")]
    Finished {
        /// Patches seen.
        patches: u64,
    },
    /// A training image that no patch can be cut from.
    #[error(
        "training image {index} of {width}x{height} pixels is smaller than a patch of {patch}x{patch}"
    )]
    ImageTooSmall {
        /// Its place in the list of images.
        index: usize,
        /// Its width in pixels.
        width: usize,
        /// Its height in pixels.
        height: usize,
        /// The side length of a patch in pixels.
        patch: usize,
    },
    /// Training without images.
    #[error("there is no image to train on")]
    NoImages,
    /// A checkpoint of another training run.
    #[error("the checkpoint is of a run with {name} {got}, not {expected}")]
    CheckpointMismatch {
        /// The setting that differs, such as `adam.learning_rate`.
        name: String,
        /// This run's.
        expected: String,
        /// The checkpoint's.
        got: String,
    },
    /// A checkpoint of another version of this crate.
    #[error(
        "the checkpoint has format {got}, but this version of the program reads format {expected}: train anew"
    )]
    CheckpointFormat {
        /// The format that this version reads.
        expected: u32,
        /// The checkpoint's.
        got: u32,
    },
    /// A device that cannot be used.
    #[error("cannot compute on {device}: {failure}")]
    Device {
        /// The device.
        device: DeviceChoice,
        /// Why it cannot be used.
        failure: DeviceFailure,
    },
    /// Bytes that are not a safetensors file.
    #[error("not a valid safetensors file: {0}")]
    Format(#[from] safetensors::SafeTensorError),
    /// An operation on tensors failed.
    #[error(transparent)]
    Tensor(#[from] candle_core::Error),
}

impl Error {
    /// Whether the memory of a GPU did not suffice: less may succeed, such as a smaller batch.
    ///
    /// ```
    /// use models::{DeviceChoice, DeviceFailure, Error};
    ///
    /// let on_gpu = |failure| Error::Device { device: DeviceChoice::Cuda(0), failure };
    /// assert!(on_gpu(DeviceFailure::OutOfMemory).is_out_of_memory());
    /// assert!(!on_gpu(DeviceFailure::NoDriver).is_out_of_memory());
    /// ```
    pub fn is_out_of_memory(&self) -> bool {
        match self {
            Self::Device { failure, .. } => *failure == DeviceFailure::OutOfMemory,
            Self::Tensor(error) => DeviceFailure::is_out_of_memory(error),
            _ => false,
        }
    }

    pub(crate) fn setting(
        name: &'static str,
        expected: impl Into<String>,
        got: impl fmt::Display,
    ) -> Self {
        Self::Setting { name, expected: expected.into(), got: got.to_string() }
    }
}

impl From<PrecisionError> for Error {
    fn from(PrecisionError { expected, got, .. }: PrecisionError) -> Self {
        Self::setting("precision", expected, got)
    }
}

/// A result with this crate's error.
pub type Result<T, E = Error> = std::result::Result<T, E>;
