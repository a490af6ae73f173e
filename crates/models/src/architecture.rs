//! Table 1 of the paper as data.

use crate::{Error, Result};
use convolutions::{Conv2d, Size};
use serde::{Deserialize, Serialize};

/// Slope of the leaky rectifiers below zero (Table 1).
pub(crate) const LEAKY_SLOPE: f32 = 0.2;

/// The side length of the smallest map but the latent one.
const CODE_SIZE: usize = 8;

/// Output channels, kernel, stride and padding of the encoder's layers but the last (Table 1).
const TABLE_1: [(usize, usize, usize, usize); 8] = [
    (32, 4, 2, 1),
    (32, 4, 2, 1),
    (32, 3, 1, 1),
    (64, 4, 2, 1),
    (64, 3, 1, 1),
    (128, 4, 2, 1),
    (64, 3, 1, 1),
    (32, 3, 1, 1),
];

/// What the encoder makes of a patch.
///
/// ```
/// use models::{Architecture, Latent};
///
/// // A variational encoder tells 4 means and 4 log-variances: 4 outputs more, of 8×8×32 weights and a bias each.
/// let plain = Architecture { patch_size: 32, latent_dim: 4, latent: Latent::Vector };
/// let variational = Architecture { latent: Latent::Normal, ..plain };
/// assert_eq!(variational.parameter_count() - plain.parameter_count(), 4 * (8 * 8 * 32 + 1));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Latent {
    /// A latent vector.
    #[default]
    Vector,
    /// A normal distribution of latent vectors, of which it tells mean and log-variance (VAE): the encoder's last layer has
    /// `2 · d` outputs.
    Normal,
}

/// The shape of an autoencoder of the paper's Table 1.
///
/// ```
/// use models::Architecture;
///
/// let textures = Architecture::default();
/// assert_eq!((textures.patch_size, textures.latent_dim), (128, 100));
/// assert_eq!(textures.parameter_count(), 1_048_549);
/// assert_eq!(textures.encoder_multiply_adds(), 60_628_992);
/// assert_eq!(textures.encoder_multiply_adds(), textures.decoder_multiply_adds());
/// assert_eq!(textures.forward_multiply_adds(), 121_257_984);
/// // Three passes, less the gradient with respect to the patch: 64×64 pixels of 32 kernels of 4×4.
/// assert_eq!(textures.training_multiply_adds(), 3 * 121_257_984 - 64 * 64 * 32 * 4 * 4);
///
/// assert!(Architecture { patch_size: 100, ..textures }.validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Architecture {
    /// Side length of the square patches in pixels: 128, or 64 or 32, for which the first one or two layers of stride 2 are
    /// left out.
    pub patch_size: usize,
    /// Dimension `d` of the latent space; the paper's are 100 for textures and 500 for nanofibres.
    pub latent_dim: usize,
    /// Whether the encoder gives vectors or distributions of them.
    pub latent: Latent,
}

impl Default for Architecture {
    /// The paper's for textures: patches of 128×128 pixels, latent vectors of `d` = 100.
    fn default() -> Self {
        Self { patch_size: 128, latent_dim: 100, latent: Latent::Vector }
    }
}

impl Architecture {
    /// Checks the settings.
    ///
    /// # Errors
    /// [`Error::Setting`] for another patch size than 32, 64 or 128, or a latent dimension of 0.
    pub fn validate(&self) -> Result<()> {
        if !matches!(self.patch_size, 32 | 64 | 128) {
            return Err(Error::setting("patch_size", "32, 64 or 128", self.patch_size));
        }
        if self.latent_dim == 0 {
            return Err(Error::setting("latent_dim", "at least 1", self.latent_dim));
        }
        Ok(())
    }

    /// Refuses another latent layer.
    pub(crate) fn expect_latent(&self, expected: Latent) -> Result<()> {
        match self.latent == expected {
            true => Ok(()),
            false => {
                let (expected, got) = (format!("{expected:?}"), format!("{:?}", self.latent));
                Err(Error::setting("latent", expected, got))
            }
        }
    }

    /// The number of values per pixel: grey images have one.
    pub(crate) const CHANNELS: usize = 1;

    /// The encoder's convolutions from the patch to what it tells of the latent vector.
    pub(crate) fn encoder(&self) -> Vec<Conv2d> {
        self.table_1(match self.latent {
            Latent::Vector => self.latent_dim,
            Latent::Normal => 2 * self.latent_dim,
        })
    }

    /// The convolutions that the decoder transposes, from the latent vector to the patch: the encoder's in reverse, for a
    /// single vector.
    pub(crate) fn decoder(&self) -> Vec<Conv2d> {
        let mut layers = self.table_1(self.latent_dim);
        layers.reverse();
        layers
    }

    fn table_1(&self, outputs: usize) -> Vec<Conv2d> {
        let skipped = match self.patch_size {
            32 => 2,
            64 => 1,
            _ => 0,
        };
        let latent = (outputs, CODE_SIZE, 1, 0);
        let mut in_channels = Self::CHANNELS;
        let layers = TABLE_1[skipped..].iter().chain([&latent]);
        layers
            .map(|&(out_channels, kernel, stride, padding)| {
                let conv = Conv2d { in_channels, out_channels, kernel, stride, padding };
                in_channels = out_channels;
                conv
            })
            .collect()
    }

