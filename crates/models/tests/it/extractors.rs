//! Weights of the extractors by formula, as `data/features.py` makes them.
#![allow(clippy::unwrap_used, reason = "a failure is the result of a test")]

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use models::{Extractor, Features};
use std::collections::HashMap;

/// Multiples of 2⁻²³ in [-1, 1), exact in f32.
pub fn noise(seed: u64, count: usize) -> impl Iterator<Item = f32> {
    let mut state = 2 * seed + 1;
    (0..count).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

/// Names, and the shapes `(C_out, C_in, k, k)` of weights, in torchvision's order.
fn layers(extractor: Extractor) -> Vec<(String, [usize; 4])> {
    let named = |name: &str, shape| (name.to_owned(), shape);
    let fire = |name: &str, inputs, squeeze, expand| {
        vec![
            (format!("{name}.squeeze"), [squeeze, inputs, 1, 1]),
            (format!("{name}.expand1x1"), [expand, squeeze, 1, 1]),
            (format!("{name}.expand3x3"), [expand, squeeze, 3, 3]),
        ]
    };
    match extractor {
        Extractor::Alexnet => vec![
            named("features.0", [64, 3, 11, 11]),
            named("features.3", [192, 64, 5, 5]),
            named("features.6", [384, 192, 3, 3]),
        ],
        Extractor::Squeezenet => [
            vec![named("features.0", [64, 3, 3, 3])],
            fire("features.3", 64, 16, 64),
            fire("features.4", 128, 16, 64),
            fire("features.6", 128, 32, 128),
        ]
        .concat(),
    }
}

/// Uniform weights that keep the size of activations, rounded to a power of two; small biases.
pub fn weights(extractor: Extractor) -> HashMap<String, Tensor> {
    let mut tensors = HashMap::new();
    let tensor =
        |values: Vec<f32>, shape: &[usize]| Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
    for (layer, (name, shape)) in layers(extractor).into_iter().enumerate() {
        let (seed, fan_in) = (2 * layer as u64, shape[1] * shape[2] * shape[3]);
        let scale = (6.0 / fan_in as f64).sqrt().log2().round().exp2() as f32;
        let weight = noise(seed, shape[0] * fan_in).map(|value| scale * value).collect();
        tensors.insert(format!("{name}.weight"), tensor(weight, &shape));
        let bias = noise(seed + 1, shape[0]).map(|value| value / 8.0).collect();
        tensors.insert(format!("{name}.bias"), tensor(bias, &shape[..1]));
    }
    tensors
}

/// The extractor with these weights.
pub fn features(extractor: Extractor, sha256: &str, device: &Device) -> Features {
    let vb = VarBuilder::from_tensors(weights(extractor), DType::F32, device);
    Features::new(extractor, sha256, vb).unwrap()
}
