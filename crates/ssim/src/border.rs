use std::{fmt, str::FromStr};

use crate::Error;

/// The rule for windows that would reach over the edge of the image.
///
/// Reads and prints as `valid` and `reflect`.
///
/// ```
/// use ssim::{Border, Constants, Params, Window};
///
/// let params = |border| Params::new(Window::Uniform { size: 3 }, border, Constants::squared());
/// assert_eq!(params(Border::Valid).map_size(5, 4), Ok((3, 2)));
/// assert_eq!(params("reflect".parse()?).map_size(5, 4), Ok((5, 4)));
/// # Ok::<(), ssim::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Border {
    /// Only windows that lie inside the image: the map is `size - 1` pixels narrower and lower.
    Valid,
    /// The image is mirrored with its edge pixel repeated, `d c b a | a b c d | d c b a`: the map
    /// has the size of the image.
    ///
    /// This is SciPy's and scikit-image's *reflect*; PyTorch's and OpenCV's `REFLECT_101` do not repeat the edge.
    Reflect,
}

impl fmt::Display for Border {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Valid => "valid",
            Self::Reflect => "reflect",
        })
    }
}

impl FromStr for Border {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "valid" => Ok(Self::Valid),
            "reflect" => Ok(Self::Reflect),
            _ => Err(Error::Parse { expected: "`valid` or `reflect`", got: text.to_owned() }),
        }
    }
}
