//! Records read back as they are written, under the names that README of `bench-cli` documents.
#![allow(clippy::unwrap_used, reason = "a failure is the test's result")]

use super::*;
use crate::Method;
use crate::synthetic::DrawnKind;
use inspect::{Image, Reference, Region, ThresholdRule};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// The record as JSON, after it was read again.
fn round<R: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(record: &R) -> Value {
    let text = serde_json::to_string(record).unwrap();
    assert_eq!(&serde_json::from_str::<R>(&text).unwrap(), record);
    serde_json::from_str(&text).unwrap()
}

fn decisions() -> AtThreshold {
    AtThreshold {
        precision: Some(0.1),
        recall: None,
        false_positive_rate: Some(1.0 / 3.0),
        f1: Some(0.7),
        iou: Some(0.2),
        regions_found: 1,
        regions: 2,
        false_alarms: 3,
        false_alarms_per_image: 1.5,
        images_flagged: 2,
        defective_images_hit: 1,
        good_images_flagged: 1,
    }
}

fn metrics() -> Metrics {
    let rule = ThresholdRule::Quantile { q: 0.999 };
    Metrics {
        pixel: Some(PixelMetrics {
            pixel_au_roc: 0.9,
            pixel_au_roc_raw: 0.8,
            pixel_average_precision: 0.7,
            pixel_f1_max: 0.6,
            pixel_f1_max_threshold: 0.1,
            au_pro: 0.5,
            oracle: Oracle { threshold: 0.1, result: decisions() },
        }),
        image_au_roc: Some(0.4),
        image_au_roc_good: Some(GoodImages::HeldOut),
        threshold: 0.3,
        min_area: 2,
        at_threshold: decisions(),
        rules: vec![RuleResult { rule, threshold: 0.3, result: decisions() }],
        defect_types: vec![DefectType {
            defect: "hole".to_owned(),
            images: 2,
            defective_pixels: 5,
            result: decisions(),
        }],
        images: 2,
        defective_images: 2,
        images_left_out: 0,
        images_without_mask: 0,
        pixels: 1 << 40,
        defective_pixels: 5,
    }
}

#[test]
fn an_evaluation_is_one_flat_object() {
    let record = EvaluationRecord {
        data: "carpet".to_owned(),
        synthetic: false,
        method: Method::FeatureMatching,
        patches: 2_000_000,
        training_seconds: 0.1 + 0.2,
        seconds: 1e-3,
        metrics: metrics(),
    };
    let json = round(&record);
    assert_eq!(json["method"], "feature-matching");
    assert_eq!(
        (&json["pixel_au_roc"], &json["image_au_roc_good"]),
        (&json!(0.9), &json!("held-out"))
    );
    assert_eq!(json["rules"][0]["rule"], json!({ "rule": "quantile", "q": 0.999 }));
    assert_eq!(
        (&json["oracle"]["f1"], &json["at_threshold"]["recall"]),
        (&json!(0.7), &Value::Null)
    );
    let names: Vec<String> = metrics().thresholds().map(|(name, ..)| name).collect();
    assert_eq!(names, ["quantile:0.999 (calibrated)", "test labels in view"]);
}

#[test]
fn thresholds_of_single_precision_read_back_to_the_bit() {
    // Its shortest decimal digits are few in f32 and many in f64.
    let threshold = 0.1_f32.next_up();
    let mut metrics = metrics();
    if let Some(pixel) = &mut metrics.pixel {
        pixel.oracle.threshold = threshold;
    }
    let demo = DemoRecord {
        method: Method::L2.title().to_owned(),
        synthetic: true,
        training_seconds: 2.0,
        metrics,
    };
    assert_eq!(round(&demo)["method"], "ℓ2-AE");
}

fn calibration() -> Calibration {
    let rule = ThresholdRule::Max {};
    Calibration {
        threshold: 0.25,
        standard_error: Some(0.1),
        drawn: Some(DrawnDefects {
            images: 1,
            contrast: 4.0,
            size: 2.0,
            au_roc: 0.75,
            kinds: vec![DrawnFound { kind: DrawnKind::Stroke, drawn: 2, found: 1, au_roc: 0.75 }],
        }),
        min_area: 4,
        rule,
        rules: vec![RuleThreshold { rule, threshold: 0.25 }],
        good_max: 0.2,
        scores: vec![GoodScore {
            image: "a.png".to_owned(),
            score: 0.2,
            x: 1,
            y: 0,
            width: 3,
            height: 2,
        }],
        images: 3,
        left_out: Vec::new(),
        good: Vec::new(),
        source: CalibrationSource::TrainedOn,
        data_sha256: "a".to_owned(),
        weights_sha256: "b".to_owned(),
        scoring: Settings([("method".to_owned(), json!("ssim"))].into()),
        reference: Some(Reference::of(&[vec![Image::filled(3, 2, 0.1)]], &[0.0]).unwrap()),
    }
}

#[test]
fn a_calibration_reads_back() {
    let json = round(&calibration());
    assert_eq!(
        (&json["source"], &json["scoring"]),
        (&json!("trained-on"), &json!({ "method": "ssim" }))
    );
    assert_eq!(json["scores"][0]["image"], "a.png");
}

