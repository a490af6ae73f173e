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
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponents {
    /// Exponent of the luminance, at least 0.
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
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Exponent { name, value });
            }
        }
        Ok(())
    }
}

/// Everything that defines an SSIM.
///
/// There is no `Default`: the constants state the range of the pixels, and nothing guesses it.
///
/// ```
/// use ssim::{Border, Constants, Exponents, Params, Window};
///
/// let window = Window::Gaussian { size: 11, sigma: 1.5 };
/// let params = Params::new(window, Border::Valid, Constants::squared());
/// assert_eq!(params.exponents, Exponents::ONE);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
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
