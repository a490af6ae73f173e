//! Multiply-adds of convolutions by the plain algorithm, for a valid architecture.
//!
//! A transposed layer has as many as the one that it transposes, and so does the gradient of a layer with respect to its input or its
//! weights.

use crate::architecture::Architecture;
use crate::features::Extractor;
use convolutions::{Conv2d, Size};

/// Of the latent vector of one patch.
pub fn encoder_multiply_adds(architecture: &Architecture) -> u64 {
    multiply_adds(architecture, architecture.encoder().iter())
}

/// Of the patch of one latent vector.
pub fn decoder_multiply_adds(architecture: &Architecture) -> u64 {
    multiply_adds(architecture, architecture.decoder().iter().rev())
}

/// Of the reconstruction of one patch.
pub fn forward_multiply_adds(architecture: &Architecture) -> u64 {
    encoder_multiply_adds(architecture) + decoder_multiply_adds(architecture)
}

/// Of one patch of a training step, forwards and backwards. The gradient with respect to the patch is not needed, hence not counted.
pub fn training_multiply_adds(architecture: &Architecture) -> u64 {
    let first = multiply_adds(architecture, architecture.encoder().iter().take(1));
    3 * forward_multiply_adds(architecture) - first
}

/// Of the features of one square patch, with the convolutions as torchvision has them. The gradient with respect to the patch has as many.
pub fn features_multiply_adds(extractor: Extractor, patch_size: usize) -> u64 {
    extractor.multiply_adds(patch_size)
}

/// Of some layers for one patch, from the patch on.
fn multiply_adds<'a>(architecture: &Architecture, layers: impl Iterator<Item = &'a Conv2d>) -> u64 {
    let mut maps = Size { height: architecture.patch_size, width: architecture.patch_size };
    let counts = layers.map_while(|layer| {
        maps = layer.output(maps)?;
        Some((maps.height * maps.width * layer.weight_count()) as u64)
    });
    counts.sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Latent;

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
        assert_eq!(forward_multiply_adds(&architecture), forward);
        assert_eq!(training_multiply_adds(&architecture), 3 * forward - encoder[0]);
        // Twice the outputs of the encoder's last layer.
        let normal = Architecture { latent: Latent::Normal, ..architecture };
        assert_eq!(forward_multiply_adds(&normal), forward + encoder[8]);
        assert_eq!(training_multiply_adds(&normal), 3 * (forward + encoder[8]) - encoder[0]);
    }
}
