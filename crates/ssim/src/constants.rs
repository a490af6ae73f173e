use std::{fmt, str::FromStr};

use crate::Error;

const FORMS: &str = "`paper`, `squared`, `C1,C2` or `C1,C2,C3`";

/// The constants that keep the three ratios finite where means or variances vanish.
///
/// They are in units of squared pixel values, so they state the range that pixels are expected in:
/// there is no default, and nothing is guessed from the images.
///
/// Reads and prints as `paper`, `squared`, `C1,C2` (with c3 = c2/2) or `C1,C2,C3`.
///
/// ```
/// use ssim::Constants;
///
/// assert_eq!(Constants::squared(), Constants::from_k(0.01, 0.03, 1.0));
/// assert_eq!("0.01,0.03".parse(), Ok(Constants::paper()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Constants {
    /// Stabilises the luminance.
    pub c1: f64,
    /// Stabilises the contrast.
    pub c2: f64,
    /// Stabilises the structure; c2/2 makes contrast × structure collapse to one ratio.
    pub c3: f64,
}

impl Constants {
    /// c1 = 0.01 and c2 = 0.03 as Bergmann et al. 2018 print them, *not* squared; pixels in [0, 1].
    pub const fn paper() -> Self {
        Self::given(0.01, 0.03)
    }

    /// c1 = 0.01² and c2 = 0.03², what nearly all public code uses; pixels in [0, 1].
    pub const fn squared() -> Self {
        Self::from_k(0.01, 0.03, 1.0)
    }

    /// c1 = (k1·L)² and c2 = (k2·L)², where L = `data_range` is the width of the range that pixels
    /// can take: 1 for [0, 1], 255 for 8-bit values, 2 for [-1, 1] (Wang et al. 2004, equations 7 and 9).
    ///
    /// ```
    /// let for_bytes = ssim::Constants::from_k(0.01, 0.03, 255.0);
    /// assert!((for_bytes.c1 - 6.5025).abs() < 1e-9 && (for_bytes.c2 - 58.5225).abs() < 1e-9);
    /// ```
    #[doc(alias = "data_range")]
    #[doc(alias = "K1")]
    #[doc(alias = "K2")]
    pub const fn from_k(k1: f64, k2: f64, data_range: f64) -> Self {
        let (root1, root2) = (k1 * data_range, k2 * data_range);
        Self::given(root1 * root1, root2 * root2)
    }

    /// The given c1 and c2, and c3 = c2/2.
    ///
    /// ```
    /// use ssim::Constants;
    ///
    /// assert_eq!(Constants::given(0.01, 0.5), Constants { c1: 0.01, c2: 0.5, c3: 0.25 });
    /// ```
    pub const fn given(c1: f64, c2: f64) -> Self {
        Self { c1, c2, c3: c2 / 2.0 }
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        // Within these bounds no product of moments of `f32` pixels leaves the range of `f64`.
        let range = f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX);
        for (name, value) in [("c1", self.c1), ("c2", self.c2), ("c3", self.c3)] {
            if !range.contains(&value) {
                return Err(Error::Constant { name, value });
            }
        }
        Ok(())
    }
}

impl fmt::Display for Constants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { c1, c2, c3 } = *self;
        if *self == Self::paper() {
            f.write_str("paper")
        } else if *self == Self::squared() {
            f.write_str("squared")
        } else if *self == Self::given(c1, c2) {
            write!(f, "{c1},{c2}")
        } else {
            write!(f, "{c1},{c2},{c3}")
        }
    }
}

impl FromStr for Constants {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Parse { expected: FORMS, got: text.to_owned() };
        let number = |digits: &str| digits.trim().parse::<f64>().map_err(|_| unreadable());
        let constants = match text {
            "paper" => Self::paper(),
            "squared" => Self::squared(),
            _ => match text.split(',').map(number).collect::<Result<Vec<_>, _>>()?[..] {
                [c1, c2] => Self::given(c1, c2),
                [c1, c2, c3] => Self { c1, c2, c3 },
                _ => return Err(unreadable()),
            },
        };
        constants.validate()?;
        Ok(constants)
    }
}
