//! The folder of a model: weights, configuration, calibration, training log and the state to go on training from.

use crate::config::{Config, DataConfig};
use crate::copies::{Copied, copied_paths, remove_copies_but};
use crate::data::{RegionConfig, RegionMask, Split, fingerprint, list_of};
use crate::error::{Context, ensure};
use crate::files::{
    FolderLock, read_file, read_text, remove_if_present, sha256, sha256_of_file, shown,
    shown_argument, write_durable, write_json,
};
use crate::records::{Calibration, LogEntry, Settings, TrainingRecord};
use crate::{Error, Result};
use candle_core::Device;
use models::{Autoencoder, Corruption};
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

const WEIGHTS: &str = "model.safetensors";
const CONFIG: &str = "config.toml";
const CALIBRATION: &str = "calibration.json";
const RECORD: &str = "training.json";
const LOG: &str = "log.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";
const REGION: &str = "region.png";

/// The longest file that is read, in bytes: more than the state of the largest network's training has.
const MAX_FILE: u64 = 4 << 30;

/// The folder of a model. Its files are described in the README of `bench-cli`.
#[derive(Clone, Debug)]
pub struct ModelFolder {
    path: PathBuf,
}

impl ModelFolder {
    /// A folder that may not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The folder of a trained model.
    ///
    /// # Errors
    /// If the folder or its weights are not there, or its weights or its configuration are not those of the training.
    pub fn open(path: &Path) -> Result<Self> {
        let folder = Self::new(path);
        if !path.is_dir() {
            let expected = "expected the folder of a model, as `bench-cli train` makes it";
            return Err(Error::file(path, expected));
        }
        if !folder.file(WEIGHTS).is_file() {
            let hint = match folder.file(CONFIG).is_file() {
                true => format!(
                    "; its training is not finished: `bench-cli train --out {} --resume` goes on",
                    shown_argument(path)
                ),
                false => String::new(),
            };
            return Err(Error::file(path, format!("expected `{WEIGHTS}` in it{hint}")));
        }
        folder.expect_as_trained()?;
        Ok(folder)
    }

    /// Compares weights and configuration with what the training noted of them, if its record is there.
    fn expect_as_trained(&self) -> Result<()> {
        if !self.file(RECORD).is_file() {
            return Ok(());
        }
        let (record, folder) = (self.record()?, shown_argument(&self.path));
        record.settings.expect(&Settings::of_learning(&self.config()?)?).with_context(|| {
            format!(
                "{}: not as the model was trained; put it back, or train anew with `bench-cli train --out {folder} --overwrite \
                 --config {0}`",
                shown(&self.file(CONFIG))
            )
        })?;
        let got = self.weights_sha256()?;
        let help = match self.has_checkpoint() {
            true => format!("`bench-cli train --out {folder} --resume` writes them anew"),
            false => "put them back, or train anew".to_owned(),
        };
        let expected = record.weights_sha256;
        if expected.is_empty() || expected == got {
            return Ok(());
        }
        let message = format!(
            "not as the training left them: expected weights of SHA-256 {expected}, got {got}; {help}"
        );
        Err(Error::file(&self.file(WEIGHTS), message))
    }

