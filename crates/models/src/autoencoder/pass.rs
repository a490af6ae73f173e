//! A pass forwards and backwards for [`Trainer`](crate::Trainer).
//!
//! candle adds every gradient to zeros that it first makes. For the parameters of a half, one large vector, that takes longer than
//! the optimiser's step. So candle's graph begins anew behind each half: it differentiates the operations between and behind the halves,
//! and the halves hand their gradients on.

use super::Autoencoder;
use super::half::Half;
use crate::architecture::Latent;
use crate::posterior::Posterior;
use crate::{Error, Result};
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use convolutions::Activations;

/// Reconstructions, and all values that gradients need.
pub(crate) struct Pass<'a> {
    encoder: Applied<'a>,
    latent: LatentLayer,
    decoder: Applied<'a>,
    /// Of the patches' shape.
    reconstructions: Tensor,
}

/// A half that was applied to maps.
struct Applied<'a> {
    half: &'a Half,
    activations: Activations,
    /// Maps `(N, H, W, C)`, a leaf of candle's graph.
    output: Tensor,
}

/// The operations between the encoder's outputs and the decoder.
enum LatentLayer {
    /// None: the outputs are the latent vectors.
    Identity,
    Sampled {
        posterior: Posterior,
        codes: Tensor,
    },
}

impl Autoencoder {
    /// Reconstructs patches `(N, 1, patch_size, patch_size)` from their latent vectors; with [`Latent::Normal`], from samples of their
    /// distributions by standard normal `noise` `(N, latent_dim)`.
    pub(crate) fn forward_pass(
        &self,
        patches: &Tensor,
        noise: Option<&Tensor>,
    ) -> Result<Pass<'_>> {
        let encoder = Applied::new(&self.encoder, &self.patches_as_maps(patches)?)?;
        let outputs = encoder.output.flatten_from(1)?;
        let (codes, latent) = match noise {
            Some(noise) => {
                let posterior = self.distributions(&outputs)?;
                let codes = posterior.sample(noise)?;
                (codes.detach(), LatentLayer::Sampled { posterior, codes })
            }
            None => {
                self.architecture.expect_latent(Latent::Vector)?;
                (outputs.detach(), LatentLayer::Identity)
            }
        };
        let decoder = Applied::new(&self.decoder, &self.codes_as_maps(&codes)?)?;
        let reconstructions = self.maps_as_patches(&decoder.output)?;
        Ok(Pass { encoder, latent, decoder, reconstructions })
    }
}

impl Pass<'_> {
    /// The reconstructions of the patches, of their shape.
    pub fn reconstructions(&self) -> &Tensor {
        &self.reconstructions
    }

    /// The distributions that the latent vectors were drawn from, if they were.
    pub fn posterior(&self) -> Option<&Posterior> {
        match &self.latent {
            LatentLayer::Identity => None,
            LatentLayer::Sampled { posterior, .. } => Some(posterior),
        }
    }

    /// The gradients of the halves' parameters for a loss that was computed from this pass.
    pub fn backward(&self, loss: &Tensor) -> Result<GradStore> {
        let mut gradients = loss.backward()?;
        let of_codes = self.decoder.backward(&mut gradients)?;
        let of_codes = of_codes.ok_or_else(no_gradient)?;
        match &self.latent {
            LatentLayer::Identity => {
                gradients.insert(&self.encoder.output, of_codes);
            }
            LatentLayer::Sampled { codes, .. } => {
                // The gradient of Σ codes · g with respect to the codes is g. That of the divergence is there already.
                let product = (codes * of_codes.reshape(codes.shape())?)?.sum_all()?;
                gradients.extend(product.backward()?)?;
            }
        }
        self.encoder.backward(&mut gradients)?;
        Ok(gradients)
    }
}

impl<'a> Applied<'a> {
    fn new(half: &'a Half, maps: &Tensor) -> Result<Self> {
        let (output, activations) = half.forward(maps)?;
        Ok(Self { half, activations, output })
    }

    /// Replaces the gradient of the output by that of the parameters, and returns that of the input if there is one.
    fn backward(&self, gradients: &mut GradStore) -> Result<Option<Tensor>> {
        let of_output = gradients.remove(&self.output).ok_or_else(no_gradient)?;
        let of_half = self.half.backward(&self.activations, &of_output)?;
        let of_parameters = of_half.parameters.ok_or_else(no_gradient)?;
        gradients.insert(&self.half.parameters()?, of_parameters);
        Ok(of_half.input)
    }
}

fn no_gradient() -> Error {
    Error::Tensor(candle_core::Error::Msg("the loss is not one of this pass".to_owned()).bt())
}
