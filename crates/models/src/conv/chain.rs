//! A chain of layers as one candle operation, so that autograd and everything above stay candle's.
//!
//! candle adds every gradient to zeros that it first makes, on one thread. Within a chain no such sums are needed: only the
//! gradients of its input and of all its parameters, one flat vector, meet candle's.

use super::{Conv2d, Epilogue, Maps, Operands, convolve, input_gradient, weight_gradient};
use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Storage, Tensor, bail};
use pulp::Arch;
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// A convolution in either direction, plus a bias, followed by a rectifier of the given slope below zero, if any.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layer {
    pub conv: Conv2d,
    pub direction: Direction,
    pub slope: Option<f32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Convolution,
    Transposed,
}

/// Whether the input of a chain is itself trained, or the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputGradient {
    Needed,
    Skipped,
}

/// Whether the parameters of a chain are trained, or frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ParameterGradient {
    Needed,
    Skipped,
}

/// Whether what gradients need is kept: all activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Training,
    Inference,
}

/// Layers that follow each other.
///
/// Their parameters are one vector: of each layer the weights `(kernel, kernel, C_in, C_out)`, where a transposed
/// convolution has the channels of the convolution that it transposes, and then the bias.
#[derive(Clone, Debug)]
pub(crate) struct Chain {
    layers: Arc<[Layer]>,
    input_gradient: InputGradient,
    parameter_gradient: ParameterGradient,
}

impl Layer {
    /// Channels of its input and of its output.
    pub(super) fn channels(&self) -> (usize, usize) {
        let Conv2d { in_channels, out_channels, .. } = self.conv;
        match self.direction {
            Direction::Convolution => (in_channels, out_channels),
            Direction::Transposed => (out_channels, in_channels),
        }
    }

    pub(super) fn output(&self, input: Maps) -> Option<Maps> {
        match self.direction {
            Direction::Convolution => self.conv.output(input),
            Direction::Transposed => self.conv.transposed_output(input),
        }
    }

    pub(super) fn forward(
        &self,
        input: &[f32],
        maps: Maps,
        output: Maps,
        Parameters { weights, bias }: Parameters<'_>,
    ) -> Vec<f32> {
        let epilogue = Epilogue { bias: Some(bias), slope: self.slope };
        let operands = Operands { input, maps, weights, output, epilogue };
        match self.direction {
            Direction::Convolution => convolve(&self.conv, operands),
            Direction::Transposed => input_gradient(&self.conv, operands),
        }
    }

    /// The gradient of the input for that of the sums before the rectifier.
    pub(super) fn input_gradient(
        &self,
        gradient: &[f32],
        output: Maps,
        input: Maps,
        weights: &[f32],
    ) -> Vec<f32> {
        let epilogue = Epilogue::default();
        let operands = Operands { input: gradient, maps: output, weights, output: input, epilogue };
        match self.direction {
            Direction::Convolution => input_gradient(&self.conv, operands),
            Direction::Transposed => convolve(&self.conv, operands),
        }
    }

    /// The gradient of the weights for that of the sums before the rectifier.
    pub(super) fn weight_gradient(
        &self,
        input: (&[f32], Maps),
        gradient: (&[f32], Maps),
    ) -> Vec<f32> {
        let ((input, maps), (gradient, output)) = match self.direction {
            Direction::Convolution => (input, gradient),
            Direction::Transposed => (gradient, input),
        };
        weight_gradient(&self.conv, input, maps, gradient, output)
    }
}

/// The parameters of a layer.
#[derive(Clone, Copy)]
pub(super) struct Parameters<'a> {
    pub weights: &'a [f32],
    pub bias: &'a [f32],
}

impl Chain {
    pub fn new(layers: Vec<Layer>, input_gradient: InputGradient) -> Self {
        let parameter_gradient = ParameterGradient::Needed;
        Self { layers: layers.into(), input_gradient, parameter_gradient }
    }

