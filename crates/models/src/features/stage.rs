//! A stage of an extractor.

use super::pool::MaxPool;
use candle_core::{Device, Result, Tensor};
use convolutions::{Chain, Layer, Mode};

/// An operation on maps `(N, H, W, C)`.
pub(super) enum Stage {
    Convolutions { chain: Chain, parameters: Tensor },
    Pool(MaxPool),
}

impl Stage {
    /// Frozen layers, and their parameters in the order of a chain.
    pub fn convolutions(
        (layers, parameters): (Vec<Layer>, Vec<f32>),
        device: &Device,
    ) -> Result<Self> {
        let chain = Chain::frozen(layers);
        let count = chain.parameter_count();
        Ok(Self::Convolutions { chain, parameters: Tensor::from_vec(parameters, count, device)? })
    }

    /// Applies the stage as an operation of candle's of its own.
    pub fn compose(&self, maps: &Tensor, mode: Mode) -> Result<Tensor> {
        match self {
            Self::Convolutions { chain, parameters } => chain.apply(maps, parameters, mode),
            Self::Pool(pool) => pool.compose(maps),
        }
    }
}
