//! Measuring a model of a tuning.

use super::plan::{Models, Plan};
use super::state::State;
use crate::commands::Context;
use crate::interrupt;
use crate::progress::Progress;
use anyhow::{Context as _, Result};
use detector::records::{MeasuredChoice, PastFigures, TunedCandidate};
use detector::{
    Config, Effort, ModelFolder, ResidualChoice, TuningImages, choices, measure_choices,
    measuring_steps,
};

/// The images and the plan that models are measured by.
pub struct Measuring<'a> {
    pub context: &'a Context,
    pub plan: &'a Plan,
    pub images: &'a TuningImages,
}

impl Measuring<'_> {
    /// Measures the choices of a model, and puts them into the state.
    ///
    /// # Errors
    /// If the model or its record cannot be read, an image cannot be inspected, or a signal came.
    pub fn put(
        &self,
        name: &str,
        (folder, config): (&ModelFolder, &Config),
        effort: Effort,
        state: &mut State,
    ) -> Result<()> {
        let (choices, record) = (self.choices(name, folder, config, effort)?, folder.record()?);
        state.put(TunedCandidate {
            name: name.to_owned(),
            method: config.method,
            size: config.data.size,
            latent_dim: config.model.latent_dim,
            patch_size: config.model.patch_size,
            patches: record.patches,
            loss: record.loss,
            collapsed: record.collapsed,
            is_thorough: effort == Effort::Thorough,
            history: history(record.patches, &choices),
            choices,
        });
        state.save()
    }

    /// Measures a candidate of the state once more.
    ///
    /// # Errors
    /// As [`Measuring::put`].
    pub fn again(
        &self,
        models: &Models,
        state: &mut State,
        index: usize,
        effort: Effort,
    ) -> Result<()> {
        let name = state.record.candidates[index].name.clone();
        let (folder, config) =
            models.find(self.plan, &name).context("expected a model of the plan")?;
        let choices = self.choices(&name, &folder, &config, effort)?;
        let candidate = &mut state.record.candidates[index];
        (candidate.choices, candidate.is_thorough) = (choices, effort == Effort::Thorough);
        state.save()
    }

    /// The choices of a model, the best first; of equals, the most usual.
    fn choices(
        &self,
        name: &str,
        folder: &ModelFolder,
        config: &Config,
        effort: Effort,
    ) -> Result<Vec<MeasuredChoice<ResidualChoice>>> {
        let Self { context, plan, images } = self;
        let choices = choices(config.method, effort);
        let model = folder.model(config, &context.device)?;
        let steps = measuring_steps(config, images, &choices)? as u64;
        let template = "{msg} {elapsed_precise} {wide_bar} {pos} of {len} images and residual maps";
        let names = ["comparing", "images and residual maps"];
        let bar = Progress::new(context.terminal, names, (0, steps), template);
        bar.set_message(format!("{name}: comparing"));
        let mut progress = interrupt::progress(&bar);
        let measured =
            measure_choices(model, config, images, &choices, plan.false_alarms, &mut progress);
        bar.finish();
        let mut measured = measured.map_err(|error| interrupt::explain(error, last_words))?;
        measured.sort_by(|a, b| a.figures.best_first(&b.figures));
        Ok(measured)
    }
}

/// The best figures after the patches of a training.
fn history(patches: u64, choices: &[MeasuredChoice<ResidualChoice>]) -> Vec<PastFigures> {
    let best = choices.first().map(|best| best.figures.clone());
    best.map(|figures| PastFigures { patches, figures }).into_iter().collect()
}

/// The last words of a tuning that was interrupted.
pub fn last_words() -> String {
    "interrupted; the same command goes on with the tuning".to_owned()
}
