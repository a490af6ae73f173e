//! The configuration as the crates `models` and `inspect` take it, and its checks.

use super::SsimMap;
use super::bounds::check_bounds;
use super::file::Config;
use super::tables::{BeyondBorder, Measure, ModelConfig, ResidualConfig, Scores};
use crate::data::{Dataset, LeftOut, Smallest, Split, Survey};
use crate::error::{Context, bail, ensure};
use crate::files::shown;
use crate::{Method, Result};
use candle_core::Device;
use inspect::{Averaging, Blend, Disk, Inspection, Padding, Residual, Smoothing, Tiling};
use models::{Architecture, Latent, Objective, TrainingConfig};
use ssim::{Border, Params};

impl Config {
    /// Applies settings to some of the tables only: the others made the model what it is. A preset leaves the training as it was.
    ///
    /// # Errors
    /// If a setting is of another table, or see [`Config::load`].
    pub fn with_settings_of(self, tables: &[&str], settings: &[String]) -> Result<Self> {
        if let Some(other) = settings.iter().find(|setting| !Self::is_setting_of(setting, tables)) {
            let tables = tables.join("` and `");
            bail!("--set {other}: only keys of `{tables}` can be set here");
        }
        let training = self.training;
        let mut config = self.with_settings(settings)?;
        if !tables.contains(&"training") {
            config.training = training;
        }
        config.validate()?;
        Ok(config)
    }

    /// Whether a setting is of one of the tables; a preset is of those with that of the calibration.
    pub fn is_setting_of(setting: &str, tables: &[&str]) -> bool {
        let is_preset = setting.starts_with("preset=") && tables.contains(&"calibration");
        let is_of = |table: &&str| {
            let rest = setting.strip_prefix(*table);
            rest.is_some_and(|rest| rest.starts_with(['.', '=']))
        };
        is_preset || tables.iter().any(is_of)
    }

    /// The network.
    pub fn architecture(&self) -> Architecture {
        let ModelConfig { patch_size, latent_dim } = self.model;
        Architecture { patch_size, latent_dim, latent: latent(self.method) }
    }

    /// The training as the crate `models` takes it, with the weights of the feature extractor if features are matched.
    ///
    /// # Errors
    /// If a setting is out of range, or the weights cannot be read.
    pub fn training(&self, device: &Device) -> Result<TrainingConfig> {
        let objective = match self.method {
            Method::L2 => Objective::L2,
            Method::Ssim => Objective::Ssim(self.ssim.params(Border::Valid)),
            Method::Vae => Objective::Elbo(self.vae.elbo()),
            Method::FeatureMatching => Objective::FeatureMatching(self.features.matching(device)?),
        };
        self.validate_training()?;
        self.training
            .precision
            .check(device)
            .map_err(models::Error::from)
            .context("training.precision")?;
        let (architecture, adam) = (self.architecture(), self.optimiser);
        Ok(TrainingConfig { architecture, objective, adam, schedule: self.training })
    }

    /// All but the files that training needs.
    fn validate_training(&self) -> Result<()> {
        let params = self.ssim.params(Border::Valid);
        if self.method == Method::Ssim {
            Objective::Ssim(params).validate(self.model.patch_size)?;
        }
        self.vae.elbo().validate().context("vae")?;
        self.features.validate()?;
        self.architecture().validate()?;
        self.training.validate()?;
        Ok(self.optimiser.validate()?)
    }

