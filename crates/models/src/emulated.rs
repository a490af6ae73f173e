//! The kernels of training, on the CPU, against the operations for the CPU: not a bit differs.
#![allow(clippy::unwrap_used, reason = "a failed unwrap fails the test")]

use crate::adam::{Adam, AdamConfig, Descend};
use crate::conv::tests::noise;
use crate::emulation::{bytes, floats, run};
use crate::patches::crops::cut;
use crate::record::{Entry, Record};
use candle_core::{Device, Tensor, Var};

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

#[test]
#[ignore = "needs a C++ compiler"]
fn patches_are_those_of_the_operation() {
    let images = noise(1, &[40 * 37 + 33 * 50]);
    let (first, second) = (37, 33);
    let places = [0, first, 5 + 3 * first, first, 8 * first + 5, first, 40 * 37, second];
    let places = [&places[..], &[40 * 37 + 18 * second + 1, second]].concat();
    let expected = cut(&images, &Tensor::from_slice(&places, (5, 2), &Device::Cpu).unwrap(), 32);
    let input: Vec<u8> = (bytes(&values(&images)).into_iter())
        .chain(places.iter().flat_map(|number: &i64| number.to_ne_bytes()))
        .collect();
    let got = floats(&run("cut", &[images.elem_count() as u32, 5, 32], input));
    assert!(got == values(&expected.unwrap()));
}

/// Losses and sums of reconstructions of steps.
const RUNS: [&[(f32, f32)]; 4] = [
    &[(0.5, 3.0), (0.25, -1e30), (0.1, 0.0)],
    &[(0.5, 3.0), (f32::INFINITY, 1.0), (0.1, f32::NAN)],
    &[(0.5, f32::NEG_INFINITY), (0.1, 1.0)],
    &[(0.5, 1.0), (f32::NAN, f32::INFINITY)],
];

#[test]
#[ignore = "needs a C++ compiler"]
fn records_are_those_of_the_operation() {
    for steps in RUNS {
        let record = Record::new(&Device::Cpu).unwrap();
        let mut input = Vec::new();
        for (number, &(loss, sum)) in (0..).zip(steps) {
            let entry = Entry { count: 16, patches: 100 + 16 * number, steps: 7 + number };
            let [loss, sum] = [loss, sum].map(|value| Tensor::new(value, &Device::Cpu).unwrap());
            record.add(entry, &loss, &sum).unwrap();
            input.extend(bytes(&[values(&loss)[0], values(&sum)[0]]));
            for number in [entry.count as f64, entry.patches as f64, entry.steps as f64] {
                input.extend(number.to_ne_bytes());
            }
        }
        let got = run("record", &[steps.len() as u32], input);
        let got: Vec<f64> =
            got.as_chunks().0.iter().map(|&bytes| f64::from_ne_bytes(bytes)).collect();
        // NaN is not equal to itself.
        assert_eq!(format!("{got:?}"), format!("{:?}", record.values().unwrap()), "{steps:?}");
    }
}

#[test]
#[ignore = "needs a C++ compiler"]
fn steps_of_adam_are_those_of_the_operations() {
    const COUNT: usize = 1000;
    let config = AdamConfig { weight_decay: 0.01, ..AdamConfig::default() };
    let gradient = noise(2, &[COUNT]);
    for (is_recorded, has_failed) in [(false, false), (true, false), (true, true)] {
        let record = Record::new(&Device::Cpu).unwrap();
        if has_failed {
            let [loss, sum] =
                [f32::NAN, 0.0].map(|value| Tensor::new(value, &Device::Cpu).unwrap());
            record.add(Entry { count: 1, patches: 0, steps: 0 }, &loss, &sum).unwrap();
        }
        let variable = Var::from_tensor(&noise(3, &[COUNT])).unwrap();
        let mut adam = Adam::new(config, [&variable].into_iter()).unwrap();
        // Not the first step, whose moments are zero.
        adam.moments = vec![noise(4, &[2, COUNT]).sqr().unwrap()];
        adam.steps = 5;
        let before = [values(&variable), values(&adam.moments[0])];
        let sum = (variable.as_tensor() * &gradient).unwrap().sum_all().unwrap();
        let record = is_recorded.then_some(&record);
        adam.step([&variable].into_iter(), &sum.backward().unwrap(), record).unwrap();
        let after = [values(&variable), values(&adam.moments[0])].concat();
        assert_eq!(has_failed, after == before.concat());

        let AdamConfig { beta1, beta2, weight_decay, .. } = config;
        let mut input = bytes(&[beta1, beta2, weight_decay].map(|value| value as f32));
        let Descend { step_size, second_correction, epsilon, .. } = adam.descent(record);
        input.extend(bytes(&[step_size, second_correction, epsilon]));
        input.extend(bytes(&[values(&gradient), before.concat()].concat()));
        let numbers = [COUNT as u32, is_recorded.into(), has_failed.into()];
        let got = floats(&run("adam", &numbers, input));
        assert!(got == after, "{numbers:?}");
    }
}