    /// A chain whose input alone has a gradient.
    pub fn frozen(layers: Vec<Layer>) -> Self {
        let input_gradient = InputGradient::Needed;
        let parameter_gradient = ParameterGradient::Skipped;
        Self { layers: layers.into(), input_gradient, parameter_gradient }
    }

    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// Where the weights and the bias of each layer lie in the parameters.
    pub fn places(&self) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
        self.layers.iter().scan(0, |end, layer| {
            let weights = *end..*end + layer.conv.weight_count();
            let bias = weights.end..weights.end + layer.channels().1;
            *end = bias.end;
            Some((weights, bias))
        })
    }

    /// The length of the parameters.
    pub fn parameter_count(&self) -> usize {
        self.places().last().map_or(0, |(_, bias)| bias.end)
    }

    /// Applies the layers to maps `(N, H, W, C)`.
    pub fn apply(&self, input: &Tensor, parameters: &Tensor, mode: Mode) -> Result<Tensor> {
        let op = ChainOp { chain: self.clone(), mode, activations: Mutex::default() };
        match mode {
            Mode::Training => input.apply_op2(parameters, op),
            Mode::Inference => input.apply_op2_no_bwd(parameters, &op),
        }
    }

    /// The sizes of the input and of all layers' outputs, for input of the given shape and so many parameters.
    fn sizes(&self, input: &Shape, parameters: usize) -> Result<Vec<Maps>> {
        let (count, height, width, mut channels) = input.dims4()?;
        let mut sizes = vec![Maps { count, height, width }];
        for layer in self.layers.iter() {
            let Layer { conv, direction, .. } = layer;
            if conv.kernel < conv.stride || conv.stride == 0 {
                bail!("{conv:?}: the stride must be between 1 and the kernel's size");
            }
            let (expected, next) = layer.channels();
            if channels != expected {
                bail!(
                    "expected maps of {expected} channels, got {channels}: {direction:?} {conv:?}"
                );
            }
            let maps = sizes[sizes.len() - 1];
            match layer.output(maps) {
                Some(output) => sizes.push(output),
                None => bail!("{maps:?} are too small for {direction:?} {conv:?}"),
            }
            channels = next;
        }
        let expected = self.parameter_count();
        if parameters != expected {
            bail!("expected {expected} parameters, got {parameters}");
        }
        Ok(sizes)
    }

    fn parameters<'a>(&self, all: &'a [f32]) -> Vec<Parameters<'a>> {
        self.places()
            .map(|(weights, bias)| Parameters { weights: &all[weights], bias: &all[bias] })
            .collect()
    }

    /// The outputs of all layers but the last if training will need them, and the last.
    fn forward(
        &self,
        input: &[f32],
        sizes: &[Maps],
        parameters: &[f32],
        mode: Mode,
    ) -> (Vec<Vec<f32>>, Vec<f32>) {
        let mut kept = Vec::new();
        let mut maps = Cow::Borrowed(input);
        let steps = self.layers.iter().zip(self.parameters(parameters)).zip(sizes.windows(2));
        for ((layer, parameters), sizes) in steps {
            let output = layer.forward(&maps, sizes[0], sizes[1], parameters);
            if let (Cow::Owned(input), Mode::Training) = (maps, mode) {
                kept.push(input);
            }
            maps = Cow::Owned(output);
        }
        (kept, maps.into_owned())
    }

    /// The gradients of the input and of the parameters, each if needed, for that of the output. `activations` are the input
    /// and the outputs of all layers.
    fn backward(
        &self,
        activations: &[&[f32]],
        sizes: &[Maps],
        parameters: &[f32],
        gradient: &[f32],
    ) -> (Option<Vec<f32>>, Option<Vec<f32>>) {
        let is_trained = self.parameter_gradient == ParameterGradient::Needed;
        let mut parameter_gradient = is_trained.then(|| vec![0.0; parameters.len()]);
        let mut gradient = Cow::Borrowed(gradient);
        let places: Vec<_> = self.places().collect();
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let (weights, bias) = places[i].clone();
            if let Some(slope) = layer.slope {
                rectify(gradient.to_mut(), activations[i + 1], slope);
            }
            if let Some(parameter_gradient) = &mut parameter_gradient {
                add_channel_sums(&gradient, &mut parameter_gradient[bias]);
                let (input, output) = ((activations[i], sizes[i]), (&*gradient, sizes[i + 1]));
                let weight_gradient = layer.weight_gradient(input, output);
                parameter_gradient[weights.clone()].copy_from_slice(&weight_gradient);
            }
            if i == 0 && self.input_gradient == InputGradient::Skipped {
                return (None, parameter_gradient);
            }
            let weights = &parameters[weights];
            gradient = layer.input_gradient(&gradient, sizes[i + 1], sizes[i], weights).into();
        }
        (Some(gradient.into_owned()), parameter_gradient)
    }
}

