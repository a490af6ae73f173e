#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
use super::*;
use crate::init::Initialisation;
use crate::initialise::initialise;
use crate::loss;
use candle_core::backprop::GradStore;
use candle_core::{DType, Var};
use candle_nn::VarMap;
use rand::RngExt;

/// A network whose weights are the variables of a map.
fn variable_model(architecture: Architecture) -> (Autoencoder, VarMap) {
    let varmap = VarMap::new();
    initialise(&varmap, &architecture, Initialisation::He, 1, &Device::Cpu).unwrap();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
    (Autoencoder::new(&architecture, vb).unwrap(), varmap)
}

fn model(architecture: Architecture) -> Autoencoder {
    variable_model(architecture).0
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn reconstructions_have_the_shape_and_scale_of_the_patches() {
    for patch_size in [32, 64, 128] {
        let architecture = Architecture { patch_size, latent_dim: 20, ..Architecture::default() };
        let (model, mut rng) = (model(architecture), Stream::Weights.rng(2));
        let shape = (2, 1, patch_size, patch_size);
        let values: Vec<f32> = (0..2 * patch_size * patch_size).map(|_| rng.random()).collect();
        let patches = Tensor::from_vec(values, shape, &Device::Cpu).unwrap();
        let result = model.forward(&patches).unwrap();
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
    let model = model(architecture);
    let patches = Tensor::rand(0f32, 1.0, (2, 1, 32, 32), &Device::Cpu).unwrap();
    let detached = model.reconstruct_detached(&patches).unwrap();
    assert_eq!(values(&detached), values(&model.forward(&patches).unwrap()));
    assert!(!detached.track_op());
}

#[test]
fn samples_are_decodes_of_draws_from_the_posterior() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, latent: Latent::Normal };
    let model = model(architecture);
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
    let (model, varmap) = variable_model(architecture);
    let patches = Tensor::zeros((0, 1, 32, 32), DType::F32, &Device::Cpu).unwrap();
    let result = model.forward(&patches).unwrap();
    assert_eq!(result.dims(), [0, 1, 32, 32]);
    let gradients = result.sum_all().unwrap().backward().unwrap();
    for variable in varmap.all_vars() {
        let sum = gradients.get(&variable).unwrap().abs().unwrap().sum_all().unwrap();
        assert_eq!(sum.to_scalar::<f32>().unwrap(), 0.0);
    }
}

/// The gradients of named variables, as a half's vector has them.
fn packed(gradients: &GradStore, varmap: &VarMap, model: &Autoencoder) -> [Vec<f32>; 2] {
    let variables = varmap.data().lock().unwrap();
    let named = variables
        .iter()
        .map(|(name, variable)| (name.clone(), gradients.get(variable).unwrap().clone()));
    let vb = VarBuilder::from_tensors(named.collect(), DType::F32, &Device::Cpu);
    let gradients = Autoencoder::new(&model.architecture(), vb).unwrap();
    gradients.halves().map(|half| values(&half.parameters().unwrap()))
}

/// Patches that differ.
fn patches(count: usize) -> Tensor {
    let pixel = |i: usize| 0.5 + 0.4 * (i as f32 * 0.37 + (i / 1024) as f32).sin();
    let pixels = (0..count * 1024).map(pixel).collect();
    Tensor::from_vec(pixels, (count, 1, 32, 32), &Device::Cpu).unwrap()
}

/// The trainer differentiates the halves one by one. For an ordinary loop candle differentiates all of it.
#[test]
fn gradients_are_those_of_candles_graph() {
    for latent in [Latent::Vector, Latent::Normal] {
        let architecture = Architecture { patch_size: 32, latent_dim: 3, latent };
        let ((model, varmap), patches) = (variable_model(architecture), patches(2));
        let noise = Tensor::new(&[[0.5f32, -1.0, 2.0], [0.1, 0.0, -0.3]], &Device::Cpu).unwrap();
        let noise = (latent == Latent::Normal).then_some(noise);
        let loss = |reconstructions: &Tensor, posterior: Option<&Posterior>| match posterior {
            Some(posterior) => {
                loss::elbo(reconstructions, &patches, posterior, loss::Elbo::default()).unwrap()
            }
            None => loss::l2(reconstructions, &patches).unwrap(),
        };
        let expected = match &noise {
            Some(noise) => {
                let posterior = model.posterior(&patches).unwrap();
                let codes = posterior.sample(noise).unwrap();
                loss(&model.decode(&codes).unwrap(), Some(&posterior))
            }
            None => loss(&model.forward(&patches).unwrap(), None),
        };
        let expected = packed(&expected.backward().unwrap(), &varmap, &model);

        let (model, variables) = model.with_packed_variables().unwrap();
        let pass = model.forward_pass(&patches, noise.as_ref()).unwrap();
        let loss = loss(pass.reconstructions(), pass.posterior());
        let gradients = pass.backward(&loss).unwrap();
        let got = variables.map(|variable| values(gradients.get(&variable).unwrap()));
        // The same operations in the same order, but for zeros that candle adds.
        assert!(got == expected, "{latent:?}");
    }
}

