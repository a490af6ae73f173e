//! A chain forwards and backwards.

use super::{Backend, Epilogue, Matrix, Part, PartMut, Problem, Shares};
use crate::chain::{Chain, InputGradient, Mode, ParameterGradient, Stage};
use crate::{Direction, Layer};
use candle_core::Result;
use std::ops::Range;

/// The outputs of all layers for so many maps; in inference, of the last one only.
pub(super) fn forward<B: Backend>(
    backend: &B,
    chain: &Chain,
    (input, maps): (Part<'_, B::Array>, usize),
    stages: &[Stage],
    parameters: Part<'_, B::Array>,
    mode: Mode,
) -> Result<Vec<B::Array>> {
    let mut outputs: Vec<B::Array> = Vec::new();
    let places = chain.layers().iter().zip(chain.places()).zip(stages.windows(2));
    for ((layer, (weights, bias)), stages) in places {
        let (problem, [from, to]) = (problem(layer, maps, stages), lengths(maps, stages));
        let input = outputs.last().map_or(input, |output| Part::new(output, 0..from));
        let (weights, bias) = (parameters.part(weights), Some(parameters.part(bias)));
        let epilogue = Epilogue { bias, outputs: None, slope: layer.slope.unwrap_or(1.0) };
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

/// The gradients of an input and of parameters, each if needed.
pub(super) type Gradients<A> = (Option<A>, Option<A>);

/// The gradients for that of the output. `activations` are the input and the
/// outputs of all layers, for so many maps.
pub(super) fn backward<B: Backend>(
    backend: &B,
    chain: &Chain,
    (activations, maps): (&[Part<'_, B::Array>], usize),
    stages: &[Stage],
    parameters: Part<'_, B::Array>,
    output_gradient: Part<'_, B::Array>,
) -> Result<Gradients<B::Array>> {
    let is_trained = chain.parameter_gradient == ParameterGradient::Needed;
    let mut parameter_gradient =
        is_trained.then(|| backend.allocate(parameters.len)).transpose()?;
    let mut gradients = Sums::new(backend, chain, activations, output_gradient)?;
    let (mut shares, mut input_gradient) = (Vec::new(), None);
    let places: Vec<_> = chain.layers().iter().zip(chain.places()).enumerate().collect();
    for (i, (layer, (weights, _))) in places.into_iter().rev() {
        let (stages, before) = (&stages[i..i + 2], i.checked_sub(1));
        let [from, to] = lengths(maps, stages);
        let is_needed = before.is_some() || chain.input_gradient == InputGradient::Needed;
        let mut next = is_needed.then(|| backend.allocate(from)).transpose()?;
        let wanted = Wanted {
            input: next.as_mut(),
            epilogue: back_through(before.map(|before| &chain.layers()[before]), activations[i]),
            weights: parameter_gradient.as_mut().map(|a| PartMut::new(a, weights.clone())),
        };
        let (problem, gradient) = (problem(layer, maps, stages), gradients.part(i, to));
        let maps = [activations[i], gradient];
        let weights_of_layer = parameters.part(weights.clone());
        let left =
            through_layer(backend, layer.direction, &problem, maps, weights_of_layer, wanted)?;
        shares.extend(left.map(|shares| (shares, weights)));
        match before {
            Some(before) => gradients.arrays[before] = next,
            None => input_gradient = next,
        }
        if !is_trained {
            gradients.arrays[i] = None;
        }
    }
    if let Some(result) = &mut parameter_gradient {
        backend.add_rows(&matrices(chain, &gradients, &shares, &stages[1..], maps), result)?;
    }
    Ok((input_gradient, parameter_gradient))
}

/// What is still to be added up: to gradients of biases those of layers' sums, a row for each pixel of so many maps, and to those of
/// weights their shares.
fn matrices<'a, A>(
    chain: &Chain,
    gradients: &'a Sums<'_, A>,
    shares: &'a [(Shares<A>, Range<usize>)],
    outputs: &[Stage],
    maps: usize,
) -> Vec<Matrix<'a, A>> {
    let biases = chain.places().zip(outputs).enumerate().map(|(i, ((_, to), stage))| Matrix {
        values: gradients.part(i, maps * stage.len()),
        rows: maps * stage.size.pixels(),
        to,
    });
    let weights = shares.iter().map(|(Shares { array, count }, to)| Matrix {
        values: Part::new(array, 0..count * to.len()),
        rows: *count,
        to: to.clone(),
    });
    biases.chain(weights).collect()
}

/// The gradients of all layers' sums, before rectifiers.
struct Sums<'a, A> {
    /// None where it is that of the output, or not there yet.
    arrays: Vec<Option<A>>,
    output: Part<'a, A>,
}

impl<'a, A> Sums<'a, A> {
    /// Goes back through the last layer's rectifier, if it has one.
    fn new<B: Backend<Array = A>>(
        backend: &B,
        chain: &Chain,
        activations: &[Part<'_, A>],
        output: Part<'a, A>,
    ) -> Result<Self> {
        let mut arrays: Vec<Option<A>> = chain.layers().iter().map(|_| None).collect();
        if let (Some(array), Some(layer), Some(&outputs)) =
            (arrays.last_mut(), chain.layers().last(), activations.last())
        {
            let rectified = |slope| backend.rectify_backward(slope, outputs, output);
            *array = layer.slope.map(rectified).transpose()?;
        }
        Ok(Self { arrays, output })
    }

    /// That of a layer, of so many values.
    fn part(&self, layer: usize, len: usize) -> Part<'_, A> {
        self.arrays[layer].as_ref().map_or(self.output, |array| Part::new(array, 0..len))
    }
}

/// What is wanted of a layer.
struct Wanted<'a, A> {
    input: Option<&'a mut A>,
    /// Of the input's gradient.
    epilogue: Epilogue<'a, A>,
    weights: Option<PartMut<'a, A>>,
}

/// From the gradient of a layer's outputs to that of its sums.
fn back_through<'a, A>(layer: Option<&Layer>, outputs: Part<'a, A>) -> Epilogue<'a, A> {
    match layer.and_then(|layer| layer.slope) {
        Some(slope) => Epilogue { bias: None, outputs: Some(outputs), slope },
        None => Epilogue::none(),
    }
}

