//! The same weights give the same output as in PyTorch: `data/pytorch.py` made `data/pytorch.txt` (PyTorch 2.15, CPU,
//! float64) from weights and patches that the functions below repeat.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use candle_core::{Device, Tensor};
use models::{Architecture, Autoencoder};
use std::collections::BTreeMap;

const FIXTURE: &str = include_str!("data/pytorch.txt");

/// Output channels, kernel, stride and padding of the encoder's layers but the last: the paper's Table 1.
const TABLE_1: [[usize; 4]; 8] = [
    [32, 4, 2, 1],
    [32, 4, 2, 1],
    [32, 3, 1, 1],
    [64, 4, 2, 1],
    [64, 3, 1, 1],
    [128, 4, 2, 1],
    [64, 3, 1, 1],
    [32, 3, 1, 1],
];

/// Multiples of 2⁻²³ in [-1, 1), exact in f32.
fn noise(seed: u64, count: usize) -> impl Iterator<Item = f32> {
    let mut state = 2 * seed + 1;
    (0..count).map(move |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    })
}

/// Weights as `fill` in `data/pytorch.py` makes them, in PyTorch's layout and order.
fn weights(architecture: Architecture) -> Vec<u8> {
    let skipped = (128 / architecture.patch_size).ilog2() as usize;
    let mut table = TABLE_1[skipped..].to_vec();
    table.push([architecture.latent_dim, 8, 1, 0]);
    let inputs = std::iter::once(1).chain(table.iter().map(|layer| layer[0]));
    let layers: Vec<_> = inputs.zip(&table).map(|(inputs, layer)| (inputs, *layer)).collect();
    let encoder = layers.iter().enumerate().map(|(i, &(inputs, [outputs, kernel, ..]))| {
        (format!("encoder.{}", 2 * i), [outputs, inputs, kernel, kernel], outputs, 1)
    });
    let decoder = layers.iter().rev().enumerate();
    let decoder = decoder.map(|(i, &(outputs, [inputs, kernel, stride, _]))| {
        (format!("decoder.{}", 2 * i), [inputs, outputs, kernel, kernel], outputs, stride)
    });

    let mut tensors = BTreeMap::new();
    for (layer, (name, shape, outputs, stride)) in encoder.chain(decoder).enumerate() {
        let seed = 2 * layer as u64;
        let inputs = if name.starts_with("encoder") { shape[1] } else { shape[0] };
        let fan_in = inputs * shape[2] * shape[2] / (stride * stride);
        let scale = (6.0 / fan_in as f64).sqrt().log2().round().exp2() as f32;
        let weight = noise(seed, shape.iter().product()).map(|value| scale * value);
        let weight = Tensor::from_iter(weight, &Device::Cpu).unwrap().reshape(&shape).unwrap();
        tensors.insert(format!("{name}.weight"), weight);
        let bias = noise(seed + 1, outputs).map(|value| value / 8.0);
        tensors.insert(format!("{name}.bias"), Tensor::from_iter(bias, &Device::Cpu).unwrap());
    }
    safetensors::serialize(tensors, None).unwrap()
}

fn assert_equals_pytorch(architecture: Architecture) {
    let Architecture { patch_size, latent_dim, .. } = architecture;
    let device = Device::Cpu;
    let model = Autoencoder::from_safetensors(&weights(architecture), architecture, &device);
    let model = model.unwrap();
    let patch = noise(1000, patch_size * patch_size).map(|value| (value + 1.0) / 2.0);
    let patch = Tensor::from_iter(patch, &device).unwrap();
    let patch = patch.reshape((1, 1, patch_size, patch_size)).unwrap();
    let codes = model.encode(&patch).unwrap();
    let pixels = model.decode(&codes).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let codes = codes.flatten_all().unwrap().to_vec1::<f32>().unwrap();

    let mut checked = 0;
    for line in FIXTURE.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let &[size, dim, kind, index, expected] = &fields[..] else { panic!("{line}") };
        if (size.parse(), dim.parse()) != (Ok(patch_size), Ok(latent_dim)) {
            continue;
        }
        let index: usize = index.parse().unwrap();
        let got = if kind == "code" { codes[index] } else { pixels[index] };
        let expected: f64 = expected.parse().unwrap();
        // Values are around 1/2 in size. Rounding of f32, 6e-8 at each of 18 layers and each sum's terms, is about 1e-6.
        assert!((f64::from(got) - expected).abs() < 1e-5, "{kind} {index}: {got} for {expected}");
        checked += 1;
    }
    assert!(checked > latent_dim + 200, "{checked} values");
}

#[test]
fn the_network_of_table_1_equals_pytorchs() {
    assert_equals_pytorch(Architecture {
        patch_size: 128,
        latent_dim: 100,
        ..Architecture::default()
    });
}

#[test]
fn the_network_for_small_patches_equals_pytorchs() {
    assert_equals_pytorch(Architecture {
        patch_size: 32,
        latent_dim: 20,
        ..Architecture::default()
    });
}
