use serde::{Deserialize, Serialize};

/// The weights of a patch's pixels where patches overlap.
///
/// ```
/// use inspect::{Blend, Image, Padding, Reconstructor, Tiling, reconstruct};
///
/// /// Reconstructs patches of 4×4 pixels as black and white in turn.
/// struct Chequers;
///
/// # impl Reconstructor for Chequers {
/// #     fn patch_size(&self) -> usize {
/// #         4
/// #     }
/// #     fn reconstruct(
/// #         &self,
/// #         patches: &[f32],
/// #     ) -> Result<Vec<f32>, Box<dyn std::error::Error + Send + Sync>> {
/// #         let patches = patches.chunks_exact(16).enumerate();
/// #         Ok(patches.flat_map(|(number, _)| [number as f32 % 2.0; 16]).collect())
/// #     }
/// # }
/// // Two patches, which overlap in the third and the fourth column.
/// let image = Image::filled(6, 4, 0.5);
/// let row = |blend| {
///     let tiling = Tiling { stride: 2, batch: 8, padding: Padding::None, blend };
///     reconstruct(&image, &Chequers, &tiling).map(|image| image.row(0).to_vec())
/// };
/// assert_eq!(row(Blend::Flat)?, [0.0, 0.0, 0.5, 0.5, 1.0, 1.0]);
/// // sin²(π/8) = 0.146: at its edge a patch counts less than the other one near its middle.
/// let expected = [0.0, 0.0, 0.1464, 0.8536, 1.0, 1.0];
/// let hann = row(Blend::Hann)?;
/// assert!(hann.iter().zip(expected).all(|(pixel, expected)| (pixel - expected).abs() < 1e-4));
/// # Ok::<(), inspect::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blend {
    /// All equal: the mean of the patches (paper, section 4.2).
    #[default]
    Flat,
    /// A Hann window, `sin²(π (i + ½) / n)` for pixel i of n in each direction, above 0 everywhere. Networks reconstruct the edge
    /// of a patch, of which they see one side only, worse than its middle.
    Hann,
}

impl Blend {
    /// The weights along one axis of a patch; a pixel's weight is the product of both axes'.
    ///
    /// ```
    /// use inspect::Blend;
    ///
    /// assert_eq!(Blend::Flat.weights(3), [1.0; 3]);
    /// let hann = Blend::Hann.weights(3);
    /// assert!((hann[0] - 0.25).abs() < 1e-15 && hann[1] == 1.0 && hann[2] == hann[0]);
    /// ```
    pub fn weights(self, patch: usize) -> Vec<f64> {
        let hann = |i: usize| {
            // From the nearer end, so that the weights are symmetric to the bit.
            let i = i.min(patch - 1 - i) as f64;
            (std::f64::consts::PI * (i + 0.5) / patch as f64).sin().powi(2)
        };
        match self {
            Self::Flat => vec![1.0; patch],
            Self::Hann => (0..patch).map(hann).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `scipy.signal.windows.cosine(n) ** 2` of SciPy 1.17.1, for n of 4 and 5. Sines of SciPy may differ in their last bits.
    #[test]
    fn the_hann_window_is_the_square_of_scipys_cosine_window() {
        for expected in [
            &[
                0.146_446_609_406_726_2,
                0.853_553_390_593_273_7,
                0.853_553_390_593_273_8,
                0.146_446_609_406_726_3,
            ][..],
            &[
                0.095_491_502_812_526_3,
                0.654_508_497_187_473_7,
                1.0,
                0.654_508_497_187_473_7,
                0.095_491_502_812_526_3,
            ],
        ] {
            let weights = Blend::Hann.weights(expected.len());
            assert!(
                weights.iter().zip(expected).all(|(got, expected)| (got - expected).abs() < 1e-15)
            );
        }
    }

    #[test]
    fn weights_are_symmetric_and_never_zero() {
        for patch in [1, 2, 7, 128, 1000] {
            let weights = Blend::Hann.weights(patch);
            assert!(weights.iter().all(|&weight| weight > 0.0 && weight <= 1.0));
            assert!(weights.iter().eq(weights.iter().rev()));
        }
        assert!(Blend::Hann.weights(0).is_empty());
    }
}
