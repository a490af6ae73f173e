//! Chains of layers, with their gradients by candle or handed on by the caller.

use crate::composed::{self, Graph};
use crate::cpu::Buffers;
use crate::geometry::Layer;
use crate::layers::{InputGradient, Layers, Mode, ParameterGradient};
use crate::op::{self, ChainOp, Kept};
use crate::precision::Precision;
use candle_core::{Device, Result, Tensor, bail};
use std::fmt;
use std::ops::Range;
use std::sync::OnceLock;

/// Layers that follow each other.
///
/// Maps are channels-last, `(N, H, W, C)`. The parameters are one vector: of each layer the weights `(kernel, kernel, C_in, C_out)`,
/// where a transposed convolution has the channels of the convolution that it transposes, and then the bias.
///
/// There are two ways to the gradients. [`apply`](Self::apply) is an operation that candle differentiates like all others.
/// [`forward`](Self::forward) and [`backward`](Self::backward) are a pair for training loops: candle adds each gradient to zeros that it
/// first makes, on one thread, and here nothing is added.
///
/// ```
/// use candle_core::{DType, Device, Tensor};
/// use convolutions::{Chain, Conv2d, Direction, InputGradient, Layer, Mode};
///
/// let conv = Conv2d { in_channels: 1, out_channels: 1, kernel: 2, stride: 2, padding: 0 };
/// let layer = Layer { conv, direction: Direction::Convolution, slope: None };
/// let chain = Chain::new(vec![layer], InputGradient::Needed);
/// // Four weights, and the bias.
/// let parameters = Tensor::new(&[1f32, 2.0, 3.0, 4.0, 10.0], &Device::Cpu)?;
/// let maps = Tensor::ones((1, 2, 2, 1), DType::F32, &Device::Cpu)?;
///
/// let (output, activations) = chain.forward(&maps, &parameters, Mode::Training)?;
/// assert_eq!(output.flatten_all()?.to_vec1::<f32>()?, [1.0 + 2.0 + 3.0 + 4.0 + 10.0]);
///
/// // The output is a leaf, whose gradient candle tells.
/// let gradients = output.sum_all()?.backward()?;
/// let gradient = gradients.get(&output).expect("the sum depends on it");
/// let gradients = chain.backward(&activations, gradient)?;
/// let values = |tensor: Option<Tensor>| tensor.map(|tensor| tensor.flatten_all()?.to_vec1::<f32>()).transpose();
/// assert_eq!(values(gradients.input)?, Some(vec![1.0, 2.0, 3.0, 4.0]));
/// assert_eq!(values(gradients.parameters)?, Some(vec![1.0; 5]));
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Chain {
    pub(crate) layers: Layers,
    pub(crate) buffers: Buffers,
}

/// The tensors of a forward pass that its gradients need.
pub struct Activations(Pass);

enum Pass {
    Inference,
    /// By the kernels of this crate.
    Kernels {
        input: Tensor,
        parameters: Tensor,
        output: Tensor,
        kept: Kept,
    },
    /// By candle's operations.
    Operations(Graph),
}

/// Gradients with respect to the input and the parameters of a chain, of their shapes; none of those that the chain was told to skip.
#[derive(Clone, Debug)]
pub struct Gradients {
    /// `(N, H, W, C)`; none with [`InputGradient::Skipped`].
    pub input: Option<Tensor>,
    /// One vector; none of a frozen chain.
    pub parameters: Option<Tensor>,
}

impl Chain {
    /// A chain whose parameters are trained.
    pub fn new(layers: Vec<Layer>, input_gradient: InputGradient) -> Self {
        Self::with_gradients(layers, input_gradient, ParameterGradient::Needed)
    }

    /// A chain whose parameters are frozen: its input alone has a gradient.
    pub fn frozen(layers: Vec<Layer>) -> Self {
        Self::with_gradients(layers, InputGradient::Needed, ParameterGradient::Skipped)
    }

