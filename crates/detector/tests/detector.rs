//! A detector from images to decisions, as a program that depends on this crate makes one.
#![cfg(feature = "network")]
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use detector::synthetic::{Size, Spec, SyntheticKind, generate, render_defective, render_good};
use detector::{
    CalibrationImages, Config, Decision, Detector, Device, Error, Inspector, ModelFolder, Origin,
    Start, Training, TrainingPlan, Verdict, calibrate, evaluate,
};
use std::ops::ControlFlow;
use std::path::Path;
use tempfile::TempDir;

const SIZE: Size = Size { width: 64, height: 48 };

/// Four good images and two defective ones in `fabric`.
fn fabric(folder: &Path) {
    let full = Spec::full(SyntheticKind::Plain, 0);
    let spec = Spec { good: 4, good_size: SIZE, defective: 2, defective_size: SIZE, ..full };
    generate(&spec, &folder.join("fabric"), &mut |_| ControlFlow::Continue(())).unwrap();
}

fn config(folder: &Path) -> Config {
    let mut config = Config::from_toml(
        "model = { patch_size = 32, latent_dim = 4 }
         data = { held_out = 0.25 }
         calibration = { threshold = { rule = \"max\" } }
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

    let good = CalibrationImages::of_split(plan.split.clone(), plan.config.calibration.min_images);
    let mut done = Vec::new();
    let mut progress = |images| {
        done.push(images);
        ControlFlow::Continue(())
    };
    let calibration =
        calibrate(&plan.folder, &plan.config, &inspector(&plan), &good, &mut progress).unwrap();
    // One image is held out, and three were trained on.
    // Drawing defects into them adds none.
    done.dedup();
    assert_eq!((done, calibration.images), (vec![0, 1, 2, 3, 4], 4));

    let detector = Detector::open(&model).unwrap();
    assert_eq!(detector.decision(), calibration.decision());
    assert!((calibration.threshold - 1.0).abs() < 1e-6, "{calibration:?}");
    let mut largest = f32::MIN;
    for path in &good.images {
        let image = detector::read_image(path).unwrap();
        let found = detector.inspect(&image).unwrap();
        assert_eq!((found.verdict, found.map.size()), (Verdict::Good, image.size()));
        largest = largest.max(found.score);
    }
    assert_eq!(largest, calibration.good_max);

    // Any image has a pixel at its own largest score.
    let image = render_good(SyntheticKind::Plain, 0, 9, SIZE);
    let score = detector.inspect(&image).unwrap().score;
    let calibrated = || inspector(&plan).calibrated(&calibration).unwrap();
    let decision = Decision { threshold: score, min_area: 1 };
    let found = Detector::new(calibrated(), decision).inspect(&image).unwrap();
    assert_eq!(found.verdict, Verdict::Defective);
    let flagged = found.mask.data().iter().filter(|&&pixel| pixel).count();
    assert_eq!(found.regions.iter().map(|region| region.area).sum::<usize>(), flagged);
    for (&label, &pixel) in found.labels.data().iter().zip(found.mask.data()) {
        assert_eq!(label > 0, pixel);
    }
    // No region is as large as the image.
    let decision = Decision { min_area: usize::MAX, ..decision };
    let found_whole = Detector::new(calibrated(), decision).inspect(&image).unwrap();
    assert_eq!(found_whole.verdict, Verdict::Good);
    assert!((-1e3..score).contains(&found_whole.score), "{}", found_whole.score);
    // Nothing is found in the margin.
    assert!(found.regions.iter().all(|region| region.x0 >= 8));
    let small = render_defective(SyntheticKind::Plain, 0, 0, Size { width: 8, height: 20 });
    assert!(detector.inspect(&small.image).is_err());
}

#[test]
fn work_over_images_can_be_cancelled() {
    let (folder, plan) = trained();
    let inspector = inspector(&plan);
    let good = CalibrationImages::of_split(plan.split.clone(), plan.config.calibration.min_images);
    let stop = &mut |_| ControlFlow::Break(());
    let cancelled = calibrate(&plan.folder, &plan.config, &inspector, &good, stop);
    assert!(matches!(cancelled, Err(Error::Cancelled)));
    assert!(!plan.folder.is_calibrated());

    let go_on = &mut |_| ControlFlow::Continue(());
    let calibration = calibrate(&plan.folder, &plan.config, &inspector, &good, go_on).unwrap();
    let inspector = inspector.calibrated(&calibration).unwrap();
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
