//! A chain from candle's own operations, for devices that this crate has no kernels for.
//!
//! candle differentiates them; all activations are kept for it in training, none in inference. It also computes the gradients
//! that a chain does without, those of data and of frozen parameters: they cost time and change nothing.

use crate::geometry::{Conv2d, Direction, Layer};
use crate::layers::{InputGradient, Layers, Mode, ParameterGradient};
use candle_core::{Result, Tensor, Var};

/// A forward pass of training, with candle's graph from the inputs to the output.
pub(crate) struct Graph {
    input: Var,
    parameters: Var,
    output: Tensor,
}

/// Applies the layers to maps `(N, H, W, C)`, with the results and gradients of the chain's operation but for rounding. There
/// must be a map.
pub(crate) fn apply(
    layers: &Layers,
    input: &Tensor,
    parameters: &Tensor,
    mode: Mode,
) -> Result<Tensor> {
    layers.shapes(input.shape(), parameters.elem_count())?;
    let detached = |tensor: &Tensor, is_constant: bool| match is_constant {
        true => tensor.detach(),
        false => tensor.clone(),
    };
    let is_inference = mode == Mode::Inference;
    let input = detached(input, is_inference || layers.input_gradient == InputGradient::Skipped);
    let is_frozen = layers.parameter_gradient == ParameterGradient::Skipped;
    let parameters = detached(parameters, is_inference || is_frozen);
    let mut maps = input.permute((0, 3, 1, 2))?.contiguous()?;
    for (layer, (weights, bias)) in layers.as_slice().iter().zip(layers.places()) {
        let weights = parameters.narrow(0, weights.start, weights.len())?;
        let bias = parameters.narrow(0, bias.start, bias.len())?;
        maps = apply_layer(layer, &maps, &weights, &bias)?;
    }
    maps.permute((0, 2, 3, 1))?.contiguous()
}

/// The output of the layers, in training as a leaf, and the graph that their gradients need.
pub(crate) fn forward(
    layers: &Layers,
    input: &Tensor,
    parameters: &Tensor,
    mode: Mode,
) -> Result<(Tensor, Option<Graph>)> {
    if mode == Mode::Inference {
        return Ok((apply(layers, input, parameters, mode)?, None));
    }
    let [input, parameters] = [Var::from_tensor(input)?, Var::from_tensor(parameters)?];
    let output = apply(layers, &input, &parameters, mode)?;
    let leaf = Var::from_tensor(&output.detach())?.into_inner();
    Ok((leaf, Some(Graph { input, parameters, output })))
}

/// The gradients of the input and of the parameters, each if needed, for that of the output.
pub(crate) fn backward(
    graph: &Graph,
    output_gradient: &Tensor,
) -> Result<(Option<Tensor>, Option<Tensor>)> {
    let sum = (&graph.output * output_gradient)?.sum_all()?;
    let mut gradients = sum.backward()?;
    Ok((gradients.remove(&graph.input), gradients.remove(&graph.parameters)))
}

/// One layer on maps `(N, C, H, W)`.
fn apply_layer(layer: &Layer, maps: &Tensor, weights: &Tensor, bias: &Tensor) -> Result<Tensor> {
    let Conv2d { stride, padding, .. } = layer.conv;
    // `(C_out, C_in, k, k)` of the convolution, in which a transposed one finds its input channels first, as candle wants them.
    let weights =
        weights.reshape(&layer.conv.weight_shape())?.permute((3, 2, 0, 1))?.contiguous()?;
    let sums = match layer.direction {
        Direction::Convolution => maps.conv2d(&weights, padding, stride, 1, 1)?,
        Direction::Transposed => maps.conv_transpose2d(&weights, padding, 0, stride, 1)?,
    };
    let sums = sums.broadcast_add(&bias.reshape((1, bias.elem_count(), 1, 1))?)?;
    match layer.slope {
        Some(slope) => rectify(&sums, slope),
        None => Ok(sums),
    }
}

