//! One half of the network: a chain of convolutions and its parameters.
//!
//! Outside of this file, weights have PyTorch's names and layouts, a tensor each. A chain takes them as one vector: [`pack`] makes it, of
//! candle's own operations, so that gradients reach the tensors.

use crate::Result;
use crate::architecture::{Architecture, LEAKY_SLOPE};
use crate::init::deviation;
use candle_core::{DType, Device, Tensor, Var};
use candle_nn::{Init, VarBuilder};
use convolutions::{
    Activations, Chain, Conv2d, Direction, Gradients, InputGradient, Layer, Mode, Precision,
};

/// The encoder or the decoder.
#[derive(Debug)]
pub(crate) struct Half {
    name: &'static str,
    chain: Chain,
    precision: Precision,
    parameters: Parameters,
}

#[derive(Debug)]
enum Parameters {
    /// One vector, as the chain takes it.
    Packed(Tensor),
    /// The weight and the bias of each layer in PyTorch's layout. An optimiser may change them at any time, so every pass packs them
    /// anew.
    Named(Vec<[Tensor; 2]>),
}

impl Half {
    /// Loads the weights of the layers.
    pub fn new(name: &'static str, chain: Chain, vb: &VarBuilder<'_>) -> Result<Self> {
        let load = |(i, layer)| load(layer, &vb.pp(layer_name(name, i)));
        let tensors = chain.layers().iter().enumerate().map(load).collect::<Result<Vec<_>>>()?;
        let are_variable = tensors.iter().flatten().any(Tensor::track_op);
        let parameters = match are_variable {
            true => Parameters::Named(tensors),
            false => Parameters::Packed(pack(&tensors)?),
        };
        Ok(Self { name, chain, precision: Precision::F32, parameters })
    }

    #[cfg(feature = "onnx")]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    pub fn device(&self) -> &Device {
        match &self.parameters {
            Parameters::Packed(parameters) => parameters.device(),
            Parameters::Named(tensors) => tensors[0][0].device(),
        }
    }

    /// The name of a layer.
    #[cfg(feature = "onnx")]
    pub fn layer_name(&self, layer: usize) -> String {
        layer_name(self.name, layer)
    }

    /// All parameters as one vector, as the chain takes it.
    pub fn parameters(&self) -> candle_core::Result<Tensor> {
        match &self.parameters {
            Parameters::Packed(parameters) => Ok(parameters.clone()),
            Parameters::Named(tensors) => pack(tensors),
        }
    }

    /// The same layers with a copy of the parameters as one variable.
    pub fn with_packed_variable(&self) -> Result<(Self, Var)> {
        let variable = Var::from_tensor(&self.parameters()?.detach())?;
        Ok((self.with_parameters(variable.as_tensor().clone()), variable))
    }

    /// The same layers with a copy of the parameters that has no gradient.
    pub fn detached(&self) -> Result<Self> {
        let parameters = self.parameters()?;
        let parameters = if parameters.is_variable() { parameters.copy()? } else { parameters };
        Ok(self.with_parameters(parameters.detach()))
    }

    fn with_parameters(&self, parameters: Tensor) -> Self {
        let &Self { name, ref chain, precision, .. } = self;
        Self { name, chain: chain.clone(), precision, parameters: Parameters::Packed(parameters) }
    }

    /// Lets CUDA devices multiply in this precision.
    pub fn multiply_in(&mut self, precision: Precision) {
        self.chain = self.chain.clone().with_precision(precision);
        self.precision = precision;
    }

    /// Applies the layers to maps `(N, H, W, C)`. Activations are kept if candle may ask for a gradient.
    pub fn apply(&self, maps: &Tensor) -> candle_core::Result<Tensor> {
        let parameters = self.parameters()?;
        match (maps.track_op(), parameters.track_op()) {
            (false, false) => self.chain.apply(maps, &parameters, Mode::Inference),
            (false, true) => self.chain.apply(maps, &parameters, Mode::Training),
            (true, _) => self.with_input_gradient().apply(maps, &parameters, Mode::Training),
        }
    }

    fn with_input_gradient(&self) -> Chain {
        let chain = Chain::new(self.chain.layers().to_vec(), InputGradient::Needed);
        chain.with_precision(self.precision)
    }

    /// Applies the layers to maps `(N, H, W, C)` for [`backward`](Self::backward). The output is a leaf of candle's graph.
    pub fn forward(&self, maps: &Tensor) -> candle_core::Result<(Tensor, Activations)> {
        self.chain.forward(maps, &self.parameters()?, Mode::Training)
    }

    /// The gradients for that of the output.
    pub fn backward(
        &self,
        activations: &Activations,
        of_output: &Tensor,
    ) -> candle_core::Result<Gradients> {
        self.chain.backward(activations, of_output)
    }

    /// Applies the layers to maps `(N, H, W, C)` and keeps nothing.
    pub fn apply_detached(&self, maps: &Tensor) -> candle_core::Result<Tensor> {
        self.chain.apply(maps, &self.parameters()?, Mode::Inference)
    }

    /// All weights and biases by name, in PyTorch's layout.
    pub fn named_tensors(&self) -> Result<Vec<(String, Tensor)>> {
        let tensors = match &self.parameters {
            Parameters::Packed(parameters) => unpack(&self.chain, &parameters.detach())?,
            Parameters::Named(tensors) => tensors.iter().flatten().map(Tensor::detach).collect(),
        };
        let names = names_and_shapes(self.name, &self.chain).into_iter().map(|(name, _)| name);
        Ok(names.zip(tensors).collect())
    }
}

