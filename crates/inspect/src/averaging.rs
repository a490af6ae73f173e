use serde::{Deserialize, Serialize};

/// The values that are averaged where patches overlap: reconstructions or residuals.
///
/// ```
/// use inspect::{Averaging, Image, Inspection, Residual, Tiling, inspect};
///
/// /// Knows nothing but the mean of each patch.
/// struct PatchMean;
/// # impl inspect::Reconstructor for PatchMean {
/// #     fn patch_size(&self) -> usize {
/// #         2
/// #     }
/// #     fn reconstruct(
/// #         &self,
/// #         patches: &[f32],
/// #     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
/// #         let mean = |patch: &[f32]| [patch.iter().sum::<f32>() / 4.0; 4];
/// #         Ok(patches.chunks_exact(4).flat_map(mean).collect())
/// #     }
/// # }
///
/// // The means of the two patches are 0 and 1/2, and both hold the second column.
/// let image = Image::new(3, 2, vec![0.0, 0.0, 1.0,
///                                   0.0, 0.0, 1.0])?;
/// let residual = |averaging| {
///     let paper = Inspection::paper(Residual::L2);
///     let tiling = Tiling { stride: 1, ..paper.tiling };
///     let inspection = Inspection { tiling, averaging, ..paper };
///     inspect(&image, &PatchMean, &inspection).map(|maps| maps.residual.get(1, 0))
/// };
/// assert_eq!(residual(Averaging::Reconstruction)?, 0.25 * 0.25);
/// assert_eq!(residual(Averaging::Residual)?, (0.0 + 0.5 * 0.5) / 2.0);
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Averaging {
    /// The reconstructed pixels; the residual is taken once, of the stitched reconstruction (paper, section 4.2). Of
    /// several samples of each patch, a pixel's mean and variance are those of all samples of all patches that cover it.
    #[default]
    Reconstruction,
    /// The residual maps of the single patches (a later paper of the same group). An SSIM window then sees the
    /// border of its patch as the border of the image.
    Residual,
}