#[test]
fn gradients_of_two_passes_add_up() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, ..Architecture::default() };
    let (model, varmap) = variable_model(architecture);
    let both = patches(2);
    let [first, second] = [0, 1].map(|i| both.narrow(0, i, 1).unwrap());
    let loss = |patches: &Tensor| loss::l2(&model.forward(patches).unwrap(), patches).unwrap();
    let of = |loss: Tensor| packed(&loss.backward().unwrap(), &varmap, &model).concat();
    let (alone, other) = (of(loss(&first)), of(loss(&second)));
    let got = of((loss(&first) + loss(&second)).unwrap());
    let largest = alone.iter().chain(&other).fold(0f32, |largest, g| largest.max(g.abs()));
    assert!(alone != other && largest > 0.0);
    for ((got, a), b) in got.into_iter().zip(alone).zip(other) {
        // One rounding of the sum.
        assert!((got - (a + b)).abs() <= f32::EPSILON * (a.abs() + b.abs()), "{got}: {a} + {b}");
    }
}

/// The gradient of a patch, and of weights that are used twice in a row, against finite differences along itself.
#[test]
fn gradients_go_through_a_pass_to_its_input() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, ..Architecture::default() };
    let (model, varmap) = variable_model(architecture);
    let (start, wanted) = (patches(1), (patches(1) * 0.5).unwrap());
    let loss = |patch: &Tensor| {
        let twice = model.forward(&model.forward(patch).unwrap()).unwrap();
        loss::l2(&twice, &wanted).unwrap()
    };
    let patch = Var::from_tensor(&start).unwrap();
    let gradients = loss(&patch).backward().unwrap();
    let variables: Vec<Var> = varmap.all_vars().into_iter().chain([patch.clone()]).collect();
    for variable in &variables {
        let (before, gradient) = (variable.copy().unwrap(), gradients.get(variable).unwrap());
        let norm = gradient.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        let scale = before.sqr().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap().sqrt();
        // A small part of the variable's size, or of 1 for biases, which are zero: beside the kinks of rectifiers, and far above the
        // rounding of the loss.
        let step = 1e-4 * if scale > 0.0 { scale } else { 1.0 };
        let at = |sign: f32| {
            let moved = (gradient * f64::from(sign * step / norm)).unwrap();
            variable.set(&(&before + moved).unwrap()).unwrap();
            loss(&patch).to_scalar::<f32>().unwrap()
        };
        let expected = (at(1.0) - at(-1.0)) / (2.0 * step);
        variable.set(&before).unwrap();
        assert!((norm - expected).abs() < 0.05 * norm, "{:?}: {norm}, {expected}", variable.dims());
    }
}

#[test]
fn weights_are_packed_and_unpacked_without_loss() {
    let architecture = Architecture { patch_size: 32, latent_dim: 3, ..Architecture::default() };
    let (model, varmap) = variable_model(architecture);
    let patches = patches(2);
    let expected = values(&model.forward(&patches).unwrap());
    let detached = model.detached().unwrap();
    let reconstructions = detached.forward(&patches).unwrap();
    assert!(!reconstructions.track_op() && model.forward(&patches).unwrap().track_op());
    assert_eq!(values(&reconstructions), expected);
    assert!(detached.to_safetensors().unwrap() == model.to_safetensors().unwrap());
    // A change of the variables reaches the model, but not the detached copy.
    varmap.all_vars().iter().for_each(|var| var.set(&var.zeros_like().unwrap()).unwrap());
    assert!(values(&model.forward(&patches).unwrap()).iter().all(|&value| value == 0.0));
    assert_eq!(values(&detached.forward(&patches).unwrap()), expected);
}

#[test]
fn patches_of_another_size_are_refused() {
    let model = model(Architecture::default());
    // The last has the right number of values.
    for shape in [(2, 1, 64, 64), (2, 3, 128, 128), (2, 1, 64, 256)] {
        let patches = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = model.forward(&patches).unwrap_err().to_string();
        assert!(message.contains("(N, 1, 128, 128)"), "{message}");
    }
    for shape in [(2, 99), (200, 1)] {
        let codes = Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
        let message = model.decode(&codes).unwrap_err().to_string();
        assert!(message.contains("(N, 100)"), "{message}");
    }
    let patches = Tensor::zeros((1, 1, 128, 128), DType::F64, &Device::Cpu).unwrap();
    assert!(model.forward(&patches).is_err());
}
