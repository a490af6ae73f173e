#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
use super::*;
use std::collections::HashSet;

#[test]
fn defaults_are_the_papers() {
    let config = Config::default();
    config.validate().unwrap();
    assert_eq!(config.training.patches, 2_000_000);
    assert_eq!(config.inspection.stride, 30);
    assert_eq!(config.ssim.window, "uniform:11");
    assert_eq!(config.optimiser.learning_rate, 2e-4);
}

#[test]
fn a_written_configuration_reads_back() {
    let mut config = Config::default();
    config.data.size = Some([256, 256]);
    config.ssim.constants = "0.1,0.2".into();
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
    assert_eq!(config.ssim.constants, "paper");
    assert_eq!(config.calibration.threshold, ThresholdRule::Quantile { q: 0.99 });
}

#[test]
fn unknown_keys_are_refused_by_name() {
    let error = Config::load(None, &["training.sead=1".into()]).unwrap_err();
    assert!(format!("{error:#}").contains("sead"), "{error:#}");
    let error = Config::load(None, &["seed".into()]).unwrap_err();
    assert!(format!("{error:#}").contains("key=value"), "{error:#}");
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
        let config = Config::load(None, &[setting.into(), method.into()]).unwrap();
        let error = format!("{:#}", config.validate().unwrap_err());
        assert!(error.contains(name), "{setting}: {error}");
    }
}

/// The reference that users read.
fn readme_block() -> &'static str {
    let (_, block) = include_str!("../../README.md").split_once("```toml\n").unwrap();
    block.split_once("```").unwrap().0
}

#[test]
fn the_readme_shows_the_defaults() {
    assert_eq!(toml::from_str::<Config>(readme_block()).unwrap(), Config::default());
}

#[test]
fn the_readme_shows_every_key() {
    let mut config = Config::default();
    // Those that are left out by default.
    config.data.root = Some("carpet".into());
    config.data.layout = Some(Layout::MvtecAd);
    config.data.size = Some([256, 256]);
    config.features.weights = Some("alexnet.pth".into());
    let text = config.to_toml().unwrap();
    let keys = |text: &str| {
        let lines = text.lines().map(|line| line.trim_start_matches("# "));
        let assignments = lines.filter_map(|line| Some(line.split_once(" = ")?.0.to_owned()));
        assignments.filter(|key| !key.contains(' ')).collect::<HashSet<_>>()
    };
    let missing: Vec<_> = keys(&text).difference(&keys(readme_block())).cloned().collect();
    // The keys of a rule stand in its line.
    assert!(missing.iter().all(|key| key == "rule"), "{missing:?}");
}

#[test]
fn methods_have_one_name() {
    use clap::ValueEnum;
    for &method in Method::value_variants() {
        assert_eq!(toml::Value::try_from(method).unwrap().as_str(), Some(method.key()));
        assert_eq!(method.to_possible_value().unwrap().get_name(), method.key());
    }
}

#[test]
fn the_processor_has_one_precision() {
    let load = |precision: &str| Config::load(None, &[format!("training.precision={precision}")]);
    let error = load("tf32").unwrap().training(&Device::Cpu).unwrap_err();
    let message = format!("{error:#}");
    assert_eq!(message, "training.precision: precision must be f32 on cpu, got tf32");
    assert!(load("f32").unwrap().training(&Device::Cpu).is_ok());
    let message = format!("{:#}", load("f64").unwrap_err());
    assert!(message.contains("f64") && message.contains("tf32"), "{message}");
}
