//! Features against torchvision's, their gradients, and weights that are not theirs: `data/features.py` made
//! `data/features.txt`.

use crate::extractors::{features, noise, weights};
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::VarBuilder;
use models::{Error, Extractor, FeatureMatching, Features, Latent, Objective};
use std::collections::HashMap;

const FIXTURE: &str = include_str!("../data/features.txt");
const EXTRACTORS: [(Extractor, &str); 2] =
    [(Extractor::Alexnet, "alexnet"), (Extractor::Squeezenet, "squeezenet")];

/// Grey patches of 64×64 pixels; the first is the fixture's.
fn patches(count: usize) -> Tensor {
    let pixels: Vec<f32> = noise(1000, count * 64 * 64).map(|value| (value + 1.0) / 2.0).collect();
    Tensor::from_vec(pixels, (count, 1, 64, 64), &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
fn activations_equal_torchvisions() {
    for (extractor, name) in EXTRACTORS {
        let got = features(extractor, "", &Device::Cpu).extract_detached(&patches(1)).unwrap();
        let (got, mut checked, mut largest) = (values(&got), 0, 0.0f64);
        for line in FIXTURE.lines() {
            let Some((index, expected)) =
                line.strip_prefix(name).and_then(|rest| rest.trim().split_once(' '))
            else {
                continue;
            };
            let (index, expected): (usize, f64) =
                (index.parse().unwrap(), expected.parse().unwrap());
            // Values are up to about 10; f32 rounds each of a few thousand terms of 3 to 7 layers by 6e-8 of its size.
            let difference = (f64::from(got[index]) - expected).abs();
            assert!(difference < 2e-5, "{name} {index}: {} for {expected}", got[index]);
            (checked, largest) = (checked + 1, largest.max(expected));
        }
        assert!(checked > 300 && largest > 0.5, "{name}: {checked} values up to {largest}");
    }
}

#[test]
fn patches_do_not_see_each_other() {
    let (patches, features) = (patches(3), features(Extractor::Squeezenet, "", &Device::Cpu));
    let together = features.extract_detached(&patches).unwrap();
    assert_eq!(together.dims(), [3, 7, 7, 256]);
    assert!(!together.track_op());
    for i in 0..3 {
        let alone = features.extract(&patches.narrow(0, i, 1).unwrap()).unwrap();
        assert_eq!(values(&alone), values(&together.get(i).unwrap()), "patch {i}");
    }
}

#[test]
fn the_size_of_patches_may_change() {
    let (large, extractor) = (patches(1), Extractor::Squeezenet);
    let small = large.narrow(2, 3, 40).unwrap().narrow(3, 5, 33).unwrap();
    let used = features(extractor, "", &Device::Cpu);
    for patches in [&large, &small, &large] {
        let fresh = features(extractor, "", &Device::Cpu);
        let [got, expected] = [&used, &fresh].map(|features| features.extract(patches).unwrap());
        assert_eq!((got.dims(), values(&got)), (expected.dims(), values(&expected)));
    }
}

fn matching(extractor: Extractor, weight: f64) -> Objective {
    Objective::FeatureMatching(FeatureMatching {
        features: features(extractor, "", &Device::Cpu),
        weight,
    })
}

fn loss(objective: &Objective, reconstructions: &Tensor, patches: &Tensor) -> Tensor {
    objective.loss(reconstructions, patches, None).unwrap()
}

#[test]
fn the_loss_is_the_squared_distance_of_pixels_and_features() {
    let patches = patches(2);
    let reconstructions = (patches.sqr().unwrap() * 0.9).unwrap();
    let scalar = |tensor: Tensor| f64::from(tensor.to_scalar::<f32>().unwrap());
    let pixels = scalar(loss(&Objective::L2, &reconstructions, &patches));
    for (extractor, _) in EXTRACTORS {
        assert_eq!(scalar(loss(&matching(extractor, 0.0), &reconstructions, &patches)), pixels);
        assert_eq!(scalar(loss(&matching(extractor, 3.0), &patches, &patches)), 0.0);
        let features = features(extractor, "", &Device::Cpu);
        let of = |patches: &Tensor| values(&features.extract_detached(patches).unwrap());
        let pairs = of(&reconstructions).into_iter().zip(of(&patches));
        let distance: f64 = pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let expected = pixels + 3.0 * distance / f64::from(2 * 64 * 64);
        let got = scalar(loss(&matching(extractor, 3.0), &reconstructions, &patches));
        // A sum of some thousand terms in f32.
        assert!((got - expected).abs() < 1e-5 * expected, "{extractor:?}: {got} for {expected}");
    }
}

/// In f32, along the gradient at every fourth pixel, where it is far larger than what rounding and kinks leave of it.
#[test]
fn gradients_equal_finite_differences() {
    let patches = patches(2);
    let start = (patches.sqr().unwrap() * 0.9).unwrap();
    for (extractor, _) in EXTRACTORS {
        let objective = matching(extractor, 1.0);
        let reconstructions = Var::from_tensor(&start).unwrap();
        let gradients = loss(&objective, &reconstructions, &patches).backward().unwrap();
        let gradient = values(gradients.get(&reconstructions).unwrap());
        for phase in 0..4 {
            let part = |(i, &g): (usize, &f32)| if i % 4 == phase { f64::from(g) } else { 0.0 };
            let direction: Vec<f64> = gradient.iter().enumerate().map(part).collect();
            let norm = direction.iter().map(|g| g * g).sum::<f64>().sqrt();
            // A step that moves all pixels by 0.003 at most.
            let step = 0.003 / direction.iter().fold(0.0f64, |max, g| max.max(g.abs() / norm));
            let at = |sign: f64| {
                let moved = values(&start).into_iter().zip(&direction);
                let moved = moved.map(|(x, g)| (f64::from(x) + sign * step * g / norm) as f32);
                let moved = Tensor::from_iter(moved, &Device::Cpu).unwrap();
                let moved = moved.reshape(start.dims()).unwrap();
                f64::from(loss(&objective, &moved, &patches).to_scalar::<f32>().unwrap())
            };
            let expected = (at(1.0) - at(-1.0)) / (2.0 * step);
            assert!(
                (norm - expected).abs() < 0.01 * expected,
                "{extractor:?}: {norm} for {expected}"
            );
        }
    }
}

#[test]
fn the_weights_that_are_needed_are_named() {
    for (extractor, _) in EXTRACTORS {
        let named: HashMap<String, Vec<usize>> = extractor.tensors().into_iter().collect();
        let weights = weights(extractor);
        assert_eq!(named.len(), weights.len());
        assert!(weights.iter().all(|(name, tensor)| named[name] == tensor.dims()), "{extractor}");
    }
}

fn refused(extractor: Extractor, change: impl FnOnce(&mut HashMap<String, Tensor>)) -> Error {
    let mut tensors = weights(extractor);
    change(&mut tensors);
    let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
    Features::new(extractor, "", vb).unwrap_err()
}

#[test]
fn weights_of_another_network_are_refused_by_name() {
    let error = refused(Extractor::Alexnet, |tensors| drop(tensors.remove("features.3.bias")));
    assert!(matches!(error, Error::MissingTensor { name } if name == "features.3.bias"));
    let error = refused(Extractor::Alexnet, |tensors| *tensors = weights(Extractor::Squeezenet));
    let message = error.to_string();
    assert!(matches!(error, Error::TensorMismatch { name, .. } if name == "features.0.weight"));
    assert!(message.contains("[64, 3, 11, 11]") && message.contains("[64, 3, 3, 3]"), "{message}");
    let error = refused(Extractor::Squeezenet, |tensors| {
        let bias = Tensor::full(f32::NAN, 16, &Device::Cpu).unwrap();
        tensors.insert("features.4.squeeze.bias".into(), bias);
    });
    assert!(matches!(error, Error::NotFinite { name } if name == "features.4.squeeze.bias"));
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let features = features(Extractor::Squeezenet, "", &Device::Cpu);
    let zeros = |shape: &[usize]| Tensor::zeros(shape, DType::F32, &Device::Cpu).unwrap();
    let message = features.extract(&zeros(&[1, 3, 64, 64])).unwrap_err().to_string();
    assert!(message.contains("1 channel, got 3"), "{message}");
    let message = features.extract(&zeros(&[1, 1, 4, 64])).unwrap_err().to_string();
    assert!(message.contains("too small"), "{message}");
    for weight in [-1.0, f64::NAN, f64::INFINITY] {
        let error = matching(Extractor::Squeezenet, weight).validate(128).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "weight", .. }), "{weight}");
    }
    assert_eq!(matching(Extractor::Squeezenet, 1.0).latent(), Latent::Vector);
}

#[test]
fn features_are_told_apart_by_network_and_weights() {
    let [a, b, c] = [
        features(Extractor::Squeezenet, "a", &Device::Cpu),
        features(Extractor::Squeezenet, "b", &Device::Cpu),
        features(Extractor::Alexnet, "a", &Device::Cpu),
    ];
    assert!(a == features(Extractor::Squeezenet, "a", &Device::Cpu) && a != b && a != c);
    assert_eq!(format!("{b:?}"), "Features { extractor: Squeezenet, sha256: \"b\" }");
}