    /// The path of the folder.
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
        FolderLock::take(&self.path)
    }

    /// Leaves nothing but the configuration of a training that begins, and the copies that it names.
    ///
    /// Whatever interrupts it, the folder never holds a checkpoint of another configuration, and once there is no
    /// checkpoint, `--resume` begins the new training.
    ///
    /// # Errors
    /// If a file cannot be removed or written.
    pub fn begin(&self, config: &Config) -> Result<()> {
        remove_if_present(&self.file(CHECKPOINT))?;
        self.write_config(config)?;
        let others = [WEIGHTS, CALIBRATION, RECORD, LOG, REGION];
        others.into_iter().try_for_each(|name| remove_if_present(&self.file(name)))
    }

    /// The configuration.
    ///
    /// # Errors
    /// If the file cannot be read or understood, or a setting is out of range.
    pub fn config(&self) -> Result<Config> {
        let path = self.file(CONFIG);
        let mut config = Config::read(&path)?;
        let written = read_text(&path, MAX_FILE)?.parse::<toml::Table>().unwrap_or_default();
        if written.get("training").and_then(|table| table.get("corruption")).is_none() {
            // A model of before there was the setting.
            config.training.corruption = Corruption::None;
        }
        config.validate().with_context(|| shown(&path))?;
        // A copy in the folder goes where the folder goes; another path is not changed by this.
        copied_paths(&mut config.data).for_each(|path| *path = self.path.join(&*path));
        Ok(config)
    }

    /// Writes the configuration, and removes the copies of masks and lists that it does not name.
    ///
    /// # Errors
    /// If the file cannot be written, or a copy cannot be removed.
    pub fn write_config(&self, config: &Config) -> Result<()> {
        let (mut config, folder) = (config.clone(), std::path::absolute(&self.path)?);
        let mut named = Vec::new();
        for path in copied_paths(&mut config.data) {
            if let Ok(own) = std::path::absolute(&*path)?.strip_prefix(&folder) {
                *path = own.to_owned();
                named.push(self.path.join(own));
            }
        }
        write_durable(&self.file(CONFIG), config.to_toml()?.as_bytes())?;
        remove_copies_but(&named, &self.path)
    }

    /// Copies the mask of a region of interest for all images into the folder, and names the copy and its hash in the configuration.
    /// A copy of another mask stays until [`write_config`](Self::write_config) names this one.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub fn keep_region(&self, data: &mut DataConfig) -> Result<()> {
        let Some(RegionConfig::Mask(RegionMask { mask, sha256: hash })) = &mut data.region else {
            return Ok(());
        };
        let bytes = read_bytes(mask)?;
        let extension = mask.extension().unwrap_or_default();
        (*mask, *hash) = (Copied::Mask.write(&self.path, extension, &bytes)?, Some(sha256(&bytes)));
        Ok(())
    }

    /// Writes a list of images into the folder, and names it in the configuration in the place of the images. Another list stays until
    /// [`write_config`](Self::write_config) names this one.
    ///
    /// # Errors
    /// If it cannot be written, or a path has no place on a line.
    pub fn keep_list(&self, data: &mut DataConfig, images: &[PathBuf]) -> Result<()> {
        let list = Copied::List.write(&self.path, "txt".as_ref(), &list_of(images)?)?;
        (data.root, data.images) = (None, vec![list]);
        Ok(())
    }

    /// The picture of the region of interest in some good images.
    pub fn region_picture(&self) -> PathBuf {
        self.file(REGION)
    }

    /// The trained network.
    ///
    /// # Errors
    /// If the weights cannot be read, or do not fit the configuration.
    pub fn model(&self, config: &Config, device: &Device) -> Result<Autoencoder> {
        let path = self.file(WEIGHTS);
        let bytes = read_bytes(&path)?;
        Autoencoder::from_safetensors(&bytes, config.architecture(), device)
            .with_context(|| shown(&path))
    }

    /// Writes the weights of the trained network.
    ///
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

    /// Writes the state of a training.
    ///
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
        shown(&self.file(CHECKPOINT))
    }

    /// How the model was trained.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn record(&self) -> Result<TrainingRecord> {
        read_json(&self.file(RECORD))
    }

    /// Writes how the model was trained.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_record(&self, record: &TrainingRecord) -> Result<()> {
        write_json(&self.file(RECORD), record)
    }

    /// The good images of a configuration's data set, split as for the training; `None` if they are not those of the training any
    /// more, so that nobody knows which of them it has seen.
    ///
    /// # Errors
    /// If the images cannot be read.
    pub fn split_of_training(&self, config: &Config) -> Result<Option<Split>> {
        let (split, ..) = config.split()?;
        let trained_on = self.record().ok().map(|record| record.data_sha256);
        Ok((trained_on == Some(fingerprint(&split.train)?)).then_some(split))
    }

    /// Whether the model has a threshold.
    pub fn is_calibrated(&self) -> bool {
        self.file(CALIBRATION).is_file()
    }

    /// The threshold and where it comes from.
    ///
    /// # Errors
    /// If the model is not calibrated, the file cannot be understood, or it is of other weights or settings.
    pub fn calibration(&self) -> Result<Calibration> {
        let path = self.file(CALIBRATION);
        if !self.is_calibrated() {
            let message =
                format!("not calibrated; run `bench-cli calibrate {}`", shown_argument(&self.path));
            return Err(Error::file(&self.path, message));
        }
        let calibration: Calibration = read_json(&path).with_context(|| {
            let folder = shown_argument(&self.path);
            format!("cannot use the calibration; `bench-cli calibrate {folder}` makes it anew")
        })?;
        if !calibration.threshold.is_finite() || !calibration.good_max.is_finite() {
            return Err(Error::file(&path, "expected finite numbers"));
        }
        self.expect_calibrated_for(&calibration).with_context(|| {
            let folder = shown_argument(&self.path);
            format!(
                "{}: not of this model; `bench-cli calibrate {folder}` makes it anew",
                shown(&path)
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
        let area = config.calibration.threshold.min_area().max(config.calibration.min_area);
        ensure!(
            calibration.min_area == area,
            "expected `calibration.min_area` to be {}, got {area}",
            calibration.min_area
        );
        let (expected, got) = (&calibration.weights_sha256, self.weights_sha256()?);
        if *expected != got {
            let message = format!("expected weights of SHA-256 {expected}, got {got}");
            return Err(Error::file(&self.file(WEIGHTS), message));
        }
        Ok(())
    }

    /// SHA-256 of the weights.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn weights_sha256(&self) -> Result<String> {
        Ok(sha256(&read_bytes(&self.file(WEIGHTS))?))
    }

    /// SHA-256 of all that decides about what the model finds in an image: its weights, its configuration and, if it has one, its
    /// calibration.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn fingerprint(&self) -> Result<String> {
        let files = [CONFIG, WEIGHTS, CALIBRATION].map(|name| self.file(name));
        let present = files.iter().filter(|file| file.exists());
        let hashes = present.map(|file| sha256_of_file(file)).collect::<Result<Vec<_>>>()?;
        Ok(sha256(hashes.concat().as_bytes()))
    }

    /// Writes the threshold and where it comes from.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write_calibration(&self, calibration: &Calibration) -> Result<()> {
        write_json(&self.file(CALIBRATION), calibration)
    }

    /// The name of the training log, for messages.
    pub fn log_name(&self) -> String {
        shown(&self.file(LOG))
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
        let text = read_text(&path, MAX_FILE)?;
        let entries = text.lines().map(serde_json::from_str).collect::<Result<_, _>>();
        entries.with_context(|| shown(&path))
    }

    /// Writes the training log.
    ///
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
    read_file(path, MAX_FILE)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T> {
    serde_json::from_slice(&read_bytes(path)?).with_context(|| shown(path))
}
