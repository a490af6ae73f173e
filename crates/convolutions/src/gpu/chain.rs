//! A chain forwards and backwards.

use super::array::{ArrayView, ArrayViewMut};
use super::backend::{Convolutions, Epilogue, PartialSums, Reduction};
use super::problem::Problem;
use crate::geometry::{Direction, Layer, MapShape};
use crate::layers::{InputGradient, Layers, Mode, ParameterGradient};
use candle_core::Result;
use std::ops::Range;

/// A chain, its parameters on a device, and the shapes of its input and of all outputs, for a batch of maps.
pub struct GpuChain<'a, B: Convolutions> {
    pub backend: &'a B,
    pub layers: &'a Layers,
    pub parameters: ArrayView<'a, B::Array>,
    pub shapes: &'a [MapShape],
    pub maps: usize,
}

/// The gradients of an input and of parameters, each if needed.
pub type Gradients<A> = (Option<A>, Option<A>);

/// The partial sums of a layer's weight gradient, and where their sum goes.
type Unfinished<A> = (PartialSums<A>, Range<usize>);

impl<B: Convolutions> GpuChain<'_, B> {
    /// The outputs of all layers; in inference, of the last one only.
    pub fn forward(&self, input: ArrayView<'_, B::Array>, mode: Mode) -> Result<Vec<B::Array>> {
        let mut outputs: Vec<B::Array> = Vec::new();
        for (i, layer) in self.layers.as_slice().iter().enumerate() {
            let ((weights, bias), [from, to]) = (self.layers.places()[i].clone(), self.lengths(i));
            let input = outputs.last().map_or(input, |output| ArrayView::new(output, 0..from));
            let (weights, bias) = (self.parameters.part(weights), Some(self.parameters.part(bias)));
            let epilogue = Epilogue { bias, outputs: None, slope: layer.slope.unwrap_or(1.0) };
            let (problem, backend) = (self.problem(i), self.backend);
            let mut result = backend.allocate(to)?;
            match layer.direction {
                Direction::Convolution => {
                    backend.convolution(&problem, input, weights, epilogue, &mut result)?;
                }
                Direction::Transposed => {
                    backend.input_gradient(&problem, input, weights, epilogue, &mut result)?;
                }
            }
            if mode == Mode::Inference {
                outputs.clear();
            }
            outputs.push(result);
        }
        Ok(outputs)
    }

    /// The gradients for that of the output. `activations` are the input and the outputs of all layers.
    pub fn backward(
        &self,
        activations: &[ArrayView<'_, B::Array>],
        output_gradient: ArrayView<'_, B::Array>,
    ) -> Result<Gradients<B::Array>> {
        let is_trained = self.layers.parameter_gradient == ParameterGradient::Needed;
        let mut parameter_gradient =
            is_trained.then(|| self.backend.allocate(self.parameters.len)).transpose()?;
        let mut gradients = self.gradient_of_last_sums(activations, output_gradient)?;
        let (mut unfinished, mut input_gradient) = (Vec::new(), None);
        for i in (0..self.layers.as_slice().len()).rev() {
            let [from, to] = self.lengths(i);
            let is_needed = i > 0 || self.layers.input_gradient == InputGradient::Needed;
            let mut next = is_needed.then(|| self.backend.allocate(from)).transpose()?;
            let (weights, _) = self.layers.places()[i].clone();
            let wanted = Wanted {
                input: next.as_mut(),
                weights: parameter_gradient
                    .as_mut()
                    .map(|array| ArrayViewMut::new(array, weights.clone())),
            };
            let sums = self.through_layer(i, activations[i], gradients.part(i, to), wanted)?;
            unfinished.extend(sums.map(|sums| (sums, weights)));
            match i.checked_sub(1) {
                Some(before) => gradients.arrays[before] = next,
                None => input_gradient = next,
            }
            if !is_trained {
                gradients.arrays[i] = None;
            }
        }
        if let Some(result) = &mut parameter_gradient {
            self.backend.add_rows(&self.reductions(&gradients, &unfinished), result)?;
        }
        Ok((input_gradient, parameter_gradient))
    }

    /// Goes back through the last layer's rectifier, if it has one.
    fn gradient_of_last_sums<'a>(
        &self,
        activations: &[ArrayView<'_, B::Array>],
        output_gradient: ArrayView<'a, B::Array>,
    ) -> Result<SumGradients<'a, B::Array>> {
        let layers = self.layers.as_slice();
        let mut arrays: Vec<Option<B::Array>> = layers.iter().map(|_| None).collect();
        if let (Some(array), Some(layer), Some(&outputs)) =
            (arrays.last_mut(), layers.last(), activations.last())
        {
            let rectified = |slope| self.backend.rectify_backward(slope, outputs, output_gradient);
            *array = layer.slope.map(rectified).transpose()?;
        }
        Ok(SumGradients { arrays, output: output_gradient })
    }

    /// From the gradient of a layer's sums to the gradients of its weights and of its input, the latter back through the rectifier of
    /// the layer before. What is left to be added up for the weights is returned.
    fn through_layer(
        &self,
        i: usize,
        input: ArrayView<'_, B::Array>,
        gradient: ArrayView<'_, B::Array>,
        wanted: Wanted<'_, B::Array>,
    ) -> Result<Option<PartialSums<B::Array>>> {
        let (backend, layers, problem) = (self.backend, self.layers.as_slice(), self.problem(i));
        let direction = layers[i].direction;
        // A transposed convolution changes places with its gradient.
        let (convolved, result) = match direction {
            Direction::Convolution => (input, gradient),
            Direction::Transposed => (gradient, input),
        };
        let sums = match wanted.weights {
            Some(weights) => backend.weight_gradient(&problem, convolved, result, weights)?,
            None => None,
        };
        if let Some(to) = wanted.input {
            let weights = self.parameters.part(self.layers.places()[i].0.clone());
            let epilogue = back_through(i.checked_sub(1).map(|before| &layers[before]), input);
            match direction {
                Direction::Convolution => {
                    backend.input_gradient(&problem, gradient, weights, epilogue, to)?;
                }
                Direction::Transposed => {
                    backend.convolution(&problem, gradient, weights, epilogue, to)?;
                }
            }
        }
        Ok(sums)
    }

    /// The additions that complete the gradient of the parameters. The gradient of a bias is the sum of the gradients of its layer's sums,
    /// one row for each pixel. The gradient of weights is the sum of its partial sums, where it was left in such.
    fn reductions<'a>(
        &self,
        gradients: &'a SumGradients<'_, B::Array>,
        unfinished: &'a [Unfinished<B::Array>],
    ) -> Vec<Reduction<'a, B::Array>> {
        let places = self.layers.places().iter().zip(&self.shapes[1..]).enumerate();
        let biases = places.map(|(i, ((_, bias), output))| Reduction {
            values: gradients.part(i, self.maps * output.len()),
            rows: self.maps * output.size.pixels(),
            to: bias.clone(),
        });
        let weights = unfinished.iter().map(|(PartialSums { array, count }, to)| Reduction {
            values: ArrayView::new(array, 0..count * to.len()),
            rows: *count,
            to: to.clone(),
        });
        biases.chain(weights).collect()
    }

    /// The convolution of a layer, or the one that it transposes.
    fn problem(&self, i: usize) -> Problem {
        let Layer { conv, direction, .. } = self.layers.as_slice()[i];
        let (from, to) = (self.shapes[i].size, self.shapes[i + 1].size);
        let (input, output) = match direction {
            Direction::Convolution => (from, to),
            Direction::Transposed => (to, from),
        };
        Problem { conv, maps: self.maps, input, output }
    }

    /// Values of the batch before and after a layer.
    fn lengths(&self, i: usize) -> [usize; 2] {
        [self.shapes[i], self.shapes[i + 1]].map(|shape| self.maps * shape.len())
    }
}

/// The gradients of all layers' sums, before their rectifiers.
struct SumGradients<'a, A> {
    /// None where the gradient of the output is that of the sums, and where there is no gradient yet.
    arrays: Vec<Option<A>>,
    output: ArrayView<'a, A>,
}

impl<A> SumGradients<'_, A> {
    /// The `len` values of a layer.
    fn part(&self, layer: usize, len: usize) -> ArrayView<'_, A> {
        self.arrays[layer].as_ref().map_or(self.output, |array| ArrayView::new(array, 0..len))
    }
}

/// Where the gradients of a layer go, if they are wanted.
struct Wanted<'a, A> {
    input: Option<&'a mut A>,
    weights: Option<ArrayViewMut<'a, A>>,
}

/// From the gradient of a layer's outputs to that of its sums.
fn back_through<'a, A>(layer: Option<&Layer>, outputs: ArrayView<'a, A>) -> Epilogue<'a, A> {
    match layer.and_then(|layer| layer.slope) {
        Some(slope) => Epilogue { bias: None, outputs: Some(outputs), slope },
        None => Epilogue::none(),
    }
}