/// A rectifier of the given slope below zero and, for the gradient, at zero.
fn rectify(sums: &Tensor, slope: f32) -> Result<Tensor> {
    let is_positive = sums.detach().gt(0f32)?;
    is_positive.where_cond(sums, &(sums * f64::from(slope))?)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failure is the test's result")]
    use super::*;
    use crate::Chain;
    use crate::geometry::Size;
    use crate::tests::{decoder, encoder, flat, noise};
    use candle_core::{DType, Var};

    const SLOPE: f32 = 0.2;

    /// Output and gradients by one of the two ways. Next to zero, rounding decides on which side of the last rectifier's kink
    /// a sum lies: there is no gradient there.
    fn run(
        apply: impl FnOnce(&Tensor, &Tensor) -> Result<Tensor>,
        [input, parameters]: [&Var; 2],
        seed: u64,
    ) -> [Option<Tensor>; 3] {
        let output = apply(input, parameters).unwrap();
        let is_off_the_kink = output.detach().abs().unwrap().gt(1e-3).unwrap();
        let cotangent = noise(seed, output.dims());
        let cotangent = (cotangent * is_off_the_kink.to_dtype(DType::F32).unwrap()).unwrap();
        let sum = (&output * cotangent).unwrap().sum_all().unwrap();
        let gradients = sum.backward().unwrap();
        let gradient = |variable: &Var| gradients.get(variable).cloned();
        [Some(output.detach()), gradient(input), gradient(parameters)]
    }

    fn largest(tensor: &Tensor) -> f32 {
        tensor.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar().unwrap()
    }

    /// Both ways give the same up to rounding, or nothing, on `count` maps of `side`×`side` pixels.
    fn compare(chain: &Chain, (count, side): (usize, usize), seed: u64) {
        let (channels, _) = chain.layers()[0].channels();
        let input = Var::from_tensor(&noise(seed, &[count, side, side, channels])).unwrap();
        let deviation = |layer: &Layer| {
            let Conv2d { in_channels, out_channels, kernel, .. } = layer.conv;
            2.0 / ((in_channels.max(out_channels) * kernel * kernel) as f64).sqrt()
        };
        let parameters: Vec<Tensor> = (0..)
            .zip(chain.layers().iter().zip(chain.places()))
            .map(|(i, (layer, (weights, bias)))| {
                (noise(seed + i, &[weights.len() + bias.len()]) * deviation(layer)).unwrap()
            })
            .collect();
        let parameters = Var::from_tensor(&Tensor::cat(&parameters, 0).unwrap()).unwrap();
        let variables = [&input, &parameters];
        let mode = Mode::Training;
        let expected = run(|input, values| chain.apply(input, values, mode), variables, seed + 99);
        let composed = |input: &Tensor, values: &Tensor| {
            apply(&chain.layers.for_input(input), input, values, mode)
        };
        let got = run(composed, variables, seed + 99);
        for (part, (expected, got)) in expected.iter().zip(&got).enumerate() {
            let (Some(expected), Some(got)) = (expected, got) else {
                assert_eq!(expected.is_some(), got.is_some(), "part {part}");
                continue;
            };
            assert_eq!(got.dims(), expected.dims());
            // Sums of n products are rounded by about √n · 2⁻²⁴ of their size, twice that and more by the minimal algorithms;
            // the longest have 9,216 terms, and a layer passes on what came before.
            let bound = 1e-5 * chain.layers().len() as f32 * largest(expected);
            let difference = largest(&(got - expected).unwrap());
            assert!(difference <= bound, "part {part}: {difference} of {bound}, {chain:?}");
        }
    }

    fn layers(convs: &[Conv2d], direction: Direction) -> Vec<Layer> {
        convs.iter().map(|&conv| Layer { conv, direction, slope: Some(SLOPE) }).collect()
    }

    #[test]
    fn layers_equal_the_chains() {
        let mut size = Size { height: 128, width: 128 };
        for (conv, seed) in encoder(128, 10).into_iter().zip(10..) {
            let chain = Chain::new(layers(&[conv], Direction::Convolution), InputGradient::Needed);
            compare(&chain, (1, size.width), seed);
            size = conv.output(size).unwrap();
            let transposed =
                Chain::new(layers(&[conv], Direction::Transposed), InputGradient::Needed);
            compare(&transposed, (1, size.width), seed);
        }
    }

    #[test]
    fn chains_of_both_directions_equal_the_chains() {
        let encoder = layers(&encoder(32, 10), Direction::Convolution);
        let decoder = layers(&decoder(32, 10), Direction::Transposed);
        compare(&Chain::new(encoder, InputGradient::Skipped), (3, 32), 1);
        compare(&Chain::new(decoder, InputGradient::Needed), (3, 1), 2);
    }

    /// A frozen chain, whose first layer's stride leaves a remainder, as AlexNet's does.
    #[test]
    fn a_frozen_chain_equals_the_chain() {
        let wide = Conv2d { in_channels: 2, out_channels: 64, kernel: 11, stride: 4, padding: 2 };
        let next = Conv2d { in_channels: 64, out_channels: 32, kernel: 5, stride: 1, padding: 2 };
        let layers = [wide, next].map(|conv| Layer {
            conv,
            direction: Direction::Convolution,
            slope: Some(0.0),
        });
        for side in [31, 32, 33] {
            compare(&Chain::frozen(layers.to_vec()), (2, side), 3);
        }
    }

    #[test]
    fn inference_keeps_nothing_and_gives_the_same() {
        let encoder = layers(&encoder(32, 4), Direction::Convolution);
        let chain = Chain::new(encoder, InputGradient::Skipped);
        let input = noise(1, &[2, 32, 32, 1]);
        let parameters = Var::from_tensor(&noise(2, &[chain.parameter_count()])).unwrap();
        let values = |mode| apply(&chain.layers, &input, &parameters, mode).unwrap();
        let (trained, inferred) = (values(Mode::Training), values(Mode::Inference));
        assert!(trained.track_op() && !inferred.track_op());
        assert_eq!(flat(&trained), flat(&inferred));
    }

    /// The leaf and the gradients of the explicit passes are those of the graph.
    #[test]
    fn explicit_passes_equal_the_graph() {
        let chain =
            Chain::new(layers(&encoder(32, 4), Direction::Convolution), InputGradient::Needed);
        let input = Var::from_tensor(&noise(1, &[2, 32, 32, 1])).unwrap();
        let parameters = Var::from_tensor(&noise(2, &[chain.parameter_count()])).unwrap();
        let expected = apply(&chain.layers, &input, &parameters, Mode::Training).unwrap();
        let gradients = expected.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let (leaf, graph) = forward(&chain.layers, &input, &parameters, Mode::Training).unwrap();
        let loss = leaf.sqr().unwrap().sum_all().unwrap().backward().unwrap();
        let (of_input, of_parameters) =
            backward(&graph.unwrap(), loss.get(&leaf).unwrap()).unwrap();
        assert_eq!(flat(&leaf), flat(&expected));
        assert_eq!(flat(&of_input.unwrap()), flat(gradients.get(&input).unwrap()));
        assert_eq!(flat(&of_parameters.unwrap()), flat(gradients.get(&parameters).unwrap()));
    }

    #[test]
    fn rectifiers_have_the_slope_below_zero_at_zero_too() {
        let device = candle_core::Device::Cpu;
        let sums = Var::new(&[-2f32, 0.0, 3.0], &device).unwrap();
        let rectified = rectify(&sums, 0.25).unwrap();
        assert_eq!(rectified.to_vec1::<f32>().unwrap(), [-0.5, 0.0, 3.0]);
        let gradients = rectified.sum_all().unwrap().backward().unwrap();
        let gradient = gradients.get(&sums).unwrap().to_vec1::<f32>().unwrap();
        assert_eq!(gradient, [0.25, 0.25, 1.0]);
    }
}
