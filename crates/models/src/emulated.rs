//! The kernels of training, on the CPU, against the operations for the CPU: not a bit differs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use crate::adam::{Adam, AdamConfig};
use crate::patches::crops::{cut, cut_next};
use crate::record::{Entry, Record, Standing};
use candle_core::{Device, Tensor, Var};
use emulation::{Program, bytes, floats};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::iter::once;
use std::path::Path;
use std::sync::OnceLock;

/// Runs a kernel for the arguments that `tests/emulation/main.cpp` describes.
fn run(kernel: &str, numbers: &[u32], input: Vec<u8>) -> Vec<u8> {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    let program = PROGRAM.get_or_init(|| Program::compile(Path::new(env!("CARGO_MANIFEST_DIR"))));
    program.run(once(kernel.to_owned()).chain(numbers.iter().map(u32::to_string)), input)
}

/// Values in [-1, 1) that depend on nothing but the seed.
fn noise(seed: u64, shape: &[usize]) -> Tensor {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let values = (0..shape.iter().product()).map(|_| rng.random_range(-1.0..1.0)).collect();
    Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu).unwrap()
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// A record of a run that is so far.
fn record_at(patches: u64, steps: u64) -> Record {
    let record = Record::new(&Device::Cpu).unwrap();
    record.begin(Standing { losses: 2.5, patches, steps }).unwrap();
    record
}

fn record_bytes(record: &Record) -> Vec<u8> {
    record.values().unwrap().into_iter().flat_map(f64::to_ne_bytes).collect()
}

#[test]
#[ignore = "needs a C++ compiler"]
fn patches_are_those_of_the_operation() {
    let images = noise(1, &[40 * 37 + 33 * 50]);
    let (first, second) = (37, 33);
    let places = [0, first, 5 + 3 * first, first, 8 * first + 5, first, 40 * 37, second];
    let places = [&places[..], &[40 * 37 + 18 * second + 1, second]].concat();
    let tensor = Tensor::from_slice(&places, (5, 2), &Device::Cpu).unwrap();
    // 5 places are an epoch: after 17 patches, the third is next.
    let record = record_at(17, 0);
    let expected = [
        (5, false, cut(&images, &tensor, 32).unwrap()),
        (3, true, cut_next(&images, &tensor, 32, 3, &record).unwrap()),
    ];
    for (count, is_recorded, expected) in expected {
        let mut input = bytes(&values(&images));
        input.extend(places.iter().flat_map(|number: &i64| number.to_ne_bytes()));
        input.extend(record_bytes(&record));
        let numbers = [images.elem_count() as u32, 5, count, 32, is_recorded.into()];
        assert!(floats(&run("cut", &numbers, input)) == values(&expected), "{numbers:?}");
    }
}

/// Losses of steps and one of the values of their reconstructions.
const RUNS: [&[(f32, f32)]; 4] = [
    &[(0.5, 3.0), (0.25, -1e30), (0.1, 0.0)],
    &[(0.5, 3.0), (f32::INFINITY, 1.0), (0.1, f32::NAN)],
    &[(0.5, f32::NEG_INFINITY), (0.1, 1.0)],
    &[(0.5, 1.0), (f32::NAN, f32::INFINITY)],
];

#[test]
#[ignore = "needs a C++ compiler"]
fn records_are_those_of_the_operation() {
    const PIXELS: usize = 1000;
    for steps in RUNS {
        let record = record_at(100, 7);
        let entry = Entry { count: 16, pace: AdamConfig::default().pace() };
        let mut input = record_bytes(&record);
        for number in [entry.pace.learning_rate, entry.pace.beta1, entry.pace.beta2] {
            input.extend(number.to_ne_bytes());
        }
        for &(loss, pixel) in steps {
            let mut pixels = values(&noise(2, &[PIXELS]));
            pixels[PIXELS - 1] = pixel;
            input.extend(bytes(&[loss]));
            input.extend(bytes(&pixels));
            let loss = Tensor::new(loss, &Device::Cpu).unwrap();
            record.add(entry, &loss, &Tensor::new(pixels, &Device::Cpu).unwrap()).unwrap();
        }
        let got = run("record", &[steps.len() as u32, PIXELS as u32, entry.count as u32], input);
        let got: Vec<f64> =
            got.as_chunks().0.iter().map(|&bytes| f64::from_ne_bytes(bytes)).collect();
        // What tells kernels of one another is no news for the host. NaN is not equal to itself.
        let [got, expected] = [&got, &record.values().unwrap()].map(|v| format!("{:?}", &v[..7]));
        assert_eq!(got, expected, "{steps:?}");
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn steps_of_adam_are_those_of_the_operations() {
    const COUNT: usize = 1000;
    let config = AdamConfig { weight_decay: 0.01, ..AdamConfig::default() };
    let gradient = noise(2, &[COUNT]);
    for loss in [0.5, f32::NAN] {
        // Not the first step, whose moments are zero.
        let record = record_at(0, 5);
        let entry = Entry { count: 1, pace: config.pace() };
        let [tensor, pixels] = [loss, 0.0].map(|value| Tensor::new(value, &Device::Cpu).unwrap());
        record.add(entry, &tensor, &pixels).unwrap();
        let variable = Var::from_tensor(&noise(3, &[COUNT])).unwrap();
        let mut adam = Adam::new(config, [&variable].into_iter()).unwrap();
        adam.moments = vec![noise(4, &[2, COUNT]).sqr().unwrap()];
        adam.steps = 5;
        let before = [values(&variable), values(&adam.moments[0])];
        let sum = (variable.as_tensor() * &gradient).unwrap().sum_all().unwrap();
        let found = sum.backward().unwrap().get(&variable).cloned();
        adam.step([(&variable, found)].into_iter(), Some(&record)).unwrap();
        let after = [values(&variable), values(&adam.moments[0])].concat();
        assert_eq!(loss.is_nan(), after == before.concat());

        let AdamConfig { beta1, beta2, weight_decay, epsilon, .. } = config;
        let mut input = record_bytes(&record);
        input.extend(bytes(&[beta1, beta2, weight_decay, epsilon].map(|value| value as f32)));
        input.extend(bytes(&[values(&gradient), before.concat()].concat()));
        assert!(floats(&run("adam", &[COUNT as u32], input)) == after, "{loss}");
    }
}
