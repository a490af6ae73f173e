//! Chains of layers, and how they run on the CPU.

use super::buffer::{Buffer, Buffers};
use super::{Epilogue, Kernel, Layer, Size, Slot, composed, op};
use crate::Precision;
use candle_core::{CpuStorage, Device, Layout, Result, Shape, Storage, Tensor, bail};
use pulp::Arch;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// Whether the input of a chain is itself trained, or the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputGradient {
    /// The input is trained, or comes from what is.
    Needed,
    /// The input is data.
    Skipped,
}

/// Whether the parameters of a chain are trained, or frozen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParameterGradient {
    Needed,
    Skipped,
}

/// Whether what gradients need is kept: all activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Activations are kept.
    Training,
    /// Nothing is kept: the activations of one layer at a time are in memory.
    Inference,
}

/// Layers that follow each other.
///
/// Their parameters are one vector: of each layer the weights `(kernel, kernel, C_in, C_out)`, where a transposed
/// convolution has the channels of the convolution that it transposes, and then the bias.
#[derive(Clone, Debug)]
pub struct Chain {
    layers: Arc<[Layer]>,
    pub(super) input_gradient: InputGradient,
    pub(super) parameter_gradient: ParameterGradient,
    /// What CUDA devices multiply in.
    pub precision: Precision,
    /// Where the gradient of the parameters is left, if not with candle.
    pub slot: Option<Slot>,
    pub(super) buffers: Buffers,
}

impl Chain {
    /// A chain whose parameters are trained.
    pub fn new(layers: Vec<Layer>, input_gradient: InputGradient) -> Self {
        Self::with_gradients(layers, input_gradient, ParameterGradient::Needed)
    }

    /// A chain whose input alone has a gradient.
    pub fn frozen(layers: Vec<Layer>) -> Self {
        Self::with_gradients(layers, InputGradient::Needed, ParameterGradient::Skipped)
    }

    fn with_gradients(
        layers: Vec<Layer>,
        input_gradient: InputGradient,
        parameter_gradient: ParameterGradient,
    ) -> Self {
        let (precision, buffers) = (Precision::F32, Buffers::default());
        let (layers, slot) = (layers.into(), None);
        Self { layers, input_gradient, parameter_gradient, precision, slot, buffers }
    }

    /// The layers, in order.
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
    ///
    /// # Errors
    /// For maps of other channels than the first layer's or too small for a kernel, parameters of another number, tensors that are not
    /// contiguous or not f32, and if the device fails.
    pub fn apply(&self, input: &Tensor, parameters: &Tensor, mode: Mode) -> Result<Tensor> {
        match input.device() {
            Device::Cpu => op::apply(self, input, parameters, mode),
            #[cfg(feature = "cuda")]
            Device::Cuda(_) => op::apply(self, input, parameters, mode),
            _ => composed::apply(self, input, parameters, mode),
        }
    }

    /// Refuses input and parameters that the layers are not made for.
    pub(super) fn check(&self, input: &Shape, parameters: usize) -> Result<()> {
        self.stages(input, parameters).map(|_| ())
    }

    /// The input and all layers' outputs, for input of the given shape and so many parameters.
    pub(crate) fn stages(&self, input: &Shape, parameters: usize) -> Result<Vec<Stage>> {
        let (_, height, width, channels) = input.dims4()?;
        let mut stage = Stage { size: Size { height, width }, channels };
        let mut stages = vec![stage];
        for layer in self.layers.iter() {
            let Layer { conv, direction, .. } = layer;
            if conv.kernel < conv.stride || conv.stride == 0 {
                bail!("{conv:?}: the stride must be between 1 and the kernel's size");
            }
            let (expected, channels) = layer.channels();
            if stage.channels != expected {
                let got = stage.channels;
                bail!("expected maps of {expected} channels, got {got}: {direction:?} {conv:?}");
            }
            let Some(size) = layer.output(stage.size) else {
                bail!("{:?} is too small for {direction:?} {conv:?}", stage.size);
            };
            stage = Stage { size, channels };
            stages.push(stage);
        }
        let expected = self.parameter_count();
        if parameters != expected {
            bail!("expected {expected} parameters, got {parameters}");
        }
        Ok(stages)
    }

    /// Writes the output of the last layer, and returns those of all others if training will need them.
    pub(crate) fn forward(
        &self,
        input: &[f32],
        stages: &[Stage],
        parameters: &[f32],
        mode: Mode,
        output: &mut [f32],
    ) -> Vec<Buffer> {
        let steps = self.steps(stages, parameters);
        let (values, results) = (stages[0].len(), stages[stages.len() - 1].len());
        let maps = input.len() / values;
        if mode == Mode::Training {
            return self.run(&steps, parameters, input, mode, output);
        }
        let group = maps_per_group(maps);
        let groups =
            input.par_chunks(group * values).zip_eq(output.par_chunks_mut(group * results));
        groups.for_each(|(input, output)| {
            self.run(&steps, parameters, input, mode, output);
        });
        Vec::new()
    }

