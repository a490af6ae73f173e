#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
use super::*;
use crate::Method;
use crate::error::message;
use crate::records::Settings;
use candle_core::Device;
use inspect::ThresholdRule;
use models::Corruption;

#[test]
fn defaults_of_the_training_are_the_papers_but_for_corruption() {
    let config = Config::default();
    config.validate().unwrap();
    assert_eq!(config.training.patches, 2_000_000);
    assert_eq!(config.ssim.window.to_string(), "uniform:11");
    assert_eq!(config.optimiser.learning_rate, 2e-4);
    assert_eq!(config.training.corruption, Corruption::Blocks);
    assert_eq!(Config::from_toml("[training]\nseed = 0\n").unwrap(), config);
    let load = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        Config::load(None, &settings).unwrap().training
    };
    for settings in [&["preset=paper"][..], &["method=l2"], &["preset=recommended", "method=l2"]] {
        assert_eq!(load(settings), models::Schedule::default(), "{settings:?}");
    }
    assert_eq!(
        Config::from_toml("method = \"vae\"").unwrap().training,
        models::Schedule::default()
    );
    for settings in [
        &["method=l2", "training.corruption=blocks"][..],
        &["training.corruption=blocks", "preset=paper"],
    ] {
        assert_eq!(load(settings).corruption, Corruption::Blocks, "{settings:?}");
    }
    assert_eq!(load(&["training.corruption=none"]).corruption, Corruption::None);
}

#[test]
fn a_preset_does_not_change_what_was_trained() {
    let settings = ["preset=paper".to_owned()];
    let config = Config::default().with_settings_of(&["calibration"], &settings).unwrap();
    let of_training = ["training.seed=1".to_owned()];
    let changed = config.clone().with_settings_of(&["training"], &of_training).unwrap();
    assert_eq!(changed.training.seed, 1);
    assert_eq!(config.training, Config::default().training);
    assert_eq!(config.inspection, InspectionConfig::paper());
    assert_eq!(Config::from_toml(&config.to_toml().unwrap()).unwrap(), config);
}

#[test]
fn a_preset_gives_the_defaults_of_what_is_left_out() {
    let paper = Config::from_toml("preset = \"paper\"\n[inspection]\nstride = 16").unwrap();
    paper.validate().unwrap();
    let inspection = InspectionConfig { stride: Some(16), ..InspectionConfig::paper() };
    assert_eq!(paper.inspection, inspection);
    assert_eq!(paper.calibration, CalibrationConfig::paper());
    assert_eq!(Config::from_toml(&paper.to_toml().unwrap()).unwrap(), paper);
    // Wherever it is named.
    let settings = ["inspection.stride=16", "preset=paper"].map(String::from);
    assert_eq!(Config::load(None, &settings).unwrap(), paper);
    let rule = "preset = \"paper\"\ncalibration.threshold = { rule = \"quantile\", q = 0.9 }";
    let rule = Config::from_toml(rule).unwrap().calibration.threshold;
    assert_eq!(rule, ThresholdRule::Quantile { q: 0.9 });
    let error = Config::load(None, &["preset=papers".into()]).unwrap_err();
    assert!(message(&error).contains("--set preset=papers"), "{error}");
    let error = Config::from_toml("preset = \"paper\"\n\n[inspektion]\n").unwrap_err();
    assert!(message(&error).contains("line 3"), "{error}");
}

#[test]
fn residual_maps_are_named_apart_from_the_loss() {
    let count = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        Config::load(None, &settings).unwrap().residuals().unwrap().len()
    };
    assert_eq!(count(&[]), 2);
    assert_eq!(count(&["method=l2"]), 1);
    assert_eq!(count(&["method=l2", "residual.measure=ssim"]), 2);
    assert_eq!(count(&["preset=paper"]), 1);
    let own = "residual = { window = \"uniform:5\", constants = [\"paper\"], measure = \"ssim\" }";
    let config = Config::from_toml(own).unwrap();
    assert_ne!(
        config.inspection().unwrap().residual,
        Config::default().inspection().unwrap().residual
    );
}

#[test]
fn scores_depend_on_the_loss_where_the_residual_takes_its_parameters() {
    let of = |settings: &[&str]| {
        let settings: Vec<_> = settings.iter().map(ToString::to_string).collect();
        Settings::of_scoring(&Config::load(None, &settings).unwrap()).unwrap()
    };
    let window = "ssim.window=uniform:5";
    assert_ne!(of(&[]), of(&[window]));
    assert_eq!(of(&["method=l2"]), of(&["method=l2", window]));
    let by_ssim = ["method=l2", "residual.measure=ssim"];
    assert_ne!(of(&by_ssim), of(&[by_ssim[0], by_ssim[1], window]));
}

#[test]
fn a_written_configuration_reads_back() {
    let mut config = Config::default();
    config.data.size = Some([256, 256]);
    config.ssim.constants = "0.1,0.2".parse().unwrap();
    config.calibration.threshold = ThresholdRule::LargestRegion { max_area: 20 };
    let text = config.to_toml().unwrap();
    assert_eq!(toml::from_str::<Config>(&text).unwrap(), config);
}

#[test]
fn settings_override_the_file() {
    let settings = [
        "method=l2",
        "training.seed = 7",
        "data.size=[256, 256]",
        "ssim.constants=paper",
        "calibration.threshold={ rule = \"quantile\", q = 0.99 }",
    ];
    let config = Config::load(None, &settings.map(String::from)).unwrap();
    assert_eq!(config.method, Method::L2);
    assert_eq!(config.training.seed, 7);
    assert_eq!(config.data.size, Some([256, 256]));
    assert_eq!(config.ssim.constants.to_string(), "paper");
    assert_eq!(config.calibration.threshold, ThresholdRule::Quantile { q: 0.99 });
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let error = Config::load(None, &["training.sead=1".into()]).unwrap_err();
    assert!(message(&error).contains("sead"), "{error}");
    let error = Config::load(None, &["seed".into()]).unwrap_err();
    assert!(message(&error).contains("key=value"), "{error}");
}

#[test]
fn settings_out_of_range_are_refused_by_name() {
    for (setting, name) in [
        ("inspection.stride=0", "stride"),
        ("inspection.stride=129", "stride"),
        ("training.batch_size=0", "batch_size"),
        ("model.patch_size=100", "patch_size"),
        ("ssim.window=uniform:10", "ssim.window"),
        ("data.held_out=1.5", "held_out"),
        ("vae.samples=0", "vae"),
        ("vae.variance_floor=0", "vae"),
        ("vae.kl_weight=-1", "kl_weight"),
        ("vae.variance=0", "variance"),
        ("features.lambda=-1", "features.lambda"),
    ] {
        let method = if setting.starts_with("vae") { "method=vae" } else { "method=ssim" };
        let config = Config::load(None, &[setting.into(), method.into()]);
        let error = message(&config.and_then(|config| config.validate()).unwrap_err());
        assert!(error.contains(name), "{setting}: {error}");
    }
}

#[test]
fn the_processor_has_one_precision() {
    let load = |precision: &str| Config::load(None, &[format!("training.precision={precision}")]);
    let error = load("tf32").unwrap().training(&Device::Cpu).unwrap_err();
    assert_eq!(message(&error), "training.precision: precision must be f32 on cpu, got tf32");
    assert!(load("f32").unwrap().training(&Device::Cpu).is_ok());
    let message = message(&load("f64").unwrap_err());
    assert!(message.contains("f64") && message.contains("tf32"), "{message}");
}
