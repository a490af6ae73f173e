//! The same on every device, but for rounding. Where there is no GPU, the CPU takes its part.

use crate::stripes;
use candle_core::{DType, Device, Module, Tensor};
use candle_nn::{VarBuilder, VarMap};
use models::{
    AdamConfig, Architecture, Autoencoder, Corruption, Initialisation, Latent, Objective, Schedule,
    Trainer, TrainingConfig, initialise,
};

/// Sums of up to 9,216 products in each of 14 to 18 layers, whose results are about 1.
const RECONSTRUCTION_TOLERANCE: f32 = 1e-4;

/// Losses are means of such differences squared and lie between 0.01 and 10. Adam moves a weight by its learning rate, here 10⁻⁴,
/// whichever way a gradient of next to nothing points, and there are enough such weights that the loss depends on them, if little.
const LOSS_TOLERANCE: f32 = 1e-3;

fn architecture(patch_size: usize, latent: Latent) -> Architecture {
    Architecture { patch_size, latent_dim: 10, latent }
}

fn values(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn largest_difference(a: &Tensor, b: &Tensor) -> f32 {
    assert_eq!(a.dims(), b.dims());
    let differences = values(a).into_iter().zip(values(b)).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

fn config(objective: Objective, learning_rate: f64) -> TrainingConfig {
    TrainingConfig {
        architecture: architecture(64, objective.latent()),
        objective,
        adam: AdamConfig { learning_rate, ..AdamConfig::default() },
        schedule: Schedule {
            batch_size: 4,
            patches_per_epoch: 10,
            patches: 24,
            corruption: Corruption::Blocks,
            seed: 3,
            ..Schedule::default()
        },
    }
}

fn trainer_with(objective: Objective, learning_rate: f64, device: &Device) -> Trainer {
    Trainer::new(config(objective, learning_rate), stripes(80, 70), device).unwrap()
}

fn trainer(objective: Objective, device: &Device) -> Trainer {
    trainer_with(objective, 1e-4, device)
}

/// A model that is moved to the device by its bytes reconstructs and samples as the original does.
fn reconstructions_agree(device: &Device) {
    for (patch_size, latent) in [(128, Latent::Vector), (64, Latent::Normal)] {
        let architecture = architecture(patch_size, latent);
        let (varmap, cpu) = (VarMap::new(), Device::Cpu);
        initialise(&varmap, &architecture, Initialisation::He, 5, &cpu).unwrap();
        let vb = VarBuilder::from_varmap(&varmap, DType::F32, &cpu);
        let here = Autoencoder::new(&architecture, vb).unwrap();
        let bytes = here.to_safetensors().unwrap();
        let there = Autoencoder::from_safetensors(&bytes, architecture, device).unwrap();
        assert!(there.device().same_device(device));
        assert!(there.to_safetensors().unwrap() == bytes, "the weights have changed on the way");

        let patches =
            Tensor::rand(0f32, 1.0, (3, 1, patch_size, patch_size), &Device::Cpu).unwrap();
        let moved = patches.to_device(device).unwrap();
        let expected = here.forward(&patches).unwrap();
        let got = [there.forward(&moved).unwrap(), there.reconstruct_detached(&moved).unwrap()];
        for got in &got {
            assert!(got.device().same_device(device));
            let difference = largest_difference(got, &expected);
            assert!(difference < RECONSTRUCTION_TOLERANCE, "{difference}");
        }
        assert!(expected.track_op() && !got[0].track_op() && !got[1].track_op());
        if latent == Latent::Normal {
            let sample = |model: &Autoencoder, patches: &Tensor| {
                model.sample_detached(patches, 2, 9, &[4, 5, 6]).unwrap()
            };
            let difference = largest_difference(&sample(&there, &moved), &sample(&here, &patches));
            assert!(difference < RECONSTRUCTION_TOLERANCE, "samples: {difference}");
        }
    }
}

/// The loss of a step.
fn step(trainer: &mut Trainer) -> f32 {
    trainer.read_losses_every(1);
    trainer.step().unwrap().loss.unwrap()
}

/// A run goes on elsewhere, and then back here.
fn checkpoints_travel(device: &Device) {
    let mut here = trainer(Objective::L2, &Device::Cpu);
    here.step().unwrap();
    let checkpoint = here.checkpoint("note").unwrap();
    let mut there = trainer(Objective::L2, device);
    there.restore(&checkpoint).unwrap();
    assert!(there.checkpoint("note").unwrap() == checkpoint, "the state has changed on the way");
    there.step().unwrap();
    let travelled = there.checkpoint("note").unwrap();
    let mut back = trainer(Objective::L2, &Device::Cpu);
    back.restore(&travelled).unwrap();
    assert!(back.checkpoint("note").unwrap() == travelled, "the state has changed on the way");
    here.step().unwrap();
    let (expected, got) = (step(&mut here), step(&mut back));
    assert_eq!(back.patches(), here.patches());
    assert!((got - expected).abs() <= LOSS_TOLERANCE, "{got:?} for {expected:?}");
}

mod cpu {
    use super::*;

    #[test]
    fn reconstructions() {
        reconstructions_agree(&Device::Cpu);
    }

    #[test]
    fn checkpoints() {
        checkpoints_travel(&Device::Cpu);
    }
}

#[cfg(feature = "cuda")]
mod cuda {
    use super::*;
    use crate::extractors;
    use models::{DeviceChoice, Elbo, Error, Extractor, FeatureMatching, Precision, device_name};

    const SSIM: Objective = Objective::Ssim(ssim::Params::new(
        ssim::Window::Uniform { size: 11 },
        ssim::Border::Valid,
        ssim::Constants::squared(),
    ));

    /// All objectives, with what they need on the device.
    fn objectives(device: &Device) -> [Objective; 4] {
        let features = extractors::features(Extractor::Alexnet, "", device);
        [
            Objective::L2,
            SSIM,
            Objective::Elbo(Elbo::default()),
            Objective::FeatureMatching(FeatureMatching { features, weight: 0.1 }),
        ]
    }

    /// The same seed gives the same patches and noise, and losses that differ by rounding.
    fn training_agrees(device: &Device) {
        for (on_cpu, on_device) in objectives(&Device::Cpu).into_iter().zip(objectives(device)) {
            let name = format!("{on_cpu:?}");
            let (mut here, mut there) = (trainer(on_cpu, &Device::Cpu), trainer(on_device, device));
            for _ in 0..3 {
                let [expected, got] =
                    [&here, &there].map(|trainer| values(&trainer.next_patches().unwrap()));
                assert_eq!(got, expected, "{name}");
                let [expected, got] = [&here, &there]
                    .map(|trainer| trainer.next_noise().unwrap().map(|noise| values(&noise)));
                assert_eq!(got, expected, "{name}");
                let (expected, got) = (step(&mut here), step(&mut there));
                let difference = (got - expected).abs();
                assert!(
                    difference <= LOSS_TOLERANCE * expected.max(1.0),
                    "{name}: {got} for {expected}"
                );
            }
        }
    }

    /// A step that fails leaves everything as it was before it, whenever it is heard of; and the losses of an epoch are not lost.
    fn failures_leave_the_state(device: &Device) {
        let mut trainer = trainer_with(Objective::L2, 1e10, device);
        trainer.step().unwrap();
        let expected = trainer.checkpoint("").unwrap();
        for _ in 0..2 {
            let error = loop {
                if let Err(error) = trainer.step() {
                    break error;
                }
            };
            assert!(matches!(error, Error::Diverged { patches: 4, .. }), "{error}");
            assert!(trainer.checkpoint("").unwrap() == expected, "the state has changed");
        }
    }

    /// Epochs are reported as on the CPU.
    fn epochs_agree(device: &Device) {
        let (mut here, mut there) = (trainer(SSIM, &Device::Cpu), trainer(SSIM, device));
        let mut epochs = 0;
        while !here.is_done() {
            let (expected, got) = (here.step().unwrap().epoch, there.step().unwrap().epoch);
            assert_eq!(got.is_some(), expected.is_some());
            if let (Some(got), Some(expected)) = (got, expected) {
                assert_eq!((got.epoch, got.patches), (expected.epoch, expected.patches));
                assert!((got.loss - expected.loss).abs() <= f64::from(LOSS_TOLERANCE), "{got:?}");
                epochs += 1;
            }
        }
        assert_eq!((epochs, there.is_done()), (3, true));
    }

    fn gpu() -> Device {
        DeviceChoice::Cuda(0).open().unwrap()
    }

    /// Precisions of products decide about digits, not about what is computed.
    fn shorter_products_are_close(device: &Device) {
        // Factors are rounded by 2⁻¹² and 2⁻⁹ of their size in each of 16 layers; sums of such errors grow like the sums' root.
        for (precision, tolerance) in [(Precision::Tf32, 0.01), (Precision::Bf16, 0.08)] {
            let mut there = trainer(Objective::L2, device);
            let mut config = config(Objective::L2, 1e-4);
            config.schedule.precision = precision;
            let mut shorter = Trainer::new(config, stripes(80, 70), device).unwrap();
            for _ in 0..3 {
                let (expected, got) = (step(&mut there), step(&mut shorter));
                assert!(
                    (got - expected).abs() <= tolerance * expected,
                    "{precision}: {got}, {expected}"
                );
            }
        }
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn reconstructions() {
        reconstructions_agree(&gpu());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn training() {
        training_agrees(&gpu());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn checkpoints() {
        checkpoints_travel(&gpu());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn failures() {
        failures_leave_the_state(&gpu());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn epochs() {
        epochs_agree(&gpu());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn precisions() {
        shorter_products_are_close(&gpu());
    }

    /// Steps that are repeated as a whole are those whose kernels are launched one by one, to the last bit.
    #[test]
    #[ignore = "needs a CUDA device"]
    fn graphs() {
        let device = gpu();
        for objective in objectives(&device) {
            let name = format!("{objective:?}");
            let [mut repeated, mut one_by_one] =
                [objective.clone(), objective].map(|objective| trainer(objective, &device));
            while !repeated.is_done() {
                let state = one_by_one.checkpoint("").unwrap();
                assert!(repeated.checkpoint("").unwrap() == state, "{name}");
                // Forgets what can be repeated.
                one_by_one.restore(&state).unwrap();
                let [got, expected] =
                    [&mut repeated, &mut one_by_one].map(|trainer| trainer.step().unwrap());
                assert_eq!((got.patches, got.epoch), (expected.patches, expected.epoch), "{name}");
                assert_eq!(got.graph_failure, None, "{name}");
            }
            assert!(repeated.checkpoint("").unwrap() == one_by_one.checkpoint("").unwrap());
        }
    }

    /// The same seed gives the same weights, to the last bit.
    #[test]
    #[ignore = "needs a CUDA device"]
    fn repetitions() {
        let run = || {
            let mut trainer = trainer(SSIM, &gpu());
            while !trainer.is_done() {
                trainer.step().unwrap();
            }
            trainer.checkpoint("").unwrap()
        };
        assert!(run() == run());
    }

    #[test]
    #[ignore = "needs a CUDA device"]
    fn names_and_numbers() {
        assert!(DeviceChoice::Auto.open().unwrap().is_cuda());
        assert!(device_name(&gpu()).starts_with("cuda:0 ("));
        let message = DeviceChoice::Cuda(99).open().unwrap_err().to_string();
        assert!(message.starts_with("cannot compute on cuda:99: there "), "{message}");
    }
}
