//! Chains with fixed weights.

use crate::chain::Chain;
use crate::cpu::{Buffer, CpuChain, PreparedConv, PreparedLayer};
use crate::geometry::MapShape;
use crate::layers::Mode;
use candle_core::{Result, Shape};

/// A chain on the CPU with fixed parameters, for maps of one size. Its weights are laid out once, for all passes.
///
/// Passes run on the calling thread and its pool, over slices: this is a part for operations of candle's that have several chains.
///
/// ```
/// use convolutions::{Chain, Conv2d, Direction, Layer, Mode, PreparedChain};
///
/// let conv = Conv2d { in_channels: 1, out_channels: 1, kernel: 2, stride: 2, padding: 0 };
/// let layer = Layer { conv, direction: Direction::Convolution, slope: None };
/// // Four weights, and the bias.
/// let parameters = vec![1.0, 2.0, 3.0, 4.0, 10.0];
/// let chain = PreparedChain::new(&Chain::frozen(vec![layer]), &(1, 2, 2, 1).into(), parameters)?;
/// let mut output = [0.0];
/// chain.forward(&[1.0; 4], Mode::Inference, &mut output);
/// assert_eq!(output, [20.0]);
/// # Ok::<(), candle_core::Error>(())
/// ```
pub struct PreparedChain {
    chain: Chain,
    parameters: Vec<f32>,
    shapes: Vec<MapShape>,
    forward: Vec<PreparedLayer>,
    /// The input gradient of each layer.
    backward: Vec<PreparedConv>,
}

impl PreparedChain {
    /// Lays out the weights for maps like `input`, `(N, H, W, C)`.
    ///
    /// # Errors
    /// For maps or a number of parameters that the layers are not made for.
    pub fn new(chain: &Chain, input: &Shape, parameters: Vec<f32>) -> Result<Self> {
        let shapes = chain.layers.shapes(input, parameters.len())?;
        let chain = chain.clone();
        let mut this =
            Self { chain, parameters, shapes, forward: Vec::new(), backward: Vec::new() };
        let layers = 0..this.chain.layers().len();
        let backward = layers.map(|i| this.on_cpu().prepare_backward(i)).collect();
        (this.forward, this.backward) = (this.on_cpu().prepare(), backward);
        Ok(this)
    }

    /// The shape of the output for a batch of `maps` maps, `(N, H, W, C)`.
    pub fn output(&self, maps: usize) -> Shape {
        self.shapes[self.shapes.len() - 1].batch(maps).into()
    }

    /// Writes the output of the last layer, and returns those of all others with [`Mode::Training`].
    pub fn forward(&self, input: &[f32], mode: Mode, output: &mut [f32]) -> Vec<Buffer> {
        self.on_cpu().run(&self.forward, input, mode, output)
    }

    /// The gradient of the input for that of the output. `outputs` are those of all layers.
    pub fn backward(&self, outputs: &[&[f32]], gradient: Buffer) -> Buffer {
        let chain = self.on_cpu();
        chain.backpropagate(outputs, gradient, |i, gradient| {
            chain.input_gradient(&self.backward[i], i, &gradient)
        })
    }

    fn on_cpu(&self) -> CpuChain<'_> {
        let Self { chain, parameters, shapes, .. } = self;
        CpuChain { layers: &chain.layers, shapes, parameters, buffers: &chain.buffers }
    }
}
