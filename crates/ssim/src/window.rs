use std::{fmt, str::FromStr};

use crate::Error;

const FORMS: &str = "`uniform:SIZE` or `gaussian:SIZE:SIGMA`";

/// The square window over which the local statistics are taken; weights sum to one.
///
/// Reads and prints as `uniform:11` and `gaussian:11:1.5`.
///
/// ```
/// use ssim::Window;
///
/// assert_eq!("gaussian:11:1.5".parse(), Ok(Window::Gaussian { size: 11, sigma: 1.5 }));
/// assert_eq!(Window::Uniform { size: 7 }.to_string(), "uniform:7");
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[doc(alias = "win_size")]
#[doc(alias = "kernel_size")]
#[doc(alias = "gaussian_weights")]
pub enum Window {
    /// `size`×`size` pixels of equal weight; the time per pixel does not depend on `size`.
    Uniform {
        /// Side in pixels, odd.
        size: usize,
    },
    /// A Gaussian sampled at `size`×`size` pixels and normalised over them.
    ///
    /// Size 11 with σ = 1.5 is the window of Wang et al. 2004.
    Gaussian {
        /// Side in pixels, odd.
        size: usize,
        /// Standard deviation in pixels.
        sigma: f64,
    },
}

impl Window {
    /// Side of the window in pixels.
    ///
    /// ```
    /// assert_eq!(ssim::Window::Gaussian { size: 11, sigma: 1.5 }.size(), 11);
    /// ```
    pub const fn size(&self) -> usize {
        match *self {
            Self::Uniform { size } | Self::Gaussian { size, .. } => size,
        }
    }

    /// The weights along one axis; the window is their outer product.
    ///
    /// ```
    /// use ssim::Window;
    ///
    /// assert_eq!(Window::Uniform { size: 5 }.weights()?, [0.2; 5]);
    ///
    /// // σ² = 1/(2 ln 2): a pixel beside the centre has half its weight.
    /// let window = Window::Gaussian { size: 3, sigma: (2.0 * 2.0_f64.ln()).sqrt().recip() };
    /// let expected = [0.25, 0.5, 0.25];
    /// assert!(window.weights()?.iter().zip(expected).all(|(weight, e)| (weight - e).abs() < 1e-15));
    /// # Ok::<(), ssim::Error>(())
    /// ```
    ///
    /// # Errors
    /// An even or zero size; a σ that is not finite and positive.
    pub fn weights(&self) -> Result<Vec<f64>, Error> {
        self.validate()?;
        Ok(match *self {
            Self::Uniform { size } => vec![1.0 / size as f64; size],
            Self::Gaussian { size, sigma } => gaussian(size, sigma),
        })
    }

    pub(crate) fn validate(&self) -> Result<(), Error> {
        match *self {
            Self::Gaussian { sigma, .. } if !(sigma.is_finite() && sigma > 0.0) => {
                Err(Error::Sigma { sigma })
            }
            _ if self.size() == 0 => Err(Error::ZeroWindow),
            _ if self.size().is_multiple_of(2) => Err(Error::EvenWindow { size: self.size() }),
            _ => Ok(()),
        }
    }
}

fn gaussian(size: usize, sigma: f64) -> Vec<f64> {
    let centre = (size / 2) as f64;
    // The quotient is squared, not σ: the square of a tiny σ underflows and 0/0 would follow.
    let weight = |i| (-0.5 * ((i as f64 - centre) / sigma).powi(2)).exp();
    let total: f64 = (0..size).map(weight).sum();
    (0..size).map(|i| weight(i) / total).collect()
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Uniform { size } => write!(f, "uniform:{size}"),
            Self::Gaussian { size, sigma } => write!(f, "gaussian:{size}:{sigma}"),
        }
    }
}

impl FromStr for Window {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unreadable = || Error::Parse { expected: FORMS, got: text.to_owned() };
        let size = |digits: &str| digits.parse().map_err(|_| unreadable());
        let window = match text.split(':').collect::<Vec<_>>()[..] {
            ["uniform", digits] => Self::Uniform { size: size(digits)? },
            ["gaussian", digits, sigma] => Self::Gaussian {
                size: size(digits)?,
                sigma: sigma.parse().map_err(|_| unreadable())?,
            },
            _ => return Err(unreadable()),
        };
        window.validate()?;
        Ok(window)
    }
}
