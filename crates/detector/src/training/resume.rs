//! The state that an earlier part of a training has left.

use super::plan::TrainingPlan;
use crate::Result;
use crate::error::{Context, ensure};
use crate::records::{LogEntry, Settings};
use models::{Schedule, Trainer, checkpoint_note};
use serde::{Deserialize, Serialize};

/// The note that a checkpoint keeps beside the state of the trainer.
#[derive(Serialize, Deserialize)]
pub struct Note {
    /// Duration of the training so far.
    pub seconds: f64,
    /// SHA-256 over names and contents of the images trained on.
    pub data_sha256: String,
    /// The settings trained with; none in checkpoints of earlier versions.
    #[serde(default)]
    pub settings: Settings,
}

/// The state that a training goes on from; `None` if it has left none yet.
///
/// # Errors
/// If it cannot be read, or the training is over and its checkpoint is gone.
pub fn checkpoint(plan: &TrainingPlan) -> Result<Option<Vec<u8>>> {
    let checkpoint = plan.folder.checkpoint()?;
    ensure!(
        checkpoint.is_some() || !plan.folder.is_trained(&plan.config),
        "{}: expected the state that the training of this model ended with, to go on from; --overwrite trains anew",
        plan.folder.checkpoint_name()
    );
    Ok(checkpoint)
}

/// Goes on from a checkpoint. Returns the log and the duration of the earlier parts of the training.
///
/// # Errors
/// If the checkpoint is of another training.
pub fn restore(
    plan: &TrainingPlan,
    trainer: &mut Trainer,
    checkpoint: &[u8],
    data_sha256: &str,
) -> Result<(Vec<LogEntry>, f64)> {
    let present = Settings::of_training(&plan.config)?;
    let name = || plan.folder.checkpoint_name();
    let note = note(checkpoint, data_sha256, &present).with_context(name)?;
    trainer.restore(checkpoint).with_context(name)?;
    plan.folder.write_config(&plan.config)?;
    let mut log = plan.folder.log()?;
    log.retain(|entry| is_kept(entry, trainer.patches(), &plan.config.training));
    Ok((log, note.seconds))
}

/// Whether the log of an uninterrupted training has this line: the log may be ahead of the checkpoint, and where a shorter training
/// ended within an epoch, a longer one goes on with it.
fn is_kept(entry: &LogEntry, seen: u64, schedule: &Schedule) -> bool {
    let is_whole = entry.patches.is_multiple_of(schedule.patches_per_epoch);
    entry.patches <= seen && (is_whole || entry.patches == schedule.patches)
}

/// The note of a checkpoint, if it is of a training on the same images with the same settings.
fn note(checkpoint: &[u8], data_sha256: &str, settings: &Settings) -> Result<Note> {
    let note: Note = serde_json::from_str(&checkpoint_note(checkpoint)?)
        .context("expected a checkpoint of `bench-cli train`")?;
    ensure!(
        note.data_sha256 == data_sha256,
        "expected images of SHA-256 {}, with which the training began, got {data_sha256}",
        note.data_sha256
    );
    note.settings.expect(settings)?;
    Ok(note)
}
