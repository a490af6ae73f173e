//! The kernels for CUDA, compiled for the CPU with sanitizers, against the operations for the CPU.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use candle_core::{DType, Device, Tensor};
use emulation::Program;
use std::path::Path;

use super::geometry::Geometry;
use super::sampled::Moments;
use super::stitch::Stitch;
use super::tiles::Tiles;
use crate::Blend;

/// Width, height, patch, stride and batch.
const CASES: [[usize; 5]; 6] = [
    [8, 8, 8, 3, 5],
    [9, 23, 8, 8, 4],
    [40, 33, 8, 3, 7],
    [33, 17, 5, 1, 50],
    [64, 48, 16, 16, 100],
    [70, 61, 32, 30, 1],
];

#[test]
#[ignore = "needs a C++ compiler"]
fn kernels_do_what_operations_do() {
    let program = Program::compile(Path::new(env!("CARGO_MANIFEST_DIR")));
    for case in CASES {
        let [width, height, patch, stride, batch] = case;
        let values = (0..width * height).map(|i| ((i * 7919) % 1009) as f32 / 1009.0);
        let image = Tensor::from_iter(values, &Device::Cpu).unwrap();
        let image = image.reshape((height, width)).unwrap();
        let geometry = Geometry::new(width, height, patch, stride).unwrap();
        let tiles = Tiles::new(&image, geometry, 0, batch);
        let Geometry { columns, rows, .. } = geometry;
        let numbers = [width, height, patch, stride, columns, rows, batch];
        for blend in [Blend::Flat, Blend::Hann] {
            let weights = Tensor::from_vec(blend.weights(patch), patch, &Device::Cpu).unwrap();
            let input = [bytes(&image), bytes(&weights)].concat();
            let got = program.run(numbers.map(|number| number.to_string()), input);
            // The same operations in the same order: not a bit differs.
            assert!(got == expected(&tiles, &weights), "{case:?}, {blend:?}");
        }
    }
}

/// The same by the operations for the CPU, in the order in which the program writes it.
fn expected(tiles: &Tiles<'_>, weights: &Tensor) -> Vec<u8> {
    let stitch = || Stitch::new(tiles.geometry, weights).unwrap();
    let (mut plain, mut squared) = (stitch(), stitch());
    let mut expected = Vec::new();
    tiles
        .for_each_batch(|range, patches| {
            expected.extend(bytes(patches));
            let samples = [0.25, 0.5, 0.75].map(|factor| patches.affine(factor, 0.0).unwrap());
            let samples = Tensor::cat(&samples, 1)?;
            expected.extend(bytes(&patches.apply_op2_no_bwd(&samples, &Moments)?));
            plain.add(tiles, range.clone(), patches)?;
            squared.add(tiles, range, &patches.to_dtype(DType::F64)?.sqr()?)
        })
        .unwrap();
    for mut stitch in [plain, squared] {
        expected.extend(bytes(&stitch.take(tiles.geometry.height).unwrap()));
    }
    expected
}

fn bytes(tensor: &Tensor) -> Vec<u8> {
    let values = tensor.flatten_all().unwrap();
    match tensor.dtype() {
        DType::F64 => {
            values.to_vec1::<f64>().unwrap().into_iter().flat_map(f64::to_ne_bytes).collect()
        }
        _ => values.to_vec1::<f32>().unwrap().into_iter().flat_map(f32::to_ne_bytes).collect(),
    }
}