#[test]
fn a_threshold_that_hangs_on_single_images_is_told() {
    let warning = |error| Calibration { standard_error: error, ..calibration() }.uncertainty();
    assert_eq!([None, Some(0.0625)].map(warning), [None, None], "a quarter of the threshold");
    let rule = ThresholdRule::FalseAlarms { images: 20.0 };
    let single = Calibration { images: 1, rule, standard_error: None, ..calibration() };
    assert!(single.uncertainty().is_some_and(|warning| warning.contains("a single good image")));
    let warning = warning(Some(0.1)).unwrap();
    assert!(warning.contains("40 % of it; a.png scores highest, 0.20"), "{warning}");
}

#[test]
fn pictures_are_measured_by_good_images_not_by_a_threshold_that_may_be_wrong() {
    let false_alarms = ThresholdRule::FalseAlarms { images: 20.0 };
    let calibration = |threshold, rules: &[(ThresholdRule, f32)], good_max| {
        let rules = rules.iter().map(|&(rule, threshold)| RuleThreshold { rule, threshold });
        Calibration { threshold, rules: rules.collect(), good_max, ..calibration() }
    };
    let max = ThresholdRule::Max {};
    let with_rule = calibration(1e9, &[(max, 1e9), (false_alarms, 0.8)], 0.7);
    assert_eq!(with_rule.good_unit(), 0.8);
    assert_eq!(calibration(1e9, &[(max, 1e9)], 0.7).good_unit(), 0.7);
    assert_eq!(calibration(-2.0, &[], -1.0).good_unit(), 2.0);
    assert_eq!(calibration(0.0, &[], 0.0).good_unit(), 1.0);
}

#[test]
fn trainings_of_earlier_versions_are_read() {
    let earlier = json!({
        "version": "0.1.0", "patches": 16, "seconds": 1.0, "threads": 2, "loss": 0.5, "collapsed": false, "images": 1,
        "data_sha256": "a",
    });
    let record: TrainingRecord = serde_json::from_value(earlier).unwrap();
    assert_eq!(
        (&*record.device, &*record.precision, record.features.as_ref()),
        ("cpu", "f32", None)
    );
    let features = FeaturesRecord { extractor: "alexnet".to_owned(), sha256: "c".to_owned() };
    let json = round(&TrainingRecord { features: Some(features), ..record });
    assert_eq!(json["features"]["extractor"], "alexnet");
}

#[test]
fn lines_of_a_training_and_of_predictions_read_back() {
    let entry = LogEntry {
        epoch: 1,
        patches: 16,
        loss: 0.5,
        contrast: 0.9,
        seconds: 3.0,
        patches_per_second: 5.0,
        held_out_loss: Some(0.25),
    };
    assert_eq!(round(&entry)["held_out_loss"], 0.25);
    let region = Region {
        label: 1,
        area: 2,
        x0: 0,
        y0: 0,
        x1: 2,
        y1: 1,
        centroid_x: 0.5,
        centroid_y: 0.0,
        mean_score: 0.3,
        max_score: 0.4,
    };
    let mut prediction = PredictionRecord {
        image: "a.png".to_owned(),
        id: "a".to_owned(),
        score: 0.4,
        threshold: 0.2,
        defective: true,
        seconds: 0.1,
        regions: vec![region],
        ..PredictionRecord::default()
    };
    assert_eq!(round(&prediction)["modified"], Value::Null);
    assert_eq!(prediction.verdict(), "1 defect");
    prediction.regions.clear();
    assert_eq!(prediction.verdict(), "good");
}

#[test]
fn the_work_of_a_benchmark_lies_beside_its_times() {
    let record = BenchRecord {
        case: "train-step".to_owned(),
        timing: Timing { median_ms: 2.5, min_ms: 2.0, runs: 7 },
        threads: 2,
        device: "cpu".to_owned(),
        peak_rss_mb: None,
        work: TrainingWork {
            method: Method::Ssim,
            extractor: None,
            window: "uniform:11".to_owned(),
            batch: 16,
            patch_size: 128,
            latent_dim: 100,
            precision: "f32".to_owned(),
            arithmetic: Arithmetic { multiply_adds: 1 << 40, gflop_per_s: 12.5 },
        },
    };
    let json = round(&record);
    assert_eq!((&json["median_ms"], &json["gflop_per_s"]), (&json!(2.5), &json!(12.5)));
    assert!(json.get("extractor").is_none() && json.get("peak_rss_mb").is_none());
}

/// JSON has no NaN: `null` stands for it, as versions before this one wrote it, too.
#[test]
fn a_log_with_an_unknown_contrast_can_be_read() {
    let line = r#"{"epoch":1,"patches":8,"loss":0.5,"contrast":null,"seconds":1.0,"patches_per_second":8.0}"#;
    let entry: LogEntry = serde_json::from_str(line).unwrap();
    assert!(entry.contrast.is_nan() && !entry.collapsed());
    assert_eq!(serde_json::to_string(&entry).unwrap(), line);
    assert!(serde_json::from_str::<LogEntry>(&line.replace(r#""contrast":null,"#, "")).is_err());
}
