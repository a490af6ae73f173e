//! Runs whose losses are read late, as on a GPU, against runs whose losses are read at once, both on the CPU.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::*;
use crate::{AdamConfig, Objective};

/// Epochs of 10 patches in batches of 4, 4 and 2.
fn config(learning_rate: f64) -> TrainingConfig {
    TrainingConfig {
        architecture: Architecture { patch_size: 32, latent_dim: 3, latent: Latent::Vector },
        objective: Objective::L2,
        adam: AdamConfig { learning_rate, ..AdamConfig::default() },
        schedule: Schedule {
            batch_size: 4,
            patches_per_epoch: 10,
            patches: 25,
            seed: 7,
            ..Schedule::default()
        },
    }
}

fn start(config: &TrainingConfig, image: &[f32]) -> Trainer {
    let images = vec![TrainingImage { width: 40, height: 40, pixels: image.to_vec() }];
    Trainer::new(config.clone(), images, &Device::Cpu).unwrap()
}

/// A run that records its losses.
fn start_recording(config: &TrainingConfig, image: &[f32]) -> Trainer {
    let record = Some(Record::new(&Device::Cpu).unwrap());
    Trainer { record, ..start(config, image) }
}

fn stripes() -> Vec<f32> {
    (0..40 * 40).map(|i| 0.5 + 0.4 * ((i % 40 + i / 40) as f32 * 0.785).sin()).collect()
}

#[test]
fn recorded_losses_are_those_read_at_once() {
    let (config, image) = (config(1e-3), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_recording(&config, &image));
    while !at_once.is_done() {
        let (expected, got) = (at_once.step().unwrap(), late.step().unwrap());
        assert_eq!((got.patches, got.epoch), (expected.patches, expected.epoch));
        assert_eq!(got.loss.is_some(), got.epoch.is_some());
        // In the middle of an epoch, too.
        assert!(late.checkpoint("").unwrap() == at_once.checkpoint("").unwrap());
    }
    assert!(late.is_done());
}

#[test]
fn a_loss_that_is_read_late_is_the_mean_since_the_last_one() {
    let (config, image) = (config(1e-3), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_recording(&config, &image));
    for _ in 0..2 {
        let (mut sum, mut patches) = (0.0, 0);
        loop {
            let before = at_once.patches();
            let step = at_once.step().unwrap();
            sum += f64::from(step.loss.unwrap()) * (step.patches - before) as f64;
            patches += step.patches - before;
            if let Some(loss) = late.step().unwrap().loss {
                assert_eq!(loss, (sum / patches as f64) as f32);
                break;
            }
        }
    }
}

#[test]
fn interrupted_runs_end_as_uninterrupted_ones() {
    let (config, image) = (config(1e-3), stripes());
    let mut whole = start_recording(&config, &image);
    let mut first = start_recording(&config, &image);
    whole.step().unwrap();
    first.step().unwrap();
    let mut second = start_recording(&config, &image);
    second.restore(&first.checkpoint("").unwrap()).unwrap();
    while !whole.is_done() {
        assert_eq!(second.step().unwrap().epoch, whole.step().unwrap().epoch);
    }
    assert!(second.checkpoint("").unwrap() == whole.checkpoint("").unwrap());
}

#[test]
fn losses_are_told_when_asked_for() {
    let (config, image) = (config(1e-3), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_recording(&config, &image));
    assert_eq!(late.read_loss().unwrap(), None);
    let expected = at_once.step().unwrap().loss;
    assert_eq!(late.step().unwrap().loss, None);
    assert_eq!(late.read_loss().unwrap(), expected);
    assert_eq!([late.read_loss().unwrap(), at_once.read_loss().unwrap()], [None; 2]);
}

/// Weights of 10¹⁰ can be kept, but products of as many as there are layers cannot: the second step fails, which the third one tells.
#[test]
fn a_failure_leaves_the_state_before_it() {
    let (config, image) = (config(1e10), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_recording(&config, &image));
    at_once.step().unwrap();
    let expected = at_once.checkpoint("").unwrap();
    let told = at_once.step().unwrap_err().to_string();
    assert!(at_once.checkpoint("").unwrap() == expected);

    late.step().unwrap();
    assert!(late.step().unwrap().loss.is_none(), "nobody asked yet");
    let unheard = late.checkpoint("").unwrap_err();
    assert!(matches!(unheard, Error::Diverged { patches: 4, .. }), "{unheard}");
    let error = late.step().unwrap_err();
    assert_eq!(error.to_string(), told);
    assert!(late.checkpoint("").unwrap() == expected);
    // And again: the run has not gone on.
    assert_eq!(late.patches(), 4);
    late.step().unwrap();
    assert_eq!(late.step().unwrap_err().to_string(), told);
    assert!(late.checkpoint("").unwrap() == expected);
}

#[test]
fn images_out_of_all_scale_fail_at_the_first_step() {
    let mut image = stripes();
    // In the middle, which every patch covers.
    image[40 * 20 + 20] = f32::MAX;
    let mut late = start_recording(&config(1e-3), &image);
    let expected = late.checkpoint("").unwrap();
    let error = loop {
        if let Err(error) = late.step() {
            break error;
        }
    };
    assert!(matches!(error, Error::Diverged { patches: 0, loss } if !loss.is_finite()), "{error}");
    assert!(late.checkpoint("").unwrap() == expected);
}
