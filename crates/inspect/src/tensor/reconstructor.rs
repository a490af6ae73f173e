use candle_core::{Device, Tensor};

use crate::Error;

/// Anything that reconstructs square patches on a device; see [`Reconstructor`](crate::Reconstructor), and the example of
/// [`tensor::inspect`](crate::tensor::inspect()).
pub trait TensorReconstructor {
    /// Side length of the patches in pixels.
    fn patch_size(&self) -> usize;

    /// Where patches are to lie.
    fn device(&self) -> &Device;

    /// Reconstructs patches `(N, 1, patch, patch)` of f32 intensities in [0, 1]; the result has the same shape.
    ///
    /// # Errors
    /// An error of the implementation; it reaches the caller as [`Error::Reconstructor`].
    fn reconstruct(
        &self,
        patches: &Tensor,
    ) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>>;

    /// Reconstructs each of `patches`, `(N, 1, patch, patch)`, `samples` times: `(N, samples, patch, patch)`. Randomness
    /// should come from the patch's place in the image, the column and row of its first pixel in `corners`.
    ///
    /// # Errors
    /// As for [`reconstruct`](Self::reconstruct); without an implementation, always.
    fn sample(
        &self,
        patches: &Tensor,
        corners: &[(usize, usize)],
        samples: usize,
    ) -> Result<Tensor, Box<dyn std::error::Error + Send + Sync>> {
        let _ = (patches, corners, samples);
        Err("this reconstructor has one reconstruction of a patch, and no samples".into())
    }
}

/// Reconstructs a batch of patches, `(N, 1, patch, patch)`, and checks the shape.
pub(super) fn reconstruct(
    reconstructor: &dyn TensorReconstructor,
    patches: &Tensor,
) -> Result<Tensor, Error> {
    let reconstructions = reconstructor.reconstruct(patches).map_err(Error::Reconstructor)?;
    check_shape(&reconstructions, patches.dims())?;
    Ok(reconstructions)
}

/// Checks the shape of what a reconstructor returned.
pub(super) fn check_shape(reconstructions: &Tensor, expected: &[usize]) -> Result<(), Error> {
    if reconstructions.dims() == expected {
        return Ok(());
    }
    Err(Error::ReconstructionShape {
        expected: expected.to_vec(),
        got: reconstructions.dims().to_vec(),
    })
}
