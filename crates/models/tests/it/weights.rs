//! Weights survive a round trip, and files that are not weights of the architecture are refused with a reason.

use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, VarMap};
use models::{Architecture, Autoencoder, Error, Initialisation, Latent, initialise};
use std::collections::{BTreeMap, HashMap};

const ARCHITECTURE: Architecture =
    Architecture { patch_size: 32, latent_dim: 3, latent: Latent::Vector };

fn model() -> Autoencoder {
    let varmap = VarMap::new();
    initialise(&varmap, &ARCHITECTURE, Initialisation::He, 1, &Device::Cpu).unwrap();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &Device::Cpu);
    Autoencoder::new(&ARCHITECTURE, vb).unwrap()
}

fn load(bytes: &[u8]) -> Result<Autoencoder, Error> {
    Autoencoder::from_safetensors(bytes, ARCHITECTURE, &Device::Cpu)
}

/// Loads a model's weights after a change.
fn load_changed(change: impl FnOnce(&mut HashMap<String, Tensor>)) -> Error {
    let bytes = model().to_safetensors().unwrap();
    let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
    change(&mut tensors);
    load(&safetensors::serialize(tensors, None).unwrap()).unwrap_err()
}

#[test]
fn a_round_trip_is_exact() {
    let bytes = model().to_safetensors().unwrap();
    let loaded = load(&bytes).unwrap();
    assert!(loaded.to_safetensors().unwrap() == bytes);
    let patches = Tensor::rand(0f32, 1.0, (2, 1, 32, 32), &Device::Cpu).unwrap();
    let bits = |model: &Autoencoder| -> Vec<u32> {
        let result = model.forward(&patches).unwrap().flatten_all().unwrap();
        result.to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
    };
    assert_eq!(bits(&loaded), bits(&model()));
}

/// Every source of weights that a candle user has.
#[test]
fn a_var_builder_may_be_of_any_source() {
    let (bytes, device) = (model().to_safetensors().unwrap(), Device::Cpu);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    std::fs::write(&path, &bytes).unwrap();
    let mut varmap = VarMap::new();
    let vb = VarBuilder::from_varmap(&varmap, DType::F32, &device);
    let filled = Autoencoder::new(&ARCHITECTURE, vb).unwrap();
    assert!(filled.to_safetensors().unwrap() != bytes, "other random weights");
    varmap.load(&path).unwrap();
    let prefixed = candle_core::safetensors::load_buffer(&bytes, &device).unwrap().into_iter();
    let prefixed = prefixed.map(|(name, tensor)| (format!("part.{name}"), tensor)).collect();
    let prefixed = VarBuilder::from_tensors(prefixed, DType::F32, &device).pp("part");
    let buffered = VarBuilder::from_buffered_safetensors(bytes.clone(), DType::F32, &device);
    for model in [
        filled,
        Autoencoder::new(&ARCHITECTURE, prefixed).unwrap(),
        Autoencoder::new(&ARCHITECTURE, buffered.unwrap()).unwrap(),
    ] {
        assert!(model.to_safetensors().unwrap() == bytes);
    }
    let saved = folder.path().join("saved.safetensors");
    varmap.save(&saved).unwrap();
    assert!(load(&std::fs::read(saved).unwrap()).unwrap().to_safetensors().unwrap() == bytes);
}

#[test]
fn a_var_builder_without_the_weights_is_refused() {
    let zeros = VarBuilder::zeros(DType::F32, &Device::Cpu);
    let invalid = Architecture { patch_size: 100, ..ARCHITECTURE };
    let error = Autoencoder::new(&invalid, zeros).unwrap_err();
    assert!(matches!(error, Error::Setting { name: "patch_size", .. }), "{error}");
    let build = |change: fn(&mut HashMap<String, Tensor>)| {
        let bytes = model().to_safetensors().unwrap();
        let mut tensors = candle_core::safetensors::load_buffer(&bytes, &Device::Cpu).unwrap();
        change(&mut tensors);
        let vb = VarBuilder::from_tensors(tensors, DType::F32, &Device::Cpu);
        Autoencoder::new(&ARCHITECTURE, vb).unwrap_err().to_string()
    };
    let message = build(|tensors| drop(tensors.remove("decoder.4.bias")));
    assert!(message.contains("decoder.4.bias"), "{message}");
    let message = build(|tensors| {
        let bias = tensors["encoder.0.bias"].narrow(0, 0, 5).unwrap();
        tensors.insert("encoder.0.bias".into(), bias);
    });
    assert!(message.contains("encoder.0.bias"), "{message}");
}