/// The names and the layers of encoder and decoder.
pub(crate) fn chains(architecture: &Architecture) -> [(&'static str, Chain); 2] {
    let encoder = chain(&architecture.encoder(), Direction::Convolution);
    let decoder = chain(&architecture.decoder(), Direction::Transposed);
    [("encoder", encoder), ("decoder", decoder)]
}

/// The names of all weights and biases of a half, a layer's weight before its bias, and their shapes in PyTorch's layout.
pub(crate) fn names_and_shapes(half: &str, chain: &Chain) -> Vec<(String, Vec<usize>)> {
    let of_layer = |(i, layer): (usize, &Layer)| {
        let ([weight, bias], name) = (torch_shapes(layer), layer_name(half, i));
        [(format!("{name}.weight"), weight), (format!("{name}.bias"), bias)]
    };
    chain.layers().iter().enumerate().flat_map(of_layer).collect()
}

/// The name of a layer: a `torch.nn.Sequential` counts the activations in between as well.
pub(crate) fn layer_name(half: &str, layer: usize) -> String {
    format!("{half}.{}", 2 * layer)
}

/// A leaky rectifier follows all layers but the last. The input of the encoder is data, which usually has no gradient.
fn chain(convs: &[Conv2d], direction: Direction) -> Chain {
    let layer = |&conv| Layer { conv, direction, slope: Some(LEAKY_SLOPE) };
    let mut layers: Vec<_> = convs.iter().map(layer).collect();
    if let Some(last) = layers.last_mut() {
        last.slope = None;
    }
    let input_gradient = match direction {
        Direction::Convolution => InputGradient::Skipped,
        Direction::Transposed => InputGradient::Needed,
    };
    Chain::new(layers, input_gradient)
}

/// `(k, k, C_in, C_out)` of a convolution to `(C_out, C_in, k, k)`. For a transposed convolution the same permutation
/// gives PyTorch's `(C_in, C_out, k, k)`, since its input channels are the convolution's output channels.
const TO_TORCH: (usize, usize, usize, usize) = (3, 2, 0, 1);
const FROM_TORCH: (usize, usize, usize, usize) = (2, 3, 1, 0);

/// The shapes of a layer's weight and bias in PyTorch's layout.
fn torch_shapes(layer: &Layer) -> [Vec<usize>; 2] {
    let Conv2d { in_channels, out_channels, kernel, .. } = layer.conv;
    [vec![out_channels, in_channels, kernel, kernel], vec![layer.channels().1]]
}

/// A layer's weight and bias. A `VarMap` without them gets random ones, by He et al.
fn load(layer: &Layer, vb: &VarBuilder<'_>) -> Result<[Tensor; 2]> {
    let [weight, bias] = torch_shapes(layer);
    let random = Init::Randn { mean: 0.0, stdev: deviation(layer) };
    let get = |shape, name, init| vb.get_with_hints_dtype(shape, name, init, DType::F32);
    Ok([get(weight, "weight", random)?, get(bias, "bias", Init::Const(0.0))?])
}

/// Puts the weights and biases of layers into one vector.
fn pack(tensors: &[[Tensor; 2]]) -> candle_core::Result<Tensor> {
    let mut parts = Vec::with_capacity(2 * tensors.len());
    for [weight, bias] in tensors {
        parts.push(weight.permute(FROM_TORCH)?.flatten_all()?);
        parts.push(bias.clone());
    }
    Tensor::cat(&parts, 0)
}

/// Takes the weights and biases of layers out of one vector.
pub(crate) fn unpack(chain: &Chain, parameters: &Tensor) -> Result<Vec<Tensor>> {
    let mut tensors = Vec::new();
    for (layer, (weight, bias)) in chain.layers().iter().zip(chain.places()) {
        let weight = parameters.narrow(0, weight.start, weight.len())?;
        let weight = weight.reshape(&layer.conv.weight_shape())?.permute(TO_TORCH)?;
        tensors.push(weight.contiguous()?);
        tensors.push(parameters.narrow(0, bias.start, bias.len())?);
    }
    Ok(tensors)
}
