//! `bench-cli tune`

mod halving;
mod labels;
mod measuring;
mod output;
mod plan;
mod state;

use super::Context;
use crate::args::TuneArgs;
use crate::interrupt;
use anyhow::Result;
use detector::{Effort, TuningImages};
use measuring::Measuring;
use output::Outcome;
use plan::{Models, Plan};
use state::State;

/// Candidates whose residuals are compared thoroughly.
const FINALISTS: usize = 2;

/// Finds the settings that suit a texture.
///
/// # Errors
/// If the arguments, the images or the folder do not allow it, or no model could be trained.
pub fn tune(context: &Context, args: &TuneArgs) -> Result<()> {
    let plan = Plan::new(context, args)?;
    let mut images = TuningImages::read(&plan.good, &plan.base, plan.seed)?;
    let models = plan.models(context, args, &images)?;
    if args.labels && matches!(models, Models::Given(_)) {
        // Measured once, with the labels: the order does not depend on them.
        images = images.with_test(&plan.dataset.test, &plan.base)?;
    }
    let mut state = State::open(&plan, &models, &images, args.overwrite)?;
    let (goods, defects) = (images.good.len(), images.defects());
    context.terminal.note(&format!("{defects} defects drawn into {goods} good images"));
    let measuring = Measuring { context, plan: &plan, images: &images };
    match &models {
        Models::Given(given) => halving::compare(&measuring, given, &mut state)?,
        Models::ToTrain(candidates) => halving::halve(&measuring, candidates, &mut state)?,
    }
    state.sort();
    for index in 0..state.record.candidates.len().min(FINALISTS) {
        if !state.record.candidates[index].is_thorough {
            measuring.again(&models, &mut state, index, Effort::Thorough)?;
        }
    }
    state.sort();
    state.record.is_complete = true;
    state.save()?;
    // What was chosen without labels is kept, whatever is wrong with them.
    let compared = match args.labels {
        true => labels::compare(&measuring, &models, &mut state),
        false => Ok(()),
    };
    if interrupt::came() {
        return compared;
    }
    Outcome { measuring: &measuring, models: &models, state: &state }.write()?;
    compared
}
