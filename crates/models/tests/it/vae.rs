//! The latent layer of variational autoencoders, and what is drawn from it.

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use models::{Architecture, Autoencoder, Error, Initialisation, Latent, Posterior, initialise};
use proptest::prelude::*;

const ARCHITECTURE: Architecture =
    Architecture { patch_size: 32, latent_dim: 3, latent: Latent::Normal };

fn model_of(architecture: Architecture) -> Autoencoder {
    let (varmap, device) = (VarMap::new(), Device::Cpu);
    initialise(&varmap, &architecture, Initialisation::He, 1, &device).unwrap();
    Autoencoder::new(&architecture, VarBuilder::from_varmap(&varmap, DType::F32, &device)).unwrap()
}

fn model() -> Autoencoder {
    model_of(ARCHITECTURE)
}

/// Patches that differ.
fn patches(count: usize) -> Tensor {
    let pixel = |i: usize| 0.5 + 0.4 * (i as f32 * 0.37 + (i / 1024) as f32).sin();
    let pixels: Vec<f32> = (0..count * 1024).map(pixel).collect();
    Tensor::from_vec(pixels, (count, 1, 32, 32), &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn divergence(mean: &[f64], log_variance: &[f64]) -> f64 {
    let row = |values: &[f64]| Tensor::from_slice(values, (1, values.len()), &Device::Cpu).unwrap();
    let posterior = Posterior::new(row(mean), &row(log_variance)).unwrap();
    posterior.kl_divergence().unwrap().to_vec1::<f64>().unwrap()[0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_divergence_is_positive_but_for_the_prior(
        components in prop::collection::vec((-3.0f64..3.0, -25.0f64..25.0), 1..8),
    ) {
        let (mean, log_variance): (Vec<f64>, Vec<f64>) = components.into_iter().unzip();
        let got = divergence(&mean, &log_variance);
        // The terms, computed one by one; beyond ±20 log-variances are cut off.
        let terms = mean.iter().zip(&log_variance).map(|(mean, log_variance)| {
            let log_variance = log_variance.clamp(-20.0, 20.0);
            0.5 * (mean * mean + (log_variance.exp_m1() - log_variance))
        });
        let expected: f64 = terms.sum();
        // Roundings of e^20, about 5e8.
        prop_assert!((got - expected).abs() <= 1e-15 * expected + 1e-15, "{got} for {expected}");
        prop_assert!(got > 0.0);
    }

    /// The sum over components: independent distributions diverge independently.
    #[test]
    fn divergences_of_components_add_up(mean in -2.0f64..2.0, log_variance in -4.0f64..4.0) {
        let one = divergence(&[mean], &[log_variance]);
        let three = divergence(&[mean, 0.0, mean], &[log_variance, 0.0, log_variance]);
        // Of a few terms of e⁴.
        prop_assert!((three - 2.0 * one).abs() < 1e-13);
    }
}

#[test]
fn the_prior_does_not_diverge_from_itself() {
    assert_eq!(divergence(&[0.0; 5], &[0.0; 5]), 0.0);
}

#[test]
fn samples_have_the_mean_and_the_variance() {
    let row = |value: f32| Tensor::full(value, (1, 4), &Device::Cpu).unwrap();
    let posterior = Posterior::new(row(3.0), &row(2.0 * 0.5f32.ln())).unwrap();
    let noise = Tensor::new(&[[0f32, 1.0, -2.0, 4.0]], &Device::Cpu).unwrap();
    let samples = values(&posterior.sample(&noise).unwrap());
    // 3 + 0.5 · noise; e^(log 0.5) is rounded.
    for (sample, expected) in samples.iter().zip([3.0, 3.5, 2.0, 5.0]) {
        assert!((sample - expected).abs() < 1e-6, "{sample} for {expected}");
    }
}

#[test]
fn the_encoder_tells_means_first() {
    let (model, patches) = (model(), patches(2));
    let posterior = model.posterior(&patches).unwrap();
    assert_eq!(posterior.log_variance().dims(), [2, 3]);
    assert_eq!(values(&model.encode(&patches).unwrap()), values(posterior.mean()));
    // PyTorch's name of the layer, with twice the outputs.
    let bytes = model.to_safetensors().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("encoder.12.weight").unwrap().shape(), [6, 32, 8, 8]);
    assert_eq!(file.tensor("decoder.0.weight").unwrap().shape(), [3, 32, 8, 8]);
    let mean = model.decode(posterior.mean()).unwrap();
    assert_eq!(values(&model.reconstruct_detached(&patches).unwrap()), values(&mean));
}

#[test]
fn each_sample_is_another_one() {
    let (model, patches) = (model(), patches(1));
    const SAMPLES: usize = 40;
    let samples = model.sample_detached(&patches, SAMPLES, 5, &[17]).unwrap();
    assert_eq!(samples.dims(), [1, SAMPLES, 32, 32]);
    assert!(!samples.track_op());
    let samples: Vec<f32> = values(&samples);
    assert!(samples.chunks(1024).zip(samples.chunks(1024).skip(1)).all(|(a, b)| a != b));
}

#[test]
fn samples_depend_on_seed_and_key_alone() {
    let (model, patches) = (model(), patches(3));
    let sample = |patches: &Tensor, seed, keys: &[u64]| {
        values(&model.sample_detached(patches, 2, seed, keys).unwrap())
    };
    let all = sample(&patches, 5, &[10, 11, 12]);
    let patch = |i: usize| patches.narrow(0, i, 1).unwrap();
    for (i, samples) in all.chunks(2 * 1024).enumerate() {
        assert_eq!(sample(&patch(i), 5, &[10 + i as u64]), samples, "patch {i}");
    }
    assert_ne!(sample(&patch(0), 6, &[10]), all[..2048]);
    assert_ne!(sample(&patch(0), 5, &[11]), all[..2048]);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| sample(&patches, 5, &[10, 11, 12])), all, "{threads} threads");
    }
}

#[test]
fn what_has_no_distribution_is_refused() {
    let error = model().sample_detached(&patches(2), 1, 0, &[1]).unwrap_err();
    assert_eq!(error.to_string(), "keys must be one for each of 2 patches, got 1");
    let error = model().sample_detached(&patches(2), 1, 0, &[0, 1 << 61]).unwrap_err();
    assert!(error.to_string().starts_with("keys must be below 2^61, got "), "{error}");
    let error = model().sample_detached(&patches(1), 0, 0, &[1]).unwrap_err();
    assert_eq!(error.to_string(), "samples must be at least 1, got 0");
    let plain = Architecture { latent: Latent::Vector, ..ARCHITECTURE };
    let bytes = model().to_safetensors().unwrap();
    let error = Autoencoder::from_safetensors(&bytes, plain, &Device::Cpu).unwrap_err();
    assert!(matches!(error, Error::TensorMismatch { name, .. } if name == "encoder.12.weight"));
    let plain = model_of(plain);
    for error in [
        plain.posterior(&patches(1)).map(drop).unwrap_err(),
        plain.sample_detached(&patches(1), 1, 0, &[1]).map(drop).unwrap_err(),
    ] {
        assert_eq!(error.to_string(), "latent must be Normal, got Vector");
    }
}
