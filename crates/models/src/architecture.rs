//! Table 1 of the paper as data.

use crate::{Error, Result};
use convolutions::Conv2d;
use serde::{Deserialize, Serialize};

/// Slope of the leaky rectifiers below zero (Table 1).
pub(crate) const LEAKY_SLOPE: f32 = 0.2;

/// The side length of the smallest map but the latent one.
const CODE_SIZE: usize = 8;

/// The largest latent dimension: a wrong one must not exhaust the memory. A patch of 32×32 pixels has 1024 values.
const MAX_LATENT_DIM: usize = 1 << 13;

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

/// The latent layer of an autoencoder.
///
/// ```
/// use models::{Architecture, Latent};
///
/// // A variational encoder has 4 means and 4 log-variances: 4 outputs more, of 8×8×32 weights and a bias each.
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
    /// A normal distribution of latent vectors (VAE): the encoder's last layer has `2 · d` outputs, the means and log-variances of their
    /// components.
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
    /// [`Error::Setting`] for another patch size than 32, 64 or 128, or a latent dimension that is 0 or above 8192.
    pub fn validate(&self) -> Result<()> {
        if !matches!(self.patch_size, 32 | 64 | 128) {
            return Err(Error::setting("patch_size", "32, 64 or 128", self.patch_size));
        }
        if !(1..=MAX_LATENT_DIM).contains(&self.latent_dim) {
            let expected = format!("1 to {MAX_LATENT_DIM}");
            return Err(Error::setting("latent_dim", expected, self.latent_dim));
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

    /// The encoder's convolutions, from the patch to the latent vector or the parameters of its distribution.
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
    use convolutions::Size;

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
