//! Training runs as a whole: determinism, interruption, progress and failure.

use crate::{extractors, stripes};
use candle_core::{Device, Tensor};
use models::{
    AdamConfig, Architecture, Corruption, Elbo, EpochReport, Error, Extractor, FeatureMatching,
    Initialisation, Latent, Objective, Precision, Sampling, Schedule, StepReport, Trainer,
    TrainingConfig, TrainingImage, checkpoint_note,
};
use safetensors::SafeTensors;
use std::collections::BTreeMap;

const SSIM: Objective = Objective::Ssim(ssim::Params::new(
    ssim::Window::Uniform { size: 11 },
    ssim::Border::Valid,
    ssim::Constants::squared(),
));

const ELBO: Objective = Objective::Elbo(Elbo { kl_weight: 0.1, variance: 0.01 });

/// SqueezeNet with weights by formula.
fn feature_matching(sha256: &str) -> Objective {
    let features = extractors::features(Extractor::Squeezenet, sha256, &Device::Cpu);
    Objective::FeatureMatching(FeatureMatching { features, weight: 0.1 })
}

/// Epochs of 10 patches in batches of 4, 4 and 2; 25 patches end in the middle of the third epoch.
const SCHEDULE: Schedule = Schedule {
    batch_size: 4,
    patches_per_epoch: 10,
    patches: 25,
    sampling: Sampling::Fresh,
    corruption: Corruption::None,
    initialisation: Initialisation::He,
    precision: Precision::F32,
    seed: 7,
};

fn config(objective: &Objective) -> TrainingConfig {
    TrainingConfig {
        architecture: Architecture { patch_size: 32, latent_dim: 5, latent: objective.latent() },
        objective: objective.clone(),
        adam: AdamConfig { learning_rate: 1e-3, ..AdamConfig::default() },
        schedule: SCHEDULE,
    }
}

fn images() -> Vec<TrainingImage> {
    stripes(48, 40)
}

/// One image that is a patch, of one value.
fn flat(value: f32) -> Vec<TrainingImage> {
    vec![TrainingImage { width: 32, height: 32, pixels: vec![value; 32 * 32], places: None }]
}

fn start(config: &TrainingConfig) -> Trainer {
    Trainer::new(config.clone(), images(), &Device::Cpu).unwrap()
}

fn finish(trainer: &mut Trainer) -> Vec<StepReport> {
    let mut reports = Vec::new();
    while !trainer.is_done() {
        reports.push(trainer.step().unwrap());
    }
    reports
}

fn epochs(reports: &[StepReport]) -> Vec<EpochReport> {
    reports.iter().filter_map(|report| report.epoch).collect()
}

/// The checkpoint's bytes hold weights, moments and progress: equal bytes are equal runs.
fn assert_same_state(a: &Trainer, b: &Trainer, what: &str) {
    assert!(a.checkpoint("").unwrap() == b.checkpoint("").unwrap(), "{what}");
}

#[test]
fn weights_do_not_depend_on_the_number_of_threads() {
    for objective in [Objective::L2, SSIM, ELBO, feature_matching("")] {
        let mut config = config(&objective);
        config.schedule.patches = 10;
        let run = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut trainer = start(&config);
                finish(&mut trainer);
                trainer
            })
        };
        let expected = run(1);
        for threads in [2, 3] {
            assert_same_state(&run(threads), &expected, &format!("{objective:?}, {threads}"));
        }
        let mut other = config.clone();
        other.schedule.seed += 1;
        let weights = |trainer: &Trainer| trainer.model().to_safetensors().unwrap();
        assert!(weights(&start(&other)) != weights(&start(&config)), "the seed does nothing");
    }
}

#[test]
fn interrupted_runs_end_as_uninterrupted_ones() {
    let runs = [
        (SSIM, Sampling::Fresh, Corruption::None),
        (SSIM, Sampling::Fixed, Corruption::Blocks),
        (ELBO, Sampling::Fixed, Corruption::None),
    ];
    for (objective, sampling, corruption) in runs {
        let mut config = config(&objective);
        (config.schedule.sampling, config.schedule.corruption) = (sampling, corruption);
        let mut whole = start(&config);
        let expected = finish(&mut whole);
        // In the middle of the first epoch, at its end and in the middle of the second.
        for steps in [2, 3, 4] {
            let mut first = start(&config);
            let mut reports: Vec<_> = (0..steps).map(|_| first.step().unwrap()).collect();
            let bytes = first.checkpoint("a note").unwrap();
            assert_eq!(checkpoint_note(&bytes).unwrap(), "a note");
            let mut second =
                Trainer::resume(&bytes, config.clone(), images(), &Device::Cpu).unwrap();
            assert_eq!(second.patches(), first.patches());
            reports.extend(finish(&mut second));
            let what = format!("{objective:?}, {sampling:?}, {corruption:?}, {steps} steps");
            assert_eq!(reports, expected, "{what}");
            assert_same_state(&second, &whole, &what);
        }
    }
}