#[test]
fn names_and_shapes_are_pytorchs() {
    let bytes = model().to_safetensors().unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let shapes: BTreeMap<String, Vec<usize>> =
        file.tensors().into_iter().map(|(name, view)| (name, view.shape().to_vec())).collect();
    // Six layers from Table 1 and the latent one, in both directions.
    assert_eq!(shapes.len(), 2 * 2 * 7);
    assert_eq!(shapes["encoder.0.weight"], [32, 1, 3, 3]);
    assert_eq!(shapes["encoder.2.weight"], [64, 32, 4, 4]);
    assert_eq!(shapes["encoder.12.weight"], [3, 32, 8, 8]);
    assert_eq!(shapes["encoder.12.bias"], [3]);
    assert_eq!(shapes["decoder.0.weight"], [3, 32, 8, 8]);
    assert_eq!(shapes["decoder.0.bias"], [32]);
    assert_eq!(shapes["decoder.10.weight"], [64, 32, 4, 4]);
    assert_eq!(shapes["decoder.12.weight"], [32, 1, 3, 3]);
    assert_eq!(shapes["decoder.12.bias"], [1]);
}

#[test]
fn a_missing_tensor_is_named() {
    let error = load_changed(|tensors| drop(tensors.remove("decoder.4.bias")));
    assert!(matches!(error, Error::MissingTensor { name } if name == "decoder.4.bias"));
}

#[test]
fn an_unexpected_tensor_is_named() {
    let error = load_changed(|tensors| {
        let bias = tensors["encoder.0.bias"].clone();
        tensors.insert("encoder.14.bias".into(), bias);
    });
    assert!(matches!(error, Error::UnexpectedTensor { name } if name == "encoder.14.bias"));
}

#[test]
fn a_tensor_of_another_shape_is_named() {
    let error = load_changed(|tensors| {
        // As many values, but the layout of a convolution for that of a transposed one.
        let weight = tensors["decoder.0.weight"].transpose(0, 1).unwrap().contiguous().unwrap();
        tensors.insert("decoder.0.weight".into(), weight);
    });
    let message = error.to_string();
    assert!(matches!(error, Error::TensorMismatch { name, .. } if name == "decoder.0.weight"));
    assert!(message.contains("[3, 32, 8, 8]") && message.contains("[32, 3, 8, 8]"), "{message}");
}

#[test]
fn a_tensor_of_another_type_is_named() {
    let error = load_changed(|tensors| {
        let bias = tensors["encoder.2.bias"].to_dtype(DType::F64).unwrap();
        tensors.insert("encoder.2.bias".into(), bias);
    });
    let message = error.to_string();
    assert!(matches!(error, Error::TensorMismatch { name, .. } if name == "encoder.2.bias"));
    assert!(message.contains("F32") && message.contains("F64"), "{message}");
}

#[test]
fn a_tensor_that_is_not_finite_is_named() {
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let error = load_changed(|tensors| {
            let mut bias = tensors["encoder.2.bias"].to_vec1::<f32>().unwrap();
            bias[17] = value;
            tensors.insert("encoder.2.bias".into(), Tensor::new(bias, &Device::Cpu).unwrap());
        });
        assert!(matches!(error, Error::NotFinite { name } if name == "encoder.2.bias"));
    }
}

#[test]
fn bytes_that_are_no_safetensors_file_are_refused() {
    let bytes = model().to_safetensors().unwrap();
    for length in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(load(&bytes[..length]), Err(Error::Format(_))), "{length} bytes");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(matches!(load(&longer), Err(Error::Format(_))));
    // The file begins with the length of its header.
    for header_length in [bytes.len() as u64, u64::MAX] {
        let mut bytes = bytes.clone();
        bytes[..8].copy_from_slice(&header_length.to_le_bytes());
        assert!(matches!(load(&bytes), Err(Error::Format(_))), "header of {header_length}");
    }
}
