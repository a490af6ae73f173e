//! The plan of a training.

use crate::config::Config;
use crate::data::{Dataset, Split, Survey};
use crate::model_folder::ModelFolder;
use crate::region_search::find_region;
use crate::{Error, Result};

/// A training: where, with which settings, on which images.
#[derive(Clone, Debug)]
pub struct TrainingPlan {
    /// The folder of the model.
    pub folder: ModelFolder,
    /// The settings.
    pub config: Config,
    /// Good images: those to train on, and those held out.
    pub split: Split,
    /// The data set that they are of.
    pub dataset: Dataset,
    /// Remarks about the images.
    pub survey: Survey,
    /// The treatment of a model that is in the folder already.
    pub start: Start,
    /// Whether the images are kept as a list in the model's folder, in the place of the configuration's names for them: those of
    /// standard input have no other place.
    pub keeps_list: bool,
}

/// How a training treats what is in its folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Begins in a folder without a model.
    Fresh,
    /// Begins in any folder; a model in it is replaced.
    Replacing,
    /// Goes on from the last checkpoint, or begins if there is none.
    Resuming,
}

impl Start {
    /// Refuses to replace a model that was not to be replaced.
    ///
    /// # Errors
    /// If the start is [`Start::Fresh`] and there is a model in the folder.
    pub fn check(self, folder: &ModelFolder) -> Result<()> {
        if self != Self::Fresh || !folder.is_occupied() {
            return Ok(());
        }
        let message = "there is a model already; --resume goes on with it, --overwrite replaces it";
        Err(Error::file(folder.path(), message))
    }
}

impl TrainingPlan {
    /// A training with the good images of the configuration's data set. If its region of interest is to be found, it is looked for.
    ///
    /// # Errors
    /// If the settings are out of range, an image in which the region is looked for cannot be read, or see [`Dataset::open`](crate::Dataset::open).
    pub fn new(folder: ModelFolder, mut config: Config, start: Start) -> Result<Self> {
        config.validate()?;
        let (split, dataset, mut survey) = config.split()?;
        survey.warnings.extend(find_region(&mut config.data, &split.train)?);
        Ok(Self { folder, config, split, dataset, survey, start, keeps_list: false })
    }
}