    fn with_gradients(
        layers: Vec<Layer>,
        input: InputGradient,
        parameters: ParameterGradient,
    ) -> Self {
        Self { layers: Layers::new(layers, input, parameters), buffers: Buffers::default() }
    }

    /// The same chain, whose products CUDA devices compute in `precision`. Other devices have [`Precision::F32`] only.
    pub fn with_precision(mut self, precision: Precision) -> Self {
        self.layers.precision = precision;
        self
    }

    /// The layers, in order.
    pub fn layers(&self) -> &[Layer] {
        self.layers.as_slice()
    }

    /// Where the weights and the bias of each layer lie in the parameters.
    pub fn places(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        self.layers.places().iter().cloned()
    }

    /// The length of the parameters.
    pub fn parameter_count(&self) -> usize {
        self.layers.parameter_count()
    }

    /// Applies the layers to maps `(N, H, W, C)`, as an operation that candle differentiates. With [`Mode::Inference`] it does not.
    ///
    /// # Errors
    /// For maps with other channels than the first layer's or too small for a kernel, for another number of parameters, for tensors that
    /// are not contiguous or not f32, and if the device fails.
    pub fn apply(&self, input: &Tensor, parameters: &Tensor, mode: Mode) -> Result<Tensor> {
        if !has_kernels(input.device()) {
            return composed::apply(&self.layers, input, parameters, mode);
        }
        let (layers, buffers) = (self.layers.clone(), self.buffers.clone());
        let op = ChainOp { layers, buffers, mode, kept: OnceLock::new() };
        match mode {
            Mode::Training => input.apply_op2(parameters, op),
            Mode::Inference => input.apply_op2_no_bwd(parameters, &op),
        }
    }

    /// Applies the layers to maps `(N, H, W, C)`, and returns what [`backward`](Self::backward) needs. candle does not see this: with
    /// [`Mode::Training`], the output is the leaf of a new graph, so that `loss.backward()?.get(&output)` is the gradient of a loss of it.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn forward(
        &self,
        input: &Tensor,
        parameters: &Tensor,
        mode: Mode,
    ) -> Result<(Tensor, Activations)> {
        if !has_kernels(input.device()) {
            let (output, graph) = composed::forward(&self.layers, input, parameters, mode)?;
            return Ok((output, Activations(graph.map_or(Pass::Inference, Pass::Operations))));
        }
        let (output, kept) = op::forward(&self.layers, &self.buffers, [input, parameters], mode)?;
        let [input, parameters] = [input, parameters].map(Tensor::detach);
        let pass = match mode {
            Mode::Training => Pass::Kernels { input, parameters, output: output.detach(), kept },
            Mode::Inference => Pass::Inference,
        };
        Ok((output, Activations(pass)))
    }

    /// The gradients for that of the output. The parameters must still be those of the forward pass.
    ///
    /// # Errors
    /// For a gradient of another shape than the output, for activations of [`Mode::Inference`], and if the device fails.
    pub fn backward(
        &self,
        activations: &Activations,
        output_gradient: &Tensor,
    ) -> Result<Gradients> {
        let gradient = output_gradient.contiguous()?;
        let (input, parameters) = match &activations.0 {
            Pass::Inference => bail!("a forward pass of inference has no gradients"),
            Pass::Operations(graph) => composed::backward(graph, &gradient)?,
            Pass::Kernels { input, parameters, output, kept } => {
                if gradient.shape() != output.shape() {
                    let (expected, got) = (output.dims(), gradient.dims());
                    bail!("expected a gradient of shape {expected:?}, got {got:?}");
                }
                let tensors = [input, parameters, output, &gradient];
                op::backward(&self.layers, &self.buffers, kept, tensors)?
            }
        };
        Ok(Gradients { input, parameters })
    }
}

/// Whether this crate has kernels for a device; the others have candle's operations.
fn has_kernels(device: &Device) -> bool {
    device.is_cpu() || cfg!(feature = "cuda") && device.is_cuda()
}

impl fmt::Debug for Activations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Activations")
    }
}