    /// All layers ready to run.
    pub(super) fn steps(&self, stages: &[Stage], parameters: &[f32]) -> Vec<Step> {
        let places = self.layers.iter().zip(self.places()).zip(stages.windows(2));
        let step = |((layer, (weights, bias)), stages): ((&Layer, (Range<usize>, _)), &[Stage])| {
            let (from, to) = (stages[0], stages[1]);
            let kernel = layer.forward(&parameters[weights], from.size, to.size, &self.buffers);
            Step { kernel, bias, slope: layer.slope, lengths: (from.len(), to.len()) }
        };
        places.map(step).collect()
    }

    /// Runs all layers over some maps; as [`Self::forward`].
    pub(super) fn run(
        &self,
        steps: &[Step],
        parameters: &[f32],
        input: &[f32],
        mode: Mode,
        output: &mut [f32],
    ) -> Vec<Buffer> {
        let mut activations: Vec<Buffer> = Vec::new();
        let Some((last, steps)) = steps.split_last() else { return activations };
        for step in steps {
            let input = activations.last().map_or(input, |maps| maps);
            let (values, results) = step.lengths;
            let mut result = self.buffers.take(input.len() / values * results);
            step.kernel.run(input, step.epilogue(parameters), &self.buffers, &mut result);
            if mode == Mode::Inference {
                activations.clear();
            }
            activations.push(result);
        }
        let input = activations.last().map_or(input, |maps| maps);
        last.kernel.run(input, last.epilogue(parameters), &self.buffers, output);
        activations
    }

    /// The gradients of the input and of the parameters, each if needed, for `gradient`, that of the output. `activations` are the input
    /// and the outputs of all layers.
    pub(crate) fn backward(
        &self,
        activations: &[&[f32]],
        stages: &[Stage],
        parameters: &[f32],
        mut gradient: Buffer,
    ) -> (Option<Buffer>, Option<Vec<f32>>) {
        let is_trained = self.parameter_gradient == ParameterGradient::Needed;
        let mut parameter_gradient = is_trained.then(|| vec![0.0; parameters.len()]);
        let places: Vec<_> = self.places().collect();
        for (i, layer) in self.layers.iter().enumerate().rev() {
            let (weights, bias) = places[i].clone();
            let (input, output) = (stages[i].size, stages[i + 1].size);
            if let Some(slope) = layer.slope {
                rectify(&mut gradient, activations[i + 1], slope);
            }
            if let Some(parameter_gradient) = &mut parameter_gradient {
                add_channel_sums(&gradient, &mut parameter_gradient[bias]);
                layer.weight_gradient(
                    (activations[i], input),
                    (&gradient, output),
                    &self.buffers,
                    &mut parameter_gradient[weights.clone()],
                );
            }
            if i == 0 && self.input_gradient == InputGradient::Skipped {
                return (None, parameter_gradient);
            }
            let kernel = layer.input_gradient(&parameters[weights], input, output, &self.buffers);
            let mut next = self.buffers.take(activations[i].len());
            kernel.run(&gradient, Epilogue::default(), &self.buffers, &mut next);
            gradient = next;
        }
        (Some(gradient), parameter_gradient)
    }
}

/// The maps between two layers.
#[derive(Clone, Copy)]
pub(crate) struct Stage {
    pub size: Size,
    pub channels: usize,
}

impl Stage {
    /// Values of a map.
    pub fn len(&self) -> usize {
        self.size.pixels() * self.channels
    }

    /// The shape of so many maps.
    pub fn shape(&self, maps: usize) -> Shape {
        Shape::from((maps, self.size.height, self.size.width, self.channels))
    }
}

/// A layer ready to run.
pub(super) struct Step {
    kernel: Kernel,
    /// Where its bias lies in the parameters.
    bias: Range<usize>,
    slope: Option<f32>,
    /// Values of a map, and of the map that comes out.
    lengths: (usize, usize),
}

impl Step {
    fn epilogue<'a>(&self, parameters: &'a [f32]) -> Epilogue<'a> {
        Epilogue { bias: Some(&parameters[self.bias.clone()]), slope: self.slope }
    }
}

/// How many maps go through all layers together: few, so that what lies between layers stays in the cache, but enough to
/// fill the register tiles of the smallest layers, and equally many on each thread.
fn maps_per_group(maps: usize) -> usize {
    const MOST: usize = 12;
    let threads = rayon::current_num_threads();
    maps.div_ceil(maps.div_ceil(MOST * threads).max(1) * threads).max(1)
}

/// Scales the gradient of a rectifier's output by its slope where the output is not positive. The output tells whether the
/// input was, since the slope is not negative.
pub(super) fn rectify(gradient: &mut [f32], output: &[f32], slope: f32) {
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
///
/// # Errors
/// For other tensors.
pub fn with_values<const N: usize, T>(
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
///
/// # Errors
/// For other tensors.
pub fn contiguous<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => bail!("expected a contiguous tensor, got strides {:?}", layout.stride()),
    }
}
