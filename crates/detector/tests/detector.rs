//! A detector from images to decisions, as a program that depends on this crate makes one.
#![cfg(feature = "network")]
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use detector::synthetic::{Size, Spec, SyntheticKind, generate, render_defective, render_good};
use detector::{
    CalibrationImages, Config, Detector, Device, Error, Inspector, ModelFolder, Origin, Start,
    Training, TrainingPlan, Verdict, calibrate, evaluate,
};
use std::ops::ControlFlow;
use std::path::Path;
use tempfile::TempDir;

const SIZE: Size = Size { width: 64, height: 48 };

/// Four good images and two defective ones in `fabric`.
fn fabric(folder: &Path) {
    let full = Spec::full(SyntheticKind::Plain, 0);
    let spec = Spec { good: 4, good_size: SIZE, defective: 2, defective_size: SIZE, ..full };
    generate(&spec, &folder.join("fabric")).unwrap();
}

fn config(folder: &Path) -> Config {
    let mut config = Config::from_toml(
        "model = { patch_size = 32, latent_dim = 4 }
         data = { held_out = 0.25 }
         training = { patches = 16, patches_per_epoch = 8, batch_size = 4 }",
    )
    .unwrap();
    config.data.root = Some(folder.join("fabric"));
    config.data.margins.left = 8;
    config
}

/// Trains a model in `model`, which is not calibrated.
fn trained() -> (TempDir, TrainingPlan) {
    let folder = tempfile::tempdir().unwrap();
    fabric(folder.path());
    let model = ModelFolder::new(folder.path().join("model"));
    let plan = TrainingPlan::new(model, config(folder.path()), Start::Fresh).unwrap();
    let mut training = Training::start(plan, &Device::Cpu).unwrap();
    let mut epochs = Vec::new();
    while !training.is_done() {
        epochs.extend(training.step().unwrap().epoch);
    }
    let record = training.finish().unwrap();
    assert_eq!(
        epochs.iter().map(|epoch| (epoch.epoch, epoch.patches)).collect::<Vec<_>>(),
        [(1, 8), (2, 16)]
    );
    assert_eq!((record.images, record.patches, record.loss), (3, 16, epochs[1].loss));
    let plan = training.plan().clone();
    assert_eq!(plan.folder.log().unwrap(), epochs);
    (folder, plan)
}

fn inspector(plan: &TrainingPlan) -> Inspector {
    Inspector::new(plan.folder.model(&plan.config, &Device::Cpu).unwrap(), &plan.config).unwrap()
}

#[test]
fn a_model_is_trained_calibrated_opened_and_decides() {
    let (folder, plan) = trained();
    let model = folder.path().join("model");
    let message = Detector::open(&model).err().unwrap().to_string();
    assert!(message.contains("not calibrated"), "{message}");

    let good = CalibrationImages::of_split(plan.split.clone());
    let mut done = Vec::new();
    let mut progress = |images| {
        done.push(images);
        ControlFlow::Continue(())
    };
    let calibration =
        calibrate(&plan.folder, &plan.config, &inspector(&plan), &good, &mut progress).unwrap();
    assert_eq!(done, [0, 1]);

    let detector = Detector::open(&model).unwrap();
    assert_eq!(detector.threshold(), calibration.threshold);
    let held_out = detector::read_image(&plan.split.held_out[0]).unwrap();
    let found = detector.inspect(&held_out).unwrap();
    assert_eq!((found.verdict, found.score), (Verdict::Good, calibration.good_max));
    assert_eq!((found.map.size(), found.mask.size()), (held_out.size(), held_out.size()));

    // Any image has a pixel at its own largest score.
    let image = render_good(SyntheticKind::Plain, 0, 9, SIZE);
    let score = detector.inspect(&image).unwrap().score;
    let found = Detector::new(inspector(&plan), score).inspect(&image).unwrap();
    assert_eq!(found.verdict, Verdict::Defective);
    let flagged = found.mask.data().iter().filter(|&&pixel| pixel).count();
    assert_eq!(found.regions.iter().map(|region| region.area).sum::<usize>(), flagged);
    for (&label, &pixel) in found.labels.data().iter().zip(found.mask.data()) {
        assert_eq!(label > 0, pixel);
    }
    // Nothing is found in the margin.
    assert!(found.regions.iter().all(|region| region.x0 >= 8));
    let small = render_defective(SyntheticKind::Plain, 0, 0, Size { width: 20, height: 20 });
    assert!(detector.inspect(&small.image).is_err());
}

#[test]
fn work_over_images_can_be_cancelled() {
    let (folder, plan) = trained();
    let inspector = inspector(&plan);
    let good = CalibrationImages::of_split(plan.split.clone());
    let stop = &mut |_| ControlFlow::Break(());
    let cancelled = calibrate(&plan.folder, &plan.config, &inspector, &good, stop);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    assert!(!plan.folder.is_calibrated());

    let go_on = &mut |_| ControlFlow::Continue(());
    calibrate(&plan.folder, &plan.config, &inspector, &good, go_on).unwrap();
    let dataset = plan.config.data.open().unwrap();
    let origin = || Origin::of(&plan.folder, plan.config.clone()).unwrap();
    let after_two = &mut |done| match done {
        0 | 1 => ControlFlow::Continue(()),
        _ => ControlFlow::Break(()),
    };
    let cancelled = evaluate(&dataset, &plan.split.held_out, &inspector, origin(), after_two);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    let evaluation = evaluate(&dataset, &plan.split.held_out, &inspector, origin(), go_on).unwrap();
    assert_eq!((evaluation.metrics.images, evaluation.test_set.held_out_scores.len()), (2, 1));
    drop(folder);
}

#[test]
fn a_folder_is_neither_trained_in_twice_nor_replaced_by_accident() {
    let (_folder, plan) = trained();
    let message = Training::start(plan.clone(), &Device::Cpu).err().unwrap().to_string();
    assert!(message.contains("there is a model already"), "{message}");
    let _lock = plan.folder.lock().unwrap();
    let replacing = TrainingPlan { start: Start::Replacing, ..plan };
    let message = Training::start(replacing, &Device::Cpu).err().unwrap().to_string();
    assert!(message.contains("another process writes to this folder"), "{message}");
}

/// A server can share one among its threads.
#[test]
fn a_detector_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Detector>();
}
