//! The JSON that `bench-cli` prints and writes, for those who write it and those who read it.
//!
//! Objects may gain fields, which readers of earlier versions ignore. Every record serialises and deserialises to the same value.
//!
//! | printed by | record |
//! |---|---|
//! | `bench` | [`BenchRecord`] with the work of the case, or [`LayersRecord`] |
//! | `calibrate` | [`Calibration`], as in `calibration.json` |
//! | `demo` | a [`DemoRecord`] for each method |
//! | `evaluate` | [`EvaluationRecord`], as in `metrics.json` |
//! | `export` | [`ExportRecord`] |
//! | `figure` | [`FigureRecord`] |
//! | `info` | [`ModelInfo`] |
//! | `merge` | [`MergeRecord`] |
//! | `predict` | a [`PredictionRecord`] for each image, as in `predictions.jsonl` |
//! | `ssim` | [`SsimRecord`] |
//! | `synthesize` | [`SyntheticRecord`] |
//! | `toy` | [`ToyRecord`] |
//! | `train` | a [`LogEntry`] for each epoch, as in `log.jsonl`, and a [`TrainingSummary`] |
//! | `tune` | [`TuningRecord`], as in `tune.json` |
//!
//! [`TrainingRecord`] is `training.json` in the folder of a model.

mod bench;
mod calibration;
mod drawn;
mod evaluation;
mod model_info;
mod pictures;
mod prediction;
mod run;
mod settings;
mod training;
mod tuning;

pub use bench::{
    Arithmetic, BenchRecord, CurveWork, ForwardWork, InspectionWork, LayerTimes, LayersRecord,
    SsimWork, Timing, TrainingWork,
};
pub use calibration::{Calibration, CalibrationSource, GoodScore, RuleThreshold};
pub use drawn::{DrawnDefects, DrawnFound};
pub use evaluation::{
    AtThreshold, DefectType, DemoRecord, EvaluationRecord, GoodImages, ImageRow, Metrics, Oracle,
    PixelMetrics, RuleResult,
};
pub use model_info::{ExportRecord, ModelInfo};
pub use pictures::{FigureRecord, SsimRecord, SyntheticRecord, ToyMap, ToyRecord};
pub use prediction::PredictionRecord;
pub use run::{FailureRecord, MergeRecord, RunRecord};
pub use settings::Settings;
pub use training::{
    FeaturesRecord, LogEntry, ReconstructionRecord, TrainingRecord, TrainingSummary,
};
pub use tuning::{
    Agreement, ChoiceFigures, MeasuredChoice, PastFigures, Rung, TunedCandidate, TuningRecord,
};

#[cfg(test)]
mod tests;