    /// The inspection as the crate `inspect` takes it, up to the first residual map if scores are relative to good images.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn inspection(&self) -> Result<Inspection> {
        let (inspection, residuals) = (&self.inspection, self.residuals()?);
        let is_relative = inspection.scores == Scores::Relative;
        let smoothing = match inspection.smoothing[..] {
            _ if is_relative => Smoothing::None,
            [] => Smoothing::None,
            [sigma] => Smoothing::Gaussian { sigma },
            _ => bail!(
                "inspection.smoothing must be at most one Gaussian unless inspection.scores are relative"
            ),
        };
        smoothing.validate().context("inspection.smoothing")?;
        if residuals.len() > 1 && !is_relative {
            bail!(
                "residual.constants must be at most one pair unless inspection.scores are relative"
            );
        }
        if residuals.len() > 1 && inspection.averaging == Averaging::Residual {
            bail!(
                "residual.constants must be at most one pair if inspection.averaging is residual"
            );
        }
        let opening = Disk::with_diameter(inspection.opening_diameter);
        let (tiling, averaging, residual) = (self.tiling()?, inspection.averaging, residuals[0]);
        Ok(Inspection { tiling, averaging, residual, smoothing, opening })
    }

    fn tiling(&self) -> Result<Tiling> {
        let (inspection, patch) = (&self.inspection, self.model.patch_size);
        let stride = inspection.stride.unwrap_or((patch / 2).max(1));
        if !(1..=patch).contains(&stride) {
            bail!("inspection.stride must be between 1 and the patch size {patch}, got {stride}");
        }
        if inspection.blend == Blend::Hann && 2 * stride > patch.max(2) {
            bail!(
                "inspection.stride must be at most half the patch size {patch} with inspection.blend = \"hann\", got {stride}"
            );
        }
        let batch = inspection.batch_size;
        if batch == 0 {
            bail!("inspection.batch_size must be at least 1");
        }
        let padding = match inspection.border {
            BeyondBorder::None => Padding::None,
            BeyondBorder::Mirror => Padding::Mirror { pixels: patch / 2 },
        };
        Ok(Tiling { stride, batch, padding, blend: inspection.blend })
    }

    /// The residual maps of an image, at least one.
    ///
    /// # Errors
    /// If a setting is out of range.
    pub fn residuals(&self) -> Result<Vec<Residual>> {
        let ResidualConfig { measure, window, constants, exponents } = &self.residual;
        Ok(match (measure, self.method) {
            (Measure::Method, Method::Vae) => {
                let sampled = self.vae.residual();
                sampled.validate().context("vae")?;
                vec![Residual::Sampled(sampled)]
            }
            (Measure::L2, _) | (Measure::Method, Method::L2 | Method::FeatureMatching) => {
                vec![Residual::L2]
            }
            (Measure::Ssim, _) | (Measure::Method, Method::Ssim) => {
                let loss = self.ssim.params(Border::Reflect);
                let (usual, exponents) =
                    (window.unwrap_or(loss.window), exponents.unwrap_or(loss.exponents));
                let of_loss = [loss.constants.into()];
                let maps = if constants.is_empty() { &of_loss } else { &constants[..] };
                let residual = |&SsimMap { constants, window }| {
                    let window = window.unwrap_or(usual);
                    Residual::Ssim(Params { window, constants, exponents, ..loss })
                };
                maps.iter().map(residual).collect()
            }
        })
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// If one is out of range.
    pub fn validate(&self) -> Result<()> {
        self.validate_training()?;
        self.inspection()?;
        if self.inspection.scores == Scores::Relative && self.inspection.smoothing.is_empty() {
            bail!(
                "inspection.smoothing must name a Gaussian, 0 for none, if inspection.scores are relative"
            );
        }
        for &sigma in &self.inspection.smoothing {
            Smoothing::Gaussian { sigma }.validate().context("inspection.smoothing")?;
        }
        self.data.validate()?;
        let patch = self.model.patch_size;
        if let (Some([width, height]), BeyondBorder::None) =
            (self.data.size, self.inspection.border)
            && width.min(height) < patch
        {
            bail!(
                "data.size must be at least {patch}x{patch}, a patch, with inspection.border = \"none\", got {width}x{height}"
            );
        }
        if i64::try_from(self.training.seed).is_err() {
            let (seed, max) = (self.training.seed, i64::MAX);
            bail!(
                "training.seed must be at most {max}, as TOML has no larger integers, got {seed}"
            );
        }
        check_bounds(self)
    }

    /// The good images of the data set as far as they are large enough, split into those to train on and those held out, the data
    /// set, and what there is to say of them.
    ///
    /// # Errors
    /// See [`DataConfig::open`](super::DataConfig::open), or if no image is large enough.
    pub fn split(&self) -> Result<(Split, Dataset, Survey)> {
        let mut dataset = self.data.open()?;
        let patch = self.model.patch_size;
        // Smaller ones are mirrored, unless inspection does without.
        let side = match self.inspection.border {
            BeyondBorder::Mirror => patch / 2,
            BeyondBorder::None => patch,
        };
        let smallest = Smallest { margins: self.data.margins, side, patch };
        if let Some([width, height]) = self.data.size {
            ensure!(
                width.min(height) >= side,
                "data.size: expected at least {side} pixels a side for patches of {patch}, got {width}x{height}"
            );
        }
        let images = std::mem::take(&mut dataset.train);
        let (images, mut survey) = Survey::of(images, self.data.size.is_none().then_some(smallest));
        if let ([], Some(LeftOut { image, reason })) = (&images[..], survey.left_out.first()) {
            bail!("{}: {reason}; all images are left out", shown(image));
        }
        survey.left_out.append(&mut dataset.left_out);
        dataset.train = images.clone();
        Ok((self.data.split(&dataset, images)?, dataset, survey))
    }
}

/// The latent layer of a method's network.
fn latent(method: Method) -> Latent {
    match method {
        Method::L2 | Method::Ssim | Method::FeatureMatching => Latent::Vector,
        Method::Vae => Latent::Normal,
    }
}
