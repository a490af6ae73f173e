//! From torchvision's weights to those of our layers.

use crate::weights::{check_finite, check_shape};
use crate::{Error, Result};
use candle_core::{DType, Tensor};
use candle_nn::VarBuilder;
use convolutions::{Conv2d, Direction, Layer};

/// Means and standard deviations of ImageNet's red, green and blue intensities, as torchvision normalises them.
const MEAN: [f64; 3] = [0.485, 0.456, 0.406];
const DEVIATION: [f64; 3] = [0.229, 0.224, 0.225];

/// Collects layers and their parameters.
pub(super) struct Builder<'a> {
    vb: VarBuilder<'a>,
    layers: Vec<Layer>,
    parameters: Vec<f32>,
}

impl<'a> Builder<'a> {
    pub fn new(vb: VarBuilder<'a>) -> Self {
        Self { vb, layers: Vec::new(), parameters: Vec::new() }
    }

    /// The layers since the last call, and their parameters.
    pub fn take(&mut self) -> (Vec<Layer>, Vec<f32>) {
        (std::mem::take(&mut self.layers), std::mem::take(&mut self.parameters))
    }

    /// A convolution; one of three channels becomes one of two, grey and ones.
    pub fn convolution(&mut self, name: &str, conv: Conv2d) -> Result<()> {
        let (weights, bias) = self.read(name, &conv)?;
        match conv.in_channels {
            3 => self.push(
                Conv2d { in_channels: 2, ..conv },
                grey(&weights, conv.out_channels),
                bias,
            ),
            _ => self.push(conv, weights, bias),
        }
        Ok(())
    }

    /// A fire module as two layers: a 1×1 kernel is a 3×3 kernel with zeros around its middle, so that both expanding
    /// convolutions are one.
    pub fn fire(&mut self, name: &str, inputs: usize, squeeze: usize, expand: usize) -> Result<()> {
        let pointwise = |in_channels, out_channels| Conv2d {
            in_channels,
            out_channels,
            kernel: 1,
            stride: 1,
            padding: 0,
        };
        self.convolution(&format!("{name}.squeeze"), pointwise(inputs, squeeze))?;
        let wide = Conv2d { kernel: 3, padding: 1, ..pointwise(squeeze, expand) };
        let (middle, mut bias) =
            self.read(&format!("{name}.expand1x1"), &pointwise(squeeze, expand))?;
        let (weights, wide_bias) = self.read(&format!("{name}.expand3x3"), &wide)?;
        bias.extend(wide_bias);
        let mut both = vec![0.0; 2 * weights.len()];
        for (row, (both, weights)) in
            both.chunks_exact_mut(2 * expand).zip(weights.chunks_exact(expand)).enumerate()
        {
            // Rows are (tap, input); the fifth of nine taps is the middle.
            if row / squeeze == 4 {
                let input = row % squeeze;
                both[..expand].copy_from_slice(&middle[input * expand..(input + 1) * expand]);
            }
            both[expand..].copy_from_slice(weights);
        }
        self.push(Conv2d { out_channels: 2 * expand, ..wide }, both, bias);
        Ok(())
    }

    fn push(&mut self, conv: Conv2d, weights: Vec<f32>, bias: Vec<f32>) {
        self.layers.push(Layer { conv, direction: Direction::Convolution, slope: Some(0.0) });
        self.parameters.extend(weights);
        self.parameters.extend(bias);
    }

    /// Weights `(kernel, kernel, C_in, C_out)` and bias of a convolution.
    fn read(&self, name: &str, conv: &Conv2d) -> Result<(Vec<f32>, Vec<f32>)> {
        let &Conv2d { in_channels, out_channels, kernel, .. } = conv;
        let weights =
            self.tensor(format!("{name}.weight"), &[out_channels, in_channels, kernel, kernel])?;
        let bias = self.tensor(format!("{name}.bias"), &[out_channels])?;
        Ok((weights.permute((2, 3, 1, 0))?.flatten_all()?.to_vec1()?, bias.to_vec1()?))
    }

    fn tensor(&self, name: String, shape: &[usize]) -> Result<Tensor> {
        let vb = self.vb.to_dtype(DType::F32);
        if !vb.contains_tensor(&name) {
            return Err(Error::MissingTensor { name });
        }
        // Of another shape, it is asked for once more, to be named with it.
        let tensor = vb.get(shape, &name).or_else(|_| vb.get_unchecked_dtype(&name, DType::F32))?;
        check_shape(&name, &tensor, shape)?;
        check_finite(&name, &tensor)?;
        Ok(tensor)
    }
}

/// Weights `(kernel², 2, C_out)` for grey images and ones from weights `(kernel², 3, C_out)` for normalised colours.
///
/// `Σ w (x − mean) / deviation` over three equal channels x is `x · Σ w / deviation − 1 · Σ w mean / deviation`. The second
/// sum is no bias: where the kernel reaches beyond the border, the zeros around the normalised image are not x = 0, and its
/// means do not count there either.
fn grey(weights: &[f32], out_channels: usize) -> Vec<f32> {
    let sum = |tap: &[f32], output: usize, factor: &dyn Fn(usize) -> f64| {
        let terms = (0..3).map(|c| f64::from(tap[c * out_channels + output]) * factor(c));
        terms.sum::<f64>() as f32
    };
    let taps = weights.chunks_exact(3 * out_channels);
    taps.flat_map(|tap| {
        let grey = (0..out_channels).map(move |o| sum(tap, o, &|c| 1.0 / DEVIATION[c]));
        grey.chain((0..out_channels).map(move |o| sum(tap, o, &|c| -MEAN[c] / DEVIATION[c])))
    })
    .collect()
}
