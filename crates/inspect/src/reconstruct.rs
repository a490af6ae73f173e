use crate::finite::check_finite;
use crate::stitch::Stitch;
use crate::tiling::Grid;
use crate::{Error, Image, Tiling};

/// Anything that reconstructs square patches: an autoencoder, in general.
///
/// ```
/// use inspect::{Blend, Image, Padding, Reconstructor, Tiling};
///
/// /// Knows nothing but the mean of each patch.
/// struct PatchMean;
///
/// impl Reconstructor for PatchMean {
///     fn patch_size(&self) -> usize {
///         2
///     }
///
///     fn reconstruct(
///         &self,
///         patches: &[f32],
///     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
///         let mean = |patch: &[f32]| [patch.iter().sum::<f32>() / 4.0; 4];
///         Ok(patches.chunks_exact(4).flat_map(mean).collect())
///     }
/// }
///
/// let image = Image::new(3, 2, vec![0.0, 0.0, 1.0, 0.0, 0.0, 1.0])?;
/// let tiling = Tiling { stride: 1, batch: 8, padding: Padding::None, blend: Blend::Flat };
/// let stitched = inspect::reconstruct(&image, &PatchMean, &tiling)?;
/// assert_eq!(stitched.row(0), [0.0, 0.25, 0.5]);
/// # Ok::<(), inspect::Error>(())
/// ```
pub trait Reconstructor {
    /// Side length of the patches in pixels.
    fn patch_size(&self) -> usize;

    /// Reconstructs `patches`, `(N, patch, patch)` in row-major order with the image's intensities in [0, 1].
    /// The result has the same shape. Each reconstruction should depend on its own patch only, so that the batch
    /// size does not matter.
    ///
    /// # Errors
    /// An error of the implementation; it reaches the caller as [`Error::Reconstructor`].
    fn reconstruct(
        &self,
        patches: &[f32],
    ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>>;

    /// Reconstructs each of `patches`, `(N, patch, patch)`, `samples` times: `(N, samples, patch, patch)`. Randomness should
    /// come from the patch's place, the column and row of its first pixel in `corners`, counted from the first pixel of the
    /// image with its padding, so that an image has the same anomaly map whatever the batch size. Only [`Residual::Sampled`](crate::Residual::Sampled) asks for samples.
    ///
    /// ```
    /// use inspect::{Image, Inspection, Reconstructor, Residual, SampleScore, Sampled, Tiling};
    ///
    /// /// Cannot tell black from white.
    /// struct Undecided;
    ///
    /// impl Reconstructor for Undecided {
    /// #     fn patch_size(&self) -> usize {
    /// #         2
    /// #     }
    /// #     fn reconstruct(&self, _: &[f32]) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
    /// #         Err("it has samples only".into())
    /// #     }
    ///     fn sample(
    ///         &self,
    ///         patches: &[f32],
    ///         _: &[(usize, usize)],
    ///         samples: usize,
    ///     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
    ///         let sample = |_| (0..samples).flat_map(|i| [(i % 2) as f32; 4]);
    ///         Ok(patches.chunks_exact(4).flat_map(sample).collect())
    ///     }
    /// }
    ///
    /// let paper = Inspection::paper(Residual::Sampled(Sampled { samples: 2, score: SampleScore::Mse }));
    /// let inspection = Inspection { tiling: Tiling { stride: 2, ..paper.tiling }, ..paper };
    /// let maps = inspect::inspect(&Image::filled(2, 2, 0.25), &Undecided, &inspection)?;
    /// assert_eq!(maps.reconstruction, Image::filled(2, 2, 0.5));
    /// assert_eq!(maps.residual, Image::filled(2, 2, (0.25 * 0.25 + 0.75 * 0.75) / 2.0));
    /// # Ok::<(), inspect::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`reconstruct`](Self::reconstruct); without an implementation, always.
    fn sample(
        &self,
        patches: &[f32],
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
        let _ = (patches, corners, samples);
        Err("this reconstructor has one reconstruction of a patch, and no samples".into())
    }
}

/// Reconstructs a whole image: the mean of all overlapping reconstructions of each pixel (paper, section 4.2), weighted by
/// [`Tiling::blend`].
///
/// Memory is bounded by the image and one batch, whatever the number of patches.
///
/// # Errors
/// If the tiling does not fit the image or the patch, the image is not finite, or the reconstructor fails or
/// returns a result of another length or with values that are not finite.
pub fn reconstruct(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    tiling: &Tiling,
) -> Result<Image, Error> {
    let grid = grid(image, reconstructor, tiling)?;
    let mut stitch = Stitch::new(&grid);
    for_each_batch(image, reconstructor, &grid, tiling.batch, |batch| {
        stitch.add(batch.corners, batch.reconstructions);
        Ok(())
    })?;
    Ok(stitch.average())
}

/// The positions at which `reconstructor` sees `image`.
pub(crate) fn grid(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    tiling: &Tiling,
) -> Result<Grid, Error> {
    Grid::new(image.width(), image.height(), reconstructor.patch_size(), tiling)
}

/// Some patches of an image and what became of them, both `(corners, patch, patch)`.
pub(crate) struct Batch<'a> {
    pub corners: &'a [(usize, usize)],
    pub patches: &'a [f32],
    pub reconstructions: &'a [f32],
}

/// Reconstructs all patches of the grid, row by row, and hands them to `visit` batch by batch.
pub(crate) fn for_each_batch(
    image: &Image,
    reconstructor: &dyn Reconstructor,
    grid: &Grid,
    batch: usize,
    mut visit: impl FnMut(&Batch<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    cut_batches(image, grid, batch, |corners, patches| {
        let reconstructions = reconstructor.reconstruct(patches).map_err(Error::Reconstructor)?;
        check_reconstructions(&reconstructions, corners.len(), patches.len())?;
        visit(&Batch { corners, patches, reconstructions: &reconstructions })
    })
}

/// Cuts all patches of the grid out of an image and its margins, row by row, and hands them with their corners to `visit` batch
/// by batch.
pub(crate) fn cut_batches(
    image: &Image,
    grid: &Grid,
    batch: usize,
    mut visit: impl FnMut(&[(usize, usize)], &[f32]) -> Result<(), Error>,
) -> Result<(), Error> {
    if batch == 0 {
        return Err(Error::ZeroBatch);
    }
    check_finite("the image", image.data())?;
    let image = grid.frame.pad(image);
    let mut patches = Vec::new();
    for corners in grid.corners().chunks(batch) {
        patches.clear();
        for &corner in corners {
            push_patch(&mut patches, &image, corner, grid.patch());
        }
        visit(corners, &patches)?;
    }
    Ok(())
}

fn push_patch(patches: &mut Vec<f32>, image: &Image, (x, y): (usize, usize), patch: usize) {
    for row in y..y + patch {
        patches.extend_from_slice(&image.row(row)[x..x + patch]);
    }
}

/// Checks that a batch of `patches` patches became `expected` finite values.
pub(crate) fn check_reconstructions(
    reconstructions: &[f32],
    patches: usize,
    expected: usize,
) -> Result<(), Error> {
    let got = reconstructions.len();
    if got != expected {
        return Err(Error::ReconstructionLength { patches, expected, got });
    }
    check_finite("the reconstruction", reconstructions)
}
