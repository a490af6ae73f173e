//! A look at what a network in training makes of good images.

use super::plan::TrainingPlan;
use crate::data::{Margins, crop};
use crate::view::Views;
use crate::{Error, Result};
use candle_core::{Device, Tensor};
use inspect::Image;
use models::{Autoencoder, Latent, Objective};
use std::path::Path;

/// The patches that are looked at, at most.
const PATCHES: usize = 8;

/// Reconstructions of good patches by a network in training: of images that were held out, or else of images that it is trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Glimpse {
    /// Patches that it was trained on until now.
    pub patches: u64,
    /// The mean loss of the good patches. That of a variational autoencoder is of the means of its latent vectors.
    pub loss: f64,
    /// The reconstructions, in the order of [`Sight::patches`].
    pub reconstructions: Vec<Image>,
}

/// Good patches to look at, from the middle of at most eight images.
#[derive(Debug)]
pub struct Sight {
    /// The patches.
    pub patches: Vec<Image>,
    /// Whether the training does not see their images.
    pub held_out: bool,
    objective: Objective,
    /// `(N, 1, patch_size, patch_size)`.
    tensor: Tensor,
}

impl Sight {
    /// The patches of a training's images, evenly spaced; `None` if no image can be read or is large enough.
    pub(super) fn of(
        plan: &TrainingPlan,
        objective: &Objective,
        device: &Device,
    ) -> Result<Option<Self>> {
        let held_out = !plan.split.held_out.is_empty();
        let images = if held_out { &plan.split.held_out } else { &plan.split.train };
        let count = images.len().min(PATCHES);
        let chosen = (0..count).map(|index| &images[index * images.len() / count]);
        // An image that is of no use here is told of where it is needed.
        let patches: Vec<Image> = chosen.filter_map(|path| middle(path, plan).ok()).collect();
        if patches.is_empty() {
            return Ok(None);
        }
        let side = plan.config.model.patch_size;
        let pixels: Vec<f32> = patches.iter().flat_map(|patch| patch.data()).copied().collect();
        let tensor = Tensor::from_vec(pixels, (patches.len(), 1, side, side), device)?;
        Ok(Some(Self { patches, held_out, objective: objective.clone(), tensor }))
    }

    /// The network's reconstructions of the patches.
    ///
    /// # Errors
    /// If the device fails, or the reconstructions are not finite.
    pub(super) fn glimpse(&self, model: &Autoencoder, patches: u64) -> Result<Glimpse> {
        let reconstructions = model.reconstruct_detached(&self.tensor)?;
        let posterior = match self.objective.latent() {
            Latent::Normal => Some(model.posterior(&self.tensor)?),
            Latent::Vector => None,
        };
        let loss = self.objective.loss(&reconstructions, &self.tensor, posterior.as_ref())?;
        let side = reconstructions.dim(2)?;
        let pixels = reconstructions.flatten_all()?.to_vec1::<f32>()?;
        let images = pixels.chunks(side * side).map(|patch| Image::new(side, side, patch.to_vec()));
        let reconstructions = images.collect::<Result<_, _>>()?;
        Ok(Glimpse { patches, loss: f64::from(loss.to_scalar::<f32>()?), reconstructions })
    }
}

/// The patch in the middle of an image, as the network sees it.
fn middle(path: &Path, plan: &TrainingPlan) -> Result<Image> {
    let image = Views::of(&plan.config.data)?.read(path)?.image;
    let (width, height) = image.size();
    let side = plan.config.model.patch_size;
    let (Some(across), Some(down)) = (width.checked_sub(side), height.checked_sub(side)) else {
        return Err(Error::Value("smaller than a patch".to_owned()));
    };
    let (left, top) = (across / 2, down / 2);
    crop(&image, Margins { left, top, right: across - left, bottom: down - top })
}
