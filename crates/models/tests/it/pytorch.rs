//! The same weights give the same output as in PyTorch: `data/pytorch.py` made `data/pytorch.txt` (PyTorch 2.15, CPU,
//! float64) from weights and patches that the functions here and in `pth` repeat.

use crate::pth::{noise, table_1, write_state_dict};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use models::{Architecture, Autoencoder};

const FIXTURE: &str = include_str!("../data/pytorch.txt");

fn assert_equals_pytorch(architecture: Architecture) {
    let Architecture { patch_size, latent_dim, .. } = architecture;
    let device = Device::Cpu;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.pth");
    write_state_dict(&path, &table_1(patch_size, latent_dim)).unwrap();
    let vb = VarBuilder::from_pth(path, DType::F32, &device).unwrap();
    let model = Autoencoder::new(&architecture, vb).unwrap();
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
