//! A pass forwards and backwards for [`Trainer`](crate::Trainer).
//!
//! candle adds every gradient to zeros that it makes first. For the parameters of a half, a single large vector, that takes longer than
//! the optimiser's step. So candle differentiates only the operations between and behind the halves, and the halves are differentiated one by
//! one.

use super::Autoencoder;
use super::half::{Activations, Half};
use crate::architecture::Latent;
use crate::posterior::Posterior;
use crate::{Error, Result};
use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};

/// Reconstructions, and all values that gradients need.
pub(crate) struct Pass<'a> {
    encoder: (&'a Half, Activations),
    /// The encoder's outputs; candle's graph begins anew with them.
    outputs: Var,
    latent: LatentLayer,
    decoder: (&'a Half, Activations),
    /// Of the patches' shape; candle's graph begins anew with them.
    reconstructions: Var,
}

/// The operations between the encoder's outputs and the decoder.
enum LatentLayer {
    /// Nothing: the outputs are the latent vectors.
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
        let (maps, encoder) = self.encoder.forward(&self.patches_as_maps(patches)?)?;
        let outputs = Var::from_tensor(&maps.flatten_from(1)?)?;
        let (codes, latent) = match noise {
            Some(noise) => {
                let posterior = self.distributions(&outputs)?;
                let codes = posterior.sample(noise)?;
                (codes.detach(), LatentLayer::Sampled { posterior, codes })
            }
            None => {
                self.architecture.expect_latent(Latent::Vector)?;
                (outputs.as_detached_tensor(), LatentLayer::Identity)
            }
        };
        let (maps, decoder) = self.decoder.forward(&self.codes_as_maps(&codes)?)?;
        let reconstructions = Var::from_tensor(&self.maps_as_patches(&maps)?)?;
        let (encoder, decoder) = ((&self.encoder, encoder), (&self.decoder, decoder));
        Ok(Pass { encoder, outputs, latent, decoder, reconstructions })
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
        let (decoder, activations) = &self.decoder;
        let of_maps = taken(&mut gradients, &self.reconstructions)?;
        let [of_codes, of_decoder] = decoder.backward(activations, &of_maps)?;
        gradients.insert(&decoder.parameters()?, needed(of_decoder)?);

        let of_outputs = self.through_latent_layer(&needed(of_codes)?, &mut gradients)?;
        let (encoder, activations) = &self.encoder;
        let [_, of_encoder] = encoder.backward(activations, &of_outputs)?;
        gradients.insert(&encoder.parameters()?, needed(of_encoder)?);
        Ok(gradients)
    }

    /// The gradient of the encoder's outputs for that of the latent vectors, and for the loss's own of the posterior in `gradients`.
    fn through_latent_layer(&self, of_codes: &Tensor, gradients: &mut GradStore) -> Result<Tensor> {
        match &self.latent {
            LatentLayer::Identity => Ok(of_codes.clone()),
            LatentLayer::Sampled { codes, .. } => {
                // The gradient of Σ codes · g with respect to the codes is g.
                let product = (codes * of_codes.reshape(codes.shape())?)?.sum_all()?;
                gradients.extend(product.backward()?)?;
                taken(gradients, &self.outputs)
            }
        }
    }
}

fn taken(gradients: &mut GradStore, of: &Tensor) -> Result<Tensor> {
    needed(gradients.remove(of))
}

fn needed(gradient: Option<Tensor>) -> Result<Tensor> {
    let missing = || candle_core::Error::Msg("the loss is not one of this pass".to_owned()).bt();
    gradient.ok_or_else(|| Error::Tensor(missing()))
}
