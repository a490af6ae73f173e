//! A model is a folder: weights, configuration, calibration, training log and the state to go on training from.

mod training;

pub use training::{FeaturesRecord, LogEntry, TrainingRecord};

use crate::config::{Config, RuleThreshold, Settings};
use crate::io::{remove_if_present, remove_parts, sha256, write_durable};
use anyhow::{Context, Result, bail, ensure};
use candle_core::Device;
use inspect::ThresholdRule;
use models::Autoencoder;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.toml";
const CALIBRATION: &str = "calibration.json";
const RECORD: &str = "training.json";
const LOG: &str = "log.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";

/// Held by whoever writes to the folder. It is empty, and stays.
const LOCK: &str = ".lock";

/// The folder of a model.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    path: PathBuf,
}

/// Keeps other processes from writing to a folder while it lives. The system takes it from a process that ends, however it
/// ends.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

/// The decision threshold and where it comes from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// A pixel is defective if its score is at least this.
    pub threshold: f32,
    /// How it was chosen.
    pub rule: ThresholdRule,
    /// What this and other rules give on the same images; absent from files of earlier versions.
    #[serde(default)]
    pub rules: Vec<RuleThreshold>,
    /// The largest score of the good images, the upper end of colour scales.
    pub good_max: f32,
    /// Number of good images that it was derived from.
    pub images: usize,
    /// What the training has to do with those images.
    pub source: GoodImages,
    /// SHA-256 over names and contents of those images.
    pub data_sha256: String,
    /// SHA-256 of the weights that gave the scores.
    pub weights_sha256: String,
    /// The settings that they were given with.
    pub scoring: Settings,
}

/// What a training has to do with the good images that a threshold is derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoodImages {
    /// They were kept from it.
    HeldOut,
    /// It is on them.
    TrainedOn,
    /// They were named for the calibration.
    Given,
    /// The folder's images are not those of the training any more: it may be on them, or not.
    Unknown,
}

impl GoodImages {
    /// As part of a sentence.
    pub fn describe(self) -> &'static str {
        match self {
            Self::HeldOut => "held out from training",
            Self::TrainedOn => "trained on",
            Self::Given => "given for the calibration",
            Self::Unknown => "not known to be held out from training",
        }
    }
}

