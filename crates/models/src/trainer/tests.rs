//! Runs whose losses are read late, as on a GPU, against runs whose losses are read after each step, both on the CPU.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::*;
use crate::adam::AdamConfig;
use crate::objective::Objective;

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
    let images =
        vec![TrainingImage { width: 40, height: 40, pixels: image.to_vec(), places: None }];
    Trainer::new(config.clone(), images, &Device::Cpu).unwrap()
}

/// A run whose losses are read at the end of epochs.
fn start_late(config: &TrainingConfig, image: &[f32]) -> Trainer {
    let mut trainer = start(config, image);
    trainer.read_losses_every(100);
    trainer
}

fn stripes() -> Vec<f32> {
    (0..40 * 40).map(|i| 0.5 + 0.4 * ((i % 40 + i / 40) as f32 * 0.785).sin()).collect()
}

#[test]
fn losses_read_late_are_those_read_at_once() {
    let (config, image) = (config(1e-3), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_late(&config, &image));
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
    let (mut at_once, mut late) = (start(&config, &image), start_late(&config, &image));
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
    let mut whole = start_late(&config, &image);
    let mut first = start_late(&config, &image);
    whole.step().unwrap();
    first.step().unwrap();
    let mut second = start_late(&config, &image);
    second.restore(&first.checkpoint("").unwrap()).unwrap();
    while !whole.is_done() {
        assert_eq!(second.step().unwrap().epoch, whole.step().unwrap().epoch);
    }
    assert!(second.checkpoint("").unwrap() == whole.checkpoint("").unwrap());
}

#[test]
fn a_run_can_change_when_its_losses_are_read() {
    let (config, image) = (config(1e-3), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_late(&config, &image));
    let [first, second] = [(); 2].map(|()| at_once.step().unwrap().loss.unwrap());
    assert_eq!(late.step().unwrap().loss, None);
    late.read_losses_every(1);
    let mean = (4.0 * f64::from(first) + 4.0 * f64::from(second)) / 8.0;
    assert_eq!(late.step().unwrap().loss, Some(mean as f32));
    assert_eq!(late.step().unwrap().loss, at_once.step().unwrap().loss);
}

/// Weights of 10¹⁰ are finite, but the product of as many as there are layers is not: the second step fails, and the third one, at the
/// end of the epoch, reports it.
#[test]
fn a_failure_leaves_the_state_before_it() {
    let (config, image) = (config(1e10), stripes());
    let (mut at_once, mut late) = (start(&config, &image), start_late(&config, &image));
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
    let mut late = start_late(&config(1e-3), &image);
    let expected = late.checkpoint("").unwrap();
    let error = loop {
        if let Err(error) = late.step() {
            break error;
        }
    };
    assert!(matches!(error, Error::Diverged { patches: 0, loss } if !loss.is_finite()), "{error}");
    assert!(late.checkpoint("").unwrap() == expected);
}
