//! Arguments of a tuning as a plan.

use crate::args::TuneArgs;
use crate::commands::Context;
use crate::commands::distinct::distinct;
use crate::commands::train::{name_data, tell_of_images};
use anyhow::{Context as _, Result, bail, ensure};
use detector::files::shown;
use detector::{
    Axes, CalibrationImages, Candidate, Config, Dataset, Method, ModelFolder, Start, ThresholdRule,
    TrainingPlan, TuningImages, candidates,
};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Good images to compare on, at least, as far as there are any.
const GOOD_IMAGES: usize = 20;

/// Good images per false alarm, where the configured rule is another one.
const FALSE_ALARMS: f64 = 20.0;

/// A year.
const MOST_MINUTES: f64 = 525_600.0;

/// The candidates, their schedule and where results go.
pub struct Plan {
    /// The configuration that candidates differ from.
    pub base: Config,
    /// The data set.
    pub dataset: Dataset,
    /// The folder of the results.
    pub out: PathBuf,
    /// The time for it.
    pub budget: Duration,
    /// Good images per false alarm.
    pub false_alarms: f64,
    /// Good images, those first that no training sees.
    pub good: CalibrationImages,
    /// Of the drawn defects.
    pub seed: u64,
}

/// The models to compare.
pub enum Models {
    /// Trained ones, by name.
    Given(Vec<(String, ModelFolder, Config)>),
    /// Candidates to train, the most usual ones first.
    ToTrain(Vec<Candidate>),
}

impl Plan {
    /// # Errors
    /// If a setting is out of range, or the images are not found.
    pub fn new(context: &Context, args: &TuneArgs) -> Result<Self> {
        let budget = args.budget;
        ensure!(
            (f64::MIN_POSITIVE..=MOST_MINUTES).contains(&budget),
            "--budget must be a number of minutes above 0 and at most {MOST_MINUTES}, got {budget}"
        );
        let mut base = match args.models.first() {
            Some(model) => ModelFolder::open(model)?.config()?,
            None => Config::load(args.config.config.as_deref(), &args.config.settings)?,
        };
        name_data(&mut base.data, &args.data)?;
        base.training.seed = args.seed.unwrap_or(base.training.seed);
        let plan = TrainingPlan::new(ModelFolder::new(&args.out), base, Start::Fresh)?;
        tell_of_images(context, &plan);
        let TrainingPlan { config: base, split, dataset, .. } = plan;
        ensure!(
            !args.labels || dataset.test.iter().any(|sample| !sample.is_good()),
            "{}: expected defective test images for --labels, got none",
            shown(&dataset.root)
        );
        let false_alarms = match base.calibration.threshold {
            ThresholdRule::FalseAlarms { images } => images,
            _ => FALSE_ALARMS,
        };
        Ok(Self {
            dataset,
            good: CalibrationImages::of_split(split, GOOD_IMAGES),
            out: args.out.clone(),
            budget: Duration::from_secs_f64(60.0 * budget),
            false_alarms,
            seed: base.training.seed,
            base,
        })
    }

    /// The models of the arguments.
    ///
    /// # Errors
    /// If there is none, or one cannot be read.
    pub fn models(
        &self,
        context: &Context,
        args: &TuneArgs,
        images: &TuningImages,
    ) -> Result<Models> {
        if !args.models.is_empty() {
            let given = args.models.iter().map(|path| self.given(path));
            let given: Vec<_> = given.collect::<Result<_>>()?;
            let names: Vec<&str> = given.iter().map(|(name, ..)| name.as_str()).collect();
            ensure!(
                distinct(&names).len() == names.len(),
                "--model: expected folders of different names, got {}",
                names.join(", ")
            );
            return Ok(Models::Given(given));
        }
        let mut axes = axes(args, &self.base)?;
        if !images.is_uniform && axes.scales != [1.0] {
            context.terminal.note("images of different sizes: scales are not compared");
            axes.scales = vec![1.0];
        }
        let all = candidates(&self.base, &axes, images.size);
        ensure!(
            !all.is_empty(),
            "--scales leaves no candidate: images of {:?} pixels would be smaller than a patch",
            images.size
        );
        for candidate in &all {
            candidate.config.validate().with_context(|| candidate.name.clone())?;
        }
        Ok(Models::ToTrain(all))
    }

    fn given(&self, path: &Path) -> Result<(String, ModelFolder, Config)> {
        let folder = ModelFolder::open(path)?;
        let mut config = folder.config()?;
        let (data, first) = (&mut config.data, &self.base.data);
        ensure!(
            (data.margins, &data.region) == (first.margins, &first.region),
            "{}: expected the margins and the region of interest of the first model, got others",
            shown(path)
        );
        (data.root, data.images) = (first.root.clone(), first.images.clone());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        Ok((name.into_owned(), folder, config))
    }
}

fn axes(args: &TuneArgs, base: &Config) -> Result<Axes> {
    let usual = [base.method, Method::Ssim, Method::L2];
    let methods = if args.methods.is_empty() { &usual[..] } else { &args.methods };
    if methods.contains(&Method::FeatureMatching) && base.features.weights.is_none() {
        bail!(
            "the method feature-matching needs the weights of a network: --set features.weights=FILE"
        );
    }
    for &scale in &args.scales {
        ensure!(scale > 0.0 && scale <= 1.0, "--scales must be above 0 and at most 1, got {scale}");
    }
    let or = |given: &[usize], usual: [usize; 3]| {
        distinct(if given.is_empty() { &usual[..] } else { given })
    };
    Ok(Axes {
        methods: distinct(methods),
        scales: distinct(&args.scales),
        latent_dims: or(&args.latent_dims, [base.model.latent_dim, 100, 500]),
        patch_sizes: or(&args.patch_sizes, [base.model.patch_size, 128, 64]),
    })
}

impl Models {
    /// The configuration and the folder of a model, by its name.
    pub fn find(&self, plan: &Plan, name: &str) -> Option<(ModelFolder, Config)> {
        match self {
            Self::Given(given) => {
                let found = given.iter().find(|(other, ..)| other == name);
                found.map(|(_, folder, config)| (folder.clone(), config.clone()))
            }
            Self::ToTrain(candidates) => {
                let found = candidates.iter().find(|candidate| candidate.name == name);
                found.map(|candidate| (plan.folder(name), candidate.config.clone()))
            }
        }
    }

    /// The configuration for a whole training of a model.
    pub fn whole(&self, plan: &Plan, name: &str) -> Option<Config> {
        match self {
            Self::Given(given) => {
                let found = given.iter().find(|(other, ..)| other == name);
                found.map(|(.., config)| config.clone())
            }
            Self::ToTrain(candidates) => {
                let found = candidates.iter().find(|candidate| candidate.name == name);
                found.map(|candidate| candidate.whole(&plan.base))
            }
        }
    }

    /// The names, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Given(given) => given.iter().map(|(name, ..)| name.as_str()).collect(),
            Self::ToTrain(all) => all.iter().map(|candidate| candidate.name.as_str()).collect(),
        }
    }
}

impl Plan {
    /// The folder of a candidate's model.
    pub fn folder(&self, name: &str) -> ModelFolder {
        ModelFolder::new(self.out.join("models").join(name))
    }
}
