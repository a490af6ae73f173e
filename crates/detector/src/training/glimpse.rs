//! A look at what a network in training makes of good images.

use super::images::read;
use super::plan::TrainingPlan;
use crate::Result;
use crate::data::{Margins, crop};
use crate::spread::evenly;
use crate::view::Views;
use candle_core::{Device, Tensor};
use inspect::Image;
use models::{Autoencoder, Latent, Objective, TrainingImage};
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

/// Good patches to look at, from the middle of the regions of interest of at most eight images.
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
    /// The patches of a training's images, evenly spaced; `None` if no image can be read, or none has a patch in its
    /// region of interest.
    pub(super) fn of(
        plan: &TrainingPlan,
        objective: &Objective,
        device: &Device,
    ) -> Result<Option<Self>> {
        let held_out = !plan.split.held_out.is_empty();
        let chosen = evenly(plan.split.held_out_or_train(), PATCHES);
        // An image that is of no use here is told of where it is needed.
        let views = Views::of(&plan.config.data)?;
        let patches = chosen.filter_map(|path| middle(path, plan, &views).ok().flatten());
        let patches: Vec<Image> = patches.collect();
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

/// The patch in the middle of an image, as the training takes it: mirrored up to a patch if the image is smaller, and the middle one of
/// those that lie in the region of interest. `None` if there is none.
fn middle(path: &Path, plan: &TrainingPlan, views: &Views) -> Result<Option<Image>> {
    let Some(TrainingImage { width, height, pixels, places }) = read(plan, views, path)?.image
    else {
        return Ok(None);
    };
    let side = plan.config.model.patch_size;
    let (across, down) = (width - side, height - side);
    let (left, top) = places.map_or((across / 2, down / 2), |places| places.at(places.count() / 2));
    let image = Image::new(width, height, pixels)?;
    Ok(Some(crop(&image, Margins { left, top, right: across - left, bottom: down - top })?))
}
