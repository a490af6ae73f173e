#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
use super::*;
use candle_core::DType;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[test]
fn reconstructions_have_the_shape_and_scale_of_the_patches() {
    for patch_size in [32, 64, 128] {
        let architecture = Architecture { patch_size, latent_dim: 20, ..Architecture::default() };
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
        let shape = (2, 1, patch_size, patch_size);
        let values: Vec<f32> = (0..2 * patch_size * patch_size).map(|_| rng.random()).collect();
        let patches = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        let result = model.reconstruct(&patches).unwrap();
        assert_eq!(result.dims(), patches.dims());
        let variance = result.flatten_all().unwrap().var(0).unwrap();
        let variance: f32 = variance.to_scalar().unwrap();
        // The initialisation keeps the mean square, about 1/3 here, from layer to layer on average, but for the decoder's first
        // layer, which leaves a 64th. Narrow layers scatter around that; weights half as wide in each of 16 layers would leave
        // less than 10⁻⁹ of it.
        assert!((1e-4..100.0).contains(&variance), "patch {patch_size}: variance {variance}");
    }
}

#[test]
fn detached_reconstructions_are_the_same_and_have_no_gradients() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, ..Architecture::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
    let patches = Tensor::rand(0f32, 1.0, (2, 1, 32, 32), &Device::Cpu).unwrap();
    let values = |tensor: &Tensor| tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    let detached = model.reconstruct_detached(&patches).unwrap();
    assert_eq!(values(&detached), values(&model.reconstruct(&patches).unwrap()));
    assert!(!detached.track_op());
}

#[test]
fn samples_are_decodes_of_draws_from_the_posterior() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, latent: Latent::Normal };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
    let pixels = (0..2 * 1024).map(|i| (i % 17) as f32 / 17.0).collect();
    let patches = Tensor::from_vec(pixels, (2, 1, 32, 32), &Device::Cpu).unwrap();
    let (seed, keys, samples) = (5, [17, 4], 2);
    let got = model.sample_detached(&patches, samples, seed, &keys).unwrap();

    let posterior = model.posterior(&patches).unwrap();
    let streams = keys.into_iter().map(|key| Stream::Sample { key });
    let draws = normal_rows(seed, streams, samples * 3, &Device::Cpu).unwrap();
    for sample in 0..samples {
        let noise = draws.narrow(1, 3 * sample, 3).unwrap();
        // z = μ + σ ε, as written down, and not by `Posterior::sample`.
        let deviation = (posterior.log_variance() / 2.0).unwrap().exp().unwrap();
        let codes = (posterior.mean() + (deviation * noise).unwrap()).unwrap();
        let expected = model.decode(&codes.detach()).unwrap();
        let got = got.narrow(1, sample, 1).unwrap();
        let difference = (got - expected).unwrap().abs().unwrap().flatten_all().unwrap();
        let difference: f32 = difference.max(0).unwrap().to_scalar().unwrap();
        // A few roundings of σ, carried through the decoder; another draw differs by 10⁻² and more.
        assert!(difference < 1e-5, "{difference}");
    }
}

#[test]
fn no_patches_have_no_reconstructions() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, ..Architecture::default() };
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
    let patches = Tensor::zeros((0, 1, 32, 32), DType::F32, &Device::Cpu).unwrap();
    let result = model.reconstruct(&patches).unwrap();
    assert_eq!(result.dims(), [0, 1, 32, 32]);
    let gradients = result.sum_all().unwrap().backward().unwrap();
    for variable in model.variables() {
        let sum = gradients.get(variable).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(sum.to_scalar::<f32>().unwrap(), 0.0);
    }
}

#[test]
fn patches_of_another_size_are_refused() {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let model = Autoencoder::new(Architecture::default(), &mut rng, &Device::Cpu).unwrap();
    // The last has the right number of values.
    for shape in [(2, 1, 64, 64), (2, 3, 128, 128), (2, 1, 64, 256)] {
        let patches = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = model.reconstruct(&patches).unwrap_err().to_string();
        assert!(message.contains("(N, 1, 128, 128)"), "{message}");
    }
    for shape in [(2, 99), (200, 1)] {
        let codes = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = model.decode(&codes).unwrap_err().to_string();
        assert!(message.contains("(N, 100)"), "{message}");
    }
    let patches = Tensor::zeros((1, 1, 128, 128), DType::F64, &Device::Cpu).unwrap();
    assert!(model.reconstruct(&patches).is_err());
}
