//! SSIM as differentiable operations on candle tensors of shape (N, C, H, W), each of whose N·C planes is
//! an image of its own.
//!
//! Tensors are `f32` or `f64`; what is not contiguous is copied first. Both images can be
//! differentiated, and a gradient is computed only for an argument that leads to a variable: a
//! constant target costs nothing. The loss of a single such argument keeps its gradient, which the
//! forward pass finds along with the loss (whose last bit may differ from that of constant images);
//! otherwise the graph keeps the two images and nothing else, and moments are recomputed in the
//! backward pass. There is no second derivative.
//!
//! Results do not depend on the number of threads. On a device without kernels the operations
//! return candle's error for it.
//!
//! # CUDA
//!
//! With feature `cuda` there are kernels for devices of compute capability 8.0 and later. They take `f32` only and windows of at
//! most 31×31 pixels, and work in single precision: maps are within 1e-5 of those of the CPU and gradients within 1e-4 of the
//! largest derivative, for pixels in \[0, 1\] or another range and constants that belong to it. Every run gives the same bits. Pixels
//! are not checked, since that would wait for the device: NaN gives NaN wherever it has an influence, and pixels beyond 1e9 overflow.

mod batch;
#[cfg(feature = "cuda")]
mod cuda;
mod gradient;
mod loss;
mod map;
mod objective;

use candle_core::{DType, Error as CandleError, Result, Tensor};

use self::{loss::SsimLoss, map::SsimMaps};
use crate::{Components, Params};

/// The mean of 1 − SSIM over batch, channels and map, as a scalar of the images' type.
///
/// # Errors
/// Shapes, types or devices that differ; a shape that is not (N, C, H, W); a type other than `f32` and
/// `f64`; a batch without images; and whatever [`loss`](crate::loss()) refuses.
///
/// ```
/// use candle_core::{Device, Tensor, Var};
/// use ssim::{Border, Constants, Params, Window};
///
/// # fn main() -> candle_core::Result<()> {
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let target = Tensor::rand(0_f32, 1.0, (2, 1, 8, 8), &Device::Cpu)?;
/// let reconstruction = Var::zeros((2, 1, 8, 8), target.dtype(), &Device::Cpu)?;
///
/// let loss = ssim::tensor::ssim_loss(&reconstruction, &target, &params)?;
/// let gradients = loss.backward()?;
/// assert_eq!(gradients.get(&reconstruction).map(Tensor::dims), Some(&[2, 1, 8, 8][..]));
/// assert!(gradients.get(&target).is_none());
/// # Ok(())
/// # }
/// ```
#[doc(alias = "SSIMLoss")]
#[doc(alias = "structural_similarity_index_measure")]
pub fn ssim_loss(x: &Tensor, y: &Tensor, params: &Params) -> Result<Tensor> {
    let (x, y) = prepared(x, y, "ssim-loss")?;
    x.apply_op2(&y, SsimLoss::new(params, &x, &y))
}

/// The SSIM map of every plane: (N, C, H, W) → (N, C, H', W'), the size of [`Params::map_size`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use ssim::{Border, Constants, Params, Window};
///
/// # fn main() -> candle_core::Result<()> {
/// // Windows of one pixel: (2·0·1 + 0.5) / (0² + 1² + 0.5) = 1/3, and 1.
/// let params = Params::new(Window::Uniform { size: 1 }, Border::Valid, Constants::given(0.5, 0.5));
/// let x = Tensor::new(&[[[[0_f32, 1.0]]]], &Device::Cpu)?;
/// let map = ssim::tensor::ssim_map(&x, &x.ones_like()?, &params)?;
/// assert_eq!(map.dims(), [1, 1, 1, 2]);
/// assert_eq!(map.flatten_all()?.to_vec1::<f32>()?, [1.0 / 3.0, 1.0]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`ssim_loss`].
#[doc(alias = "structural_similarity_index_measure")]
pub fn ssim_map(x: &Tensor, y: &Tensor, params: &Params) -> Result<Tensor> {
    let (x, y) = prepared(x, y, "ssim-map")?;
    let op = SsimMaps { params: *params, components: Components::SSIM };
    x.apply_op2(&y, op)?.squeeze(0)
}

/// The maps that were asked for, each (N, C, H', W').
#[derive(Debug, Clone)]
pub struct Maps {
    /// Luminance l; in [0, 1] for images without negative values, otherwise in [-1, 1].
    pub luminance: Option<Tensor>,
    /// Contrast c, in [0, 1].
    pub contrast: Option<Tensor>,
    /// Structure s, in [-1, 1].
    pub structure: Option<Tensor>,
    /// SSIM, in [-1, 1].
    pub ssim: Option<Tensor>,
}

/// The maps in `components` of every plane: (N, C, H, W) → (N, C, H', W') each, the size of [`Params::map_size`].
///
/// They are not part of any graph: for a map that can be differentiated there is [`ssim_map`]. On CUDA a single pass over
/// the images computes them all.
///
/// # Errors
/// As [`ssim_loss`].
///
/// ```
/// use candle_core::{Device, Tensor};
/// use ssim::{Border, Components, Constants, Params, Window};
///
/// # fn main() -> candle_core::Result<()> {
/// // A dot and its negative: as much contrast, but opposite structure.
/// let x = Tensor::new(&[[[[0_f32, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]], &Device::Cpu)?;
/// let y = x.affine(-1.0, 1.0)?;
///
/// let params = Params::new(Window::Uniform { size: 3 }, Border::Valid, Constants::squared());
/// let wanted = Components::CONTRAST | Components::STRUCTURE;
/// let maps = ssim::tensor::maps(&x, &y, &params, wanted)?;
/// let contrast = maps.contrast.as_ref().map(Tensor::flatten_all).transpose()?;
/// assert_eq!(contrast.map(|map| map.to_vec1::<f32>()).transpose()?, Some(vec![1.0]));
/// assert!(maps.structure.is_some() && maps.luminance.is_none());
/// # Ok(())
/// # }
/// ```
pub fn maps(x: &Tensor, y: &Tensor, params: &Params, components: Components) -> Result<Maps> {
    let (x, y) = prepared(x, y, "ssim-maps")?;
    let maps = x.apply_op2_no_bwd(&y, &SsimMaps { params: *params, components })?;
    let mut stored = 0..components.len();
    let mut map = |component| {
        let index = if components.contains(component) { stored.next() } else { None };
        index.map(|index| maps.get(index)).transpose()
    };
    Ok(Maps {
        luminance: map(Components::LUMINANCE)?,
        contrast: map(Components::CONTRAST)?,
        structure: map(Components::STRUCTURE)?,
        ssim: map(Components::SSIM)?,
    })
}

/// Checks what the operations require of their arguments, and makes them contiguous.
fn prepared(x: &Tensor, y: &Tensor, op: &'static str) -> Result<(Tensor, Tensor)> {
    x.dims4()?;
    if x.shape() != y.shape() {
        let (lhs, rhs) = (x.shape().clone(), y.shape().clone());
        return Err(CandleError::ShapeMismatchBinaryOp { lhs, rhs, op }.bt());
    }
    if x.dtype() != y.dtype() {
        return Err(CandleError::DTypeMismatchBinaryOp { lhs: x.dtype(), rhs: y.dtype(), op }.bt());
    }
    if !matches!(x.dtype(), DType::F32 | DType::F64) {
        return Err(CandleError::UnsupportedDTypeForOp(x.dtype(), op).bt());
    }
    Ok((x.contiguous()?, y.contiguous()?))
}
