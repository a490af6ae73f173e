use candle_core::{DType, Tensor};

use crate::{Error, Residual, SampleScore};

/// The residual maps of images `(H, W)` or `(N, 1, H, W)` and their reconstructions, of the same shape.
pub(super) fn residual_maps(x: &Tensor, y: &Tensor, residual: &Residual) -> Result<Tensor, Error> {
    Ok(match residual {
        Residual::L2 => (x - y)?.sqr()?,
        Residual::Ssim(params) => {
            let (height, width) = (x.dim(x.rank() - 2)?, x.dim(x.rank() - 1)?);
            let planes = |tensor: &Tensor| tensor.reshape(((), 1, height, width));
            let map = ssim::tensor::ssim_map(&planes(x)?, &planes(y)?, params)?;
            map.affine(-1.0, 1.0)?.reshape(x.shape())?
        }
        Residual::Sampled(sampled) => {
            let difference = (y.to_dtype(DType::F64)? - x.to_dtype(DType::F64)?)?;
            scores(sampled.score, &difference, &difference.sqr()?)?.to_dtype(DType::F32)?
        }
    })
}

/// Scores of the means of differences from the image and of their squares, all in f64.
pub(super) fn scores(
    score: SampleScore,
    mean: &Tensor,
    mean_square: &Tensor,
) -> Result<Tensor, Error> {
    Ok(match score {
        SampleScore::Probability { variance_floor } => {
            let square = mean.sqr()?;
            let variance = (mean_square - &square)?.maximum(variance_floor)?;
            let spread = ((&variance / variance_floor)?.log()? * 0.5)?;
            (spread + (square / (variance * 2.0)?)?)?
        }
        SampleScore::Mse => mean_square.clone(),
    })
}