impl ModelFolder {
    /// A folder that may not exist yet.
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// The folder of a trained model.
    ///
    /// # Errors
    /// If the folder or its weights are not there, or its weights or its configuration are not those of the training.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Self::new(path);
        if !path.is_dir() {
            bail!(
                "{}: expected the folder of a model, as `bench-cli train` makes it",
                path.display()
            );
        }
        if !folder.file(WEIGHTS).is_file() {
            let hint = if folder.has_checkpoint() {
                "; its training is not finished: `bench-cli train --resume` goes on"
            } else {
                ""
            };
            bail!("{}: expected `{WEIGHTS}` in it{hint}", path.display());
        }
        folder.expect_as_trained()?;
        Ok(folder)
    }

    /// Compares weights and configuration with what the training noted of them, if its record is there.
    fn expect_as_trained(&self) -> Result<()> {
        if !self.file(RECORD).is_file() {
            return Ok(());
        }
        let (record, folder) = (self.record()?, self.path.display());
        record.settings.expect(&Settings::of_learning(&self.config()?)?).with_context(|| {
            format!(
                "{}: not as the model was trained; put it back, or train anew with `bench-cli train --out {folder} --overwrite \
                 --config {0}`",
                self.file(CONFIG).display()
            )
        })?;
        let got = self.weights_sha256()?;
        let help = match self.has_checkpoint() {
            true => format!("`bench-cli train --out {folder} --resume` writes them anew"),
            false => "put them back, or train anew".to_owned(),
        };
        ensure!(
            record.weights_sha256.is_empty() || record.weights_sha256 == got,
            "{}: not as the training left them: expected weights of SHA-256 {}, got {got}; {help}",
            self.file(WEIGHTS).display(),
            record.weights_sha256
        );
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether a training run has left anything here.
    pub fn is_occupied(&self) -> bool {
        self.file(CONFIG).exists() || self.file(WEIGHTS).exists()
    }

    /// Whether a training with the settings of a configuration has ended here.
    pub fn is_trained(&self, config: &Config) -> bool {
        let is_alike = |record: TrainingRecord| {
            Settings::of_learning(config)
                .is_ok_and(|present| record.settings.expect(&present).is_ok())
        };
        self.file(WEIGHTS).is_file() && self.record().is_ok_and(is_alike)
    }

    /// Makes the folder, if it is missing, and keeps others from writing to it. What a killed process has left of its
    /// temporary files is removed.
    ///
    /// # Errors
    /// If another process writes to it, or the folder cannot be made or locked.
    pub fn lock(&self) -> Result<FolderLock> {
        let name = self.path.display();
        std::fs::create_dir_all(&self.path)
            .with_context(|| format!("cannot create folder {name}"))?;
        let cannot_lock = || format!("cannot lock folder {name}");
        let file = File::create(self.file(LOCK)).with_context(cannot_lock)?;
        match file.try_lock() {
            Ok(()) => remove_parts(&self.path)?,
            Err(TryLockError::WouldBlock) => bail!("{name}: another process writes to this folder"),
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot_lock),
        }
        Ok(FolderLock { _file: file })
    }

    /// Leaves nothing but the configuration of a training that begins.
    ///
    /// Whatever interrupts it, the folder never holds a checkpoint of another configuration, and once there is no
    /// checkpoint, `--resume` begins the new training.
    ///
    /// # Errors
    /// If a file cannot be removed or written.
    pub fn begin(&self, config: &Config) -> Result<()> {
        remove_if_present(&self.file(CHECKPOINT))?;
        self.write_config(config)?;
        let others = [WEIGHTS, CALIBRATION, RECORD, LOG];
        others.into_iter().try_for_each(|name| remove_if_present(&self.file(name)))
    }

    /// # Errors
    /// If the file cannot be read or understood.
    pub fn config(&self) -> Result<Config> {
        Config::read(&self.file(CONFIG))
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_config(&self, config: &Config) -> Result<()> {
        write_durable(&self.file(CONFIG), config.to_toml()?.as_bytes())
    }

    /// The trained network.
    ///
    /// # Errors
    /// If the weights cannot be read, or do not fit the configuration.
    pub fn model(&self, config: &Config, device: &Device) -> Result<Autoencoder> {
        let path = self.file(WEIGHTS);
        let bytes = read_bytes(&path)?;
        Autoencoder::from_safetensors(&bytes, config.architecture(), device)
            .with_context(|| path.display().to_string())
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_model(&self, model: &Autoencoder) -> Result<()> {
        write_durable(&self.file(WEIGHTS), &model.to_safetensors()?)
    }

    /// The state of a training; `None` if it has not left one yet.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn checkpoint(&self) -> Result<Option<Vec<u8>>> {
        let path = self.file(CHECKPOINT);
        path.is_file().then(|| read_bytes(&path)).transpose()
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_checkpoint(&self, bytes: &[u8]) -> Result<()> {
        write_durable(&self.file(CHECKPOINT), bytes)
    }

    /// Whether a training has left a state to go on from.
    pub fn has_checkpoint(&self) -> bool {
        self.file(CHECKPOINT).is_file()
    }

    /// The name of the checkpoint, for messages.
    pub fn checkpoint_name(&self) -> String {
        self.file(CHECKPOINT).display().to_string()
    }

    /// # Errors
    /// If the file cannot be read or understood.
    pub fn record(&self) -> Result<TrainingRecord> {
        read_json(&self.file(RECORD))
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_record(&self, record: &TrainingRecord) -> Result<()> {
        write_json(&self.file(RECORD), record)
    }

    /// Whether the model has a threshold.
    pub fn is_calibrated(&self) -> bool {
        self.file(CALIBRATION).is_file()
    }

    /// # Errors
    /// If the model is not calibrated, the file cannot be understood, or it is of other weights or settings.
    pub fn calibration(&self) -> Result<Calibration> {
        let path = self.file(CALIBRATION);
        if !self.is_calibrated() {
            bail!(
                "{}: not calibrated; run `bench-cli calibrate {}`",
                self.path.display(),
                self.path.display()
            );
        }
        let calibration: Calibration = read_json(&path).with_context(|| {
            let folder = self.path.display();
            format!("cannot use the calibration; `bench-cli calibrate {folder}` makes it anew")
        })?;
        if !calibration.threshold.is_finite() || !calibration.good_max.is_finite() {
            bail!("{}: expected finite numbers", path.display());
        }
        self.expect_calibrated_for(&calibration).with_context(|| {
            let folder = self.path.display();
            format!(
                "{}: not of this model; `bench-cli calibrate {folder}` makes it anew",
                path.display()
            )
        })?;
        Ok(calibration)
    }

    fn expect_calibrated_for(&self, calibration: &Calibration) -> Result<()> {
        let config = self.config()?;
        calibration.scoring.expect(&Settings::of_scoring(&config)?)?;
        let (expected, got) = (&calibration.rule, &config.calibration.threshold);
        ensure!(
            expected == got,
            "expected `calibration.threshold` to be {}, got {}",
            serde_json::to_string(expected)?,
            serde_json::to_string(got)?
        );
        let (expected, got) = (&calibration.weights_sha256, self.weights_sha256()?);
        ensure!(
            *expected == got,
            "{}: expected weights of SHA-256 {expected}, got {got}",
            self.file(WEIGHTS).display()
        );
        Ok(())
    }

    /// SHA-256 of the weights.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weights_sha256(&self) -> Result<String> {
        Ok(sha256(&read_bytes(&self.file(WEIGHTS))?))
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_calibration(&self, calibration: &Calibration) -> Result<()> {
        write_json(&self.file(CALIBRATION), calibration)
    }

    /// The name of the training log, for messages.
    pub fn log_name(&self) -> String {
        self.file(LOG).display().to_string()
    }

    /// The training log; empty if there is none.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn log(&self) -> Result<Vec<LogEntry>> {
        let path = self.file(LOG);
        if !path.is_file() {
            return Ok(Vec::new());
        }
        let text = String::from_utf8(read_bytes(&path)?)?;
        let entries = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        entries.with_context(|| path.display().to_string())
    }

    /// # Errors
    /// If the file cannot be written.
    pub fn write_log(&self, entries: &[LogEntry]) -> Result<()> {
        let mut lines = Vec::new();
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        write_durable(&self.file(LOG), &lines)
    }
}

fn read_bytes(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read_bytes(path)?).with_context(|| path.display().to_string())
}

/// Writes a value as indented JSON.
///
/// # Errors
/// If the file cannot be written.
pub fn write_json(path: &Path, value: &impl Serialize) -> Result<()> {
    write_durable(path, (serde_json::to_string_pretty(value)? + "\n").as_bytes())
}
