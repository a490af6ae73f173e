//! The models that a tuning trains.

use crate::Method;
use crate::config::Config;

/// Batches and step size of brief trainings; those of the paper are made for 2 million patches.
const BATCH: usize = 8;
const LEARNING_RATE: f64 = 1e-3;

/// The values that candidates differ in, of each the usual one first.
#[derive(Clone, Debug, PartialEq)]
pub struct Axes {
    /// Methods.
    pub methods: Vec<Method>,
    /// Factors that images are scaled by, above 0 and at most 1.
    pub scales: Vec<f64>,
    /// Dimensions of the latent space.
    pub latent_dims: Vec<usize>,
    /// Side lengths of patches in pixels.
    pub patch_sizes: Vec<usize>,
}

/// A model to train briefly.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// A name that tells the values of all axes, and can be that of a folder.
    pub name: String,
    /// The configuration.
    pub config: Config,
}

/// All combinations of the axes, those first that differ from the usual values in the fewest. `size` is the width and the height of the
/// images as `base` prepares them. Images are not scaled below the patch size.
pub fn candidates(base: &Config, axes: &Axes, size: (usize, usize)) -> Vec<Candidate> {
    let mut all = Vec::new();
    for (m, &method) in axes.methods.iter().enumerate() {
        for (s, &scale) in axes.scales.iter().enumerate() {
            for (d, &latent_dim) in axes.latent_dims.iter().enumerate() {
                for (p, &patch_size) in axes.patch_sizes.iter().enumerate() {
                    let mut config = base.clone();
                    config = config.with_method(method);
                    config.model.latent_dim = latent_dim;
                    config.model.patch_size = patch_size;
                    config.data.size = scaled(base, scale, size);
                    let side = config.data.size.map_or(size.0.min(size.1), |[w, h]| w.min(h));
                    if scale < 1.0 && side < patch_size {
                        continue;
                    }
                    let differences = [m, s, d, p].iter().filter(|&&index| index > 0).count();
                    let name = format!("{method}-x{scale}-d{latent_dim}-p{patch_size}");
                    all.push((differences, Candidate { name, config: brief(config) }));
                }
            }
        }
    }
    all.sort_by_key(|(differences, _)| *differences);
    all.into_iter().map(|(_, candidate)| candidate).collect()
}

fn scaled(base: &Config, scale: f64, (width, height): (usize, usize)) -> Option<[usize; 2]> {
    let scaled = |side: usize| ((side as f64 * scale).round() as usize).max(1);
    if scale == 1.0 { base.data.size } else { Some([scaled(width), scaled(height)]) }
}

fn brief(mut config: Config) -> Config {
    config.training.batch_size = BATCH;
    config.training.patches_per_epoch = 1_000;
    config.optimiser.learning_rate = LEARNING_RATE;
    // It follows from the patch size.
    config.inspection.stride = None;
    config
}

impl Candidate {
    /// The configuration for a whole training, with length, batches and step size of `base`.
    pub fn whole(&self, base: &Config) -> Config {
        Config { training: base.training, optimiser: base.optimiser, ..self.config.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_values_come_first_then_one_difference_at_a_time() {
        let axes = Axes {
            methods: vec![Method::Ssim, Method::L2],
            scales: vec![1.0, 0.5],
            latent_dims: vec![100],
            patch_sizes: vec![128, 64],
        };
        let base = Config::default();
        let all = candidates(&base, &axes, (400, 200));
        let names: Vec<&str> = all.iter().map(|candidate| candidate.name.as_str()).collect();
        assert_eq!(
            names[..4],
            ["ssim-x1-d100-p128", "ssim-x1-d100-p64", "l2-x1-d100-p128", "ssim-x0.5-d100-p64"]
        );
        // Of 100 rows there is no patch of 128.
        assert_eq!(names.len(), 6, "{names:?}");
        assert_eq!(all[3].config.data.size, Some([200, 100]));
        assert_eq!(all[3].config.training.batch_size, 8);
        assert_eq!(all[3].whole(&base).training, base.training);
    }
}
