//! A chain forwards and backwards.

use super::{Backend, Epilogue, Part, PartMut, Problem};
use crate::conv::chain::{Chain, InputGradient, Mode, ParameterGradient, Stage};
use crate::conv::{Direction, Layer};
use candle_core::Result;

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
    let places: Vec<_> = chain.places().collect();
    let mut gradient: Option<B::Array> = None;
    for (i, layer) in chain.layers().iter().enumerate().rev() {
        let ((weights, bias), stages) = (places[i].clone(), &stages[i..i + 2]);
        let [from, to] = lengths(maps, stages);
        let incoming = gradient.as_ref().map_or(output_gradient, |array| Part::new(array, 0..to));
        let bias = parameter_gradient.as_mut().map(|array| PartMut::new(array, bias));
        // The gradients of other layers' outputs were finished by the layers behind them.
        let is_finished = i + 1 < chain.layers().len();
        let slope = layer.slope.filter(|_| !is_finished);
        let (outputs, channels) = (activations[i + 1], layer.channels().1);
        let rectified = through_rectifier(backend, (slope, channels), outputs, incoming, bias)?;
        let sums = rectified.as_ref().map_or(incoming, |array| Part::new(array, 0..to));
        let is_needed = i > 0 || chain.input_gradient == InputGradient::Needed;
        let mut next = is_needed.then(|| backend.allocate(from)).transpose()?;
        let wanted = Wanted {
            input: next.as_mut(),
            epilogue: back_through(i.checked_sub(1).map(|i| &chain.layers()[i]), activations[i]),
            weights: parameter_gradient.as_mut().map(|a| PartMut::new(a, weights.clone())),
        };
        let problem = problem(layer, maps, stages);
        let weights = parameters.part(weights);
        through_layer(backend, layer.direction, &problem, activations[i], weights, sums, wanted)?;
        gradient = next;
    }
    Ok((gradient, parameter_gradient))
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

/// From the gradient of a layer's output to that of its sums, unless it is the same, and of the bias.
fn through_rectifier<B: Backend>(
    backend: &B,
    (slope, channels): (Option<f32>, usize),
    output: Part<'_, B::Array>,
    gradient: Part<'_, B::Array>,
    bias: Option<PartMut<'_, B::Array>>,
) -> Result<Option<B::Array>> {
    match (slope, bias) {
        (Some(slope), bias) => {
            backend.rectify_backward(slope, output, gradient, bias, channels).map(Some)
        }
        (None, Some(bias)) => backend.sum_channels(gradient, bias).map(|()| None),
        (None, None) => Ok(None),
    }
}

/// From the gradient of a layer's sums to those of its input and its weights.
fn through_layer<B: Backend>(
    backend: &B,
    direction: Direction,
    problem: &Problem,
    input: Part<'_, B::Array>,
    weights: Part<'_, B::Array>,
    gradient: Part<'_, B::Array>,
    wanted: Wanted<'_, B::Array>,
) -> Result<()> {
    let Wanted { input: input_gradient, epilogue, weights: weight_gradient } = wanted;
    // A transposed convolution changes places with its gradient.
    let (convolved, result) = match direction {
        Direction::Convolution => (input, gradient),
        Direction::Transposed => (gradient, input),
    };
    if let Some(sums) = weight_gradient {
        backend.weight_gradient(problem, convolved, result, sums)?;
    }
    match (direction, input_gradient) {
        (_, None) => Ok(()),
        (Direction::Convolution, Some(sums)) => {
            backend.input_gradient(problem, gradient, weights, epilogue, sums)
        }
        (Direction::Transposed, Some(sums)) => {
            backend.convolution(problem, gradient, weights, epilogue, sums)
        }
    }
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