#[test]
fn latent_noise_is_new_in_every_step_and_absent_without_a_distribution() {
    let mut config = config(&ELBO);
    config.schedule.sampling = Sampling::Fixed;
    let mut trainer = start(&config);
    let mut rows = Vec::new();
    while !trainer.is_done() {
        rows.extend(trainer.next_noise().unwrap().unwrap().to_vec2::<f32>().unwrap());
        trainer.step().unwrap();
    }
    assert_eq!((rows.len(), rows[0].len()), (25, 5));
    rows.sort_by(|a, b| a[0].total_cmp(&b[0]));
    // In the second epoch the same patches are seen with other noise.
    assert!(rows.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(start(&self::config(&SSIM)).next_noise().unwrap().is_none());
}

#[test]
fn a_network_without_the_latent_layer_of_its_objective_is_refused() {
    for (objective, latent) in [(ELBO, Latent::Vector), (SSIM, Latent::Normal)] {
        let mut config = config(&objective);
        config.architecture.latent = latent;
        let error = Trainer::new(config, images(), &Device::Cpu).unwrap_err();
        assert!(matches!(error, Error::Setting { name: "latent", .. }), "{error}");
    }
}

#[test]
fn a_run_that_ended_within_an_epoch_can_be_prolonged() {
    let mut whole = start(&config(&Objective::L2));
    let expected = finish(&mut whole);
    let mut short = config(&Objective::L2);
    short.schedule.patches = 14;
    let mut first = start(&short);
    finish(&mut first);
    let bytes = first.checkpoint("").unwrap();
    let config = config(&Objective::L2);
    let mut second = Trainer::resume(&bytes, config, images(), &Device::Cpu).unwrap();
    // The second epoch's report covers the patches before the checkpoint, too.
    let reports = epochs(&finish(&mut second));
    assert_eq!(reports, epochs(&expected)[1..]);
    assert_same_state(&second, &whole, "a prolonged run");
}

#[test]
fn checkpoints_of_other_runs_are_refused() {
    let bytes = start(&config(&SSIM)).checkpoint("").unwrap();
    let resume = |config| Trainer::resume(&bytes, config, images(), &Device::Cpu).map(|_| ());
    assert!(resume(config(&SSIM)).is_ok());
    let changed = |change: fn(&mut TrainingConfig)| {
        let mut config = config(&SSIM);
        change(&mut config);
        resume(config)
    };
    let others = [
        (changed(|config| config.schedule.seed = 8), "schedule.seed 7, not 8"),
        (changed(|config| config.schedule.batch_size = 5), "schedule.batch_size 4, not 5"),
        (
            changed(|config| config.schedule.sampling = Sampling::Fixed),
            "schedule.sampling \"fresh\", not \"fixed\"",
        ),
        (
            changed(|config| config.schedule.corruption = Corruption::Blocks),
            "schedule.corruption none, not \"blocks\"",
        ),
        (
            changed(|config| config.adam.learning_rate = 1.1e-3),
            "adam.learning_rate 0.001, not 0.0011",
        ),
        (changed(|config| config.architecture.latent_dim = 6), "architecture.latent_dim 5, not 6"),
        (changed(|config| config.objective = Objective::L2), "objective.loss \"ssim\", not \"l2\""),
    ];
    for (result, expected) in others {
        let message = result.unwrap_err().to_string();
        assert_eq!(message, format!("the checkpoint is of a run with {expected}"));
    }
    let message = changed(|config| config.schedule.patches = 0).unwrap_err().to_string();
    assert_eq!(message, "patches must be at least 1, got 0");
    let bytes = start(&config(&feature_matching("one"))).checkpoint("").unwrap();
    let resume = |sha256| {
        let config = config(&feature_matching(sha256));
        Trainer::resume(&bytes, config, images(), &Device::Cpu).map(drop)
    };
    assert!(resume("one").is_ok());
    assert!(matches!(resume("other"), Err(Error::CheckpointMismatch { .. })));
}

/// The checkpoint with another state in its metadata.
fn with_state(checkpoint: &[u8], change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let (_, metadata) = SafeTensors::read_metadata(checkpoint).unwrap();
    let mut metadata = metadata.metadata().clone().unwrap();
    let state = metadata.get_mut("training").unwrap();
    let mut value = serde_json::from_str(state).unwrap();
    change(&mut value);
    *state = value.to_string();
    let tensors = candle_core::safetensors::load_buffer(checkpoint, &Device::Cpu).unwrap();
    safetensors::serialize(tensors, Some(metadata)).unwrap()
}

#[test]
fn states_that_no_run_of_this_version_can_have_are_refused() {
    let bytes = start(&config(&Objective::L2)).checkpoint("").unwrap();
    let refusal = |change: fn(&mut serde_json::Value)| {
        let bytes = with_state(&bytes, change);
        let resumed = Trainer::resume(&bytes, config(&Objective::L2), images(), &Device::Cpu);
        resumed.unwrap_err()
    };
    // The first format had the settings as a text, and no number.
    let old =
        refusal(|state| *state = serde_json::json!({ "config": "TrainingConfig", "steps": 3 }));
    assert!(matches!(old, Error::CheckpointFormat { expected: 2, got: 1 }), "{old}");
    let newer = refusal(|state| state["format"] = 3.into());
    assert!(matches!(newer, Error::CheckpointFormat { got: 3, .. }), "{newer}");
    let seen = refusal(|state| state["progress"]["patches"] = u64::MAX.into());
    assert!(seen.to_string().contains("18446744073709551615 that the run has seen"), "{seen}");
    let steps = refusal(|state| state["steps"] = u64::MAX.into());
    assert!(matches!(steps, Error::Setting { name: "checkpoint", .. }), "{steps}");
    let extra = refusal(|state| state["settings"]["schedule.warmup"] = 3.into());
    assert_eq!(extra.to_string(), "the checkpoint is of a run with schedule.warmup 3, not none");
}

/// The loss of a step says nothing yet of the weights that the step leaves.
#[test]
fn a_state_that_is_not_finite_is_no_checkpoint() {
    for learning_rate in [1e30, 1e300] {
        let mut config = config(&Objective::L2);
        config.adam.learning_rate = learning_rate;
        let mut trainer = start(&config);
        trainer.step().unwrap();
        assert!(matches!(trainer.checkpoint(""), Err(Error::NotFinite { .. })), "{learning_rate}");
    }
}

#[test]
fn bytes_that_are_no_checkpoint_are_refused() {
    let trainer = start(&config(&Objective::L2));
    let resume = |bytes: &[u8]| {
        Trainer::resume(bytes, config(&Objective::L2), images(), &Device::Cpu).map(|_| ())
    };
    let bytes = trainer.checkpoint("").unwrap();
    for length in [0, 100, bytes.len() / 2, bytes.len() - 1] {
        assert!(matches!(resume(&bytes[..length]), Err(Error::Format(_))), "{length} bytes");
    }
    let weights = trainer.model().to_safetensors().unwrap();
    assert!(matches!(resume(&weights), Err(Error::Setting { name: "checkpoint", .. })));
}

#[test]
fn the_loss_falls_on_a_texture() {
    for objective in [Objective::L2, SSIM, ELBO, feature_matching("")] {
        let mut config = config(&objective);
        config.schedule.patches_per_epoch = 40;
        config.schedule.patches = 240;
        let reports = epochs(&finish(&mut start(&config)));
        let (first, last) = (reports[0], reports[5]);
        assert!(last.loss < 0.7 * first.loss, "{objective:?}: {} to {}", first.loss, last.loss);
        assert!(reports.iter().all(|report| !report.collapsed()), "{objective:?}: {reports:?}");
    }
}

/// With weights of zero every unit is dead: all reconstructions are the last bias.
#[test]
fn a_collapsed_run_is_reported() {
    for objective in [Objective::L2, SSIM] {
        let bytes = with_zero_weights(&start(&config(&objective)).checkpoint("").unwrap());
        let resumed = Trainer::resume(&bytes, config(&objective), images(), &Device::Cpu);
        let reports = epochs(&finish(&mut resumed.unwrap()));
        assert_eq!(reports.len(), 3);
        assert!(reports.iter().all(EpochReport::collapsed), "{objective:?}: {reports:?}");
    }
}

fn with_zero_weights(checkpoint: &[u8]) -> Vec<u8> {
    let (_, metadata) = SafeTensors::read_metadata(checkpoint).unwrap();
    let tensors = candle_core::safetensors::load_buffer(checkpoint, &Device::Cpu).unwrap();
    let zeros: BTreeMap<String, Tensor> =
        tensors.into_iter().map(|(name, tensor)| (name, tensor.zeros_like().unwrap())).collect();
    safetensors::serialize(zeros, metadata.metadata().clone()).unwrap()
}

#[test]
fn every_patch_of_the_schedule_is_seen_once() {
    let mut trainer = start(&config(&Objective::L2));
    let reports = finish(&mut trainer);
    let patches: Vec<u64> = reports.iter().map(|report| report.patches).collect();
    assert_eq!(patches, [4, 8, 10, 14, 18, 20, 24, 25]);
    let ends = epochs(&reports).iter().map(|e| (e.epoch, e.patches)).collect::<Vec<_>>();
    assert_eq!(ends, [(1, 10), (2, 20), (3, 25)]);
    // The loss of an epoch is the mean over its patches, not over its batches.
    let losses: Vec<f64> = reports.iter().map(|report| f64::from(report.loss.unwrap())).collect();
    let mean = (4.0 * losses[0] + 4.0 * losses[1] + 2.0 * losses[2]) / 10.0;
    assert_eq!(epochs(&reports)[0].loss, mean);
    assert_eq!(epochs(&reports)[2].loss, (4.0 * losses[6] + losses[7]) / 5.0);

    let weights = trainer.model().to_safetensors().unwrap();
    assert!(matches!(trainer.step(), Err(Error::Finished { patches: 25 })));
    assert!(trainer.model().to_safetensors().unwrap() == weights);
}

#[test]
fn images_with_nan_are_refused() {
    let mut images = flat(0.5);
    let (width, at) = (images[0].width, 500);
    images[0].pixels[at] = f32::NAN;
    let error = Trainer::new(config(&Objective::L2), images, &Device::Cpu).map(|_| ()).unwrap_err();
    let place = format!("NaN at ({}, {}) of image 0", at % width, at / width);
    assert_eq!(error.to_string(), format!("image must be of finite pixels, got {place}"));
}

#[test]
fn settings_that_do_not_go_together_are_refused_before_the_first_step() {
    let refused = |change: &dyn Fn(&mut TrainingConfig)| {
        let mut config = config(&SSIM);
        change(&mut config);
        let error = Trainer::new(config, flat(0.5), &Device::Cpu).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Setting { .. }), "{error}");
        error.to_string()
    };
    for size in [33, 10] {
        let message = refused(&|config| {
            let window = ssim::Window::Uniform { size };
            let constants = ssim::Constants::squared();
            let params = ssim::Params::new(window, ssim::Border::Valid, constants);
            config.objective = Objective::Ssim(params);
        });
        assert!(message.contains("usable with patches of 32x32 pixels"), "{message}");
    }
    let message = refused(&|config| config.schedule.patches_per_epoch = u64::MAX);
    assert!(message.contains("at most 2^28"), "{message}");
    let message = refused(&|config| config.schedule.patches = u64::MAX);
    assert!(message.contains("at most 2^48"), "{message}");
}

#[test]
fn steps_that_are_too_large_are_reported() {
    for objective in [Objective::L2, SSIM] {
        // The second is beyond the range of f32.
        for learning_rate in [1e30, 1e300] {
            let mut config = config(&objective);
            config.adam.learning_rate = learning_rate;
            let mut trainer = start(&config);
            trainer.step().unwrap();
            let error = trainer.step().unwrap_err();
            assert!(matches!(error, Error::Diverged { patches: 4, .. }), "{objective:?}: {error}");
        }
    }
}

/// A flat texture has no contrast to compare with: reports must stay numbers.
#[test]
fn flat_images_give_finite_losses() {
    for objective in [Objective::L2, SSIM] {
        let mut trainer = Trainer::new(config(&objective), flat(0.5), &Device::Cpu).unwrap();
        let reports = epochs(&finish(&mut trainer));
        assert!(reports.iter().all(|report| report.loss.is_finite() && !report.contrast.is_nan()));
    }
}