    /// Multiply-adds of layers, from the patch on, for one patch by the plain algorithm, for a valid architecture. A
    /// transposed layer has as many as the one that it transposes, and so does the gradient of a layer with respect to its
    /// input or its weights.
    fn multiply_adds<'a>(&self, layers: impl Iterator<Item = &'a Conv2d>) -> u64 {
        let mut maps = Size { height: self.patch_size, width: self.patch_size };
        let counts = layers.map_while(|layer| {
            maps = layer.output(maps)?;
            Some((maps.height * maps.width * layer.weight_count()) as u64)
        });
        counts.sum()
    }

    /// Multiply-adds of the convolutions for the code of one patch, by the plain algorithm, for a valid architecture.
    pub fn encoder_multiply_adds(&self) -> u64 {
        self.multiply_adds(self.encoder().iter())
    }

    /// Multiply-adds of the convolutions for the patch of one code, by the plain algorithm, for a valid architecture.
    pub fn decoder_multiply_adds(&self) -> u64 {
        self.multiply_adds(self.decoder().iter().rev())
    }

    /// Multiply-adds of the convolutions for the reconstruction of one patch, by the plain algorithm, for a valid
    /// architecture.
    pub fn forward_multiply_adds(&self) -> u64 {
        self.encoder_multiply_adds() + self.decoder_multiply_adds()
    }

    /// Multiply-adds of the convolutions for one patch of a training step, forwards and backwards, by the plain algorithm, for
    /// a valid architecture. The gradient with respect to the patch is not needed, hence not counted.
    pub fn training_multiply_adds(&self) -> u64 {
        let first = self.multiply_adds(self.encoder().iter().take(1));
        3 * self.forward_multiply_adds() - first
    }

    /// The number of weights and biases of encoder and decoder, for a valid architecture.
    pub fn parameter_count(&self) -> usize {
        let encoder =
            self.encoder().iter().map(|l| l.weight_count() + l.out_channels).sum::<usize>();
        let decoder =
            self.decoder().iter().map(|l| l.weight_count() + l.in_channels).sum::<usize>();
        encoder + decoder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table 1 by hand: kernel² · inputs · outputs · side².
    #[test]
    fn multiply_adds_are_those_of_table_1() {
        let encoder = [
            16 * 32 * 64 * 64,
            16 * 32 * 32 * 32 * 32,
            9 * 32 * 32 * 32 * 32,
            16 * 32 * 64 * 16 * 16,
            9 * 64 * 64 * 16 * 16,
            16 * 64 * 128 * 8 * 8,
            9 * 128 * 64 * 8 * 8,
            9 * 64 * 32 * 8 * 8,
            64 * 32 * 100,
        ];
        let architecture =
            Architecture { patch_size: 128, latent_dim: 100, ..Architecture::default() };
        let forward = 2 * encoder.iter().sum::<u64>();
        assert_eq!(architecture.forward_multiply_adds(), forward);
        assert_eq!(architecture.training_multiply_adds(), 3 * forward - encoder[0]);
        // Twice the outputs of the encoder's last layer.
        let normal = Architecture { latent: Latent::Normal, ..architecture };
        assert_eq!(normal.forward_multiply_adds(), forward + encoder[8]);
        assert_eq!(normal.training_multiply_adds(), 3 * (forward + encoder[8]) - encoder[0]);
    }

    #[test]
    fn parameters_are_those_counted_for_table_1() {
        let count = |latent_dim| {
            Architecture { patch_size: 128, latent_dim, ..Architecture::default() }
                .parameter_count()
        };
        assert_eq!(count(100), 1_048_549);
        assert_eq!(count(500), 2_687_349);
        // A second head of 8·8·32 weights and a bias for each dimension.
        let normal = Architecture { latent: Latent::Normal, ..Architecture::default() };
        assert_eq!(normal.parameter_count(), 1_048_549 + 100 * (8 * 8 * 32 + 1));
    }

    #[test]
    fn maps_have_the_sizes_of_table_1() {
        for (patch_size, expected) in [
            (128, vec![64, 32, 32, 16, 16, 8, 8, 8, 1]),
            (64, vec![32, 32, 16, 16, 8, 8, 8, 1]),
            (32, vec![32, 16, 16, 8, 8, 8, 1]),
        ] {
            let mut maps = Size { height: patch_size, width: patch_size };
            let architecture = Architecture { patch_size, ..Architecture::default() };
            let mut sizes = Vec::new();
            for layer in &architecture.encoder() {
                maps = layer.output(maps).expect("the kernels fit");
                sizes.push(maps.width);
            }
            assert_eq!(sizes, expected);
            for layer in architecture.decoder() {
                maps = layer.transposed_output(maps).expect("the kernels fit");
            }
            assert_eq!(maps.width, patch_size, "the decoder mirrors the encoder");
        }
    }

    #[test]
    fn other_patch_sizes_are_refused() {
        let error =
            Architecture { patch_size: 100, latent_dim: 10, ..Architecture::default() }.validate();
        assert!(matches!(error, Err(Error::Setting { name: "patch_size", .. })));
        // Not a panic, for sizes that no number of dropped layers gives.
        for patch_size in [0, 1, 256] {
            let architecture =
                Architecture { patch_size, latent_dim: 10, ..Architecture::default() };
            assert!(architecture.validate().is_err());
            assert!(architecture.parameter_count() > 0);
        }
        let error =
            Architecture { patch_size: 64, latent_dim: 0, ..Architecture::default() }.validate();
        assert!(matches!(error, Err(Error::Setting { name: "latent_dim", .. })));
    }
}
