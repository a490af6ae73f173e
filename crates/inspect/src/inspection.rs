use crate::{Averaging, Disk, Residual, Tiling};

/// How an image becomes an anomaly map.
///
/// ```
/// use inspect::{Averaging, Disk, Inspection, Residual, Tiling};
///
/// // As in section 4.2 of the paper, for the ℓ2-AE.
/// let paper = Inspection {
///     tiling: Tiling { stride: 30, batch: 64 },
///     averaging: Averaging::Reconstruction,
///     residual: Residual::L2,
///     opening: Disk::with_diameter(4),
/// };
/// let without_opening = Inspection { opening: Disk::with_diameter(0), ..paper };
/// assert_ne!(paper, without_opening);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inspection {
    /// How the image is cut into patches.
    pub tiling: Tiling,
    /// The values that are averaged where patches overlap.
    pub averaging: Averaging,
    /// How the reconstruction is compared with the image.
    pub residual: Residual,
    /// The structuring element of the opening that removes small responses. The paper's has diameter 4; 0 leaves
    /// the residual map as it is.
    pub opening: Disk,
}
