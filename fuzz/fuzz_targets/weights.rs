//! Bytes as weights, as a checkpoint, and as a feature extractor's file: refused, or finite tensors of the right shapes.
#![no_main]

use candle_core::Device;
use libfuzzer_sys::fuzz_target;
use models::{
    AdamConfig, Architecture, Autoencoder, Extractor, Latent, Objective, Schedule, Trainer,
    TrainingConfig, TrainingImage, checkpoint_note,
};
use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::LazyLock;

const ARCHITECTURE: Architecture =
    Architecture { patch_size: 32, latent_dim: 1, latent: Latent::Vector };

static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| std::env::temp_dir().join(format!("fuzz-weights-{}", std::process::id())));

thread_local! {
    static TRAINER: RefCell<Trainer> = RefCell::new(trainer());
}

fn trainer() -> Trainer {
    let config = TrainingConfig {
        architecture: ARCHITECTURE,
        objective: Objective::L2,
        adam: AdamConfig::default(),
        schedule: Schedule { patches: 8, ..Schedule::default() },
    };
    let image = TrainingImage { width: 32, height: 32, pixels: vec![0.5; 32 * 32], places: None };
    Trainer::new(config, vec![image], &Device::Cpu).expect("a training")
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => {
            if let Ok(model) = Autoencoder::from_safetensors(bytes, ARCHITECTURE, &Device::Cpu) {
                model.to_safetensors().expect("it was read");
            }
        }
        1 => TRAINER.with_borrow_mut(|trainer| {
            let _ = checkpoint_note(bytes);
            if trainer.restore(bytes).is_ok() {
                assert!(trainer.patches() <= 8);
            }
        }),
        _ => {
            std::fs::write(&*FILE, bytes).expect("a temporary file");
            let _ = detector::read_extractor_weights(&FILE, Extractor::Squeezenet);
        }
    }
});
