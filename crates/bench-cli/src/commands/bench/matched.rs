//! The features of a training step that matches them.

use super::inputs::{dice, unit};
use crate::args::{FeatureArgs, LossArgs};
use anyhow::Result;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use detector::{ExtractorWeights, Method, read_extractor_weights};
use models::{Extractor, Features};
use std::collections::HashMap;

/// The stream of random weights.
const WEIGHTS: u64 = 1 << 60;

/// An extractor and its weights.
pub struct Matched {
    pub features: Features,
    pub tensors: HashMap<String, Tensor>,
}

impl Matched {
    /// The extractor of the arguments, if features are to be matched.
    ///
    /// # Errors
    /// If the file does not hold the extractor's weights.
    pub fn new(loss: &LossArgs, seed: u64, device: &Device) -> Result<Option<Self>> {
        if loss.method != Method::FeatureMatching {
            return Ok(None);
        }
        let FeatureArgs { extractor, features_weights } = &loss.features;
        let ExtractorWeights { tensors, sha256 } = match features_weights {
            Some(path) => read_extractor_weights(path, *extractor)?,
            None => random(*extractor, seed)?,
        };
        let vb = VarBuilder::from_tensors(tensors.clone(), DType::F32, device);
        let features = Features::new(*extractor, sha256, vb)?;
        Ok(Some(Self { features, tensors }))
    }
}

/// Uniform weights of a variance that keeps the size of activations.
fn random(extractor: Extractor, seed: u64) -> Result<ExtractorWeights> {
    let mut dice = dice(seed, WEIGHTS);
    let tensor = |(name, shape): (String, Vec<usize>)| {
        let fan_in: usize = shape[1..].iter().product();
        let scale = (6.0 / fan_in as f64).sqrt() as f32;
        let count = shape.iter().product();
        let value = |_| scale * (2.0 * unit(&mut dice) - 1.0);
        let values: Vec<f32> = (0..count).map(value).collect();
        Ok((name, Tensor::from_vec(values, shape, &Device::Cpu)?))
    };
    let tensors = extractor.tensors().into_iter().map(tensor).collect::<Result<_>>()?;
    Ok(ExtractorWeights { tensors, sha256: format!("random, seed {seed}") })
}
