use crate::{Border, Constants, Error, Window};

/// The exponents of luminance, contrast and structure: SSIM = l^α · c^β · s^γ.
///
/// Luminance and structure can be negative. An integer exponent keeps the sign as arithmetic does;
/// with any other exponent a negative factor counts as 0, and so does its gradient. Where a factor
/// *is* 0, an exponent below 1 has no finite derivative; its gradient is taken as 0 there as well.
///
/// ```
/// use ssim::{Border, Constants, Exponents, Params, Window};
///
/// // A dot and its negative. Without luminance and structure, SSIM is their contrast, which is the same.
/// let x = [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0];
/// let y = x.map(|x| 1.0 - x);
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let contrast = Params { exponents: Exponents { alpha: 0.0, beta: 1.0, gamma: 0.0 }, ..params };
/// assert_eq!(ssim::mean_ssim(&x, &y, 3, 3, &contrast)?, 1.0);
/// assert!(ssim::mean_ssim(&x, &y, 3, 3, &params)? < 0.0);
/// # Ok::<(), ssim::Error>(())
/// ```
///
/// In a configuration file (feature `serde`) they are three numbers, `[1.0, 1.0, 1.0]`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(try_from = "[f64; 3]", into = "[f64; 3]")
)]
pub struct Exponents {
    /// Exponent of the luminance, at least 0 and within the range of `f32`, as the others.
    pub alpha: f64,
    /// Exponent of the contrast, at least 0.
    pub beta: f64,
    /// Exponent of the structure, at least 0.
    pub gamma: f64,
}

impl Exponents {
    /// α = β = γ = 1.
    pub const ONE: Self = Self { alpha: 1.0, beta: 1.0, gamma: 1.0 };

    fn validate(&self) -> Result<(), Error> {
        for (name, value) in [("alpha", self.alpha), ("beta", self.beta), ("gamma", self.gamma)] {
            // Within these bounds no derivative leaves the range of `f64`.
            if !(0.0..=f64::from(f32::MAX)).contains(&value) {
                return Err(Error::Exponent { name, value });
            }
        }
        Ok(())
    }
}

impl TryFrom<[f64; 3]> for Exponents {
    type Error = Error;

    /// α, β and γ.
    ///
    /// # Errors
    /// [`Error::Exponent`] if one is negative or not finite.
    fn try_from([alpha, beta, gamma]: [f64; 3]) -> Result<Self, Error> {
        let exponents = Self { alpha, beta, gamma };
        exponents.validate()?;
        Ok(exponents)
    }
}

impl From<Exponents> for [f64; 3] {
    fn from(Exponents { alpha, beta, gamma }: Exponents) -> Self {
        [alpha, beta, gamma]
    }
}

/// Everything that defines an SSIM.
///
/// There is no `Default`: the constants state the range of the pixels, and nothing guesses it. [`Params::paper`] and
/// [`Params::wang2004`] are for pixels in [0, 1].
///
/// ```
/// use ssim::{Border, Constants, Exponents, Params, Window};
///
/// let window = Window::Gaussian { size: 11, sigma: 1.5 };
/// let params = Params::new(window, Border::Valid, Constants::squared());
/// assert_eq!(params, Params { exponents: Exponents::ONE, ..Params::wang2004() });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(
    feature = "serde",
    derive(serde::Serialize, serde::Deserialize),
    serde(deny_unknown_fields)
)]
pub struct Params {
    /// Shape and size of the local window.
    pub window: Window,
    /// Treatment of the image's edge.
    pub border: Border,
    /// Stabilising constants, in units of squared pixel values.
    pub constants: Constants,
    /// Exponents of the three factors.
    pub exponents: Exponents,
}

impl Params {
    /// The given window, border and constants with all exponents 1.
    pub const fn new(window: Window, border: Border, constants: Constants) -> Self {
        Self { window, border, constants, exponents: Exponents::ONE }
    }

    /// The residual map of Bergmann et al. 2018 for pixels in [0, 1]: an 11×11 uniform window around every pixel
    /// (section 4.2), and the constants as printed, 0.01 and 0.03.
    ///
    /// [`Border::Reflect`] gives each pixel a value; a loss needs none beyond the image's edge:
    ///
    /// ```
    /// use ssim::{Border, Params};
    ///
    /// assert_eq!(Params::paper().map_size(128, 128), Ok((128, 128)));
    /// let loss = Params { border: Border::Valid, ..Params::paper() };
    /// assert_eq!(loss.map_size(128, 128), Ok((118, 118)));
    /// ```
    pub const fn paper() -> Self {
        Self::new(Window::Uniform { size: 11 }, Border::Reflect, Constants::paper())
    }

    /// SSIM of Wang et al. 2004 for pixels in [0, 1]: an 11×11 Gaussian window with σ = 1.5 inside the image, and
    /// constants 0.01² and 0.03².
    ///
    /// Pixels in [0, 255] have other constants:
    ///
    /// ```
    /// use ssim::{Constants, Params};
    ///
    /// let bytes = Params { constants: Constants::from_k(0.01, 0.03, 255.0), ..Params::wang2004() };
    /// let x: Vec<f32> = (0..256).map(|i| ((i * 37) % 256) as f32).collect();
    /// let y: Vec<f32> = x.iter().map(|level| 0.5 * level).collect();
    /// let unit = |pixels: &[f32]| pixels.iter().map(|level| level / 255.0).collect::<Vec<_>>();
    ///
    /// let of_bytes = ssim::mean_ssim(&x, &y, 16, 16, &bytes)?;
    /// let of_units = ssim::mean_ssim(&unit(&x), &unit(&y), 16, 16, &Params::wang2004())?;
    /// assert!((of_bytes - of_units).abs() < 1e-6);
    /// # Ok::<(), ssim::Error>(())
    /// ```
    #[doc(alias = "gaussian_weights")]
    pub const fn wang2004() -> Self {
        Self::new(Window::Gaussian { size: 11, sigma: 1.5 }, Border::Valid, Constants::squared())
    }

    /// Width and height of the map for an image of `width`×`height` pixels.
    ///
    /// ```
    /// use ssim::{Border, Constants, Params, Window};
    ///
    /// let params = Params::new(Window::Uniform { size: 11 }, Border::Valid, Constants::squared());
    /// assert_eq!(params.map_size(128, 128), Ok((118, 118)));
    /// assert!(params.map_size(128, 8).is_err());
    /// ```
    ///
    /// # Errors
    /// A window that is even, empty or larger than the image; constants or exponents out of range.
    pub fn map_size(&self, width: usize, height: usize) -> Result<(usize, usize), Error> {
        self.window.validate()?;
        self.constants.validate()?;
        self.exponents.validate()?;
        let size = self.window.size();
        if size > width || size > height {
            return Err(Error::WindowTooLarge { size, width, height });
        }
        Ok(match self.border {
            Border::Valid => (width + 1 - size, height + 1 - size),
            Border::Reflect => (width, height),
        })
    }
}