/// A chain at work on one input.
struct ChainOp {
    chain: Chain,
    mode: Mode,
    /// The outputs of all layers but the last.
    activations: Mutex<Vec<Vec<f32>>>,
}

impl CustomOp2 for ChainOp {
    fn name(&self) -> &'static str {
        "convolutions"
    }

    fn cpu_fwd(
        &self,
        input: &CpuStorage,
        input_layout: &Layout,
        parameters: &CpuStorage,
        parameters_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let input = contiguous(input, input_layout)?;
        let parameters = contiguous(parameters, parameters_layout)?;
        let sizes = self.chain.sizes(input_layout.shape(), parameters.len())?;
        let (kept, output) = self.chain.forward(input, &sizes, parameters, self.mode);
        *self.activations.lock().unwrap_or_else(PoisonError::into_inner) = kept;
        let Maps { count, height, width } = sizes[sizes.len() - 1];
        let channels = match self.chain.layers.last() {
            Some(layer) => layer.channels().1,
            None => input_layout.dims()[3],
        };
        Ok((CpuStorage::F32(output), Shape::from((count, height, width, channels))))
    }

    fn bwd(
        &self,
        input: &Tensor,
        parameters: &Tensor,
        output: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sizes = self.chain.sizes(input.shape(), parameters.elem_count())?;
        let kept = self.activations.lock().unwrap_or_else(PoisonError::into_inner);
        let gradient = gradient.contiguous()?;
        let (input_gradient, parameter_gradient) = with_values(
            [input, parameters, output, &gradient],
            |[input, parameters, output, gradient]| {
                let kept = kept.iter().map(Vec::as_slice);
                let activations: Vec<&[f32]> =
                    [input].into_iter().chain(kept).chain([output]).collect();
                self.chain.backward(&activations, &sizes, parameters, gradient)
            },
        )?;
        let tensor = |values, like: &Tensor| Tensor::from_vec(values, like.shape(), like.device());
        let input_gradient = input_gradient.map(|values| tensor(values, input)).transpose()?;
        let parameter_gradient = parameter_gradient.map(|values| tensor(values, parameters));
        Ok((input_gradient, parameter_gradient.transpose()?))
    }
}

/// Scales the gradient of a rectifier's output by its slope where the output is not positive. The output tells whether the
/// input was, since the slope is not negative.
fn rectify(gradient: &mut [f32], output: &[f32], slope: f32) {
    const CHUNK: usize = 1 << 14;
    let chunks = gradient.par_chunks_mut(CHUNK).zip(output.par_chunks(CHUNK));
    chunks.for_each(|(gradient, output)| {
        // What is captured by reference could be changed by the writes, which would keep the loop from vectors.
        Arch::new().dispatch(move || {
            for (gradient, &output) in gradient.iter_mut().zip(output) {
                *gradient *= if output > 0.0 { 1.0 } else { slope };
            }
        });
    });
}

/// Adds the sums of each of the channels of `values` `(…, channels)`: the gradient of a bias.
fn add_channel_sums(values: &[f32], sums: &mut [f32]) {
    /// Small enough that rounding errors stay small, and fixed, so that they are always the same.
    const PIXELS_PER_SUM: usize = 512;
    let channels = sums.len();
    let partial: Vec<Vec<f32>> = values
        .par_chunks(PIXELS_PER_SUM * channels)
        .map(|pixels| {
            let mut sums = vec![0.0; channels];
            Arch::new().dispatch(|| add_rows(pixels.chunks_exact(channels), &mut sums));
            sums
        })
        .collect();
    add_rows(partial.iter().map(Vec::as_slice), sums);
}

#[inline(always)]
fn add_rows<'a>(rows: impl Iterator<Item = &'a [f32]>, sums: &mut [f32]) {
    for row in rows {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += value;
        }
    }
}

/// Hands the values of contiguous f32 tensors on the CPU to `use_values`.
pub(crate) fn with_values<const N: usize, T>(
    tensors: [&Tensor; N],
    use_values: impl FnOnce([&[f32]; N]) -> T,
) -> Result<T> {
    let guards = tensors.map(Tensor::storage_and_layout);
    let mut values: [&[f32]; N] = [&[]; N];
    for (values, (storage, layout)) in values.iter_mut().zip(&guards) {
        *values = match &**storage {
            Storage::Cpu(storage) => contiguous(storage, layout)?,
            _ => bail!("expected tensors on the CPU"),
        };
    }
    Ok(use_values(values))
}

/// The values of a contiguous f32 tensor.
pub(crate) fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
