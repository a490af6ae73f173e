//! Trains and calibrates a tiny model on synthetic images: `train FOLDER`.

use detector::synthetic::{Size, Spec, SyntheticKind, generate};
use detector::{
    CalibrationImages, Config, Device, Inspector, ModelFolder, Start, Training, TrainingPlan,
    calibrate,
};
use std::error::Error;
use std::ops::ControlFlow;
use std::path::PathBuf;

fn main() -> Result<(), Box<dyn Error>> {
    let folder: PathBuf = std::env::args_os().nth(1).ok_or("train FOLDER")?.into();
    let data = folder.join("fabric");
    let size = Size { width: 64, height: 64 };
    let full = Spec::full(SyntheticKind::Plain, 0);
    let spec = Spec { good: 4, good_size: size, defective: 1, defective_size: size, ..full };
    generate(&spec, &data, &mut |_| ControlFlow::Continue(()))?;

    let mut config = Config::from_toml(
        "model = { patch_size = 32, latent_dim = 4 }
         training = { patches = 64, patches_per_epoch = 32, batch_size = 8 }
         data = { held_out = 0.25 }",
    )?;
    config.data.root = Some(data);
    let plan = TrainingPlan::new(ModelFolder::new(folder.join("model")), config, Start::Replacing)?;
    let mut training = Training::start(plan, &Device::Cpu)?;
    while !training.is_done() {
        if let Some(epoch) = training.step()?.epoch {
            println!("epoch {}: loss {:.4}", epoch.epoch, epoch.loss);
        }
    }
    training.finish()?;

    let TrainingPlan { folder, config, split, .. } = training.plan();
    let inspector = Inspector::new(folder.model(config, &Device::Cpu)?, config)?;
    let good = CalibrationImages::of_split(split.clone(), config.calibration.min_images);
    let progress = &mut |_| ControlFlow::Continue(());
    let calibration = calibrate(folder, config, &inspector, &good, progress)?;
    println!("threshold {:.4} from {} good images", calibration.threshold, calibration.images);
    Ok(())
}
