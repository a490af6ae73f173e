//! The passes of a chain over a batch of maps of one size.

use super::buffer::{Buffer, Buffers};
use super::convolution::PreparedConv;
use super::layer::{prepare_forward, prepare_input_gradient, write_weight_gradient};
use super::rectifier::{add_channel_sums, rectify_gradient};
use crate::geometry::{BiasRectifier, Layer, MapShape, Size};
use crate::layers::{InputGradient, Layers, Mode, ParameterGradient, Place};
use rayon::prelude::*;
use std::ops::Range;

/// A chain, its parameters, and the shapes of its input and of all outputs.
#[derive(Clone, Copy)]
pub struct CpuChain<'a> {
    pub layers: &'a Layers,
    pub shapes: &'a [MapShape],
    pub parameters: &'a [f32],
    pub buffers: &'a Buffers,
}

/// A layer whose weights are laid out.
pub struct PreparedLayer {
    conv: PreparedConv,
    /// Where its bias lies in the parameters.
    bias: Range<usize>,
    slope: Option<f32>,
    /// Values of a map, and of its result.
    lengths: (usize, usize),
}

impl CpuChain<'_> {
    /// Writes the output of the last layer, and returns those of all others for training.
    pub fn forward(self, input: &[f32], mode: Mode, output: &mut [f32]) -> Vec<Buffer> {
        let prepared = self.prepare();
        let (values, results) = (self.shapes[0].len(), self.shapes[self.shapes.len() - 1].len());
        if mode == Mode::Training {
            return self.run(&prepared, input, mode, output);
        }
        let group = maps_per_group(input.len() / values);
        let groups =
            input.par_chunks(group * values).zip_eq(output.par_chunks_mut(group * results));
        groups.for_each(|(input, output)| {
            self.run(&prepared, input, mode, output);
        });
        Vec::new()
    }

    /// Lays out the weights of all layers.
    pub fn prepare(self) -> Vec<PreparedLayer> {
        let layer = |(i, layer): (usize, &Layer)| {
            let (weights, bias) = self.place(i);
            let (from, to) = (self.shapes[i], self.shapes[i + 1]);
            let weights = &self.parameters[weights];
            let conv = prepare_forward(layer, weights, self.sizes(i), self.buffers);
            PreparedLayer { conv, bias, slope: layer.slope, lengths: (from.len(), to.len()) }
        };
        self.layers.as_slice().iter().enumerate().map(layer).collect()
    }

    /// As [`Self::forward`], with weights that are laid out already.
    pub fn run(
        self,
        prepared: &[PreparedLayer],
        input: &[f32],
        mode: Mode,
        output: &mut [f32],
    ) -> Vec<Buffer> {
        let mut activations: Vec<Buffer> = Vec::new();
        let Some((last, others)) = prepared.split_last() else { return activations };
        for layer in others {
            let input = activations.last().map_or(input, |maps| maps);
            let (values, results) = layer.lengths;
            let mut result = self.buffers.take(input.len() / values * results);
            layer.conv.run(input, self.bias_rectifier(layer), self.buffers, &mut result);
            if mode == Mode::Inference {
                activations.clear();
            }
            activations.push(result);
        }
        let input = activations.last().map_or(input, |maps| maps);
        last.conv.run(input, self.bias_rectifier(last), self.buffers, output);
        activations
    }

    /// The gradients of the input and of the parameters, each if needed, for that of the output. `activations` are the input and the
    /// outputs of all layers.
    pub fn backward(
        self,
        activations: &[&[f32]],
        gradient: Buffer,
    ) -> (Option<Buffer>, Option<Vec<f32>>) {
        let is_trained = self.layers.parameter_gradient == ParameterGradient::Needed;
        let mut parameters = is_trained.then(|| vec![0.0; self.parameters.len()]);
        let is_wanted = self.layers.input_gradient == InputGradient::Needed;
        let input = self.backpropagate(&activations[1..], gradient, |i, gradient| {
            if let Some(result) = &mut parameters {
                self.write_parameter_gradient(i, activations[i], &gradient, result);
            }
            match i > 0 || is_wanted {
                true => self.input_gradient(&self.prepare_backward(i), i, &gradient),
                false => gradient,
            }
        });
        (is_wanted.then_some(input), parameters)
    }

    /// Goes back through the layers for the gradient of the output, from the last one to the first. `through` gets the number of a layer
    /// and the gradient of its sums, and returns that of its input. `outputs` are those of all layers.
    pub fn backpropagate(
        self,
        outputs: &[&[f32]],
        mut gradient: Buffer,
        mut through: impl FnMut(usize, Buffer) -> Buffer,
    ) -> Buffer {
        for (i, layer) in self.layers.as_slice().iter().enumerate().rev() {
            if let Some(slope) = layer.slope {
                rectify_gradient(&mut gradient, outputs[i], slope);
            }
            gradient = through(i, gradient);
        }
        gradient
    }

    /// Lays out the weights of a layer for the gradient of its input.
    pub fn prepare_backward(self, i: usize) -> PreparedConv {
        let (layer, weights) = (&self.layers.as_slice()[i], &self.parameters[self.place(i).0]);
        prepare_input_gradient(layer, weights, self.sizes(i), self.buffers)
    }

    /// The gradient of a layer's input for that of its sums.
    pub fn input_gradient(self, conv: &PreparedConv, i: usize, gradient: &[f32]) -> Buffer {
        let (values, results) = (self.shapes[i].len(), self.shapes[i + 1].len());
        let mut result = self.buffers.take(gradient.len() / results * values);
        conv.run(gradient, BiasRectifier::default(), self.buffers, &mut result);
        result
    }

    /// Writes the gradients of a layer's weights and bias for that of its sums, where they lie among those of all parameters.
    fn write_parameter_gradient(
        self,
        i: usize,
        input: &[f32],
        gradient: &[f32],
        parameters: &mut [f32],
    ) {
        let ((weights, bias), (from, to)) = (self.place(i), self.sizes(i));
        add_channel_sums(gradient, &mut parameters[bias]);
        let (layer, result) = (&self.layers.as_slice()[i], &mut parameters[weights]);
        write_weight_gradient(layer, (input, from), (gradient, to), self.buffers, result);
    }

    fn bias_rectifier(&self, layer: &PreparedLayer) -> BiasRectifier<'_> {
        BiasRectifier { bias: Some(&self.parameters[layer.bias.clone()]), slope: layer.slope }
    }

    /// The sizes of a layer's input and output.
    fn sizes(&self, i: usize) -> (Size, Size) {
        (self.shapes[i].size, self.shapes[i + 1].size)
    }

    fn place(&self, i: usize) -> Place {
        self.layers.places()[i].clone()
    }
}

/// How many maps go through all layers together: few, so that what lies between layers stays in the cache, but enough to
/// fill the register tiles of the smallest layers, and equally many on each thread.
fn maps_per_group(maps: usize) -> usize {
    const MOST: usize = 12;
    let threads = rayon::current_num_threads();
    maps.div_ceil(maps.div_ceil(MOST * threads).max(1) * threads).max(1)
}