/// From the gradient of a layer's sums to those of its input and its weights.
fn through_layer<B: Backend>(
    backend: &B,
    direction: Direction,
    problem: &Problem,
    [input, gradient]: [Part<'_, B::Array>; 2],
    weights: Part<'_, B::Array>,
    wanted: Wanted<'_, B::Array>,
) -> Result<Option<Shares<B::Array>>> {
    let Wanted { input: input_gradient, epilogue, weights: weight_gradient } = wanted;
    // A transposed convolution changes places with its gradient.
    let (convolved, result) = match direction {
        Direction::Convolution => (input, gradient),
        Direction::Transposed => (gradient, input),
    };
    let shares = match weight_gradient {
        Some(sums) => backend.weight_gradient(problem, convolved, result, sums)?,
        None => None,
    };
    match (direction, input_gradient) {
        (_, None) => {}
        (Direction::Convolution, Some(sums)) => {
            backend.input_gradient(problem, gradient, weights, epilogue, sums)?;
        }
        (Direction::Transposed, Some(sums)) => {
            backend.convolution(problem, gradient, weights, epilogue, sums)?;
        }
    }
    Ok(shares)
}

/// The convolution that a layer between two stages is, or that it transposes.
fn problem(layer: &Layer, maps: usize, stages: &[Stage]) -> Problem {
    let (from, to) = (stages[0].size, stages[1].size);
    let (input, output) = match layer.direction {
        Direction::Convolution => (from, to),
        Direction::Transposed => (to, from),
    };
    Problem { conv: layer.conv, maps, input, output }
}

/// Values of the maps before and after a layer.
fn lengths(maps: usize, stages: &[Stage]) -> [usize; 2] {
    [maps * stages[0].len(), maps * stages[1].len()]
}
