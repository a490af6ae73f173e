use crate::{Averaging, Blend, Disk, Padding, Residual, Smoothing, Tiling};

/// Patches that are reconstructed at once.
const BATCH: usize = 96;

/// How an image becomes an anomaly map.
///
/// ```
/// use inspect::{Disk, Inspection, Residual, Tiling};
///
/// let paper = Inspection::paper(Residual::L2);
/// let sparse = Inspection { tiling: Tiling { stride: 60, ..paper.tiling }, ..paper };
/// let without_opening = Inspection { opening: Disk::with_diameter(0), ..paper };
/// assert!(paper != sparse && paper != without_opening);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inspection {
    /// How the image is cut into patches, and how these are put together.
    pub tiling: Tiling,
    /// The values that are averaged where patches overlap.
    pub averaging: Averaging,
    /// How the reconstruction is compared with the image.
    pub residual: Residual,
    /// The smoothing of the residual map.
    pub smoothing: Smoothing,
    /// The structuring element of the opening that removes small responses after the smoothing. The paper's has diameter 4; 0
    /// leaves the map as it is.
    pub opening: Disk,
}

impl Inspection {
    /// As in section 4.2 of the paper, for patches of at least 30 pixels: a stride of 30, the mean of all reconstructions of a
    /// pixel, and an opening with a disk of diameter 4. Batches are of 96 patches.
    pub fn paper(residual: Residual) -> Self {
        let (padding, blend) = (Padding::None, Blend::Flat);
        Self {
            tiling: Tiling { stride: 30, batch: BATCH, padding, blend },
            averaging: Averaging::Reconstruction,
            residual,
            smoothing: Smoothing::None,
            opening: Disk::with_diameter(4),
        }
    }
}
