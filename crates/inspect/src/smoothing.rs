use std::borrow::Cow;

use crate::smooth::check_sigma;
use crate::{Disk, Error, Image, open, smooth};

/// The smoothing of a residual map.
///
/// Single pixels of a residual are noise; a defect is where many neighbours agree. The width decides about the size of the
/// defects that stand out.
///
/// ```
/// use inspect::{Disk, Image, Smoothing, anomaly_map};
///
/// // A hot pixel, and a faint defect of 6×6 pixels.
/// let residual = Image::from_fn(32, 16, |x, y| match (x, y) {
///     (24, 8) => 1.0,
///     (6..12, 5..11) => 0.25,
///     _ => 0.0,
/// });
/// let map = |smoothing| anomaly_map(&residual, &smoothing, Disk::with_diameter(0));
/// let (rough, smooth) = (map(Smoothing::None)?, map(Smoothing::Gaussian { sigma: 2.0 })?);
/// assert!(rough.get(24, 8) > rough.get(9, 8));
/// assert!(smooth.get(24, 8) < 0.25 * smooth.get(9, 8));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Smoothing {
    /// None, as in the paper.
    #[default]
    None,
    /// The map under a Gaussian; see [`smooth`].
    Gaussian {
        /// Standard deviation in pixels, from 0, which leaves the map as it is, to 1000.
        sigma: f64,
    },
}

impl Smoothing {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Sigma`].
    pub fn validate(&self) -> Result<(), Error> {
        match self {
            Self::Gaussian { sigma } => check_sigma(*sigma),
            Self::None => Ok(()),
        }
    }
}

/// The scores that thresholds apply to: the residual map, smoothed and then opened.
///
/// The opening only takes minima and maxima, and so commutes with thresholds whatever was smoothed before; see [`open`].
///
/// ```
/// use inspect::{Disk, Image, Smoothing, anomaly_map};
///
/// let residual = Image::from_fn(8, 8, |x, y| if (x, y) == (4, 4) { 1.0 } else { 0.25 });
/// let opened = anomaly_map(&residual, &Smoothing::None, Disk::with_diameter(2))?;
/// assert_eq!(opened, Image::filled(8, 8, 0.25));
/// # Ok::<(), inspect::Error>(())
/// ```
///
/// # Errors
/// As [`smooth`].
pub fn anomaly_map(residual: &Image, smoothing: &Smoothing, opening: Disk) -> Result<Image, Error> {
    let smooth = match smoothing {
        Smoothing::None => Cow::Borrowed(residual),
        Smoothing::Gaussian { sigma } => Cow::Owned(smooth(residual, *sigma)?),
    };
    // As `open` would, without another copy.
    Ok(if opening.diameter() <= 1 { smooth.into_owned() } else { open(&smooth, opening) })
}
