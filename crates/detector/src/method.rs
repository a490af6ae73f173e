//! The paper's methods.

use crate::error::Context;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A method of the paper's section 3.
///
/// ```
/// use detector::Method;
///
/// assert_eq!("feature-matching".parse::<Method>()?, Method::FeatureMatching);
/// assert_eq!(Method::Ssim.to_string(), "ssim");
/// # Ok::<(), detector::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// The autoencoder trained on the squared difference.
    L2,
    /// The autoencoder trained on the structural similarity.
    #[default]
    Ssim,
    /// The variational autoencoder; its residual map is the reconstruction probability.
    Vae,
    /// The autoencoder trained on the squared difference of pixels and of features of a network trained on ImageNet; its
    /// residual map is the squared difference of pixels.
    FeatureMatching,
}

impl Method {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::L2, Self::Ssim, Self::Vae, Self::FeatureMatching];

    /// The number of the method's colour in all charts and pages, from 0: of one of
    /// the colours of `metrics::Chart`, which are told apart with any colour vision.
    pub fn colour(self) -> usize {
        match self {
            Self::Ssim => 0,
            Self::L2 => 1,
            Self::Vae => 2,
            Self::FeatureMatching => 3,
        }
    }

    /// The name in configurations and on the command line.
    pub fn key(self) -> &'static str {
        match self {
            Self::L2 => "l2",
            Self::Ssim => "ssim",
            Self::Vae => "vae",
            Self::FeatureMatching => "feature-matching",
        }
    }

    /// The paper's name.
    pub fn title(self) -> &'static str {
        match self {
            Self::L2 => "ℓ2-AE",
            Self::Ssim => "SSIM-AE",
            Self::Vae => "VAE",
            Self::FeatureMatching => "FM-AE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.key())
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let named = Self::ALL.into_iter().find(|method| method.key() == name);
        named.with_context(|| format!("expected l2, ssim, vae or feature-matching, got {name}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;

    #[test]
    fn methods_have_one_name() {
        for method in Method::ALL {
            assert_eq!(serde_json::to_value(method).unwrap(), method.key());
            assert_eq!(method.key().parse::<Method>().unwrap(), method);
        }
        let message = "l1".parse::<Method>().unwrap_err().to_string();
        assert_eq!(message, "expected l2, ssim, vae or feature-matching, got l1");
    }
}
