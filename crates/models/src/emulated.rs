//! The kernels of training, on the CPU, against the operations for the CPU: not a bit differs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use crate::adam::{Adam, AdamConfig};
use crate::loss_log::{LogEntry, LossLog};
use crate::patches::corruption::corrupt_next;
use crate::patches::crops::{cut, cut_next};
use crate::progress::Progress;
use candle_core::{Device, Tensor, Var};
use candle_nn::Optimizer;
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

/// The log of a run after the given numbers of patches and steps.
fn log_after(patches: u64, steps: u64) -> LossLog {
    let log = LossLog::new(&Device::Cpu).unwrap();
    log.restart(Progress { epoch_loss: 2.5, patches, steps }).unwrap();
    log
}

fn log_bytes(log: &LossLog) -> Vec<u8> {
    log.values().unwrap().into_iter().flat_map(f64::to_ne_bytes).collect()
}

/// Images, and the places of an epoch of five patches in them.
fn epoch() -> (Tensor, Vec<i64>, Tensor) {
    let (first, second) = (37, 33);
    let places = [0, first, 5 + 3 * first, first, 8 * first + 5, first, 40 * 37, second];
    let places = [&places[..], &[40 * 37 + 18 * second + 1, second]].concat();
    let tensor = Tensor::from_slice(&places, (5, 2), &Device::Cpu).unwrap();
    (noise(1, &[40 * 37 + 33 * 50]), places, tensor)
}

#[test]
#[ignore = "needs a C++ compiler"]
fn patches_are_those_of_the_operation() {
    let (images, places, tensor) = epoch();
    // 5 places are an epoch: after 17 patches, the third is next.
    let log = log_after(17, 0);
    let expected = [
        (5, false, cut(&images, &tensor, 32).unwrap()),
        (3, true, cut_next(&images, &tensor, 32, 3, &log).unwrap()),
    ];
    for (count, is_logged, expected) in expected {
        let mut input = bytes(&values(&images));
        input.extend(places.iter().flat_map(|number: &i64| number.to_ne_bytes()));
        input.extend(log_bytes(&log));
        let numbers = [images.elem_count() as u32, 5, count, 32, is_logged.into()];
        assert!(floats(&run("cut", &numbers, input)) == values(&expected), "{numbers:?}");
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn corrupted_patches_are_those_of_the_operation() {
    let (images, places, tensor) = epoch();
    for seen in 0..20 {
        let log = log_after(5 * seen, 0);
        let patches = cut_next(&images, &tensor, 32, 5, &log).unwrap();
        let expected = corrupt_next(&patches, &images, &tensor, 9, &log).unwrap();
        let mut input = bytes(&[values(&patches), values(&images)].concat());
        input.extend(places.iter().flat_map(|number| number.to_ne_bytes()));
        input.extend(log_bytes(&log));
        let numbers = [images.elem_count() as u32, 5, 5, 32, 9];
        assert!(floats(&run("corrupt", &numbers, input)) == values(&expected), "{seen}");
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
fn logs_are_those_of_the_operation() {
    const PIXELS: usize = 1000;
    for steps in RUNS {
        let log = log_after(100, 7);
        let entry = LogEntry { count: 16, step_size: AdamConfig::default().step_size() };
        let mut input = log_bytes(&log);
        for number in [entry.step_size.learning_rate, entry.step_size.beta1, entry.step_size.beta2]
        {
            input.extend(number.to_ne_bytes());
        }
        for &(loss, pixel) in steps {
            let mut pixels = values(&noise(2, &[PIXELS]));
            pixels[PIXELS - 1] = pixel;
            input.extend(bytes(&[loss]));
            input.extend(bytes(&pixels));
            let loss = Tensor::new(loss, &Device::Cpu).unwrap();
            log.add(entry, &loss, &Tensor::new(pixels, &Device::Cpu).unwrap()).unwrap();
        }
        let got = run("log", &[steps.len() as u32, PIXELS as u32, entry.count as u32], input);
        let got: Vec<f64> =
            got.as_chunks().0.iter().map(|&bytes| f64::from_ne_bytes(bytes)).collect();
        // The last value is for the kernels alone. NaN is not equal to itself.
        let [got, expected] = [&got, &log.values().unwrap()].map(|v| format!("{:?}", &v[..7]));
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
        let log = log_after(0, 5);
        let entry = LogEntry { count: 1, step_size: config.step_size() };
        let [tensor, pixels] = [loss, 0.0].map(|value| Tensor::new(value, &Device::Cpu).unwrap());
        log.add(entry, &tensor, &pixels).unwrap();
        let variable = Var::from_tensor(&noise(3, &[COUNT])).unwrap();
        let mut adam = Adam::new(vec![variable.clone()], config).unwrap();
        adam.parameters_mut()[0].moments = noise(4, &[2, COUNT]).sqr().unwrap();
        let state =
            |adam: &Adam| [values(&variable), values(&adam.parameters()[0].moments)].concat();
        let before = state(&adam);
        let sum = (variable.as_tensor() * &gradient).unwrap().sum_all().unwrap();
        adam.update(6, &sum.backward().unwrap(), Some(&log)).unwrap();
        let after = state(&adam);
        assert_eq!(loss.is_nan(), after == before);

        let AdamConfig { beta1, beta2, weight_decay, epsilon, .. } = config;
        let mut input = log_bytes(&log);
        input.extend(bytes(&[beta1, beta2, weight_decay, epsilon].map(|value| value as f32)));
        input.extend(bytes(&[values(&gradient), before].concat()));
        assert!(floats(&run("adam", &[COUNT as u32], input)) == after, "{loss}");
    }
}
