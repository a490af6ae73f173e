//! Errors.

use crate::files::shown;
use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of another crate or of a caller's function.
pub type AnyError = Box<dyn StdError + Send + Sync>;

/// An error of this crate.
///
/// Messages name the file or the setting, what was expected and what was got. The cause, if there is one, is the
/// [`source`](StdError::source): a message with all its causes is `"cannot read image a.png: expected a complete PNG image: …"`.
///
/// ```
/// let error = detector::read_image("missing.png".as_ref()).unwrap_err();
/// assert!(matches!(error, detector::Error::Image { .. }));
/// assert_eq!(error.to_string(), "cannot read image missing.png");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The system could not do something with a file or a folder.
    #[error("cannot {action} {}", shown(path))]
    Io {
        /// `"read"`, `"create folder"` and the like.
        action: &'static str,
        /// The file or the folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A file could not be written. The one that it was to replace is as it was.
    #[error("cannot write {}", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: AnyError,
    },
    /// A file could not be read as an image or as a mask.
    #[error("cannot read {kind} {path}")]
    Image {
        /// `"image"` or `"mask"`.
        kind: &'static str,
        /// The file, its name on one line.
        path: String,
        /// Why.
        source: Box<Self>,
    },
    /// A file or a folder, or what it holds, is not what was expected.
    #[error("{}: {expected}", shown(path))]
    File {
        /// The file or the folder.
        path: PathBuf,
        /// The expectation, and what was got instead.
        expected: String,
    },
    /// A setting, an argument or a value is not what was expected.
    #[error("{0}")]
    Value(String),
    /// An image file is of a kind that is not read.
    #[error("{0}")]
    Unsupported(String),
    /// Something went wrong in the course of something else.
    #[error("{task}")]
    During {
        /// The file, the setting, or what was being done.
        task: String,
        /// The cause.
        source: Box<Self>,
    },
    /// The region of interest leaves nothing of an image, as where no part lies against the background.
    #[error("data.region leaves nothing of the image")]
    EmptyRegion,
    /// The caller cancelled the work.
    #[error("cancelled")]
    Cancelled,
    /// An image could not be inspected.
    #[error(transparent)]
    Inspect(#[from] inspect::Error),
    /// Scores could not be evaluated.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Metrics(#[from] metrics::Error),
    /// A network could not be read, trained or run.
    #[cfg(feature = "network")]
    #[error(transparent)]
    Model(#[from] models::Error),
    /// An error of another crate, such as a decoder of images.
    #[error(transparent)]
    Other(AnyError),
}

impl Error {
    /// [`Error::Io`] of a path.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// Whether an image has no [region of interest](Self::EmptyRegion), whatever was being done with it.
    pub fn is_empty_region(&self) -> bool {
        match self {
            Self::EmptyRegion => true,
            Self::During { source, .. } => source.is_empty_region(),
            _ => false,
        }
    }

    /// [`Error::File`] of a path.
    pub(crate) fn file(path: &Path, expected: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), expected: expected.into() }
    }
}

/// Errors of other crates that become [`Error::Other`].
macro_rules! other {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::Other(error.into())
            }
        })*
    };
}

other!(
    image::ImageError,
    io::Error,
    png::DecodingError,
    serde_json::Error,
    std::num::TryFromIntError,
    std::str::Utf8Error,
    tiff::TiffError,
    glob::GlobError,
    glob::PatternError,
);
#[cfg(feature = "network")]
other!(
    candle_core::Error,
    csv::Error,
    ssim::Error,
    std::string::FromUtf8Error,
    toml::ser::Error,
    zip::result::ZipError,
);

/// Says what was being done when something went wrong.
pub(crate) trait Context<T> {
    /// With a task that is known.
    fn context(self, task: impl Into<String>) -> Result<T>;

    /// With a task that is put into words only if something went wrong.
    fn with_context<S: Into<String>>(self, task: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for std::result::Result<T, E> {
    fn context(self, task: impl Into<String>) -> Result<T> {
        self.with_context(|| task)
    }

    fn with_context<S: Into<String>>(self, task: impl FnOnce() -> S) -> Result<T> {
        let during =
            |error: E| Error::During { task: task().into(), source: Box::new(error.into()) };
        self.map_err(during)
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, task: impl Into<String>) -> Result<T> {
        self.with_context(|| task)
    }

    fn with_context<S: Into<String>>(self, task: impl FnOnce() -> S) -> Result<T> {
        self.ok_or_else(|| Error::Value(task().into()))
    }
}

/// Returns [`Error::Value`] with a message.
macro_rules! bail {
    ($($message:tt)*) => {
        return Err($crate::Error::Value(format!($($message)*)))
    };
}

/// Returns [`Error::Value`] with a message unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            $crate::error::bail!($($message)*);
        }
    };
}

pub(crate) use {bail, ensure};

/// The message of an error and of its causes, as `bench-cli` prints it.
#[cfg(test)]
pub(crate) fn message(error: &dyn StdError) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", message(cause)),
        None => error.to_string(),
    }
}
