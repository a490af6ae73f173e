//! The passes of a training step through the network, forwards and backwards.

use crate::{Architecture, Autoencoder, Error, Posterior, Result};
use candle_core::Tensor;
use convolutions::Activations;

/// A forward pass. candle's graph has three parts: from the encoder's outputs to the latent vectors, and from the decoder's outputs, and
/// those of the encoder in a variational network, to the loss. The chains between them hand on their gradients themselves.
pub(crate) struct Pass {
    /// The encoder's outputs `(N, 1, 1, outputs)`, a leaf.
    encoded: Tensor,
    encoder: Activations,
    /// Latent vectors `(N, latent_dim)`.
    codes: Tensor,
    /// The decoder's outputs `(N, H, W, 1)`, a leaf.
    decoded: Tensor,
    decoder: Activations,
    /// `(N, 1, H, W)`
    pub reconstructions: Tensor,
    /// The distributions that the latent vectors were drawn from, if they were.
    pub posterior: Option<Posterior>,
}

impl Autoencoder {
    /// Reconstructs patches `(N, 1, H, W)`, from samples with the given noise `(N, latent_dim)` if the network is variational.
    pub(crate) fn pass(&self, patches: &Tensor, noise: Option<&Tensor>) -> Result<Pass> {
        let Architecture { patch_size: size, latent_dim, .. } = self.architecture();
        let count = patches.dims()[0];
        let maps = patches.reshape((count, size, size, Architecture::CHANNELS))?;
        let (encoded, encoder) = self.encoder.forward(&maps)?;
        let outputs = encoded.flatten_from(1)?;
        let mean = outputs.narrow(1, 0, latent_dim)?;
        let (codes, posterior) = match noise {
            None => (mean, None),
            Some(noise) => {
                let posterior = Posterior::new(mean, &outputs.narrow(1, latent_dim, latent_dim)?)?;
                (posterior.sample(noise)?, Some(posterior))
            }
        };
        let maps = codes.detach().reshape((count, 1, 1, latent_dim))?;
        let (decoded, decoder) = self.decoder.forward(&maps)?;
        let reconstructions = decoded.reshape((count, Architecture::CHANNELS, size, size))?;
        Ok(Pass { encoded, encoder, codes, decoded, decoder, reconstructions, posterior })
    }

    /// The gradients of a loss with respect to the parameters of the encoder and of the decoder.
    pub(crate) fn gradients(&self, pass: &Pass, loss: &Tensor) -> Result<[Option<Tensor>; 2]> {
        let of_loss = loss.backward()?;
        let of_decoded = needed(of_loss.get(&pass.decoded).cloned())?;
        let decoder = self.decoder.chain.backward(&pass.decoder, &of_decoded)?;
        let of_codes = needed(decoder.input)?.reshape(pass.codes.shape())?;
        let of_encoded = match pass.posterior {
            None => of_codes.reshape(pass.encoded.shape())?,
            Some(_) => {
                // candle goes back from a scalar: from this one, whose gradient with respect to the codes is theirs.
                let scalar = (&pass.codes * of_codes)?.sum_all()?;
                let through_codes = needed(scalar.backward()?.remove(&pass.encoded))?;
                match of_loss.get(&pass.encoded) {
                    Some(of_divergence) => (of_divergence + through_codes)?,
                    None => through_codes,
                }
            }
        };
        let encoder = self.encoder.chain.backward(&pass.encoder, &of_encoded)?;
        Ok([encoder.parameters, decoder.parameters])
    }
}

fn needed(gradient: Option<Tensor>) -> Result<Tensor> {
    let missing = || candle_core::Error::Msg("the loss has no gradient".to_owned()).bt();
    gradient.ok_or_else(|| Error::Tensor(missing()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::{Elbo, Latent, Objective};
    use candle_core::Device;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// To the bit: the same operations in the same order, but that candle adds to zeros.
    #[test]
    fn gradients_are_those_of_candles_graph() {
        for (latent, objective) in [
            (Latent::Vector, Objective::L2),
            (Latent::Normal, Objective::Elbo(Elbo { kl_weight: 0.5, ..Elbo::default() })),
        ] {
            let mut rng = ChaCha8Rng::seed_from_u64(1);
            let architecture = Architecture { patch_size: 32, latent_dim: 3, latent };
            let model = Autoencoder::new(architecture, &mut rng, &Device::Cpu).unwrap();
            let mut random = |shape: &[usize]| {
                let values = (0..shape.iter().product()).map(|_| rng.random()).collect();
                Tensor::from_vec::<_, f32>(values, shape, &Device::Cpu).unwrap()
            };
            let (patches, noise) = (random(&[4, 1, 32, 32]), random(&[4, 3]));
            let noise = Some(noise).filter(|_| latent == Latent::Normal);

            let (posterior, codes) = match &noise {
                None => (None, model.encode(&patches).unwrap()),
                Some(noise) => {
                    let posterior = model.posterior(&patches).unwrap();
                    let codes = posterior.sample(noise).unwrap();
                    (Some(posterior), codes)
                }
            };
            let reconstructions = model.decode(&codes).unwrap();
            let loss = objective.loss(&reconstructions, &patches, posterior.as_ref()).unwrap();
            let by_candle = loss.backward().unwrap();

            let pass = model.pass(&patches, noise.as_ref()).unwrap();
            let loss =
                objective.loss(&pass.reconstructions, &patches, pass.posterior.as_ref()).unwrap();
            let gradients = model.gradients(&pass, &loss).unwrap();
            for (variable, gradient) in model.variables().zip(gradients) {
                let expected = by_candle.get(variable).unwrap().to_vec1::<f32>().unwrap();
                assert_eq!(gradient.unwrap().to_vec1::<f32>().unwrap(), expected, "{objective:?}");
            }
        }
    }
}
